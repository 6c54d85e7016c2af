//! A DID URL that parses is made of its parts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_vc::did::DidUrl;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(url) = DidUrl::parse(text) else { return };
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let fragment = url.fragment().map(|fragment| format!("#{fragment}")).unwrap_or_default();
    assert_eq!(format!("{}{}{query}{fragment}", url.did(), url.path()), text);
});
