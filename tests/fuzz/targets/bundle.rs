//! No decision bundle panics its reader, and what is read is written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_registry::bundle::Bundle;

fuzz_target!(|data: &[u8]| {
    if let Ok(bundle) = Bundle::parse(data) {
        assert_eq!(bundle.to_bytes(), data.strip_suffix(b"\n").unwrap_or(data));
    }
});
