//! Which text of others may stand in a charter or a statement.

use crate::limits;

/// A name shown to people: no control, direction, invisible or private characters, no white space
/// but single spaces inside. What a person reads must be what is compared.
pub(crate) fn is_shown_name(name: &str) -> bool {
    let bounded = (1..=limits::NAME_BYTES).contains(&name.len());
    bounded && name.trim() == name && !name.contains("  ") && name.chars().all(is_shown)
}

fn is_shown(c: char) -> bool {
    let hidden = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}');
    let nothing = u32::from(c) & 0xfffe == 0xfffe;
    !(c.is_control() || (c.is_whitespace() && c != ' ') || hidden || nothing)
}

/// An identifier of somebody or something: a DID or another URI, printable ASCII.
pub(crate) fn is_identifier(text: &str) -> bool {
    let bounded = (3..=limits::ADDRESS_BYTES).contains(&text.len());
    let scheme = text.split_once(':').is_some_and(|(scheme, rest)| {
        let bytes = scheme.as_bytes();
        bytes.first().is_some_and(u8::is_ascii_alphabetic)
            && bytes
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
            && !rest.is_empty()
    });
    bounded && scheme && text.bytes().all(is_uri_byte)
}

/// An `http` or `https` URL with a host and without fragment or user.
pub(crate) fn is_http_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let host_ok = !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
    text.len() <= limits::ADDRESS_BYTES
        && host_ok
        && rest.bytes().all(|b| is_uri_byte(b) && b != b'#')
}

/// What RFC 3986 lets stand in a URI, unescaped or as part of an escape.
fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

/// The text of a multiaddr; which of its parts a node can dial is the node's to say.
pub(crate) fn is_multiaddr(text: &str) -> bool {
    text.len() <= limits::ADDRESS_BYTES
        && text.len() > 1
        && text.starts_with('/')
        && !text.ends_with('/')
        && text.bytes().all(is_uri_byte)
}

/// The text of a libp2p peer id: base58btc.
pub(crate) fn is_peer_id(text: &str) -> bool {
    (40..=limits::PEER_ID_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l'))
}

/// The name of an action: `[a-z][a-z0-9_.-]*`.
pub(crate) fn is_action(text: &str) -> bool {
    text.len() <= limits::ACTION_BYTES
        && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && text.bytes().all(|b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-')
        })
}

/// A resource: segments of `[A-Za-z0-9_.~:@-]` joined by `/`, none empty or only dots; the last
/// may be `*`.
pub(crate) fn is_resource(text: &str) -> bool {
    let path = match text.strip_suffix("/*") {
        _ if text == "*" => return true,
        Some(path) => path,
        None => text,
    };
    text.len() <= limits::RESOURCE_BYTES
        && path.split('/').all(|segment| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|b| {
                    b.is_ascii_alphanumeric()
                        || matches!(b, b'_' | b'.' | b'~' | b':' | b'@' | b'-')
                })
        })
}
