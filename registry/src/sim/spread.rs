//! How long a statement takes to reach everybody in a consortium of a size, and what that costs on the wire.
//!
//! Nobody lies and nothing crashes here: messages take 20 to 80 ms for each hop, some are lost, a batch takes 2 to 10 ms.
//! Each node is connected to four others (a random graph in which everybody has four neighbours; with five members
//! that is everybody), tells them what it announces, and hands on to the others what it accepted. It compares heads with
//! three of the four every [`COMPARE_SECONDS`]. What a gossip protocol adds of its own is not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use syndic_vc::did_key;
use syndic_vc::time::Timestamp;

use super::node::{BEGINNING, key};
use crate::charter::{Charter, CharterChain, Endpoints, Founding, MemberCard, Rules};
use crate::log::Hash;
use crate::replica::rng::Rng;
use crate::replica::{Config, Effect, Event, Me, Replica, Verdict};
use crate::statement::{Content, Statement, StatusChanged};
use crate::store::{Batch, MemoryStore};

/// Every how many seconds heads are compared.
const COMPARE_SECONDS: u32 = 5;

/// Every how many seconds a head is renewed.
const HEARTBEAT_SECONDS: u32 = 60;

/// Milliseconds until the first statement: connections are made, and first heads exchanged.
const QUIET: u64 = 5_000;

/// Milliseconds between two statements, each of another member.
const BETWEEN: u64 = 1_500;

/// Milliseconds after the last statement in which it must have arrived.
const PATIENCE: u64 = 90_000;

/// One run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Setting {
    /// How many members.
    pub members: usize,
    /// How many messages of 100 are lost.
    pub loss: u64,
    /// How many statements are made.
    pub statements: u64,
    /// Makes the run repeatable.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spread {
    /// Milliseconds from the acknowledgement of a statement until one other member had stored it, for all statements and
    /// members, in ascending order.
    pub delays: Vec<u64>,
    /// Milliseconds until all had stored it, for each statement, in ascending order.
    pub whole: Vec<u64>,
    /// Bytes of broadcasts sent since the first statement: heads with entries, and cosignatures.
    pub announced: u64,
    /// Bytes of questions and answers sent since then.
    pub compared: u64,
    /// How many broadcasts were sent since then, each copy to a neighbour as one.
    pub broadcasts: u64,
    /// How long that was, in milliseconds.
    pub milliseconds: u64,
    /// Bytes of the statements themselves.
    pub bytes: u64,
}

impl Spread {
    /// The delay within which so many of 100 statements are stored at a member.
    #[must_use]
    pub fn within(&self, percent: usize) -> u64 {
        percentile(&self.delays, percent)
    }
}

/// The value that so many percent of an ascending list do not exceed.
#[must_use]
pub fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let at = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(at).copied().unwrap_or(0)
}

struct Member {
    peer: String,
    replica: Replica,
    disk: MemoryStore,
    neighbours: BTreeSet<usize>,
    seen: BTreeSet<Hash>,
    writing: BTreeMap<u64, Batch>,
}

enum Happening {
    Connect(usize),
    Tick(usize),
    Publish(u64),
    Written(usize, u64),
    Arrive { from: usize, to: usize, what: What },
}

enum What {
    Broadcast(Arc<Vec<u8>>),
    Ask(Vec<u8>),
    Answer(Vec<u8>),
}

struct World {
    setting: Setting,
    rng: Rng,
    at: u64,
    sequence: u64,
    schedule: BTreeMap<(u64, u64), Happening>,
    members: Vec<Member>,
    peers: BTreeMap<String, usize>,
    broadcasts: BTreeMap<u64, (usize, Arc<Vec<u8>>)>,
    asks: BTreeMap<u64, usize>,
    next_token: u64,
    /// Statements by the key of their entry: since when they are acknowledged, and when others had stored them.
    arrivals: BTreeMap<Vec<u8>, Vec<u64>>,
    said: BTreeMap<Vec<u8>, u64>,
    spread: Spread,
}

type Done = Result<(), String>;

/// Runs it.
///
/// # Errors
/// Says what went wrong: a statement that did not reach everybody, or that somebody was blamed.
pub fn run(setting: Setting) -> Result<Spread, String> {
    let mut rng = Rng::new(setting.seed);
    let members = found(setting.members, &mut rng)?;
    let peers = members.iter().enumerate();
    let mut world = World {
        peers: peers.map(|(at, member)| (member.peer.clone(), at)).collect(),
        setting,
        rng,
        at: 0,
        sequence: 0,
        schedule: BTreeMap::new(),
        members,
        broadcasts: BTreeMap::new(),
        asks: BTreeMap::new(),
        next_token: 0,
        arrivals: BTreeMap::new(),
        said: BTreeMap::new(),
        spread: Spread {
            delays: Vec::new(),
            whole: Vec::new(),
            announced: 0,
            compared: 0,
            broadcasts: 0,
            milliseconds: 0,
            bytes: 0,
        },
    };
    world.live()?;
    Ok(world.spread)
}

fn found(count: usize, rng: &mut Rng) -> Result<Vec<Member>, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let (mut cards, mut people) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (issuing, root, log) = (key(rng), key(rng), Arc::new(key(rng)));
        let did = did_key::for_key(issuing.public_key());
        // Base 58 has no zero.
        let peer = format!("12D3KooW{number:0>44o}").replace('0', "9");
        let keys = (log.public_key(), None);
        let (name, peers) = (format!("Member {number}"), [peer.clone()]);
        let card = MemberCard::sign_promising(&did, &name, keys, &peers, &Endpoints::default(), &root);
        cards.push(card.map_err(|error| text(&error))?);
        people.push((did, peer, log));
    }
    let founding = Founding {
        name: "Simulated".to_owned(),
        rules: Rules {
            threshold: u32::try_from(count / 2 + 1).unwrap_or(u32::MAX),
            witnesses: 1,
            max_staleness: 300,
            endorsements: 1,
        },
        members: cards,
        created: Timestamp::from_unix_millis(BEGINNING).map_err(|error| text(&error))?,
    };
    let charter = Charter::found(&founding).map_err(|error| text(&error))?;
    let chain = CharterChain::new(charter).ok_or("no charter")?;
    let mut neighbours = neighbours(count, rng).into_iter();
    let mut members = Vec::with_capacity(count);
    for (did, peer, log_key) in people {
        let mut disk = MemoryStore::default();
        disk.write(&chain.rows());
        let config = Config {
            charter: chain.clone(),
            me: Some(Me {
                organization: did,
                log_key,
                other_keys: Vec::new(),
            }),
            heartbeat_seconds: HEARTBEAT_SECONDS,
            compare_seconds: COMPARE_SECONDS,
            sign_alone: false,
            published_before: false,
            seed: rng.next(),
        };
        members.push(Member {
            peer,
            replica: Replica::load(config, &disk).map_err(|error| text(&error))?,
            disk,
            neighbours: neighbours.next().unwrap_or_default(),
            seen: BTreeSet::new(),
            writing: BTreeMap::new(),
        });
    }
    Ok(members)
}

/// Two round trips through everybody, each in an order of its own: everybody is reached, and has four neighbours, or three
/// where both trips have a step in common.
fn neighbours(count: usize, rng: &mut Rng) -> Vec<BTreeSet<usize>> {
    let mut all = vec![BTreeSet::new(); count];
    for _ in 0..2 {
        let mut left: Vec<usize> = (0..count).collect();
        let mut trip = Vec::with_capacity(count);
        while !left.is_empty() {
            trip.push(left.swap_remove(rng.below(left.len() as u64) as usize));
        }
        for (one, other) in trip.iter().zip(trip.iter().cycle().skip(1)) {
            for (from, to) in [(one, other), (other, one)] {
                if let Some(of) = all.get_mut(*from)
                    && from != to
                {
                    of.insert(*to);
                }
            }
        }
    }
    all
}

impl World {
    fn live(&mut self) -> Done {
        for member in 0..self.members.len() {
            let (connect, tick) = (self.rng.below(1_000), self.rng.below(1_000));
            self.schedule(connect, Happening::Connect(member));
            self.schedule(tick, Happening::Tick(member));
        }
        for number in 0..self.setting.statements {
            self.schedule(QUIET + number * BETWEEN, Happening::Publish(number));
        }
        let (last, others) = (QUIET + self.setting.statements * BETWEEN, self.members.len() - 1);
        while let Some(((at, _), happening)) = self.schedule.pop_first() {
            self.at = at;
            if at > last && self.said.len() as u64 == self.setting.statements {
                let missing = self
                    .said
                    .keys()
                    .find(|key| self.arrivals.get(*key).map_or(0, Vec::len) < others);
                if missing.is_none() {
                    return self.sum_up();
                }
                if at > last + PATIENCE {
                    return Err(format!("a statement has not reached everybody after {PATIENCE} ms"));
                }
            }
            self.happen(happening)?;
        }
        Err("nothing happens any more".to_owned())
    }

    fn sum_up(&mut self) -> Done {
        self.spread.milliseconds = self.at.saturating_sub(QUIET);
        for (key, since) in &self.said {
            let delays = self.arrivals.get(key).into_iter().flatten();
            let delays: Vec<u64> = delays.map(|at| at.saturating_sub(*since)).collect();
            self.spread.whole.extend(delays.iter().max());
            self.spread.delays.extend(delays);
        }
        self.spread.delays.sort_unstable();
        self.spread.whole.sort_unstable();
        Ok(())
    }

    fn schedule(&mut self, at: u64, happening: Happening) {
        self.sequence += 1;
        self.schedule.insert((at, self.sequence), happening);
    }

    fn now(&self) -> Result<Timestamp, String> {
        Timestamp::from_unix_millis(BEGINNING + self.at.cast_signed()).map_err(|error| error.to_string())
    }

    fn happen(&mut self, happening: Happening) -> Done {
        match happening {
            Happening::Connect(at) => {
                let all = self.members.get(at).map(|member| member.neighbours.clone());
                for other in all.unwrap_or_default() {
                    self.feed(at, Event::Connected(self.peer(other)))?;
                }
                Ok(())
            }
            Happening::Tick(at) => {
                self.schedule(self.at + 1_000, Happening::Tick(at));
                self.feed(at, Event::Tick)
            }
            Happening::Publish(number) => {
                let at = self.rng.below(self.members.len() as u64) as usize;
                let statement = Statement {
                    at: self.now()?,
                    content: Content::StatusChanged(StatusChanged {
                        list: "https://hospital.example/status/1".to_owned(),
                        set: vec![number],
                        cleared: Vec::new(),
                    }),
                };
                self.spread.bytes += statement.to_bytes().map_err(|error| error.to_string())?.len() as u64;
                let statements = vec![statement];
                self.feed(
                    at,
                    Event::Publish {
                        ticket: number,
                        statements,
                    },
                )
            }
            Happening::Written(at, batch) => {
                let Some(member) = self.members.get_mut(at) else {
                    return Ok(());
                };
                let Some(content) = member.writing.remove(&batch) else {
                    return Ok(());
                };
                if !member.disk.apply(&content) {
                    return Err("a batch does not extend what is stored".to_owned());
                }
                for write in content.writes.iter().filter(|write| write.key.starts_with(b"r/e")) {
                    // The first to store a statement is who made it.
                    if self.said.contains_key(&write.key) {
                        self.arrivals.entry(write.key.clone()).or_default().push(self.at);
                    } else {
                        self.said.insert(write.key.clone(), self.at);
                    }
                }
                self.feed(at, Event::Stored { batch })
            }
            Happening::Arrive { from, to, what } => self.arrive(from, to, what),
        }
    }

    fn arrive(&mut self, from: usize, to: usize, what: What) -> Done {
        self.next_token += 1;
        let (token, peer) = (self.next_token, self.peer(from));
        match what {
            What::Broadcast(bytes) => {
                let name = Sha256::digest(&*bytes).into();
                if !self.members.get_mut(to).is_some_and(|member| member.seen.insert(name)) {
                    return Ok(());
                }
                self.broadcasts.insert(token, (from, bytes.clone()));
                let bytes = bytes.to_vec();
                self.feed(
                    to,
                    Event::Announced {
                        from: peer,
                        token,
                        bytes,
                    },
                )
            }
            What::Ask(bytes) => {
                self.asks.insert(token, from);
                self.feed(
                    to,
                    Event::Request {
                        from: peer,
                        token,
                        bytes,
                    },
                )
            }
            What::Answer(bytes) => self.feed(to, Event::Response { from: peer, bytes }),
        }
    }

    fn peer(&self, at: usize) -> String {
        self.members
            .get(at)
            .map_or_else(String::new, |member| member.peer.clone())
    }

    fn feed(&mut self, at: usize, event: Event) -> Done {
        let now = self.now()?;
        let Some(member) = self.members.get_mut(at) else {
            return Ok(());
        };
        for effect in member.replica.handle(event, now, &member.disk) {
            self.carry_out(at, effect)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, at: usize, effect: Effect) -> Done {
        match effect {
            Effect::Persist { batch, content, .. } => {
                let ready = self.at + 2 + self.rng.below(9);
                if let Some(member) = self.members.get_mut(at) {
                    member.writing.insert(batch, content);
                }
                self.schedule(ready, Happening::Written(at, batch));
            }
            Effect::Announce(bytes) => {
                let bytes = Arc::new(bytes);
                if let Some(member) = self.members.get_mut(at) {
                    member.seen.insert(Sha256::digest(&*bytes).into());
                }
                self.tell(at, at, &bytes);
            }
            Effect::Verdict { token, verdict } => {
                if let Some((from, bytes)) = self.broadcasts.remove(&token)
                    && verdict == Verdict::Accept
                {
                    self.tell(at, from, &bytes);
                }
            }
            Effect::SendRequest { to, bytes } => {
                let to = *self.peers.get(&to).ok_or("a stranger is asked")?;
                self.send(at, to, What::Ask(bytes));
            }
            Effect::SendResponse { token, bytes } => {
                let to = self.asks.remove(&token).ok_or("a question is answered twice")?;
                self.send(at, to, What::Answer(bytes));
            }
            Effect::Acknowledge { .. } => {}
            other => return Err(format!("in a world without faults: {other:?}")),
        }
        Ok(())
    }

    /// To all neighbours but the one from whom it came.
    fn tell(&mut self, at: usize, but: usize, bytes: &Arc<Vec<u8>>) {
        let all = self.members.get(at).map(|member| member.neighbours.clone());
        for to in all.unwrap_or_default() {
            if to != but {
                self.send(at, to, What::Broadcast(bytes.clone()));
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, what: What) {
        if self.at >= QUIET {
            let (sum, bytes) = match &what {
                What::Broadcast(bytes) => (&mut self.spread.announced, bytes.len()),
                What::Ask(bytes) | What::Answer(bytes) => (&mut self.spread.compared, bytes.len()),
            };
            *sum += bytes as u64;
            self.spread.broadcasts += u64::from(matches!(what, What::Broadcast(_)));
        }
        if self.rng.chance(self.setting.loss) {
            return;
        }
        let arrives = self.at + 20 + self.rng.below(61);
        self.schedule(arrives, Happening::Arrive { from, to, what });
    }
}
