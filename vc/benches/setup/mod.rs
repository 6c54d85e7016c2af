//! What the benchmarks share: what a verifier knows, what is verified, and the bare signature check.
#![allow(dead_code)] // each benchmark uses a part of it

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use syndic_vc::capability::ResourcePattern;
use syndic_vc::credential::CapabilityCredentialDraft;
use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::document::DidDocument;
use syndic_vc::json::Value;
use syndic_vc::key::PublicKey;
use syndic_vc::resolve::ResolveError;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{AgentStanding, Freshness, KeyStanding, Knowledge, Standing, StatusBit, Witness};

use crate::world::*;

/// What a node keeps in memory: documents already read, standing, status bits, heads.
pub(crate) struct Cached {
    pub(crate) documents: BTreeMap<Did, Arc<DidDocument>>,
    authorized: BTreeMap<(Did, String), ResourcePattern>,
    status: BTreeMap<String, Vec<u8>>,
    heads: BTreeMap<Did, Freshness>,
}

impl Cached {
    pub(crate) fn new() -> Cached {
        let north = north().did;
        let document = |party: &Party| (party.did.clone(), Arc::new(did_key::resolve(&party.did).unwrap()));
        let everything = ResourcePattern::parse("*").unwrap();
        let actions = ["read", "write", "call", "escalate"];
        let head = Freshness {
            organization: north.clone(),
            head_size: 17,
            time: after(-5),
            own: false,
            others: 2,
            witnesses: [after(-4), after(-3)].map(|time| Witness { size: 17, time }).to_vec(),
        };
        Cached {
            documents: [document(&crate::world::north()), document(&agent()), document(&south())].into(),
            authorized: actions
                .map(|action| ((north.clone(), action.to_owned()), everything.clone()))
                .into(),
            status: [LIST, SUSPENSIONS]
                .map(|list| (list.to_owned(), vec![0; 16_384]))
                .into(),
            heads: [(north, head)].into(),
        }
    }
}

impl Knowledge for Cached {
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        self.documents.get(did).cloned().ok_or(ResolveError::NotFound)
    }

    fn standing(&self, authority: &str, issuer: &Did, action: &str, resource: &str, _: Timestamp) -> Standing {
        let pattern = ResourcePattern::parse(resource);
        match (self.authorized.get(&(issuer.clone(), action.to_owned())), pattern) {
            (Some(granted), Some(asked)) if granted.covers_pattern(&asked) => Standing::Authorized {
                by: authority.to_owned(),
            },
            _ => Standing::NotAuthorized,
        }
    }

    fn status(&self, _: &Did, list: &str, _: StatusPurpose, index: u64) -> StatusBit {
        let byte = self
            .status
            .get(list)
            .and_then(|bits| bits.get(usize::try_from(index / 8).unwrap()));
        match byte {
            Some(byte) if byte & (0x80 >> (index % 8)) == 0 => StatusBit::Clear,
            Some(_) => StatusBit::Set,
            None => StatusBit::Unknown("no such list".into()),
        }
    }

    fn agent(&self, _: &Did, _: Timestamp) -> AgentStanding {
        AgentStanding::Unknown
    }

    fn key_standing(&self, _: &Did, _: &str, _: &PublicKey, _: &dyn Fn() -> String) -> KeyStanding {
        KeyStanding::Good
    }

    fn freshness(&self, issuer: &Did) -> Option<Freshness> {
        self.heads.get(issuer).cloned()
    }
}

/// The same, but every document is made from its DID each time: no key is kept.
pub(crate) struct Resolving(pub(crate) Cached);

impl Knowledge for Resolving {
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        did_key::resolve(did).map(Arc::new)
    }

    fn standing(&self, authority: &str, issuer: &Did, action: &str, resource: &str, now: Timestamp) -> Standing {
        self.0.standing(authority, issuer, action, resource, now)
    }

    fn status(&self, issuer: &Did, list: &str, purpose: StatusPurpose, index: u64) -> StatusBit {
        self.0.status(issuer, list, purpose, index)
    }

    fn agent(&self, did: &Did, at: Timestamp) -> AgentStanding {
        self.0.agent(did, at)
    }

    fn key_standing(&self, _: &Did, _: &str, _: &PublicKey, _: &dyn Fn() -> String) -> KeyStanding {
        KeyStanding::Good
    }

    fn freshness(&self, issuer: &Did) -> Option<Freshness> {
        self.0.freshness(issuer)
    }
}

/// The same agent with its billing capability only, and no suspension list.
pub(crate) fn small() -> Value {
    sign(&small_draft())
}

pub(crate) fn small_draft() -> CapabilityCredentialDraft {
    let mut draft = draft();
    draft.capability = vec![draft.capability.remove(2)];
    draft.status = vec![revocation()];
    draft
}

/// Credentials that differ in their ids.
pub(crate) fn many(count: u32, draft: &CapabilityCredentialDraft) -> Vec<Vec<u8>> {
    let mut draft = draft.clone();
    (0..count)
        .map(|n| {
            draft.id = format!("urn:uuid:6f1c2a3e-8d4b-4c59-9a27-{n:012x}");
            text(&sign(&draft))
        })
        .collect()
}

/// One strict signature check over 64 bytes with a key that is already decompressed.
pub(crate) fn bare() -> Box<dyn FnMut()> {
    use ed25519_dalek::{Signer, SigningKey};
    let key = SigningKey::from_bytes(&[1; 32]);
    let message = [7; 64];
    let signature = key.sign(&message);
    let public = key.verifying_key();
    Box::new(move || {
        public
            .verify_strict(black_box(&message), black_box(&signature))
            .unwrap()
    })
}
