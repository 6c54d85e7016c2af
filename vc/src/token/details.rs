//! Capabilities as `authorization_details` (RFC 9396), and asking for less than was granted.
//!
//! Asking can only narrow: what a token carries is a granted capability on a resource below its own,
//! with all the granted constraints and those that were asked for beside them. All constraints of a
//! capability must hold, so one more never allows more.

use crate::capability::{Action, Capability, ResourcePattern};
use crate::denial::{DenialCode, Reason};
use crate::json::members::{Members, Path};
use crate::json::{Object, Value};
use crate::limits::{ACCESS_TOKEN_GRANTS, CONSTRAINTS};

/// The `type` of the one kind of authorization details that is made and read.
pub const CAPABILITY_TYPE: &str = "syndic_capability";

/// A capability as an item of `authorization_details`.
#[must_use]
pub fn to_json(capability: &Capability) -> Value {
    let mut value = capability.to_json();
    if let Some(object) = value.as_object_mut() {
        object.insert("type", CAPABILITY_TYPE);
    }
    value
}

/// Reads `authorization_details`: at least one, all of the one type, each closed.
///
/// # Errors
/// The member at fault.
pub fn read(items: &[Value], at: &Path<'_>) -> Result<Vec<Capability>, Reason> {
    if !(1..=ACCESS_TOKEN_GRANTS).contains(&items.len()) {
        let text = format!(
            "{} authorization details, and 1 to {ACCESS_TOKEN_GRANTS} are read",
            items.len()
        );
        return Err(Reason::new(DenialCode::DocumentTooLarge, at.to_string(), text));
    }
    let read_one = |(index, item): (usize, &Value)| {
        let here = at.item(index);
        let members = Members::of(item, here)?;
        members.literal(
            "type",
            CAPABILITY_TYPE,
            "syndic_capability, the one type that is known here",
        )?;
        let mut rest: Object = members.as_object().clone();
        rest.remove("type");
        Capability::read(&rest.into(), &here)
    };
    items.iter().enumerate().map(read_one).collect()
}

/// What is asked for is more than was granted, or cannot be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotGranted {
    /// No granted capability covers this item.
    #[error(
        "item {0} asks for more than any capability that was shown: ask for the same action and scope, on its resource or below"
    )]
    Item(usize),
    /// The scope value is no `action:resource`.
    #[error("scope value {0} is not action:resource, such as read:tickets/*")]
    Scope(usize),
    /// With what is asked for there are too many constraints.
    #[error("item {0} has more than {CONSTRAINTS} constraints with those that were granted")]
    Constraints(usize),
    /// Too many grants.
    #[error("more than {ACCESS_TOKEN_GRANTS} grants: ask for less")]
    Grants,
    /// Nothing was granted.
    #[error("none of the credentials that were shown grants anything that may be used here")]
    Nothing,
}

/// All that was granted.
///
/// # Errors
/// [`NotGranted`] if that is nothing, or too much for one token.
pub fn all(granted: &[Capability]) -> Result<Vec<Capability>, NotGranted> {
    let mut grants = Vec::new();
    granted.iter().for_each(|one| add(&mut grants, one.clone()));
    within_bounds(grants)
}

/// Of what was granted, what is asked for.
///
/// # Errors
/// [`NotGranted`] if any item asks for more.
pub fn narrowed(granted: &[Capability], asked: &[Capability]) -> Result<Vec<Capability>, NotGranted> {
    let mut grants = Vec::new();
    for (index, item) in asked.iter().enumerate() {
        let covering = |one: &&Capability| {
            one.action == item.action && one.scope == item.scope && one.resource.covers_pattern(&item.resource)
        };
        let mut covered = false;
        for one in granted.iter().filter(covering) {
            let mut grant = item.clone();
            grant.constraint.clone_from(&one.constraint);
            let more = item
                .constraint
                .iter()
                .filter(|constraint| !one.constraint.contains(constraint));
            grant.constraint.extend(more.cloned());
            if grant.constraint.len() > CONSTRAINTS {
                return Err(NotGranted::Constraints(index));
            }
            add(&mut grants, grant);
            covered = true;
        }
        if !covered {
            return Err(NotGranted::Item(index));
        }
    }
    within_bounds(grants)
}

/// Of what was granted, what the values of an OAuth `scope` name: `action:resource`, each with the
/// label and the constraints that were granted.
///
/// # Errors
/// [`NotGranted`] if any value asks for more.
pub fn by_scope(granted: &[Capability], scope: &str) -> Result<Vec<Capability>, NotGranted> {
    let mut grants = Vec::new();
    for (index, value) in scope.split(' ').enumerate() {
        let parts = value.split_once(':');
        let named =
            parts.and_then(|(action, resource)| Some((Action::parse(action)?, ResourcePattern::parse(resource)?)));
        let (action, resource) = named.ok_or(NotGranted::Scope(index))?;
        let covering = |one: &&Capability| one.action == action && one.resource.covers_pattern(&resource);
        let mut covered = false;
        for one in granted.iter().filter(covering) {
            let grant = Capability {
                resource: resource.clone(),
                ..one.clone()
            };
            add(&mut grants, grant);
            covered = true;
        }
        if !covered {
            return Err(NotGranted::Item(index));
        }
    }
    within_bounds(grants)
}

fn add(grants: &mut Vec<Capability>, grant: Capability) {
    if !grants.contains(&grant) {
        grants.push(grant);
    }
}

fn within_bounds(grants: Vec<Capability>) -> Result<Vec<Capability>, NotGranted> {
    match grants.len() {
        0 => Err(NotGranted::Nothing),
        1..=ACCESS_TOKEN_GRANTS => Ok(grants),
        _ => Err(NotGranted::Grants),
    }
}
