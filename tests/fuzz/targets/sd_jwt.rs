//! No SD-JWT panics the verifier, whatever is disclosed in whatever order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_fuzz::{CHALLENGE, DOMAIN, World, now, policy};
use syndic_vc::sd_jwt;
use syndic_vc::verify::{self, HolderProof, PresentationRequest};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let request = PresentationRequest {
        challenge: CHALLENGE,
        domain: DOMAIN,
    };
    let _ = verify::sd_jwt(text, HolderProof::NotAsked, &policy(), &World, now());
    let _ = verify::sd_jwt(text, HolderProof::Required(&request, &World), &policy(), &World, now());
    if let Ok(names) = sd_jwt::disclosable(text) {
        let show: Vec<&str> = names.iter().map(String::as_str).collect();
        let _ = sd_jwt::present(text, &show);
    }
});
