//! Handing on what one may do: a credential that an agent issues under its own.
//!
//! A delegated credential names its parent (`delegatedFrom`), is issued by the parent's subject, and
//! grants no more. [`check`] is the whole rule for one link; whoever issues asks it before signing,
//! and every verifier asks it of every link.

use crate::action::CapabilityReference;
use crate::capability::{self, Capability};
use crate::credential::{self, CapabilitySubject, Credential};
use crate::denial::{DenialCode, Reason};
use crate::enveloped;
use crate::json::Value;
use crate::json::members::Path;

/// What a credential that is handed on from this one says of it. It is given as it was signed, in
/// its envelope if it has one.
///
/// # Errors
/// It is no document, or has no id.
pub fn reference(parent: &Value) -> Result<CapabilityReference, Reason> {
    let parent = enveloped::document_of(parent)?;
    let id = parent.get("id").and_then(Value::as_str);
    let id = id.ok_or_else(|| Path::ROOT.member("id").error("the id of the credential to hand on"))?;
    Ok(CapabilityReference {
        id: id.to_owned(),
        digest: credential::digest(&parent),
    })
}

/// Whether `child` may follow from `parent`, whose digest as signed this is.
///
/// # Errors
/// `chain-broken`: it does not follow from this one. `delegation-not-allowed`: the parent may not be
/// handed on, or not so far. `owner-changed`, `delegation-wider`: it says more than the parent.
pub fn check(
    child: &Credential,
    at: &Path<'_>,
    parent: &Credential,
    digest: &dyn Fn() -> String,
) -> Result<(), Reason> {
    check_reference(child, at, parent, digest)?;
    let (Some(own), Some(above)) = (child.capability_subject(), parent.capability_subject()) else {
        return Err(broken(at, "only a capability credential is handed on: enclose those"));
    };
    let subject_at = at.member("credentialSubject");
    check_depth(own, above, &subject_at)?;
    check_owner(own, above, &subject_at)?;
    check_validity(child, parent, at)?;
    check_capabilities(&own.capability, &above.capability, &subject_at)
}

/// Why a credential that says it was handed on cannot be judged alone.
pub(crate) fn parent_missing(at: &Path<'_>) -> Reason {
    broken(
        &at.member("delegatedFrom"),
        "the credential it was handed on from is not enclosed: enclose all of the chain, up to its root",
    )
}

pub(crate) fn broken(at: &Path<'_>, text: &str) -> Reason {
    Reason::new(DenialCode::ChainBroken, at.to_string(), text)
}

fn check_reference(
    child: &Credential,
    at: &Path<'_>,
    parent: &Credential,
    digest: &dyn Fn() -> String,
) -> Result<(), Reason> {
    let from_at = at.member("delegatedFrom");
    let Some(from) = &child.delegated_from else {
        return Err(broken(
            &from_at,
            "it does not say what it was handed on from, and is not the last of the chain",
        ));
    };
    if parent.id.as_deref() != Some(from.id.as_str()) {
        let text = "it was handed on from another credential than the next of the chain: enclose that one";
        return Err(broken(&from_at.member("id"), text));
    }
    if from.digest != digest() {
        let text = "the next credential of the chain is not the one it was handed on from: the digest differs";
        return Err(broken(&from_at.member("digest"), text));
    }
    if parent.subject_id() != Some(child.issuer.as_str()) {
        let text = "it was issued by another than the agent that the next credential of the chain is about";
        return Err(broken(&at.member("issuer"), text));
    }
    Ok(())
}

fn check_depth(own: &CapabilitySubject, above: &CapabilitySubject, at: &Path<'_>) -> Result<(), Reason> {
    let text = if above.max_depth == 0 {
        "the credential it was handed on from may not be handed on: ask its issuer for one that may".to_owned()
    } else if own.max_depth >= above.max_depth {
        let most = above.max_depth - 1;
        format!(
            "it may be handed on {} times, and {most} are left: lower maxDepth",
            own.max_depth
        )
    } else {
        return Ok(());
    };
    let here = at.member("delegation");
    Err(Reason::new(DenialCode::DelegationNotAllowed, here.to_string(), text))
}

/// The same owner answers for it; a name may be left out, not changed.
fn check_owner(own: &CapabilitySubject, above: &CapabilitySubject, at: &Path<'_>) -> Result<(), Reason> {
    let same_name = own.owner.name.is_none() || own.owner.name == above.owner.name;
    if own.owner.id == above.owner.id && same_name {
        return Ok(());
    }
    let text = "it names another owner than the credential it was handed on from: the owner stays the same";
    Err(Reason::new(
        DenialCode::OwnerChanged,
        at.member("owner").to_string(),
        text,
    ))
}

fn check_validity(child: &Credential, parent: &Credential, at: &Path<'_>) -> Result<(), Reason> {
    let (begins, ends) = (child.model.begins(), child.model.ends());
    if child.valid_from < parent.valid_from {
        let text = "it is valid earlier than the credential it was handed on from";
        return Err(wider(&at.member(begins), text.to_owned()));
    }
    if child.valid_until.is_none() || child.valid_until > parent.valid_until {
        let text = "it is valid for longer than the credential it was handed on from";
        return Err(wider(&at.member(ends), text.to_owned()));
    }
    Ok(())
}

fn check_capabilities(own: &[Capability], above: &[Capability], at: &Path<'_>) -> Result<(), Reason> {
    let list_at = at.member("capability");
    let beyond = |one: &&Capability| !above.iter().any(|parent| capability::narrower(one, parent));
    let Some((index, one)) = own.iter().enumerate().find(|(_, one)| beyond(one)) else {
        return Ok(());
    };
    let text = format!("{one} is more than the credential it was handed on from grants: keep all of its limits");
    Err(wider(&list_at.item(index), text))
}

fn wider(at: &Path<'_>, text: String) -> Reason {
    Reason::new(DenialCode::DelegationWider, at.to_string(), text)
}
