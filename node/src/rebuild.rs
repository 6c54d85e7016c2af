//! A store that was lost or damaged, fetched anew from the other members. The keys are kept, and nothing is signed.
//!
//! The new store grows beside the old one and takes its place only when it is whole: at least one other member has
//! answered, and nothing is missing of any log that those who answered know of. Until then the node has either its old store
//! or none, and with neither of them it signs anything. What is fetched is kept for the next attempt.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use syndic_registry::charter::CharterChain;
use syndic_registry::log::{Frontier, LogState};
use syndic_registry::message::Answer;
use syndic_registry::replica::{Config as ReplicaConfig, Effect, Event, LoadError, Replica, Verdict};
use syndic_registry::store as rows;
use syndic_registry::store::ReadError;
use syndic_vc::did::Did;
use syndic_vc::did_key;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::charters::Charters;
use crate::config::{Config, ConfigError};
use crate::data_dir::{self, DataDir, DataDirError};
use crate::engine::StoreReader;
use crate::follow::Following;
use crate::keys::{self, Keystore, KeystoreError};
use crate::net::{self, NetCommand, NetError, NetEvent, Network, NetworkConfig};
use crate::setup::{self, JoinError};
use crate::store::{self, ApplyError, Batch, Engine, OpenError, Store};
use crate::{charters, clock, one_time, run};

/// How often the machine is told that time has passed.
const TICK: Duration = Duration::from_millis(250);
/// How long others may take to be reached after the first has answered.
const OTHERS: Duration = Duration::from_secs(5);
/// How often files that are followed are looked at.
const FOLLOW: Duration = Duration::from_secs(1);
/// Rows that are carried over in one batch.
const ROWS: usize = 500;
/// The node's own rows.
const OWN_ROWS: &[u8] = b"n/";

/// What was rebuilt.
#[derive(Debug)]
pub struct Report {
    /// Where the old store is kept, if there was one.
    pub old: Option<PathBuf>,
    /// The organization.
    pub organization: String,
    /// Entries of each log.
    pub logs: BTreeMap<String, u64>,
    /// Logs of which somebody knows more than could be fetched in time; the running node fetches the rest.
    pub behind: BTreeSet<String>,
    /// Members that answered.
    pub answered: BTreeSet<String>,
    /// The node's own records that were carried over from the old store.
    pub carried: u64,
    /// Those that did not prove themselves, and why no more could be read, if so.
    pub damaged: u64,
    /// Why the old store could not be read to its end.
    pub unreadable: Option<String>,
}

/// Why nothing was rebuilt. The old store is where it was.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The data folder is not usable.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The keys could not be opened.
    #[error(transparent)]
    Keys(#[from] KeystoreError),
    /// The charter does not fit.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The new store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new store could not be written.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The new store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The machine does not start from what was fetched before.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The peer listener could not be opened.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] keys::RandomError),
    /// The system refused something.
    #[error("the system refused: {0}")]
    Io(#[from] std::io::Error),
    /// An address in the configuration is not a multiaddr.
    #[error("[peer] listen = {0:?} is not a multiaddr such as /ip4/0.0.0.0/tcp/8442")]
    PeerAddress(String),
    /// The charter names this organization with other keys, or not at all.
    #[error("the charter does not name this organization with the keys of this data folder")]
    NotAMember,
    /// There is nobody to fetch from.
    #[error("the charter has no other member: nobody could have a copy; restore the data folder from a backup")]
    Alone,
    /// A URL cannot be followed.
    #[error("{0}")]
    Follow(String),
    /// Nobody answered.
    #[error("no other member answered; the store is as it was, and this node signs nothing")]
    Nobody,
    /// The own log is not whole.
    #[error(
        "of this organization's log {held} of {known} entries could be fetched in time; what is there is kept, so try again"
    )]
    Behind {
        /// Entries fetched.
        held: u64,
        /// Entries that somebody knows of.
        known: u64,
    },
    /// The old store has entries of the own log that nobody else has.
    #[error(
        "the old store has {old} entries of this organization's log, and those who answered know of {known} only: who signs \
         after fewer tells two stories. Connect more members, or use the old store"
    )]
    Lost {
        /// Entries in the old store.
        old: u64,
        /// Entries that somebody else has.
        known: u64,
    },
}

/// How it is fetched.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long it may take.
    pub limit: Duration,
    /// URLs of nodes and mirrors whose files are read as well.
    pub from: Vec<String>,
    /// Certificates of the only authorities to believe there.
    pub ca_file: Option<PathBuf>,
}

/// Fetches the store anew. `watch` hears how many entries are there, of how many.
///
/// # Errors
/// [`RebuildError`]; the old store is where it was then.
pub async fn rebuild(
    folder: &Path,
    chain: CharterChain,
    passphrase: Zeroizing<String>,
    options: &Options,
    watch: &mut dyn FnMut(u64, u64),
) -> Result<Report, RebuildError> {
    let data = DataDir::open_locked(folder)?;
    let config = Config::read(&data.config_path())?;
    let keys = Keystore::open(&data.keys_path(), &passphrase)?;
    drop(passphrase);
    let me = did_key::for_key(keys.credential_signer().public_key());
    let card = chain.current().member(me.as_str()).ok_or(RebuildError::NotAMember)?;
    if !card.peer_ids().contains(&net::peer_id_of(keys.peer_seed())?) {
        return Err(RebuildError::NotAMember);
    }
    if chain.current().members().len() < 2 {
        return Err(RebuildError::Alone);
    }
    // Before anything else: whatever happens now, this node asks others before it signs.
    run::mark_begun(&data.log_begun_path())?;
    let engine = config.store.engine;
    let store = store::open(&data.rebuilding_path(), engine)?;
    let chain = setup::put_chain(&store, &chain)?;
    let mut fetching = Fetching::start((&config, options), &keys, store.clone(), chain, me.clone()).await?;
    fetching.run(Instant::now() + options.limit, watch).await?;
    let Fetching {
        replica,
        answered,
        network,
        ..
    } = fetching;
    let _gone_already = network.commands.send(NetCommand::Shutdown).await;
    if answered.is_empty() {
        return Err(RebuildError::Nobody);
    }
    let reach: Vec<(&Did, u64, u64)> = replica.reach().collect();
    let (held, known) = reach
        .iter()
        .find(|(did, ..)| **did == me)
        .map_or((0, 0), |(_, held, known)| (*held, *known));
    if held < known {
        return Err(RebuildError::Behind { held, known });
    }
    let behind = reach.iter().filter(|(_, held, known)| held < known);
    let mut report = Report {
        old: None,
        organization: me.as_str().to_owned(),
        logs: BTreeMap::new(),
        behind: behind.map(|(did, ..)| did.as_str().to_owned()).collect(),
        answered,
        carried: 0,
        damaged: 0,
        unreadable: None,
    };
    let reader = StoreReader(store.clone());
    for card in replica.chain().current().members() {
        let size = LogState::read(card.did().as_str(), &reader)?.frontier.size();
        report.logs.insert(card.did().as_str().to_owned(), size);
    }
    drop(reader);
    let file = replica.chain().to_file();
    let old = data.store_path();
    if old.exists() {
        carry_over((&old, engine), &store, &me, held, &mut report)?;
    }
    drop(store);
    if old.exists() {
        let lost = data.lost_store_path();
        std::fs::rename(&old, &lost)?;
        report.old = Some(lost);
    }
    std::fs::rename(data.rebuilding_path(), &old)?;
    data_dir::write_durably(&folder.join("charter.json"), &file)?;
    Ok(report)
}

/// Takes the node's own rows out of the old store, as far as they can be read and prove themselves.
fn carry_over(
    (old, engine): (&Path, Engine),
    new: &Arc<dyn Store>,
    me: &Did,
    fetched: u64,
    report: &mut Report,
) -> Result<(), RebuildError> {
    let (state, mut size) = (rows::log_state(me.as_str()), 0);
    let mut after = state.clone();
    after.push(0);
    let found = store::salvage(old, engine, (&state, &after), &mut |_, row| {
        size = Frontier::decode(row).map_or(size, |(frontier, _)| frontier.size());
    });
    if let Err(error) = found {
        report.unreadable = Some(error.to_string());
        return Ok(());
    }
    if size > fetched {
        return Err(RebuildError::Lost {
            old: size,
            known: fetched,
        });
    }
    let (mut batch, mut failed, mut carried) = (Batch::new(), None, 0);
    let mut store_rows = |batch: &mut Batch| match new.apply(std::mem::take(batch)) {
        Ok(()) => {}
        Err(error) => failed = Some(error),
    };
    let read = store::salvage(
        old,
        engine,
        (OWN_ROWS, &one_time::after_prefix(OWN_ROWS)),
        &mut |key, value| {
            batch.writes.push((key.to_vec(), Some(value.to_vec())));
            carried += 1;
            if batch.writes.len() == ROWS {
                store_rows(&mut batch);
            }
        },
    );
    store_rows(&mut batch);
    if let Some(error) = failed {
        return Err(error.into());
    }
    report.carried = carried;
    match read {
        Ok(damaged) => report.damaged = damaged,
        Err(error) => report.unreadable = Some(error.to_string()),
    }
    Ok(())
}

/// A replica that follows all logs, the own one too, and has no key.
struct Fetching {
    replica: Replica,
    network: Network,
    following: Following,
    followed: mpsc::Receiver<NetEvent>,
    charters: Arc<Charters>,
    store: Arc<dyn Store>,
    me: Did,
    connected: BTreeSet<String>,
    /// Peers that said what they have since they were connected.
    heard: BTreeSet<String>,
    /// Their organizations.
    answered: BTreeSet<String>,
}

impl Fetching {
    async fn start(
        (config, options): (&Config, &Options),
        keys: &Keystore,
        store: Arc<dyn Store>,
        chain: CharterChain,
        me: Did,
    ) -> Result<Self, RebuildError> {
        let listen = config.peer.listen.parse();
        let network = net::start(NetworkConfig {
            seed: keys.peer_seed().clone(),
            listen: vec![listen.map_err(|_| RebuildError::PeerAddress(config.peer.listen.clone()))?],
            members: charters::peers(chain.current(), &me),
            network_id: chain.id().to_owned(),
            limits: net::limits::Limits::default(),
        })
        .await?;
        let charters = Arc::new(Charters::new(chain.clone()));
        let followed = Following::start(&options.from, options.ca_file.as_deref(), &charters, &me, FOLLOW);
        let (following, followed) = followed.map_err(RebuildError::Follow)?;
        let config = ReplicaConfig {
            charter: chain,
            me: None,
            heartbeat_seconds: config.trust.heartbeat_seconds,
            // Somebody waits for it.
            compare_seconds: 1,
            sign_alone: false,
            published_before: true,
            seed: keys::random_u64()?,
        };
        let mut replica = Replica::load(config, &StoreReader(store.clone()))?;
        for (name, member) in following.peers() {
            replica.follow(name.to_owned(), member.cloned());
        }
        Ok(Self {
            replica,
            network,
            following,
            followed,
            charters,
            store,
            me,
            connected: BTreeSet::new(),
            heard: BTreeSet::new(),
            answered: BTreeSet::new(),
        })
    }

    /// Goes on until nothing is missing, or time is up.
    async fn run(&mut self, deadline: Instant, watch: &mut dyn FnMut(u64, u64)) -> Result<(), RebuildError> {
        let mut ticks = tokio::time::interval(TICK);
        let mut first = None;
        while Instant::now() < deadline {
            let event = tokio::select! {
                event = self.network.events.recv() => match event {
                    Some(event) => self.event(event),
                    None => return Ok(()),
                },
                // Ends at once if nothing is followed; then the other branches go on.
                Some(event) = self.followed.recv() => self.event(event),
                _ = ticks.tick() => Some(Event::Tick),
            };
            let Some(event) = event else { continue };
            self.handle(event).await;
            let (mut all_held, mut all_known) = (0, 0);
            for (_, held, known) in self.replica.reach() {
                all_held += held.min(known);
                all_known += known;
            }
            watch(all_held, all_known);
            if first.is_none() && !self.answered.is_empty() {
                first = Some(Instant::now());
            }
            let others = self.replica.chain().current().members().len() - 1;
            let waited = first.is_some_and(|first| first.elapsed() >= OTHERS);
            let everybody = self.answered.len() >= others || waited;
            let all_said = self.connected.is_subset(&self.heard);
            if all_held == all_known && everybody && all_said {
                return Ok(());
            }
        }
        Ok(())
    }

    fn event(&mut self, event: NetEvent) -> Option<Event> {
        Some(match event {
            NetEvent::Connected(peer) => {
                self.connected.insert(peer.clone());
                Event::Connected(peer)
            }
            NetEvent::Disconnected(peer) => {
                self.connected.remove(&peer);
                Event::Disconnected(peer)
            }
            NetEvent::Announced { from, token, bytes } => Event::Announced { from, token, bytes },
            NetEvent::Request { from, token, bytes } => Event::Request { from, token, bytes },
            NetEvent::Response { from, bytes } => {
                if matches!(Answer::decode(&bytes), Ok(Answer::Heads { .. })) {
                    self.note(&from);
                }
                Event::Response { from, bytes }
            }
            NetEvent::RequestFailed { peer, .. } => Event::RequestFailed { peer },
            NetEvent::Listening(_) => return None,
        })
    }

    fn note(&mut self, peer: &str) {
        self.heard.insert(peer.to_owned());
        if let Some(member) = self.following.organization(peer) {
            self.answered.insert(member.as_str().to_owned());
        }
        let card = self.replica.chain().current().member_of_peer(peer);
        // Another node of one's own organization may be a copy of this one.
        if let Some(card) = card.filter(|card| *card.did() != self.me) {
            self.answered.insert(card.did().as_str().to_owned());
        }
    }

    async fn handle(&mut self, event: Event) {
        let reader = StoreReader(self.store.clone());
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in self.replica.handle(event, clock::now(), &reader) {
                match effect {
                    Effect::Persist { batch, content, .. } => {
                        let store = self.store.clone();
                        let stored = tokio::task::spawn_blocking(move || store.apply(content.into())).await;
                        events.push_back(match stored {
                            Ok(Ok(())) => Event::Stored { batch },
                            Ok(Err(error)) => {
                                tracing::error!(%error, "a batch was not stored");
                                Event::StoreFailed { batch }
                            }
                            Err(_) => Event::StoreFailed { batch },
                        });
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
                            events.push_back(Event::RequestFailed { peer: to });
                        }
                    }
                    Effect::SendRequest { to, bytes } => {
                        let request = NetCommand::Request { to: to.clone(), bytes };
                        if self.network.commands.try_send(request).is_err() {
                            events.push_back(Event::RequestFailed { peer: to });
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
                    Effect::Charter(chain) => {
                        let peers = charters::peers(chain.current(), &self.me);
                        self.charters.replace(*chain);
                        self.send(NetCommand::SetMembers(peers));
                    }
                    Effect::Evidence { organization, .. } => {
                        tracing::error!(%organization, "FORK: this organization told two stories");
                    }
                    Effect::Unreadable { organization, .. } => {
                        tracing::error!(%organization, "this log says what this version cannot read");
                    }
                    Effect::Unavailable(error) => tracing::error!(%error, "the new store cannot be read"),
                    Effect::Acknowledge { .. } | Effect::Refuse { .. } => {}
                }
            }
        }
    }

    /// What does not fit in the network's queue is asked or told again.
    fn send(&self, command: NetCommand) {
        if let Err(error @ mpsc::error::TrySendError::Full(_)) = self.network.commands.try_send(command) {
            tracing::debug!(%error, "the network is busy; dropped");
        }
    }
}
