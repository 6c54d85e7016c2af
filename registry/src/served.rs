//! What a file server has of a consortium, as the answers of a peer: a node that nobody can connect to, and that can
//! connect to nobody, follows the logs all the same, and by the same machine.
//!
//! Nothing here is believed. Checkpoints are looked at only to find the rotations that explain them and to leave out what
//! need not be told; the machine checks all that is answered as it checks any peer.

use std::collections::BTreeMap;

use crate::charter::{Charter, CharterChain, MemberCard, SignedCharter};
use crate::cosignature::{self, Cosignature};
use crate::fork::{self, Fork};
use crate::head::{self, Head, HeadError};
use crate::limits;
use crate::log;
use crate::log_keys::LogKeys;
use crate::message::{Answer, Ask, ChainPoint, Cosigned, KnownRotation, Piece, Refusal, Standpoint};
use crate::proof;
use crate::statement::{Content, Statement};
use crate::store::{ReadError, Reader};
use crate::tile::rows::{Files, Rows};

/// Entries read at once in search of rotations.
const SCANNED: u64 = 256;

/// What a file server has.
#[derive(Debug)]
pub struct Served {
    chain: CharterChain,
    logs: BTreeMap<String, Log>,
    forks: BTreeMap<String, Fork>,
}

#[derive(Debug)]
struct Log {
    card: MemberCard,
    keys: LogKeys,
    /// As it is served.
    checkpoint: String,
    /// With the lines of its organization only.
    head: Option<Head>,
    cosigned: Vec<Cosignature>,
    /// Entries that were looked through for rotations.
    scanned: u64,
}

/// Why what a server has is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ServedError {
    /// A file is not to be had, or is none.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A checkpoint does not hold.
    #[error("the checkpoint of {organization} does not hold: {source}")]
    Head {
        /// Whose it should be.
        organization: String,
        /// What is wrong with it.
        source: HeadError,
    },
}

impl ServedError {
    /// Whether no honest server has this; otherwise it may be there at the next attempt.
    #[must_use]
    pub const fn is_false(&self) -> bool {
        !matches!(self, Self::Read(ReadError::Engine(_)))
    }
}

impl Served {
    /// A server that has this chain of charters, and nothing else yet.
    #[must_use]
    pub const fn new(chain: CharterChain) -> Self {
        Self {
            chain,
            logs: BTreeMap::new(),
            forks: BTreeMap::new(),
        }
    }

    /// The server's chain is this now.
    pub fn take_chain(&mut self, chain: CharterChain) {
        self.chain = chain;
    }

    /// The question that lets the machine know where the server's chain ends.
    #[must_use]
    pub fn ask(&self) -> Vec<u8> {
        let charter = ChainPoint {
            version: self.chain.current().version(),
            hash: self.chain.current().hash().to_owned(),
            conflict: self.chain.conflict().is_some(),
        };
        Ask::Compare {
            id: 0,
            charter,
            logs: Vec::new(),
            only: false,
        }
        .encode()
    }

    /// A proof that the server has of an organization.
    pub fn take_fork(&mut self, organization: &str, fork: Fork) {
        self.forks.insert(organization.to_owned(), fork);
    }

    /// Whether a proof against the organization was taken.
    #[must_use]
    pub fn has_fork(&self, organization: &str) -> bool {
        self.forks.contains_key(organization)
    }

    /// A log's checkpoint as it is served now. `charter` is the one in force here.
    ///
    /// # Errors
    /// [`ServedError`]; then the former one stands.
    pub fn take_checkpoint(
        &mut self,
        charter: &Charter,
        card: &MemberCard,
        checkpoint: &str,
        files: &dyn Files,
    ) -> Result<(), ServedError> {
        let organization = card.did().as_str();
        let origin = head::origin(charter.id(), organization);
        let mut log = match self.logs.remove(organization) {
            Some(log) if log.card == *card => log,
            _ => Log {
                card: card.clone(),
                keys: LogKeys::new(charter.id(), card),
                checkpoint: String::new(),
                head: None,
                cosigned: Vec::new(),
                scanned: 0,
            },
        };
        let taken = if log.checkpoint == checkpoint {
            Ok(())
        } else {
            log.take(&origin, organization, checkpoint, files)
        };
        if taken.is_ok() && log.checkpoint == checkpoint {
            let key = |card: &MemberCard| {
                let known = self.logs.get(card.did().as_str());
                known.map_or(card.log_key(), |log| log.keys.newest()).clone()
            };
            log.cosigned = cosignature::in_note(charter, organization, checkpoint, key);
            log.cosigned.sort_by(|a, b| a.witness.cmp(&b.witness));
        }
        self.logs.insert(organization.to_owned(), log);
        taken.map_err(|error| match error {
            Taking::Read(error) => error.into(),
            Taking::Head(source) => ServedError::Head {
                organization: organization.to_owned(),
                source,
            },
        })
    }

    /// The answer to a question of the machine.
    ///
    /// # Errors
    /// [`ServedError`] if a file is missing or is none.
    pub fn answer(&self, ask: &[u8], files: &dyn Files) -> Result<Vec<u8>, ServedError> {
        let Ok(ask) = Ask::decode(ask) else {
            return Ok(refused(0, Refusal::Malformed));
        };
        let answer = match ask {
            // Which logs differ is not told by files; the machine then lists them all.
            Ask::Compare { id, logs, .. } => self.newer(id, &logs),
            Ask::Pull { id, organization, from } => match self.piece(id, &organization, from, files)? {
                Some(piece) => Answer::Piece(piece),
                None => return Ok(refused(id, Refusal::NothingNew)),
            },
            Ask::Charters { id, from } => self.charters(id, from),
            other => return Ok(refused(other.id(), Refusal::NothingNew)),
        };
        Ok(answer.encode())
    }

    fn newer(&self, id: u64, theirs: &[Standpoint]) -> Answer {
        let theirs: BTreeMap<&str, &Standpoint> = theirs.iter().map(|log| (log.organization.as_str(), log)).collect();
        let mut room = limits::HEADS_BYTES;
        let mut fits = |bytes: usize| match room.checked_sub(bytes) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        };
        let (mut rotations, mut notes, mut forks, mut cosigned) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (organization, log) in &self.logs {
            let known = theirs
                .get(organization.as_str())
                .map_or(0, |them| usize::from(them.rotations));
            for rotation in log.keys.rotations().iter().skip(known) {
                if rotations.len() < limits::ROTATIONS_AT_ONCE && fits(organization.len() + limits::ROTATION_BYTES) {
                    rotations.push(KnownRotation {
                        organization: organization.clone(),
                        rotation: rotation.clone(),
                    });
                }
            }
        }
        for (organization, fork) in &self.forks {
            let frozen = theirs
                .get(organization.as_str())
                .is_some_and(|them| them.fork.is_some());
            if !frozen && fits(fork.encode().len()) {
                forks.push(fork.clone());
            }
        }
        for (organization, log) in &self.logs {
            let them = theirs.get(organization.as_str()).copied();
            let Some(head) = &log.head else { continue };
            if is_news(head, them) && fits(head.note().len() + 2) {
                notes.push(head.note().to_owned());
            }
            let same = them.map_or(0, |them| them.cosigned) == cosignature::fingerprint(log.cosigned.iter());
            let ours = Cosigned {
                organization: organization.clone(),
                size: head.size(),
                root: *head.root(),
                lines: log.cosigned.clone(),
            };
            if !same && !ours.lines.is_empty() && fits(ours.bytes()) {
                cosigned.push(ours);
            }
        }
        Answer::Heads {
            id,
            rotations,
            notes,
            forks,
            cosigned,
        }
    }

    fn piece(&self, id: u64, organization: &str, from: u64, files: &dyn Files) -> Result<Option<Piece>, ReadError> {
        let Some(head) = self.logs.get(organization).and_then(|log| log.head.as_ref()) else {
            return Ok(None);
        };
        let rows = Rows {
            organization,
            size: head.size(),
            files,
        };
        piece(id, (organization, head.note(), head.size()), (from, u64::MAX), &rows)
    }

    fn charters(&self, id: u64, from: u32) -> Answer {
        let (mut versions, mut room) = (Vec::new(), limits::SIGNED_CHARTER_BYTES);
        let stored = (from.max(2)..=self.chain.current().version()).filter_map(|version| self.chain.signed(version));
        let mut all: Vec<Vec<u8>> = stored.map(<[u8]>::to_vec).collect();
        if let Some(conflict) = self.chain.conflict().filter(|conflict| from <= conflict.version()) {
            let mut two = conflict.versions().map(SignedCharter::to_bytes);
            // If both do not fit, each comes first in turn.
            if id % 2 == 1 {
                two.reverse();
            }
            all.extend(two);
        }
        for bytes in all {
            match room.checked_sub(bytes.len()) {
                Some(left) if versions.len() < limits::CHARTERS_AT_ONCE => {
                    room = left;
                    versions.push(bytes);
                }
                _ => break,
            }
        }
        Answer::Charters { id, versions }
    }
}

enum Taking {
    Read(ReadError),
    Head(HeadError),
}

impl Log {
    fn take(&mut self, origin: &str, organization: &str, checkpoint: &str, files: &dyn Files) -> Result<(), Taking> {
        let mut verified = self.keys.verify(checkpoint, origin);
        if verified == Err(HeadError::OtherKey) {
            // By a later key, perhaps: the log says so itself.
            self.scan(organization, checkpoint, files).map_err(Taking::Read)?;
            verified = self.keys.verify(checkpoint, origin);
        }
        match verified {
            Ok(_) => {}
            // Or the server knows a later charter, which comes first.
            Err(HeadError::OtherKey) => return Ok(()),
            Err(error) => return Err(Taking::Head(error)),
        }
        let bare = fork::bare(checkpoint, origin, &self.keys);
        self.head = Some(self.keys.verify(&bare, origin).map_err(Taking::Head)?);
        checkpoint.clone_into(&mut self.checkpoint);
        Ok(())
    }

    fn scan(&mut self, organization: &str, checkpoint: &str, files: &dyn Files) -> Result<(), ReadError> {
        let size = crate::tile::check::stated(checkpoint).map_or(0, |(size, _)| size);
        let rows = Rows {
            organization,
            size,
            files,
        };
        while self.scanned < size {
            let to = size.min(self.scanned + SCANNED);
            let entries = log::read_entries(organization, self.scanned, to, limits::PIECE_BYTES, &rows)?;
            if entries.is_empty() {
                break;
            }
            for entry in &entries {
                if let Ok(Statement {
                    content: Content::LogKeyRotated(rotation),
                    ..
                }) = Statement::parse(entry)
                {
                    // One that does not connect explains nothing.
                    let _known = self.keys.learn(&rotation);
                }
            }
            self.scanned += entries.len() as u64;
        }
        Ok(())
    }
}

/// Whether a head says more than what somebody has.
fn is_news(head: &Head, them: Option<&Standpoint>) -> bool {
    let time = u64::try_from(head.time().unix_seconds()).unwrap_or(0);
    them.is_none_or(|them| {
        head.size() > them.size || (head.size() == them.size && (*head.root() != them.root || time > them.time))
    })
}

fn refused(id: u64, why: Refusal) -> Vec<u8> {
    Answer::Refused { id, why }.encode()
}

/// Entries of a log from a place on, below `most`, as many as fit, under the head of a note; `None` if it ends before.
///
/// # Errors
/// [`ReadError`] if the reader cannot say.
pub(crate) fn piece(
    id: u64,
    (organization, note, size): (&str, &str, u64),
    (from, most): (u64, u64),
    reader: &dyn Reader,
) -> Result<Option<Piece>, ReadError> {
    if from > size {
        return Ok(None);
    }
    let to = size.min(most).min(from + limits::APPEND_STATEMENTS as u64);
    let entries = log::read_entries(organization, from, to, limits::PIECE_BYTES, reader)?;
    let end = from + entries.len() as u64;
    let start_root = proof::root(organization, from, reader)?;
    let start_proof = proof::consistency(organization, from, size, reader)?;
    let end_proof = proof::consistency(organization, end, size, reader)?;
    let ends = start_root.zip(start_proof).zip(end_proof);
    Ok(ends.map(|((start_root, start_proof), end_proof)| Piece {
        id,
        note: note.to_owned(),
        from,
        start_root,
        start_proof,
        entries,
        end_proof,
    }))
}
