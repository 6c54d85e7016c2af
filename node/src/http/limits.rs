//! Every bound of the server shell, with its reason.

use std::time::Duration;

/// Bytes of a request's head: enough for a long DID in the path and a bearer token.
pub const MAX_HEAD: usize = 16 * 1024;
/// Header lines; browsers send about 20.
pub const MAX_HEADER_LINES: usize = 64;
/// A head must be complete within this time, or a handful of slow senders hold every connection.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// Bytes of a body: the strict JSON reader's own limit.
pub const MAX_BODY: u64 = 1024 * 1024;
/// A body must be complete within this time, counted from the head's end.
pub const BODY_TIME: Duration = Duration::from_secs(15);
/// An answer must begin within this time.
pub const REQUEST_TIME: Duration = Duration::from_secs(30);
/// An idle connection is closed after this time.
pub const IDLE_TIME: Duration = Duration::from_secs(30);
/// A reader that takes no byte for this long is cut off.
pub const WRITE_STALL: Duration = Duration::from_secs(30);
/// Open connections.
pub const MAX_CONNECTIONS: usize = 1024;
/// Open connections of one address (an IPv6 /64 is one address).
pub const MAX_CONNECTIONS_PER_ADDRESS: usize = 64;
/// Requests being answered at once: more wait in nobody's memory but are told to come back.
pub const MAX_IN_FLIGHT: usize = 256;
/// How long a stopping server lets answers under way be finished.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// Paths that are answered also when too much is in flight: an overloaded node is alive.
pub const ALWAYS_ANSWERED: [&str; 2] = ["/healthz", "/readyz"];

/// Before a connection with unread input is closed, so much of it is thrown away, so that the
/// answer is not lost with the connection.
pub(super) const LINGER_BYTES: usize = 2 * 1024 * 1024;
/// And for so long.
pub(super) const LINGER_TIME: Duration = Duration::from_secs(2);
/// After the system had no socket for us.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Requests a second of one address, and how many it may save up. Verifying costs about 50 µs, so
/// one address can take a small part of one core.
pub const REQUESTS_PER_SECOND: u32 = 50;
/// See [`REQUESTS_PER_SECOND`].
pub const REQUEST_BURST: u32 = 100;
/// Wrong tokens of one address within [`TOKEN_FAILURE_WINDOW`] before it is told to wait.
pub const MAX_TOKEN_FAILURES: u32 = 10;
/// See [`MAX_TOKEN_FAILURES`].
pub const TOKEN_FAILURE_WINDOW: Duration = Duration::from_secs(60);
/// Addresses remembered for either purpose: about 1 MiB.
pub const MAX_ADDRESSES: usize = 10_000;
/// A full memory is looked through for forgettable addresses at most this often.
pub(super) const ADDRESS_SWEEP: Duration = Duration::from_secs(1);
/// Longest request id that is echoed.
pub const MAX_REQUEST_ID: usize = 128;
/// Longest text of a foreign error that is kept as a problem's detail.
pub(super) const MAX_DETAIL: usize = 1024;

/// The bounds of one server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request's head.
    pub head: usize,
    /// Header lines.
    pub header_lines: usize,
    /// Time for a head.
    pub head_time: Duration,
    /// Bytes of a body.
    pub body: u64,
    /// Time for a body.
    pub body_time: Duration,
    /// Time until an answer begins.
    pub request_time: Duration,
    /// Time a connection may idle.
    pub idle_time: Duration,
    /// Time a reader may take nothing.
    pub write_stall: Duration,
    /// Open connections.
    pub connections: usize,
    /// Open connections of one address. Behind a proxy all come from one.
    pub connections_per_address: usize,
    /// Requests being answered at once.
    pub in_flight: usize,
    /// Time for the last answers at the end.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: MAX_HEAD,
            header_lines: MAX_HEADER_LINES,
            head_time: HEAD_TIME,
            body: MAX_BODY,
            body_time: BODY_TIME,
            request_time: REQUEST_TIME,
            idle_time: IDLE_TIME,
            write_stall: WRITE_STALL,
            connections: MAX_CONNECTIONS,
            connections_per_address: MAX_CONNECTIONS_PER_ADDRESS,
            in_flight: MAX_IN_FLIGHT,
            shutdown_grace: SHUTDOWN_GRACE,
        }
    }
}
