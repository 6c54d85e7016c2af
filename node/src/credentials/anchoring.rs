//! Anchoring what is issued (`[issue] anchor`): the log holds its digest before anybody holds the credential, so it goes on
//! counting if the key that signed it is stolen later.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use syndic_registry::limits::ANCHORS;
use syndic_registry::statement::{Content, CredentialsAnchored, Statement};
use syndic_vc::credential::{anchor_digest, token_digest};
use syndic_vc::time::Timestamp;

use super::{CredentialError, Issued, issuing};
use crate::engine::PublishError;
use crate::node::Node;
use crate::records::RecordError;
use crate::store::{ApplyError, Batch};

/// Rows that are being written by a publication and were free when it began. A publication whose expectations fail makes
/// the log read its state anew; so what can be told before is told before.
#[derive(Debug, Default)]
pub struct Claims(Mutex<BTreeSet<Vec<u8>>>);

/// Some of them; free again when dropped.
struct Claim<'a> {
    of: &'a Claims,
    keys: Vec<Vec<u8>>,
}

impl Claims {
    /// Claims rows that nobody else claims, or names one that somebody does.
    fn take(&self, keys: Vec<Vec<u8>>) -> Result<Claim<'_>, Vec<u8>> {
        let mut claimed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = keys.iter().find(|key| claimed.contains(*key)) {
            return Err(taken.clone());
        }
        claimed.extend(keys.iter().cloned());
        Ok(Claim { of: self, keys })
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut claimed = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &self.keys {
            claimed.remove(key);
        }
    }
}

/// Stores a credential that was signed and shown to nobody yet; with its anchor in the same batch, if this node anchors.
pub(super) async fn store(node: &Arc<Node>, issued: &Issued, now: Timestamp) -> Result<(), CredentialError> {
    let batch = issuing::rows(issued);
    if !node.config.issue.anchor {
        return Ok(node.apply(batch).await?);
    }
    let statements = statements(vec![anchor_digest(&issued.document)], now);
    let node = node.clone();
    // A caller that goes away must not free the rows while they are being written.
    let stored = tokio::spawn(async move { publish(&node, statements, batch).await });
    stored.await.map_err(|_| PublishError::Stopping)?
}

async fn publish(node: &Node, statements: Vec<Statement>, batch: Batch) -> Result<(), CredentialError> {
    let taken = |key: Vec<u8>| CredentialError::Store(ApplyError::Expectation { key });
    let keys: Vec<Vec<u8>> = batch.expectations.iter().map(|(key, _)| key.clone()).collect();
    let claim = node.claims.take(keys).map_err(taken)?;
    for (key, expected) in &batch.expectations {
        if node.store.get(key).map_err(RecordError::from)? != *expected {
            return Err(taken(key.clone()));
        }
    }
    node.engine.publish(statements, batch).await?;
    drop(claim);
    Ok(())
}

/// Anchors a token that is given out and not kept, if this node anchors.
///
/// # Errors
/// [`CredentialError::Publish`]; then the token must not be given out.
pub async fn anchor_token(node: &Node, token: &str, now: Timestamp) -> Result<(), CredentialError> {
    if node.config.issue.anchor {
        let statements = statements(vec![token_digest(token)], now);
        node.engine.publish(statements, Batch::default()).await?;
    }
    Ok(())
}

/// The statements that anchor documents with these digests.
pub(super) fn statements(mut digests: Vec<String>, now: Timestamp) -> Vec<Statement> {
    digests.sort_unstable();
    digests.dedup();
    digests
        .chunks(ANCHORS)
        .map(|digests| Statement {
            at: now,
            content: Content::CredentialsAnchored(CredentialsAnchored {
                digests: digests.to_vec(),
            }),
        })
        .collect()
}
