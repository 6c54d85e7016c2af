//! The machine in known situations; unknown ones are the simulator's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod charters;
mod follow;
mod forks;
mod keys;
mod narrow;
mod own;
mod quota;
mod restore;
mod served;
mod witness;

use std::cell::Cell;

use super::*;
use crate::example::{self, at, did, key};
use crate::head::Head;
use crate::log::LogState;
use crate::message::{Answer, Broadcast, News};
use crate::statement::{AgentRegistered, Content};
use crate::store::{MemoryStore, Row};

/// A member with its store, and effects carried out as far as the store is concerned.
pub(super) struct Node {
    number: u8,
    pub(super) replica: Replica,
    store: MemoryStore,
    now: Timestamp,
}

fn config(number: u8) -> Config {
    Config {
        charter: CharterChain::new(example::charter().clone()).unwrap(),
        me: Some(Me {
            organization: did(number),
            log_key: Arc::new(key(10 * number + 2)),
            other_keys: Vec::new(),
        }),
        heartbeat_seconds: 60,
        compare_seconds: 5,
        sign_alone: false,
        published_before: false,
        seed: 1,
    }
}

pub(super) fn peer(number: u8) -> Peer {
    example::card(number).peer_ids()[0].clone()
}

fn agent(number: u64) -> Statement {
    Statement {
        at: at(0),
        content: Content::AgentRegistered(AgentRegistered {
            agent: Did::parse(&format!("did:example:agent{number}")).unwrap(),
            name: format!("Agent {number}"),
            owner: "did:example:owner".to_owned(),
        }),
    }
}

impl Node {
    pub(super) fn new(number: u8) -> Self {
        Self::on(number, MemoryStore::default())
    }

    fn on(number: u8, store: MemoryStore) -> Self {
        Self::with(config(number), number, store)
    }

    fn with(config: Config, number: u8, store: MemoryStore) -> Self {
        let replica = Replica::load(config, &store).unwrap();
        Self {
            number,
            replica,
            store,
            now: at(1_000),
        }
    }

    /// Hands an event to the machine, and nothing more.
    fn handle(&mut self, event: Event) -> Vec<Effect> {
        self.replica.handle(event, self.now, &self.store)
    }

    /// Stores what a batch says, and tells the machine.
    fn store(&mut self, effects: &[Effect]) -> Vec<Effect> {
        let mut after = Vec::new();
        for effect in effects {
            if let Effect::Persist { batch, content, .. } = effect {
                assert!(self.store.apply(content), "the batch does not fit");
                after.extend(self.handle(Event::Stored { batch: *batch }));
            }
        }
        after
    }

    /// Hands an event to the machine and stores all that follows; gives all effects.
    pub(super) fn run(&mut self, event: Event) -> Vec<Effect> {
        let mut all = Vec::new();
        let mut effects = self.handle(event);
        while !effects.is_empty() {
            let after = self.store(&effects);
            all.extend(effects);
            effects = after;
        }
        all
    }

    pub(super) fn publish(&mut self, ticket: u64, numbers: impl Iterator<Item = u64>) -> Vec<Effect> {
        let statements = numbers.map(agent).collect();
        self.run(Event::Publish { ticket, statements })
    }

    pub(super) fn hear(&mut self, from: u8, bytes: &[u8]) -> Vec<Effect> {
        let bytes = bytes.to_vec();
        let from = peer(from);
        self.run(Event::Announced { from, token: 1, bytes })
    }

    pub(super) fn state(&self, of: u8) -> LogState {
        LogState::read(did(of).as_str(), &self.store).unwrap()
    }

    fn size(&self, of: u8) -> u64 {
        self.state(of).frontier.size()
    }

    /// Lets this node ask the other, and the other answer, until nothing more is asked. Gives
    /// what this node decided, without requests.
    pub(super) fn talk(&mut self, other: &mut Self, effects: Vec<Effect>) -> Vec<Effect> {
        let (mut open, mut rest) = (effects, Vec::new());
        while let Some(effect) = open.pop() {
            match effect {
                Effect::SendRequest { to, bytes } if to == peer(other.number) => {
                    let from = peer(self.number);
                    for effect in other.run(Event::Request { from, token: 0, bytes }) {
                        if let Effect::SendResponse { bytes, .. } = effect {
                            let from = peer(other.number);
                            open.extend(self.run(Event::Response { from, bytes }));
                        }
                    }
                }
                other => rest.push(other),
            }
        }
        rest
    }

    /// Connects to the other and catches up with all that it has.
    fn meet(&mut self, other: &mut Self) -> Vec<Effect> {
        other.now = other.now.max(self.now);
        self.run(Event::Disconnected(peer(other.number)));
        let effects = self.run(Event::Connected(peer(other.number)));
        self.talk(other, effects)
    }
}

pub(super) fn announcements(effects: &[Effect]) -> Vec<Vec<u8>> {
    let bytes = effects.iter().filter_map(|effect| match effect {
        Effect::Announce(bytes) => Some(bytes.clone()),
        _ => None,
    });
    bytes.collect()
}

fn the_news(effects: &[Effect]) -> News {
    match announcements(effects).as_slice() {
        [bytes] => match Broadcast::decode(bytes).unwrap() {
            Broadcast::News(news) => news,
            other => panic!("{other:?}"),
        },
        other => panic!("{} announcements", other.len()),
    }
}

fn verdict(effects: &[Effect]) -> Verdict {
    let verdicts = effects.iter().filter_map(|effect| match effect {
        Effect::Verdict { verdict, .. } => Some(*verdict),
        _ => None,
    });
    let verdicts: Vec<_> = verdicts.collect();
    assert_eq!(verdicts.len(), 1, "{effects:?}");
    verdicts[0]
}

fn penalties(effects: &[Effect]) -> Vec<(Peer, Misbehaviour)> {
    let penalties = effects.iter().filter_map(|effect| match effect {
        Effect::Penalize { peer, why } => Some((peer.clone(), why.clone())),
        _ => None,
    });
    penalties.collect()
}

fn refusals(effects: &[Effect]) -> Vec<(u64, PublishError)> {
    let refusals = effects.iter().filter_map(|effect| match effect {
        Effect::Refuse { ticket, why } => Some((*ticket, why.clone())),
        _ => None,
    });
    refusals.collect()
}

fn acknowledged(effects: &[Effect]) -> Vec<(u64, u64, usize)> {
    let tickets = effects.iter().filter_map(|effect| match effect {
        Effect::Acknowledge { ticket, first, count } => Some((*ticket, *first, *count)),
        _ => None,
    });
    tickets.collect()
}

fn asks(effects: &[Effect]) -> usize {
    effects
        .iter()
        .filter(|effect| matches!(effect, Effect::SendRequest { .. }))
        .count()
}

/// A head of the organization's log over these entries, signed with its own key.
fn head_of(number: u8, entries: &[Vec<u8>], time: Timestamp) -> Head {
    let mut frontier = crate::log::Frontier::default();
    for entry in entries {
        frontier.append(crate::log::leaf_hash(entry));
    }
    let origin = crate::head::origin(example::charter().id(), did(number).as_str());
    let (size, root) = (frontier.size(), frontier.root());
    Head::sign(&origin, size, &root, &key(10 * number + 2), time).unwrap()
}

fn entries(numbers: impl Iterator<Item = u64>) -> Vec<Vec<u8>> {
    numbers.map(|number| agent(number).to_bytes().unwrap()).collect()
}

fn news(head: &Head, from: u64, entries: &[Vec<u8>]) -> Vec<u8> {
    let news = News {
        note: head.note().to_owned(),
        from,
        entries: entries.to_vec(),
    };
    Broadcast::News(news).encode()
}

/// Counts what is read.
struct Counting<'a> {
    store: &'a MemoryStore,
    gets: Cell<usize>,
    ranges: Cell<usize>,
}

impl Reader for Counting<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.gets.set(self.gets.get() + 1);
        self.store.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, ReadError> {
        self.ranges.set(self.ranges.get() + 1);
        self.store.range(from, to, limit)
    }
}

/// A store that cannot be read.
struct Broken;

impl Reader for Broken {
    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Err(ReadError::Engine("broken".to_owned()))
    }

    fn range(&self, _: &[u8], _: &[u8], _: usize) -> Result<Vec<Row>, ReadError> {
        Err(ReadError::Engine("broken".to_owned()))
    }
}

#[test]
fn a_start_reads_three_rows_the_log_keys_and_the_cosignatures_of_each_member_and_no_entry() {
    let mut node = Node::new(1);
    for ticket in 0..4 {
        node.publish(ticket, ticket * 200..(ticket + 1) * 200);
    }
    let store = Counting {
        store: &node.store,
        gets: Cell::new(0),
        ranges: Cell::new(0),
    };
    Replica::load(config(1), &store).unwrap();
    assert_eq!((store.gets.get(), store.ranges.get()), (9, 6));
}

#[test]
fn a_start_names_what_does_not_fit() {
    let store = MemoryStore::default();
    let mut wrong = config(1);
    wrong.me.as_mut().unwrap().organization = did(9);
    let error = Replica::load(wrong, &store).err().unwrap();
    assert_eq!(error, LoadError::NotMember(did(9)));

    let mut wrong = config(1);
    wrong.me.as_mut().unwrap().log_key = Arc::new(key(99));
    let error = Replica::load(wrong, &store).err().unwrap();
    assert_eq!(error, LoadError::WrongKey(did(1)));

    let error = Replica::load(config(1), &Broken).err().unwrap();
    assert!(matches!(error, LoadError::Read(ReadError::Engine(_))));

    let mut node = Node::new(1);
    node.publish(1, 0..3);
    let state = node.state(1);
    let damaged = LogState {
        frontier: crate::log::Frontier::default(),
        head: state.head,
    };
    let key = crate::store::log_state(did(1).as_str());
    node.store.write(&[crate::store::Write::put(key, damaged.encode())]);
    let error = Replica::load(config(1), &node.store).err().unwrap();
    assert!(matches!(error, LoadError::Read(ReadError::Damaged { .. })), "{error}");
}

#[test]
fn one_seed_gives_one_behaviour() {
    let run = || {
        let mut node = Node::new(1);
        let mut all = Vec::new();
        for number in [2, 3] {
            all.extend(node.run(Event::Connected(peer(number))));
        }
        for second in 0..40 {
            node.now = at(1_000 + second);
            all.extend(node.run(Event::Tick));
            all.extend(node.publish(second.cast_unsigned(), 0..2));
        }
        all
    };
    assert_eq!(run(), run());
}

#[test]
fn strangers_get_and_bring_nothing() {
    let mut node = Node::new(1);
    node.publish(1, 0..3);
    let head = head_of(2, &entries(0..1), at(900));
    let bytes = news(&head, 0, &entries(0..1));
    let stranger = || "12D3KooWStranger".to_owned();
    let blamed = vec![(stranger(), Misbehaviour::NotMember)];

    let effects = node.run(Event::Announced {
        from: stranger(),
        token: 1,
        bytes: bytes.clone(),
    });
    assert_eq!(verdict(&effects), Verdict::Reject);
    assert_eq!(penalties(&effects), blamed);
    assert_eq!(node.size(2), 0);

    let ask = crate::message::Ask::Pull {
        id: 7,
        organization: did(1).to_string(),
        from: 0,
    };
    let effects = node.run(Event::Request {
        from: stranger(),
        token: 1,
        bytes: ask.encode(),
    });
    assert_eq!(penalties(&effects), blamed);
    let refused = Answer::Refused {
        id: 0,
        why: crate::message::Refusal::NotMember,
    };
    assert!(effects.contains(&Effect::SendResponse {
        token: 1,
        bytes: refused.encode()
    }));

    let effects = node.run(Event::Response {
        from: stranger(),
        bytes,
    });
    assert_eq!(penalties(&effects), blamed);
    let effects = node.run(Event::Connected(stranger()));
    assert_eq!(penalties(&effects), blamed);
    assert_eq!(asks(&effects), 0);
}

#[test]
fn broken_messages_are_refused_and_newer_ones_left_alone() {
    let mut node = Node::new(1);
    let effects = node.hear(2, &[2, 99, 0]);
    assert_eq!(verdict(&effects), Verdict::Reject);
    assert!(matches!(penalties(&effects)[..], [(_, Misbehaviour::Malformed(_))]));
    let effects = node.hear(2, &[1, 1, 0]);
    assert_eq!(verdict(&effects), Verdict::Ignore);
    assert_eq!(penalties(&effects), []);

    let request = |bytes: &[u8]| Event::Request {
        from: peer(2),
        token: 1,
        bytes: bytes.to_vec(),
    };
    assert_eq!(penalties(&node.run(request(&[2, 99]))).len(), 1);
    assert_eq!(penalties(&node.run(request(&[1, 99]))).len(), 0);
    let answer = |bytes: &[u8]| Event::Response {
        from: peer(2),
        bytes: bytes.to_vec(),
    };
    assert_eq!(penalties(&node.run(answer(&[2, 99]))).len(), 1);
    assert_eq!(penalties(&node.run(answer(&[1, 99]))).len(), 0);
}

#[test]
fn an_answer_to_what_a_former_life_asked_is_none() {
    let mut former = Node::new(2);
    let mut other = Node::new(1);
    other.publish(1, 0..3);
    let asked = |effects: &[Effect]| match effects {
        [Effect::SendRequest { bytes, .. }] => bytes.clone(),
        other => panic!("{other:?}"),
    };
    let mut answer = |bytes| {
        let from = peer(2);
        match &other.run(Event::Request { from, token: 0, bytes })[..] {
            [Effect::SendResponse { bytes, .. }, ..] => Event::Response {
                from: peer(1),
                bytes: bytes.clone(),
            },
            other => panic!("{other:?}"),
        }
    };
    let late = answer(asked(&former.run(Event::Connected(peer(1)))));
    let config = Config { seed: 2, ..config(2) };
    let mut node = Node::with(config, 2, former.store.clone());
    let question = asked(&node.run(Event::Connected(peer(1))));
    assert_eq!(node.run(late.clone()), []);
    // Each life takes the answer to its own question: there is more of a log, which is asked for.
    assert_eq!(asks(&node.run(answer(question))), 1);
    assert_eq!(asks(&former.run(late)), 1);
}

#[test]
fn a_flood_is_cut_off() {
    let mut node = Node::new(1);
    let mut other = entries(0..1);
    let mut flooded = 0;
    for second in 0..limits::CHECKS_BURST + 5 {
        // Each head is another one, so each costs a check.
        let head = head_of(2, &other, at(second - 100_000));
        let effects = node.handle(Event::Announced {
            from: peer(2),
            token: 1,
            bytes: news(&head, 1, &[]),
        });
        flooded += penalties(&effects).len();
    }
    other.clear();
    assert_eq!(flooded, 5);
    // Others are not made to suffer for it.
    let effects = node.hear(3, &news(&head_of(3, &[], at(900)), 0, &[]));
    assert_eq!(verdict(&effects), Verdict::Accept);
}
