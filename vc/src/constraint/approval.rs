//! Actions that somebody must approve.

use super::{Circumstances, Scalar, parameter_name};
use crate::denial::{DenialCode, Reason};
use crate::json::members::{Members, Path};
use crate::json::{Object, Value};

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

impl Approval {
    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, Reason> {
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

    pub(super) fn write(&self, object: &mut Object) {
        object.insert("approver", self.approver.as_str());
        if let Some(when) = &self.when {
            object.insert("parameter", when.parameter.as_str());
            object.insert("values", when.values.iter().map(Scalar::to_json).collect::<Value>());
        }
    }

    pub(super) fn check(&self, circumstances: &Circumstances<'_>, here: &Path<'_>) -> Result<(), Reason> {
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
