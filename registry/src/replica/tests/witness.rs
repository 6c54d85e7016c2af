//! Cosignatures: given, taken, put off, and what liars make of them.

use super::*;
use crate::cosignature::{self, Cosignature};
use crate::log::Hash;
use crate::message::Cosigned;

fn rows(node: &Node, of: u8) -> Vec<Cosignature> {
    cosignature::stored(did(of).as_str(), &node.store).unwrap()
}

fn made(witness: u8, of: u8, size: u64, root: Hash, time: Timestamp) -> Cosignature {
    let signer = key(10 * witness + 2);
    let consortium = example::charter().id();
    Cosignature::sign(
        consortium,
        did(of).as_str(),
        (size, &root),
        &did(witness),
        &signer,
        time,
    )
    .unwrap()
}

fn told(of: u8, line: &Cosignature) -> Vec<u8> {
    let cosigned = Cosigned {
        organization: did(of).to_string(),
        size: line.size,
        root: line.root,
        lines: vec![line.clone()],
    };
    Broadcast::Cosigned(cosigned).encode()
}

fn cosigned(effects: &[Effect]) -> Vec<Cosigned> {
    let decoded = announcements(effects)
        .into_iter()
        .map(|bytes| Broadcast::decode(&bytes).unwrap());
    decoded
        .filter_map(|message| match message {
            Broadcast::Cosigned(cosigned) => Some(cosigned),
            _ => None,
        })
        .collect()
}

/// Node 3, which holds three entries of organization 1, and their root.
fn follower() -> (Node, Hash) {
    let mut node = Node::new(3);
    let head = head_of(1, &entries(0..3), at(990));
    node.hear(1, &news(&head, 0, &entries(0..3)));
    assert_eq!(node.size(1), 3);
    (node, *head.root())
}

#[test]
fn a_new_head_is_cosigned_at_once_and_the_cosignature_is_stored_before_it_is_sent() {
    let mut node = Node::new(2);
    let head = head_of(1, &entries(0..3), at(990));
    let from = peer(1);
    let heard = node.handle(Event::Announced {
        from,
        token: 1,
        bytes: news(&head, 0, &entries(0..3)),
    });
    // The head is stored, then the cosignature, and only then anything is said.
    let stored = node.store(&heard);
    assert_eq!(announcements(&stored), Vec::<Vec<u8>>::new());
    assert_eq!(rows(&node, 1), []);
    let after = node.store(&stored);
    let [said] = cosigned(&after).try_into().unwrap();
    assert_eq!(said.lines, rows(&node, 1));
    assert_eq!((said.size, said.root, said.lines.len()), (3, *head.root(), 1));
    let line = &said.lines[0];
    assert_eq!((&line.witness, line.time), (&did(2), node.now));
    line.verify(example::charter().id(), did(1).as_str(), key(22).public_key())
        .unwrap();
}

#[test]
fn a_log_is_cosigned_once_a_second_and_again_when_its_owner_renews_the_head() {
    let mut node = Node::new(2);
    let all = entries(0..6);
    let mut said = 0;
    for size in 1..=5 {
        let head = head_of(1, &all[..size], at(990));
        let effects = node.hear(1, &news(&head, size as u64 - 1, &all[size - 1..size]));
        said += cosigned(&effects).len();
    }
    assert_eq!(said, 1);
    assert_eq!(rows(&node, 1)[0].size, 1);
    node.now = at(1_001);
    assert_eq!(cosigned(&node.run(Event::Tick)).len(), 1);
    assert_eq!(rows(&node, 1)[0].size, 5);
    // Nothing new, so nothing is signed, however long it takes.
    node.now = at(1_050);
    assert_eq!(cosigned(&node.run(Event::Tick)).len(), 0);
    let renewed = head_of(1, &all[..5], at(1_050));
    assert_eq!(cosigned(&node.hear(1, &news(&renewed, 5, &[]))).len(), 1);
    assert_eq!(rows(&node, 1)[0].time, at(1_050));
    // A clock that was set back signs nothing that others would take for older.
    node.now = at(1_010);
    let renewed = head_of(1, &all[..5], at(1_055));
    assert_eq!(cosigned(&node.hear(1, &news(&renewed, 5, &[]))).len(), 0);
    node.now = at(1_051);
    assert_eq!(cosigned(&node.run(Event::Tick)).len(), 1);
}

#[test]
fn nobody_cosigns_its_own_log_or_a_frozen_one() {
    let mut node = Node::new(1);
    let effects = node.publish(1, 0..3);
    assert_eq!(cosigned(&effects), []);
    node.now = at(1_001);
    assert_eq!(cosigned(&node.run(Event::Tick)), []);
    let mut node = Node::new(3);
    node.hear(2, &news(&head_of(2, &entries(0..2), at(990)), 0, &entries(0..2)));
    node.now = at(1_001);
    node.hear(2, &news(&head_of(2, &entries(1..3), at(995)), 0, &entries(1..3)));
    node.now = at(1_002);
    assert_eq!(cosigned(&node.run(Event::Tick)), []);
}

#[test]
fn a_true_cosignature_counts_and_is_handed_on_once() {
    let (mut node, root) = follower();
    let line = made(2, 1, 3, root, at(995));
    let effects = node.hear(2, &told(1, &line));
    assert_eq!(verdict(&effects), Verdict::Accept);
    assert!(rows(&node, 1).contains(&line));
    assert_eq!(verdict(&node.hear(1, &told(1, &line))), Verdict::Ignore);
    // Older than what is known of this witness.
    let older = made(2, 1, 3, root, at(990));
    assert_eq!(verdict(&node.hear(2, &told(1, &older))), Verdict::Ignore);
    assert!(rows(&node, 1).contains(&line));
    // Of fewer entries than are held by now, and of the same log: it counts for these.
    let mut frontier = crate::log::Frontier::default();
    for entry in entries(0..3) {
        frontier.append(crate::log::leaf_hash(&entry));
    }
    let all = entries(0..5);
    node.hear(1, &news(&head_of(1, &all, at(996)), 3, &all[3..]));
    let late = made(2, 1, 3, frontier.root(), at(997));
    assert_eq!(verdict(&node.hear(2, &told(1, &late))), Verdict::Accept);
    // It survives a restart.
    let again = Node::on(3, node.store);
    assert!(rows(&again, 1).contains(&late));
}

#[test]
fn false_cosignatures_do_not_count_and_only_what_no_honest_node_sends_is_blamed() {
    let (mut node, root) = follower();
    let before = rows(&node, 1);
    let good = made(2, 1, 3, root, at(995));
    let mut broken = good.clone();
    broken.signature[3] ^= 1;
    let effects = node.hear(2, &told(1, &broken));
    assert_eq!(verdict(&effects), Verdict::Reject);
    let blame = Misbehaviour::Cosignature(crate::cosignature::CosignatureError::Invalid);
    assert_eq!(penalties(&effects), [(peer(2), blame)]);
    // By the log's own organization.
    let effects = node.hear(1, &told(1, &made(1, 1, 3, root, at(995))));
    assert_eq!(verdict(&effects), Verdict::Reject);
    // Of another root: an honest witness may have been told the other of two stories.
    let effects = node.hear(2, &told(1, &made(2, 1, 3, [9; 32], at(995))));
    assert_eq!((verdict(&effects), penalties(&effects)), (Verdict::Ignore, vec![]));
    // From the future, by a key that is not known, by a stranger, of a stranger's log.
    let mut unknown = good.clone();
    unknown.key_id[0] ^= 1;
    let mut stranger = good.clone();
    stranger.witness = did(9);
    let future = made(2, 1, 3, root, at(1_000 + limits::FUTURE_SECONDS + 1));
    for (of, line) in [(1, &unknown), (1, &stranger), (1, &future), (9, &good)] {
        let effects = node.hear(2, &told(of, line));
        assert_eq!((verdict(&effects), penalties(&effects)), (Verdict::Ignore, vec![]));
    }
    assert_eq!(rows(&node, 1), before);
    // The valid twin.
    assert_eq!(verdict(&node.hear(2, &told(1, &good))), Verdict::Accept);
}

#[test]
fn a_cosignature_of_entries_to_come_counts_once_they_are_there_and_if_it_is_true() {
    let all = entries(0..5);
    let true_root = *head_of(1, &all, at(996)).root();
    for (root, counts) in [(true_root, true), ([9; 32], false)] {
        let (mut node, _) = follower();
        node.run(Event::Connected(peer(2)));
        let line = made(2, 1, 5, root, at(995));
        let effects = node.hear(2, &told(1, &line));
        assert_eq!(verdict(&effects), Verdict::Ignore);
        // Whoever hands it on may have what it is of.
        assert_eq!(asks(&effects), 1);
        assert!(!rows(&node, 1).contains(&line));
        node.hear(1, &news(&head_of(1, &all, at(996)), 3, &all[3..]));
        assert_eq!(rows(&node, 1).contains(&line), counts);
    }
}

#[test]
fn cosignatures_travel_with_the_comparison_of_heads() {
    let (mut one, root) = follower();
    let line = made(2, 1, 3, root, at(995));
    one.hear(2, &told(1, &line));
    let mut other = Node::new(2);
    other.meet(&mut one);
    // What was learned in the first round is held against the entries of the second.
    other.now = at(1_006);
    other.meet(&mut one);
    let known = rows(&one, 1);
    assert_eq!(known.len(), 2);
    for line in known.iter().filter(|line| line.witness == did(3)) {
        assert!(rows(&other, 1).contains(line));
    }
    // Equal sets are not sent again.
    one.meet(&mut other);
    other.meet(&mut one);
    let before = other.store.clone();
    other.meet(&mut one);
    assert_eq!(before, other.store);
}

#[test]
fn a_store_that_fails_delays_a_cosignature_and_nothing_is_said_before() {
    let mut node = Node::new(2);
    let head = head_of(1, &entries(0..3), at(990));
    let heard = node.handle(Event::Announced {
        from: peer(1),
        token: 1,
        bytes: news(&head, 0, &entries(0..3)),
    });
    let stored = node.store(&heard);
    let batch = stored.iter().find_map(|effect| match effect {
        Effect::Persist { batch, .. } => Some(*batch),
        _ => None,
    });
    let failed = node.handle(Event::StoreFailed { batch: batch.unwrap() });
    assert_eq!(announcements(&failed), Vec::<Vec<u8>>::new());
    node.now = at(1_001);
    assert_eq!(cosigned(&node.run(Event::Tick)).len(), 1);
    assert_eq!(rows(&node, 1).len(), 1);
}

#[test]
fn what_a_relay_keeps_back_grows_old_however_much_else_it_forwards() {
    let all = entries(0..5);
    let (mut node, root) = follower();
    node.run(Event::Connected(peer(2)));
    let age = |node: &Node| {
        let view = crate::view::View::new(example::charter(), &node.store).seen_by(node_did());
        let known = view.age(&did(1)).unwrap().unwrap();
        let policy = syndic_vc::verify::Policy {
            authority: did(3).to_string(),
            max_staleness_seconds: 300,
            witnesses: 1,
            clock_skew_seconds: 30,
        };
        let witnessed = known.witnessed(&policy.wanted(3, node.now));
        (node.now.seconds_since(known.time), witnessed.enough)
    };
    fn node_did() -> &'static Did {
        static DID: std::sync::LazyLock<Did> = std::sync::LazyLock::new(|| did(3));
        &DID
    }
    node.hear(2, &told(1, &made(2, 1, 3, root, at(1_000))));
    assert_eq!(age(&node), (10, true));
    // The relay is lively: its own heads come, cosigned, and so does its word on the log that it keeps back.
    let next = *head_of(1, &all, at(1_001)).root();
    for second in (1_010..=1_400).step_by(10) {
        node.now = at(second);
        node.hear(2, &news(&head_of(2, &[], node.now), 0, &[]));
        let effects = node.hear(2, &told(1, &made(2, 1, 5, next, node.now)));
        assert_eq!(verdict(&effects), Verdict::Ignore);
        node.run(Event::Tick);
        let (old, witnessed) = age(&node);
        assert_eq!(old, second - 990);
        assert_eq!(witnessed, second <= 1_300, "{second}");
    }
    // The valid twin: what was kept back arrives, with the heartbeat.
    node.hear(1, &news(&head_of(1, &all, at(1_399)), 3, &all[3..]));
    assert_eq!(age(&node), (1, true));
}
