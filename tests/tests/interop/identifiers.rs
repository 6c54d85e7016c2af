//! DID documents of did:key, as the node resolves them and as others do: the same identifiers, the same key material,
//! the same relationships.
//!
//! Differences that are meant, and not compared: which contexts a document names and how it writes a key (Multikey
//! here, whatever the other prefers there); and that others derive an X25519 key from an Ed25519 key for key
//! agreement, or list a P-256 or P-384 key for it too, while nothing here agrees on keys.

use serde_json::Value;

use crate::claims::{self, SOMEBODY, Version};
use crate::figures::{Figures, Way};
use crate::ours::Ours;
use crate::peer::{Alteration, Key, Peer};
use crate::tampering::altered;

/// Keys of each kind that are compared.
const KEYS: usize = 12;
const RELATIONSHIPS: [&str; 4] = [
    "authentication",
    "assertionMethod",
    "capabilityDelegation",
    "capabilityInvocation",
];
/// What veramo cannot do: P-384.
const OTHERS: [(&str, &[&str]); 3] = [
    ("did-method-key", &["Ed25519", "P-256", "P-384"]),
    ("key-did-resolver", &["Ed25519", "P-256", "P-384"]),
    ("veramo", &["Ed25519", "P-256"]),
];

/// What two documents must agree on.
#[derive(Debug, PartialEq)]
struct Essence {
    id: Value,
    /// Identifier, controller and multikey of the method that the DID is made of.
    method: (Value, Value, String),
    relationships: Vec<Value>,
}

fn essence(document: &Value, key: &Key) -> Option<Essence> {
    let methods = document["verificationMethod"].as_array()?;
    let method = methods.iter().find(|method| method["id"] == key.method.as_str())?;
    let relationships = RELATIONSHIPS.iter().map(|name| document[*name].clone()).collect();
    Some(Essence {
        id: document["id"].clone(),
        method: (method["id"].clone(), method["controller"].clone(), multikey(method)?),
        relationships,
    })
}

/// The key of a verification method, however it is written.
fn multikey(method: &Value) -> Option<String> {
    if let Some(multikey) = method["publicKeyMultibase"].as_str() {
        return Some(multikey.to_owned());
    }
    if let Some(base58) = method["publicKeyBase58"].as_str() {
        let (_, raw) = multibase::decode(format!("z{base58}")).ok()?;
        let tagged = [&[0xED, 0x01], raw.as_slice()].concat();
        return Some(multibase::encode(multibase::Base::Base58Btc, tagged));
    }
    let jwk = serde_json::to_vec(&of_full_length(method["publicKeyJwk"].clone())).ok()?;
    let jwk = syndic_vc::json::parse(&jwk).ok()?;
    let key = syndic_vc::key::PublicKey::from_jwk(&jwk, &syndic_vc::json::members::Path::ROOT).ok()?;
    Some(key.to_multikey())
}

/// `key-did-resolver` leaves out zeros at the beginning of a coordinate, in one key of 128. RFC 7518 section 6.2.1.2 asks
/// for the full length, and nothing else is read here, so what is missing is added: the number stays the same.
fn of_full_length(mut jwk: Value) -> Value {
    let length = match jwk["crv"].as_str() {
        Some("P-256") => 32,
        Some("P-384") => 48,
        _ => return jwk,
    };
    for name in ["x", "y"] {
        let base64 = multibase::Base::Base64Url;
        let Some(short) = jwk[name].as_str().and_then(|text| base64.decode(text).ok()) else {
            continue;
        };
        let zeros = vec![0; usize::saturating_sub(length, short.len())];
        jwk[name] = Value::from(base64.encode([zeros, short].concat()));
    }
    jwk
}

/// The key that showed it: its first coordinate begins with a zero.
#[test]
fn a_coordinate_without_its_zeros_is_the_same_number() {
    let theirs = serde_json::json!({"publicKeyJwk": {
        "kty": "EC", "crv": "P-256",
        "x": "QoqQONYZ65pTCz9DWjBf9QjdwQ2Z7ZmeaKVd8EpTBw",
        "y": "UPkV8UJPKMvpiKCvA_uGTWWfClXM69x29nDiP6hllWY",
    }});
    let same = "zDnaeQSytu6QDu11TjnHQkg87rDE2LauTGPVktbSmmPfCUUqt";
    assert_eq!(multikey(&theirs).as_deref(), Some(same));
    // What is read from others in earnest has the full length.
    let strict = serde_json::to_vec(&theirs["publicKeyJwk"]).unwrap();
    let strict = syndic_vc::json::parse(&strict).unwrap();
    assert!(syndic_vc::key::PublicKey::from_jwk(&strict, &syndic_vc::json::members::Path::ROOT).is_err());
}

fn compare(peer: &mut Peer, ours: &Ours, keys: usize, figures: &mut Figures) {
    for (other, kinds) in OTHERS {
        for kind in kinds {
            for _ in 0..keys {
                let key = peer.key(kind);
                let request = serde_json::json!({"did": key.did, "by": other});
                let their_document = peer.made("did-document", request, "document");
                let our_document = ours.resolve(&key.did);
                let (theirs, ours) = (essence(&their_document, &key), essence(&our_document, &key));
                figures.holds(
                    &format!("{other}, {kind}"),
                    Way::Theirs,
                    theirs.is_some() && theirs == ours,
                    || format!("{}: they have {theirs:?}, we have {ours:?}", key.did),
                );
            }
        }
    }
}

#[test]
fn did_key_documents_say_the_same() {
    let Some(mut peer) = Peer::start() else { return };
    let ours = Ours::start();
    let mut figures = Figures::new("did:key documents: the same");
    compare(&mut peer, &ours, KEYS, &mut figures);
    figures.finish();
}

/// No package of theirs resolves did:jwk; the key that went in must come out, and what it signed must hold.
#[test]
fn did_jwk_issuers_are_read() {
    let Some(mut peer) = Peer::start() else { return };
    let ours = Ours::start();
    let mut figures = Figures::new("credentials of did:jwk issuers");
    for (kind, suite) in [
        ("Ed25519", "eddsa-jcs-2022"),
        ("P-256", "ecdsa-jcs-2019"),
        ("P-384", "ecdsa-jcs-2019"),
    ] {
        for (name, credential) in claims::credentials(Version::Two, SOMEBODY).into_iter().take(KEYS) {
            let key = peer.key_as(kind, "did:jwk");
            let document = ours.resolve(&key.did);
            let method = &document["verificationMethod"][0];
            let same = method["id"] == key.method.as_str() && method["publicKeyJwk"] == key.jwk;
            figures.holds("the key in the document", Way::Theirs, same, || document.to_string());
            let request = serde_json::json!({"suite": suite, "did": key.did, "credential": credential});
            let issued = peer.made("issue", request, "document");
            figures.judged(kind, Way::Theirs, name, &ours.verify(&issued));
            for (what, copy) in altered(&issued) {
                figures.judged(kind, Way::TheirsAltered, what, &ours.verify(&copy));
            }
        }
    }
    figures.finish();
}

#[test]
fn an_altered_did_document_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Content)) else {
        return;
    };
    let ours = Ours::start();
    let mut figures = Figures::new("altered");
    compare(&mut peer, &ours, 1, &mut figures);
    assert!(figures.disagree(), "an altered document went unnoticed");
}
