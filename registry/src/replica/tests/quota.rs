//! A member that publishes without end, and the others, who are served all the same.

use super::*;

/// So many broadcasts of one organization, one after the other.
fn broadcasts(author: &mut Node, count: u64) -> Vec<Vec<u8>> {
    let published = (0..count).map(|number| author.publish(number, number..number + 1));
    published
        .map(|effects| announcements(&effects).pop().unwrap())
        .collect()
}

#[test]
fn a_flood_of_true_heads_is_cut_off_and_neither_its_relay_nor_others_suffer() {
    let (mut flooder, mut honest, mut reader) = (Node::new(1), Node::new(3), Node::new(2));
    let burst = limits::NEWS_BURST.cast_unsigned();
    let rate = limits::NEWS_PER_SECOND as usize;
    let flood = broadcasts(&mut flooder, burst + 50);
    // Handed on by hospital 3, which had the same quota and did not know better.
    let mut verdicts = Vec::new();
    for bytes in &flood {
        let effects = reader.hear(3, bytes);
        assert_eq!(penalties(&effects), []);
        verdicts.push(verdict(&effects));
    }
    let (taken, ignored) = verdicts.split_at(burst as usize);
    assert!(taken.iter().all(|verdict| *verdict == Verdict::Accept));
    assert!(ignored.iter().all(|verdict| *verdict == Verdict::Ignore));
    assert_eq!(reader.size(1), burst);
    // An honest member in the same second.
    for bytes in broadcasts(&mut honest, 20) {
        assert_eq!(verdict(&reader.hear(3, &bytes)), Verdict::Accept);
    }
    assert_eq!(reader.size(3), 20);
    // A second later so many more, and what was left out is pulled.
    reader.now = at(1_001);
    let again: Vec<Verdict> = flood
        .iter()
        .skip(burst as usize)
        .map(|bytes| verdict(&reader.hear(3, bytes)))
        .collect();
    assert_eq!(
        again.iter().filter(|verdict| **verdict == Verdict::Accept).count(),
        rate
    );
    reader.meet(&mut flooder);
    assert_eq!(reader.state(1), flooder.state(1));
}

#[test]
fn false_heads_use_up_nobodys_quota() {
    let mut reader = Node::new(2);
    let origin = crate::head::origin(example::charter().id(), did(1).as_str());
    for second in 0..limits::NEWS_BURST + 1 {
        let forged = Head::sign(&origin, 0, &crate::log::EMPTY_ROOT, &key(32), at(second - 1_000)).unwrap();
        reader.hear(3, &news(&forged, 0, &[]));
    }
    let mut author = Node::new(1);
    let bytes = broadcasts(&mut author, 1).pop().unwrap();
    assert_eq!(verdict(&reader.hear(1, &bytes)), Verdict::Accept);
}

#[test]
fn between_pieces_of_a_long_log_others_are_served() {
    let (mut flooder, mut honest, mut reader) = (Node::new(1), Node::new(3), Node::new(2));
    for ticket in 0..8 {
        flooder.publish(ticket, ticket * 256..(ticket + 1) * 256);
    }
    honest.publish(1, 0..3);
    flooder.meet(&mut honest);
    // Hospital 1 holds both logs, and answers one question at a time.
    let mut open = reader.run(Event::Connected(peer(1)));
    let mut served = None;
    for turn in 0..20 {
        let Some(at) = open
            .iter()
            .position(|effect| matches!(effect, Effect::SendRequest { .. }))
        else {
            break;
        };
        let Effect::SendRequest { bytes, .. } = open.remove(at) else {
            break;
        };
        let asked = Event::Request {
            from: peer(2),
            token: 0,
            bytes,
        };
        for effect in flooder.run(asked) {
            if let Effect::SendResponse { bytes, .. } = effect {
                let from = peer(1);
                open.extend(reader.run(Event::Response { from, bytes }));
            }
        }
        if served.is_none() && reader.size(3) == 3 {
            served = Some(turn);
        }
    }
    assert!(served.is_some_and(|turn| turn <= 3), "{served:?}");
    // And the long one is caught up with all the same.
    assert_eq!(reader.size(1), 8 * 256);
}

#[test]
fn who_has_been_asked_enough_is_asked_again_a_second_later() {
    let (mut author, mut reader) = (Node::new(1), Node::new(2));
    author.publish(1, 0..3);
    let effects = reader.run(Event::Connected(peer(1)));
    let [Effect::SendRequest { bytes, .. }] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    let heads = author.run(Event::Request {
        from: peer(2),
        token: 0,
        bytes: bytes.clone(),
    });
    let response = |bytes: Vec<u8>| Event::Response { from: peer(1), bytes };
    let answer = heads.iter().find_map(|effect| match effect {
        Effect::SendResponse { bytes, .. } => Some(bytes.clone()),
        _ => None,
    });
    let effects = reader.run(response(answer.unwrap()));
    let pull = effects.iter().find_map(|effect| match effect {
        Effect::SendRequest { bytes, .. } => Some(crate::message::Ask::decode(bytes).unwrap()),
        _ => None,
    });
    let busy = Answer::Refused {
        id: pull.unwrap().id(),
        why: crate::message::Refusal::Busy,
    };
    assert_eq!(asks(&reader.run(response(busy.encode()))), 0);
    reader.now = at(1_001);
    let effects = reader.run(Event::Tick);
    reader.talk(&mut author, effects);
    assert_eq!(reader.size(1), 3);
}
