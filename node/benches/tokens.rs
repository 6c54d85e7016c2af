//! What a token costs: requests a second at the token endpoint of the shipped program, over HTTP on loopback, beside
//! presentations that are verified and nothing more, and questions whether a token holds.
//!
//! `cargo bench -p syndic-node --bench tokens` makes 2,000 presentations for 2,000 challenges, each with a proof of its own,
//! and sends them over 32 connections, twice: once to `/presentations/verify` and once (others) to `/token`; then asks
//! `/introspect` as often. Everything is durable before it is answered. `-- REQUESTS` takes another number; challenges are good
//! for two minutes and proofs for one, which bounds it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use syndic_node::client::segment;
use syndic_node::clock;
use syndic_vc::canonical;
use syndic_vc::json::{self, Value};
use syndic_vc::key::SecretKey;
use syndic_vc::object;
use syndic_vc::token::dpop::ProofDraft;
use zeroize::Zeroizing;

const PASSPHRASE: &str = "correct horse battery staple";
const REQUESTS: usize = 2_000;
const CONNECTIONS: usize = 32;
/// The unit of the times in `/proc/PID/stat`.
const TICKS_PER_SECOND: u64 = 100;

fn main() {
    let named = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let requests: usize = named.unwrap_or(REQUESTS);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let (node, home) = started(&data);
    let credential = credential(&home);

    let shown = prepared(&home, &credential, requests);
    let verify = |one: &Prepared| {
        let options = object! { "challenge": one.challenge.as_str(), "domain": one.domain.as_str() };
        let body = object! { "verifiablePresentation": one.presentation.clone(), "options": options };
        (
            "/presentations/verify",
            "application/json",
            text(&body),
            one.proof.clone(),
        )
    };
    measure("presentations verified", &node, &home, &shown, &verify);

    let shown = prepared(&home, &credential, requests);
    let token = |one: &Prepared| {
        (
            "/token",
            "application/x-www-form-urlencoded",
            one.form(),
            one.proof.clone(),
        )
    };
    let tokens = measure("tokens made", &node, &home, &shown, &token);

    let tokens: Vec<String> = tokens.iter().map(|answer| member(answer, "access_token")).collect();
    let ask = |token: &String| {
        (
            "/introspect",
            "application/x-www-form-urlencoded",
            format!("token={token}"),
            String::new(),
        )
    };
    let answers = measure("tokens looked at", &node, &home, &tokens, &ask);
    assert!(
        answers
            .iter()
            .all(|answer| answer.get("active").and_then(Value::as_bool) == Some(true))
    );
    println!("a token has {} bytes", tokens[0].len());
}

/// A running node and how it is called.
struct Home {
    public: String,
    admin: String,
    bearer: String,
}

struct Prepared {
    challenge: String,
    domain: String,
    presentation: Value,
    proof: String,
}

impl Prepared {
    fn form(&self) -> String {
        let pairs = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token_type", "urn:syndic:token-type:presentation"),
            ("subject_token", &text(&self.presentation)),
            ("challenge", &self.challenge),
            ("audience", &self.domain),
        ];
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", segment(value)))
            .collect();
        pairs.join("&")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

struct Running(Child);

fn started(data: &Path) -> (Running, Home) {
    let port = || {
        std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
    };
    let (public, admin, peer) = (port(), port(), port());
    let at = |port: u16| format!("127.0.0.1:{port}");
    let init = [
        "init",
        "--name",
        "Bench",
        "--public",
        &at(public),
        "--admin",
        &at(admin),
        "--peer",
        &at(peer),
    ];
    syndic(data, &init);
    let card = data.join("member.json");
    syndic(data, &["found", "--name", "Bench", "--member", card.to_str().unwrap()]);
    let config = data.join("config.toml");
    let unlimited = std::fs::read_to_string(&config)
        .unwrap()
        .replace("requests_per_second = 50", "requests_per_second = 1000000");
    std::fs::write(&config, unlimited).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_syndic"))
        .args(["run", "--data"])
        .arg(data)
        .env("SYNDIC_PASSPHRASE", PASSPHRASE)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let node = Running(child);
    let home = Home {
        public: format!("http://127.0.0.1:{public}"),
        admin: format!("http://127.0.0.1:{admin}"),
        bearer: format!(
            "Bearer {}",
            std::fs::read_to_string(data.join("admin.token")).unwrap().trim()
        ),
    };
    let begun = Instant::now();
    while !caller()
        .get(format!("{}/readyz", home.public))
        .call()
        .is_ok_and(|answer| answer.status() == 200)
    {
        assert!(begun.elapsed() < Duration::from_secs(30), "the node is not ready");
        std::thread::sleep(Duration::from_millis(20));
    }
    (node, home)
}

fn credential(home: &Home) -> Value {
    let owner = object! { "id": "https://bench.example/people/1" };
    let _agent = posted(home, &caller(), "/agents", &object! { "name": "agent", "owner": owner });
    let limit = object! { "type": "range", "parameter": "amount", "maximum": "100.00", "unit": "USD" };
    let capability = object! { "action": "call", "resource": "billing_api", "constraint": vec![limit] };
    let issued = posted(
        home,
        &caller(),
        "/agents/agent/credentials",
        &object! { "capability": vec![capability] },
    );
    issued.get("verifiableCredential").unwrap().clone()
}

/// Presentations for challenges, each with a proof for the token endpoint.
fn prepared(home: &Home, credential: &Value, count: usize) -> Vec<Prepared> {
    let caller = caller();
    let key = SecretKey::from_seed(Zeroizing::new([7; 32]));
    let one = |number: usize| {
        let challenge = posted(home, &caller, "/challenges", &object! {});
        let (challenge, domain) = (member(&challenge, "challenge"), member(&challenge, "domain"));
        let body = object! { "credentials": vec![credential.clone()], "challenge": challenge.as_str(), "domain": domain.as_str() };
        let signed = posted(home, &caller, "/agents/agent/presentations", &body);
        let draft = ProofDraft {
            id: &format!("{number:06}-{challenge:.60}"),
            method: "POST",
            url: &format!("{}/token", home.public),
            issued: clock::now(),
            access_token: None,
            nonce: None,
        };
        Prepared {
            presentation: signed.get("verifiablePresentation").unwrap().clone(),
            proof: draft.sign(&key).unwrap(),
            challenge,
            domain,
        }
    };
    (0..count).map(one).collect()
}

/// Sends all of it over many connections and says how fast it was answered, and with how much work of the node.
fn measure<T: Sync>(
    what: &str,
    node: &Running,
    home: &Home,
    all: &[T],
    request: &(dyn Fn(&T) -> (&'static str, &'static str, String, String) + Sync),
) -> Vec<Value> {
    let next = AtomicUsize::new(0);
    let (begun, worked) = (Instant::now(), cpu(&node.0));
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| {
                    let caller = caller();
                    let mut answers = Vec::new();
                    while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let (path, kind, body, proof) = request(one);
                        // The admin listener has the same doors, and tells whoever has its token about any token.
                        let sent = caller
                            .post(format!("{}{path}", home.admin))
                            .header("Content-Type", kind)
                            .header("Authorization", &home.bearer)
                            .header("DPoP", &proof)
                            .send(body);
                        answers.push(read(path, sent));
                    }
                    answers
                })
            })
            .collect();
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    let (took, worked) = (begun.elapsed(), cpu(&node.0) - worked);
    let count = u64::try_from(answers.len()).unwrap();
    println!(
        "{what:<24} {:>6} a second, {:>5} us of the node's CPU each ({count} over {CONNECTIONS} connections)",
        u128::from(count) * 1_000_000 / took.as_micros().max(1),
        worked * 1_000_000 / TICKS_PER_SECOND / count,
    );
    answers
}

/// CPU time of a process, in ticks.
fn cpu(child: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn caller() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into()
}

fn posted(home: &Home, caller: &ureq::Agent, path: &str, body: &Value) -> Value {
    let sent = caller
        .post(format!("{}{path}", home.admin))
        .header("Content-Type", "application/json")
        .header("Authorization", &home.bearer)
        .send(text(body));
    read(path, sent)
}

fn read(path: &str, sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
    let mut answer = sent.unwrap();
    let bytes = answer.body_mut().read_to_vec().unwrap();
    assert!(
        answer.status().is_success(),
        "{path}: {}",
        String::from_utf8_lossy(&bytes)
    );
    json::parse(&bytes).unwrap()
}

fn member(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap().to_owned()
}

fn text(value: &Value) -> String {
    String::from_utf8(canonical::to_bytes(value)).unwrap()
}

fn syndic(data: &Path, arguments: &[&str]) {
    let done = Command::new(env!("CARGO_BIN_EXE_syndic"))
        .args(arguments)
        .env("SYNDIC_DATA", data)
        .env("SYNDIC_PASSPHRASE", PASSPHRASE)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
