#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;
use crate::json;
use crate::limits::LISTED_VALUES;
use proptest::prelude::*;

fn read(text: &str) -> Result<Constraint, Reason> {
    Constraint::read(&json::parse(text.as_bytes()).unwrap(), &Path::ROOT)
}

/// One of each, in the form that `to_json` writes.
const EACH: &[&str] = &[
    r#"{"type":"exact","parameter":"ward","value":"north"}"#,
    r#"{"type":"exact","parameter":"level","value":-3}"#,
    r#"{"type":"range","parameter":"amount","maximum":"100.00","unit":"USD"}"#,
    r#"{"type":"range","parameter":"dose","minimum":"-0.5","maximum":"2"}"#,
    r#"{"type":"oneOf","parameter":"ward","values":["north",7,true]}"#,
    r#"{"type":"hours","days":["mon","sun"],"from":"22:00","to":"06:30","timeZone":"Europe/Lisbon"}"#,
    r#"{"type":"hours","days":["fri"],"from":"00:00","to":"24:00","timeZone":"UTC"}"#,
    r#"{"type":"audience","allowed":["did:example:a","did:example:b"]}"#,
    r#"{"type":"notOneOf","parameter":"ward","values":["icu"]}"#,
    r#"{"type":"contains","parameter":"tags","values":["audited",1]}"#,
    r#"{"type":"subset","parameter":"tags","values":["a","b"]}"#,
    r#"{"type":"prefix","parameter":"path","value":"tickets/"}"#,
    r#"{"type":"purpose","allowed":["treatment","emergency-treatment"]}"#,
    r#"{"type":"rate","limit":10,"period":"day"}"#,
    r#"{"type":"budget","parameter":"amount","limit":"250.00","unit":"USD","period":"month"}"#,
    r#"{"type":"approval","approver":"https://a.example/ana"}"#,
    r#"{"type":"approval","approver":"did:example:ana","parameter":"operation","values":["close"]}"#,
];

#[test]
fn what_is_written_is_what_was_read() {
    for text in EACH {
        let constraint = read(text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        assert_eq!(constraint.to_json(), json::parse(text.as_bytes()).unwrap(), "{text}");
    }
}

#[test]
fn every_constraint_is_closed_and_misses_no_member() {
    for text in EACH {
        let value = json::parse(text.as_bytes()).unwrap();
        let mut wider = value.clone();
        wider.as_object_mut().unwrap().insert("except", true);
        let reason = Constraint::read(&wider, &Path::ROOT).unwrap_err();
        assert_eq!(
            (reason.code, reason.at.as_str()),
            (DenialCode::DocumentMalformed, "/except")
        );
        let optional = ["unit", "minimum", "maximum"];
        for name in value
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| !optional.contains(name))
        {
            let mut narrower = value.clone();
            narrower.as_object_mut().unwrap().remove(name);
            assert!(
                Constraint::read(&narrower, &Path::ROOT).is_err(),
                "{text} without {name}"
            );
        }
    }
}

#[test]
fn what_is_not_in_the_vocabulary_is_refused_where_it_stands() {
    use DenialCode::{ConstraintUnknown, DocumentMalformed, DocumentTooLarge};
    let refused = |text: &str, code: DenialCode, at: &str| {
        let reason = read(text).unwrap_err();
        assert_eq!((reason.code, reason.at.as_str()), (code, at), "{text}");
    };
    refused(
        r#"{"type":"Exact","parameter":"a","value":1}"#,
        ConstraintUnknown,
        "/type",
    );
    refused(
        r#"{"type":"regex","parameter":"a","value":".*"}"#,
        ConstraintUnknown,
        "/type",
    );
    for (text, at) in [
        (r#"{"type":"rate","per":"day"}"#, "/limit"),
        (r#"{"type":"rate","limit":0,"period":"day"}"#, "/limit"),
        (r#"{"type":"rate","limit":1000000001,"period":"day"}"#, "/limit"),
        (r#"{"type":"rate","limit":"3","period":"day"}"#, "/limit"),
        (r#"{"type":"rate","limit":3,"period":"year"}"#, "/period"),
        (
            r#"{"type":"budget","parameter":"a","limit":"-1","period":"day"}"#,
            "/limit",
        ),
        (
            r#"{"type":"budget","parameter":"a","limit":"1e3","period":"day"}"#,
            "/limit",
        ),
        (
            r#"{"type":"budget","parameter":"a","limit":"1000000000000000000","period":"day"}"#,
            "/limit",
        ),
        (
            r#"{"type":"budget","parameter":"a","limit":"0.0000000000000000001","period":"day"}"#,
            "/limit",
        ),
        (r#"{"type":"purpose","allowed":[]}"#, "/allowed"),
        (r#"{"type":"purpose","allowed":["Treatment"]}"#, "/allowed/0"),
        (r#"{"type":"prefix","parameter":"a","value":""}"#, "/value"),
        (r#"{"type":"prefix","parameter":"a","value":"a/../b"}"#, "/value"),
        (r#"{"type":"prefix","parameter":"a","value":"a/."}"#, "/value"),
        (r#"{"type":"prefix","parameter":"a","value":"a%2f"}"#, "/value"),
        (r#"{"type":"prefix","parameter":"a","value":7}"#, "/value"),
        (r#"{"type":"subset","parameter":"a","values":[]}"#, "/values"),
        (r#"{"type":"contains","parameter":"a","values":[["x"]]}"#, "/values/0"),
    ] {
        refused(text, DocumentMalformed, at);
    }
    refused(r#"{"parameter":"a"}"#, DocumentMalformed, "/type");
    refused("[]", DocumentMalformed, "");
    refused(
        r#"{"type":"exact","parameter":"1a","value":1}"#,
        DocumentMalformed,
        "/parameter",
    );
    refused(
        r#"{"type":"exact","parameter":"a","value":1.5}"#,
        DocumentMalformed,
        "/value",
    );
    refused(
        r#"{"type":"exact","parameter":"a","value":null}"#,
        DocumentMalformed,
        "/value",
    );
    refused(r#"{"type":"range","parameter":"a"}"#, DocumentMalformed, "/maximum");
    refused(
        r#"{"type":"range","parameter":"a","minimum":2,"maximum":"1.99"}"#,
        DocumentMalformed,
        "/maximum",
    );
    refused(
        r#"{"type":"range","parameter":"a","minimum":"1e3"}"#,
        DocumentMalformed,
        "/minimum",
    );
    refused(
        r#"{"type":"range","parameter":"a","minimum":1,"unit":""}"#,
        DocumentMalformed,
        "/unit",
    );
    refused(
        r#"{"type":"range","parameter":"a","minimum":1,"unit":"a b"}"#,
        DocumentMalformed,
        "/unit",
    );
    refused(
        r#"{"type":"oneOf","parameter":"a","values":[]}"#,
        DocumentMalformed,
        "/values",
    );
    refused(
        r#"{"type":"audience","allowed":["https://a.example"]}"#,
        DocumentMalformed,
        "/allowed/0",
    );
    refused(
        r#"{"type":"approval","approver":"Ana"}"#,
        DocumentMalformed,
        "/approver",
    );
    refused(
        r#"{"type":"approval","approver":"did:example:a","values":["x"]}"#,
        DocumentMalformed,
        "/values",
    );
    let many = vec!["1"; LISTED_VALUES + 1].join(",");
    refused(
        &format!(r#"{{"type":"oneOf","parameter":"a","values":[{many}]}}"#),
        DocumentTooLarge,
        "/values",
    );
}

fn check(constraint: &Constraint, amount: &str) -> Result<(), Reason> {
    let amount = Parameter::Plain(Scalar::Text(amount.to_owned()));
    let parameters = Parameters::from([("amount".to_owned(), amount)]);
    let audience = Did::parse("did:example:verifier").unwrap();
    let circumstances = Circumstances {
        parameters: &parameters,
        parameters_at: Path::from("/parameters"),
        purpose: None,
        purpose_at: Path::from("/purpose"),
        audience: &audience,
        now: Timestamp::parse("2026-11-24T12:00:00Z").unwrap(),
    };
    constraint.check(&circumstances, &Path::ROOT)
}

#[test]
fn a_prefix_is_not_left_again() {
    let passes = |prefix: &str, text: &str| {
        let constraint = read(&format!(
            r#"{{"type":"prefix","parameter":"amount","value":"{prefix}"}}"#
        ))
        .unwrap();
        match check(&constraint, text) {
            Ok(()) => true,
            Err(reason) => {
                assert_eq!(reason.code, DenialCode::ValuePrefixWrong, "{text}");
                false
            }
        }
    };
    for text in [
        "tickets/",
        "tickets/42",
        "tickets/42/notes.txt",
        "tickets/42/",
        "tickets/..x",
        "tickets/.x",
    ] {
        assert!(passes("tickets/", text), "{text}");
    }
    for text in [
        "tickets",
        "Tickets/42",
        "tickets2/1",
        "tickets/..",
        "tickets/../secrets",
        "tickets/./42",
        "tickets/42/..",
        "tickets//42",
        "tickets/%2e%2e/secrets",
        "tickets/%2E%2E%2fsecrets",
        "tickets/..%2fsecrets",
        "tickets/..\\secrets",
        "tickets/\u{ff0e}\u{ff0e}/secrets",
        "tickets/4 2",
        "tickets/42?x=/",
        "tickets/42#a",
        "tickets/42\0",
        " tickets/42",
        "/tickets/42",
        "",
    ] {
        assert!(!passes("tickets/", text), "{text}");
    }
    // Without a `/` at its end it is a beginning of names too.
    assert!(passes("NL12", "NL12") && passes("NL12", "NL1234") && !passes("NL12", "NL13"));
    assert!(passes("a/b", "a/bc/d") && !passes("a/.b", "a/../b") && !passes("a/b", "a/b/.."));
    assert!(passes("https://a.example/v1/", "https://a.example/v1/x"));
    assert!(!passes("https://a.example/v1/", "https://a.example/v1/..") && !passes("https:", "https://b.example"));
}

#[test]
fn windows_are_aligned_and_made_of_each_other() {
    let start = |period: Period, at: &str| period.start(Timestamp::parse(at).unwrap()).to_string();
    let at = "2026-11-24T12:34:56Z"; // a Tuesday
    assert_eq!(start(Period::Minute, at), "2026-11-24T12:34:00Z");
    assert_eq!(start(Period::Hour, at), "2026-11-24T12:00:00Z");
    assert_eq!(start(Period::Day, at), "2026-11-24T00:00:00Z");
    assert_eq!(start(Period::Week, at), "2026-11-23T00:00:00Z");
    assert_eq!(start(Period::Month, at), "2026-11-01T00:00:00Z");
    assert_eq!(start(Period::Week, "2026-11-23T00:00:00Z"), "2026-11-23T00:00:00Z");
    assert_eq!(start(Period::Week, "2026-11-22T23:59:59Z"), "2026-11-16T00:00:00Z");
    assert_eq!(
        start(Period::Month, "2028-02-29T00:00:00+05:00"),
        "2028-02-01T00:00:00Z"
    );
    assert_eq!(start(Period::Hour, "1969-12-31T23:59:59Z"), "1969-12-31T23:00:00Z");
    let made_of = |longer: Period| {
        let of = |shorter: &&Period| longer.is_made_of(**shorter);
        Period::ALL
            .iter()
            .filter(of)
            .map(|one| one.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(made_of(Period::Minute), ["minute"]);
    assert_eq!(made_of(Period::Week), ["minute", "hour", "day", "week"]);
    assert_eq!(made_of(Period::Month), ["minute", "hour", "day", "month"]);
}

#[test]
fn a_budget_counts_exactly_or_not_at_all() {
    let budget = r#"{"type":"budget","parameter":"amount","limit":"0.3","period":"day"}"#;
    let constraint = read(budget).unwrap();
    let unit = 10_u128.pow(18);
    let counted = |text: &str| counted::fixed(&Decimal::parse(text).unwrap());
    assert_eq!(
        counted("0.1").unwrap() + counted("0.20").unwrap(),
        counted("0.3").unwrap()
    );
    assert_eq!(counted("999999999999999999.999999999999999999"), Some(unit * unit - 1));
    assert_eq!((counted("-0"), counted("1.50")), (Some(0), Some(3 * unit / 2)));
    for wrong in ["-0.01", "1000000000000000000", "0.0000000000000000001", "ten", "1e3"] {
        assert_eq!(
            check(&constraint, wrong).unwrap_err().code,
            DenialCode::ParameterMalformed,
            "{wrong}"
        );
    }
    assert_eq!(check(&constraint, "1000"), Ok(()), "too much is for the counter to say");
}

/// The reference: hundredths as an integer.
fn hundredths(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: i64 = format!("{}{fraction:0<2}", whole.trim_start_matches('-'))
        .parse()
        .unwrap();
    if text.starts_with('-') { -digits } else { digits }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]
    #[test]
    fn a_range_is_what_lies_between(
        a in "-?(0|[1-9][0-9]{0,2})(\\.[0-9]{1,2})?",
        b in "-?(0|[1-9][0-9]{0,2})(\\.[0-9]{1,2})?",
        amount in "-?(0|[1-9][0-9]{0,2})(\\.[0-9]{1,2})?",
    ) {
        let (minimum, maximum) = if hundredths(&a) <= hundredths(&b) { (&a, &b) } else { (&b, &a) };
        let between = (hundredths(minimum)..=hundredths(maximum)).contains(&hundredths(&amount));
        let text = format!(r#"{{"type":"range","parameter":"amount","minimum":"{minimum}","maximum":"{maximum}"}}"#);
        let outcome = check(&read(&text).unwrap(), &amount);
        prop_assert_eq!(outcome.is_ok(), between);
        if let Err(reason) = outcome {
            prop_assert_eq!(reason.code, DenialCode::ValueOutOfRange);
            prop_assert_eq!(reason.at, "/parameters/amount");
        }
    }
}
