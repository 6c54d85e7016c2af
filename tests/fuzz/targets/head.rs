//! No signed note or checkpoint panics its reader.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_fuzz::log_key;
use syndic_registry::head::Head;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(head) = Head::verify(text, "syndic.example/log", &log_key()) {
        assert_eq!(head.note(), text);
    }
});
