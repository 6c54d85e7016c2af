//! The JWT claims beside a document (RFC 7519 section 4.1), and that they say the same as it does.

use crate::constraint::Quoted;
use crate::credential::party;
use crate::denial::{DenialCode, Reason};
use crate::jose::{Jws, TokenType};
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Object, Value};
use crate::limits::DOMAINS;
use crate::time::Timestamp;

/// Claims that may stand beside a credential. `aud` is among them to be refused: whom a credential
/// is meant for is not something that a verifier here would look for there.
const OF_CREDENTIALS: &[&str] = &["iss", "sub", "jti", "iat", "nbf", "exp", "aud"];

/// Claims that may stand beside a presentation.
const OF_PRESENTATIONS: &[&str] = &["iss", "sub", "jti", "iat", "nbf", "exp", "aud", "nonce"];

/// The claims of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) iss: Option<String>,
    pub(crate) sub: Option<String>,
    pub(crate) jti: Option<String>,
    /// When it was signed.
    pub(crate) iat: Option<Timestamp>,
    /// From when on the signature counts.
    pub(crate) nbf: Option<Timestamp>,
    /// Until when the signature counts. Not `validUntil`: that is about the document.
    pub(crate) exp: Option<Timestamp>,
    pub(crate) aud: Vec<String>,
    pub(crate) nonce: Option<String>,
}

impl Claims {
    /// Reads the claims; one of the wrong kind is an error, never an absent one.
    pub(crate) fn read(members: &Members<'_, '_>, token_type: TokenType) -> Result<Self, Reason> {
        let text = |name| -> Result<Option<String>, MemberError> { Ok(members.optional_str(name)?.map(str::to_owned)) };
        let mut claims = Self {
            iss: text("iss")?,
            sub: text("sub")?,
            jti: text("jti")?,
            iat: numeric_date(members, "iat")?,
            nbf: numeric_date(members, "nbf")?,
            exp: numeric_date(members, "exp")?,
            ..Self::default()
        };
        if token_type == TokenType::Presentation {
            claims.nonce = text("nonce")?;
            claims.aud = audience(members)?;
        } else if members.optional("aud").is_some() {
            let text = "a credential for one audience only is not judged here: issue it without aud";
            let at = members.at("aud").to_string();
            return Err(Reason::new(DenialCode::ProofUnsupported, at, text));
        }
        Ok(claims)
    }

    /// That `iss`, `sub` and `jti` say what the document says. `at` is where the document stands.
    pub(super) fn agree(
        &self,
        jws: &Jws<'_>,
        document: &Object,
        at: &Path<'_>,
        token_type: TokenType,
    ) -> Result<(), Reason> {
        let members = Members::of_object(document, at);
        let signer = match token_type {
            TokenType::Presentation => "holder",
            _ => "issuer",
        };
        let party = match (&self.iss, &jws.header_iss) {
            (None, None) => None,
            _ => Some(party(&members, signer)?),
        };
        same(self.iss.as_deref(), party.as_deref(), "iss", signer, at)?;
        same(jws.header_iss.as_deref(), party.as_deref(), "iss", signer, at)?;
        same(
            self.jti.as_deref(),
            document.get("id").and_then(Value::as_str),
            "jti",
            "id",
            at,
        )?;
        let subject = match (token_type, document.get("credentialSubject")) {
            (TokenType::Presentation, _) => document.get("holder").and_then(id_of),
            (_, Some(Value::Array(items))) => match items.as_slice() {
                [only] => id_of(only),
                _ => None,
            },
            (_, other) => other.and_then(id_of),
        };
        same(self.sub.as_deref(), subject, "sub", "the subject's id", at)
    }
}

/// A string, or the `id` of an object.
fn id_of(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("id")?.as_str())
}

fn same(claim: Option<&str>, said: Option<&str>, name: &str, what: &str, at: &Path<'_>) -> Result<(), Reason> {
    match claim {
        Some(claim) if said != Some(claim) => {
            let text = format!(
                "the claim {name} says {}, and {what} of the document says {}: issue it with one meaning",
                Quoted(claim),
                Quoted(said.unwrap_or("nothing"))
            );
            let at = at.member(name).to_string();
            Err(Reason::new(DenialCode::ClaimsDisagree, at, text))
        }
        _ => Ok(()),
    }
}

/// A `NumericDate` in whole seconds (RFC 7519 section 2).
pub(crate) fn numeric_date(members: &Members<'_, '_>, name: &str) -> Result<Option<Timestamp>, MemberError> {
    let Some(seconds) = members.optional_integer(name)? else {
        return Ok(None);
    };
    Timestamp::from_unix_seconds(seconds)
        .map(Some)
        .map_err(|_| members.error(name, "a time in seconds since 1970"))
}

/// `aud`: a string, or an array of at most 8.
fn audience(members: &Members<'_, '_>) -> Result<Vec<String>, MemberError> {
    let Some(value) = members.optional("aud") else {
        return Ok(Vec::new());
    };
    let items = value.as_array().unwrap_or(std::slice::from_ref(value));
    let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
    texts
        .filter(|texts| (1..=DOMAINS).contains(&texts.len()))
        .ok_or_else(|| members.error("aud", "a string, or an array of at most 8 strings"))
}

/// The payload without its claims; `None` if there are none.
pub(super) fn stripped(payload: &Object, token_type: TokenType) -> Option<Object> {
    let claims = match token_type {
        TokenType::Presentation => OF_PRESENTATIONS,
        _ => OF_CREDENTIALS,
    };
    if !claims.iter().any(|name| payload.contains_key(name)) {
        return None;
    }
    let mut document = payload.clone();
    for name in claims {
        document.remove(name);
    }
    Some(document)
}
