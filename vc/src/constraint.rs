//! What limits a capability: a closed vocabulary, read and decided here.
//!
//! Every way of not holding has its own code. A constraint that is not understood, a parameter
//! that is missing, a unit on one side only: none of them holds.

mod approval;
mod counted;
mod decimal;
mod hours;
mod narrower;
mod prefix;
mod purpose;
mod range;
mod scalar;

pub use approval::{Approval, ApprovalCondition};
pub use counted::{Budget, Period, Rate};
pub use decimal::Decimal;
pub use hours::Hours;
pub use narrower::narrower;
pub use prefix::Prefix;
pub(crate) use purpose::EXPECTED as PURPOSE;
pub use purpose::PurposeOfUse;
pub use range::Range;
pub use scalar::Scalar;
pub(crate) use scalar::{Items, Quoted};

use self::purpose::Purposes;
use self::scalar::Choices;
use crate::action::{Parameter, Parameters};
use crate::denial::{DenialCode, Reason};
use crate::did::Did;
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Object, Value};
use crate::limits::{AUDIENCES, LABEL_BYTES, UNIT_BYTES};
use crate::time::Timestamp;

/// One limit on a capability. All limits of a capability must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// The parameter is this value.
    Exact {
        /// Name of the action's parameter.
        parameter: String,
        /// The one value allowed.
        value: Scalar,
    },
    /// The parameter lies between two bounds, both included.
    Range(Range),
    /// The parameter is one of these values.
    OneOf {
        /// Name of the action's parameter.
        parameter: String,
        /// The values allowed; not empty.
        values: Vec<Scalar>,
    },
    /// The parameter is none of these values.
    NotOneOf {
        /// Name of the action's parameter.
        parameter: String,
        /// The values excluded; not empty.
        values: Vec<Scalar>,
    },
    /// The parameter is a list that has all of these values.
    Contains {
        /// Name of the action's parameter.
        parameter: String,
        /// The values needed; not empty.
        values: Vec<Scalar>,
    },
    /// The parameter is a list that has none but these values.
    Subset {
        /// Name of the action's parameter.
        parameter: String,
        /// The values allowed; not empty.
        values: Vec<Scalar>,
    },
    /// The parameter is text that begins with something.
    Prefix(Prefix),
    /// Only at these hours, on the verifier's clock.
    Hours(Hours),
    /// Only at these verifiers.
    Audience {
        /// The verifiers' DIDs; not empty.
        allowed: Vec<Did>,
    },
    /// Only for these purposes.
    Purpose {
        /// The purposes; not empty.
        allowed: Vec<PurposeOfUse>,
    },
    /// Only so often.
    Rate(Rate),
    /// Only so much in all.
    Budget(Budget),
    /// Only when somebody approves.
    Approval(Approval),
}

/// What an action adds to a counter, and how far that may count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// When the window began that is counted in.
    pub from: Timestamp,
    /// What is added: actions for a rate, units of 10^-18 for a budget.
    pub amount: u128,
    /// The most that the counter may show.
    pub limit: u128,
}

/// What constraints are held against.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The action's parameters.
    pub parameters: &'a Parameters,
    /// Where the parameters stand in the document, for reasons.
    pub parameters_at: Path<'a>,
    /// What the action says it is for.
    pub purpose: Option<PurposeOfUse>,
    /// Where that stands.
    pub purpose_at: Path<'a>,
    /// The verifier.
    pub audience: &'a Did,
    /// The verifier's clock.
    pub now: Timestamp,
}

impl Constraint {
    /// Reads a constraint.
    ///
    /// # Errors
    /// `constraint-unknown` for a type outside the vocabulary; otherwise the member at fault.
    pub fn read(value: &Value, at: &Path<'_>) -> Result<Self, Reason> {
        let members = Members::of(value, at)?;
        let constraint = match members.str("type")? {
            "exact" => Self::Exact {
                parameter: parameter_name(&members)?,
                value: Scalar::read(members.required("value")?, &members.at("value"))?,
            },
            "range" => Self::Range(Range::read(&members)?),
            "oneOf" => Self::OneOf {
                parameter: parameter_name(&members)?,
                values: Scalar::read_list(&members, "values")?,
            },
            "notOneOf" => Self::NotOneOf {
                parameter: parameter_name(&members)?,
                values: Scalar::read_list(&members, "values")?,
            },
            "contains" => Self::Contains {
                parameter: parameter_name(&members)?,
                values: Scalar::read_list(&members, "values")?,
            },
            "subset" => Self::Subset {
                parameter: parameter_name(&members)?,
                values: Scalar::read_list(&members, "values")?,
            },
            "prefix" => Self::Prefix(Prefix::read(&members)?),
            "hours" => Self::Hours(Hours::read(&members)?),
            "audience" => Self::Audience {
                allowed: read_audience(&members)?,
            },
            "purpose" => Self::Purpose {
                allowed: PurposeOfUse::read_list(&members)?,
            },
            "rate" => Self::Rate(Rate::read(&members)?),
            "budget" => Self::Budget(Budget::read(&members)?),
            "approval" => Self::Approval(Approval::read(&members)?),
            other => {
                return Err(Reason::new(
                    DenialCode::ConstraintUnknown,
                    members.at("type").to_string(),
                    format!(
                        "the constraint type {} is not known here: use one of {}",
                        Quoted(other),
                        TYPES.join(", ")
                    ),
                ));
            }
        };
        members.finish_closed()?;
        Ok(constraint)
    }

    /// The constraint as it stands in a credential.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Object::new();
        object.insert("type", self.name());
        match self {
            Self::Exact { parameter, value } => {
                object.insert("parameter", parameter.as_str());
                object.insert("value", value.to_json());
            }
            Self::OneOf { parameter, values }
            | Self::NotOneOf { parameter, values }
            | Self::Contains { parameter, values }
            | Self::Subset { parameter, values } => {
                object.insert("parameter", parameter.as_str());
                object.insert("values", values.iter().map(Scalar::to_json).collect::<Value>());
            }
            Self::Range(range) => range.write(&mut object),
            Self::Prefix(prefix) => prefix.write(&mut object),
            Self::Hours(hours) => hours.write(&mut object),
            Self::Audience { allowed } => {
                object.insert("allowed", allowed.iter().map(Did::as_str).collect::<Value>());
            }
            Self::Purpose { allowed } => {
                object.insert("allowed", Purposes(allowed).to_json());
            }
            Self::Rate(rate) => rate.write(&mut object),
            Self::Budget(budget) => budget.write(&mut object),
            Self::Approval(approval) => approval.write(&mut object),
        }
        object.into()
    }

    /// The `type` in documents.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Exact { .. } => "exact",
            Self::Range(_) => "range",
            Self::OneOf { .. } => "oneOf",
            Self::NotOneOf { .. } => "notOneOf",
            Self::Contains { .. } => "contains",
            Self::Subset { .. } => "subset",
            Self::Prefix(_) => "prefix",
            Self::Hours(_) => "hours",
            Self::Audience { .. } => "audience",
            Self::Purpose { .. } => "purpose",
            Self::Rate(_) => "rate",
            Self::Budget(_) => "budget",
            Self::Approval(_) => "approval",
        }
    }

    /// Holds the constraint against the circumstances of one action; `here` is where the
    /// constraint stands. A `rate` or `budget` holds if what it adds can be counted
    /// ([`Self::charge`]); whether it is too much, only the verifier's counters know.
    ///
    /// # Errors
    /// Why it does not hold. `approval-required` alone means that somebody may still approve.
    pub fn check(&self, circumstances: &Circumstances<'_>, here: &Path<'_>) -> Result<(), Reason> {
        match self {
            Self::Exact { parameter, value } => {
                let given = circumstances.scalar(parameter)?;
                let text = || format!("{parameter} is {given}, and only {value} is allowed");
                circumstances.hold(given == value, DenialCode::ValueNotExact, parameter, text)
            }
            Self::OneOf { parameter, values } => {
                let given = circumstances.scalar(parameter)?;
                let text = || format!("{parameter} is {given}, and only {} is allowed", Choices(values));
                circumstances.hold(values.contains(given), DenialCode::ValueNotListed, parameter, text)
            }
            Self::NotOneOf { parameter, values } => {
                let given = circumstances.scalar(parameter)?;
                let text = || format!("{parameter} is {given}, which is excluded: choose another");
                circumstances.hold(!values.contains(given), DenialCode::ValueExcluded, parameter, text)
            }
            Self::Contains { parameter, values } => {
                let given = circumstances.list(parameter)?;
                let lacking = values.iter().find(|value| !given.contains(value));
                let text = || {
                    let lacking = lacking.map(Scalar::to_string).unwrap_or_default();
                    format!("{parameter} is {}, without {lacking}: add it", Items(given))
                };
                circumstances.hold(lacking.is_none(), DenialCode::ValueLacking, parameter, text)
            }
            Self::Subset { parameter, values } => {
                let given = circumstances.list(parameter)?;
                let beyond = given.iter().find(|value| !values.contains(value));
                let text = || {
                    let beyond = beyond.map(Scalar::to_string).unwrap_or_default();
                    format!(
                        "{parameter} has {beyond}, and only {} is allowed: leave it out",
                        Choices(values)
                    )
                };
                circumstances.hold(beyond.is_none(), DenialCode::ValueNotSubset, parameter, text)
            }
            Self::Range(range) => range.check(circumstances),
            Self::Prefix(prefix) => prefix.check(circumstances),
            Self::Hours(hours) if hours.contains(circumstances.now) => Ok(()),
            Self::Hours(hours) => Err(Reason::new(
                DenialCode::OutsideHours,
                here.to_string(),
                format!(
                    "it is {}, and this may be used only {hours}: wait for the window",
                    circumstances.now
                ),
            )),
            Self::Audience { allowed } if allowed.contains(circumstances.audience) => Ok(()),
            Self::Audience { .. } => Err(Reason::new(
                DenialCode::AudienceNotAllowed,
                here.to_string(),
                format!(
                    "this capability may not be used at {}: use it at a verifier it names",
                    circumstances.audience
                ),
            )),
            Self::Purpose { allowed } => circumstances.check_purpose(allowed),
            Self::Rate(_) => Ok(()),
            Self::Budget(budget) => budget.amount(circumstances).map(drop),
            Self::Approval(approval) => approval.check(circumstances, here),
        }
    }

    /// What the action adds to the counter of this constraint; `None` if it counts nothing.
    ///
    /// # Errors
    /// The parameter cannot be counted.
    pub fn charge(&self, circumstances: &Circumstances<'_>) -> Result<Option<Charge>, Reason> {
        Ok(match self {
            Self::Rate(rate) => Some(Charge {
                from: rate.period.start(circumstances.now),
                amount: 1,
                limit: rate.limit.into(),
            }),
            Self::Budget(budget) => Some(Charge {
                from: budget.period.start(circumstances.now),
                amount: budget.amount(circumstances)?,
                limit: budget.limit(),
            }),
            _ => None,
        })
    }

    /// Why an action that this counter cannot take any more is refused; `at` is where the
    /// constraint stands.
    pub(crate) fn exceeded(&self, at: &str) -> Reason {
        let (code, text) = match self {
            Self::Budget(Budget {
                parameter,
                limit,
                unit,
                period,
            }) => {
                let unit = unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
                let text = format!(
                    "with this action, {parameter} would come to more than {limit}{unit} this {period} (UTC): ask for less, or wait"
                );
                (DenialCode::BudgetExceeded, text)
            }
            Self::Rate(Rate { limit, period }) => {
                let text = format!("this has been done {limit} times this {period} (UTC): wait for the next");
                (DenialCode::RateExceeded, text)
            }
            _ => (DenialCode::RateExceeded, "it has been done too often: wait".to_owned()),
        };
        Reason::new(code, at, text)
    }
}

/// The vocabulary, for messages.
const TYPES: &[&str] = &[
    "exact", "range", "oneOf", "notOneOf", "contains", "subset", "prefix", "hours", "audience", "purpose", "rate",
    "budget", "approval",
];

impl<'a> Circumstances<'a> {
    fn reason(&self, code: DenialCode, parameter: &str, message: String) -> Reason {
        Reason::new(code, self.parameters_at.member(parameter).to_string(), message)
    }

    fn parameter(&self, name: &str) -> Result<&'a Parameter, Reason> {
        self.parameters.get(name).ok_or_else(|| {
            let text = format!("the capability limits {name}, and the action does not say it: add it to parameters");
            self.reason(DenialCode::ParameterMissing, name, text)
        })
    }

    fn scalar(&self, name: &str) -> Result<&'a Scalar, Reason> {
        match self.parameter(name)? {
            Parameter::Plain(scalar) => Ok(scalar),
            given @ Parameter::Measure { .. } => {
                let text = format!("{name} is {given}, and the limit has no unit: give a plain value");
                Err(self.reason(DenialCode::UnitMismatch, name, text))
            }
            given @ Parameter::List(_) => {
                let text = format!("{name} is {given}: give one value, not a list");
                Err(self.reason(DenialCode::ParameterMalformed, name, text))
            }
        }
    }

    fn list(&self, name: &str) -> Result<&'a [Scalar], Reason> {
        match self.parameter(name)? {
            Parameter::List(items) => Ok(items),
            given => {
                let text = format!("{name} is {given}: give a list");
                Err(self.reason(DenialCode::ParameterMalformed, name, text))
            }
        }
    }

    fn hold(
        &self,
        holds: bool,
        code: DenialCode,
        parameter: &str,
        text: impl FnOnce() -> String,
    ) -> Result<(), Reason> {
        if holds {
            return Ok(());
        }
        Err(self.reason(code, parameter, text()))
    }

    fn check_purpose(&self, allowed: &[PurposeOfUse]) -> Result<(), Reason> {
        let given = match self.purpose {
            Some(given) if allowed.contains(&given) => return Ok(()),
            Some(given) => format!("it is for {given}"),
            None => "it does not say what it is for".to_owned(),
        };
        let text = format!("{given}, and only {} is allowed", Purposes(allowed));
        Err(Reason::new(
            DenialCode::PurposeNotAllowed,
            self.purpose_at.to_string(),
            text,
        ))
    }
}

/// At least one item, at most `bound`.
fn bounded(members: &Members<'_, '_>, name: &str, length: usize, bound: usize) -> Result<(), Reason> {
    if length == 0 {
        return Err(members.error(name, "at least one item").into());
    }
    if length > bound {
        let text = format!("{length} items, and at most {bound} are read: use fewer");
        return Err(Reason::new(
            DenialCode::DocumentTooLarge,
            members.at(name).to_string(),
            text,
        ));
    }
    Ok(())
}

fn parameter_name(members: &Members<'_, '_>) -> Result<String, Reason> {
    let name = members.str("parameter")?;
    if is_parameter_name(name) {
        Ok(name.to_owned())
    } else {
        Err(members
            .error(
                "parameter",
                "a parameter name: a letter, then letters, digits, `_`, `-` or `.`, at most 64",
            )
            .into())
    }
}

/// Whether the text may name a parameter: `[A-Za-z][A-Za-z0-9_.-]{0,63}`.
#[must_use]
pub fn is_parameter_name(name: &str) -> bool {
    name.len() <= LABEL_BYTES
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// A unit: 1 to 32 visible ASCII characters.
pub(crate) fn read_unit(value: &Value, at: &Path<'_>) -> Result<String, MemberError> {
    value
        .as_str()
        .filter(|unit| (1..=UNIT_BYTES).contains(&unit.len()) && unit.bytes().all(|b| b.is_ascii_graphic()))
        .map(str::to_owned)
        .ok_or_else(|| at.error("a unit, such as USD or mg/dL"))
}

/// A decimal number as text, or an integer.
pub(crate) fn read_decimal(value: &Value, at: &Path<'_>) -> Result<Decimal, MemberError> {
    match value {
        Value::String(text) => Decimal::parse(text),
        other => other.as_i64().map(Decimal::from),
    }
    .ok_or_else(|| at.error("a decimal number as text, such as \"49.99\", or an integer"))
}

fn read_audience(members: &Members<'_, '_>) -> Result<Vec<Did>, Reason> {
    let items = members.array("allowed")?;
    bounded(members, "allowed", items.len(), AUDIENCES)?;
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            item.as_str()
                .and_then(|text| Did::parse(text).ok())
                .ok_or_else(|| members.at("allowed").item(index).error("a DID").into())
        })
        .collect()
}

#[cfg(test)]
mod tests;
