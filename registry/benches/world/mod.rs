//! What the benchmarks of this crate share: a consortium, a store in memory, a busy hospital.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use syndic_registry::charter::{Charter, CharterChain, Endpoints, Founding, MemberCard, Rules};
use syndic_registry::replica::{Config, Effect, Event, Me, Replica};
use syndic_registry::statement::{AgentRegistered, Content, Grant, Right, Statement, StatusChanged, StatusListCreated};
use syndic_registry::store::{Batch, ReadError, Reader, Row};
use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::key::SecretKey;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;

const LIST: &str = "https://stadt.hospital.example/status/1";

/// A store in memory that takes batches over instead of copying them: what is measured is the
/// replica, not the store.
#[derive(Default)]
pub struct Memory(pub BTreeMap<Vec<u8>, Vec<u8>>);

impl Memory {
    pub fn apply(&mut self, batch: Batch) {
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

pub struct Member {
    pub did: Did,
    pub log_key: Arc<SecretKey>,
    pub peer: String,
}

pub struct Consortium {
    pub charter: Charter,
    pub members: Vec<Member>,
}

pub fn key(seed: u64) -> SecretKey {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    SecretKey::from_seed(bytes.into())
}

/// So many members; for each log, so many witnesses.
pub fn consortium(size: u64, witnesses: u32) -> Consortium {
    let (mut cards, mut members) = (Vec::new(), Vec::new());
    for number in 0..size {
        let seed = 3 * number;
        let did = did_key::for_key(key(seed).public_key());
        let (root, log_key) = (key(seed + 1), Arc::new(key(seed + 2)));
        let letters = format!("{number:044}").replace('0', "z");
        let peer = format!("12D3KooW{letters}");
        let (name, endpoints) = (format!("Hospital {number}"), Endpoints::default());
        let card = MemberCard::sign(
            &did,
            &name,
            log_key.public_key(),
            std::slice::from_ref(&peer),
            &endpoints,
            &root,
        );
        cards.push(card.unwrap());
        members.push(Member { did, log_key, peer });
    }
    let rules = Rules {
        threshold: (size / 2 + 1) as u32,
        witnesses,
        max_staleness: 300,
        endorsements: 1,
    };
    let founding = Founding {
        name: "Bench".to_owned(),
        members: cards,
        rules,
        created: now(),
    };
    let charter = Charter::found(&founding).unwrap();
    Consortium { charter, members }
}

pub fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000).unwrap()
}

/// What a hospital says in a busy year: revocations mostly, agents, authorizations.
pub fn statement(number: u64) -> Statement {
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

pub fn replica(consortium: &Consortium, member: &Member, store: &Memory) -> Replica {
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
pub fn drive(replica: &mut Replica, store: &mut Memory, now: Timestamp, event: Event) -> Vec<Effect> {
    let (mut events, mut rest) = (vec![event], Vec::new());
    while let Some(event) = events.pop() {
        for effect in replica.handle(event, now, store) {
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
pub fn append(consortium: &Consortium, author: &Member, batches: Vec<Vec<Statement>>) -> Memory {
    let mut store = Memory::default();
    let mut author = replica(consortium, author, &store);
    for (ticket, statements) in (0..).zip(batches) {
        drive(&mut author, &mut store, now(), Event::Publish { ticket, statements });
    }
    store
}

pub fn bare_hashing(entries: &[Vec<u8>]) -> u8 {
    entries
        .iter()
        .fold(0, |sum, entry| sum ^ Sha256::digest(black_box(entry)).as_slice()[0])
}

/// What the work makes, and the CPU time of this thread for it where the system tells that, else
/// the time of the clock.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let spent = || {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    };
    let (clock, before) = (Instant::now(), spent());
    let made = work();
    let spent = spent().zip(before).map(|(after, before)| after - before);
    (made, spent.unwrap_or_else(|| clock.elapsed()))
}
