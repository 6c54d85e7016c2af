//! Something remembered per address, in bounded memory.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

use super::super::limits::ADDRESS_SWEEP;
use super::address_key;

/// A map from address to `T`. When it is full and nothing in it may be forgotten, further
/// addresses share one entry: many strangers at once then limit each other, and nobody who is
/// remembered is forgiven early.
pub(super) struct Ledger<T> {
    most: usize,
    known: BTreeMap<IpAddr, T>,
    shared: T,
    swept: Option<Instant>,
}

impl<T: Default> Ledger<T> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            known: BTreeMap::new(),
            shared: T::default(),
            swept: None,
        }
    }

    /// The entry of `address`. `forgettable` tells which entries are as good as none.
    pub(super) fn entry(&mut self, address: IpAddr, now: Instant, forgettable: impl Fn(&T) -> bool) -> &mut T {
        let address = address_key(address);
        if !self.known.contains_key(&address) && self.known.len() >= self.most {
            let due = self
                .swept
                .is_none_or(|last| now.saturating_duration_since(last) >= ADDRESS_SWEEP);
            if due {
                self.swept = Some(now);
                self.known.retain(|_, entry| !forgettable(entry));
            }
            if self.known.len() >= self.most {
                return &mut self.shared;
            }
        }
        self.known.entry(address).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(n))
    }

    #[test]
    fn memory_is_bounded_and_the_overflow_is_shared() {
        let mut ledger = Ledger::<u32>::new(3);
        let now = Instant::now();
        for n in 0..3 {
            *ledger.entry(address(n), now, |_| false) += 1;
        }
        for n in 3..10 {
            *ledger.entry(address(n), now, |_| false) += 1;
        }
        assert_eq!(ledger.known.len(), 3);
        assert_eq!(*ledger.entry(address(99), now, |_| false), 7);
        assert_eq!(*ledger.entry(address(0), now, |_| false), 1);
    }

    #[test]
    fn the_forgettable_make_room() {
        let mut ledger = Ledger::<u32>::new(3);
        let now = Instant::now();
        for n in 0..3 {
            *ledger.entry(address(n), now, |_| false) = n;
        }
        *ledger.entry(address(7), now, |count| *count == 0) = 5;
        assert_eq!(ledger.known.len(), 3);
        assert!(!ledger.known.contains_key(&address(0)));
        assert_eq!(*ledger.entry(address(7), now, |_| false), 5);
    }
}
