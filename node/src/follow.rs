//! Following file servers: for members whose firewall blocks peer-to-peer, and from any mirror.
//!
//! On a timer the charter and all checkpoints of a server are read, and the replication machine is told that a peer of the
//! server's name is there; what it asks that peer is answered from the server's files ([`Served`]). So nothing is believed
//! that a peer would not be believed, and no second protocol is needed. A server that lies is left alone for a while, loudly;
//! connections to members have nothing to do with it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use syndic_registry::charter::{Charter, CharterChain};
use syndic_registry::fork::Fork;
use syndic_registry::limits;
use syndic_registry::served::{Served, ServedError};
use syndic_registry::store::ReadError;
use syndic_registry::tile::TilePath;
use syndic_registry::tile::rows::Files;
use syndic_vc::did::Did;
use syndic_vc::json;
use tokio::sync::mpsc;

use crate::charters::Charters;
use crate::client::{CallError, Client, segment};
use crate::net::NetEvent;

/// Servers that a node follows.
const SERVERS: usize = 16;
/// Questions waiting for one server; the machine has at most four open at once.
const QUESTIONS: usize = 16;
/// How long one file may take. The machine gives a question up after 10 s.
const FILE_PATIENCE: Duration = Duration::from_secs(8);
/// How long a server that lied is left alone.
const REST: Duration = Duration::from_secs(15);
/// Bytes of tiles kept, so that one bundle is not fetched for each piece that is cut from it.
const CACHE_BYTES: usize = 16 << 20;
/// Names the answer to a question of ours that nobody waits for; the network gives out small numbers.
const NO_TOKEN: u64 = u64::MAX;
/// Bytes of the list of forks: a hundred for each of a thousand members.
const FORKS_BYTES: usize = 1 << 20;

/// The servers that are followed.
#[derive(Clone, Debug, Default)]
pub struct Following {
    servers: BTreeMap<String, Server>,
}

#[derive(Clone, Debug)]
struct Server {
    /// The member whose endpoint it is.
    organization: Option<Did>,
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
enum Order {
    Ask(Vec<u8>),
    LeaveAlone(String),
}

impl Following {
    /// Begins to follow these URLs; gives also what happens with them, for the machine.
    ///
    /// # Errors
    /// A URL cannot be used; the text says why.
    pub fn start(
        urls: &[String],
        ca_file: Option<&Path>,
        charters: &Arc<Charters>,
        me: &Did,
        every: Duration,
    ) -> Result<(Self, mpsc::Receiver<NetEvent>), String> {
        if urls.len() > SERVERS {
            return Err(format!("at most {SERVERS} servers can be followed"));
        }
        let (events, receiver) = mpsc::channel(2 * SERVERS);
        let mut servers = BTreeMap::new();
        for url in urls {
            let client = Client::believing(url, ca_file).map_err(|error| error.to_string())?;
            let name = client.base().to_owned();
            let organization = member_at(charters.chain().current(), &name, me);
            let (orders, waiting) = mpsc::channel(QUESTIONS);
            let follower = Follower {
                name: name.clone(),
                source: Arc::new(Source {
                    client: client.giving_up_after(FILE_PATIENCE),
                    cache: Mutex::default(),
                }),
                charters: charters.clone(),
                state: Arc::default(),
                events: events.clone(),
                rests_until: None,
                connected: None,
            };
            if organization.is_none() {
                tracing::info!(
                    url = name,
                    "followed; it is no other member's endpoint, so nothing is signed on its word"
                );
            }
            tokio::spawn(follower.run(waiting, every));
            servers.insert(name, Server { organization, orders });
        }
        Ok((Self { servers }, receiver))
    }

    /// Names, and the members whose endpoints they are: what the machine must know.
    pub fn peers(&self) -> impl Iterator<Item = (&str, Option<&Did>)> {
        self.servers
            .iter()
            .map(|(name, server)| (name.as_str(), server.organization.as_ref()))
    }

    /// Whether a peer of this name is a server.
    #[must_use]
    pub fn has(&self, peer: &str) -> bool {
        self.servers.contains_key(peer)
    }

    /// The member whose endpoint a server is.
    #[must_use]
    pub fn organization(&self, peer: &str) -> Option<&Did> {
        self.servers.get(peer)?.organization.as_ref()
    }

    /// Asks a server. False if it cannot be asked now.
    #[must_use]
    pub fn ask(&self, peer: &str, question: Vec<u8>) -> bool {
        let server = self.servers.get(peer);
        server.is_some_and(|server| server.orders.try_send(Order::Ask(question)).is_ok())
    }

    /// Leaves a server alone that lied.
    pub fn leave_alone(&self, peer: &str, why: String) {
        if let Some(server) = self.servers.get(peer) {
            // A full queue has questions that will find the same.
            let _busy = server.orders.try_send(Order::LeaveAlone(why));
        }
    }
}

/// The other member whose endpoint this is, if the answer can be told from a forger's: by TLS, or from this very machine.
fn member_at(charter: &Charter, url: &str, me: &Did) -> Option<Did> {
    let local = ["http://127.0.0.1", "http://[::1]", "http://localhost"];
    let after = |prefix: &str| {
        url.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    };
    if !url.starts_with("https://") && !local.iter().any(|prefix| after(prefix)) {
        return None;
    }
    let at = |endpoint: &String| endpoint.trim_end_matches('/') == url;
    let mut cards = charter.members().iter();
    let card = cards.find(|card| card.endpoints().http.as_ref().is_some_and(at))?;
    (card.did() != me).then(|| card.did().clone())
}

/// What a server has, and the chain as it was served.
#[derive(Default)]
struct State {
    served: Option<Served>,
    charter: Vec<u8>,
}

/// Why nothing was read.
enum Trouble {
    Away(String),
    Lie(String),
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Self {
        Self::Away(error.to_string())
    }
}

impl From<ServedError> for Trouble {
    fn from(error: ServedError) -> Self {
        if error.is_false() {
            Self::Lie(error.to_string())
        } else {
            Self::Away(error.to_string())
        }
    }
}

struct Follower {
    name: String,
    source: Arc<Source>,
    charters: Arc<Charters>,
    state: Arc<Mutex<State>>,
    events: mpsc::Sender<NetEvent>,
    rests_until: Option<Instant>,
    /// Whether the machine believes it connected; nothing before the first attempt.
    connected: Option<bool>,
}

impl Follower {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let alive = tokio::select! {
                _ = ticks.tick() => self.look().await,
                order = orders.recv() => match order {
                    Some(Order::Ask(question)) => self.answer(question).await,
                    Some(Order::LeaveAlone(why)) => self.trouble(Trouble::Lie(why)).await,
                    None => return,
                },
            };
            if !alive {
                return;
            }
        }
    }

    /// Reads charter and checkpoints, and has them compared. False if nobody listens any more.
    async fn look(&mut self) -> bool {
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return true;
        }
        self.rests_until = None;
        let (source, charters, state) = (self.source.clone(), self.charters.clone(), self.state.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            look(&source, charters.chain(), &mut state)
        });
        match looked.await {
            Ok(Ok(chain_differs)) => {
                if self.connected != Some(true) {
                    tracing::info!(url = self.name, "the server that is followed answers");
                }
                self.connected = Some(true);
                let told = self.tell(NetEvent::Connected(self.name.clone())).await;
                match chain_differs {
                    Some(bytes) if told => {
                        let from = self.name.clone();
                        let token = NO_TOKEN;
                        self.tell(NetEvent::Request { from, token, bytes }).await
                    }
                    _ => told,
                }
            }
            Ok(Err(trouble)) => self.trouble(trouble).await,
            Err(error) => self.trouble(Trouble::Away(error.to_string())).await,
        }
    }

    async fn answer(&mut self, question: Vec<u8>) -> bool {
        let (source, state) = (self.source.clone(), self.state.clone());
        let answered = tokio::task::spawn_blocking(move || {
            let state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let served = state.served.as_ref();
            let served = served.ok_or_else(|| Trouble::Away("nothing was read yet".to_owned()))?;
            served.answer(&question, &*source).map_err(Trouble::from)
        });
        let from = self.name.clone();
        match answered.await {
            Ok(Ok(bytes)) => self.tell(NetEvent::Response { from, bytes }).await,
            Ok(Err(trouble)) => self.trouble(trouble).await,
            Err(error) => self.trouble(Trouble::Away(error.to_string())).await,
        }
    }

    async fn trouble(&mut self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Away(why) => {
                if self.connected != Some(false) {
                    tracing::warn!(
                        url = self.name,
                        why,
                        "the server that is followed cannot be read; it is tried again"
                    );
                }
            }
            Trouble::Lie(why) => {
                tracing::error!(
                    url = self.name,
                    why,
                    "LIE: what this server has does not hold. Nothing of it is taken, and it is left alone for a while"
                );
                self.rests_until = Some(Instant::now() + REST);
                // What was read may be what was wrong.
                self.source.forget();
                *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
            }
        }
        self.connected = Some(false);
        self.tell(NetEvent::Disconnected(self.name.clone())).await
    }

    async fn tell(&self, event: NetEvent) -> bool {
        self.events.send(event).await.is_ok()
    }
}

/// Reads what changes. Gives the question that tells where the server's chain ends, if it is not where ours does.
fn look(source: &Source, chain: &CharterChain, state: &mut State) -> Result<Option<Vec<u8>>, Trouble> {
    let file = source.client.file("/charter", limits::CHAIN_BYTES)?;
    let file = file.ok_or_else(|| Trouble::Away("it serves no charter".to_owned()))?;
    if state.served.is_none() || state.charter != file {
        let theirs = CharterChain::parse(&file).map_err(|error| Trouble::Lie(format!("its charter: {error}")))?;
        if theirs.id() != chain.id() {
            return Err(Trouble::Lie(format!("it serves another consortium, {}", theirs.id())));
        }
        match &mut state.served {
            Some(served) => served.take_chain(theirs),
            none => *none = Some(Served::new(theirs)),
        }
        state.charter = file;
    }
    let Some(served) = &mut state.served else {
        return Ok(None);
    };
    let charter = chain.current();
    for card in charter.members() {
        let path = format!("/logs/{}/checkpoint", segment(card.did().as_str()));
        if let Some(checkpoint) = source.client.file(&path, limits::NOTE_BYTES)? {
            let checkpoint = String::from_utf8_lossy(&checkpoint);
            served.take_checkpoint(charter, card, &checkpoint, source)?;
        }
    }
    forks(source, charter, served)?;
    Ok((state.charter != chain.to_file()).then(|| served.ask()))
}

/// Proofs that the server has, if it is a node.
fn forks(source: &Source, charter: &Charter, served: &mut Served) -> Result<(), Trouble> {
    let Some(list) = source.client.file("/forks", FORKS_BYTES)? else {
        return Ok(());
    };
    let list = json::parse(&list).map_err(|error| Trouble::Lie(format!("its list of forks: {error}")))?;
    let named = list.get("forks").and_then(json::Value::as_array).unwrap_or_default();
    for organization in named.iter().filter_map(|one| one.get("organization")?.as_str()) {
        if served.has_fork(organization) || charter.member(organization).is_none() {
            continue;
        }
        let path = format!("/forks/{}", segment(organization));
        let Some(file) = source.client.file(&path, limits::HEADS_BYTES)? else {
            continue;
        };
        match Fork::from_file(&file, charter) {
            Ok((fork, did)) if did.as_str() == organization => served.take_fork(organization, fork),
            Ok(_) => return Err(Trouble::Lie("a proof of a fork by somebody else".to_owned())),
            // By a charter that is not known here yet, perhaps.
            Err(error) => tracing::debug!(organization, %error, "a proof of a fork is not taken"),
        }
    }
    Ok(())
}

/// The files of a server. Tiles never change, so some are kept.
struct Source {
    client: Client,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    files: BTreeMap<String, Vec<u8>>,
    bytes: usize,
}

impl Source {
    fn forget(&self) {
        *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = Cache::default();
    }
}

impl Files for Source {
    fn file(&self, organization: &str, path: TilePath, most: usize) -> Result<Vec<u8>, ReadError> {
        let path = format!("/logs/{}/{path}", segment(organization));
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = cache.files.get(&path) {
            return Ok(bytes.clone());
        }
        let away = |why: String| ReadError::Engine(why);
        let bytes = self
            .client
            .file(&path, most)
            .map_err(|error| away(error.to_string()))?
            .ok_or_else(|| away(format!("{} has no {path}", self.client.base())))?;
        if cache.bytes + bytes.len() > CACHE_BYTES {
            *cache = Cache::default();
        }
        cache.bytes += bytes.len();
        cache.files.insert(path, bytes.clone());
        Ok(bytes)
    }
}
