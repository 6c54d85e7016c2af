//! What nodes say to each other: a strict binary form with one encoding for each message.
//!
//! Byte 0 is the version of this format, byte 1 the kind; then the fields in order, integers
//! big-endian, text and bytes behind a u16 length, lists behind a u16 count. Decoding checks every
//! bound before it allocates, refuses trailing bytes, and never panics. A decoded message proves
//! nothing yet: heads in it are text, entries are bytes. `specs/04-replication.md` has the layout.

pub(crate) mod codec;
mod error;
mod parting;

use crate::cosignature::Cosignature;
use crate::fork::{Fork, Record};
use crate::limits;
use crate::log::Hash;
use crate::log_keys::Rotation;
use codec::{Decoder, Encoder};
pub use error::{MessageError, MessageErrorKind};
pub use parting::{Parting, Roots, Standpoint};

/// Version of the encoding that this crate speaks.
const VERSION: u8 = 2;

/// What is broadcast to all members.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Broadcast {
    /// A log has a new head.
    News(News),
    /// An organization told two stories.
    Fork(Fork),
    /// Members cosigned a head of another's log.
    Cosigned(Cosigned),
}

/// Cosignatures of one head of one log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cosigned {
    /// DID of the log's organization.
    pub organization: String,
    /// Number of entries that the head covers.
    pub size: u64,
    /// Root over these entries.
    pub root: Hash,
    /// One or more, ascending by witness; all of this size and root.
    pub lines: Vec<Cosignature>,
}

/// A new head of one log, with its newest entries so that who is up to date need not ask.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct News {
    /// The head as a signed note.
    pub note: String,
    /// Index of the first entry below.
    pub from: u64,
    /// The entries `from` up to the size of the head; none in a heartbeat.
    pub entries: Vec<Vec<u8>>,
}

/// What one member asks another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ask {
    /// "This is how far I am: send me the heads that are newer."
    Compare {
        /// Repeated in the answer.
        id: u64,
        /// How far the asker is in each log it knows, ascending by organization.
        logs: Vec<Standpoint>,
    },
    /// "Send me entries of this log from this index on."
    Pull {
        /// Repeated in the answer.
        id: u64,
        /// DID of the log's organization.
        organization: String,
        /// Number of entries that the asker has.
        from: u64,
    },
    /// "What are the roots of your branch of this frozen log at these sizes?"
    Probe {
        /// Repeated in the answer.
        id: u64,
        /// DID of the log's organization.
        organization: String,
        /// Numbers of entries, ascending.
        sizes: Vec<u64>,
    },
    /// "Send me what you honour of this frozen log and I do not know of."
    Salvage {
        /// Repeated in the answer.
        id: u64,
        /// DID of the log's organization.
        organization: String,
        /// The asker's records: the first half of the hash of each entry.
        have: Vec<[u8; 16]>,
    },
}

/// A rotation, apart from the entry that says it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownRotation {
    /// DID of the log's organization.
    pub organization: String,
    /// What its root key signed.
    pub rotation: Rotation,
}

/// What is answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// To [`Ask::Compare`]: heads as signed notes, newer than the asker's, and rotations and forks
    /// that the asker does not know of.
    Heads {
        /// That of the question.
        id: u64,
        /// Rotations of log keys, those of one log in their order; the heads may need them.
        rotations: Vec<KnownRotation>,
        /// Signed notes.
        notes: Vec<String>,
        /// Evidence.
        forks: Vec<Fork>,
        /// Cosignatures, where the asker holds others than the answerer.
        cosigned: Vec<Cosigned>,
    },
    /// To [`Ask::Pull`].
    Piece(Piece),
    /// To [`Ask::Probe`].
    Roots(Roots),
    /// To [`Ask::Salvage`].
    Salvaged {
        /// That of the question.
        id: u64,
        /// Records, in order.
        records: Vec<Record>,
    },
    /// The question is not answered.
    Refused {
        /// That of the question; 0 if it could not be read.
        id: u64,
        /// Why not.
        why: Refusal,
    },
}

/// Consecutive entries of one log, tied to a signed head at both ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// That of the question.
    pub id: u64,
    /// A head as a signed note, of at least `from + entries.len()` entries.
    pub note: String,
    /// Index of the first entry below; as asked.
    pub from: u64,
    /// Root of the answerer's log at `from` entries.
    pub start_root: Hash,
    /// Consistency proof from `start_root` to the head.
    pub start_proof: Vec<Hash>,
    /// The entries; none if the head has no more than the asker.
    pub entries: Vec<Vec<u8>>,
    /// Consistency proof from the end of the entries to the head; empty if they end at it.
    pub end_proof: Vec<Hash>,
}

/// Why a question is not answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The asker's peer id is on no member's card.
    NotMember,
    /// The question does not decode.
    Malformed,
    /// Asked too often; ask again later.
    Busy,
    /// The answerer does not have that log, or less of it than the asker.
    NothingNew,
    /// The answerer's store cannot be read now.
    Unavailable,
}

const NEWS: u8 = 1;
const FORK: u8 = 2;
const COMPARE: u8 = 3;
const HEADS: u8 = 4;
const PULL: u8 = 5;
const PIECE: u8 = 6;
const REFUSED: u8 = 7;
const COSIGNED: u8 = 11;
const PROBE: u8 = 12;
const ROOTS: u8 = 13;
const SALVAGE: u8 = 14;
const SALVAGED: u8 = 15;

impl Broadcast {
    /// The message as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::News(news) => news.encode(),
            Self::Fork(fork) => {
                let mut out = begin(FORK, 2 * limits::NOTE_BYTES);
                fork.write(&mut out);
                out.finish()
            }
            Self::Cosigned(cosigned) => {
                let mut out = begin(COSIGNED, cosigned.bytes());
                cosigned.write(&mut out);
                out.finish()
            }
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`MessageError`] if the bytes are not exactly one.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let (mut from, kind) = open(bytes, limits::BROADCAST_BYTES)?;
        let message = match kind {
            NEWS => Self::News(News::read(&mut from)?),
            FORK => Self::Fork(Fork::read(&mut from)?),
            COSIGNED => Self::Cosigned(Cosigned::read(&mut from)?),
            other => return Err(from.fault(MessageErrorKind::Kind(other))),
        };
        from.finish()?;
        Ok(message)
    }
}

impl News {
    fn encode(&self) -> Vec<u8> {
        let content: usize = self.entries.iter().map(|e| 2 + e.len()).sum();
        let mut out = begin(NEWS, self.note.len() + content);
        out.run(self.note.as_bytes());
        out.u64(self.from);
        out.runs(&self.entries);
        out.finish()
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            note: note(from)?,
            from: from.size()?,
            entries: entries(from)?,
        })
    }
}

impl Cosigned {
    /// What one takes in a message beside its DIDs.
    const LEAST_BYTES: usize = 44;

    /// What it takes in a message.
    pub(crate) fn bytes(&self) -> usize {
        let lines = self.lines.iter();
        let lines = lines.map(|line| line.witness.as_str().len() + Cosignature::LEAST_BYTES);
        Self::LEAST_BYTES + self.organization.len() + lines.sum::<usize>()
    }

    fn write(&self, out: &mut Encoder) {
        out.run(self.organization.as_bytes());
        out.u64(self.size);
        out.hash(&self.root);
        out.count(self.lines.len());
        for line in &self.lines {
            line.write(out);
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        let organization = from.text("DID", limits::ORGANIZATION_BYTES)?.to_owned();
        let (size, root) = (from.size()?, from.hash()?);
        let lines = from.list("cosignatures", limits::COSIGNATURES, Cosignature::LEAST_BYTES, |from| {
            Cosignature::read(from, size, root)
        })?;
        if lines.is_empty() || !lines.is_sorted_by(|a, b| a.witness < b.witness) {
            return Err(from.value("no cosignatures, or out of order"));
        }
        Ok(Self {
            organization,
            size,
            root,
            lines,
        })
    }
}

impl Ask {
    /// The number that the answer repeats.
    #[must_use]
    pub fn id(&self) -> u64 {
        match self {
            Self::Compare { id, .. } | Self::Pull { id, .. } | Self::Probe { id, .. } | Self::Salvage { id, .. } => *id,
        }
    }

    /// The message as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Compare { id, logs } => {
                let mut out = begin(COMPARE, logs.len() * 128);
                out.u64(*id);
                out.count(logs.len());
                for log in logs {
                    log.write(&mut out);
                }
                out.finish()
            }
            Self::Pull { id, organization, from } => {
                let mut out = begin(PULL, organization.len());
                out.u64(*id);
                out.run(organization.as_bytes());
                out.u64(*from);
                out.finish()
            }
            Self::Probe {
                id,
                organization,
                sizes,
            } => {
                let mut out = begin(PROBE, organization.len() + 8 * sizes.len());
                out.u64(*id);
                out.run(organization.as_bytes());
                out.count(sizes.len());
                sizes.iter().for_each(|size| out.u64(*size));
                out.finish()
            }
            Self::Salvage { id, organization, have } => {
                let mut out = begin(SALVAGE, organization.len() + 16 * have.len());
                out.u64(*id);
                out.run(organization.as_bytes());
                out.count(have.len());
                have.iter().for_each(|half| out.bytes(half));
                out.finish()
            }
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`MessageError`] if the bytes are not exactly one.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let (mut from, kind) = open(bytes, limits::ASK_BYTES)?;
        let message = match kind {
            COMPARE => {
                let id = from.u64()?;
                let logs = from.list(
                    "logs",
                    limits::CHARTER_MEMBERS,
                    Standpoint::LEAST_BYTES,
                    Standpoint::read,
                )?;
                if !logs.is_sorted_by(|a, b| a.organization < b.organization) {
                    return Err(from.fault(MessageErrorKind::Value("logs out of order")));
                }
                Self::Compare { id, logs }
            }
            PULL => Self::Pull {
                id: from.u64()?,
                organization: from.text("DID", limits::ORGANIZATION_BYTES)?.to_owned(),
                from: from.size()?,
            },
            PROBE => Self::Probe {
                id: from.u64()?,
                organization: from.text("DID", limits::ORGANIZATION_BYTES)?.to_owned(),
                sizes: from.list("sizes", limits::PROBE_SIZES, 8, Decoder::size)?,
            },
            SALVAGE => Self::Salvage {
                id: from.u64()?,
                organization: from.text("DID", limits::ORGANIZATION_BYTES)?.to_owned(),
                have: from.list("records", limits::SALVAGE_RECORDS, 16, Decoder::array)?,
            },
            other => return Err(from.fault(MessageErrorKind::Kind(other))),
        };
        from.finish()?;
        Ok(message)
    }
}

impl KnownRotation {
    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            organization: from.text("DID", limits::ORGANIZATION_BYTES)?.to_owned(),
            rotation: rotation(from)?,
        })
    }
}

impl Answer {
    /// The number of the question.
    #[must_use]
    pub fn id(&self) -> u64 {
        match self {
            Self::Heads { id, .. } | Self::Refused { id, .. } | Self::Salvaged { id, .. } => *id,
            Self::Piece(piece) => piece.id,
            Self::Roots(roots) => roots.id,
        }
    }

    /// The message as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Heads {
                id,
                rotations,
                notes,
                forks,
                cosigned,
            } => {
                let mut out = begin(HEADS, notes.iter().map(|n| 2 + n.len()).sum());
                out.u64(*id);
                out.count(rotations.len());
                for known in rotations {
                    out.run(known.organization.as_bytes());
                    out.run(&known.rotation.encode());
                }
                out.count(notes.len());
                for note in notes {
                    out.run(note.as_bytes());
                }
                out.count(forks.len());
                for fork in forks {
                    fork.write(&mut out);
                }
                out.count(cosigned.len());
                for cosigned in cosigned {
                    cosigned.write(&mut out);
                }
                out.finish()
            }
            Self::Piece(piece) => piece.encode(),
            Self::Roots(roots) => roots.encode(),
            Self::Salvaged { id, records } => {
                let mut out = begin(SALVAGED, 0);
                out.u64(*id);
                out.count(records.len());
                records.iter().for_each(|record| record.write(&mut out));
                out.finish()
            }
            Self::Refused { id, why } => {
                let mut out = begin(REFUSED, 0);
                out.u64(*id);
                out.byte(why.code());
                out.finish()
            }
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`MessageError`] if the bytes are not exactly one.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let (mut from, kind) = open(bytes, limits::ANSWER_BYTES)?;
        let message = match kind {
            HEADS => Self::Heads {
                id: from.u64()?,
                rotations: from.list("rotations", limits::ROTATIONS_AT_ONCE, 4, KnownRotation::read)?,
                notes: from.list("heads", limits::CHARTER_MEMBERS, 2, note)?,
                forks: from.list("forks", limits::CHARTER_MEMBERS, 80, Fork::read)?,
                cosigned: from.list(
                    "cosigned heads",
                    limits::HEADS_BYTES / Cosigned::LEAST_BYTES,
                    Cosigned::LEAST_BYTES,
                    Cosigned::read,
                )?,
            },
            PIECE => Self::Piece(Piece::read(&mut from)?),
            ROOTS => Self::Roots(Roots::read(&mut from)?),
            SALVAGED => Self::Salvaged {
                id: from.u64()?,
                records: from.list("records", limits::SALVAGE_RECORDS, 14, Record::read)?,
            },
            REFUSED => {
                let id = from.u64()?;
                let code = from.byte()?;
                let why =
                    Refusal::from_code(code).ok_or_else(|| from.fault(MessageErrorKind::Value("unknown refusal")))?;
                Self::Refused { id, why }
            }
            other => return Err(from.fault(MessageErrorKind::Kind(other))),
        };
        from.finish()?;
        Ok(message)
    }
}

impl Piece {
    fn encode(&self) -> Vec<u8> {
        let content: usize = self.entries.iter().map(|e| 2 + e.len()).sum();
        let proofs = 32 * (self.start_proof.len() + self.end_proof.len());
        let mut out = begin(PIECE, self.note.len() + content + proofs);
        out.u64(self.id);
        out.run(self.note.as_bytes());
        out.u64(self.from);
        out.hash(&self.start_root);
        out.hashes(&self.start_proof);
        out.runs(&self.entries);
        out.hashes(&self.end_proof);
        out.finish()
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            id: from.u64()?,
            note: note(from)?,
            from: from.size()?,
            start_root: from.hash()?,
            start_proof: hashes(from)?,
            entries: entries(from)?,
            end_proof: hashes(from)?,
        })
    }
}

impl Refusal {
    const ALL: [Self; 5] = [
        Self::NotMember,
        Self::Malformed,
        Self::Busy,
        Self::NothingNew,
        Self::Unavailable,
    ];

    fn code(self) -> u8 {
        match self {
            Self::NotMember => 1,
            Self::Malformed => 2,
            Self::Busy => 3,
            Self::NothingNew => 4,
            Self::Unavailable => 5,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.code() == code)
    }
}

/// Room for version, kind and the small fields of any message.
const SMALL_FIELDS: usize = 96;

fn begin(kind: u8, content: usize) -> Encoder {
    let mut out = Encoder::with_capacity(content + SMALL_FIELDS);
    out.byte(VERSION);
    out.byte(kind);
    out
}

fn open(bytes: &[u8], most: usize) -> Result<(Decoder<'_>, u8), MessageError> {
    let mut from = Decoder::new(bytes);
    if bytes.len() > most {
        return Err(from.fault(MessageErrorKind::TooMuch("bytes in one message")));
    }
    match from.byte()? {
        VERSION => {}
        other => return Err(from.fault(MessageErrorKind::Version(other))),
    }
    let kind = from.byte()?;
    Ok((from, kind))
}

fn note(from: &mut Decoder<'_>) -> Result<String, MessageError> {
    Ok(from.text("bytes in a head", limits::NOTE_BYTES)?.to_owned())
}

fn entries(from: &mut Decoder<'_>) -> Result<Vec<Vec<u8>>, MessageError> {
    from.list("entries", limits::APPEND_STATEMENTS, 2, |from| {
        Ok(from.run("bytes in an entry", limits::STATEMENT_BYTES)?.to_vec())
    })
}

pub(crate) fn rotation(from: &mut Decoder<'_>) -> Result<Rotation, MessageError> {
    let bytes = from.run("bytes in a rotation", limits::ROTATION_BYTES)?;
    Rotation::decode(bytes).ok_or_else(|| from.fault(MessageErrorKind::Value("not a rotation of a log key")))
}

pub(crate) fn hashes(from: &mut Decoder<'_>) -> Result<Vec<Hash>, MessageError> {
    from.list("hashes", limits::PROOF_HASHES, 32, Decoder::hash)
}

#[cfg(test)]
mod tests;
