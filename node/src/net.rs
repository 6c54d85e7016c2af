//! The peer-to-peer network: libp2p over TCP, Noise and yamux, for members only.
//!
//! This part moves opaque bytes and knows nothing of what they say. Announcements go by gossip
//! and are forwarded only after the owner of the [`Network`] gave a verdict on them; questions and
//! answers go by request-response. Whoever is not in the list of members cannot finish a
//! connection, and a node of another network cannot even finish the handshake, because the
//! network's id is part of it.
//!
//! Every queue has a bound. The owner must keep reading [`Network::events`]: while it does not,
//! announcements beyond the bounds of [`limits`] are dropped (what is missing is fetched later by
//! request), further requests are refused, and at last the sockets are no longer read.
//!
//! Names are not resolved: addresses are `/ip4/…/tcp/…` or `/ip6/…/tcp/…`. Nothing is discovered,
//! there is no relay, and no address learned from a peer is ever dialed.

mod behaviour;
mod codec;
mod driver;
pub mod limits;
mod links;
mod members;
mod waiting;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, identity};
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// What a network needs to start.
pub struct NetworkConfig {
    /// The Ed25519 seed of this node's peer identity (not an organization key).
    pub seed: Zeroizing<[u8; 32]>,
    /// Where to listen. Port 0 takes a free one, told in [`Network::listening`].
    pub listen: Vec<Multiaddr>,
    /// Who may connect: peer id to the addresses to dial, which may be none. This node itself and
    /// unreadable entries are skipped, the latter with a warning.
    pub members: BTreeMap<String, Vec<String>>,
    /// The consortium's id: part of the handshake, the topic and the protocol names, so that two
    /// networks never mix.
    pub network_id: String,
    /// The bounds; [`limits::Limits::default`] outside tests.
    pub limits: limits::Limits,
}

/// A running network.
pub struct Network {
    /// Orders to the network. Dropping every sender shuts it down.
    pub commands: mpsc::Sender<NetCommand>,
    /// What happens on the network.
    pub events: mpsc::Receiver<NetEvent>,
    /// The addresses it listens on, real ports in them.
    pub listening: Vec<Multiaddr>,
    /// This node's peer id.
    pub peer_id: String,
    /// What it counts as it goes: bytes, messages, peers of the mesh.
    pub metrics: Registry,
    /// Ends after [`NetCommand::Shutdown`], when all sockets are closed.
    pub task: JoinHandle<()>,
}

/// What the network tells its owner. Peers are named by the text of their peer id.
#[derive(Debug)]
pub enum NetEvent {
    /// A member is connected (told once, however many connections there are).
    Connected(String),
    /// The last connection to a member is gone. It is dialed again without being asked.
    Disconnected(String),
    /// An announcement arrived and waits for a [`NetCommand::Verdict`] before it goes further.
    Announced {
        /// The member that handed it to us: not necessarily who wrote it.
        from: String,
        /// Names it in the verdict.
        token: u64,
        /// What it says.
        bytes: Vec<u8>,
    },
    /// A member asks. Answer with [`NetCommand::Respond`].
    Request {
        /// Who asks.
        from: String,
        /// Names the question in the answer.
        token: u64,
        /// What it asks.
        bytes: Vec<u8>,
    },
    /// The answer to a [`NetCommand::Request`]. Requests to one peer may be answered out of order.
    Response {
        /// Who answers.
        from: String,
        /// What it answers.
        bytes: Vec<u8>,
    },
    /// A [`NetCommand::Request`] will not be answered.
    RequestFailed {
        /// Who was asked.
        peer: String,
        /// What went wrong, for a log.
        why: String,
    },
    /// A further address is listened on (an interface came up).
    Listening(Multiaddr),
}

/// What the owner orders.
#[derive(Debug)]
pub enum NetCommand {
    /// Tell all members. Dropped when nobody is connected, when larger than
    /// [`limits::MAX_ANNOUNCEMENT`], or when the same bytes were told within the last minute.
    Announce(Vec<u8>),
    /// What to do with an announcement.
    Verdict {
        /// Its token.
        token: u64,
        /// What to do.
        verdict: Verdict,
    },
    /// Ask a connected member. Yields exactly one `Response` or `RequestFailed`.
    Request {
        /// Whom.
        to: String,
        /// What.
        bytes: Vec<u8>,
    },
    /// Answer a question. Too late or unknown tokens are dropped.
    Respond {
        /// The question's token.
        token: u64,
        /// The answer.
        bytes: Vec<u8>,
    },
    /// The member broke a rule: disconnect it and trust its gossip less; after
    /// [`limits::PENALTIES_BEFORE_BLOCK`] within [`limits::PENALTY_MEMORY`] keep it out for
    /// [`limits::BLOCK_TIME`].
    Penalize {
        /// Who.
        peer: String,
    },
    /// Replace the list of members: newcomers are dialed, those gone are disconnected.
    SetMembers(BTreeMap<String, Vec<String>>),
    /// Close all and end.
    Shutdown,
}

/// A judgement on an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Good: forward it.
    Accept,
    /// Not useful, nobody's fault: do not forward it.
    Ignore,
    /// Forged or broken: do not forward it and count it against whoever sent it.
    Reject,
}

/// Why a network did not start.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The port is taken.
    #[error("port {port} is in use: stop the other process or set [peer] listen")]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// This machine cannot listen there.
    #[error("cannot listen on {address}: {why}; set [peer] listen")]
    Listen {
        /// The address as configured.
        address: String,
        /// The system's words.
        why: String,
    },
    /// An address of another kind than this build speaks.
    #[error("{address} is not an address to listen on: write /ip4/<address>/tcp/<port> or /ip6/<address>/tcp/<port>")]
    Address {
        /// The address as configured.
        address: String,
    },
    /// The network id cannot be part of a protocol name.
    #[error("network id {0:?} must have at least 8 letters and digits and nothing else")]
    NetworkId(String),
    /// libp2p refused the configuration: a fault of this program.
    #[error("the network cannot be set up: {0}")]
    Setup(String),
}

/// The peer id (text, base58) of the identity made from `seed`.
pub fn peer_id_of(seed: &[u8; 32]) -> Result<String, NetError> {
    Ok(keypair(seed)?.public().to_peer_id().to_base58())
}

/// Starts the network and returns when it listens on every address asked for.
///
/// Must be called within a tokio runtime.
pub async fn start(config: NetworkConfig) -> Result<Network, NetError> {
    let names = Names::of(&config.network_id)?;
    for address in &config.listen {
        ensure_free(address)?;
    }
    let keypair = keypair(&config.seed)?;
    let peer_id = keypair.public().to_peer_id();
    let mut metrics = Registry::default();
    let swarm = behaviour::swarm(&keypair, &names, &config.limits, &mut metrics)?;
    let (command_sender, commands) = mpsc::channel(limits::COMMAND_QUEUE);
    let (events, event_receiver) = mpsc::channel(limits::EVENT_QUEUE);
    let mut driver = driver::Driver::new(swarm, names.topic, &config.limits, commands, events);
    let listening = driver.listen(&config.listen).await?;
    driver.set_members(config.members);
    let task = tokio::spawn(driver.run());
    Ok(Network {
        commands: command_sender,
        events: event_receiver,
        listening,
        peer_id: peer_id.to_base58(),
        metrics,
        task,
    })
}

fn keypair(seed: &[u8; 32]) -> Result<identity::Keypair, NetError> {
    // The library wipes the copy it is given.
    let mut copy = Zeroizing::new(*seed);
    identity::Keypair::ed25519_from_bytes(copy.as_mut_slice()).map_err(|e| NetError::Setup(e.to_string()))
}

/// The names that keep one network apart from another.
struct Names {
    /// The gossip topic.
    topic: String,
    /// The request-response protocol.
    sync: String,
    /// What `identify` says.
    identify: String,
    /// Mixed into the Noise handshake: the whole id.
    prologue: Vec<u8>,
}

impl Names {
    fn of(network_id: &str) -> Result<Self, NetError> {
        let usable =
            network_id.len() >= limits::MIN_NETWORK_ID && network_id.chars().all(|c| c.is_ascii_alphanumeric());
        if !usable {
            return Err(NetError::NetworkId(network_id.to_owned()));
        }
        // The end of a multihash differs where its beginning says which hash it is.
        let cut = network_id.len().saturating_sub(limits::SHORT_NETWORK_ID);
        let short = network_id.get(cut..).unwrap_or(network_id);
        Ok(Self {
            topic: format!("syndic/{short}/1"),
            sync: format!("/syndic/{short}/sync/1"),
            identify: format!("/syndic/{short}/1"),
            prologue: format!("syndic/{network_id}").into_bytes(),
        })
    }
}

/// libp2p sets `SO_REUSEPORT`, with which two processes of one user would silently share a port.
/// A plain bind does not share.
fn ensure_free(address: &Multiaddr) -> Result<(), NetError> {
    let wanted = socket_address(address).ok_or_else(|| NetError::Address {
        address: address.to_string(),
    })?;
    match TcpListener::bind(wanted) {
        Ok(_) => Ok(()),
        Err(e) => Err(listen_error(address, &e)),
    }
}

fn listen_error(address: &Multiaddr, error: &std::io::Error) -> NetError {
    match (error.kind(), socket_address(address)) {
        (std::io::ErrorKind::AddrInUse, Some(wanted)) => NetError::PortInUse { port: wanted.port() },
        _ => NetError::Listen {
            address: address.to_string(),
            why: error.to_string(),
        },
    }
}

/// The socket address of `/ip4|ip6/…/tcp/…`, or `None` for every other kind.
fn socket_address(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    let Protocol::Tcp(port) = parts.next()? else {
        return None;
    };
    match parts.next() {
        None => Some(SocketAddr::new(ip, port)),
        Some(_) => None,
    }
}
