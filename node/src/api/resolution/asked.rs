//! What was asked: the DID URL in the path, and the options in the query.

use syndic_vc::dereference::{Parameters, percent_decoded};
use syndic_vc::did::{DidError, DidUrl};

use super::accept::Form;
use super::answer::Failure;

/// A request that can be carried out.
#[derive(Debug)]
pub(super) struct Asked {
    /// What is to be resolved.
    pub(super) url: DidUrl,
    /// Its own parameters and the request's.
    pub(super) parameters: Parameters,
    /// The form of the answer.
    pub(super) form: Form,
}

impl Asked {
    /// Reads the rest of the path as it stands on the wire, and the query.
    pub(super) fn read(text: &str, query: Option<&str>, form: Form) -> Result<Self, Failure> {
        let dereferencing = form == Form::Dereferencing;
        let text = unwrapped(text).ok_or_else(|| Failure::invalid(dereferencing, "it is not percent-encoded UTF-8"))?;
        let url = DidUrl::parse(&text)
            .map_err(|error| Failure::invalid(dereferencing || error == DidError::UrlPart, &error.to_string()))?;
        let queries = url.query().into_iter().chain(query);
        let parameters = Parameters::read(queries).map_err(|error| Failure::invalid_options(&error.to_string()))?;
        let part = !url.path().is_empty() || url.fragment().is_some();
        let form = match form {
            // Nobody who names a part of a document wants to be told that resolution gives whole ones; but who asks
            // for a resolution result in so many words, does not get another thing.
            Form::Json if part => Form::Dereferencing,
            Form::Resolution | Form::Universal if part && parameters.service.is_none() => {
                let why = "a DID URL with a path or a fragment is dereferenced, not resolved; \
                           ask for application/did-url-dereferencing";
                return Err(Failure::invalid(false, why));
            }
            other => other,
        };
        Ok(Self { url, parameters, form })
    }
}

/// The DID URL in the path of a request.
///
/// A DID may stand there as it is or percent-encoded, and may have percent-encoded characters of its own
/// (`did:web:localhost%3A8443`). What begins with `did:` and escapes nothing but what a DID may hold stands there as
/// it is; everything else is decoded once.
fn unwrapped(text: &str) -> Option<String> {
    let escapes = text
        .match_indices('%')
        .map(|(at, _)| text.get(at + 1..at + 3).unwrap_or_default());
    // `%`, `#`, `?` and `/`: no DID needs them, so somebody escaped the whole.
    let wrapped = !text.starts_with("did:")
        || escapes
            .into_iter()
            .any(|hex| matches!(hex, "25" | "23" | "3F" | "3f" | "2F" | "2f"));
    if wrapped {
        percent_decoded(text)
    } else {
        Some(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_did_may_stand_in_the_path_raw_or_escaped() {
        for (path, expected) in [
            ("did:key:z6Mk", "did:key:z6Mk"),
            ("did%3Akey%3Az6Mk", "did:key:z6Mk"),
            ("did:web:localhost%3A8443:a", "did:web:localhost%3A8443:a"),
            ("did%3Aweb%3Alocalhost%253A8443%3Aa", "did:web:localhost%3A8443:a"),
            ("did:web:localhost%253A8443", "did:web:localhost%3A8443"),
            ("did:key:z6Mk%23z6Mk", "did:key:z6Mk#z6Mk"),
            ("did:key:z6Mk%3Fservice=a%23b", "did:key:z6Mk?service=a#b"),
            ("did%3akey%3az6Mk", "did:key:z6Mk"),
        ] {
            let asked = Asked::read(path, None, Form::Dereferencing).unwrap();
            assert_eq!(asked.url.as_str(), expected, "{path}");
        }
        for path in [
            "",
            "did",
            "did%3",
            "did%3Akey%3A%ff",
            "%zz",
            "did:key:z6Mk%2500%",
            "did:key:z6Mk%23%20",
        ] {
            assert!(Asked::read(path, None, Form::Dereferencing).is_err(), "{path}");
        }
    }
}
