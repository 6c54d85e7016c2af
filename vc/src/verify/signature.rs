//! The proof step: suite, purpose, times, whose key, and the signature itself.

use super::{World, unavailable};
use crate::constraint::Quoted;
use crate::denial::{DenialCode, Reason};
use crate::did::{Did, DidUrl};
use crate::document::{MethodError, Purpose};
use crate::json::members::{Members, Path};
use crate::json::{Object, Value};
use crate::proof::Proof;
use crate::resolve::ResolveError;

/// Checks that `signer` made this proof, for this purpose, over this document. `at` is where the
/// document stands.
pub(super) fn check<'a>(
    document: &'a Object,
    at: &Path<'_>,
    purpose: Purpose,
    signer: &Did,
    world: &World<'_>,
) -> Result<Proof<'a>, Reason> {
    let proof = Proof::read(document, at)?;
    let here = at.member("proof");
    if proof.purpose != purpose {
        let text = format!(
            "the proof is for {}, and {} is needed: sign it for that",
            proof.purpose.as_str(),
            purpose.as_str()
        );
        return Err(Reason::new(
            DenialCode::ProofPurposeWrong,
            here.member("proofPurpose").to_string(),
            text,
        ));
    }
    check_times(&proof, &here, world)?;
    check_owner(&proof, &here, signer)?;
    check_signature(document, &proof, &here, signer, world)?;
    Ok(proof)
}

/// The same without asking whose key it should be: the key's own DID is taken for the signer, and
/// the proof's own purpose for the one needed. Returns the verification method.
pub(super) fn check_unbound(document: &Value, world: &World<'_>) -> Result<String, Reason> {
    let document = Members::of(document, Path::ROOT)?.as_object();
    let proof = Proof::read(document, &Path::ROOT)?;
    let here = Path::ROOT.member("proof");
    check_times(&proof, &here, world)?;
    let method = method_url(&proof, &here)?;
    check_signature(document, &proof, &here, method.did(), world)?;
    Ok(proof.verification_method.to_owned())
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
    here: &Path<'_>,
    signer: &Did,
    world: &World<'_>,
) -> Result<(), Reason> {
    let refuse = |code, text: String| Err(Reason::new(code, here.member("verificationMethod").to_string(), text));
    let known = match world.knowledge.document(signer) {
        Ok(known) => known,
        Err(ResolveError::Unavailable(why)) => {
            let at = here.member("verificationMethod").to_string();
            return Err(unavailable(at, "the signer's DID document", &why));
        }
        Err(error) => {
            let text = format!("{signer} does not resolve: {error}");
            return refuse(DenialCode::VerificationMethodUnresolved, text);
        }
    };
    if known.id != *signer {
        let text = format!("the document found for {signer} is about {}", known.id);
        return refuse(DenialCode::VerificationMethodUnresolved, text);
    }
    let method = match known.method_for(proof.verification_method, proof.purpose) {
        Ok(method) => method,
        Err(MethodError::Unknown) => {
            let text = format!("{signer} has no such key: sign with one its document lists");
            return refuse(DenialCode::VerificationMethodUnknown, text);
        }
        Err(MethodError::Unauthorized) => {
            let text = format!("{signer} does not list this key under {}", proof.purpose.as_str());
            return refuse(DenialCode::VerificationMethodUnauthorized, text);
        }
    };
    if method.controller != *signer {
        return Err(foreign(
            here,
            format!("the key is controlled by {}, not by {signer}", method.controller),
        ));
    }
    let Some(key) = method.key.public_key() else {
        let text = "the key is of a type that eddsa-jcs-2022 does not use: sign with an Ed25519 key".to_owned();
        return refuse(DenialCode::VerificationMethodUnknown, text);
    };
    key.verify(&proof.hash_data(document), &proof.signature).map_err(|_| {
        let text = "the signature does not fit: the document was changed, or another key signed it";
        Reason::new(
            DenialCode::SignatureInvalid,
            here.member("proofValue").to_string(),
            text,
        )
    })
}
