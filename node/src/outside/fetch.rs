//! One request to another host.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{HeaderMap, Uri, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::address::{Block, is_reachable};
use super::host::Place;
use super::{Kind, OutsideError, TOTAL_TIME};

/// Bytes of the head of an answer.
const HEAD_BYTES: usize = 16 << 10;
/// Addresses of one name that are looked at; the HTTP library takes no more.
const ADDRESSES: usize = 16;
/// Bytes of a file of certificates.
const CA_FILE_BYTES: u64 = 1 << 20;

/// Finds the addresses of a name.
pub trait Lookup: std::fmt::Debug + Send + Sync + 'static {
    /// All addresses of a host, each with the port.
    ///
    /// # Errors
    /// There are none, or they were not found in time.
    fn addresses(&self, host: &str, port: u16, within: Duration) -> io::Result<Vec<SocketAddr>>;
}

/// As the system finds them.
#[derive(Clone, Copy, Debug)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, host: &str, port: u16, within: Duration) -> io::Result<Vec<SocketAddr>> {
        let (found, finds) = mpsc::sync_channel(1);
        let name = (host.to_owned(), port);
        // The system's look-up cannot be ended; a thread that nobody waits for any more ends by itself.
        std::thread::Builder::new().name("lookup".to_owned()).spawn(move || {
            let addresses = name.to_socket_addrs().map(Iterator::collect);
            let _nobody_waits = found.send(addresses);
        })?;
        finds
            .recv_timeout(within)
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Asks, once, and only where it may.
pub(super) struct Fetcher {
    agent: ureq::Agent,
}

/// The look-up whose answers are checked. The HTTP library connects to what it returns and to nothing else, so that a
/// name cannot mean another address a moment later.
#[derive(Debug)]
struct Checked {
    lookup: Arc<dyn Lookup>,
    allowed: Vec<Block>,
}

#[derive(Debug, thiserror::Error)]
#[error("an address of the host is not connected to")]
struct Refused;

impl Resolver for Checked {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let (host, port) = uri
            .authority()
            .and_then(|authority| Some((authority.host(), authority.port_u16().or_else(|| default_port(uri))?)))
            .ok_or(ureq::Error::HostNotFound)?;
        let found = self.lookup.addresses(host, port, TOTAL_TIME.min(*timeout.after))?;
        // One bad address among good ones is not a mistake of an honest host.
        let refused = |address: &SocketAddr| address.port() != port || !is_reachable(address.ip(), &self.allowed);
        if found.iter().any(refused) {
            return Err(ureq::Error::Other(Box::new(Refused)));
        }
        let mut addresses = self.empty();
        found
            .into_iter()
            .take(ADDRESSES)
            .for_each(|address| addresses.push(address));
        if addresses.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        Ok(addresses)
    }
}

fn default_port(uri: &Uri) -> Option<u16> {
    (uri.scheme_str() == Some("https")).then_some(super::HTTPS_PORT)
}

impl Fetcher {
    pub(super) fn new(ca_file: Option<&Path>, allowed: Vec<Block>, lookup: Arc<dyn Lookup>) -> Result<Self, String> {
        let roots = match ca_file {
            None => RootCerts::WebPki,
            Some(path) => RootCerts::from(certificates(path)?),
        };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .https_only(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(TOTAL_TIME))
            .max_response_header_size(HEAD_BYTES)
            .max_idle_connections(0)
            .accept_encoding("identity")
            .user_agent("syndic")
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        let resolver = Checked { lookup, allowed };
        Ok(Self {
            agent: ureq::Agent::with_parts(config, DefaultConnector::default(), resolver),
        })
    }

    /// The body of an answer 200 of one of the kind's media types.
    pub(super) fn fetch(&self, place: &Place, kind: &Kind) -> Result<Vec<u8>, OutsideError> {
        let failed = |error| failure(place, kind, &error);
        let mut answer = self
            .agent
            .get(&place.url)
            .header("Accept", kind.accept)
            .call()
            .map_err(failed)?;
        match answer.status().as_u16() {
            200 => {}
            404 | 410 => return Err(OutsideError::Absent(place.url.clone())),
            status => {
                let why = format!("{} answered with status {status}, which is not followed", place.host);
                return Err(OutsideError::Unreachable(why));
            }
        }
        check_head(answer.headers(), kind)
            .map_err(|why| OutsideError::Content(format!("the {} of {} is refused: {why}", kind.name, place.host)))?;
        // The library counts a body that is exactly as long as the limit as too long.
        let body = answer
            .body_mut()
            .with_config()
            .limit(kind.bytes as u64 + 1)
            .read_to_vec()
            .map_err(failed)?;
        if body.len() > kind.bytes {
            return Err(too_large(place, kind));
        }
        Ok(body)
    }
}

/// What the head of an answer says of its body.
fn check_head(headers: &HeaderMap, kind: &Kind) -> Result<(), &'static str> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    if !encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err("it is compressed, which was not asked for");
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(media_type), None) = (types.next(), types.next()) else {
        return Err("it has no Content-Type, or several");
    };
    let essence = media_type
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if kind.media_types.iter().any(|known| known.eq_ignore_ascii_case(essence)) {
        Ok(())
    } else {
        Err("its Content-Type is another")
    }
}

fn too_large(place: &Place, kind: &Kind) -> OutsideError {
    OutsideError::Content(format!(
        "the {} of {} has more than {} bytes",
        kind.name, place.host, kind.bytes
    ))
}

fn failure(place: &Place, kind: &Kind, error: &ureq::Error) -> OutsideError {
    match error {
        ureq::Error::Other(inner) if inner.is::<Refused>() => OutsideError::AddressRefused(place.host.clone()),
        ureq::Error::BodyExceedsLimit(_) => too_large(place, kind),
        ureq::Error::Timeout(_) => OutsideError::Unreachable(format!(
            "{} did not answer within {} s",
            place.host,
            TOTAL_TIME.as_secs()
        )),
        error => OutsideError::Unreachable(format!("{} cannot be asked: {error}", place.host)),
    }
}

/// The certificates of a PEM file.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let shown = path.display();
    let unreadable = |error: io::Error| format!("the certificates {shown} cannot be read: {error}");
    if std::fs::metadata(path).map_err(unreadable)?.len() > CA_FILE_BYTES {
        return Err(format!(
            "{shown} has more than {CA_FILE_BYTES} bytes; it is to hold a few certificates"
        ));
    }
    let text = std::fs::read(path).map_err(unreadable)?;
    let mut certificates = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| format!("{shown} is no PEM file: {error}"))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(format!("{shown} holds no certificate"));
    }
    Ok(certificates)
}
