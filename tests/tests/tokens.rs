//! Tokens for services: what they say, who may use them, how often, and how they end. Real nodes; beside everything
//! that is refused stands what differs only in that, and is accepted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::path::PathBuf;
use std::sync::Barrier;
use std::time::Duration;

use multibase::Base;
use serde_json::{Value, json};
use syndic_tests::cluster::{Cluster, Shape};
use syndic_tests::command::eventually;
use syndic_tests::http::Answer;
use syndic_tests::node::{DEFAULT_ENGINE, Node};
use syndic_tests::oauth::{
    self, OTHER_NAME, OTHER_SERVICE, REFUNDS, Request, SECRET, SERVICE, SERVICE_NAME, endpoint, introspect, proof,
    why_inactive,
};
use syndic_tests::scenario::{AGENT, OWNER, authorize, capabilities, issue, issue_with, register, revoke};

/// One address may hold 64 connections to a listener; the two listeners together take the hundred.
const CALLERS: usize = 100;
const SETTLE: Duration = Duration::from_secs(30);

fn cluster(nodes: usize) -> Cluster {
    let shape = Shape {
        nodes,
        running: nodes,
        engine: DEFAULT_ENGINE,
    };
    Cluster::ruled(shape, &[], oauth::configure)
}

/// One node, an agent with the usual credential, and its DPoP key.
fn alone() -> (Cluster, Value, PathBuf) {
    let cluster = cluster(1);
    let _did = register(&cluster.nodes[0], AGENT);
    let credential = issue(&cluster.nodes[0], AGENT);
    let key = oauth::key(cluster.folder(), "agent");
    (cluster, credential, key)
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&Base::Base64Url.decode(part).unwrap()).unwrap()
}

fn with_header(token: &str, name: &str, value: &str) -> String {
    let mut header = part(token, 0);
    header[name] = value.into();
    let rest = token.split_once('.').unwrap().1;
    format!("{}.{rest}", Base::Base64Url.encode(header.to_string()))
}

/// The service asks about a token that came with a proof for a refund.
fn used(node: &Node, token: &str, proof: &str) -> Answer {
    introspect(node, SERVICE_NAME, token, Some((proof, "POST", REFUNDS)))
}

#[test]
fn a_token_says_what_was_shown_and_where_everything_is_can_be_found() {
    let (cluster, credential, key) = alone();
    let node = &cluster.nodes[0];
    let request = Request::new(node, AGENT, &credential, node, &key).with("task_purpose", Some("answer tickets"));
    let answer = request.send(node.public());
    let token = answer.token();
    let body = answer.json();
    let life = body["expires_in"].as_i64().unwrap();
    assert!((1..=300).contains(&life), "{life}");

    let (header, claims) = (part(&token, 0), part(&token, 1));
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    let agent = credential["credentialSubject"]["id"].clone();
    assert_eq!(
        (&claims["sub"], &claims["client_id"], &claims["aud"]),
        (&agent, &agent, &json!(SERVICE))
    );
    assert_eq!(claims["aap_agent"]["operator"], OWNER);
    assert_eq!(claims["aap_agent"]["name"], AGENT);
    assert_eq!(claims["aap_task"]["purpose"], "answer tickets");
    assert_eq!(claims["aap_delegation"]["chain"], json!([agent]));
    assert_eq!(claims["aap_oversight"]["requires_human_approval_for"], json!(["write"]));
    assert_eq!(claims["aap_audit"]["credentials"], json!([credential["id"]]));
    let mut granted = claims["authorization_details"].clone();
    assert_eq!(granted, body["authorization_details"]);
    for item in granted.as_array_mut().unwrap() {
        assert_eq!(
            item.as_object_mut().unwrap().remove("type"),
            Some(json!("syndic_capability"))
        );
    }
    assert_eq!(granted, credential["credentialSubject"]["capability"]);

    let metadata = node.public().get("/.well-known/oauth-authorization-server").expect(200);
    assert_eq!(metadata["issuer"], claims["iss"]);
    assert_eq!(metadata["token_endpoint"], endpoint(node));
    let provider = node.public().get("/.well-known/openid-configuration").expect(200);
    assert_eq!(provider["jwks_uri"], metadata["jwks_uri"]);
    let keys = node.public().get("/jwks");
    assert_eq!(keys.cache_control, "max-age=300");
    let keys = keys.expect(200)["keys"].as_array().cloned().unwrap();
    assert!(keys.len() >= 2, "the key that signs and the next: {keys:?}");
    assert!(keys.iter().any(|key| key["kid"] == header["kid"]));
    assert!(keys.iter().all(|key| key.get("d").is_none() && key["use"] == "sig"));

    let active = introspect(node, SERVICE_NAME, &token, None).expect_active();
    assert_eq!(active["cnf"], claims["cnf"]);
    assert_eq!(active["authorization_details"], claims["authorization_details"]);
}

#[test]
fn asking_for_less_gives_less_and_asking_for_more_gives_nothing() {
    let (cluster, credential, key) = alone();
    let node = &cluster.nodes[0];
    let ask = |name: &str, value: &str| {
        let request = Request::new(node, AGENT, &credential, node, &key).with(name, Some(value));
        request.send(node.public())
    };
    let details = |items: Value| ask("authorization_details", &items.to_string());
    let granted = |answer: &Answer| part(&answer.token(), 1)["authorization_details"].clone();
    let refund =
        json!({"type": "syndic_capability", "action": "call", "resource": "billing_api", "scope": "refund_under_100"});
    let limit = capabilities()[1]["constraint"][0].clone();

    let same = granted(&details(json!([refund])));
    assert_eq!(
        (same.as_array().unwrap().len(), &same[0]["constraint"]),
        (1, &json!([limit]))
    );
    let mut tighter = refund.clone();
    let ten = json!({"type": "range", "parameter": "amount", "maximum": "10.00", "unit": "USD"});
    tighter["constraint"] = json!([ten]);
    assert_eq!(
        granted(&details(json!([tighter])))[0]["constraint"],
        json!([limit, ten])
    );
    let mut wider = refund.clone();
    wider["resource"] = "*".into();
    details(json!([wider])).expect_oauth("invalid_authorization_details");
    let mut another = refund.clone();
    another["action"] = "delete".into();
    details(json!([refund, another])).expect_oauth("invalid_authorization_details");
    let mut strange = refund;
    strange["type"] = "payment".into();
    details(json!([strange])).expect_oauth("invalid_authorization_details");

    let scoped = ask("scope", "call:billing_api");
    assert_eq!(granted(&scoped)[0]["constraint"], json!([limit]));
    assert_eq!(scoped.json()["scope"], "call:billing_api");
    ask("scope", "call:other_api").expect_oauth("invalid_scope");
    ask("scope", "openid").expect_oauth("invalid_scope");
}

#[test]
fn what_is_wrong_with_a_request_is_said_in_oauths_words() {
    let (cluster, credential, key) = alone();
    let node = &cluster.nodes[0];
    let new = || Request::new(node, AGENT, &credential, node, &key);
    let refused = |request: Request, error: &str| request.send(node.public()).expect_oauth(error);
    let _accepted = new().send(node.public()).token();

    refused(
        new().with("grant_type", Some("client_credentials")),
        "unsupported_grant_type",
    );
    refused(new().with("grant_type", None), "invalid_request");
    refused(
        new().with("subject_token_type", Some("urn:ietf:params:oauth:token-type:jwt")),
        "invalid_request",
    );
    refused(new().with("subject_token", Some("{}")), "invalid_grant");
    refused(new().with("subject_token", Some("not base64")), "invalid_request");
    refused(new().with("actor_token", Some("x")), "invalid_request");
    refused(
        new().with(
            "client_id",
            Some("did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"),
        ),
        "invalid_request",
    );
    refused(new().with("audience", None), "invalid_target");
    refused(
        new().with("audience", Some("https://api.example/unknown")),
        "invalid_target",
    );
    refused(new().with("resource", Some(SERVICE)), "invalid_target");
    refused(
        new()
            .with("scope", Some("read:a"))
            .with("authorization_details", Some("[]")),
        "invalid_request",
    );
    refused(
        new().with("authorization_details", Some("[]")),
        "invalid_authorization_details",
    );
    let mut twice = new();
    twice.form.push(("audience".to_owned(), SERVICE.to_owned()));
    refused(twice, "invalid_request");
    let agent = credential["credentialSubject"]["id"].as_str().unwrap();
    let resource = new()
        .with("audience", None)
        .with("resource", Some(SERVICE))
        .with("client_id", Some(agent));
    assert_eq!(part(&resource.send(node.public()).token(), 1)["aud"], SERVICE);
    // JSON in base64url is the same presentation.
    let plain = new();
    let shown = plain
        .form
        .iter()
        .find(|(name, _)| name == "subject_token")
        .unwrap()
        .1
        .clone();
    let _token = plain
        .with("subject_token", Some(&Base::Base64Url.encode(shown)))
        .send(node.public())
        .token();

    let made = |method: &str, url: &str| proof(node, &key, method, url, None);
    refused(new().proved(None), "invalid_dpop_proof");
    refused(new().proved(made("GET", &endpoint(node))), "invalid_dpop_proof");
    refused(new().proved(made("POST", REFUNDS)), "invalid_dpop_proof");
    refused(
        new().proved(proof(node, &key, "POST", &endpoint(node), Some("a.b.c"))),
        "invalid_dpop_proof",
    );
    let good = made("POST", &endpoint(node));
    refused(new().proved(with_header(&good, "alg", "none")), "invalid_dpop_proof");
    refused(new().proved(with_header(&good, "typ", "JWT")), "invalid_dpop_proof");
    let _token = new().proved(good.clone()).send(node.public()).token();
    refused(new().proved(good), "invalid_dpop_proof");

    // A body of another kind is not OAuth's business.
    let answer = node.public().post("/token", &json!({}));
    assert_eq!(
        (answer.status, answer.content_type.as_str()),
        (415, "application/problem+json")
    );
}

#[test]
fn a_presentation_that_is_refused_elsewhere_gives_no_token() {
    let (cluster, credential, key) = alone();
    let node = &cluster.nodes[0];
    let new = |credential: &Value| Request::new(node, AGENT, credential, node, &key);
    let refused = |request: &Request, code: &str| {
        let answer = request.send(node.public());
        answer.expect_oauth("invalid_grant");
        let body = answer.json();
        assert_eq!(
            (&body["code"], &body["decision"]["decision"]),
            (&json!(code), &json!("deny")),
            "{body}"
        );
    };
    let request = new(&credential);
    let _token = request.send(node.public()).token();
    refused(&request, "challenge-used");
    let another = new(&credential)
        .form
        .iter()
        .find(|(name, _)| name == "challenge")
        .unwrap()
        .1
        .clone();
    refused(
        &new(&credential).with("challenge", Some(&another)),
        "challenge-mismatch",
    );
    let mut altered = credential.clone();
    altered["credentialSubject"]["capability"][1]["resource"] = "all_apis".into();
    refused(&new(&altered), "signature-invalid");
    revoke(node, &credential);
    refused(&new(&credential), "revoked");
}

#[test]
fn a_token_is_for_whoever_has_its_key_and_for_its_service() {
    let (cluster, credential, key) = alone();
    let node = &cluster.nodes[0];
    let token = Request::new(node, AGENT, &credential, node, &key)
        .send(node.public())
        .token();
    let made = |key: &PathBuf, method: &str, url: &str, token: Option<&str>| proof(node, key, method, url, token);
    let good = || made(&key, "POST", REFUNDS, Some(&token));

    let once = good();
    used(node, &token, &once).expect_active();
    used(node, &token, &once).expect_inactive();
    used(
        node,
        &token,
        &made(&oauth::key(cluster.folder(), "thief"), "POST", REFUNDS, Some(&token)),
    )
    .expect_inactive();
    used(node, &token, &made(&key, "GET", REFUNDS, Some(&token))).expect_inactive();
    used(
        node,
        &token,
        &made(&key, "POST", "https://api.example/billing/payouts", Some(&token)),
    )
    .expect_inactive();
    used(node, &token, &made(&key, "POST", REFUNDS, None)).expect_inactive();
    let other = Request::new(node, AGENT, &credential, node, &key)
        .send(node.public())
        .token();
    used(node, &token, &made(&key, "POST", REFUNDS, Some(&other))).expect_inactive();
    used(node, &token, &with_header(&good(), "alg", "none")).expect_inactive();
    used(node, &token, &good()).expect_active();

    introspect(node, OTHER_NAME, &token, None).expect_inactive();
    let for_other = Request::new(node, AGENT, &credential, node, &key).with("audience", Some(OTHER_SERVICE));
    let for_other = for_other.send(node.public()).token();
    introspect(node, OTHER_NAME, &for_other, None).expect_active();
    introspect(node, SERVICE_NAME, &for_other, None).expect_inactive();

    let (signed, _) = token.rsplit_once('.').unwrap();
    for forged in [
        with_header(&token, "alg", "none"),
        format!("{}.", with_header(signed, "alg", "none")),
        with_header(&token, "typ", "JWT"),
        format!("{signed}.{}", other.rsplit_once('.').unwrap().1),
        "no token".to_owned(),
    ] {
        introspect(node, SERVICE_NAME, &forged, None).expect_inactive();
    }
    introspect(node, SERVICE_NAME, &token, None).expect_active();

    // Who does not show to be a service hears nothing.
    let ask = |authorization: Option<String>| {
        let headers: Vec<(&str, &str)> = authorization
            .iter()
            .map(|value| ("Authorization", value.as_str()))
            .collect();
        node.public()
            .try_post_form("/introspect", &format!("token={token}"), &headers)
            .unwrap()
            .status
    };
    let basic = |pair: &str| Some(format!("Basic {}", Base::Base64Pad.encode(pair)));
    assert_eq!(ask(None), 401);
    assert_eq!(ask(basic("billing:wrong")), 401);
    assert_eq!(ask(basic(&format!("nobody:{SECRET}"))), 401);
    assert_eq!(ask(Some(format!("Bearer {}", node.token()))), 401);
    assert_eq!(ask(basic(&format!("billing:{SECRET}"))), 200);
}

#[test]
fn a_challenge_for_a_key_gives_a_token_to_that_key_only() {
    let (cluster, credential, key) = alone();
    let node = &cluster.nodes[0];
    let thief = oauth::key(cluster.folder(), "thief");
    let ask = |jkt: Value| node.public().post("/challenges", &json!({"dpop_jkt": jkt}));
    let made = ask(oauth::thumbprint(node, &key).into()).expect(200);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let challenge = (text("challenge"), text("domain"));
    let request = Request::answering(node, AGENT, &credential, node, &key, challenge);
    // Stolen on its way, before it was used.
    let stolen = request
        .clone()
        .proved(proof(node, &thief, "POST", &endpoint(node), None));
    stolen.send(node.public()).expect_oauth("invalid_dpop_proof");
    let token = request.send(node.public()).token();
    assert_eq!(part(&token, 1)["cnf"]["jkt"], oauth::thumbprint(node, &key));
    // A challenge for no key is for any.
    let request = Request::new(node, AGENT, &credential, node, &key);
    let other = request.proved(proof(node, &thief, "POST", &endpoint(node), None));
    let _token = other.send(node.public()).token();
    for bad in [
        json!("short"),
        json!(""),
        json!(7),
        json!("A".repeat(44)),
        json!("!".repeat(43)),
    ] {
        assert_eq!(ask(bad.clone()).status, 400, "{bad}");
    }
}

/// What strangers send to the OAuth doors: an error in one of the two forms of errors, and the node goes on.
#[test]
fn no_form_is_too_strange_to_be_refused() {
    let (cluster, credential, key) = alone();
    let node = &cluster.nodes[0];
    let good = Request::new(node, AGENT, &credential, node, &key);
    let whole = oauth::encoded(&good.form);
    let proof = good.proof.clone().unwrap();
    let basic = format!("Basic {}", Base::Base64Pad.encode(format!("{SERVICE_NAME}:{SECRET}")));
    let mut forms: Vec<String> = [
        "",
        "&",
        "=",
        "&&==&",
        "a",
        "%",
        "token=%zz",
        "token=%ff",
        "token=..",
        "token=a.b.c",
    ]
    .map(str::to_owned)
    .to_vec();
    forms.push((0..200).map(|n| format!("p{n}=1&")).collect());
    forms.push(format!("token={}", "A".repeat(600_000)));
    forms.push(format!(
        "token={}&token_type_hint=access_token",
        "eyJhbGciOiJub25lIn0.e30."
    ));
    // Every parameter cut off, doubled or replaced by nonsense.
    for (name, value) in &good.form {
        let (short, nonsense) = (value.get(..value.len() / 2).unwrap_or(""), "{\"a\": [1, 2");
        for other in [short, nonsense, "\u{e9}\u{1f600}", "[]", "null"] {
            forms.push(oauth::encoded(&good.clone().with(name, Some(other)).form));
        }
        forms.push(format!("{whole}&{name}=x"));
    }
    for name in [
        "scope",
        "authorization_details",
        "task_id",
        "task_purpose",
        "client_id",
        "requested_token_type",
    ] {
        for other in ["\u{7}", "[[[[[[", "[{\"type\":\"syndic_capability\"}]", " ", "a:b:c d"] {
            forms.push(oauth::encoded(&good.clone().with(name, Some(other)).form));
        }
    }
    let mut sent = 0;
    for form in &forms {
        for path in ["/token", "/introspect", "/revoke"] {
            let headers: &[(&str, &str)] = match path {
                "/token" => &[("DPoP", &proof)],
                "/introspect" => &[("Authorization", &basic)],
                _ => &[],
            };
            let answer = node.public().try_post_form(path, form, headers).unwrap();
            let said = answer.json();
            let inactive = path != "/token" && answer.status == 200;
            let refused =
                (400..500).contains(&answer.status) && (said["error"].is_string() || said["type"].is_string());
            assert!(
                inactive || refused,
                "{path} {}: {}\n{form:.300}",
                answer.status,
                answer.text()
            );
            assert_ne!(said["active"], true);
            sent += 1;
        }
    }
    assert!(sent > 200, "{sent}");
    // A proof that is none does not use the challenge up, and nothing of all that did any harm.
    let good = Request::new(node, AGENT, &credential, node, &key);
    let (whole, proof) = (oauth::encoded(&good.form), good.proof.clone().unwrap());
    for strange in ["", "a.b.c", "eyJ0eXAiOiJkcG9wK2p3dCJ9.e30.", &"A".repeat(9_000)] {
        let answer = node
            .public()
            .try_post_form("/token", &whole, &[("DPoP", strange)])
            .unwrap();
        answer.expect_oauth("invalid_dpop_proof");
    }
    let answer = node
        .public()
        .try_post_form("/token", &whole, &[("DPoP", &proof), ("DPoP", &proof)])
        .unwrap();
    answer.expect_oauth("invalid_dpop_proof");
    let _token = good.send(node.public()).token();
}

/// Sends the same question a hundred times at once.
fn at_once(node: &Node, ask: impl Fn(usize, &syndic_tests::http::Listener) -> Answer + Sync) -> Vec<Answer> {
    let start = Barrier::new(CALLERS);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|index| {
                let (start, ask) = (&start, &ask);
                let listener = if index % 2 == 0 { node.public() } else { node.admin() };
                scope.spawn(move || {
                    start.wait();
                    ask(index, listener)
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    })
}

/// Exactly one got a token; all others the same error.
fn exactly_one(answers: &[Answer], error: &str) -> String {
    let mut tokens: Vec<String> = Vec::new();
    for answer in answers {
        match answer.status {
            200 => tokens.push(answer.token()),
            _ => answer.expect_oauth(error),
        }
    }
    assert_eq!(tokens.len(), 1, "of {}", answers.len());
    tokens.remove(0)
}

#[test]
fn a_challenge_and_a_proof_work_once_at_the_same_time_and_across_a_kill() {
    let (mut cluster, credential, key) = alone();
    let node = &cluster.nodes[0];
    let new = |node: &Node| Request::new(node, AGENT, &credential, node, &key);

    let same = new(node);
    let _token = exactly_one(&at_once(node, |_, listener| same.send(listener)), "invalid_grant");
    // A hundred presentations, each with a challenge of its own, under one proof.
    let shared = proof(node, &key, "POST", &endpoint(node), None);
    let many: Vec<Request> = (0..CALLERS).map(|_| new(node).proved(shared.clone())).collect();
    let token = exactly_one(
        &at_once(node, |index, listener| many[index].send(listener)),
        "invalid_dpop_proof",
    );

    let use_once = proof(node, &key, "POST", REFUNDS, Some(&token));
    let form = [
        ("token", &token),
        ("dpop_proof", &use_once),
        ("dpop_method", &"POST".to_owned()),
    ];
    let mut form: Vec<(String, String)> = form
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).clone()))
        .collect();
    form.push(("dpop_url".to_owned(), REFUNDS.to_owned()));
    let form = oauth::encoded(&form);
    let basic = format!("Basic {}", Base::Base64Pad.encode(format!("{SERVICE_NAME}:{SECRET}")));
    let active = at_once(node, |index, listener| {
        let headers = [("Authorization", basic.as_str())];
        let headers = if index % 2 == 0 { &headers[..] } else { &[] };
        listener.try_post_form("/introspect", &form, headers).unwrap()
    });
    assert_eq!(
        active
            .iter()
            .filter(|answer| answer.expect(200)["active"] == true)
            .count(),
        1
    );

    let (unused, spent) = (new(node), new(node).proved(shared));
    cluster.nodes[0].kill();
    cluster.nodes[0].start();
    let node = &cluster.nodes[0];
    same.send(node.public()).expect_oauth("invalid_grant");
    spent.send(node.public()).expect_oauth("invalid_dpop_proof");
    used(node, &token, &use_once).expect_inactive();
    // What was given before the kill holds after it, and what was not used can be.
    introspect(node, SERVICE_NAME, &token, None).expect_active();
    let _token = exactly_one(&at_once(node, |_, listener| unused.send(listener)), "invalid_grant");

    // Killed in the very moment: whatever was heard, a request gives one token at most, and one that was heard holds.
    for pause in 0..4 {
        let request = new(&cluster.nodes[0]);
        let listener = cluster.nodes[0].public().clone();
        let sent = request.clone();
        let caller = std::thread::spawn(move || sent.try_send(&listener));
        std::thread::sleep(Duration::from_millis(3 * pause));
        cluster.nodes[0].kill();
        let first = caller.join().unwrap().ok().filter(|answer| answer.status == 200);
        cluster.nodes[0].start();
        let node = &cluster.nodes[0];
        let second = request.send(node.public());
        if let Some(first) = first {
            assert_ne!(second.status, 200, "one request gave two tokens");
            introspect(node, SERVICE_NAME, &first.token(), None).expect_active();
        }
    }
}

#[test]
fn a_token_dies_with_its_credential_wherever_that_was_issued() {
    let cluster = cluster(2);
    let [home, verifier] = [&cluster.nodes[0], &cluster.nodes[1]];
    let _did = register(home, AGENT);
    authorize(verifier, &home.did);
    let credentials = [issue(home, AGENT), issue(home, AGENT)];
    let key = oauth::key(cluster.folder(), "agent");
    cluster.settle(&[0, 1]);
    let get = |credential: &Value| {
        let request = Request::new(home, AGENT, credential, verifier, &key);
        request.send(verifier.public()).token()
    };
    let [lost, kept] = [get(&credentials[0]), get(&credentials[1])];
    introspect(verifier, SERVICE_NAME, &lost, None).expect_active();

    revoke(home, &credentials[0]);
    eventually("the token dies", SETTLE, || {
        let answer = introspect(verifier, SERVICE_NAME, &lost, None).expect(200);
        if answer["active"] == false {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    assert!(
        why_inactive(verifier, &lost).starts_with("revoked"),
        "{}",
        why_inactive(verifier, &lost)
    );
    introspect(verifier, SERVICE_NAME, &kept, None).expect_active();

    let _suspended = home
        .admin()
        .post(&format!("/agents/{AGENT}/suspend"), &json!({}))
        .expect(200);
    eventually("the agent's tokens rest", SETTLE, || {
        let answer = introspect(verifier, SERVICE_NAME, &kept, None).expect(200);
        if answer["active"] == false {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    assert!(
        why_inactive(verifier, &kept).starts_with("agent-suspended"),
        "{}",
        why_inactive(verifier, &kept)
    );
    let _resumed = home
        .admin()
        .post(&format!("/agents/{AGENT}/resume"), &json!({}))
        .expect(200);
    eventually("and wake", SETTLE, || {
        let answer = introspect(verifier, SERVICE_NAME, &kept, None).expect(200);
        if answer["active"] == true {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    introspect(verifier, SERVICE_NAME, &lost, None).expect_inactive();
    // The home node made none of these, and says so.
    assert!(
        why_inactive(home, &kept).contains("none of the issuer's keys"),
        "{}",
        why_inactive(home, &kept)
    );
}

#[test]
fn a_token_ends_with_its_credential_or_before_or_when_it_is_given_up() {
    let (mut cluster, credential, key) = alone();
    let node = &cluster.nodes[0];
    let short = issue_with(
        node,
        AGENT,
        json!({"capability": capabilities(), "validForSeconds": 20}),
    );
    let get = |node: &Node, credential: &Value| Request::new(node, AGENT, credential, node, &key).send(node.public());
    let ending = get(node, &short);
    assert!((1..=20).contains(&ending.json()["expires_in"].as_i64().unwrap()));
    let ending = ending.token();
    introspect(node, SERVICE_NAME, &ending, None).expect_active();

    let [given_up, kept] = [get(node, &credential).token(), get(node, &credential).token()];
    let give_up = |token: &str| {
        node.public()
            .try_post_form("/revoke", &format!("token={token}"), &[])
            .unwrap()
            .status
    };
    assert_eq!(give_up("no.such.token"), 200);
    assert_eq!(give_up(&with_header(&kept, "typ", "JWT")), 200);
    assert_eq!(give_up(&given_up), 200);
    assert_eq!(give_up(&given_up), 200);
    node.public()
        .try_post_form("/revoke", "", &[])
        .unwrap()
        .expect_oauth("invalid_request");
    introspect(node, SERVICE_NAME, &given_up, None).expect_inactive();
    introspect(node, SERVICE_NAME, &kept, None).expect_active();

    cluster.nodes[0].kill();
    cluster.nodes[0].start();
    let node = &cluster.nodes[0];
    introspect(node, SERVICE_NAME, &given_up, None).expect_inactive();
    introspect(node, SERVICE_NAME, &kept, None).expect_active();
    eventually("the credential ends, and the token with it", SETTLE, || {
        let answer = introspect(node, SERVICE_NAME, &ending, None).expect(200);
        if answer["active"] == false {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    assert!(
        why_inactive(node, &ending).contains("ended"),
        "{}",
        why_inactive(node, &ending)
    );

    // Another generation of keys ends every token.
    cluster.nodes[0].stop();
    cluster.nodes[0].configure("key_generation = 0", "key_generation = 1");
    cluster.nodes[0].start();
    let node = &cluster.nodes[0];
    introspect(node, SERVICE_NAME, &kept, None).expect_inactive();
    introspect(node, SERVICE_NAME, &get(node, &credential).token(), None).expect_active();
}

#[test]
fn the_command_line_gets_asks_and_gives_up() {
    let (cluster, credential, key) = alone();
    let node = &cluster.nodes[0];
    let (file, out) = (
        cluster.folder().join("credential.json"),
        cluster.folder().join("token.txt"),
    );
    std::fs::write(&file, credential.to_string()).unwrap();
    let (file, out, key) = (
        file.display().to_string(),
        out.display().to_string(),
        key.display().to_string(),
    );
    let common = [
        "token",
        "get",
        "--agent",
        AGENT,
        "--credential",
        &file,
        "--to",
        node.public().url(),
        "--key",
        &key,
    ];
    let get = |more: &[&str]| node.syndic(&[&common[..], more].concat());
    let got = get(&[
        "--audience",
        SERVICE,
        "--scope",
        "call:billing_api",
        "--out",
        &out,
        "--json",
    ]);
    let token = got.expect_success("syndic token get").json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), token);
    let shown = node
        .syndic(&["token", "introspect", &out])
        .expect_success("syndic token introspect");
    assert!(
        shown.stdout.contains("active") && shown.stdout.contains("call:billing_api"),
        "{}",
        shown.stdout
    );
    assert!(
        get(&["--audience", "https://api.example/unknown"])
            .stderr
            .contains("invalid_target")
    );
    let _revoked = node
        .syndic(&["token", "revoke", &out, "--at", node.public().url()])
        .expect_success("syndic token revoke");
    assert_eq!(node.syndic(&["token", "introspect", &token]).code, Some(3));
    revoke(node, &credential);
    let denied = get(&["--audience", SERVICE]);
    assert_eq!(denied.code, Some(3), "{}", denied.stderr);
    assert!(denied.stderr.contains("revoked"), "{}", denied.stderr);
    let secret = node
        .syndic(&["token", "secret", "--json"])
        .expect_success("syndic token secret")
        .json();
    assert_eq!(secret["secretSha256"].as_str().unwrap().len(), 64);
}

/// Nobody tells this node what becomes of the credential; after `maxStaleness` it says so, and the token rests.
#[test]
fn a_token_rests_while_its_issuer_is_not_heard() {
    let shape = Shape {
        nodes: 2,
        running: 2,
        engine: DEFAULT_ENGINE,
    };
    let mut cluster = Cluster::ruled(shape, &["--max-staleness", "20"], |node| {
        oauth::configure(node);
        node.configure("heartbeat_seconds = 60", "heartbeat_seconds = 2");
    });
    let key = oauth::key(cluster.folder(), "agent");
    let _did = register(&cluster.nodes[0], AGENT);
    authorize(&cluster.nodes[1], &cluster.nodes[0].did);
    let credential = issue(&cluster.nodes[0], AGENT);
    cluster.settle(&[0, 1]);
    let token = eventually("a token", SETTLE, || {
        let [home, verifier] = [&cluster.nodes[0], &cluster.nodes[1]];
        let answer = Request::new(home, AGENT, &credential, verifier, &key).send(verifier.public());
        if answer.status == 200 {
            Ok(answer.token())
        } else {
            Err(answer.text())
        }
    });
    let is = |cluster: &Cluster, active: bool| {
        eventually("the token's state", Duration::from_secs(90), || {
            let answer = introspect(&cluster.nodes[1], SERVICE_NAME, &token, None).expect(200);
            if answer["active"] == active {
                Ok(())
            } else {
                Err(answer.to_string())
            }
        });
    };
    is(&cluster, true);
    cluster.nodes[0].kill();
    is(&cluster, false);
    let why = why_inactive(&cluster.nodes[1], &token);
    assert!(why.starts_with("knowledge-stale"), "{why}");
    cluster.nodes[0].start();
    is(&cluster, true);
}

/// What an agent handed on to another gives a token that names both, says no more, and ends with the root.
#[test]
fn a_token_of_what_was_handed_on_rests_on_all_of_the_chain() {
    const HELPER: &str = "Helper";
    let cluster = cluster(2);
    let [home, verifier] = [&cluster.nodes[0], &cluster.nodes[1]];
    let (agent, helper) = (register(home, AGENT), register(home, HELPER));
    authorize(verifier, &home.did);
    let root = issue_with(
        home,
        AGENT,
        json!({"capability": capabilities(), "delegation": {"maxDepth": 1}}),
    );
    let less = json!([{
        "action": "call", "resource": "billing_api", "scope": "refund_under_100",
        "constraint": [{"type": "range", "parameter": "amount", "maximum": "50", "unit": "USD"}],
    }]);
    let request = json!({"credential": root["id"], "to": helper, "capability": less, "validForSeconds": 600});
    let handed = home
        .admin()
        .post(&format!("/agents/{AGENT}/delegations"), &request)
        .expect(201);
    let leaf = &handed["verifiableCredential"];
    cluster.settle(&[0, 1]);

    let key = oauth::key(cluster.folder(), "helper");
    let new = || Request::new(home, HELPER, leaf, verifier, &key);
    let alone = new().send(verifier.public());
    alone.expect_oauth("invalid_grant");
    assert_eq!(alone.json()["code"], "chain-broken");
    let request = new();
    let challenge = &request.form.iter().find(|(name, _)| name == "challenge").unwrap().1;
    let whole = json!({"credentials": [leaf, root], "challenge": challenge, "domain": verifier.did});
    let shown = home
        .admin()
        .post(&format!("/agents/{HELPER}/presentations"), &whole)
        .expect(201);
    let shown = shown["verifiablePresentation"].to_string();
    let token = request
        .clone()
        .with("subject_token", Some(&shown))
        .send(verifier.public())
        .token();
    let claims = part(&token, 1);
    assert_eq!(claims["aap_delegation"]["chain"], json!([agent, helper]));
    assert_eq!(claims["aap_delegation"]["depth"], 1);
    let granted = claims["authorization_details"].as_array().unwrap();
    assert_eq!(
        (granted.len(), &granted[0]["constraint"][0]["maximum"]),
        (1, &json!("50"))
    );
    introspect(verifier, SERVICE_NAME, &token, None).expect_active();

    revoke(home, &root);
    eventually("the token dies with the root", SETTLE, || {
        let answer = introspect(verifier, SERVICE_NAME, &token, None).expect(200);
        if answer["active"] == false {
            Ok(())
        } else {
            Err(answer.to_string())
        }
    });
    assert!(
        why_inactive(verifier, &token).starts_with("revoked"),
        "{}",
        why_inactive(verifier, &token)
    );
}
