//! What limits a capability: a closed vocabulary, read and decided here.
//!
//! Every way of not holding has its own code. A constraint that is not understood, a parameter
//! that is missing, a unit on one side only: none of them holds.

mod decimal;
mod hours;
mod scalar;

pub use decimal::Decimal;
pub use hours::Hours;
pub(crate) use scalar::Quoted;
pub use scalar::Scalar;

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
    /// Only at these hours, on the verifier's clock.
    Hours(Hours),
    /// Only at these verifiers.
    Audience {
        /// The verifiers' DIDs; not empty.
        allowed: Vec<Did>,
    },
    /// Only when somebody approves.
    Approval(Approval),
}

/// Bounds of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Name of the action's parameter.
    pub parameter: String,
    /// The least value allowed.
    pub minimum: Option<Decimal>,
    /// The greatest value allowed. At least one bound is there.
    pub maximum: Option<Decimal>,
    /// The unit both bounds are in (a currency code of ISO 4217, a UCUM code); the parameter's
    /// must be the same text. `None`: the parameter has none either.
    pub unit: Option<String>,
}

/// Who must approve, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The DID or URL of the one who approves.
    pub approver: String,
    /// `None`: every action needs approval.
    pub when: Option<ApprovalCondition>,
}

/// Approval is needed when the parameter has one of these values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalCondition {
    /// Name of the action's parameter; an action without it is refused.
    pub parameter: String,
    /// The values that need approval; not empty.
    pub values: Vec<Scalar>,
}

/// What constraints are held against.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The action's parameters.
    pub parameters: &'a Parameters,
    /// Where the parameters stand in the document, for reasons.
    pub parameters_at: Path<'a>,
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
            "hours" => Self::Hours(Hours::read(&members)?),
            "audience" => Self::Audience {
                allowed: read_audience(&members)?,
            },
            "approval" => Self::Approval(Approval::read(&members)?),
            other => {
                return Err(Reason::new(
                    DenialCode::ConstraintUnknown,
                    members.at("type").to_string(),
                    format!(
                        "the constraint type {} is not known here: use exact, range, oneOf, hours, audience or approval",
                        Quoted(other)
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
        match self {
            Self::Exact { parameter, value } => {
                object.insert("type", "exact");
                object.insert("parameter", parameter.as_str());
                object.insert("value", value.to_json());
            }
            Self::Range(range) => {
                object.insert("type", "range");
                object.insert("parameter", range.parameter.as_str());
                let bounds = [("minimum", &range.minimum), ("maximum", &range.maximum)];
                for (name, bound) in bounds {
                    if let Some(bound) = bound {
                        object.insert(name, bound.as_str());
                    }
                }
                if let Some(unit) = &range.unit {
                    object.insert("unit", unit.as_str());
                }
            }
            Self::OneOf { parameter, values } => {
                object.insert("type", "oneOf");
                object.insert("parameter", parameter.as_str());
                object.insert("values", values.iter().map(Scalar::to_json).collect::<Value>());
            }
            Self::Hours(hours) => {
                object.insert("type", "hours");
                hours.write(&mut object);
            }
            Self::Audience { allowed } => {
                object.insert("type", "audience");
                object.insert("allowed", allowed.iter().map(Did::as_str).collect::<Value>());
            }
            Self::Approval(approval) => {
                object.insert("type", "approval");
                object.insert("approver", approval.approver.as_str());
                if let Some(when) = &approval.when {
                    object.insert("parameter", when.parameter.as_str());
                    object.insert("values", when.values.iter().map(Scalar::to_json).collect::<Value>());
                }
            }
        }
        object.into()
    }

    /// Holds the constraint against the circumstances of one action; `here` is where the
    /// constraint stands.
    ///
    /// # Errors
    /// Why it does not hold. `approval-required` alone means that somebody may still approve.
    pub fn check(&self, circumstances: &Circumstances<'_>, here: &Path<'_>) -> Result<(), Reason> {
        match self {
            Self::Exact { parameter, value } => {
                let given = circumstances.scalar(parameter)?;
                if given == value {
                    return Ok(());
                }
                let text = format!("{parameter} is {given}, and only {value} is allowed");
                Err(circumstances.reason(DenialCode::ValueNotExact, parameter, text))
            }
            Self::Range(range) => range.check(circumstances),
            Self::OneOf { parameter, values } => {
                let given = circumstances.scalar(parameter)?;
                if values.contains(given) {
                    return Ok(());
                }
                let text = format!("{parameter} is {given}, and only {} is allowed", Choices(values));
                Err(circumstances.reason(DenialCode::ValueNotListed, parameter, text))
            }
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
            Self::Approval(approval) => approval.check(circumstances, here),
        }
    }
}

impl Range {
    fn read(members: &Members<'_, '_>) -> Result<Self, Reason> {
        let range = Self {
            parameter: parameter_name(members)?,
            minimum: bound(members, "minimum")?,
            maximum: bound(members, "maximum")?,
            unit: members
                .optional("unit")
                .map(|unit| read_unit(unit, &members.at("unit")))
                .transpose()?,
        };
        match (&range.minimum, &range.maximum) {
            (None, None) => Err(members.error("maximum", "a minimum or a maximum").into()),
            (Some(minimum), Some(maximum)) if minimum > maximum => {
                Err(members.error("maximum", "a number not below the minimum").into())
            }
            _ => Ok(range),
        }
    }

    fn check(&self, circumstances: &Circumstances<'_>) -> Result<(), Reason> {
        let parameter = self.parameter.as_str();
        let given = circumstances.parameter(parameter)?;
        let (amount, unit) = match given {
            Parameter::Measure { value, unit } => (Some(value.clone()), Some(unit)),
            Parameter::Plain(Scalar::Text(text)) => (Decimal::parse(text), None),
            Parameter::Plain(Scalar::Integer(number)) => (Some(Decimal::from(*number)), None),
            Parameter::Plain(Scalar::Truth(_)) => (None, None),
        };
        let Some(amount) = amount else {
            let text =
                format!("{parameter} is {given}: give a decimal number as text, such as \"49.99\", or an integer");
            return Err(circumstances.reason(DenialCode::ParameterMalformed, parameter, text));
        };
        if unit != self.unit.as_ref() {
            let wanted = self.unit.as_ref().map_or_else(
                || "give it as a plain number".to_owned(),
                |wanted| format!("give it as {{\"value\": ..., \"unit\": {wanted:?}}}"),
            );
            let text = format!("{parameter} is {given}, in another unit than the limit: {wanted}");
            return Err(circumstances.reason(DenialCode::UnitMismatch, parameter, text));
        }
        let beyond = |side: &str, bound: &Decimal| {
            let unit = self.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
            let text = format!("{parameter} is {given}, {side} {bound}{unit}: stay within the limit");
            Err(circumstances.reason(DenialCode::ValueOutOfRange, parameter, text))
        };
        match (&self.minimum, &self.maximum) {
            (Some(minimum), _) if amount < *minimum => beyond("below the minimum of", minimum),
            (_, Some(maximum)) if amount > *maximum => beyond("above the maximum of", maximum),
            _ => Ok(()),
        }
    }
}

impl Approval {
    fn read(members: &Members<'_, '_>) -> Result<Self, Reason> {
        let approver = members.str("approver")?;
        if !crate::name::is_url(approver) {
            return Err(members
                .error("approver", "the DID or URL of the one who approves")
                .into());
        }
        let when = if members.optional("parameter").is_some() {
            Some(ApprovalCondition {
                parameter: parameter_name(members)?,
                values: Scalar::read_list(members, "values")?,
            })
        } else {
            None // `values` alone is an unknown member: it would limit nothing
        };
        Ok(Self {
            approver: approver.to_owned(),
            when,
        })
    }

    fn check(&self, circumstances: &Circumstances<'_>, here: &Path<'_>) -> Result<(), Reason> {
        let why = match &self.when {
            None => "this".to_owned(),
            Some(ApprovalCondition { parameter, values }) => {
                let given = circumstances.scalar(parameter)?;
                if !values.contains(given) {
                    return Ok(());
                }
                format!("{parameter} {given}")
            }
        };
        Err(Reason::new(
            DenialCode::ApprovalRequired,
            here.to_string(),
            format!("{why} needs the approval of {}: ask for it", self.approver),
        ))
    }
}

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
        }
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

fn bound(members: &Members<'_, '_>, name: &str) -> Result<Option<Decimal>, Reason> {
    let Some(value) = members.optional(name) else {
        return Ok(None);
    };
    Ok(Some(read_decimal(value, &members.at(name))?))
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
