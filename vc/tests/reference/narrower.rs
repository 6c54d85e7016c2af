//! What is narrower (2.4), as the table says it.

use serde_json::Value;

use super::constraints::{decimal, follows, open_week};

/// Whether a pattern covers a resource or another pattern (2.3).
pub fn resource(pattern: &str, other: &str) -> bool {
    if pattern == "*" || pattern == other {
        return true;
    }
    let Some(above) = pattern.strip_suffix("/*") else {
        return false;
    };
    let (above, other): (Vec<&str>, Vec<&str>) = (above.split('/').collect(), other.split('/').collect());
    other.len() > above.len() && other[..above.len()] == above[..]
}

pub fn capability(child: &Value, parent: &Value) -> bool {
    let none = Vec::new();
    let list = |capability: &Value| capability["constraint"].as_array().unwrap_or(&none).clone();
    let own = list(child);
    child["action"] == parent["action"]
        && child["scope"] == parent["scope"]
        && resource(
            parent["resource"].as_str().unwrap(),
            child["resource"].as_str().unwrap(),
        )
        && list(parent)
            .iter()
            .all(|kept| own.iter().any(|one| constraint(one, kept)))
}

fn some_of(few: &Value, many: &Value) -> bool {
    let many = many.as_array().unwrap();
    few.as_array().unwrap().iter().all(|one| many.contains(one))
}

pub fn constraint(child: &Value, parent: &Value) -> bool {
    let (kind, of) = (child["type"].as_str().unwrap(), parent["type"].as_str().unwrap());
    let same = |name: &str| child[name] == parent[name];
    if kind == "exact" || kind == "oneOf" {
        let values = match kind {
            "exact" => vec![child["value"].clone()],
            _ => child["values"].as_array().unwrap().clone(),
        };
        return same("parameter") && values.iter().all(|value| lets_pass(parent, value));
    }
    if kind != of {
        return false;
    }
    let limit = |one: &Value| decimal(&one["limit"]).unwrap();
    match kind {
        "notOneOf" | "contains" => same("parameter") && some_of(&parent["values"], &child["values"]),
        "subset" => same("parameter") && some_of(&child["values"], &parent["values"]),
        "prefix" => same("parameter") && follows(child["value"].as_str().unwrap(), parent["value"].as_str().unwrap()),
        "range" => {
            let inside =
                |name: &str, further: fn(i128, i128) -> bool| match (decimal(&child[name]), decimal(&parent[name])) {
                    (_, None) => true,
                    (None, Some(_)) => false,
                    (Some(own), Some(bound)) => further(own, bound),
                };
            let (least, most) = (
                inside("minimum", |own, bound| own >= bound),
                inside("maximum", |own, bound| own <= bound),
            );
            same("parameter") && same("unit") && least && most
        }
        "hours" => {
            let (own, above) = (open_week(child), open_week(parent));
            let all_week = above.iter().all(|open| *open);
            all_week || same("timeZone") && own.iter().zip(&above).all(|(own, above)| !own || *above)
        }
        "audience" | "purpose" => some_of(&child["allowed"], &parent["allowed"]),
        "rate" => limit(child) <= limit(parent) && made_of(child, parent),
        "budget" => same("parameter") && same("unit") && limit(child) <= limit(parent) && made_of(child, parent),
        _ => {
            let conditions = match (child.get("values"), parent.get("values")) {
                (None, None) => true,
                (Some(own), Some(above)) => same("parameter") && some_of(above, own),
                _ => false,
            };
            same("approver") && conditions
        }
    }
}

/// Whether a constraint on a plain value lets it pass.
fn lets_pass(constraint: &Value, value: &Value) -> bool {
    match constraint["type"].as_str().unwrap() {
        "exact" => constraint["value"] == *value,
        "oneOf" => constraint["values"].as_array().unwrap().contains(value),
        "notOneOf" => !constraint["values"].as_array().unwrap().contains(value),
        "prefix" => value
            .as_str()
            .is_some_and(|text| follows(text, constraint["value"].as_str().unwrap())),
        "range" => {
            let bound = |name: &str| decimal(&constraint[name]);
            constraint["unit"].is_null()
                && decimal(value).is_some_and(|number| {
                    bound("minimum").is_none_or(|minimum| minimum <= number)
                        && bound("maximum").is_none_or(|maximum| number <= maximum)
                })
        }
        _ => false,
    }
}

/// Whether the child's period is the parent's, or made of whole such periods.
fn made_of(child: &Value, parent: &Value) -> bool {
    let shorter: &[&str] = match child["period"].as_str().unwrap() {
        "minute" => &["minute"],
        "hour" => &["minute", "hour"],
        "day" => &["minute", "hour", "day"],
        "week" => &["minute", "hour", "day", "week"],
        _ => &["minute", "hour", "day", "month"],
    };
    shorter.contains(&parent["period"].as_str().unwrap())
}
