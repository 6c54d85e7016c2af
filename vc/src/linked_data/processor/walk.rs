//! From a document to quads in one walk: JSON-LD expansion (JSON-LD 1.1 API section 5) and conversion
//! to RDF (section 8) of documents whose contexts are bundled. Every member becomes a part of some
//! quad, or the document is refused at that member.

use std::sync::Arc;

use super::super::LinkedDataError;
use super::active::{self, Active, Scope};
use super::definition::{Container, Definition, Kind, Target};
use super::literal;
use super::vocabulary::Vocabulary;
use crate::json::members::Path;
use crate::json::{Object, Value};
use crate::limits::RDF_QUADS;

const CONTEXT: &str = "@context";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// Documents within a document, which bring contexts of their own.
const EMBEDDED: &str = "verifiableCredential";

/// A subject, object or graph name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Term {
    /// A blank node, numbered in the order of the document.
    Blank(usize),
    /// An IRI or literal as it stands in canonical N-Quads.
    Text(String),
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quad {
    pub(super) subject: Term,
    /// An IRI as it stands in N-Quads.
    pub(super) predicate: String,
    pub(super) object: Term,
    /// `None`: the default graph.
    pub(super) graph: Option<Term>,
}

/// The dataset that a document stands for.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) quads: Vec<Quad>,
    pub(super) blank_nodes: usize,
}

/// The quads of a document without some of its top-level members.
pub(super) fn graph(document: &Object, left_out: &[&str]) -> Result<Graph, LinkedDataError> {
    let mut walk = Walk::default();
    let whole = Node {
        object: document,
        left_out,
        level: Level::Document,
    };
    walk.node(&whole, &Path::ROOT, &Arc::default(), None, None)?;
    let mut graph = walk.graph;
    if graph.quads.is_empty() {
        return Err(refuse(&Path::ROOT, "the document states nothing that could be signed"));
    }
    let stated = graph.quads.len();
    graph.quads.sort_unstable();
    graph.quads.dedup();
    if graph.quads.len() < stated {
        return Err(refuse(
            &Path::ROOT,
            "the document states the same thing twice, and RDF would sign it once: state it once",
        ));
    }
    Ok(graph)
}

fn refuse(at: &Path<'_>, message: impl Into<String>) -> LinkedDataError {
    LinkedDataError::Unsafe {
        at: at.to_string(),
        message: message.into(),
    }
}

/// Where an object stands, which decides whether it names contexts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Document,
    Embedded,
    Below,
}

/// An object that stands for a node.
struct Node<'d> {
    object: &'d Object,
    left_out: &'d [&'d str],
    level: Level,
}

impl<'d> Node<'d> {
    fn members(&self) -> impl Iterator<Item = (&'d str, &'d Value)> {
        let is_context = |name: &str| name == CONTEXT && self.level != Level::Below;
        self.object
            .iter()
            .filter(move |(name, _)| !is_context(name) && !self.left_out.contains(name))
    }

    /// Whether the object is nothing but the name of a node.
    fn is_reference(&self, active: &Active) -> bool {
        let mut members = self.members();
        matches!((members.next(), members.next()), (Some((name, _)), None) if active.is(name, &Target::Id))
    }
}

/// A property of a node.
struct Property<'a> {
    subject: &'a Term,
    predicate: String,
    definition: &'a Definition,
    active: &'a Arc<Active>,
    graph: Option<&'a Term>,
    /// What an object that is a value of it is.
    level: Level,
}

#[derive(Default)]
struct Walk {
    graph: Graph,
}

impl Walk {
    fn blank(&mut self) -> Term {
        let blank = Term::Blank(self.graph.blank_nodes);
        self.graph.blank_nodes += 1;
        blank
    }

    fn push(
        &mut self,
        subject: &Term,
        predicate: &str,
        object: Term,
        graph: Option<&Term>,
    ) -> Result<(), LinkedDataError> {
        if self.graph.quads.len() >= RDF_QUADS {
            return Err(LinkedDataError::TooComplex(
                "the document makes more than 10,000 statements; split it",
            ));
        }
        self.graph.quads.push(Quad {
            subject: subject.clone(),
            predicate: predicate.to_owned(),
            object,
            graph: graph.cloned(),
        });
        Ok(())
    }

    /// States everything about a node, and gives its term. `scoped` is the context that the property
    /// brings whose value it is.
    fn node(
        &mut self,
        node: &Node<'_>,
        at: &Path<'_>,
        active: &Arc<Active>,
        scoped: Option<&'static Value>,
        graph: Option<&Term>,
    ) -> Result<Term, LinkedDataError> {
        let mut active = match &active.previous {
            Some(previous) if !node.is_reference(active) => Arc::clone(previous),
            _ => Arc::clone(active),
        };
        if let Some(scoped) = scoped {
            active = with(&active, scoped, Scope::Property, at)?;
        }
        if node.level != Level::Below {
            active = with_contexts_of(&active, node.object, at)?;
        }
        // Types are read in the context around the node; then each may bring one for it.
        let around = active;
        let types = types(node, at, &around)?;
        let mut active = Arc::clone(&around);
        for name in &types.names {
            if let Some(scoped) = around.terms.get(*name).and_then(|definition| definition.scoped) {
                active = with(&active, scoped, Scope::Type, at)?;
            }
        }
        let subject = match named(node, at, &active)? {
            Some(iri) => Term::Text(format!("<{iri}>")),
            None => self.blank(),
        };
        let predicate = format!("<{RDF}type>");
        for iri in types.iris {
            self.push(&subject, &predicate, Term::Text(format!("<{iri}>")), graph)?;
        }
        for (name, value) in node.members() {
            let at = at.member(name);
            let definition = term(&active, name, &at)?;
            if let Target::Iri(iri) = &definition.target {
                let property = Property {
                    subject: &subject,
                    predicate: format!("<{iri}>"),
                    definition: &definition,
                    active: &active,
                    graph,
                    level: match node.level {
                        Level::Document if name == EMBEDDED => Level::Embedded,
                        _ => Level::Below,
                    },
                };
                self.property(&property, value, &at)?;
            } else if !active.is(name, &Target::Id) && !around.is(name, &Target::Type) {
                return Err(refuse(&at, "the contexts disagree whether this member is a keyword"));
            }
        }
        Ok(subject)
    }

    /// States the values of a property.
    fn property(&mut self, property: &Property<'_>, value: &Value, at: &Path<'_>) -> Result<(), LinkedDataError> {
        if property.definition.kind == Kind::Json {
            let object = literal::json(value).map_err(|message| refuse(at, message))?;
            return self.push(
                property.subject,
                &property.predicate,
                Term::Text(object),
                property.graph,
            );
        }
        let items = value.as_array();
        if property.definition.container == Container::List {
            let object = self.list(property, items.unwrap_or(std::slice::from_ref(value)), at)?;
            return self.push(property.subject, &property.predicate, object, property.graph);
        }
        let Some(items) = items else {
            return self.statement(property, value, at);
        };
        if items.is_empty() {
            return Err(refuse(
                at,
                "an empty list states nothing, so it would not be signed: leave it out",
            ));
        }
        for (index, item) in items.iter().enumerate() {
            self.statement(property, item, &at.item(index))?;
        }
        Ok(())
    }

    fn statement(&mut self, property: &Property<'_>, value: &Value, at: &Path<'_>) -> Result<(), LinkedDataError> {
        if property.definition.container != Container::Graph {
            let object = self.object(property, property.graph, value, at)?;
            return self.push(property.subject, &property.predicate, object, property.graph);
        }
        if value.as_object().is_none_or(|object| object.contains_key("@value")) {
            return Err(refuse(at, "expected an object: this member holds statements"));
        }
        let name = self.blank();
        self.push(property.subject, &property.predicate, name.clone(), property.graph)?;
        let before = self.graph.quads.len();
        self.object(property, Some(&name), value, at)?;
        if self.graph.quads.len() == before {
            return Err(refuse(at, "the object states nothing, so it would not be signed"));
        }
        Ok(())
    }

    /// The term of one value.
    fn object(
        &mut self,
        property: &Property<'_>,
        graph: Option<&Term>,
        value: &Value,
        at: &Path<'_>,
    ) -> Result<Term, LinkedDataError> {
        let text = match (value, &property.definition.kind) {
            (Value::Object(object), _) if object.contains_key("@value") => literal::language_string(object),
            (Value::Object(object), _) => {
                let node = Node {
                    object,
                    left_out: &[],
                    level: property.level,
                };
                return self.node(&node, at, property.active, property.definition.scoped, graph);
            }
            (Value::String(text), Kind::Id) => {
                return identifier(property.active, text, at).map(|iri| Term::Text(format!("<{iri}>")));
            }
            (Value::String(text), Kind::Vocab) => {
                let active = match property.definition.scoped {
                    Some(scoped) => &with(property.active, scoped, Scope::Property, at)?,
                    None => property.active,
                };
                return word(active, text, at).map(|iri| Term::Text(format!("<{iri}>")));
            }
            (Value::Null, _) => Err("a null is not signed: leave the member out"),
            (Value::Array(_), _) => Err("a list in a list is signed as one list: write one"),
            (scalar, kind) => literal::scalar(scalar, kind),
        };
        text.map(Term::Text).map_err(|message| refuse(at, message))
    }

    fn list(&mut self, property: &Property<'_>, items: &[Value], at: &Path<'_>) -> Result<Term, LinkedDataError> {
        let nil = Term::Text(format!("<{RDF}nil>"));
        let cells: Vec<Term> = items.iter().map(|_| self.blank()).collect();
        for (index, (item, cell)) in items.iter().zip(&cells).enumerate() {
            let object = self.object(property, property.graph, item, &at.item(index))?;
            self.push(cell, &format!("<{RDF}first>"), object, property.graph)?;
            let rest = cells.get(index + 1).unwrap_or(&nil).clone();
            self.push(cell, &format!("<{RDF}rest>"), rest, property.graph)?;
        }
        Ok(cells.into_iter().next().unwrap_or(nil))
    }
}

fn with(
    active: &Arc<Active>,
    local: &'static Value,
    scope: Scope,
    at: &Path<'_>,
) -> Result<Arc<Active>, LinkedDataError> {
    active.with(local, scope).map_err(|message| refuse(at, message))
}

/// The active context of a document: its contexts are bundled ones, named by URL.
fn with_contexts_of(active: &Arc<Active>, object: &Object, at: &Path<'_>) -> Result<Arc<Active>, LinkedDataError> {
    let here = at.member(CONTEXT);
    let refuse_context = |at: &Path<'_>, message: String| LinkedDataError::Context {
        at: at.to_string(),
        message,
    };
    let items = match object.get(CONTEXT) {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    if items.is_empty() {
        return Err(refuse_context(
            &here,
            "a document for JSON-LD names its contexts".to_owned(),
        ));
    }
    let mut active = Arc::clone(active);
    for (index, item) in items.iter().enumerate() {
        let here = here.item(index);
        let refuse_context = |message: &str| refuse_context(&here, message.to_owned());
        let url = item
            .as_str()
            .ok_or_else(|| refuse_context("a context written out in the document is not read"))?;
        let context =
            active::find(url).ok_or_else(|| refuse_context("this context is not bundled here, and none is fetched"))?;
        active = active
            .with(context, Scope::Document)
            .map_err(|message| refuse_context(&message))?;
    }
    Ok(active)
}

/// The types of a node, as written and in full; the names sorted, as their contexts apply.
struct Types<'d> {
    names: Vec<&'d str>,
    iris: Vec<String>,
}

fn types<'d>(node: &Node<'d>, at: &Path<'_>, active: &Active) -> Result<Types<'d>, LinkedDataError> {
    let mut types = Types {
        names: Vec::new(),
        iris: Vec::new(),
    };
    for (name, value) in node.members() {
        if !active.is(name, &Target::Type) {
            continue;
        }
        let here = at.member(name);
        let items = value.as_array().unwrap_or(std::slice::from_ref(value));
        if items.is_empty() {
            return Err(refuse(
                &here,
                "an empty list of types would not be signed: leave it out",
            ));
        }
        for (index, item) in items.iter().enumerate() {
            let here = here.item(index);
            let name = item
                .as_str()
                .ok_or_else(|| refuse(&here, "expected the name of a type"))?;
            types.iris.push(word(active, name, &here)?);
            types.names.push(name);
        }
    }
    types.names.sort_unstable();
    Ok(types)
}

/// The IRI of a node, if it has one.
fn named(node: &Node<'_>, at: &Path<'_>, active: &Active) -> Result<Option<String>, LinkedDataError> {
    let mut iri = None;
    for (name, value) in node.members().filter(|(name, _)| active.is(name, &Target::Id)) {
        let here = at.member(name);
        let text = value.as_str().ok_or_else(|| refuse(&here, "expected an IRI"))?;
        if iri.replace(identifier(active, text, &here)?).is_some() {
            return Err(refuse(&here, "a node has one id"));
        }
    }
    Ok(iri)
}

/// What a member's name means.
fn term(active: &Active, name: &str, at: &Path<'_>) -> Result<Arc<Definition>, LinkedDataError> {
    if name.starts_with('@') || name.contains(':') {
        return Err(refuse(
            at,
            "a member is named by a term of a context, not by a keyword or an IRI",
        ));
    }
    active.term(name).filter(|_| !name.is_empty()).ok_or_else(|| {
        refuse(
            at,
            "no context of the document defines this member, so it would not be signed: \
             name a context that does, or leave it out",
        )
    })
}

/// An identifier, which is signed as it is written.
fn identifier(active: &Active, text: &str, at: &Path<'_>) -> Result<String, LinkedDataError> {
    if active.abbreviates(text) {
        return Err(refuse(
            at,
            "an abbreviated IRI is signed as the full one: write it in full",
        ));
    }
    if text.starts_with("_:") {
        return Err(refuse(
            at,
            "the name of a blank node is not signed: leave it out, or give an IRI",
        ));
    }
    if !is_iri(text) {
        return Err(refuse(at, "expected an absolute IRI"));
    }
    Ok(text.to_owned())
}

/// The IRI of a term that stands as a value; or an IRI for which no context has a term.
fn word(active: &Active, text: &str, at: &Path<'_>) -> Result<String, LinkedDataError> {
    if text.contains(':') {
        if Vocabulary::get().has_term_for(text) {
            return Err(refuse(at, "a context has a term for this IRI: write the term"));
        }
        return identifier(active, text, at);
    }
    match active.term(text).map(|definition| definition.target.clone()) {
        Some(Target::Iri(iri)) if is_iri(&iri) => Ok(iri),
        _ => Err(refuse(
            at,
            "no context of the document defines this term: name a context that does, or write an IRI",
        )),
    }
}

/// An absolute IRI, by its scheme and by the characters that RFC 3987 allows at all.
fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let is_excluded = |c: char| c <= ' ' || c == '\u{7f}' || "<>\"{}|\\^`".contains(c);
    is_scheme && !rest.is_empty() && !rest.contains(is_excluded)
}
