//! What was asked: a credential, a presentation, or an action with its credential.

use syndic_vc::decision::{Decision, Outcome};
use syndic_vc::json::members::{MemberError, Members};
use syndic_vc::json::{Object, Value};
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{Knowledge, OneTime};
use syndic_vc::{object, verify};

use super::Verifier;

/// A question to a verifier, as the verification endpoints take it.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// May this credential be relied on?
    Credential(Value),
    /// May this presentation be, as the answer to this challenge?
    Presentation {
        /// The presentation.
        presentation: Value,
        /// The challenge that was handed out.
        challenge: String,
        /// The verifier's own name.
        domain: String,
    },
    /// May this be done? The envelope of action and credential.
    Action(Value),
}

/// A decision in a form that can be kept.
pub(super) struct Decided {
    pub(super) outcome: Outcome,
    pub(super) decision: Object,
}

impl Question {
    /// Reads the body of a request. `own` is the domain of a presentation that names none.
    ///
    /// # Errors
    /// [`MemberError`]: it asks nothing that can be decided, or says more than that.
    pub fn read(body: &Value, own: &str) -> Result<Self, MemberError> {
        let members = Members::of(body, "")?;
        if members.optional("action").is_some() {
            return Ok(Self::Action(body.clone()));
        }
        let question = if members.optional("verifiablePresentation").is_some() {
            let options = members.object("options")?;
            Self::Presentation {
                presentation: members.required("verifiablePresentation")?.clone(),
                challenge: options.str("challenge")?.to_owned(),
                domain: options.optional_str("domain")?.unwrap_or(own).to_owned(),
            }
        } else {
            // As at the other doors, no option changes what is checked of a credential.
            let _ignored = members.optional_object("options")?;
            Self::Credential(members.required("verifiableCredential")?.clone())
        };
        members.finish_closed()?;
        Ok(question)
    }

    /// The body of a request that asks this.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Credential(credential) => object! { "verifiableCredential": credential.clone() },
            Self::Presentation {
                presentation,
                challenge,
                domain,
            } => object! {
                "verifiablePresentation": presentation.clone(),
                "options": object! { "challenge": challenge.as_str(), "domain": domain.as_str() },
            },
            Self::Action(envelope) => envelope.clone(),
        }
    }

    /// The document that was presented.
    #[must_use]
    pub fn document(&self) -> &Value {
        match self {
            Self::Credential(document) | Self::Action(document) => document,
            Self::Presentation { presentation, .. } => presentation,
        }
    }

    /// The decision, by the functions that every verification calls.
    pub(super) fn decide(
        &self,
        verifier: &Verifier,
        knowledge: &dyn Knowledge,
        one_time: &dyn OneTime,
        now: Timestamp,
    ) -> Decided {
        let policy = &verifier.policy;
        match self {
            Self::Credential(credential) => {
                let verdict = verify::credential_value(credential.clone(), policy, knowledge, now);
                Decided::of(&Decision::of(&verdict))
            }
            Self::Presentation {
                presentation,
                challenge,
                domain,
            } => {
                let request = verify::PresentationRequest { challenge, domain };
                let presentation = presentation.clone();
                let verdict = verify::presentation_value(presentation, &request, policy, knowledge, one_time, now);
                Decided::of(&Decision::of(&verdict))
            }
            Self::Action(envelope) => {
                let request = verify::ActionRequest {
                    audience: &verifier.organization,
                };
                let verdict = verify::action_value(envelope.clone(), &request, policy, knowledge, one_time, now);
                Decided::of(&Decision::of(&verdict))
            }
        }
    }
}

impl Decided {
    fn of(decision: &Decision<'_>) -> Self {
        Self {
            outcome: decision.outcome(),
            decision: decision.to_object(),
        }
    }

    pub(super) fn codes(&self) -> Vec<&str> {
        codes(&self.decision)
    }

    /// The decision in a line.
    pub(super) fn summary(&self) -> String {
        let reasons = self.decision.get("reasons").and_then(Value::as_array);
        let first = reasons.and_then(|reasons| reasons.first()?.get("message")?.as_str());
        match first {
            None => self.outcome.as_str().to_owned(),
            Some(why) => format!("{}: {why}", self.outcome.as_str()),
        }
    }
}

/// The codes of a decision's reasons, in order.
pub(super) fn codes(decision: &Object) -> Vec<&str> {
    let reasons = decision.get("reasons").and_then(Value::as_array).unwrap_or_default();
    reasons
        .iter()
        .filter_map(|reason| reason.get("code")?.as_str())
        .collect()
}
