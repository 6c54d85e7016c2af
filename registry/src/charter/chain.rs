//! The chain of charters: version 1, which certifies itself, and each later version, signed by at least as many members of
//! the version before as that one asks for. It is walked from version 1, and nothing is skipped.
//!
//! What the chain is follows from the set of versions that are known, in whatever order they were heard: it ends before the
//! first version of which there are two.

use std::collections::{BTreeMap, BTreeSet};

use syndic_vc::canonical;
use syndic_vc::did::Did;
use syndic_vc::json::members::{MemberError, Members};
use syndic_vc::json::{self, Object, Value};

use super::{Charter, CharterError, Founding, SignedCharter};
use crate::limits;

/// All versions of a consortium's charter, checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CharterChain {
    founded: Charter,
    /// Versions 2 and so on.
    later: Vec<Link>,
    current: Charter,
    conflict: Option<Conflict>,
}

/// A version after the first, as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Link {
    hash: String,
    bytes: Vec<u8>,
}

/// Two valid versions with one number: somebody signed twice. Neither counts, and neither does what follows them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Conflict {
    version: u32,
    one: SignedCharter,
    other: SignedCharter,
}

/// What a version that was shown to a chain meant to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It is the newest version now.
    New,
    /// It was there already, or comes after two that contradict each other.
    Known,
    /// The version before it is not the one that is held here: there are versions that are not known here.
    Unconnected,
    /// Another version with its number is held: the chain ends before both.
    Conflict,
}

/// Why a version does not follow, or a file is no chain.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChainError {
    /// A charter says what it may not, or is not readable.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// A version does not come after the one before it.
    #[error("version {found} does not follow version {before}, whose hash it would have to name as previous")]
    Order {
        /// The version before.
        before: u32,
        /// The one that was found.
        found: u32,
    },
    /// Fewer members of the version before signed than that one asks for.
    #[error("version {version} is signed by {found} members of the version before; it takes {needed}")]
    TooFew {
        /// The version.
        version: u32,
        /// How many signed.
        found: usize,
        /// How many must.
        needed: u32,
    },
    /// A signature is not by the root key of the member that it names, as the versions before and after know it.
    #[error("the signature of {0} is not by its root key")]
    Signature(Did),
    /// The signer is no member, before or after.
    #[error("{0} signed and is no member of this version or the one before")]
    Stranger(Did),
    /// The signatures are not in order, or one is there twice.
    #[error("the signatures are not in the order of their signers, or one of them stands twice")]
    Spelling,
    /// A new member, or one with a new root key, did not sign itself.
    #[error("the new root key of {0} did not sign; nobody is made a member without its own word")]
    Silent(Did),
    /// It was made before the version before it.
    #[error("version {0} is dated before the version before it")]
    Created(u32),
    /// The chain is full.
    #[error("a chain of charters has at most {versions} versions and {bytes} bytes", versions = limits::CHARTER_VERSIONS, bytes = limits::CHAIN_BYTES)]
    TooLong,
    /// Two versions of which the file says that they contradict each other do not.
    #[error("the two charters that are said to contradict each other do not")]
    NoConflict,
}

impl From<MemberError> for ChainError {
    fn from(error: MemberError) -> Self {
        Self::Charter(error.into())
    }
}

impl CharterChain {
    /// Begins a chain; `None` if the charter is not a first version.
    #[must_use]
    pub fn new(founded: Charter) -> Option<Self> {
        (founded.version() == 1).then(|| Self {
            current: founded.clone(),
            founded,
            later: Vec::new(),
            conflict: None,
        })
    }

    /// Reads a chain from a file and walks it: a chain, or a first version alone.
    ///
    /// # Errors
    /// [`ChainError`] names the first thing that is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, ChainError> {
        let limits = json::Limits {
            body_bytes: limits::CHAIN_BYTES,
            nodes: 8_000_000,
            ..json::Limits::default()
        };
        let value = json::parse_with(text, &limits).map_err(CharterError::Json)?;
        if value.get("type").and_then(Value::as_str) != Some("SyndicCharterChain") {
            return Self::first(&value);
        }
        let file = Members::of(&value, "")?;
        file.literal("type", "SyndicCharterChain", "the type \"SyndicCharterChain\"")?;
        let Some((first, later)) = file.array("versions")?.split_first() else {
            return Err(file.error("versions", "at least one version").into());
        };
        let mut chain = Self::first(first)?;
        for version in later {
            let version = SignedCharter::from_value(version)?;
            if chain.take(&version)? != Taken::New {
                return Err(ChainError::Order {
                    before: chain.current.version(),
                    found: version.version(),
                });
            }
        }
        if let Some(two) = file.optional_array("conflict")? {
            let [one, other] = two else {
                return Err(file.error("conflict", "two charters").into());
            };
            chain.take(&SignedCharter::from_value(one)?)?;
            if chain.take(&SignedCharter::from_value(other)?)? != Taken::Conflict {
                return Err(ChainError::NoConflict);
            }
        }
        file.finish_closed()?;
        Ok(chain)
    }

    fn first(value: &Value) -> Result<Self, ChainError> {
        let founded = Charter::from_value(value)?;
        Ok(Self {
            current: founded.clone(),
            founded,
            later: Vec::new(),
            conflict: None,
        })
    }

    /// The whole chain as a file, in canonical form; as long as there is only the first version, just that.
    #[must_use]
    pub fn to_file(&self) -> Vec<u8> {
        if self.later.is_empty() && self.conflict.is_none() {
            return self.founded.bytes().to_vec();
        }
        // What was checked is JSON.
        let read = |bytes: &[u8]| SignedCharter::parse(bytes).map_or(Value::Null, |signed| signed.to_value());
        let mut file = Object::new();
        file.insert("type", "SyndicCharterChain");
        let first = super::readable(self.founded.bytes()).unwrap_or(Value::Null);
        let versions = std::iter::once(first).chain(self.later.iter().map(|link| read(&link.bytes)));
        file.insert("versions", versions.collect::<Value>());
        if let Some(conflict) = &self.conflict {
            let two = [conflict.one.to_value(), conflict.other.to_value()];
            file.insert("conflict", two.into_iter().collect::<Value>());
        }
        canonical::to_bytes(&Value::Object(file))
    }

    /// The newest version that counts.
    #[must_use]
    pub fn current(&self) -> &Charter {
        &self.current
    }

    /// The first version.
    #[must_use]
    pub fn founded(&self) -> &Charter {
        &self.founded
    }

    /// The consortium's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.founded.id()
    }

    /// The two versions that contradict each other and come after the current one, if there are such.
    #[must_use]
    pub fn conflict(&self) -> Option<&Conflict> {
        self.conflict.as_ref()
    }

    /// A version after the first as it is stored and sent; `None` if it is not held.
    #[must_use]
    pub fn signed(&self, version: u32) -> Option<&[u8]> {
        let at = usize::try_from(version.checked_sub(2)?).ok()?;
        self.later.get(at).map(|link| link.bytes.as_slice())
    }

    /// The charter as of a version that is held.
    ///
    /// # Errors
    /// [`ChainError`] if it is not held.
    pub fn at(&self, version: u32) -> Result<Charter, ChainError> {
        if version == self.current.version() {
            return Ok(self.current.clone());
        }
        let missing = ChainError::Order {
            before: self.current.version(),
            found: version,
        };
        let count = version.checked_sub(1).and_then(|count| usize::try_from(count).ok());
        let links = count.and_then(|count| self.later.get(..count)).ok_or(missing)?;
        links.iter().try_fold(self.founded.clone(), |before, link| {
            // Signatures were checked when it was taken.
            let signed = SignedCharter::parse(&link.bytes)?;
            Ok(Charter::following(signed.charter(), &before)?)
        })
    }

    /// The charter as of each version that is held, the newest first.
    #[must_use]
    pub fn history(&self) -> Vec<Charter> {
        let mut all = vec![self.founded.clone()];
        for link in &self.later {
            let before = all.last().unwrap_or(&self.founded);
            // Signatures were checked when it was taken.
            let next = SignedCharter::parse(&link.bytes);
            let next = next.and_then(|signed| Charter::following(signed.charter(), before));
            all.extend(next.ok());
        }
        all.reverse();
        all
    }

    /// Takes a version in, if it is valid. It changes nothing that is held unless it says [`Taken::New`] or
    /// [`Taken::Conflict`].
    ///
    /// # Errors
    /// [`ChainError`] says why it does not follow the version that it names, which is held.
    pub fn take(&mut self, signed: &SignedCharter) -> Result<Taken, ChainError> {
        let version = signed.version();
        let newest = self.current.version();
        if let Some(conflict) = &self.conflict
            && version >= conflict.version
        {
            return Ok(Taken::Known);
        }
        if version > newest {
            if version > newest + 1 || signed.previous() != self.current.hash() {
                return Ok(Taken::Unconnected);
            }
            let next = check(&self.current, signed)?;
            return self.push(next, signed);
        }
        let at = version as usize - 2;
        if self.later.get(at).is_some_and(|link| link.hash == signed.hash()) {
            return Ok(Taken::Known);
        }
        let before = self.at(version - 1)?;
        if signed.previous() != before.hash() {
            return Ok(Taken::Unconnected);
        }
        check(&before, signed)?;
        let Some(held) = self.later.get(at) else {
            return Ok(Taken::Unconnected);
        };
        let held = SignedCharter::parse(&held.bytes)?;
        self.later.truncate(at);
        self.current = before;
        self.conflict = Some(Conflict::of(held, signed.clone()));
        Ok(Taken::Conflict)
    }

    fn push(&mut self, next: Charter, signed: &SignedCharter) -> Result<Taken, ChainError> {
        let bytes = signed.to_bytes();
        let all: usize = self.later.iter().map(|link| link.bytes.len()).sum();
        let all = all + self.founded.bytes().len() + bytes.len();
        let long = bytes.len() > limits::SIGNED_CHARTER_BYTES || all > limits::CHAIN_BYTES / 2;
        if long || self.later.len() + 2 > limits::CHARTER_VERSIONS {
            return Err(ChainError::TooLong);
        }
        self.current = next;
        self.later.push(Link {
            hash: signed.hash().to_owned(),
            bytes,
        });
        Ok(Taken::New)
    }

    /// Whether a version would become the newest one.
    ///
    /// # Errors
    /// [`ChainError`] says what is missing.
    pub fn check(&self, signed: &SignedCharter) -> Result<Charter, ChainError> {
        if signed.version() != self.current.version() + 1 || signed.previous() != self.current.hash() {
            return Err(ChainError::Order {
                before: self.current.version(),
                found: signed.version(),
            });
        }
        check(&self.current, signed)
    }

    /// What a proposal would come to, whoever has signed it so far.
    ///
    /// # Errors
    /// [`ChainError`] says what is wrong with it.
    pub fn preview(&self, proposal: &SignedCharter) -> Result<Charter, ChainError> {
        if proposal.version() != self.current.version() + 1 || proposal.previous() != self.current.hash() {
            return Err(ChainError::Order {
                before: self.current.version(),
                found: proposal.version(),
            });
        }
        Ok(Charter::following(proposal.charter(), &self.current)?)
    }

    /// The version after the current one, not signed by anybody yet.
    ///
    /// # Errors
    /// [`ChainError`] says what the charter may not say.
    pub fn propose(&self, next: &Founding) -> Result<SignedCharter, ChainError> {
        if next.created < self.current.created() {
            return Err(ChainError::Created(self.current.version() + 1));
        }
        Ok(SignedCharter::propose(&self.current, next)?)
    }
}

impl Conflict {
    fn of(one: SignedCharter, other: SignedCharter) -> Self {
        let version = one.version();
        let (one, other) = if one.hash() < other.hash() {
            (one, other)
        } else {
            (other, one)
        };
        Self { version, one, other }
    }

    /// The number that both have.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The two, in order of their hashes.
    #[must_use]
    pub fn versions(&self) -> [&SignedCharter; 2] {
        [&self.one, &self.other]
    }

    /// Who signed both.
    #[must_use]
    pub fn signed_twice(&self) -> Vec<Did> {
        let one: BTreeSet<&Did> = self.one.signers().collect();
        let both: BTreeSet<&Did> = self.other.signers().filter(|signer| one.contains(signer)).collect();
        both.into_iter().cloned().collect()
    }
}

/// Whether a version follows the one before it, by its signatures and what it says. Signatures of the members before are
/// looked at first, so that nobody else can cause more work than that.
fn check(before: &Charter, signed: &SignedCharter) -> Result<Charter, ChainError> {
    let needed = before.rules().threshold;
    let few = |found: usize| ChainError::TooFew {
        version: signed.version(),
        found,
        needed,
    };
    let own: BTreeSet<&Did> = signed
        .signers()
        .filter(|did| before.member(did.as_str()).is_some())
        .collect();
    if own.len() < needed as usize {
        return Err(few(own.len()));
    }
    let (roots, said) = (new_roots(before, signed), signed.signed_bytes());
    let (mut agreed, mut rest) = (BTreeSet::new(), Vec::new());
    let mut last = None;
    for signature in &signed.signatures {
        let place = (&signature.signer, signature.signature.as_bytes());
        if last.is_some_and(|last| last >= place) {
            return Err(ChainError::Spelling);
        }
        last = Some(place);
        let member = before.member(signature.signer.as_str());
        if member.is_some_and(|card| signature.is_by(card.root_key(), &said)) {
            if !agreed.insert(&signature.signer) {
                return Err(ChainError::Spelling);
            }
        } else if roots.contains(signature.signer.as_str()) {
            rest.push(signature);
        } else if member.is_some() {
            return Err(ChainError::Signature(signature.signer.clone()));
        } else {
            return Err(ChainError::Stranger(signature.signer.clone()));
        }
    }
    if agreed.len() < needed as usize {
        return Err(few(agreed.len()));
    }
    let next = Charter::following(signed.charter(), before)?;
    let mut silent: BTreeMap<&Did, _> = next
        .members()
        .iter()
        .filter(|card| before.member(card.did().as_str()).map(super::MemberCard::root_key) != Some(card.root_key()))
        .map(|card| (card.did(), card))
        .collect();
    for signature in rest {
        let card = silent.remove(&signature.signer);
        if !card.is_some_and(|card| signature.is_by(card.root_key(), &said)) {
            return Err(ChainError::Signature(signature.signer.clone()));
        }
    }
    if let Some(did) = silent.keys().next() {
        return Err(ChainError::Silent((*did).clone()));
    }
    if next.created() < before.created() {
        return Err(ChainError::Created(next.version()));
    }
    Ok(next)
}

/// Whose root key is new in this version, as it says; its cards are not checked yet.
fn new_roots<'s>(before: &Charter, signed: &'s SignedCharter) -> BTreeSet<&'s str> {
    let cards = signed.charter().get("members").and_then(Value::as_array);
    let mut roots = BTreeSet::new();
    for card in cards.unwrap_or_default() {
        let text = |name| card.get(name).and_then(Value::as_str);
        if let Some((did, root)) = text("did").zip(text("rootKey"))
            && before
                .member(did)
                .is_none_or(|card| card.root_key().to_multikey() != root)
        {
            roots.insert(did);
        }
    }
    roots
}

#[cfg(test)]
mod tests;
