//! The content of a request and its digest (RFC 9530).

use sfv::{Dictionary, ListEntry, Parser};
use sha2::{Digest, Sha256};

use super::{HttpRequest, HttpSignatureError};

/// The field with the digest of the content (RFC 9530 section 2).
pub const CONTENT_DIGEST: &str = "content-digest";

/// What comes after the fields, by the SHA-256 that whoever read it computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    None,
    /// Something of this digest.
    Sha256([u8; 32]),
}

impl Content {
    /// Of these bytes; no bytes are no content.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            Self::None
        } else {
            Self::Sha256(Sha256::digest(bytes).into())
        }
    }
}

/// The value of the field for these bytes.
#[must_use]
pub fn content_digest(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", multibase::Base::Base64Pad.encode(Sha256::digest(bytes)))
}

/// The content is the one that is signed: there is none, or its SHA-256 stands in the field and the field is covered. A
/// digest of another kind beside it is not looked at: this one is enough.
pub(super) fn check(request: &HttpRequest, covered: bool) -> Result<(), HttpSignatureError> {
    let field = request.field(CONTENT_DIGEST);
    let content = match (&request.content, &field) {
        (Content::None, None) => return Ok(()),
        // Of an empty content.
        (Content::None, Some(_)) => Sha256::digest([]).into(),
        (Content::Sha256(_), None) => return Err(HttpSignatureError::NotCovered(CONTENT_DIGEST)),
        (Content::Sha256(digest), Some(_)) => *digest,
    };
    if !covered {
        return Err(HttpSignatureError::NotCovered(CONTENT_DIGEST));
    }
    let malformed = |why| HttpSignatureError::Malformed {
        field: CONTENT_DIGEST,
        why,
    };
    let digests = Parser::new(field.as_deref().unwrap_or_default())
        .parse::<Dictionary>()
        .map_err(|_| malformed("it is not a dictionary of RFC 9651"))?;
    let said = match digests.get("sha-256") {
        Some(ListEntry::Item(item)) => item.bare_item.as_byte_sequence(),
        _ => None,
    };
    match said {
        None => Err(malformed("it has no sha-256: give that")),
        Some(said) if said == content => Ok(()),
        Some(_) => Err(HttpSignatureError::ContentChanged),
    }
}
