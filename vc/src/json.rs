//! The one strict JSON reader, and the value it makes.
//!
//! Every byte that comes from outside passes through [`parse`] once, before anything else looks at
//! it. What it accepts means the same to every other JSON implementation: no duplicate names, no
//! number that a double cannot hold as written, no lone surrogate (RFC 8259 with the restrictions
//! of RFC 7493, I-JSON). The value keeps the members of each object in the order of RFC 8785, so
//! that its canonical form is one walk ([`crate::canonical`]).

mod error;
pub mod members;
mod number;
mod object;
pub(crate) mod original;
mod reader;
pub(crate) mod scan;
mod text;
mod value;

pub use error::{JsonError, JsonErrorKind};
pub use number::{Number, NumberError};
pub use object::{IntoMembers, MemberIter, Object};
pub use reader::{Limits, parse, parse_with};
pub use text::Text;
pub use value::Value;

#[cfg(test)]
mod tests;
