//! The answer to "may this be acted on?", as one object.
//!
//! The same object is what the command line prints, the HTTP doors return and the audit
//! keeps: `{decision, reasons, subject, owner, chain, asOf, checked, notes?}`.

use crate::credential::Owner;
use crate::denial::{Denied, Reason, RefusalKind};
use crate::did::Did;
use crate::json::{Object, Value};
use crate::trust::{Freshness, Witnessed};

/// One step of verification; a decision lists those that were done and passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Strictly parsed, every member known and of its kind.
    Syntax,
    /// Suite, purpose, signer and signature of every proof.
    Proof,
    /// Time windows of documents.
    Validity,
    /// Revocation and suspension.
    Status,
    /// The agent is not retired.
    Agent,
    /// The issuer may grant this.
    Standing,
    /// The one who uses it is the one it was issued to, and answers this verifier.
    Holder,
    /// Each credential follows from the one it was handed on from.
    Chain,
    /// Capability and constraints against the action.
    Constraints,
    /// The knowledge used is young enough.
    Freshness,
    /// Challenge or nonce used up, durably.
    SingleUse,
}

impl Step {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Proof => "proof",
            Self::Validity => "validity",
            Self::Status => "status",
            Self::Agent => "agent",
            Self::Standing => "standing",
            Self::Holder => "holder",
            Self::Chain => "chain",
            Self::Constraints => "constraints",
            Self::Freshness => "freshness",
            Self::SingleUse => "single-use",
        }
    }
}

/// Since when a decision's knowledge of one issuer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// The issuer.
    pub issuer: Did,
    /// How old the knowledge about it is.
    pub freshness: Freshness,
    /// Who else has seen what was used of it.
    pub witnessed: Witnessed,
}

impl AsOf {
    /// As it stands in decisions.
    #[must_use]
    pub fn to_json(&self) -> Value {
        crate::object! {
            "issuer": self.issuer.as_str(),
            "head": self.freshness.head_size,
            "time": self.freshness.time.to_string(),
            "witnessed": crate::object! {
                "by": self.witnessed.by,
                "of": self.witnessed.of,
                "size": self.witnessed.size,
                "time": self.witnessed.time.map(|time| time.to_string()),
            },
        }
    }
}

/// What had been established when a decision fell. Nothing in here is a mere claim: the
/// subject and the owner appear once the proof over them held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Findings {
    /// Whom it is about: the agent.
    pub subject: Option<String>,
    /// Who answers for the agent, as the issuer says.
    pub owner: Option<Owner>,
    /// The credentials relied on, leaf first, by id (by digest if they have none).
    pub chain: Vec<String>,
    /// How old the knowledge of each issuer is.
    pub as_of: Vec<AsOf>,
    /// The steps that were done and passed, in order.
    pub checked: Vec<Step>,
    /// Where the constraints stand that this verifier counted for itself: what is done elsewhere
    /// under the same credential is not in the count.
    pub counted_here: Vec<String>,
}

impl Findings {
    /// Notes a step as passed, once.
    pub(crate) fn passed(&mut self, step: Step) {
        if !self.checked.contains(&step) {
            self.checked.push(step);
        }
    }
}

/// What verification builds and nobody else can: see [`crate::verify`].
pub trait Verified: sealed::Sealed {
    /// What was established.
    fn findings(&self) -> &Findings;
}

pub(crate) mod sealed {
    /// Keeps [`super::Verified`] to the types of this crate.
    pub trait Sealed {}
}

/// Yes, no, or not without approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may be acted on.
    Allow,
    /// It may not.
    Deny,
    /// It may, once somebody named in the reasons approves.
    ApprovalRequired,
}

impl Outcome {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::ApprovalRequired => "approvalRequired",
        }
    }
}

/// A decision ready to be shown. It is a report: holding one permits nothing.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    outcome: Outcome,
    denied: Option<&'a Denied>,
    findings: &'a Findings,
}

impl<'a> Decision<'a> {
    /// The decision that a verification came to.
    pub fn of<T: Verified>(outcome: &'a Result<T, Denied>) -> Self {
        match outcome {
            Ok(verified) => Self {
                outcome: Outcome::Allow,
                denied: None,
                findings: verified.findings(),
            },
            Err(denied) => Self::refused(denied),
        }
    }

    /// The decision that a refusal is.
    #[must_use]
    pub fn refused(denied: &'a Denied) -> Self {
        let outcome = match denied.kind() {
            RefusalKind::Deny => Outcome::Deny,
            RefusalKind::ApprovalRequired => Outcome::ApprovalRequired,
        };
        Self {
            outcome,
            denied: Some(denied),
            findings: denied.findings(),
        }
    }

    /// Yes, no, or not without approval.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The members of the decision object; the caller may add its own (`auditId`).
    #[must_use]
    pub fn to_object(&self) -> Object {
        let mut object = Object::new();
        object.insert("decision", self.outcome.as_str());
        object.insert("reasons", self.reasons());
        object.insert("subject", self.findings.subject.as_deref());
        object.insert("owner", self.findings.owner.as_ref().map(Owner::to_json));
        object.insert("chain", self.findings.chain.iter().collect::<Value>());
        object.insert("asOf", self.findings.as_of.iter().map(AsOf::to_json).collect::<Value>());
        object.insert(
            "checked",
            self.findings
                .checked
                .iter()
                .map(|step| step.as_str())
                .collect::<Value>(),
        );
        if !self.findings.counted_here.is_empty() {
            object.insert(
                "notes",
                self.findings.counted_here.iter().map(|at| note(at)).collect::<Value>(),
            );
        }
        object
    }

    fn reasons(&self) -> Value {
        self.denied.into_iter().flat_map(Denied::reasons).map(reason).collect()
    }
}

impl serde::Serialize for Decision<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_object().serialize(serializer)
    }
}

/// A limit that is kept at this verifier only.
fn note(at: &str) -> Value {
    crate::object! {
        "code": "counted-here-only",
        "message": "counted at this verifier only: uses at other organizations are not in the count",
        "at": at,
    }
}

fn reason(reason: &Reason) -> Value {
    crate::object! {
        "code": reason.code.as_str(),
        "message": reason.message.as_str(),
        "at": reason.at.as_str(),
    }
}
