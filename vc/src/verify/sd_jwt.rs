//! An SD-JWT credential: the issuer's token, what is shown of it, and that the holder shows it.

use super::{PresentationRequest, World, credential, presentation, signature, token};
use crate::credential::object_digest;
use crate::decision::{Findings, Step, Verified, sealed::Sealed};
use crate::denial::{DenialCode, Denied, Reason};
use crate::did::{Did, DidUrl};
use crate::document::Purpose;
use crate::enveloped::{Claims, numeric_date};
use crate::jose::{Jws, TokenType};
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Object, Value};
use crate::key::PublicKey;
use crate::limits::{CHALLENGE_BYTES, IDENTIFIER_BYTES, KEY_BINDING_AGE_SECONDS};
use crate::sd_jwt::{Parts, Unpacked, digest};
use crate::status::StatusEntry;
use crate::trust::OneTime;

/// Whether the one who shows an SD-JWT must be its holder.
#[derive(Clone, Copy)]
pub enum HolderProof<'a> {
    /// It is looked at as its issuer made it; a key binding in it is refused, because nobody asked.
    NotAsked,
    /// A key binding with the key of `cnf` must answer this request, whose challenge it uses up.
    Required(&'a PresentationRequest<'a>, &'a dyn OneTime),
}

/// An SD-JWT credential that may be acted on.
#[derive(Clone, Debug)]
pub struct VerifiedSdJwt {
    claims: Object,
    issuer: Did,
    vct: String,
    holder_key: Option<PublicKey>,
    findings: Findings,
}

impl VerifiedSdJwt {
    /// The claims that were shown, as they were signed, without the digests.
    #[must_use]
    pub const fn claims(&self) -> &Object {
        &self.claims
    }

    /// Who issued it.
    #[must_use]
    pub const fn issuer(&self) -> &Did {
        &self.issuer
    }

    /// What type of credential it is.
    #[must_use]
    pub fn vct(&self) -> &str {
        &self.vct
    }

    /// The key with which the holder showed it; `None` if nobody asked for that.
    #[must_use]
    pub const fn holder_key(&self) -> Option<&PublicKey> {
        self.holder_key.as_ref()
    }
}

impl Sealed for VerifiedSdJwt {}

impl Verified for VerifiedSdJwt {
    fn findings(&self) -> &Findings {
        &self.findings
    }
}

pub(super) fn verify(text: &str, holder: HolderProof<'_>, world: &World<'_>) -> Result<VerifiedSdJwt, Denied> {
    let mut findings = Findings::default();
    match check(text, holder, world, &mut findings) {
        Ok((read, holder_key)) => Ok(VerifiedSdJwt {
            claims: read.claims,
            issuer: read.issuer,
            vct: read.vct,
            holder_key,
            findings,
        }),
        Err(reason) => Err(Denied::new(reason, findings)),
    }
}

/// The claims that say whether the others count.
struct Read {
    claims: Object,
    issuer: Did,
    vct: String,
    subject: Option<String>,
    times: Claims,
    status: Option<StatusEntry>,
}

fn check(
    text: &str,
    holder: HolderProof<'_>,
    world: &World<'_>,
    findings: &mut Findings,
) -> Result<(Read, Option<PublicKey>), Reason> {
    let parts = Parts::of(text)?;
    let jws = Jws::read(parts.token, TokenType::SdJwt).map_err(|error| error.reason(&Path::ROOT))?;
    let unpacked = Unpacked::of(&jws.payload, &parts.disclosures)?;
    let read = read(unpacked.claims, &jws)?;
    findings.passed(Step::Syntax);
    let iss = read.issuer.as_str();
    token::check_signer(
        &jws,
        Some(iss),
        &Path::ROOT,
        Purpose::AssertionMethod,
        &read.issuer,
        world,
    )?;
    findings.passed(Step::Proof);
    establish(&read, &jws, world, findings);
    check_life(&read, world, findings)?;
    let holder_key = check_holder(&parts, &read.claims, holder, world, findings)?;
    if read.status.is_some() {
        credential::check_freshness(&read.issuer, &Path::ROOT, world, findings)?;
    }
    if let HolderProof::Required(request, one_time) = holder {
        presentation::spend_challenge(request, "", world, one_time)?;
        findings.passed(Step::SingleUse);
    }
    Ok((read, holder_key))
}

fn read(claims: Object, jws: &Jws<'_>) -> Result<Read, Reason> {
    let members = Members::of_object(&claims, Path::ROOT);
    let iss = members.str("iss")?;
    let issuer = Did::parse(iss).map_err(|_| {
        let text = "the issuer is no DID, so no key can be shown to be its own: issue it under a DID";
        Reason::new(DenialCode::VerificationMethodForeign, "/iss", text)
    })?;
    if jws.header_iss.as_deref().is_some_and(|header| header != iss) {
        let text = "the header names another issuer than the claims: issue it with one";
        return Err(Reason::new(DenialCode::ClaimsDisagree, "/iss", text));
    }
    let vct = members.str("vct")?;
    if vct.is_empty() || vct.len() > IDENTIFIER_BYTES {
        return Err(members.error("vct", "the type of the credential").into());
    }
    let read = Read {
        issuer,
        vct: vct.to_owned(),
        subject: members.optional_str("sub")?.map(str::to_owned),
        times: Claims {
            iat: numeric_date(&members, "iat")?,
            nbf: numeric_date(&members, "nbf")?,
            exp: numeric_date(&members, "exp")?,
            ..Claims::default()
        },
        status: status(&members)?,
        claims: Object::new(),
    };
    Ok(Read { claims, ..read })
}

/// `status`: `{"status_list": {"idx", "uri"}}` and nothing else, or the status is unknown.
fn status(members: &Members<'_, '_>) -> Result<Option<StatusEntry>, Reason> {
    let unknown = |error: MemberError| {
        let text = format!("the status cannot be judged: expected {}", error.expected);
        Reason::new(DenialCode::StatusUnknown, error.path, text)
    };
    let read = || -> Result<Option<StatusEntry>, MemberError> {
        let Some(status) = members.optional_object("status")? else {
            return Ok(None);
        };
        let entry = StatusEntry::read_token(&status.object("status_list")?)?;
        status.finish_closed()?;
        Ok(Some(entry))
    };
    read().map_err(unknown)
}

/// From here on the issuer's words are its own.
fn establish(read: &Read, jws: &Jws<'_>, world: &World<'_>, findings: &mut Findings) {
    let id = read.claims.get("jti").and_then(Value::as_str).map(str::to_owned);
    findings.chain.push(id.unwrap_or_else(|| object_digest(&jws.payload)));
    findings.subject.clone_from(&read.subject);
    let list = read.status.iter().map(|entry| entry.list.as_str());
    credential::note_age(&read.issuer, list, world, findings);
}

/// Validity, status, and that the subject is in service.
fn check_life(read: &Read, world: &World<'_>, findings: &mut Findings) -> Result<(), Reason> {
    if let Some(time) = read.times.iat.filter(|time| world.is_future(*time)) {
        let text = format!(
            "it was issued at {time}, and it is {}: set the issuer's clock",
            world.now
        );
        return Err(Reason::new(DenialCode::ProofFromTheFuture, "/iat", text));
    }
    if let Some(from) = read.times.nbf.filter(|time| world.is_future(*time)) {
        let text = format!("it is valid from {from}, and it is {}: wait until then", world.now);
        return Err(Reason::new(DenialCode::NotYetValid, "/nbf", text));
    }
    if let Some(until) = read.times.exp.filter(|until| *until <= world.now) {
        let text = format!("it was valid until {until}, and it is {}: ask for a new one", world.now);
        return Err(Reason::new(DenialCode::Expired, "/exp", text));
    }
    findings.passed(Step::Validity);
    if let Some(entry) = &read.status {
        credential::check_status_entry(entry, &read.issuer, &Path::ROOT.member("status"), world)?;
        findings.passed(Step::Status);
    }
    if let Some(subject) = read.subject.as_deref().and_then(|sub| Did::parse(sub).ok()) {
        credential::check_agent(&subject, &Path::ROOT.member("sub"), world)?;
        findings.passed(Step::Agent);
    }
    Ok(())
}

/// The one who shows it has the key it was issued to.
fn check_holder(
    parts: &Parts<'_>,
    claims: &Object,
    holder: HolderProof<'_>,
    world: &World<'_>,
    findings: &mut Findings,
) -> Result<Option<PublicKey>, Reason> {
    let missing = |at: &str, text: &str| Reason::new(DenialCode::KeyBindingMissing, at, text);
    let (request, text) = match (holder, parts.key_binding) {
        (HolderProof::NotAsked, None) => return Ok(None),
        (HolderProof::NotAsked, Some(_)) => {
            return Err(invalid(
                "a key binding was sent that nobody here asked for: send it where it is asked for",
            ));
        }
        (HolderProof::Required(..), None) => {
            return Err(missing(
                "",
                "show that you hold it: append a key binding that answers the challenge",
            ));
        }
        (HolderProof::Required(request, _), Some(text)) => (request, text),
    };
    let jws = Jws::read(text, TokenType::KeyBinding).map_err(|error| error.reason(&Path::ROOT))?;
    let members = Members::of_object(claims, Path::ROOT);
    let Some(cnf) = members.optional_object("cnf")? else {
        return Err(missing(
            "/cnf",
            "it was issued to no key, so nobody can show that it is theirs",
        ));
    };
    let key = confirmation_key(&cnf, world)?;
    jws.verify(&key).map_err(|error| match error.reason(&Path::ROOT) {
        reason if reason.code == DenialCode::SignatureInvalid => {
            invalid("the key binding was signed with another key than that of cnf")
        }
        reason => reason,
    })?;
    check_binding(&jws.payload, parts, request, world)?;
    findings.passed(Step::Holder);
    Ok(Some(key))
}

fn invalid(text: impl Into<String>) -> Reason {
    Reason::new(DenialCode::KeyBindingInvalid, "", text)
}

/// `cnf`: exactly one of `jwk` and `kid` (RFC 7800 section 3.1), the latter a DID URL.
fn confirmation_key(cnf: &Members<'_, '_>, world: &World<'_>) -> Result<PublicKey, Reason> {
    let (jwk, kid) = (cnf.optional("jwk"), cnf.optional_str("kid")?);
    cnf.finish_closed()?;
    match (jwk, kid) {
        (Some(jwk), None) => PublicKey::from_jwk(jwk, &cnf.at("jwk")).map_err(|error| {
            let at = cnf.at("jwk").to_string();
            Reason::new(DenialCode::VerificationMethodUnknown, at, error.to_string())
        }),
        (None, Some(kid)) => {
            let at = cnf.at("kid");
            let name = DidUrl::parse(kid).map_err(|_| at.error("the DID URL of a key"))?;
            let known = signature::signer_document(&at, name.did(), world)?;
            signature::signer_key(&known, kid, Purpose::Authentication, &at, name.did()).cloned()
        }
        _ => Err(cnf.path().error("one of jwk and kid").into()),
    }
}

/// The key binding was made now, for this verifier, over exactly what is shown.
fn check_binding(
    claims: &Object,
    parts: &Parts<'_>,
    request: &PresentationRequest<'_>,
    world: &World<'_>,
) -> Result<(), Reason> {
    let members = Members::of_object(claims, Path::ROOT);
    let wrong = |error: MemberError| invalid(format!("the key binding's {}: expected {}", error.path, error.expected));
    let made = numeric_date(&members, "iat")
        .map_err(wrong)?
        .ok_or_else(|| invalid("the key binding does not say when it was made: sign it with iat"))?;
    if world.is_future(made) || world.now.seconds_since(made) > KEY_BINDING_AGE_SECONDS {
        return Err(invalid(format!(
            "the key binding was made at {made}, and it is {}: sign a new one",
            world.now
        )));
    }
    if numeric_date(&members, "exp")
        .map_err(wrong)?
        .is_some_and(|until| until <= world.now)
    {
        return Err(invalid("the key binding has expired: sign a new one"));
    }
    if members.str("sd_hash").map_err(wrong)? != digest(parts.shown) {
        return Err(invalid(
            "the key binding was made over something else than is shown: sign it again",
        ));
    }
    let nonce = members.str("nonce").map_err(wrong)?;
    if nonce.len() > CHALLENGE_BYTES || nonce != request.challenge {
        let text = "the nonce is not the challenge that was handed out: sign the key binding with it";
        return Err(Reason::new(DenialCode::ChallengeMismatch, "", text));
    }
    if members.str("aud").map_err(wrong)? != request.domain {
        let text = format!("the aud is not {}: sign the key binding for it", request.domain);
        return Err(Reason::new(DenialCode::DomainMismatch, "", text));
    }
    Ok(())
}
