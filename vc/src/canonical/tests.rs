#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{digest, to_bytes, write_without};
use crate::json::{Value, parse};

/// RFC 8785 section 3.2.2.2: the five short escapes, the rest of the controls in lower case
/// hexadecimal, and nothing else.
#[test]
fn escapes_only_what_must_be() {
    let all: String = (0..=0x20_u8)
        .map(char::from)
        .chain("\"\\/\u{7f}\u{80}é".chars())
        .collect();
    let written = String::from_utf8(to_bytes(&Value::from(all.as_str()))).unwrap();
    assert_eq!(
        written,
        concat!(
            r#""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f"#,
            r#"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b"#,
            r#"\u001c\u001d\u001e\u001f \"\\/"#,
            "\u{7f}\u{80}é\""
        )
    );
    assert_eq!(parse(written.as_bytes()).unwrap(), Value::from(all));
}

#[test]
fn leaves_members_out_at_the_top_only() {
    let value = parse(br#"{"a":1,"proof":{},"z":{"proof":2}}"#).unwrap();
    let object = value.as_object().unwrap();
    let written = |left_out: &[&str]| {
        let mut out = Vec::new();
        write_without(object, left_out, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(written(&["proof"]), r#"{"a":1,"z":{"proof":2}}"#);
    assert_eq!(written(&["a", "z"]), r#"{"proof":{}}"#);
    assert_eq!(written(&["a", "proof", "z"]), "{}");
    assert_eq!(written(&["other"]), r#"{"a":1,"proof":{},"z":{"proof":2}}"#);
}

/// SHA-256 of `{}`.
#[test]
fn digests_the_canonical_bytes() {
    let hex: String = digest(&parse(b" { } ").unwrap())
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(hex, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}
