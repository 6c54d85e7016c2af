//! What other hosts say of themselves: `did:web` documents, `did:webvh` logs, status lists.
//!
//! Nothing of it is asked for unless the configuration allows the host, and then as reliability demands of a request
//! that another party can cause: `https` to the usual port, a checked address and no other than the checked one, no
//! redirect, no proxy, no cookie, no credentials, little time, few bytes, few at once. What comes back is text; what it
//! is worth is for others to say.

mod address;
mod cache;
mod fetch;
mod host;

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use syndic_vc::did::Did;
use syndic_vc::did_web::Location;
use syndic_vc::document::DidDocument;
use syndic_vc::json::{self, Value};
use syndic_vc::limits::{JSON_BODY_BYTES, WEBVH_LOG_BYTES};
use syndic_vc::time::Timestamp;
use syndic_vc::webvh::{self, WebvhError, Which};

pub use address::{Block, BlockError, is_reachable};
pub(crate) use fetch::certificates;
pub use fetch::{Lookup, SystemLookup};

use crate::clock;
use cache::Cache;
use fetch::Fetcher;
use host::{HTTPS_PORT, HostPattern, Place};

/// The whole of one request, from the look-up of the name to the last byte.
pub const TOTAL_TIME: Duration = Duration::from_secs(5);
/// Bytes of a DID document. Those in use have less than a tenth of it.
pub const DOCUMENT_BYTES: usize = 64 << 10;
/// Bytes of a status list credential: a list of 2^20 random bits, encoded, has 175 KiB.
pub const STATUS_BYTES: usize = 1 << 20;
/// Requests under way at once. What others can make this node do is kept small.
pub const AT_ONCE: usize = 4;
/// Entries of the allow-lists.
const LISTED: usize = 1_024;

/// `[outside]` of the configuration. As it stands by default, nothing is ever asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Whether other hosts are asked at all.
    pub enabled: bool,
    /// Hosts that may be asked: `example.org`, or `*.example.org` for those below it.
    pub hosts: Vec<String>,
    /// Certificates (PEM) of the only authorities that are believed; the usual ones of the web if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Blocks of addresses that may be connected to although they are not public, such as `10.0.0.0/8`.
    pub allow_addresses: Vec<String>,
    /// The only port.
    pub port: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: false,
            hosts: Vec::new(),
            ca_file: None,
            allow_addresses: Vec::new(),
            port: HTTPS_PORT,
        }
    }
}

impl Settings {
    /// Reads the lists, whether they are enabled or not: a mistake is to be seen at once.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        lists(self).map(|_| ())
    }
}

/// Why nothing came from outside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutsideError {
    /// This node asks no other host.
    #[error("this node asks no other host: [outside] is not enabled in its configuration")]
    Disabled,
    /// The DID or URL names no place that could be asked.
    #[error("{0}")]
    Identifier(String),
    /// The host, or its port, is not among those that may be asked.
    #[error("{0} is not among the hosts that this node asks")]
    HostNotAllowed(String),
    /// The host's name leads to an address that is not public.
    #[error("{0} has an address that this node does not connect to")]
    AddressRefused(String),
    /// The host answered that there is no such thing.
    #[error("{0} is not there")]
    Absent(String),
    /// No answer, or not one that could be used as such.
    #[error("{0}")]
    Unreachable(String),
    /// The answer is not what was asked for.
    #[error("{0}")]
    Content(String),
    /// Too many others are being asked.
    #[error("too many requests to other hosts are under way; try again")]
    Busy,
}

/// A text from outside.
#[derive(Debug)]
struct Fetched {
    bytes: Vec<u8>,
    at: Timestamp,
}

/// The document of a `did:web`, as its host serves it.
#[derive(Clone, Debug)]
pub struct OutsideDocument {
    /// All that the host serves.
    pub shown: Value,
    /// What is understood of it.
    pub document: DidDocument,
    /// When it was fetched.
    pub at: Timestamp,
}

/// The files of a `did:webvh`, not judged in any way.
#[derive(Clone, Debug)]
pub struct OutsideLog {
    /// `did.jsonl`
    pub log: String,
    /// `did-witness.json`, if the host has one.
    pub witness: Option<String>,
    /// When the log was fetched.
    pub at: Timestamp,
}

/// A status list credential, as its host serves it. Its proof is not checked.
#[derive(Clone, Debug)]
pub struct OutsideList {
    /// The credential.
    pub credential: Value,
    /// When it was fetched.
    pub at: Timestamp,
}

/// What kind of text is asked for.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    accept: &'static str,
    media_types: &'static [&'static str],
    bytes: usize,
}

const DOCUMENT: Kind = Kind {
    name: "DID document",
    accept: "application/did, application/json",
    media_types: &[
        "application/did",
        "application/did+json",
        "application/did+ld+json",
        "application/json",
        "application/ld+json",
    ],
    bytes: DOCUMENT_BYTES,
};

const LOG: Kind = Kind {
    name: "did:webvh log",
    accept: "text/jsonl, application/jsonl",
    media_types: &[
        "text/jsonl",
        "application/jsonl",
        "application/jsonlines",
        "application/x-ndjson",
        "application/x-jsonlines",
        "application/json",
        "text/plain",
        "application/octet-stream",
    ],
    bytes: WEBVH_LOG_BYTES,
};

const WITNESS: Kind = Kind {
    name: "did:webvh witness file",
    accept: "application/json",
    media_types: &["application/json", "application/octet-stream"],
    bytes: WEBVH_LOG_BYTES,
};

const STATUS: Kind = Kind {
    name: "status list",
    accept: "application/vc, application/vc+ld+json, application/ld+json, application/json",
    media_types: &[
        "application/vc",
        "application/vc+ld+json",
        "application/ld+json",
        "application/json",
    ],
    bytes: STATUS_BYTES,
};

/// The way outside.
pub struct Outside {
    way: Option<Way>,
}

struct Way {
    hosts: Vec<HostPattern>,
    port: u16,
    fetcher: Fetcher,
    under_way: Mutex<usize>,
    one_ended: Condvar,
    cache: Mutex<Cache<Fetched, OutsideError>>,
}

impl Outside {
    /// By a configuration, with the names of the system.
    ///
    /// # Errors
    /// What is wrong with the configuration, in words.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        Self::with_lookup(settings, Arc::new(SystemLookup))
    }

    /// The same with another look-up of names.
    ///
    /// # Errors
    /// What is wrong with the configuration, in words.
    pub fn with_lookup(settings: &Settings, lookup: Arc<dyn Lookup>) -> Result<Self, String> {
        let (hosts, allowed) = lists(settings)?;
        if !settings.enabled {
            return Ok(Self { way: None });
        }
        Ok(Self {
            way: Some(Way {
                hosts,
                port: settings.port,
                fetcher: Fetcher::new(settings.ca_file.as_deref(), allowed, lookup)?,
                under_way: Mutex::new(0),
                one_ended: Condvar::new(),
                cache: Mutex::new(Cache::new()),
            }),
        })
    }

    /// Whether other hosts are asked at all.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.way.is_some()
    }

    /// The document of a `did:web`, which must be about that very DID.
    ///
    /// # Errors
    /// [`OutsideError`].
    pub fn did_document(&self, did: &Did) -> Result<OutsideDocument, OutsideError> {
        let place = location(did, "web")?;
        let fetched = self.fetch(&place.url("did.json"), &DOCUMENT)?;
        let content = |why: String| OutsideError::Content(format!("the document of {did} is refused: {why}"));
        let shown = json::parse(&fetched.bytes).map_err(|error| content(error.to_string()))?;
        let document = DidDocument::from_json(&shown).map_err(|error| content(error.to_string()))?;
        if document.id != *did {
            return Err(content(format!("it is about {}", document.id)));
        }
        Ok(OutsideDocument {
            shown,
            document,
            at: fetched.at,
        })
    }

    /// The files of a `did:webvh`.
    ///
    /// # Errors
    /// [`OutsideError`]. A witness file that is not there is none; one that cannot be had is an error, since the log
    /// may need it.
    pub fn webvh(&self, did: &Did) -> Result<OutsideLog, OutsideError> {
        let place = location(did, "webvh")?;
        let fetched = self.fetch(&place.url("did.jsonl"), &LOG)?;
        let witness = match self.fetch(&place.url("did-witness.json"), &WITNESS) {
            Ok(witness) => Some(text(&witness)?),
            Err(OutsideError::Absent(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(OutsideLog {
            log: text(&fetched)?,
            witness,
            at: fetched.at,
        })
    }

    /// A version of a `did:webvh`, verified from its files.
    ///
    /// # Errors
    /// [`OutsideError`]: its host does not give the files, or they prove no such version.
    pub fn webvh_version(&self, did: &Did, which: &Which) -> Result<(webvh::Resolved, Timestamp), OutsideError> {
        let files = self.webvh(did)?;
        let resolved = webvh::resolve(did, &files.log, files.witness.as_deref(), which, clock::now());
        match resolved {
            Ok(resolved) => Ok((resolved, files.at)),
            Err(error @ WebvhError::Did(_)) => Err(OutsideError::Identifier(error.to_string())),
            Err(WebvhError::NotFound | WebvhError::OtherDid) => {
                Err(OutsideError::Absent("that version of the DID".to_owned()))
            }
            Err(error) => Err(OutsideError::Content(format!("the log of {did} is refused: {error}"))),
        }
    }

    /// The status list credential at a URL.
    ///
    /// # Errors
    /// [`OutsideError`].
    pub fn status_list(&self, url: &str) -> Result<OutsideList, OutsideError> {
        let fetched = self.fetch(url, &STATUS)?;
        let limits = json::Limits {
            // The list itself is one string.
            string_bytes: JSON_BODY_BYTES,
            ..json::Limits::default()
        };
        let credential = json::parse_with(&fetched.bytes, &limits)
            .map_err(|error| OutsideError::Content(format!("the status list {url} is refused: {error}")))?;
        Ok(OutsideList {
            credential,
            at: fetched.at,
        })
    }

    fn fetch(&self, url: &str, kind: &Kind) -> Result<Arc<Fetched>, OutsideError> {
        let way = self.way.as_ref().ok_or(OutsideError::Disabled)?;
        let place =
            Place::parse(url).map_err(|why| OutsideError::Identifier(format!("{url:?} is not fetched: {why}")))?;
        if place.port != way.port || !way.hosts.iter().any(|pattern| pattern.covers(&place.host)) {
            return Err(OutsideError::HostNotAllowed(format!("{}:{}", place.host, place.port)));
        }
        let key = format!("{} {url}", kind.name);
        let cache = || way.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = cache().get(&key, Instant::now()) {
            return known;
        }
        let _turn = way.turn().ok_or(OutsideError::Busy)?;
        // Whoever waited for a turn may have waited for this very text.
        if let Some(known) = cache().get(&key, Instant::now()) {
            return known;
        }
        let result = way.fetcher.fetch(&place, kind);
        tracing::debug!(
            host = place.host,
            what = kind.name,
            ok = result.is_ok(),
            "asked another host"
        );
        let result = result.map(|bytes| {
            Arc::new(Fetched {
                bytes,
                at: clock::now(),
            })
        });
        let bytes = result.as_ref().map_or(0, |fetched| fetched.bytes.len());
        cache().put(&key, result.clone(), bytes, Instant::now());
        result
    }
}

/// One of the [`AT_ONCE`] requests; it ends when this is dropped.
struct Turn<'w>(&'w Way);

impl Way {
    fn turn(&self) -> Option<Turn<'_>> {
        let count = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .one_ended
            .wait_timeout_while(count, TOTAL_TIME, |count| *count >= AT_ONCE);
        let (mut count, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
        if timed_out.timed_out() {
            return None;
        }
        *count += 1;
        Some(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.one_ended.notify_one();
    }
}

fn location(did: &Did, method: &str) -> Result<Location, OutsideError> {
    let identifier = |why: String| OutsideError::Identifier(format!("{did} is not fetched: {why}"));
    if did.method() != method {
        return Err(identifier(format!("it is no did:{method}")));
    }
    Location::of(did).map_err(|error| identifier(error.to_string()))
}

fn text(fetched: &Fetched) -> Result<String, OutsideError> {
    String::from_utf8(fetched.bytes.clone()).map_err(|_| OutsideError::Content("the file is not UTF-8".to_owned()))
}

/// The allow-lists of a configuration.
fn lists(settings: &Settings) -> Result<(Vec<HostPattern>, Vec<Block>), String> {
    if settings.hosts.len() > LISTED || settings.allow_addresses.len() > LISTED {
        return Err(format!("[outside] lists have at most {LISTED} entries"));
    }
    if settings.port == 0 {
        return Err("[outside] port must be from 1 to 65535".to_owned());
    }
    let hosts = settings.hosts.iter().map(|host| {
        HostPattern::parse(host)
            .ok_or_else(|| format!("[outside] hosts: {host:?} is neither a host such as example.org nor *.example.org"))
    });
    let blocks = settings.allow_addresses.iter().map(|block| {
        block
            .parse()
            .map_err(|error: BlockError| format!("[outside] allow_addresses: {error}"))
    });
    Ok((hosts.collect::<Result<_, _>>()?, blocks.collect::<Result<_, _>>()?))
}
