//! No access token, DPoP proof, URL or wish for less panics whoever reads it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_fuzz::{log_key, now};
use syndic_vc::json::{self, Value, members::Path};
use syndic_vc::token::dpop::{CheckedProof, ProofRequest, target};
use syndic_vc::token::{CheckedToken, Expected, details};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let expected = Expected {
        issuer: "https://node.example",
        audience: None,
        clock_skew_seconds: 30,
    };
    let _ = CheckedToken::read(text, &expected, &[log_key()], now());
    let request = ProofRequest {
        method: "POST",
        url: text,
        access_token: None,
        nonce: None,
        clock_skew_seconds: 30,
    };
    let _ = CheckedProof::read(text, &request, now());
    if let Some(form) = target(text) {
        assert_eq!(target(&form), Some(form));
    }
    let _ = details::by_scope(&[], text);
    if let Some(items) = json::parse(data).ok().as_ref().and_then(Value::as_array) {
        let _ = details::read(items, &Path::ROOT);
    }
});
