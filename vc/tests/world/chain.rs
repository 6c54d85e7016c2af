//! Credentials that were handed on: from north to the agent, over any number of others.

use syndic_vc::credential::CapabilityCredentialDraft;
use syndic_vc::delegation;
use syndic_vc::did::Did;
use syndic_vc::json::Value;
use syndic_vc::status::{StatusEntry, StatusPurpose};

use super::{Known, LIST, Party, action_draft, after, agent, draft, north, range, sign_action};

/// The agents between north and the last one.
pub fn hop(index: usize) -> Party {
    Party::new(u8::try_from(100 + index).unwrap())
}

/// A chain to be signed, the root first.
pub struct Chain {
    pub drafts: Vec<CapabilityCredentialDraft>,
    /// Who signs each.
    pub signers: Vec<Party>,
}

/// Where the status of the credential so many steps below the root stands.
pub fn index_of(step: usize) -> u64 {
    1_000 + u64::try_from(step).unwrap()
}

/// The refund of the article's agent, handed on so many times: each may be handed on once less.
pub fn handed_on(times: usize) -> Chain {
    let mut root = draft();
    root.capability = vec![root.capability.remove(2)];
    let mut chain = Chain {
        drafts: Vec::new(),
        signers: Vec::new(),
    };
    for step in 0..=times {
        let mut link = root.clone();
        link.id = format!("urn:uuid:6f1c2a3e-8d4b-4c59-9a27-{step:012x}");
        link.max_depth = u8::try_from(times - step).unwrap();
        link.status = vec![StatusEntry {
            purpose: StatusPurpose::Revocation,
            list: LIST.into(),
            index: index_of(step),
        }];
        link.issuer = if step == 0 { north().did } else { hop(step - 1).did };
        link.agent = if step == times { agent().did } else { hop(step).did };
        link.agent_name = format!("Helper {step}");
        chain.drafts.push(link);
        chain.signers.push(if step == 0 { north() } else { hop(step - 1) });
    }
    chain
}

impl Chain {
    /// Changes the one so many steps below the root.
    #[must_use]
    pub fn with(mut self, step: usize, change: impl FnOnce(&mut CapabilityCredentialDraft)) -> Chain {
        change(&mut self.drafts[step]);
        self
    }

    /// The signed credentials, the leaf first.
    pub fn sign(&self) -> Vec<Value> {
        let mut signed: Vec<Value> = Vec::new();
        for (link, signer) in self.drafts.iter().zip(&self.signers) {
            let mut link = link.clone();
            link.delegated_from = signed.first().map(|parent| delegation::reference(parent).unwrap());
            let credential = link.sign(&signer.method(), after(-3_600), signer.signer()).unwrap();
            signed.insert(0, credential);
        }
        signed
    }
}

/// All that have issued or may hand on are agents of north.
pub fn registered(known: &mut Known, times: usize) {
    known.agents = (0..times).map(|step| (hop(step).did, north().did)).collect();
}

/// An organization that is no issuer here: some agents are its own.
pub fn west() -> Did {
    Party::new(7).did
}

pub const WEST_LIST: &str = "https://west.example/status/revocation/9";

/// An action with all credentials of a chain, the leaf first.
pub fn envelope_of(action: Value, credentials: &[Value]) -> Value {
    let (leaf, above) = credentials.split_first().unwrap();
    let mut envelope = super::envelope(action, leaf.clone());
    if !above.is_empty() {
        envelope
            .as_object_mut()
            .unwrap()
            .insert("chain", Value::Array(above.to_vec()));
    }
    envelope
}

/// The agent asks for a refund under these credentials, the leaf first.
pub fn refund_under(credentials: &[Value], dollars: &str) -> Value {
    let parameters = format!("{{\"amount\":{{\"value\":\"{dollars}\",\"unit\":\"USD\"}}}}");
    let draft = action_draft(&credentials[0], "call", "billing_api", "refund_under_100", &parameters);
    envelope_of(sign_action(draft), credentials)
}

/// No more than so many dollars.
pub fn at_most(dollars: &str) -> syndic_vc::constraint::Constraint {
    range("amount", None, Some(dollars), Some("USD"))
}
