//! No credential panics the verifier, and what it accepts is exactly what was sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_fuzz::{World, is_what_was_sent, now, policy};
use syndic_vc::verify;

fuzz_target!(|data: &[u8]| {
    if let Ok(verified) = verify::credential(data, &policy(), &World, now()) {
        assert!(is_what_was_sent(data, verified.document()));
    }
    let _ = verify::proof_only(data, &policy(), &World, now());
});
