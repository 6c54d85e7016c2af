//! Random changes of every kind of signed document: none is accepted with another meaning.
//!
//! `SYNDIC_MUTATIONS=all` makes 15,000 changes of each kind; the ordinary run makes 300.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

mod world;

use syndic_vc::document::Purpose;
use syndic_vc::json::{self, Object, Value};
use syndic_vc::key::{EcdsaSecretKey, KeyKind, Signer};
use syndic_vc::proof::{self, ProofOptions, Suite};
use syndic_vc::sd_jwt::{self, Concealment};
use syndic_vc::status::{StatusList, StatusListDraft, StatusPurpose};
use syndic_vc::verify::{self, ActionRequest, HolderProof, PresentationRequest, StatusListRequest};
use syndic_vc::{canonical, did_key, enveloped, jose, linked_data, object};
use world::*;

/// What a text means to a verifier, if it accepts it.
type Meaning = dyn Fn(&[u8]) -> Option<Vec<u8>>;

/// A kind of signed document, and a valid one.
struct Kind {
    name: &'static str,
    valid: Vec<u8>,
    meaning: Box<Meaning>,
}

fn proved(document: Object, suite: Suite, method: &str, signer: &dyn Signer) -> Value {
    let options = ProofOptions::new(Purpose::AssertionMethod, method, after(-60)).in_suite(suite);
    proof::sign(document, &options, signer).unwrap()
}

/// The bytes of a document in which every list of one proof is that proof: both are one proof (VC Data Integrity 1.0
/// section 2.1), and the proof is what the signature cannot be over.
fn normal(document: &Value) -> Vec<u8> {
    fn unlisted(value: &mut Value) {
        match value {
            Value::Object(members) => {
                let names: Vec<String> = members.keys().map(str::to_owned).collect();
                for name in names {
                    let member = members.get_mut(&name).unwrap();
                    if name == "proof"
                        && let Value::Array(proofs) = member
                        && proofs.len() == 1
                    {
                        *member = proofs.remove(0);
                    }
                    unlisted(member);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(unlisted),
            _ => {}
        }
    }
    let mut document = document.clone();
    unlisted(&mut document);
    canonical::to_bytes(&document)
}

fn accepted_credential(text: &[u8]) -> Option<Value> {
    let verified = verify::credential(text, &policy(), &Known::new(), now()).ok()?;
    Some(verified.document().clone())
}

fn credential_kind(name: &'static str, valid: &Value) -> Kind {
    Kind {
        name,
        valid: text(valid),
        meaning: Box::new(|text| Some(normal(&accepted_credential(text)?))),
    }
}

/// RDF has no order of members in a set, and no difference between one thing and a list of one: the meaning is what the
/// suite signs.
fn linked_data_kind() -> Kind {
    let north = north();
    let valid = proved(
        draft().to_document().unwrap(),
        Suite::EddsaRdfc2022,
        &north.method(),
        north.signer(),
    );
    Kind {
        name: "credential, eddsa-rdfc-2022",
        valid: text(&valid),
        meaning: Box::new(|text| {
            let document = accepted_credential(text)?.into_object().ok()?;
            let proof = document.get("proof")?.clone();
            let proof = proof
                .as_array()
                .and_then(|proofs| proofs.first())
                .unwrap_or(&proof)
                .clone();
            let quads = linked_data::canonical(&document, &["proof"]).expect("it was verified in this form");
            let created = proof.get("created").cloned().unwrap_or_default();
            Some([quads.into_bytes(), canonical::to_bytes(&created)].concat())
        }),
    }
}

fn ecdsa_credential() -> Value {
    let key = EcdsaSecretKey::from_scalar(KeyKind::P256, &zeroize::Zeroizing::new(vec![9; 32])).unwrap();
    let did = did_key::for_key(key.public_key());
    let document = object! {
        "@context": vec!["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": vec!["VerifiableCredential"],
        "issuer": &did,
        "validFrom": after(-60),
        "credentialSubject": object! { "id": &agent().did, "name": "Ana Lima" },
    };
    let method = format!("{did}#{}", did.method_specific_id());
    proved(document.into_object().unwrap(), Suite::EcdsaJcs2019, &method, &key)
}

fn presentation_kind() -> Kind {
    Kind {
        name: "presentation",
        valid: text(&present(vec![credential()])),
        meaning: Box::new(|text| {
            let request = PresentationRequest {
                challenge: CHALLENGE,
                domain: DOMAIN,
            };
            let verified = verify::presentation(text, &request, &policy(), &Known::new(), &Once::new(), now()).ok()?;
            Some(normal(verified.document()))
        }),
    }
}

fn action_kind() -> Kind {
    Kind {
        name: "action and its credential",
        valid: text(&refund()),
        meaning: Box::new(|text| {
            let audience = south().did;
            let request = ActionRequest { audience: &audience };
            let allowed = verify::action(text, &request, &policy(), &Known::new(), &Once::new(), now()).ok()?;
            Some(normal(allowed.document()))
        }),
    }
}

fn token_kind() -> Kind {
    let north = north();
    let document = draft().to_document().unwrap();
    let envelope = enveloped::sign_credential(&document, &north.method(), north.signer()).unwrap();
    credential_kind("credential, vc+jwt", &envelope)
}

fn sd_jwt_kind() -> Kind {
    let (north, holder) = (north(), agent());
    let seconds = now().unix_seconds();
    let claims = object! {
        "iss": north.did.as_str(),
        "vct": "https://north.example/types/employee",
        "exp": seconds + 100,
        "cnf": object! { "jwk": holder.key.public_key().to_jwk() },
        "name": "Ana Lima",
        "address": object! { "street": "Rua A 1", "city": "Porto" },
    };
    let concealment = Concealment {
        hidden: &["/name", "/address/street"],
        decoys: &[("", 1)],
    };
    let mut salts = (0..).map(|n: u32| format!("salt-of-128-bits-------{n}"));
    let claims = claims.into_object().unwrap();
    let issued = sd_jwt::issue(&claims, &concealment, &north.method(), &mut salts, north.signer()).unwrap();
    let shown = sd_jwt::present(&issued, &["/name"]).unwrap();
    let bound = sd_jwt::bind(&shown, CHALLENGE, DOMAIN, now(), holder.signer()).unwrap();
    Kind {
        name: "SD-JWT with key binding",
        valid: bound.into_bytes(),
        meaning: Box::new(|text| {
            let (text, once) = (std::str::from_utf8(text).ok()?, Once::new());
            let request = PresentationRequest {
                challenge: CHALLENGE,
                domain: DOMAIN,
            };
            let holder = HolderProof::Required(&request, &once);
            let verified = verify::sd_jwt(text, holder, &policy(), &Known::new(), now()).ok()?;
            Some(canonical::to_bytes(&verified.claims().clone().into()))
        }),
    }
}

fn status_list_kind() -> Kind {
    let north = north();
    let mut list = StatusList::new(131_072).unwrap();
    list.set(INDEX, true).unwrap();
    let document = StatusListDraft {
        id: LIST,
        issuer: &north.did,
        purpose: StatusPurpose::Revocation,
        list: &list,
        valid_from: after(-100),
        valid_until: after(1_000),
        time_to_live_seconds: 300,
    }
    .to_document();
    Kind {
        name: "status list credential",
        valid: text(&proved(document, Suite::EddsaJcs2022, &north.method(), north.signer())),
        meaning: Box::new(|text| {
            let value = json::parse_with(text, &jose::document_limits()).ok()?;
            let issuer = world::north().did;
            let request = StatusListRequest {
                url: LIST,
                issuer: &issuer,
                purpose: StatusPurpose::Revocation,
            };
            let list = verify::status_list(&value, &request, &policy(), &Known::new(), now()).ok()?;
            let set: Vec<u64> = (0..list.entries())
                .filter(|index| list.get(*index) == Ok(true))
                .collect();
            Some(format!("{set:?} {:?}", list.usable_until()).into_bytes())
        }),
    }
}

/// A small generator, so that every run tries the same changes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// A change of one byte, or of a short piece.
fn change_bytes(valid: &[u8], random: &mut Random) -> Vec<u8> {
    let mut changed = valid.to_vec();
    let at = random.below(valid.len());
    let length = 1 + random.below(40.min(valid.len() - at));
    match random.below(8) {
        0 | 1 => changed[at] ^= 1 << random.below(8),
        2 => changed[at] = (random.next() & 0x7F) as u8,
        3 => drop(changed.remove(at)),
        4 => changed.insert(at, valid[random.below(valid.len())]),
        5 => changed.swap(at, (at + 1) % valid.len()),
        6 => drop(changed.drain(at..at + length)),
        _ => {
            let piece = valid[at..at + length].to_vec();
            let place = random.below(valid.len());
            changed.splice(place..place, piece);
        }
    }
    changed
}

/// Every value of a document, as paths of names and indices.
fn places(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    found.push(path.clone());
    let mut step = |name: String, below: &Value| {
        path.push(name);
        places(below, path, found);
        path.pop();
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, below)| step(name.to_owned(), below)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, below)| step(at.to_string(), below)),
        _ => {}
    }
}

fn at<'v>(value: &'v mut Value, path: &[String]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match value {
        Value::Object(members) => members.get_mut(step).unwrap(),
        Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
        _ => unreachable!("a scalar has nothing below it"),
    })
}

/// A change of the document's structure: a value replaced, moved, wrapped, taken out or added.
fn change_structure(valid: &Value, random: &mut Random) -> Value {
    let mut found = Vec::new();
    places(valid, &mut Vec::new(), &mut found);
    let mut changed = valid.clone();
    let (one, other) = (
        found[random.below(found.len())].clone(),
        found[random.below(found.len())].clone(),
    );
    let elsewhere = at(&mut changed, &other).clone();
    let place = at(&mut changed, &one);
    match random.below(6) {
        0 => *place = elsewhere,
        1 => *place = Value::Array(vec![place.clone()]),
        2 => *place = Value::Null,
        3 => *place = format!("{}x", place.as_str().unwrap_or_default()).into(),
        _ => match place {
            Value::Object(members) if random.below(2) == 0 && !members.is_empty() => {
                let name = members.keys().nth(random.below(members.len())).unwrap().to_owned();
                members.remove(&name);
            }
            Value::Object(members) => {
                let names = [
                    "id",
                    "type",
                    "nonce",
                    "expires",
                    "domain",
                    "name",
                    "scope",
                    "x",
                    "validUntil",
                    "@context",
                ];
                members.insert(names[random.below(names.len())], elsewhere);
            }
            Value::Array(items) if !items.is_empty() => items.push(items[random.below(items.len())].clone()),
            other => *other = true.into(),
        },
    }
    changed
}

/// How many changes were refused, and how many left the meaning as it was.
fn campaign(kind: &Kind, rounds: usize, seed: u64) -> (usize, usize) {
    let meant = (kind.meaning)(&kind.valid).unwrap_or_else(|| panic!("{}: the valid twin is refused", kind.name));
    let document = json::parse_with(&kind.valid, &jose::document_limits()).ok();
    let mut random = Random(seed);
    let (mut refused, mut kept) = (0, 0);
    for round in 0..rounds {
        let changed = match &document {
            Some(document) if round % 2 == 0 => text(&change_structure(document, &mut random)),
            _ => change_bytes(&kind.valid, &mut random),
        };
        match (kind.meaning)(&changed) {
            None => refused += 1,
            Some(meaning) if meaning == meant => kept += 1,
            Some(_) => panic!(
                "{}, round {round}: accepted with another meaning:\n{}",
                kind.name,
                String::from_utf8_lossy(&changed)
            ),
        }
    }
    (refused, kept)
}

#[test]
fn no_change_of_any_kind_of_document_is_accepted_with_another_meaning() {
    let rounds = match std::env::var("SYNDIC_MUTATIONS").as_deref() {
        Ok("all") => 15_000,
        _ => 300,
    };
    let kinds = [
        credential_kind("credential, eddsa-jcs-2022", &credential()),
        linked_data_kind(),
        credential_kind("credential, ecdsa-jcs-2019", &ecdsa_credential()),
        presentation_kind(),
        action_kind(),
        token_kind(),
        sd_jwt_kind(),
        status_list_kind(),
    ];
    let mut all = 0;
    for (at, kind) in kinds.iter().enumerate() {
        let (refused, kept) = campaign(kind, rounds, 0x5eed_0100 + at as u64);
        println!("{}: {refused} refused, {kept} with the same meaning", kind.name);
        assert!(refused > rounds / 2, "{}: only {refused} refused", kind.name);
        all += refused + kept;
    }
    println!("{all} changes of {} kinds of signed document", kinds.len());
}
