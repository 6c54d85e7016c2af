//! Free loopback ports.

use std::net::{Ipv4Addr, TcpListener};

use super::error::DemoError;
use crate::keys;

/// Below the ports that Linux gives to outgoing connections (32768 and up), so that none of those takes a port while
/// its node is being restarted.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;
/// Tries before the machine is considered full.
const TRIES: usize = 500;

/// Three ports of one node, held until the node is about to take them.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) public: u16,
    pub(super) admin: u16,
    pub(super) peer: u16,
    held: Vec<TcpListener>,
}

impl Ports {
    /// Finds three free ports and holds them. The start is random, so that two demos do not walk side by side.
    pub(super) fn hold() -> Result<Self, DemoError> {
        let mut held = Vec::new();
        let mut found = Vec::new();
        for _ in 0..TRIES {
            if let [public, admin, peer] = *found.as_slice() {
                return Ok(Self {
                    public,
                    admin,
                    peer,
                    held,
                });
            }
            let random = keys::random_below(u64::from(COUNT)).map_err(|error| DemoError::new(error.to_string()))?;
            let port = FIRST + u16::try_from(random).unwrap_or(0);
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                held.push(listener);
                found.push(port);
            }
        }
        Err(DemoError::new(
            "this machine has no free ports between 20000 and 31999 on 127.0.0.1",
        ))
    }

    /// Lets go of the ports: the node takes them now.
    pub(super) fn release(&mut self) {
        self.held.clear();
    }

    /// Whether somebody else has taken one of them meanwhile.
    pub(super) fn are_taken(&self) -> bool {
        [self.public, self.admin, self.peer]
            .into_iter()
            .any(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ports_are_distinct_and_held_until_they_are_released() {
        let mut ports = Ports::hold().unwrap();
        assert!(ports.are_taken(), "nobody else gets them");
        assert!(ports.public != ports.admin && ports.admin != ports.peer && ports.peer != ports.public);
        ports.release();
        assert!(!ports.are_taken());
    }
}
