//! What the bundled contexts say about IRIs: which ones their terms stand for, and which terms
//! abbreviate IRIs.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::super::contexts::BUNDLED;
use crate::json::{self, Value};

/// The IRIs and prefixes of the bundled contexts.
pub(super) struct Vocabulary {
    iris: BTreeSet<String>,
    prefixes: BTreeSet<String>,
    vocabularies: Vec<String>,
}

impl Vocabulary {
    /// The vocabulary of all bundled contexts, read once.
    pub(super) fn get() -> &'static Self {
        static VOCABULARY: OnceLock<Vocabulary> = OnceLock::new();
        VOCABULARY.get_or_init(Self::read)
    }

    fn read() -> Self {
        let mut vocabulary = Self {
            iris: BTreeSet::new(),
            prefixes: BTreeSet::new(),
            vocabularies: Vec::new(),
        };
        for (_, text) in BUNDLED {
            // A test reads every bundled context.
            let value = json::parse(text.as_bytes()).unwrap_or(Value::Null);
            let mut prefixes = Vec::new();
            collect_prefixes(&value, &mut prefixes);
            vocabulary.collect(&value, &prefixes);
            vocabulary.prefixes.extend(prefixes.into_iter().map(|(name, _)| name));
        }
        vocabulary
    }

    fn collect(&mut self, value: &Value, prefixes: &[(String, String)]) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value.as_str() {
                        Some(text) if name == "@vocab" => self.vocabularies.push(text.to_owned()),
                        Some(text) if name != "@type" && name != "@container" => {
                            self.iris.insert(in_full(text, prefixes));
                        }
                        _ => self.collect(value, prefixes),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, prefixes)),
            _ => {}
        }
    }

    /// Whether a term of some bundled context stands for this IRI.
    pub(super) fn has_term_for(&self, iri: &str) -> bool {
        self.iris.contains(iri) || self.vocabularies.iter().any(|start| iri.starts_with(start.as_str()))
    }

    /// Whether a text is an IRI abbreviated with a prefix of some bundled context.
    pub(super) fn abbreviates(&self, text: &str) -> bool {
        text.split_once(':')
            .is_some_and(|(prefix, rest)| !rest.starts_with("//") && self.prefixes.contains(prefix))
    }
}

/// Terms that stand for an IRI to which something can be appended (JSON-LD 1.1 section 4.1.5).
fn collect_prefixes(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(text)
                        if !name.starts_with('@')
                            && text.contains(':')
                            && text.ends_with([':', '/', '?', '#', '[', ']', '@']) =>
                    {
                        found.push((name.to_owned(), text.to_owned()));
                    }
                    _ => collect_prefixes(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_prefixes(item, found)),
        _ => {}
    }
}

fn in_full(text: &str, prefixes: &[(String, String)]) -> String {
    if let Some((prefix, rest)) = text.split_once(':')
        && let Some((_, iri)) = prefixes.iter().find(|(name, _)| name == prefix)
    {
        return format!("{iri}{rest}");
    }
    text.to_owned()
}
