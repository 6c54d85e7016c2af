//! What the examples share: the knowledge of a program that has no node, kept in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::document::DidDocument;
use syndic_vc::key::PublicKey;
use syndic_vc::resolve::ResolveError;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{AgentStanding, Freshness, KeyStanding, Knowledge, Standing, StatusBit};

/// Whom this program trusts, and what it knows to be revoked. It is as true as whoever fills it: a node fills it from
/// the signed logs of a consortium.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Issuers whose word counts, for everything.
    pub trusted: BTreeSet<Did>,
    /// Revoked entries: the status list's URL and the index in it.
    pub revoked: BTreeSet<(String, u64)>,
    /// When all this was known to be true.
    pub as_of: Timestamp,
}

impl Knowledge for Memory {
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        did_key::resolve(did).map(Arc::new)
    }

    fn standing(&self, authority: &str, issuer: &Did, _action: &str, _resource: &str, _at: Timestamp) -> Standing {
        if self.trusted.contains(issuer) {
            Standing::Authorized {
                by: authority.to_owned(),
            }
        } else {
            Standing::IssuerUnknown
        }
    }

    fn status(&self, issuer: &Did, list: &str, _purpose: StatusPurpose, index: u64) -> StatusBit {
        if !self.trusted.contains(issuer) {
            return StatusBit::Unknown(format!("the lists of {issuer} are not known here"));
        }
        if self.revoked.contains(&(list.to_owned(), index)) {
            StatusBit::Set
        } else {
            StatusBit::Clear
        }
    }

    fn agent(&self, _did: &Did, _at: Timestamp) -> AgentStanding {
        AgentStanding::Unknown
    }

    fn key_standing(&self, _: &Did, _: &str, _: &PublicKey, _: &dyn Fn() -> String) -> KeyStanding {
        KeyStanding::Good
    }

    fn freshness(&self, issuer: &Did) -> Option<Freshness> {
        let known = self.trusted.contains(issuer);
        known.then(|| Freshness {
            organization: issuer.clone(),
            head_size: 0,
            time: self.as_of,
            own: false,
            others: 0,
            witnesses: Vec::new(),
        })
    }
}
