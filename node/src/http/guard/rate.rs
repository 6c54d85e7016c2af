//! So many requests a second per address.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::limits::{MAX_ADDRESSES, REQUEST_BURST, REQUESTS_PER_SECOND};
use super::super::problem::Problem;
use super::ledger::Ledger;

/// A rate limit per address: a bucket of `burst` requests that fills at `per_second`.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Requests a second in the long run; at least 1.
    pub per_second: u32,
    /// Requests at once after a pause; at least 1.
    pub burst: u32,
}

impl Default for Rate {
    fn default() -> Self {
        Self {
            per_second: REQUESTS_PER_SECOND,
            burst: REQUEST_BURST,
        }
    }
}

/// The buckets of all addresses. A bucket is kept as the moment at which it will be full.
pub(super) struct Buckets {
    /// The time in which one request's worth flows in.
    interval: Duration,
    /// The time in which an empty bucket fills.
    fill: Duration,
    full_at: Mutex<Ledger<Option<Instant>>>,
}

impl Buckets {
    pub(super) fn new(rate: Rate) -> Self {
        let interval = Duration::from_secs(1) / rate.per_second.max(1);
        Self {
            interval,
            fill: interval.saturating_mul(rate.burst.max(1)),
            full_at: Mutex::new(Ledger::new(MAX_ADDRESSES)),
        }
    }

    /// Takes one request out of the bucket of `address`, or says how long to wait.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> Result<(), Problem> {
        let mut ledger = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |at: &Option<Instant>| at.is_none_or(|at| at <= now);
        let full_at = ledger.entry(address, now, full);
        let then = full_at.map_or(now, |at| at.max(now)) + self.interval;
        let missing = then.saturating_duration_since(now);
        if missing > self.fill {
            return Err(Problem::too_many_requests(
                "too many requests from this address; slow down",
                missing - self.fill,
            ));
        }
        *full_at = Some(then);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const A: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    fn passes(buckets: &Buckets, address: IpAddr, now: Instant, tries: u32) -> u32 {
        let taken = (0..tries).filter(|_| buckets.take(address, now).is_ok());
        u32::try_from(taken.count()).unwrap_or(u32::MAX)
    }

    #[test]
    fn a_burst_then_the_rate() {
        let buckets = Buckets::new(Rate {
            per_second: 50,
            burst: 100,
        });
        let start = Instant::now();
        assert_eq!(passes(&buckets, A, start, 500), 100);
        assert_eq!(passes(&buckets, A, start + Duration::from_secs(1), 500), 50);
        assert_eq!(passes(&buckets, B, start, 500), 100, "each has its own");
        let later = start + Duration::from_secs(60);
        assert_eq!(passes(&buckets, A, later, 500), 100, "no more than the burst is saved");
    }

    #[test]
    fn absurd_rates_are_the_least() {
        let buckets = Buckets::new(Rate {
            per_second: 0,
            burst: 0,
        });
        let start = Instant::now();
        assert_eq!(passes(&buckets, A, start, 5), 1);
        assert_eq!(passes(&buckets, A, start + Duration::from_secs(1), 5), 1);
    }
}
