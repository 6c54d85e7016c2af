//! What organizations say of keys and of credentials that they issued.

use syndic_vc::did::Did;
use syndic_vc::key::PublicKey;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::KeyStanding;

use super::View;
use crate::charter::MemberCard;
use crate::fact::{self, Anchor, BundleFact, Compromise, Suspension};
use crate::statement::{Content, TrustBundle};
use crate::store::ReadError;

impl View<'_> {
    /// Whether an entry stands after the place where its organization's stories part: what it gives does not count.
    pub(super) fn is_after_fork(&self, organization: &str, index: u64) -> Result<bool, ReadError> {
        Ok(self.fork(organization)?.is_some_and(|fork| index + 1 >= fork.at))
    }

    /// Since when an organization has suspended an agent; `None` if it has not. Of a log that told two stories the end of
    /// a suspension does not count, if only one of the stories has it.
    pub(super) fn suspended(&self, organization: &str, agent: &str) -> Result<Option<Timestamp>, ReadError> {
        let Some(word) = self.suspension(organization, agent)? else {
            return Ok(None);
        };
        let counts = word.suspended || self.is_after_fork(organization, word.index)?;
        Ok(counts.then_some(word.at))
    }

    /// The latest word of an organization on the suspension of an agent; `None` if there is none.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn suspension(&self, organization: &str, agent: &str) -> Result<Option<Suspension>, ReadError> {
        fact::get(&fact::suspension_key(organization, agent), self.reader)
    }

    /// What an organization says of the compromise of a key, which is a verification method or a multikey.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn compromise(&self, organization: &str, key: &str) -> Result<Option<Compromise>, ReadError> {
        fact::get(&fact::compromise_key(organization, key), self.reader)
    }

    /// Where an organization's log first says that a credential had been issued.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn anchor(&self, organization: &str, digest: &str) -> Result<Option<Anchor>, ReadError> {
        fact::get(&fact::anchor_key(organization, digest), self.reader)
    }

    /// The newest trust bundle that an organization published for a domain; of one that told two stories, none.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say.
    pub fn trust_bundle(&self, organization: &str, domain: &str) -> Result<Option<TrustBundle>, ReadError> {
        if self.is_frozen(organization)? {
            return Ok(None);
        }
        let key = fact::bundle_key(organization, domain);
        let Some(BundleFact { index }) = fact::get(&key, self.reader)? else {
            return Ok(None);
        };
        match self.statement(organization, index)?.map(|statement| statement.content) {
            Some(Content::TrustBundle(bundle)) => Ok(Some(bundle)),
            _ => Err(ReadError::damaged(
                format!("entry {index} of {organization}"),
                "it is not a trust bundle",
            )),
        }
    }

    /// A key is known by both of its names: how a document lists it, and what it is.
    pub(super) fn find_key_standing(
        &self,
        issuer: &Did,
        method: &str,
        key: &PublicKey,
        digest: &dyn Fn() -> String,
    ) -> Result<KeyStanding, ReadError> {
        let member = self.organization_of(issuer)?;
        let organization = member.map_or(issuer, MemberCard::did).as_str();
        let named = [
            self.compromise(organization, method)?,
            self.compromise(organization, &key.to_multikey())?,
        ];
        let Some(first) = named.into_iter().flatten().min_by_key(|compromise| compromise.index) else {
            return Ok(KeyStanding::Good);
        };
        let anchor = self.anchor(organization, &digest())?;
        if let Some(anchor) = anchor
            && anchor.index < first.index
            && !self.is_after_fork(organization, anchor.index)?
        {
            return Ok(KeyStanding::Good);
        }
        Ok(KeyStanding::Compromised { at: first.at })
    }
}
