//! Reading the members of an object, with errors that say where.
//!
//! ```
//! use syndic_vc::json::{self, members::Members};
//! let value = json::parse(br#"{"action":"read","scope":7}"#).unwrap();
//! let members = Members::of(&value, "/capability").unwrap();
//! assert_eq!(members.str("action").unwrap(), "read");
//! let error = members.optional_str("scope").unwrap_err();
//! assert_eq!(error.to_string(), "/capability/scope: expected a string");
//! ```

use std::cell::Cell;
use std::fmt;

use super::{Object, Value};

/// A member is missing, of the wrong kind, or not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}")]
pub struct MemberError {
    /// Where, as a JSON Pointer (RFC 6901) from the root of the document.
    pub path: String,
    /// What should stand there.
    pub expected: &'static str,
}

/// Where in a document a value stands. Lives on the stack; becomes text only for an error.
#[derive(Clone, Copy, Debug)]
pub struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    /// A pointer as it stands.
    Pointer(&'p str),
    Member(&'p str),
    Item(usize),
}

impl<'p> Path<'p> {
    /// The root of a document.
    pub const ROOT: Path<'static> = Path {
        parent: None,
        step: Step::Pointer(""),
    };

    /// A member of the value at this place.
    #[must_use]
    pub const fn member<'q>(&'q self, name: &'q str) -> Path<'q>
    where
        'p: 'q,
    {
        Path {
            parent: Some(self),
            step: Step::Member(name),
        }
    }

    /// An item of the array at this place.
    #[must_use]
    pub const fn item<'q>(&'q self, index: usize) -> Path<'q>
    where
        'p: 'q,
    {
        Path {
            parent: Some(self),
            step: Step::Item(index),
        }
    }

    /// The error that something else was expected here.
    #[must_use]
    pub fn error(&self, expected: &'static str) -> MemberError {
        MemberError {
            path: self.to_string(),
            expected,
        }
    }
}

/// The text is taken as a finished JSON Pointer.
impl<'p> From<&'p str> for Path<'p> {
    fn from(pointer: &'p str) -> Self {
        Self {
            parent: None,
            step: Step::Pointer(pointer),
        }
    }
}

impl<'p> From<&'p String> for Path<'p> {
    fn from(pointer: &'p String) -> Self {
        Self::from(pointer.as_str())
    }
}

impl<'p> From<&Path<'p>> for Path<'p> {
    fn from(path: &Path<'p>) -> Self {
        *path
    }
}

/// A JSON Pointer (RFC 6901).
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Pointer(text) => f.write_str(text),
            Step::Item(index) => write!(f, "/{index}"),
            Step::Member(name) => {
                f.write_str("/")?;
                for c in name.chars() {
                    match c {
                        '~' => f.write_str("~0")?,
                        '/' => f.write_str("~1")?,
                        c => write!(f, "{c}")?,
                    }
                }
                Ok(())
            }
        }
    }
}

/// The members of one object, and which of them have been read.
#[derive(Clone, Debug)]
pub struct Members<'v, 'p> {
    object: &'v Object,
    path: Path<'p>,
    /// One bit for each of the first 128 members. An object with more is never closed: no format of
    /// ours has so many.
    read: Cell<u128>,
}

impl<'v, 'p> Members<'v, 'p> {
    /// Looks at a value that must be an object.
    ///
    /// # Errors
    /// The value is not an object.
    pub fn of(value: &'v Value, path: impl Into<Path<'p>>) -> Result<Self, MemberError> {
        let path = path.into();
        value.as_object().map_or_else(
            || Err(path.error("an object")),
            |object| {
                Ok(Self {
                    object,
                    path,
                    read: Cell::new(0),
                })
            },
        )
    }

    /// Looks at an object.
    pub fn of_object(object: &'v Object, path: impl Into<Path<'p>>) -> Self {
        Self {
            object,
            path: path.into(),
            read: Cell::new(0),
        }
    }

    /// Where the object stands.
    #[must_use]
    pub const fn path(&self) -> &Path<'p> {
        &self.path
    }

    /// Where a member stands or would stand.
    #[must_use]
    pub const fn at<'q>(&'q self, name: &'q str) -> Path<'q> {
        self.path.member(name)
    }

    /// The error that a member should be something else.
    #[must_use]
    pub fn error(&self, name: &str, expected: &'static str) -> MemberError {
        self.at(name).error(expected)
    }

    /// The object itself.
    #[must_use]
    pub const fn as_object(&self) -> &'v Object {
        self.object
    }

    /// Any value, if the member is there.
    pub fn optional(&self, name: &str) -> Option<&'v Value> {
        let (at, value) = self.object.find(name)?;
        if let Ok(bit @ 0..128) = u32::try_from(at) {
            self.read.set(self.read.get() | 1 << bit);
        }
        Some(value)
    }

    /// Any value.
    ///
    /// # Errors
    /// The member is missing.
    pub fn required(&self, name: &str) -> Result<&'v Value, MemberError> {
        self.optional(name)
            .ok_or_else(|| self.error(name, "a value (the member is missing)"))
    }

    fn read<T>(
        &self,
        name: &str,
        expected: &'static str,
        convert: impl FnOnce(&'v Value) -> Option<T>,
    ) -> Result<T, MemberError> {
        self.optional(name)
            .and_then(convert)
            .ok_or_else(|| self.error(name, expected))
    }

    fn read_optional<T>(
        &self,
        name: &str,
        expected: &'static str,
        convert: impl FnOnce(&'v Value) -> Option<T>,
    ) -> Result<Option<T>, MemberError> {
        self.optional(name)
            .map(|value| convert(value).ok_or_else(|| self.error(name, expected)))
            .transpose()
    }

    /// A string.
    ///
    /// # Errors
    /// Missing, or not a string.
    pub fn str(&self, name: &str) -> Result<&'v str, MemberError> {
        self.read(name, "a string", Value::as_str)
    }

    /// A string, if the member is there.
    ///
    /// # Errors
    /// Not a string; `null` is none either.
    pub fn optional_str(&self, name: &str) -> Result<Option<&'v str>, MemberError> {
        self.read_optional(name, "a string", Value::as_str)
    }

    /// An integer.
    ///
    /// # Errors
    /// Missing, or not an integer.
    pub fn integer(&self, name: &str) -> Result<i64, MemberError> {
        self.read(name, "an integer", Value::as_i64)
    }

    /// An integer, if the member is there.
    ///
    /// # Errors
    /// Not an integer.
    pub fn optional_integer(&self, name: &str) -> Result<Option<i64>, MemberError> {
        self.read_optional(name, "an integer", Value::as_i64)
    }

    /// A truth value.
    ///
    /// # Errors
    /// Missing, or not a truth value.
    pub fn bool(&self, name: &str) -> Result<bool, MemberError> {
        self.read(name, "true or false", Value::as_bool)
    }

    /// A truth value, if the member is there.
    ///
    /// # Errors
    /// Not a truth value.
    pub fn optional_bool(&self, name: &str) -> Result<Option<bool>, MemberError> {
        self.read_optional(name, "true or false", Value::as_bool)
    }

    /// The items of an array.
    ///
    /// # Errors
    /// Missing, or not an array.
    pub fn array(&self, name: &str) -> Result<&'v [Value], MemberError> {
        self.read(name, "an array", Value::as_array)
    }

    /// The items of an array, if the member is there.
    ///
    /// # Errors
    /// Not an array.
    pub fn optional_array(&self, name: &str) -> Result<Option<&'v [Value]>, MemberError> {
        self.read_optional(name, "an array", Value::as_array)
    }

    /// The members of an object.
    ///
    /// # Errors
    /// Missing, or not an object.
    pub fn object<'q>(&'q self, name: &'q str) -> Result<Members<'v, 'q>, MemberError> {
        self.read(name, "an object", Value::as_object)
            .map(|object| Members::of_object(object, self.at(name)))
    }

    /// The members of an object, if the member is there.
    ///
    /// # Errors
    /// Not an object.
    pub fn optional_object<'q>(&'q self, name: &'q str) -> Result<Option<Members<'v, 'q>>, MemberError> {
        Ok(self
            .read_optional(name, "an object", Value::as_object)?
            .map(|object| Members::of_object(object, self.at(name))))
    }

    /// Requires a member to be exactly this string.
    ///
    /// # Errors
    /// Missing, or anything else; `expected` is what the error says.
    pub fn literal(&self, name: &str, text: &str, expected: &'static str) -> Result<(), MemberError> {
        self.read(name, expected, |value| (value.as_str() == Some(text)).then_some(()))
    }

    /// Ends the reading of a closed object: a member that nobody asked for is an error.
    ///
    /// # Errors
    /// The first unknown member, in canonical order.
    pub fn finish_closed(&self) -> Result<(), MemberError> {
        let read = self.read.get();
        for (at, name) in self.object.keys().enumerate() {
            if !matches!(u32::try_from(at), Ok(bit @ 0..128) if read >> bit & 1 == 1) {
                return Err(self.error(name, "no such member"));
            }
        }
        Ok(())
    }
}
