//! Plain values, and how they are shown in messages.

use std::fmt;

use super::bounded;
use crate::denial::Reason;
use crate::json::Value;
use crate::json::members::{MemberError, Members, Path};
use crate::limits::LISTED_VALUES;

/// A plain value: text, an integer or a truth value. Values of different kinds are never equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Text, compared byte by byte.
    Text(String),
    /// An integer within ±(2^53 - 1).
    Integer(i64),
    /// True or false.
    Truth(bool),
}

impl Scalar {
    /// Reads a plain value.
    ///
    /// # Errors
    /// It is neither text nor an integer nor a truth value.
    pub fn read(value: &Value, at: &Path<'_>) -> Result<Self, MemberError> {
        match value {
            Value::String(text) => Some(Self::Text(text.into())),
            Value::Bool(truth) => Some(Self::Truth(*truth)),
            Value::Number(number) => number.as_i64().map(Self::Integer),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
        .ok_or_else(|| at.error("a string, an integer, true or false"))
    }

    pub(super) fn read_list(members: &Members<'_, '_>, name: &str) -> Result<Vec<Self>, Reason> {
        let items = members.array(name)?;
        bounded(members, name, items.len(), LISTED_VALUES)?;
        items
            .iter()
            .enumerate()
            .map(|(index, item)| Ok(Self::read(item, &members.at(name).item(index))?))
            .collect()
    }

    /// The value as it stands in a document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Integer(number) => (*number).into(),
            Self::Truth(truth) => (*truth).into(),
        }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Scalar {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Scalar {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

/// For messages: text in quotes and shortened, so that a stranger's text cannot pass for ours.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => Quoted(text).fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Truth(truth) => truth.fmt(f),
        }
    }
}

/// A stranger's text in a message: quoted, escaped, cut.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        match self.0.char_indices().nth(SHOWN) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}...", self.0.get(..end).unwrap_or_default()),
        }
    }
}

/// The items of a list in a message.
pub(crate) struct Items<'a>(pub(crate) &'a [Scalar]);

impl fmt::Display for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        f.write_str("[")?;
        for (index, value) in self.0.iter().take(SHOWN).enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            value.fmt(f)?;
        }
        f.write_str(if self.0.len() > SHOWN { ", ...]" } else { "]" })
    }
}

/// Some values in a message.
pub(super) struct Choices<'a>(pub(super) &'a [Scalar]);

impl fmt::Display for Choices<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        for (index, value) in self.0.iter().take(SHOWN).enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            value.fmt(f)?;
        }
        if self.0.len() > SHOWN {
            f.write_str(" or ...")?;
        }
        Ok(())
    }
}
