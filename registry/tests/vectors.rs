//! The vectors of `specs/vectors/{charter,log}`: each file names a property, and holds everything
//! that an implementation in any language needs to check it.
//!
//! `SYNDIC_VECTORS=write` writes them anew, `SYNDIC_VECTORS=check` compares what would be written
//! with what is there. Otherwise the files are taken as they are and checked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, unreachable_pub)]

mod make;

use std::path::PathBuf;

use syndic_registry::charter::{Charter, CharterChain, MemberCard};
use syndic_registry::head::{self, Head};
use syndic_registry::log::{Frontier, Hash, leaf_hash};
use syndic_registry::log_keys::{LogKeys, Rotation};
use syndic_registry::statement::Statement;
use syndic_registry::{proof, tile};
use syndic_vc::canonical;
use syndic_vc::json::{self, Value};
use syndic_vc::key::PublicKey;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../specs/vectors")
}

/// The members of a vector, by name.
struct Vector(Value);

impl Vector {
    fn text(&self, name: &str) -> &str {
        let member = self.0.get(name).and_then(Value::as_str);
        member.unwrap_or_else(|| panic!("{name} in {:?}", self.0))
    }

    fn number(&self, name: &str) -> u64 {
        let member = self.0.get(name).and_then(Value::as_i64);
        member
            .unwrap_or_else(|| panic!("{name} in {:?}", self.0))
            .try_into()
            .unwrap()
    }

    fn hash(&self, name: &str) -> Hash {
        hash(self.text(name))
    }

    fn hashes(&self, name: &str) -> Vec<Hash> {
        let member = self.0.get(name).and_then(Value::as_array).unwrap();
        member.iter().map(|item| hash(item.as_str().unwrap())).collect()
    }
}

fn hash(hex: &str) -> Hash {
    let bytes: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    bytes.try_into().unwrap()
}

/// What is refused says why; what is accepted says what the vector says it says.
fn check(vector: &Vector) -> Result<(), String> {
    match vector.text("kind") {
        "charter" => {
            let text = match vector.0.get("text") {
                Some(text) => text.as_str().unwrap().as_bytes().to_vec(),
                None => canonical::to_bytes(vector.0.get("input").unwrap()),
            };
            let charter = Charter::parse(&text).map_err(|error| error.to_string())?;
            assert_eq!(charter.id(), vector.text("id"));
        }
        "statement" => {
            let text = vector.text("text");
            let read = Statement::parse(text.as_bytes()).map_err(|error| error.to_string())?;
            assert_eq!(read.to_bytes().unwrap(), text.as_bytes());
        }
        "head" => {
            let key = PublicKey::from_multikey(vector.text("logKey")).unwrap();
            let head =
                Head::verify(vector.text("note"), vector.text("origin"), &key).map_err(|error| error.to_string())?;
            assert_eq!(head.size(), vector.number("size"));
            assert_eq!(*head.root(), vector.hash("root"));
            assert_eq!(head.time().to_string(), vector.text("time"));
        }
        "logKeys" => {
            let card = MemberCard::from_value(vector.0.get("card").unwrap()).unwrap();
            let mut keys = LogKeys::new(vector.text("consortium"), &card);
            for rotation in vector.0.get("rotations").unwrap().as_array().unwrap() {
                let rotation = Rotation::from_value(rotation, "").map_err(|error| error.to_string())?;
                keys.learn(&rotation).map_err(|error| error.to_string())?;
            }
            let origin = head::origin(vector.text("consortium"), card.did().as_str());
            let head = keys
                .verify(vector.text("note"), &origin)
                .map_err(|error| error.to_string())?;
            assert_eq!(head.size(), vector.number("size"));
        }
        "chain" => {
            let text = canonical::to_bytes(vector.0.get("input").unwrap());
            let chain = CharterChain::parse(&text).map_err(|error| error.to_string())?;
            assert_eq!(chain.id(), vector.text("id"));
            assert_eq!(u64::from(chain.current().version()), vector.number("version"));
            assert_eq!(CharterChain::parse(&chain.to_file()).unwrap(), chain);
        }
        "tree" => {
            let mut frontier = Frontier::default();
            for entry in vector.0.get("entries").unwrap().as_array().unwrap() {
                frontier.append(leaf_hash(entry.as_str().unwrap().as_bytes()));
            }
            assert_eq!(frontier.root(), vector.hash("root"));
        }
        "inclusion" => proof::verify_inclusion(
            &leaf_hash(vector.text("entry").as_bytes()),
            vector.number("index"),
            vector.number("size"),
            &vector.hashes("proof"),
            &vector.hash("root"),
        )
        .map_err(|error| error.to_string())?,
        "consistency" => proof::verify_consistency(
            vector.number("first"),
            &vector.hash("firstRoot"),
            vector.number("second"),
            &vector.hash("secondRoot"),
            &vector.hashes("proof"),
        )
        .map_err(|error| error.to_string())?,
        "path" => drop(tile::parse_path(vector.text("path")).ok_or("no such file")?),
        other => panic!("{other}"),
    }
    Ok(())
}

#[test]
fn every_vector_is_as_it_says() {
    for kind in ["charter", "log"] {
        let (mut accepted, mut refused) = (0, 0);
        for entry in std::fs::read_dir(folder().join(kind)).unwrap() {
            let path = entry.unwrap().path();
            let vector = Vector(json::parse(&std::fs::read(&path).unwrap()).unwrap());
            match (vector.text("expect"), check(&vector)) {
                ("accept", Ok(())) => accepted += 1,
                ("refuse", Err(why)) if why.contains(vector.text("reason")) => refused += 1,
                (expected, found) => panic!("{}: {expected}, but {found:?}", path.display()),
            }
        }
        println!("{kind}: {accepted} accepted, {refused} refused");
        assert!(accepted > 0 && refused > accepted);
    }
}

#[test]
fn the_vectors_are_those_that_are_made() {
    let mode = std::env::var("SYNDIC_VECTORS").unwrap_or_default();
    for (kind, name, vector) in make::all() {
        let path = folder().join(kind).join(format!("{name}.json"));
        let text = [canonical::to_bytes(&vector), b"\n".to_vec()].concat();
        match mode.as_str() {
            "write" => {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            "check" => assert!(std::fs::read(&path).unwrap() == text, "{}", path.display()),
            _ => assert!(path.exists(), "{}: run with SYNDIC_VECTORS=write", path.display()),
        }
    }
}
