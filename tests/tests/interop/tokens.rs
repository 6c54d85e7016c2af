//! Access tokens beside npm's `jose`: it makes the DPoP proof that the node takes, and checks the node's token with the
//! keys of `/jwks`, as a service does.

use multibase::Base;
use serde_json::{Value, json};
use syndic_tests::cluster::{Cluster, Shape};
use syndic_tests::node::{DEFAULT_ENGINE, Node};
use syndic_tests::oauth::{self, OTHER_SERVICE, REFUNDS, Request, SERVICE, SERVICE_NAME};
use syndic_tests::scenario::{AGENT, issue, register};

use crate::figures::{Figures, Verdict, Way};
use crate::peer::{Alteration, Key, Peer, with_another_character};
use crate::signing::now;

fn running() -> Cluster {
    let shape = Shape {
        nodes: 1,
        running: 1,
        engine: DEFAULT_ENGINE,
    };
    Cluster::ruled(shape, &[], oauth::configure)
}

/// A proof of theirs: the token and the thumbprint of its key.
fn proof(peer: &mut Peer, key: &Key, id: &str, url: &str, token: Option<&str>) -> (String, String) {
    let mut claims =
        json!({"jti": format!("{id}-0123456789abcdef"), "htm": "POST", "htu": url, "iat": now().unix_seconds()});
    if let Some(token) = token {
        use sha2::{Digest as _, Sha256};
        claims["ath"] = Base::Base64Url.encode(Sha256::digest(token)).into();
    }
    let made = peer.ask("dpop-prove", json!({"did": key.did, "claims": claims}));
    let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    (text("jwt"), text("thumbprint"))
}

/// The altered copies of a token that a service must not take, by what was done.
fn altered(token: &str) -> Vec<(&'static str, String)> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("not three parts: {token}")
    };
    let changed = |part: &str, change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&Base::Base64Url.decode(part).unwrap()).unwrap();
        change(&mut value);
        Base::Base64Url.encode(value.to_string())
    };
    let none = changed(header, &|header| header["alg"] = "none".into());
    vec![
        (
            "another signature",
            format!("{header}.{payload}.{}", with_another_character(signature)),
        ),
        ("no algorithm", format!("{none}.{payload}.")),
        (
            "another type",
            format!(
                "{}.{payload}.{signature}",
                changed(header, &|header| header["typ"] = "JWT".into())
            ),
        ),
        (
            "a later end",
            format!(
                "{header}.{}.{signature}",
                changed(payload, &|claims| claims["exp"] = 4_000_000_000_u64.into())
            ),
        ),
        (
            "another key",
            format!(
                "{header}.{}.{signature}",
                changed(payload, &|claims| claims["cnf"]["jkt"] = "x".into())
            ),
        ),
    ]
}

fn exchange(peer: &mut Peer, node: &Node, credential: &Value, kind: &str, figures: &mut Figures) {
    let row = format!("DPoP {kind}");
    let key = peer.key(kind);
    let own = std::path::PathBuf::from("unused.jwk");
    let request = |proof: String| {
        let own = node.data.with_file_name(&own);
        Request::new(node, AGENT, credential, node, &own)
            .proved(proof)
            .send(node.public())
    };
    let verdict = |answer: &syndic_tests::http::Answer| Verdict {
        accepted: answer.status == 200,
        why: answer.text(),
    };
    let (good, thumbprint) = proof(peer, &key, &format!("{kind}-token"), &oauth::endpoint(node), None);
    for (what, copy) in [
        ("another signature", {
            let (signed, signature) = good.rsplit_once('.').unwrap();
            format!("{signed}.{}", with_another_character(signature))
        }),
        (
            "for another URL",
            proof(peer, &key, &format!("{kind}-elsewhere"), REFUNDS, None).0,
        ),
    ] {
        figures.judged(&row, Way::TheirsAltered, what, &verdict(&request(copy)));
    }
    let answer = request(good);
    figures.judged(&row, Way::Theirs, "for the token endpoint", &verdict(&answer));
    let Some(token) = answer.json()["access_token"].as_str().map(str::to_owned) else {
        return;
    };

    let row = format!("at+jwt for {kind}");
    let jwks = node.public().get("/jwks").expect(200);
    let asked = |jwt: &str, audience: &str| json!({"jwt": jwt, "jwks": jwks, "issuer": node.public().url(), "audience": audience});
    let read = peer.ask("token-verify", asked(&token, SERVICE));
    let same = read["verified"] == true && read["payload"]["cnf"]["jkt"] == thumbprint.as_str();
    figures.holds(&row, Way::Ours, same, || format!("{read}, not with {thumbprint}"));
    for (what, copy) in altered(&token) {
        figures.judged(
            &row,
            Way::OursAltered,
            what,
            &peer.judge("token-verify", asked(&copy, SERVICE)),
        );
    }
    let other = peer.judge("token-verify", asked(&token, OTHER_SERVICE));
    figures.judged(&row, Way::OursAltered, "another audience", &other);

    let row = format!("DPoP {kind} with a token");
    for (way, what, with) in [
        (Way::Theirs, "its own", token.as_str()),
        (Way::TheirsAltered, "another", "a.b.c"),
    ] {
        let (used, _) = proof(
            peer,
            &key,
            &format!("{kind}-{}", what.replace(' ', "-")),
            REFUNDS,
            Some(with),
        );
        let answer = oauth::introspect(node, SERVICE_NAME, &token, Some((&used, "POST", REFUNDS)));
        let verdict = Verdict {
            accepted: answer.json()["active"] == true,
            why: answer.text(),
        };
        figures.judged(&row, way, what, &verdict);
    }
}

#[test]
fn tokens_and_proofs_are_read_both_ways() {
    let Some(mut peer) = Peer::start() else { return };
    let cluster = running();
    let node = &cluster.nodes[0];
    let _did = register(node, AGENT);
    let credential = issue(node, AGENT);
    let mut figures = Figures::new("access tokens");
    for kind in ["Ed25519", "P-256"] {
        exchange(&mut peer, node, &credential, kind, &mut figures);
    }
    figures.finish();
}

#[test]
fn an_altered_proof_or_verdict_is_noticed() {
    for alteration in [Alteration::Content, Alteration::Verdict] {
        let Some(mut peer) = Peer::start_altered(Some(alteration)) else {
            return;
        };
        let cluster = running();
        let node = &cluster.nodes[0];
        let _did = register(node, AGENT);
        let credential = issue(node, AGENT);
        let mut figures = Figures::new("altered");
        exchange(&mut peer, node, &credential, "Ed25519", &mut figures);
        assert!(figures.disagree(), "{alteration:?} went unnoticed");
    }
}
