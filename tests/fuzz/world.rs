//! What the fuzz targets know: everybody may do everything, so that nothing but the bytes decides.

use std::sync::Arc;

use syndic_vc::did::Did;
use syndic_vc::document::DidDocument;
use syndic_vc::key::PublicKey;
use syndic_vc::resolve::{self, ResolveError};
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{AgentStanding, Freshness, KeyStanding, Knowledge, OneTime, OneTimeKind, SpendError, Standing, StatusBit};
use syndic_vc::json::{self, Value};
use syndic_vc::verify::Policy;
use syndic_vc::{enveloped, jose};

/// The challenge that every presentation of the corpus answers.
pub const CHALLENGE: &str = "kmZ0vI2cQ1yT5b8Xw3rH9g";
/// The verifier that every presentation of the corpus is made for.
pub const DOMAIN: &str = "south.example";

/// The time at which the corpus is valid.
pub fn now() -> Timestamp {
    Timestamp::parse("2026-11-24T12:00:00Z").expect("a time")
}

/// The verifying organization of the corpus.
pub fn verifier() -> Did {
    Did::parse("did:key:z6Mkjchhfvt7QKyQHZHCPMrUVyUVXkuPgFFRDfHHXuvF1DWB").expect("a DID")
}

/// A key that signed nothing.
pub fn log_key() -> PublicKey {
    PublicKey::from_multikey("z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2").expect("a key")
}

/// How everything is judged.
pub fn policy() -> Policy {
    Policy {
        authority: verifier().as_str().to_owned(),
        max_staleness_seconds: 300,
        witnesses: 0,
        clock_skew_seconds: 60,
    }
}

/// Whether a document is the one that was sent, or the one in the envelope that was sent.
pub fn is_what_was_sent(data: &[u8], document: &Value) -> bool {
    let Ok(sent) = json::parse_with(data, &jose::document_limits()) else {
        return false;
    };
    enveloped::document_of(&sent).is_ok_and(|sent| *sent == *document)
}

/// The bytes as an `encodedList` would write them.
pub fn status_text(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::from("u");
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(group >> (18 - 6 * at)) as usize & 63]));
        }
    }
    text
}

/// A world in which all is well.
pub struct World;

impl Knowledge for World {
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        resolve::self_described(did).map(Arc::new)
    }

    fn standing(&self, authority: &str, _: &Did, _: &str, _: &str, _: Timestamp) -> Standing {
        Standing::Authorized { by: authority.to_owned() }
    }

    fn status(&self, _: &Did, _: &str, _: StatusPurpose, _: u64) -> StatusBit {
        StatusBit::Clear
    }

    fn agent(&self, _: &Did, _: Timestamp) -> AgentStanding {
        AgentStanding::Unknown
    }

    fn key_standing(&self, _: &Did, _: &str, _: &PublicKey, _: &dyn Fn() -> String) -> KeyStanding {
        KeyStanding::Good
    }

    fn freshness(&self, issuer: &Did) -> Option<Freshness> {
        Some(Freshness {
            organization: issuer.clone(),
            head_size: 1,
            time: now(),
            own: false,
            others: 0,
            witnesses: Vec::new(),
        })
    }
}

impl OneTime for World {
    fn spend(&self, _: OneTimeKind, _: &str, _: Timestamp, _: Timestamp) -> Result<(), SpendError> {
        Ok(())
    }
}
