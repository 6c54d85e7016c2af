//! Where DIDs that live on the web are published: `did:web` (W3C CCG did:web method) and `did:webvh`
//! 1.0 (section "The DID to HTTPS Transformation"). Pure: nothing is fetched.

use crate::did::Did;
use crate::limits::{HOST_BYTES, HOST_LABEL_BYTES};

/// The place that a `did:web` or `did:webvh` names: a host, a port if it is not the usual one, and
/// a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    host: String,
    port: Option<u16>,
    /// As they stand in the DID, percent-encoded.
    segments: Vec<String>,
}

/// The DID names no place on the web.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// Another method.
    #[error("did:{0} names no place on the web; did:web and did:webvh do")]
    Method(String),
    /// A `did:webvh` without a self-certifying identifier.
    #[error("a did:webvh begins with its SCID: 46 characters of base58btc, then a colon")]
    Scid,
    /// The host is not a fully qualified domain name.
    #[error(
        "the host is not a domain name as it is looked up: labels of a-z, 0-9 and inner hyphens, at least two, no address"
    )]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535 after %3A")]
    Port,
    /// A path segment is empty, a dot segment, or hides a separator.
    #[error("a path segment is empty, \".\" or \"..\", or hides a slash or a control character")]
    Path,
}

/// Characters of a SCID: a SHA-256 multihash in base58btc, without the multibase letter.
pub(crate) const SCID_CHARS: usize = 46;

impl Location {
    /// The place that the DID names.
    ///
    /// Hosts are names in lower case ASCII, as the DNS takes them (an internationalized name in
    /// its `xn--` form); addresses and single labels are refused, because a certificate for the
    /// host is what the method rests on.
    ///
    /// # Errors
    /// [`LocationError`] says which rule the DID breaks.
    pub fn of(did: &Did) -> Result<Self, LocationError> {
        let rest = match did.method() {
            "web" => did.method_specific_id(),
            "webvh" => split_scid(did.method_specific_id())?.1,
            other => return Err(LocationError::Method(other.to_owned())),
        };
        Self::parse(rest)
    }

    /// The same from what follows `did:web:`, or the SCID of a `did:webvh`: `example.com%3A8443:a`.
    ///
    /// # Errors
    /// [`LocationError`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        let mut parts = text.split(':');
        let (host, port) = host_and_port(parts.next().unwrap_or_default())?;
        let segments = parts.map(segment).collect::<Result<_, _>>()?;
        Ok(Self { host, port, segments })
    }

    /// The host name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if it is named.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The path segments, percent-encoded as in the DID.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// `https://host[:port]/path/`, without `.well-known`: what relative paths are resolved against.
    #[must_use]
    pub fn base(&self) -> String {
        let mut url = self.origin();
        url.push('/');
        for segment in &self.segments {
            url.push_str(segment);
            url.push('/');
        }
        url
    }

    /// The URL of a file of the DID: `did.json`, `did.jsonl` or `did-witness.json`.
    #[must_use]
    pub fn url(&self, file: &str) -> String {
        self.origin() + &self.path(file)
    }

    /// The path of that URL, as a server sees it: `/.well-known/did.jsonl`.
    #[must_use]
    pub fn path(&self, file: &str) -> String {
        if self.segments.is_empty() {
            format!("/.well-known/{file}")
        } else {
            format!("/{}/{file}", self.segments.join("/"))
        }
    }

    /// As it stands in a DID: `example.com%3A8443:a`.
    #[must_use]
    pub fn as_identifier(&self) -> String {
        let mut text = self.host.clone();
        if let Some(port) = self.port {
            text.push_str(&format!("%3A{port}"));
        }
        for segment in &self.segments {
            text.push(':');
            text.push_str(segment);
        }
        text
    }

    fn origin(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("https://{}{port}", self.host)
    }
}

/// The SCID and the rest of the method-specific identifier of a `did:webvh`.
pub(crate) fn split_scid(id: &str) -> Result<(&str, &str), LocationError> {
    id.split_once(':')
        .filter(|(scid, _)| is_scid(scid))
        .ok_or(LocationError::Scid)
}

/// Whether the text could be a SCID: what SHA-256 multihashes look like in base58btc.
pub(crate) fn is_scid(text: &str) -> bool {
    text.len() == SCID_CHARS
        && text.starts_with("Qm")
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l'))
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), LocationError> {
    let at = text.find('%').unwrap_or(text.len());
    let (host, port) = text.split_at_checked(at).ok_or(LocationError::Host)?;
    if !is_domain_name(host) {
        return Err(LocationError::Host);
    }
    if port.is_empty() {
        return Ok((host.to_owned(), None));
    }
    let digits = port
        .strip_prefix("%3A")
        .or_else(|| port.strip_prefix("%3a"))
        .ok_or(LocationError::Host)?;
    let canonical = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    let port = digits.parse().ok().filter(|_| canonical).ok_or(LocationError::Port)?;
    Ok((host.to_owned(), Some(port)))
}

fn is_domain_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=HOST_LABEL_BYTES).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    // What ends with a number is read as an IPv4 address by URL software (also 0x7f, 127.1).
    let last_is_a_name = host.rsplit('.').next().is_some_and(|last| {
        last.bytes().next().is_some_and(|b| b.is_ascii_lowercase()) && last.bytes().any(|b| b != b'x')
    });
    host.len() <= HOST_BYTES && host.contains('.') && host.split('.').all(label) && last_is_a_name
}

fn segment(text: &str) -> Result<String, LocationError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let pair = [bytes.next(), bytes.next()].map(|digit| digit.and_then(|d| char::from(d).to_digit(16)));
            let [Some(high), Some(low)] = pair else {
                return Err(LocationError::Path);
            };
            u8::try_from(high * 16 + low).map_err(|_| LocationError::Path)?
        } else {
            byte
        };
        decoded.push(byte);
    }
    let hidden = |b: &u8| matches!(b, b'/' | b'\\' | b'?' | b'#' | 0..=0x1F | 0x7F);
    if decoded.is_empty() || decoded == b"." || decoded == b".." || decoded.iter().any(hidden) {
        return Err(LocationError::Path);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
