//! A DID that parses prints as it was, and resolving it never panics; a document that resolves reads back as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_vc::did::Did;
use syndic_vc::document::DidDocument;
use syndic_vc::{json, resolve};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(did) = Did::parse(text)
    {
        assert_eq!(did.as_str(), text);
        if let Ok(document) = resolve::self_described(&did) {
            assert_eq!(DidDocument::from_json(&document.to_json()).as_ref(), Ok(&document));
        }
    }
    if let Ok(value) = json::parse(data)
        && let Ok(document) = DidDocument::from_json(&value)
    {
        assert_eq!(DidDocument::from_json(&document.to_json()).as_ref(), Ok(&document));
    }
});
