//! How a command ends.

use syndic_vc::json::Value;
use syndic_vc::object;

use crate::client::CallError;
use crate::client::decision::Outcome;

/// The exit codes, as `syndic --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or allowed.
    Done,
    /// Failed.
    Failed,
    /// The command line cannot be carried out as it stands.
    Usage,
    /// A decision was asked for, and it is no.
    Denied,
    /// A decision was asked for, and a human has to approve first.
    ApprovalRequired,
    /// The node cannot be reached.
    Unreachable,
}

impl Exit {
    /// The number the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Denied => 3,
            Self::ApprovalRequired => 4,
            Self::Unreachable => 5,
        }
    }

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Denied => "denied",
            Self::ApprovalRequired => "approvalRequired",
            Self::Unreachable => "unreachable",
        }
    }
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Allow => Self::Done,
            Outcome::Deny => Self::Denied,
            Outcome::ApprovalRequired => Self::ApprovalRequired,
        }
    }
}

/// Why a command could not be carried out, for people.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub advice: Option<String>,
    /// The problem document, if a node sent one.
    pub problem: Option<Value>,
}

impl Failure {
    /// Something failed.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            message: message.into(),
            advice: None,
            problem: None,
        }
    }

    /// What was typed cannot be meant.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            ..Self::failed(message)
        }
    }

    /// The same with a hint what to do next.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// A node's answer lacks what it must have.
    #[must_use]
    pub fn strange_answer(what: &str) -> Self {
        Self::failed(format!("the node's answer has no {what}; it may be of another version"))
    }

    /// For `--json`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut error = syndic_vc::json::Object::new();
        error.insert("code", self.exit.as_str());
        error.insert("message", self.message.as_str());
        if let Some(advice) = &self.advice {
            error.insert("advice", advice.as_str());
        }
        if let Some(problem) = &self.problem {
            error.insert("problem", problem.clone());
        }
        object! { "error": error }
    }
}

/// Any error whose text already says what to do.
macro_rules! from_errors {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::failed(error.to_string())
            }
        }
    )*};
}

from_errors!(
    crate::config::ConfigError,
    crate::setup::InitError,
    crate::setup::JoinError,
    crate::run::RunError,
);

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        match error {
            CallError::Address { .. } | CallError::Authorities(_) => Self::usage(message),
            CallError::Unreachable { .. } => Self {
                exit: Exit::Unreachable,
                ..Self::failed(message)
            },
            CallError::Refused(problem) => Self {
                problem: Some(problem.document),
                ..Self::failed(message)
            },
            CallError::Strange { .. } => Self::failed(message),
        }
    }
}
