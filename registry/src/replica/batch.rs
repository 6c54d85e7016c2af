//! What is written when a log grows: entries, hashes, the facts that follow, and the state of the
//! log, in one batch that applies only to the state it extends.

use super::track::{Held, Promise};
use crate::head::Head;
use crate::log::{Frontier, LogState};
use crate::store::{self, Batch, Expectation, Write};

/// The state after a log has grown to `frontier`, under a head that covers it or promises more.
pub(super) fn grown(before: &Held, frontier: Frontier, head: Head, proof: Vec<[u8; 32]>) -> Held {
    if head.size() == frontier.size() {
        return Held {
            log: LogState {
                frontier,
                head: Some(head),
            },
            promise: None,
        };
    }
    let log = LogState {
        frontier,
        head: before.log.head.clone(),
    };
    Held {
        log,
        promise: Some(Promise { head, proof }),
    }
}

/// The batch that leads from one state to the next, with the rows of entries and facts.
pub(super) fn step(organization: &str, before: &Held, next: &Held, mut writes: Vec<Write>) -> Batch {
    let key = store::log_state(organization);
    let stored = (before.log != LogState::default()).then(|| before.log.encode());
    writes.push(Write::put(key.clone(), next.log.encode()));
    if before.promise != next.promise {
        let value = next.promise.as_ref().map(Promise::encode);
        writes.push(Write {
            key: Promise::key(organization),
            value,
        });
    }
    Batch {
        writes,
        expectations: vec![Expectation { key, value: stored }],
    }
}
