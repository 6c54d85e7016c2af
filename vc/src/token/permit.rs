//! Whether a token allows one request of a service, in the error codes of the agent profile (draft-aap-oauth-profile,
//! appendix C).

use super::CheckedToken;
use crate::action::Parameters;
use crate::capability::{Asked, Capability};
use crate::constraint::{Charge, Circumstances, PurposeOfUse};
use crate::denial::{DenialCode, Reason};
use crate::did::Did;
use crate::json::members::Path;
use crate::time::Timestamp;

/// What a request is about to do, as the service understands it.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// Action, resource and scope label.
    pub asked: Asked<'a>,
    /// What constraints speak of.
    pub parameters: &'a Parameters,
    /// What the request says it is for.
    pub purpose: Option<PurposeOfUse>,
    /// The organization that runs the service.
    pub verifier: &'a Did,
    /// The service's clock.
    pub now: Timestamp,
}

/// A request that a token allows, once what it adds is counted.
#[derive(Clone, Debug)]
pub struct Permitted<'t> {
    /// The grant it rests on.
    pub grant: &'t Capability,
    /// Its place in `authorization_details`.
    pub index: usize,
    /// What the request adds to counters, with the place of the constraint. A service that cannot count it durably, and
    /// refuse beyond the limit, must not carry the request out.
    pub charges: Vec<(usize, Charge)>,
}

/// Why a token does not allow a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {first}", .error.as_str())]
pub struct NotPermitted {
    /// The code for the answer.
    pub error: ProfileError,
    /// The first reason.
    pub first: Reason,
    /// Further reasons of the same grant.
    pub more: Vec<Reason>,
}

/// The error codes of the agent profile that a service answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProfileError {
    /// No grant covers the request.
    InvalidCapability,
    /// A constraint does not hold.
    ConstraintViolation,
    /// A counter is at its limit.
    RateExceeded,
    /// Everything holds but an approval.
    ApprovalRequired,
    /// Not at this time.
    CapabilityExpired,
    /// Not for this purpose.
    TaskMismatch,
    /// Not at this organization.
    InvalidContext,
}

impl ProfileError {
    /// The code of a reason.
    #[must_use]
    pub const fn of(code: DenialCode) -> Self {
        match code {
            DenialCode::CapabilityNotGranted => Self::InvalidCapability,
            DenialCode::ApprovalRequired => Self::ApprovalRequired,
            DenialCode::OutsideHours => Self::CapabilityExpired,
            DenialCode::PurposeNotAllowed => Self::TaskMismatch,
            DenialCode::AudienceNotAllowed => Self::InvalidContext,
            DenialCode::RateExceeded | DenialCode::BudgetExceeded => Self::RateExceeded,
            _ => Self::ConstraintViolation,
        }
    }

    /// The value of `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidCapability => "aap_invalid_capability",
            Self::ConstraintViolation | Self::RateExceeded => "aap_constraint_violation",
            Self::ApprovalRequired => "aap_approval_required",
            Self::CapabilityExpired => "aap_capability_expired",
            Self::TaskMismatch => "aap_task_mismatch",
            Self::InvalidContext => "aap_invalid_context",
        }
    }

    /// The HTTP status of the answer: 429 where waiting helps, 403 elsewhere.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::RateExceeded => 429,
            _ => 403,
        }
    }
}

impl CheckedToken {
    /// Whether the token allows a request: by the first grant that covers it and whose constraints all hold.
    ///
    /// # Errors
    /// [`NotPermitted`]: of the grants that cover it, why the one that came nearest does not allow it.
    pub fn permits(&self, request: &Use<'_>) -> Result<Permitted<'_>, NotPermitted> {
        let grants = &self.claims().grants;
        let circumstances = Circumstances {
            parameters: request.parameters,
            parameters_at: Path::ROOT.member("parameters"),
            purpose: request.purpose,
            purpose_at: Path::ROOT.member("purpose"),
            audience: request.verifier,
            now: request.now,
        };
        let list_at = Path::from("/authorization_details");
        let mut nearest: Option<NotPermitted> = None;
        for (index, grant) in grants.iter().enumerate() {
            if !request.asked.is_covered_by(grant) {
                continue;
            }
            let refused = match hold(grant, &circumstances, &list_at.item(index)) {
                Ok(charges) => return Ok(Permitted { grant, index, charges }),
                Err(refused) => refused,
            };
            if nearest.as_ref().is_none_or(|best| refused.rank() < best.rank()) {
                nearest = Some(refused);
            }
        }
        Err(nearest.unwrap_or_else(|| NotPermitted {
            error: ProfileError::InvalidCapability,
            first: request.asked.not_granted(grants, &Path::ROOT),
            more: Vec::new(),
        }))
    }
}

impl NotPermitted {
    /// Lacking only approval is nearest; then the fewest reasons.
    fn rank(&self) -> (bool, usize) {
        (self.error != ProfileError::ApprovalRequired, self.more.len())
    }
}

/// What a grant adds to counters if all its constraints hold.
fn hold(
    grant: &Capability,
    circumstances: &Circumstances<'_>,
    at: &Path<'_>,
) -> Result<Vec<(usize, Charge)>, NotPermitted> {
    let constraint_at = at.member("constraint");
    let mut charges = Vec::new();
    let mut reasons = Vec::new();
    for (place, constraint) in grant.constraint.iter().enumerate() {
        let charge = constraint
            .check(circumstances, &constraint_at.item(place))
            .and_then(|()| constraint.charge(circumstances));
        match charge {
            Ok(charge) => charges.extend(charge.map(|charge| (place, charge))),
            Err(reason) => reasons.push(reason),
        }
    }
    // An approval is asked for only where nothing else stands in the way.
    reasons.sort_by_key(|reason| reason.code == DenialCode::ApprovalRequired);
    let mut reasons = reasons.into_iter();
    match reasons.next() {
        None => Ok(charges),
        Some(first) => Err(NotPermitted {
            error: ProfileError::of(first.code),
            first,
            more: reasons.collect(),
        }),
    }
}
