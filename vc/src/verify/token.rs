//! The proof step of a document in an envelope: whose token it is, when it counts, and the
//! signature.

use super::{World, signature};
use crate::constraint::Quoted;
use crate::credential::digest_of;
use crate::denial::{DenialCode, Reason};
use crate::did::{Did, DidUrl};
use crate::document::Purpose;
use crate::enveloped::{Claims, Envelope};
use crate::jose::{Jws, TokenType};
use crate::json::members::Path;

/// Checks that `signer` signed this envelope, for this purpose. `at` is where it stands.
pub(super) fn check(
    envelope: &Envelope<'_>,
    at: &Path<'_>,
    purpose: Purpose,
    signer: &Did,
    world: &World<'_>,
) -> Result<(), Reason> {
    check_times(&envelope.claims, at, world)?;
    check_signer(
        &envelope.jws,
        envelope.claims.iss.as_deref(),
        &at.member("id"),
        purpose,
        signer,
        world,
    )
}

/// The same without asking whose key it should be: the key's own DID is taken for the signer.
/// Returns the name of the key.
pub(super) fn check_unbound(
    envelope: &Envelope<'_>,
    token_type: TokenType,
    world: &World<'_>,
) -> Result<String, Reason> {
    let purpose = match token_type {
        TokenType::Presentation => Purpose::Authentication,
        _ => Purpose::AssertionMethod,
    };
    let at = Path::ROOT.member("id");
    let name = key_name(&envelope.jws, envelope.claims.iss.as_deref(), &at)?;
    check(envelope, &Path::ROOT, purpose, name.did(), world)?;
    Ok(name.as_str().to_owned())
}

/// When the signature was made and until when it counts: the skew is for beginnings only.
pub(super) fn check_times(claims: &Claims, at: &Path<'_>, world: &World<'_>) -> Result<(), Reason> {
    for (name, time) in [("iat", claims.iat), ("nbf", claims.nbf)] {
        if let Some(time) = time.filter(|time| world.is_future(*time)) {
            let text = format!("it counts from {time}, and it is {}: set the signer's clock", world.now);
            let at = at.member(name).to_string();
            return Err(Reason::new(DenialCode::ProofFromTheFuture, at, text));
        }
    }
    match claims.exp {
        Some(until) if until <= world.now => {
            let text = format!(
                "the signature counted until {until}, and it is {}: sign it again",
                world.now
            );
            Err(Reason::new(
                DenialCode::ProofExpired,
                at.member("exp").to_string(),
                text,
            ))
        }
        _ => Ok(()),
    }
}

/// The key is one of the signer's own, is for this purpose, and signed. `at` is where the token is.
pub(super) fn check_signer(
    jws: &Jws<'_>,
    iss: Option<&str>,
    at: &Path<'_>,
    purpose: Purpose,
    signer: &Did,
    world: &World<'_>,
) -> Result<(), Reason> {
    let name = key_name(jws, iss, at)?;
    if name.did() != signer {
        let text = format!("the key that signed is not one of {signer}: sign with one of its own keys");
        return Err(Reason::new(DenialCode::VerificationMethodForeign, at.to_string(), text));
    }
    let known = signature::signer_document(at, signer, world)?;
    let key = signature::signer_key(&known, name.as_str(), purpose, at, signer)?;
    jws.verify(key).map_err(|error| error.reason(at))?;
    if purpose == Purpose::AssertionMethod {
        let digest = || digest_of(jws.text.as_bytes());
        signature::check_standing(signer, name.as_str(), key, &digest, at, world)?;
    }
    Ok(())
}

/// The name of the key: `kid`, a DID URL with a fragment. One that is a fragment only belongs to
/// the document of `iss`.
fn key_name(jws: &Jws<'_>, iss: Option<&str>, at: &Path<'_>) -> Result<DidUrl, Reason> {
    let malformed = |text: String| Reason::new(DenialCode::EnvelopeMalformed, at.to_string(), text);
    let Some(kid) = jws.kid.as_deref() else {
        return Err(malformed(
            "the token does not name its key: sign it with the key's DID URL as kid".to_owned(),
        ));
    };
    let name = match (kid.starts_with('#'), iss.or(jws.header_iss.as_deref())) {
        (false, _) => DidUrl::parse(kid),
        (true, Some(iss)) => DidUrl::parse(&format!("{iss}{kid}")),
        (true, None) => {
            return Err(malformed(
                "kid is a fragment, and there is no iss that it could belong to: sign with the whole DID URL"
                    .to_owned(),
            ));
        }
    };
    match name {
        Ok(name) if name.fragment().is_some_and(|fragment| !fragment.is_empty()) => Ok(name),
        _ => Err(malformed(format!("the kid {} names no key of a DID", Quoted(kid)))),
    }
}
