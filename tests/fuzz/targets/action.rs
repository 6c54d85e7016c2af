//! No action panics the verifier, and what it allows is exactly what was sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_fuzz::{World, now, policy, verifier};
use syndic_vc::verify::{self, ActionRequest};

fuzz_target!(|data: &[u8]| {
    let audience = verifier();
    let request = ActionRequest { audience: &audience };
    if let Ok(allowed) = verify::action(data, &request, &policy(), &World, &World, now()) {
        assert_eq!(syndic_vc::json::parse(data).as_ref(), Ok(allowed.document()));
    }
});
