//! The fold of successions: the first that the agent's own key signed counts, and no other after it.

use syndic_vc::time::Timestamp;

use super::Fold;
use crate::fact::{self, Agent, Succession};
use crate::statement::AgentSucceeded;
use crate::store::ReadError;

impl Fold<'_> {
    /// Only an agent that this organization registered, and that is in service, has a successor here; a second one
    /// would be two agents under one name.
    pub(super) fn succeed(&mut self, index: u64, at: Timestamp, said: &AgentSucceeded) -> Result<(), ReadError> {
        let agent = said.agent.as_str();
        let in_service = self
            .get::<Agent>(&fact::agent_key(self.organization, agent))?
            .is_some_and(|known| known.retired.is_none());
        let key = fact::succession_key(self.organization, agent);
        let counts = in_service
            && said.successor != said.agent
            && said.is_timely(at)
            && self.get::<Succession>(&key)?.is_none()
            && said.is_signed_for(self.organization);
        if counts {
            let succession = Succession {
                index,
                at,
                successor: said.successor.to_string(),
                until: said.until,
            };
            self.put(key, &succession);
        }
        Ok(())
    }
}
