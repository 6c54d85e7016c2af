//! Canonical RDF: ours and `jsonld` with `rdf-canonize` write the same N-Quads; the contexts are the same too.

use serde_json::{Value, json};
use syndic_vc::linked_data;

use crate::claims::{self, SOMEBODY, Version};
use crate::figures::{Figures, Way};
use crate::peer::{Alteration, Peer};
use crate::random::Random;
use crate::signing::to_ours;

/// Random documents.
const DOCUMENTS: usize = 300;

/// A credential whose claims nest at random, with blank nodes that look alike.
fn document(random: &mut Random) -> Value {
    let (_, mut credential) = claims::credentials(Version::Two, SOMEBODY).swap_remove(0);
    credential["issuer"] = SOMEBODY.into();
    credential["credentialSubject"] = node(random, 4);
    credential
}

fn node(random: &mut Random, depth: usize) -> Value {
    let mut members = serde_json::Map::new();
    for _ in 0..=random.below(3) {
        let name = random.one_of(&["knows", "likes", "alumniOf", "degree"]).to_owned();
        members.insert(name, value(random, depth));
    }
    if random.below(4) == 0 {
        members.insert("id".to_owned(), format!("urn:example:{}", random.bits()).into());
    }
    if random.below(4) == 0 {
        members.insert("type".to_owned(), json!("ExampleThing"));
    }
    Value::Object(members)
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 4 } else { 7 }) {
        0 => Value::String(random.text(12)),
        1 => json!(random.one_of(&["same", "other"])),
        2 => json!(random.bits() >> 12),
        3 => json!({"@value": random.one_of(&["one", "two"]), "@language": random.one_of(&["en", "de-ch"])}),
        // No array in an array, and nothing twice: that we refuse on purpose.
        4 => json!([node(random, depth - 1), random.text(5), node(random, depth - 1)]),
        _ => node(random, depth - 1),
    }
}

/// Both write the same, or both refuse.
fn compare(peer: &mut Peer, row: &str, document: &Value, figures: &mut Figures) {
    let ours = linked_data::canonical(to_ours(document).as_object().unwrap(), &[]);
    let theirs = peer.ask("canonical-rdf", json!({"document": document}));
    let same = match (&ours, theirs["canonical"].as_str()) {
        (Ok(ours), Some(theirs)) => ours == theirs,
        (Err(_), None) => true,
        _ => false,
    };
    figures.holds(row, Way::Theirs, same, || {
        format!("of {document}\nwe say {ours:?}\nthey say {theirs}")
    });
}

#[test]
fn canonical_rdf_is_the_same() {
    let Some(mut peer) = Peer::start() else { return };
    let mut figures = Figures::new("canonical RDF: equal N-Quads");
    let mut random = Random::new(1970);
    for _ in 0..DOCUMENTS {
        let document = document(&mut random);
        compare(&mut peer, "random claims", &document, &mut figures);
    }
    for version in Version::ALL {
        for (_, mut credential) in claims::credentials(version, SOMEBODY) {
            if let Some(Value::Object(issuer)) = credential.get_mut("issuer") {
                issuer.insert("id".to_owned(), SOMEBODY.into());
            }
            compare(&mut peer, "every shape of claims", &credential, &mut figures);
        }
    }
    figures.finish();
}

#[test]
fn an_altered_canonical_rdf_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Content)) else {
        return;
    };
    let mut figures = Figures::new("altered");
    compare(&mut peer, "", &document(&mut Random::new(1)), &mut figures);
    assert!(figures.disagree(), "an altered text went unnoticed");
}

#[test]
fn bundled_contexts_are_those_of_the_packages() {
    let Some(mut peer) = Peer::start() else { return };
    let mut figures = Figures::new("JSON-LD contexts: the same");
    for (url, text) in linked_data::BUNDLED {
        let answer = peer.ask("context", json!({"url": url}));
        if answer["error"].is_null() {
            let ours: Value = serde_json::from_str(text).unwrap();
            figures.holds(url, Way::Theirs, ours == answer["document"], || {
                "they have another".to_owned()
            });
        }
    }
    figures.finish();
}
