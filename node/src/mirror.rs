//! A copy of all public files of a node, below the same paths, that any file server can serve.
//!
//! A log is looked at as a whole, with the copy's own files and those that are missing, before anything of it is put in its
//! place; the checkpoint comes last. So whoever reads the copy at any moment finds files that fit each other. What a
//! server says in contradiction to what the copy holds is kept apart, and the copy stays as it was.

mod folder;
mod log;

use std::collections::BTreeMap;

use syndic_registry::charter::{ChainError, Charter, CharterChain};
use syndic_registry::limits;
use syndic_vc::json;
use syndic_vc::time::Timestamp;

use crate::client::{CallError, Client, segment};
use crate::{proof_only, setup};

pub use folder::{Folder, FolderError};

/// Bytes of a status list credential that are read: a list of 2^20 random bits, encoded, has 175 KiB.
const LIST_BYTES: usize = 12 << 20;
/// Bytes of a DID document or the log of a `did:webvh` that are read.
const DOCUMENT_BYTES: usize = 1 << 20;
/// Files of a node's own DIDs at the root of its host.
const WELL_KNOWN: [&str; 2] = [".well-known/did.json", ".well-known/did.jsonl"];

/// Why there is no copy, or no further one.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The server cannot be reached, or does not answer as a file server does.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The copy's folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The server has no charter.
    #[error("{0} serves no charter: it is no node, and no copy of one")]
    NoCharter(String),
    /// The charter is not valid, or of another consortium than the one that was asked for.
    #[error("the charter that {place} has: {source}")]
    Charter {
        /// Who has it.
        place: String,
        /// What is wrong with it.
        source: ChainError,
    },
    /// The charter is of another consortium than the one that was asked for.
    #[error("{place} has the charter of consortium {found}, and {expected} was asked for")]
    OtherConsortium {
        /// Who has it.
        place: String,
        /// Its consortium.
        found: String,
        /// The one that was asked for.
        expected: String,
    },
}

/// What became of one log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The copy is what the server has.
    Whole {
        /// Its entries.
        entries: u64,
    },
    /// The copy has more than the server, which does not contradict it.
    Ahead {
        /// Entries of the copy.
        entries: u64,
        /// Entries that the server knows of.
        served: u64,
    },
    /// The server has nothing of it.
    Unknown,
    /// What the server has does not hold; the copy stays as it was.
    Refused {
        /// Why not.
        why: String,
    },
    /// What the server has holds, and contradicts what the copy has, which holds too: two stories were told. The copy
    /// stays as it was.
    Fork {
        /// Where both checkpoints and the server's story are kept.
        evidence: String,
    },
}

/// What was copied.
#[derive(Debug)]
pub struct Report {
    /// The charters that count.
    pub chain: CharterChain,
    /// What became of each log, by organization.
    pub logs: BTreeMap<String, Outcome>,
    /// Other files that were copied.
    pub files: Vec<String>,
    /// Other files that do not hold, and why.
    pub refused: BTreeMap<String, String>,
    /// Files that were fetched.
    pub fetched: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Report {
    /// Whether all that the server has could be copied.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let bad = |outcome: &Outcome| matches!(outcome, Outcome::Refused { .. } | Outcome::Fork { .. });
        self.refused.is_empty() && self.chain.conflict().is_none() && !self.logs.values().any(bad)
    }
}

/// Whoever watches: the organization, entries looked at, entries in all.
pub type Watch<'w> = &'w mut dyn FnMut(&str, u64, u64);

/// A server, and the folder that is to be its copy.
pub struct Mirror<'m> {
    client: &'m Client,
    folder: &'m Folder,
    fetched: u64,
    bytes: u64,
}

impl<'m> Mirror<'m> {
    /// A copy of this server in this folder.
    #[must_use]
    pub const fn new(client: &'m Client, folder: &'m Folder) -> Self {
        Self {
            client,
            folder,
            fetched: 0,
            bytes: 0,
        }
    }

    /// Copies what is missing. `pinned` is the charter that one trusts; without it the one in the folder counts, and
    /// without that the server is believed.
    ///
    /// # Errors
    /// [`MirrorError`]; what had been fetched by then is not fetched again.
    pub fn run(
        mut self,
        pinned: Option<CharterChain>,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Report, MirrorError> {
        let chain = self.charter(pinned)?;
        let (mut logs, mut lists) = (BTreeMap::new(), BTreeMap::new());
        for (organization, charter) in organizations(&chain) {
            let (outcome, named) = self.log(&organization, &charter, watch)?;
            lists.insert(organization.clone(), named);
            logs.insert(organization, outcome);
        }
        let (mut files, mut refused) = (vec!["charter".to_owned()], BTreeMap::new());
        for (organization, named) in lists {
            self.lists(&organization, &named, now, &mut files, &mut refused)?;
        }
        for path in WELL_KNOWN {
            self.document(path, &mut files, &mut refused)?;
        }
        Ok(Report {
            chain,
            logs,
            files,
            refused,
            fetched: self.fetched,
            bytes: self.bytes,
        })
    }

    /// All that the folder, the server and whoever calls know of the charter, walked as one chain.
    fn charter(&mut self, pinned: Option<CharterChain>) -> Result<CharterChain, MirrorError> {
        let base = self.client.base().to_owned();
        let served = self.fetch("charter", limits::CHAIN_BYTES)?;
        let served = parse(&served.ok_or_else(|| MirrorError::NoCharter(base.clone()))?, &base)?;
        let mut known = pinned;
        if let Some(held) = self.folder.read("charter", limits::CHAIN_BYTES)? {
            let held = parse(&held, "the folder")?;
            known = Some(together(known, &held, "the folder")?);
        }
        let chain = together(known, &served, &base)?;
        self.folder.put("charter", &chain.to_file())?;
        Ok(chain)
    }

    /// Status lists as the server signs them. Nodes sign their own only: if the first is not there, none is.
    fn lists(
        &mut self,
        organization: &str,
        named: &[String],
        now: Timestamp,
        files: &mut Vec<String>,
        refused: &mut BTreeMap<String, String>,
    ) -> Result<(), MirrorError> {
        for list in named {
            let Some(path) = list_path(list) else { continue };
            let Some(bytes) = self.fetch(&path, LIST_BYTES)? else {
                break;
            };
            match check_list(&bytes, list, organization, now) {
                Ok(()) => {
                    self.folder.put(&path, &bytes)?;
                    files.push(path);
                }
                Err(why) => drop(refused.insert(path, why)),
            }
        }
        Ok(())
    }

    /// A DID's document or log, which proves itself to whoever resolves it; here it only must be JSON.
    fn document(
        &mut self,
        path: &str,
        files: &mut Vec<String>,
        refused: &mut BTreeMap<String, String>,
    ) -> Result<(), MirrorError> {
        let Some(bytes) = self.fetch(path, DOCUMENT_BYTES)? else {
            return Ok(());
        };
        let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        match lines.try_for_each(|line| json::parse(line).map(drop)) {
            Ok(()) => {
                self.folder.put(path, &bytes)?;
                files.push(path.to_owned());
            }
            Err(error) => drop(refused.insert(path.to_owned(), error.to_string())),
        }
        Ok(())
    }

    fn fetch(&mut self, path: &str, most: usize) -> Result<Option<Vec<u8>>, MirrorError> {
        let url: Vec<String> = path.split('/').map(segment).collect();
        let bytes = self.client.file(&format!("/{}", url.join("/")), most)?;
        if let Some(bytes) = &bytes {
            self.fetched += 1;
            self.bytes += bytes.len() as u64;
        }
        Ok(bytes)
    }
}

fn parse(bytes: &[u8], place: &str) -> Result<CharterChain, MirrorError> {
    CharterChain::parse(bytes).map_err(|source| MirrorError::Charter {
        place: place.to_owned(),
        source,
    })
}

fn together(known: Option<CharterChain>, more: &CharterChain, place: &str) -> Result<CharterChain, MirrorError> {
    let Some(known) = known else { return Ok(more.clone()) };
    if known.id() != more.id() {
        return Err(MirrorError::OtherConsortium {
            place: place.to_owned(),
            found: more.id().to_owned(),
            expected: known.id().to_owned(),
        });
    }
    setup::extended(&known, more).map_err(|source| MirrorError::Charter {
        place: place.to_owned(),
        source,
    })
}

/// Members, and those who were members, each with the newest charter that names it.
fn organizations(chain: &CharterChain) -> Vec<(String, Charter)> {
    let current = chain.current();
    let members = current.members().iter();
    let mut all: Vec<_> = members
        .map(|card| (card.did().as_str().to_owned(), current.clone()))
        .collect();
    for did in current.removed() {
        let before = current
            .removed_by(did.as_str())
            .map_or(0, |version| version.saturating_sub(1));
        if let Ok(charter) = chain.at(before) {
            all.push((did.as_str().to_owned(), charter));
        }
    }
    all
}

/// Where a node serves a list of its own; nothing for one that is served by something else.
fn list_path(list: &str) -> Option<String> {
    let (_, name) = list.rsplit_once("/status-lists/")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (!name.is_empty() && name.bytes().all(plain)).then(|| format!("status-lists/{name}"))
}

fn check_list(bytes: &[u8], list: &str, organization: &str, now: Timestamp) -> Result<(), String> {
    let credential = json::parse(bytes).map_err(|error| error.to_string())?;
    let says = |member: &str| {
        credential
            .get(member)
            .and_then(json::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    if says("id") != list || says("issuer") != organization {
        return Err("it is another list, or another organization's".to_owned());
    }
    let checked = proof_only::offline(credential, now).map_err(|denied| denied.first().message.clone())?;
    let own = format!("{organization}#");
    if checked
        .verification_methods()
        .iter()
        .all(|method| method.starts_with(&own))
    {
        Ok(())
    } else {
        Err("it is not signed by its organization".to_owned())
    }
}
