//! The fold of `did:webvh` logs: an entry that continues the log is kept, one that contradicts it is
//! remembered as the proof of two stories, anything else changes nothing.

use std::collections::btree_map::Entry;

use syndic_vc::did::Did;
use syndic_vc::time::Timestamp;
use syndic_vc::webvh::{self, Log};

use super::Fold;
use crate::fact::{self, DidFork};
use crate::limits;
use crate::statement::DidVersion;
use crate::store::{ReadError, Reader, Write};

impl Fold<'_> {
    pub(super) fn did_version(&mut self, index: u64, at: Timestamp, said: &DidVersion) -> Result<(), ReadError> {
        let Some(scid) = webvh::scid(&said.did) else {
            return Ok(());
        };
        let (organization, reader) = (self.organization, self.reader);
        let log = match self.dids.entry(scid.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(stored(organization, scid, reader)?),
        };
        let before = log.versions().len();
        // An entry dated after the statement that carries it would be in force before its time.
        let latest = at.checked_add_seconds(limits::DID_SKEW_SECONDS).unwrap_or(at);
        let new = before < limits::DID_ENTRIES
            && log.append(&said.entry).is_ok_and(|version| version.time <= latest)
            && log.scid() == Some(scid);
        if !new {
            log.truncate(before);
        }
        let (contradicted, held) = (!new && log.is_contradicted_by(&said.entry), log.holds(&said.entry));
        if contradicted {
            self.put(fact::did_fork_key(organization, scid), &DidFork { index });
        }
        // The same entry again may bring its witnesses.
        if !held {
            return Ok(());
        }
        if new {
            // Far fewer than 2^32: the log is bounded.
            let key = fact::did_entry_key(organization, scid, before as u32);
            self.changed.insert(key, said.entry.clone().into_bytes());
        }
        if before == 0 && new {
            let by_scid = fact::did_index_key(scid, Some(organization));
            self.appended.push(Write::put(by_scid, Vec::new()));
        }
        if let Some(witness) = &said.witness {
            let key = fact::did_witness_key(organization, scid);
            self.changed.insert(key, witness.clone().into_bytes());
        }
        Ok(())
    }

    pub(super) fn own_did(&mut self, did: &Did) {
        let row = fact::own_did_index_key(did.as_str(), Some(self.organization));
        self.appended.push(Write::put(row, Vec::new()));
        self.changed
            .insert(fact::own_did_key(self.organization, did.as_str()), Vec::new());
    }
}

/// The log as the organization has told it so far.
pub(crate) fn stored(organization: &str, scid: &str, reader: &dyn Reader) -> Result<Log, ReadError> {
    let mut log = Log::new();
    for line in lines(organization, scid, reader)? {
        log.append(&line).map_err(|_| damaged(organization, scid))?;
    }
    Ok(log)
}

/// The lines of the log as the organization has told it so far.
pub(crate) fn lines(organization: &str, scid: &str, reader: &dyn Reader) -> Result<Vec<String>, ReadError> {
    let from = fact::did_entry_key(organization, scid, 0);
    let to = fact::did_entry_key(organization, scid, u32::MAX);
    let rows = reader.range(&from, &to, limits::DID_ENTRIES)?;
    rows.into_iter()
        .map(|(_, line)| String::from_utf8(line).map_err(|_| damaged(organization, scid)))
        .collect()
}

fn damaged(organization: &str, scid: &str) -> ReadError {
    let place = format!("did:webvh:{scid} of {organization}");
    ReadError::damaged(place, "a line of its log is not what was written")
}
