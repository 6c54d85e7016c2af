//! Every bound of the network, with its reason.

use std::time::Duration;

/// Peers of a consortium connect to each other; 128 leaves room for all members of a large one.
pub const MAX_CONNECTIONS: u32 = 128;
/// Handshakes under way, each direction: strangers can hold no more than these.
pub const MAX_PENDING: u32 = 32;
/// One connection a peer, and a second for the moment in which it is found to be one too many.
pub const MAX_PER_PEER: u32 = 2;
/// No new connections while the process uses more memory than this.
pub const MAX_MEMORY: usize = 512 * 1024 * 1024;

/// Bytes of one announcement: head plus a small batch of statements.
pub const MAX_ANNOUNCEMENT: usize = 64 * 1024;
/// What gossip wraps around an announcement (topic, lengths), generously.
pub(super) const ANNOUNCEMENT_ENVELOPE: usize = 1024;
/// Bytes of one request or response: a piece of a log is at most 512 KiB of entries; the rest is
/// room for proofs, heads and text encoding.
pub const MAX_SYNC_MESSAGE: usize = 1024 * 1024 + 64 * 1024;
/// First allocation for a message that claims to be long: claims cost nothing, bytes do.
pub(super) const FIRST_ALLOCATION: usize = 16 * 1024;
/// A request must be answered within this time.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests of ours under way, all peers together.
pub const MAX_REQUESTS_OUT: usize = 256;
/// Streams of the request protocol per connection, both directions.
pub(super) const MAX_SYNC_STREAMS: usize = 16;
/// yamux streams per connection; each may buffer 256 KiB, so 16 MiB at worst.
pub(super) const MAX_STREAMS: usize = 64;

/// Announcements without a verdict, all peers: what a stalled owner may cost.
pub const MAX_ANNOUNCEMENTS_WAITING: usize = 1024;
/// The same of one peer, so that a flood by one leaves room for the others.
pub const MAX_ANNOUNCEMENTS_WAITING_PER_PEER: usize = 256;
/// Bytes of announcements without a verdict, all peers.
pub const MAX_ANNOUNCEMENT_BYTES_WAITING: usize = 16 * 1024 * 1024;
/// The same of one peer.
pub const MAX_ANNOUNCEMENT_BYTES_WAITING_PER_PEER: usize = 4 * 1024 * 1024;
/// Requests of peers without an answer, all peers.
pub const MAX_REQUESTS_WAITING: usize = 128;
/// The same of one peer: four pages in flight, twice over.
pub const MAX_REQUESTS_WAITING_PER_PEER: usize = 8;
/// Bytes of peers' requests without an answer, all peers.
pub const MAX_REQUEST_BYTES_WAITING: usize = 16 * 1024 * 1024;
/// The same of one peer.
pub const MAX_REQUEST_BYTES_WAITING_PER_PEER: usize = 4 * 1024 * 1024;
/// Gossip forgets a message that waited longer for its verdict.
pub(super) const VERDICT_TIMEOUT: Duration = Duration::from_secs(10);

/// Gossip heartbeat; times [`GOSSIP_HISTORY`] it must reach [`VERDICT_TIMEOUT`].
pub(super) const GOSSIP_HEARTBEAT: Duration = Duration::from_secs(1);
/// Heartbeats a message stays in gossip's memory.
pub(super) const GOSSIP_HISTORY: usize = 10;
/// Degree 4 costs 4.7 times the payload at 20 nodes where degree 6 costs 5.3 (measured).
pub(super) const MESH_DEGREE: usize = 4;
/// Fewer than this and gossip looks for more.
pub(super) const MESH_LOW: usize = 3;
/// More than this and gossip prunes.
pub(super) const MESH_HIGH: usize = 8;
/// Of the mesh, dialed by us: an attacker that only dials in cannot be our whole mesh.
pub(super) const MESH_OUTBOUND: usize = 1;
/// Peers outside of the mesh that hear at each heartbeat which messages there were, or a quarter of them if that is more: each
/// message is named to them three times, 34 bytes each. What is lost all the same is found when heads are compared.
pub(super) const GOSSIP_LAZY: usize = 2;
/// Message ids in one IHAVE or IWANT: 34 bytes each, below gossip's 16 KiB a control message.
pub(super) const MAX_GOSSIP_IDS: usize = 400;
/// Messages in one gossip frame: honest nodes send one.
pub(super) const MAX_GOSSIP_PER_FRAME: usize = 64;
/// Messages queued to a peer that reads slowly (at most 16 MiB) before further ones are dropped.
pub(super) const GOSSIP_QUEUE: usize = 256;
/// Subscriptions in one frame: there is one topic.
pub(super) const MAX_SUBSCRIPTIONS_PER_FRAME: usize = 4;

/// Orders waiting for the network's task.
pub(super) const COMMAND_QUEUE: usize = 256;
/// Events waiting in the channel to the owner.
pub(super) const EVENT_QUEUE: usize = 256;
/// Events waiting before the channel at which sockets are no longer read.
pub(super) const OUTBOX_PAUSE: usize = 2048;
/// Events waiting before the channel at which orders are no longer taken.
pub(super) const OUTBOX_FULL: usize = 4096;

/// First redial after this; doubled each time. A node that restarts is back within a second.
pub const REDIAL_FIRST: Duration = Duration::from_millis(100);
/// Longest pause between two dials.
pub const REDIAL_MAX: Duration = Duration::from_secs(30);
/// A connection that held this long was a good one: the pauses begin anew after it.
pub(super) const STABLE: Duration = Duration::from_secs(5);
/// The peer with the greater id waits so much longer before each dial, so that two nodes seldom
/// dial each other at once.
pub(super) const DIAL_STAGGER: Duration = Duration::from_millis(250);
/// Addresses kept of one member.
pub const MAX_ADDRESSES: usize = 8;
/// A dead connection is noticed after interval plus timeout.
pub(super) const PING_INTERVAL: Duration = Duration::from_secs(5);
/// A ping must be answered within this time.
pub(super) const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// A handshake must be done within this time.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The system tells the listening addresses within this time.
pub(super) const LISTEN_TIMEOUT: Duration = Duration::from_secs(5);
/// Expired entries are looked for this often.
pub(super) const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Penalties that a peer may collect before it is kept out.
pub const PENALTIES_BEFORE_BLOCK: u32 = 3;
/// A penalty is forgotten after this time.
pub const PENALTY_MEMORY: Duration = Duration::from_secs(600);
/// A blocked peer is kept out for this time: long enough to be no nuisance, short enough that a
/// repaired member comes back by itself.
pub const BLOCK_TIME: Duration = Duration::from_secs(600);
/// Gossip score of one penalty. Two stop gossip with the peer, three ignore it.
pub(super) const PENALTY_SCORE: f64 = -20.0;

/// Shortest network id.
pub const MIN_NETWORK_ID: usize = 8;
/// Characters of the network id that names carry: 16 of base58 are 93 bits.
pub const SHORT_NETWORK_ID: usize = 16;

/// The bounds that tests set otherwise.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections in all.
    pub connections: u32,
    /// Handshakes under way, each direction.
    pub pending: u32,
    /// Bytes of process memory above which no new connection is made.
    pub memory: usize,
    /// Bytes of one request or response.
    pub sync_message: usize,
    /// Time for one request.
    pub request_timeout: Duration,
    /// How many members each announcement is forwarded to.
    pub mesh_degree: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: MAX_CONNECTIONS,
            pending: MAX_PENDING,
            memory: MAX_MEMORY,
            sync_message: MAX_SYNC_MESSAGE,
            request_timeout: REQUEST_TIMEOUT,
            mesh_degree: MESH_DEGREE,
        }
    }
}
