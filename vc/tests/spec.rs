//! `specs/02-credentials.md` lists exactly the denial codes there are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use syndic_vc::credential::{CAPABILITY_CONTEXT, CREDENTIALS_CONTEXT};
use syndic_vc::denial::{DenialCode, PROBLEM_BASE};

#[test]
fn the_specification_lists_every_code_with_its_meaning() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/02-credentials.md");
    let specification = std::fs::read_to_string(path).unwrap();
    let section = specification
        .split("## 2.10")
        .nth(1)
        .unwrap()
        .split("## 2.11")
        .next()
        .unwrap();
    let listed: Vec<&str> = section.lines().filter(|line| line.starts_with("| `")).collect();
    let there_are: Vec<String> = DenialCode::ALL
        .iter()
        .map(|code| format!("| `{code}` | {} |", code.meaning()))
        .collect();
    assert_eq!(listed, there_are);
    for text in [PROBLEM_BASE, CAPABILITY_CONTEXT, CREDENTIALS_CONTEXT] {
        assert!(specification.contains(text), "{text}");
    }
}
