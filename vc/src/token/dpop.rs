//! DPoP (RFC 9449): the sender of a request shows that it has a key.
//!
//! A proof is made for one method, one URL, one moment, and one access token if there is one. It
//! carries the key that signs it, and so says nothing about who that is: what counts is that the
//! thumbprint of the key is the one the token names. That its id is new, the caller must see to.

use sha2::{Digest, Sha256};

use crate::enveloped::numeric_date;
use crate::jose::{self, JoseError, Jws, TokenType, base64url};
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Limits, Object};
use crate::key::{KeyKind, PublicKey, SignError, Signer};
use crate::limits::{CHALLENGE_BYTES, DPOP_AGE_SECONDS, DPOP_BYTES, DPOP_ID_CHARS, IDENTIFIER_BYTES};
use crate::time::Timestamp;

/// The algorithms that are taken, as metadata name them.
pub const ALGORITHMS: [&str; 2] = ["EdDSA", "ES256"];

/// What a proof must be made for.
#[derive(Clone, Copy, Debug)]
pub struct ProofRequest<'a> {
    /// The method of the request, as it is written: `POST`.
    pub method: &'a str,
    /// The URL of the request; query and fragment do not count.
    pub url: &'a str,
    /// The access token that is sent with it, if one is.
    pub access_token: Option<&'a str>,
    /// The nonce that the server handed out: a proof that carries one must carry this.
    pub nonce: Option<&'a str>,
    /// How far the sender's clock may run ahead.
    pub clock_skew_seconds: u32,
}

/// A proof that holds, if its id was never used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedProof {
    key: PublicKey,
    thumbprint: String,
    id: String,
    until: Timestamp,
}

impl CheckedProof {
    /// Reads a proof and holds it against a request.
    ///
    /// # Errors
    /// [`DpopError`].
    pub fn read(text: &str, request: &ProofRequest<'_>, now: Timestamp) -> Result<Self, DpopError> {
        let jws = Jws::read_within(text, TokenType::Dpop, DPOP_BYTES, &Limits::default())?;
        if jws.kind == KeyKind::P384 {
            return Err(JoseError::Algorithm("ES384".to_owned()).into());
        }
        let key = jws.embedded.as_ref().ok_or(JoseError::Parameter("jwk"))?;
        jws.verify(key)?;
        let members = Members::of_object(&jws.payload, Path::ROOT);
        let id = members.str("jti")?;
        if !DPOP_ID_CHARS.contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(members
                .error("jti", "16 to 128 visible characters, drawn at random")
                .into());
        }
        if members.str("htm")? != request.method {
            return Err(DpopError::Method);
        }
        let wanted = target(request.url);
        if wanted.is_none() || target(members.str("htu")?) != wanted {
            return Err(DpopError::Url);
        }
        let issued =
            numeric_date(&members, "iat")?.ok_or_else(|| members.error("iat", "a time in seconds since 1970"))?;
        let skew = i64::from(request.clock_skew_seconds);
        if issued > now.checked_add_seconds(skew).unwrap_or(now) {
            return Err(DpopError::FromTheFuture);
        }
        if now.seconds_since(issued) > DPOP_AGE_SECONDS {
            return Err(DpopError::Old);
        }
        match (members.optional_str("ath")?, request.access_token) {
            (None, None) => {}
            (Some(said), Some(token)) if said == token_hash(token) => {}
            (None, Some(_)) => return Err(DpopError::TokenMissing),
            (Some(_), _) => return Err(DpopError::Token),
        }
        match (members.optional_str("nonce")?, request.nonce) {
            (Some(said), Some(nonce)) if said != nonce => return Err(DpopError::Nonce),
            _ => {}
        }
        // As long as the proof could be shown again, and by as much longer as a clock may be set back.
        let keep = DPOP_AGE_SECONDS + 2 * skew;
        Ok(Self {
            thumbprint: key.jwk_thumbprint(),
            id: id.to_owned(),
            until: issued.checked_add_seconds(keep).unwrap_or(issued),
            key: key.clone(),
        })
    }

    /// The key that its sender has.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The thumbprint of the key (RFC 7638), as it stands in `cnf.jkt`.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// What may be used once: the id, under the key. Another key's id is another one.
    #[must_use]
    pub fn one_time(&self) -> String {
        format!("{} {}", self.thumbprint, self.id)
    }

    /// Until when a use must be remembered.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }
}

/// Why a proof shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DpopError {
    /// Not a proof in the one form that is read, or its signature does not fit.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// A claim is missing or of the wrong kind.
    #[error("the claims of the DPoP proof: {0}")]
    Claim(#[from] MemberError),
    /// Made for another method.
    #[error("the DPoP proof was made for another method (htm)")]
    Method,
    /// Made for another URL.
    #[error("the DPoP proof was made for another URL (htu)")]
    Url,
    /// Made too long ago.
    #[error("the DPoP proof is older than {DPOP_AGE_SECONDS} s: make one for each request")]
    Old,
    /// Made later than now.
    #[error("the DPoP proof's iat lies in the future: set the clock")]
    FromTheFuture,
    /// Does not say which token it goes with.
    #[error("the DPoP proof has no ath: a proof beside an access token holds its hash")]
    TokenMissing,
    /// Goes with another token, or with one where there is none.
    #[error("the DPoP proof goes with another access token (ath)")]
    Token,
    /// Carries another nonce than the one that was handed out.
    #[error("the DPoP proof's nonce is not the one that was handed out")]
    Nonce,
}

/// A proof to be made.
#[derive(Clone, Copy, Debug)]
pub struct ProofDraft<'a> {
    /// `jti`: drawn at random, at least 96 bits.
    pub id: &'a str,
    /// `htm`.
    pub method: &'a str,
    /// `htu`.
    pub url: &'a str,
    /// `iat`.
    pub issued: Timestamp,
    /// The access token that is sent with it; its hash is `ath`.
    pub access_token: Option<&'a str>,
    /// `nonce`, if the server handed one out.
    pub nonce: Option<&'a str>,
}

impl ProofDraft<'_> {
    /// Signs the proof with a key of Ed25519 or P-256.
    ///
    /// # Errors
    /// [`SignError`] when the key cannot be used.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, SignError> {
        let mut payload = Object::new();
        payload.insert("jti", self.id);
        payload.insert("htm", self.method);
        payload.insert("htu", self.url);
        payload.insert("iat", self.issued.unix_seconds());
        if let Some(token) = self.access_token {
            payload.insert("ath", token_hash(token));
        }
        if let Some(nonce) = self.nonce {
            payload.insert("nonce", nonce);
        }
        jose::sign_embedding(&payload, signer)
    }
}

/// `ath`: SHA-256 of the token's text (RFC 9449 section 4.2).
#[must_use]
pub fn token_hash(token: &str) -> String {
    base64url(&Sha256::digest(token.as_bytes()))
}

/// The part of a URL that a proof is about, in its one form: scheme and host in lower case, no port that goes without
/// saying, no query, no fragment, escapes in upper case and only where they are needed (RFC 3986 section 6.2.2 and
/// 6.2.3). `None` if it is no `http` or `https` URL, or one that servers read differently: with a user, a dot segment,
/// a backslash, or anything but visible ASCII.
#[must_use]
pub fn target(url: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte);
    if url.len() > IDENTIFIER_BYTES.max(CHALLENGE_BYTES) || !url.bytes().all(plain) {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let usual = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let authority = authority.to_ascii_lowercase();
    let authority = authority.strip_suffix(usual).unwrap_or(&authority);
    let authority = authority.strip_suffix(':').unwrap_or(authority);
    if authority.is_empty() || authority.contains(['@', '%']) {
        return None;
    }
    let path = normal_path(path)?;
    Some(format!("{scheme}://{authority}{path}"))
}

/// The path with escapes in their one form; `None` if one is broken or a segment is a dot segment.
fn normal_path(path: &str) -> Option<String> {
    if path.is_empty() {
        return Some("/".to_owned());
    }
    let mut normal = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            normal.push(char::from(byte));
            continue;
        }
        let digit = |byte: Option<u8>| {
            char::from(byte?)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        let byte = digit(bytes.next())? << 4 | digit(bytes.next())?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            normal.push(char::from(byte));
        } else {
            normal.push_str(&format!("%{byte:02X}"));
        }
    }
    let dots = normal.split('/').any(|segment| matches!(segment, "." | ".."));
    (!dots).then_some(normal)
}
