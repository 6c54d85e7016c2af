//! Bounds of a number.

use super::{Circumstances, Decimal, parameter_name, read_decimal, read_unit};
use crate::action::Parameter;
use crate::constraint::Scalar;
use crate::denial::{DenialCode, Reason};
use crate::json::Object;
use crate::json::members::Members;

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

impl Range {
    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, Reason> {
        let range = Self {
            parameter: parameter_name(members)?,
            minimum: bound(members, "minimum")?,
            maximum: bound(members, "maximum")?,
            unit: unit(members)?,
        };
        match (&range.minimum, &range.maximum) {
            (None, None) => Err(members.error("maximum", "a minimum or a maximum").into()),
            (Some(minimum), Some(maximum)) if minimum > maximum => {
                Err(members.error("maximum", "a number not below the minimum").into())
            }
            _ => Ok(range),
        }
    }

    pub(super) fn write(&self, object: &mut Object) {
        object.insert("parameter", self.parameter.as_str());
        let bounds = [("minimum", &self.minimum), ("maximum", &self.maximum)];
        for (name, bound) in bounds {
            if let Some(bound) = bound {
                object.insert(name, bound.as_str());
            }
        }
        if let Some(unit) = &self.unit {
            object.insert("unit", unit.as_str());
        }
    }

    /// Whether a value without unit lies within.
    pub(super) fn admits(&self, value: &Scalar) -> bool {
        self.unit.is_none() && number(value).is_some_and(|number| self.contains(&number))
    }

    fn contains(&self, amount: &Decimal) -> bool {
        self.minimum.as_ref().is_none_or(|minimum| minimum <= amount)
            && self.maximum.as_ref().is_none_or(|maximum| amount <= maximum)
    }

    pub(super) fn check(&self, circumstances: &Circumstances<'_>) -> Result<(), Reason> {
        let parameter = self.parameter.as_str();
        let (given, amount) = amount(circumstances, parameter, self.unit.as_deref())?;
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

fn bound(members: &Members<'_, '_>, name: &str) -> Result<Option<Decimal>, Reason> {
    let Some(value) = members.optional(name) else {
        return Ok(None);
    };
    Ok(Some(read_decimal(value, &members.at(name))?))
}

/// The optional unit of a limit.
pub(super) fn unit(members: &Members<'_, '_>) -> Result<Option<String>, Reason> {
    let Some(unit) = members.optional("unit") else {
        return Ok(None);
    };
    Ok(Some(read_unit(unit, &members.at("unit"))?))
}

/// The number that a plain value is, if it is one.
fn number(value: &Scalar) -> Option<Decimal> {
    match value {
        Scalar::Text(text) => Decimal::parse(text),
        Scalar::Integer(number) => Some(Decimal::from(*number)),
        Scalar::Truth(_) => None,
    }
}

/// A parameter that is a number in this unit, or without one.
pub(super) fn amount<'a>(
    circumstances: &Circumstances<'a>,
    parameter: &str,
    wanted: Option<&str>,
) -> Result<(&'a Parameter, Decimal), Reason> {
    let given = circumstances.parameter(parameter)?;
    let (amount, unit) = match given {
        Parameter::Measure { value, unit } => (Some(value.clone()), Some(unit.as_str())),
        Parameter::Plain(scalar) => (number(scalar), None),
        Parameter::List(_) => (None, None),
    };
    let Some(amount) = amount else {
        let text = format!("{parameter} is {given}: give a decimal number as text, such as \"49.99\", or an integer");
        return Err(circumstances.reason(DenialCode::ParameterMalformed, parameter, text));
    };
    if unit != wanted {
        let wanted = wanted.map_or_else(
            || "give it as a plain number".to_owned(),
            |wanted| format!("give it as {{\"value\": ..., \"unit\": {wanted:?}}}"),
        );
        let text = format!("{parameter} is {given}, in another unit than the limit: {wanted}");
        return Err(circumstances.reason(DenialCode::UnitMismatch, parameter, text));
    }
    Ok((given, amount))
}
