//! Why a text was refused, where, and what its author should do.

use std::fmt;

/// A refusal of the strict reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// Offset in bytes from the start of the text, where the offending thing begins.
    pub offset: usize,
}

/// The kinds of refusal. Each is one line of the strict reader's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// The text is longer than allowed.
    BodyTooLarge,
    /// The text is not UTF-8.
    InvalidUtf8,
    /// The text begins with a byte order mark (RFC 8259 section 8.1 forbids sending one).
    ByteOrderMark,
    /// The text ends inside a value.
    UnexpectedEnd,
    /// A byte that cannot stand here; the text says what was expected instead.
    Expected(&'static str),
    /// Something follows the value.
    TrailingBytes,
    /// Arrays and objects are nested deeper than allowed.
    TooDeep,
    /// There are more values than allowed.
    TooManyNodes,
    /// One object has more members than allowed.
    TooManyMembers,
    /// One string is longer than allowed.
    StringTooLong,
    /// Two members of one object have the same name after unescaping.
    DuplicateName,
    /// A control character stands unescaped in a string.
    ControlCharacter,
    /// An escape sequence that JSON does not know.
    InvalidEscape,
    /// `\u` names one half of a surrogate pair without the other.
    LoneSurrogate,
    /// The number does not follow the grammar of RFC 8259 section 6.
    InvalidNumber,
    /// The number is `-0`, which prints as `0`.
    NegativeZero,
    /// The integer is beyond ±(2^53 − 1).
    IntegerTooLarge,
    /// A double cannot hold this number as it is written.
    NumberNotExact,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use JsonErrorKind as K;
        let text = match self.kind {
            K::BodyTooLarge => "the document is too large; send a smaller one",
            K::InvalidUtf8 => "not UTF-8; encode the document as UTF-8",
            K::ByteOrderMark => "the document begins with a byte order mark; remove it",
            K::UnexpectedEnd => "the document ends early; send it whole",
            K::Expected(what) => return write!(f, "expected {what} at byte {}", self.offset),
            K::TrailingBytes => "something follows the document; send exactly one JSON value",
            K::TooDeep => "nested too deep; flatten the document",
            K::TooManyNodes => "too many values; split the document",
            K::TooManyMembers => "too many members in one object; split it",
            K::StringTooLong => "a string is too long; shorten it",
            K::DuplicateName => "a member name appears twice in one object; keep one of them",
            K::ControlCharacter => "a control character inside a string; escape it as \\u00XX",
            K::InvalidEscape => "an unknown escape sequence; use one of RFC 8259 section 7",
            K::LoneSurrogate => "half a surrogate pair; write both halves or the character itself",
            K::InvalidNumber => "not a JSON number; write it as in RFC 8259 section 6",
            K::NegativeZero => "negative zero; write 0",
            K::IntegerTooLarge => "the integer is beyond ±(2^53 − 1); write it as a string",
            K::NumberNotExact => "a double cannot hold this number as written; round it, or write it as a string",
        };
        write!(f, "{text} (at byte {})", self.offset)
    }
}

impl std::error::Error for JsonError {}
