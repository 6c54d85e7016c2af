//! Free TCP ports on loopback.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::{Mutex, OnceLock};
use std::time::SystemTime;

/// Below the range from which the system draws ports for outgoing connections, so that none of those takes a port
/// between the moment it was found free and the moment the node listens.
const FIRST: u16 = 20_000;
/// How many ports there are to choose from.
const COUNT: u16 = 12_000;

/// The three listeners of a node.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// For strangers.
    pub public: u16,
    /// For the organization itself.
    pub admin: u16,
    /// For the other members.
    pub peer: u16,
}

impl Ports {
    /// Three ports that were free just now and are given to nobody else in this process.
    #[must_use]
    pub fn free() -> Self {
        Self {
            public: free(),
            admin: free(),
            peer: free(),
        }
    }
}

/// A port that was free just now and is given to nobody else in this process.
///
/// # Panics
/// There is none.
#[must_use]
pub fn free() -> u16 {
    static GIVEN: OnceLock<Mutex<(u16, BTreeSet<u16>)>> = OnceLock::new();
    let mut state = GIVEN
        .get_or_init(|| Mutex::new((start(), BTreeSet::new())))
        .lock()
        .unwrap();
    for _ in 0..COUNT {
        state.0 = (state.0 + 1) % COUNT;
        let port = FIRST + state.0;
        if !state.1.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            state.1.insert(port);
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT)
}

/// Test processes that run at the same time begin at different places.
fn start() -> u16 {
    let nanos = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |now| now.subsec_nanos());
    let mixed = nanos
        .wrapping_mul(2_654_435_761)
        .wrapping_add(std::process::id().wrapping_mul(40_503))
        >> 8;
    u16::try_from(mixed % u32::from(COUNT)).unwrap()
}
