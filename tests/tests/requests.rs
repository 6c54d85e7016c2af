//! Signed HTTP requests: a service behind the Tower layer, and one in Python, let an agent of another organization through
//! if a real node allows it, once, and nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;

use axum::routing::post;
use axum::{Extension, Router};
use multibase::Base;
use serde_json::{Value, json};
use syndic_node::client::Client;
use syndic_node::service::{Allowed, Meaning, Received, SignedRequests};
use syndic_tests::cluster::Cluster;
use syndic_tests::node::Node;
use syndic_tests::program::repository;
use syndic_tests::scenario::{AGENT, authorize, issue, register, revoke};

const REFUND: &str = r#"{"amount": "49.99", "currency": "USD"}"#;

/// An answer of the service.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: Value,
    accept_signature: Option<String>,
}

/// What an agent's home gives it to send with a request.
fn fields(home: &Node, credential: &Value, target: &str, content: &str) -> Vec<(String, String)> {
    let body = json!({
        "credential": credential,
        "method": "POST",
        "target": target,
        "content": Base::Base64Url.encode(content),
    });
    let answer = home
        .admin()
        .post(&format!("/agents/{AGENT}/requests"), &body)
        .expect(201);
    let fields = answer["fields"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    fields.iter().map(|line| (text(&line[0]), text(&line[1]))).collect()
}

fn send(target: &str, fields: &[(String, String)], content: &str) -> Answer {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.post(target).header("Content-Type", "application/json");
    for (name, value) in fields {
        request = request.header(name, value);
    }
    let mut answer = request.send(content).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    Answer {
        status: answer.status().as_u16(),
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        accept_signature: answer
            .headers()
            .get("accept-signature")
            .map(|value| value.to_str().unwrap().to_owned()),
    }
}

impl Answer {
    #[track_caller]
    fn expect(&self, status: u16, title: &str) {
        assert_eq!(
            (self.status, self.body["title"].as_str()),
            (status, Some(title)),
            "{self:?}"
        );
    }
}

fn meaning(request: &Received<'_>) -> Result<Meaning, String> {
    let refund = syndic_vc::json::parse(request.content).map_err(|error| error.to_string())?;
    let part = |name: &str| refund.get(name).cloned().ok_or_else(|| format!("say the {name}"));
    let amount = syndic_vc::object! { "value": part("amount")?, "unit": part("currency")? };
    Ok(Meaning::new("call", "billing_api")
        .with_scope("refund_under_100")
        .with_parameter("amount", amount))
}

/// Runs a service that asks this node; gives where its refunds are.
fn service(runtime: &tokio::runtime::Runtime, node: &str) -> String {
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))))
        .unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let layer = SignedRequests::new(Client::public(node).unwrap(), &base, meaning).unwrap();
    let refund = |Extension(Allowed(decision)): Extension<Allowed>, content: String| async move {
        json!({"refunded": content, "by": decision.subject}).to_string()
    };
    let app = Router::new().route("/refunds", post(refund)).layer(layer);
    runtime.spawn(async move { axum::serve(listener, app).await });
    format!("{base}/refunds")
}

/// The two organizations: the agent's home, and the verifier that accepts its word.
fn two() -> (Cluster, String, Value) {
    let cluster = Cluster::of(2);
    let [home, verifier] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let agent = register(home, AGENT);
    let credential = issue(home, AGENT);
    authorize(verifier, &home.did);
    cluster.settle(&[0, 1]);
    (cluster, agent, credential)
}

#[test]
fn a_service_behind_the_layer_lets_through_what_a_node_allows_and_nothing_else() {
    let (cluster, agent, credential) = two();
    let [home, verifier] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let target = service(&runtime, verifier.public().url());
    let signed = |content: &str| fields(home, &credential, &target, content);

    let first = signed(REFUND);
    let allowed = send(&target, &first, REFUND);
    assert_eq!(allowed.status, 200, "{allowed:?}");
    assert_eq!(allowed.body, json!({"refunded": REFUND, "by": agent}));
    send(&target, &first, REFUND).expect(403, "action-replayed");

    let more = r#"{"amount": "99.99", "currency": "USD"}"#;
    send(&target, &signed(REFUND), more).expect(403, "content-digest-mismatch");
    let over = r#"{"amount": "100.01", "currency": "USD"}"#;
    send(&target, &signed(over), over).expect(403, "value-out-of-range");
    let elsewhere = fields(home, &credential, "http://127.0.0.1:1/refunds", REFUND);
    send(&target, &elsewhere, REFUND).expect(403, "signature-invalid");
    let unsigned = send(&target, &[], REFUND);
    unsigned.expect(401, "request-unsigned");
    assert!(unsigned.accept_signature.unwrap().contains("\"@target-uri\""));
    let nonsense = send(&target, &signed("[]"), "[]");
    assert_eq!(nonsense.status, 400, "{nonsense:?}");

    // A node that is not there allows nothing.
    let deaf = service(&runtime, "http://127.0.0.1:1");
    let request = fields(home, &credential, &deaf, REFUND);
    send(&deaf, &request, REFUND).expect(503, "Service Unavailable");

    // A hundred at once, of one request: one.
    let (one, start) = (signed(REFUND), Barrier::new(100));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..100)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    send(&target, &one, REFUND).status
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );

    assert_eq!(send(&target, &signed(REFUND), REFUND).status, 200);
    revoke(home, &credential);
    cluster.settle(&[0, 1]);
    send(&target, &signed(REFUND), REFUND).expect(403, "revoked");
}

/// Stops the service when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn the_service_in_python_lets_through_what_a_node_allows() {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: python3 is not installed");
        return;
    }
    let (cluster, agent, credential) = two();
    let [home, verifier] = &cluster.nodes[..] else {
        panic!("two nodes")
    };
    // Its name is what agents call it; where it listens is another matter.
    let base = "https://billing.example";
    let mut child = Command::new("python3")
        .arg(repository().join("examples/service.py"))
        .args(["--node", verifier.public().url(), "--base", base, "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let _running = Running(child);
    let address = line.trim().strip_prefix("listening on ").unwrap();
    let here = format!("http://{address}/refunds");
    let signed = |content: &str| fields(home, &credential, &format!("{base}/refunds"), content);

    let first = signed(REFUND);
    let allowed = send(&here, &first, REFUND);
    assert_eq!(
        (allowed.status, &allowed.body["by"]),
        (200, &agent.into()),
        "{allowed:?}"
    );
    send(&here, &first, REFUND).expect(403, "action-replayed");
    let over = r#"{"amount": "100.01", "currency": "USD"}"#;
    send(&here, &signed(over), over).expect(403, "value-out-of-range");
    send(&here, &[], REFUND).expect(403, "request-unsigned");
    let to_itself = fields(home, &credential, &here, REFUND);
    send(&here, &to_itself, REFUND).expect(403, "signature-invalid");
}
