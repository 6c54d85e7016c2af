//! `did:webvh` DIDs that this node controls: made, served, changed and ended (specs, document 7).
//!
//! Each has two kinds of keys, all sealed in the store. Update keys sign the log's entries; the next one is made ahead
//! and committed to, so that who steals the present one cannot take the DID. Signing keys stand in the document; a
//! rotation adds one and leaves those before it in place, so what they signed goes on being verified until they are
//! retired. An entry, the keys it needs and the statement that tells the members are one batch: nothing is served or
//! announced that a crash could take back.

mod record;

use std::sync::Arc;

use syndic_registry::statement::{Content, DidVersion, Statement};
use syndic_vc::did::Did;
use syndic_vc::did_web::{Location, LocationError};
use syndic_vc::json::{Object, Value};
use syndic_vc::key::{PublicKey, SecretKey};
use syndic_vc::object;
use syndic_vc::time::Timestamp;
use syndic_vc::webvh::{self, BuildError, Changes};

use crate::engine::PublishError;
use crate::keys::RandomError;
use crate::node::Node;
use crate::records::{self, RecordError};
use crate::store::Batch;

pub use record::Hosted;

/// Longest name of a hosted DID in its path.
const MAX_NAME_BYTES: usize = 64;
/// Entries of one log that this node makes: what the members' fold takes.
const MAX_ENTRIES: usize = syndic_registry::limits::DID_ENTRIES;
/// Versions are at least a second apart, so quick changes are dated ahead; members and resolvers bear twice as much.
const MAX_SECONDS_AHEAD: i64 = 30;

/// Why a hosted DID could not be made, found or changed.
#[derive(Debug, thiserror::Error)]
pub enum DidError {
    /// A value of the request is not usable.
    #[error("{at}: {what}")]
    Invalid {
        /// JSON Pointer of the value.
        at: &'static str,
        /// What is wrong and what would be right.
        what: String,
    },
    /// The place is taken.
    #[error("a DID is served at {0} already; choose another name")]
    Taken(String),
    /// No such DID.
    #[error("no DID {0:?} is controlled here; `syndic did list` shows them")]
    Unknown(String),
    /// The DID has ended.
    #[error("{0} is deactivated; nothing about it changes any more")]
    Deactivated(String),
    /// The entry could not be made.
    #[error("not changed: {0}")]
    Build(#[from] BuildError),
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A row could not be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The statement was not published.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

fn invalid(at: &'static str, what: impl Into<String>) -> DidError {
    DidError::Invalid { at, what: what.into() }
}

/// What a new DID is to be.
#[derive(Clone, Debug, Default)]
pub struct NewDid {
    /// The last part of its path, below `dids`; without it, it stands at `/.well-known`.
    pub name: Option<String>,
    /// The host as it stands in the DID (`st-mary.example`, `st-mary.example%3A8443`); without it, that of the node's
    /// public URL.
    pub host: Option<String>,
    /// Services of the document.
    pub service: Option<Value>,
    /// Whether the DID may move to another host later.
    pub portable: bool,
    /// Whether it is an agent's, to be registered with it, and not the organization's own.
    pub for_agent: bool,
}

/// What is to change of a document.
#[derive(Clone, Debug, Default)]
pub struct DocumentChange {
    /// The services, all of them.
    pub service: Option<Value>,
    /// Whether signing keys before the present one leave the document.
    pub retire_previous: bool,
}

/// Makes a DID. One that is not for an agent is the organization's own, and its log says so.
///
/// # Errors
/// [`DidError`]; then there is no such DID.
pub async fn create(node: &Arc<Node>, new: NewDid, now: Timestamp) -> Result<Hosted, DidError> {
    let place = place(node, &new)?;
    let (update, next, signing) = (fresh_key()?, fresh_key()?, fresh_key()?);
    let template = webvh::template(&place);
    let mut names = vec![format!("did:web:{}", place.as_identifier())];
    if !new.for_agent {
        names.push(node.organization.as_str().to_owned());
    }
    let state = document(&template, &names, &[signing.public_key()], new.service.as_ref());
    let changes = Changes {
        update_keys: Some(vec![update.public_key().clone()]),
        next_key_hashes: Some(vec![webvh::key_hash(next.public_key())]),
        portable: Some(new.portable),
        ..Changes::default()
    };
    let (did, line) = webvh::create(&state, &changes, whole_seconds(now), &update)?;
    let hosted = Hosted {
        did: did.clone(),
        path: place.path(""),
        created: now,
        lines: vec![line.clone()],
        signing: vec![signing.public_key().to_multikey()],
        update: update.public_key().to_multikey(),
        next: Some(next.public_key().to_multikey()),
    };
    let _alone = node.agents_gate.write().await;
    let at_key = records::key(records::DID_AT, &hosted.path);
    if node.store.get(&at_key).map_err(RecordError::from)?.is_some() {
        return Err(DidError::Taken(place.url("did.jsonl")));
    }
    let mut batch = hosted.batch(None);
    batch.expectations.push((at_key.clone(), None));
    batch.writes.push((at_key, Some(did.as_str().as_bytes().to_vec())));
    for key in [&update, &next, &signing] {
        batch.writes.push(record::seal(node, key)?);
    }
    let own = (!new.for_agent).then(|| Statement {
        at: now,
        content: Content::OrganizationDid { did: did.clone() },
    });
    publish(node, &did, line, now, own.into_iter().collect(), batch).await?;
    Ok(hosted)
}

/// Gives the DID a new signing key and new update keys. Signing keys before it stay in the document, so that what they
/// signed goes on being verified; [`update`] retires them.
///
/// # Errors
/// [`DidError`]; then nothing changed.
pub async fn rotate(node: &Arc<Node>, did: &str, now: Timestamp) -> Result<Hosted, DidError> {
    let signing = fresh_key()?;
    let _alone = node.agents_gate.write().await;
    let (mut hosted, time) = changeable(node, did, now)?;
    let service = hosted.service()?;
    hosted.signing.insert(0, signing.public_key().to_multikey());
    change(node, hosted, service, Some(&signing), time).await
}

/// Changes the document of a DID.
///
/// # Errors
/// [`DidError`]; then nothing changed.
pub async fn update(node: &Arc<Node>, did: &str, wanted: DocumentChange, now: Timestamp) -> Result<Hosted, DidError> {
    let _alone = node.agents_gate.write().await;
    let (mut hosted, time) = changeable(node, did, now)?;
    let service = match wanted.service {
        Some(service) => Some(service),
        None => hosted.service()?,
    };
    if wanted.retire_previous {
        hosted.signing.truncate(1);
    }
    change(node, hosted, service, None, time).await
}

/// Ends a DID, for ever: its log says so, and its keys are gone.
///
/// # Errors
/// [`DidError`]; then it goes on.
pub async fn deactivate(node: &Arc<Node>, did: &str, now: Timestamp) -> Result<Hosted, DidError> {
    let _alone = node.agents_gate.write().await;
    let (mut hosted, time) = changeable(node, did, now)?;
    let log = hosted.log()?;
    let state = log
        .versions()
        .last()
        .map(|version| version.state.clone())
        .unwrap_or_default();
    let (next, changes) = turn(node, &hosted, None)?;
    let changes = Changes {
        next_key_hashes: Some(Vec::new()),
        deactivate: true,
        ..changes
    };
    let line = webvh::update(&log, &state, &changes, time, &next)?;
    let old = hosted.clone();
    hosted.lines.push(line.clone());
    hosted.next = None;
    let mut batch = hosted.batch(Some(&old));
    for multikey in old.signing.iter().chain([&old.update]).chain(&old.next) {
        batch.writes.push((records::key(records::DID_KEY, multikey), None));
    }
    let did = hosted.did.clone();
    publish(node, &did, line, time, Vec::new(), batch).await?;
    Ok(hosted)
}

/// The key that signs under a DID that this node controls, and its name in the document.
///
/// # Errors
/// [`DidError::Unknown`], [`DidError::Deactivated`], or the store's error.
pub fn signer(node: &Node, did: &str) -> Result<(String, SecretKey), DidError> {
    let hosted = in_force(node, did)?;
    let multikey = hosted
        .signing
        .first()
        .ok_or_else(|| DidError::Unknown(did.to_owned()))?;
    Ok((format!("{did}#{multikey}"), record::open(node, multikey)?))
}

/// The same, if the DID is the organization's own and not an agent's.
///
/// # Errors
/// As [`signer`].
pub fn organization_signer(node: &Node, did: &str) -> Result<(String, SecretKey), DidError> {
    let own = find(node, did)?.names()?;
    if own.iter().any(|name| name == node.organization.as_str()) {
        signer(node, did)
    } else {
        Err(DidError::Unknown(did.to_owned()))
    }
}

/// Finds a DID that this node controls.
///
/// # Errors
/// [`DidError::Unknown`] if there is none; [`DidError::Record`] if the store fails.
pub fn find(node: &Node, did: &str) -> Result<Hosted, DidError> {
    let key = records::key(records::DID, did);
    let row = records::get(node.store.as_ref(), &key)?.ok_or_else(|| DidError::Unknown(did.to_owned()))?;
    Ok(Hosted::from_record(&key, &row)?)
}

/// The DID that is served below a path, such as `/dids/desk/`.
///
/// # Errors
/// As [`find`].
pub fn at(node: &Node, path: &str) -> Result<Hosted, DidError> {
    let key = records::key(records::DID_AT, path);
    let did = node.store.get(&key).map_err(RecordError::from)?;
    let did = did.ok_or_else(|| DidError::Unknown(path.to_owned()))?;
    find(node, &String::from_utf8_lossy(&did))
}

/// All DIDs that this node controls.
///
/// # Errors
/// The store's error.
pub fn list(node: &Node) -> Result<Vec<Hosted>, RecordError> {
    let mut all = Vec::new();
    records::walk(node.store.as_ref(), records::DID, |key, bytes| {
        all.push(Hosted::from_record(key, &records::decode(key, bytes)?)?);
        Ok(())
    })?;
    Ok(all)
}

fn in_force(node: &Node, did: &str) -> Result<Hosted, DidError> {
    let hosted = find(node, did)?;
    if hosted.next.is_none() {
        return Err(DidError::Deactivated(did.to_owned()));
    }
    Ok(hosted)
}

/// One that may have another version, and the time of it: now, or a second after the last version if that is later.
fn changeable(node: &Node, did: &str, now: Timestamp) -> Result<(Hosted, Timestamp), DidError> {
    let hosted = in_force(node, did)?;
    if hosted.lines.len() >= MAX_ENTRIES {
        let what = format!("{did} has {MAX_ENTRIES} versions, the most that members read; make a new DID");
        return Err(invalid("", what));
    }
    let now = whole_seconds(now);
    let log = hosted.log()?;
    let next = log
        .versions()
        .last()
        .and_then(|version| version.time.checked_add_seconds(1));
    let time = next.map_or(now, |next| next.max(now));
    if time.seconds_since(now) > MAX_SECONDS_AHEAD {
        return Err(invalid("", format!("{did} changed too often; try again in a minute")));
    }
    Ok((hosted, time))
}

/// One more version of the document: its signing keys are those of `hosted`.
async fn change(
    node: &Arc<Node>,
    mut hosted: Hosted,
    service: Option<Value>,
    signing: Option<&SecretKey>,
    time: Timestamp,
) -> Result<Hosted, DidError> {
    let (old, log) = (find(node, hosted.did.as_str())?, hosted.log()?);
    let names = hosted.names()?;
    let keys = hosted.signing_keys()?;
    let state = document(
        hosted.did.as_str(),
        &names,
        &keys.iter().collect::<Vec<_>>(),
        service.as_ref(),
    );
    let after_next = fresh_key()?;
    let (next, changes) = turn(node, &hosted, Some(&after_next))?;
    let line = webvh::update(&log, &state, &changes, time, &next)?;
    hosted.lines.push(line.clone());
    hosted.update = next.public_key().to_multikey();
    hosted.next = Some(after_next.public_key().to_multikey());
    let mut batch = hosted.batch(Some(&old));
    batch.writes.push(record::seal(node, &after_next)?);
    if let Some(signing) = signing {
        batch.writes.push(record::seal(node, signing)?);
    }
    // A spent update key signs nothing any more, and neither does a retired one.
    let retired = old.signing.iter().filter(|multikey| !hosted.signing.contains(multikey));
    for multikey in retired.chain([&old.update]) {
        batch.writes.push((records::key(records::DID_KEY, multikey), None));
    }
    let did = hosted.did.clone();
    publish(node, &did, line, time, Vec::new(), batch).await?;
    Ok(hosted)
}

/// The key that the entry before committed to, which signs the next one, and what that one says of keys.
fn turn(node: &Node, hosted: &Hosted, after_next: Option<&SecretKey>) -> Result<(SecretKey, Changes), DidError> {
    let multikey = hosted.next.as_deref().unwrap_or_default();
    let next = record::open(node, multikey)?;
    let changes = Changes {
        update_keys: Some(vec![next.public_key().clone()]),
        next_key_hashes: after_next.map(|key| vec![webvh::key_hash(key.public_key())]),
        ..Changes::default()
    };
    Ok((next, changes))
}

async fn publish(
    node: &Arc<Node>,
    did: &Did,
    entry: String,
    now: Timestamp,
    more: Vec<Statement>,
    batch: Batch,
) -> Result<(), DidError> {
    let version = DidVersion {
        did: did.clone(),
        entry,
        witness: None,
    };
    let mut statements = vec![Statement {
        at: now,
        content: Content::DidVersion(version),
    }];
    statements.extend(more);
    for statement in &statements {
        // What others would refuse is the caller's mistake; it must not reach the log.
        statement
            .to_bytes()
            .map_err(|error| invalid("", format!("the entry cannot be published: {error}")))?;
    }
    node.engine.publish(statements, batch).await?;
    Ok(())
}

fn place(node: &Node, new: &NewDid) -> Result<Location, DidError> {
    let host = match &new.host {
        Some(host) => host.clone(),
        None => public_host(&node.config.http.public_url),
    };
    let identifier = match &new.name {
        None => host,
        Some(name) => {
            let fits = (1..=MAX_NAME_BYTES).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if !fits {
                let what = format!("must have 1 to {MAX_NAME_BYTES} lower case letters, digits or hyphens");
                return Err(invalid("/name", what));
            }
            format!("{host}:dids:{name}")
        }
    };
    Location::parse(&identifier).map_err(|error: LocationError| {
        invalid(
            "/host",
            format!("{identifier} names no place: {error}; name the host under which strangers reach this node"),
        )
    })
}

/// The host of a URL as it stands in a DID.
fn public_host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.replace(':', "%3A")
}

fn fresh_key() -> Result<SecretKey, RandomError> {
    Ok(SecretKey::from_seed(crate::keys::random_seed()?))
}

/// Entries are dated in whole seconds, as statements are.
fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_unix_seconds(time.unix_seconds()).unwrap_or(time)
}

/// The document: the signing keys, the present one first, for everything a key is for.
fn document(did: &str, names: &[String], keys: &[&PublicKey], service: Option<&Value>) -> Value {
    let ids: Vec<String> = keys.iter().map(|key| format!("{did}#{}", key.to_multikey())).collect();
    let methods: Vec<Value> = keys
        .iter()
        .zip(&ids)
        .map(|(key, id)| {
            object! {
                "id": id.as_str(),
                "type": "Multikey",
                "controller": did,
                "publicKeyMultibase": key.to_multikey(),
            }
        })
        .collect();
    let mut document = Object::new();
    document.insert(
        "@context",
        vec!["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
    );
    document.insert("id", did);
    document.insert("alsoKnownAs", names.to_vec());
    document.insert("verificationMethod", methods);
    for relationship in [
        "authentication",
        "assertionMethod",
        "capabilityInvocation",
        "capabilityDelegation",
    ] {
        document.insert(relationship, ids.clone());
    }
    if let Some(service) = service {
        document.insert("service", service.clone());
    }
    document.into()
}
