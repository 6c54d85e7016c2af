//! Compact JSON Web Signatures (RFC 7515), as narrow as credentials need them.
//!
//! Three algorithms, and the key decides which one: it comes from the signer's DID document, never
//! from the token. Nothing in a header can choose a key, switch a check off or ask for an extension.
//! (A DPoP proof carries its key, and says nothing but that its sender has it.)
//! Making a token is public; checking one is not: only [`crate::verify`] does.

use multibase::Base;

use crate::canonical;
use crate::denial::{DenialCode, Reason};
use crate::json::members::{MemberError, Members, Path};
use crate::json::{self, JsonError, Limits, Object, Value};
use crate::key::{JwkError, KeyKind, PublicKey, SignError, Signature, Signer};
use crate::limits::{KEY_NAME_BYTES, TOKEN_BYTES, TOKEN_HEADER_BYTES};

/// What a token is, as its `typ` says (RFC 7515 section 4.1.9, RFC 8725 section 3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenType {
    /// `vc+jwt`: a credential (VC-JOSE-COSE 1.0 section 3.1.1).
    Credential,
    /// `vp+jwt`: a presentation (VC-JOSE-COSE 1.0 section 3.1.2).
    Presentation,
    /// `dc+sd-jwt`: an SD-JWT credential. Its former name `vc+sd-jwt` is read too.
    SdJwt,
    /// `kb+jwt`: the holder's answer under an SD-JWT (RFC 9901 section 4.3).
    KeyBinding,
    /// `statuslist+jwt`: a Token Status List.
    StatusList,
    /// `at+jwt`: an access token (RFC 9068 section 2.1).
    Access,
    /// `dpop+jwt`: that the sender of a request has a key (RFC 9449 section 4.2).
    Dpop,
}

impl TokenType {
    /// The `typ` that is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "vc+jwt",
            Self::Presentation => "vp+jwt",
            Self::SdJwt => "dc+sd-jwt",
            Self::KeyBinding => "kb+jwt",
            Self::StatusList => "statuslist+jwt",
            Self::Access => "at+jwt",
            Self::Dpop => "dpop+jwt",
        }
    }

    /// The `cty` that is written, and the only one that is read.
    const fn content(self) -> Option<&'static str> {
        match self {
            Self::Credential => Some("vc"),
            Self::Presentation => Some("vp"),
            Self::SdJwt | Self::KeyBinding | Self::StatusList | Self::Access | Self::Dpop => None,
        }
    }

    /// Compared as text: another spelling of a type is another type.
    fn accepts(self, typ: &str) -> bool {
        typ == self.as_str() || (self == Self::SdJwt && typ == "vc+sd-jwt")
    }
}

/// The token is not one that is verified here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoseError {
    /// Longer than allowed.
    #[error("the token has more than {0} bytes: issue a smaller one")]
    TooLarge(usize),
    /// Not three parts of base64url without padding, each in its one form.
    #[error("not a compact JWS: {0}")]
    Shape(&'static str),
    /// A part is not strict JSON.
    #[error("the {part} of the token: {error}")]
    Json {
        /// `header` or `payload`.
        part: &'static str,
        /// What is wrong.
        error: JsonError,
    },
    /// A member of the header is missing or of the wrong kind.
    #[error("the header of the token: {0}")]
    Header(#[from] MemberError),
    /// An algorithm that is not verified here.
    #[error("the algorithm {0:?} is not verified here: sign with EdDSA (Ed25519), ES256 or ES384")]
    Algorithm(String),
    /// A header parameter that would choose a key, or change what is verified.
    #[error("the header parameter {0} is refused: the key and the rules come from the signer's DID document")]
    Parameter(&'static str),
    /// Another kind of token.
    #[error("the {parameter} of the token is {found:?}, and {expected:?} is needed here")]
    Type {
        /// `typ` or `cty`.
        parameter: &'static str,
        /// What is there.
        found: String,
        /// What must be there.
        expected: &'static str,
    },
    /// The algorithm is not the one of the key that signed.
    #[error("the token says {alg}, and its key is an {key} key: sign with the algorithm of the key")]
    KeyMismatch {
        /// What the header says.
        alg: &'static str,
        /// The kind of the key.
        key: &'static str,
    },
    /// The key in the header of a DPoP proof is none that signs here.
    #[error("the key in the header: {0}")]
    EmbeddedKey(#[from] JwkError),
    /// The signature does not fit.
    #[error("the signature does not fit: the token was changed, or another key signed it")]
    Signature,
}

impl JoseError {
    /// The refusal of a token that stands at `at`.
    pub(crate) fn reason(&self, at: &Path<'_>) -> Reason {
        let code = match self {
            Self::TooLarge(_) => DenialCode::DocumentTooLarge,
            Self::Shape(_) | Self::Json { .. } | Self::Header(_) => DenialCode::EnvelopeMalformed,
            Self::Algorithm(_) | Self::Parameter(_) | Self::EmbeddedKey(_) => DenialCode::ProofUnsupported,
            Self::Type { .. } => DenialCode::EnvelopeTypeWrong,
            Self::KeyMismatch { .. } => DenialCode::VerificationMethodUnsuitable,
            Self::Signature => DenialCode::SignatureInvalid,
        };
        Reason::new(code, at.to_string(), self.to_string())
    }
}

/// The one algorithm of a kind of key (RFC 7518 section 3.4, RFC 8037 section 3.1).
const fn algorithm(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Ed25519 => "EdDSA",
        KeyKind::P256 => "ES256",
        KeyKind::P384 => "ES384",
    }
}

/// Parameters that choose a key, hide the payload or change the rules. All others that are not
/// understood are ignored, as RFC 7515 section 4 asks: none of them may demand to be understood.
const REFUSED: [&str; 10] = [
    "crit", "b64", "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256", "zip", "enc",
];

/// How much a document may hold that has tokens in it: a token is one string.
#[must_use]
pub fn document_limits() -> Limits {
    Limits {
        string_bytes: TOKEN_BYTES,
        ..Limits::default()
    }
}

/// Base64url without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    Base::Base64Url.encode(bytes)
}

/// Reads base64url without padding in its one form: no bit is set that the bytes do not need.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let bytes = Base::Base64Url.decode(text).ok()?;
    (base64url(&bytes) == text).then_some(bytes)
}

/// Signs a payload: the header and then the payload in canonical form, so that equal input gives
/// equal text. `kid` names the key in the signer's DID document; without it the token can only be
/// checked by somebody who knows the key already.
///
/// # Errors
/// [`SignError`] when the key cannot be used now.
pub fn sign(
    token_type: TokenType,
    kid: Option<&str>,
    payload: &Object,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let mut header = Object::new();
    header.insert("alg", algorithm(signer.public_key().kind()));
    header.insert("typ", token_type.as_str());
    if let Some(content) = token_type.content() {
        header.insert("cty", content);
    }
    if let Some(kid) = kid {
        header.insert("kid", kid);
    }
    sign_under(&header, payload, signer)
}

/// Signs a DPoP proof: its header holds the public key.
pub(crate) fn sign_embedding(payload: &Object, signer: &dyn Signer) -> Result<String, SignError> {
    let mut header = Object::new();
    header.insert("alg", algorithm(signer.public_key().kind()));
    header.insert("typ", TokenType::Dpop.as_str());
    header.insert("jwk", signer.public_key().to_jwk());
    sign_under(&header, payload, signer)
}

fn sign_under(header: &Object, payload: &Object, signer: &dyn Signer) -> Result<String, SignError> {
    let mut text = encoded(header);
    text.push('.');
    text.push_str(&encoded(payload));
    let signature = signer.sign(text.as_bytes())?;
    text.push('.');
    text.push_str(&base64url(signature.as_bytes()));
    Ok(text)
}

fn encoded(object: &Object) -> String {
    let mut bytes = Vec::new();
    canonical::write_without(object, &[], &mut bytes);
    base64url(&bytes)
}

/// The three parts of a token, decoded, nothing checked.
#[derive(Debug)]
struct Parts<'t> {
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Signature,
    /// What the signature is over: the first two parts and the dot between them.
    signed: &'t str,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str, bound: usize) -> Result<Self, JoseError> {
        if text.len() > bound {
            return Err(JoseError::TooLarge(bound));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JoseError::Shape("no dot"))?;
        let (header, payload) = signed.split_once('.').ok_or(JoseError::Shape("two parts"))?;
        if header.len() > TOKEN_HEADER_BYTES {
            return Err(JoseError::TooLarge(TOKEN_HEADER_BYTES));
        }
        let part = |text| from_base64url(text).ok_or(JoseError::Shape("a part is not base64url without padding"));
        let signature = Signature::from_slice(&part(signature)?).ok_or(JoseError::Shape(
            "the signature has neither 64 nor 96 bytes (DER is none)",
        ))?;
        Ok(Self {
            header: part(header)?,
            payload: part(payload)?,
            signature,
            signed,
        })
    }

    fn verify(&self, kind: KeyKind, key: &PublicKey) -> Result<(), JoseError> {
        if key.kind() != kind {
            return Err(JoseError::KeyMismatch {
                alg: algorithm(kind),
                key: key.kind().as_str(),
            });
        }
        if self.signature.as_bytes().len() != kind.signature_bytes() {
            return Err(JoseError::Signature);
        }
        key.verify(self.signed.as_bytes(), &self.signature)
            .map_err(|_| JoseError::Signature)
    }
}

/// A token of the expected kind: strictly read, its signature not checked yet.
#[derive(Debug)]
pub(crate) struct Jws<'t> {
    /// The token as it was read.
    pub(crate) text: &'t str,
    parts: Parts<'t>,
    /// The kind of key that the algorithm is for.
    pub(crate) kind: KeyKind,
    /// The key in the header of a DPoP proof; nothing else has one.
    pub(crate) embedded: Option<PublicKey>,
    /// The name of the key; [`crate::verify`] decides whose it must be.
    pub(crate) kid: Option<String>,
    /// The `iss` that the header repeats (RFC 7519 section 5.3).
    pub(crate) header_iss: Option<String>,
    /// The claims.
    pub(crate) payload: Object,
}

impl<'t> Jws<'t> {
    /// Reads a token of a kind, of at most [`TOKEN_BYTES`].
    pub(crate) fn read(text: &'t str, token_type: TokenType) -> Result<Self, JoseError> {
        Self::read_within(text, token_type, TOKEN_BYTES, &document_limits())
    }

    /// The same with other bounds, for tokens that carry bulk data.
    pub(crate) fn read_within(
        text: &'t str,
        token_type: TokenType,
        bound: usize,
        limits: &Limits,
    ) -> Result<Self, JoseError> {
        let parts = Parts::of(text, bound)?;
        let header = object("header", &parts.header, &Limits::default())?;
        let kind = read_algorithm(&header, token_type)?;
        let members = Members::of_object(&header, Path::ROOT);
        check_types(&members, token_type)?;
        let embedded = match token_type {
            TokenType::Dpop => Some(PublicKey::from_jwk(members.required("jwk")?, &members.at("jwk"))?),
            _ => None,
        };
        let kid = members.optional_str("kid")?;
        if kid.is_some_and(|kid| kid.is_empty() || kid.len() > KEY_NAME_BYTES) {
            return Err(members.error("kid", "the DID URL of a key").into());
        }
        Ok(Self {
            text,
            kind,
            embedded,
            kid: kid.map(str::to_owned),
            header_iss: members.optional_str("iss")?.map(str::to_owned),
            payload: object("payload", &parts.payload, limits)?,
            parts,
        })
    }

    /// Whether this key signed it, with the algorithm of this key.
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), JoseError> {
        self.parts.verify(self.kind, key)
    }
}

fn object(part: &'static str, bytes: &[u8], limits: &Limits) -> Result<Object, JoseError> {
    let value = json::parse_with(bytes, limits).map_err(|error| JoseError::Json { part, error })?;
    Value::into_object(value).map_err(|_| JoseError::Shape("header and payload are JSON objects"))
}

/// The algorithm, once no parameter stands against it.
fn read_algorithm(header: &Object, token_type: TokenType) -> Result<KeyKind, JoseError> {
    let members = Members::of_object(header, Path::ROOT);
    let alg = members.str("alg")?;
    let allowed = |name: &str| token_type == TokenType::Dpop && name == "jwk";
    if let Some(name) = REFUSED
        .into_iter()
        .find(|name| header.contains_key(name) && !allowed(name))
    {
        return Err(JoseError::Parameter(name));
    }
    KeyKind::ALL
        .into_iter()
        .find(|kind| algorithm(*kind) == alg)
        .ok_or_else(|| JoseError::Algorithm(alg.chars().take(32).collect()))
}

fn check_types(members: &Members<'_, '_>, token_type: TokenType) -> Result<(), JoseError> {
    let wrong = |parameter, found: &str, expected| JoseError::Type {
        parameter,
        found: found.chars().take(64).collect(),
        expected,
    };
    let typ = members.optional_str("typ")?.unwrap_or_default();
    if !token_type.accepts(typ) {
        return Err(wrong("typ", typ, token_type.as_str()));
    }
    match members.optional_str("cty")? {
        Some(cty) if token_type.content() != Some(cty) => {
            Err(wrong("cty", cty, token_type.content().unwrap_or("no cty at all")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
