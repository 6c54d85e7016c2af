//! Decentralized identifiers and DID URLs, by the grammar of DID Core 1.0 section 3.

use std::fmt;
use std::sync::Arc;

use crate::limits::DID_BYTES;

/// A DID: `did:method:method-specific-id`. Compared byte for byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Did(Arc<str>);

/// The text is no DID or DID URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DidError {
    /// Longer than any DID that is resolved.
    #[error("longer than {DID_BYTES} bytes")]
    TooLong,
    /// Does not begin with `did:`.
    #[error("a DID begins with \"did:\"")]
    NoScheme,
    /// The method name is empty or has other characters than lower case letters and digits.
    #[error("the DID method is missing or has other characters than a-z and 0-9")]
    Method,
    /// The method-specific identifier is empty, ends with a colon, or has a character it may not
    /// have.
    #[error("the identifier after the DID method is empty or malformed")]
    Identifier,
    /// The path, query or fragment has a character that a URL may not have there.
    #[error("the path, query or fragment of the DID URL is malformed")]
    UrlPart,
    /// A DID was asked for, and this is a DID URL with a path, query or fragment.
    #[error("a DID has no path, query or fragment")]
    NotBare,
}

const SCHEME: &str = "did:";

impl Did {
    /// Reads a DID.
    ///
    /// # Errors
    /// [`DidError`] when the text is anything else, a DID URL included.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        if did_length(text)? == text.len() {
            Ok(Self(text.into()))
        } else {
            Err(DidError::NotBare)
        }
    }

    /// A text that is a DID by construction.
    pub(crate) fn from_checked(text: &str) -> Self {
        debug_assert_eq!(did_length(text), Ok(text.len()));
        Self(text.into())
    }

    /// The whole DID.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The method name: `key` for `did:key:z6Mk...`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.parts().0
    }

    /// What follows the method name and its colon.
    #[must_use]
    pub fn method_specific_id(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        let rest = self.0.strip_prefix(SCHEME).unwrap_or_default();
        rest.split_once(':').unwrap_or_default()
    }

    /// The DID URL of a fragment of this DID's document.
    ///
    /// # Errors
    /// [`DidError`] when the fragment has a character it may not have, or the result is too long.
    pub fn with_fragment(&self, fragment: &str) -> Result<DidUrl, DidError> {
        DidUrl::parse(&format!("{self}#{fragment}"))
    }
}

/// Checks the DID at the start of the text, and returns its length.
fn did_length(text: &str) -> Result<usize, DidError> {
    if text.len() > DID_BYTES {
        return Err(DidError::TooLong);
    }
    let rest = text.strip_prefix(SCHEME).ok_or(DidError::NoScheme)?;
    let (method, rest) = rest.split_once(':').ok_or(DidError::Method)?;
    if method.is_empty() || !method.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9')) {
        return Err(DidError::Method);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (id, url_part) = rest.split_at(end);
    let idchar = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    if id.is_empty() || id.ends_with(':') || !made_of(id, idchar) {
        return Err(DidError::Identifier);
    }
    Ok(text.len() - url_part.len())
}

/// Whether every byte is allowed or part of a percent-encoded byte.
fn made_of(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_hexdigit());
        if !(allowed(byte) || byte == b'%' && hex(bytes.next()) && hex(bytes.next())) {
            return false;
        }
    }
    true
}

impl std::str::FromStr for Did {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        Self::parse(text)
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Did({self})")
    }
}

impl AsRef<str> for Did {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// So that a map by DID can be asked with a text.
impl std::borrow::Borrow<str> for Did {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&Did> for crate::json::Value {
    fn from(did: &Did) -> Self {
        Self::from(did.as_str())
    }
}

/// A DID URL: a DID with an optional path, query and fragment (DID Core 1.0 section 3.2, RFC 3986).
/// Compared byte for byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DidUrl {
    text: Arc<str>,
    did: Did,
}

impl DidUrl {
    /// Reads a DID URL; a bare DID is one too.
    ///
    /// # Errors
    /// [`DidError`] when the text is anything else.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        let (did, rest) = text.split_at_checked(did_length(text)?).ok_or(DidError::Identifier)?;
        let (before, fragment) = split(rest, '#');
        let (path, query) = split(before, '?');
        let pchar = |b: u8| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')')
                || matches!(b, b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@' | b'/')
        };
        let after = |part: Option<&str>| part.is_none_or(|p| made_of(p, |b| pchar(b) || b == b'?'));
        if made_of(path, pchar) && after(query) && after(fragment) {
            Ok(Self {
                text: text.into(),
                did: Did(did.into()),
            })
        } else {
            Err(DidError::UrlPart)
        }
    }

    /// The whole DID URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The DID it begins with.
    #[must_use]
    pub const fn did(&self) -> &Did {
        &self.did
    }

    /// The path, with its leading slash; empty if there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        split(split(self.rest(), '#').0, '?').0
    }

    /// What follows the question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        split(split(self.rest(), '#').0, '?').1
    }

    /// What follows the number sign.
    #[must_use]
    pub fn fragment(&self) -> Option<&str> {
        split(self.rest(), '#').1
    }

    fn rest(&self) -> &str {
        self.text.strip_prefix(self.did.as_str()).unwrap_or_default()
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at)
        .map_or((text, None), |(before, after)| (before, Some(after)))
}

impl std::str::FromStr for DidUrl {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        Self::parse(text)
    }
}

impl fmt::Display for DidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for DidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DidUrl({self})")
    }
}

impl From<&DidUrl> for crate::json::Value {
    fn from(url: &DidUrl) -> Self {
        Self::from(url.as_str())
    }
}

#[cfg(test)]
mod tests;
