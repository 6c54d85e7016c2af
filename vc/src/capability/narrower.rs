//! Which capability grants no more than another.

use super::Capability;
use crate::constraint;

/// Whether every action that `child` allows, `parent` allows too: the same action under the same
/// scope, on resources that the parent covers, with each constraint of the parent kept or
/// tightened. A child may have constraints of its own beside them.
///
/// It is decided from the two alone. Reflexive and transitive.
#[must_use]
pub fn narrower(child: &Capability, parent: &Capability) -> bool {
    child.action == parent.action
        && child.scope == parent.scope
        && parent.resource.covers_pattern(&child.resource)
        && parent
            .constraint
            .iter()
            .all(|kept| child.constraint.iter().any(|own| constraint::narrower(own, kept)))
}
