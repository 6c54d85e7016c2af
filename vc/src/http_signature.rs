//! HTTP message signatures (RFC 9421) over requests, as narrow as a signed action needs them.
//!
//! A signature says which parts of the request it covers, and only these parts are signed. So what must be covered is
//! fixed here ([`REQUIRED`], and the content where there is any), and a signature that covers less is none. Components
//! are the method, the target URI and its parts, and fields as they were sent; component parameters (`sf`, `bs`, `key`,
//! `req`, `tr`) are not known. The key decides the algorithm, as everywhere in this crate; `alg` may only agree with it.
//!
//! Making a signature is public; what one is worth only [`crate::verify`] says.

mod components;
mod content;
mod parameters;

pub use components::{HttpRequest, RequestError, TargetUri};
pub use content::{CONTENT_DIGEST, Content, content_digest};
pub use parameters::Parameters;

use sfv::{BareItem, Dictionary, FieldType, InnerList, Item, Key, ListEntry, Parser, StringRef};

use crate::key::{KeyKind, SignError, Signature, Signer};

/// The field that says what is signed and how (RFC 9421 section 4.1).
pub const SIGNATURE_INPUT: &str = "signature-input";
/// The field with the signature itself (RFC 9421 section 4.2).
pub const SIGNATURE: &str = "signature";
/// The `tag` of a request that is a signed action: a signature made for another purpose is none here.
pub const ACTION_TAG: &str = "syndic-action";
/// The field that carries the credential, and its ancestors, under which the request is made.
pub const CAPABILITY: &str = "capability-credential";
/// What every signature of an action covers. `content-digest` too, if the request has content.
pub const REQUIRED: [&str; 3] = ["@method", "@target-uri", CAPABILITY];

/// The label that is written; any is read.
const LABEL: &str = "action";

/// A request carries no signature of an action that can be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpSignatureError {
    /// There is no signature with the tag of an action.
    #[error("the request carries no signature with tag={ACTION_TAG:?}: sign it")]
    Unsigned,
    /// There are several: which one is meant cannot be told.
    #[error("the request carries several signatures with tag={ACTION_TAG:?}: send one")]
    Several,
    /// A field is not what RFC 9421 or RFC 9530 prescribes.
    #[error("the field {field} is not well formed: {why}")]
    Malformed {
        /// Its name.
        field: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// A part that matters is not signed.
    #[error("the signature does not cover {0:?}: sign that, too")]
    NotCovered(&'static str),
    /// A part is said to be signed that is not there, or not known here.
    #[error("the signature covers {0:?}, which this request does not have, or which is not understood here")]
    Unknown(String),
    /// The content is not the one whose digest is signed.
    #[error("the content is not the one whose digest is signed: it was changed on the way")]
    ContentChanged,
}

/// What a request's signature says, before anybody has checked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedParts {
    /// By whose key, when, for how long.
    pub parameters: Parameters,
    /// The algorithm that the signer names; the key must be of that kind.
    pub algorithm: Option<String>,
    /// The signature base (RFC 9421 section 2.5): the bytes that are signed.
    pub base: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

/// Reads the signature of an action from a request, and checks all that can be checked without a key: that it covers what
/// it must, that what it covers is there, and that the content is the one whose digest it covers.
///
/// # Errors
/// [`HttpSignatureError`]
pub fn read(request: &HttpRequest) -> Result<SignedParts, HttpSignatureError> {
    let inputs = dictionary(request, SIGNATURE_INPUT)?;
    let mut tagged = inputs.iter().filter_map(|(label, entry)| match entry {
        ListEntry::InnerList(list) if tag(list) == Some(ACTION_TAG) => Some((label, list)),
        _ => None,
    });
    let (label, list) = tagged.next().ok_or(HttpSignatureError::Unsigned)?;
    if tagged.next().is_some() {
        return Err(HttpSignatureError::Several);
    }
    let signature = signature_of(request, label)?;
    let covered = components::covered(list)?;
    for needed in REQUIRED {
        if !covered.contains(&needed) {
            return Err(HttpSignatureError::NotCovered(needed));
        }
    }
    content::check(request, covered.contains(&CONTENT_DIGEST))?;
    let base = components::base(request, &covered, list)?;
    let (parameters, algorithm) = parameters::read(list)?;
    Ok(SignedParts {
        parameters,
        algorithm,
        base,
        signature,
    })
}

/// Signs a request as an action. It has its capability field, and if it has content its `content-digest`, already. Gives
/// the values of the fields [`SIGNATURE_INPUT`] and [`SIGNATURE`].
///
/// # Errors
/// The signer did not sign, or the request lacks what must be signed: then [`SignError`] says so.
pub fn sign(
    request: &HttpRequest,
    parameters: &Parameters,
    signer: &dyn Signer,
) -> Result<(String, String), SignError> {
    let refuse = |error: HttpSignatureError| SignError(error.to_string());
    let mut covered = REQUIRED.to_vec();
    if request.has_content() {
        covered.push(CONTENT_DIGEST);
    }
    let key = |text: &str| Key::try_from(text.to_owned()).map_err(|_| SignError(format!("{text} names no parameter")));
    let string = |text: &str| {
        let text =
            StringRef::from_str(text).map_err(|_| SignError("a parameter has characters beyond ASCII".to_owned()));
        text.map(|text| BareItem::from(text.to_owned()))
    };
    let mut list = InnerList::default();
    for name in &covered {
        list.items.push(Item::new(string(name)?));
    }
    for (name, value) in parameters.items() {
        let value = match value {
            parameters::Item::Time(seconds) => {
                let seconds = sfv::Integer::try_from(seconds);
                BareItem::Integer(seconds.map_err(|_| SignError("a time is out of range".to_owned()))?)
            }
            parameters::Item::Text(text) => string(text)?,
        };
        list.params.insert(key(name)?, value);
    }
    list.params
        .insert(key("alg")?, string(algorithm(signer.public_key().kind()))?);
    list.params.insert(key("tag")?, string(ACTION_TAG)?);
    let base = components::base(request, &covered, &list).map_err(refuse)?;
    let signature = signer.sign(&base)?;
    let whole = |entry| {
        let dictionary: Dictionary = [(key(LABEL)?, entry)].into_iter().collect();
        dictionary
            .serialize()
            .ok_or_else(|| SignError("an empty field".to_owned()))
    };
    let value = Item::new(BareItem::ByteSequence(signature.as_bytes().to_vec()));
    Ok((whole(ListEntry::InnerList(list))?, whole(ListEntry::Item(value))?))
}

/// The name of the algorithm of such a key (RFC 9421 section 6.2.2).
#[must_use]
pub const fn algorithm(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Ed25519 => "ed25519",
        KeyKind::P256 => "ecdsa-p256-sha256",
        KeyKind::P384 => "ecdsa-p384-sha384",
    }
}

fn dictionary(request: &HttpRequest, field: &'static str) -> Result<Dictionary, HttpSignatureError> {
    let text = request.field(field).ok_or(HttpSignatureError::Unsigned)?;
    Parser::new(&text)
        .parse::<Dictionary>()
        .map_err(|_| HttpSignatureError::Malformed {
            field,
            why: "it is not a dictionary of RFC 9651",
        })
}

fn tag(list: &InnerList) -> Option<&str> {
    list.params.get("tag")?.as_string().map(StringRef::as_str)
}

fn signature_of(request: &HttpRequest, label: &Key) -> Result<Signature, HttpSignatureError> {
    let malformed = |why| HttpSignatureError::Malformed { field: SIGNATURE, why };
    let signatures = dictionary(request, SIGNATURE)?;
    let bytes = match signatures.get(label) {
        Some(ListEntry::Item(item)) => item.bare_item.as_byte_sequence(),
        _ => None,
    };
    let bytes = bytes.ok_or_else(|| malformed("it has no byte sequence under the label of the input"))?;
    Signature::from_slice(bytes).ok_or_else(|| malformed("the signature is not as long as one"))
}

#[cfg(test)]
mod tests;
