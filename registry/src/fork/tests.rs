#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::example::{self, at, did, key};
use crate::log::{Frontier, leaf_hash};
use crate::naive;

/// The entries of a story: the first `common` are those of every story.
fn story(name: &str, common: usize, length: usize) -> Vec<Vec<u8>> {
    (0..length)
        .map(|index| match index < common {
            true => format!("common {index}"),
            false => format!("{name} {index}"),
        })
        .map(String::into_bytes)
        .collect()
}

fn head_of(entries: &[Vec<u8>], signer: u8) -> Head {
    let mut frontier = Frontier::default();
    entries.iter().for_each(|entry| frontier.append(leaf_hash(entry)));
    let origin = head::origin(example::charter().id(), did(1).as_str());
    Head::sign(&origin, frontier.size(), &frontier.root(), &key(signer), at(0)).unwrap()
}

fn branch(entries: &[Vec<u8>], at: u64) -> Branch {
    Branch {
        note: head_of(entries, 12).note().to_owned(),
        root: naive::root(&entries[..at as usize]),
        proof: naive::consistency(at as usize, entries),
    }
}

/// Two stories that part after `common` entries, with the proof of where.
pub(crate) fn fork(common: usize, lengths: (usize, usize)) -> Fork {
    let (one, other) = (story("one", common, lengths.0), story("other", common, lengths.1));
    let parts = common as u64;
    Fork {
        at: parts + 1,
        one: branch(&one, parts + 1),
        other: branch(&other, parts + 1),
        common: (parts > 0).then(|| Common {
            root: naive::root(&one[..common]),
            one: naive::consistency(common, &one),
            other: naive::consistency(common, &other),
        }),
        rotations: Vec::new(),
    }
}

#[test]
fn a_proof_says_where_the_stories_part() {
    for (common, lengths) in [
        (0, (1, 1)),
        (0, (3, 2)),
        (1, (2, 5)),
        (4, (5, 9)),
        (6, (8, 7)),
        (7, (8, 8)),
    ] {
        let fork = fork(common, lengths);
        assert_eq!(fork.verify(example::charter()), Ok(did(1)), "{common} {lengths:?}");
        assert_eq!(fork.common_prefix(), Some(common as u64));
        assert_eq!(Fork::decode(&fork.encode()), Ok(fork));
    }
}

#[test]
fn what_is_said_to_be_common_must_be() {
    let good = fork(4, (5, 9));
    let mut other_root = good.clone();
    other_root.common.as_mut().unwrap().root = [1; 32];
    let mut swapped = good.clone();
    let common = swapped.common.as_mut().unwrap();
    std::mem::swap(&mut common.one, &mut common.other);
    let mut nothing = fork(0, (3, 2));
    nothing.common = good.common.clone();
    let mut unsaid = good.clone();
    unsaid.common = None;
    for bad in [&other_root, &swapped, &nothing] {
        assert!(bad.verify(example::charter()).is_err());
    }
    // Unsaid, it is a proof all the same, and one that a better one supersedes.
    assert_eq!(unsaid.verify(example::charter()), Ok(did(1)));
    assert_eq!(unsaid.common_prefix(), None);
    assert!(good.supersedes(&unsaid) && !unsaid.supersedes(&good));
    assert!(!good.supersedes(&good));
    let earlier = fork(2, (5, 9));
    assert!(earlier.supersedes(&good) && !good.supersedes(&earlier));
}

#[test]
fn a_file_holds_it_all_and_no_byte_of_it_can_be_changed() {
    for fork in [fork(4, (5, 9)), fork(0, (3, 2))] {
        let file = fork.to_file(example::charter()).unwrap();
        let (read, accused) = Fork::from_file(&file, example::charter()).unwrap();
        assert_eq!((read, accused), (fork, did(1)));
        for at in 0..file.len() {
            for change in [1, 0x20, 0x80] {
                let mut changed = file.clone();
                changed[at] ^= change;
                assert!(Fork::from_file(&changed, example::charter()).is_err(), "byte {at}");
            }
            let mut shorter = file.clone();
            shorter.remove(at);
            // Whether the newline at the end is there says nothing.
            let newline = at + 1 == file.len();
            assert_eq!(
                Fork::from_file(&shorter, example::charter()).is_ok(),
                newline,
                "byte {at}"
            );
        }
    }
}

#[test]
fn signatures_of_others_are_left_out_of_a_file() {
    let good = fork(4, (5, 9));
    let mut witnessed = good.clone();
    witnessed.one.note += "\u{2014} witness.example AAAAAAAA\n";
    assert_eq!(witnessed.verify(example::charter()), Ok(did(1)));
    assert_eq!(
        witnessed.to_file(example::charter()).unwrap(),
        good.to_file(example::charter()).unwrap()
    );
}

#[test]
fn a_file_convicts_nobody_else() {
    let good = fork(4, (5, 9));
    let mut forged = good.clone();
    forged.other.note = head_of(&story("other", 4, 9), 22).note().to_owned();
    assert!(forged.to_file(example::charter()).is_err());

    let file = String::from_utf8(good.to_file(example::charter()).unwrap()).unwrap();
    let organization = format!("\"organization\":\"{}\"", did(1));
    let renamed = file.replacen(&organization, &format!("\"organization\":\"{}\"", did(2)), 1);
    assert_ne!(renamed, file);
    let error = Fork::from_file(renamed.as_bytes(), example::charter()).unwrap_err();
    assert!(matches!(error, ForkFileError::Organization(_)), "{error}");

    let other = Charter::found(&example::founding(4)).unwrap();
    let error = Fork::from_file(file.as_bytes(), &other).unwrap_err();
    assert!(matches!(error, ForkFileError::Consortium { .. }), "{error}");
    let spaced = file.replacen("\"at\":", "\"at\": ", 1);
    let error = Fork::from_file(spaced.as_bytes(), example::charter()).unwrap_err();
    assert!(matches!(error, ForkFileError::Spelling), "{error}");
}
