//! What a decision must be.

use std::fmt;

use crate::client::decision::{Decision, Outcome};

/// The outcome that a step must have, and the reason that must be among those given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) outcome: Outcome,
    pub(super) code: Option<&'static str>,
}

pub(super) const ALLOW: Expected = Expected {
    outcome: Outcome::Allow,
    code: None,
};

pub(super) const fn deny(code: &'static str) -> Expected {
    Expected {
        outcome: Outcome::Deny,
        code: Some(code),
    }
}

pub(super) const APPROVAL: Expected = Expected {
    outcome: Outcome::ApprovalRequired,
    code: Some("approval-required"),
};

impl Expected {
    pub(super) fn is_met_by(self, decision: &Decision) -> bool {
        self.outcome == decision.outcome && self.code.is_none_or(|code| decision.has_reason(code))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.outcome.word())?;
        self.code.map_or(Ok(()), |code| write!(f, " [{code}]"))
    }
}
