//! What nodes say to each other: a strict binary form with one encoding for each message.
//!
//! Byte 0 is the version of this format, byte 1 the kind; then the fields in order, integers
//! big-endian, text and bytes behind a u16 length, lists behind a u16 count. Decoding checks every
//! bound before it allocates, refuses trailing bytes, and never panics. A decoded message proves
//! nothing yet: heads in it are text, entries are bytes. `specs/04-replication.md` has the layout.

pub(crate) mod codec;
mod error;
mod parting;
mod parts;

use crate::fork::{Fork, Record};
use crate::limits;
use crate::log::Hash;
use crate::log_keys::Rotation;
use codec::{Decoder, Encoder};
pub use error::{MessageError, MessageErrorKind};
pub use parting::{Parting, Roots, Standpoint};
use parts::version;
pub use parts::{ChainPoint, Cosigned, KnownRotation, Piece};

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
    /// A charter version after the first, with its signatures: canonical JSON.
    Charter(Vec<u8>),
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
        /// Where the asker's chain of charters ends.
        charter: ChainPoint,
        /// How far the asker is in these logs, ascending by organization.
        logs: Vec<Standpoint>,
        /// Whether only these logs are asked about; otherwise of all others nothing is known to the asker.
        only: bool,
    },
    /// "Which logs do we differ about?"
    Reconcile {
        /// Repeated in the answer.
        id: u64,
        /// See [`crate::reconcile`].
        message: Vec<u8>,
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
    /// "Send me charter versions from this one on."
    Charters {
        /// Repeated in the answer.
        id: u64,
        /// The first one asked for.
        from: u32,
    },
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
    /// To [`Ask::Reconcile`].
    Reconciled {
        /// That of the question.
        id: u64,
        /// See [`crate::reconcile`].
        message: Vec<u8>,
    },
    /// To [`Ask::Probe`].
    Roots(Roots),
    /// To [`Ask::Salvage`].
    Salvaged {
        /// That of the question.
        id: u64,
        /// Records, in order.
        records: Vec<Record>,
    },
    /// To [`Ask::Charters`]: versions with their signatures, ascending, as many as fit; at the end, those that contradict
    /// each other.
    Charters {
        /// That of the question.
        id: u64,
        /// Canonical JSON.
        versions: Vec<Vec<u8>>,
    },
    /// The question is not answered.
    Refused {
        /// That of the question; 0 if it could not be read.
        id: u64,
        /// Why not.
        why: Refusal,
    },
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
const CHARTER: u8 = 8;
const ASK_CHARTERS: u8 = 9;
const CHARTERS: u8 = 10;
const COSIGNED: u8 = 11;
const PROBE: u8 = 12;
const ROOTS: u8 = 13;
const SALVAGE: u8 = 14;
const SALVAGED: u8 = 15;
const RECONCILE: u8 = 16;
const RECONCILED: u8 = 17;

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
            Self::Charter(signed) => {
                let mut out = begin(CHARTER, signed.len());
                out.long(signed);
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
            CHARTER => Self::Charter(from.long("bytes in a charter", limits::SIGNED_CHARTER_BYTES)?.to_vec()),
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

impl Ask {
    /// The number that the answer repeats.
    #[must_use]
    pub fn id(&self) -> u64 {
        match self {
            Self::Compare { id, .. }
            | Self::Pull { id, .. }
            | Self::Reconcile { id, .. }
            | Self::Probe { id, .. }
            | Self::Salvage { id, .. }
            | Self::Charters { id, .. } => *id,
        }
    }

    /// The message as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Compare {
                id,
                charter,
                logs,
                only,
            } => {
                let mut out = begin(COMPARE, logs.len() * 128);
                out.u64(*id);
                charter.write(&mut out);
                out.count(logs.len());
                for log in logs {
                    log.write(&mut out);
                }
                out.byte(u8::from(*only));
                out.finish()
            }
            Self::Pull { id, organization, from } => {
                let mut out = begin(PULL, organization.len());
                out.u64(*id);
                out.run(organization.as_bytes());
                out.u64(*from);
                out.finish()
            }
            Self::Reconcile { id, message } => reconciling(RECONCILE, *id, message),
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
            Self::Charters { id, from } => {
                let mut out = begin(ASK_CHARTERS, 0);
                out.u64(*id);
                out.u64(u64::from(*from));
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
                let charter = ChainPoint::read(&mut from)?;
                let logs = from.list(
                    "logs",
                    limits::CHARTER_MEMBERS,
                    Standpoint::LEAST_BYTES,
                    Standpoint::read,
                )?;
                if !logs.is_sorted_by(|a, b| a.organization < b.organization) {
                    return Err(from.fault(MessageErrorKind::Value("logs out of order")));
                }
                let only = from.flag()?;
                Self::Compare {
                    id,
                    charter,
                    logs,
                    only,
                }
            }
            RECONCILE => Self::Reconcile {
                id: from.u64()?,
                message: reconciling_message(&mut from)?,
            },
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
            ASK_CHARTERS => Self::Charters {
                id: from.u64()?,
                from: version(&mut from)?,
            },
            other => return Err(from.fault(MessageErrorKind::Kind(other))),
        };
        from.finish()?;
        Ok(message)
    }
}

impl Answer {
    /// The number of the question.
    #[must_use]
    pub fn id(&self) -> u64 {
        match self {
            Self::Heads { id, .. }
            | Self::Charters { id, .. }
            | Self::Reconciled { id, .. }
            | Self::Salvaged { id, .. }
            | Self::Refused { id, .. } => *id,
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
            Self::Reconciled { id, message } => reconciling(RECONCILED, *id, message),
            Self::Roots(roots) => roots.encode(),
            Self::Salvaged { id, records } => {
                let mut out = begin(SALVAGED, 0);
                out.u64(*id);
                out.count(records.len());
                records.iter().for_each(|record| record.write(&mut out));
                out.finish()
            }
            Self::Charters { id, versions } => {
                let mut out = begin(CHARTERS, versions.iter().map(|v| 4 + v.len()).sum());
                out.u64(*id);
                out.count(versions.len());
                for version in versions {
                    out.long(version);
                }
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
            RECONCILED => Self::Reconciled {
                id: from.u64()?,
                message: reconciling_message(&mut from)?,
            },
            ROOTS => Self::Roots(Roots::read(&mut from)?),
            SALVAGED => Self::Salvaged {
                id: from.u64()?,
                records: from.list("records", limits::SALVAGE_RECORDS, 14, Record::read)?,
            },
            CHARTERS => Self::Charters {
                id: from.u64()?,
                versions: from.list("charter versions", limits::CHARTERS_AT_ONCE, 4, |from| {
                    Ok(from.long("bytes in a charter", limits::SIGNED_CHARTER_BYTES)?.to_vec())
                })?,
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

fn reconciling(kind: u8, id: u64, message: &[u8]) -> Vec<u8> {
    let mut out = begin(kind, message.len());
    out.u64(id);
    out.run(message);
    out.finish()
}

fn reconciling_message(from: &mut Decoder<'_>) -> Result<Vec<u8>, MessageError> {
    Ok(from.run("bytes in a reconciliation", limits::RECONCILE_BYTES)?.to_vec())
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
