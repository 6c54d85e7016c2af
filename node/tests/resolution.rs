//! DID Resolution and dereferencing over HTTP, asked of a real node.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod ports;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use syndic_node::config::Config;

const PASSPHRASE: &str = "correct horse battery staple";
const KEY: &str = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
const UNIVERSAL: &str = "application/ld+json;profile=\"https://w3id.org/did-resolution\"";

struct Node {
    child: Child,
    port: u16,
    did: String,
    _folder: tempfile::TempDir,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn syndic(folder: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syndic"));
    command
        .args(arguments)
        .arg("--data")
        .arg(folder)
        .env("SYNDIC_PASSPHRASE", PASSPHRASE)
        .env_remove("SYNDIC_PASSPHRASE_FILE");
    command
}

impl Node {
    /// A node that runs alone, configured as `init` leaves it but for `change`.
    fn start(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("node");
        let port = ports::free();
        let at = |port: u16| format!("127.0.0.1:{port}");
        let (public, admin, peer) = (at(port), at(ports::free()), at(ports::free()));
        let report = syndic(
            &data,
            &[
                "init", "--json", "--name", "St. Mary", "--public", &public, "--admin", &admin, "--peer", &peer,
            ],
        )
        .output()
        .unwrap();
        let report: Value = serde_json::from_slice(&report.stdout).unwrap();
        let mut config = Config::read(&data.join("config.toml")).unwrap();
        change(&mut config);
        std::fs::write(data.join("config.toml"), config.to_toml().unwrap()).unwrap();
        let charter = folder.path().join("charter.json");
        let founded = syndic(
            &data,
            &[
                "found",
                "--name",
                "Alone",
                "--out",
                charter.to_str().unwrap(),
                "--member",
                data.join("member.json").to_str().unwrap(),
            ],
        )
        .output()
        .unwrap();
        assert!(founded.status.success(), "{founded:?}");
        let child = syndic(&data, &["run", "--exit-with-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let node = Self {
            child,
            port,
            did: report["did"].as_str().unwrap().to_owned(),
            _folder: folder,
        };
        let began = Instant::now();
        while node
            .try_ask("GET /readyz", "")
            .is_none_or(|answer| answer.status != 200)
        {
            assert!(began.elapsed() < Duration::from_secs(30), "the node is not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        node
    }

    fn try_ask(&self, line: &str, headers: &str) -> Option<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok()?;
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        Some(Answer {
            status: head.get(9..12)?.parse().ok()?,
            head,
            body: bytes[end..].to_vec(),
        })
    }

    #[track_caller]
    fn resolve(&self, rest: &str, accept: &str) -> Answer {
        let accept = if accept.is_empty() {
            String::new()
        } else {
            format!("Accept: {accept}\r\n")
        };
        self.try_ask(&format!("GET /1.0/identifiers/{rest}"), &accept)
            .expect("an answer")
    }

    #[track_caller]
    fn expect_error(&self, rest: &str, accept: &str, status: u16, name: &str) {
        let answer = self.resolve(rest, accept);
        assert_eq!(
            answer.status,
            status,
            "{rest} {accept}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        let body = answer.json();
        let (metadata, content) = if answer.header("content-type") == Some("application/did-url-dereferencing") {
            (&body["dereferencingMetadata"], &body["contentStream"])
        } else {
            assert_eq!(body["didDocumentMetadata"], json!({}), "{rest}");
            (&body["didResolutionMetadata"], &body["didDocument"])
        };
        assert!(content.is_null(), "{rest}");
        let error = &metadata["error"];
        assert_eq!(
            error["type"],
            format!("https://www.w3.org/ns/did#{name}"),
            "{rest}: {body}"
        );
        assert!(error["title"].is_string() && error["detail"].is_string(), "{body}");
    }
}

/// One node for all that is asked of a node as it is by default: opening its keys takes a while.
#[test]
fn a_node_resolves_by_the_standard() {
    let node = Node::start(|config| config.http.requests_per_second = 10_000);
    results_and_documents(&node);
    errors(&node);
    parts(&node);
    options(&node);
    forms(&node);
    nothing_hosted(&node);
    command_line(&node);
}

fn results_and_documents(node: &Node) {
    let did = format!("did:key:{KEY}");
    for accept in [
        "",
        "*/*",
        "application/did-resolution",
        "text/html, application/did-resolution;q=0.5",
    ] {
        let answer = node.resolve(&did, accept);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("application/did-resolution")),
            "{accept}"
        );
        let body = answer.json();
        assert_eq!(body["didDocument"]["id"], did);
        assert_eq!(body["didDocumentMetadata"], json!({}));
        assert_eq!(body["didResolutionMetadata"], json!({"contentType": "application/did"}));
    }
    for media_type in ["application/did", "application/did+json", "application/did+ld+json"] {
        let answer = node.resolve(&did, media_type);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(media_type)));
        assert_eq!(answer.json()["id"], did);
    }
    let own = node.resolve(&node.did, "application/did").json();
    assert_eq!(own["id"], node.did);
    let jwk = syndic_vc::did_jwk::for_key(&syndic_vc::key::PublicKey::from_multikey(KEY).unwrap());
    assert_eq!(node.resolve(jwk.as_str(), "application/did").json()["id"], jwk.as_str());
    let raw = node.resolve(&did, "").body;
    assert_eq!(node.resolve(&did.replace(':', "%3A"), "").body, raw);
    assert_eq!(node.resolve(&did.replace(':', "%3a"), "").body, raw);
}

fn errors(node: &Node) {
    for rest in [
        "x",
        "did",
        "did:",
        "did:key",
        "did:key:",
        "did:KEY:z",
        "did:key:z6Mk",
        "did:key:z6Mk%00",
        "%ff",
        "did%3Akey",
        "did:jwk:e30",
    ] {
        node.expect_error(rest, "", 400, "INVALID_DID");
    }
    let dereferencing = "application/did-url-dereferencing";
    for rest in ["x", "did:key", "did:key:z6Mk%23%20", "did%3Akey%3Az6Mk%23%7Bx%7D"] {
        node.expect_error(rest, dereferencing, 400, "INVALID_DID_URL");
    }
    node.expect_error(&format!("did:key:{KEY}%23%7B"), "", 400, "INVALID_DID_URL");
    for rest in ["did:example:123", "did:ion:EiClkZMDxPKqC9c", "did:web:example.org"] {
        node.expect_error(rest, "", 501, "METHOD_NOT_SUPPORTED");
        node.expect_error(rest, dereferencing, 501, "METHOD_NOT_SUPPORTED");
    }
    // A resolution result is for a DID.
    node.expect_error(
        &format!("did:key:{KEY}%23{KEY}"),
        "application/did-resolution",
        400,
        "INVALID_DID",
    );
    let long = format!("did:key:z{}", "6".repeat(3_000));
    node.expect_error(&long, "", 400, "INVALID_DID");
}

fn parts(node: &Node) {
    let did = format!("did:key:{KEY}");
    let dereferencing = "application/did-url-dereferencing";
    let answer = node.resolve(&format!("{did}%23{KEY}"), dereferencing);
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some(dereferencing))
    );
    let body = answer.json();
    assert_eq!(body["contentStream"]["id"], format!("{did}#{KEY}"));
    assert_eq!(body["contentStream"]["publicKeyMultibase"], KEY);
    assert!(body["dereferencingMetadata"]["contentType"].is_string() && body["contentMetadata"].is_object());
    let encoded = format!("{did}#{KEY}").replace(':', "%3A").replace('#', "%23");
    assert_eq!(node.resolve(&encoded, dereferencing).json(), body);
    assert_eq!(node.resolve(&did, dereferencing).json()["contentStream"]["id"], did);
    node.expect_error(&format!("{did}%23other"), dereferencing, 404, "NOT_FOUND");
    node.expect_error(&format!("{did}?service=files"), "", 404, "NOT_FOUND");
    node.expect_error(&format!("{did}/path"), dereferencing, 501, "FEATURE_NOT_SUPPORTED");
}

fn options(node: &Node) {
    let did = format!("did:key:{KEY}");
    for query in ["noCache=true", "unknown=%2F", "", "&&"] {
        assert_eq!(node.resolve(&format!("{did}?{query}"), "").status, 200, "{query}");
    }
    for query in [
        "versionId=",
        "versionTime=yesterday",
        "versionTime=2026-01-01",
        "versionNumber=0",
        "versionNumber=x",
        "versionNumber=1&versionId=1",
        "versionId=1&versionId=1",
        "relativeRef=/x",
        "service=",
        "versionId=%f",
        "x=%ff",
    ] {
        node.expect_error(&format!("{did}?{query}"), "", 400, "INVALID_OPTIONS");
    }
    for query in ["versionId=1", "versionTime=2026-01-01T00:00:00Z", "versionNumber=1"] {
        node.expect_error(&format!("{did}?{query}"), "", 501, "FEATURE_NOT_SUPPORTED");
    }
    // An option may stand in the DID URL or in the request, and not in both.
    node.expect_error(&format!("{did}%3FversionId=1?versionId=1"), "", 400, "INVALID_OPTIONS");
}

fn forms(node: &Node) {
    let did = format!("did:key:{KEY}");
    for accept in [
        "text/html",
        "application/did+cbor",
        "application/did;q=0",
        "*/*;q=0",
        "application/ld+json;profile=\"x\"",
    ] {
        node.expect_error(&did, accept, 406, "REPRESENTATION_NOT_SUPPORTED");
    }
    assert_eq!(
        node.resolve(&did, "application/json").header("content-type"),
        Some("application/json")
    );
    let answer = node.resolve(&did, UNIVERSAL);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(UNIVERSAL)));
    let body = answer.json();
    assert_eq!(body["@context"], "https://w3id.org/did-resolution/v1");
    assert_eq!(body["didDocument"]["id"], did);
    for (rest, status, word) in [
        ("x", 400, "invalidDid"),
        ("did:example:1", 501, "methodNotSupported"),
        ("did:key:z6Mk", 400, "invalidDid"),
    ] {
        let answer = node.resolve(rest, UNIVERSAL);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some(UNIVERSAL))
        );
        let body = answer.json();
        assert_eq!(body["didResolutionMetadata"]["error"], word, "{body}");
        assert!(body["didDocument"].is_null() && body["@context"].is_string());
    }
}

fn nothing_hosted(node: &Node) {
    let answer = node.try_ask("GET /.well-known/did.json", "").unwrap();
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (404, Some("application/problem+json"))
    );
}

fn command_line(node: &Node) {
    let did = format!("did:key:{KEY}");
    let url = format!("http://127.0.0.1:{}", node.port);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_syndic"));
        let output = command
            .arg("resolve")
            .args(arguments)
            .args(["--node", &url])
            .output()
            .unwrap();
        let printed: Option<Value> = serde_json::from_slice(&output.stdout).ok();
        (
            output.status.code().unwrap(),
            printed,
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, document, _) = run(&[&did]);
    assert_eq!((code, &document.unwrap()["id"]), (0, &json!(did)));
    let (code, result, _) = run(&[&did, "--json"]);
    assert_eq!((code, &result.unwrap()["didDocument"]["id"]), (0, &json!(did)));
    let (code, document, _) = run(&[&did, "--json", "--document"]);
    assert_eq!((code, &document.unwrap()["id"]), (0, &json!(did)));
    let key = format!("{did}#{KEY}");
    let (code, part, _) = run(&[&key]);
    assert_eq!((code, &part.unwrap()["id"]), (0, &json!(key)));
    let (code, result, _) = run(&[&did, "--accept", UNIVERSAL]);
    assert_eq!(code, 0);
    assert!(result.unwrap()["@context"].is_string());
    for (arguments, why) in [
        (vec!["did:key:z6Mk"], "does not resolve"),
        (vec!["did:example:1"], "not resolved here"),
        (vec![did.as_str(), "--version-number", "1"], "no versions"),
        (vec![did.as_str(), "--version-time", "yesterday"], "versionTime"),
        (vec![did.as_str(), "--accept", "text/html"], "ask for"),
        (vec!["did:key:z6Mk#x"], "does not resolve"),
    ] {
        let (code, _, complaint) = run(&arguments);
        assert_eq!(code, 1, "{arguments:?}: {complaint}");
        assert!(complaint.contains(why), "{arguments:?}: {complaint}");
    }
    let (code, ..) = run(&[&did, "--version-number", "1", "--version-id", "1"]);
    assert_eq!(code, 2);
}

#[test]
fn an_organization_with_a_public_https_url_has_a_did_web() {
    let node = Node::start(|config| config.http.public_url = "https://node.example.org".to_owned());
    let answer = node.try_ask("GET /.well-known/did.json", "").unwrap();
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    let document = answer.json();
    assert_eq!(document["id"], "did:web:node.example.org");
    assert_eq!(document["alsoKnownAs"], json!([node.did]));
    let key = node.did.strip_prefix("did:key:").unwrap();
    assert_eq!(document["verificationMethod"][0]["publicKeyMultibase"], key);
    assert_eq!(
        document["assertionMethod"][0],
        format!("did:web:node.example.org#{key}")
    );
    // It needs no network to resolve its own.
    let resolved = node.resolve("did:web:node.example.org", "");
    assert_eq!((resolved.status, &resolved.json()["didDocument"]), (200, &document));
    let part = node.resolve(
        &format!("did:web:node.example.org%23{key}"),
        "application/did-url-dereferencing",
    );
    assert_eq!(part.json()["contentStream"], document["verificationMethod"][0]);
    services(&node);
    node.expect_error("did:web:other.example.org", "", 501, "METHOD_NOT_SUPPORTED");
    node.expect_error("did:web:node.example.org%3A444", "", 501, "METHOD_NOT_SUPPORTED");
}

fn services(node: &Node) {
    let did = "did:web:node.example.org";
    for (query, location) in [
        ("?service=node", "https://node.example.org"),
        ("%3Fservice=node", "https://node.example.org"),
        ("?service=node&relativeRef=/charter", "https://node.example.org/charter"),
        (
            "?service=node&relativeRef=%2Fa%2F..%2Fb%3Fc%3D%250d%250a",
            "https://node.example.org/b?c=%0d%0a",
        ),
    ] {
        for accept in ["", "application/did-url-dereferencing", "application/did"] {
            let answer = node.resolve(&format!("{did}{query}"), accept);
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, Some(location)),
                "{query}"
            );
            assert!(answer.body.is_empty());
        }
    }
    for relative in [
        "//evil.example/",
        "https:%2F%2Fevil.example",
        "/%0d%0aSet-Cookie:%20a=b",
        "%5C%5Cevil.example",
        "/%C3%BC",
    ] {
        node.expect_error(
            &format!("{did}?service=node&relativeRef={relative}"),
            "",
            400,
            "INVALID_OPTIONS",
        );
    }
    node.expect_error(&format!("{did}?service=other"), "", 404, "NOT_FOUND");
    let dereferencing = "application/did-url-dereferencing";
    let part = node.resolve(&format!("{did}%23node"), dereferencing).json();
    assert_eq!(part["contentStream"]["serviceEndpoint"], "https://node.example.org");
}

/// What a stranger names goes no further than the allow-list says.
#[test]
fn hosts_that_are_not_allowed_are_not_asked() {
    let node = Node::start(|config| {
        config.outside.enabled = true;
        config.outside.hosts = vec!["allowed.invalid".to_owned()];
    });
    for did in [
        "did:web:other.invalid",
        "did:web:allowed.invalid%3A8443",
        "did:web:allowed.invalid.other.invalid",
    ] {
        node.expect_error(did, "", 404, "NOT_FOUND");
    }
    for did in [
        "did:web:localhost",
        "did:web:127.0.0.1",
        "did:web:169.254.169.254",
        "did:web:0x7f.1",
        "did:web:allowed.invalid%2Fx",
        "did:web:..:a",
    ] {
        node.expect_error(did, "", 400, "INVALID_DID");
    }
    // It may be asked, and there is no such host.
    node.expect_error("did:web:allowed.invalid", "", 500, "INTERNAL_ERROR");
}
