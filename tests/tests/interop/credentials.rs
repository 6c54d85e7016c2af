//! Credentials and presentations: each suite, both versions of the data model, both ways, altered both ways.

use serde_json::{Value, json};

use crate::claims::{self, SOMEBODY, Version};
use crate::figures::{Figures, Way};
use crate::ours::Ours;
use crate::peer::{Alteration, Peer};
use crate::random::Random;
use crate::signing::{Answering, OurKey, issued_by, presentation};
use crate::tampering::altered;

/// A suite and the kind of key it is used with.
type Suite = (&'static str, &'static str);

/// What they sign with and we read.
const THEIRS: [Suite; 7] = [
    ("eddsa-jcs-2022", "Ed25519"),
    ("eddsa-rdfc-2022", "Ed25519"),
    ("ecdsa-jcs-2019", "P-256"),
    ("ecdsa-jcs-2019", "P-384"),
    ("ecdsa-rdfc-2019", "P-256"),
    ("ecdsa-rdfc-2019", "P-384"),
    ("Ed25519Signature2020", "Ed25519"),
];
/// What we sign with and they read: all of these but the last, which nobody should sign with any more.
const OURS: [Suite; 6] = {
    let [a, b, c, d, e, f, _] = THEIRS;
    [a, b, c, d, e, f]
};

fn row(what: &str, (suite, kind): Suite, version: Version) -> String {
    format!("{what} {} {suite} {kind}", version.shown())
}

/// They issue, we judge; then altered copies.
fn credentials_of_theirs(peer: &mut Peer, ours: &Ours, suite: Suite, version: Version, figures: &mut Figures) {
    let row = row("credential", suite, version);
    for (name, credential) in claims::credentials(version, SOMEBODY) {
        let key = peer.key(suite.1);
        let request = json!({"suite": suite.0, "did": key.did, "credential": credential});
        let issued = peer.made("issue", request, "document");
        figures.judged(&row, Way::Theirs, name, &ours.verify(&issued));
        for (what, copy) in altered(&issued) {
            let verdict = ours.verify(&copy);
            figures.judged(&row, Way::TheirsAltered, &format!("{name}, {what}"), &verdict);
        }
    }
}

/// They issue to a holder of theirs who presents, we judge; then altered copies.
fn presentations_of_theirs(peer: &mut Peer, ours: &Ours, suite: Suite, version: Version, figures: &mut Figures) {
    let row = row("presentation", suite, version);
    for count in 1..=3 {
        let holder = peer.key(suite.1);
        let mut credentials = Vec::new();
        for (_, credential) in claims::credentials(version, &holder.did).into_iter().take(count) {
            let issuer = peer.key(suite.1);
            let request = json!({"suite": suite.0, "did": issuer.did, "credential": credential});
            credentials.push(peer.made("issue", request, "document"));
        }
        let challenge = ours.challenge();
        let request = json!({
            "suite": suite.0, "did": holder.did, "credentials": credentials, "version": version.number(),
            "challenge": challenge, "domain": ours.domain(),
        });
        let presented = peer.made("present", request, "document");
        let what = format!("of {count} credentials");
        for (name, copy) in altered(&presented).into_iter().chain(altered_inside(&presented)) {
            let verdict = ours.verify_presentation(&copy, &challenge, ours.domain());
            figures.judged(&row, Way::TheirsAltered, &format!("{what}, {name}"), &verdict);
        }
        let other = ours.challenge();
        let verdict = ours.verify_presentation(&presented, &other, ours.domain());
        figures.judged(
            &row,
            Way::TheirsAltered,
            &format!("{what}, for another challenge"),
            &verdict,
        );
        let verdict = ours.verify_presentation(&presented, &challenge, ours.domain());
        figures.judged(&row, Way::Theirs, &what, &verdict);
        let verdict = ours.verify_presentation(&presented, &challenge, ours.domain());
        figures.judged(&row, Way::TheirsAltered, &format!("{what}, a second time"), &verdict);
    }
}

/// We issue, they judge; then altered copies.
fn credentials_of_ours(peer: &mut Peer, suite: Suite, version: Version, figures: &mut Figures) {
    let row = row("credential", suite, version);
    let mut random = Random::new(2022);
    for (name, credential) in claims::credentials(version, SOMEBODY) {
        let key = OurKey::new(suite.1, &mut random);
        let issued = match key.sign(suite.0, &issued_by(&credential, &key.did), None) {
            Ok(issued) => issued,
            Err(error) => {
                figures.holds(&row, Way::Ours, false, || format!("{name}: we do not sign it: {error}"));
                continue;
            }
        };
        let verdict = peer.judge("verify", json!({"credential": issued}));
        figures.judged(&row, Way::Ours, name, &verdict);
        for (what, copy) in altered(&issued) {
            let verdict = peer.judge("verify", json!({"credential": copy}));
            figures.judged(&row, Way::OursAltered, &format!("{name}, {what}"), &verdict);
        }
    }
}

/// A holder of ours presents credentials of ours, they judge; then altered copies.
fn presentations_of_ours(peer: &mut Peer, suite: Suite, version: Version, figures: &mut Figures) {
    let row = row("presentation", suite, version);
    let mut random = Random::new(2019);
    for count in 1..=3 {
        let holder = OurKey::new(suite.1, &mut random);
        let credentials: Vec<Value> = claims::credentials(version, &holder.did)
            .into_iter()
            .take(count)
            .map(|(_, credential)| {
                let issuer = OurKey::new(suite.1, &mut random);
                issuer
                    .sign(suite.0, &issued_by(&credential, &issuer.did), None)
                    .unwrap()
            })
            .collect();
        let unsigned = presentation(version.context(), &holder.did, &credentials);
        let (challenge, domain) = ("2f1a-challenge", "https://verifier.example");
        let answering = Answering { challenge, domain };
        let presented = holder.sign(suite.0, &unsigned, Some(answering)).unwrap();
        let mut judge = |copy: &Value, challenge: &str| {
            let request = json!({"presentation": copy, "challenge": challenge, "domain": domain});
            peer.judge("verify-presentation", request)
        };
        let what = format!("of {count} credentials");
        figures.judged(&row, Way::Ours, &what, &judge(&presented, challenge));
        let verdict = judge(&presented, "another");
        figures.judged(
            &row,
            Way::OursAltered,
            &format!("{what}, for another challenge"),
            &verdict,
        );
        for (name, copy) in altered(&presented).into_iter().chain(altered_inside(&presented)) {
            figures.judged(
                &row,
                Way::OursAltered,
                &format!("{what}, {name}"),
                &judge(&copy, challenge),
            );
        }
    }
}

/// Copies of a presentation in which its first credential is altered.
fn altered_inside(presentation: &Value) -> Vec<(&'static str, Value)> {
    let at = ["/verifiableCredential/0", "/verifiableCredential"];
    let at = at
        .into_iter()
        .find(|at| presentation.pointer(at).is_some_and(Value::is_object))
        .unwrap();
    let copies = altered(presentation.pointer(at).unwrap());
    copies
        .into_iter()
        .map(|(what, credential)| {
            let mut copy = presentation.clone();
            *copy.pointer_mut(at).unwrap() = credential;
            (what, copy)
        })
        .collect()
}

#[test]
fn what_they_sign_we_read() {
    let Some(mut peer) = Peer::start() else { return };
    let ours = Ours::start();
    let mut figures = Figures::new("documents of theirs");
    for suite in THEIRS {
        for version in Version::ALL {
            credentials_of_theirs(&mut peer, &ours, suite, version, &mut figures);
            presentations_of_theirs(&mut peer, &ours, suite, version, &mut figures);
        }
    }
    figures.finish();
}

/// They sign what we refuse on purpose in a suite on RDF; the same in a suite on JSON we read.
fn unsafe_as_rdf(peer: &mut Peer, ours: &Ours, suite: Suite, version: Version, figures: &mut Figures) {
    let is_rdf = !suite.0.contains("jcs");
    let (row, way) = (
        row("claims", suite, version),
        if is_rdf { Way::TheirsAltered } else { Way::Theirs },
    );
    for (name, credential) in claims::unsafe_as_rdf(version) {
        let key = peer.key(suite.1);
        let request = json!({"suite": suite.0, "did": key.did, "credential": credential});
        let issued = peer.made("issue", request, "document");
        let verdict = ours.verify(&issued);
        let as_expected = verdict.accepted != is_rdf && (!is_rdf || verdict.why.contains("linked-data-unsafe"));
        figures.holds(&row, way, as_expected, || format!("{name}: {}", verdict.why));
    }
}

#[test]
fn what_rdf_would_sign_another_way_we_read_as_json_alone() {
    let Some(mut peer) = Peer::start() else { return };
    let ours = Ours::start();
    let mut figures = Figures::new("claims that RDF does not keep");
    for version in Version::ALL {
        unsafe_as_rdf(&mut peer, &ours, THEIRS[0], version, &mut figures);
        unsafe_as_rdf(&mut peer, &ours, THEIRS[1], version, &mut figures);
    }
    figures.finish();
}

#[test]
fn what_we_sign_they_read() {
    let Some(mut peer) = Peer::start() else { return };
    let mut figures = Figures::new("documents of ours");
    for suite in OURS {
        for version in Version::ALL {
            credentials_of_ours(&mut peer, suite, version, &mut figures);
            presentations_of_ours(&mut peer, suite, version, &mut figures);
        }
    }
    figures.finish();
}

#[test]
fn an_altered_verdict_of_theirs_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Verdict)) else {
        return;
    };
    let mut figures = Figures::new("altered");
    credentials_of_ours(&mut peer, OURS[0], Version::Two, &mut figures);
    assert!(figures.disagree(), "an altered verdict went unnoticed");
}

#[test]
fn an_altered_document_of_theirs_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Content)) else {
        return;
    };
    let ours = Ours::start();
    let mut figures = Figures::new("altered");
    credentials_of_theirs(&mut peer, &ours, THEIRS[0], Version::Two, &mut figures);
    assert!(figures.disagree(), "an altered document went unnoticed");
}
