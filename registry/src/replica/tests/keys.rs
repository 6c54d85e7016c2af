use super::*;
use crate::head::HeadError;
use crate::log_keys::{LogKeys, Rotation};
use crate::message::KnownRotation;

/// Seed of the log key of organization 1 after `n` rotations.
fn seed(n: u8) -> u8 {
    if n == 0 { 12 } else { 100 + n }
}

fn rotate(n: u8) -> NewLogKey {
    NewLogKey {
        key: Arc::new(key(seed(n))),
        next: key(seed(n + 1)).public_key().clone(),
        root: Arc::new(key(11)),
    }
}

/// A node of organization 1 with some statements, and then some rotations with a statement after each.
fn rotated(statements: u64, rotations: u8) -> Node {
    let mut node = Node::new(1);
    node.publish(1, 0..statements);
    for n in 1..=rotations {
        let ticket = 100 + u64::from(n);
        let effects = node.run(Event::Rotate { ticket, new: rotate(n) });
        let first = node.size(1) - 1;
        assert_eq!(acknowledged(&effects), [(ticket, first, 1)]);
        node.publish(u64::from(n) + 1, std::iter::once(1_000 + u64::from(n)));
    }
    node
}

/// The whole log of organization 1 as another holds it.
fn log_of(node: &Node) -> Vec<Vec<u8>> {
    crate::log::read_entries(did(1).as_str(), 0, node.size(1), usize::MAX, &node.store).unwrap()
}

/// A head of organization 1 by the key after `n` rotations.
fn head_by(n: u8, entries: &[Vec<u8>], time: Timestamp) -> Head {
    let mut frontier = crate::log::Frontier::default();
    for entry in entries {
        frontier.append(crate::log::leaf_hash(entry));
    }
    let origin = crate::head::origin(example::charter().id(), did(1).as_str());
    Head::sign(&origin, frontier.size(), &frontier.root(), &key(seed(n)), time).unwrap()
}

fn known_keys(node: &Node) -> LogKeys {
    let card = example::charter().member(did(1).as_str()).unwrap();
    crate::store::log_keys(example::charter().id(), card, &node.store).unwrap()
}

#[test]
fn a_rotation_is_a_statement_whose_own_head_the_new_key_signs() {
    let mut node = Node::new(1);
    node.publish(1, 0..3);
    let effects = node.run(Event::Rotate {
        ticket: 7,
        new: rotate(1),
    });
    assert_eq!(acknowledged(&effects), [(7, 3, 1)]);
    let news = the_news(&effects);
    let keys = known_keys(&node);
    assert_eq!(keys.rotations().len(), 1);
    assert_eq!(keys.rotations()[0].from, 4);
    let origin = crate::head::origin(example::charter().id(), did(1).as_str());
    assert!(keys.verify(&news.note, &origin).is_ok());
    assert_eq!(
        Head::verify(&news.note, &origin, key(12).public_key()),
        Err(HeadError::OtherKey)
    );
    assert_eq!(node.replica.log_key(&did(1)), Some(key(101).public_key()));

    // And a heartbeat, and a restart.
    node.now = at(2_000);
    let effects = node.run(Event::Tick);
    assert!(keys.verify(&the_news(&effects).note, &origin).is_ok());
    let mut wrong = config(1);
    wrong.me.as_mut().unwrap().other_keys = vec![Arc::new(key(102))];
    assert_eq!(
        Replica::load(wrong, &node.store).err(),
        Some(LoadError::WrongKey(did(1)))
    );
    let mut both = config(1);
    both.sign_alone = true;
    both.me.as_mut().unwrap().other_keys = vec![Arc::new(key(101))];
    let mut again = Node {
        replica: Replica::load(both, &node.store).unwrap(),
        ..node
    };
    assert_eq!(acknowledged(&again.publish(8, 50..51)), [(8, 4, 1)]);
}

#[test]
fn who_hears_of_a_rotation_with_its_entry_follows_at_once() {
    let mut node = Node::new(2);
    let mut owner = Node::new(1);
    let effects = owner.publish(1, 0..2);
    node.hear(1, &announcements(&effects)[0]);
    let effects = owner.run(Event::Rotate {
        ticket: 2,
        new: rotate(1),
    });
    assert_eq!(verdict(&node.hear(3, &announcements(&effects)[0])), Verdict::Accept);
    assert_eq!(node.size(1), 3);
    // A restart does not forget it.
    let mut node = Node::on(2, node.store);
    let effects = owner.publish(3, 10..11);
    assert_eq!(verdict(&node.hear(3, &announcements(&effects)[0])), Verdict::Accept);
}

#[test]
fn who_missed_a_rotation_blames_nobody_and_asks() {
    let owner = rotated(3, 1);
    let mut third = Node::new(3);
    third.meet(&mut { owner });
    let mut node = Node::new(2);
    let all = log_of_store(&third);
    let head = third.state(1).head.unwrap();
    let effects = node.hear(3, &news(&head, head.size(), &[]));
    assert_eq!(verdict(&effects), Verdict::Ignore);
    assert_eq!(penalties(&effects), []);
    // It was not connected: now it is, and gets rotation and entries.
    let effects = node.meet(&mut third);
    assert_eq!(penalties(&effects), []);
    assert_eq!(log_of_store(&node), all);
}

fn log_of_store(node: &Node) -> Vec<Vec<u8>> {
    log_of(node)
}

#[test]
fn many_rotations_are_caught_up_with() {
    let mut owner = rotated(300, 5);
    let mut node = Node::new(2);
    assert_eq!(penalties(&node.meet(&mut owner)), []);
    assert_eq!(log_of(&node), log_of(&owner));
    assert_eq!(known_keys(&node).rotations(), known_keys(&owner).rotations());
    // Of two that know the same nothing is told again.
    let effects = node.run(Event::Disconnected(peer(1)));
    assert_eq!(effects, []);
    let effects = node.run(Event::Connected(peer(1)));
    let Effect::SendRequest { bytes, .. } = &effects[0] else {
        panic!("{effects:?}")
    };
    let asked = Event::Request {
        from: peer(2),
        token: 0,
        bytes: bytes.clone(),
    };
    let answered = owner.run(asked);
    let Effect::SendResponse { bytes, .. } = &answered[0] else {
        panic!("{answered:?}")
    };
    assert!(
        matches!(Answer::decode(bytes), Ok(Answer::Heads { rotations, notes, .. }) if rotations.is_empty() && notes.is_empty())
    );
}

#[test]
fn a_rotation_travels_before_the_entries_and_is_kept_through_a_restart() {
    let mut owner = rotated(3, 1);
    let rotation = known_keys(&owner).rotations()[0].clone();
    let mut node = Node::new(2);
    let effects = node.run(Event::Connected(peer(1)));
    let Effect::SendRequest { bytes, .. } = &effects[0] else {
        panic!("{effects:?}")
    };
    let id = crate::message::Ask::decode(bytes).unwrap().id();
    let known = KnownRotation {
        organization: did(1).to_string(),
        rotation,
    };
    let answer = Answer::Heads {
        id,
        rotations: vec![known],
        notes: Vec::new(),
        forks: Vec::new(),
        cosigned: Vec::new(),
    };
    node.run(Event::Response {
        from: peer(1),
        bytes: answer.encode(),
    });
    assert_eq!(known_keys(&node).rotations().len(), 1);
    assert_eq!(node.size(1), 0);
    // So the thief of the old key is late also here.
    let mut node = Node::on(2, node.store);
    let stolen = entries(0..5);
    let effects = node.hear(3, &news(&head_by(0, &stolen, at(900)), 0, &stolen));
    assert_eq!((verdict(&effects), node.size(1)), (Verdict::Ignore, 0));
    node.meet(&mut owner);
    assert_eq!(log_of(&node), log_of(&owner));
}

#[test]
fn a_false_rotation_is_blamed_and_changes_nothing() {
    let owner = rotated(3, 1);
    let keys = known_keys(&Node::new(1));
    let good = known_keys(&owner).rotations()[0].clone();
    let mut forged = good.clone();
    forged.key = key(66).public_key().clone();
    let by_log_key = Rotation::sign(&keys, key(66).public_key(), 4, key(67).public_key(), &key(12)).unwrap();
    for (rotation, organization, blamed) in [
        (forged, did(1), 1),
        (by_log_key, did(1), 1),
        (good.clone(), did(2), 0),
        (good, did(1), 0),
    ] {
        let mut node = Node::new(2);
        let effects = node.run(Event::Connected(peer(3)));
        let Effect::SendRequest { bytes, .. } = &effects[0] else {
            panic!("{effects:?}")
        };
        let id = crate::message::Ask::decode(bytes).unwrap().id();
        let known = KnownRotation {
            organization: organization.to_string(),
            rotation,
        };
        let answer = Answer::Heads {
            id,
            rotations: vec![known],
            notes: Vec::new(),
            forks: Vec::new(),
            cosigned: Vec::new(),
        };
        let effects = node.run(Event::Response {
            from: peer(3),
            bytes: answer.encode(),
        });
        assert_eq!(penalties(&effects).len(), blamed);
    }
}

#[test]
fn a_failed_rotation_leaves_the_old_key() {
    let mut node = Node::new(1);
    node.publish(1, 0..3);
    let effects = node.handle(Event::Rotate {
        ticket: 2,
        new: rotate(1),
    });
    let [Effect::Persist { batch, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    let effects = node.run(Event::StoreFailed { batch: *batch });
    assert_eq!(refusals(&effects), [(2, PublishError::StoreFailed)]);
    assert_eq!(node.replica.log_key(&did(1)), Some(key(12).public_key()));
    let effects = node.publish(3, 10..11);
    let origin = crate::head::origin(example::charter().id(), did(1).as_str());
    assert!(Head::verify(&the_news(&effects).note, &origin, key(12).public_key()).is_ok());
    // Then it works, at another place.
    node.run(Event::Rotate {
        ticket: 4,
        new: rotate(1),
    });
    assert_eq!(known_keys(&node).rotations()[0].from, 5);
}

#[test]
fn a_rotation_that_others_would_refuse_is_refused() {
    let mut node = rotated(3, 1);
    let mut refused = |new| {
        let effects = node.run(Event::Rotate { ticket: 9, new });
        let [(9, why)] = &refusals(&effects)[..] else {
            panic!("{effects:?}")
        };
        why.clone()
    };
    use crate::log_keys::RotationError;
    assert_eq!(refused(rotate(3)), PublishError::Rotation(RotationError::Commitment));
    assert_eq!(refused(rotate(1)), PublishError::Rotation(RotationError::Order));
    let not_root = NewLogKey {
        root: Arc::new(key(12)),
        ..rotate(2)
    };
    assert_eq!(refused(not_root), PublishError::Rotation(RotationError::Proof));
    assert_eq!(acknowledged(&node.publish(10, 60..61)), [(10, 5, 1)]);
    assert_eq!(
        acknowledged(&node.run(Event::Rotate {
            ticket: 11,
            new: rotate(2)
        })),
        [(11, 6, 1)]
    );
}

#[test]
fn a_retired_key_accuses_nobody() {
    let mut owner = rotated(3, 1);
    let mut node = Node::new(2);
    node.meet(&mut owner);
    // Two heads of one size by the old key: a fork if the key were still in force.
    let (one, other) = (entries(0..6), entries(10..16));
    let branch = |entries: &[Vec<u8>]| {
        let head = head_by(0, entries, at(900));
        crate::fork::Branch {
            note: head.note().to_owned(),
            root: *head.root(),
            proof: Vec::new(),
        }
    };
    let fork = Fork {
        at: 6,
        one: branch(&one),
        other: branch(&other),
        rotations: Vec::new(),
        common: None,
    };
    assert!(
        fork.verify(example::charter()).is_ok(),
        "to who knows the charter alone"
    );
    let effects = node.hear(3, &Broadcast::Fork(fork.clone()).encode());
    assert_eq!((verdict(&effects), penalties(&effects).len()), (Verdict::Ignore, 0));
    assert!(!node.replica.tracks[&did(1)].frozen);
    // With the rotation in it, not even that.
    let rotations = known_keys(&owner).rotations().to_vec();
    let with = Fork { rotations, ..fork };
    assert!(with.verify(example::charter()).is_err());
    // Below the rotation the old key still accuses: it did tell two stories.
    let (one, other) = (entries(0..2), entries(10..12));
    let early = Fork {
        at: 2,
        one: branch(&one),
        other: branch(&other),
        rotations: Vec::new(),
        common: None,
    };
    assert_eq!(
        verdict(&node.hear(3, &Broadcast::Fork(early).encode())),
        Verdict::Accept
    );
}

#[test]
fn a_fork_by_the_new_key_is_proven_by_the_charter_alone() {
    let mut owner = rotated(3, 2);
    let mut node = Node::new(2);
    node.meet(&mut owner);
    let mut story = log_of(&owner);
    story.pop();
    story.extend(entries(70..72));
    let head = head_by(2, &story, at(1_900));
    node.now = at(2_000);
    let from = story.len() as u64 - 2;
    let effects = node.hear(3, &news(&head, from, &story[from as usize..]));
    assert_eq!(verdict(&effects), Verdict::Ignore);
    let head = head_by(2, &story[..story.len() - 1], at(1_901));
    let effects = node.hear(3, &news(&head, head.size(), &[]));
    let fork = effects.iter().find_map(|effect| match effect {
        Effect::Evidence { fork, .. } => Some(fork.clone()),
        _ => None,
    });
    let fork = fork.unwrap();
    assert_eq!(fork.rotations.len(), 2);
    assert_eq!(fork.verify(example::charter()), Ok(did(1)));
    assert_eq!(Fork::decode(&fork.encode()), Ok(fork));
}

#[test]
fn what_a_thief_got_in_before_the_rotation_was_heard_of_is_disowned() {
    let mut owner = rotated(3, 1);
    let mut node = Node::new(2);
    let stolen = entries(0..6);
    let effects = node.hear(3, &news(&head_by(0, &stolen, at(900)), 0, &stolen));
    assert_eq!(verdict(&effects), Verdict::Accept, "nobody can know better");
    node.meet(&mut owner);
    assert!(node.replica.tracks[&did(1)].disowned);
    // Nothing more is taken or told of that log, so what is known of it grows old; a restart changes nothing.
    let mut node = Node::on(2, node.store);
    assert!(node.replica.tracks[&did(1)].disowned);
    let longer = entries(0..7);
    let effects = node.hear(3, &news(&head_by(0, &longer, at(950)), 6, &longer[6..]));
    assert_eq!((verdict(&effects), node.size(1)), (Verdict::Ignore, 6));
    let ask = crate::message::Ask::Pull {
        id: 7,
        organization: did(1).to_string(),
        from: 0,
    };
    let effects = node.run(Event::Request {
        from: peer(3),
        token: 1,
        bytes: ask.encode(),
    });
    let Effect::SendResponse { bytes, .. } = &effects[0] else {
        panic!("{effects:?}")
    };
    assert!(matches!(Answer::decode(bytes), Ok(Answer::Refused { .. })));
}

#[test]
fn two_rotations_of_one_key_close_the_log() {
    let mut owner = rotated(3, 1);
    let mut node = Node::new(2);
    node.meet(&mut owner);
    let keys = known_keys(&Node::new(1));
    let other = Rotation::sign(&keys, key(77).public_key(), 9, key(78).public_key(), &key(11)).unwrap();
    let effects = node.run(Event::Disconnected(peer(3)));
    assert_eq!(effects, []);
    let effects = node.run(Event::Connected(peer(3)));
    let Effect::SendRequest { bytes, .. } = &effects[0] else {
        panic!("{effects:?}")
    };
    let id = crate::message::Ask::decode(bytes).unwrap().id();
    let known = KnownRotation {
        organization: did(1).to_string(),
        rotation: other,
    };
    let answer = Answer::Heads {
        id,
        rotations: vec![known],
        notes: Vec::new(),
        forks: Vec::new(),
        cosigned: Vec::new(),
    };
    let effects = node.run(Event::Response {
        from: peer(3),
        bytes: answer.encode(),
    });
    assert_eq!(penalties(&effects), [], "whoever tells it may be honest");
    assert!(node.replica.tracks[&did(1)].disowned);
}

/// P20, first half: whatever the old key signs after a rotation, no node that knows of the rotation takes it. Each case is
/// a place of the rotation, how far behind the node is, and what the thief makes of it.
#[test]
fn twenty_thefts_of_an_old_key() {
    let mut cases = 0;
    for rotations in [1_u8, 3] {
        for behind in [0, 2] {
            for theft in 0..5 {
                let mut owner = rotated(4, rotations);
                let mut node = Node::new(2);
                node.meet(&mut owner);
                let truth = log_of(&owner);
                owner.publish(50, 500..500 + behind);
                let known = known_keys(&node);
                let size = truth.len();
                let mut story = truth.clone();
                match theft {
                    // It adds to the log as the node has it; says it anew; replaces the rotation and all after it; cuts it
                    // off just after the rotation; or adds very much.
                    0 => story.extend(entries(90..91)),
                    1 => {}
                    2 => {
                        story.truncate(4);
                        story.extend(entries(90..99));
                    }
                    3 => story.truncate(5),
                    _ => story.extend(entries(200..400)),
                }
                let thieves: Vec<u8> = (0..rotations).collect();
                node.now = at(1_500);
                for thief in thieves {
                    let head = head_by(thief, &story, at(1_400));
                    let from = story.len().min(size);
                    let effects = node.hear(3, &news(&head, from as u64, &story[from..]));
                    // A head that the old key may sign, of a size below the rotation, is no news.
                    assert_eq!(verdict(&effects), Verdict::Ignore);
                    assert_eq!(penalties(&effects), []);
                    assert_eq!(log_of(&node), truth);
                    assert_eq!(known_keys(&node), known);
                    assert!(!node.replica.tracks[&did(1)].is_closed());
                }
                // The twin: the true key at the same place is heard.
                node.meet(&mut owner);
                assert_eq!(log_of(&node), log_of(&owner));
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 20);
}
