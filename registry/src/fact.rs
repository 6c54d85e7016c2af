//! Facts: what the statements of one organization come to, as rows of the store.
//!
//! Every fact is kept under the organization whose log says it, so logs never meet in one row and
//! the order in which they are heard cannot matter. A fact names the entry it comes from, which
//! is where its proof begins.
//!
//! | key after `r/v` DID 0 | value |
//! |---|---|
//! | `p` | [`ProfileFact`] |
//! | `a` agent | [`Agent`] |
//! | `u` agent | [`Succession`] |
//! | `z` subject 0 action 0 resource | [`RightFact`], the latest word (authorizations) |
//! | `Z` subject 0 action 0 resource 0 index (u64) | [`RightFact`], every word |
//! | `n`, `N` | the same for recognitions |
//! | `s` list | [`StatusList`] |
//! | `b` list 0 chunk (u32) | 4,096 bits, the first in the highest bit of the first byte |
//! | `t` | [`ListTotals`] |
//! | `w` scid 0 number (u32, from 0) | a line of a `did:webvh` log |
//! | `v` scid | the text of its `did-witness.json` |
//! | `f` scid | [`DidFork`] |
//! | `q` agent | [`Suspension`], the latest word |
//! | `Q` agent 0 index (u64) | [`Suspension`], every word |
//! | `k` key | [`Compromise`], the first word; the key is a verification method or a multikey |
//! | `d` digest | [`Anchor`], the first word |
//! | `i` domain | [`BundleFact`], the latest |
//! | `o` did | empty: the DID is the organization's own |
//!
//! Under `r/x` stand `a` agent 0 DID, and `z` or `n` subject 0 action 0 resource 0 DID with the
//! same values, to be found by subject; `w` scid 0 DID and `o` did 0 DID, empty.

use syndic_vc::limits::NAME_BYTES;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;

use crate::limits;
use crate::message::MessageError;
use crate::message::codec::{Decoder, Encoder};
use crate::statement::Right;
use crate::store::{self, ReadError, Reader};

/// Where the newest profile of an organization stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProfileFact {
    /// Index of the statement.
    pub index: u64,
}

/// An agent as the organization that registered it says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agent {
    /// Index of the newest registration.
    pub index: u64,
    /// When that was made, by the organization's clock.
    pub at: Timestamp,
    /// The agent's name, as shown to people.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// Which statement retired it, and when.
    pub retired: Option<(u64, Timestamp)>,
}

/// Who takes an agent's place, as the organization that registered it says and the agent's key signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Succession {
    /// Index of the statement.
    pub index: u64,
    /// When it was made, by the organization's clock.
    pub at: Timestamp,
    /// The DID that takes its place.
    pub successor: String,
    /// From this moment the agent counts as retired.
    pub until: Timestamp,
}

/// The latest word of an organization on a right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RightFact {
    /// Index of the statement.
    pub index: u64,
    /// When it was made, by the organization's clock.
    pub at: Timestamp,
    /// Whether it grants, and within which times; or withdraws.
    pub word: Word,
}

/// What is said of a right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Word {
    /// It is granted.
    Granted {
        /// First moment; without it, from the beginning.
        from: Option<Timestamp>,
        /// First moment after; without it, until withdrawn.
        until: Option<Timestamp>,
    },
    /// It is withdrawn.
    Withdrawn,
}

impl RightFact {
    /// Whether the right is granted for a moment.
    #[must_use]
    pub fn grants_at(&self, at: Timestamp) -> bool {
        match self.word {
            Word::Granted { from, until } => from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until),
            Word::Withdrawn => false,
        }
    }
}

/// What an organization says of rights in two ways.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RightKind {
    /// An entity may do something.
    Authorization,
    /// An authority's word counts for something.
    Recognition,
}

/// A status list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ListFact {
    /// Index of the statement that created it.
    pub index: u64,
    /// When that was made, by the organization's clock.
    pub at: Timestamp,
    /// What a set bit means.
    pub purpose: StatusPurpose,
    /// Bits in the list.
    pub length: u64,
}

/// How much of its quota an organization's status lists have used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ListTotals {
    /// Number of lists.
    pub lists: u64,
    /// Bits in all of them.
    pub bits: u64,
}

/// Whether an agent is suspended, as the organization that registered it says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Suspension {
    /// Index of the statement.
    pub index: u64,
    /// When it was made, by the organization's clock.
    pub at: Timestamp,
    /// False: it is in service again.
    pub suspended: bool,
}

/// A key that is compromised.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Compromise {
    /// Index of the statement: what was anchored before it counts.
    pub index: u64,
    /// When it was made, by the organization's clock.
    pub at: Timestamp,
}

/// A credential that had been issued.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Anchor {
    /// Index of the first statement that says so.
    pub index: u64,
}

/// Where the newest trust bundle of a domain stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BundleFact {
    /// Index of the statement.
    pub index: u64,
}

/// Where the second of two stories about a `did:webvh` DID stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DidFork {
    /// Index of the statement.
    pub index: u64,
}

/// A fact that has a form as bytes.
pub(crate) trait Fact: Sized {
    /// Appends the fact.
    fn write(&self, out: &mut Encoder);
    /// Reads what [`Fact::write`] wrote.
    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError>;

    fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        self.write(&mut out);
        out.finish()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Decoder::new(bytes);
        let fact = Self::read(&mut from).ok()?;
        from.finish().ok()?;
        Some(fact)
    }
}

/// The fact under a key.
pub(crate) fn get<F: Fact>(key: &[u8], reader: &dyn Reader) -> Result<Option<F>, ReadError> {
    reader.get(key)?.map(|bytes| decoded(key, &bytes)).transpose()
}

/// The fact in a row.
pub(crate) fn decoded<F: Fact>(key: &[u8], bytes: &[u8]) -> Result<F, ReadError> {
    F::decode(bytes).ok_or_else(|| {
        ReadError::damaged(
            String::from_utf8_lossy(key).replace('\0', " "),
            "a fact does not decode",
        )
    })
}

impl Fact for ProfileFact {
    fn write(&self, out: &mut Encoder) {
        out.u64(self.index);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self { index: from.u64()? })
    }
}

impl Fact for DidFork {
    fn write(&self, out: &mut Encoder) {
        out.u64(self.index);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self { index: from.u64()? })
    }
}

impl Fact for Suspension {
    fn write(&self, out: &mut Encoder) {
        out.u64(self.index);
        write_time(self.at, out);
        out.byte(self.suspended.into());
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            index: from.u64()?,
            at: read_time(from)?,
            suspended: from.flag()?,
        })
    }
}

impl Fact for Compromise {
    fn write(&self, out: &mut Encoder) {
        out.u64(self.index);
        write_time(self.at, out);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            index: from.u64()?,
            at: read_time(from)?,
        })
    }
}

impl Fact for Anchor {
    fn write(&self, out: &mut Encoder) {
        out.u64(self.index);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self { index: from.u64()? })
    }
}

impl Fact for BundleFact {
    fn write(&self, out: &mut Encoder) {
        out.u64(self.index);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self { index: from.u64()? })
    }
}

impl Fact for Agent {
    fn write(&self, out: &mut Encoder) {
        out.u64(self.index);
        write_time(self.at, out);
        out.run(self.name.as_bytes());
        out.run(self.owner.as_bytes());
        out.byte(self.retired.is_some().into());
        if let Some((index, at)) = self.retired {
            out.u64(index);
            write_time(at, out);
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            index: from.u64()?,
            at: read_time(from)?,
            name: from.text("bytes in a name", NAME_BYTES)?.to_owned(),
            owner: from.text("bytes in an owner", limits::ADDRESS_BYTES)?.to_owned(),
            retired: if from.flag()? {
                Some((from.u64()?, read_time(from)?))
            } else {
                None
            },
        })
    }
}

impl Fact for Succession {
    fn write(&self, out: &mut Encoder) {
        out.u64(self.index);
        write_time(self.at, out);
        out.run(self.successor.as_bytes());
        write_time(self.until, out);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            index: from.u64()?,
            at: read_time(from)?,
            successor: from.text("bytes in a DID", limits::ADDRESS_BYTES)?.to_owned(),
            until: read_time(from)?,
        })
    }
}

impl Fact for RightFact {
    fn write(&self, out: &mut Encoder) {
        out.u64(self.index);
        write_time(self.at, out);
        match self.word {
            Word::Withdrawn => out.byte(0),
            Word::Granted { from, until } => {
                out.byte(1);
                for time in [from, until] {
                    out.byte(time.is_some().into());
                    if let Some(time) = time {
                        write_time(time, out);
                    }
                }
            }
        }
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        let (index, at) = (from.u64()?, read_time(from)?);
        let word = if from.flag()? {
            Word::Granted {
                from: optional_time(from)?,
                until: optional_time(from)?,
            }
        } else {
            Word::Withdrawn
        };
        Ok(Self { index, at, word })
    }
}

impl Fact for ListFact {
    fn write(&self, out: &mut Encoder) {
        out.u64(self.index);
        write_time(self.at, out);
        out.byte((self.purpose == StatusPurpose::Suspension).into());
        out.u64(self.length);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            index: from.u64()?,
            at: read_time(from)?,
            purpose: match from.flag()? {
                true => StatusPurpose::Suspension,
                false => StatusPurpose::Revocation,
            },
            length: from.u64()?,
        })
    }
}

impl Fact for ListTotals {
    fn write(&self, out: &mut Encoder) {
        out.u64(self.lists);
        out.u64(self.bits);
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, MessageError> {
        Ok(Self {
            lists: from.u64()?,
            bits: from.u64()?,
        })
    }
}

/// Whole seconds since 1970 as i64, which is how statements write time.
fn write_time(time: Timestamp, out: &mut Encoder) {
    out.u64(time.unix_seconds().cast_unsigned());
}

fn read_time(from: &mut Decoder<'_>) -> Result<Timestamp, MessageError> {
    let seconds = from.u64()?.cast_signed();
    Timestamp::from_unix_seconds(seconds)
        .map_err(|_| from.fault(crate::message::MessageErrorKind::Value("a time out of range")))
}

fn optional_time(from: &mut Decoder<'_>) -> Result<Option<Timestamp>, MessageError> {
    if from.flag()? {
        read_time(from).map(Some)
    } else {
        Ok(None)
    }
}

/// Key of the organization's profile.
pub(crate) fn profile_key(organization: &str) -> Vec<u8> {
    joined(store::facts(organization), b'p', &[])
}

/// Key of an agent, as this organization says.
pub(crate) fn agent_key(organization: &str, agent: &str) -> Vec<u8> {
    joined(store::facts(organization), b'a', &[agent])
}

/// Key of the same agent, to be found by its DID; without an organization, the prefix of all.
pub(crate) fn agent_index_key(agent: &str, organization: Option<&str>) -> Vec<u8> {
    joined(b"r/x".to_vec(), b'a', &[agent, organization.unwrap_or_default()])
}

/// Key of the succession of an agent, as this organization says.
pub(crate) fn succession_key(organization: &str, agent: &str) -> Vec<u8> {
    joined(store::facts(organization), b'u', &[agent])
}

/// Key of the suspension of an agent, as this organization says.
pub(crate) fn suspension_key(organization: &str, agent: &str) -> Vec<u8> {
    joined(store::facts(organization), b'q', &[agent])
}

/// Key of one word on the suspension of an agent.
pub(crate) fn suspension_history_key(organization: &str, agent: &str, index: u64) -> Vec<u8> {
    let mut key = joined(store::facts(organization), b'Q', &[agent, ""]);
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// Key of the compromise of a key.
pub(crate) fn compromise_key(organization: &str, key: &str) -> Vec<u8> {
    joined(store::facts(organization), b'k', &[key])
}

/// Key of the anchor of a credential.
pub(crate) fn anchor_key(organization: &str, digest: &str) -> Vec<u8> {
    joined(store::facts(organization), b'd', &[digest])
}

/// Key of the trust bundle of a domain.
pub(crate) fn bundle_key(organization: &str, domain: &str) -> Vec<u8> {
    joined(store::facts(organization), b'i', &[domain])
}

/// Key of the latest word on a right.
pub(crate) fn right_key(organization: &str, kind: RightKind, right: &Right) -> Vec<u8> {
    let letter = match kind {
        RightKind::Authorization => b'z',
        RightKind::Recognition => b'n',
    };
    joined(
        store::facts(organization),
        letter,
        &[&right.subject, &right.action, &right.resource],
    )
}

/// Key of one word on a right.
pub(crate) fn right_history_key(organization: &str, kind: RightKind, right: &Right, index: u64) -> Vec<u8> {
    let letter = match kind {
        RightKind::Authorization => b'Z',
        RightKind::Recognition => b'N',
    };
    let parts = [right.subject.as_str(), &right.action, &right.resource, ""];
    let mut key = joined(store::facts(organization), letter, &parts);
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// Key of the latest word on a right, to be found by its subject; without an organization, the
/// prefix of all.
pub(crate) fn right_index_key(
    kind: RightKind,
    subject: &str,
    action: &str,
    resource: &str,
    organization: Option<&str>,
) -> Vec<u8> {
    let letter = match kind {
        RightKind::Authorization => b'z',
        RightKind::Recognition => b'n',
    };
    let parts = [subject, action, resource, organization.unwrap_or_default()];
    joined(b"r/x".to_vec(), letter, &parts)
}

/// Key of a status list.
pub(crate) fn list_key(organization: &str, list: &str) -> Vec<u8> {
    joined(store::facts(organization), b's', &[list])
}

/// Key of 4,096 bits of a status list.
pub(crate) fn chunk_key(organization: &str, list: &str, chunk: u32) -> Vec<u8> {
    let mut key = joined(store::facts(organization), b'b', &[list, ""]);
    key.extend_from_slice(&chunk.to_be_bytes());
    key
}

/// Key of the totals over an organization's status lists.
pub(crate) fn totals_key(organization: &str) -> Vec<u8> {
    joined(store::facts(organization), b't', &[])
}

/// Key of a line of a `did:webvh` log; the first is 0.
pub(crate) fn did_entry_key(organization: &str, scid: &str, number: u32) -> Vec<u8> {
    let mut key = joined(store::facts(organization), b'w', &[scid, ""]);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Key of the witnesses' proofs of a `did:webvh` log.
pub(crate) fn did_witness_key(organization: &str, scid: &str) -> Vec<u8> {
    joined(store::facts(organization), b'v', &[scid])
}

/// Key of the proof that a `did:webvh` log has two stories.
pub(crate) fn did_fork_key(organization: &str, scid: &str) -> Vec<u8> {
    joined(store::facts(organization), b'f', &[scid])
}

/// Key under which a log is found by its SCID; without an organization, the prefix of all.
pub(crate) fn did_index_key(scid: &str, organization: Option<&str>) -> Vec<u8> {
    joined(b"r/x".to_vec(), b'w', &[scid, organization.unwrap_or_default()])
}

/// Key of a DID that is the organization's own.
pub(crate) fn own_did_key(organization: &str, did: &str) -> Vec<u8> {
    joined(store::facts(organization), b'o', &[did])
}

/// Key of the same, to be found by the DID; without an organization, the prefix of all.
pub(crate) fn own_did_index_key(did: &str, organization: Option<&str>) -> Vec<u8> {
    joined(b"r/x".to_vec(), b'o', &[did, organization.unwrap_or_default()])
}

/// Parts are separated by a zero byte, which none of them contains.
fn joined(mut key: Vec<u8>, letter: u8, parts: &[&str]) -> Vec<u8> {
    key.reserve(1 + parts.iter().map(|part| part.len() + 1).sum::<usize>() + 8);
    key.push(letter);
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            key.push(0);
        }
        key.extend_from_slice(part.as_bytes());
    }
    key
}
