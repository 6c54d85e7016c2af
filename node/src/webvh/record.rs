//! The row of a hosted DID, and the rows of its keys.

use syndic_vc::did::Did;
use syndic_vc::json::Value;
use syndic_vc::key::{PublicKey, SecretKey};
use syndic_vc::object;
use syndic_vc::time::Timestamp;
use syndic_vc::webvh::{Log, Resolved, WebvhError, Which, resolve};

use super::DidError;
use crate::keys::RandomError;
use crate::node::Node;
use crate::records::{self, RecordError};
use crate::store::Batch;

/// Binds a sealed key to its purpose; the multikey follows.
const KEY_PURPOSE: &str = "syndic did key v1 ";

/// A `did:webvh` that this node controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosted {
    /// The DID.
    pub did: Did,
    /// The path below which its files are served, with both slashes.
    pub path: String,
    /// When it was made.
    pub created: Timestamp,
    /// The lines of its log.
    pub lines: Vec<String>,
    /// Multikeys of the document's signing keys, the present one first.
    pub signing: Vec<String>,
    /// Multikey of the key that signed the last entry.
    pub update: String,
    /// Multikey of the key that will sign the next entry; `None`: the DID has ended.
    pub next: Option<String>,
}

impl Hosted {
    /// `did.jsonl`.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The newest version, as anybody resolves it.
    ///
    /// # Errors
    /// [`WebvhError`]: what is stored is not a log.
    pub fn resolved(&self, now: Timestamp) -> Result<Resolved, WebvhError> {
        resolve(&self.did, &self.text(), None, &Which::Latest, now)
    }

    /// As the HTTP interface shows it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let keys: Vec<String> = self.signing.iter().map(|key| format!("{}#{key}", self.did)).collect();
        object! {
            "did": self.did.as_str(),
            "path": format!("{}did.jsonl", self.path),
            "created": self.created.to_string(),
            "versions": u64::try_from(self.lines.len()).unwrap_or(u64::MAX),
            "keys": keys,
            "deactivated": self.next.is_none(),
        }
    }

    pub(super) fn log(&self) -> Result<Log, DidError> {
        let mut log = Log::new();
        for line in &self.lines {
            log.append(line).map_err(|error| self.damaged(error.to_string()))?;
        }
        Ok(log)
    }

    /// What the newest version says under a name.
    fn said(&self, member: &str) -> Result<Option<Value>, DidError> {
        let log = self.log()?;
        Ok(log
            .versions()
            .last()
            .and_then(|version| version.state.get(member))
            .cloned())
    }

    pub(super) fn service(&self) -> Result<Option<Value>, DidError> {
        self.said("service")
    }

    pub(super) fn names(&self) -> Result<Vec<String>, DidError> {
        let names = self.said("alsoKnownAs")?;
        let names = names.as_ref().and_then(Value::as_array).unwrap_or_default();
        Ok(names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    pub(super) fn signing_keys(&self) -> Result<Vec<PublicKey>, DidError> {
        let key =
            |multikey: &String| PublicKey::from_multikey(multikey).map_err(|error| self.damaged(error.to_string()));
        self.signing.iter().map(key).collect()
    }

    fn damaged(&self, what: String) -> DidError {
        records::damaged(&records::key(records::DID, self.did.as_str()), what).into()
    }

    /// The batch that writes this row, if the row is still `before`.
    pub(super) fn batch(&self, before: Option<&Self>) -> Batch {
        let key = records::key(records::DID, self.did.as_str());
        Batch::default()
            .expect(key.clone(), before.map(|before| records::encode(&before.to_record())))
            .put(key, records::encode(&self.to_record()))
    }

    fn to_record(&self) -> Value {
        object! {
            "did": self.did.as_str(),
            "path": self.path.as_str(),
            "created": self.created.to_string(),
            "lines": self.lines.clone(),
            "signing": self.signing.clone(),
            "update": self.update.as_str(),
            "next": self.next.as_deref().map_or(Value::Null, Value::from),
        }
    }

    pub(super) fn from_record(key: &[u8], row: &Value) -> Result<Self, RecordError> {
        let texts = |member: &str| {
            let items = row.get(member).and_then(Value::as_array).unwrap_or_default();
            let texts: Vec<String> = items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            if texts.is_empty() || texts.len() != items.len() {
                return Err(records::damaged(key, format!("no texts in {member}")));
            }
            Ok(texts)
        };
        Ok(Self {
            did: Did::parse(records::text(key, row, "did")?)
                .map_err(|error| records::damaged(key, error.to_string()))?,
            path: records::text(key, row, "path")?.to_owned(),
            created: Timestamp::parse(records::text(key, row, "created")?)
                .map_err(|error| records::damaged(key, error.to_string()))?,
            lines: texts("lines")?,
            signing: texts("signing")?,
            update: records::text(key, row, "update")?.to_owned(),
            next: match row.get("next") {
                Some(Value::Null) => None,
                _ => Some(records::text(key, row, "next")?.to_owned()),
            },
        })
    }
}

/// The row of a key, sealed.
pub(super) fn seal(node: &Node, key: &SecretKey) -> Result<(Vec<u8>, Option<Vec<u8>>), RandomError> {
    let multikey = key.public_key().to_multikey();
    let purpose = format!("{KEY_PURPOSE}{multikey}");
    let sealed = node.keys.seal_record(purpose.as_bytes(), key.seed())?;
    Ok((records::key(records::DID_KEY, &multikey), Some(sealed)))
}

/// The key of a multikey.
pub(super) fn open(node: &Node, multikey: &str) -> Result<SecretKey, RecordError> {
    let key = records::key(records::DID_KEY, multikey);
    let sealed = node
        .store
        .get(&key)?
        .ok_or_else(|| records::damaged(&key, "the key is missing"))?;
    let purpose = format!("{KEY_PURPOSE}{multikey}");
    let seed = node
        .keys
        .open_record(purpose.as_bytes(), &sealed)
        .map_err(|error| records::damaged(&key, error.to_string()))?;
    let seed = <[u8; 32]>::try_from(&seed[..]).map_err(|_| records::damaged(&key, "not a 32-byte seed"))?;
    Ok(SecretKey::from_seed(zeroize::Zeroizing::new(seed)))
}
