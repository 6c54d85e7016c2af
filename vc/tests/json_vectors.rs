//! The reference data of RFC 8785, read where it lies beside the project.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::PathBuf;

use syndic_vc::canonical;
use syndic_vc::json::{self, JsonErrorKind};

fn vectors() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/jcs");
    if !folder.is_dir() {
        eprintln!("skipped: vectors absent");
        return None;
    }
    Some(folder)
}

/// Inputs that the strict reader must refuse: the value they lose is worth more than the comfort.
/// `values.json` has 333333333.33333329, which a double holds only as 333333333.3333333.
const REFUSED: [&str; 1] = ["values"];

#[test]
fn canonical_bytes_are_those_of_rfc8785() {
    let Some(folder) = vectors() else { return };
    let mut seen = 0;
    for name in ["arrays", "french", "structures", "unicode", "values", "weird"] {
        let read = |path: String| std::fs::read(folder.join(path)).unwrap();
        let input = read(format!("input/{name}.json"));
        let expected = read(format!("output/{name}.json"));
        let hex = String::from_utf8(read(format!("outhex/{name}.txt"))).unwrap();
        let bytes: Vec<u8> = hex
            .split_whitespace()
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect();
        assert_eq!(expected, bytes, "{name}: the vectors agree with themselves");

        if REFUSED.contains(&name) {
            let error = json::parse(&input).unwrap_err();
            assert_eq!(error.kind, JsonErrorKind::NumberNotExact, "{name}");
            assert_eq!(&input[error.offset..error.offset + 18], b"333333333.33333329");
        } else {
            assert_eq!(canonical::to_bytes(&json::parse(&input).unwrap()), bytes, "{name}");
        }
        // What is canonical is a fixed point, the refused input's included: its number is now
        // written as a double holds it.
        assert_eq!(canonical::to_bytes(&json::parse(&bytes).unwrap()), bytes, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 6);
}

/// RFC 8785 appendix B: doubles by their bits, and how they print. `None`: refused, because it is
/// no number, or because it prints as an integer beyond 2^53 - 1, which readers may round.
#[test]
fn numbers_print_as_in_rfc8785_appendix_b() {
    let table: [(u64, Option<&str>); 26] = [
        (0x0000_0000_0000_0000, Some("0")),
        (0x8000_0000_0000_0000, Some("0")),
        (0x0000_0000_0000_0001, Some("5e-324")),
        (0x8000_0000_0000_0001, Some("-5e-324")),
        (0x7fef_ffff_ffff_ffff, Some("1.7976931348623157e+308")),
        (0xffef_ffff_ffff_ffff, Some("-1.7976931348623157e+308")),
        (0x4340_0000_0000_0000, None),
        (0xc340_0000_0000_0000, None),
        (0x4430_0000_0000_0000, None),
        (0x7fff_ffff_ffff_ffff, None),
        (0x7ff0_0000_0000_0000, None),
        (0x44b5_2d02_c7e1_4af5, Some("9.999999999999997e+22")),
        (0x44b5_2d02_c7e1_4af6, Some("1e+23")),
        (0x44b5_2d02_c7e1_4af7, Some("1.0000000000000001e+23")),
        (0x444b_1ae4_d6e2_ef4e, None),
        (0x444b_1ae4_d6e2_ef4f, None),
        (0x444b_1ae4_d6e2_ef50, Some("1e+21")),
        (0x3eb0_c6f7_a0b5_ed8c, Some("9.999999999999997e-7")),
        (0x3eb0_c6f7_a0b5_ed8d, Some("0.000001")),
        (0x41b3_de43_5555_5553, Some("333333333.3333332")),
        (0x41b3_de43_5555_5554, Some("333333333.33333325")),
        (0x41b3_de43_5555_5555, Some("333333333.3333333")),
        (0x41b3_de43_5555_5556, Some("333333333.3333334")),
        (0x41b3_de43_5555_5557, Some("333333333.33333343")),
        (0x4314_3ff3_c1cb_0959, Some("1424953923781206.2")),
        (0xbecb_f647_612f_3696, Some("-0.0000033333333333333333")),
    ];
    for (bits, print) in table {
        let number = json::Number::try_from(f64::from_bits(bits)).ok();
        assert_eq!(number.map(|n| n.to_string()).as_deref(), print, "{bits:016x}");
        if let (Some(number), Some(print)) = (number, print) {
            let read = json::parse(print.as_bytes()).unwrap();
            assert_eq!(read, json::Value::Number(number), "{print}");
        }
    }
}
