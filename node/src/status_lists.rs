//! Status lists of this organization: where new entries are drawn, and the signed lists that strangers fetch.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use syndic_registry::statement::{Content, Statement, StatusListCreated};
use syndic_registry::store::ReadError;
use syndic_vc::document::Purpose;
use syndic_vc::json::Value;
use syndic_vc::object;
use syndic_vc::proof::{self, ProofOptions};
use syndic_vc::status::token::{self, StatusTokenDraft};
use syndic_vc::status::{self, StatusEntry, StatusList, StatusPurpose};
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{Knowledge as _, StatusBit};

use crate::clock;
use crate::engine::PublishError;
use crate::keys::RandomError;
use crate::node::Node;
use crate::records::{self, RecordError};
use crate::store::Batch;

/// Entries of one list: the smallest size that Bitstring Status List 1.0 section 7 allows, for herd privacy.
pub const LIST_LENGTH: u64 = 131_072;
/// Random draws before a list counts as full. At 90% occupied, 64 draws all hit used entries once in 850.
pub const MAX_DRAWS: usize = 64;
/// How long a signed list may be served again, in seconds; also its `ttl` (reliability, secure defaults).
pub const TTL_SECONDS: u32 = 60;
/// How long a signed list stays valid for those who cached it, in seconds.
pub const LIST_VALID_SECONDS: i64 = 300;
/// Signed lists kept at once.
const MAX_CACHED: usize = 64;

/// Why no status entry could be given.
#[derive(Debug, thiserror::Error)]
pub enum StatusListError {
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A row could not be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The list could not be announced in the log.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// A free entry of a list, not yet taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The list's URL.
    pub list: String,
    /// The index within it.
    pub index: u64,
    /// What a set bit says.
    pub purpose: StatusPurpose,
}

impl Entry {
    /// The row that marks the entry as taken.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        records::key(records::STATUS_INDEX, &format!("{}#{:010}", self.list, self.index))
    }

    /// The entry as it stands in a credential.
    #[must_use]
    pub fn in_credential(&self) -> StatusEntry {
        StatusEntry {
            purpose: self.purpose,
            list: self.list.clone(),
            index: self.index,
        }
    }

    /// Whether the bit is set, as this node knows it.
    #[must_use]
    pub fn bit(&self, node: &Node) -> StatusBit {
        node.view()
            .status(&node.organization, &self.list, self.purpose, self.index)
    }

    /// As a part of a stored row.
    #[must_use]
    pub fn to_record(&self) -> Value {
        object! {
            "list": self.list.as_str(),
            "index": self.index.to_string(),
            "purpose": self.purpose.as_str(),
        }
    }

    /// Reads what [`Entry::to_record`] made; `key` is the row's.
    ///
    /// # Errors
    /// [`RecordError::Damaged`].
    pub fn from_record(key: &[u8], row: &Value) -> Result<Self, RecordError> {
        Ok(Self {
            list: records::text(key, row, "list")?.to_owned(),
            index: records::text(key, row, "index")?
                .parse()
                .map_err(|_| records::damaged(key, "index is not a number"))?,
            purpose: StatusPurpose::parse(records::text(key, row, "purpose")?)
                .ok_or_else(|| records::damaged(key, "no such purpose"))?,
        })
    }
}

/// Draws a free entry for a purpose at random. The caller takes it by writing [`Entry::key`] with the expectation that it is absent.
///
/// # Errors
/// [`StatusListError`] if there is no list and none could be made.
pub async fn draw(node: &Arc<Node>, purpose: StatusPurpose, now: Timestamp) -> Result<Entry, StatusListError> {
    loop {
        let list = current(node, purpose, now).await?;
        for _ in 0..MAX_DRAWS {
            let index = crate::keys::random_below(LIST_LENGTH)?;
            let entry = Entry {
                list: list.clone(),
                index,
                purpose,
            };
            if node.store.get(&entry.key()).map_err(RecordError::from)?.is_none() {
                return Ok(entry);
            }
        }
        let _alone = node.lists_gate.lock().await;
        if read_current(node, purpose)?.as_deref() == Some(list.as_str()) {
            create(node, purpose, now).await?;
        }
    }
}

async fn current(node: &Arc<Node>, purpose: StatusPurpose, now: Timestamp) -> Result<String, StatusListError> {
    if let Some(list) = read_current(node, purpose)? {
        return Ok(list);
    }
    let _alone = node.lists_gate.lock().await;
    match read_current(node, purpose)? {
        Some(list) => Ok(list),
        None => create(node, purpose, now).await,
    }
}

fn read_current(node: &Node, purpose: StatusPurpose) -> Result<Option<String>, RecordError> {
    let key = records::key(records::STATUS_CURRENT, purpose.as_str());
    let row = node.store.get(&key)?;
    row.map(|bytes| String::from_utf8(bytes).map_err(|error| records::damaged(&key, error.to_string())))
        .transpose()
}

async fn create(node: &Arc<Node>, purpose: StatusPurpose, now: Timestamp) -> Result<String, StatusListError> {
    let name = crate::keys::random_hex::<8>()?;
    let list = format!("{}/status-lists/{name}", node.config.http.public_url);
    let statement = Statement {
        at: now,
        content: Content::StatusListCreated(StatusListCreated {
            list: list.clone(),
            purpose,
            length: LIST_LENGTH,
        }),
    };
    let key = records::key(records::STATUS_CURRENT, purpose.as_str());
    let batch = Batch {
        writes: vec![(key, Some(list.clone().into_bytes()))],
        expectations: vec![],
    };
    node.engine.publish(vec![statement], batch).await?;
    Ok(list)
}

/// In which form a list is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListForm {
    /// A `BitstringStatusListCredential` (W3C Bitstring Status List 1.0).
    Bitstring,
    /// A `statuslist+jwt` of the same bits (IETF Token Status List).
    Token,
}

/// Signed lists that were served a moment ago.
#[derive(Default)]
pub struct SignedLists {
    lists: Mutex<BTreeMap<(String, ListForm), Signed>>,
}

#[derive(Clone)]
struct Signed {
    log_size: u64,
    at: Timestamp,
    text: Arc<Vec<u8>>,
}

/// Why a list could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// This organization never made that list.
    #[error("no status list {0:?} of this organization")]
    Unknown(String),
    /// The view could not be read.
    #[error("the view cannot be read: {0}")]
    View(String),
    /// The list could not be encoded or signed.
    #[error("the list cannot be signed: {0}")]
    Sign(String),
}

impl SignedLists {
    /// A list of this organization, signed.
    ///
    /// # Errors
    /// [`ServeError`].
    pub fn serve(&self, node: &Node, name: &str, form: ListForm, now: Timestamp) -> Result<Arc<Vec<u8>>, ServeError> {
        let url = format!("{}/status-lists/{name}", node.config.http.public_url);
        let view = node.view();
        let organization = node.organization.as_str();
        let failed = |error: ReadError| ServeError::View(error.to_string());
        let log_size = view.log(organization).map_err(failed)?.frontier.size();
        if let Some(signed) = self
            .lists
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&(url.clone(), form))
            && signed.log_size == log_size
            && now.seconds_since(signed.at) < i64::from(TTL_SECONDS)
        {
            return Ok(signed.text.clone());
        }
        let unknown = || ServeError::Unknown(name.to_owned());
        let known = view
            .status_list(organization, &url)
            .map_err(failed)?
            .ok_or_else(unknown)?;
        let list = view
            .status_bits(organization, &url)
            .map_err(failed)?
            .ok_or_else(unknown)?;
        let text = Arc::new(match form {
            ListForm::Bitstring => signed_list(node, &url, known.purpose, &list, now)?,
            ListForm::Token => signed_token(node, &url, &list, now)?,
        });
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= MAX_CACHED {
            lists.clear();
        }
        lists.insert(
            (url, form),
            Signed {
                log_size,
                at: now,
                text: text.clone(),
            },
        );
        Ok(text)
    }
}

fn signed_list(
    node: &Node,
    url: &str,
    purpose: StatusPurpose,
    list: &StatusList,
    now: Timestamp,
) -> Result<Vec<u8>, ServeError> {
    let document = status::StatusListDraft {
        id: url,
        issuer: &node.organization,
        purpose,
        list,
        valid_from: now,
        valid_until: clock::later(now, LIST_VALID_SECONDS),
        time_to_live_seconds: TTL_SECONDS,
    }
    .to_document();
    let options = ProofOptions::new(Purpose::AssertionMethod, &node.issuer_method(), now);
    let document = proof::sign(document, &options, node.keys.credential_signer())
        .map_err(|error| ServeError::Sign(error.to_string()))?;
    Ok(records::encode(&document))
}

fn signed_token(node: &Node, url: &str, list: &StatusList, now: Timestamp) -> Result<Vec<u8>, ServeError> {
    let draft = StatusTokenDraft {
        uri: url,
        issuer: &node.organization,
        list,
        issued: now,
        expires: clock::later(now, LIST_VALID_SECONDS),
        time_to_live_seconds: TTL_SECONDS,
    };
    token::sign(&draft, &node.issuer_method(), node.keys.credential_signer())
        .map(String::into_bytes)
        .map_err(|error| ServeError::Sign(error.to_string()))
}
