//! Makes the vectors, with fixed keys and times.

mod chain;
mod charter;
mod log;

use syndic_registry::charter::{Charter, Endpoints, Founding, MemberCard, Rules};
use syndic_vc::did_key;
use syndic_vc::json::Value;
use syndic_vc::key::SecretKey;
use syndic_vc::object;
use syndic_vc::time::Timestamp;

/// Folder, file name and content.
pub type Made = (&'static str, &'static str, Value);

pub fn all() -> Vec<Made> {
    let mut all = charter::all();
    all.extend(chain::all());
    all.extend(log::all());
    let mut names: Vec<_> = all.iter().map(|(kind, name, _)| (*kind, *name)).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a name is used twice");
    all
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32].into())
}

fn at(time: &str) -> Timestamp {
    Timestamp::parse(time).unwrap()
}

/// Card of an organization: credential key, root key and log key from three seeds in a row.
fn card(seed: u8, name: &str) -> MemberCard {
    let did = did_key::for_key(key(seed).public_key());
    let peer = format!("12D3KooW{}", char::from(b'a' + seed / 10).to_string().repeat(44));
    let host = name.to_lowercase().replace(' ', "-");
    let endpoints = Endpoints {
        http: Some(format!("https://{host}.example")),
        peer: vec![format!("/dns/{host}.example/tcp/8442")],
    };
    let log = key(seed + 2);
    MemberCard::sign(&did, name, log.public_key(), &[peer], &endpoints, &key(seed + 1)).unwrap()
}

fn founding() -> Founding {
    Founding {
        name: "Hospitals of the coast".to_owned(),
        members: vec![card(10, "Hospital A"), card(20, "Hospital B"), card(30, "Hospital C")],
        rules: Rules {
            threshold: 2,
            witnesses: 1,
            max_staleness: 300,
            endorsements: 2,
        },
        created: at("2026-11-24T22:50:53Z"),
    }
}

fn founded() -> Charter {
    Charter::found(&founding()).unwrap()
}

/// The vector with its verdict: accepted, or refused for a reason.
fn judged(mut vector: Value, refused: Option<&str>) -> Value {
    let members = vector.as_object_mut().unwrap();
    match refused {
        None => drop(members.insert("expect", "accept")),
        Some(reason) => {
            members.insert("expect", "refuse");
            members.insert("reason", reason);
        }
    }
    vector
}

fn text_vector(kind: &str, name: &str, text: &str) -> Value {
    let mut vector = object! { "kind": kind };
    vector.as_object_mut().unwrap().insert(name, text);
    vector
}
