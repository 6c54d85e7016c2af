//! Which addresses of others may stand in a charter or a statement.

use crate::limits;

/// An `http` or `https` URL with a host and without fragment or user.
pub(crate) fn is_http_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let is_host_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    text.len() <= limits::ADDRESS_BYTES
        && !host.is_empty()
        && host.bytes().all(is_host_byte)
        && rest.bytes().all(|b| is_uri_byte(b) && b != b'#')
}

/// What RFC 3986 lets stand in a URI, unescaped or as part of an escape.
fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
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
    let is_digit = |b: u8| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l');
    (40..=limits::PEER_ID_BYTES).contains(&text.len()) && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_plain() {
        for good in ["https://a.example", "http://127.0.0.1:8440/x?y", "https://[::1]:8440"] {
            assert!(is_http_url(good), "{good}");
        }
        let long = format!("https://a.example/{}", "x".repeat(500));
        for bad in [
            "",
            "https://",
            "https:///x",
            "ftp://a.example",
            "https://a.example/#x",
            "https://u@a.example",
            "https://a b",
            "https://ä.example",
            "https://a.example/\u{0}",
            "HTTPS://a.example",
            &long,
        ] {
            assert!(!is_http_url(bad), "{bad}");
        }
        assert!(is_multiaddr("/ip4/192.0.2.1/tcp/8442"));
        for bad in [
            "",
            "/",
            "ip4/192.0.2.1",
            "/ip4/192.0.2.1/",
            "/dns/a b",
            &"/a".repeat(300),
        ] {
            assert!(!is_multiaddr(bad), "{bad}");
        }
        assert!(is_peer_id("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"));
        for bad in ["", "12D3KooW", &"1".repeat(65), &"0".repeat(52)] {
            assert!(!is_peer_id(bad), "{bad}");
        }
    }
}
