//! A charter version after the first, and who signed it. Nothing is proven by having one: only a
//! [`super::CharterChain`] that takes it says that it counts.

use std::cmp::Ordering;

use multibase::Base;
use syndic_vc::canonical;
use syndic_vc::did::Did;
use syndic_vc::json::members::Members;
use syndic_vc::json::{self, Object, Value};
use syndic_vc::key::{PublicKey, Signature, Signer};

use super::{Charter, CharterError, Founding, MemberCard, charter_limits, identifier, whole_seconds};
use crate::limits;

/// What a root key signs before a charter, so that the signature is good for nothing else.
const CHARTER_DOMAIN: &[u8] = b"syndic/charter/v1\n";

/// A charter version after the first, with signatures, as somebody sent it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedCharter {
    charter: Value,
    bytes: Vec<u8>,
    hash: String,
    version: u32,
    previous: String,
    pub(super) signatures: Vec<CharterSignature>,
}

/// One member's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct CharterSignature {
    pub(super) signer: Did,
    pub(super) signature: Signature,
}

impl SignedCharter {
    /// The version after `before`, not signed by anybody yet.
    ///
    /// # Errors
    /// [`CharterError`] names what the charter may not say.
    pub fn propose(before: &Charter, next: &Founding) -> Result<Self, CharterError> {
        let mut charter = Object::new();
        charter.insert("type", "SyndicCharter");
        charter.insert("version", i64::from(before.version()) + 1);
        charter.insert("previous", before.hash());
        charter.insert("name", &next.name);
        charter.insert(
            "members",
            next.members.iter().map(MemberCard::to_value).collect::<Value>(),
        );
        charter.insert("threshold", next.rules.threshold);
        charter.insert("witnesses", next.rules.witnesses);
        charter.insert("maxStaleness", next.rules.max_staleness);
        charter.insert("endorsements", next.rules.endorsements);
        charter.insert("created", whole_seconds(next.created));
        let value = Value::Object(charter);
        // Through the reader, so that nobody signs what nobody would accept.
        Charter::following(&value, before)?;
        Self::of(value, Vec::new())
    }

    /// Reads one. Nothing is checked but the form.
    ///
    /// # Errors
    /// [`CharterError`] names what is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, CharterError> {
        let limits = json::Limits {
            body_bytes: limits::SIGNED_CHARTER_BYTES,
            ..charter_limits()
        };
        Self::from_value(&json::parse_with(text, &limits)?)
    }

    /// The same, of JSON that was read already.
    ///
    /// # Errors
    /// [`CharterError`] names what is wrong with it.
    pub fn from_value(value: &Value) -> Result<Self, CharterError> {
        let signed = Members::of(value, "")?;
        signed.literal("type", "SyndicSignedCharter", "the type \"SyndicSignedCharter\"")?;
        let charter = signed.required("charter")?.clone();
        let list = signed.array("signatures")?;
        if list.len() > limits::CHARTER_SIGNATURES {
            return Err(signed.error("signatures", "at most 2000 signatures").into());
        }
        let at = signed.at("signatures");
        let signatures = list
            .iter()
            .enumerate()
            .map(|(index, value)| CharterSignature::read(&Members::of(value, at.item(index))?))
            .collect::<Result<Vec<_>, CharterError>>()?;
        signed.finish_closed()?;
        Self::of(charter, signatures)
    }

    fn of(charter: Value, signatures: Vec<CharterSignature>) -> Result<Self, CharterError> {
        let members = Members::of(&charter, "/charter")?;
        let number = members.integer("version")?;
        let version = u32::try_from(number)
            .ok()
            .filter(|version| *version >= 2)
            .ok_or_else(|| members.error("version", "a version after the first, at least 2"))?;
        let previous = members.str("previous")?.to_owned();
        Ok(Self {
            bytes: canonical::to_bytes(&charter),
            hash: identifier(&canonical::digest(&charter)),
            version,
            previous,
            signatures,
            charter,
        })
    }

    /// The same charter with one more signature, that of a member's root key. A signature that is there stays once.
    ///
    /// # Errors
    /// [`CharterError`] if the key cannot be used.
    pub fn sign(&mut self, signer: &Did, root: &dyn Signer) -> Result<(), CharterError> {
        let signature = root.sign(&self.signed_bytes())?;
        self.insert(CharterSignature {
            signer: signer.clone(),
            signature,
        });
        Ok(())
    }

    /// Takes over the signatures of another copy of the same charter; false if it is another charter.
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.hash != other.hash {
            return false;
        }
        for signature in &other.signatures {
            self.insert(signature.clone());
        }
        true
    }

    fn insert(&mut self, signature: CharterSignature) {
        if let Err(at) = self.signatures.binary_search_by(|known| known.order(&signature)) {
            self.signatures.insert(at, signature);
        }
    }

    /// What the signatures are over.
    pub(super) fn signed_bytes(&self) -> Vec<u8> {
        [CHARTER_DOMAIN, &self.bytes].concat()
    }

    /// Its version, as it says.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The hash of the version before, as it says.
    #[must_use]
    pub fn previous(&self) -> &str {
        &self.previous
    }

    /// The hash of the charter, without the signatures.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The charter as JSON, without the signatures.
    #[must_use]
    pub fn charter(&self) -> &Value {
        &self.charter
    }

    /// Who has signed, as it says.
    pub fn signers(&self) -> impl Iterator<Item = &Did> {
        self.signatures.iter().map(|signature| &signature.signer)
    }

    /// The whole as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut signed = Object::new();
        signed.insert("type", "SyndicSignedCharter");
        signed.insert("charter", self.charter.clone());
        signed.insert(
            "signatures",
            self.signatures
                .iter()
                .map(CharterSignature::to_value)
                .collect::<Value>(),
        );
        Value::Object(signed)
    }

    /// The whole in canonical form: what is stored and sent.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(&self.to_value())
    }
}

impl CharterSignature {
    fn read(signature: &Members<'_, '_>) -> Result<Self, CharterError> {
        let text = signature.str("signer")?;
        let signer = Did::parse(text).map_err(|_| CharterError::Did(text.to_owned()))?;
        let value = decode(signature.str("signature")?)
            .ok_or_else(|| signature.error("signature", "an Ed25519 signature in multibase, base58btc"))?;
        signature.finish_closed()?;
        Ok(Self {
            signer,
            signature: value,
        })
    }

    fn to_value(&self) -> Value {
        let mut signature = Object::new();
        signature.insert("signer", &self.signer);
        signature.insert(
            "signature",
            multibase::encode(Base::Base58Btc, self.signature.as_bytes()),
        );
        Value::Object(signature)
    }

    pub(super) fn is_by(&self, key: &PublicKey, said: &[u8]) -> bool {
        key.verify(said, &self.signature).is_ok()
    }

    /// By signer; the order of one signer's two signatures has no meaning.
    fn order(&self, other: &Self) -> Ordering {
        self.signer
            .cmp(&other.signer)
            .then_with(|| self.signature.as_bytes().cmp(other.signature.as_bytes()))
    }
}

/// The 64 bytes of a signature, in the one text that they have.
fn decode(text: &str) -> Option<Signature> {
    // 64 bytes have at most 88 digits in base58.
    if text.len() > 89 || !text.starts_with('z') {
        return None;
    }
    let (_, bytes) = multibase::decode(text).ok()?;
    let bytes = <[u8; 64]>::try_from(bytes).ok()?;
    (multibase::encode(Base::Base58Btc, bytes) == text).then(|| Signature::from_bytes(bytes))
}
