//! Canonical JSON (RFC 8785): ours, npm's `canonicalize` and PyPI's `rfc8785` agree byte for byte.

use serde_json::json;
use syndic_vc::{canonical, json as strict};

use crate::figures::{Figures, Way};
use crate::peer::{Alteration, Peer};
use crate::random::Random;

/// How many random documents are compared.
const DOCUMENTS: usize = 4_000;
/// So many go over the pipe at once.
const BATCH: usize = 200;
/// The strict reader takes no deeper ones.
const DEPTH: usize = 12;

/// JSON text as somebody may write it: any order, any escapes, spaces.
fn text(random: &mut Random, depth: usize) -> String {
    let kinds = if depth == 0 { 5 } else { 8 };
    match random.below(kinds) {
        0 => random.one_of(&["null", "true", "false"]).to_owned(),
        1 | 2 => number(random),
        3 | 4 => string(random, 24),
        5 => {
            let items: Vec<String> = (0..random.below(6)).map(|_| text(random, depth - 1)).collect();
            format!("[ {} ]", items.join(" ,"))
        }
        _ => object(random, depth),
    }
}

fn object(random: &mut Random, depth: usize) -> String {
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..random.below(8) {
        names.insert(random.text(4));
    }
    let mut members: Vec<String> = names
        .iter()
        .map(|name| format!("{} : {}", quoted(random, name), text(random, depth.saturating_sub(1))))
        .collect();
    // Not in the order of their names.
    let turn = random.below(members.len().max(1));
    members.rotate_left(turn);
    format!("{{{}}}", members.join(", "))
}

fn string(random: &mut Random, longest: usize) -> String {
    let text = random.text(longest);
    quoted(random, &text)
}

/// A string literal; now and then with escapes where none are needed.
fn quoted(random: &mut Random, text: &str) -> String {
    let mut out = String::from("\"");
    for one in text.chars() {
        let must = one < ' ' || one == '"' || one == '\\';
        if must || random.below(8) == 0 {
            for unit in one.encode_utf16(&mut [0; 2]) {
                out += &format!("\\u{unit:04x}");
            }
        } else {
            out.push(one);
        }
    }
    out.push('"');
    out
}

/// A number that the strict reader takes: an integer within ±(2^53 − 1), or another double that prints as no integer
/// beyond that. (It takes no negative zero either, which would read as another number than it says.)
fn number(random: &mut Random) -> String {
    const LARGEST: i64 = (1 << 53) - 1;
    match random.below(6) {
        0 => random
            .one_of(&["0", "9007199254740991", "-9007199254740991", "1e21", "5e-324"])
            .to_owned(),
        1 => random
            .one_of(&[
                "1.7976931348623157e308",
                "2.2250738585072014E-308",
                "1E-7",
                "0.000001",
                "1e-6",
                "100e-2",
            ])
            .to_owned(),
        2 => (i64::try_from(random.bits() >> 10).unwrap().min(LARGEST) - LARGEST / 2).to_string(),
        3 => format!("{}.{}", random.below(1000), random.below(100_000)),
        4 => format!("{}e-{}", random.below(10_000), random.below(40)),
        _ => {
            // In the digits of the canonical print: the reader wants no others for a double.
            let number = strict::Number::try_from(f64::from_bits(random.bits()));
            number.map_or_else(|_| "1.5".to_owned(), printed)
        }
    }
}

fn printed(number: strict::Number) -> String {
    String::from_utf8(canonical::to_bytes(&strict::Value::Number(number))).unwrap()
}

fn compare(peer: &mut Peer, name: &str, documents: usize, figures: &mut Figures) {
    let mut random = Random::new(8785);
    for _ in 0..documents / BATCH {
        let texts: Vec<String> = (0..BATCH).map(|_| object(&mut random, DEPTH)).collect();
        let answer = peer.ask("canonical-json", json!({"texts": texts}));
        assert!(answer["error"].is_null(), "{answer}");
        for (text, theirs) in texts.iter().zip(answer["canonical"].as_array().unwrap()) {
            let value = strict::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
            let ours = String::from_utf8(canonical::to_bytes(&value)).unwrap();
            figures.holds(name, Way::Theirs, *theirs == ours.as_str(), || {
                format!("of {text}\nwe make  {ours}\nthey make {theirs}")
            });
        }
    }
}

#[test]
fn canonical_json_is_the_same_everywhere() {
    let mut figures = Figures::new("canonical JSON: equal bytes");
    let (npm, python) = (Peer::start(), Peer::python());
    if npm.is_none() && python.is_none() {
        return;
    }
    if let Some(mut peer) = npm {
        compare(&mut peer, "canonicalize (npm)", DOCUMENTS, &mut figures);
    }
    if let Some(mut peer) = python {
        compare(&mut peer, "rfc8785 (PyPI)", DOCUMENTS, &mut figures);
    }
    figures.finish();
}

#[test]
fn an_altered_canonical_text_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Content)) else {
        return;
    };
    let mut figures = Figures::new("altered");
    compare(&mut peer, "canonicalize", BATCH, &mut figures);
    assert!(figures.disagree(), "an altered text went unnoticed");
}
