//! No binary floating point in our own types. Amounts are decimal strings or integers: a double
//! cannot hold 0.1, and `ssi` turns on `serde_json/arbitrary_precision` for the whole build, under
//! which derived types with floats fail to deserialize.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};

/// Where a double may occur: the number of the strict reader itself, and how RDF writes it.
const ALLOWED: [&str; 4] = [
    "json/number.rs",
    "json/reader/number.rs",
    "json/tests.rs",
    "linked_data/processor/literal.rs",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_source_mentions_a_float_type() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20);
    let mut offences = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        if ALLOWED.contains(&name.as_str()) {
            continue;
        }
        for (number, line) in std::fs::read_to_string(&file).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap();
            let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words
                .into_iter()
                .any(|word| word.ends_with("f32") || word.ends_with("f64"))
            {
                offences.push(format!("{name}:{}: {line}", number + 1));
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}
