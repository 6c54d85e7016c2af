//! Who took an agent's place, and from when the agent counts as retired.

use syndic_vc::did::Did;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::AgentStanding;

use super::View;
use crate::fact::{self, Agent, Succession};
use crate::store::ReadError;

impl View<'_> {
    /// What an organization says of an agent's successor; `None` if there is none. A successor may have one itself.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn successor(&self, organization: &str, agent: &str) -> Result<Option<Succession>, ReadError> {
        fact::get(&fact::succession_key(organization, agent), self.reader)
    }

    /// An agent is in service as long as one of those who registered it says so.
    pub(super) fn agent_standing(&self, agent: &str, at: Timestamp) -> Result<AgentStanding, ReadError> {
        let mut registrations = self.registrations(agent)?;
        // Those who register what others have registered come last.
        registrations.sort_by(|(a, left), (b, right)| left.at.cmp(&right.at).then_with(|| a.cmp(b)));
        let (mut latest, mut suspended) = (None, None);
        for (organization, registered) in registrations {
            match self.ended(&organization, agent, &registered, at)? {
                None => {
                    if let Some(since) = self.suspended(organization.as_str(), agent)? {
                        suspended = suspended.max(Some(since));
                        continue;
                    }
                    return Ok(AgentStanding::Active {
                        owner: registered.owner,
                        organization,
                    });
                }
                ended => latest = latest.max(ended),
            }
        }
        if let Some(at) = suspended {
            return Ok(AgentStanding::Suspended { at });
        }
        Ok(latest.map_or(AgentStanding::Unknown, |at| AgentStanding::Retired { at }))
    }

    /// Since when an agent no longer works for an organization: retired, or its overlap with a successor over.
    fn ended(
        &self,
        organization: &Did,
        agent: &str,
        registered: &Agent,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, ReadError> {
        let succeeded = self
            .successor(organization.as_str(), agent)?
            .map(|succession| succession.until)
            .filter(|until| *until <= at);
        let retired = registered.retired.map(|(_, since)| since);
        Ok(retired.into_iter().chain(succeeded).min())
    }
}
