//! The fold of suspensions, compromised keys, anchors and trust bundles.

use syndic_vc::time::Timestamp;

use super::Fold;
use crate::fact::{self, Agent, Anchor, BundleFact, Compromise, Fact as _, Suspension};
use crate::statement::{CredentialsAnchored, KeyCompromised, TrustBundle};
use crate::store::{ReadError, Write};

impl Fold<'_> {
    /// Only an agent that this organization registered, and that is in service, is suspended; only a suspended one
    /// resumes.
    pub(super) fn suspend(&mut self, index: u64, at: Timestamp, agent: &str, suspended: bool) -> Result<(), ReadError> {
        let works = self
            .get::<Agent>(&fact::agent_key(self.organization, agent))?
            .is_some_and(|known| known.retired.is_none());
        let key = fact::suspension_key(self.organization, agent);
        let before = self.get::<Suspension>(&key)?.is_some_and(|known| known.suspended);
        if works && before != suspended {
            let word = Suspension { index, at, suspended };
            let history = fact::suspension_history_key(self.organization, agent, index);
            self.appended.push(Write::put(history, word.encode()));
            self.put(key, &word);
        }
        Ok(())
    }

    /// Final: the first word counts, since what was anchored after it is in doubt. The first is the one that stands first
    /// in the log; what is honoured of two stories comes in any order.
    pub(super) fn compromise(&mut self, index: u64, at: Timestamp, said: &KeyCompromised) -> Result<(), ReadError> {
        let key = fact::compromise_key(self.organization, &said.key);
        if self.get::<Compromise>(&key)?.is_none_or(|known| index < known.index) {
            self.put(key, &Compromise { index, at });
        }
        Ok(())
    }

    pub(super) fn anchor(&mut self, index: u64, said: &CredentialsAnchored) -> Result<(), ReadError> {
        for digest in &said.digests {
            let key = fact::anchor_key(self.organization, digest);
            if self.get::<Anchor>(&key)?.is_none() {
                self.put(key, &Anchor { index });
            }
        }
        Ok(())
    }

    pub(super) fn bundle(&mut self, index: u64, said: &TrustBundle) {
        self.put(fact::bundle_key(self.organization, &said.domain), &BundleFact { index });
    }
}
