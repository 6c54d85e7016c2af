//! Which form of answer a caller takes (RFC 9110 section 12.5.1).

use axum::http::{HeaderMap, header};

/// The forms an answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A resolution result.
    Resolution,
    /// A resolution result for those who ask for JSON by its plain name.
    Json,
    /// A resolution result as the Universal Resolver writes it.
    Universal,
    /// A dereferencing result.
    Dereferencing,
    /// The document alone, under the name it was asked for by.
    Document(&'static str),
}

/// All forms, the one that is given when the caller does not mind first.
const FORMS: [Form; 7] = [
    Form::Resolution,
    Form::Document("application/did"),
    Form::Document("application/did+json"),
    Form::Document("application/did+ld+json"),
    Form::Dereferencing,
    Form::Universal,
    Form::Json,
];

/// The parameter of the Universal Resolver's media type.
const PROFILE: &str = "https://w3id.org/did-resolution";

/// Media ranges that are looked at. A browser sends about ten.
const RANGES: usize = 32;

impl Form {
    /// The Content-Type of an answer in this form.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Resolution => "application/did-resolution",
            Self::Json => "application/json",
            Self::Universal => "application/ld+json;profile=\"https://w3id.org/did-resolution\"",
            Self::Dereferencing => "application/did-url-dereferencing",
            Self::Document(media_type) => media_type,
        }
    }

    fn essence(self) -> &'static str {
        match self {
            Self::Universal => "application/ld+json",
            other => other.media_type(),
        }
    }
}

/// One range of an `Accept` header.
struct Range<'a> {
    media_type: &'a str,
    profile: Option<&'a str>,
    /// Thousandths.
    weight: u16,
}

/// The form that the caller prefers among those there are; `None` if it takes none of them. Without the header, it
/// takes anything.
pub(super) fn form_of(headers: &HeaderMap) -> Option<Form> {
    let mut lines = Vec::new();
    for line in headers.get_all(header::ACCEPT) {
        lines.push(line.to_str().ok()?);
    }
    let ranges: Vec<Range<'_>> = lines
        .iter()
        .flat_map(|line| split(line, ','))
        .filter(|range| !range.trim().is_empty())
        .take(RANGES)
        .filter_map(Range::read)
        .collect();
    if lines.iter().all(|line| line.trim().is_empty()) {
        return Some(Form::Resolution);
    }
    // Of forms of the same weight, the one that was named first; of those, the one that is usual here.
    FORMS
        .into_iter()
        .filter_map(|form| ranges_for(form, &ranges).map(|(weight, place)| (form, weight, place)))
        .fold(None, |best: Option<(Form, u16, usize)>, next| match best {
            Some(best) if (best.1, usize::MAX - best.2) >= (next.1, usize::MAX - next.2) => Some(best),
            _ => Some(next),
        })
        .map(|(form, ..)| form)
}

/// Weight and place of the range that speaks for a form: the most specific one (RFC 9110 section 12.5.1).
fn ranges_for(form: Form, ranges: &[Range<'_>]) -> Option<(u16, usize)> {
    let matching = ranges
        .iter()
        .enumerate()
        .filter_map(|(place, range)| range.precision(form).map(|precision| (precision, place, range.weight)));
    // Of two equally specific ranges, the first.
    let (_, place, weight) = matching.max_by_key(|(precision, place, _)| (*precision, usize::MAX - place))?;
    (weight > 0).then_some((weight, place))
}

impl<'a> Range<'a> {
    /// One that cannot be read asks for nothing.
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = split(text, ';').into_iter().map(str::trim);
        let mut range = Self {
            media_type: parts.next()?,
            profile: None,
            weight: 1_000,
        };
        for parameter in parts {
            let (name, value) = parameter.split_once('=')?;
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => range.weight = weight(value)?,
                "profile" => {
                    range.profile = Some(
                        value
                            .strip_prefix('"')
                            .and_then(|v| v.strip_suffix('"'))
                            .unwrap_or(value),
                    )
                }
                _ => {}
            }
        }
        Some(range)
    }

    /// How specifically this range names the form; `None` if it does not.
    fn precision(&self, form: Form) -> Option<u8> {
        let named = self.media_type.eq_ignore_ascii_case(form.essence());
        match (named, self.profile) {
            (true, Some(PROFILE)) if form == Form::Universal => Some(3),
            (_, Some(_)) => None,
            (true, None) => Some(2),
            (false, None) if self.media_type.eq_ignore_ascii_case("application/*") => Some(1),
            (false, None) if self.media_type == "*/*" => Some(0),
            (false, None) => None,
        }
    }
}

/// `0` to `1` with at most three digits after the point (RFC 9110 section 12.4.2), in thousandths.
fn weight(text: &str) -> Option<u16> {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    if digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{digits:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

/// Splits outside of quoted strings.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c: char| {
        let here = c == at && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        here
    })
    .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn form(accept: &[&str]) -> Option<Form> {
        let mut headers = HeaderMap::new();
        for line in accept {
            headers.append(header::ACCEPT, line.parse().unwrap());
        }
        form_of(&headers)
    }

    const DID: Form = Form::Document("application/did");

    #[test]
    fn the_caller_gets_what_it_prefers() {
        for (accept, expected) in [
            ("*/*", Form::Resolution),
            ("", Form::Resolution),
            ("application/*", Form::Resolution),
            ("application/json", Form::Json),
            ("application/did", DID),
            ("Application/DID", DID),
            ("application/did+ld+json", Form::Document("application/did+ld+json")),
            ("application/did-url-dereferencing", Form::Dereferencing),
            (
                "application/ld+json;profile=\"https://w3id.org/did-resolution\"",
                Form::Universal,
            ),
            (
                "application/ld+json; profile=https://w3id.org/did-resolution ;q=0.5",
                Form::Universal,
            ),
            ("application/ld+json", Form::Universal),
            ("text/html, application/did;q=0.1", DID),
            (
                "application/did;q=0.1, application/did-resolution;q=0.9",
                Form::Resolution,
            ),
            ("application/did-resolution;q=0.1, application/did", DID),
            ("application/did, application/did-resolution", DID),
            ("*/*, application/did-resolution;q=0", DID),
            ("*/*;q=0.1, application/did;q=0.2", DID),
            ("application/did;q=0, */*", Form::Resolution),
            ("a/b;c=\"x,application/did\", application/json", Form::Json),
            ("application/did;q=0.9999, application/json", Form::Json),
        ] {
            assert_eq!(form(&[accept]), Some(expected), "{accept}");
        }
        assert_eq!(form(&[]), Some(Form::Resolution));
        assert_eq!(form(&["text/html", "application/did"]), Some(DID));
    }

    #[test]
    fn a_caller_that_takes_nothing_of_it_gets_nothing() {
        for accept in [
            "text/html",
            "application/did+cbor",
            "application/did;q=0",
            "*/*;q=0",
            "*/*;q=0.0, text/html",
            "application/did;q=2",
            "application/did;q=-1",
            "application/did;q",
            "application/ld+json;profile=\"https://example.org/\"",
            "application/did;profile=\"https://w3id.org/did-resolution\"",
            "nonsense",
            ";;;",
            ",,,",
        ] {
            assert_eq!(form(&[accept]), None, "{accept}");
        }
    }
}
