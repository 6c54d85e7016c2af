//! Access tokens: what a verified presentation allows, for services that know OAuth and no
//! credentials (RFC 9068, RFC 9396, RFC 9449; "Agent Authorization Profile for OAuth 2.0").
//!
//! A token is a JWT that the verifier's organization signs. It names an agent, one service, what was
//! granted with all its constraints, and the key without which it is worth nothing. Reading one says
//! that it was made so and has not ended; whether its credentials still hold, only its issuer knows.
//! `specs/10-tokens.md` writes the format down.

pub mod details;
pub mod dpop;
pub mod permit;
mod profile;

use crate::capability::Capability;
use crate::denial::Reason;
use crate::did::Did;
use crate::enveloped::numeric_date;
use crate::jose::{self, JoseError, Jws, TokenType};
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Limits, Object, Value};
use crate::key::{KeyKind, PublicKey, SignError, Signer};
use crate::limits::{ACCESS_TOKEN_BYTES, ACCESS_TOKEN_SECONDS, CHALLENGE_BYTES, IDENTIFIER_BYTES};
use crate::time::Timestamp;

pub use profile::{Profile, Task};

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// `jti`: its name, never used twice.
    pub id: String,
    /// `iss`: the URL of the authorization server.
    pub issuer: String,
    /// `aud`: the one service that it is for.
    pub audience: String,
    /// `sub` and `client_id`: the agent.
    pub agent: Did,
    /// `iat`, in whole seconds.
    pub issued: Timestamp,
    /// `exp`, in whole seconds.
    pub expires: Timestamp,
    /// `cnf.jkt`: thumbprint of the key that every use must be signed with (RFC 7638).
    pub key_thumbprint: String,
    /// `authorization_details`: what is allowed; at least one.
    pub grants: Vec<Capability>,
    /// The claims of the agent profile.
    pub profile: Profile,
}

impl AccessClaims {
    /// Signs the token with an Ed25519 key; `kid` is its thumbprint.
    ///
    /// # Errors
    /// [`MakeError`].
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, MakeError> {
        let key = signer.public_key();
        if key.kind() != KeyKind::Ed25519 {
            return Err(MakeError::Sign(SignError(
                "access tokens are signed with Ed25519".to_owned(),
            )));
        }
        let token = jose::sign(
            TokenType::Access,
            Some(&key.jwk_thumbprint()),
            &self.to_payload(),
            signer,
        )?;
        if token.len() > ACCESS_TOKEN_BYTES {
            return Err(MakeError::TooLarge(token.len()));
        }
        Ok(token)
    }

    fn to_payload(&self) -> Object {
        let mut payload = Object::new();
        payload.insert("iss", self.issuer.as_str());
        payload.insert("sub", &self.agent);
        payload.insert("client_id", &self.agent);
        payload.insert("aud", self.audience.as_str());
        payload.insert("iat", self.issued.unix_seconds());
        payload.insert("exp", self.expires.unix_seconds());
        payload.insert("jti", self.id.as_str());
        payload.insert("cnf", crate::object! { "jkt": self.key_thumbprint.as_str() });
        payload.insert(
            "authorization_details",
            self.grants.iter().map(details::to_json).collect::<Value>(),
        );
        self.profile.write(self, &mut payload);
        payload
    }

    fn read(payload: &Object) -> Result<Self, TokenError> {
        let members = Members::of_object(payload, Path::ROOT);
        let bounded = |name: &str, most: usize| -> Result<String, MemberError> {
            let text = members.str(name)?;
            (1..=most)
                .contains(&text.len())
                .then(|| text.to_owned())
                .ok_or_else(|| members.error(name, "a text of usual length"))
        };
        let time = |name: &str| -> Result<Timestamp, MemberError> {
            numeric_date(&members, name)?.ok_or_else(|| members.error(name, "a time in seconds since 1970"))
        };
        let agent = Did::parse(members.str("sub")?).map_err(|_| members.error("sub", "the DID of an agent"))?;
        members.literal("client_id", agent.as_str(), "the same as sub")?;
        let cnf = members.object("cnf")?;
        let key_thumbprint = cnf.str("jkt")?.to_owned();
        cnf.finish_closed()?;
        let items = members.array("authorization_details")?;
        let grants = details::read(items, &members.at("authorization_details")).map_err(TokenError::Details)?;
        let claims = Self {
            id: bounded("jti", CHALLENGE_BYTES)?,
            issuer: bounded("iss", IDENTIFIER_BYTES)?,
            audience: bounded("aud", IDENTIFIER_BYTES)?,
            issued: time("iat")?,
            expires: time("exp")?,
            profile: Profile::read(&members, &agent)?,
            agent,
            key_thumbprint,
            grants,
        };
        Ok(claims)
    }
}

/// Why a token could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// It would not fit into a header line.
    #[error("the token would have {0} bytes, and at most {ACCESS_TOKEN_BYTES} travel in a header: ask for less")]
    TooLarge(usize),
    /// The key cannot be used now.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// What a token must be for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The authorization server.
    pub issuer: &'a str,
    /// The service; `None`: whoever asks takes tokens for any.
    pub audience: Option<&'a str>,
    /// How far the issuer's clock may run ahead.
    pub clock_skew_seconds: u32,
}

/// A token that its issuer made, for this service, and that has not ended.
///
/// It does not say that its credentials still hold: see the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedToken {
    claims: AccessClaims,
    payload: Object,
}

impl CheckedToken {
    /// Reads a token of the issuer whose keys these are.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read(text: &str, expected: &Expected<'_>, keys: &[PublicKey], now: Timestamp) -> Result<Self, TokenError> {
        let jws = Jws::read_within(text, TokenType::Access, ACCESS_TOKEN_BYTES, &Limits::default())?;
        // Ed25519 alone signs access tokens; another algorithm is refused before any key is looked for.
        if jws.kind != KeyKind::Ed25519 {
            return Err(JoseError::Algorithm(jws.kind.as_str().to_owned()).into());
        }
        let kid = jws.kid.as_deref().ok_or(TokenError::KeyUnknown)?;
        let key = keys.iter().find(|key| key.jwk_thumbprint() == kid);
        jws.verify(key.ok_or(TokenError::KeyUnknown)?)?;
        let claims = AccessClaims::read(&jws.payload)?;
        if claims.issuer != expected.issuer {
            return Err(TokenError::Issuer);
        }
        if expected.audience.is_some_and(|audience| audience != claims.audience) {
            return Err(TokenError::Audience);
        }
        let latest = now
            .checked_add_seconds(expected.clock_skew_seconds.into())
            .unwrap_or(now);
        if claims.issued > latest {
            return Err(TokenError::FromTheFuture);
        }
        let life = claims.expires.seconds_since(claims.issued);
        if !(1..=ACCESS_TOKEN_SECONDS).contains(&life) {
            return Err(TokenError::Life);
        }
        if claims.expires <= now {
            return Err(TokenError::Expired(claims.expires));
        }
        Ok(Self {
            claims,
            payload: jws.payload,
        })
    }

    /// What it says.
    #[must_use]
    pub const fn claims(&self) -> &AccessClaims {
        &self.claims
    }

    /// All its claims as they were signed.
    #[must_use]
    pub const fn payload(&self) -> &Object {
        &self.payload
    }
}

/// The token is not one to act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not an access token in the one form that is read, or its signature does not fit.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// A claim is missing or of the wrong kind.
    #[error("the claims of the token: {0}")]
    Claim(#[from] MemberError),
    /// What it grants cannot be read.
    #[error("the token's authorization_details: {0}")]
    Details(Reason),
    /// None of the issuer's keys in use signed it: fetch the issuer's keys again.
    #[error("the token was signed by none of the issuer's keys in use")]
    KeyUnknown,
    /// Another authorization server made it.
    #[error("the token's iss is another authorization server")]
    Issuer,
    /// It is for another service.
    #[error("the token is for another service: get one for this")]
    Audience,
    /// It has ended.
    #[error("the token ended at {0}: get a new one")]
    Expired(Timestamp),
    /// It was made later than now.
    #[error("the token's iat lies in the future: set the clock")]
    FromTheFuture,
    /// It ends before it begins, or lives too long.
    #[error("the token lives for no time, or for more than {ACCESS_TOKEN_SECONDS} s")]
    Life,
}

#[cfg(test)]
mod tests;
