#![allow(clippy::single_range_in_vec_init)]

use super::*;
use crate::message::Ask;
use crate::view::View;

fn evidence(effects: &[Effect]) -> Option<Fork> {
    effects.iter().find_map(|effect| match effect {
        Effect::Evidence { organization, fork } => {
            assert_eq!(*organization, did(1));
            Some(fork.clone())
        }
        _ => None,
    })
}

fn is_frozen(node: &Node) -> bool {
    View::new(example::charter(), &node.store)
        .is_frozen(did(1).as_str())
        .unwrap()
}

/// A node that holds the first of two stories of organization 1.
fn believer(numbers: std::ops::Range<u64>) -> Node {
    let mut node = Node::new(2);
    let all = entries(numbers);
    let head = head_of(1, &all, at(900));
    assert_eq!(verdict(&node.hear(1, &news(&head, 0, &all))), Verdict::Accept);
    node
}

/// A node of organization 1 with these statements.
fn storyteller(parts: &[std::ops::Range<u64>]) -> Node {
    let mut node = Node::new(1);
    for (ticket, part) in (0..).zip(parts) {
        node.publish(ticket, part.clone());
    }
    node
}

#[test]
fn two_heads_of_one_size_freeze_their_log() {
    let mut node = believer(0..3);
    let other = entries(10..13);
    let head = head_of(1, &other, at(950));
    let effects = node.hear(3, &news(&head, 0, &other));
    assert_eq!(verdict(&effects), Verdict::Ignore);
    let fork = evidence(&effects).unwrap();
    assert_eq!(fork.at, 3);
    assert_eq!(fork.verify(example::charter()), Ok(did(1)));
    assert_eq!(announcements(&effects), [Broadcast::Fork(fork.clone()).encode()]);
    assert!(is_frozen(&node));

    // From now on nothing of that log is taken, and a restart does not forget.
    let mut node = Node::on(2, node.store);
    let longer = entries(0..4);
    let effects = node.hear(1, &news(&head_of(1, &longer, at(960)), 3, &longer[3..]));
    assert_eq!(verdict(&effects), Verdict::Ignore);
    assert_eq!(node.size(1), 3);
    assert_eq!(verdict(&node.hear(3, &Broadcast::Fork(fork).encode())), Verdict::Ignore);
}

#[test]
fn a_shorter_story_is_a_story_too() {
    let mut node = believer(0..5);
    let other = entries(10..12);
    let effects = node.hear(3, &news(&head_of(1, &other, at(950)), 0, &other));
    let fork = evidence(&effects).unwrap();
    assert_eq!(fork.at, 2);
    // A shorter head of the same story is none.
    let mut node = believer(0..5);
    let same = entries(0..2);
    let effects = node.hear(3, &news(&head_of(1, &same, at(950)), 0, &same));
    assert_eq!(evidence(&effects), None);
    assert_eq!(verdict(&effects), Verdict::Ignore);
}

#[test]
fn a_longer_story_is_found_out_when_it_is_pulled() {
    let mut node = believer(0..3);
    let mut liar = storyteller(&[10..13, 13..17]);
    let effects = node.meet(&mut liar);
    let fork = evidence(&effects).unwrap();
    assert_eq!(fork.at, 3);
    assert_eq!(penalties(&effects), []);
    assert!(is_frozen(&node));
    assert_eq!(node.size(1), 3);
}

#[test]
fn a_story_that_parts_in_the_middle_of_a_catch_up_is_found_out() {
    let mut one = storyteller(&[0..200, 200..400]);
    let mut other = storyteller(&[0..100, 500..700, 700..900]);
    let mut node = Node::new(2);
    // One piece of the first story.
    let effects = node.run(Event::Connected(peer(1)));
    let Effect::SendRequest { bytes, .. } = &effects[0] else {
        panic!("{effects:?}")
    };
    let mut bytes = bytes.clone();
    for _ in 0..2 {
        let asked = Event::Request {
            from: peer(2),
            token: 0,
            bytes,
        };
        let answered = one.run(asked);
        let [Effect::SendResponse { bytes: answer, .. }] = &answered[..] else {
            panic!()
        };
        let effects = node.run(Event::Response {
            from: peer(1),
            bytes: answer.clone(),
        });
        let next = effects.iter().find_map(|effect| match effect {
            Effect::SendRequest { bytes, .. } => Some(bytes.clone()),
            _ => None,
        });
        bytes = next.unwrap();
    }
    assert_eq!((node.size(1), node.state(1).head), (256, None));
    let mut node = Node::on(2, node.store);
    let effects = node.meet(&mut other);
    let fork = evidence(&effects).unwrap();
    assert_eq!(fork.at, 256);
    assert_eq!(fork.verify(example::charter()), Ok(did(1)));
}

#[test]
fn a_head_heard_before_its_entries_is_held_against_them() {
    let mut node = Node::new(2);
    let other = entries(10..13);
    let effects = node.hear(3, &news(&head_of(1, &other, at(900)), 3, &[]));
    assert_eq!(verdict(&effects), Verdict::Ignore);
    let mut liar = storyteller(&[0..5]);
    let effects = node.meet(&mut liar);
    assert_eq!(evidence(&effects).unwrap().at, 3);
}

#[test]
fn evidence_travels_and_convinces() {
    let mut node = believer(0..3);
    let other = entries(10..13);
    let effects = node.hear(3, &news(&head_of(1, &other, at(950)), 0, &other));
    let fork = evidence(&effects).unwrap();

    let mut by_gossip = Node::new(3);
    let effects = by_gossip.hear(2, &Broadcast::Fork(fork.clone()).encode());
    assert_eq!(verdict(&effects), Verdict::Accept);
    assert!(is_frozen(&by_gossip));

    let mut by_question = Node::new(3);
    let effects = by_question.meet(&mut node);
    assert_eq!(evidence(&effects), Some(fork));
    assert!(is_frozen(&by_question));
}

#[test]
fn what_proves_nothing_freezes_nobody() {
    let mut node = believer(0..3);
    let other = entries(10..13);
    let effects = node.hear(3, &news(&head_of(1, &other, at(950)), 0, &other));
    let fork = evidence(&effects).unwrap();

    let mut agreeing = fork.clone();
    agreeing.other = agreeing.one.clone();
    let mut elsewhere = fork.clone();
    elsewhere.at = 2;
    let mut unsigned = fork.clone();
    unsigned.other.note = unsigned.other.note.replacen("\n3\n", "\n4\n", 1);
    let mut unproven = fork;
    unproven.other.proof.push([0; 32]);
    for bad in [agreeing, elsewhere, unsigned, unproven] {
        let mut node = Node::new(3);
        let effects = node.hear(2, &Broadcast::Fork(bad).encode());
        assert_eq!(verdict(&effects), Verdict::Reject);
        assert!(matches!(penalties(&effects)[..], [(_, Misbehaviour::Fork(_))]));
        assert!(!is_frozen(&node));
    }
}

#[test]
fn evidence_that_was_not_stored_is_stored_later() {
    let mut node = believer(0..3);
    let other = entries(10..13);
    let bytes = news(&head_of(1, &other, at(950)), 0, &other);
    let effects = node.handle(Event::Announced {
        from: peer(3),
        token: 1,
        bytes,
    });
    let batch = effects.iter().find_map(|effect| match effect {
        Effect::Persist { batch, .. } => Some(*batch),
        _ => None,
    });
    let effects = node.run(Event::StoreFailed { batch: batch.unwrap() });
    assert_eq!(evidence(&effects), None);
    let effects = node.run(Event::Tick);
    assert!(evidence(&effects).is_some());
    assert!(is_frozen(&node));
}

#[test]
fn who_forked_says_nothing_more() {
    let mut one = storyteller(&[0..3]);
    let mut other = storyteller(&[10..13]);
    let mut friend = Node::new(2);
    friend.meet(&mut one);
    let effects = friend.meet(&mut other);
    assert!(evidence(&effects).is_some());
    other.meet(&mut friend);
    assert!(is_frozen(&other));
    let effects = other.publish(9, 20..21);
    assert_eq!(refusals(&effects), [(9, PublishError::Frozen)]);
    other.now = at(5_000);
    assert_eq!(announcements(&other.run(Event::Tick)), Vec::<Vec<u8>>::new());
    // Its log is not handed out any more.
    let ask = Ask::Pull {
        id: 1,
        organization: did(1).to_string(),
        from: 0,
    };
    let effects = friend.run(Event::Request {
        from: peer(3),
        token: 1,
        bytes: ask.encode(),
    });
    let refused = Answer::Refused {
        id: 1,
        why: crate::message::Refusal::NothingNew,
    };
    assert_eq!(
        effects,
        [Effect::SendResponse {
            token: 1,
            bytes: refused.encode()
        }]
    );
}
