//! What verification makes, and nobody else can.

use std::sync::Arc;

use crate::action::AgentAction;
use crate::capability::Capability;
use crate::credential::{self, Credential, Owner};
use crate::decision::{Findings, Verified, sealed::Sealed};
use crate::did::Did;
use crate::json::Value;
use crate::presentation;

/// What showed who signed a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecuredBy {
    /// Its `proof` (VC Data Integrity).
    Proof,
    /// The token it came in (VC-JOSE-COSE).
    Token,
}

/// A credential that may be acted on.
#[derive(Clone, Debug)]
pub struct VerifiedCredential {
    /// The document that was verified, with everything around it.
    whole: Arc<Value>,
    /// Which credential of a presentation; `None`: the whole document.
    index: Option<usize>,
    secured_by: SecuredBy,
    credential: Credential,
    issuer: Did,
    ancestors: Vec<Credential>,
    findings: Findings,
}

impl VerifiedCredential {
    pub(super) const fn new(
        whole: Arc<Value>,
        index: Option<usize>,
        secured_by: SecuredBy,
        credential: Credential,
        issuer: Did,
        ancestors: Vec<Credential>,
        findings: Findings,
    ) -> Self {
        Self {
            whole,
            index,
            secured_by,
            credential,
            issuer,
            ancestors,
            findings,
        }
    }

    /// The credential exactly as it was signed: its proof included, or the whole payload of the token
    /// that it came in.
    #[must_use]
    pub fn document(&self) -> &Value {
        let part = || {
            let items = presentation::credentials(self.whole.as_object()?);
            items.get(self.index?)
        };
        part().unwrap_or(&self.whole)
    }

    /// What showed that the issuer signed it.
    #[must_use]
    pub const fn secured_by(&self) -> SecuredBy {
        self.secured_by
    }

    /// What the credential says.
    #[must_use]
    pub const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Who issued it.
    #[must_use]
    pub const fn issuer(&self) -> &Did {
        &self.issuer
    }

    /// The credentials it was handed on from, its parent first and the root last; empty if it is a
    /// root itself. They held as its ancestors only: none of them may be acted on here.
    #[must_use]
    pub fn ancestors(&self) -> &[Credential] {
        &self.ancestors
    }

    /// What the agent may do; empty if this is no capability credential.
    #[must_use]
    pub fn capabilities(&self) -> &[Capability] {
        self.credential
            .capability_subject()
            .map_or(&[], |subject| &subject.capability)
    }

    /// The digest an action refers to it by.
    #[must_use]
    pub fn digest(&self) -> String {
        credential::digest(self.document())
    }
}

/// A presentation that may be acted on: by this holder, now.
#[derive(Clone, Debug)]
pub struct VerifiedPresentation {
    document: Arc<Value>,
    holder: Did,
    credentials: Vec<VerifiedCredential>,
    findings: Findings,
}

impl VerifiedPresentation {
    pub(super) const fn new(
        document: Arc<Value>,
        holder: Did,
        credentials: Vec<VerifiedCredential>,
        findings: Findings,
    ) -> Self {
        Self {
            document,
            holder,
            credentials,
            findings,
        }
    }

    /// The presentation exactly as it was signed: its proof included, or the whole payload of the
    /// token that it came in.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Who presents, and is the subject of every credential.
    #[must_use]
    pub const fn holder(&self) -> &Did {
        &self.holder
    }

    /// The credentials; at least one.
    #[must_use]
    pub fn credentials(&self) -> &[VerifiedCredential] {
        &self.credentials
    }
}

/// An action that may be carried out: this once.
///
/// It does not hand out a [`VerifiedCredential`], because only the capability it rests on was
/// looked at.
#[derive(Clone, Debug)]
pub struct AllowedAction {
    envelope: Value,
    action: AgentAction,
    capability: Capability,
    owner: Owner,
    issuer: Did,
    root_issuer: Did,
    findings: Findings,
}

impl AllowedAction {
    pub(super) const fn new(
        envelope: Value,
        action: AgentAction,
        capability: Capability,
        owner: Owner,
        issuer: Did,
        root_issuer: Did,
        findings: Findings,
    ) -> Self {
        Self {
            envelope,
            action,
            capability,
            owner,
            issuer,
            root_issuer,
            findings,
        }
    }

    /// The action and its credential exactly as they were signed, proofs included.
    #[must_use]
    pub const fn document(&self) -> &Value {
        &self.envelope
    }

    /// What may be done.
    #[must_use]
    pub const fn action(&self) -> &AgentAction {
        &self.action
    }

    /// The capability it rests on.
    #[must_use]
    pub const fn capability(&self) -> &Capability {
        &self.capability
    }

    /// Who answers for the agent.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Who issued the credential that the agent acts under: an agent, if it was handed on.
    #[must_use]
    pub const fn issuer(&self) -> &Did {
        &self.issuer
    }

    /// Who issued the root of the chain, and has standing for this action on this resource.
    #[must_use]
    pub const fn root_issuer(&self) -> &Did {
        &self.root_issuer
    }
}

/// A document whose proofs hold. Nothing else is known about it, and it permits nothing.
#[derive(Clone, Debug)]
pub struct ProofChecked {
    document: Value,
    verification_methods: Vec<String>,
    findings: Findings,
}

impl ProofChecked {
    pub(super) const fn new(document: Value, verification_methods: Vec<String>, findings: Findings) -> Self {
        Self {
            document,
            verification_methods,
            findings,
        }
    }

    /// The document exactly as it was signed, proof included.
    #[must_use]
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// The keys that signed, in the order of the proofs.
    #[must_use]
    pub fn verification_methods(&self) -> &[String] {
        &self.verification_methods
    }

    /// What was checked: the proof.
    #[must_use]
    pub const fn findings(&self) -> &Findings {
        &self.findings
    }
}

macro_rules! verified {
    ($($name:ident),*) => {$(
        impl Sealed for $name {}

        impl Verified for $name {
            fn findings(&self) -> &Findings {
                &self.findings
            }
        }
    )*};
}

verified!(VerifiedCredential, VerifiedPresentation, AllowedAction);
