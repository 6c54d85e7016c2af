//! A node that starts signs nothing until another member has told what it knows of its log.

use super::*;

/// The store of a node of organization 1 with two entries.
fn begun() -> MemoryStore {
    let mut node = Node::new(1);
    node.publish(1, 0..2);
    node.store
}

fn load(config: Config, store: MemoryStore) -> Node {
    let replica = Replica::load(config, &store).unwrap();
    Node {
        number: 1,
        replica,
        store,
        now: at(2_000),
    }
}

#[test]
fn who_starts_signs_nothing_until_another_member_has_answered() {
    let mut node = Node::on(1, begun());
    node.now = at(2_000);
    assert!(!node.replica.is_settled());
    // Neither a publication nor a heartbeat, which is long due.
    assert_eq!(node.publish(2, 2..3), []);
    assert_eq!(node.run(Event::Tick), []);
    // What waited is published once somebody has answered.
    let mut friend = Node::new(2);
    let effects = node.meet(&mut friend);
    assert!(node.replica.is_settled());
    assert_eq!(acknowledged(&effects), [(2, 2, 1)]);
}

#[test]
fn who_waits_too_long_hears_why() {
    let mut node = Node::on(1, begun());
    node.publish(2, 2..3);
    node.now = at(1_000 + limits::UNSETTLED_SECONDS - 1);
    assert_eq!(refusals(&node.run(Event::Tick)), []);
    node.now = at(1_000 + limits::UNSETTLED_SECONDS);
    assert_eq!(refusals(&node.run(Event::Tick)), [(2, PublishError::Unsettled)]);
    // It is not the node that is broken.
    node.meet(&mut Node::new(3));
    assert_eq!(acknowledged(&node.publish(3, 2..3)), [(3, 2, 1)]);
}

#[test]
fn an_old_copy_catches_up_instead_of_telling_a_second_story() {
    let store = begun();
    let mut node = Node::on(1, store.clone());
    let mut friend = Node::new(2);
    node.meet(&mut friend);
    node.publish(2, 2..5);
    friend.meet(&mut node);
    let mut restored = Node::on(1, store);
    let effects = restored.publish(3, 9..10);
    assert_eq!(effects, []);
    let effects = restored.meet(&mut friend);
    // It knows now that there is more, and says so; once it has it all, it goes on.
    assert_eq!(refusals(&effects), [(3, PublishError::Behind { known: 5, held: 2 })]);
    assert_eq!(restored.size(1), 5);
    assert_eq!(acknowledged(&restored.publish(4, 9..10)), [(4, 5, 1)]);
    friend.meet(&mut restored);
    assert_eq!(friend.state(1).frontier, restored.state(1).frontier);
}

#[test]
fn who_lost_the_store_and_kept_the_keys_asks_first() {
    let mut node = Node::on(1, begun());
    let mut friend = Node::new(2);
    friend.meet(&mut node);
    let config = Config {
        published_before: true,
        ..config(1)
    };
    let mut emptied = load(config, MemoryStore::default());
    assert_eq!(emptied.publish(2, 9..10), []);
    let effects = emptied.meet(&mut friend);
    assert_eq!(refusals(&effects), [(2, PublishError::Behind { known: 2, held: 0 })]);
    assert_eq!(acknowledged(&emptied.publish(3, 9..10)), [(3, 2, 1)]);
}

#[test]
fn who_has_said_nothing_yet_or_takes_the_risk_need_not_ask() {
    let mut node = Node::new(1);
    assert_eq!(acknowledged(&node.publish(1, 0..1)).len(), 1);
    let alone = Config {
        sign_alone: true,
        ..config(1)
    };
    let mut node = load(alone, begun());
    assert_eq!(acknowledged(&node.publish(2, 2..3)), [(2, 2, 1)]);
}

#[test]
fn an_own_replica_and_a_refusal_do_not_count_as_an_answer() {
    let mut node = Node::on(1, begun());
    let effects = node.run(Event::Connected(peer(2)));
    let id = effects.iter().find_map(|effect| match effect {
        Effect::SendRequest { bytes, .. } => Some(crate::message::Ask::decode(bytes).unwrap().id()),
        _ => None,
    });
    let why = crate::message::Refusal::Unavailable;
    let bytes = Answer::Refused { id: id.unwrap(), why }.encode();
    node.run(Event::Response { from: peer(2), bytes });
    assert!(!node.replica.is_settled());
    let mut copy = Node::on(1, begun());
    node.meet(&mut copy);
    assert!(!node.replica.is_settled());
}

#[test]
fn a_longer_own_log_is_told_first() {
    let mut friend = Node::new(3);
    for number in [1, 2] {
        let all = entries(0..3);
        friend.hear(number, &news(&head_of(number, &all, at(900)), 0, &all));
    }
    let ask = crate::message::Ask::Compare {
        id: 1,
        charter: crate::message::ChainPoint::default(),
        logs: vec![],
        only: false,
    };
    for number in [1, 2] {
        let from = peer(number);
        let bytes = ask.encode();
        let effects = friend.run(Event::Request { from, token: 1, bytes });
        let notes = effects.iter().find_map(|effect| match effect {
            Effect::SendResponse { bytes, .. } => match Answer::decode(bytes).unwrap() {
                Answer::Heads { notes, .. } => Some(notes),
                _ => None,
            },
            _ => None,
        });
        assert!(notes.unwrap()[0].contains(did(number).as_str()));
    }
}
