//! The one way a form enters (`application/x-www-form-urlencoded`): bounded, and read strictly, because OAuth's
//! parameters stand in one. A name that comes twice, an escape that is broken or bytes that are no UTF-8 are errors.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::problem::Problem;
use super::strict_json::collect;

/// Parameters of one form; OAuth's requests have about ten.
const MAX_PARAMETERS: usize = 64;

/// The bytes of a form.
///
/// Refuses with a problem document: 415 for another content type, 413 for too much, 408 for too slow.
#[derive(Debug, Clone)]
pub struct FormBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for FormBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let refused = || Problem::unsupported_media_type("say Content-Type: application/x-www-form-urlencoded, once");
        let mut types = request.headers().get_all(CONTENT_TYPE).iter();
        let (Some(only), None) = (types.next(), types.next()) else {
            return Err(refused());
        };
        let essence = only
            .to_str()
            .ok()
            .and_then(|text| text.split(';').next())
            .unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(refused());
        }
        if request.headers().contains_key(CONTENT_ENCODING) {
            return Err(Problem::unsupported_media_type(
                "an encoded body is not read: send it without Content-Encoding",
            ));
        }
        collect(request.into_body()).await.map(Self)
    }
}

/// The parameters of a form. One without a value counts as not sent (RFC 6749 section 3.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

/// The form cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// The same name twice.
    #[error("the parameter {0} comes twice")]
    Twice(String),
    /// A broken escape, or bytes that are no UTF-8.
    #[error("the form is not UTF-8 in x-www-form-urlencoded")]
    Encoding,
    /// Too many.
    #[error("more than {MAX_PARAMETERS} parameters")]
    TooMany,
}

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut all: Vec<(String, String)> = Vec::new();
        for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (
                    pair.get(..at).unwrap_or_default(),
                    pair.get(at + 1..).unwrap_or_default(),
                ),
                None => (pair, &[][..]),
            };
            let (name, value) = (decoded(name)?, decoded(value)?);
            if all.iter().any(|(other, _)| *other == name) {
                return Err(FormError::Twice(name.chars().take(64).collect()));
            }
            all.push((name, value));
            if all.len() > MAX_PARAMETERS {
                return Err(FormError::TooMany);
            }
        }
        all.retain(|(_, value)| !value.is_empty());
        Ok(Self(all))
    }

    /// A parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

fn decoded(bytes: &[u8]) -> Result<String, FormError> {
    let digit = |byte: Option<&u8>| {
        char::from(*byte?)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                high.ok_or(FormError::Encoding)? << 4 | low.ok_or(FormError::Encoding)?
            }
            other => *other,
        });
    }
    String::from_utf8(plain).map_err(|_| FormError::Encoding)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parameters_are_decoded_and_empty_ones_are_not_there() {
        let form = Form::parse(b"grant_type=urn%3Aa%3Ab&scope=read%3Aa+write:b&empty=&bare&x=%C3%A9=").unwrap();
        assert_eq!(form.get("grant_type"), Some("urn:a:b"));
        assert_eq!(form.get("scope"), Some("read:a write:b"));
        assert_eq!(form.get("x"), Some("\u{e9}="));
        assert_eq!(
            (form.get("empty"), form.get("bare"), form.get("other")),
            (None, None, None)
        );
        assert_eq!(Form::parse(b"").unwrap(), Form::default());
    }

    #[test]
    fn what_could_be_read_two_ways_is_refused() {
        assert_eq!(Form::parse(b"a=1&a=1"), Err(FormError::Twice("a".to_owned())));
        assert_eq!(Form::parse(b"a=&a=1"), Err(FormError::Twice("a".to_owned())));
        assert_eq!(Form::parse(b"a=1&%61=2"), Err(FormError::Twice("a".to_owned())));
        for broken in ["a=%", "a=%4", "a=%zz", "%ff=1", "a=%c3"] {
            assert_eq!(Form::parse(broken.as_bytes()), Err(FormError::Encoding), "{broken}");
        }
        let many: Vec<String> = (0..65).map(|n| format!("p{n}=1")).collect();
        assert_eq!(Form::parse(many.join("&").as_bytes()), Err(FormError::TooMany));
        assert!(Form::parse(many.get(..64).unwrap().join("&").as_bytes()).is_ok());
    }
}
