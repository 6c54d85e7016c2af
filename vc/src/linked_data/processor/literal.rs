//! Literals as they stand in canonical N-Quads, from the values of a document (JSON-LD 1.1 API
//! section 8.2.2), where no other value is written alike.

use super::definition::Kind;
use crate::canonical;
use crate::json::{Object, Value};

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// Datatypes of XML Schema whose values are written as JSON numbers.
const NUMERIC: &[&str] = &[
    "byte",
    "decimal",
    "double",
    "float",
    "int",
    "integer",
    "long",
    "negativeInteger",
    "nonNegativeInteger",
    "nonPositiveInteger",
    "positiveInteger",
    "short",
    "unsignedByte",
    "unsignedInt",
    "unsignedLong",
    "unsignedShort",
];

const MIXED: &str = "the context gives this member a datatype that is written otherwise: \
     numbers and truth values as such, everything else as text";

/// A scalar; the error says why it is not signed as it is written.
pub(super) fn scalar(value: &Value, kind: &Kind) -> Result<String, &'static str> {
    let datatype = match kind {
        Kind::Datatype(iri) => Some(iri.as_str()),
        _ => None,
    };
    let known = datatype.and_then(|iri| iri.strip_prefix(XSD));
    match value {
        Value::Bool(truth) => match datatype {
            Some(_) if known != Some("boolean") => Err(MIXED),
            _ => Ok(typed(&truth.to_string(), XSD, "boolean")),
        },
        Value::Number(number) => match (datatype, known) {
            (None, _) => number_literal(number.as_f64(), None),
            (Some(_), Some(name)) if NUMERIC.contains(&name) => number_literal(number.as_f64(), Some(name)),
            _ => Err(MIXED),
        },
        Value::String(text) => match (datatype, known) {
            (None, _) | (_, Some("string")) => Ok(quoted(text)),
            (_, Some(name)) if name == "boolean" || NUMERIC.contains(&name) => Err(MIXED),
            (Some(iri), _) => Ok(format!("{}^^<{iri}>", quoted(text))),
        },
        _ => Err("expected a scalar"),
    }
}

/// A JSON literal: its canonical text (RFC 8785).
pub(super) fn json(value: &Value) -> Result<String, &'static str> {
    let text = String::from_utf8(canonical::to_bytes(value)).map_err(|_| "a JSON literal is text")?;
    Ok(typed(&text, RDF, "JSON"))
}

/// A text in a language, `{"@value": ..., "@language": ...}`. Tags are compared without case (RFC 5646
/// section 2.1.1), and written in lower case.
pub(super) fn language_string(object: &Object) -> Result<String, &'static str> {
    let member = |name| object.get(name).and_then(Value::as_str);
    match (member("@value"), member("@language")) {
        (Some(text), Some(tag)) if object.len() == 2 && is_language_tag(tag) => {
            Ok(format!("{}@{}", quoted(text), tag.to_ascii_lowercase()))
        }
        _ => Err(
            "a value object has exactly @value, a text, and @language, a tag of BCP 47; \
                  a text without language is written as such, and a direction is not signed",
        ),
    }
}

fn is_language_tag(tag: &str) -> bool {
    let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    tag.split('-').all(is_part)
        && tag
            .split('-')
            .next()
            .is_some_and(|first| first.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// From here on an integral number is written with an exponent.
const WRITTEN_WITH_EXPONENT: f64 = 1e21;

fn number_literal(number: f64, datatype: Option<&str>) -> Result<String, &'static str> {
    let is_integer = number.fract() == 0.0 && number.abs() < WRITTEN_WITH_EXPONENT;
    if is_integer && datatype != Some("double") {
        return Ok(typed(&format!("{number:.0}"), XSD, datatype.unwrap_or("integer")));
    }
    let text = format!("{number:.15E}");
    // `1e-7`, which has an exponent and no point: the most used processor takes it for an integer.
    if number.abs() < 1.0 && !ryu_js::Buffer::new().format_finite(number).contains('.') {
        return Err("processors disagree about a number such as 1e-7; write it as a text");
    }
    // The form has 16 digits: numbers that differ in the 17th would be signed alike.
    if text.parse() != Ok(number) {
        return Err("a number of more than 16 digits is not signed exactly; write it as a text");
    }
    let (digits, exponent) = text.split_once('E').unwrap_or((&text, "0"));
    let digits = digits.trim_end_matches('0');
    let zero = if digits.ends_with('.') { "0" } else { "" };
    Ok(typed(
        &format!("{digits}{zero}E{exponent}"),
        XSD,
        datatype.unwrap_or("double"),
    ))
}

fn typed(text: &str, namespace: &str, name: &str) -> String {
    format!("{}^^<{namespace}{name}>", quoted(text))
}

/// A text in quotes, escaped as RDFC-1.0 section 5 says.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0'..='\u{1f}' | '\u{7f}' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
