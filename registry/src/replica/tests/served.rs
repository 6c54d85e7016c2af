//! Files that are read as a peer's answers.

use super::*;
use crate::served::{Served, ServedError};
use crate::tile::rows::Files;
use crate::tile::{self, TilePath};

const URL: &str = "https://one.example";
/// Three pieces, and a tile of level 1.
const ENTRIES: u64 = 600;

/// The files of what a node has stored.
struct FromStore<'s> {
    store: &'s MemoryStore,
    /// A file in which one byte is another.
    bent: Option<TilePath>,
}

impl Files for FromStore<'_> {
    fn file(&self, organization: &str, path: TilePath, most: usize) -> Result<Vec<u8>, ReadError> {
        let mut bytes = tile::read(path, organization, self.store)?.unwrap();
        assert!(bytes.len() <= most);
        if self.bent == Some(path) {
            let last = bytes.len() - 3;
            bytes[last] ^= 1;
        }
        Ok(bytes)
    }
}

/// A member that has said much.
fn speaker() -> Node {
    let mut node = Node::new(1);
    for chunk in 0..ENTRIES / 200 {
        let _told = node.publish(chunk, chunk * 200..(chunk + 1) * 200);
    }
    assert_eq!(node.size(1), ENTRIES);
    node
}

fn served_by(node: &Node, files: &FromStore<'_>) -> Result<Served, ServedError> {
    let mut served = Served::new(CharterChain::new(example::charter().clone()).unwrap());
    let charter = example::charter();
    let card = charter.member(did(1).as_str()).unwrap();
    let head = node.state(1).head.unwrap();
    served.take_checkpoint(charter, card, head.note(), files)?;
    Ok(served)
}

/// Tells the node that the files are there, and answers all that it asks of them.
fn read(node: &mut Node, served: &Served, files: &FromStore<'_>) -> Vec<Effect> {
    let (mut rest, mut open) = (Vec::new(), node.run(Event::Connected(URL.to_owned())));
    while let Some(effect) = open.pop() {
        match effect {
            Effect::SendRequest { to, bytes } if to == URL => {
                let bytes = served.answer(&bytes, files).unwrap();
                let from = URL.to_owned();
                open.extend(node.run(Event::Response { from, bytes }));
            }
            other => rest.push(other),
        }
    }
    rest
}

#[test]
fn a_log_is_read_from_files_as_from_a_peer() {
    let one = speaker();
    let files = FromStore {
        store: &one.store,
        bent: None,
    };
    let served = served_by(&one, &files).unwrap();
    let mut two = Node::new(2);
    // Who is not followed is a stranger.
    assert_eq!(penalties(&two.run(Event::Connected(URL.to_owned()))).len(), 1);
    two.replica.follow(URL.to_owned(), None);
    let effects = read(&mut two, &served, &files);
    assert_eq!(penalties(&effects), []);
    assert_eq!(two.state(1), one.state(1));
    assert_eq!(two.replica.reach().filter(|(_, held, known)| held < known).count(), 0);
}

#[test]
fn one_byte_that_is_another_is_blamed_on_the_files() {
    let one = speaker();
    for bent in [
        TilePath::Entries { index: 0, width: 256 },
        TilePath::Entries { index: 2, width: 88 },
        TilePath::Hashes {
            level: 1,
            index: 0,
            width: 2,
        },
    ] {
        let files = FromStore {
            store: &one.store,
            bent: Some(bent),
        };
        let served = served_by(&one, &files).unwrap();
        let mut two = Node::new(2);
        two.replica.follow(URL.to_owned(), None);
        let effects = read(&mut two, &served, &files);
        let blamed = penalties(&effects);
        assert!(
            !blamed.is_empty() && blamed.iter().all(|(peer, _)| peer == URL),
            "{bent:?}: {blamed:?}"
        );
        assert!(two.size(1) < ENTRIES, "{bent:?}");
        // From honest files it goes on.
        let files = FromStore {
            store: &one.store,
            bent: None,
        };
        two.now = at(1_060);
        let _told = read(&mut two, &served, &files);
        assert_eq!(two.state(1), one.state(1));
    }
}

#[test]
fn a_checkpoint_that_does_not_hold_is_not_told() {
    let one = speaker();
    let files = FromStore {
        store: &one.store,
        bent: None,
    };
    let charter = example::charter();
    let (card, other) = (
        charter.member(did(1).as_str()).unwrap(),
        charter.member(did(2).as_str()).unwrap(),
    );
    let head = one.state(1).head.unwrap();
    let mut served = served_by(&one, &files).unwrap();
    let cut = head.note().replacen("600", "599", 1);
    for (card, note) in [(card, cut.as_str()), (other, head.note()), (card, "")] {
        let refused = served.take_checkpoint(charter, card, note, &files);
        assert!(refused.is_err_and(|error| error.is_false()), "{note}");
    }
    served.take_checkpoint(charter, card, head.note(), &files).unwrap();
}

#[test]
fn only_files_of_another_member_settle() {
    let one = speaker();
    let files = FromStore {
        store: &one.store,
        bent: None,
    };
    let served = served_by(&one, &files).unwrap();
    for (organization, settles) in [(None, false), (Some(did(2)), false), (Some(did(1)), true)] {
        let begun = Config {
            published_before: true,
            ..config(2)
        };
        let mut two = Node::with(begun, 2, MemoryStore::default());
        two.replica.follow(URL.to_owned(), organization.clone());
        assert!(!two.replica.is_settled());
        let _told = read(&mut two, &served, &files);
        assert_eq!(two.replica.is_settled(), settles, "{organization:?}");
    }
}
