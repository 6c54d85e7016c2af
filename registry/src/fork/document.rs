//! A fork proof as a file: JSON in canonical form, so that it has one spelling and no byte of it can be changed.

use multibase::Base;
use syndic_vc::canonical;
use syndic_vc::did::Did;
use syndic_vc::json::members::{MemberError, Members};
use syndic_vc::json::{self, JsonError, Object, Value};

use super::{Branch, Common, Fork, ForkError};
use crate::charter::{Charter, CharterChain};
use crate::head;
use crate::limits;
use crate::log::Hash;
use crate::log_keys::{LogKeys, Rotation};
use crate::note::{self, Note};

/// Why a file is no proof of a fork. Nobody is accused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ForkFileError {
    /// Not JSON.
    #[error("the file is not JSON: {0}")]
    Json(#[from] JsonError),
    /// A member is missing, unknown, of the wrong kind or out of bounds.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// Not in the one spelling (RFC 8785) that the proof has.
    #[error("the file is not in canonical form; it was written or changed by something else than this program")]
    Spelling,
    /// Of another consortium than the charter's.
    #[error("the proof is about consortium {found}, and the charter is that of {expected}")]
    Consortium {
        /// That of the charter.
        expected: String,
        /// That of the proof.
        found: String,
    },
    /// It proves nothing.
    #[error(transparent)]
    Proof(#[from] ForkError),
    /// It proves something about another organization than it says.
    #[error("the heads are those of {0}, not of the organization that the proof names")]
    Organization(Did),
}

impl Fork {
    /// The proof as a file: canonical JSON and a newline. Signatures of others on the heads are left out, for they prove
    /// nothing here and could be changed unnoticed.
    ///
    /// # Errors
    /// [`ForkError`] if it proves nothing; then nobody should see it.
    pub fn to_file(&self, charter: &Charter) -> Result<Vec<u8>, ForkError> {
        let organization = self.verify(charter)?;
        let card = charter.member(organization.as_str()).ok_or(ForkError::Stranger)?;
        let origin = head::origin(charter.id(), organization.as_str());
        let keys = self.keys(&LogKeys::new(charter.id(), card))?;
        let branch = |branch: &Branch| {
            let mut value = Object::new();
            value.insert("head", bare(&branch.note, &origin, &keys));
            value.insert("root", base64(&branch.root));
            value.insert("proof", hashes(&branch.proof));
            Value::from(value)
        };
        let mut file = Object::new();
        file.insert("type", "SyndicForkProof");
        file.insert("consortium", charter.id());
        file.insert("organization", organization.as_str());
        file.insert("at", i64::try_from(self.at).unwrap_or(i64::MAX));
        file.insert(
            "branches",
            [branch(&self.one), branch(&self.other)].into_iter().collect::<Value>(),
        );
        if let Some(Common { root, one, other }) = &self.common {
            let mut common = Object::new();
            common.insert("root", base64(root));
            common.insert("proofs", [hashes(one), hashes(other)].into_iter().collect::<Value>());
            file.insert("common", Value::from(common));
        }
        if !self.rotations.is_empty() {
            let rotations = self.rotations.iter().map(Rotation::to_value);
            file.insert("rotations", rotations.collect::<Value>());
        }
        let mut bytes = canonical::to_bytes(&Value::from(file));
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a proof from a file and checks it, with nothing but the charter. Says who told two stories.
    ///
    /// # Errors
    /// [`ForkFileError`] says what is wrong with it.
    pub fn from_file(bytes: &[u8], charter: &Charter) -> Result<(Self, Did), ForkFileError> {
        let (fork, named) = Self::read_file(bytes, charter.id())?;
        let accused = fork.verify(charter)?;
        if accused.as_str() != named {
            return Err(ForkFileError::Organization(accused));
        }
        Ok((fork, accused))
    }

    /// The same with a chain of charters, and the newest version by which the proof holds.
    ///
    /// # Errors
    /// [`ForkFileError`] says what is wrong with it.
    pub fn from_file_by_chain(bytes: &[u8], chain: &CharterChain) -> Result<(Self, Charter), ForkFileError> {
        let (fork, named) = Self::read_file(bytes, chain.id())?;
        let (charter, accused) = fork.verify_by_chain(chain)?;
        if accused.as_str() != named {
            return Err(ForkFileError::Organization(accused));
        }
        Ok((fork, charter))
    }

    /// A proof that was not checked yet, and who it says did it.
    fn read_file(bytes: &[u8], consortium: &str) -> Result<(Self, String), ForkFileError> {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let value = json::parse(text)?;
        if canonical::to_bytes(&value) != text {
            return Err(ForkFileError::Spelling);
        }
        let file = Members::of(&value, "")?;
        file.literal("type", "SyndicForkProof", "the type \"SyndicForkProof\"")?;
        let found = file.str("consortium")?;
        if found != consortium {
            return Err(ForkFileError::Consortium {
                expected: consortium.to_owned(),
                found: found.to_owned(),
            });
        }
        let named = file.str("organization")?.to_owned();
        let at = file.integer("at")?;
        let at = u64::try_from(at)
            .ok()
            .filter(|at| *at <= limits::LOG_SIZE)
            .ok_or_else(|| file.error("at", "a number of entries"))?;
        let [one, other] = file.array("branches")? else {
            return Err(file.error("branches", "two branches").into());
        };
        let fork = Self {
            at,
            one: read_branch(&file, one)?,
            other: read_branch(&file, other)?,
            common: file
                .optional_object("common")?
                .map(|common| read_common(&common))
                .transpose()?,
            rotations: read_rotations(&file)?,
        };
        file.finish_closed()?;
        Ok((fork, named))
    }
}

/// The note with the two signatures of the log key only.
pub(crate) fn bare(text: &str, origin: &str, keys: &LogKeys) -> String {
    // It was verified a moment ago.
    let size = keys.verify(text, origin).map_or(0, |head| head.size());
    let key = keys.at(size).as_bytes();
    let ids = [note::TYPE_ED25519, note::TYPE_COSIGNATURE].map(|kind| note::key_id(origin, kind, key));
    match Note::parse(text) {
        Ok(mut note) => {
            note.signatures
                .retain(|line| line.name == origin && ids.contains(&line.id));
            note.to_string()
        }
        // It was verified a moment ago.
        Err(_) => text.to_owned(),
    }
}

fn base64(hash: &Hash) -> String {
    Base::Base64Pad.encode(hash)
}

fn hashes(hashes: &[Hash]) -> Value {
    hashes.iter().map(|hash| Value::from(base64(hash))).collect()
}

fn read_branch(file: &Members<'_, '_>, value: &Value) -> Result<Branch, ForkFileError> {
    let branch = Members::of(value, file.at("branches"))?;
    let note = branch.str("head")?;
    // A third line could be changed without anybody noticing.
    if Note::parse(note).map(|note| note.signatures.len()) != Ok(2) {
        return Err(branch.error("head", "a signed note with two signatures").into());
    }
    let read = Branch {
        note: note.to_owned(),
        root: read_hash(branch.str("root")?).ok_or_else(|| branch.error("root", HASH))?,
        proof: read_hashes(branch.array("proof")?).ok_or_else(|| branch.error("proof", HASHES))?,
    };
    branch.finish_closed()?;
    Ok(read)
}

fn read_common(common: &Members<'_, '_>) -> Result<Common, MemberError> {
    let root = read_hash(common.str("root")?).ok_or_else(|| common.error("root", HASH))?;
    let [one, other] = common.array("proofs")? else {
        return Err(common.error("proofs", "two proofs"));
    };
    let proof = |value: &Value| value.as_array().and_then(read_hashes);
    let (one, other) = proof(one)
        .zip(proof(other))
        .ok_or_else(|| common.error("proofs", HASHES))?;
    common.finish_closed()?;
    Ok(Common { root, one, other })
}

fn read_rotations(file: &Members<'_, '_>) -> Result<Vec<Rotation>, MemberError> {
    let Some(rotations) = file.optional_array("rotations")? else {
        return Ok(Vec::new());
    };
    if !(1..=limits::LOG_KEYS).contains(&rotations.len()) {
        return Err(file.error("rotations", "1 to 48 rotations of the log key"));
    }
    let at = file.at("rotations");
    let numbered = rotations.iter().enumerate();
    numbered
        .map(|(index, rotation)| Rotation::from_value(rotation, at.item(index)))
        .collect()
}

const HASH: &str = "a SHA-256 hash in base64";
const HASHES: &str = "at most 41 SHA-256 hashes in base64";

fn read_hash(text: &str) -> Option<Hash> {
    note::decode_base64(text)?.try_into().ok()
}

fn read_hashes(values: &[Value]) -> Option<Vec<Hash>> {
    if values.len() > limits::PROOF_HASHES {
        return None;
    }
    values.iter().map(|value| read_hash(value.as_str()?)).collect()
}
