//! No status list panics or swells the reader; one that reads is written with the same bits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_fuzz::status_text;
use syndic_vc::status::StatusList;

fuzz_target!(|data: &[u8]| {
    // As it stands, and as the compressed bytes, so that the decompressor is reached.
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = StatusList::decode(text);
    }
    if let Ok(list) = StatusList::decode(&status_text(data)) {
        assert_eq!(StatusList::decode(&list.encode()).as_ref(), Ok(&list));
        assert!(list.get(list.len()).is_err());
    }
});
