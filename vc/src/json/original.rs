//! A document together with the text it was read from, for what is signed of it.
//!
//! A signature is over the canonical form of a document without its proof. Where the text is already
//! canonical, as Syndic writes it, that form is the text with a piece cut out, and need not be written
//! again. The reader notes where such pieces stand, and whether anything around them is spelled in
//! another way than the canonical one.

use std::ops::Range;

use super::{Limits, Object, Text, Value, reader};
use crate::json::JsonError;

/// A document that was read, and where in its text the parts stand that signatures leave out.
///
/// Borrowing it keeps the document from being changed, so what is cut out of the text is what was
/// read from it.
#[derive(Debug)]
pub(crate) struct Original<'t> {
    value: Value,
    text: &'t [u8],
    cuts: Vec<Cut>,
}

/// An object that stands in the text in canonical form, and one of its members.
#[derive(Debug)]
pub(super) struct Cut {
    /// Where the object's members are in memory: no two objects have theirs in the same place.
    pub(super) members: *const (Text, Value),
    /// The object in the text.
    pub(super) object: Range<usize>,
    /// The member with the comma that goes with it.
    pub(super) member: Range<usize>,
    /// The member's name.
    pub(super) name: Text,
}

/// Whether signatures leave members of this name out.
pub(super) fn is_left_out(name: &str) -> bool {
    matches!(name, "proof" | "proofValue")
}

impl<'t> Original<'t> {
    /// Reads a document as [`super::parse_with`] does.
    pub(crate) fn parse(text: &'t [u8], limits: &Limits) -> Result<Self, JsonError> {
        let (value, cuts) = reader::read(text, limits)?;
        Ok(Self { value, text, cuts })
    }

    /// The document.
    pub(crate) const fn value(&self) -> &Value {
        &self.value
    }

    /// The document alone.
    pub(crate) fn into_value(self) -> Value {
        self.value
    }

    /// The two pieces of text that together are the canonical form of an object of this document
    /// without one member; `None` if the text is spelled in another way, or nothing was noted.
    pub(crate) fn without(&self, object: &Object, name: &str) -> Option<[&'t [u8]; 2]> {
        let members = object.members();
        let cut = self
            .cuts
            .iter()
            .find(|cut| std::ptr::eq(cut.members, members) && *cut.name == *name)?;
        Some([
            self.text.get(cut.object.start..cut.member.start)?,
            self.text.get(cut.member.end..cut.object.end)?,
        ])
    }
}

/// A document whose text is not at hand.
impl From<Value> for Original<'_> {
    fn from(value: Value) -> Self {
        Self {
            value,
            text: &[],
            cuts: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
