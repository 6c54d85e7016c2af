//! The name of one request, in its answer and in the log.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName};

use super::super::limits::MAX_REQUEST_ID;

pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The request's id: the caller's own if it sent a harmless one, else a random one. In the
/// extensions of a guarded request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(HEADER).iter();
        let only = match (given.next(), given.next()) {
            (Some(only), None) => only.to_str().ok(),
            _ => None,
        };
        match only {
            Some(id) if is_harmless(id) => Self(id.into()),
            _ => Self::random(),
        }
    }

    fn random() -> Self {
        let mut bytes = [0; 16];
        // Without a random source all are called zero, which is no reason to refuse a request.
        let _no_source = getrandom::fill(&mut bytes);
        Self(format!("{:032x}", u128::from_be_bytes(bytes)).into())
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Nothing that could mean something in a log or a page.
fn is_harmless(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:~+/=".contains(&byte);
    (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(ids: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for id in ids {
            headers.append(HEADER, id.parse().unwrap());
        }
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn a_harmless_id_is_kept_and_others_are_replaced() {
        let longest = "a".repeat(MAX_REQUEST_ID);
        for id in ["1", "urn:uuid:c0ffee", longest.as_str()] {
            assert_eq!(of(&[id]), id);
        }
        let too_long = "a".repeat(MAX_REQUEST_ID + 1);
        for ids in [&[][..], &[""], &["<b>"], &["a b"], &[too_long.as_str()], &["1", "2"]] {
            let made = of(ids);
            assert_eq!(made.len(), 32, "{ids:?}");
            assert_ne!(made, of(ids));
        }
    }
}
