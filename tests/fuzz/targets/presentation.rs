//! No presentation panics the verifier, and what it accepts is exactly what was sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_fuzz::{CHALLENGE, DOMAIN, World, is_what_was_sent, now, policy};
use syndic_vc::verify::{self, PresentationRequest};

fuzz_target!(|data: &[u8]| {
    let request = PresentationRequest {
        challenge: CHALLENGE,
        domain: DOMAIN,
    };
    if let Ok(verified) = verify::presentation(data, &request, &policy(), &World, &World, now()) {
        assert!(is_what_was_sent(data, verified.document()));
    }
});
