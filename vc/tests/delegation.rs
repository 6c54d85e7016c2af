//! Credentials that were handed on: what a decision says of the whole chain, what a chain shares, and what who hands on
//! is told before signing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use std::collections::BTreeSet;

use syndic_vc::capability::Capability;
use syndic_vc::constraint::{Budget, Constraint, Decimal, Period};
use syndic_vc::credential::{self, Credential};
use syndic_vc::decision::Decision;
use syndic_vc::delegation;
use syndic_vc::denial::{DenialCode, Denied};
use syndic_vc::enveloped;
use syndic_vc::json::Value;
use syndic_vc::json::members::Path;
use syndic_vc::verify::{self, ActionRequest, AllowedAction, PresentationRequest};
use world::chain::*;
use world::*;

fn known() -> Known {
    let mut known = Known::new();
    registered(&mut known, 9);
    known
}

fn decide(document: &Value, known: &Known, once: &Once) -> Result<AllowedAction, Denied> {
    let request = ActionRequest { audience: &south().did };
    verify::action(&text(document), &request, &policy(), known, once, now())
}

#[test]
fn a_decision_names_every_link_and_everybody_whose_word_it_rests_on() {
    let chain = handed_on(2).with(2, |link| link.status[0].list = WEST_LIST.into());
    let mut known = known();
    known.agents.insert(hop(1).did, west());
    known.other_lists.insert(WEST_LIST.into(), west());
    known.heard.insert(west(), after(-9));
    let outcome = decide(&refund_under(&chain.sign(), "49.99"), &known, &Once::new());
    let shown = serde_json::to_value(Decision::of(&outcome)).unwrap();
    let ids: Vec<&str> = chain.drafts.iter().rev().map(|link| link.id.as_str()).collect();
    assert_eq!(shown["chain"], serde_json::json!(ids));
    let issuers: Vec<&str> = shown["asOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["issuer"].as_str().unwrap())
        .collect();
    assert_eq!(
        issuers,
        [west().as_str(), north().did.as_str()],
        "once each, the leaf's first"
    );
    assert_eq!(shown["subject"], agent().did.as_str());
    assert_eq!(shown["owner"]["id"], owner().id);
    assert_eq!(
        shown["checked"],
        serde_json::json!([
            "syntax",
            "proof",
            "validity",
            "status",
            "agent",
            "holder",
            "chain",
            "standing",
            "constraints",
            "freshness",
            "single-use"
        ])
    );
    let allowed = outcome.unwrap();
    assert_eq!((allowed.issuer(), allowed.root_issuer()), (&hop(1).did, &north().did));
    // A refusal lists them, too, once their proofs held.
    known.set.insert((LIST.into(), index_of(0)));
    let outcome = decide(&refund_under(&chain.sign(), "49.99"), &known, &Once::new());
    let shown = serde_json::to_value(Decision::of(&outcome)).unwrap();
    assert_eq!(shown["reasons"][0]["code"], "revoked");
    assert_eq!(shown["chain"], serde_json::json!(ids));
}

/// At most so many dollars in a month.
fn month(dollars: &str) -> Constraint {
    Constraint::Budget(Budget {
        parameter: "amount".into(),
        limit: Decimal::parse(dollars).unwrap(),
        unit: Some("USD".into()),
        period: Period::Month,
    })
}

#[test]
fn a_budget_is_shared_by_all_it_was_handed_on_to() {
    let budgeted = |dollars: &[&str]| {
        let mut chain = handed_on(dollars.len() - 1);
        for (link, dollars) in chain.drafts.iter_mut().zip(dollars) {
            link.capability[0].constraint.push(month(dollars));
        }
        chain
    };
    let once = Once::new();
    // Two credentials of 60 each for the agent, from one of 100.
    let first = budgeted(&["100", "60"]).sign();
    let second = budgeted(&["100", "60"])
        .with(1, |link| {
            link.id = "urn:uuid:4a8e2f60-1c7d-4d38-b5e9-6f0a3b2c1d8e".into()
        })
        .sign();
    assert_eq!(first[1], second[1], "one parent");
    let act = |credentials: &[Value], dollars: &str, nonce: &str| {
        let parameters = format!("{{\"amount\":{{\"value\":\"{dollars}\",\"unit\":\"USD\"}}}}");
        let mut draft = action_draft(&credentials[0], "call", "billing_api", "refund_under_100", &parameters);
        draft.nonce = format!("{NONCE}{nonce}");
        let outcome = decide(&envelope_of(sign_action(draft), credentials), &known(), &once);
        outcome.err().map(|denied| (denied.code(), denied.first().at.clone()))
    };
    let leaf = "/credential/credentialSubject/capability/0/constraint/2".to_owned();
    let root = "/chain/0/credentialSubject/capability/0/constraint/2".to_owned();
    assert_eq!(act(&first, "50", "a"), None);
    assert_eq!(
        act(&first, "10.01", "b"),
        Some((DenialCode::BudgetExceeded, leaf)),
        "its own is used up"
    );
    assert_eq!(
        act(&second, "50.01", "c"),
        Some((DenialCode::BudgetExceeded, root.clone())),
        "theirs together"
    );
    assert_eq!(act(&second, "50", "d"), None);
    assert_eq!(act(&first, "0.01", "e"), Some((DenialCode::BudgetExceeded, root)));
}

#[test]
fn whoever_is_revoked_takes_all_below_along() {
    for depth in [1, 4, 8] {
        let credentials = handed_on(depth).sign();
        let document = refund_under(&credentials, "1");
        assert!(decide(&document, &known(), &Once::new()).is_ok());
        for step in 0..=depth {
            let mut known = known();
            known.set.insert((LIST.into(), index_of(step)));
            let denied = decide(&document, &known, &Once::new()).unwrap_err();
            assert_eq!(denied.code(), DenialCode::Revoked, "step {step} of {depth}");
        }
        for step in 0..depth {
            let mut known = known();
            known.suspended.insert(hop(step).did);
            let denied = decide(&document, &known, &Once::new()).unwrap_err();
            assert_eq!(denied.code(), DenialCode::AgentSuspended, "hop {step} of {depth}");
        }
    }
}

#[test]
fn what_is_presented_holds_with_its_ancestors_and_hands_out_the_leaf_only() {
    let chain = handed_on(2).sign();
    let request = PresentationRequest {
        challenge: CHALLENGE,
        domain: DOMAIN,
    };
    let document = present(vec![chain[2].clone(), chain[0].clone(), chain[1].clone(), credential()]);
    let outcome = verify::presentation(&text(&document), &request, &policy(), &known(), &Once::new(), now());
    let presented = outcome.unwrap();
    let [leaf, other] = presented.credentials() else {
        panic!()
    };
    assert_eq!(*leaf.document(), chain[0]);
    assert_eq!(*other.document(), credential());
    let above: Vec<Option<&str>> = leaf.ancestors().iter().map(|one| one.id.as_deref()).collect();
    assert_eq!(
        above,
        [&chain[1], &chain[2]].map(|one| one.get("id").and_then(Value::as_str))
    );
    assert!(other.ancestors().is_empty());
}

#[test]
fn a_parent_in_an_envelope_is_a_parent() {
    // The root comes as a token; its digest is that of what was signed.
    let chain = handed_on(1);
    let root = chain.drafts[0].to_document().unwrap();
    let root = enveloped::sign_credential(&root, &north().method(), north().signer()).unwrap();
    let mut leaf = chain.drafts[1].clone();
    leaf.delegated_from = Some(delegation::reference(&root).unwrap());
    let signer = &chain.signers[1];
    let leaf = leaf.sign(&signer.method(), after(-3_600), signer.signer()).unwrap();
    assert!(decide(&refund_under(&[leaf.clone(), root], "1"), &known(), &Once::new()).is_ok());
    let other = chain.sign()[1].clone();
    let denied = decide(&refund_under(&[leaf, other], "1"), &known(), &Once::new()).unwrap_err();
    assert_eq!(
        denied.code(),
        DenialCode::ChainBroken,
        "the same content, signed otherwise"
    );
}

#[test]
fn a_claim_of_that_name_in_another_credential_says_nothing() {
    let mut plain = syndic_vc::object! {
        "@context": vec![credential::CREDENTIALS_CONTEXT, credential::CAPABILITY_CONTEXT],
        "type": vec!["VerifiableCredential"],
        "issuer": north().did.as_str(),
        "credentialSubject": syndic_vc::object! { "id": agent().did.as_str() },
        "delegatedFrom": syndic_vc::object! { "id": "urn:uuid:1", "digest": "z" },
    };
    let object = plain.as_object_mut().unwrap();
    let options = syndic_vc::proof::ProofOptions::new(
        syndic_vc::document::Purpose::AssertionMethod,
        &north().method(),
        after(-2),
    );
    let signed = syndic_vc::proof::sign(object.clone(), &options, north().signer()).unwrap();
    let request = PresentationRequest {
        challenge: CHALLENGE,
        domain: DOMAIN,
    };
    let document = present(vec![signed]);
    let outcome = verify::presentation(&text(&document), &request, &policy(), &known(), &Once::new(), now());
    assert_eq!(outcome.unwrap().credentials().len(), 1);
}

#[test]
fn who_hands_on_is_told_before_signing() {
    let chain = handed_on(1);
    let signed = chain.sign();
    let read = |value: &Value| Credential::read(value.as_object().unwrap(), &Path::ROOT).unwrap();
    let (leaf, root) = (read(&signed[0]), read(&signed[1]));
    let digest = || credential::digest(&signed[1]);
    assert_eq!(delegation::check(&leaf, &Path::ROOT, &root, &digest), Ok(()));
    let mut seen = BTreeSet::new();
    let mut refused = |change: &dyn Fn(&mut Credential)| {
        let mut child = leaf.clone();
        change(&mut child);
        let reason = delegation::check(&child, &Path::ROOT, &root, &digest).unwrap_err();
        seen.insert(reason.code);
        reason.at
    };
    let subject = |child: &mut Credential, change: &dyn Fn(&mut credential::CapabilitySubject)| match &mut child.subject
    {
        credential::Subject::Capability(subject) => change(subject),
        credential::Subject::Other { .. } => panic!(),
    };
    assert_eq!(refused(&|child| child.delegated_from = None), "/delegatedFrom");
    assert_eq!(refused(&|child| child.issuer = stranger().did.to_string()), "/issuer");
    assert_eq!(refused(&|child| child.valid_until = None), "/validUntil");
    assert_eq!(
        refused(&|child| subject(child, &|subject| subject.max_depth = 1)),
        "/credentialSubject/delegation"
    );
    assert_eq!(
        refused(&|child| subject(child, &|subject| subject.owner.id = "did:example:ben".into())),
        "/credentialSubject/owner"
    );
    let all = |subject: &mut credential::CapabilitySubject| {
        subject.capability.push(Capability {
            constraint: Vec::new(),
            ..subject.capability[0].clone()
        });
    };
    assert_eq!(
        refused(&|child| subject(child, &all)),
        "/credentialSubject/capability/1"
    );
    assert_eq!(seen.len(), 4, "{seen:?}");
}
