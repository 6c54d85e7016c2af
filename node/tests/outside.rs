//! Asking other hosts: a real server with TLS on this machine, names that lead where a test wants, and everything that
//! must not happen beside its twin that must.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use syndic_node::client::Client;
use syndic_node::knowledge::{Sources, gather_from};
use syndic_node::outside::{DOCUMENT_BYTES, Lookup, Outside, OutsideError, STATUS_BYTES, Settings};
use syndic_vc::did::Did;
use syndic_vc::document::{DidDocument, Purpose};
use syndic_vc::json::{Object, Value};
use syndic_vc::key::{PublicKey, SecretKey};
use syndic_vc::proof::{self, ProofOptions};
use syndic_vc::resolve::{self, ResolveError};
use syndic_vc::status::{StatusList, StatusListDraft, StatusPurpose};
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{AgentStanding, Freshness, KeyStanding, Knowledge, Standing, StatusBit};
use syndic_vc::verify::{self, Policy};
use syndic_vc::{did_key, object};

const HOST: &str = "did.example.org";
const DOCUMENT: &str = "/.well-known/did.json";

/// A path, and the whole answer.
type Page = (&'static str, Vec<u8>);

/// A server that speaks TLS and answers what it was told to.
struct Server {
    port: u16,
    ca_file: tempfile::NamedTempFile,
    asked: Arc<Mutex<Vec<String>>>,
    pages: Arc<Mutex<Vec<Page>>>,
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn good(media_type: &str, body: &[u8]) -> Vec<u8> {
    answer("200 OK", &format!("Content-Type: {media_type}\r\n"), body)
}

impl Server {
    fn start() -> Self {
        let names = vec![HOST.to_owned(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let mut ca_file = tempfile::NamedTempFile::new().unwrap();
        ca_file.write_all(made.cert.pem().as_bytes()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.key_pair.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            ca_file,
            asked: Arc::default(),
            pages: Arc::default(),
        };
        let (config, asked, pages) = (Arc::new(config), server.asked.clone(), server.pages.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (config, asked, pages) = (config.clone(), asked.clone(), pages.clone());
                std::thread::spawn(move || serve(stream.unwrap(), config, &asked, &pages));
            }
        });
        server
    }

    fn put(&self, path: &'static str, answer: Vec<u8>) {
        let mut pages = self.pages.lock().unwrap();
        pages.retain(|(known, _)| *known != path);
        pages.push((path, answer));
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn settings(&self) -> Settings {
        Settings {
            enabled: true,
            hosts: vec![HOST.to_owned()],
            ca_file: Some(self.ca_file.path().to_owned()),
            allow_addresses: vec!["127.0.0.0/8".to_owned()],
            port: self.port,
        }
    }

    fn did(&self) -> Did {
        Did::parse(&format!("did:web:{HOST}%3A{}", self.port)).unwrap()
    }

    fn document(&self) -> Vec<u8> {
        format!("{{\"id\": \"{}\"}}", self.did()).into_bytes()
    }
}

fn serve(
    mut stream: std::net::TcpStream,
    config: Arc<rustls::ServerConfig>,
    asked: &Mutex<Vec<String>>,
    pages: &Mutex<Vec<Page>>,
) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut connection = rustls::ServerConnection::new(config).ok()?;
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    asked.lock().unwrap().push(head);
    let page = pages
        .lock()
        .unwrap()
        .iter()
        .find(|(known, _)| *known == path)
        .map(|(_, page)| page.clone());
    let page = page.unwrap_or_else(|| answer("404 Not Found", "", b""));
    if page.starts_with(b"slow") {
        tls.write_all(&good("application/json", &[b' '; 64])[..60]).ok()?;
        tls.flush().ok()?;
        std::thread::sleep(Duration::from_secs(15));
        return None;
    }
    tls.write_all(&page).ok()?;
    tls.conn.send_close_notify();
    tls.flush().ok()
}

/// Each look-up takes the next of the answers; the last one stays.
#[derive(Debug)]
struct Names {
    answers: Vec<Vec<SocketAddr>>,
    asked: AtomicUsize,
}

impl Lookup for Names {
    fn addresses(&self, _: &str, _: u16, _: Duration) -> io::Result<Vec<SocketAddr>> {
        let at = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        Ok(self.answers[at].clone())
    }
}

fn names(answers: &[&[&str]], port: u16) -> Arc<Names> {
    let address = |text: &&str| SocketAddr::new(text.parse().unwrap(), port);
    Arc::new(Names {
        answers: answers
            .iter()
            .map(|answer| answer.iter().map(address).collect())
            .collect(),
        asked: AtomicUsize::new(0),
    })
}

fn outside(server: &Server) -> Outside {
    Outside::with_lookup(&server.settings(), names(&[&["127.0.0.1"]], server.port)).unwrap()
}

#[test]
fn a_document_is_fetched_once_and_says_nothing_of_this_node() {
    let server = Server::start();
    server.put(
        DOCUMENT,
        good("application/did+json; charset=utf-8", &server.document()),
    );
    let outside = outside(&server);
    assert_eq!(outside.did_document(&server.did()).unwrap().document.id, server.did());
    assert!(outside.did_document(&server.did()).is_ok());
    let asked = server.asked();
    assert_eq!(asked.len(), 1, "the second answer comes from the cache");
    let head = asked[0].to_ascii_lowercase();
    assert!(head.starts_with("get /.well-known/did.json http/1.1\r\n"), "{head}");
    for absent in ["cookie", "authorization", "referer", "gzip", "syndic/"] {
        assert!(!head.contains(absent), "{absent} in {head}");
    }
}

#[test]
fn answers_that_are_not_what_was_asked_for_are_refused() {
    let server = Server::start();
    let document = server.document();
    let padded = |bytes: usize| [document.as_slice(), &vec![b' '; bytes - document.len()]].concat();
    let other = format!("{{\"id\": \"did:web:{HOST}\"}}");
    server.put(DOCUMENT, good("application/json", &padded(DOCUMENT_BYTES)));
    assert!(
        outside(&server).did_document(&server.did()).is_ok(),
        "as large as it may be"
    );
    let json = "Content-Type: application/json\r\n";
    for (why, page) in [
        (
            "one byte too many",
            good("application/json", &padded(DOCUMENT_BYTES + 1)),
        ),
        ("html", good("text/html", &document)),
        ("two types", answer("200 OK", &format!("{json}{json}"), &document)),
        ("no type", answer("200 OK", "", &document)),
        (
            "compressed",
            answer("200 OK", &format!("{json}Content-Encoding: gzip\r\n"), &document),
        ),
        ("of another DID", good("application/json", other.as_bytes())),
        (
            "duplicate",
            good(
                "application/json",
                format!(
                    "{{\"id\": \"x\", {}",
                    &String::from_utf8(document.clone()).unwrap()[1..]
                )
                .as_bytes(),
            ),
        ),
        ("no JSON", good("application/json", b"<html>")),
        ("no document", good("application/json", b"[]")),
    ] {
        server.put(DOCUMENT, page);
        let refused = outside(&server).did_document(&server.did());
        assert!(matches!(refused, Err(OutsideError::Content(_))), "{why}: {refused:?}");
    }
    // More than it said it would be, in pieces.
    let mut endless = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n".to_vec();
    endless.extend(padded(2 * DOCUMENT_BYTES));
    server.put(DOCUMENT, endless);
    assert!(matches!(
        outside(&server).did_document(&server.did()),
        Err(OutsideError::Content(_))
    ));
    for status in ["404 Not Found", "410 Gone"] {
        server.put(DOCUMENT, answer(status, json, &document));
        assert!(
            matches!(
                outside(&server).did_document(&server.did()),
                Err(OutsideError::Absent(_))
            ),
            "{status}"
        );
    }
    for status in [
        "201 Created",
        "204 No Content",
        "206 Partial Content",
        "401 Unauthorized",
        "500 Oops",
    ] {
        server.put(DOCUMENT, answer(status, json, &document));
        let refused = outside(&server).did_document(&server.did());
        assert!(
            matches!(refused, Err(OutsideError::Unreachable(_))),
            "{status}: {refused:?}"
        );
    }
}

#[test]
fn redirects_are_not_followed() {
    let server = Server::start();
    server.put("/elsewhere", good("application/json", &server.document()));
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        for place in [
            "/elsewhere".to_owned(),
            format!("https://{HOST}:{}/elsewhere", server.port),
            "http://127.0.0.1/".to_owned(),
        ] {
            server.put(
                DOCUMENT,
                answer(
                    status,
                    &format!("Location: {place}\r\nContent-Type: application/json\r\n"),
                    &server.document(),
                ),
            );
            let refused = outside(&server).did_document(&server.did());
            assert!(matches!(refused, Err(OutsideError::Unreachable(_))), "{status} {place}");
        }
    }
    assert!(
        server.asked().iter().all(|head| head.contains(DOCUMENT)),
        "nobody went elsewhere"
    );
}

#[test]
fn a_host_that_dawdles_is_given_up() {
    let server = Server::start();
    server.put(DOCUMENT, b"slow".to_vec());
    let refused = outside(&server).did_document(&server.did());
    assert!(matches!(refused, Err(OutsideError::Unreachable(_))), "{refused:?}");
}

#[test]
fn nothing_is_asked_that_is_not_allowed() {
    let server = Server::start();
    server.put(DOCUMENT, good("application/json", &server.document()));
    let port = server.port;
    let ask = |settings: &Settings, answers: &[&[&str]]| {
        let outside = Outside::with_lookup(settings, names(answers, port)).unwrap();
        outside.did_document(&server.did()).map(|found| found.document.id)
    };
    let here: &[&[&str]] = &[&["127.0.0.1"]];
    let settings = server.settings();
    let none = |result: &Result<Did, OutsideError>, why: &str| {
        assert!(result.is_err(), "{why}");
        assert_eq!(server.asked().len(), 0, "{why}");
    };
    let off = Settings {
        enabled: false,
        ..settings.clone()
    };
    let result = ask(&off, here);
    none(&result, "not enabled");
    assert_eq!(result, Err(OutsideError::Disabled));
    let others = Settings {
        hosts: vec!["*.did.example.org".to_owned()],
        ..settings.clone()
    };
    none(&ask(&others, here), "another host");
    let usual = Settings {
        port: 443,
        ..settings.clone()
    };
    none(&ask(&usual, here), "another port");
    let strict = Settings {
        allow_addresses: vec![],
        ..settings.clone()
    };
    let result = ask(&strict, here);
    none(&result, "loopback");
    assert_eq!(result, Err(OutsideError::AddressRefused(HOST.to_owned())));
    let all = Settings {
        allow_addresses: vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()],
        ..settings.clone()
    };
    for address in [
        "169.254.169.254",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "fd00:ec2::254",
        "0.0.0.0",
        "::",
        "224.0.0.1",
    ] {
        let result = ask(&all, &[&[address]]);
        none(&result, address);
        assert_eq!(result, Err(OutsideError::AddressRefused(HOST.to_owned())), "{address}");
        none(
            &ask(&all, &[&["127.0.0.1", address]]),
            "one bad address among good ones",
        );
    }
    none(&ask(&settings, &[&[]]), "no address");
    let strange = Settings {
        ca_file: None,
        ..settings.clone()
    };
    none(&ask(&strange, here), "a certificate of an authority that nobody knows");
    let below = Settings {
        hosts: vec!["*.example.org".to_owned()],
        ..settings.clone()
    };
    assert_eq!(ask(&below, here), Ok(server.did()));
    assert_eq!(ask(&settings, here), Ok(server.did()));
}

/// The name means a good address when it is checked, and another one a moment later.
#[test]
fn the_address_that_was_checked_is_the_one_connected_to() {
    let server = Server::start();
    server.put(DOCUMENT, good("application/json", &server.document()));
    let rebinding = names(&[&["127.0.0.1"], &["169.254.169.254"]], server.port);
    let outside = Outside::with_lookup(&server.settings(), rebinding.clone()).unwrap();
    assert!(outside.did_document(&server.did()).is_ok());
    assert_eq!(rebinding.asked.load(Ordering::SeqCst), 1, "the name was looked up once");
    // And the other way round: what was refused is not tried again.
    let rebinding = names(&[&["169.254.169.254"], &["127.0.0.1"]], server.port);
    let outside = Outside::with_lookup(&server.settings(), rebinding.clone()).unwrap();
    for _ in 0..2 {
        assert!(matches!(
            outside.did_document(&server.did()),
            Err(OutsideError::AddressRefused(_))
        ));
    }
    assert_eq!(rebinding.asked.load(Ordering::SeqCst), 1);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_configuration_that_means_nothing_is_refused() {
    let server = Server::start();
    let good = server.settings();
    assert!(Outside::new(&good).is_ok());
    for bad in [
        Settings {
            hosts: vec!["https://example.org".to_owned()],
            ..good.clone()
        },
        Settings {
            hosts: vec!["*".to_owned()],
            ..good.clone()
        },
        Settings {
            hosts: vec!["127.0.0.1".to_owned()],
            ..good.clone()
        },
        Settings {
            allow_addresses: vec!["10.0.0.1/8".to_owned()],
            ..good.clone()
        },
        Settings {
            port: 0,
            ..good.clone()
        },
        Settings {
            ca_file: Some("/nonexistent/ca.pem".into()),
            ..good.clone()
        },
        // Wrong while it is not used yet, too.
        Settings {
            enabled: false,
            port: 0,
            ..good.clone()
        },
    ] {
        assert!(Outside::new(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_node_behind_tls_is_called_by_those_who_believe_its_authority() {
    let server = Server::start();
    server.put("/healthz", good("application/json", b"{\"status\": \"ok\"}"));
    let url = format!("https://localhost:{}", server.port);
    let client = Client::believing(&url, Some(server.ca_file.path())).unwrap();
    assert_eq!(client.fetch("/healthz").unwrap().status, 200);
    let strangers = Client::public(&url).unwrap();
    assert!(strangers.fetch("/healthz").is_err(), "an authority that nobody knows");
    let other_name = format!("https://127.0.0.1:{}", server.port);
    let misnamed = Client::believing(&other_name, Some(server.ca_file.path())).unwrap();
    assert!(misnamed.fetch("/healthz").is_err(), "a certificate for another name");
    assert!(Client::believing(&url, Some("/nonexistent/ca.pem".as_ref())).is_err());
}

/// A registry that knows one member and nobody else.
struct Registry {
    member: Did,
    /// A DID of the web that it knows to have ended.
    ended: Option<Did>,
    now: Timestamp,
}

impl Knowledge for Registry {
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        if self.ended.as_ref() == Some(did) {
            return Err(ResolveError::Deactivated);
        }
        resolve::self_described(did).map(Arc::new)
    }

    fn standing(&self, _: &str, _: &Did, _: &str, _: &str, _: Timestamp) -> Standing {
        Standing::IssuerUnknown
    }

    fn status(&self, _: &Did, _: &str, _: StatusPurpose, _: u64) -> StatusBit {
        StatusBit::Unknown("the registry has no such list".to_owned())
    }

    fn agent(&self, _: &Did, _: Timestamp) -> AgentStanding {
        AgentStanding::Unknown
    }

    fn key_standing(&self, _: &Did, _: &str, _: &PublicKey, _: &dyn Fn() -> String) -> KeyStanding {
        KeyStanding::Good
    }

    fn freshness(&self, issuer: &Did) -> Option<Freshness> {
        (*issuer == self.member).then(|| Freshness {
            organization: issuer.clone(),
            head_size: 1,
            time: self.now,
            own: false,
            others: 0,
            witnesses: Vec::new(),
        })
    }
}

/// An issuer outside of the consortium, whose document and status list lie on the server.
struct Issuer {
    key: SecretKey,
    did: Did,
    server: Server,
    now: Timestamp,
}

const LIST: &str = "/status/1";

impl Issuer {
    fn new() -> Self {
        let server = Server::start();
        let issuer = Self {
            key: SecretKey::from_seed(zeroize::Zeroizing::new([7; 32])),
            did: server.did(),
            now: syndic_node::clock::now(),
            server,
        };
        let method = issuer.method();
        let document = object! {
            "id": &issuer.did,
            "verificationMethod": vec![object! {
                "id": method.as_str(),
                "type": "Multikey",
                "controller": &issuer.did,
                "publicKeyMultibase": issuer.key.public_key().to_multikey(),
            }],
            "assertionMethod": vec![method.as_str()],
        };
        issuer.server.put(
            DOCUMENT,
            good("application/did", &syndic_vc::canonical::to_bytes(&document)),
        );
        issuer
    }

    fn method(&self) -> String {
        format!("{}#key-1", self.did)
    }

    fn url(&self) -> String {
        format!("https://{HOST}:{}{LIST}", self.server.port)
    }

    fn sign(&self, document: Object, method: &str) -> Value {
        let options = ProofOptions::new(Purpose::AssertionMethod, method, self.now);
        proof::sign(document, &options, &self.key).unwrap()
    }

    fn publish_list(&self, issuer: &Did, method: &str, revoked: Option<u64>) {
        let mut list = StatusList::new(131_072).unwrap();
        if let Some(index) = revoked {
            list.set(index, true).unwrap();
        }
        let draft = StatusListDraft {
            id: &self.url(),
            issuer,
            purpose: StatusPurpose::Revocation,
            list: &list,
            valid_from: self.now,
            valid_until: syndic_node::clock::later(self.now, 600),
            time_to_live_seconds: 60,
        };
        let credential = self.sign(draft.to_document(), method);
        self.server.put(
            LIST,
            good("application/vc", &syndic_vc::canonical::to_bytes(&credential)),
        );
    }

    fn credential(&self) -> Value {
        let document = object! {
            "@context": vec!["https://www.w3.org/ns/credentials/v2"],
            "type": vec!["VerifiableCredential"],
            "issuer": &self.did,
            "validFrom": self.now,
            "credentialSubject": object! { "id": "urn:uuid:0d1f2c5e-9a54-4a8e-8f0e-6a3a1d6f7b11" },
            "credentialStatus": object! {
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
                "statusListIndex": "94567",
                "statusListCredential": self.url(),
            },
        };
        self.sign(document.into_object().unwrap(), &self.method())
    }

    /// The first reason for a refusal; `None` if the credential is accepted.
    fn refusal(&self, credential: &Value, outside: &Outside) -> Option<String> {
        let member = Did::parse("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK").unwrap();
        self.refusal_beside(member, None, credential, outside)
    }

    fn refusal_beside(&self, member: Did, ended: Option<Did>, credential: &Value, outside: &Outside) -> Option<String> {
        let registry = Registry {
            member,
            ended,
            now: self.now,
        };
        let member = registry.member.clone();
        let policy = Policy {
            authority: registry.member.as_str().to_owned(),
            max_staleness_seconds: 300,
            witnesses: 0,
            clock_skew_seconds: 30,
        };
        let sources = Sources {
            registry: Box::new(registry),
            is_member: Box::new(move |did| *did == member),
            outside,
            policy: policy.clone(),
        };
        let known = gather_from(sources, credential, self.now);
        let verdict = verify::credential_value(credential.clone(), &policy, &known, self.now);
        verdict.err().map(|denied| denied.first().code.as_str().to_owned())
    }
}

#[test]
fn a_credential_of_an_allowed_host_is_verified_with_its_document_and_status() {
    let issuer = Issuer::new();
    issuer.publish_list(&issuer.did, &issuer.method(), None);
    let credential = issuer.credential();
    assert_eq!(issuer.refusal(&credential, &outside(&issuer.server)), None);
    assert_eq!(issuer.server.asked().len(), 2);
    // The same, where nobody may be asked.
    let off = Outside::new(&Settings::default()).unwrap();
    assert_eq!(
        issuer.refusal(&credential, &off).as_deref(),
        Some("verification-method-unresolved")
    );
    // Another bit, and this one.
    issuer.publish_list(&issuer.did, &issuer.method(), Some(94_566));
    assert_eq!(issuer.refusal(&credential, &outside(&issuer.server)), None);
    issuer.publish_list(&issuer.did, &issuer.method(), Some(94_567));
    assert_eq!(
        issuer.refusal(&credential, &outside(&issuer.server)).as_deref(),
        Some("revoked")
    );
}

#[test]
fn a_list_that_is_not_the_issuers_or_not_there_is_no_status() {
    let issuer = Issuer::new();
    let credential = issuer.credential();
    let refusal = || issuer.refusal(&credential, &outside(&issuer.server));
    assert_eq!(refusal().as_deref(), Some("status-unknown"), "no list");
    let stranger = did_key::for_key(issuer.key.public_key());
    let method = format!("{stranger}#{}", stranger.method_specific_id());
    issuer.publish_list(&stranger, &method, None);
    assert_eq!(refusal().as_deref(), Some("status-unknown"), "somebody else's list");
    issuer.publish_list(&issuer.did, &issuer.method(), None);
    assert_eq!(refusal(), None);
    issuer
        .server
        .put(LIST, good("application/vc", &vec![b' '; STATUS_BYTES + 1]));
    assert_eq!(refusal().as_deref(), Some("status-unknown"), "too large");
}

#[test]
fn a_forgery_makes_nobody_fetch_the_list_it_names() {
    let issuer = Issuer::new();
    issuer.publish_list(&issuer.did, &issuer.method(), None);
    let mut forged = issuer.credential();
    forged
        .as_object_mut()
        .unwrap()
        .insert("validFrom", syndic_node::clock::later(issuer.now, -1));
    let outside = outside(&issuer.server);
    assert_eq!(issuer.refusal(&forged, &outside).as_deref(), Some("signature-invalid"));
    assert!(issuer.server.asked().iter().all(|head| !head.contains(LIST)));
    assert_eq!(issuer.refusal(&issuer.credential(), &outside), None);
    assert!(issuer.server.asked().iter().any(|head| head.contains(LIST)));
}

/// About its members, and about what it knows to have ended, the registry alone has a word.
#[test]
fn what_the_registry_says_is_not_asked_for_elsewhere() {
    let issuer = Issuer::new();
    issuer.publish_list(&issuer.did, &issuer.method(), None);
    let (credential, outside) = (issuer.credential(), outside(&issuer.server));
    let other = did_key::for_key(issuer.key.public_key());
    let ended = issuer.refusal_beside(other.clone(), Some(issuer.did.clone()), &credential, &outside);
    assert_eq!(ended.as_deref(), Some("verification-method-unresolved"));
    let member = issuer.refusal_beside(issuer.did.clone(), None, &credential, &outside);
    assert_eq!(member.as_deref(), Some("verification-method-unresolved"));
    assert_eq!(issuer.server.asked().len(), 0);
    assert_eq!(issuer.refusal_beside(other, None, &credential, &outside), None);
}
