//! Which constraint is at least as tight as another.

use super::{Approval, ApprovalCondition, Budget, Constraint, Range, Rate, Scalar};

/// Whether whatever `child` lets pass, `parent` lets pass too, as far as one constraint can show it.
///
/// It is decided from the two alone, without an action: reflexive, transitive, and never true of a
/// wider one. Two constraints that only together are as tight as a third do not count.
#[must_use]
pub fn narrower(child: &Constraint, parent: &Constraint) -> bool {
    use Constraint as C;
    match (child, parent) {
        (C::Exact { .. } | C::OneOf { .. }, parent) => listed(child, parent),
        (
            C::NotOneOf { parameter, values },
            C::NotOneOf {
                parameter: of,
                values: excluded,
            },
        ) => parameter == of && is_within(excluded, values),
        (
            C::Contains { parameter, values },
            C::Contains {
                parameter: of,
                values: needed,
            },
        ) => parameter == of && is_within(needed, values),
        (
            C::Subset { parameter, values },
            C::Subset {
                parameter: of,
                values: allowed,
            },
        ) => parameter == of && is_within(values, allowed),
        (C::Prefix(child), C::Prefix(parent)) => {
            child.parameter == parent.parameter && parent.admits_text(child.value())
        }
        (C::Range(child), C::Range(parent)) => range(child, parent),
        (C::Hours(child), C::Hours(parent)) => child.is_within(parent),
        (C::Audience { allowed }, C::Audience { allowed: wider }) => is_within(allowed, wider),
        (C::Purpose { allowed }, C::Purpose { allowed: wider }) => is_within(allowed, wider),
        (C::Rate(child), C::Rate(parent)) => rate(*child, *parent),
        (C::Budget(child), C::Budget(parent)) => budget(child, parent),
        (C::Approval(child), C::Approval(parent)) => approval(child, parent),
        _ => false,
    }
}

fn is_within<T: PartialEq>(few: &[T], many: &[T]) -> bool {
    few.iter().all(|one| many.contains(one))
}

/// A child that lists its values is as tight as whatever lets all of them pass.
fn listed(child: &Constraint, parent: &Constraint) -> bool {
    let (parameter, values) = match child {
        Constraint::Exact { parameter, value } => (parameter, std::slice::from_ref(value)),
        Constraint::OneOf { parameter, values } => (parameter, values.as_slice()),
        _ => return false,
    };
    let all = |of: &String, admits: &dyn Fn(&Scalar) -> bool| of == parameter && values.iter().all(admits);
    match parent {
        Constraint::Exact { parameter, value } => all(parameter, &|one| one == value),
        Constraint::OneOf { parameter, values } => all(parameter, &|one| values.contains(one)),
        Constraint::NotOneOf { parameter, values } => all(parameter, &|one| !values.contains(one)),
        Constraint::Prefix(prefix) => all(&prefix.parameter, &|one| prefix.admits(one)),
        Constraint::Range(range) => all(&range.parameter, &|one| range.admits(one)),
        _ => false,
    }
}

fn range(child: &Range, parent: &Range) -> bool {
    let above = match (&child.minimum, &parent.minimum) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(child), Some(parent)) => child >= parent,
    };
    let below = match (&child.maximum, &parent.maximum) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(child), Some(parent)) => child <= parent,
    };
    child.parameter == parent.parameter && child.unit == parent.unit && above && below
}

/// No more in a window that is at least as long: each window of the parent's lies in one.
fn rate(child: Rate, parent: Rate) -> bool {
    child.limit <= parent.limit && child.period.is_made_of(parent.period)
}

fn budget(child: &Budget, parent: &Budget) -> bool {
    child.parameter == parent.parameter
        && child.unit == parent.unit
        && child.limit <= parent.limit
        && child.period.is_made_of(parent.period)
}

/// The same approver, for at least as much. One that always asks is not as tight as one that asks
/// for some values: it would let an action pass, once approved, that does not say the parameter.
fn approval(child: &Approval, parent: &Approval) -> bool {
    let as_often = match (&child.when, &parent.when) {
        (None, None) => true,
        (Some(child), Some(parent)) => condition(child, parent),
        _ => false,
    };
    child.approver == parent.approver && as_often
}

fn condition(child: &ApprovalCondition, parent: &ApprovalCondition) -> bool {
    child.parameter == parent.parameter && is_within(&parent.values, &child.values)
}
