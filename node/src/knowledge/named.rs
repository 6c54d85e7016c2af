//! Who and what a document names, read from what is not trusted yet.

use std::borrow::Cow;

use syndic_vc::did::{Did, DidUrl};
use syndic_vc::enveloped;
use syndic_vc::json::Value;
use syndic_vc::json::members::{Members, Path};
use syndic_vc::limits::CREDENTIALS_PRESENTED;
use syndic_vc::status::{StatusList, StatusPurpose};

/// Proofs that are looked at; more are refused by verification.
const PROOFS: usize = 8;

/// Something that was signed.
pub(super) struct Part {
    /// As it was given, in its envelope if it is in one.
    pub(super) given: Value,
    /// What it says.
    pub(super) opened: Value,
}

impl Part {
    fn of(given: &Value) -> Self {
        let opened = enveloped::document_of(given).map_or_else(|_| given.clone(), Cow::into_owned);
        Self {
            given: given.clone(),
            opened,
        }
    }
}

/// The document, and the credentials and the action in it.
pub(super) fn parts(document: &Value) -> Vec<Part> {
    let whole = Part::of(document);
    let mut parts = Vec::new();
    for name in ["verifiableCredential", "credential", "chain", "action"] {
        let inner = match whole.opened.get(name) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        parts.extend(inner.iter().take(CREDENTIALS_PRESENTED).map(Part::of));
    }
    parts.push(whole);
    parts
}

/// The DIDs that a document says are its issuer, holder or agent, and those of the keys that are said to have signed.
pub(super) fn signers(part: &Value) -> Vec<Did> {
    let named = ["issuer", "holder", "agent"].into_iter().filter_map(|name| {
        let value = part.get(name)?;
        value.as_str().or_else(|| value.get("id")?.as_str())
    });
    let mut dids: Vec<Did> = named.filter_map(|text| Did::parse(text).ok()).collect();
    dids.extend(methods(part).filter_map(|method| Some(DidUrl::parse(method?).ok()?.did().clone())));
    dids
}

fn methods(part: &Value) -> impl Iterator<Item = Option<&str>> {
    let proofs = match part.get("proof") {
        Some(Value::Array(proofs)) => proofs.as_slice(),
        Some(proof) => std::slice::from_ref(proof),
        None => &[],
    };
    proofs
        .iter()
        .take(PROOFS)
        .map(|proof| proof.get("verificationMethod").and_then(Value::as_str))
}

/// The purpose and the bits of a status list credential that was verified, fetched from `url` (Bitstring Status List
/// 1.0 section 3.2).
pub(super) fn list(credential: &Value, url: &str) -> Result<(StatusPurpose, StatusList), String> {
    let read = || {
        let members = Members::of(credential, Path::ROOT)?;
        let types = members.array("type")?;
        if !types
            .iter()
            .any(|name| name.as_str() == Some("BitstringStatusListCredential"))
        {
            return Err(members.error("type", "to have BitstringStatusListCredential"));
        }
        members.literal("id", url, "the URL that the list was fetched from")?;
        let subject = members.object("credentialSubject")?;
        subject.literal("type", "BitstringStatusList", "BitstringStatusList")?;
        let purpose = StatusPurpose::parse(subject.str("statusPurpose")?)
            .ok_or_else(|| subject.error("statusPurpose", "revocation or suspension"))?;
        Ok((purpose, subject.str("encodedList")?))
    };
    let (purpose, encoded) = read().map_err(|error: syndic_vc::json::members::MemberError| {
        format!("the status list credential cannot be read: {error}")
    })?;
    let bits = StatusList::decode(encoded).map_err(|error| format!("the status list cannot be read: {error}"))?;
    Ok((purpose, bits))
}
