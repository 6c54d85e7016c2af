//! What an agent may do: an action on a resource, under constraints.

mod narrower;

pub use narrower::narrower;

use std::fmt;

use crate::constraint::{Constraint, Quoted};
use crate::denial::{DenialCode, Reason};
use crate::json::members::{Members, Path};
use crate::json::{Object, Value};
use crate::limits::{CONSTRAINTS, LABEL_BYTES, RESOURCE_BYTES, SCOPE_BYTES};

/// One thing an agent may do, if all constraints hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// What is done.
    pub action: Action,
    /// What it is done to.
    pub resource: ResourcePattern,
    /// A label that the action must carry exactly; `None`: it must carry none.
    pub scope: Option<Scope>,
    /// All must hold.
    pub constraint: Vec<Constraint>,
}

impl Capability {
    /// Reads a capability; no member beyond `action`, `resource`, `scope`, `constraint`.
    ///
    /// # Errors
    /// The member at fault.
    pub fn read(value: &Value, at: &Path<'_>) -> Result<Self, Reason> {
        let members = Members::of(value, at)?;
        let action = Action::member(&members)?;
        let resource = ResourcePattern::parse(members.str("resource")?).ok_or_else(|| {
            members.error(
                "resource",
                "a resource such as customer_records, tickets/42 or tickets/*",
            )
        })?;
        let scope = Scope::member(&members)?;
        let items = members.optional_array("constraint")?.unwrap_or_default();
        if items.len() > CONSTRAINTS {
            let text = format!("{} constraints, and at most {CONSTRAINTS} are read", items.len());
            return Err(Reason::new(
                DenialCode::DocumentTooLarge,
                members.at("constraint").to_string(),
                text,
            ));
        }
        let constraint = items
            .iter()
            .enumerate()
            .map(|(index, item)| Constraint::read(item, &members.at("constraint").item(index)))
            .collect::<Result<_, _>>()?;
        members.finish_closed()?;
        Ok(Self {
            action,
            resource,
            scope,
            constraint,
        })
    }

    /// The capability as it stands in a credential.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Object::new();
        object.insert("action", self.action.as_str());
        object.insert("resource", self.resource.as_str());
        if let Some(scope) = &self.scope {
            object.insert("scope", scope.as_str());
        }
        if !self.constraint.is_empty() {
            object.insert(
                "constraint",
                self.constraint.iter().map(Constraint::to_json).collect::<Value>(),
            );
        }
        object.into()
    }
}

/// For people: `write:ticket_updates (own_tickets)`.
impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.action, self.resource)?;
        match &self.scope {
            Some(scope) => write!(f, " ({scope})"),
            None => Ok(()),
        }
    }
}

macro_rules! text_type {
    ($name:ident, $text:expr) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotWellFormed;

            fn from_str(text: &str) -> Result<Self, NotWellFormed> {
                Self::parse(text).ok_or(NotWellFormed($text))
            }
        }
    };
}

/// The text is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct NotWellFormed(&'static str);

const ACTION: &str = "an action: a lower case letter, then lower case letters, digits, `_`, `-` or `.`, at most 64";
const SCOPE: &str = "a scope: letters, digits, `_`, `-`, `.`, `:`, `@` or `/`, at most 128";
const RESOURCE: &str =
    "a resource: segments of letters, digits, `_`, `-`, `.`, `~`, `:`, `@` joined by `/`, at most 512 bytes";
const PATTERN: &str = "a resource, or one ending in `/*` for what is below it, or `*` for all";

/// The name of an action: `[a-z][a-z0-9_.-]{0,63}`. There is no wildcard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action(String);

text_type!(Action, ACTION);

impl Action {
    /// Reads the name of an action.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() <= LABEL_BYTES
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-')))
        .then(|| Self(text.to_owned()))
    }

    pub(crate) fn member(members: &Members<'_, '_>) -> Result<Self, Reason> {
        Self::parse(members.str("action")?).ok_or_else(|| members.error("action", ACTION).into())
    }
}

/// A label such as `own_tickets`. What it means is between issuer and verifier; it is matched
/// exactly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

text_type!(Scope, SCOPE);

impl Scope {
    /// Reads a scope: `[A-Za-z0-9_.:@/-]{1,128}`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        ((1..=SCOPE_BYTES).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'@' | b'/' | b'-')))
        .then(|| Self(text.to_owned()))
    }

    pub(crate) fn member(members: &Members<'_, '_>) -> Result<Option<Self>, Reason> {
        members
            .optional_str("scope")?
            .map(|text| Self::parse(text).ok_or_else(|| members.error("scope", SCOPE).into()))
            .transpose()
    }
}

/// A resource: segments of `[A-Za-z0-9_.~:@-]+` joined by `/`; none is empty, `.` or `..`.
///
/// There is nothing to normalize: no percent-encoding, no dot segments. Two texts name one
/// resource exactly when they are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource(String);

text_type!(Resource, RESOURCE);

impl Resource {
    /// Reads a resource.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() <= RESOURCE_BYTES && text.split('/').all(is_segment)).then(|| Self(text.to_owned()))
    }
}

fn is_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'~' | b':' | b'@' | b'-'))
}

/// A resource, or `prefix/*` for everything strictly below `prefix`, or `*` for everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourcePattern(String);

text_type!(ResourcePattern, PATTERN);

impl ResourcePattern {
    /// Reads a pattern.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let prefix = text.strip_suffix("/*").unwrap_or(text);
        (text.len() <= RESOURCE_BYTES && (text == "*" || prefix.split('/').all(is_segment)))
            .then(|| Self(text.to_owned()))
    }

    /// Whether the resource is one of those that the pattern stands for.
    #[must_use]
    pub fn covers(&self, resource: &Resource) -> bool {
        covers(&self.0, &resource.0)
    }

    /// Whether everything that `other` stands for is also covered by this pattern.
    #[must_use]
    pub fn covers_pattern(&self, other: &Self) -> bool {
        covers(&self.0, &other.0)
    }
}

impl From<Resource> for ResourcePattern {
    fn from(resource: Resource) -> Self {
        Self(resource.0)
    }
}

/// Both texts are well-formed, so segments need not be taken apart: below `a/b/*` lies what
/// begins with `a/b/`, and a pattern below it can end in `*` without reaching outside.
fn covers(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.len() > prefix.len() && text.starts_with(prefix),
        None => pattern == text,
    }
}

/// Which part of an action no capability grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Nearest {
    Action,
    Resource,
    Scope,
}

/// What is asked of a capability.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The action.
    pub action: &'a Action,
    /// The resource.
    pub resource: &'a Resource,
    /// The scope.
    pub scope: Option<&'a Scope>,
}

impl Asked<'_> {
    /// Whether the capability covers what is asked, constraints aside.
    #[must_use]
    pub fn is_covered_by(&self, capability: &Capability) -> bool {
        self.missing_in(capability).is_none()
    }

    fn missing_in(&self, capability: &Capability) -> Option<Nearest> {
        if capability.action != *self.action {
            Some(Nearest::Action)
        } else if !capability.resource.covers(self.resource) {
            Some(Nearest::Resource)
        } else if capability.scope.as_ref() != self.scope {
            Some(Nearest::Scope)
        } else {
            None
        }
    }

    /// Why none of the capabilities covers what is asked: the part that the nearest one lacks.
    pub(crate) fn not_granted(&self, granted: &[Capability], at: &Path<'_>) -> Reason {
        let nearest = granted
            .iter()
            .filter_map(|one| self.missing_in(one))
            .max()
            .unwrap_or(Nearest::Action);
        let (member, text) = match nearest {
            Nearest::Action => ("action", format!("no capability grants the action {}", self.action)),
            Nearest::Resource => (
                "resource",
                format!(
                    "{} is granted, but not on {}",
                    self.action,
                    Quoted(self.resource.as_str())
                ),
            ),
            Nearest::Scope => {
                let scope = self
                    .scope
                    .map_or_else(|| "no scope".to_owned(), |scope| format!("the scope {scope}"));
                (
                    "scope",
                    format!("{}:{} is granted, but not under {scope}", self.action, self.resource),
                )
            }
        };
        const SHOWN: usize = 8;
        let mut list: Vec<String> = granted.iter().take(SHOWN).map(Capability::to_string).collect();
        if granted.len() > SHOWN {
            list.push("...".to_owned());
        }
        let text = format!("{text}; the credential grants {}", list.join(", "));
        Reason::new(DenialCode::CapabilityNotGranted, at.member(member).to_string(), text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> ResourcePattern {
        ResourcePattern::parse(text).unwrap()
    }

    fn covers(p: &str, r: &str) -> bool {
        pattern(p).covers(&Resource::parse(r).unwrap())
    }

    #[test]
    fn a_pattern_covers_strictly_what_is_below() {
        assert!(covers("tickets/*", "tickets/42") && covers("tickets/*", "tickets/42/notes"));
        assert!(!covers("tickets/*", "tickets") && !covers("tickets/*", "tickets2/1"));
        assert!(covers("*", "tickets") && covers("*", "a/b/c"));
        assert!(covers("tickets", "tickets") && !covers("tickets", "tickets/42"));
        assert!(pattern("*").covers_pattern(&pattern("a/*")) && !pattern("a/*").covers_pattern(&pattern("*")));
        assert!(pattern("*").covers_pattern(&pattern("*")) && pattern("a/*").covers_pattern(&pattern("a/*")));
        assert!(pattern("a/*").covers_pattern(&pattern("a/b/*")) && !pattern("a/b").covers_pattern(&pattern("a/b/*")));
    }

    #[test]
    fn texts_are_read_strictly() {
        for bad in [
            "", "/", "a/", "/a", "a//b", ".", "a/..", "a/./b", "a b", "a%2fb", "a*", "*/a", "**", "a/*/b", "ä", "a/**",
        ] {
            assert_eq!(ResourcePattern::parse(bad), None, "{bad}");
        }
        assert_eq!(Resource::parse("a/*"), None);
        assert_eq!(Resource::parse("*"), None);
        for bad in ["", "Read", "1read", "read all", "*", "read*", "lire\u{e9}"] {
            assert_eq!(Action::parse(bad), None, "{bad}");
        }
        assert!(Action::parse(&"a".repeat(64)).is_some() && Action::parse(&"a".repeat(65)).is_none());
        assert!(Scope::parse("own_tickets").is_some() && Scope::parse("").is_none() && Scope::parse("a b").is_none());
    }

    /// Few segments, so that related patterns are likely.
    fn any_pattern() -> impl Strategy<Value = ResourcePattern> {
        proptest::sample::select(vec![
            "*", "a", "b", "a/*", "b/*", "a/b", "a/a", "a/b/*", "a/b/c", "ab", "ab/*", "a/b/c/*",
        ])
        .prop_map(pattern)
    }

    fn any_resource() -> impl Strategy<Value = Resource> {
        "(a|b|ab)(/(a|b|c)){0,4}".prop_map(|text| Resource::parse(&text).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn cover_is_transitive_and_means_subset(
            a in any_pattern(), b in any_pattern(), c in any_pattern(), r in any_resource()
        ) {
            if a.covers_pattern(&b) && b.covers_pattern(&c) {
                prop_assert!(a.covers_pattern(&c));
            }
            if a.covers_pattern(&b) && b.covers(&r) {
                prop_assert!(a.covers(&r));
            }
            prop_assert!(a.covers_pattern(&a));
        }
    }
}
