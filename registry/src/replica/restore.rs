//! A node that starts may have been restored from an old backup, or be a copy of one that runs. Before it signs its first
//! head it asks: what the others hold of its own log is what it has said. Until another member has answered it is
//! *unsettled*: it signs nothing, and what is to be published waits.

use std::collections::BTreeMap;

use syndic_vc::did::Did;
use syndic_vc::time::Timestamp;

use super::track::Track;
use super::{Config, PublishError, Replica, Step};
use crate::limits;

/// Whether a replica that starts must ask before it signs: unless it is alone in its charter, or said nothing yet, or its
/// operator takes the risk.
pub(super) fn must_ask(config: &Config, tracks: &BTreeMap<Did, Track>) -> bool {
    let Some(me) = &config.me else { return false };
    if config.sign_alone || config.charter.current().members().len() < 2 {
        return false;
    }
    config.published_before || tracks.get(&me.organization).is_some_and(|track| track.size() > 0)
}

impl Replica {
    /// Whether the own log may be signed: false after a start until another member has answered.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// Another organization's node has answered, and what it knows of the own log has been taken note of.
    pub(super) fn settle(&mut self, peer: &str, step: &mut Step<'_>) {
        let me = self.own.as_ref().map(|own| &own.me.organization);
        let theirs = self.peers.organization(peer);
        if self.settled || theirs.is_none() || theirs == me {
            return;
        }
        self.settled = true;
        self.publish_next(step);
    }

    /// Publications that have waited long enough for somebody to answer.
    pub(super) fn refuse_unsettled(&mut self, step: &mut Step<'_>) {
        if !self.settled
            && let Some(own) = &mut self.own
        {
            let late = own.take_late(step.now);
            step.refuse(late, &PublishError::Unsettled);
        }
    }
}

/// Whether something that waits since then need not wait any longer. A clock that was set back counts as late.
pub(super) fn is_late(since: Timestamp, now: Timestamp) -> bool {
    !(0..limits::UNSETTLED_SECONDS).contains(&now.seconds_since(since))
}
