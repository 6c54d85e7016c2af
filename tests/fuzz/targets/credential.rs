//! No credential panics the verifier, and what it accepts is exactly what was sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_fuzz::{World, now, policy};
use syndic_vc::{json, verify};

fuzz_target!(|data: &[u8]| {
    let sent = json::parse(data);
    if let Ok(verified) = verify::credential(data, &policy(), &World, now()) {
        assert_eq!(sent.as_ref(), Ok(verified.document()));
    }
    let _ = verify::proof_only(data, &policy(), &World, now());
});
