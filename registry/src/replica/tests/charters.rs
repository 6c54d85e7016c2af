//! Charter versions: heard, stored, acted on.

use super::*;
use crate::charter::{Charter, Founding, MemberCard, SignedCharter};
use crate::message::{Ask, ChainPoint};
use crate::view::View;

fn root(n: u8) -> syndic_vc::key::SecretKey {
    key(10 * n + 1)
}

fn cards(members: &[u8]) -> Vec<MemberCard> {
    members.iter().map(|n| example::card(*n)).collect()
}

/// The version after `before` with these members, signed by these.
fn version_of(before: &Charter, cards: Vec<MemberCard>, by: &[u8]) -> SignedCharter {
    let mut next = Founding {
        members: cards,
        created: at(1),
        ..example::founding(1)
    };
    next.rules.threshold = u32::try_from(next.members.len() / 2 + 1).unwrap();
    next.rules.witnesses = 0;
    next.rules.endorsements = 1;
    let mut signed = SignedCharter::propose(before, &next).unwrap();
    for n in by {
        signed.sign(&did(*n), &root(*n)).unwrap();
    }
    signed
}

fn version(before: &Charter, members: &[u8], by: &[u8]) -> SignedCharter {
    version_of(before, cards(members), by)
}

fn admission() -> SignedCharter {
    version(example::charter(), &[1, 2, 3, 4], &[1, 2, 4])
}

fn broadcast(signed: &SignedCharter) -> Vec<u8> {
    Broadcast::Charter(signed.to_bytes()).encode()
}

/// A node that knows these versions from the start, as if it had been invited.
fn invited(number: u8, versions: &[&SignedCharter]) -> Node {
    let mut chain = CharterChain::new(example::charter().clone()).unwrap();
    for version in versions {
        chain.take(version).unwrap();
    }
    let mut store = MemoryStore::default();
    store.write(&chain.rows());
    let stored = CharterChain::stored(&store).unwrap().unwrap();
    assert_eq!(stored, chain);
    Node::with(
        Config {
            charter: stored,
            ..config(number)
        },
        number,
        store,
    )
}

fn restarted(node: Node) -> Node {
    let charter = CharterChain::stored(&node.store).unwrap().unwrap();
    Node::with(
        Config {
            charter,
            ..config(node.number)
        },
        node.number,
        node.store,
    )
}

fn adopted(effects: &[Effect]) -> Vec<&CharterChain> {
    let chains = effects.iter().filter_map(|effect| match effect {
        Effect::Charter(chain) => Some(&**chain),
        _ => None,
    });
    chains.collect()
}

#[test]
fn a_version_is_acted_on_once_it_is_stored() {
    let mut node = invited(1, &[]);
    let effects = node.handle(Event::Announced {
        from: peer(2),
        token: 1,
        bytes: broadcast(&admission()),
    });
    assert_eq!(verdict(&effects), Verdict::Accept);
    assert!(adopted(&effects).is_empty() && announcements(&effects).is_empty());
    assert!(!node.replica.peers.is_member(&peer(4)));
    let effects = node.store(&effects);
    assert_eq!(adopted(&effects)[0].current().members().len(), 4);
    assert_eq!(announcements(&effects), [broadcast(&admission())]);
    assert!(node.replica.peers.is_member(&peer(4)));
    // The newcomer's log is followed at once, and after a restart.
    let news = |time| the_message(&head_of(4, &[], at(time)));
    assert_eq!(verdict(&node.hear(2, &news(900))), Verdict::Accept);
    let mut node = restarted(node);
    assert_eq!(verdict(&node.hear(4, &news(950))), Verdict::Accept);
    assert_eq!(verdict(&node.hear(2, &broadcast(&admission()))), Verdict::Ignore);
}

fn the_message(head: &Head) -> Vec<u8> {
    Broadcast::News(News {
        note: head.note().to_owned(),
        from: head.size(),
        entries: Vec::new(),
    })
    .encode()
}

#[test]
fn what_is_not_valid_is_the_senders_fault_and_what_is_not_known_nobodys() {
    let mut node = invited(1, &[]);
    let few = version(example::charter(), &[1, 2, 3, 4], &[1, 4]);
    let effects = node.hear(2, &broadcast(&few));
    assert_eq!(verdict(&effects), Verdict::Reject);
    assert!(matches!(penalties(&effects)[..], [(_, Misbehaviour::Charter(_))]));
    assert!(adopted(&effects).is_empty());
    // A head of somebody whom a later charter may have admitted.
    let effects = node.hear(2, &the_message(&head_of(4, &[], at(900))));
    assert_eq!(verdict(&effects), Verdict::Ignore);
    assert_eq!(penalties(&effects), []);
    // A version whose predecessor is not known here is asked for.
    node.run(Event::Connected(peer(2)));
    let mut chain = CharterChain::new(example::charter().clone()).unwrap();
    chain.take(&admission()).unwrap();
    let later = version(chain.current(), &[1, 2, 4], &[1, 2, 4]);
    let effects = node.hear(2, &broadcast(&later));
    assert_eq!(verdict(&effects), Verdict::Ignore);
    assert_eq!(asks(&effects), 1);
    assert_eq!(penalties(&effects), []);
}

#[test]
fn who_is_behind_catches_up_when_chains_are_compared() {
    let mut chain = CharterChain::new(example::charter().clone()).unwrap();
    let first = admission();
    chain.take(&first).unwrap();
    let second = version(chain.current(), &[1, 2, 4], &[1, 2, 4]);
    let mut ahead = invited(2, &[&first, &second]);
    let mut behind = invited(1, &[]);
    // Asked by who is behind, the one ahead asks back, and is asked for what is missing.
    ahead.run(Event::Connected(peer(1)));
    behind.run(Event::Connected(peer(2)));
    let ask = Ask::Compare {
        id: 9,
        charter: ahead.replica.chain_point(),
        logs: Vec::new(),
        only: false,
    };
    let effects = behind.run(Event::Request {
        from: peer(2),
        token: 1,
        bytes: ask.encode(),
    });
    behind.talk(&mut ahead, effects);
    assert_eq!(behind.replica.chain(), ahead.replica.chain());
    assert_eq!(
        CharterChain::stored(&behind.store).unwrap().as_ref(),
        Some(ahead.replica.chain())
    );
    assert_eq!(behind.replica.chain().current().removed_by(did(3).as_str()), Some(3));
}

#[test]
fn who_is_removed_speaks_no_longer() {
    let mut node = invited(1, &[]);
    let mut third = invited(3, &[]);
    let entries: Vec<Vec<u8>> = vec![agent(1).to_bytes().unwrap()];
    let head = head_of(3, &entries, at(900));
    let news = Broadcast::News(News {
        note: head.note().to_owned(),
        from: 0,
        entries: entries.clone(),
    })
    .encode();
    assert_eq!(verdict(&node.hear(3, &news)), Verdict::Accept);
    let removal = version(example::charter(), &[1, 2], &[1, 2]);
    node.hear(2, &broadcast(&removal));
    let effects = node.hear(2, &the_message(&head_of(3, &entries, at(950))));
    assert_eq!(verdict(&effects), Verdict::Ignore);
    let effects = node.hear(3, &the_message(&head_of(3, &entries, at(950))));
    assert_eq!(penalties(&effects), [(peer(3), Misbehaviour::NotMember)]);
    // What it said stays, and is nobody's word.
    assert_eq!(node.size(3), 1);
    let view = View::new(node.replica.chain().current(), &node.store);
    assert_eq!(view.registrations("did:example:agent1").unwrap(), []);
    // Its own node says so, also after a restart.
    third.hear(2, &broadcast(&removal));
    let refused = |node: &mut Node| refusals(&node.publish(7, 0..1));
    assert_eq!(refused(&mut third), [(7, PublishError::Removed)]);
    let mut third = restarted(third);
    assert_eq!(refused(&mut third), [(7, PublishError::Removed)]);
    // Its twin that stays goes on.
    assert_eq!(acknowledged(&node.publish(8, 0..1)).len(), 1);
}

/// A member hands on two heads of hospital 2, the second while the first is being stored.
fn second_of_two(between: impl FnOnce(&mut Node)) -> Vec<Effect> {
    let mut node = invited(1, &[]);
    let one = entries(1..2);
    let two = entries(1..3);
    let told = |token, bytes| Event::Announced {
        from: peer(3),
        token,
        bytes,
    };
    let first = node.handle(told(1, news(&head_of(2, &one, at(900)), 0, &one)));
    assert_eq!(verdict(&first), Verdict::Accept);
    let waits = node.handle(told(2, news(&head_of(2, &two, at(950)), 1, &two[1..])));
    assert!(waits.is_empty(), "{waits:?}");
    between(&mut node);
    node.store(&first)
}

#[test]
fn who_is_removed_while_its_message_waits_is_not_taken_for_one_that_floods() {
    let effects = second_of_two(|node| {
        node.hear(2, &broadcast(&version(example::charter(), &[1, 2], &[1, 2])));
        assert!(!node.replica.peers.is_member(&peer(3)));
    });
    assert_eq!((verdict(&effects), penalties(&effects)), (Verdict::Ignore, vec![]));
    // Its twin that stays is heard.
    let effects = second_of_two(|_| {});
    assert_eq!((verdict(&effects), penalties(&effects)), (Verdict::Accept, vec![]));
}

#[test]
fn two_versions_of_one_number_are_kept_and_neither_acted_on() {
    let one = version(example::charter(), &[1, 2], &[1, 2]);
    let other = version(example::charter(), &[1, 3], &[1, 3]);
    let mut node = invited(1, &[&one]);
    let effects = node.hear(2, &broadcast(&other));
    assert_eq!(verdict(&effects), Verdict::Accept);
    let chain = adopted(&effects)[0];
    assert_eq!(chain.current(), example::charter());
    assert_eq!(chain.conflict().unwrap().signed_twice(), [did(1)]);
    let mut told: Vec<Vec<u8>> = announcements(&effects);
    told.sort();
    let mut both = vec![broadcast(&one), broadcast(&other)];
    both.sort();
    assert_eq!(told, both);
    // Others learn of it when chains are compared, whichever they hold.
    for held in [vec![&one], vec![&other], vec![]] {
        let mut second = invited(2, &held);
        second.run(Event::Connected(peer(1)));
        let ask = Ask::Compare {
            id: 9,
            charter: node.replica.chain_point(),
            logs: Vec::new(),
            only: false,
        };
        let effects = second.run(Event::Request {
            from: peer(1),
            token: 1,
            bytes: ask.encode(),
        });
        second.talk(&mut node, effects);
        assert_eq!(second.replica.chain(), node.replica.chain(), "{}", held.len());
    }
    let node = restarted(node);
    assert_eq!(
        node.replica.chain().conflict().map(|conflict| conflict.version()),
        Some(2)
    );
}

#[test]
fn a_published_version_is_acknowledged_or_refused_with_the_reason() {
    let mut node = invited(1, &[]);
    let run = |node: &mut Node, signed| node.run(Event::Charter { ticket: 5, signed });
    let few = version(example::charter(), &[1, 2], &[1]);
    let effects = run(&mut node, few);
    assert!(matches!(
        refusals(&effects)[..],
        [(5, PublishError::Charter(ChainError::TooFew { .. }))]
    ));
    assert_eq!(acknowledged(&run(&mut node, admission())), [(5, 2, 1)]);
    assert_eq!(
        refusals(&run(&mut node, admission())),
        [(5, PublishError::CharterKnown)]
    );
}

#[test]
fn what_the_disk_refuses_is_tried_again() {
    let mut node = invited(1, &[]);
    let effects = node.handle(Event::Charter {
        ticket: 5,
        signed: admission(),
    });
    let Some(Effect::Persist { batch, content, .. }) = effects.first() else {
        panic!("{effects:?}");
    };
    // Said to have failed, and stored all the same.
    assert!(node.store.apply(content));
    let effects = node.run(Event::StoreFailed { batch: *batch });
    assert_eq!(adopted(&effects).len(), 1);
    assert_eq!(acknowledged(&node.run(Event::Tick)), [(5, 2, 1)]);
    // Not stored.
    let mut node = invited(1, &[]);
    node.handle(Event::Charter {
        ticket: 5,
        signed: admission(),
    });
    assert!(adopted(&node.run(Event::StoreFailed { batch: *batch })).is_empty());
    let effects = node.run(Event::Tick);
    assert_eq!((adopted(&effects).len(), acknowledged(&effects).len()), (1, 1));
}

#[test]
fn a_replaced_log_key_is_the_one_that_counts() {
    let mut node = invited(1, &[]);
    let old = example::card(3);
    let log = key(99);
    let endpoints = crate::charter::Endpoints::default();
    let card = MemberCard::sign(
        old.did(),
        old.name(),
        log.public_key(),
        old.peer_ids(),
        &endpoints,
        &root(3),
    );
    let changed = version_of(
        example::charter(),
        vec![example::card(1), example::card(2), card.unwrap()],
        &[1, 2],
    );
    node.hear(2, &broadcast(&changed));
    let origin = crate::head::origin(example::charter().id(), did(3).as_str());
    let signed = |key: &syndic_vc::key::SecretKey| {
        the_message(&Head::sign(&origin, 0, &crate::log::EMPTY_ROOT, key, at(900)).unwrap())
    };
    // Who has not heard of it yet is not to blame.
    let effects = node.hear(2, &signed(&key(32)));
    assert_eq!((verdict(&effects), penalties(&effects)), (Verdict::Ignore, vec![]));
    assert_eq!(verdict(&node.hear(2, &signed(&log))), Verdict::Accept);
    // And the other way round.
    let mut late = invited(1, &[]);
    let effects = late.hear(2, &signed(&log));
    assert_eq!((verdict(&effects), penalties(&effects)), (Verdict::Ignore, vec![]));
    assert_eq!(verdict(&late.hear(2, &signed(&key(32)))), Verdict::Accept);
}

#[test]
fn nonsense_about_chains_harms_nobody() {
    let mut node = invited(1, &[&admission()]);
    node.run(Event::Connected(peer(2)));
    for (version, hash, conflict) in [
        (0, "", false),
        (u32::MAX - 1, "zQm", true),
        (2, "x", false),
        (1, "", true),
    ] {
        let charter = ChainPoint {
            version,
            hash: hash.to_owned(),
            conflict,
        };
        let ask = Ask::Compare {
            id: 1,
            charter,
            logs: Vec::new(),
            only: false,
        };
        let effects = node.run(Event::Request {
            from: peer(2),
            token: 1,
            bytes: ask.encode(),
        });
        assert_eq!(penalties(&effects), []);
    }
    for from in [0, 1, 2, 3, u32::MAX - 1] {
        let ask = Ask::Charters { id: 3, from };
        let effects = node.run(Event::Request {
            from: peer(2),
            token: 1,
            bytes: ask.encode(),
        });
        let sent = effects.iter().find_map(|effect| match effect {
            Effect::SendResponse { bytes, .. } => Some(Answer::decode(bytes).unwrap()),
            _ => None,
        });
        let expected = if from <= 2 {
            vec![admission().to_bytes()]
        } else {
            vec![]
        };
        assert_eq!(
            sent,
            Some(Answer::Charters {
                id: 3,
                versions: expected
            })
        );
    }
}
