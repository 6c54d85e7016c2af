#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::members::{Members, Path};
use super::{JsonError, JsonErrorKind as Kind, Limits, Number, NumberError, Object, Value};
use super::{parse, parse_with};
use crate::canonical::to_bytes;
use crate::object;

fn refusal(text: impl AsRef<[u8]>) -> (Kind, usize) {
    let text = text.as_ref();
    match parse(text) {
        Err(JsonError { kind, offset }) => (kind, offset),
        Ok(value) => panic!("accepted {:?} as {value:?}", String::from_utf8_lossy(text)),
    }
}

fn canonical(text: &str) -> String {
    match parse(text.as_bytes()) {
        Ok(value) => String::from_utf8(to_bytes(&value)).unwrap(),
        Err(error) => panic!("refused {text}: {error}"),
    }
}

#[test]
fn accepts_every_kind_of_value_with_any_white_space() {
    let text = " \t\r\n{ \"b\" : [ 1 , -2.5 , true , false , null , \"x\" ] , \"a\" : { } , \"c\":[]}\n";
    assert_eq!(canonical(text), r#"{"a":{},"b":[1,-2.5,true,false,null,"x"],"c":[]}"#);
    for scalar in ["0", "\"\"", "null", "true", "false", "[]", "{}"] {
        assert_eq!(canonical(scalar), scalar);
    }
}

#[test]
fn refuses_broken_syntax_at_the_right_byte() {
    let value = Kind::Expected("a JSON value");
    let comma = Kind::Expected("',' or ']'");
    let cases: &[(&str, Kind, usize)] = &[
        ("", Kind::UnexpectedEnd, 0),
        ("  ", Kind::UnexpectedEnd, 2),
        ("{", Kind::UnexpectedEnd, 1),
        ("[1", Kind::UnexpectedEnd, 2),
        ("\"abc", Kind::UnexpectedEnd, 4),
        ("\"abc\\", Kind::UnexpectedEnd, 5),
        ("[1,]", value, 3),
        ("[,1]", value, 1),
        ("[1 2]", comma, 3),
        ("[1}", comma, 2),
        ("{\"a\":1,}", Kind::Expected("a member name in double quotes"), 7),
        ("{a:1}", Kind::Expected("a member name in double quotes"), 1),
        ("{'a':1}", Kind::Expected("a member name in double quotes"), 1),
        ("{\"a\" 1}", Kind::Expected("':'"), 5),
        ("{\"a\":}", value, 5),
        ("{\"a\":1 \"b\":2}", Kind::Expected("',' or '}'"), 7),
        ("tru", Kind::Expected("true"), 0),
        ("True", value, 0),
        ("nul", Kind::Expected("null"), 0),
        ("NaN", value, 0),
        ("Infinity", value, 0),
        ("-Infinity", Kind::InvalidNumber, 1),
        ("[/* no */1]", value, 1),
        ("{} {}", Kind::TrailingBytes, 3),
        ("1 x", Kind::TrailingBytes, 2),
        ("null\0", Kind::TrailingBytes, 4),
        ("\u{a0}1", value, 0),
        ("\u{feff}1", Kind::ByteOrderMark, 0),
    ];
    for (text, kind, offset) in cases {
        assert_eq!(refusal(text), (*kind, *offset), "{text:?}");
    }
}

#[test]
fn refuses_what_is_not_utf8() {
    assert_eq!(refusal(b"\"\xff\""), (Kind::InvalidUtf8, 1));
    assert_eq!(refusal(b"\"\xc0\xaf\""), (Kind::InvalidUtf8, 1)); // overlong
    assert_eq!(refusal(b"\"\xed\xa0\x80\""), (Kind::InvalidUtf8, 1)); // a surrogate
    assert_eq!(refusal(b"\"\xf4\x90\x80\x80\""), (Kind::InvalidUtf8, 1)); // above U+10FFFF
    assert_eq!(refusal(b"{\"a\":1\x80}"), (Kind::InvalidUtf8, 6));
}

#[test]
fn refuses_equal_names_after_unescaping() {
    assert_eq!(refusal(r#"{"a":1,"a":1}"#), (Kind::DuplicateName, 7));
    assert_eq!(refusal(r#"{"id":1,"\u0069d":2}"#), (Kind::DuplicateName, 8));
    assert_eq!(
        refusal(r#"[{"x":{"b":1,"a":[{}],"c":3,"b":{}}}]"#),
        (Kind::DuplicateName, 28)
    );
    assert_eq!(refusal(r#"{"":0,"z":1,"":0}"#), (Kind::DuplicateName, 12));
    // Unicode is compared as it stands: these two are different names.
    assert_eq!(
        canonical("{\"\u{e9}\":1,\"e\u{301}\":2}"),
        "{\"e\u{301}\":2,\"\u{e9}\":1}"
    );
}

#[test]
fn reads_escapes_and_refuses_lone_surrogates() {
    assert_eq!(
        parse(br#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE02\u0000""#).unwrap(),
        Value::from("\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f602}\0")
    );
    for (text, kind, offset) in [
        (r#""\uD83D""#, Kind::LoneSurrogate, 1),
        (r#""\uDE02""#, Kind::LoneSurrogate, 1),
        (r#""\uD83D\u0041""#, Kind::LoneSurrogate, 1),
        (r#""\uD83D\uD83D""#, Kind::LoneSurrogate, 1),
        (r#""\uD83D\n""#, Kind::LoneSurrogate, 1),
        (r#""ab\x41""#, Kind::InvalidEscape, 3),
        (r#""\u12g4""#, Kind::InvalidEscape, 1),
        (r#""\u+123""#, Kind::InvalidEscape, 1),
        (r#""\u123"#, Kind::InvalidEscape, 1),
        (r#""\U0041""#, Kind::InvalidEscape, 1),
        ("\"a\nb\"", Kind::ControlCharacter, 2),
        ("\"a\0b\"", Kind::ControlCharacter, 2),
        ("\"\\n\x1f\"", Kind::ControlCharacter, 3),
    ] {
        assert_eq!(refusal(text), (kind, offset), "{text:?}");
    }
    // DEL and the C1 controls may stand unescaped (RFC 8259 section 7).
    assert_eq!(canonical("\"\u{7f}\u{80}\""), "\"\u{7f}\u{80}\"");
}

#[test]
fn finds_the_end_of_a_string_wherever_it_stands() {
    for length in 0..40 {
        for (stop, kept) in [("\"", ""), ("\\n\"", "\n"), ("\\\\\"", "\\")] {
            let plain = "\u{e9}a~ ".chars().cycle().take(length).collect::<String>();
            let value = parse(format!("\"{plain}{stop}").as_bytes()).unwrap();
            assert_eq!(value, Value::from(plain + kept));
        }
    }
}

#[test]
fn reads_only_numbers_that_survive() {
    for (text, printed) in [
        ("0", "0"),
        ("-1", "-1"),
        ("9007199254740991", "9007199254740991"),
        ("-9007199254740991", "-9007199254740991"),
        ("1.0", "1"),
        ("10.50", "10.5"),
        ("0.1", "0.1"),
        ("0.0", "0"),
        ("0e5", "0"),
        ("1e2", "100"),
        ("1E+2", "100"),
        ("100e-2", "1"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("1e21", "1e+21"),
        ("123e30", "1.23e+32"),
        ("1e0000000000000000000000000000000001", "10"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("0.00000000000000000000000000000000000000001", "1e-41"),
    ] {
        assert_eq!(canonical(text), printed, "{text}");
    }
    for (text, kind) in [
        ("9007199254740992", Kind::IntegerTooLarge),
        ("-9007199254740992", Kind::IntegerTooLarge),
        ("18446744073709551616", Kind::IntegerTooLarge),
        ("99999999999999999999999999999999999999999", Kind::IntegerTooLarge),
        ("9007199254740993.0", Kind::NumberNotExact),
        ("9007199254740994.0", Kind::NumberNotExact),
        ("9007199254740992e0", Kind::NumberNotExact),
        ("1e20", Kind::NumberNotExact), // would print as digits beyond 2^53
        ("333333333.33333329", Kind::NumberNotExact),
        ("0.1000000000000000055511151231257827", Kind::NumberNotExact),
        ("1e309", Kind::NumberNotExact),
        ("-1e400", Kind::NumberNotExact),
        ("1e-400", Kind::NumberNotExact),
        ("1e99999999999999999999", Kind::NumberNotExact),
        ("-0", Kind::NegativeZero),
        ("-0.0", Kind::NegativeZero),
        ("-0e7", Kind::NegativeZero),
    ] {
        assert_eq!(refusal(text), (kind, 0), "{text}");
    }
    for (text, offset) in [
        ("-", 1),
        ("01", 2),
        ("-01", 3),
        ("00", 2),
        ("1.", 2),
        ("1.e5", 2),
        ("1e", 2),
        ("1e+", 3),
        ("--1", 1),
        ("1.2e3.", 5),
        ("0x10", 1),
    ] {
        let (kind, at) = refusal(text);
        assert!(
            matches!(kind, Kind::InvalidNumber | Kind::TrailingBytes),
            "{text}: {kind:?}"
        );
        assert_eq!(at, offset, "{text}");
    }
    assert_eq!(refusal("+1").0, Kind::Expected("a JSON value"));
    assert_eq!(refusal(".5").0, Kind::Expected("a JSON value"));
}

#[test]
fn holds_each_limit_exactly() {
    let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(parse(nested(32).as_bytes()).is_ok());
    assert_eq!(refusal(nested(33)), (Kind::TooDeep, 32));
    let objects = |n: usize| "{\"a\":".repeat(n) + "1" + &"}".repeat(n);
    assert!(parse(objects(32).as_bytes()).is_ok());
    assert_eq!(refusal(objects(33)).0, Kind::TooDeep);

    let nodes = |n: usize| format!("[{}]", vec!["0"; n - 1].join(","));
    assert!(parse(nodes(20_000).as_bytes()).is_ok());
    assert_eq!(refusal(nodes(20_001)).0, Kind::TooManyNodes);

    let members = |n: usize| {
        let members: Vec<String> = (0..n).map(|i| format!("\"m{i}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(parse(members(1_000).as_bytes()).is_ok());
    assert_eq!(refusal(members(1_001)).0, Kind::TooManyMembers);

    let string = |n: usize| format!("\"{}\"", "x".repeat(n));
    assert!(parse(string(65_536).as_bytes()).is_ok());
    assert_eq!(refusal(string(65_537)), (Kind::StringTooLong, 0));
    let escaped = |n: usize| format!("[\"{}\"]", "\\n".repeat(n));
    assert!(parse(escaped(65_536).as_bytes()).is_ok());
    assert_eq!(refusal(escaped(65_537)), (Kind::StringTooLong, 1));
    assert_eq!(refusal(format!("{{{}:1}}", string(65_537))), (Kind::StringTooLong, 1));

    let body = |n: usize| format!("1{}", " ".repeat(n - 1));
    assert!(parse(body(1 << 20).as_bytes()).is_ok());
    assert_eq!(refusal(body((1 << 20) + 1)), (Kind::BodyTooLarge, 1 << 20));
}

#[test]
fn takes_other_limits_but_never_unbounded_depth() {
    let tight = Limits {
        body_bytes: 10,
        ..Limits::default()
    };
    assert_eq!(parse_with(b"[0,1,2,3,4]", &tight).unwrap_err().kind, Kind::BodyTooLarge);
    let wide = Limits {
        body_bytes: usize::MAX,
        depth: usize::MAX,
        nodes: usize::MAX,
        members: usize::MAX,
        string_bytes: usize::MAX,
    };
    let deep = "[".repeat(1_000_000);
    let error = parse_with(deep.as_bytes(), &wide).unwrap_err();
    assert_eq!(
        error,
        JsonError {
            kind: Kind::TooDeep,
            offset: crate::limits::JSON_DEPTH_CEILING
        }
    );
    let long = format!("\"{}\"", "x".repeat(1 << 21));
    assert!(parse_with(long.as_bytes(), &wide).is_ok());
}

#[test]
fn errors_say_what_where_and_what_to_do() {
    let error = parse(b"{\"amount\":9007199254740993}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the integer is beyond ±(2^53 − 1); write it as a string (at byte 10)"
    );
    assert_eq!(
        parse(b"[1 2]").unwrap_err().to_string(),
        "expected ',' or ']' at byte 3"
    );
}

#[test]
fn objects_are_ordered_by_utf16_code_units() {
    // U+1F602 is D83D DE02 in UTF-16, before U+FB33; in UTF-8 and by code point it comes after.
    let names = [
        "",
        "A",
        "a",
        "aa",
        "\u{f6}",
        "\u{d7ff}",
        "\u{1f602}",
        "\u{10ffff}",
        "\u{e000}",
        "\u{fb33}",
    ];
    let mut object: Object = names.iter().rev().map(|name| (*name, *name)).collect();
    assert_eq!(object.keys().collect::<Vec<_>>(), names);
    for name in names {
        assert_eq!(object.get(name).and_then(Value::as_str), Some(name));
        assert!(object.contains_key(name));
    }
    assert_eq!(object.insert("a", 1_u32), Some(Value::from("a")));
    assert_eq!(object.get_mut("a").map(std::mem::take), Some(Value::from(1_u32)));
    assert_eq!(object.remove("a"), Some(Value::Null));
    assert_eq!(object.remove("a"), None);
    assert_eq!(object.len(), names.len() - 1);
}

#[test]
fn numbers_convert_only_when_they_fit() {
    assert_eq!(Number::try_from(1_i64 << 53), Err(NumberError::IntegerTooLarge));
    assert_eq!(Number::try_from(u64::MAX), Err(NumberError::IntegerTooLarge));
    assert_eq!(Number::try_from(f64::NAN), Err(NumberError::NotFinite));
    assert_eq!(Number::try_from(f64::INFINITY), Err(NumberError::NotFinite));
    assert_eq!(Number::try_from(1e16), Err(NumberError::IntegerTooLarge));
    assert_eq!(Number::try_from(-0.0).unwrap().to_string(), "0");
    assert_eq!(Number::try_from(2.0).unwrap().as_i64(), Some(2));
    assert_eq!(Number::try_from(2.5).unwrap().as_i64(), None);
    assert!(Number::try_from(2.5).unwrap() > Number::from(2));
    assert_eq!(Value::from(i64::MAX), Value::from("9223372036854775807"));
    assert_eq!(Value::from(i64::MIN), Value::from("-9223372036854775808"));
    for n in [
        0,
        7,
        -7,
        10,
        4_294_967_295,
        -9_007_199_254_740_991,
        9_007_199_254_740_991_i64,
    ] {
        assert_eq!(to_bytes(&Value::from(n)), n.to_string().into_bytes());
    }
}

#[test]
fn the_macro_and_serde_agree_with_the_reader() {
    let owned = String::from("owned");
    let value = object! {
        "text": &owned,
        "list": vec!["a", "b"],
        "none": None::<&str>,
        "nested": object! { "n": 5_u32, "on": true, "big": i64::MAX },
    };
    assert_eq!(
        String::from_utf8(to_bytes(&value)).unwrap(),
        r#"{"list":["a","b"],"nested":{"big":"9223372036854775807","n":5,"on":true},"none":null,"text":"owned"}"#
    );
    let through_serde = serde_json::to_vec(&value).unwrap();
    assert_eq!(parse(&through_serde).unwrap(), value);
}

#[test]
fn members_are_read_with_their_place() {
    let value = parse(br#"{"a":"x","n":3,"t":true,"l":[1],"o":{"deep/er":{"~":1}},"z":null}"#).unwrap();
    let members = Members::of(&value, Path::ROOT).unwrap();
    assert_eq!(members.str("a"), Ok("x"));
    assert_eq!(members.integer("n"), Ok(3));
    assert_eq!(members.bool("t"), Ok(true));
    assert_eq!(members.array("l").unwrap().len(), 1);
    assert_eq!(members.optional_str("absent"), Ok(None));
    assert_eq!(members.literal("a", "x", "x"), Ok(()));
    let object = members.object("o").unwrap();
    let deeper = object.object("deep/er").unwrap();
    assert_eq!(
        deeper.str("~").unwrap_err().to_string(),
        "/o/deep~1er/~0: expected a string"
    );
    assert_eq!(members.finish_closed().unwrap_err().path, "/z");
    assert!(members.optional("z").unwrap().is_null());
    assert_eq!(members.finish_closed(), Ok(()));
    // null is not the absence of a member.
    assert_eq!(members.optional_str("z").unwrap_err().path, "/z");
    assert_eq!(members.str("gone").unwrap_err().path, "/gone");
    assert_eq!(members.at("l").item(0).error("a string").path, "/l/0");
    assert_eq!(Members::of(&Value::Null, "/x").unwrap_err().path, "/x");
}

#[test]
fn an_object_with_very_many_members_is_never_closed() {
    let object: Object = (0..200).map(|n| (format!("m{n:03}"), n)).collect();
    let value = Value::Object(object);
    let members = Members::of(&value, Path::ROOT).unwrap();
    for n in 0..200 {
        assert_eq!(members.integer(&format!("m{n:03}")), Ok(n));
    }
    assert_eq!(members.finish_closed().unwrap_err().path, "/m128");
}
