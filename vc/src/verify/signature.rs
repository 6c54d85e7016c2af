//! The proof step: suite, purpose, times, whose key, and the signature itself.
//!
//! All proofs of a document must hold, and all must be the signer's own: a document that somebody
//! else has signed too is refused, because nothing here says what that signature would mean.

use std::sync::Arc;

use super::{World, unavailable};
use crate::constraint::Quoted;
use crate::credential::object_digest;
use crate::denial::{DenialCode, Reason};
use crate::did::{Did, DidUrl};
use crate::document::{DidDocument, MethodError, Purpose};
use crate::json::members::{Members, Path};
use crate::json::{Object, Value};
use crate::key::PublicKey;
use crate::proof::{self, Places, Proof, Proofs};
use crate::resolve::ResolveError;
use crate::trust::KeyStanding;

/// Checks that `signer` made every proof of this document, for this purpose. `at` is where the
/// document stands.
pub(super) fn check<'a>(
    document: &'a Object,
    at: &Path<'_>,
    purpose: Purpose,
    signer: &Did,
    world: &World<'_>,
) -> Result<Proofs<'a>, Reason> {
    let proofs = Proofs::read(document, at)?;
    proofs.try_each(at, |proof, here| {
        check_purpose(proof, here, purpose)?;
        check_times(proof, here, world)?;
        check_owner(proof, here, signer)
    })?;
    proofs.try_each(at, |proof, here| {
        let places = Places {
            document: at,
            proof: here,
            original: world.original,
        };
        check_signature(document, proof, &proofs.previous(proof), places, signer, world)
    })?;
    Ok(proofs)
}

/// The same without asking whose keys they should be: each key's own DID is taken for the signer,
/// and each proof's own purpose for the one needed. Returns the verification methods.
pub(super) fn check_unbound(document: &Value, world: &World<'_>) -> Result<Vec<String>, Reason> {
    let document = Members::of(document, Path::ROOT)?.as_object();
    let proofs = Proofs::read(document, &Path::ROOT)?;
    proofs.try_each(&Path::ROOT, |proof, here| check_times(proof, here, world))?;
    let mut methods = Vec::with_capacity(proofs.as_slice().len());
    proofs.try_each(&Path::ROOT, |proof, here| {
        let method = method_url(proof, here)?;
        let places = Places {
            document: &Path::ROOT,
            proof: here,
            original: None,
        };
        check_signature(document, proof, &proofs.previous(proof), places, method.did(), world)?;
        methods.push(proof.verification_method.to_owned());
        Ok(())
    })?;
    Ok(methods)
}

fn check_purpose(proof: &Proof<'_>, here: &Path<'_>, purpose: Purpose) -> Result<(), Reason> {
    if proof.purpose == purpose {
        return Ok(());
    }
    let text = format!(
        "the proof is for {}, and {} is needed: sign it for that",
        proof.purpose.as_str(),
        purpose.as_str()
    );
    Err(Reason::new(
        DenialCode::ProofPurposeWrong,
        here.member("proofPurpose").to_string(),
        text,
    ))
}

fn check_times(proof: &Proof<'_>, here: &Path<'_>, world: &World<'_>) -> Result<(), Reason> {
    if let Some(created) = proof.created
        && world.is_future(created)
    {
        let text = format!(
            "it was created at {created}, and it is {}: set the signer's clock",
            world.now
        );
        return Err(Reason::new(
            DenialCode::ProofFromTheFuture,
            here.member("created").to_string(),
            text,
        ));
    }
    match proof.expires {
        Some(expires) if expires <= world.now => {
            let text = format!("the proof expired at {expires}, and it is {}: sign it again", world.now);
            Err(Reason::new(
                DenialCode::ProofExpired,
                here.member("expires").to_string(),
                text,
            ))
        }
        _ => Ok(()),
    }
}

/// The key must stand in the signer's own document: its name begins with the signer's DID.
fn check_owner(proof: &Proof<'_>, here: &Path<'_>, signer: &Did) -> Result<(), Reason> {
    let rest = proof.verification_method.strip_prefix(signer.as_str());
    if rest.is_some_and(|rest| rest.starts_with(['#', '?', '/'])) {
        return Ok(());
    }
    method_url(proof, here)?;
    let text = format!("the key that signed is not one of {signer}: sign with one of its own keys");
    Err(foreign(here, text))
}

fn method_url(proof: &Proof<'_>, here: &Path<'_>) -> Result<DidUrl, Reason> {
    DidUrl::parse(proof.verification_method).map_err(|error| {
        let text = format!("{} names no key: {error}", Quoted(proof.verification_method));
        Reason::new(
            DenialCode::ProofMalformed,
            here.member("verificationMethod").to_string(),
            text,
        )
    })
}

fn foreign(here: &Path<'_>, text: String) -> Reason {
    Reason::new(
        DenialCode::VerificationMethodForeign,
        here.member("verificationMethod").to_string(),
        text,
    )
}

fn check_signature(
    document: &Object,
    proof: &Proof<'_>,
    previous: &[&Object],
    places: Places<'_>,
    signer: &Did,
    world: &World<'_>,
) -> Result<(), Reason> {
    let here = places.proof;
    let method_at = here.member("verificationMethod");
    let known = signer_document(&method_at, signer, world)?;
    let key = signer_key(&known, proof.verification_method, proof.purpose, &method_at, signer)?;
    if !proof.suite.takes(key.kind()) {
        return Err(proof::unsuitable(here, proof.suite, key.kind().as_str()));
    }
    let data = proof.hash_data(key.kind(), document, previous, places)?;
    let checked = world.verify_signature(key, data.as_bytes(), &proof.signature);
    if checked.is_ok() && proof.purpose == Purpose::AssertionMethod {
        let digest = || object_digest(document);
        return check_standing(signer, proof.verification_method, key, &digest, &method_at, world);
    }
    checked.map_err(|_| {
        let text = "the signature does not fit: the document was changed, or another key signed it";
        Reason::new(
            DenialCode::SignatureInvalid,
            here.member("proofValue").to_string(),
            text,
        )
    })
}

/// The key is not compromised, or what it signed is known to be older. `at` is where the key's name stands.
pub(super) fn check_standing(
    signer: &Did,
    method: &str,
    key: &PublicKey,
    digest: &dyn Fn() -> String,
    at: &Path<'_>,
    world: &World<'_>,
) -> Result<(), Reason> {
    match world.knowledge.key_standing(signer, method, key, digest) {
        KeyStanding::Good => Ok(()),
        KeyStanding::Compromised { at: since } => {
            let text = format!(
                "{signer} declared this key compromised at {since}, and did not anchor the document before: ask for a new one"
            );
            Err(Reason::new(DenialCode::KeyCompromised, at.to_string(), text))
        }
        KeyStanding::Unavailable(why) => Err(unavailable(at.to_string(), "whether the key is compromised", &why)),
    }
}

/// The document of the signer. `at` is where the key's name stands.
pub(super) fn signer_document(at: &Path<'_>, signer: &Did, world: &World<'_>) -> Result<Arc<DidDocument>, Reason> {
    let unresolved = |text| Reason::new(DenialCode::VerificationMethodUnresolved, at.to_string(), text);
    let known = match world.knowledge.document(signer) {
        Ok(known) => known,
        Err(ResolveError::Unavailable(why)) => {
            return Err(unavailable(at.to_string(), "the signer's DID document", &why));
        }
        Err(error) => return Err(unresolved(format!("{signer} does not resolve: {error}"))),
    };
    if known.id == *signer {
        Ok(known)
    } else {
        Err(unresolved(format!(
            "the document found for {signer} is about {}",
            known.id
        )))
    }
}

/// The key of this name, if the signer's document authorizes it for this purpose. `at` is where the
/// name stands.
pub(super) fn signer_key<'d>(
    known: &'d DidDocument,
    name: &str,
    purpose: Purpose,
    at: &Path<'_>,
    signer: &Did,
) -> Result<&'d PublicKey, Reason> {
    let refuse = |code, text| Reason::new(code, at.to_string(), text);
    let method = known.method_for(name, purpose).map_err(|error| match error {
        MethodError::Unknown => {
            let text = format!("{signer} has no such key: sign with one its document lists");
            refuse(DenialCode::VerificationMethodUnknown, text)
        }
        MethodError::Unauthorized => {
            let text = format!("{signer} does not list this key under {}", purpose.as_str());
            refuse(DenialCode::VerificationMethodUnauthorized, text)
        }
    })?;
    if method.controller != *signer {
        let text = format!("the key is controlled by {}, not by {signer}", method.controller);
        return Err(refuse(DenialCode::VerificationMethodForeign, text));
    }
    method.key.public_key().ok_or_else(|| {
        let text = "the key is of a type that is not verified here: sign with an Ed25519, P-256 or P-384 key";
        refuse(DenialCode::VerificationMethodUnknown, text.to_owned())
    })
}
