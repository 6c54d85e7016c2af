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

/// Proofs of one fork that say the same of it, in the order in which one takes the place of the other.
fn proofs(count: i64) -> Vec<Fork> {
    let branch = |numbers, time| {
        let head = head_of(1, &entries(numbers), at(time));
        crate::fork::Branch {
            note: head.note().to_owned(),
            root: *head.root(),
            proof: Vec::new(),
        }
    };
    let mut all: Vec<Fork> = (0..count)
        .map(|number| {
            let fork = Fork {
                at: 3,
                one: branch(0..3, 700 + number % 7),
                other: branch(10..13, 800 + number),
                common: None,
                rotations: Vec::new(),
            };
            let keys = crate::log_keys::LogKeys::new(example::charter().id(), &example::charter().members()[0]);
            fork.settled(example::charter(), &keys).unwrap().0
        })
        .collect();
    all.sort_by_key(Fork::digest);
    all.reverse();
    all
}

#[test]
fn of_proofs_that_say_the_same_all_come_to_hold_one() {
    let all = proofs(6);
    let stored = |node: &Node| Fork::stored(did(1).as_str(), &node.store).unwrap();
    let swapped = |fork: &Fork| Fork {
        one: fork.other.clone(),
        other: fork.one.clone(),
        ..fork.clone()
    };
    let (mut one, mut other) = (Node::new(2), Node::new(3));
    for fork in &all {
        // In another form it is the same proof.
        let effects = one.hear(3, &Broadcast::Fork(swapped(fork)).encode());
        assert_eq!(verdict(&effects), Verdict::Accept);
        // What is handed on is what all write; told of is the fork, once.
        assert_eq!(announcements(&effects), [Broadcast::Fork(fork.clone()).encode()]);
        assert_eq!(evidence(&effects).is_some(), *fork == all[0]);
    }
    let verdicts = all
        .iter()
        .rev()
        .map(|fork| verdict(&other.hear(2, &Broadcast::Fork(fork.clone()).encode())));
    let accepted = verdicts.filter(|verdict| *verdict == Verdict::Accept).count();
    assert_eq!(accepted, 1, "the last one first, and then no other");
    assert_eq!(
        (stored(&one), stored(&other)),
        (all.last().cloned(), all.last().cloned())
    );
    // Those who were told of different ones find out when they compare.
    let (mut one, mut other) = (Node::new(2), Node::new(3));
    one.hear(3, &Broadcast::Fork(all[0].clone()).encode());
    other.hear(2, &Broadcast::Fork(all[5].clone()).encode());
    one.meet(&mut other);
    assert_eq!(stored(&one), Some(all[5].clone()));
}

#[test]
fn who_forked_cannot_keep_others_busy_with_ever_lesser_proofs() {
    let all = proofs(40);
    let mut node = Node::new(2);
    let heard = all
        .iter()
        .map(|fork| node.hear(3, &Broadcast::Fork(fork.clone()).encode()));
    let stored = heard.filter(|effects| !announcements(effects).is_empty()).count();
    assert_eq!(stored as i64, 1 + crate::limits::PROOFS_BURST);
    // The last of them is not lost for good.
    node.now = at(5_000);
    let last = all.last().cloned().unwrap();
    let effects = node.hear(3, &Broadcast::Fork(last.clone()).encode());
    assert_eq!(verdict(&effects), Verdict::Accept);
    assert_eq!(Fork::stored(did(1).as_str(), &node.store).unwrap(), Some(last));
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
    // Of its log no more is handed out than its stories may share: they part at the third entry at the latest.
    let mut pull = |from| {
        let ask = Ask::Pull {
            id: 1,
            organization: did(1).to_string(),
            from,
        };
        let effects = friend.run(Event::Request {
            from: peer(3),
            token: 1,
            bytes: ask.encode(),
        });
        match &effects[..] {
            [Effect::SendResponse { bytes, .. }] => Answer::decode(bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(pull(0), Answer::Piece(piece) if piece.entries.len() == 2));
    for from in [2, 3] {
        let why = crate::message::Refusal::NothingNew;
        assert_eq!(pull(from), Answer::Refused { id: 1, why });
    }
}

mod parting {
    //! Two who believed different stories find out together where they part, and honour what either takes back.

    use super::*;
    use crate::fork::salvage::Salvage;
    use crate::statement::{CredentialsAnchored, KeyCompromised, StatusChanged, StatusListCreated};
    use syndic_vc::key::PublicKey;
    use syndic_vc::status::StatusPurpose;
    use syndic_vc::trust::{AgentStanding, KeyStanding, Knowledge, StatusBit};

    const LIST: &str = "https://hospital-1.example/status-lists/1";

    fn say(content: Content) -> Statement {
        Statement { at: at(0), content }
    }

    fn retire(number: u64) -> Statement {
        let agent = Did::parse(&format!("did:example:agent{number}")).unwrap();
        say(Content::AgentRetired { agent })
    }

    fn revoke(index: u64) -> Statement {
        say(Content::StatusChanged(StatusChanged {
            list: LIST.to_owned(),
            set: vec![index],
            cleared: vec![],
        }))
    }

    fn list() -> Statement {
        say(Content::StatusListCreated(StatusListCreated {
            list: LIST.to_owned(),
            purpose: StatusPurpose::Revocation,
            length: 131_072,
        }))
    }

    fn publish(node: &mut Node, statements: Vec<Statement>) {
        let effects = node.run(Event::Publish { ticket: 1, statements });
        assert_eq!(acknowledged(&effects).len(), 1, "{effects:?}");
    }

    /// Two nodes of organization 1 that have so much in common: a list, and agents; then each its own.
    fn stories(common: u64, one: Vec<Statement>, other: Vec<Statement>) -> (Node, Node) {
        let mut first = Node::new(1);
        publish(&mut first, [list()].into_iter().chain((1..common).map(agent)).collect());
        let mut second = Node::new(1);
        second.store = first.store.clone();
        let config = Config {
            sign_alone: true,
            ..config(1)
        };
        second.replica = Replica::load(config, &second.store).unwrap();
        publish(&mut first, one);
        publish(&mut second, other);
        (first, second)
    }

    /// Both believers compare until nothing is new, as they do every few seconds.
    fn settle(nodes: [&mut Node; 2]) {
        let [one, other] = nodes;
        for _ in 0..6 {
            for node in [&mut *one, &mut *other] {
                node.now = node.now.checked_add_seconds(5).unwrap();
                node.run(Event::Tick);
            }
            // Whoever is asked asks back.
            one.run(Event::Connected(peer(other.number)));
            other.run(Event::Connected(peer(one.number)));
            exchange(one, other);
            exchange(other, one);
        }
    }

    fn exchange(asker: &mut Node, other: &mut Node) {
        let effects = asker.run(Event::Disconnected(peer(other.number)));
        assert_eq!(asks(&effects), 0);
        let mut open = asker.run(Event::Connected(peer(other.number)));
        let mut back = Vec::new();
        while let Some(effect) = open.pop() {
            let Effect::SendRequest { bytes, .. } = effect else {
                continue;
            };
            let from = peer(asker.number);
            for effect in other.run(Event::Request { from, token: 0, bytes }) {
                match effect {
                    Effect::SendResponse { bytes, .. } => {
                        let from = peer(other.number);
                        let effects = asker.run(Event::Response { from, bytes });
                        assert_eq!(penalties(&effects), []);
                        open.extend(effects);
                    }
                    Effect::SendRequest { bytes, .. } => back.push(bytes),
                    _ => {}
                }
            }
        }
        while let Some(bytes) = back.pop() {
            let from = peer(other.number);
            for effect in asker.run(Event::Request { from, token: 0, bytes }) {
                let Effect::SendResponse { bytes, .. } = effect else {
                    continue;
                };
                let from = peer(asker.number);
                let effects = other.run(Event::Response { from, bytes });
                assert_eq!(penalties(&effects), []);
                back.extend(effects.into_iter().filter_map(|effect| match effect {
                    Effect::SendRequest { bytes, .. } => Some(bytes),
                    _ => None,
                }));
            }
        }
    }

    fn believers(first: &mut Node, second: &mut Node) -> (Node, Node) {
        let (mut two, mut three) = (Node::new(2), Node::new(3));
        two.meet(first);
        three.meet(second);
        settle([&mut two, &mut three]);
        (two, three)
    }

    fn digest(node: &Node) -> crate::log::Hash {
        View::new(example::charter(), &node.store).digest().unwrap()
    }

    #[test]
    fn the_place_is_found_and_digests_are_equal() {
        for common in [1, 2, 3, 40, 250] {
            let one = (1_000..1_030).map(agent).collect();
            let other = (2_000..2_007).map(agent).collect();
            let (mut first, mut second) = stories(common, one, other);
            let (two, three) = believers(&mut first, &mut second);
            for node in [&two, &three] {
                let fork = Fork::stored(did(1).as_str(), &node.store).unwrap().unwrap();
                assert_eq!(fork.common_prefix(), Some(common));
                assert_eq!(fork.verify(example::charter()), Ok(did(1)));
            }
            assert_ne!(two.size(1), three.size(1));
            assert_eq!(digest(&two), digest(&three));
            let proof = |node: &Node| Fork::stored(did(1).as_str(), &node.store).unwrap();
            assert_eq!(proof(&two), proof(&three));
        }
    }

    #[test]
    fn what_either_story_takes_back_is_honoured_by_all() {
        let one = vec![retire(1), agent(50), revoke(7)];
        let other = vec![revoke(8), agent(60), retire(2), revoke(9)];
        let (mut first, mut second) = stories(4, one, other);
        let (two, three) = believers(&mut first, &mut second);
        assert_eq!(digest(&two), digest(&three));
        for node in [&two, &three] {
            let view = View::new(example::charter(), &node.store);
            let salvage = Salvage::stored(did(1).as_str(), &node.store).unwrap();
            assert_eq!(salvage.names().count(), 5);
            for index in [7, 8, 9] {
                let bit = view.status(&did(1), LIST, StatusPurpose::Revocation, index);
                assert_eq!(bit, StatusBit::Set, "{index}");
            }
            let bit = view.status(&did(1), LIST, StatusPurpose::Revocation, 10);
            assert_eq!(bit, StatusBit::Clear);
            let standing = |number: u64| {
                let agent = Did::parse(&format!("did:example:agent{number}")).unwrap();
                view.agent(&agent, at(100))
            };
            for number in [1, 2] {
                assert!(matches!(standing(number), AgentStanding::Retired { .. }), "{number}");
            }
            // What they share counts as before; what only one of them gives does not.
            assert!(matches!(standing(3), AgentStanding::Active { .. }));
            for number in [50, 60] {
                assert_eq!(standing(number), AgentStanding::Unknown, "{number}");
            }
        }
    }

    #[test]
    fn suspensions_and_compromised_keys_of_either_story_are_honoured_by_all() {
        let name = |number: u64| Did::parse(&format!("did:example:agent{number}")).unwrap();
        let suspend = |number| say(Content::AgentSuspended { agent: name(number) });
        let resume = |number| say(Content::AgentResumed { agent: name(number) });
        let (key, unharmed) = (crate::example::key(77), crate::example::key(78));
        let (key, unharmed) = (key.public_key(), unharmed.public_key());
        let (lost, method) = (key.to_multikey(), "did:example:1#key-1");
        let compromise = |key: &str| {
            let key = key.to_owned();
            say(Content::KeyCompromised(KeyCompromised { key, since: None }))
        };
        let anchor = |byte: u8| {
            let digests = vec![crate::charter::identifier(&[byte; 32])];
            say(Content::CredentialsAnchored(CredentialsAnchored { digests }))
        };
        // One story has the earlier compromise of a key, the other anchors before it says so. One ends a suspension.
        let one = vec![suspend(1), compromise(&lost), resume(1)];
        let other = vec![anchor(9), suspend(2), compromise(&lost), compromise(method)];
        let (mut first, mut second) = stories(4, one, other);
        let (two, three) = believers(&mut first, &mut second);
        assert_eq!(digest(&two), digest(&three));
        for node in [&two, &three] {
            let view = View::new(example::charter(), &node.store);
            for number in [1, 2] {
                let standing = view.agent(&name(number), at(100));
                assert!(
                    matches!(standing, AgentStanding::Suspended { .. }),
                    "{number}: {standing:?}"
                );
            }
            assert!(matches!(view.agent(&name(3), at(100)), AgentStanding::Active { .. }));
            let standing = |method: &str, key: &PublicKey, byte: u8| {
                view.key_standing(&did(1), method, key, &|| crate::charter::identifier(&[byte; 32]))
            };
            for byte in [8, 9] {
                assert!(matches!(
                    standing("did:example:1#x", key, byte),
                    KeyStanding::Compromised { .. }
                ));
                assert!(matches!(
                    standing(method, unharmed, byte),
                    KeyStanding::Compromised { .. }
                ));
            }
            assert_eq!(standing("did:example:1#x", unharmed, 9), KeyStanding::Good);
        }
        let index = |node: &Node| {
            let view = View::new(example::charter(), &node.store);
            view.compromise(did(1).as_str(), &lost)
                .unwrap()
                .map(|compromise| compromise.index)
        };
        assert_eq!((index(&two), index(&three)), (Some(5), Some(5)));
    }

    #[test]
    fn who_heard_little_catches_up_with_what_the_stories_share() {
        let (mut first, mut second) = stories(20, vec![retire(1)], vec![retire(2)]);
        let mut two = Node::new(2);
        let all = first.state(1).frontier.size();
        assert_eq!(all, 21);
        two.meet(&mut first);
        let fork = {
            let mut judge = Node::new(3);
            judge.meet(&mut second);
            settle([&mut two, &mut judge]);
            Fork::stored(did(1).as_str(), &judge.store).unwrap().unwrap()
        };
        // It hears of the fork before it heard of the log.
        let mut three = Node::new(3);
        three.hear(2, &Broadcast::Fork(fork).encode());
        assert_eq!((three.size(1), is_frozen(&three)), (0, true));
        settle([&mut two, &mut three]);
        assert_eq!(three.size(1), 20);
        assert_eq!(digest(&two), digest(&three));
        let view = View::new(example::charter(), &three.store);
        let agent = Did::parse("did:example:agent2").unwrap();
        assert!(matches!(view.agent(&agent, at(100)), AgentStanding::Retired { .. }));
    }

    #[test]
    fn a_restart_keeps_it_all() {
        let (mut first, mut second) = stories(4, vec![retire(1)], vec![retire(2)]);
        let (two, three) = believers(&mut first, &mut second);
        let mut again = Node::on(2, two.store.clone());
        let mut three = three;
        settle([&mut again, &mut three]);
        assert_eq!(digest(&again), digest(&three));
        let salvage = |node: &Node| Salvage::stored(did(1).as_str(), &node.store).unwrap();
        assert_eq!(salvage(&again), salvage(&two));
        assert_eq!(salvage(&again).names().count(), 2);
    }
}
