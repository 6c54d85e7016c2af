//! Revoking, suspending and lifting a suspension.

use std::collections::BTreeMap;
use std::sync::Arc;

use syndic_registry::limits::STATUS_INDICES;
use syndic_registry::statement::{Content, Statement, StatusChanged};
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::StatusBit;

use super::{CredentialError, Issued, find};
use crate::engine::Receipt;
use crate::node::Node;
use crate::store::Batch;

/// What is to become of a credential's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Revoked, for good.
    Revoke,
    /// Suspended until it is resumed.
    Suspend,
    /// No longer suspended.
    Resume,
}

impl Change {
    /// The purpose of the entry that changes.
    #[must_use]
    pub const fn purpose(self) -> StatusPurpose {
        match self {
            Self::Revoke => StatusPurpose::Revocation,
            Self::Suspend | Self::Resume => StatusPurpose::Suspension,
        }
    }
}

/// The statements that revoke these credentials, as far as they are not revoked yet.
///
/// # Errors
/// The store's error.
pub fn revocations(node: &Node, credentials: &[Issued], now: Timestamp) -> Result<Vec<Statement>, CredentialError> {
    let mut by_list: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for issued in credentials {
        let Some(entry) = issued.entry(StatusPurpose::Revocation) else {
            continue;
        };
        if entry.bit(node) != StatusBit::Set {
            by_list.entry(&entry.list).or_default().push(entry.index);
        }
    }
    let mut statements = Vec::new();
    for (list, mut indices) in by_list {
        indices.sort_unstable();
        for part in indices.chunks(STATUS_INDICES) {
            statements.push(statement(list, part.to_vec(), Vec::new(), now));
        }
    }
    Ok(statements)
}

fn statement(list: &str, set: Vec<u64>, cleared: Vec<u64>, now: Timestamp) -> Statement {
    Statement {
        at: now,
        content: Content::StatusChanged(StatusChanged {
            list: list.to_owned(),
            set,
            cleared,
        }),
    }
}

/// Changes a credential's status. Returns where the statement stands, or `None` if it was so before.
///
/// # Errors
/// [`CredentialError`]; then nothing was changed.
pub async fn change_status(
    node: &Arc<Node>,
    id: &str,
    change: Change,
    now: Timestamp,
) -> Result<Option<Receipt>, CredentialError> {
    let issued = find(node, id)?;
    let Some(entry) = issued.entry(change.purpose()) else {
        return Err(CredentialError::Invalid {
            at: "/credentialStatus/statusPurpose",
            what: format!(
                "this credential has no {} entry, so nothing can be said there",
                change.purpose().as_str()
            ),
        });
    };
    let (statement, wanted) = match change {
        Change::Revoke | Change::Suspend => {
            let set = vec![entry.index];
            (statement(&entry.list, set, Vec::new(), now), StatusBit::Set)
        }
        Change::Resume => {
            let cleared = vec![entry.index];
            (statement(&entry.list, Vec::new(), cleared, now), StatusBit::Clear)
        }
    };
    if entry.bit(node) == wanted {
        return Ok(None);
    }
    Ok(Some(node.engine.publish(vec![statement], Batch::default()).await?))
}
