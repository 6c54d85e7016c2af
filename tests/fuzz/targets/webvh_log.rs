//! No did:webvh log panics its reader; what resolves is the document of a version that the log holds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_fuzz::now;
use syndic_vc::json;
use syndic_vc::webvh::{self, Which};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The log names the DID that it is about; asking for that one reaches furthest.
    let last = text.lines().last().unwrap_or_default();
    let Ok(entry) = json::parse(last.as_bytes()) else { return };
    let Some(did) = entry.get("state").and_then(|state| state.get("id")).and_then(json::Value::as_str) else {
        return;
    };
    let Ok(did) = syndic_vc::did::Did::parse(did) else { return };
    if let Ok(resolved) = webvh::resolve(&did, text, None, &Which::Latest, now()) {
        assert!(text.contains(&resolved.metadata.version_id));
    }
});
