//! The canonical form is a fixed point, and says the same as the text it was made of to a reader that is not ours.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syndic_vc::{canonical, json};

fuzz_target!(|data: &[u8]| {
    let Ok(value) = json::parse(data) else { return };
    let once = canonical::to_bytes(&value);
    let Ok(again) = json::parse(&once) else {
        panic!("the canonical form does not read")
    };
    assert_eq!(canonical::to_bytes(&again), once);
    assert_eq!(canonical::digest(&again), canonical::digest(&value));
});
