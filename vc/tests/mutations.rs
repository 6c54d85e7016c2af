//! No changed document is accepted with a changed meaning, and none with an unsigned member.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

mod world;

use syndic_vc::json::{self, Object, Value};
use syndic_vc::verify::{self, ActionRequest, PresentationRequest};
use world::*;

/// The kinds of signed document, each with a valid one.
#[derive(Clone, Copy)]
enum Kind {
    Credential,
    Presentation,
    Action,
}

impl Kind {
    fn valid(self) -> Value {
        match self {
            Kind::Credential => credential(),
            Kind::Presentation => present(vec![credential()]),
            Kind::Action => refund(),
        }
    }

    /// What was accepted, if anything was.
    fn verify(self, text: &[u8], known: &Known) -> Option<Value> {
        let (policy, once, now) = (policy(), Once::new(), now());
        match self {
            Kind::Credential => verify::credential(text, &policy, known, now)
                .ok()
                .map(|ok| ok.document().clone()),
            Kind::Presentation => {
                let request = PresentationRequest {
                    challenge: CHALLENGE,
                    domain: DOMAIN,
                };
                let outcome = verify::presentation(text, &request, &policy, known, &once, now);
                outcome.ok().map(|ok| ok.document().clone())
            }
            Kind::Action => {
                let request = ActionRequest { audience: &south().did };
                let outcome = verify::action(text, &request, &policy, known, &once, now);
                outcome.ok().map(|ok| ok.document().clone())
            }
        }
    }
}

/// Tries every change of one byte; returns how many were refused and how many kept the meaning.
fn campaign(kind: Kind) -> (u32, u32) {
    let valid = kind.valid();
    let text = text(&valid);
    let known = Known::new();
    assert_eq!(kind.verify(&text, &known).as_ref(), Some(&valid), "the valid twin");
    let (mut refused, mut kept) = (0, 0);
    let mut attempt = |changed: &[u8], what: &str, byte: usize| match kind.verify(changed, &known) {
        None => refused += 1,
        Some(accepted) => {
            assert_eq!(accepted, valid, "{what} at byte {byte} was accepted");
            assert_eq!(json::parse(changed).unwrap(), valid, "{what} at byte {byte}");
            kept += 1;
        }
    };
    for byte in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone();
            changed[byte] ^= 1 << bit;
            attempt(&changed, "a flipped bit", byte);
        }
        let mut changed = text.clone();
        changed.remove(byte);
        attempt(&changed, "a deleted byte", byte);
        let mut changed = text.clone();
        changed.insert(byte, text[byte]);
        attempt(&changed, "a doubled byte", byte);
        let mut changed = text.clone();
        changed.insert(byte, b' ');
        attempt(&changed, "an inserted space", byte);
    }
    println!("{refused} refused, {kept} of unchanged meaning");
    (refused, kept)
}

#[test]
fn no_changed_byte_of_a_credential_is_accepted() {
    let (refused, kept) = campaign(Kind::Credential);
    assert!(
        refused > 10_000 && kept > 100,
        "spaces between tokens change nothing: {kept}"
    );
}

#[test]
fn no_changed_byte_of_a_presentation_is_accepted() {
    assert!(campaign(Kind::Presentation).0 > 15_000);
}

#[test]
fn no_changed_byte_of_an_action_is_accepted() {
    assert!(campaign(Kind::Action).0 > 15_000);
}

/// A small generator, so that every run tries the same changes.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

fn count_objects(value: &Value) -> usize {
    match value {
        Value::Object(object) => 1 + object.iter().map(|(_, value)| count_objects(value)).sum::<usize>(),
        Value::Array(items) => items.iter().map(count_objects).sum(),
        _ => 0,
    }
}

/// Applies a change to the object that is number `skip` in document order.
fn change_object(value: &mut Value, skip: &mut usize, change: &mut dyn FnMut(&mut Object)) {
    match value {
        Value::Object(object) => {
            if *skip == 0 {
                change(object);
            }
            *skip = skip.wrapping_sub(1);
            let names: Vec<String> = object.keys().map(str::to_owned).collect();
            for name in names {
                change_object(object.get_mut(&name).unwrap(), skip, change);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| change_object(item, skip, change)),
        _ => {}
    }
}

const NAMES: &[&str] = &[
    "x",
    "",
    "id",
    "type",
    "name",
    "description",
    "scope",
    "constraint",
    "capability",
    "owner",
    "delegation",
    "proof",
    "nonce",
    "expires",
    "created",
    "domain",
    "challenge",
    "@context",
    "unit",
    "minimum",
    "maximum",
    "values",
    "parameter",
    "credentialStatus",
    "credentialSchema",
    "termsOfUse",
    "evidence",
    "validUntil",
    "validFrom",
    "issuer",
    "holder",
    "delegatedFrom",
    "previousProof",
    "parameters",
    "audience",
    "statusSize",
    "\u{fffd}",
];

#[test]
fn no_added_or_changed_member_is_accepted() {
    const ROUNDS: usize = 5_000;
    let mut random = Random(0x5eed_0001);
    let known = Known::new();
    for kind in [Kind::Credential, Kind::Presentation, Kind::Action] {
        let valid = kind.valid();
        let objects = count_objects(&valid);
        for round in 0..ROUNDS / 3 {
            let mut changed = valid.clone();
            let name = NAMES[random.below(NAMES.len())];
            let value = match random.below(6) {
                0 => Value::Null,
                1 => true.into(),
                2 => 7.into(),
                3 => "did:example:mallory".into(),
                4 => vec!["urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"].into(),
                _ => Object::new().into(),
            };
            let mut skip = random.below(objects);
            change_object(&mut changed, &mut skip, &mut |object| {
                object.insert(name, value.clone());
            });
            let accepted = kind.verify(&text(&changed), &known);
            assert!(accepted.is_none(), "round {round}: {name:?} was accepted:\n{changed:?}");
        }
    }
}

#[test]
fn no_member_taken_out_is_missed() {
    let known = Known::new();
    for kind in [Kind::Credential, Kind::Presentation, Kind::Action] {
        let valid = kind.valid();
        let mut tried = 0;
        for number in 0..count_objects(&valid) {
            for at in 0.. {
                let mut changed = valid.clone();
                let mut done = false;
                change_object(&mut changed, &mut number.clone(), &mut |object| {
                    let name = object.keys().nth(at).map(str::to_owned);
                    if let Some(name) = name {
                        object.remove(&name);
                        done = true;
                    }
                });
                if !done {
                    break;
                }
                tried += 1;
                assert!(
                    kind.verify(&text(&changed), &known).is_none(),
                    "object {number}, member {at}"
                );
            }
        }
        assert!(tried > 60, "{tried}");
    }
}

#[test]
fn when_nothing_can_be_asked_nothing_is_accepted() {
    for question in ["document", "standing", "status", "agent"] {
        for kind in [Kind::Credential, Kind::Presentation, Kind::Action] {
            let mut known = Known::new();
            known.down.insert(question.into());
            assert!(kind.verify(&text(&kind.valid()), &known).is_none(), "{question}");
        }
    }
    let once = Once {
        down: true,
        ..Once::new()
    };
    let request = ActionRequest { audience: &south().did };
    let denied = verify::action(&text(&refund()), &request, &policy(), &Known::new(), &once, now()).unwrap_err();
    assert_eq!(denied.code().as_str(), "knowledge-unavailable");
    let request = PresentationRequest {
        challenge: CHALLENGE,
        domain: DOMAIN,
    };
    let document = text(&present(vec![credential()]));
    let denied = verify::presentation(&document, &request, &policy(), &Known::new(), &once, now()).unwrap_err();
    assert_eq!(denied.code().as_str(), "knowledge-unavailable");
}

#[test]
fn a_refused_document_uses_nothing_up() {
    let once = Once::new();
    let request = PresentationRequest {
        challenge: CHALLENGE,
        domain: DOMAIN,
    };
    let mut known = Known::new();
    known.set.insert((LIST.into(), INDEX));
    let document = text(&present(vec![credential()]));
    assert!(verify::presentation(&document, &request, &policy(), &known, &once, now()).is_err());
    assert!(verify::presentation(&document, &request, &policy(), &Known::new(), &once, now()).is_ok());
    let denied = verify::presentation(&document, &request, &policy(), &Known::new(), &once, now()).unwrap_err();
    assert_eq!(denied.code().as_str(), "challenge-used");
}
