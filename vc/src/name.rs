//! Texts that people see, and identifiers that only machines compare.

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::limits::{IDENTIFIER_BYTES, NAME_BYTES};

/// Whether the text may be shown to people as a name: not empty, at most [`NAME_BYTES`] bytes, in
/// Unicode normalization form C, without control characters and without characters that change
/// the direction of text or are invisible. Two names that look alike to a careful reader are then
/// more likely to be the same text.
#[must_use]
pub fn is_presentable(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= NAME_BYTES
        && text.trim() == text
        && (text.bytes().all(|b| matches!(b, b' '..=b'~'))
            || (text.chars().all(is_visible) && ComposingNormalizerBorrowed::new_nfc().is_normalized(text)))
}

/// Neither a control character nor one that is invisible or reorders its neighbours.
const fn is_visible(c: char) -> bool {
    !matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'   // controls
        | '\u{ad}' | '\u{61c}' | '\u{180e}'     // soft hyphen, Arabic letter mark, Mongolian vowel separator
        | '\u{200b}'..='\u{200f}'               // zero width, directional marks
        | '\u{2028}'..='\u{202e}'               // line and paragraph separators, directional embeddings
        | '\u{2060}'..='\u{206f}'               // word joiner, directional isolates, deprecated controls
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}'  // byte order mark, interlinear annotation
        | '\u{e0000}'..='\u{e0fff}'             // tags
    )
}

/// Whether the text is an absolute URL as identifiers in documents must be (RFC 3986: a scheme, a
/// colon, and something after it, in ASCII without spaces), at most [`IDENTIFIER_BYTES`] long.
///
/// DIDs and URNs are URLs in this sense (VCDM 2.0 section 4.4).
#[must_use]
pub fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    text.len() <= IDENTIFIER_BYTES
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        && !matches!(rest, "" | "/" | "//")
        && rest.bytes().all(|b| URL_BYTES.get(usize::from(b)) == Some(&true))
}

/// Visible ASCII, except what RFC 3986 leaves out. A table, because every identifier of every
/// document passes here.
const URL_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    // In a constant, an index beyond the end is a compile error.
    #[allow(clippy::indexing_slicing)]
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
        byte += 1;
    }
    table
};

/// Whether the text is an `https` URL with a host.
#[must_use]
pub fn is_https(text: &str) -> bool {
    is_url(text)
        && text
            .strip_prefix("https://")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['))
}

/// Whether the text is a UUID as a URN (RFC 9562 section 4), in lower case.
#[must_use]
pub fn is_uuid_urn(text: &str) -> bool {
    text.strip_prefix("urn:uuid:").is_some_and(|uuid| {
        uuid.len() == 36
            && uuid.bytes().enumerate().all(|(at, b)| match at {
                8 | 13 | 18 | 23 => b == b'-',
                _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_they_look_like() {
        for good in [
            "CustomerSupportAgent-v2.3",
            "Zoë",
            "東京病院",
            "Ana María (triage)",
            "مستشفى",
        ] {
            assert!(is_presentable(good), "{good}");
        }
        let long = "x".repeat(NAME_BYTES + 1);
        for bad in [
            "",
            " ",
            "a ",
            " a",
            "a\nb",
            "a\u{0}",
            "Zoe\u{308}",
            "admin\u{202e}nimda",
            "a\u{200b}b",
            "a\u{2066}b",
            "a\u{feff}",
            "a\u{e0041}",
            "a\u{ad}b",
            &long,
        ] {
            assert!(!is_presentable(bad), "{bad:?}");
        }
    }

    #[test]
    fn urls_are_absolute_and_plain() {
        for good in [
            "https://a.example/x?y#z",
            "did:key:z6Mk",
            "urn:uuid:1",
            "mailto:ana@a.example",
        ] {
            assert!(is_url(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "/a",
            "a b:c",
            "1a:b",
            ":b",
            "https:",
            "https://",
            "https://a b",
            "https://ä",
            "x:<y>",
        ] {
            assert!(!is_url(bad), "{bad}");
        }
        assert!(is_https("https://a.example/s/1") && !is_https("http://a.example") && !is_https("https:///x"));
        assert!(is_uuid_urn("urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"));
        assert!(!is_uuid_urn("urn:uuid:58172AAC-d8ba-11ed-83dd-0b3aef56cc33"));
        assert!(!is_uuid_urn("urn:uuid:58172aac"));
    }
}
