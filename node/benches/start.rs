//! What a start costs a node that knows much: a log of 1,000,000 statements in a real store, and the shipped program.
//!
//! `cargo bench -p syndic-node --bench start` fills a store once, then starts the node three times and prints, for each
//! start, the time from the process to `/readyz` and the memory it holds then; at last one start after a SIGKILL, and how long
//! it takes then until the store has been compared whole. `-- STATEMENTS` takes another number. The keys are opened with the
//! derivation that is shipped, which takes a good part of the time by design; it is printed beside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use syndic_node::data_dir::DataDir;
use syndic_node::engine::StoreReader;
use syndic_node::keys::Keystore;
use syndic_node::store::{self, Batch, Engine, Store};
use syndic_node::{clock, setup};
use syndic_registry::charter::CharterChain;
use syndic_registry::limits;
use syndic_registry::replica::{Config, Effect, Event, Me, Replica};
use syndic_registry::statement::{AgentRegistered, Content, Grant, Right, Statement, StatusChanged, StatusListCreated};
use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::status::StatusPurpose;
use zeroize::Zeroizing;

const PASSPHRASE: &str = "correct horse battery staple";
const LIST: &str = "https://stadt.hospital.example/status/1";
const STATEMENTS: u64 = 1_000_000;
const STARTS: usize = 3;

fn main() {
    let named = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let statements: u64 = named.unwrap_or(STATEMENTS);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
    let at = |port: u16| format!("127.0.0.1:{port}");
    let (public, admin, peer) = (at(ports[0]), at(ports[1]), at(ports[2]));
    let init = [
        "init",
        "--name",
        "Nordstadt",
        "--public",
        &public,
        "--admin",
        &admin,
        "--peer",
        &peer,
    ];
    syndic(&data, &init);
    let card = data.join("member.json");
    syndic(&data, &["found", "--name", "Bench", "--member", card.to_str().unwrap()]);

    let opening = Instant::now();
    let keys = Keystore::open(&data.join("keys.sealed"), &Zeroizing::new(PASSPHRASE.to_owned()));
    let keys = keys.unwrap_or_else(|error| panic!("{error}"));
    let opening = opening.elapsed();
    fill(&data, &keys, statements);
    let bytes = size(&data.join("store"));
    println!(
        "{statements} statements: {} MiB on disk; opening the keys takes {opening:.0?}",
        bytes >> 20
    );
    for _ in 0..STARTS {
        show(&data, &public, ports[1], "after a gentle stop", End::Gently);
    }
    show(&data, &public, ports[1], "then killed", End::Killed);
    show(&data, &public, ports[1], "after SIGKILL", End::Compared);
}

/// How a start ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Gently,
    Killed,
    /// Gently, once the store has been compared whole.
    Compared,
}

/// Starts the node, says what it took, and ends it.
fn show(data: &Path, public: &str, admin: u16, what: &str, end: End) {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_syndic"))
        .args(["run", "--exit-with-stdin", "--data"])
        .arg(data)
        .env("SYNDIC_PASSPHRASE", PASSPHRASE)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !get(public, "/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
        assert!(child.try_wait().unwrap().is_none(), "the node ended");
        std::thread::sleep(Duration::from_millis(1));
    }
    let ready = begun.elapsed();
    let then = memory(&child);
    let status = Instant::now();
    let token = std::fs::read_to_string(data.join("admin.token")).unwrap();
    let ask = || get_with(&format!("127.0.0.1:{admin}"), "/status", token.trim()).unwrap_or_default();
    assert!(ask().starts_with("HTTP/1.1 200"));
    let status = status.elapsed();
    println!("{what:<20} ready after {ready:>8.0?}, {then} then; /status takes {status:.0?}");
    if end == End::Compared {
        while !ask().contains("\"compared\":\"all\"") {
            std::thread::sleep(Duration::from_millis(200));
        }
        println!(
            "{:20} compared after {:.1?}, {} then",
            "",
            begun.elapsed(),
            memory(&child)
        );
    }
    if end == End::Killed {
        child.kill().unwrap();
    } else {
        drop(child.stdin.take());
    }
    child.wait().unwrap();
}

/// Resident memory, now and at most.
fn memory(child: &Child) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let of = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() >> 10
    };
    format!("{} MiB (at most {})", of("VmRSS:"), of("VmHWM:"))
}

/// The node's own log, made by the machine itself, into the store that the node will open.
fn fill(data: &Path, keys: &Keystore, statements: u64) {
    let folder = DataDir::open_locked(data).unwrap();
    let store = store::open(&folder.store_path(), Engine::default()).unwrap();
    let charter = setup::installed(&store).unwrap().unwrap();
    let mut replica = machine(charter, keys, &store);
    let mut next = 0;
    while next < statements {
        let end = statements.min(next + limits::APPEND_STATEMENTS as u64);
        let batch = (next..end).map(statement).collect();
        drive(
            &mut replica,
            &store,
            Event::Publish {
                ticket: next,
                statements: batch,
            },
        );
        next = end;
    }
    std::fs::write(folder.log_begun_path(), b"").unwrap();
}

fn machine(charter: CharterChain, keys: &Keystore, store: &Arc<dyn Store>) -> Replica {
    let config = Config {
        charter,
        me: Some(Me {
            organization: did_key::for_key(keys.credential_signer().public_key()),
            log_key: keys.log_key(0),
            other_keys: Vec::new(),
        }),
        heartbeat_seconds: 60,
        compare_seconds: 5,
        sign_alone: true,
        published_before: false,
        seed: 1,
    };
    Replica::load(config, &StoreReader(store.clone())).unwrap()
}

fn drive(replica: &mut Replica, store: &Arc<dyn Store>, event: Event) {
    let mut events = vec![event];
    while let Some(event) = events.pop() {
        for effect in replica.handle(event, clock::now(), &StoreReader(store.clone())) {
            match effect {
                Effect::Persist { batch, content, .. } => {
                    let mut all = Batch::new();
                    all.writes
                        .extend(content.writes.into_iter().map(|write| (write.key, write.value)));
                    store.apply(all).unwrap();
                    events.push(Event::Stored { batch });
                }
                Effect::Refuse { why, .. } => panic!("{why}"),
                _ => {}
            }
        }
    }
}

/// What a hospital says in a busy year: revocations mostly, agents, authorizations.
fn statement(number: u64) -> Statement {
    let content = match number % 10 {
        _ if number == 0 => Content::StatusListCreated(StatusListCreated {
            list: LIST.to_owned(),
            purpose: StatusPurpose::Revocation,
            length: 1 << 20,
        }),
        0..6 => Content::StatusChanged(StatusChanged {
            list: LIST.to_owned(),
            set: vec![number * 7_919 % (1 << 20)],
            cleared: Vec::new(),
        }),
        6..9 => Content::AgentRegistered(AgentRegistered {
            agent: Did::parse(&format!("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2Qtagent{number}")).unwrap(),
            name: format!("Triage agent {number}"),
            owner: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK".to_owned(),
        }),
        _ => Content::Authorize(Grant {
            right: Right {
                subject: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK".to_owned(),
                action: "read".to_owned(),
                resource: format!("records/ward-{}/*", number % 500),
            },
            valid_from: None,
            valid_until: None,
        }),
    };
    Statement {
        at: clock::now(),
        content,
    }
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

fn get(address: &str, path: &str) -> Option<String> {
    exchange(
        address,
        &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
    )
}

fn get_with(address: &str, path: &str, token: &str) -> Option<String> {
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
    exchange(address, &head)
}

fn exchange(address: &str, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}
