//! Issuing: which claims are hidden, and behind which salts.

use super::disclosure::{is_reserved, write};
use super::{ALWAYS_SHOWN, DIGEST_ALGORITHM, Parts, digest, invalid, read};
use crate::denial::Reason;
use crate::did::Did;
use crate::jose::{self, TokenType};
use crate::json::members::{Members, Path};
use crate::json::{Object, Value};
use crate::key::Signer;
use crate::limits::NONCE_CHARS;
use crate::proof::IssueError;

/// What of the claims can be shown or withheld.
#[derive(Clone, Copy, Debug, Default)]
pub struct Concealment<'a> {
    /// JSON Pointers (RFC 6901) to the members and items to hide. One inside another is hidden in
    /// both ways: whoever shows the inner shows the outer.
    pub hidden: &'a [&'a str],
    /// Digests that stand for nothing, so that nobody can count: a pointer to an object or array
    /// that is not inside a hidden one, and how many.
    pub decoys: &'a [(&'a str, usize)],
}

/// Signs claims as an SD-JWT with all its disclosures, for the holder. `claims` has `iss` (a DID) and
/// `vct`; `kid` is the DID URL of the key. `salts` gives a fresh salt of at least 128 random bits in
/// base64url for every hidden claim and every decoy: this crate draws none.
///
/// # Errors
/// [`IssueError::Refused`] when no verifier would take it (and why), [`IssueError::Sign`] when the
/// key cannot be used.
pub fn issue(
    claims: &Object,
    concealment: &Concealment<'_>,
    kid: &str,
    salts: &mut dyn Iterator<Item = String>,
    signer: &dyn Signer,
) -> Result<String, IssueError> {
    let members = Members::of_object(claims, Path::ROOT);
    Did::parse(members.str("iss").map_err(Reason::from)?).map_err(|_| Reason::from(members.error("iss", "a DID")))?;
    members.str("vct").map_err(Reason::from)?;
    let mut payload = Value::from(claims.clone());
    refuse_reserved(&payload, &Path::ROOT)?;
    let mut pointers = concealment.hidden.to_vec();
    // Inner ones first: the outer disclosure then holds the digest of the inner.
    pointers.sort_by_key(|pointer| std::cmp::Reverse(pointer.matches('/').count()));
    let mut disclosures = Vec::with_capacity(pointers.len());
    for pointer in pointers {
        disclosures.push(hide(&mut payload, pointer, &next(salts)?)?);
    }
    for &(pointer, count) in concealment.decoys {
        for _ in 0..count {
            add_decoy(&mut payload, pointer, &next(salts)?)?;
        }
    }
    let Value::Object(mut payload) = payload else {
        return Err(invalid("", "claims are an object").into());
    };
    payload.insert("_sd_alg", DIGEST_ALGORITHM);
    let mut text = jose::sign(TokenType::SdJwt, Some(kid), &payload, signer)?;
    text.push('~');
    for disclosure in &disclosures {
        text.push_str(disclosure);
        text.push('~');
    }
    // Nothing is issued that does not read back as what was meant.
    if read(&Parts::of(&text)?)?.claims != *claims {
        return Err(invalid("", "the claims do not read back as they were: hide each once").into());
    }
    Ok(text)
}

fn next(salts: &mut dyn Iterator<Item = String>) -> Result<String, Reason> {
    salts
        .next()
        .filter(|salt| salt.len() >= *NONCE_CHARS.start())
        .ok_or_else(|| {
            invalid(
                "",
                "a fresh salt of at least 128 bits in base64url is needed for every hidden claim",
            )
        })
}

fn refuse_reserved(value: &Value, at: &Path<'_>) -> Result<(), Reason> {
    match value {
        Value::Object(object) => object.iter().try_for_each(|(name, value)| {
            let here = at.member(name);
            if is_reserved(name) || name == "_sd_alg" {
                return Err(invalid(here.to_string(), "no claim has this name"));
            }
            refuse_reserved(value, &here)
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| refuse_reserved(item, &at.item(index))),
        _ => Ok(()),
    }
}

/// Replaces a claim by the digest of its disclosure, which is returned.
fn hide(payload: &mut Value, pointer: &str, salt: &str) -> Result<String, Reason> {
    let missing = || invalid(pointer, "there is no such claim to hide");
    let (parent, last) = pointer.rsplit_once('/').ok_or_else(missing)?;
    let name = unescape(last);
    if parent.is_empty() && ALWAYS_SHOWN.contains(&name.as_str()) {
        return Err(invalid(pointer, "this claim may not be hidden"));
    }
    match find(payload, parent).ok_or_else(missing)? {
        Value::Object(object) => {
            let value = object.remove(&name).ok_or_else(missing)?;
            let text = write(salt, Some(&name), value);
            add_digest(object, digest(&text));
            Ok(text)
        }
        Value::Array(items) => {
            let index: usize = last.parse().map_err(|_| missing())?;
            let item = items.get_mut(index).ok_or_else(missing)?;
            let text = write(salt, None, std::mem::take(item));
            *item = crate::object! { "...": digest(&text) };
            Ok(text)
        }
        _ => Err(missing()),
    }
}

fn add_decoy(payload: &mut Value, pointer: &str, salt: &str) -> Result<(), Reason> {
    match find(payload, pointer) {
        Some(Value::Object(object)) => {
            add_digest(object, digest(salt));
            Ok(())
        }
        Some(Value::Array(items)) => {
            items.push(crate::object! { "...": digest(salt) });
            Ok(())
        }
        _ => Err(invalid(
            pointer,
            "a decoy stands in an object or array that is not hidden",
        )),
    }
}

/// In order, so that the place of a digest says nothing.
fn add_digest(object: &mut Object, digest: String) {
    if !object.contains_key("_sd") {
        object.insert("_sd", Value::Array(Vec::new()));
    }
    if let Some(Value::Array(digests)) = object.get_mut("_sd") {
        let at = digests.partition_point(|other| other.as_str() < Some(digest.as_str()));
        digests.insert(at, digest.into());
    }
}

/// The value that a JSON Pointer names.
fn find<'v>(value: &'v mut Value, pointer: &str) -> Option<&'v mut Value> {
    let mut value = value;
    for step in pointer.split('/').skip(1) {
        value = match value {
            Value::Object(object) => object.get_mut(&unescape(step))?,
            Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}
