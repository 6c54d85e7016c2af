#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::LazyLock;

use syndic_vc::capability::{Action, ResourcePattern};
use syndic_vc::key::SecretKey;

use super::*;
use crate::cosignature::Cosignature;
use crate::example::{at, charter, did, key};
use crate::head::Head;
use crate::log::LogState;
use crate::log_keys::Rotation;
use crate::proof;
use crate::statement::{Content, Grant, Right};
use crate::store::{self, MemoryStore, Write};
use crate::tile;

/// More than a tile of level 1 needs two of.
const ENTRIES: usize = 600;

fn entry(number: usize) -> Vec<u8> {
    let right = Right {
        subject: "did:web:partner.example".to_owned(),
        action: "read".to_owned(),
        resource: format!("archive/{number}"),
    };
    assert!(Action::parse(&right.action).is_some() && ResourcePattern::parse(&right.resource).is_some());
    let grant = Grant {
        right,
        valid_from: None,
        valid_until: None,
    };
    let statement = Statement {
        at: at(0),
        content: Content::Authorize(grant),
    };
    statement.to_bytes().unwrap()
}

struct Log {
    checkpoint: String,
    store: MemoryStore,
}

/// The log of hospital 1, cosigned by hospital 2.
fn log_of(entries: &[Vec<u8>]) -> Log {
    let organization = did(1);
    let mut store = MemoryStore::default();
    let mut frontier = Frontier::default();
    for piece in entries.chunks(200) {
        let (after, writes) = log::append(organization.as_str(), &frontier, piece).unwrap();
        store.write(&writes);
        frontier = after;
    }
    let origin = head::origin(charter().id(), organization.as_str());
    let (size, root) = (frontier.size(), frontier.root());
    let head = Head::sign(&origin, size, &root, &key(12), at(5)).unwrap();
    let cosignature = Cosignature::sign(
        charter().id(),
        organization.as_str(),
        (size, &root),
        &did(2),
        &key(22),
        at(6),
    )
    .unwrap();
    let checkpoint = cosignature::with_lines(charter().id(), &head, [&cosignature]);
    let state = LogState {
        frontier,
        head: Some(head),
    };
    store.write(&[Write::put(store::log_state(organization.as_str()), state.encode())]);
    Log { checkpoint, store }
}

static LOG: LazyLock<Log> = LazyLock::new(|| log_of(&(0..ENTRIES).map(entry).collect::<Vec<_>>()));

impl Log {
    /// Checks the log as it is served, each file changed by `bend` first.
    fn check(&self, bend: &dyn Fn(TilePath, &mut Vec<u8>)) -> Result<CheckedLog, LogCheckError> {
        let mut checkpoint = self.checkpoint.clone().into_bytes();
        bend(TilePath::Checkpoint, &mut checkpoint);
        let mut check = LogCheck::new(&String::from_utf8_lossy(&checkpoint), Some(charter()))?;
        while let Some(path) = check.wanted() {
            let mut bytes = tile::read(path, did(1).as_str(), &self.store)
                .unwrap()
                .expect("it is served");
            assert!(bytes.len() <= check.most_bytes());
            bend(path, &mut bytes);
            check.give(&bytes)?;
        }
        check.finish()
    }
}

#[test]
fn a_log_as_it_is_served_holds() {
    let checked = LOG.check(&|_, _| {}).unwrap();
    assert_eq!(checked.size, ENTRIES as u64);
    assert_eq!(checked.statements, [("authorize".to_owned(), ENTRIES as u64)].into());
    // The checkpoint, three bundles, three tiles of level 0, one of level 1.
    assert_eq!(checked.files, 8);
    let signatures = checked.signatures.unwrap();
    assert_eq!(signatures.time, at(5));
    assert_eq!(signatures.cosigned, [(did(2), at(6))]);
    assert_eq!(signatures.unknown, 0);
}

#[test]
fn the_empty_log_and_logs_at_the_edges_of_tiles_hold() {
    for size in [0, 1, 255, 256, 257, 512] {
        let log = log_of(&(0..size).map(entry).collect::<Vec<_>>());
        assert_eq!(log.check(&|_, _| {}).unwrap().size, size as u64, "{size}");
    }
}

#[test]
fn one_changed_byte_in_any_file_fails() {
    let mut files = Vec::new();
    let mut check = LogCheck::new(&LOG.checkpoint, Some(charter())).unwrap();
    while let Some(path) = check.wanted() {
        let bytes = tile::read(path, did(1).as_str(), &LOG.store).unwrap().unwrap();
        files.push((path, bytes.len()));
        check.give(&bytes).unwrap();
    }
    assert_eq!(files.len(), 7);
    files.push((TilePath::Checkpoint, LOG.checkpoint.len()));
    for (changed, length) in files {
        // Every byte of a checkpoint, and some of each tile.
        let step = if changed == TilePath::Checkpoint {
            1
        } else {
            length / 16
        };
        for place in (0..length).step_by(step) {
            let outcome = LOG.check(&|path, bytes| {
                if path == changed {
                    bytes[place] ^= 1;
                }
            });
            // A cosignature under another name is nobody's: it refuses nothing, and counts for nothing.
            let uncosigned = |log: CheckedLog| log.signatures.is_some_and(|signed| signed.cosigned.is_empty());
            assert!(outcome.map_or(true, uncosigned), "{changed}, byte {place}");
        }
    }
}

#[test]
fn bytes_that_are_missing_or_too_many_fail() {
    for changed in [
        TilePath::Entries { index: 2, width: 88 },
        TilePath::Hashes {
            level: 0,
            index: 0,
            width: 256,
        },
        TilePath::Hashes {
            level: 1,
            index: 0,
            width: 2,
        },
    ] {
        for bend in [
            (|bytes| bytes.truncate(bytes.len() - 1)) as fn(&mut Vec<u8>),
            |bytes| bytes.push(0),
            Vec::clear,
        ] {
            let outcome = LOG.check(&|path, bytes| {
                if path == changed {
                    bend(bytes);
                }
            });
            assert!(outcome.is_err(), "{changed}");
        }
    }
}

#[test]
fn an_entry_that_is_no_statement_fails_though_it_was_signed() {
    let mut entries: Vec<Vec<u8>> = (0..3).map(entry).collect();
    entries[1] = b"{ }".to_vec();
    let outcome = log_of(&entries).check(&|_, _| {});
    assert!(
        matches!(outcome, Err(LogCheckError::Statement { index: 1, .. })),
        "{outcome:?}"
    );
}

#[test]
fn a_log_continues_its_earlier_checkpoints_and_no_others() {
    let all: Vec<Vec<u8>> = (0..300).map(entry).collect();
    let (now, before) = (log_of(&all), log_of(&all[..270]));
    let mut other = all[..270].to_vec();
    other[4] = entry(4_000);
    let other = log_of(&other);
    let continues = |log: &Log, earlier: &Log| {
        let check = LogCheck::new(&log.checkpoint, Some(charter()))?;
        let mut check = check.continuing(&earlier.checkpoint)?;
        while let Some(path) = check.wanted() {
            check.give(&tile::read(path, did(1).as_str(), &log.store).unwrap().unwrap())?;
        }
        check.finish().map(|_| ())
    };
    assert_eq!(continues(&now, &before), Ok(()));
    assert_eq!(continues(&now, &now), Ok(()));
    assert_eq!(continues(&now, &log_of(&[])), Ok(()));
    assert_eq!(continues(&before, &now), Err(LogCheckError::Earlier(300)));
    assert_eq!(continues(&now, &other), Err(LogCheckError::Earlier(270)));
    // The same as consistency proofs say.
    let proof = proof::consistency(did(1).as_str(), 270, 300, &now.store)
        .unwrap()
        .unwrap();
    let root = |log: &Log| LogState::read(did(1).as_str(), &log.store).unwrap().frontier.root();
    assert!(proof::verify_consistency(270, &root(&before), 300, &root(&now), &proof).is_ok());
    assert!(proof::verify_consistency(270, &root(&other), 300, &root(&now), &proof).is_err());
}

#[test]
fn without_a_charter_nothing_is_said_of_signatures() {
    let mut check = LogCheck::new(&LOG.checkpoint, None).unwrap();
    while let Some(path) = check.wanted() {
        check
            .give(&tile::read(path, did(1).as_str(), &LOG.store).unwrap().unwrap())
            .unwrap();
    }
    assert_eq!(check.finish().unwrap().signatures, None);
}

#[test]
fn what_was_not_given_was_not_checked() {
    let check = LogCheck::new(&LOG.checkpoint, Some(charter())).unwrap();
    assert!(matches!(check.finish(), Err(LogCheckError::Unfinished(_))));
}

#[test]
fn a_rotated_key_signs_from_its_size_on_and_the_old_one_no_longer() {
    let (organization, consortium) = (did(1), charter().id());
    let origin = head::origin(consortium, organization.as_str());
    let (old, new) = (key(12), key(13));
    let keys = LogKeys::new(consortium, charter().member(organization.as_str()).unwrap());
    let rotation = Rotation::sign(&keys, new.public_key(), 2, key(14).public_key(), &key(11)).unwrap();
    let statement = Statement {
        at: at(1),
        content: Content::LogKeyRotated(Box::new(rotation)),
    };
    let mut log = log_of(&[entry(0), statement.to_bytes().unwrap(), entry(2)]);
    let root = LogState::read(organization.as_str(), &log.store)
        .unwrap()
        .frontier
        .root();
    let mut outcome = |signer: &SecretKey| {
        log.checkpoint = Head::sign(&origin, 3, &root, signer, at(5)).unwrap().note().to_owned();
        log.check(&|_, _| {}).map(|checked| checked.size)
    };
    assert_eq!(outcome(&new), Ok(3));
    assert_eq!(outcome(&old), Err(LogCheckError::Head(HeadError::OtherKey)));
    assert_eq!(outcome(&key(99)), Err(LogCheckError::Head(HeadError::OtherKey)));
}
