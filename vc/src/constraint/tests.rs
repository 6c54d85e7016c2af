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
    refused(r#"{"type":"rate","per":"day"}"#, ConstraintUnknown, "/type");
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
        audience: &audience,
        now: Timestamp::parse("2026-11-24T12:00:00Z").unwrap(),
    };
    constraint.check(&circumstances, &Path::ROOT)
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
