//! Why bytes are not a message.

/// Why bytes are not a message, and where.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a message: {kind} at byte {offset}")]
pub struct MessageError {
    /// What is wrong.
    pub kind: MessageErrorKind,
    /// How many bytes were read before that.
    pub offset: usize,
}

impl MessageError {
    /// Whether the sender speaks another version of the format: no reason to blame it.
    #[must_use]
    pub fn is_other_version(&self) -> bool {
        matches!(self.kind, MessageErrorKind::Version(_))
    }
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MessageErrorKind {
    /// It ends too early.
    #[error("it ends too early")]
    Short,
    /// Another version of the format; the sender is newer or older.
    #[error("version {0} of the format")]
    Version(u8),
    /// A kind that does not belong here.
    #[error("kind {0}")]
    Kind(u8),
    /// More of something than the bound allows.
    #[error("too much: {0}")]
    TooMuch(&'static str),
    /// A value that no sender of this format writes.
    #[error("{0}")]
    Value(&'static str),
}
