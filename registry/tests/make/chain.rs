//! Vectors of `specs/vectors/charter` about chains of charters.

use syndic_registry::charter::{Charter, CharterChain, Endpoints, Founding, MemberCard, Rules, SignedCharter};
use syndic_vc::json::{self, Value};
use syndic_vc::{did_key, object};

use super::{Made, at, card, founded, founding, judged, key};

/// Credential key seeds of the members, in order: the root key's seed is one more.
const A: u8 = 10;
const B: u8 = 20;
const C: u8 = 30;
const D: u8 = 40;

fn cards(seeds: &[u8]) -> Vec<MemberCard> {
    let name = |seed: u8| format!("Hospital {}", char::from(b'A' + seed / 10 - 1));
    seeds.iter().map(|seed| card(*seed, &name(*seed))).collect()
}

fn next(members: Vec<MemberCard>, created: &str) -> Founding {
    let count = u32::try_from(members.len()).unwrap();
    Founding {
        members,
        rules: Rules {
            threshold: count / 2 + 1,
            endorsements: 1,
            ..founding().rules
        },
        created: at(created),
        ..founding()
    }
}

const LATER: &str = "2026-11-25T08:00:00Z";

fn proposal(before: &Charter, members: &[u8]) -> SignedCharter {
    SignedCharter::propose(before, &next(cards(members), LATER)).unwrap()
}

fn signed(mut version: SignedCharter, by: &[u8]) -> SignedCharter {
    for seed in by {
        let did = did_key::for_key(key(*seed).public_key());
        version.sign(&did, &key(seed + 1)).unwrap();
    }
    version
}

fn file(later: &[Value]) -> Value {
    let first = json::parse(founded().bytes()).unwrap();
    let versions = std::iter::once(first).chain(later.iter().cloned()).collect::<Value>();
    object! { "type": "SyndicCharterChain", "versions": versions }
}

fn chain(name: &'static str, file: Value, version: u32) -> Made {
    let mut vector = object! { "kind": "chain" };
    let members = vector.as_object_mut().unwrap();
    members.insert("input", file);
    members.insert("id", founded().id());
    members.insert("version", version);
    ("charter", name, judged(vector, None))
}

fn refused(name: &'static str, file: Value, reason: &str) -> Made {
    let mut vector = object! { "kind": "chain" };
    vector.as_object_mut().unwrap().insert("input", file);
    ("charter", name, judged(vector, Some(reason)))
}

fn one(name: &'static str, version: &SignedCharter, reason: &str) -> Made {
    refused(name, file(&[version.to_value()]), reason)
}

/// Something done to the JSON of a signed version.
fn bent(version: &SignedCharter, change: impl FnOnce(&mut Value)) -> Value {
    let mut value = version.to_value();
    change(&mut value);
    value
}

fn put(value: &mut Value, name: &str, to: impl Into<Value>) {
    value.as_object_mut().unwrap().insert(name, to);
}

fn inner<'v>(value: &'v mut Value, name: &str) -> &'v mut Value {
    value.as_object_mut().unwrap().get_mut(name).unwrap()
}

pub fn all() -> Vec<Made> {
    let first = founded();
    let admission = signed(proposal(&first, &[A, B, C, D]), &[A, C, D]);
    let mut held = CharterChain::new(first.clone()).unwrap();
    held.take(&admission).unwrap();
    let removal = signed(proposal(held.current(), &[A, B, D]), &[A, B, D]);
    let (log, root) = (key(97), key(98));
    let c = did_key::for_key(key(C).public_key());
    let renewed = MemberCard::sign(&c, "Hospital C", log.public_key(), &[], &Endpoints::default(), &root).unwrap();
    let members = [cards(&[A, B]), vec![renewed]].concat();
    let replaced = SignedCharter::propose(&first, &next(members, LATER)).unwrap();
    let mut replaced_well = signed(replaced.clone(), &[A, B]);
    replaced_well.sign(&c, &root).unwrap();
    let mut by_new_alone = signed(replaced.clone(), &[A]);
    by_new_alone.sign(&c, &root).unwrap();
    let early = SignedCharter::propose(&first, &next(cards(&[A, B]), "2026-11-24T22:50:52Z")).unwrap();
    let other = signed(proposal(&first, &[A, B]), &[A, B]);
    let mut conflict = file(&[]);
    let two = [admission.to_value(), other.to_value()];
    put(&mut conflict, "conflict", two.iter().cloned().collect::<Value>());
    let mut no_conflict = file(&[]);
    let same = [other.to_value(), other.to_value()];
    put(&mut no_conflict, "conflict", same.iter().cloned().collect::<Value>());
    vec![
        chain("chain-of-the-first-version-alone", file(&[]), 1),
        chain("chain-with-an-admission", file(&[admission.to_value()]), 2),
        chain(
            "chain-with-an-admission-and-a-removal",
            file(&[admission.to_value(), removal.to_value()]),
            3,
        ),
        chain("chain-with-a-new-root-key", file(&[replaced_well.to_value()]), 2),
        chain("chain-that-ends-before-two-versions", conflict, 1),
        one(
            "version-2-signed-by-one-of-three",
            &signed(proposal(&first, &[A, B]), &[A]),
            "signed by 1",
        ),
        one("version-2-signed-by-nobody", &proposal(&first, &[A, B]), "signed by 0"),
        one(
            "version-2-with-the-vote-of-the-newcomer",
            &signed(proposal(&first, &[A, B, C, D]), &[A, D]),
            "signed by 1",
        ),
        one(
            "version-2-without-the-newcomers-word",
            &signed(proposal(&first, &[A, B, C, D]), &[A, B]),
            "did not sign",
        ),
        one(
            "version-2-without-the-new-root-keys-word",
            &signed(replaced, &[A, B]),
            "did not sign",
        ),
        one(
            "version-2-with-the-vote-of-a-new-root-key",
            &by_new_alone,
            "signed by 1",
        ),
        one(
            "version-2-signed-by-a-stranger-too",
            &signed(proposal(&first, &[A, B]), &[A, B, 50]),
            "is no member",
        ),
        one(
            "version-2-dated-before-version-1",
            &signed(early, &[A, B]),
            "dated before",
        ),
        refused(
            "version-2-signed-for-something-else",
            file(&[bent(&admission, |v| put(inner(v, "charter"), "name", "Another"))]),
            "is not by its root key",
        ),
        refused(
            "version-2-that-names-another-previous",
            file(&[bent(&admission, |v| {
                put(inner(v, "charter"), "previous", held.current().hash())
            })]),
            "does not follow",
        ),
        refused(
            "version-2-with-a-signature-twice",
            file(&[bent(&admission, |v| {
                let list = inner(v, "signatures").as_array().unwrap();
                let twice = std::iter::once(list[0].clone()).chain(list.iter().cloned());
                let twice = twice.collect::<Value>();
                put(v, "signatures", twice);
            })]),
            "stands twice",
        ),
        refused(
            "version-2-with-signatures-out-of-order",
            file(&[bent(&admission, |v| {
                let turned = inner(v, "signatures").as_array().unwrap().iter().rev().cloned();
                let turned = turned.collect::<Value>();
                put(v, "signatures", turned);
            })]),
            "not in the order",
        ),
        refused(
            "version-2-with-a-malformed-signature",
            file(&[bent(&admission, |v| {
                let mut list: Vec<Value> = inner(v, "signatures").as_array().unwrap().to_vec();
                put(&mut list[0], "signature", "z1");
                put(v, "signatures", list.into_iter().collect::<Value>());
            })]),
            "/signature",
        ),
        refused(
            "version-2-with-an-unknown-member",
            file(&[bent(&admission, |v| put(v, "seal", 1))]),
            "/seal",
        ),
        refused(
            "chain-that-skips-a-version",
            file(&[removal.to_value()]),
            "does not follow",
        ),
        refused(
            "chain-out-of-order",
            file(&[removal.to_value(), admission.to_value()]),
            "does not follow",
        ),
        refused(
            "chain-with-a-version-twice",
            file(&[admission.to_value(), admission.to_value()]),
            "does not follow",
        ),
        refused(
            "chain-with-the-vote-of-a-removed-member",
            {
                let mut short = held.clone();
                short.take(&removal).unwrap();
                let back = signed(proposal(short.current(), &[A, B]), &[A, C]);
                file(&[admission.to_value(), removal.to_value(), back.to_value()])
            },
            "signed by 1",
        ),
        refused(
            "chain-without-versions",
            object! { "type": "SyndicCharterChain", "versions": Value::Array(vec![]) },
            "/versions",
        ),
        refused(
            "chain-with-an-unknown-member",
            {
                let mut file = file(&[]);
                put(&mut file, "note", 1);
                file
            },
            "/note",
        ),
        refused("conflict-of-one-version-with-itself", no_conflict, "do not"),
    ]
}
