//! `https` URLs, and references relative to them (RFC 3986 section 5.2).

use crate::limits::IDENTIFIER_BYTES;

/// An `https` URL with a host, of the characters that RFC 3986 allows, without a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpsUrl(String);

/// The text is no such URL, or no reference within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// Does not begin with `https://`.
    #[error("an https URL is expected")]
    NotHttps,
    /// No host, a user in it, or characters that a host may not have.
    #[error("the URL has no plain host")]
    Host,
    /// A character that a URL may not have, a broken percent-encoding, or too long.
    #[error("it has a character that a URL may not have, or is too long")]
    Characters,
    /// The reference names a scheme or another host.
    #[error("it may not leave the service's host: give a path, a query or a fragment")]
    Elsewhere,
}

const SCHEME: &str = "https://";

/// The parts of a reference without scheme and authority.
struct Parts<'a> {
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl HttpsUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let rest = text.strip_prefix(SCHEME).ok_or(ReferenceError::NotHttps)?;
        if !is_uri_text(rest) {
            return Err(ReferenceError::Characters);
        }
        let (authority, _) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.starts_with(':') || !is_authority(authority) {
            return Err(ReferenceError::Host);
        }
        Ok(Self(text.to_owned()))
    }

    /// The whole URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port as they stand.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.split().0
    }

    /// Everything after the authority.
    #[must_use]
    pub fn after_authority(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        let rest = self.0.strip_prefix(SCHEME).unwrap_or_default();
        rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
    }

    /// The URL that a reference names when it is read from this one: RFC 3986 section 5.2.2, strict, for references
    /// that stay with the same authority.
    ///
    /// # Errors
    /// [`ReferenceError::Elsewhere`] for a reference with a scheme or an authority,
    /// [`ReferenceError::Characters`] for one that is not written as a URI.
    pub fn join(&self, reference: &str) -> Result<String, ReferenceError> {
        if !is_uri_text(reference) {
            return Err(ReferenceError::Characters);
        }
        let parts = Parts::of(reference);
        let first_segment = parts.path.split('/').next().unwrap_or_default();
        if reference.starts_with("//") || first_segment.contains(':') {
            return Err(ReferenceError::Elsewhere);
        }
        let (authority, rest) = self.split();
        let base = Parts::of(rest);
        let (path, query) = match parts.path {
            "" => (base.path.to_owned(), parts.query.or(base.query)),
            path if path.starts_with('/') => (without_dots(path), parts.query),
            path => (without_dots(&merged(base.path, path)), parts.query),
        };
        let mut url = format!("{SCHEME}{authority}{path}");
        for (mark, part) in [('?', query), ('#', parts.fragment)] {
            if let Some(part) = part {
                url.push(mark);
                url.push_str(part);
            }
        }
        if url.len() > IDENTIFIER_BYTES {
            return Err(ReferenceError::Characters);
        }
        Ok(url)
    }
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let split = |text: &'a str, at| {
            text.split_once(at)
                .map_or((text, None), |(before, after)| (before, Some(after)))
        };
        let (before, fragment) = split(text, '#');
        let (path, query) = split(before, '?');
        Self { path, query, fragment }
    }
}

/// RFC 3986 section 5.2.3; a URL with an authority and no path counts as `/`.
fn merged(base: &str, reference: &str) -> String {
    let (folder, _) = base.rsplit_once('/').unwrap_or_default();
    format!("{folder}/{reference}")
}

/// RFC 3986 section 5.2.4 for a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
        // A path that ends in a dot segment ends in a slash.
        if last && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    kept.iter().flat_map(|segment| ["/", *segment]).collect()
}

/// Host, and a port after it. No user, no IP literal in brackets: neither belongs into a document for others.
fn is_authority(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "443"));
    let host_char = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    !host.is_empty()
        && host.bytes().all(host_char)
        && port.bytes().all(|b| b.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Unreserved, reserved and percent-encoded characters (RFC 3986 section 2), one number sign at most.
fn is_uri_text(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_hexdigit());
        let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?#".contains(&byte);
        if !(plain || byte == b'%' && hex(bytes.next()) && hex(bytes.next())) {
            return false;
        }
    }
    text.len() <= IDENTIFIER_BYTES && text.matches('#').count() <= 1
}
