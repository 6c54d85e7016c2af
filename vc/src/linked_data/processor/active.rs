//! Active contexts: which terms are known at a place in a document (JSON-LD 1.1 API section 4.1).
//!
//! Contexts are few and long, documents many and short, so that every active context that was made
//! once is kept, up to a bound.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::super::contexts::BUNDLED;
use super::definition::{Definer, Definition, Target};
use crate::json::{self, Value};
use crate::limits::ACTIVE_CONTEXTS;

/// The terms known at a place.
#[derive(Clone, Default)]
pub(super) struct Active {
    /// Distinguishes the active contexts that were made; 0 is the empty one.
    number: u64,
    pub(super) terms: BTreeMap<String, Arc<Definition>>,
    /// What an undefined term is appended to, if anything.
    pub(super) vocab: Option<String>,
    /// What holds again in nodes below this one: set by the context of a type.
    pub(super) previous: Option<Arc<Active>>,
}

/// How a context comes to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// The document names it.
    Document,
    /// The term of a property brings it for its values, and may redefine protected terms.
    Property,
    /// The term of a type brings it for nodes of that type alone.
    Type,
}

/// The active contexts that were made: from which, by which context, in which way.
#[derive(Default)]
struct Made {
    last: u64,
    contexts: BTreeMap<(u64, usize, Scope), Arc<Active>>,
}

fn made() -> &'static RwLock<Made> {
    static MADE: OnceLock<RwLock<Made>> = OnceLock::new();
    MADE.get_or_init(RwLock::default)
}

/// The bundled contexts as JSON: the values of `@context`.
pub(super) fn bundled() -> &'static [(&'static str, Value)] {
    static PARSED: OnceLock<Vec<(&'static str, Value)>> = OnceLock::new();
    PARSED.get_or_init(|| {
        let context = |text: &str| json::parse(text.as_bytes()).ok()?.get("@context").cloned();
        // A test finds every bundled context here.
        let parsed = BUNDLED.iter().filter_map(|(url, text)| Some((*url, context(text)?)));
        parsed.collect()
    })
}

/// The context with this URL, if it is bundled.
pub(super) fn find(url: &str) -> Option<&'static Value> {
    bundled().iter().find(|(name, _)| *name == url).map(|(_, value)| value)
}

impl Active {
    /// What a term stands for here.
    pub(super) fn term(&self, name: &str) -> Option<Arc<Definition>> {
        if let Some(definition) = self.terms.get(name) {
            return Some(Arc::clone(definition));
        }
        let vocab = self.vocab.as_ref()?;
        Some(Arc::new(Definition::plain(format!("{vocab}{name}"))))
    }

    /// Whether the term is this keyword.
    pub(super) fn is(&self, name: &str, keyword: &Target) -> bool {
        self.terms
            .get(name)
            .is_some_and(|definition| definition.target == *keyword)
    }

    /// Whether a text is an IRI abbreviated with a term.
    pub(super) fn abbreviates(&self, text: &str) -> bool {
        text.split_once(':').is_some_and(|(prefix, rest)| {
            !rest.starts_with("//") && self.terms.get(prefix).is_some_and(|definition| definition.is_prefix)
        })
    }

    /// The active context after a further context. The error says why it cannot be applied.
    pub(super) fn with(self: &Arc<Self>, local: &'static Value, scope: Scope) -> Result<Arc<Self>, String> {
        let key = (self.number, std::ptr::from_ref(local).addr(), scope);
        let known = made()
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contexts
            .get(&key)
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let mut result = Self::clone(self);
        if scope == Scope::Type && result.previous.is_none() {
            result.previous = Some(Arc::clone(self));
        }
        result.apply(local, scope)?;
        let mut made = made().write().unwrap_or_else(PoisonError::into_inner);
        made.last += 1;
        result.number = made.last;
        let result = Arc::new(result);
        if made.contexts.len() < ACTIVE_CONTEXTS {
            made.contexts.insert(key, Arc::clone(&result));
        }
        Ok(result)
    }

    fn apply(&mut self, local: &'static Value, scope: Scope) -> Result<(), String> {
        match local {
            Value::Null => {
                let is_protected = self.terms.values().any(|definition| definition.is_protected);
                if is_protected && scope != Scope::Property {
                    return Err("protected terms cannot be taken back".to_owned());
                }
                *self = Self {
                    previous: self.previous.take(),
                    ..Self::default()
                };
                Ok(())
            }
            Value::Array(items) => items.iter().try_for_each(|item| self.apply(item, scope)),
            Value::Object(context) => Definer::new(self, context, scope == Scope::Property).define_all(),
            _ => Err("a bundled context names another one".to_owned()),
        }
    }
}
