//! One disclosure: `[salt, name, value]` for a member, `[salt, value]` for an item (RFC 9901 section
//! 4.2).

use super::{digest, invalid};
use crate::canonical;
use crate::denial::Reason;
use crate::jose::{base64url, from_base64url};
use crate::json::{self, Limits, Value};
use crate::limits::DISCLOSURE_BYTES;

/// A disclosure as it was read.
#[derive(Debug)]
pub(super) struct Disclosure {
    /// What the issuer's claims call it.
    pub(super) digest: String,
    /// The name of the member; `None`: an item of an array.
    pub(super) name: Option<String>,
    pub(super) value: Value,
}

impl Disclosure {
    /// Reads a disclosure.
    pub(super) fn read(text: &str) -> Result<Self, Reason> {
        let refuse = |message: &str| invalid("", message);
        let bytes =
            from_base64url(text).ok_or_else(|| refuse("a disclosure is base64url without padding, in its one form"))?;
        let limits = Limits {
            body_bytes: DISCLOSURE_BYTES,
            string_bytes: DISCLOSURE_BYTES,
            ..Limits::default()
        };
        let value = json::parse_with(&bytes, &limits).map_err(|error| invalid("", format!("a disclosure: {error}")))?;
        let shape = "a disclosure is [salt, name, value], or [salt, value] for an item of an array";
        let Value::Array(mut items) = value else {
            return Err(refuse(shape));
        };
        let (Some(value), salt) = (items.pop(), items.first().and_then(Value::as_str)) else {
            return Err(refuse(shape));
        };
        let name = match (items.len(), items.get(1).map(Value::as_str)) {
            (1, None) => None,
            (2, Some(Some(name))) => Some(name),
            _ => return Err(refuse(shape)),
        };
        if salt.is_none() {
            return Err(refuse(shape));
        }
        if name.is_some_and(is_reserved) {
            return Err(refuse("_sd and ... are no names of claims"));
        }
        Ok(Self {
            digest: digest(text),
            name: name.map(str::to_owned),
            value,
        })
    }
}

/// Names that have a meaning of their own.
pub(super) fn is_reserved(name: &str) -> bool {
    matches!(name, "_sd" | "...")
}

/// The text of a disclosure.
pub(super) fn write(salt: &str, name: Option<&str>, value: Value) -> String {
    let mut items = vec![Value::from(salt)];
    items.extend(name.map(Value::from));
    items.push(value);
    base64url(&canonical::to_bytes(&Value::Array(items)))
}
