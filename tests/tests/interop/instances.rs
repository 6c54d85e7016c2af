//! What the running node issues over HTTP, by each of its issuing instances, as others read it; and its status lists.

use serde_json::{Value, json};
use syndic_vc::enveloped;
use syndic_vc::key::PublicKey;
use syndic_vc::status::StatusList;

use crate::claims::{self, SOMEBODY, Version};
use crate::figures::{Figures, Verdict, Way};
use crate::ours::{Instance, Ours};
use crate::peer::{Alteration, Peer};
use crate::signing::{issued_by, to_ours, to_theirs};
use crate::tampering::altered;

/// What the peer says of a credential of ours in whichever way it is secured.
fn they_say(peer: &mut Peer, instance: &Instance, credential: &Value, documents: &Value) -> Verdict {
    if instance.suite == "jose" {
        let enveloped = to_ours(credential);
        let token = enveloped::token_of(&enveloped).unwrap();
        let multikey = instance.did.strip_prefix("did:key:").unwrap();
        let jwk = to_theirs(&PublicKey::from_multikey(multikey).unwrap().to_jwk().into());
        return peer.judge("jws-verify", json!({"jwt": token, "jwk": jwk, "typ": "vc+jwt"}));
    }
    peer.judge("verify", json!({"credential": credential, "documents": documents}))
}

fn exchange(peer: &mut Peer, ours: &Ours, instance: &Instance, version: Version, figures: &mut Figures) {
    let row = format!("{} {}", version.shown(), instance.name);
    for (at, (name, mut credential)) in claims::credentials(version, SOMEBODY).into_iter().enumerate() {
        // A node issues no two credentials with one id.
        if let Some(id) = credential.get_mut("id") {
            *id = format!("urn:example:{}:{}", version.shown(), instance.name).into();
        }
        let issued = match ours.issue(instance, &issued_by(&credential, &instance.did)) {
            Ok(issued) => issued,
            Err(error) => {
                figures.holds(&row, Way::Ours, false, || format!("{name}: not issued: {error}"));
                continue;
            }
        };
        let lists = ours.status_lists(&issued);
        figures.judged(&row, Way::Ours, name, &they_say(peer, instance, &issued, &lists));
        // Altering each of them in each way is for the tests that ask no node.
        if at < 2 && instance.suite != "jose" {
            for (what, copy) in altered(&issued) {
                let verdict = they_say(peer, instance, &copy, &lists);
                figures.judged(&row, Way::OursAltered, &format!("{name}, {what}"), &verdict);
            }
        }
    }
}

#[test]
fn what_each_instance_issues_they_read() {
    let Some(mut peer) = Peer::start() else { return };
    let ours = Ours::start();
    let mut figures = Figures::new("issued over HTTP");
    for instance in ours.instances() {
        for version in Version::ALL {
            // VC-JOSE-COSE is for VCDM 2.0 alone.
            if instance.suite != "jose" || version == Version::Two {
                exchange(&mut peer, &ours, &instance, version, &mut figures);
            }
        }
    }
    figures.finish();
}

#[test]
fn what_was_revoked_they_refuse() {
    let Some(mut peer) = Peer::start() else { return };
    let ours = Ours::start();
    let empty = StatusList::new(131_072).unwrap().encode();
    let mut figures = Figures::new("served status lists");
    for instance in ours.instances().iter().filter(|instance| instance.has_status) {
        for (name, credential) in claims::credentials(Version::Two, SOMEBODY).into_iter().take(4) {
            let issued = ours.issue(instance, &issued_by(&credential, &instance.did)).unwrap();
            let verdict = they_say(&mut peer, instance, &issued, &ours.status_lists(&issued));
            figures.judged("in force", Way::Ours, name, &verdict);
            ours.revoke(&issued);
            let verdict = they_say(&mut peer, instance, &issued, &ours.status_lists(&issued));
            figures.judged("revoked", Way::OursAltered, name, &verdict);
            let mut lists = ours.status_lists(&issued);
            for list in lists.as_object_mut().unwrap().values_mut() {
                list["credentialSubject"]["encodedList"] = empty.clone().into();
            }
            let verdict = they_say(&mut peer, instance, &issued, &lists);
            figures.judged("a list emptied on the way", Way::OursAltered, name, &verdict);
        }
    }
    figures.finish();
}

#[test]
fn an_altered_verdict_on_an_instance_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Verdict)) else {
        return;
    };
    let ours = Ours::start();
    let mut figures = Figures::new("altered");
    exchange(&mut peer, &ours, &ours.instances()[0], Version::Two, &mut figures);
    assert!(figures.disagree(), "an altered verdict went unnoticed");
}
