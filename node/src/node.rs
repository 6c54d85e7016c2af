//! The running node: what its parts share.

use std::sync::Arc;

use prometheus_client::registry::Registry;
use syndic_registry::charter::{Charter, CharterChain};
use syndic_registry::view::View;
use syndic_vc::did::Did;
use syndic_vc::verify::Policy;
use tokio::sync::{Mutex, RwLock};

use crate::charters::Charters;
use crate::config::Config;
use crate::credentials::Claims;
use crate::engine::{Engine, StoreReader};
use crate::keys::Keystore;
use crate::one_time::OneTimeStore;
use crate::outside::Outside;
use crate::status_lists::SignedLists;
use crate::store::{ApplyError, Batch, Store};

/// How far the clocks of two organizations may differ, in seconds (promise P26).
pub const CLOCK_SKEW_SECONDS: u32 = 30;

/// Everything a request handler needs.
pub struct Node {
    /// The configuration.
    pub config: Config,
    /// The store; the engine alone writes the log in it.
    pub store: Arc<dyn Store>,
    /// The organization's keys.
    pub keys: Arc<Keystore>,
    /// Who is in the consortium; replaced by the engine.
    pub charters: Arc<Charters>,
    /// Its id.
    pub consortium: String,
    /// Whom this node speaks for.
    pub organization: Did,
    /// libp2p peer id.
    pub peer_id: String,
    /// Addresses on which members are awaited.
    pub peer_addresses: Vec<String>,
    /// The writer of the log.
    pub engine: Engine,
    /// Challenges and nonces.
    pub one_time: OneTimeStore,
    /// What other hosts say of themselves.
    pub outside: Outside,
    /// What the peer network counts.
    pub network_metrics: Registry,
    /// Signed status lists.
    pub signed_lists: SignedLists,
    /// Held for reading while a credential is issued, for writing while an agent is registered or retired: a credential
    /// issued to an agent on its way out would miss its revocation.
    pub agents_gate: RwLock<()>,
    /// Rows of credentials that are being issued with their anchors.
    pub claims: Claims,
    /// Held while a status list is made.
    pub lists_gate: Mutex<()>,
    reader: StoreReader,
}

/// What [`Node::new`] is made of.
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The keys.
    pub keys: Arc<Keystore>,
    /// The charters.
    pub charters: Arc<Charters>,
    /// Whom the node speaks for.
    pub organization: Did,
    /// libp2p peer id.
    pub peer_id: String,
    /// Addresses on which members are awaited.
    pub peer_addresses: Vec<String>,
    /// The writer of the log.
    pub engine: Engine,
    /// Challenges and nonces.
    pub one_time: OneTimeStore,
    /// What other hosts say of themselves.
    pub outside: Outside,
    /// What the peer network counts.
    pub network_metrics: Registry,
}

impl Node {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            consortium: parts.charters.chain().id().to_owned(),
            reader: StoreReader(parts.store.clone()),
            config: parts.config,
            store: parts.store,
            keys: parts.keys,
            charters: parts.charters,
            organization: parts.organization,
            peer_id: parts.peer_id,
            peer_addresses: parts.peer_addresses,
            engine: parts.engine,
            one_time: parts.one_time,
            outside: parts.outside,
            network_metrics: parts.network_metrics,
            signed_lists: SignedLists::default(),
            agents_gate: RwLock::new(()),
            claims: Claims::default(),
            lists_gate: Mutex::new(()),
        }
    }

    /// The charter in force.
    #[must_use]
    pub fn charter(&self) -> &Charter {
        self.chain().current()
    }

    /// The charter in force and all before it.
    #[must_use]
    pub fn chain(&self) -> &CharterChain {
        self.charters.chain()
    }

    /// What is trusted now.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View::new(self.charter(), &self.reader).seen_by(&self.organization)
    }

    /// The reader of the registry's rows.
    #[must_use]
    pub fn reader(&self) -> &StoreReader {
        &self.reader
    }

    /// How this organization judges: by its own authority, by the charter's limits, or stricter ones of its own.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let (rules, trust) = (self.charter().rules(), &self.config.trust);
        Policy {
            authority: self.organization.as_str().to_owned(),
            max_staleness_seconds: rules.max_staleness.min(trust.max_staleness.unwrap_or(u32::MAX)),
            witnesses: rules.witnesses.max(trust.witnesses.unwrap_or(0)),
            clock_skew_seconds: CLOCK_SKEW_SECONDS,
        }
    }

    /// Applies a batch of the node's own rows. Durable when it returns.
    ///
    /// # Errors
    /// [`ApplyError`]; then nothing of it was written.
    pub async fn apply(&self, batch: Batch) -> Result<(), ApplyError> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || store.apply(batch)).await {
            Ok(outcome) => outcome,
            Err(error) => Err(ApplyError::Failed(error.to_string())),
        }
    }

    /// The verification method that this organization issues with.
    #[must_use]
    pub fn issuer_method(&self) -> String {
        key_method(&self.organization)
    }
}

/// The verification method of a `did:key`: its only key.
#[must_use]
pub fn key_method(did: &Did) -> String {
    format!("{}#{}", did.as_str(), did.method_specific_id())
}
