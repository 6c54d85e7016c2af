//! Whether a token still holds (RFC 7662), and ending one early (RFC 7009).

use multibase::Base;
use syndic_vc::jose;
use syndic_vc::json;
use syndic_vc::json::{Object, Value};
use syndic_vc::time::Timestamp;
use syndic_vc::token::dpop::{CheckedProof, ProofRequest};
use syndic_vc::token::{CheckedToken, Expected};
use syndic_vc::trust::SpendError;
use syndic_vc::verify;

use super::grant::{PROOF, TOKEN};
use super::{OAuthError, issuer, signing_keys};
use crate::http::problem::Problem;
use crate::http::strict_form::Form;
use crate::node::{CLOCK_SKEW_SECONDS, Node};
use crate::one_time::Once;
use crate::{clock, knowledge};

/// The kind under which tokens that were ended early are remembered.
const REVOKED: &str = "token-revoked";

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A service, about tokens for it: its audience.
    Service(String),
    /// The organization's own people, about any; they are told why a token is inactive.
    Operator,
}

impl Asker {
    /// The service that HTTP Basic names (RFC 7617), if its secret is right.
    #[must_use]
    pub fn by_basic(node: &Node, authorization: &str) -> Option<Self> {
        let (scheme, encoded) = authorization.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = Base::Base64Pad.decode(encoded.trim()).ok()?;
        let (name, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
        let service = node
            .config
            .tokens
            .services
            .iter()
            .find(|service| service.name == name)?;
        service
            .is_its_secret(secret)
            .then(|| Self::Service(service.audience.clone()))
    }
}

/// Why a token is inactive, for those who may know.
struct Inactive(String);

/// Answers whether a token holds now, for the one who asks: its signature and end, that nobody ended it early, and that
/// every credential it rests on still holds by all that is known now. With `dpop_proof`, `dpop_method` and `dpop_url` also
/// that its sender has its key, and uses the proof for the first time; that is durable before it returns. Blocks.
///
/// # Errors
/// [`OAuthError`] if the question cannot be understood or answered. A token that does not hold is an answer.
pub fn introspect(node: &Node, form: &Form, asker: &Asker) -> Result<Value, OAuthError> {
    let text = form
        .get("token")
        .ok_or_else(|| OAuthError::Request("the parameter token is missing".to_owned()))?;
    let proof = shown_proof(form)?;
    match judge(node, text, proof, asker)? {
        Ok(token) => {
            let mut answer = token.payload().clone();
            answer.insert("active", true);
            answer.insert("token_type", "DPoP");
            Ok(answer.into())
        }
        Err(Inactive(why)) => {
            let mut answer = Object::new();
            answer.insert("active", false);
            if *asker == Asker::Operator {
                answer.insert("reason", why);
            }
            Ok(answer.into())
        }
    }
}

/// A proof that the service got with the token, and the method and URL of that request.
fn shown_proof(form: &Form) -> Result<Option<(&str, &str, &str)>, OAuthError> {
    match ["dpop_proof", "dpop_method", "dpop_url"].map(|name| form.get(name)) {
        [None, None, None] => Ok(None),
        [Some(proof), Some(method), Some(url)] => Ok(Some((proof, method, url))),
        _ => Err(OAuthError::Request(
            "dpop_proof, dpop_method and dpop_url come together".to_owned(),
        )),
    }
}

fn judge(
    node: &Node,
    text: &str,
    proof: Option<(&str, &str, &str)>,
    asker: &Asker,
) -> Result<Result<CheckedToken, Inactive>, OAuthError> {
    let inactive = |why: String| Ok(Err(Inactive(why)));
    let audience = match asker {
        Asker::Service(audience) => Some(audience.as_str()),
        Asker::Operator => None,
    };
    let token = match read(node, text, audience, clock::now()) {
        Ok(token) => token,
        Err(why) => return inactive(why),
    };
    let id = &token.claims().id;
    let Some(kept) = node.one_time.kept(TOKEN, id)? else {
        return inactive("nothing is known here of this token: the store was replaced".to_owned());
    };
    if node.one_time.kept(REVOKED, id)?.is_some() {
        return inactive("revoked by whoever had it".to_owned());
    }
    let shown = json::parse_with(&kept, &jose::document_limits()).map_err(|error| {
        tracing::error!(%error, "what is kept of a token cannot be read");
        Problem::unavailable("what is kept of this token cannot be read")
    })?;
    let known = knowledge::gather(node, &shown);
    // Other hosts may have been waited for.
    let now = clock::now();
    if token.claims().expires <= now {
        return inactive("the token ended while other hosts were asked".to_owned());
    }
    if let Err(denied) = verify::still_holds(&shown, &node.policy(), &known, now) {
        return inactive(denied.first().to_string());
    }
    match proof {
        Some(shown) => check_proof(node, text, &token, shown, now).map(|outcome| outcome.map(|()| token)),
        None => Ok(Ok(token)),
    }
}

fn read(node: &Node, text: &str, audience: Option<&str>, now: Timestamp) -> Result<CheckedToken, String> {
    let expected = Expected {
        issuer: issuer(node),
        audience,
        clock_skew_seconds: CLOCK_SKEW_SECONDS,
    };
    let keys = signing_keys::believed(&node.keys, node.config.tokens.key_generation, now);
    CheckedToken::read(text, &expected, &keys, now).map_err(|error| error.to_string())
}

fn check_proof(
    node: &Node,
    text: &str,
    token: &CheckedToken,
    (proof, method, url): (&str, &str, &str),
    now: Timestamp,
) -> Result<Result<(), Inactive>, OAuthError> {
    let inactive = |why: &str| Ok(Err(Inactive(why.to_owned())));
    let request = ProofRequest {
        method,
        url,
        access_token: Some(text),
        nonce: None,
        clock_skew_seconds: CLOCK_SKEW_SECONDS,
    };
    let proof = match CheckedProof::read(proof, &request, now) {
        Ok(proof) => proof,
        Err(error) => return inactive(&error.to_string()),
    };
    if proof.thumbprint() != token.claims().key_thumbprint {
        return inactive("the DPoP proof was made with another key than the token names");
    }
    let used = Once {
        kind: PROOF,
        value: &proof.one_time(),
        content: Vec::new(),
        until: proof.until(),
    };
    match node.one_time.remember(&[used], now) {
        Ok(()) => Ok(Ok(())),
        Err(SpendError::Unavailable(why)) => {
            Err(Problem::unavailable(format!("the proof cannot be remembered now: {why}")).into())
        }
        Err(_) => inactive("the DPoP proof was used before"),
    }
}

/// Ends a token early, durably. Whoever has it may: all it can do with that is to lose it. A text that is no token of
/// this node's, or has ended, needs nothing done (RFC 7009 section 2.2). Blocks.
///
/// # Errors
/// [`OAuthError`] if the parameter is missing, or it cannot be made durable now.
pub fn revoke(node: &Node, form: &Form, now: Timestamp) -> Result<(), OAuthError> {
    let text = form
        .get("token")
        .ok_or_else(|| OAuthError::Request("the parameter token is missing".to_owned()))?;
    let Ok(token) = read(node, text, None, now) else {
        return Ok(());
    };
    let claims = token.claims();
    let row = Once {
        kind: REVOKED,
        value: &claims.id,
        content: Vec::new(),
        until: claims.expires,
    };
    match node.one_time.remember(&[row], now) {
        Ok(()) | Err(SpendError::Used | SpendError::Expired) => Ok(()),
        Err(error) => Err(Problem::unavailable(format!("the token cannot be revoked now: {error}")).into()),
    }
}
