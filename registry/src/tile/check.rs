//! Checks a log from its files alone, one file after the other, in memory that grows with the depth of the tree only.
//!
//! The checkpoint says how many entries there are and what their root is. Every entry is read and hashed, every hash
//! tile compared with the hashes that follow, and the root recomputed. With a charter the signatures count too: those
//! of the log's organization must be there, and each line that names a key of another member must verify.

use std::collections::{BTreeMap, VecDeque};

use syndic_vc::did::Did;
use syndic_vc::time::Timestamp;

use super::{TilePath, WIDTH};
use crate::charter::{Charter, MemberCard};
use crate::cosignature;
use crate::head::{self, HeadError};
use crate::limits;
use crate::log::{self, Frontier, Hash};
use crate::log_keys::LogKeys;
use crate::note::{self, Note, NoteError};
use crate::statement::{Content, Statement, StatementError};

/// A check under way. Give it the files it asks for, in its order, until it asks for none.
#[derive(Debug)]
pub struct LogCheck {
    text: Text,
    signer: Option<Signer>,
    earlier: Option<Text>,
    frontier: Frontier,
    /// For each level, the hashes of its newest tile that is not full yet, and that tile's number.
    levels: Vec<(u64, Vec<Hash>)>,
    /// Hash tiles that follow from the entries, and what must be in them.
    due: VecDeque<(TilePath, Vec<u8>)>,
    statements: BTreeMap<String, u64>,
    files: u64,
    /// Whether the tiles that are not full are among those due.
    closed: bool,
}

/// What a checkpoint says.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Text {
    origin: String,
    size: u64,
    root: Hash,
}

/// Whose signatures the checkpoint must have. The log itself says by which keys it is signed after the first.
#[derive(Debug)]
struct Signer {
    checkpoint: String,
    charter: Charter,
    organization: Did,
    keys: LogKeys,
}

/// A log that was checked to its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckedLog {
    /// The log's name.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root over them, as recomputed.
    pub root: Hash,
    /// How many statements of each kind.
    pub statements: BTreeMap<String, u64>,
    /// How many files, the checkpoint included.
    pub files: u64,
    /// What the signatures say; `None` if there was no charter to check them with.
    pub signatures: Option<CheckedSignatures>,
}

/// Signatures of a checkpoint that were checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckedSignatures {
    /// When the organization last said that this is its newest head.
    pub time: Timestamp,
    /// The other members that cosigned it, and when.
    pub cosigned: Vec<(Did, Timestamp)>,
    /// Lines by keys that the charter does not name; they say nothing.
    pub unknown: usize,
}

/// Why a log does not hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LogCheckError {
    /// The checkpoint is no signed note.
    #[error("checkpoint: {0}")]
    Note(#[from] NoteError),
    /// The checkpoint is of another form, or a signature is missing or wrong.
    #[error("checkpoint: {0}")]
    Head(#[from] HeadError),
    /// The checkpoint is of no member of the charter.
    #[error("checkpoint: {0:?} is no log of a member of this charter")]
    Stranger(String),
    /// A line that names a member's key was not made by it.
    #[error("checkpoint: a cosignature that names the key of {0} does not verify")]
    Cosignature(Did),
    /// A bundle does not hold just the entries it should.
    #[error("{0}: it does not hold the {1} entries that it should, each after its length")]
    Bundle(TilePath, u16),
    /// An entry is no statement.
    #[error("entry {index}: {why}")]
    Statement {
        /// Which entry.
        index: u64,
        /// What is wrong with it.
        why: StatementError,
    },
    /// A hash tile does not hold the hashes of the entries.
    #[error("{0}: the hashes are not those of the entries")]
    Tile(TilePath),
    /// The entries are not those that were signed.
    #[error("the root over all entries is not the one that the checkpoint names")]
    Root,
    /// The log is no continuation of an earlier checkpoint.
    #[error("the log does not continue the earlier checkpoint of {0} entries: two stories were told, or it was cut")]
    Earlier(u64),
    /// The earlier checkpoint is of another log.
    #[error("the earlier checkpoint is of {0:?}, another log")]
    OtherLog(String),
    /// A file was left out.
    #[error("{0} was not looked at")]
    Unfinished(TilePath),
}

impl LogCheck {
    /// Begins with a log's checkpoint.
    ///
    /// # Errors
    /// [`LogCheckError`] if it is none, or does not hold under the charter.
    pub fn new(checkpoint: &str, charter: Option<&Charter>) -> Result<Self, LogCheckError> {
        let note = Note::parse(checkpoint)?;
        let text = Text::read(&note)?;
        let signer = charter
            .map(|charter| Signer::of(&text, checkpoint, charter))
            .transpose()?;
        let mut check = Self {
            text,
            signer,
            earlier: None,
            frontier: Frontier::default(),
            levels: Vec::new(),
            due: VecDeque::new(),
            statements: BTreeMap::new(),
            files: 1,
            closed: false,
        };
        check.close();
        Ok(check)
    }

    /// Demands that the log continues an earlier checkpoint of it, whose signatures are not looked at.
    ///
    /// # Errors
    /// [`LogCheckError`] if that is none, is of another log, or is longer than this one.
    pub fn continuing(mut self, earlier: &str) -> Result<Self, LogCheckError> {
        let earlier = Text::read(&Note::parse(earlier)?)?;
        if earlier.origin != self.text.origin {
            return Err(LogCheckError::OtherLog(earlier.origin));
        }
        let cannot = earlier.size > self.text.size || (earlier.size == 0 && earlier.root != log::EMPTY_ROOT);
        if cannot {
            return Err(LogCheckError::Earlier(earlier.size));
        }
        self.earlier = Some(earlier);
        Ok(self)
    }

    /// The log's name, as the checkpoint has it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.text.origin
    }

    /// How many entries there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.text.size
    }

    /// How many entries were looked at.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.frontier.size()
    }

    /// The file to give next; `None` if all were given.
    #[must_use]
    pub fn wanted(&self) -> Option<TilePath> {
        if let Some((path, _)) = self.due.front() {
            return Some(*path);
        }
        let left = self.text.size - self.frontier.size();
        // At most 256.
        (left > 0).then(|| TilePath::Entries {
            index: self.frontier.size() / WIDTH,
            width: left.min(WIDTH) as u16,
        })
    }

    /// Most bytes that the file asked for may have; whoever fetches it need not read further.
    #[must_use]
    pub fn most_bytes(&self) -> usize {
        match self.wanted() {
            Some(TilePath::Entries { .. }) => WIDTH as usize * (2 + limits::STATEMENT_BYTES),
            _ => WIDTH as usize * 32,
        }
    }

    /// Looks at the file that was asked for.
    ///
    /// # Errors
    /// [`LogCheckError`]: the log does not hold; the check is over.
    pub fn give(&mut self, bytes: &[u8]) -> Result<(), LogCheckError> {
        self.files += 1;
        if let Some((path, expected)) = self.due.pop_front() {
            return if expected == bytes {
                Ok(())
            } else {
                Err(LogCheckError::Tile(path))
            };
        }
        let Some(path @ TilePath::Entries { width, .. }) = self.wanted() else {
            return Ok(());
        };
        let entries = entries_of(bytes, usize::from(width)).ok_or(LogCheckError::Bundle(path, width))?;
        for entry in entries {
            self.entry(entry)?;
        }
        self.close();
        Ok(())
    }

    fn entry(&mut self, entry: &[u8]) -> Result<(), LogCheckError> {
        let index = self.frontier.size();
        let statement = Statement::parse(entry).map_err(|why| LogCheckError::Statement { index, why })?;
        if let (Some(signer), Content::LogKeyRotated(rotation)) = (&mut self.signer, &statement.content) {
            // One that does not count changes no key: then the head must be signed by the former one.
            let _taken = signer.keys.learn(rotation);
        }
        *self.statements.entry(statement.content.kind().to_owned()).or_default() += 1;
        let Self {
            frontier, levels, due, ..
        } = self;
        frontier.append_noting(log::leaf_hash(entry), &mut |height, _, hash| {
            if height % 8 == 0 {
                // Heights are below 64, so levels are below 8.
                note_hash(levels, due, (height / 8) as u8, hash);
            }
        });
        match &self.earlier {
            Some(earlier) if earlier.size == self.frontier.size() && earlier.root != self.frontier.root() => {
                Err(LogCheckError::Earlier(earlier.size))
            }
            _ => Ok(()),
        }
    }

    /// Once all entries are in, the tiles that are not full are due as well.
    fn close(&mut self) {
        if self.closed || self.frontier.size() < self.text.size {
            return;
        }
        self.closed = true;
        for (level, (index, hashes)) in (0_u8..).zip(&self.levels) {
            if !hashes.is_empty() {
                let path = TilePath::Hashes {
                    level,
                    index: *index,
                    width: hashes.len() as u16,
                };
                self.due.push_back((path, hashes.concat()));
            }
        }
    }

    /// The result, once nothing more is asked for.
    ///
    /// # Errors
    /// [`LogCheckError`]: a file was left out, or the root is another.
    pub fn finish(self) -> Result<CheckedLog, LogCheckError> {
        if let Some(path) = self.wanted() {
            return Err(LogCheckError::Unfinished(path));
        }
        if self.frontier.root() != self.text.root {
            return Err(LogCheckError::Root);
        }
        let signatures = self.signer.map(|signer| signer.check(&self.text)).transpose()?;
        Ok(CheckedLog {
            origin: self.text.origin,
            size: self.text.size,
            root: self.text.root,
            statements: self.statements,
            files: self.files,
            signatures,
        })
    }
}

fn note_hash(levels: &mut Vec<(u64, Vec<Hash>)>, due: &mut VecDeque<(TilePath, Vec<u8>)>, level: u8, hash: &Hash) {
    while levels.len() <= usize::from(level) {
        levels.push((0, Vec::new()));
    }
    let Some((index, hashes)) = levels.get_mut(usize::from(level)) else {
        return;
    };
    hashes.push(*hash);
    if hashes.len() as u64 == WIDTH {
        let path = TilePath::Hashes {
            level,
            index: *index,
            width: WIDTH as u16,
        };
        due.push_back((path, hashes.concat()));
        hashes.clear();
        *index += 1;
    }
}

/// What a checkpoint says of itself: how many entries, and when its organization last said so. Nothing is checked.
#[must_use]
pub fn stated(checkpoint: &str) -> Option<(u64, Option<Timestamp>)> {
    let note = Note::parse(checkpoint).ok()?;
    let text = Text::read(&note).ok()?;
    let own = note.signatures.iter().filter(|line| line.name == text.origin);
    // A line of the other kind is a bare signature, eight bytes shorter.
    let timed = own.filter(|line| line.signature.len() == 8 + 64);
    let times = timed.filter_map(|line| head::time_of(head::split_cosignature(&line.signature)?.0));
    Some((text.size, times.max()))
}

/// The entries of a bundle, if it holds exactly so many and nothing else.
#[must_use]
pub fn entries_of(bundle: &[u8], count: usize) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while entries.len() < count {
        let (length, more) = rest.split_first_chunk::<2>()?;
        let (entry, more) = more.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = more;
    }
    rest.is_empty().then_some(entries)
}

impl Text {
    fn read(note: &Note) -> Result<Self, HeadError> {
        let (origin, size, root) = head::checkpoint(&note.text).ok_or(HeadError::Malformed)?;
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }
}

impl Signer {
    /// What the first key says is checked at once, so that nobody downloads a log that was never signed.
    fn of(text: &Text, checkpoint: &str, charter: &Charter) -> Result<Self, LogCheckError> {
        let stranger = || LogCheckError::Stranger(text.origin.clone());
        let did = crate::fork::organization_of(charter.id(), checkpoint).ok_or_else(stranger)?;
        let member = charter.member(did).ok_or_else(stranger)?;
        let keys = LogKeys::new(charter.id(), member);
        match keys.verify(checkpoint, &text.origin) {
            // By a later key, perhaps: the log will say.
            Ok(_) | Err(HeadError::OtherKey) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Self {
            checkpoint: checkpoint.to_owned(),
            charter: charter.clone(),
            organization: member.did().clone(),
            keys,
        })
    }

    fn check(&self, text: &Text) -> Result<CheckedSignatures, LogCheckError> {
        let head = self.keys.verify(&self.checkpoint, &text.origin)?;
        let note = Note::parse(&self.checkpoint)?;
        let consortium = self.charter.id();
        let key = |card: &MemberCard| card.log_key().clone();
        let cosignatures = cosignature::in_note(&self.charter, self.organization.as_str(), &self.checkpoint, key);
        // A line that names a member's key and was not made by it was tampered with.
        let names = |card: &&MemberCard| {
            let name = head::origin(consortium, card.did().as_str());
            let id = note::key_id(&name, note::TYPE_COSIGNATURE, card.log_key().as_bytes());
            *card.did() != self.organization && note.signature_of(&name, id).is_some()
        };
        let made = |card: &MemberCard| cosignatures.iter().any(|one| one.witness == *card.did());
        if let Some(card) = self.charter.members().iter().filter(names).find(|card| !made(card)) {
            return Err(LogCheckError::Cosignature(card.did().clone()));
        }
        Ok(CheckedSignatures {
            time: head.time(),
            // Two lines are the organization's own.
            unknown: note.signatures.len().saturating_sub(2 + cosignatures.len()),
            cosigned: cosignatures.into_iter().map(|one| (one.witness, one.time)).collect(),
        })
    }
}

#[cfg(test)]
mod tests;
