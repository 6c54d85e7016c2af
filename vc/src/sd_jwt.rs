//! SD-JWT credentials: signed claims of which the holder shows a part (RFC 9901, SD-JWT VC
//! `dc+sd-jwt`).
//!
//! The issuer signs digests; a *disclosure* is the salted text that a digest stands for. Issuing and
//! presenting are here; [`crate::verify::sd_jwt`] decides whether what is shown may be acted on.

mod disclosure;
mod issue;
mod unpack;

use sha2::{Digest, Sha256};

use crate::denial::{DenialCode, Reason};
use crate::jose::{self, Jws, TokenType, base64url};
use crate::json::members::Path;
use crate::key::{SignError, Signer};
use crate::limits::{DISCLOSURES, TOKEN_BYTES};
use crate::time::Timestamp;

pub use issue::{Concealment, issue};
pub(crate) use unpack::Unpacked;

/// Claims that a verifier must be able to rely on: never hidden (SD-JWT VC section 3.2.2.2).
const ALWAYS_SHOWN: [&str; 7] = ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status"];

/// The one digest algorithm (RFC 9901 section 4.1.1).
const DIGEST_ALGORITHM: &str = "sha-256";

/// SHA-256 in base64url without padding: what stands for a text.
pub(crate) fn digest(text: &str) -> String {
    base64url(&Sha256::digest(text.as_bytes()))
}

/// A refusal of a disclosure, or of what refers to it.
fn invalid(at: impl Into<String>, text: impl Into<String>) -> Reason {
    Reason::new(DenialCode::DisclosureInvalid, at, text)
}

/// The parts of an SD-JWT, as text.
#[derive(Debug)]
pub(crate) struct Parts<'t> {
    pub(crate) token: &'t str,
    pub(crate) disclosures: Vec<&'t str>,
    pub(crate) key_binding: Option<&'t str>,
    /// Everything up to the last tilde: what a key binding is made over.
    pub(crate) shown: &'t str,
}

impl<'t> Parts<'t> {
    /// `<token>~<disclosure>~...~<key binding, or nothing>`.
    pub(crate) fn of(text: &'t str) -> Result<Self, Reason> {
        if text.len() > TOKEN_BYTES {
            let message = format!("an SD-JWT has at most {TOKEN_BYTES} bytes: show less of it");
            return Err(Reason::new(DenialCode::DocumentTooLarge, "", message));
        }
        let malformed = |message: &str| Reason::new(DenialCode::EnvelopeMalformed, "", message);
        let (before, last) = text
            .rsplit_once('~')
            .ok_or_else(|| malformed("an SD-JWT ends in a tilde, or in a key binding after one"))?;
        let shown = text.get(..=before.len()).unwrap_or_default();
        let mut parts = before.split('~');
        let token = parts.next().unwrap_or_default();
        let disclosures: Vec<&str> = parts.take(DISCLOSURES + 1).collect();
        if disclosures.len() > DISCLOSURES {
            let message = format!("at most {DISCLOSURES} disclosures are read: show less of it");
            return Err(Reason::new(DenialCode::DocumentTooLarge, "", message));
        }
        if disclosures.iter().any(|text| text.is_empty()) {
            return Err(malformed("between two tildes stands a disclosure"));
        }
        Ok(Self {
            token,
            disclosures,
            key_binding: (!last.is_empty()).then_some(last),
            shown,
        })
    }
}

/// What the holder could show of an SD-JWT, as JSON Pointers into its claims.
///
/// # Errors
/// It cannot be read; nothing else is checked.
pub fn disclosable(text: &str) -> Result<Vec<String>, Reason> {
    let parts = Parts::of(text)?;
    let unpacked = read(&parts)?;
    Ok(unpacked.revealed.into_iter().map(|one| one.pointer).collect())
}

/// What the holder shows: the SD-JWT with only the disclosures that are named, and those that they
/// are part of. `show` has JSON Pointers as [`disclosable`] gives them. A former key binding is
/// dropped.
///
/// # Errors
/// It cannot be read, or a pointer names nothing that can be shown.
pub fn present(text: &str, show: &[&str]) -> Result<String, Reason> {
    let parts = Parts::of(text)?;
    let unpacked = read(&parts)?;
    let mut chosen = vec![false; parts.disclosures.len()];
    for pointer in show {
        let mut next = unpacked.revealed.iter().find(|one| one.pointer == *pointer);
        if next.is_none() {
            return Err(invalid(
                *pointer,
                "no disclosure is for this claim: it is always shown, or not there",
            ));
        }
        while let Some(one) = next {
            if let Some(chosen) = chosen.get_mut(one.disclosure) {
                *chosen = true;
            }
            next = unpacked
                .revealed
                .iter()
                .find(|other| Some(other.disclosure) == one.within);
        }
    }
    let mut out = format!("{}~", parts.token);
    for (disclosure, _) in parts.disclosures.iter().zip(chosen).filter(|(_, chosen)| *chosen) {
        out.push_str(disclosure);
        out.push('~');
    }
    Ok(out)
}

fn read(parts: &Parts<'_>) -> Result<Unpacked, Reason> {
    let jws = Jws::read(parts.token, TokenType::SdJwt).map_err(|error| error.reason(&Path::ROOT))?;
    Unpacked::of(&jws.payload, &parts.disclosures)
}

/// Binds what is shown to one verifier and its nonce with the holder's key (RFC 9901 section 4.3).
/// `shown` is what [`present`] made.
///
/// # Errors
/// [`SignError`] when the key cannot be used now.
pub fn bind(
    shown: &str,
    nonce: &str,
    audience: &str,
    created: Timestamp,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let mut claims = crate::json::Object::new();
    claims.insert("iat", created.unix_seconds());
    claims.insert("aud", audience);
    claims.insert("nonce", nonce);
    claims.insert("sd_hash", digest(shown));
    let token = jose::sign(TokenType::KeyBinding, None, &claims, signer)?;
    Ok(format!("{shown}{token}"))
}

#[cfg(test)]
mod tests;
