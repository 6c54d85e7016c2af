//! What strangers send: every public door, and the admin door without a token. Whatever it is, the answer is an error
//! in the one form of errors, soon, and the node is as well as before. Beside each group stands a twin that differs
//! only in what was wrong, and is accepted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::time::Duration;

use serde_json::{Value, json};
use syndic_tests::cluster::Cluster;
use syndic_tests::node::Node;
use syndic_tests::scenario::{self, AGENT, action, issue, presentation, refund, register};
use syndic_tests::stranger::{self, Ending, Reply, Request};

/// Promise P23.
const LONGEST: Duration = Duration::from_secs(2);

const POSTS: [&str; 6] = [
    "/challenges",
    "/credentials/verify",
    "/presentations/verify",
    "/actions/verify",
    "/authorization",
    "/recognition",
];

/// What is wrong, the request, and the statuses that say so; none means any 4xx.
struct Case {
    what: String,
    request: Request,
    statuses: Vec<u16>,
    code: Option<&'static str>,
}

/// A table of one group.
#[derive(Default)]
struct Table(Vec<Case>);

impl Table {
    fn add(&mut self, what: impl Into<String>, request: Request) {
        self.expect(what, request, &[]);
    }

    fn expect(&mut self, what: impl Into<String>, request: Request, statuses: &[u16]) {
        self.0.push(Case {
            what: what.into(),
            request,
            statuses: statuses.to_vec(),
            code: None,
        });
    }

    /// A document that is refused for a reason of the closed list.
    fn refused(&mut self, what: impl Into<String>, path: &str, body: &Value, code: &'static str) {
        let request = Request::post(path, body.to_string());
        self.0.push(Case {
            what: what.into(),
            request,
            statuses: vec![400],
            code: Some(code),
        });
    }

    /// Sends all of it and tells every fault at once.
    fn check(self, group: &str, node: &Node) {
        let faults: Vec<String> = self
            .0
            .iter()
            .filter_map(|case| fault(case, &case.request.send(node.ports.public)))
            .collect();
        let shown = faults
            .iter()
            .take(20)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            faults.is_empty(),
            "{group}: {} of {} cases\n{shown}",
            faults.len(),
            self.0.len()
        );
        println!("{group}: {} cases", self.0.len());
        let health = node.public().get("/readyz");
        assert_eq!(health.status, 200, "after {group}: {}", health.text());
    }
}

fn fault(case: &Case, reply: &Reply) -> Option<String> {
    let fits =
        |status: u16| case.statuses.is_empty() && (400..500).contains(&status) || case.statuses.contains(&status);
    let fault = if !fits(reply.status) {
        Some(format!("expected {:?}", case.statuses))
    } else if reply.took > LONGEST {
        Some(format!("took {:?}", reply.took))
    } else if let Some(fault) = reply.fault_as_error() {
        Some(fault)
    } else {
        let found = &reply.json()["decision"]["reasons"][0]["code"];
        case.code
            .filter(|code| *found != **code)
            .map(|code| format!("expected {code}, found {found}"))
    };
    fault.map(|fault| {
        format!(
            "- {}: {fault}\n    {}\n    {}",
            case.what,
            case.request.shown(),
            reply.shown()
        )
    })
}

/// A node, and what its agent may show: the good twins.
struct House {
    cluster: Cluster,
    credential: Value,
}

impl House {
    fn new() -> Self {
        let cluster = Cluster::of(1);
        let _did = register(&cluster.nodes[0], AGENT);
        let credential = issue(&cluster.nodes[0], AGENT);
        Self { cluster, credential }
    }

    fn node(&self) -> &Node {
        &self.cluster.nodes[0]
    }

    fn question(&self) -> Value {
        json!({
            "entity_id": self.node().did, "authority_id": self.node().did,
            "action": "call", "resource": "billing_api",
        })
    }

    /// A body that is accepted; for presentations and actions, once.
    fn good(&self, path: &str) -> Value {
        match path {
            "/challenges" => json!({}),
            "/credentials/verify" => json!({"verifiableCredential": self.credential}),
            "/presentations/verify" => {
                let (challenge, domain) = scenario::challenge(self.node());
                presentation(self.node(), AGENT, &self.credential, &challenge, &domain)
            }
            "/actions/verify" => action(self.node(), AGENT, &self.credential, self.node(), &refund("9.50")),
            "/authorization" | "/recognition" => self.question(),
            other => panic!("no good body for {other}"),
        }
    }

    /// The good twins of every door are accepted.
    fn twins(&self) {
        for path in POSTS {
            let reply = Request::post(path, self.good(path).to_string()).send(self.node().ports.public);
            assert_eq!(reply.status, 200, "{path}: {}", reply.shown());
        }
    }
}

#[test]
fn bytes_that_are_not_acceptable_json() {
    let house = House::new();
    for path in POSTS {
        let mut table = Table::default();
        for (what, body) in broken_texts() {
            table.expect(what, Request::post(path, body), &[400]);
        }
        let mut oversize = house.good(path).to_string().into_bytes();
        oversize.resize(1024 * 1024 + 1, b' ');
        table.expect("1 MiB and one byte", Request::post(path, oversize.clone()), &[413]);
        let chunked = [
            format!("{:x}\r\n", oversize.len()).as_bytes(),
            &oversize[..],
            b"\r\n0\r\n\r\n",
        ]
        .concat();
        let chunked = Request::post(path, chunked).with("Transfer-Encoding", "chunked");
        table.expect("1 MiB and one byte, in chunks", chunked, &[413]);
        if path != "/challenges" {
            table.expect("no body", Request::new("POST", path), &[400, 415]);
            table.expect("an empty body", Request::post(path, ""), &[400]);
        }
        table.check(path, house.node());
        oversize.pop();
        let full = Request::post(path, oversize).send(house.node().ports.public);
        assert_eq!(full.status, 200, "exactly 1 MiB: {}", full.shown());
    }
    house.twins();
}

/// Each is wrong in one way.
fn broken_texts() -> Vec<(&'static str, Vec<u8>)> {
    let text = |what, text: &str| (what, text.as_bytes().to_vec());
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let mut texts = vec![
        text("white space only", " \n\t"),
        text("an object that does not end", "{\"a\": 1"),
        text("a comma too many", "{\"a\": 1,}"),
        text("single quotes", "{'a': 1}"),
        text("a comment", "{/* a */}"),
        text("NaN", "{\"a\": NaN}"),
        text("a word", "nul"),
        text("a duplicate key", "{\"a\": 1, \"a\": 2}"),
        text("a duplicate key, escaped", "{\"a\": 1, \"\\u0061\": 2}"),
        text("a duplicate key deep down", "{\"a\": [{\"b\": {\"c\": 1, \"c\": 1}}]}"),
        text("a lone high surrogate", "{\"a\": \"\\ud800\"}"),
        text("a lone low surrogate", "{\"a\": \"\\udc00 \"}"),
        text("surrogates in the wrong order", "{\"a\": \"\\udc00\\ud800\"}"),
        text("an integer over 2^53", "{\"a\": 9007199254740993}"),
        text("an integer under -2^53", "{\"a\": -9007199254740993}"),
        text("minus zero", "{\"a\": -0}"),
        text("a number beyond doubles", "{\"a\": 1e400}"),
        text(
            "more digits than a double keeps",
            "{\"a\": 0.1000000000000000055511151231257827}",
        ),
        text("a leading zero", "{\"a\": 01}"),
        text("a plus sign", "{\"a\": +1}"),
        text("a hexadecimal number", "{\"a\": 0x10}"),
        text("trailing bytes", "{} {}"),
        text("a trailing letter", "{}x"),
        text("a raw NUL in a string", "{\"a\": \"\0\"}"),
        text("a NUL after the end", "{}\0"),
        text("a raw newline in a string", "{\"a\": \"\n\"}"),
        text("an unknown escape", "{\"a\": \"\\x41\"}"),
        text("a byte order mark", "\u{feff}{}"),
    ];
    texts.push(("depth 33", format!("{{\"a\": {}}}", nested(32)).into_bytes()));
    texts.push(("depth 100,000", nested(100_000).into_bytes()));
    texts.push(("depth 100,000, not closed", "[".repeat(100_000).into_bytes()));
    texts.push(("invalid UTF-8", b"{\"a\": \"\xff\"}".to_vec()));
    texts.push(("overlong UTF-8", b"{\"a\": \"\xc0\xaf\"}".to_vec()));
    texts.push(("UTF-16", "{}".encode_utf16().flat_map(u16::to_le_bytes).collect()));
    texts.push((
        "a string over 64 KiB",
        format!("{{\"a\": \"{}\"}}", "x".repeat(65_537)).into_bytes(),
    ));
    let members = (0..1_001)
        .map(|index| format!("\"{index}\": 0"))
        .collect::<Vec<_>>()
        .join(",");
    texts.push(("1,001 members", format!("{{{members}}}").into_bytes()));
    texts.push(("over 20,000 values", format!("[{}0]", "0,".repeat(20_000)).into_bytes()));
    texts
}

#[test]
fn bodies_of_another_type() {
    let house = House::new();
    let mut table = Table::default();
    for path in POSTS.into_iter().filter(|path| *path != "/challenges") {
        let body = house.good(path).to_string();
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "*/*",
            "",
        ] {
            let request = Request::post(path, body.clone())
                .without("Content-Type")
                .with("Content-Type", kind);
            table.expect(format!("{path}: type {kind:?}"), request, &[415]);
        }
        table.expect(
            format!("{path}: no type"),
            Request::post(path, body.clone()).without("Content-Type"),
            &[415],
        );
        let twice = Request::post(path, body.clone()).with("Content-Type", "text/plain");
        table.expect(format!("{path}: two types"), twice, &[415]);
        let zipped = Request::post(path, body.clone()).with("Content-Encoding", "gzip");
        table.expect(format!("{path}: said to be gzip"), zipped, &[415]);
        // Of the wrong kind, though JSON.
        for other in [
            "null",
            "true",
            "17",
            "\"text\"",
            "[]",
            "{}",
            "[{}]",
            "{\"a\": \"\\u0000\"}",
        ] {
            table.expect(format!("{path}: {other}"), Request::post(path, other), &[400]);
        }
    }
    table.check("types", house.node());
    let charset = house.good("/authorization").to_string();
    let charset = Request::post("/authorization", charset)
        .without("Content-Type")
        .with("Content-Type", "application/json; charset=utf-8");
    assert_eq!(charset.send(house.node().ports.public).status, 200);
    house.twins();
}

#[test]
fn credentials_nobody_should_accept() {
    let house = House::new();
    let path = "/credentials/verify";
    let mut table = Table::default();
    let changed = |pointer: &str, value: Value| {
        let mut credential = house.credential.clone();
        *credential
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("no {pointer}")) = value;
        json!({"verifiableCredential": credential})
    };
    let without = |member: &str| {
        let mut credential = house.credential.clone();
        credential.as_object_mut().unwrap().remove(member).unwrap();
        json!({"verifiableCredential": credential})
    };
    for member in [
        "@context",
        "type",
        "issuer",
        "validFrom",
        "validUntil",
        "credentialSubject",
        "proof",
        "credentialStatus",
        "id",
    ] {
        table.expect(
            format!("without {member}"),
            Request::post(path, without(member).to_string()),
            &[400],
        );
        for wrong in [
            json!(null),
            json!(17),
            json!(""),
            json!([]),
            json!({}),
            json!(true),
            json!([[]]),
            json!("x".repeat(10_000)),
        ] {
            let request = Request::post(path, changed(&format!("/{member}"), wrong.clone()).to_string());
            table.expect(
                format!("{member} = {}", wrong.to_string().chars().take(20).collect::<String>()),
                request,
                &[400],
            );
        }
    }
    for (member, wrong) in [
        ("type", json!("RsaSignature2018")),
        ("cryptosuite", json!("eddsa-2020")),
        ("proofValue", json!("z")),
        ("proofValue", json!("u4fK")),
        ("proofValue", json!(17)),
        ("proofPurpose", json!("keyAgreement")),
        ("proofPurpose", json!("authentication")),
        ("created", json!("yesterday")),
        ("created", json!("2126-01-01T00:00:00Z")),
        ("verificationMethod", json!("")),
        ("verificationMethod", json!("did:web:evil.example#key")),
        ("verificationMethod", json!({"id": "did:key:z6Mk"})),
        ("verificationMethod", json!("https://evil.example/key")),
    ] {
        let request = Request::post(path, changed(&format!("/proof/{member}"), wrong.clone()).to_string());
        table.expect(format!("proof {member} = {wrong}"), request, &[400]);
    }
    let agent = house.credential["credentialSubject"]["id"].as_str().unwrap();
    let method = format!("{agent}#{}", agent.rsplit(':').next().unwrap());
    table.refused(
        "the key of somebody else",
        path,
        &changed("/proof/verificationMethod", method.into()),
        "verification-method-foreign",
    );
    for did in ["did:web:evil.example", "did:example:123", "did:ion:EiClkZMDxPKqC9c"] {
        let body = changed("/issuer", did.into());
        table.expect(format!("issuer {did}"), Request::post(path, body.to_string()), &[400]);
    }
    let constraint = "/credentialSubject/capability/1/constraint/0";
    table.refused(
        "an unknown constraint",
        path,
        &changed(&format!("{constraint}/type"), "mood".into()),
        "constraint-unknown",
    );
    table.refused(
        "a raised limit",
        path,
        &changed(&format!("{constraint}/maximum"), "1000.00".into()),
        "signature-invalid",
    );
    table.refused(
        "a limit that is no number",
        path,
        &changed(&format!("{constraint}/maximum"), "1e2".into()),
        "document-malformed",
    );
    table.refused(
        "a limit with 39 digits",
        path,
        &changed(&format!("{constraint}/maximum"), "9".repeat(39).into()),
        "document-malformed",
    );
    table.refused(
        "another status entry",
        path,
        &changed("/credentialStatus/statusListIndex", "1".into()),
        "signature-invalid",
    );
    table.refused(
        "a status entry beyond all lists",
        path,
        &changed("/credentialStatus/statusListIndex", "99999999999999999999".into()),
        "status-unknown",
    );
    let mut more = house.credential.clone();
    more["credentialSubject"]["admin"] = true.into();
    table.refused(
        "an unknown member of the subject",
        path,
        &json!({"verifiableCredential": more}),
        "document-malformed",
    );
    let mut more = house.credential.clone();
    more["unsigned"] = "member".into();
    table.expect(
        "a member nobody signed",
        Request::post(path, json!({"verifiableCredential": more}).to_string()),
        &[400],
    );
    let proofs = json!(vec![house.credential["proof"].clone(); 9]);
    table.expect(
        "nine proofs",
        Request::post(path, changed("/proof", proofs).to_string()),
        &[400],
    );
    table.check("credentials", house.node());
    house.twins();
}

#[test]
fn presentations_and_actions_nobody_should_accept() {
    let house = House::new();
    let node = house.node();
    let mut table = Table::default();
    let path = "/presentations/verify";
    let good = house.good(path);
    for pointer in [
        "/verifiablePresentation",
        "/options",
        "/options/challenge",
        "/verifiablePresentation/holder",
        "/verifiablePresentation/verifiableCredential",
        "/verifiablePresentation/proof",
        "/verifiablePresentation/proof/challenge",
        "/verifiablePresentation/proof/domain",
        "/verifiablePresentation/type",
        "/verifiablePresentation/@context",
    ] {
        for wrong in [
            json!(null),
            json!(17),
            json!(""),
            json!([]),
            json!({}),
            json!("x".repeat(10_000)),
            json!("\u{0}"),
        ] {
            let mut body = good.clone();
            *body.pointer_mut(pointer).unwrap() = wrong.clone();
            let shown = wrong.to_string().chars().take(20).collect::<String>();
            table.expect(
                format!("{pointer} = {shown}"),
                Request::post(path, body.to_string()),
                &[400],
            );
        }
    }
    let mut never = good.clone();
    never["options"]["challenge"] = "u4fPpLZqCIkUbvXhhUQlYsg".into();
    never["verifiablePresentation"]["proof"]["challenge"] = "u4fPpLZqCIkUbvXhhUQlYsg".into();
    table.expect(
        "a challenge never given",
        Request::post(path, never.to_string()),
        &[400],
    );
    let mut many = good.clone();
    many["verifiablePresentation"]["verifiableCredential"] = json!(vec![house.credential.clone(); 17]);
    table.expect("17 credentials", Request::post(path, many.to_string()), &[400]);

    let path = "/actions/verify";
    let good_action = house.good(path);
    for pointer in [
        "/action",
        "/credential",
        "/action/agent",
        "/action/action",
        "/action/resource",
        "/action/audience",
        "/action/created",
        "/action/expires",
        "/action/nonce",
        "/action/capability",
        "/action/proof",
        "/action/parameters",
        "/action/parameters/amount",
        "/action/parameters/amount/value",
    ] {
        for wrong in [
            json!(null),
            json!([]),
            json!("x".repeat(10_000)),
            json!("\u{0}"),
            json!(-1.5),
            json!("did:web:evil.example"),
        ] {
            let mut body = good_action.clone();
            *body.pointer_mut(pointer).unwrap() = wrong.clone();
            let shown = wrong.to_string().chars().take(20).collect::<String>();
            table.expect(
                format!("{pointer} = {shown}"),
                Request::post(path, body.to_string()),
                &[400],
            );
        }
    }
    let mut missing = refund("1");
    missing["parameters"] = json!({"note": "no amount at all"});
    let missing = action(node, AGENT, &house.credential, node, &missing);
    table.refused("no amount", path, &missing, "parameter-missing");
    for amount in ["1000", "100.000000000000000000000000000000001"] {
        let over = action(node, AGENT, &house.credential, node, &refund(amount));
        table.refused(format!("{amount} dollars"), path, &over, "value-out-of-range");
    }
    table.check("presentations and actions", node);
    // What was shown changed is still good as it was.
    let port = node.ports.public;
    assert_eq!(
        Request::post("/presentations/verify", good.to_string())
            .send(port)
            .status,
        200
    );
    assert_eq!(
        Request::post("/actions/verify", good_action.to_string())
            .send(port)
            .status,
        200
    );
    house.twins();
}

#[test]
fn questions_that_are_not_questions() {
    let house = House::new();
    let mut table = Table::default();
    for path in ["/authorization", "/recognition"] {
        let good = house.question();
        for member in ["entity_id", "authority_id", "action", "resource"] {
            let mut without = good.clone();
            without.as_object_mut().unwrap().remove(member);
            table.expect(
                format!("{path} without {member}"),
                Request::post(path, without.to_string()),
                &[400],
            );
            for wrong in [json!(null), json!(17), json!(""), json!([]), json!({}), json!(false)] {
                let mut body = good.clone();
                body[member] = wrong.clone();
                table.expect(
                    format!("{path} {member} = {wrong}"),
                    Request::post(path, body.to_string()),
                    &[400],
                );
            }
        }
        let mut unknown = good.clone();
        unknown["authority_id"] = "did:web:nobody.example".into();
        table.expect(
            format!("{path}: an authority nobody knows"),
            Request::post(path, unknown.to_string()),
            &[404],
        );
        unknown["authority_id"] = format!("did:web:{}", "x".repeat(10_000)).into();
        table.expect(
            format!("{path}: an authority of 10,000 letters"),
            Request::post(path, unknown.to_string()),
            &[400, 404],
        );
        for context in [
            json!(null),
            json!("now"),
            json!([]),
            json!({"time": "yesterday"}),
            json!({"time": 17}),
            json!({"time": "2026-02-30T00:00:00Z"}),
            json!({"time": ""}),
            json!({"time": "2026-01-01"}),
        ] {
            let mut body = good.clone();
            body["context"] = context.clone();
            table.expect(
                format!("{path}: context {context}"),
                Request::post(path, body.to_string()),
                &[400],
            );
        }
    }
    table.check("trust registry questions", house.node());
    for context in [
        json!({}),
        json!({"time": "2026-01-01T00:00:00Z"}),
        json!({"anything": ["else"]}),
    ] {
        let mut body = house.question();
        body["context"] = context;
        let reply = Request::post("/authorization", body.to_string()).send(house.node().ports.public);
        assert_eq!(reply.status, 200, "{}", reply.shown());
    }
}

#[test]
fn paths_that_lead_nowhere() {
    let house = House::new();
    let (node, did) = (house.node(), house.node().did.clone());
    let mut table = Table::default();
    let did_path = |text: &str| format!("/1.0/identifiers/{text}");
    for text in ["did:web:evil.example", "did:example:123", "did:ion:EiClkZMDxPKqC9c"] {
        table.expect("an unknown method", Request::get(&did_path(text)), &[501]);
    }
    // The form of DID Resolution's own errors, not a problem document.
    for (text, kind) in [
        ("did:web:evil.example", "METHOD_NOT_SUPPORTED"),
        ("did:key:z6Mk", "INVALID_DID"),
        ("x", "INVALID_DID"),
    ] {
        let reply = Request::get(&did_path(text)).send(node.ports.public);
        assert_eq!(
            reply.header("content-type"),
            "application/did-resolution",
            "{text}: {}",
            reply.shown()
        );
        let error = &reply.json()["didResolutionMetadata"]["error"];
        assert_eq!(
            error["type"],
            format!("https://www.w3.org/ns/did#{kind}"),
            "{text}: {}",
            reply.shown()
        );
    }
    let long = format!("did:key:z{}", "6".repeat(10_000));
    for text in [
        "x",
        "did",
        "did:",
        "did::",
        "did:key",
        "did:key:",
        "did:KEY:z6Mk",
        "did:key:z6Mk",
        "did:key:z",
        "did:key:m6Mk",
        "DID:key:z6Mk",
        "did:key:z6Mk%00",
        "did:key:%00",
        "%ff%fe",
        "did%3Akey%3Az%2F..%2F..%2Fetc%2Fpasswd",
        "did:key:z6Mk/../../etc/passwd",
        "did:key:..%2f..%2f",
        "did:web:evil.example:%2Fetc",
        "did:key:zQ3sh#frag?",
        long.as_str(),
        "did:key:z6Mkf5rGMoatrSj1f4CyvuHBeXJELe9RPdzo2PKGNCKVtZx%C3%A9",
    ] {
        table.add(
            format!("no DID: {}", text.chars().take(40).collect::<String>()),
            Request::get(&did_path(text)),
        );
    }
    table.expect("no DID at all", Request::get("/1.0/identifiers/"), &[400, 404]);
    for accept in ["text/html", "image/png", "application/did+cbor", "\u{1}"] {
        table.add(
            format!("Accept: {accept:?}"),
            Request::get(&did_path(&did)).with("Accept", accept),
        );
    }
    let log = |path: &str| format!("/logs/{did}/{path}");
    for path in [
        "",
        "checkpoint/",
        "checkpoint/x",
        "Checkpoint",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/x000/000",
        "tile/0/x001",
        "tile/0/001/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/entries/999",
        "tile/data/000",
        "tile/0/000/",
        "..",
        "../..",
        "../../keys.sealed",
        "%2e%2e/%2e%2e/etc/passwd",
        "..%2f..%2fkeys.sealed",
        "tile%2F0%2F000",
        "tile/0/000%00",
        "tile/0/%30%30%30.p/0",
        "\\..\\..\\keys.sealed",
        "tile/entries/000.p/255",
    ] {
        table.add(format!("log file {path:?}"), Request::get(&log(path)));
    }
    for who in [
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "nobody",
        "did:web:evil.example",
        "%00",
        "%ff",
        "..",
        long.as_str(),
    ] {
        table.add(
            format!("log of {}", who.chars().take(30).collect::<String>()),
            Request::get(&format!("/logs/{who}/checkpoint")),
        );
    }
    for path in [
        "/status-lists/",
        "/status-lists/nosuch",
        "/status-lists/..%2f..%2fkeys.sealed",
        "/status-lists/%00",
        "/status-lists/%ff",
        "/",
        "/index.html",
        "/favicon.ico",
        "/.env",
        "/.well-known/nothing",
        "/charter/",
        "/charter/x",
        "//charter",
        "/healthz/..%2f",
        "/%00",
        "/%",
        "/%zz",
        // What belongs to the organization alone is not here.
        "/status",
        "/agents",
        "/credentials",
        "/credentials/issue",
        "/registry/members",
        "/registry/digest",
    ] {
        table.add(format!("path {path}"), Request::get(path));
    }
    table.add(
        "a path of 10,000 letters",
        Request::get(&format!("/{}", "x".repeat(10_000))),
    );
    table.expect(
        "a path of 20,000 letters",
        Request::get(&format!("/{}", "x".repeat(20_000))),
        &[414, 431],
    );
    for path in [
        "/agents",
        "/credentials/issue",
        "/credentials/status",
        "/registry/authorize",
    ] {
        table.expect(format!("public {path}"), Request::post(path, "{}"), &[404, 405]);
    }
    table.check("paths", node);
    for path in [
        did_path(&did),
        did_path(&did.replace(':', "%3A")),
        log("checkpoint"),
        "/charter".to_owned(),
        "/healthz".to_owned(),
        "/ns/capability/v1".to_owned(),
    ] {
        let reply = Request::get(&path).send(node.ports.public);
        assert_eq!(reply.status, 200, "{path}: {}", reply.shown());
    }
}

#[test]
fn methods_hosts_and_origins() {
    let house = House::new();
    let node = house.node();
    let mut table = Table::default();
    for path in [
        "/healthz",
        "/charter",
        "/challenges",
        "/credentials/verify",
        "/authorization",
    ] {
        for method in ["PUT", "DELETE", "PATCH", "PROPFIND", "get"] {
            table.expect(format!("{method} {path}"), Request::new(method, path), &[405]);
        }
        // Known to HTTP and to no resource here (RFC 9110, 15.6.2).
        for method in ["TRACE", "CONNECT"] {
            table.expect(format!("{method} {path}"), Request::new(method, path), &[405]);
        }
    }
    for path in POSTS {
        table.expect(format!("GET {path}"), Request::get(path), &[405]);
    }
    for path in ["/healthz", "/charter"] {
        table.expect(format!("POST {path}"), Request::post(path, "{}"), &[405]);
    }
    for host in [
        "evil.example",
        "evil.example:8440",
        "127.0.0.1.evil.example",
        "",
        "127.0.0.1:x",
        "[::1",
        "user@127.0.0.1",
    ] {
        table.add(format!("Host: {host}"), Request::get("/charter").with("Host", host));
        table.add(
            format!("Host: {host}"),
            Request::post("/challenges", "{}").with("Host", host),
        );
    }
    table.add(
        "two hosts",
        Request::get("/charter")
            .with("Host", "127.0.0.1")
            .with("Host", "127.0.0.1"),
    );
    table.add("a foreign target", Request::get("http://evil.example/charter"));
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "file://"] {
        table.expect(
            format!("Origin: {origin}"),
            Request::post("/challenges", "{}").with("Origin", origin),
            &[403],
        );
        table.expect(
            format!("Origin: {origin}"),
            Request::get("/charter").with("Origin", origin),
            &[403],
        );
    }
    let big = "x".repeat(17 * 1024);
    table.add("a header of 17 KiB", Request::get("/charter").with("X-Padding", &big));
    let mut many = Request::get("/charter");
    for index in 0..80 {
        many = many.with(&format!("X-{index}"), "1");
    }
    table.add("80 headers", many);
    table.add(
        "a header that is no header",
        Request::get("/charter").with("bad name", "1"),
    );
    table.add(
        "a negative length",
        Request::post("/challenges", "{}").with("Content-Length", "-1"),
    );
    table.add(
        "two lengths",
        Request::post("/challenges", "{}")
            .with("Content-Length", "2")
            .with("Content-Length", "3"),
    );
    table.add(
        "length and chunks",
        Request::post("/challenges", "{}")
            .with("Content-Length", "2")
            .with("Transfer-Encoding", "chunked"),
    );
    table.add(
        "an unknown transfer",
        Request::post("/challenges", "{}").with("Transfer-Encoding", "gzip"),
    );
    table.add(
        "chunks that are none",
        Request::post("/authorization", "zz\r\n").with("Transfer-Encoding", "chunked"),
    );
    table.check("methods, hosts, origins", node);

    for raw in [
        &b"GARBAGE\r\n\r\n"[..],
        b"GET /charter HTTP/1.1\r\n\r\n",
        b"GET /charter HTTP/0.9\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /charter HTTP/1.1\nHost: 127.0.0.1\n\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let reply = stranger::send(node.ports.public, raw, Ending::HangingUp);
        let shown = String::from_utf8_lossy(raw);
        assert!(
            reply.status == 0 || (400..500).contains(&reply.status) || reply.status == 505,
            "{shown}: {}",
            reply.shown()
        );
        assert!(reply.took < LONGEST, "{shown}: {:?}", reply.took);
    }
    let half = Request::post("/authorization", "{}")
        .with("Content-Length", "100")
        .bytes(node.ports.public);
    let reply = stranger::send(node.ports.public, &half, Ending::HangingUp);
    assert!(
        reply.status == 0 || (400..500).contains(&reply.status),
        "half a body: {}",
        reply.shown()
    );
    for path in ["/healthz", "/charter"] {
        let head = Request::new("HEAD", path).send(node.ports.public);
        assert_eq!(
            (head.status, head.body.len()),
            (200, 0),
            "HEAD {path}: {}",
            head.shown()
        );
    }
    let head = Request::new("HEAD", "/challenges").send(node.ports.public);
    assert_eq!((head.status, head.body.len()), (405, 0), "{}", head.shown());
    let named = Request::get("/charter").with("Host", "localhost");
    assert_eq!(named.send(node.ports.public).status, 200);
    let own = format!("http://127.0.0.1:{}", node.ports.public);
    assert_eq!(
        Request::get("/charter")
            .with("Origin", &own)
            .send(node.ports.public)
            .status,
        200
    );
    house.twins();
}

#[test]
fn the_admin_door_without_its_token() {
    let house = House::new();
    let node = house.node();
    let port = node.ports.admin;
    let good = format!("Bearer {}", node.token());
    let check = |what: &str, request: &Request, statuses: &[u16]| {
        let reply = request.send(port);
        assert!(statuses.contains(&reply.status), "{what}: {}", reply.shown());
        assert_eq!(reply.fault_as_error(), None, "{what}: {}", reply.shown());
        assert!(reply.took < LONGEST, "{what}: {:?}", reply.took);
        assert!(
            !reply.shown().contains(node.token()),
            "{what}: the answer tells the token"
        );
    };
    for path in [
        "/status",
        "/agents",
        "/credentials",
        "/registry/members",
        "/registry/digest",
        "/nosuch",
        "/charter",
    ] {
        check("no token", &Request::get(path), &[401]);
    }
    for path in [
        "/agents",
        "/credentials/issue",
        "/credentials/status",
        "/registry/authorize",
        "/agents/x/retire",
        "/keys/log/rotate",
        "/keys/compromised",
        "/trust-bundles",
    ] {
        check("no token", &Request::post(path, "{}"), &[401]);
    }
    check(
        "in the query",
        &Request::get(&format!("/status?access_token={}", node.token())),
        &[401],
    );
    check(
        "as a cookie",
        &Request::get("/status").with("Cookie", &format!("token={}", node.token())),
        &[401],
    );
    let wrong = [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic eDp4",
        "Bearer \u{e9}",
        "bearer",
        "Token x",
    ];
    for value in wrong {
        check(value, &Request::get("/status").with("Authorization", value), &[401]);
    }
    check(
        "the public Host of a rebinding page",
        &Request::get("/status")
            .with("Authorization", &good)
            .with("Host", "evil.example"),
        &[400, 421],
    );
    check(
        "another site's page",
        &Request::get("/status")
            .with("Authorization", &good)
            .with("Origin", "https://evil.example"),
        &[403],
    );
    for guess in 0..20 {
        check(
            "guessing",
            &Request::get("/status").with("Authorization", &format!("Bearer {guess}")),
            &[401, 429],
        );
    }
    check(
        "guessed too often",
        &Request::get("/status").with("Authorization", "Bearer last"),
        &[429],
    );
    // The owner is not locked out by it.
    let reply = Request::get("/status").with("Authorization", &good).send(port);
    assert_eq!(reply.status, 200, "{}", reply.shown());
    admin_bodies(&house);
}

/// With the token, what is wrong is still told as 4xx, and changes nothing.
fn admin_bodies(house: &House) {
    let node = house.node();
    let before = node.admin().get("/status").expect(200);
    let owner = json!({"id": "https://st-mary.example/staff/dana-reyes"});
    let agent = |name: &str| json!({"name": name, "owner": owner});
    let credentials = format!("/agents/{AGENT}/credentials");
    let grant =
        |constraint: Value| json!({"capability": [{"action": "read", "resource": "x", "constraint": [constraint]}]});
    let cases: Vec<(&str, Value, &[u16])> = vec![
        ("/agents", json!({}), &[400]),
        ("/agents", json!({"name": "NoOwner"}), &[400]),
        ("/agents", json!({"name": "NoOwner", "owner": {}}), &[400]),
        ("/agents", json!({"name": "NoOwner", "owner": {"id": ""}}), &[400]),
        ("/agents", json!({"name": "X", "owner": owner, "colour": "red"}), &[400]),
        ("/agents", agent(""), &[400]),
        ("/agents", agent("../../etc/passwd"), &[400]),
        ("/agents", agent("<script>alert(1)</script>"), &[400]),
        ("/agents", agent(&"x".repeat(10_000)), &[400]),
        ("/agents", agent("\u{202e}gnp"), &[400]),
        ("/agents", agent(AGENT), &[409]),
        (
            "/agents",
            json!({"name": "Y", "owner": owner, "did": "did:web:evil.example"}),
            &[400, 501],
        ),
        (
            "/agents/nobody/credentials",
            json!({"capability": scenario::capabilities()}),
            &[404],
        ),
        ("/agents/nobody/retire", json!({}), &[404]),
        ("/agents/nobody/suspend", json!({}), &[404]),
        ("/agents/nobody/resume", json!({}), &[404]),
        ("/keys/compromised", json!({}), &[400]),
        ("/keys/compromised", json!({"key": "did:example:no-fragment"}), &[400]),
        ("/keys/compromised", json!({"key": "x".repeat(10_000)}), &[400]),
        ("/trust-bundles", json!({"domain": "urn:x", "format": "jwks"}), &[400]),
        (
            "/trust-bundles",
            json!({"domain": "urn:x", "format": "jwks", "bundle": {}}),
            &[400],
        ),
        (
            "/trust-bundles",
            json!({"domain": "urn:x", "format": "spiffe", "bundle": {"keys": []}}),
            &[400],
        ),
        (&credentials, json!({}), &[400]),
        (&credentials, json!({"capability": []}), &[400]),
        (&credentials, json!({"capability": "all"}), &[400]),
        (
            &credentials,
            json!({"capability": [{"action": "*", "resource": "*"}]}),
            &[400],
        ),
        (&credentials, json!({"capability": [{"action": "read"}]}), &[400]),
        (
            &credentials,
            json!({"capability": [{"action": "read", "resource": "a/../b"}]}),
            &[400],
        ),
        (&credentials, grant(json!({"type": "mood"})), &[400]),
        (
            &credentials,
            grant(json!({"type": "range", "parameter": "amount", "maximum": 1.5})),
            &[400],
        ),
        (
            &credentials,
            grant(json!({"type": "range", "parameter": "amount", "maximum": "5", "minimum": "6"})),
            &[400],
        ),
        (
            &credentials,
            grant(json!({"type": "hours", "days": ["mon"], "from": "8:00", "to": "24:00", "timeZone": "Mars/Olympus"})),
            &[400],
        ),
        (
            &credentials,
            json!({"capability": scenario::capabilities(), "validForSeconds": 0}),
            &[400],
        ),
        (
            &credentials,
            json!({"capability": scenario::capabilities(), "validForSeconds": 91 * 24 * 3600}),
            &[400],
        ),
        (
            &credentials,
            json!({"capability": scenario::capabilities(), "validUntil": "2126-01-01T00:00:00Z"}),
            &[400],
        ),
        (
            &credentials,
            json!({"capability": scenario::capabilities(), "validFrom": "2026-01-02T00:00:00Z", "validUntil": "2026-01-01T00:00:00Z"}),
            &[400],
        ),
        ("/credentials/issue", json!({}), &[400]),
        ("/credentials/issue", json!({"credential": []}), &[400]),
        (
            "/credentials/issue",
            json!({"credential": {"type": "VerifiableCredential"}}),
            &[400],
        ),
        ("/credentials/status", json!({"credentialId": "urn:uuid:none"}), &[400]),
        (
            "/credentials/status",
            scenario::revocation(&json!({"id": "urn:uuid:00000000-0000-4000-8000-000000000000"})),
            &[404],
        ),
        ("/registry/authorize", json!({}), &[400]),
        (
            "/registry/authorize",
            json!({"entity": "nobody", "action": "read", "resource": "x"}),
            &[400],
        ),
        (
            "/registry/authorize",
            json!({"entity": node.did, "action": "READ!", "resource": "x"}),
            &[400],
        ),
        (
            "/registry/authorize",
            json!({"entity": node.did, "action": "read", "resource": "a//b"}),
            &[400],
        ),
    ];
    for (path, body, statuses) in &cases {
        let answer = node.admin().post(path, body);
        assert!(
            statuses.contains(&answer.status),
            "{path} {body}: {} {}",
            answer.status,
            answer.text()
        );
        assert_eq!(answer.content_type, "application/problem+json", "{path} {body}");
    }
    let after = node.admin().get("/status").expect(200);
    for member in ["agents", "credentials"] {
        assert_eq!(before[member], after[member], "{member}");
    }
    assert_eq!(before["log"]["size"], after["log"]["size"], "nothing was said");
    let created = node.admin().post("/agents", &agent("Well-formed_1.0"));
    assert_eq!(created.status, 201, "{}", created.text());
}
