//! Whatever the strict reader takes prints canonically, and reads back as the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_vc::{canonical, json};

fuzz_target!(|data: &[u8]| {
    let Ok(value) = json::parse(data) else { return };
    let bytes = canonical::to_bytes(&value);
    assert_eq!(json::parse(&bytes).as_ref(), Ok(&value));
});
