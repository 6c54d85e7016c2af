//! The parameters of a signature (RFC 9421 section 2.3).

use sfv::{BareItem, InnerList};

use super::{HttpSignatureError, SIGNATURE_INPUT};
use crate::did::DidUrl;
use crate::time::Timestamp;

/// By whose key, when, for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// When it was signed, to the second.
    pub created: Timestamp,
    /// Until when it may be used.
    pub expires: Timestamp,
    /// Never used before by this agent: at least 128 random bits in base64url.
    pub nonce: String,
    /// The verification method of the agent.
    pub key_id: DidUrl,
}

pub(super) enum Item<'a> {
    Time(i64),
    Text(&'a str),
}

impl Parameters {
    /// In the order in which they are written.
    pub(super) fn items(&self) -> [(&'static str, Item<'_>); 4] {
        [
            ("created", Item::Time(self.created.unix_seconds())),
            ("expires", Item::Time(self.expires.unix_seconds())),
            ("nonce", Item::Text(&self.nonce)),
            ("keyid", Item::Text(self.key_id.as_str())),
        ]
    }
}

/// The parameters, all of which must be there, and the algorithm, which need not. A parameter that is not known here is
/// signed with the others and means nothing.
pub(super) fn read(list: &InnerList) -> Result<(Parameters, Option<String>), HttpSignatureError> {
    let malformed = |why| HttpSignatureError::Malformed {
        field: SIGNATURE_INPUT,
        why,
    };
    let text = |name: &str, why| {
        let value = list.params.get(name).map(BareItem::as_string);
        match value {
            Some(Some(text)) => Ok(Some(text.as_str())),
            Some(None) => Err(malformed(why)),
            None => Ok(None),
        }
    };
    let time = |name: &str, why| {
        let seconds = list.params.get(name).and_then(BareItem::as_integer);
        let time = seconds.and_then(|seconds| Timestamp::from_unix_seconds(seconds.into()).ok());
        time.ok_or_else(|| malformed(why))
    };
    let nonce = "it has no nonce of at least 128 random bits in base64url, 22 to 86 characters";
    let key_id = "its keyid is not the DID URL of a key";
    let parameters = Parameters {
        created: time("created", "it does not say when it was created, in seconds")?,
        expires: time("expires", "it does not say when it expires, in seconds")?,
        nonce: text("nonce", nonce)?
            .filter(|nonce| crate::action::is_nonce(nonce))
            .ok_or_else(|| malformed(nonce))?
            .to_owned(),
        key_id: text("keyid", key_id)?
            .and_then(|text| DidUrl::parse(text).ok())
            .filter(|url| url.fragment().is_some())
            .ok_or_else(|| malformed(key_id))?,
    };
    let algorithm = text("alg", "its alg is not a string")?.map(str::to_owned);
    Ok((parameters, algorithm))
}
