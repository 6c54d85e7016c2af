//! What a log costs: appending to the own one, and catching up with another's 100,000 statements
//! (parse, verify, hash, fold, into a store in memory), beside bare SHA-256 of the same bytes.
//!
//! `cargo bench -p syndic-registry --bench log` prints criterion's figures, then statements per
//! CPU second and the ratio to bare hashing, all from one process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput};
use sha2::{Digest, Sha256};
use syndic_registry::charter::{Charter, CharterChain, Endpoints, Founding, MemberCard, Rules};
use syndic_registry::limits;
use syndic_registry::log::LogState;
use syndic_registry::replica::{Config, Effect, Event, Me, Replica};
use syndic_registry::statement::{AgentRegistered, Content, Grant, Right, Statement, StatusChanged, StatusListCreated};
use syndic_registry::store::{Batch, ReadError, Reader, Row};
use syndic_registry::view::View;
use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::key::SecretKey;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;

const STATEMENTS: u64 = 100_000;
const LIST: &str = "https://stadt.hospital.example/status/1";

/// A store in memory that takes batches over instead of copying them: what is measured is the
/// replica, not the store.
#[derive(Default)]
struct Memory(BTreeMap<Vec<u8>, Vec<u8>>);

impl Memory {
    fn apply(&mut self, batch: Batch) {
        for expected in batch.expectations {
            assert_eq!(self.0.get(&expected.key), expected.value.as_ref());
        }
        for write in batch.writes {
            match write.value {
                Some(value) => _ = self.0.insert(write.key, value),
                None => _ = self.0.remove(&write.key),
            }
        }
    }
}

impl Reader for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.0.get(key).cloned())
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, ReadError> {
        let range = (Bound::Included(from), Bound::Excluded(to));
        let rows = self.0.range::<[u8], _>(range).take(limit);
        Ok(rows.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

struct Member {
    did: Did,
    log_key: Arc<SecretKey>,
    peer: String,
}

struct Consortium {
    charter: Charter,
    author: Member,
    follower: Member,
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32].into())
}

fn consortium() -> Consortium {
    let mut cards = Vec::new();
    let mut member = |seed: u8, letter: &str| {
        let did = did_key::for_key(key(seed).public_key());
        let (root, log_key) = (key(seed + 1), Arc::new(key(seed + 2)));
        let peer = format!("12D3KooW{}", letter.repeat(44));
        let ids = [peer.clone()];
        let (name, endpoints) = (format!("Hospital {letter}"), Endpoints::default());
        let card = MemberCard::sign(&did, &name, log_key.public_key(), &ids, &endpoints, &root);
        cards.push(card.unwrap());
        Member { did, log_key, peer }
    };
    let (author, follower) = (member(10, "a"), member(20, "b"));
    let rules = Rules {
        threshold: 2,
        witnesses: 0,
        max_staleness: 300,
        endorsements: 1,
    };
    let founding = Founding {
        name: "Bench".to_owned(),
        members: cards,
        rules,
        created: now(),
    };
    Consortium {
        charter: Charter::found(&founding).unwrap(),
        author,
        follower,
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000).unwrap()
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
            valid_until: now().checked_add_seconds(86_400),
        }),
    };
    Statement { at: now(), content }
}

fn replica(consortium: &Consortium, member: &Member, store: &Memory) -> Replica {
    let me = Me {
        organization: member.did.clone(),
        log_key: member.log_key.clone(),
        other_keys: Vec::new(),
    };
    let config = Config {
        charter: CharterChain::new(consortium.charter.clone()).unwrap(),
        me: Some(me),
        heartbeat_seconds: 60,
        sign_alone: true,
        published_before: false,
        compare_seconds: 5,
        seed: 1,
    };
    Replica::load(config, store).unwrap()
}

/// Takes an event, stores what is to be stored, and gives back all other effects.
fn drive(replica: &mut Replica, store: &mut Memory, event: Event) -> Vec<Effect> {
    let (mut events, mut rest) = (vec![event], Vec::new());
    while let Some(event) = events.pop() {
        for effect in replica.handle(event, now(), store) {
            match effect {
                Effect::Persist { batch, content, .. } => {
                    store.apply(content);
                    events.push(Event::Stored { batch });
                }
                Effect::Refuse { why, .. } => panic!("{why}"),
                Effect::Penalize { why, .. } => panic!("{why}"),
                other => rest.push(other),
            }
        }
    }
    rest
}

/// The author's log, made by publishing in batches as large as they get.
fn append(consortium: &Consortium, batches: Vec<Vec<Statement>>) -> Memory {
    let mut store = Memory::default();
    let mut author = replica(consortium, &consortium.author, &store);
    for (ticket, statements) in (0..).zip(batches) {
        drive(&mut author, &mut store, Event::Publish { ticket, statements });
    }
    store
}

fn batches() -> Vec<Vec<Statement>> {
    let all: Vec<Statement> = (0..STATEMENTS).map(statement).collect();
    all.chunks(limits::APPEND_STATEMENTS)
        .map(<[Statement]>::to_vec)
        .collect()
}

/// The answers that a follower gets while it catches up, in order.
fn answers(consortium: &Consortium, store: &mut Memory) -> Vec<Vec<u8>> {
    let mut author = replica(consortium, &consortium.author, store);
    let mut here = Memory::default();
    let mut follower = replica(consortium, &consortium.follower, &here);
    let (asker, asked) = (&consortium.follower.peer, &consortium.author.peer);
    let mut effects = drive(&mut follower, &mut here, Event::Connected(asked.clone()));
    let mut answers = Vec::new();
    while let Some(effect) = effects.pop() {
        let Effect::SendRequest { bytes, .. } = effect else {
            continue;
        };
        let request = Event::Request {
            from: asker.clone(),
            token: 0,
            bytes,
        };
        for effect in drive(&mut author, store, request) {
            let Effect::SendResponse { bytes, .. } = effect else {
                continue;
            };
            answers.push(bytes.clone());
            let response = Event::Response {
                from: asked.clone(),
                bytes,
            };
            effects.extend(drive(&mut follower, &mut here, response));
        }
    }
    answers
}

fn catch_up(consortium: &Consortium, answers: Vec<Vec<u8>>) -> Memory {
    let mut store = Memory::default();
    let mut follower = replica(consortium, &consortium.follower, &store);
    let from = &consortium.author.peer;
    drive(&mut follower, &mut store, Event::Connected(from.clone()));
    for bytes in answers {
        let response = Event::Response {
            from: from.clone(),
            bytes,
        };
        drive(&mut follower, &mut store, response);
    }
    store
}

fn bare_hashing(entries: &[Vec<u8>]) -> u8 {
    entries
        .iter()
        .fold(0, |sum, entry| sum ^ Sha256::digest(black_box(entry)).as_slice()[0])
}

/// What the work makes, and the CPU time of this thread for it where the system tells that, else
/// the time of the clock.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let spent = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    };
    let (clock, before) = (Instant::now(), spent());
    let made = work();
    let spent = spent().zip(before).map(|(after, before)| after - before);
    (made, spent.unwrap_or_else(|| clock.elapsed()))
}

/// Statements for each second of CPU time, the best of five; what goes in is made, and what comes
/// out thrown away, outside of it.
fn per_second<I, O>(prepare: impl Fn() -> I, work: impl Fn(I) -> O) -> f64 {
    let rounds = (0..5).map(|_| {
        let input = prepare();
        timed(|| black_box(work(input))).1
    });
    STATEMENTS as f64 / rounds.min().unwrap_or(Duration::MAX).as_secs_f64()
}

fn main() {
    let consortium = consortium();
    let batches = batches();
    let entries: Vec<Vec<u8>> = batches.iter().flatten().map(|s| s.to_bytes().unwrap()).collect();
    let bytes: usize = entries.iter().map(Vec::len).sum();
    let mut authored = append(&consortium, batches.clone());
    let answers = answers(&consortium, &mut authored);
    let followed = catch_up(&consortium, answers.clone());
    for store in [&authored, &followed] {
        let state = LogState::read(consortium.author.did.as_str(), store).unwrap();
        assert_eq!(state.head.unwrap().size(), STATEMENTS);
    }
    let digest = |store| View::new(&consortium.charter, store).digest().unwrap();
    assert_eq!(digest(&authored), digest(&followed));
    drop((authored, followed));

    let (appends, catches_up) = (
        |batches| append(&consortium, batches),
        |answers| catch_up(&consortium, answers),
    );
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    let mut group = criterion.benchmark_group("log");
    group.throughput(Throughput::Elements(STATEMENTS));
    group.bench_function("bare SHA-256", |b| b.iter(|| bare_hashing(&entries)));
    group.bench_function("append", |b| {
        b.iter_batched(|| batches.clone(), appends, BatchSize::PerIteration);
    });
    group.bench_function("catch up", |b| {
        b.iter_batched(|| answers.clone(), catches_up, BatchSize::PerIteration);
    });
    group.finish();
    criterion.final_summary();

    let hashing = per_second(|| (), |()| bare_hashing(&entries));
    let appending = per_second(|| batches.clone(), appends);
    let following = per_second(|| answers.clone(), catches_up);
    let wire: usize = answers.iter().map(Vec::len).sum();
    println!();
    println!(
        "{STATEMENTS} statements of {} bytes on average; on the wire {:.3} of their size",
        bytes as u64 / STATEMENTS,
        wire as f64 / bytes as f64
    );
    println!("statements per CPU second, best of 5:");
    println!("  bare SHA-256 of the same bytes {hashing:>12.0}");
    for (what, rate) in [("append to the own log", appending), ("catch up", following)] {
        println!("  {what:<30} {rate:>12.0}   {:.3} of bare hashing", rate / hashing);
    }
}
