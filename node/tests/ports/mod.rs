//! Free TCP ports on loopback for nodes that must know theirs beforehand.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which the system draws ports for outgoing connections, so that none of those takes a port
/// between the moment it was found free and the moment the node listens.
const FIRST: u16 = 16_000;
/// How many ports there are to choose from.
const COUNT: u16 = 4_000;

/// A port that was free just now and is given to nobody else in this process; other processes begin elsewhere.
pub(crate) fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() % 97).unwrap() * 40;
    (0..COUNT)
        .map(|_| FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap_or_else(|| panic!("no free port from {FIRST} on"))
}
