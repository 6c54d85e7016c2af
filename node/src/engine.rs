//! The engine: the only owner of the replication machine and the only writer of the node's log.
//!
//! One thread feeds [`Replica`] with events and carries out its effects. Nothing is announced, answered or sent before
//! the store has said that it is durable: the machine asks for a batch, a worker applies it, and only the worker's word
//! comes back as `Stored`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use syndic_registry::charter::{CharterChain, SignedCharter};
use syndic_registry::replica::{Counts, Effect, Event, NewLogKey, Replica, Verdict};
use syndic_registry::statement::Statement;
use syndic_registry::store::{ReadError, Reader};
use syndic_vc::did::Did;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::charters::{self, Charters};
use crate::clock;
use crate::follow::Following;
use crate::keys::Keystore;
use crate::net::{self, NetCommand, NetEvent};
use crate::store::{Batch, Store};

/// Inputs waiting for the engine. Publishing waits for room; the network's events wait in their own bounded channel.
const INPUT_QUEUE: usize = 1_024;
/// How often the machine is told that time has passed. Its own timers decide what that means.
const TICK: Duration = Duration::from_millis(250);

/// Reads what the registry keeps through the node's store.
pub struct StoreReader(pub Arc<dyn Store>);

impl Reader for StoreReader {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.0.get(key).map_err(|error| ReadError::Engine(error.to_string()))
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>, ReadError> {
        self.0
            .range(from, to, limit)
            .map_err(|error| ReadError::Engine(error.to_string()))
    }
}

impl From<syndic_registry::store::Batch> for Batch {
    fn from(content: syndic_registry::store::Batch) -> Self {
        let writes = content.writes.into_iter();
        let expectations = content.expectations.into_iter();
        Self {
            writes: writes.map(|write| (write.key, write.value)).collect(),
            expectations: expectations.map(|held| (held.key, held.value)).collect(),
        }
    }
}

/// Where the statements of one publication stand in the organization's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Index of the first statement.
    pub first: u64,
    /// How many there are.
    pub count: usize,
}

/// Why statements were not published. Nothing of the batch is in the log.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The machine or the store refused the batch.
    #[error("not published: {0}")]
    Refused(String),
    /// The node is stopping.
    #[error("not published: the node is stopping")]
    Stopping,
}

enum Input {
    Publish {
        statements: Vec<Statement>,
        extra: Batch,
        reply: oneshot::Sender<Result<Receipt, PublishError>>,
    },
    Charter {
        signed: Box<SignedCharter>,
        reply: oneshot::Sender<Result<Receipt, PublishError>>,
    },
    Rotate {
        keys: Arc<Keystore>,
        reply: oneshot::Sender<Result<Receipt, PublishError>>,
    },
    Net(NetEvent),
    Tick,
    Stored {
        batch: u64,
    },
    StoreFailed {
        batch: u64,
        why: String,
    },
    Stop(oneshot::Sender<()>),
}

/// A handle to the running engine.
#[derive(Clone)]
pub struct Engine {
    inputs: mpsc::Sender<Input>,
    connected: Arc<Mutex<BTreeSet<String>>>,
    counts: Arc<Mutex<Counts>>,
}

impl Engine {
    /// Starts the engine's thread, and the tasks that bring it network events and time.
    ///
    /// # Errors
    /// The system could not start a thread.
    pub fn start(
        replica: Replica,
        store: Arc<dyn Store>,
        (charters, me): (Arc<Charters>, Did),
        (net_commands, net_events): (mpsc::Sender<NetCommand>, mpsc::Receiver<NetEvent>),
        (following, followed): (Following, mpsc::Receiver<NetEvent>),
    ) -> std::io::Result<Self> {
        let (inputs, receiver) = mpsc::channel(INPUT_QUEUE);
        let connected = Arc::new(Mutex::new(BTreeSet::new()));
        let counts = Arc::new(Mutex::new(Counts::default()));
        let driver = Driver {
            replica,
            reader: StoreReader(store.clone()),
            store,
            inputs: inputs.clone(),
            net: net_commands,
            following,
            connected: connected.clone(),
            counts: counts.clone(),
            runtime: Handle::current(),
            waiting: BTreeMap::new(),
            next_ticket: 0,
            unasked: Vec::new(),
            charters,
            me,
            peers_unsent: false,
        };
        std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || driver.run(receiver))?;
        for mut source in [net_events, followed] {
            let events = inputs.clone();
            tokio::spawn(async move {
                while let Some(event) = source.recv().await {
                    if events.send(Input::Net(event)).await.is_err() {
                        break;
                    }
                }
            });
        }
        let ticks = inputs.clone();
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(TICK);
            interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            loop {
                interval.tick().await;
                // A full queue has work enough; the next tick comes soon.
                if let Err(mpsc::error::TrySendError::Closed(_)) = ticks.try_send(Input::Tick) {
                    break;
                }
            }
        });
        Ok(Self {
            inputs,
            connected,
            counts,
        })
    }

    /// Appends statements to the organization's log, together with the node's own writes, in one atomic batch.
    /// Returns when all of it is durable.
    ///
    /// # Errors
    /// [`PublishError`]; then nothing of it happened, unless the store failed in a way that only a restart settles.
    pub async fn publish(&self, statements: Vec<Statement>, extra: Batch) -> Result<Receipt, PublishError> {
        let (reply, answer) = oneshot::channel();
        self.inputs
            .send(Input::Publish {
                statements,
                extra,
                reply,
            })
            .await
            .map_err(|_| PublishError::Stopping)?;
        answer.await.map_err(|_| PublishError::Stopping)?
    }

    /// Makes a charter version that enough members have signed the one in force. Returns when it is durable; the receipt
    /// names the version.
    ///
    /// # Errors
    /// [`PublishError`]; then it is not in force.
    pub async fn publish_charter(&self, signed: SignedCharter) -> Result<Receipt, PublishError> {
        let (reply, answer) = oneshot::channel();
        let signed = Box::new(signed);
        let input = Input::Charter { signed, reply };
        self.inputs.send(input).await.map_err(|_| PublishError::Stopping)?;
        answer.await.map_err(|_| PublishError::Stopping)?
    }

    /// Replaces the key that signs the heads of the organization's log by the next one of the keystore. Returns when that is
    /// durable: then nothing more is signed with the one before.
    ///
    /// # Errors
    /// As for [`Engine::publish`].
    pub async fn rotate(&self, keys: Arc<Keystore>) -> Result<Receipt, PublishError> {
        let (reply, answer) = oneshot::channel();
        self.inputs
            .send(Input::Rotate { keys, reply })
            .await
            .map_err(|_| PublishError::Stopping)?;
        answer.await.map_err(|_| PublishError::Stopping)?
    }

    /// Peer ids connected right now.
    #[must_use]
    pub fn connected(&self) -> Vec<String> {
        self.connected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    /// What the replication machine has done since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets what is under way end, and stops the thread.
    pub async fn stop(&self) {
        let (done, answer) = oneshot::channel();
        if self.inputs.send(Input::Stop(done)).await.is_ok() {
            let _stopped = answer.await;
        }
    }
}

struct Waiting {
    extra: Batch,
    reply: oneshot::Sender<Result<Receipt, PublishError>>,
}

struct Driver {
    replica: Replica,
    reader: StoreReader,
    store: Arc<dyn Store>,
    inputs: mpsc::Sender<Input>,
    net: mpsc::Sender<NetCommand>,
    following: Following,
    connected: Arc<Mutex<BTreeSet<String>>>,
    counts: Arc<Mutex<Counts>>,
    runtime: Handle,
    waiting: BTreeMap<u64, Waiting>,
    next_ticket: u64,
    /// Peers whose request found the network's queue full; the machine is told with the next tick, so that it neither
    /// waits for an answer nor asks again at once.
    unasked: Vec<String>,
    charters: Arc<Charters>,
    me: Did,
    /// The network has not been told of the newest members yet: unlike other commands this one must arrive.
    peers_unsent: bool,
}

impl Driver {
    fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        while let Some(input) = inputs.blocking_recv() {
            let event = match input {
                Input::Publish {
                    statements,
                    extra,
                    reply,
                } => {
                    let ticket = self.next_ticket;
                    self.next_ticket += 1;
                    self.waiting.insert(ticket, Waiting { extra, reply });
                    Event::Publish { ticket, statements }
                }
                Input::Charter { signed, reply } => {
                    let ticket = self.next_ticket;
                    self.next_ticket += 1;
                    let extra = Batch::default();
                    self.waiting.insert(ticket, Waiting { extra, reply });
                    Event::Charter {
                        ticket,
                        signed: *signed,
                    }
                }
                Input::Rotate { keys, reply } => match self.next_key(&keys) {
                    None => {
                        let why = PublishError::Refused("the log key in force is not in this keystore".to_owned());
                        let _receiver_gone = reply.send(Err(why));
                        continue;
                    }
                    Some(new) => {
                        let (ticket, extra) = (self.next_ticket, Batch::default());
                        self.next_ticket += 1;
                        self.waiting.insert(ticket, Waiting { extra, reply });
                        Event::Rotate { ticket, new }
                    }
                },
                Input::Net(event) => match self.net_event(event) {
                    Some(event) => event,
                    None => continue,
                },
                Input::Tick => Event::Tick,
                Input::Stored { batch } => Event::Stored { batch },
                Input::StoreFailed { batch, why } => {
                    tracing::error!(batch, why, "a batch was not stored");
                    Event::StoreFailed { batch }
                }
                Input::Stop(done) => {
                    let _receiver_gone = done.send(());
                    return;
                }
            };
            if matches!(event, Event::Tick) {
                if self.peers_unsent {
                    self.tell_peers();
                }
                for peer in std::mem::take(&mut self.unasked) {
                    self.handle(Event::RequestFailed { peer });
                }
            }
            self.handle(event);
        }
    }

    fn handle(&mut self, event: Event) {
        let settled = self.replica.is_settled();
        for effect in self.replica.handle(event, clock::now(), &self.reader) {
            self.carry_out(effect);
        }
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = self.replica.counts();
        if !settled && self.replica.is_settled() {
            tracing::info!("another member has answered: this node may sign");
        }
    }

    /// The log key after the one in force, with the promise of the one after it.
    fn next_key(&self, keys: &Keystore) -> Option<NewLogKey> {
        let number = keys.log_key_number(self.replica.own_log_key()?)?;
        Some(NewLogKey {
            key: keys.log_key(number.checked_add(1)?),
            next: keys.log_key(number.checked_add(2)?).public_key().clone(),
            root: keys.root_signer_shared(),
        })
    }

    fn net_event(&self, event: NetEvent) -> Option<Event> {
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        Some(match event {
            // Files are no connection to a member.
            NetEvent::Connected(peer) if self.following.has(&peer) => Event::Connected(peer),
            NetEvent::Connected(peer) => {
                connected.insert(peer.clone());
                Event::Connected(peer)
            }
            NetEvent::Disconnected(peer) => {
                connected.remove(&peer);
                Event::Disconnected(peer)
            }
            NetEvent::Announced { from, token, bytes } => Event::Announced { from, token, bytes },
            NetEvent::Request { from, token, bytes } => Event::Request { from, token, bytes },
            NetEvent::Response { from, bytes } => Event::Response { from, bytes },
            NetEvent::RequestFailed { peer, why } => {
                tracing::debug!(peer, why, "a request to a member failed");
                Event::RequestFailed { peer }
            }
            NetEvent::Listening(address) => {
                tracing::info!(%address, "listening for members");
                return None;
            }
        })
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Persist {
                batch,
                content,
                tickets,
            } => self.persist(batch, content, &tickets),
            Effect::Acknowledge { ticket, first, count } => {
                if let Some(waiting) = self.waiting.remove(&ticket) {
                    let _receiver_gone = waiting.reply.send(Ok(Receipt { first, count }));
                }
            }
            Effect::Refuse { ticket, why } => {
                if let Some(waiting) = self.waiting.remove(&ticket) {
                    let _receiver_gone = waiting.reply.send(Err(PublishError::Refused(why.to_string())));
                }
            }
            Effect::Announce(bytes) => self.send(NetCommand::Announce(bytes)),
            Effect::Verdict { token, verdict } => {
                let verdict = match verdict {
                    Verdict::Accept => net::Verdict::Accept,
                    Verdict::Ignore => net::Verdict::Ignore,
                    Verdict::Reject => net::Verdict::Reject,
                };
                self.send(NetCommand::Verdict { token, verdict });
            }
            Effect::SendRequest { to, bytes } if self.following.has(&to) => {
                if !self.following.ask(&to, bytes) {
                    self.unasked.push(to);
                }
            }
            Effect::SendRequest { to, bytes } => {
                if let Err(error) = self.net.try_send(NetCommand::Request { to: to.clone(), bytes }) {
                    tracing::debug!(%error, "the network is busy or stopped; not asked");
                    self.unasked.push(to);
                }
            }
            Effect::SendResponse { token, bytes } => self.send(NetCommand::Respond { token, bytes }),
            Effect::Penalize { peer, why } if self.following.has(&peer) => {
                self.following.leave_alone(&peer, why.to_string());
            }
            Effect::Penalize { peer, why } => {
                tracing::warn!(peer, why = %why, "a member sent what it should not");
                self.send(NetCommand::Penalize { peer });
            }
            Effect::Charter(chain) => self.take_charter(*chain),
            Effect::Evidence { organization, .. } => {
                tracing::error!(%organization, "FORK: this organization signed two heads that contradict each \
                    other; its authority is refused until the charter deals with it");
            }
            Effect::Unreadable {
                organization,
                index,
                why,
            } => {
                tracing::error!(%organization, index, %why, "this log says what this version cannot read; it is \
                    followed no further");
            }
            Effect::Unavailable(error) => tracing::error!(%error, "the store cannot be read"),
        }
    }

    /// Another charter is in force: readers, and who may be in the network, follow at once.
    fn take_charter(&mut self, chain: CharterChain) {
        let charter = chain.current();
        tracing::info!(
            version = charter.version(),
            members = charter.members().len(),
            "another charter is in force"
        );
        for warning in charters::warnings(&chain, &self.me) {
            tracing::error!("{warning}");
        }
        self.charters.replace(chain);
        self.tell_peers();
    }

    fn tell_peers(&mut self) {
        let peers = charters::peers(self.charters.chain().current(), &self.me);
        self.peers_unsent = self.net.try_send(NetCommand::SetMembers(peers)).is_err();
    }

    /// What does not fit in the network's queue is dropped: correctness rests on comparing heads, not on delivery.
    fn send(&self, command: NetCommand) {
        if let Err(error) = self.net.try_send(command) {
            tracing::debug!(%error, "the network is busy or stopped; dropped");
        }
    }

    fn persist(&mut self, batch: u64, content: syndic_registry::store::Batch, tickets: &[u64]) {
        let mut all = Batch::from(content);
        for ticket in tickets {
            if let Some(waiting) = self.waiting.get_mut(ticket) {
                let extra = std::mem::take(&mut waiting.extra);
                all.writes.extend(extra.writes);
                all.expectations.extend(extra.expectations);
            }
        }
        let store = self.store.clone();
        let inputs = self.inputs.clone();
        self.runtime.spawn_blocking(move || {
            let outcome = match store.apply(all) {
                Ok(()) => Input::Stored { batch },
                Err(error) => Input::StoreFailed {
                    batch,
                    why: error.to_string(),
                },
            };
            // The engine drains this queue without ever waiting for us, so this cannot lock up.
            let _engine_gone = inputs.blocking_send(outcome);
        });
    }
}
