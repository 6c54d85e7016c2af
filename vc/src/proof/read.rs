//! A proof as it stands in a document: every member known and of its kind, nothing checked.

use super::hash::{self, HashData, Places};
use super::{PROOF_TYPE, Suite, base58, malformed, unsupported};
use crate::denial::{DenialCode, Reason};
use crate::document::Purpose;
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Object, Value};
use crate::key::{KeyKind, Signature};
use crate::limits::{DOMAINS, PROOF_VALUE_CHARS, PROOFS};
use crate::name::is_url;
use crate::time::Timestamp;

/// A proof as it stands in a document, nothing checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof<'a> {
    pub(super) object: &'a Object,
    pub(crate) suite: Suite,
    pub(super) id: Option<&'a str>,
    pub(crate) purpose: Purpose,
    pub(crate) verification_method: &'a str,
    pub(crate) created: Option<Timestamp>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) challenge: Option<&'a str>,
    /// A string or an array of strings.
    domain: Option<&'a Value>,
    /// A string or an array of strings.
    previous: Option<&'a Value>,
    pub(crate) signature: Signature,
}

impl<'a> Proof<'a> {
    /// Reads one proof of a document; `here` is where the proof stands.
    pub(super) fn read(document: &'a Object, object: &'a Object, here: &Path<'_>) -> Result<Self, Reason> {
        let members = Members::of_object(object, here);
        let proof = Self::members(object, &members).map_err(|error| match error {
            Fault::Reason(reason) => reason,
            Fault::Member(error) => Reason::new(
                DenialCode::ProofMalformed,
                error.path,
                format!("expected {}", error.expected),
            ),
        })?;
        same_context(document, &members)?;
        Ok(proof)
    }

    fn members(object: &'a Object, members: &Members<'a, '_>) -> Result<Self, Fault> {
        let suite = suite(members)?;
        let purpose = Purpose::parse(members.str("proofPurpose")?)
            .ok_or_else(|| members.error("proofPurpose", "a verification relationship, such as assertionMethod"))?;
        let id = members.optional_str("id")?;
        if id.is_some_and(|id| !is_url(id)) {
            return Err(members.error("id", "a URL").into());
        }
        let proof = Self {
            object,
            suite,
            id,
            purpose,
            verification_method: members.str("verificationMethod")?,
            created: time(members, "created")?,
            expires: time(members, "expires")?,
            challenge: members.optional_str("challenge")?,
            domain: strings(members, "domain", DOMAINS)?,
            previous: strings(members, "previousProof", PROOFS)?,
            signature: signature(members, suite)?,
        };
        // Signed like the rest, and without meaning here.
        members.optional_str("nonce")?;
        members.optional("@context");
        members.finish_closed()?;
        Ok(proof)
    }

    /// The bytes that the signature of a key of this kind is over. `previous` are the proofs that
    /// this one builds on.
    pub(crate) fn hash_data(
        &self,
        kind: KeyKind,
        document: &Object,
        previous: &[&Object],
        places: Places<'_>,
    ) -> Result<HashData, Reason> {
        hash::hash_data(self.suite, kind, document, self.object, previous, places)
    }

    /// Whether the proof was made for this verifier.
    pub(crate) fn is_for_domain(&self, domain: &str) -> bool {
        texts(self.domain).any(|one| one == domain)
    }

    /// The names of the proofs that this one builds on.
    pub(super) fn previous_names(&self) -> impl Iterator<Item = &'a str> {
        texts(self.previous)
    }

    pub(super) fn builds_on(&self, name: &str) -> bool {
        self.previous_names().any(|one| one == name)
    }
}

/// The texts of a member that is a string or an array of strings.
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = value.map_or(&[][..], |value| value.as_array().unwrap_or(std::slice::from_ref(value)));
    items.iter().filter_map(Value::as_str)
}

enum Fault {
    Reason(Reason),
    Member(MemberError),
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

impl From<MemberError> for Fault {
    fn from(error: MemberError) -> Self {
        Self::Member(error)
    }
}

/// The `cryptosuite`, or the one proof type that is a suite by itself.
fn suite(members: &Members<'_, '_>) -> Result<Suite, Fault> {
    let kind = members.str("type")?;
    if kind == Suite::Ed25519Signature2020.as_str() {
        return Ok(Suite::Ed25519Signature2020);
    }
    if kind != PROOF_TYPE {
        let text = "only DataIntegrityProof and Ed25519Signature2020 are verified here";
        return Err(unsupported(&members.at("type"), text).into());
    }
    match Suite::parse(members.str("cryptosuite")?) {
        Some(suite) if suite != Suite::Ed25519Signature2020 => Ok(suite),
        _ => {
            let text = "only eddsa-jcs-2022, eddsa-rdfc-2022, ecdsa-jcs-2019 and ecdsa-rdfc-2019 are verified here";
            Err(unsupported(&members.at("cryptosuite"), text).into())
        }
    }
}

/// The suites let the document's context be longer than the proof's (section 3.3.2). Here they are
/// equal: what was added afterwards was not signed.
fn same_context(document: &Object, proof: &Members<'_, '_>) -> Result<(), Reason> {
    match proof.optional("@context") {
        Some(context) if document.get("@context") != Some(context) => Err(malformed(
            &proof.at("@context"),
            "the proof was made over another @context than the document's",
        )),
        _ => Ok(()),
    }
}

fn time(members: &Members<'_, '_>, name: &str) -> Result<Option<Timestamp>, Fault> {
    members
        .optional_str(name)?
        .map(|text| Timestamp::parse(text).map_err(|error| malformed(&members.at(name), &error.to_string()).into()))
        .transpose()
}

fn strings<'a>(members: &Members<'a, '_>, name: &str, most: usize) -> Result<Option<&'a Value>, Fault> {
    let Some(value) = members.optional(name) else {
        return Ok(None);
    };
    let listed = value
        .as_array()
        .is_some_and(|items| (1..=most).contains(&items.len()) && items.iter().all(|item| item.as_str().is_some()));
    if listed || value.as_str().is_some() {
        Ok(Some(value))
    } else {
        Err(members.error(name, "a string, or an array of at most 8 strings").into())
    }
}

/// Multibase base58btc only: another base would give one signature two texts.
fn signature(members: &Members<'_, '_>, suite: Suite) -> Result<Signature, Fault> {
    let text = members.str("proofValue")?;
    let base58 = text.strip_prefix('z').filter(|_| text.len() <= PROOF_VALUE_CHARS);
    let signature = base58.and_then(|base58| match base58::decode(base58) {
        Some(bytes) => Some(Signature::from_bytes(bytes)),
        None if suite.takes(KeyKind::P384) => long_signature(base58),
        None => None,
    });
    signature.ok_or_else(|| {
        let expected = if suite.takes(KeyKind::P384) {
            "a signature of 64 or 96 bytes as multibase base58btc (z...)"
        } else {
            "a signature of 64 bytes as multibase base58btc (z...)"
        };
        members.error("proofValue", expected).into()
    })
}

/// One of P-384: 96 bytes.
fn long_signature(base58: &str) -> Option<Signature> {
    let bytes = multibase::Base::Base58Btc.decode(base58).ok()?;
    Signature::from_slice(&bytes).filter(|_| bytes.len() == KeyKind::P384.signature_bytes())
}
