//! Which IRIs the terms of the bundled contexts stand for.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::active::bundled;
use crate::json::Value;

/// The IRIs of the bundled contexts.
pub(super) struct Vocabulary {
    iris: BTreeSet<String>,
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
            vocabularies: Vec::new(),
        };
        for (_, context) in bundled() {
            let mut prefixes = Vec::new();
            collect_prefixes(context, &mut prefixes);
            vocabulary.collect(context, &prefixes);
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
