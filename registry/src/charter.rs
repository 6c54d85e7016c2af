//! The charter: who is in the consortium, and by which rules it counts.
//!
//! A consortium's id is the hash of charter version 1, so it certifies itself: whoever has the id
//! needs no one to tell that a charter is the right one. Each member signs its own card with its
//! root key; keys, names and addresses of others cannot be put in its mouth.

mod card;
mod chain;
mod signed;
mod stored;

use std::collections::{BTreeMap, BTreeSet};

use multibase::Base;
use syndic_vc::canonical;
use syndic_vc::did::Did;
use syndic_vc::json::members::{MemberError, Members};
use syndic_vc::json::{self, JsonError, Object, Value};
use syndic_vc::key::{PublicKey, SignError};
use syndic_vc::name::is_presentable;
use syndic_vc::time::Timestamp;

use crate::limits;
pub(crate) use card::peer_ids;
pub use card::{Endpoints, MemberCard};
pub use chain::{ChainError, CharterChain, Conflict, Taken};
pub use signed::SignedCharter;

/// Multihash prefix of SHA-256: code 0x12, 32 bytes.
pub(crate) const SHA2_256: [u8; 2] = [0x12, 0x20];

/// A charter that was checked: its bounds hold, each member card is signed by its root key, no
/// key, DID or peer id stands twice. A later version than the first comes from a [`CharterChain`]
/// only, which saw that those entitled to it signed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Charter {
    version: u32,
    hash: String,
    name: String,
    members: Vec<MemberCard>,
    rules: Rules,
    created: Timestamp,
    bytes: Vec<u8>,
    id: String,
    by_did: BTreeMap<Did, usize>,
    by_peer: BTreeMap<String, usize>,
    /// Who was a member and is none now, and the version that said so.
    removed: BTreeMap<Did, u32>,
    /// Log keys that a former version named for a DID.
    former_log_keys: BTreeMap<Did, Vec<PublicKey>>,
}

/// The numbers by which a consortium counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// How many members must sign the next charter; more than half of them.
    pub threshold: u32,
    /// How many other members' cosignatures make a head witnessed.
    pub witnesses: u32,
    /// Seconds after which a member's newest head no longer counts as fresh.
    pub max_staleness: u32,
    /// How many members must vouch before the consortium itself authorizes.
    pub endorsements: u32,
}

/// Why a text is not a charter or a member card, for whoever wrote it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CharterError {
    /// Not JSON as the strict reader takes it.
    #[error("not a readable JSON document: {0}")]
    Json(#[from] JsonError),
    /// A member of the document is missing, unknown, of the wrong kind or out of bounds.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// Not the first version, which alone stands by itself.
    #[error("charter version {0} counts only together with the versions before it; a file with all of them is needed")]
    Version(i64),
    /// The member's DID is not `did:key` of an Ed25519 key.
    #[error("the member's DID {0} is not a did:key of an Ed25519 key (it begins with did:key:z6Mk)")]
    Did(String),
    /// A key, DID, name or peer id is used twice.
    #[error("{what} {value} is used twice; every member needs DID, root key, log key and peer ids of its own")]
    Duplicate {
        /// What kind of thing.
        what: &'static str,
        /// The thing.
        value: String,
    },
    /// The card of this member is not signed by its root key.
    #[error("the card of {0} is not signed by the root key it names; ask the organization for its card again")]
    CardProof(String),
    /// The signer of a card is not the root key that the card names.
    #[error("the signing key is not the root key that the card names")]
    WrongRootKey,
    /// The root key refused to sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// A charter to be made: what the founders agree on. [`Charter::found`] makes it a charter.
#[derive(Clone, Debug)]
pub struct Founding {
    /// Name of the consortium, as shown to people.
    pub name: String,
    /// The founding members, in the order in which they are to be listed.
    pub members: Vec<MemberCard>,
    /// By which numbers the consortium counts.
    pub rules: Rules,
    /// When it is founded, in whole seconds.
    pub created: Timestamp,
}

impl Charter {
    /// Makes charter version 1.
    ///
    /// # Errors
    /// [`CharterError`] names what a charter may not say.
    pub fn found(founding: &Founding) -> Result<Self, CharterError> {
        let mut charter = Object::new();
        charter.insert("type", "SyndicCharter");
        charter.insert("version", 1);
        charter.insert("name", &founding.name);
        charter.insert(
            "members",
            founding.members.iter().map(MemberCard::to_value).collect::<Value>(),
        );
        charter.insert("threshold", founding.rules.threshold);
        charter.insert("witnesses", founding.rules.witnesses);
        charter.insert("maxStaleness", founding.rules.max_staleness);
        charter.insert("endorsements", founding.rules.endorsements);
        charter.insert("created", whole_seconds(founding.created));
        Self::from_value(&Value::Object(charter))
    }

    /// Reads and checks a charter. White space and order of members do not matter: the id is over
    /// the canonical form.
    ///
    /// # Errors
    /// [`CharterError`] names what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, CharterError> {
        Self::from_value(&json::parse_with(text, &charter_limits())?)
    }

    /// A first version: its id is the hash of it.
    fn from_value(value: &Value) -> Result<Self, CharterError> {
        let charter = Members::of(value, "")?;
        charter.literal("type", "SyndicCharter", "the type \"SyndicCharter\"")?;
        match charter.integer("version")? {
            1 => Self::read(value, &charter, None),
            other => Err(CharterError::Version(other)),
        }
    }

    /// The version after another one. Who signed it is not looked at here.
    fn following(value: &Value, before: &Self) -> Result<Self, CharterError> {
        let charter = Members::of(value, "")?;
        charter.literal("type", "SyndicCharter", "the type \"SyndicCharter\"")?;
        let version = charter.integer("version")?;
        if version != i64::from(before.version) + 1 || charter.str("previous")? != before.hash {
            return Err(CharterError::Version(version));
        }
        Self::read(value, &charter, Some(before))
    }

    fn read(value: &Value, charter: &Members<'_, '_>, before: Option<&Self>) -> Result<Self, CharterError> {
        let name = shown_name(charter)?;
        let members = members(charter, before)?;
        let rules = Rules::from_members(charter, members.len())?;
        let created = time(charter, "created")?;
        charter.finish_closed()?;
        no_duplicates(&members)?;
        let bytes = canonical::to_bytes(value);
        let hash = identifier(&canonical::digest(value));
        let version = before.map_or(1, |before| before.version + 1);
        let by_did = members.iter().map(|member| member.did.clone()).zip(0..).collect();
        let by_peer = (0..)
            .zip(&members)
            .flat_map(|(at, member)| member.peer_ids.iter().map(move |id| (id.clone(), at)))
            .collect();
        let mut charter = Self {
            by_did,
            by_peer,
            name,
            members,
            rules,
            created,
            bytes,
            id: before.map_or_else(|| hash.clone(), |before| before.id.clone()),
            version,
            hash,
            removed: BTreeMap::new(),
            former_log_keys: BTreeMap::new(),
        };
        if let Some(before) = before {
            charter.remember(before);
        }
        Ok(charter)
    }

    /// Takes over what former versions said that still matters: who was a member, with which log key.
    fn remember(&mut self, before: &Self) {
        self.removed.clone_from(&before.removed);
        self.former_log_keys.clone_from(&before.former_log_keys);
        for card in &before.members {
            let now = self.member(card.did().as_str()).map(MemberCard::log_key);
            let gone = now.is_none();
            if now != Some(card.log_key()) {
                let keys = self.former_log_keys.entry(card.did().clone()).or_default();
                if !keys.contains(card.log_key()) {
                    keys.push(card.log_key().clone());
                }
            }
            if gone {
                self.removed.insert(card.did().clone(), self.version);
            }
        }
        let members = &self.by_did;
        self.removed.retain(|did, _| !members.contains_key(did));
    }

    /// The consortium's id: multibase base58btc of the SHA-256 multihash of the canonical bytes
    /// of version 1 (`zQm...`). It stays that through all versions.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Which version it is, from 1.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The hash of this version's canonical bytes, in the form of the id: what the next one names as `previous`.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The version that removed an organization which was a member before; `None` if it is a member or never was.
    #[must_use]
    pub fn removed_by(&self, did: &str) -> Option<u32> {
        self.removed.get(did).copied()
    }

    /// Organizations that were members and are none now.
    pub fn removed(&self) -> impl Iterator<Item = &Did> {
        self.removed.keys()
    }

    /// Log keys that former versions named for an organization and this one does not.
    #[must_use]
    pub fn former_log_keys(&self, did: &str) -> &[PublicKey] {
        self.former_log_keys.get(did).map_or(&[], Vec::as_slice)
    }

    /// The canonical bytes: what is hashed, stored and served.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The consortium's name, as shown to people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// By which numbers the consortium counts.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// When it was founded.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// The members, in the order of the charter.
    #[must_use]
    pub fn members(&self) -> &[MemberCard] {
        &self.members
    }

    /// The member with this DID.
    #[must_use]
    pub fn member(&self, did: &str) -> Option<&MemberCard> {
        self.members.get(*self.by_did.get(did)?)
    }

    /// The member whose node has this peer id.
    #[must_use]
    pub fn member_of_peer(&self, peer_id: &str) -> Option<&MemberCard> {
        self.members.get(*self.by_peer.get(peer_id)?)
    }
}

impl Rules {
    fn from_members(charter: &Members<'_, '_>, members: usize) -> Result<Self, MemberError> {
        let number = |name, least: i64, most: i64, expected| {
            let number = charter.integer(name)?;
            match u32::try_from(number) {
                Ok(small) if (least..=most).contains(&number) => Ok(small),
                _ => Err(charter.error(name, expected)),
            }
        };
        let members = i64::try_from(members).unwrap_or(i64::MAX);
        let (youngest, oldest) = limits::STALENESS_SECONDS;
        Ok(Self {
            threshold: number(
                "threshold",
                members / 2 + 1,
                members,
                "more than half of the members, and no more than all",
            )?,
            witnesses: number("witnesses", 0, members - 1, "0 to the number of other members")?,
            max_staleness: number(
                "maxStaleness",
                i64::from(youngest),
                i64::from(oldest),
                "5 to 86400 seconds",
            )?,
            endorsements: number("endorsements", 1, members, "1 to the number of members")?,
        })
    }
}

/// 1,000 members of 30 values each are more than other documents have.
fn charter_limits() -> json::Limits {
    json::Limits {
        body_bytes: limits::CHARTER_BYTES,
        nodes: 100_000,
        ..json::Limits::default()
    }
}

/// Base58btc of the SHA-256 multihash of something whose digest this is.
pub(crate) fn identifier(digest: &[u8; 32]) -> String {
    multibase::encode(Base::Base58Btc, [SHA2_256.as_slice(), digest].concat())
}

/// The JSON of a charter that was checked before.
fn readable(bytes: &[u8]) -> Result<Value, JsonError> {
    json::parse_with(bytes, &charter_limits())
}

fn members(charter: &Members<'_, '_>, before: Option<&Charter>) -> Result<Vec<MemberCard>, CharterError> {
    let cards = charter.array("members")?;
    if !(1..=limits::CHARTER_MEMBERS).contains(&cards.len()) {
        return Err(charter.error("members", "1 to 1000 members").into());
    }
    let at = charter.at("members");
    cards
        .iter()
        .enumerate()
        .map(|(index, card)| {
            // A card that did not change was checked already.
            let did = card.get("did").and_then(Value::as_str);
            let known = before.zip(did).and_then(|(before, did)| before.member(did));
            match known.filter(|known| known.to_value() == *card) {
                Some(known) => Ok(known.clone()),
                None => MemberCard::from_members(&Members::of(card, at.item(index))?),
            }
        })
        .collect()
}

fn no_duplicates(members: &[MemberCard]) -> Result<(), CharterError> {
    let mut keys = BTreeSet::new();
    let mut names = BTreeSet::new();
    let mut peers = BTreeSet::new();
    for member in members {
        let credential_key = member.did.method_specific_id().to_owned();
        for key in [
            credential_key,
            member.root_key.to_multikey(),
            member.log_key.to_multikey(),
        ] {
            if let Some(value) = keys.replace(key) {
                return Err(CharterError::Duplicate { what: "the key", value });
            }
        }
        if !names.insert(member.name.as_str()) {
            return Err(CharterError::Duplicate {
                what: "the name",
                value: member.name.clone(),
            });
        }
        for peer in &member.peer_ids {
            if !peers.insert(peer.as_str()) {
                return Err(CharterError::Duplicate {
                    what: "the peer id",
                    value: peer.clone(),
                });
            }
        }
    }
    Ok(())
}

pub(crate) fn shown_name(members: &Members<'_, '_>) -> Result<String, MemberError> {
    let name = members.str("name")?;
    if is_presentable(name) {
        return Ok(name.to_owned());
    }
    Err(members.error(
        "name",
        "a name of 1 to 256 bytes in Unicode normalization form C, without control or direction characters",
    ))
}

/// A time in whole seconds and in UTC, so that it has one spelling.
pub(crate) fn time(members: &Members<'_, '_>, name: &str) -> Result<Timestamp, MemberError> {
    parse_time(members.str(name)?)
        .ok_or_else(|| members.error(name, "a time in whole seconds in UTC, like 2026-11-24T22:50:53Z"))
}

pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    if text.len() == 20 && text.ends_with('Z') {
        Timestamp::parse(text).ok()
    } else {
        None
    }
}

/// The time without its fraction, as it is written in charters and statements.
pub(crate) fn whole_seconds(time: Timestamp) -> String {
    Timestamp::from_unix_seconds(time.unix_seconds())
        .unwrap_or(time)
        .to_string()
}

#[cfg(test)]
mod tests;
