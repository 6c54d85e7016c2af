//! A node's decision about a credential, a presentation or an action.

use syndic_vc::json::Value;
use syndic_vc::json::members::{MemberError, Members};

use super::Answer;

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Go ahead.
    Allow,
    /// Do not.
    Deny,
    /// Only with the approval that the capability asks for.
    ApprovalRequired,
}

impl Outcome {
    /// The word in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::ApprovalRequired => "approvalRequired",
        }
    }

    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allowed",
            Self::Deny => "denied",
            Self::ApprovalRequired => "approval required",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Allow, Self::Deny, Self::ApprovalRequired]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }
}

/// One reason of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The stable code (document 2 of the specifications).
    pub code: String,
    /// The reason in words.
    pub message: String,
    /// Where in the document, as a JSON Pointer; empty for the whole.
    pub at: String,
}

/// How fresh the verifier's knowledge of one issuer was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOf {
    /// The issuing organization.
    pub issuer: String,
    /// How many statements of it were known.
    pub head: i64,
    /// When it last said that these are all, RFC 3339.
    pub time: String,
    /// How many other members have lately cosigned that, and how many could have.
    pub witnessed: (i64, i64),
}

/// The decision, and everything that was said about it.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// Why not; empty if it was allowed.
    pub reasons: Vec<Reason>,
    /// The agent it is about, as far as known.
    pub subject: Option<String>,
    /// The human owner of the agent: name or id, as far as known.
    pub owner: Option<String>,
    /// How old the knowledge was on which this rests.
    pub as_of: Vec<AsOf>,
    /// The whole answer.
    pub document: Value,
}

impl Decision {
    /// Whether a reason has this code.
    #[must_use]
    pub fn has_reason(&self, code: &str) -> bool {
        self.reasons.iter().any(|reason| reason.code == code)
    }

    /// Reads an answer of a verification endpoint. Nothing counts as allowed unless everything says so.
    pub(super) fn from_answer(answer: &Answer) -> Result<Self, String> {
        let decision = Self::read(&answer.body).map_err(|error| error.to_string())?;
        let verified = answer.body.get("verified").and_then(Value::as_bool);
        match (answer.status, verified, decision.outcome) {
            (200, Some(true), Outcome::Allow) if decision.reasons.is_empty() => Ok(decision),
            (400..=499, Some(false), Outcome::Deny | Outcome::ApprovalRequired) if !decision.reasons.is_empty() => {
                Ok(decision)
            }
            (status, _, outcome) => Err(format!(
                "status {status} and decision \"{}\" contradict each other",
                outcome.as_str()
            )),
        }
    }

    /// Reads a document that holds a decision, whatever it is.
    ///
    /// # Errors
    /// [`MemberError`] names what is missing.
    pub fn of(body: &Value) -> Result<Self, MemberError> {
        Self::read(body)
    }

    fn read(body: &Value) -> Result<Self, MemberError> {
        let answer = Members::of(body, "")?;
        let members = answer.object("decision")?;
        let outcome = Outcome::parse(members.str("decision")?)
            .ok_or_else(|| members.error("decision", "\"allow\", \"deny\" or \"approvalRequired\""))?;
        Ok(Self {
            outcome,
            reasons: each(&members, "reasons", |reason| {
                Ok(Reason {
                    code: reason.str("code")?.to_owned(),
                    message: reason.str("message")?.to_owned(),
                    at: reason.optional_str("at")?.unwrap_or_default().to_owned(),
                })
            })?,
            subject: members
                .optional("subject")
                .and_then(Value::as_str)
                .map(ToOwned::to_owned),
            owner: members.optional("owner").and_then(owner),
            as_of: each(&members, "asOf", |known| {
                Ok(AsOf {
                    issuer: known.str("issuer")?.to_owned(),
                    head: known.integer("head")?,
                    time: known.str("time")?.to_owned(),
                    witnessed: {
                        let seen = known.object("witnessed")?;
                        (seen.integer("by")?, seen.integer("of")?)
                    },
                })
            })?,
            document: body.clone(),
        })
    }
}

fn each<T>(
    members: &Members<'_, '_>,
    name: &str,
    read: impl Fn(&Members<'_, '_>) -> Result<T, MemberError>,
) -> Result<Vec<T>, MemberError> {
    let list = members.at(name);
    members
        .optional_array(name)?
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(index, item)| read(&Members::of(item, list.item(index))?))
        .collect()
}

/// An owner is written as an id, or as an object with an id and perhaps a name.
fn owner(value: &Value) -> Option<String> {
    let text = value
        .as_str()
        .or_else(|| value.get("name")?.as_str())
        .or_else(|| value.get("id")?.as_str())?;
    Some(text.to_owned())
}
