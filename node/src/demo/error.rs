//! Why the demo ended early.

use crate::cli::failure::Failure;
use crate::client::CallError;

/// A step did not come out as it must, or could not be done.
#[derive(Debug)]
pub(super) struct DemoError {
    pub(super) message: String,
}

impl DemoError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }

    /// The same error, with what was being done.
    pub(super) fn while_doing(self, what: &str) -> Self {
        Self::new(format!("{what}: {}", self.message))
    }
}

impl From<CallError> for DemoError {
    fn from(error: CallError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<Failure> for DemoError {
    fn from(failure: Failure) -> Self {
        Self::new(failure.message)
    }
}
