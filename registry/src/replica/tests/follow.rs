use super::*;
use crate::log;
use crate::message::{Ask, Piece};
use crate::note::{self, Note};
use crate::view::View;

#[test]
fn news_that_follow_are_taken_once() {
    let (mut author, mut reader) = (Node::new(1), Node::new(2));
    let first = announcements(&author.publish(1, 0..2)).pop().unwrap();
    let second = announcements(&author.publish(2, 2..3)).pop().unwrap();
    assert_eq!(verdict(&reader.hear(1, &first)), Verdict::Accept);
    // From somebody else, the same: no matter.
    assert_eq!(verdict(&reader.hear(3, &first)), Verdict::Ignore);
    assert_eq!(verdict(&reader.hear(3, &second)), Verdict::Accept);
    assert_eq!(verdict(&reader.hear(1, &first)), Verdict::Ignore);
    assert_eq!(reader.state(1), author.state(1));
    let entry = log::read_entry(did(1).as_str(), 2, &reader.store).unwrap();
    assert_eq!(entry, Some(entries(2..3).remove(0)));
    let view = View::new(example::charter(), &reader.store);
    assert_eq!(view.agents(did(1).as_str(), None, 9).unwrap().len(), 3);
}

#[test]
fn news_that_overlap_are_taken_from_where_the_log_ends() {
    let mut reader = Node::new(2);
    let head = head_of(1, &entries(0..2), at(900));
    assert_eq!(
        verdict(&reader.hear(1, &news(&head, 0, &entries(0..2)))),
        Verdict::Accept
    );
    let head = head_of(1, &entries(0..4), at(900));
    assert_eq!(
        verdict(&reader.hear(1, &news(&head, 1, &entries(1..4)))),
        Verdict::Accept
    );
    assert_eq!(reader.size(1), 4);
}

#[test]
fn after_a_gap_the_rest_is_asked_for() {
    let (mut author, mut reader) = (Node::new(1), Node::new(2));
    reader.run(Event::Connected(peer(1)));
    author.publish(1, 0..2);
    let second = announcements(&author.publish(2, 2..3)).pop().unwrap();
    let effects = reader.hear(1, &second);
    assert_eq!(verdict(&effects), Verdict::Ignore);
    assert_eq!((asks(&effects), penalties(&effects).len(), reader.size(1)), (1, 0, 0));
    let effects = reader.talk(&mut author, effects);
    assert_eq!(penalties(&effects), []);
    assert_eq!(reader.state(1), author.state(1));
}

#[test]
fn messages_wait_while_their_log_is_being_stored() {
    let (mut author, mut reader) = (Node::new(1), Node::new(2));
    let heard: Vec<_> = (0..4)
        .flat_map(|n| announcements(&author.publish(n, n..n + 1)))
        .map(|bytes| Event::Announced {
            from: peer(1),
            token: 1,
            bytes,
        })
        .collect();
    let first = reader.handle(heard[0].clone());
    for event in &heard[1..] {
        assert_eq!(reader.handle(event.clone()), []);
    }
    let (mut effects, mut stored) = (first, 0);
    while !effects.is_empty() {
        let after = reader.store(&effects);
        stored += usize::from(!after.is_empty());
        effects = after;
    }
    assert_eq!((stored, reader.size(1)), (3, 4));
    assert_eq!(reader.replica.waiting_bytes, 0);
}

#[test]
fn no_more_wait_than_there_is_room_for() {
    let (mut author, mut reader) = (Node::new(1), Node::new(2));
    let heard = |bytes| Event::Announced {
        from: peer(1),
        token: 1,
        bytes,
    };
    let first = announcements(&author.publish(0, 0..1)).pop().unwrap();
    reader.handle(heard(first));
    for number in 1..=limits::WAITING_MESSAGES as u64 {
        let bytes = announcements(&author.publish(number, number..number + 1))
            .pop()
            .unwrap();
        assert_eq!(reader.handle(heard(bytes)), []);
    }
    let last = announcements(&author.publish(999, 999..1_000)).pop().unwrap();
    assert_eq!(verdict(&reader.handle(heard(last))), Verdict::Ignore);
}

#[test]
fn a_head_must_be_signed_by_its_log() {
    let mut reader = Node::new(2);
    let all = entries(0..1);
    let mut frontier = log::Frontier::default();
    frontier.append(log::leaf_hash(&all[0]));
    let origin = crate::head::origin(example::charter().id(), did(1).as_str());
    let forged = Head::sign(&origin, 1, &frontier.root(), &key(32), at(900)).unwrap();
    // Another key may be one that the log's owner rotated to: nothing is taken, and nobody blamed.
    let effects = reader.hear(3, &news(&forged, 0, &all));
    assert_eq!((verdict(&effects), penalties(&effects)), (Verdict::Ignore, Vec::new()));
    // What claims to be by the log key, and is not, is false.
    let mut labelled = Note::parse(forged.note()).unwrap();
    for (line, kind) in labelled
        .signatures
        .iter_mut()
        .zip([note::TYPE_ED25519, note::TYPE_COSIGNATURE])
    {
        line.id = note::key_id(&origin, kind, key(12).public_key().as_bytes());
    }
    let mislabelled = News {
        note: labelled.to_string(),
        from: 0,
        entries: all.clone(),
    };
    let effects = reader.hear(3, &Broadcast::News(mislabelled).encode());
    assert_eq!(verdict(&effects), Verdict::Reject);
    assert!(matches!(&penalties(&effects)[..], [(who, Misbehaviour::Head(_))] if *who == peer(3)));

    let origin = crate::head::origin("zQmOther", did(1).as_str());
    let foreign = Head::sign(&origin, 1, &frontier.root(), &key(12), at(900)).unwrap();
    let effects = reader.hear(3, &news(&foreign, 0, &all));
    assert_eq!(penalties(&effects), [(peer(3), Misbehaviour::WrongLog)]);
    assert_eq!(reader.size(1), 0);
}

#[test]
fn a_head_and_its_entries_must_end_together() {
    let mut reader = Node::new(2);
    let head = head_of(1, &entries(0..3), at(900));
    for (from, some) in [(0, entries(0..2)), (2, entries(0..2)), (4, Vec::new())] {
        let effects = reader.hear(1, &news(&head, from, &some));
        assert_eq!(verdict(&effects), Verdict::Reject);
        assert!(matches!(penalties(&effects)[..], [(_, Misbehaviour::Inconsistent(_))]));
    }
}

#[test]
fn who_bends_entries_is_found_out_when_the_true_ones_come() {
    let (mut author, mut reader) = (Node::new(1), Node::new(2));
    let mut bent = the_news(&author.publish(1, 0..2));
    bent.entries.swap(0, 1);
    let effects = reader.hear(3, &Broadcast::News(bent).encode());
    assert_eq!(verdict(&effects), Verdict::Ignore);
    assert_eq!(penalties(&effects), []);
    assert_eq!(reader.size(1), 0);
    let effects = reader.meet(&mut author);
    assert_eq!(penalties(&effects), [(peer(3), Misbehaviour::TamperedNews)]);
    assert_eq!(reader.state(1), author.state(1));
}

#[test]
fn a_newer_time_of_the_same_head_is_kept_and_an_older_not() {
    let mut reader = Node::new(2);
    let all = entries(0..2);
    let time = |reader: &Node| reader.state(1).head.unwrap().time();
    reader.hear(1, &news(&head_of(1, &all, at(500)), 0, &all));
    let beat = |seconds| news(&head_of(1, &all, at(seconds)), 2, &[]);
    assert_eq!(verdict(&reader.hear(1, &beat(600))), Verdict::Accept);
    assert_eq!(time(&reader), at(600));
    assert_eq!(verdict(&reader.hear(1, &beat(550))), Verdict::Ignore);
    assert_eq!(time(&reader), at(600));
    // Clocks differ a little, not more.
    let early = 1_000 + limits::FUTURE_SECONDS;
    assert_eq!(verdict(&reader.hear(1, &beat(early + 1))), Verdict::Ignore);
    assert_eq!(verdict(&reader.hear(1, &beat(early))), Verdict::Accept);
}

#[test]
fn a_long_log_comes_in_pieces_from_whoever_has_it() {
    let mut author = Node::new(1);
    for ticket in 0..3 {
        author.publish(ticket, ticket * 250..(ticket + 1) * 250);
    }
    let mut friend = Node::new(3);
    friend.meet(&mut author);
    assert_eq!(friend.state(1), author.state(1));

    // One piece from the author, then a restart, then the rest from somebody else.
    let mut reader = Node::new(2);
    let compare = reader.run(Event::Connected(peer(1)));
    let pull = one_round(&mut reader, &mut author, compare);
    one_round(&mut reader, &mut author, pull);
    assert_eq!(reader.size(1), 256);
    assert_eq!(reader.state(1).head, None);
    let mut reader = Node::on(2, reader.store);
    let effects = reader.meet(&mut friend);
    assert_eq!(penalties(&effects), []);
    assert_eq!(reader.state(1), author.state(1));
    let digest = |node: &Node| View::new(example::charter(), &node.store).digest().unwrap();
    assert_eq!(digest(&reader), digest(&author));
}

/// Asks what is to be asked, once; gives what comes of the answers.
fn one_round(reader: &mut Node, author: &mut Node, effects: Vec<Effect>) -> Vec<Effect> {
    let mut after = Vec::new();
    for effect in effects {
        let Effect::SendRequest { bytes, .. } = effect else {
            continue;
        };
        let from = peer(reader.number);
        for effect in author.run(Event::Request { from, token: 0, bytes }) {
            if let Effect::SendResponse { bytes, .. } = effect {
                let from = peer(author.number);
                after.extend(reader.run(Event::Response { from, bytes }));
            }
        }
    }
    after
}

/// A piece as an honest node would give it, bent, and what the reader makes of it.
fn bent_piece(bend: impl Fn(&mut Piece)) -> Vec<(Peer, Misbehaviour)> {
    let (mut author, mut reader) = (Node::new(1), Node::new(2));
    let first = announcements(&author.publish(0, 0..3)).pop().unwrap();
    reader.hear(1, &first);
    for ticket in 1..3 {
        author.publish(ticket, ticket * 300..ticket * 300 + 200);
    }
    let before = reader.state(1);
    let compare = reader.run(Event::Connected(peer(1)));
    let pull = one_round(&mut reader, &mut author, compare);
    let [Effect::SendRequest { bytes, .. }] = &pull[..] else {
        panic!("{pull:?}")
    };
    let request = Event::Request {
        from: peer(2),
        token: 0,
        bytes: bytes.clone(),
    };
    let answer = author.run(request);
    let [Effect::SendResponse { bytes, .. }] = &answer[..] else {
        panic!("{answer:?}")
    };
    let Ok(Answer::Piece(mut piece)) = Answer::decode(bytes) else {
        panic!()
    };
    assert_eq!((piece.from, piece.entries.len()), (3, 256));
    bend(&mut piece);
    let bytes = Answer::Piece(piece).encode();
    let effects = reader.run(Event::Response { from: peer(1), bytes });
    let blamed = penalties(&effects);
    if !blamed.is_empty() {
        assert_eq!(reader.state(1), before);
        // It is not asked again at once.
        assert_eq!(asks(&effects), 0);
    }
    blamed
}

#[test]
fn every_part_of_a_piece_is_checked() {
    assert_eq!(bent_piece(|_| ()), []);
    let place = |why| vec![(peer(1), Misbehaviour::Inconsistent(why))];
    let tampered = vec![(peer(1), Misbehaviour::Tampered)];
    assert_eq!(
        bent_piece(|p| p.from = 4),
        place("entries from another place than asked")
    );
    assert_eq!(
        bent_piece(|p| p.entries.clear()),
        place("entries that do not fit their head")
    );
    let beginning = vec![(peer(1), Misbehaviour::FalseBeginning)];
    assert_eq!(bent_piece(|p| p.start_root[0] ^= 1), beginning);
    assert_eq!(bent_piece(|p| _ = p.start_proof.pop()), beginning);
    assert_eq!(bent_piece(|p| p.entries.swap(3, 4)), tampered);
    assert_eq!(bent_piece(|p| _ = p.entries.remove(100)), tampered);
    assert_eq!(bent_piece(|p| p.entries[255].push(b' ')), tampered);
    assert_eq!(bent_piece(|p| p.end_proof[0][0] ^= 1), tampered);
    assert_eq!(bent_piece(|p| p.end_proof.clear()), tampered);
    let bent = bent_piece(|p| p.note = p.note.replacen("403", "404", 1));
    assert!(matches!(bent[..], [(_, Misbehaviour::Head(_))]), "{bent:?}");
}

#[test]
fn an_answer_to_something_else_is_blamed_and_a_late_one_is_not() {
    let mut reader = Node::new(2);
    let effects = reader.run(Event::Connected(peer(1)));
    let [Effect::SendRequest { bytes, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    let id = Ask::decode(bytes).unwrap().id();
    let answer = |id| {
        let head = head_of(1, &entries(0..1), at(900));
        Event::Response {
            from: peer(1),
            bytes: Answer::Piece(Piece {
                id,
                note: head.note().to_owned(),
                from: 0,
                start_root: log::EMPTY_ROOT,
                start_proof: Vec::new(),
                entries: entries(0..1),
                end_proof: Vec::new(),
            })
            .encode(),
        }
    };
    assert_eq!(reader.run(answer(id + 1)), []);
    assert_eq!(penalties(&reader.run(answer(id))).len(), 1);
    assert_eq!(reader.run(answer(id)), []);
    assert_eq!(reader.size(1), 0);
}

#[test]
fn a_log_with_what_is_no_statement_is_followed_up_to_there() {
    let mut reader = Node::new(2);
    let mut all = entries(0..2);
    reader.hear(1, &news(&head_of(1, &all, at(900)), 0, &all));
    all.push(b"{\"at\":\"2027-01-15T08:00:00Z\",\"kind\":\"agentRetired\"}".to_vec());
    let bytes = news(&head_of(1, &all, at(900)), 2, &all[2..]);
    let effects = reader.hear(1, &bytes);
    // Perhaps a newer program can read it: nobody is blamed.
    assert_eq!((verdict(&effects), penalties(&effects)), (Verdict::Ignore, Vec::new()));
    let unreadable = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Unreadable { index: 2, .. }));
    assert!(unreadable, "{effects:?}");
    assert_eq!(reader.size(1), 2);
    // Said once.
    assert_eq!(reader.hear(3, &bytes).len(), 1);
}

#[test]
fn a_question_left_open_is_asked_of_others() {
    let mut reader = Node::new(2);
    reader.run(Event::Connected(peer(3)));
    let all = entries(0..3);
    let head = head_of(1, &all, at(900));
    let effects = reader.hear(3, &news(&head, 3, &[]));
    assert_eq!(asks(&effects), 1);
    assert_eq!(asks(&reader.run(Event::Connected(peer(1)))), 1);
    // No second pull of that log while the first is open.
    let effects = reader.hear(1, &news(&head_of(1, &all, at(901)), 3, &[]));
    assert_eq!(asks(&effects), 0);
    reader.now = at(1_000 + limits::ASK_SECONDS);
    reader.run(Event::Disconnected(peer(1)));
    reader.run(Event::Connected(peer(1)));
    reader.run(Event::Tick);
    let effects = reader.hear(1, &news(&head_of(1, &all, at(902)), 3, &[]));
    assert_eq!(asks(&effects), 1);
}
