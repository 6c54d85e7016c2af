//! From an expanded document to quads (JSON-LD 1.1 API section 8, "Object to RDF Conversion"),
//! refusing what that conversion would drop.

use std::collections::BTreeSet;

use ssi::json_ld::object::{Literal, Value as LdValue};
use ssi::json_ld::syntax::Print;
use ssi::json_ld::{BlankIdBuf, Id, IndexedObject, IriBuf, LangString, Node, Object as LdObject, ValidId};

use super::super::LinkedDataError;
use super::expand::Expanded;
use super::safe::Census;
use super::vocabulary::Vocabulary;
use crate::canonical;
use crate::json::{self, Limits};
use crate::limits::{JSON_DEPTH_CEILING, RDF_QUADS};

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const XSD: &str = "http://www.w3.org/2001/XMLSchema#";

/// Datatypes whose values are written as JSON numbers.
const NUMERIC: &[&str] = &[
    "integer",
    "double",
    "nonNegativeInteger",
    "positiveInteger",
    "unsignedInt",
    "unsignedLong",
    "unsignedShort",
    "int",
    "long",
];

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
pub(super) struct Graph {
    pub(super) quads: Vec<Quad>,
    pub(super) blank_nodes: usize,
    pub(super) census: Census,
}

impl Graph {
    /// The quads of an expanded document; `strings` are all texts of the document.
    pub(super) fn of(expanded: &Expanded, strings: &BTreeSet<&str>) -> Result<Self, LinkedDataError> {
        let mut writer = Writer {
            strings,
            graph: Self {
                quads: Vec::new(),
                blank_nodes: 0,
                census: Census::default(),
            },
        };
        for object in expanded.iter() {
            let LdObject::Node(node) = object.inner() else {
                return Err(refuse("the document is a value, not a statement about something"));
            };
            writer.node(node, None)?;
        }
        let mut graph = writer.graph;
        let stated = graph.quads.len();
        graph.quads.sort_unstable();
        graph.quads.dedup();
        if graph.quads.len() < stated {
            return Err(refuse(
                "the document states the same thing twice, and RDF would sign it once: state it once",
            ));
        }
        Ok(graph)
    }
}

fn refuse(message: &str) -> LinkedDataError {
    LinkedDataError::unsafe_at("", message)
}

struct Writer<'s> {
    strings: &'s BTreeSet<&'s str>,
    graph: Graph,
}

impl Writer<'_> {
    fn blank(&mut self) -> Term {
        let blank = Term::Blank(self.graph.blank_nodes);
        self.graph.blank_nodes += 1;
        blank
    }

    fn push(
        &mut self,
        subject: &Term,
        predicate: String,
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
            predicate,
            object,
            graph: graph.cloned(),
        });
        Ok(())
    }

    /// States everything about a node, and gives its term.
    fn node(&mut self, node: &Node<IriBuf, BlankIdBuf>, graph: Option<&Term>) -> Result<Term, LinkedDataError> {
        if node.included.is_some() || node.reverse_properties.is_some() {
            return Err(refuse("included and reversed statements are not read"));
        }
        let subject = match &node.id {
            Some(id) => {
                self.graph.census.leaves += 1;
                let iri = iri(id)?;
                if !self.strings.contains(iri.as_str()) && !Vocabulary::get().has_term_for(iri) {
                    return Err(refuse("an identifier is signed as another text; write it in full"));
                }
                Term::Text(bracketed(iri))
            }
            None => self.blank(),
        };
        let mut is_empty = node.id.is_none();
        for kind in node.types() {
            is_empty = false;
            self.graph.census.leaves += 1;
            let kind = Term::Text(bracketed(iri(kind)?));
            self.push(&subject, format!("<{RDF}type>"), kind, graph)?;
        }
        if let Some(inner) = &node.graph {
            is_empty = false;
            for object in inner {
                let LdObject::Node(inner) = object.inner() else {
                    return Err(refuse("a graph holds statements only"));
                };
                self.node(inner, Some(&subject))?;
            }
        }
        for (property, objects) in node.properties() {
            is_empty = false;
            let predicate = bracketed(iri(property)?);
            for object in objects {
                let object = self.object(object, graph)?;
                self.push(&subject, predicate.clone(), object, graph)?;
            }
        }
        self.graph.census.leaves += usize::from(is_empty);
        Ok(subject)
    }

    fn object(
        &mut self,
        object: &IndexedObject<IriBuf, BlankIdBuf>,
        graph: Option<&Term>,
    ) -> Result<Term, LinkedDataError> {
        if object.index().is_some() {
            return Err(refuse("an index is not signed"));
        }
        match object.inner() {
            LdObject::Node(node) => self.node(node, graph),
            LdObject::Value(value) => self.value(value).map(Term::Text),
            LdObject::List(list) => self.list(list.as_slice(), graph),
        }
    }

    fn list(
        &mut self,
        items: &[IndexedObject<IriBuf, BlankIdBuf>],
        graph: Option<&Term>,
    ) -> Result<Term, LinkedDataError> {
        let nil = Term::Text(format!("<{RDF}nil>"));
        if items.is_empty() {
            self.graph.census.leaves += 1;
            return Ok(nil);
        }
        let cells: Vec<Term> = items.iter().map(|_| self.blank()).collect();
        for (index, (item, cell)) in items.iter().zip(&cells).enumerate() {
            let object = self.object(item, graph)?;
            self.push(cell, format!("<{RDF}first>"), object, graph)?;
            let rest = cells.get(index + 1).unwrap_or(&nil).clone();
            self.push(cell, format!("<{RDF}rest>"), rest, graph)?;
        }
        Ok(cells.into_iter().next().unwrap_or(nil))
    }

    fn value(&mut self, value: &LdValue<IriBuf>) -> Result<String, LinkedDataError> {
        match value {
            LdValue::Json(value) => self.json(&value.compact_print().to_string()),
            LdValue::LangString(text) => self.language_string(text),
            LdValue::Literal(literal, datatype) => {
                self.graph.census.leaves += 1;
                plain(literal, datatype.as_ref().map(|iri| iri.as_str()))
            }
        }
    }

    /// A JSON literal: its canonical text (RFC 8785).
    fn json(&mut self, text: &str) -> Result<String, LinkedDataError> {
        let limits = Limits {
            depth: JSON_DEPTH_CEILING,
            ..Limits::default()
        };
        let value = json::parse_with(text.as_bytes(), &limits).map_err(|_| refuse("a JSON literal is not read"))?;
        self.graph.census.add(&value);
        let bytes = canonical::to_bytes(&value);
        let text = String::from_utf8(bytes).map_err(|_| refuse("a JSON literal is not text"))?;
        Ok(typed(&text, RDF, "JSON"))
    }

    /// Language tags are compared without case (RFC 5646 section 2.1.1), and written in lower case.
    fn language_string(&mut self, text: &LangString) -> Result<String, LinkedDataError> {
        self.graph.census.leaves += 2;
        self.graph.census.names += 2;
        let (text, language, direction) = text.parts();
        let language = language
            .filter(|_| direction.is_none())
            .and_then(|language| language.as_well_formed())
            .ok_or_else(|| refuse("a language is a tag of BCP 47, and a direction is not signed"))?;
        let tag = language.as_str().to_ascii_lowercase();
        Ok(format!("{}@{tag}", quoted(text)))
    }
}

fn iri(id: &Id<IriBuf, BlankIdBuf>) -> Result<&IriBuf, LinkedDataError> {
    match id {
        Id::Valid(ValidId::Iri(iri)) => Ok(iri),
        Id::Valid(ValidId::Blank(_)) => Err(refuse(
            "the name of a blank node is not signed; leave the id out, or give an IRI",
        )),
        Id::Invalid(_) => Err(refuse("a relative IRI is not signed; write it in full")),
    }
}

fn plain(literal: &Literal, datatype: Option<&str>) -> Result<String, LinkedDataError> {
    let mixed = || {
        refuse(
            "a context gives this member a datatype that is written otherwise: \
             numbers and truth values as such, everything else as text",
        )
    };
    let known = datatype.and_then(|iri| iri.strip_prefix(XSD));
    match literal {
        Literal::Null => Err(refuse("a null is not signed; leave the member out")),
        Literal::Boolean(truth) => match datatype {
            None => Ok(typed(&truth.to_string(), XSD, "boolean")),
            Some(_) if known == Some("boolean") => Ok(typed(&truth.to_string(), XSD, "boolean")),
            Some(_) => Err(mixed()),
        },
        Literal::Number(number) => {
            let number: f64 = number.as_str().parse().map_err(|_| refuse("a number is not read"))?;
            match (datatype, known) {
                (None, _) => number_literal(number, None),
                (Some(_), Some(name)) if NUMERIC.contains(&name) => number_literal(number, Some(name)),
                _ => Err(mixed()),
            }
        }
        Literal::String(text) => match (datatype, known) {
            (None, _) => Ok(quoted(text)),
            (Some(_), Some("boolean")) => Err(mixed()),
            (Some(_), Some(name)) if NUMERIC.contains(&name) => Err(mixed()),
            (Some(_), Some("string")) => Ok(quoted(text)),
            (Some(iri), _) => Ok(format!("{}^^<{iri}>", quoted(text))),
        },
    }
}

/// From here on an integral number is written with an exponent (JSON-LD 1.1 API section 8.2.2).
const WRITTEN_WITH_EXPONENT: f64 = 1e21;

fn number_literal(number: f64, datatype: Option<&str>) -> Result<String, LinkedDataError> {
    let is_integer = number.fract() == 0.0 && number.abs() < WRITTEN_WITH_EXPONENT;
    if is_integer && datatype != Some("double") {
        return Ok(typed(&format!("{number:.0}"), XSD, datatype.unwrap_or("integer")));
    }
    let text = format!("{number:.15E}");
    // The form has 16 digits: two numbers that differ in the 17th would be signed alike.
    if text.parse() != Ok(number) {
        return Err(refuse(
            "a number with more than 16 digits is not signed exactly; write it as a text",
        ));
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

fn bracketed(iri: &IriBuf) -> String {
    format!("<{}>", iri.as_str())
}

fn typed(text: &str, namespace: &str, name: &str) -> String {
    format!("{}^^<{namespace}{name}>", quoted(text))
}

/// A literal's text in quotes, escaped as in canonical N-Quads (RDF 1.2 N-Quads section 4).
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
