//! Member cards: what an organization says of itself, signed by its root key.

use multibase::Base;
use syndic_vc::canonical;
use syndic_vc::did::Did;
use syndic_vc::json::members::{MemberError, Members, Path};
use syndic_vc::json::{self, Object, Value};
use syndic_vc::key::{KeyKind, PublicKey, Signature, Signer};

use super::{CharterError, shown_name};
use crate::limits;
use crate::log_keys;
use crate::text;

/// What the root key signs before a member card, so that the signature is good for nothing else.
pub(super) const CARD_DOMAIN: &[u8] = b"syndic/member-card/v1\n";

/// A member as it describes itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemberCard {
    pub(super) did: Did,
    pub(super) name: String,
    pub(super) root_key: PublicKey,
    pub(super) log_key: PublicKey,
    next_log_key: Option<String>,
    pub(super) peer_ids: Vec<String>,
    endpoints: Endpoints,
    pub(super) proof: String,
}

/// Where an organization's node is reached.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Endpoints {
    /// Public HTTP address, without a trailing slash, if there is one.
    pub http: Option<String>,
    /// Addresses for peers, as multiaddrs.
    pub peer: Vec<String>,
}

impl MemberCard {
    /// Makes and signs an organization's card.
    ///
    /// # Errors
    /// [`CharterError`] names what the card may not say.
    pub fn sign(
        did: &Did,
        name: &str,
        log_key: &PublicKey,
        peer_ids: &[String],
        endpoints: &Endpoints,
        root: &dyn Signer,
    ) -> Result<Self, CharterError> {
        Self::sign_promising(did, name, (log_key, None), peer_ids, endpoints, root)
    }

    /// The same, with a commitment to the log key that will follow ([`crate::log_keys::commitment`]).
    ///
    /// # Errors
    /// [`CharterError`] names what the card may not say.
    pub fn sign_promising(
        did: &Did,
        name: &str,
        (log_key, next_log_key): (&PublicKey, Option<String>),
        peer_ids: &[String],
        endpoints: &Endpoints,
        root: &dyn Signer,
    ) -> Result<Self, CharterError> {
        let mut card = Self {
            did: did.clone(),
            name: name.to_owned(),
            root_key: root.public_key().clone(),
            log_key: log_key.clone(),
            next_log_key,
            peer_ids: peer_ids.to_vec(),
            endpoints: endpoints.clone(),
            proof: String::new(),
        };
        let signature = root.sign(&card.signed_bytes())?;
        card.proof = multibase::encode(Base::Base58Btc, signature.as_bytes());
        // Through the reader, so that nobody can sign what nobody would accept.
        Self::from_value(&card.to_value())
    }

    /// Reads and checks a card.
    ///
    /// # Errors
    /// [`CharterError`] names what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, CharterError> {
        Self::from_value(&json::parse(text)?)
    }

    /// Checks a card that was read already.
    ///
    /// # Errors
    /// [`CharterError`] names what is wrong with it.
    pub fn from_value(value: &Value) -> Result<Self, CharterError> {
        Self::from_members(&Members::of(value, "")?)
    }

    pub(super) fn from_members(card: &Members<'_, '_>) -> Result<Self, CharterError> {
        card.literal("type", "SyndicMember", "the type \"SyndicMember\"")?;
        let did = organization_did(card)?;
        let card = Self {
            name: shown_name(card)?,
            root_key: key(card, "rootKey")?,
            log_key: key(card, "logKey")?,
            next_log_key: promise(card)?,
            peer_ids: peer_ids(card)?,
            endpoints: Endpoints::from_member(card, "endpoints")?,
            proof: card.str("proof")?.to_owned(),
            did: {
                card.finish_closed()?;
                did
            },
        };
        card.check_proof()?;
        Ok(card)
    }

    fn check_proof(&self) -> Result<(), CharterError> {
        let refused = || CharterError::CardProof(self.did.to_string());
        // 64 bytes have at most 88 digits in base58; longer text is not worth decoding.
        if self.proof.len() > 89 || !self.proof.starts_with('z') {
            return Err(refused());
        }
        let (_, bytes) = multibase::decode(&self.proof).map_err(|_| refused())?;
        let bytes = <[u8; 64]>::try_from(bytes).map_err(|_| refused())?;
        // Base58 has one text for 64 bytes; anything else would give one card two ids.
        if multibase::encode(Base::Base58Btc, bytes) != self.proof {
            return Err(refused());
        }
        self.root_key
            .verify(&self.signed_bytes(), &Signature::from_bytes(bytes))
            .map_err(|_| refused())
    }

    pub(super) fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = CARD_DOMAIN.to_vec();
        canonical::write_without(&self.to_object(), &["proof"], &mut bytes);
        bytes
    }

    /// The card as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(self.to_object())
    }

    fn to_object(&self) -> Object {
        let mut card = Object::new();
        card.insert("type", "SyndicMember");
        card.insert("did", &self.did);
        card.insert("name", &self.name);
        card.insert("rootKey", self.root_key.to_multikey());
        card.insert("logKey", self.log_key.to_multikey());
        if let Some(next) = &self.next_log_key {
            card.insert("nextLogKey", next);
        }
        card.insert("peerIds", Value::from_iter(&self.peer_ids));
        card.insert("endpoints", self.endpoints.to_value());
        card.insert("proof", &self.proof);
        card
    }

    /// The organization's DID: `did:key` of the key that issues its credentials.
    #[must_use]
    pub fn did(&self) -> &Did {
        &self.did
    }

    /// The organization's name, as shown to people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key that signed the card; kept offline if the organization likes.
    #[must_use]
    pub fn root_key(&self) -> &PublicKey {
        &self.root_key
    }

    /// The key that signs the heads of the organization's log, until it is rotated: [`crate::log_keys`].
    #[must_use]
    pub fn log_key(&self) -> &PublicKey {
        &self.log_key
    }

    /// The hash that the next log key must have, if the card promises it ([`crate::log_keys::commitment`]).
    #[must_use]
    pub fn next_log_key(&self) -> Option<&str> {
        self.next_log_key.as_deref()
    }

    /// libp2p peer ids of the organization's nodes.
    #[must_use]
    pub fn peer_ids(&self) -> &[String] {
        &self.peer_ids
    }

    /// Where its nodes are reached.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }
}

impl Endpoints {
    pub(crate) fn from_member(parent: &Members<'_, '_>, name: &str) -> Result<Self, MemberError> {
        let members = parent.object(name)?;
        let http = members.optional_str("http")?;
        if http.is_some_and(|url| !text::is_http_url(url) || url.ends_with('/')) {
            return Err(members.error(
                "http",
                "an http or https URL without fragment or trailing slash, at most 512 bytes",
            ));
        }
        let peer = members.array("peer")?;
        if peer.len() > limits::MEMBER_ADDRESSES {
            return Err(members.error("peer", "at most 32 addresses"));
        }
        let at = members.at("peer");
        let peer = strings(
            peer,
            &at,
            text::is_multiaddr,
            "a multiaddr, like /ip4/192.0.2.1/tcp/8442",
        )?;
        let endpoints = Self {
            http: http.map(str::to_owned),
            peer,
        };
        members.finish_closed()?;
        Ok(endpoints)
    }

    pub(crate) fn to_value(&self) -> Value {
        let mut endpoints = Object::new();
        if let Some(http) = &self.http {
            endpoints.insert("http", http);
        }
        endpoints.insert("peer", Value::from_iter(&self.peer));
        Value::Object(endpoints)
    }
}

fn organization_did(card: &Members<'_, '_>) -> Result<Did, CharterError> {
    let text = card.str("did")?;
    let did = Did::parse(text).map_err(|_| CharterError::Did(text.to_owned()))?;
    let multikey = did.method_specific_id();
    if did.method() != "key" || ed25519(multikey).is_none() {
        return Err(CharterError::Did(text.to_owned()));
    }
    Ok(did)
}

fn key(members: &Members<'_, '_>, name: &str) -> Result<PublicKey, MemberError> {
    ed25519(members.str(name)?).ok_or_else(|| members.error(name, "an Ed25519 public key as multikey (z6Mk...)"))
}

fn promise(card: &Members<'_, '_>) -> Result<Option<String>, MemberError> {
    let next = card.optional_str("nextLogKey")?;
    if next.is_some_and(|next| !log_keys::is_commitment(next)) {
        return Err(card.error("nextLogKey", "a SHA-256 multihash in base58btc (zQm...)"));
    }
    Ok(next.map(str::to_owned))
}

/// Cards and heads are signed with Ed25519 and nothing else (C2SP signed notes).
fn ed25519(multikey: &str) -> Option<PublicKey> {
    let key = PublicKey::from_multikey(multikey).ok()?;
    (key.kind() == KeyKind::Ed25519).then_some(key)
}

pub(crate) fn peer_ids(members: &Members<'_, '_>) -> Result<Vec<String>, MemberError> {
    let ids = members.array("peerIds")?;
    if ids.len() > limits::MEMBER_PEERS {
        return Err(members.error("peerIds", "at most 16 peer ids"));
    }
    strings(
        ids,
        &members.at("peerIds"),
        text::is_peer_id,
        "a libp2p peer id (12D3Koo...)",
    )
}

fn strings(
    values: &[Value],
    at: &Path<'_>,
    good: fn(&str) -> bool,
    expected: &'static str,
) -> Result<Vec<String>, MemberError> {
    values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let text = value.as_str().filter(|text| good(text));
            text.map(str::to_owned).ok_or_else(|| at.item(index).error(expected))
        })
        .collect()
}
