#![allow(clippy::unwrap_used)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use syndic_vc::object;

use super::decision::Outcome;
use super::{CallError, Client, segment};

/// A server that gives one answer, and then the request it got.
fn answering(status: &str, kind: &str, body: &str) -> (Client, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut piece = [0; 4096];
        while !complete(&request) {
            let read = stream.read(&mut piece).unwrap();
            request.extend(piece.iter().take(read));
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    (Client::admin(&url, String::from("secret").into()).unwrap(), served)
}

/// The head has ended, and so has the one-line JSON body if there is one.
fn complete(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    text.split_once("\r\n\r\n")
        .is_some_and(|(head, body)| !head.starts_with("POST") || body.ends_with('}'))
}

const PROBLEM: &str = "application/problem+json";

fn decide(status: &str, kind: &str, body: &str) -> Result<super::Decision, CallError> {
    let (client, served) = answering(status, kind, body);
    let decision = client.decide("/actions/verify", &object! {});
    served.join().unwrap();
    decision
}

#[test]
fn a_call_carries_the_token_and_returns_the_body() {
    let (client, served) = answering("201 Created", "application/json", r#"{"agent":{"name":"a"}}"#);
    let answer = client.post("/agents", &object! { "name": "a" }).unwrap();
    assert_eq!(answer, object! { "agent": object! { "name": "a" } });
    let request = served.join().unwrap().to_lowercase();
    assert!(request.starts_with("post /agents http/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: bearer secret\r\n"), "{request}");
    assert!(request.contains("content-type: application/json\r\n"), "{request}");
    assert!(request.ends_with(r#"{"name":"a"}"#), "{request}");
}

#[test]
fn a_problem_document_becomes_its_detail() {
    let body = r#"{"type":"about:blank","title":"Not found","status":404,"detail":"no agent \"x\" here"}"#;
    let (client, served) = answering("404 Not Found", PROBLEM, body);
    let error = client.get("/agents/x").unwrap_err();
    assert_eq!(error.to_string(), "no agent \"x\" here");
    assert!(matches!(error, CallError::Refused(problem) if problem.status == 404));
    served.join().unwrap();
}

#[test]
fn decisions_are_read() {
    let allowed = r#"{"verified":true,"decision":{"decision":"allow","reasons":[],"subject":"did:key:z","asOf":[
        {"issuer":"did:key:y","head":4,"time":"2026-01-01T00:00:00Z","witnessed":{"by":1,"of":2,"size":4,"time":null}}]}}"#;
    let decision = decide("200 OK", "application/json", allowed).unwrap();
    assert_eq!(decision.outcome, Outcome::Allow);
    assert_eq!(decision.subject.as_deref(), Some("did:key:z"));
    assert_eq!(decision.as_of.len(), 1);

    let refused = r#"{"title":"no","verified":false,"decision":{"decision":"approvalRequired","subject":null,"owner":null,"reasons":[
        {"code":"approval-required","message":"ask","at":"/action"}]}}"#;
    let decision = decide("400 Bad Request", PROBLEM, refused).unwrap();
    assert_eq!(decision.outcome, Outcome::ApprovalRequired);
    assert!(decision.has_reason("approval-required"));
}

#[test]
fn nothing_is_allowed_that_is_not_said_three_times() {
    let reason = r#"[{"code":"expired","message":"m","at":""}]"#;
    for (status, verified, decision, reasons) in [
        ("200 OK", "false", "allow", "[]"),
        ("200 OK", "true", "deny", reason),
        ("200 OK", "true", "allow", reason),
        ("400 Bad Request", "true", "allow", "[]"),
        ("400 Bad Request", "false", "allow", "[]"),
        ("400 Bad Request", "false", "deny", "[]"),
        ("500 Internal Server Error", "false", "deny", reason),
        ("200 OK", "true", "maybe", "[]"),
        ("302 Found", "true", "allow", "[]"),
    ] {
        let body = format!(r#"{{"verified":{verified},"decision":{{"decision":"{decision}","reasons":{reasons}}}}}"#);
        let error = decide(status, "application/json", &body).unwrap_err();
        assert!(matches!(error, CallError::Strange { .. }), "{status} {body}: {error}");
    }
}

#[test]
fn a_refused_request_is_not_a_decision() {
    let error = decide(
        "400 Bad Request",
        PROBLEM,
        r#"{"title":"Bad request","detail":"/action: missing"}"#,
    );
    assert!(matches!(error, Err(CallError::Refused(_))));
}

#[test]
fn what_is_not_strict_json_or_leads_elsewhere_is_strange() {
    for (status, body) in [
        ("200 OK", "<html>"),
        ("200 OK", r#"{"a":1,"a":2}"#),
        ("302 Found", "{}"),
        ("500 Internal Server Error", "{}"),
    ] {
        let (client, served) = answering(status, "application/json", body);
        let error = client.get("/status").unwrap_err();
        assert!(matches!(error, CallError::Strange { .. }), "{status} {body}: {error}");
        served.join().unwrap();
    }
}

#[test]
fn nobody_there() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = Client::public(&format!("http://{free}"))
        .unwrap()
        .get("/healthz")
        .unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error}");
    assert!(error.to_string().ends_with("nothing listens there"), "{error}");
}

#[test]
fn addresses_of_nodes() {
    assert_eq!(
        Client::public("http://127.0.0.1:8440/").unwrap().base(),
        "http://127.0.0.1:8440"
    );
    assert!(Client::public("https://a.example").is_ok());
    for wrong in [
        "",
        "127.0.0.1:8440",
        "https://",
        "https://u@h",
        "http://",
        "http://a b",
        "http://u@h",
        "ftp://h",
    ] {
        assert!(Client::public(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn segments_are_escaped() {
    assert_eq!(segment("did:key:z6Mk"), "did:key:z6Mk");
    assert_eq!(segment("a b/c?d#e%ü"), "a%20b%2Fc%3Fd%23e%25%C3%BC");
}
