//! What a context says about one term (JSON-LD 1.1 API section 4.2), as far as the bundled contexts
//! use it. A test reads them all, so that none says more than is read here.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::active::Active;
use crate::json::{Object, Value};

/// What a term stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `@id`: the name of the node.
    Id,
    /// `@type`: its types.
    Type,
    /// A property or type.
    Iri(String),
}

/// How the values of a term are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As they are.
    Plain,
    /// A text is an IRI.
    Id,
    /// A text is a term or an IRI.
    Vocab,
    /// The value is a JSON literal.
    Json,
    /// A text is a value of this datatype.
    Datatype(String),
}

/// How several values of a term belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    /// In no order.
    Set,
    /// In order.
    List,
    /// Each is a graph of its own.
    Graph,
}

/// What a context says about one term.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) target: Target,
    pub(super) kind: Kind,
    pub(super) container: Container,
    /// The context for the values of this property, or for nodes of this type.
    pub(super) scoped: Option<&'static Value>,
    pub(super) is_protected: bool,
    /// Whether the term can abbreviate IRIs.
    pub(super) is_prefix: bool,
}

impl Definition {
    /// A property that only has an IRI.
    pub(super) const fn plain(iri: String) -> Self {
        Self {
            target: Target::Iri(iri),
            kind: Kind::Plain,
            container: Container::Set,
            scoped: None,
            is_protected: false,
            is_prefix: false,
        }
    }

    /// Whether both say the same, protection aside.
    fn agrees_with(&self, other: &Self) -> bool {
        self.target == other.target
            && self.kind == other.kind
            && self.container == other.container
            && self.scoped == other.scoped
            && self.is_prefix == other.is_prefix
    }
}

/// Adds the terms of one context to another.
pub(super) struct Definer<'a> {
    result: &'a mut Active,
    context: &'static Object,
    /// Whether protected terms may be defined anew: only for the values of a property.
    may_override: bool,
    done: BTreeSet<&'static str>,
}

impl<'a> Definer<'a> {
    pub(super) const fn new(result: &'a mut Active, context: &'static Object, may_override: bool) -> Self {
        Self {
            result,
            context,
            may_override,
            done: BTreeSet::new(),
        }
    }

    /// Defines everything; the error says what cannot be.
    pub(super) fn define_all(mut self) -> Result<(), String> {
        for (name, value) in self.context {
            match (name, value) {
                ("@protected", Value::Bool(_)) | ("@version", Value::Number(_)) => {}
                ("@vocab", Value::String(iri)) => self.result.vocab = Some(iri.to_string()),
                (name, _) if name.starts_with('@') => return Err(format!("{name} in a context is not read")),
                _ => {}
            }
        }
        for name in self.context.keys().filter(|name| !name.starts_with('@')) {
            self.define(name)?;
        }
        Ok(())
    }

    fn define(&mut self, name: &'static str) -> Result<(), String> {
        let Some(value) = self.context.get(name) else {
            return Ok(());
        };
        if !self.done.insert(name) {
            return Ok(());
        }
        let mut definition = self.read(name, value)?;
        if let Some(old) = self.result.terms.get(name)
            && old.is_protected
            && !self.may_override
        {
            if !old.agrees_with(&definition) {
                return Err(format!(
                    "the term {name} is protected, and another context defines it anew"
                ));
            }
            definition.is_protected = true;
        }
        self.result.terms.insert(name.to_owned(), Arc::new(definition));
        Ok(())
    }

    fn read(&mut self, name: &'static str, value: &'static Value) -> Result<Definition, String> {
        let is_protected = self.context.get("@protected").and_then(Value::as_bool);
        let mut definition = Definition::plain(String::new());
        definition.is_protected = is_protected.unwrap_or(false);
        let id = match value {
            Value::String(id) => Some(id.as_str()),
            Value::Object(members) => {
                for (member, value) in members {
                    match (member, value) {
                        ("@id", Value::String(_)) => {}
                        ("@type", Value::String(kind)) => definition.kind = self.kind(kind)?,
                        ("@container", Value::String(container)) => definition.container = read_container(container)?,
                        ("@context", value) => definition.scoped = Some(value),
                        ("@protected", Value::Bool(is_protected)) => definition.is_protected = *is_protected,
                        _ => return Err(format!("{member} of the term {name} is not read")),
                    }
                }
                members.get("@id").and_then(Value::as_str)
            }
            _ => return Err(format!("the term {name} has no definition")),
        };
        definition.target = match id {
            Some("@id") => Target::Id,
            Some("@type") => Target::Type,
            Some(id) => Target::Iri(self.expand(id)?),
            None => Target::Iri(self.in_vocabulary(name)?),
        };
        if let (Value::String(_), Target::Iri(iri)) = (value, &definition.target) {
            definition.is_prefix = iri.ends_with([':', '/', '?', '#', '[', ']', '@']);
        }
        Ok(definition)
    }

    fn kind(&mut self, text: &'static str) -> Result<Kind, String> {
        Ok(match text {
            "@id" => Kind::Id,
            "@vocab" => Kind::Vocab,
            "@json" => Kind::Json,
            text => Kind::Datatype(self.expand(text)?),
        })
    }

    /// An IRI of the context in full.
    fn expand(&mut self, text: &'static str) -> Result<String, String> {
        let term = text.split_once(':').map_or(text, |(prefix, _)| prefix);
        self.define(term)?;
        let known = self.result.terms.get(term).map(|definition| &definition.target);
        match (text.split_once(':'), known) {
            (Some((_, rest)), Some(Target::Iri(iri))) if !rest.starts_with("//") => Ok(format!("{iri}{rest}")),
            (Some(_), _) => Ok(text.to_owned()),
            (None, Some(Target::Iri(iri))) => Ok(iri.clone()),
            (None, _) => self.in_vocabulary(text),
        }
    }

    fn in_vocabulary(&self, name: &str) -> Result<String, String> {
        match &self.result.vocab {
            Some(vocab) => Ok(format!("{vocab}{name}")),
            None => Err(format!("the term {name} stands for no IRI")),
        }
    }
}

fn read_container(text: &str) -> Result<Container, String> {
    match text {
        "@set" => Ok(Container::Set),
        "@list" => Ok(Container::List),
        "@graph" => Ok(Container::Graph),
        other => Err(format!("the container {other} is not read")),
    }
}
