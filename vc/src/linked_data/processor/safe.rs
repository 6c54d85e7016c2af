//! Safe mode: what must hold so that the canonical form covers the whole document and covers it as
//! it is read.
//!
//! The proof that nothing was lost is a census. Every scalar of the document, every empty object
//! and array and every `null` counts; so does every item of the graph it becomes. JSON-LD can drop
//! such items, but makes none, so equal numbers say that none was dropped.

use std::collections::BTreeSet;

use super::super::{LinkedDataError, contexts};
use super::vocabulary::Vocabulary;
use crate::json::members::Path;
use crate::json::{Object, Value};

const CONTEXT: &str = "@context";

/// Documents within a document that bring contexts of their own.
const EMBEDDED: &str = "verifiableCredential";

/// The members of a document that are processed.
pub(super) struct Members<'d> {
    pub(super) document: &'d Object,
    pub(super) left_out: &'d [&'d str],
}

impl<'d> Members<'d> {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'d str, &'d Value)> {
        self.document.iter().filter(|(name, _)| !self.left_out.contains(name))
    }
}

/// How much there is of what JSON-LD may lose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    /// Scalars, `null`s, empty arrays and empty objects.
    pub(super) leaves: usize,
    /// Member names that JSON-LD takes for a keyword or an IRI.
    pub(super) names: usize,
}

impl Census {
    pub(super) fn of_document(members: &Members<'_>) -> Self {
        let mut census = Self::default();
        for (name, value) in members.iter() {
            if name != CONTEXT {
                census.add_member(name, value);
            }
        }
        census
    }

    /// Counts a JSON value.
    pub(super) fn add(&mut self, value: &Value) {
        match value {
            Value::Object(object) if !object.is_empty() => {
                for (name, value) in object {
                    self.add_member(name, value);
                }
            }
            Value::Array(items) if !items.is_empty() => items.iter().for_each(|item| self.add(item)),
            _ => self.leaves += 1,
        }
    }

    fn add_member(&mut self, name: &str, value: &Value) {
        self.names += usize::from(is_no_term(name));
        if name == EMBEDDED {
            let items = value.as_array().unwrap_or(std::slice::from_ref(value));
            for item in items {
                match item.as_object() {
                    Some(object) => {
                        for (name, value) in object {
                            if name != CONTEXT {
                                self.add_member(name, value);
                            }
                        }
                    }
                    None => self.add(item),
                }
            }
        } else {
            self.add(value);
        }
    }
}

/// A name that JSON-LD takes for a keyword or for an IRI instead of a term.
fn is_no_term(name: &str) -> bool {
    name.starts_with('@') || name.contains(':')
}

/// Requires the document's contexts to be bundled ones, named by URL, at the top and in enclosed
/// credentials.
pub(super) fn check_contexts(members: &Members<'_>) -> Result<(), LinkedDataError> {
    check_context_of(members.document, &Path::ROOT)?;
    if let Some(enclosed) = members.document.get(EMBEDDED) {
        let here = Path::ROOT.member(EMBEDDED);
        match enclosed {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    check_enclosed(item, &here.item(index))?;
                }
            }
            one => check_enclosed(one, &here)?,
        }
    }
    Ok(())
}

fn check_enclosed(item: &Value, at: &Path<'_>) -> Result<(), LinkedDataError> {
    item.as_object().map_or(Ok(()), |object| check_context_of(object, at))
}

fn check_context_of(object: &Object, at: &Path<'_>) -> Result<(), LinkedDataError> {
    let here = at.member(CONTEXT);
    let refuse = |at: &Path<'_>, message: &str| {
        Err(LinkedDataError::Context {
            at: at.to_string(),
            message: message.to_owned(),
        })
    };
    let items = match object.get(CONTEXT) {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    if items.is_empty() {
        return refuse(&here, "a document for JSON-LD names its contexts");
    }
    for (index, item) in items.iter().enumerate() {
        match item.as_str() {
            Some(url) if contexts::context(url).is_some() => {}
            Some(_) => {
                return refuse(
                    &here.item(index),
                    "this context is not bundled here, and none is fetched",
                );
            }
            None => return refuse(&here.item(index), "a context written out in the document is not read"),
        }
    }
    Ok(())
}

/// Refuses texts that JSON-LD would read as something else.
pub(super) fn check_text(members: &Members<'_>) -> Result<(), LinkedDataError> {
    for (name, value) in members.iter() {
        if name != CONTEXT {
            check_value(name, value, &Path::ROOT.member(name))?;
        }
    }
    Ok(())
}

fn check_value(name: &str, value: &Value, at: &Path<'_>) -> Result<(), LinkedDataError> {
    match value {
        Value::String(text) => {
            let vocabulary = Vocabulary::get();
            if vocabulary.abbreviates(text) {
                return Err(LinkedDataError::unsafe_at(
                    at.to_string(),
                    "an abbreviated IRI is signed as the full one; write it in full",
                ));
            }
            if name == "type" && text.contains(':') && vocabulary.has_term_for(text) {
                return Err(LinkedDataError::unsafe_at(
                    at.to_string(),
                    "a context has a term for this type; write the term",
                ));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_value(name, item, &at.item(index))?;
            }
        }
        Value::Object(object) => {
            if object.contains_key("@value") && !is_language_string(object) {
                return Err(LinkedDataError::unsafe_at(
                    at.to_string(),
                    "a value object has exactly @value and @language, both texts",
                ));
            }
            for (name, value) in object {
                if name != CONTEXT {
                    check_value(name, value, &at.member(name))?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn is_language_string(object: &Object) -> bool {
    object.len() == 2
        && ["@value", "@language"]
            .iter()
            .all(|name| object.get(name).and_then(Value::as_str).is_some())
}

/// All texts of a document.
pub(super) fn strings<'d>(members: &Members<'d>) -> BTreeSet<&'d str> {
    fn collect<'d>(value: &'d Value, found: &mut BTreeSet<&'d str>) {
        match value {
            Value::String(text) => {
                found.insert(text);
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            Value::Object(object) => object.iter().for_each(|(_, value)| collect(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    members.iter().for_each(|(_, value)| collect(value, &mut found));
    found
}

/// Requires that all of the document is in the graph, and only as terms.
pub(super) fn require_all(members: &Members<'_>, document: &Census, graph: &Census) -> Result<(), LinkedDataError> {
    if document.names != graph.names {
        return Err(LinkedDataError::unsafe_at(
            first(members, &|name, _| name.is_some_and(is_no_term)),
            "a member is named by a term of a context, not by a keyword or an IRI",
        ));
    }
    if document.leaves != graph.leaves {
        return Err(LinkedDataError::unsafe_at(
            first(members, &|_, value| is_nothing(value)),
            "something in the document would not be signed (a null, an empty list, a relative IRI): leave it out",
        ));
    }
    Ok(())
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Where a member with this name stands first.
pub(super) fn find_member(members: &Members<'_>, wanted: &str) -> Option<String> {
    Some(first(members, &|name, _| name == Some(wanted))).filter(|at| !at.is_empty())
}

/// Where the first value stands for which this holds; empty if there is none. A value in an array
/// has no name.
fn first(members: &Members<'_>, holds: &dyn Fn(Option<&str>, &Value) -> bool) -> String {
    fn search(
        name: Option<&str>,
        value: &Value,
        at: &Path<'_>,
        holds: &dyn Fn(Option<&str>, &Value) -> bool,
    ) -> Option<String> {
        if holds(name, value) {
            return Some(at.to_string());
        }
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .find_map(|(index, item)| search(None, item, &at.item(index), holds)),
            Value::Object(object) => object
                .iter()
                .find_map(|(name, value)| search(Some(name), value, &at.member(name), holds)),
            _ => None,
        }
    }
    members
        .iter()
        .filter(|(name, _)| *name != CONTEXT)
        .find_map(|(name, value)| search(Some(name), value, &Path::ROOT.member(name), holds))
        .unwrap_or_default()
}
