//! Which URLs this node fetches when another party named them. Pure.

use syndic_vc::dereference::HttpsUrl;

/// Bytes of a host name (RFC 1035 section 2.3.4).
const HOST_BYTES: usize = 253;
/// Bytes of one of its labels.
const LABEL_BYTES: usize = 63;
/// The port of https.
pub(super) const HTTPS_PORT: u16 = 443;

/// Hosts that may be asked: one, or all below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HostPattern {
    /// This host.
    One(String),
    /// Hosts below this one, and not this one: `*.example.org`.
    Below(String),
}

/// A URL that may be fetched as far as its text goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) url: String,
    pub(super) host: String,
    pub(super) port: u16,
}

impl HostPattern {
    /// Reads an entry of the allow-list.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("*.") {
            Some(above) => is_host(above).then(|| Self::Below(above.to_owned())),
            None => is_host(text).then(|| Self::One(text.to_owned())),
        }
    }

    /// Whether a host, as [`is_host`] takes it, is meant. An internationalized label (`xn--`) can look like any other
    /// name, so a host with one must be named in full.
    pub(super) fn covers(&self, host: &str) -> bool {
        match self {
            Self::One(this) => this == host,
            Self::Below(above) => host
                .strip_suffix(above.as_str())
                .and_then(|below| below.strip_suffix('.'))
                .is_some_and(|below| !below.is_empty() && below.split('.').all(|label| !label.starts_with("xn--"))),
        }
    }
}

impl Place {
    /// Reads a URL: `https`, a plain host name, no user, no fragment.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let url =
            HttpsUrl::parse(text).map_err(|_| "it is not an https URL with a plain host name and nothing else")?;
        if url.after_authority().contains('#') {
            return Err("it has a fragment");
        }
        let (host, port) = match url.authority().split_once(':') {
            Some((host, port)) if !port.starts_with('0') => (host, port.parse().map_err(|_| "its port is no port")?),
            Some(_) => return Err("its port is no port"),
            None => (url.authority(), HTTPS_PORT),
        };
        if !is_host(host) {
            return Err("its host is no domain name in lower case ASCII, of two labels at least, or is an address");
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            url: text.to_owned(),
        })
    }
}

/// A fully qualified name as the DNS takes it: labels of lower case letters, digits and inner hyphens; two at least; no
/// dot at the end. The last label begins with a letter, so that no resolver takes the name for an address
/// (`127.1`, `2130706433`, `0x7f.1`, `017700000001`).
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=LABEL_BYTES).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= HOST_BYTES
        && text.contains('.')
        && text.split('.').all(label)
        && last.starts_with(|c: char| c.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn only_plain_https_urls_are_fetched() {
        for (url, host, port) in [
            ("https://example.org/did.json", "example.org", 443),
            ("https://a-b.c2.example.org", "a-b.c2.example.org", 443),
            ("https://example.org:8443/a/b?c=d", "example.org", 8443),
            ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443),
        ] {
            let place = Place::parse(url).unwrap();
            assert_eq!((place.host.as_str(), place.port), (host, port), "{url}");
        }
        for url in [
            "http://example.org/",
            "HTTPS://example.org/",
            "ftp://example.org/",
            "file:///etc/passwd",
            "//example.org/",
            "https://",
            "https:///x",
            "https://example.org/#a",
            "https://user@example.org/",
            "https://user:word@example.org/",
            "https://example.org@evil.example/",
            "https://example.org\\@evil.example/",
            "https://example.org:/",
            "https://example.org:0/",
            "https://example.org:0443/",
            "https://example.org:65536/",
            "https://example.org:443:443/",
            "https://example.org./",
            "https://.example.org/",
            "https://example..org/",
            "https://EXAMPLE.org/",
            "https://-a.example/",
            "https://a-.example/",
            "https://a_b.example/",
            "https://localhost/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://1.2.3.0x4/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://ex\u{0430}mple.org/",
            "https://\u{ff11}27.0.0.1/",
            "https://example\u{3002}org/",
            "https://ex%61mple.org/",
            "https://example.org%2F@evil.example/",
            "https://example.org%00.evil.example/",
            "https://example.org /",
            "https://example.org/\r\nHost: evil.example",
            "https://example.org/\t",
            " https://example.org/",
        ] {
            assert!(Place::parse(url).is_err(), "{url}");
        }
        assert!(Place::parse(&format!("https://{}.example/", "a".repeat(64))).is_err());
        assert!(Place::parse(&format!("https://{}.example/", "a".repeat(63))).is_ok());
    }

    #[test]
    fn a_pattern_covers_what_it_says() {
        let covers = |pattern: &str, host: &str| HostPattern::parse(pattern).unwrap().covers(host);
        for (pattern, host) in [
            ("example.org", "example.org"),
            ("*.example.org", "a.example.org"),
            ("*.example.org", "a.b.example.org"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            assert!(covers(pattern, host), "{pattern} {host}");
        }
        for (pattern, host) in [
            ("example.org", "a.example.org"),
            ("example.org", "example.org.evil.example"),
            ("example.org", "notexample.org"),
            ("*.example.org", "example.org"),
            ("*.example.org", "evilexample.org"),
            ("*.example.org", "a.example.org.evil.example"),
            ("*.example.org", "xn--bcher-kva.example.org"),
            ("*.example.org", "a.xn--bcher-kva.example.org"),
        ] {
            assert!(!covers(pattern, host), "{pattern} {host}");
        }
        for pattern in [
            "",
            "*",
            "*.",
            "*.org.",
            "*.*.example.org",
            "a.*.example",
            "https://example.org",
            "example.org:443",
            "127.0.0.1",
            "localhost",
            "*.1",
            "EXAMPLE.org",
        ] {
            assert_eq!(HostPattern::parse(pattern), None, "{pattern}");
        }
    }
}
