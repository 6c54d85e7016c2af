//! The one way a JSON body enters: bounded, of the right type, through the strict reader.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use futures::StreamExt;
use syndic_vc::json::{self, Value};

use super::body::BodyError;
use super::limits::MAX_BODY;
use super::problem::Problem;

/// The value of a JSON body and the bytes it was read from.
///
/// Refuses with a problem document: 415 for another content type, 413 for too much, 408 for too
/// slow, 400 `json-invalid` with the member `offset` (in bytes) for what the strict reader refuses.
#[derive(Debug, Clone)]
pub struct StrictJson(pub Value, pub Bytes);

impl<S: Send + Sync> FromRequest<S> for StrictJson {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        ensure_json(request.headers())?;
        let bytes = collect(request.into_body()).await?;
        let value = json::parse(&bytes).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, "json-invalid", error.to_string())
                .titled("The body is not acceptable JSON")
                .with("offset", error.offset)
        })?;
        Ok(Self(value, bytes))
    }
}

pub(super) async fn collect(body: Body) -> Result<Bytes, Problem> {
    let mut stream = body.into_data_stream();
    let mut all = Vec::new();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| BodyError::within(&error))?;
        if (all.len() + piece.len()) as u64 > MAX_BODY {
            return Err(Problem::too_large(MAX_BODY));
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.into())
}

fn ensure_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |detail: &str| Err(Problem::unsupported_media_type(detail));
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return refused("say Content-Type: application/json, once");
    };
    if !only.to_str().is_ok_and(is_json) {
        return refused("the body must be JSON: say Content-Type: application/json");
    }
    match headers.get(CONTENT_ENCODING) {
        None => Ok(()),
        Some(encoding) if encoding.as_bytes().eq_ignore_ascii_case(b"identity") => Ok(()),
        Some(_) => refused("an encoded body is not read: send it without Content-Encoding"),
    }
}

/// `application/json` or `application/<anything>+json`, in no character set but UTF-8.
fn is_json(text: &str) -> bool {
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = match essence.strip_prefix("application/") {
        Some("json") => true,
        Some(subtype) => subtype.len() > "+json".len() && subtype.ends_with("+json"),
        None => false,
    };
    let utf8 = parts
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .all(|(_, charset)| charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8"));
    json && utf8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_types_are_known() {
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/vc+json",
            "application/ld+json; profile=\"https://www.w3.org/ns/x\"",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "text/json",
            "application/jsonp",
            "application/+json",
            "application/json; charset=latin1",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
