//! Vectors of credentials that were handed on.

use syndic_vc::capability::Capability;
use syndic_vc::constraint::{Constraint, Period, Rate};
use syndic_vc::json::Value;

use super::*;
use crate::world::chain::*;

/// A refund of 49.99 USD under a chain that was handed on so many times.
fn refund_by(name: &'static str, chain: &Chain) -> Vector {
    let credentials = chain.sign();
    under(name, &credentials)
}

fn under(name: &'static str, credentials: &[Value]) -> Vector {
    Vector::new("action", name, refund_under(credentials, "49.99")).known(|known| registered(known, 9))
}

fn only(draft: &mut syndic_vc::credential::CapabilityCredentialDraft) -> &mut Capability {
    &mut draft.capability[0]
}

pub(super) fn all() -> Vec<Vector> {
    let mut all = allowed();
    all.extend(wider());
    all.extend(broken());
    all.extend(lives());
    all.extend(presented());
    all
}

fn allowed() -> Vec<Vector> {
    let narrowed = || {
        handed_on(2)
            .with(1, |link| only(link).constraint[0] = at_most("60"))
            .with(2, |link| only(link).constraint[0] = at_most("50.00"))
    };
    let elsewhere = handed_on(2).with(2, |link| link.status[0].list = WEST_LIST.into());
    let rates = handed_on(1).with(0, |link| {
        only(link).constraint.push(Constraint::Rate(Rate {
            limit: 1,
            period: Period::Day,
        }));
    });
    let rates = rates.with(1, |link| {
        only(link).constraint.push(Constraint::Rate(Rate {
            limit: 1,
            period: Period::Day,
        }));
    });
    vec![
        refund_by("allow-handed-on-once", &handed_on(1)),
        refund_by("allow-handed-on-eight-times", &handed_on(8)),
        refund_by("allow-handed-on-with-less", &narrowed()),
        Vector::new(
            "action",
            "deny-beyond-what-the-last-was-given",
            refund_under(&narrowed().sign(), "50.01"),
        )
        .known(|known| registered(known, 9))
        .denied("value-out-of-range", "/action/parameters/amount"),
        refund_by(
            "allow-handed-on-without-the-owners-name",
            &handed_on(1).with(1, |link| link.owner.name = None),
        ),
        refund_by("allow-handed-on-by-an-agent-of-another-organization", &elsewhere).known(|known| {
            known.agents.insert(hop(1).did, west());
            known.other_lists.insert(WEST_LIST.into(), west());
            known.heard.insert(west(), after(-5));
        }),
        refund_by("allow-handed-on-with-a-count", &rates),
        refund_by(
            "approval-of-what-was-handed-on",
            &handed_on(1).with(1, |link| {
                only(link)
                    .constraint
                    .push(Constraint::Approval(syndic_vc::constraint::Approval {
                        approver: owner().id,
                        when: None,
                    }));
            }),
        )
        .pending("/credential/credentialSubject/capability/0/constraint/2"),
    ]
}

fn wider() -> Vec<Vector> {
    let capability = "/credential/credentialSubject/capability/0";
    let one = |name, change: &dyn Fn(&mut syndic_vc::credential::CapabilityCredentialDraft)| {
        refund_by(name, &handed_on(2).with(2, |link| change(link)))
    };
    vec![
        one("deny-handed-on-with-a-higher-limit", &|link| {
            only(link).constraint[0] = at_most("100.01")
        })
        .denied("delegation-wider", capability),
        one("deny-handed-on-without-a-limit", &|link| {
            drop(only(link).constraint.remove(0))
        })
        .denied("delegation-wider", capability),
        one("deny-handed-on-with-a-limit-in-another-currency", &|link| {
            only(link).constraint[0] = range("amount", None, Some("50"), Some("EUR"));
        })
        .denied("delegation-wider", capability),
        one("deny-handed-on-for-all-resources", &|link| {
            only(link).resource = pattern("*")
        })
        .denied("delegation-wider", capability),
        one("deny-handed-on-with-one-capability-more", &|link| {
            link.capability.push(capability_of("read", "customer_records"));
        })
        .denied("delegation-wider", "/credential/credentialSubject/capability/1"),
        one("deny-handed-on-for-longer", &|link| link.valid_until = after(82_801))
            .denied("delegation-wider", "/credential/validUntil"),
        one("deny-handed-on-from-earlier", &|link| link.valid_from = after(-3_601))
            .denied("delegation-wider", "/credential/validFrom"),
        refund_by(
            "deny-widened-in-the-middle-of-the-chain",
            &handed_on(3)
                .with(1, |link| only(link).constraint[0] = at_most("50"))
                .with(2, |link| only(link).constraint[0] = at_most("60"))
                .with(3, |link| only(link).constraint[0] = at_most("50")),
        )
        .denied("delegation-wider", "/chain/0/credentialSubject/capability/0"),
        one("deny-another-owner", &|link| {
            link.owner.id = "https://north.example/people/ben".into()
        })
        .denied("owner-changed", "/credential/credentialSubject/owner"),
        one("deny-another-name-for-the-owner", &|link| {
            link.owner.name = Some("Ben".into())
        })
        .denied("owner-changed", "/credential/credentialSubject/owner"),
        refund_by(
            "deny-handed-on-though-it-may-not-be",
            &handed_on(1).with(0, |link| link.max_depth = 0),
        )
        .denied("delegation-not-allowed", "/credential/credentialSubject/delegation"),
        refund_by(
            "deny-handed-on-more-often-than-allowed",
            &handed_on(2).with(0, |link| link.max_depth = 1),
        )
        .denied("delegation-not-allowed", "/chain/0/credentialSubject/delegation"),
        one("deny-to-be-handed-on-as-often-again", &|link| link.max_depth = 1)
            .denied("delegation-not-allowed", "/credential/credentialSubject/delegation"),
    ]
}

fn capability_of(action: &str, resource: &str) -> Capability {
    capability(action, resource, "", Vec::new())
}

fn broken() -> Vec<Vector> {
    let credentials = handed_on(2).sign();
    let [leaf, middle, root] = &credentials[..] else {
        panic!("three credentials")
    };
    let (leaf, middle, root) = (leaf.clone(), middle.clone(), root.clone());
    let other = handed_on(2).with(1, |link| link.agent_name = "Another".into()).sign();
    let mut long = handed_on(8);
    long.drafts.iter_mut().for_each(|link| link.max_depth = 8);
    let mut long = long.sign();
    long.push(root.clone());
    let stranger_issued = {
        let mut chain = handed_on(1);
        chain.drafts[1].issuer = stranger().did;
        chain.signers[1] = stranger();
        chain
    };
    let foreign = {
        let mut chain = handed_on(1);
        chain.signers[1] = stranger();
        chain
    };
    vec![
        under("deny-chain-without-its-root", &[leaf.clone(), middle.clone()])
            .denied("chain-broken", "/chain/0/delegatedFrom"),
        under("deny-handed-on-without-a-chain", std::slice::from_ref(&leaf))
            .denied("chain-broken", "/credential/delegatedFrom"),
        under("deny-chain-without-the-middle", &[leaf.clone(), root.clone()])
            .denied("chain-broken", "/credential/delegatedFrom/id"),
        under("deny-chain-in-another-order", &[leaf.clone(), root.clone(), middle])
            .denied("chain-broken", "/credential/delegatedFrom/id"),
        under(
            "deny-another-parent-under-the-same-id",
            &[leaf.clone(), other[1].clone(), root.clone()],
        )
        .denied("chain-broken", "/credential/delegatedFrom/digest"),
        under("deny-a-root-with-a-chain-above-it", &[credential(), root])
            .denied("chain-broken", "/credential/delegatedFrom"),
        refund_by("deny-handed-on-by-another-than-the-holder", &stranger_issued)
            .known(|known| {
                known.agents.insert(stranger().did, north().did);
            })
            .denied("chain-broken", "/credential/issuer"),
        refund_by("deny-handed-on-with-a-key-that-is-not-the-holders", &foreign)
            .denied("verification-method-foreign", "/credential/proof/verificationMethod"),
        under("deny-handed-on-nine-times", &long).denied("chain-too-long", "/chain"),
        under(
            "deny-a-changed-ancestor",
            &[leaf.clone(), changed(other[1].clone(), &["name"], "x")],
        )
        .denied("signature-invalid", "/chain/0/proof/proofValue"),
        Vector::new("action", "deny-a-chain-that-is-no-list", {
            let mut envelope = refund_under(&credentials, "1");
            set(&mut envelope, &["chain"], "all of it");
            envelope
        })
        .denied("document-malformed", "/chain"),
        Vector::new("action", "deny-delegated-from-with-unknown-member", {
            let mut envelope = refund_under(&credentials, "1");
            set(&mut envelope, &["credential", "delegatedFrom", "why"], "because");
            envelope
        })
        .denied("document-malformed", "/credential/delegatedFrom/why"),
        Vector::new("credential", "deny-handed-on-alone", leaf)
            .known(|known| registered(known, 9))
            .denied("chain-broken", "/delegatedFrom"),
    ]
}

fn lives() -> Vec<Vector> {
    let chain = handed_on(2).sign();
    let revoked = |name, step, at| {
        under(name, &chain)
            .known(|known| {
                known.set.insert((LIST.into(), index_of(step)));
            })
            .denied("revoked", at)
    };
    vec![
        revoked("deny-revoked-root-of-a-chain", 0, "/chain/1/credentialStatus"),
        revoked("deny-revoked-middle-of-a-chain", 1, "/chain/0/credentialStatus"),
        revoked("deny-revoked-leaf-of-a-chain", 2, "/credential/credentialStatus"),
        under("deny-handed-on-by-a-suspended-agent", &chain)
            .known(|known| {
                known.suspended.insert(hop(0).did);
            })
            .denied("agent-suspended", "/chain/0/issuer"),
        under("deny-handed-on-by-a-retired-agent", &chain)
            .known(|known| {
                known.retired.insert(hop(1).did);
            })
            .denied("agent-retired", "/credential/issuer"),
        under("deny-handed-on-by-an-agent-that-nobody-registered", &chain)
            .known(|known| {
                known.agents.remove(&hop(1).did);
            })
            .denied("status-unknown", "/credential/credentialStatus"),
        under("deny-handed-on-with-a-status-in-anothers-list", &chain)
            .known(|known| {
                known.agents.insert(hop(1).did, west());
                known.heard.insert(west(), after(-5));
            })
            .denied("status-unknown", "/credential/credentialStatus"),
        refund_by(
            "deny-chain-when-a-delegators-organization-was-not-heard",
            &handed_on(2).with(2, |link| link.status[0].list = WEST_LIST.into()),
        )
        .known(|known| {
            known.agents.insert(hop(1).did, west());
            known.other_lists.insert(WEST_LIST.into(), west());
            known.heard.insert(west(), after(-301));
        })
        .denied("knowledge-stale", "/credential/issuer"),
        under("deny-chain-whose-root-is-not-authorized", &chain)
            .known(|known| {
                known
                    .authorized
                    .insert(north().did, vec![("read".into(), pattern("*"))]);
            })
            .denied("issuer-not-authorized", "/chain/1/credentialSubject/capability/0"),
        under("deny-chain-whose-root-has-a-compromised-key", &chain)
            .known(|known| known.compromise(&north().method(), &[]))
            .denied("key-compromised", "/chain/1/proof/verificationMethod"),
        refund_by(
            "deny-chain-whose-root-has-expired",
            &handed_on(1).with(0, |link| link.valid_until = now()),
        )
        .denied("expired", "/chain/0/validUntil"),
    ]
}

fn presented() -> Vec<Vector> {
    let vector = |name, credentials: Vec<Value>| {
        Vector::new("presentation", name, present(credentials)).known(|known| registered(known, 9))
    };
    let chain = handed_on(2).sign();
    let reversed: Vec<Value> = chain.iter().rev().cloned().collect();
    let mut with_another = chain.clone();
    with_another.push(credential());
    let mut with_a_strangers = chain.clone();
    with_a_strangers.push(handed_on(1).with(0, |link| link.agent_name = "Another".into()).sign()[1].clone());
    vec![
        vector("allow-handed-on-with-its-ancestors", chain.clone()),
        vector("allow-ancestors-in-any-order", reversed),
        vector("allow-handed-on-beside-another", with_another),
        vector("deny-handed-on-without-its-ancestors", vec![chain[0].clone()])
            .denied("chain-broken", "/verifiableCredential/0/delegatedFrom"),
        vector(
            "deny-handed-on-without-its-root",
            vec![chain[0].clone(), chain[1].clone()],
        )
        .denied("chain-broken", "/verifiableCredential/1/delegatedFrom"),
        vector("deny-an-ancestor-that-is-nobodys", with_a_strangers)
            .denied("holder-mismatch", "/verifiableCredential/3/credentialSubject/id"),
        vector("deny-only-an-ancestor", vec![chain[2].clone()])
            .denied("holder-mismatch", "/verifiableCredential/0/credentialSubject/id"),
        vector("deny-presented-with-a-revoked-ancestor", chain.clone())
            .known(|known| {
                known.set.insert((LIST.into(), index_of(0)));
            })
            .denied("revoked", "/verifiableCredential/2/credentialStatus"),
        vector("deny-presented-with-more-than-it-was-given", {
            handed_on(1)
                .with(1, |link| only(link).constraint[0] = at_most("101"))
                .sign()
        })
        .denied(
            "delegation-wider",
            "/verifiableCredential/0/credentialSubject/capability/0",
        ),
        vector("deny-presented-though-the-root-is-not-authorized", chain)
            .known(|known| {
                known
                    .authorized
                    .insert(north().did, vec![("read".into(), pattern("*"))]);
            })
            .denied(
                "issuer-not-authorized",
                "/verifiableCredential/0/credentialSubject/capability/0",
            ),
    ]
}
