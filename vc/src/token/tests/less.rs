//! Asking for less, and what a request may do.

use super::*;
use crate::action::{Parameter, Parameters};
use crate::capability::{Action, Asked, Resource, Scope};
use crate::token::details::{NotGranted, all, by_scope, narrowed};
use crate::token::permit::{NotPermitted, ProfileError, Use};

#[test]
fn less_is_given_and_more_is_refused() {
    let granted = granted();
    assert_eq!(all(&granted).unwrap(), granted);
    assert_eq!(all(&[]), Err(NotGranted::Nothing));
    let one = |text: &str| narrowed(&granted, &[capability(text)]);
    let narrow = one(r#"{"action":"read","resource":"tickets/42"}"#).unwrap();
    assert_eq!(narrow, [capability(r#"{"action":"read","resource":"tickets/42"}"#)]);
    for more in [
        r#"{"action":"read","resource":"*"}"#,
        r#"{"action":"read","resource":"tickets"}"#,
        r#"{"action":"delete","resource":"tickets/42"}"#,
        r#"{"action":"read","resource":"tickets/42","scope":"any"}"#,
        r#"{"action":"call","resource":"billing_api"}"#,
    ] {
        assert_eq!(one(more), Err(NotGranted::Item(0)), "{more}");
    }
    // Constraints are added to those that were granted, and take none away.
    let tighter = one(
        r#"{"action":"call","resource":"billing_api","scope":"refund","constraint":[{"type":"range","parameter":"amount","maximum":"500","unit":"USD"}]}"#,
    );
    assert_eq!(tighter.unwrap()[0].constraint.len(), 2);
    let same = one(r#"{"action":"call","resource":"billing_api","scope":"refund"}"#).unwrap();
    assert_eq!(same, [granted[0].clone()]);

    assert_eq!(by_scope(&granted, "read:tickets/42 call:billing_api").unwrap().len(), 2);
    assert_eq!(by_scope(&granted, "call:billing_api").unwrap(), [granted[0].clone()]);
    assert_eq!(by_scope(&granted, "read:*"), Err(NotGranted::Item(0)));
    assert_eq!(
        by_scope(&granted, "read:tickets/1  read:tickets/2"),
        Err(NotGranted::Scope(1))
    );
    assert_eq!(by_scope(&granted, "openid"), Err(NotGranted::Scope(0)));
}

/// What becomes of a request under a token with these grants.
fn permitted(
    grants: &[Capability],
    asked: (&str, &str, Option<&str>),
    parameters: &str,
) -> Result<usize, NotPermitted> {
    let token = AccessClaims {
        grants: grants.to_vec(),
        ..claims()
    };
    let keys = [key(1).public_key().clone()];
    let token = CheckedToken::read(&token.sign(&key(1)).unwrap(), &expected(), &keys, at(NOW)).unwrap();
    let (action, resource, scope) = asked;
    let (action, resource) = (Action::parse(action).unwrap(), Resource::parse(resource).unwrap());
    let scope = scope.and_then(Scope::parse);
    let object = json::parse(parameters.as_bytes()).unwrap().into_object().unwrap();
    let parameters: Parameters = object
        .iter()
        .map(|(name, value)| (name.to_owned(), Parameter::read(value, &Path::ROOT).unwrap()))
        .collect();
    let verifier = crate::did_key::for_key(key(8).public_key());
    let request = Use {
        asked: Asked {
            action: &action,
            resource: &resource,
            scope: scope.as_ref(),
        },
        parameters: &parameters,
        purpose: None,
        verifier: &verifier,
        now: at(NOW),
    };
    token.permits(&request).map(|permitted| {
        assert_eq!(*permitted.grant, grants[permitted.index]);
        permitted.charges.len()
    })
}

#[test]
fn a_request_is_allowed_by_a_grant_whose_constraints_hold_and_refused_in_the_words_of_the_profile() {
    let grants = granted();
    let refund = |amount: &str| {
        let parameters = format!(r#"{{"amount":{{"value":"{amount}","unit":"USD"}}}}"#);
        permitted(&grants, ("call", "billing_api", Some("refund")), &parameters)
    };
    assert_eq!(refund("100.00"), Ok(0));
    let error = |outcome: Result<usize, NotPermitted>| outcome.unwrap_err().error;
    assert_eq!(error(refund("100.01")), ProfileError::ConstraintViolation);
    assert_eq!(permitted(&grants, ("read", "tickets/7", None), "{}"), Ok(0));
    for other in [
        ("read", "tickets", None),
        ("delete", "tickets/7", None),
        ("read", "tickets/7", Some("own")),
        ("call", "billing_api", None),
    ] {
        assert_eq!(
            error(permitted(&grants, other, "{}")),
            ProfileError::InvalidCapability,
            "{other:?}"
        );
    }
    let approval = permitted(&grants, ("write", "tickets/7", None), "{}").unwrap_err();
    assert_eq!(approval.error, ProfileError::ApprovalRequired);
    assert_eq!(
        (approval.error.as_str(), approval.error.status()),
        ("aap_approval_required", 403)
    );
    // A parameter that a constraint speaks of and the request does not have.
    assert_eq!(
        error(permitted(&grants, ("call", "billing_api", Some("refund")), "{}")),
        ProfileError::ConstraintViolation
    );
    // Another grant of the same allows what the first does not.
    let wider = [
        grants[2].clone(),
        capability(r#"{"action":"write","resource":"tickets/7"}"#),
    ];
    assert_eq!(permitted(&wider, ("write", "tickets/7", None), "{}"), Ok(0));
    assert_eq!(
        error(permitted(&wider, ("write", "tickets/8", None), "{}")),
        ProfileError::ApprovalRequired
    );
    // What must be counted is handed out to be counted.
    let rated = [capability(
        r#"{"action":"read","resource":"a","constraint":[{"type":"rate","limit":3,"period":"day"}]}"#,
    )];
    assert_eq!(permitted(&rated, ("read", "a", None), "{}"), Ok(1));
    let elsewhere = [capability(
        r#"{"action":"read","resource":"a","constraint":[{"type":"audience","allowed":["did:example:other"]}]}"#,
    )];
    assert_eq!(
        error(permitted(&elsewhere, ("read", "a", None), "{}")),
        ProfileError::InvalidContext
    );
}

/// Few names, so that related capabilities are likely.
fn any_capability() -> impl Strategy<Value = Capability> {
    let constraint = prop_oneof![
        Just(String::new()),
        "[12]".prop_map(|n| format!(r#","constraint":[{{"type":"exact","parameter":"p","value":"{n}"}}]"#)),
    ];
    let scope = prop_oneof![Just(String::new()), Just(r#","scope":"s""#.to_owned())];
    let resource = proptest::sample::select(vec!["*", "a", "a/*", "a/b", "a/b/*", "b"]);
    ("read|write", resource, scope, constraint).prop_map(|(action, resource, scope, constraint)| {
        capability(&format!(
            r#"{{"action":"{action}","resource":"{resource}"{scope}{constraint}}}"#
        ))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Whatever a narrowed grant covers, some granted capability covers with no constraint that the grant lacks, and the
    /// item that was asked for covers it too.
    #[test]
    fn asking_only_narrows(
        granted in proptest::collection::vec(any_capability(), 0..5),
        asked in proptest::collection::vec(any_capability(), 1..4),
        path in "(a|b)(/(a|b)){0,2}",
        scoped in any::<bool>(),
    ) {
        let resource = Resource::parse(&path).unwrap();
        let label = Scope::parse("s");
        let Ok(grants) = narrowed(&granted, &asked) else { return Ok(()) };
        for grant in &grants {
            let what = Asked { action: &grant.action, resource: &resource, scope: if scoped { label.as_ref() } else { None } };
            if what.is_covered_by(grant) {
                let keeps = |one: &Capability| one.constraint.iter().all(|c| grant.constraint.contains(c));
                prop_assert!(granted.iter().any(|one| what.is_covered_by(one) && keeps(one)));
                prop_assert!(asked.iter().any(|one| what.is_covered_by(one) && keeps(one)));
            }
        }
    }
}
