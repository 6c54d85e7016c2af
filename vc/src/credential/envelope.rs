//! What a credential must look like before it is signed (VCDM 2.0 section 4 and VCDM 1.1 section 4,
//! as far as it can be told without processing JSON-LD).
//!
//! An issuer checks this for every credential it is asked to sign, so that nothing leaves it which
//! others would refuse or read in two ways.

mod related;

use super::draft::check_validity;
use super::{CAPABILITY_CREDENTIAL_TYPE, CREDENTIAL_TYPE};
use super::{Credential, contexts, issuer, other_subject, types};
use crate::denial::Reason;
use crate::json::Value;
use crate::json::members::{MemberError, Members, Path};
use crate::name::is_url;

/// Checks a credential that is about to be signed. A capability credential is held to all that its
/// verifiers ask, so its status entry must already be in place.
///
/// # Errors
/// The first member at fault.
pub fn check_unsigned(value: &Value) -> Result<(), Reason> {
    let members = Members::of(value, Path::ROOT)?;
    if members.optional("proof").is_some() {
        return Err(members
            .error("proof", "no proof: the credential is about to be signed")
            .into());
    }
    let (model, _) = contexts(&members)?;
    let types = types(&members, CREDENTIAL_TYPE)?;
    if types.contains(&CAPABILITY_CREDENTIAL_TYPE) {
        return check_validity(&Credential::read(members.as_object(), &Path::ROOT)?, &Path::ROOT);
    }
    if members.optional_str("id")?.is_some_and(|id| !is_url(id)) {
        return Err(members.error("id", "a URL").into());
    }
    issuer(&members)?;
    other_subject(&members)?;
    if let (Some(from), Some(until)) = model.validity(&members)?
        && until <= from
    {
        let expected = "a time after the one from which it is valid";
        return Err(members.error(model.ends(), expected).into());
    }
    each(&members, "credentialStatus", typed)?;
    each(&members, "credentialSchema", |schema| {
        typed(schema)?;
        schema.str("id").map(drop)
    })?;
    for name in ["refreshService", "termsOfUse", "evidence"] {
        each(&members, name, typed)?;
    }
    for name in ["name", "description"] {
        language_tagged(&members, name)?;
    }
    Ok(related::check(&members)?)
}

/// Applies a check to the object, or to each object of the array, that a member holds.
fn each(
    members: &Members<'_, '_>,
    name: &str,
    check: impl Fn(&Members<'_, '_>) -> Result<(), MemberError>,
) -> Result<(), MemberError> {
    let Some(value) = members.optional(name) else {
        return Ok(());
    };
    let here = members.at(name);
    match value.as_array() {
        None => check(&Members::of(value, here)?),
        Some([]) => Err(here.error("at least one object")),
        Some(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check(&Members::of(item, here.item(index))?)),
    }
}

/// An object with a `type`, and an `id` that is a URL if there is one.
fn typed(members: &Members<'_, '_>) -> Result<(), MemberError> {
    let value = members.required("type")?;
    let items = value.as_array().unwrap_or(std::slice::from_ref(value));
    if items.is_empty()
        || !items
            .iter()
            .all(|item| item.as_str().is_some_and(|text| !text.is_empty()))
    {
        return Err(members.error("type", "a type, or an array of types"));
    }
    if members.optional_str("id")?.is_some_and(|id| !is_url(id)) {
        return Err(members.error("id", "a URL"));
    }
    Ok(())
}

/// Text, or `{"@value", "@language", "@direction"}`, or an array of these (VCDM 2.0 section 11.1).
fn language_tagged(members: &Members<'_, '_>, name: &str) -> Result<(), MemberError> {
    let Some(value) = members.optional(name) else {
        return Ok(());
    };
    let here = members.at(name);
    let items = value.as_array().unwrap_or(std::slice::from_ref(value));
    if items.is_empty() {
        return Err(here.error("text"));
    }
    for item in items {
        if item.as_str().is_some() {
            continue;
        }
        let tagged = Members::of(item, here)?;
        tagged.str("@value")?;
        if tagged
            .optional_str("@language")?
            .is_some_and(|tag| !is_language_tag(tag))
        {
            return Err(tagged.error("@language", "a language tag (BCP 47), such as en"));
        }
        if tagged
            .optional_str("@direction")?
            .is_some_and(|d| !matches!(d, "ltr" | "rtl"))
        {
            return Err(tagged.error("@direction", "ltr or rtl"));
        }
        tagged.finish_closed()?;
    }
    Ok(())
}

/// The shape of BCP 47: subtags of 1 to 8 letters or digits, the first of letters.
fn is_language_tag(tag: &str) -> bool {
    let subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    tag.len() <= 64
        && tag.split('-').all(subtag)
        && tag
            .split('-')
            .next()
            .is_some_and(|first| first.bytes().all(|b| b.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests;
