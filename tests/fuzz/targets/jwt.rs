//! No JWT panics the verifier, in the envelope or bare.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_fuzz::{World, now, policy};
use syndic_vc::{object, verify};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for kind in ["vc+jwt", "jwt"] {
        let envelope = object! {
            "@context": "https://www.w3.org/ns/credentials/v2",
            "type": "EnvelopedVerifiableCredential",
            "id": format!("data:application/{kind},{text}"),
        };
        let _ = verify::credential_value(envelope, &policy(), &World, now());
    }
});
