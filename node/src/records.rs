//! How the node's own rows are written: one key prefix per kind, JSON values in canonical form.
//!
//! Keys begin with `n/`; the registry's begin with `r/`. A row is decoded strictly, so a damaged row is an error that
//! names its key and never a default value.

use syndic_vc::canonical;
use syndic_vc::json::{self, Value};

use crate::store::{Store, StoreError};

/// Agents by DID.
pub const AGENT: &str = "n/agent/";
/// DID of an agent by its name.
pub const AGENT_NAME: &str = "n/agent-name/";
/// Sealed secret keys of agents by DID.
pub const AGENT_KEY: &str = "n/agent-key/";
/// Hosted DIDs by DID.
pub const DID: &str = "n/did/";
/// Hosted DID by the path below which its files are served.
pub const DID_AT: &str = "n/did-at/";
/// Sealed secret keys of hosted DIDs by multikey.
pub const DID_KEY: &str = "n/did-key/";
/// Issued credentials by digest of their id: ids have any length, keys have not.
pub const CREDENTIAL: &str = "n/credential/";
/// Ids of issued credentials by digest of the subject and digest of the id.
pub const CREDENTIAL_OF: &str = "n/credential-of/";
/// Credential id by status list and index.
pub const STATUS_INDEX: &str = "n/status-index/";
/// Sealed secret keys of issuing instances by kind and name.
pub const INSTANCE_KEY: &str = "n/instance-key/";
/// The status list that new entries are drawn from, by purpose.
pub const STATUS_CURRENT: &str = "n/status-current/";

/// Rows read at once when a prefix is walked.
pub const PAGE: usize = 1_000;

/// Why a row could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The row is not what this version writes.
    #[error("the stored row {key} cannot be read: {what}; restore the data folder from a backup")]
    Damaged {
        /// The row's key.
        key: String,
        /// What is wrong.
        what: String,
    },
}

/// The key of a row.
#[must_use]
pub fn key(prefix: &str, name: &str) -> Vec<u8> {
    format!("{prefix}{name}").into_bytes()
}

/// The bytes of a row.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    canonical::to_bytes(value)
}

/// Reads one row.
///
/// # Errors
/// [`RecordError`] if the store fails or the row is damaged.
pub fn get(store: &dyn Store, key: &[u8]) -> Result<Option<Value>, RecordError> {
    store.get(key)?.map(|bytes| decode(key, &bytes)).transpose()
}

/// Decodes one row.
///
/// # Errors
/// [`RecordError::Damaged`] if it is not JSON.
pub fn decode(key: &[u8], bytes: &[u8]) -> Result<Value, RecordError> {
    json::parse(bytes).map_err(|error| damaged(key, error.to_string()))
}

/// The error for a row that decodes but does not hold what it must.
#[must_use]
pub fn damaged(key: &[u8], what: impl Into<String>) -> RecordError {
    RecordError::Damaged {
        key: String::from_utf8_lossy(key).into_owned(),
        what: what.into(),
    }
}

/// A text member of a row.
///
/// # Errors
/// [`RecordError::Damaged`] if it is absent or not text.
pub fn text<'a>(key: &[u8], row: &'a Value, member: &str) -> Result<&'a str, RecordError> {
    row.get(member)
        .and_then(Value::as_str)
        .ok_or_else(|| damaged(key, format!("no text member {member}")))
}

/// Walks all rows with a prefix, page by page.
///
/// # Errors
/// [`RecordError`] from the store or from `each`.
pub fn walk(
    store: &dyn Store,
    prefix: &str,
    mut each: impl FnMut(&[u8], &[u8]) -> Result<(), RecordError>,
) -> Result<(), RecordError> {
    let mut from = prefix.as_bytes().to_vec();
    let end = crate::one_time::after_prefix(prefix.as_bytes());
    loop {
        let rows = store.range(&from, &end, PAGE)?;
        let full = rows.len() == PAGE;
        for (key, value) in &rows {
            each(key, value)?;
        }
        let Some((last, _)) = rows.into_iter().next_back() else {
            return Ok(());
        };
        if !full {
            return Ok(());
        }
        from = last;
        from.push(0);
    }
}
