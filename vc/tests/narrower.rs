//! What counts as narrower is narrower: at random, whatever passes a child passes its parent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

mod random;
mod world;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use random::Rng;
use serde_json::Value;
use syndic_vc::action::Parameters;
use syndic_vc::capability::{self, Capability, Resource};
use syndic_vc::constraint::{Circumstances, Constraint, PurposeOfUse, narrower};
use syndic_vc::denial::DenialCode;
use syndic_vc::did::Did;
use syndic_vc::json;
use syndic_vc::json::members::Path;
use syndic_vc::time::Timestamp;

fn read(value: &Value) -> Constraint {
    let value = json::parse(value.to_string().as_bytes()).unwrap();
    Constraint::read(&value, &Path::ROOT).unwrap_or_else(|reason| panic!("{value:?}: {reason}"))
}

static SOUTH: LazyLock<Did> = LazyLock::new(|| world::south().did);

/// An action at some time: what constraints are held against.
struct Case {
    parameters: Parameters,
    purpose: Option<PurposeOfUse>,
    now: Timestamp,
}

impl Case {
    fn random(rng: &mut Rng) -> Case {
        let minutes = i64::try_from(rng.below(14 * 1440)).unwrap();
        Case {
            parameters: world::parameters_of(&random::parameters(rng).to_string()),
            purpose: random::purpose(rng).map(|label| PurposeOfUse::parse(label.as_str().unwrap()).unwrap()),
            // Around a change of the clocks.
            now: world::at("2026-10-20T00:00:00Z")
                .checked_add_seconds(60 * minutes)
                .unwrap(),
        }
    }

    /// `None`: passes. Otherwise the code of the refusal.
    fn check(&self, constraint: &Constraint) -> Option<DenialCode> {
        let circumstances = Circumstances {
            parameters: &self.parameters,
            parameters_at: Path::from("/parameters"),
            purpose: self.purpose,
            purpose_at: Path::from("/purpose"),
            audience: &SOUTH,
            now: self.now,
        };
        constraint
            .check(&circumstances, &Path::ROOT)
            .err()
            .map(|reason| reason.code)
    }
}

/// Few kinds at a time, so that a pair often says something.
fn pair(rng: &mut Rng) -> (Value, Value) {
    let parent = random::constraint(rng);
    let child = match rng.below(3) {
        0 => random::narrowed(rng, &parent),
        1 => random::widened(rng, &parent).unwrap_or_else(|| parent.clone()),
        _ if rng.once_in(2) => random::constraint_of(rng, parent["type"].as_str().unwrap()),
        _ => random::constraint(rng),
    };
    (child, parent)
}

#[test]
fn what_passes_a_narrower_constraint_passes_the_other() {
    let mut rng = Rng::new(1);
    let mut seen: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for _ in 0..20_000 {
        let (child, parent) = pair(&mut rng);
        let kinds = format!(
            "{} {}",
            child["type"].as_str().unwrap(),
            parent["type"].as_str().unwrap()
        );
        let (own, kept) = (read(&child), read(&parent));
        let is_narrower = narrower(&own, &kept);
        let count = seen.entry(kinds).or_default();
        count[usize::from(is_narrower)] += 1;
        if !is_narrower {
            continue;
        }
        for _ in 0..10 {
            let case = Case::random(&mut rng);
            // Approval pending at the child may be pending at the parent, or not needed there.
            match (case.check(&own), case.check(&kept)) {
                (None | Some(DenialCode::ApprovalRequired), Some(code)) if code != DenialCode::ApprovalRequired => {
                    panic!(
                        "{child} lets pass what {parent} refuses ({code}): {:?}",
                        case.parameters
                    )
                }
                (None, Some(_)) => panic!("{child} needs no approval and {parent} does: {:?}", case.parameters),
                _ => {}
            }
        }
    }
    for kind in random::TYPES {
        let [no, yes] = seen[&format!("{kind} {kind}")];
        assert!(no > 20 && yes > 20, "{kind}: narrower {yes} times, wider {no} times");
    }
}

#[test]
fn a_list_of_values_is_narrower_than_whatever_lets_all_of_them_pass() {
    use serde_json::json;
    let one = json!({"type": "exact", "parameter": "ward", "value": "7.5"});
    let two = json!({"type": "oneOf", "parameter": "ward", "values": ["7.5", 9]});
    let within = |child: &Value, parent: Value| narrower(&read(child), &read(&parent));
    let listed = |values: Value| json!({"type": "oneOf", "parameter": "ward", "values": values});
    let excluded = |values: Value| json!({"type": "notOneOf", "parameter": "ward", "values": values});
    let range = |maximum: &str| json!({"type": "range", "parameter": "ward", "maximum": maximum});
    let prefix = |value: &str| json!({"type": "prefix", "parameter": "ward", "value": value});
    for (parent, of_one, of_two) in [
        (one.clone(), true, false),
        (two.clone(), true, true),
        (listed(json!(["7.5", "9"])), true, false),
        (listed(json!([7, 9])), false, false),
        (excluded(json!(["9"])), true, true),
        (excluded(json!([9])), true, false),
        (excluded(json!(["7.5"])), false, false),
        (range("9"), true, true),
        (range("8"), true, false),
        (range("7"), false, false),
        (prefix("7."), true, false),
        (prefix("7.6"), false, false),
        (
            json!({"type": "range", "parameter": "ward", "maximum": "9", "unit": "kg"}),
            false,
            false,
        ),
        (
            json!({"type": "range", "parameter": "bed", "maximum": "9"}),
            false,
            false,
        ),
    ] {
        assert_eq!(
            (within(&one, parent.clone()), within(&two, parent.clone())),
            (of_one, of_two),
            "{parent}"
        );
    }
    assert!(!within(&listed(json!(["7.5"])), prefix("7.5/")) && !within(&range("1"), range("0.9")));
}

#[test]
fn narrowed_is_narrower_and_widened_is_not() {
    let mut rng = Rng::new(2);
    for _ in 0..20_000 {
        let parent = random::constraint(&mut rng);
        let child = random::narrowed(&mut rng, &parent);
        assert!(narrower(&read(&parent), &read(&parent)), "{parent}");
        assert!(narrower(&read(&child), &read(&parent)), "{child} within {parent}");
        let grandchild = random::narrowed(&mut rng, &child);
        assert!(
            narrower(&read(&grandchild), &read(&parent)),
            "{grandchild} within {parent}"
        );
        if let Some(child) = random::widened(&mut rng, &parent) {
            assert!(
                child == parent || !narrower(&read(&child), &read(&parent)),
                "{child} within {parent}"
            );
        }
    }
}

#[test]
fn it_is_transitive() {
    let mut rng = Rng::new(3);
    let mut said = 0;
    for _ in 0..60_000 {
        let (b, a) = pair(&mut rng);
        let c = if rng.once_in(2) {
            random::narrowed(&mut rng, &b)
        } else {
            random::constraint(&mut rng)
        };
        if narrower(&read(&c), &read(&b)) && narrower(&read(&b), &read(&a)) {
            assert!(narrower(&read(&c), &read(&a)), "{c} within {b} within {a}");
            said += 1;
        }
    }
    assert!(said > 5_000, "{said}");
}

fn capability(rng: &mut Rng) -> Capability {
    let constraints = (0..rng.below(3)).map(|_| read(&random::constraint(rng))).collect();
    let resource = *rng.pick(&["*", "a/*", "a/b", "a/b/*", "b", "ab/*"]);
    let (action, scope) = (*rng.pick(&["read", "call"]), *rng.pick(&["", "own"]));
    world::capability(action, resource, scope, constraints)
}

#[test]
fn what_a_narrower_capability_allows_the_other_allows() {
    let mut rng = Rng::new(4);
    let mut said = 0;
    for _ in 0..60_000 {
        let parent = capability(&mut rng);
        let mut child = capability(&mut rng);
        // Mostly the parent's constraints and some of its own.
        child
            .constraint
            .extend(parent.constraint.iter().filter(|_| !rng.once_in(4)).cloned());
        if !rng.once_in(3) {
            (child.action, child.scope) = (parent.action.clone(), parent.scope.clone());
        }
        if !capability::narrower(&child, &parent) {
            continue;
        }
        said += 1;
        let allows = |capability: &Capability, resource: &Resource, case: &Case| {
            capability.resource.covers(resource) && capability.constraint.iter().all(|one| case.check(one).is_none())
        };
        for text in ["a", "b", "a/b", "a/b/c", "a/c", "ab/c", "abc"] {
            let (resource, case) = (Resource::parse(text).unwrap(), Case::random(&mut rng));
            assert!(
                !allows(&child, &resource, &case) || allows(&parent, &resource, &case),
                "{child:?} within {parent:?} on {text}"
            );
        }
    }
    assert!(said > 2_000, "{said}");
}

#[test]
fn a_capability_is_wider_in_any_one_respect() {
    let kept = || vec![world::range("amount", None, Some("100"), Some("USD"))];
    let parent = world::capability("call", "api/orders/*", "own", kept());
    let within = |action: &str, resource: &str, scope: &str, constraint| {
        capability::narrower(&world::capability(action, resource, scope, constraint), &parent)
    };
    assert!(within("call", "api/orders/*", "own", kept()));
    assert!(within("call", "api/orders/7", "own", kept()) && within("call", "api/orders/7/*", "own", kept()));
    let tighter = || {
        vec![
            world::approval_for("operation", &["x"]),
            world::range("amount", Some("1"), Some("99.99"), Some("USD")),
        ]
    };
    assert!(within("call", "api/orders/*", "own", tighter()), "a constraint more");
    assert!(!within("read", "api/orders/*", "own", kept()));
    assert!(!within("call", "api/*", "own", kept()) && !within("call", "*", "own", kept()));
    assert!(!within("call", "api/orders", "own", kept()) && !within("call", "api/orders2/7", "own", kept()));
    assert!(!within("call", "api/orders/*", "", kept()) && !within("call", "api/orders/*", "Own", kept()));
    assert!(!within("call", "api/orders/*", "own", Vec::new()), "the limit is gone");
    let more = vec![world::range("amount", None, Some("100.01"), Some("USD"))];
    assert!(!within("call", "api/orders/*", "own", more));
    let other = vec![world::range("sum", None, Some("100"), Some("USD"))];
    assert!(
        !within("call", "api/orders/*", "own", other),
        "a limit on something else"
    );
}
