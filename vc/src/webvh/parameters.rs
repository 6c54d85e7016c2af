//! The parameters of a log and how an entry changes them (section "did:webvh DID Method
//! Parameters"). Unknown parameters are refused, as the method demands.

use super::METHOD;
use super::entry::Fault;
use crate::json::members::{MemberError, Members};
use crate::json::{Object, Value};
use crate::limits::{MULTIKEY_CHARS, WEBVH_LISTED, WEBVH_URL_BYTES, WEBVH_WITNESSES};

/// Seconds a resolved version may be kept where the log does not say.
const DEFAULT_TTL: u32 = 3_600;

/// Largest time to live: 2^31 seconds.
const LONGEST_TTL: i64 = 1 << 31;

/// The parameters in force after some entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Multikeys that may sign the next entry (without pre-rotation).
    pub update_keys: Vec<String>,
    /// Hashes of the keys that the next entry must name; not empty: pre-rotation is active.
    pub next_key_hashes: Vec<String>,
    /// Who must approve entries.
    pub witness: Option<WitnessRule>,
    /// URLs of those who watch the DID.
    pub watchers: Vec<String>,
    /// Whether the DID may move to another place.
    pub portable: bool,
    /// Whether the DID has ended.
    pub deactivated: bool,
    /// Seconds for which a resolved version may be kept.
    pub ttl: u32,
}

/// Who must approve entries (section "The witness Parameter").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessRule {
    /// How many must.
    pub threshold: usize,
    /// Their `did:key` DIDs.
    pub witnesses: Vec<String>,
}

impl WitnessRule {
    /// As it stands in the parameter `witness`.
    #[must_use]
    pub fn to_json(&self) -> Object {
        let witnesses = self.witnesses.iter().map(|id| crate::object! { "id": id.as_str() });
        let mut object = Object::new();
        object.insert("threshold", u64::try_from(self.threshold).unwrap_or(u64::MAX));
        object.insert("witnesses", witnesses.collect::<Value>());
        object
    }

    /// Whether this multikey is a witness's. One implementation writes the bare multikey where the
    /// method asks for a `did:key`; both name the same key.
    pub(super) fn has(&self, multikey: &str) -> bool {
        self.witnesses.iter().any(|id| key_of(id) == multikey)
    }
}

fn key_of(witness: &str) -> &str {
    witness.strip_prefix("did:key:").unwrap_or(witness)
}

impl Parameters {
    /// What holds before the first entry says anything.
    pub(super) const fn initial() -> Self {
        Self {
            update_keys: Vec::new(),
            next_key_hashes: Vec::new(),
            witness: None,
            watchers: Vec::new(),
            portable: false,
            deactivated: false,
            ttl: DEFAULT_TTL,
        }
    }

    /// The parameters after an entry with these `parameters`; `first`: it is the first one.
    pub(super) fn after(&self, members: &Members<'_, '_>, first: bool) -> Result<Self, Fault> {
        let mut next = self.clone();
        match members.optional("method") {
            Some(method) if method.as_str() == Some(METHOD) => {}
            None if !first => {}
            _ => {
                return Err(members
                    .error("method", "\"did:webvh:1.0\", the version that is verified here")
                    .into());
            }
        }
        if first {
            members.str("scid")?;
        }
        let strings = |name, bytes| strings(members, name, bytes);
        let keys = strings("updateKeys", MULTIKEY_CHARS)?;
        let hashes = strings("nextKeyHashes", MULTIKEY_CHARS)?;
        if (first || !self.next_key_hashes.is_empty()) && keys.is_none() {
            return Err(members.error("updateKeys", "an array of multikeys").into());
        }
        if !self.next_key_hashes.is_empty() && hashes.is_none() {
            let expected = "an array of hashes: the entry before committed to keys";
            return Err(members.error("nextKeyHashes", expected).into());
        }
        next.update_keys = keys.unwrap_or(next.update_keys);
        next.next_key_hashes = hashes.unwrap_or(next.next_key_hashes);
        next.watchers = strings("watchers", WEBVH_URL_BYTES)?.unwrap_or(next.watchers);
        if let Some(witness) = members.optional("witness") {
            next.witness = rule(members, witness)?;
        }
        if let Some(portable) = members.optional_bool("portable")? {
            if portable && !first && !self.portable {
                return Err(members
                    .error("portable", "false: a DID is portable from its first entry or never")
                    .into());
            }
            next.portable = portable;
        }
        next.deactivated = members.optional_bool("deactivated")?.unwrap_or(next.deactivated);
        if let Some(ttl) = members.optional("ttl") {
            next.ttl = time_to_live(members, ttl)?;
        }
        members.finish_closed()?;
        Ok(next)
    }
}

/// Early implementations wrote `null` where the method now asks for the default value, and
/// resolvers are asked to go on reading it so.
fn strings(members: &Members<'_, '_>, name: &'static str, bytes: usize) -> Result<Option<Vec<String>>, MemberError> {
    let Some(value) = members.optional(name) else {
        return Ok(None);
    };
    let items = match value {
        Value::Null => return Ok(Some(Vec::new())),
        other => other.as_array().unwrap_or(&[Value::Null]),
    };
    let error = || members.error(name, "an array of at most 64 different strings");
    let mut texts: Vec<String> = Vec::with_capacity(items.len().min(WEBVH_LISTED));
    for item in items {
        let text = item.as_str().filter(|text| text.len() <= bytes).ok_or_else(error)?;
        if texts.len() == WEBVH_LISTED || texts.iter().any(|other| other == text) {
            return Err(error());
        }
        texts.push(text.to_owned());
    }
    Ok(Some(texts))
}

fn rule(members: &Members<'_, '_>, value: &Value) -> Result<Option<WitnessRule>, MemberError> {
    if value.is_null() || value.as_object().is_some_and(Object::is_empty) {
        return Ok(None);
    }
    let at = members.at("witness");
    let witness = Members::of(value, at)?;
    let listed = witness.array("witnesses")?;
    let mut witnesses = Vec::with_capacity(listed.len().min(WEBVH_WITNESSES));
    let within = witness.at("witnesses");
    for (index, item) in listed.iter().enumerate() {
        let one = Members::of(item, within.item(index))?;
        let id = one.str("id")?;
        let known = witnesses.iter().any(|other: &String| key_of(other) == key_of(id));
        if known || witnesses.len() == WEBVH_WITNESSES || key_of(id).len() > MULTIKEY_CHARS {
            return Err(one.error("id", "the did:key of a witness, each once, at most 32"));
        }
        one.finish_closed()?;
        witnesses.push(id.to_owned());
    }
    let threshold = usize::try_from(witness.integer("threshold")?).unwrap_or(0);
    if !(1..=witnesses.len()).contains(&threshold) {
        return Err(witness.error("threshold", "a number from 1 to the number of witnesses"));
    }
    witness.finish_closed()?;
    Ok(Some(WitnessRule { threshold, witnesses }))
}

fn time_to_live(members: &Members<'_, '_>, value: &Value) -> Result<u32, MemberError> {
    if value.is_null() {
        return Ok(DEFAULT_TTL);
    }
    value
        .as_i64()
        .filter(|seconds| (0..=LONGEST_TTL).contains(seconds))
        .and_then(|seconds| u32::try_from(seconds).ok())
        .ok_or_else(|| members.error("ttl", "seconds, from 0 to 2147483648"))
}
