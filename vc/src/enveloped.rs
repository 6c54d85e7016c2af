//! Credentials and presentations inside a JSON Web Signature (VC-JOSE-COSE 1.0 section 3.1, VCDM
//! 2.0 sections 4.13 and 4.14).
//!
//! The payload is the document itself. A document says nothing here that it would not say with a
//! proof of its own: [`crate::verify`] takes it out of the envelope and treats it alike.

mod claims;

use std::borrow::Cow;

pub(crate) use claims::{Claims, numeric_date};

use crate::credential::{CREDENTIALS_CONTEXT, Credential, DataModel, check_validity, contexts, types};
use crate::denial::{DenialCode, Reason};
use crate::jose::{self, Jws, TokenType};
use crate::json::members::{Members, Path};
use crate::json::{Object, Value};
use crate::key::Signer;
use crate::limits::CHALLENGE_BYTES;
use crate::presentation::Presentation;
use crate::proof::IssueError;
use crate::time::Timestamp;

/// The type of the object around a signed credential.
pub const ENVELOPED_CREDENTIAL_TYPE: &str = "EnvelopedVerifiableCredential";

/// The type of the object around a signed presentation.
pub const ENVELOPED_PRESENTATION_TYPE: &str = "EnvelopedVerifiablePresentation";

/// What a presentation in an envelope answers, and when.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The verifier's challenge: the claim `nonce`.
    pub challenge: &'a str,
    /// The verifier's name: the claim `aud`.
    pub domain: &'a str,
    /// Now: the claim `iat`.
    pub created: Timestamp,
}

/// Signs a credential with the issuer's key, named by `kid` (a DID URL), and puts it into the object
/// that stands for it in JSON.
///
/// # Errors
/// [`IssueError::Refused`] when no verifier would take it (and why), [`IssueError::Sign`] when the
/// key cannot be used.
pub fn sign_credential(document: &Object, kid: &str, signer: &dyn Signer) -> Result<Value, IssueError> {
    unsigned(document)?;
    check_validity(&Credential::read(document, &Path::ROOT)?, &Path::ROOT)?;
    let token = jose::sign(TokenType::Credential, Some(kid), document, signer)?;
    Ok(credential_of(&token))
}

/// Signs a presentation with the holder's key, named by `kid`, in answer to a verifier.
///
/// # Errors
/// As [`sign_credential`].
pub fn sign_presentation(
    document: &Object,
    answer: &Answer<'_>,
    kid: &str,
    signer: &dyn Signer,
) -> Result<Value, IssueError> {
    unsigned(document)?;
    let presentation = Presentation::read(document, &Path::ROOT)?;
    for (name, text) in [("nonce", answer.challenge), ("aud", answer.domain)] {
        if text.is_empty() || text.len() > CHALLENGE_BYTES {
            let message = format!("1 to {CHALLENGE_BYTES} bytes are needed: ask the verifier for it");
            return Err(Reason::new(DenialCode::DocumentMalformed, format!("/{name}"), message).into());
        }
    }
    let mut payload = document.clone();
    payload.insert("iss", presentation.holder.as_str());
    payload.insert("aud", answer.domain);
    payload.insert("nonce", answer.challenge);
    payload.insert("iat", answer.created.unix_seconds());
    let token = jose::sign(TokenType::Presentation, Some(kid), &payload, signer)?;
    Ok(presentation_of(&token))
}

fn unsigned(document: &Object) -> Result<(), Reason> {
    if document.contains_key("proof") {
        let text = "no proof: the envelope is what secures the document";
        return Err(Reason::new(DenialCode::DocumentMalformed, "/proof", text));
    }
    Ok(())
}

/// The object that stands for a signed credential (`vc+jwt`) in JSON. Nothing is checked.
#[must_use]
pub fn credential_of(token: &str) -> Value {
    envelope(ENVELOPED_CREDENTIAL_TYPE, TokenType::Credential, token)
}

/// The object that stands for a signed presentation (`vp+jwt`) in JSON. Nothing is checked.
#[must_use]
pub fn presentation_of(token: &str) -> Value {
    envelope(ENVELOPED_PRESENTATION_TYPE, TokenType::Presentation, token)
}

fn envelope(envelope_type: &str, token_type: TokenType, token: &str) -> Value {
    crate::object! {
        "@context": CREDENTIALS_CONTEXT,
        "id": format!("data:application/{},{token}", token_type.as_str()),
        "type": envelope_type,
    }
}

/// The compact token in an enveloped credential or presentation, if it is one. Nothing is checked.
#[must_use]
pub fn token_of(value: &Value) -> Option<&str> {
    let id = value.get("id")?.as_str()?;
    [TokenType::Credential, TokenType::Presentation]
        .into_iter()
        .find_map(|token_type| token_in(id, token_type))
}

/// The document in an envelope of either kind, or the value itself if it is in none; nothing is
/// checked but that it can be read. For holders, who look at what they were given.
///
/// # Errors
/// The envelope cannot be read.
pub fn document_of(value: &Value) -> Result<Cow<'_, Value>, Reason> {
    for token_type in [TokenType::Credential, TokenType::Presentation] {
        if let Some(envelope) = Envelope::open(value, &Path::ROOT, token_type)? {
            return Ok(Cow::Owned(envelope.into_payload()));
        }
    }
    Ok(Cow::Borrowed(value))
}

/// `data:application/vc+jwt,` or `data:application/jwt,` and the token, to the letter: no
/// parameters, no base64, no percent-encoding.
fn token_in(url: &str, token_type: TokenType) -> Option<&str> {
    let rest = url.strip_prefix("data:application/")?;
    rest.strip_prefix(token_type.as_str())
        .or_else(|| rest.strip_prefix("jwt"))?
        .strip_prefix(',')
}

/// A document in its envelope: read, nothing verified.
#[derive(Debug)]
pub(crate) struct Envelope<'v> {
    pub(crate) jws: Jws<'v>,
    pub(crate) claims: Claims,
    /// The document, if taking the claims off changed it.
    document: Option<Object>,
}

impl<'v> Envelope<'v> {
    /// Opens a value that says it is an envelope of this kind; `None` if it does not say so. `at` is
    /// where it stands, and where the document is said to stand from then on.
    pub(crate) fn open(value: &'v Value, at: &Path<'_>, token_type: TokenType) -> Result<Option<Self>, Reason> {
        let expected = match token_type {
            TokenType::Presentation => ENVELOPED_PRESENTATION_TYPE,
            _ => ENVELOPED_CREDENTIAL_TYPE,
        };
        let says_so = |name: &Value| name.as_str() == Some(expected);
        match value.get("type") {
            Some(Value::Array(items)) if items.iter().any(says_so) => {}
            Some(one) if says_so(one) => {}
            _ => return Ok(None),
        }
        let members = Members::of(value, at)?;
        if contexts(&members)?.0 != DataModel::V2 {
            let text = format!("an envelope has the context {CREDENTIALS_CONTEXT}: there is none in VCDM 1.1");
            let at = members.at("@context").to_string();
            return Err(Reason::new(DenialCode::ContextUnknown, at, text));
        }
        if types(&members, expected)?.len() != 1 {
            return Err(members.error("type", "the type of the envelope and no other").into());
        }
        let url = members.str("id")?;
        members.finish_closed()?;
        let id_at = members.at("id");
        let Some(token) = token_in(url, token_type) else {
            let text = format!(
                "an envelope's id is data:application/{}, and the token, without parameters or escapes",
                token_type.as_str()
            );
            return Err(Reason::new(DenialCode::EnvelopeMalformed, id_at.to_string(), text));
        };
        let jws = Jws::read(token, token_type).map_err(|error| error.reason(&id_at))?;
        Self::of(jws, at, token_type).map(Some)
    }

    fn of(jws: Jws<'v>, at: &Path<'_>, token_type: TokenType) -> Result<Self, Reason> {
        let payload = &jws.payload;
        for name in ["vc", "vp"] {
            if payload.contains_key(name) {
                let text = format!(
                    "a token of the older form, with the claim {name}: issue it with the document itself as the payload"
                );
                let at = at.member(name).to_string();
                return Err(Reason::new(DenialCode::EnvelopeMalformed, at, text));
            }
        }
        if payload.contains_key("proof") {
            let text = "secured twice, by a token and by a proof: send it with one of them";
            let at = at.member("proof").to_string();
            return Err(Reason::new(DenialCode::ProofUnsupported, at, text));
        }
        let claims = Claims::read(&Members::of_object(payload, at), token_type)?;
        let document = claims::stripped(payload, token_type);
        claims.agree(&jws, document.as_ref().unwrap_or(payload), at, token_type)?;
        Ok(Self { document, claims, jws })
    }

    /// The document without the claims of the token.
    pub(crate) fn document(&self) -> &Object {
        self.document.as_ref().unwrap_or(&self.jws.payload)
    }

    /// The whole payload, as it was signed.
    pub(crate) const fn payload(&self) -> &Object {
        &self.jws.payload
    }

    /// The whole payload, as it was signed.
    pub(crate) fn into_payload(self) -> Value {
        self.jws.payload.into()
    }
}
