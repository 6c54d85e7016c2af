//! The charters in force while the node runs, what follows from them for the network, and signing new ones.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use syndic_registry::charter::{ChainError, Charter, CharterChain, CharterError, MemberCard, SignedCharter};
use syndic_vc::did::Did;
use syndic_vc::json::Value;
use syndic_vc::key::Signer;

use crate::records;
use crate::store::{ApplyError, Batch, Store};

/// The chain of charters that is acted on; it is replaced while readers hold on to the one they began with.
#[derive(Debug)]
pub struct Charters {
    first: Version,
}

/// One state of the chain. Changes are rare, so all since the start are kept.
#[derive(Debug)]
struct Version {
    chain: CharterChain,
    next: OnceLock<Box<Version>>,
}

impl Charters {
    /// Begins with what is stored.
    #[must_use]
    pub fn new(chain: CharterChain) -> Self {
        Self {
            first: Version::new(chain),
        }
    }

    fn newest(&self) -> &Version {
        let mut version = &self.first;
        while let Some(next) = version.next.get() {
            version = next;
        }
        version
    }

    /// The chain that is acted on now.
    #[must_use]
    pub fn chain(&self) -> &CharterChain {
        &self.newest().chain
    }

    /// From now on this one is acted on.
    pub fn replace(&self, chain: CharterChain) {
        let mut new = Box::new(Version::new(chain));
        // Only the engine calls this; were there two, the later one would come last.
        while let Err(back) = self.newest().next.set(new) {
            new = back;
        }
    }
}

impl Version {
    fn new(chain: CharterChain) -> Self {
        Self {
            chain,
            next: OnceLock::new(),
        }
    }
}

/// Peer ids and addresses of the other members: who may be in the network.
#[must_use]
pub fn peers(charter: &Charter, me: &Did) -> BTreeMap<String, Vec<String>> {
    let others = charter.members().iter().filter(|member| member.did() != me);
    others
        .flat_map(|member| {
            let ids = member.peer_ids().iter();
            ids.map(|id| (id.clone(), member.endpoints().peer.clone()))
        })
        .collect()
}

/// What people must know about the charter: it contradicts itself, or has removed this organization.
#[must_use]
pub fn warnings(chain: &CharterChain, me: &Did) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(conflict) = chain.conflict() {
        let twice: Vec<String> = conflict
            .signed_twice()
            .iter()
            .map(|did| name_of(chain.current(), did))
            .collect();
        warnings.push(format!(
            "CHARTER CONFLICT: two different versions {} are validly signed; both are kept, neither is followed, and the \
             charter stays at version {}. Signed both: {}",
            conflict.version(),
            chain.current().version(),
            twice.join(", ")
        ));
    }
    if let Some(version) = chain.current().removed_by(me.as_str()) {
        warnings.push(format!(
            "charter version {version} has removed this organization from the consortium: its log is closed, and its \
             credentials are refused"
        ));
    }
    warnings
}

fn name_of(charter: &Charter, did: &Did) -> String {
    let member = charter.member(did.as_str());
    member.map_or_else(|| did.to_string(), |card| format!("{} ({did})", card.name()))
}

/// Why a proposal is not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignCharterError {
    /// It does not follow the charter in force.
    #[error("the proposal does not follow the charter in force: {0}")]
    Chain(#[from] ChainError),
    /// It says what a charter may not say.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// This organization is in neither.
    #[error(
        "the proposal does not name this organization as its card does; ask for one that holds the card member.json"
    )]
    NotNamed,
    /// It has signed another one.
    #[error(
        "this organization has signed another version {version} already ({other}). If both come to be published, the \
         charter stops for everybody. If that one will certainly never be published, say --again"
    )]
    Twice {
        /// The version that both have.
        version: u32,
        /// Hash of the other one.
        other: String,
    },
    /// What was signed could not be looked up.
    #[error(transparent)]
    Record(#[from] records::RecordError),
    /// What is signed could not be remembered.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// Rows that say which proposal was signed, by version.
const SIGNED: &str = "n/charter-signed/";

/// Signs a proposal with the root key, and remembers that: two versions of one number are not signed by mistake.
///
/// # Errors
/// [`SignCharterError`]; then it is not signed.
pub fn sign(
    proposal: &mut SignedCharter,
    organization: &Did,
    root: &dyn Signer,
    store: &dyn Store,
    again: bool,
) -> Result<(), SignCharterError> {
    let key = records::key(SIGNED, &format!("{:010}", proposal.version()));
    if let Some(Value::String(other)) = records::get(store, &key)?
        && other.as_str() != proposal.hash()
        && !again
    {
        return Err(SignCharterError::Twice {
            version: proposal.version(),
            other: other.to_string(),
        });
    }
    store.apply(Batch {
        writes: vec![(key, Some(records::encode(&Value::from(proposal.hash()))))],
        expectations: vec![],
    })?;
    Ok(proposal.sign(organization, root)?)
}

/// Whether a proposal may be signed by a member: it follows the charter in force, and names the organization before or
/// after.
///
/// # Errors
/// [`SignCharterError`] says why not.
pub fn may_sign(chain: &CharterChain, proposal: &SignedCharter, me: &Did) -> Result<(), SignCharterError> {
    let next = chain.preview(proposal)?;
    let named = |charter: &Charter| charter.member(me.as_str()).is_some();
    if named(chain.current()) || named(&next) {
        Ok(())
    } else {
        Err(SignCharterError::NotNamed)
    }
}

/// Whether a proposal names a newcomer, who has no charter yet, as its card does.
///
/// # Errors
/// [`SignCharterError`] if it does not.
pub fn names(proposal: &SignedCharter, card: &MemberCard) -> Result<(), SignCharterError> {
    let members = proposal.charter().get("members").and_then(Value::as_array);
    let card = card.to_value();
    if members.unwrap_or_default().contains(&card) {
        Ok(())
    } else {
        Err(SignCharterError::NotNamed)
    }
}
