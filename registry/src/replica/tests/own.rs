use super::*;

#[test]
fn nothing_leaves_before_it_is_stored() {
    let mut node = Node::new(1);
    let effects = node.handle(Event::Publish {
        ticket: 7,
        statements: vec![agent(1), agent(2)],
    });
    assert!(matches!(&effects[..], [Effect::Persist { tickets, .. }] if tickets == &[7]));

    let effects = node.store(&effects);
    assert_eq!(acknowledged(&effects), [(7, 0, 2)]);
    let news = the_news(&effects);
    assert_eq!(news.from, 0);
    assert_eq!(news.entries, entries(1..3));
    assert_eq!(news.note, node.state(1).head.unwrap().note());
}

#[test]
fn what_is_announced_is_what_the_store_says() {
    let mut node = Node::new(1);
    let effects = node.handle(Event::Publish {
        ticket: 7,
        statements: vec![agent(1)],
    });
    let [Effect::Persist { batch, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    // The store claims to have stored and has not: it is told so, and nothing leaves.
    let effects = node.handle(Event::Stored { batch: *batch });
    assert_eq!(announcements(&effects), Vec::<Vec<u8>>::new());
}

#[test]
fn publications_that_meet_share_a_batch() {
    let mut node = Node::new(1);
    let first = node.handle(Event::Publish {
        ticket: 1,
        statements: vec![agent(0)],
    });
    for ticket in 2..5 {
        let statements = vec![agent(10 * ticket), agent(10 * ticket + 1)];
        assert_eq!(node.handle(Event::Publish { ticket, statements }), []);
    }
    let second = node.store(&first);
    assert_eq!(acknowledged(&second), [(1, 0, 1)]);
    let tickets = second.iter().filter_map(|effect| match effect {
        Effect::Persist { tickets, .. } => Some(tickets.clone()),
        _ => None,
    });
    assert_eq!(tickets.collect::<Vec<_>>(), [[2, 3, 4]]);
    let third = node.store(&second);
    assert_eq!(acknowledged(&third), [(2, 1, 2), (3, 3, 2), (4, 5, 2)]);
    assert_eq!(the_news(&third).from, 1);
    assert_eq!(node.size(1), 7);
}

#[test]
fn what_waits_is_bounded() {
    let mut node = Node::new(1);
    for ticket in 0..=limits::PUBLICATIONS as u64 {
        let effects = node.handle(Event::Publish {
            ticket,
            statements: vec![agent(ticket)],
        });
        assert_eq!(refusals(&effects), []);
    }
    let effects = node.handle(Event::Publish {
        ticket: 9_999,
        statements: vec![agent(1)],
    });
    assert_eq!(refusals(&effects), [(9_999, PublishError::Busy)]);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let mut node = Node::new(1);
    let mut refused = |statements| {
        let effects = node.handle(Event::Publish { ticket: 1, statements });
        refusals(&effects).pop().unwrap().1
    };
    assert_eq!(refused(Vec::new()), PublishError::Size);
    let many = (0..=limits::APPEND_STATEMENTS as u64).map(agent).collect();
    assert_eq!(refused(many), PublishError::Size);
    let mut nameless = agent(1);
    if let Content::AgentRegistered(agent) = &mut nameless.content {
        agent.name = String::new();
    }
    assert!(matches!(
        refused(vec![agent(1), nameless]),
        PublishError::Statement(1, _)
    ));

    let follower = Config { me: None, ..config(1) };
    let mut follower = Replica::load(follower, &MemoryStore::default()).unwrap();
    let publish = Event::Publish {
        ticket: 1,
        statements: vec![agent(1)],
    };
    let effects = follower.handle(publish, at(0), &MemoryStore::default());
    assert_eq!(refusals(&effects), [(1, PublishError::NoOrganization)]);
}

#[test]
fn a_store_that_fails_takes_nothing_back_and_nothing_out() {
    let mut node = Node::new(1);
    node.publish(1, 0..2);
    let effects = node.handle(Event::Publish {
        ticket: 2,
        statements: vec![agent(2)],
    });
    let [Effect::Persist { batch, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    let waiting = node.handle(Event::Publish {
        ticket: 3,
        statements: vec![agent(3)],
    });
    assert_eq!(waiting, []);
    let effects = node.handle(Event::StoreFailed { batch: *batch });
    assert_eq!(refusals(&effects), [(2, PublishError::StoreFailed)]);
    assert_eq!(announcements(&effects), Vec::<Vec<u8>>::new());
    // The next in line gets the number that the failed one would have had.
    let effects = node.store(&effects);
    assert_eq!(acknowledged(&effects), [(3, 2, 1)]);
    assert_eq!(the_news(&effects).entries, entries(3..4));
}

#[test]
fn a_store_that_stored_and_said_no_is_believed_when_it_is_read() {
    let mut node = Node::new(1);
    let effects = node.handle(Event::Publish {
        ticket: 2,
        statements: vec![agent(2)],
    });
    let [Effect::Persist { batch, content, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(node.store.apply(content));
    let effects = node.handle(Event::StoreFailed { batch: *batch });
    assert_eq!(refusals(&effects), [(2, PublishError::StoreFailed)]);
    let effects = node.publish(3, 3..4);
    assert_eq!(acknowledged(&effects), [(3, 1, 1)]);
}

#[test]
fn a_store_that_cannot_be_read_after_it_failed_stops_publishing_until_it_can() {
    let mut node = Node::new(1);
    let effects = node.handle(Event::Publish {
        ticket: 1,
        statements: vec![agent(1)],
    });
    let [Effect::Persist { batch, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    let failed = Event::StoreFailed { batch: *batch };
    node.replica.handle(failed, node.now, &Broken);
    let effects = node.publish(2, 2..3);
    assert_eq!(refusals(&effects), [(2, PublishError::StoreFailed)]);
    node.run(Event::Tick);
    assert_eq!(acknowledged(&node.publish(3, 3..4)).len(), 1);
}

#[test]
fn a_long_batch_is_announced_by_its_head_alone() {
    let mut node = Node::new(1);
    let mut long = agent(1);
    if let Content::AgentRegistered(agent) = &mut long.content {
        agent.owner = format!("did:example:{}", "o".repeat(490));
    }
    let statements = vec![long; 250];
    let effects = node.run(Event::Publish { ticket: 1, statements });
    let news = the_news(&effects);
    assert_eq!((news.from, news.entries.len()), (250, 0));
}

#[test]
fn a_heartbeat_renews_the_head_and_never_makes_it_older() {
    let mut node = Node::new(1);
    let effects = node.run(Event::Tick);
    assert_eq!(the_news(&effects).from, 0);
    let first = node.state(1).head.unwrap();
    assert_eq!((first.size(), first.time()), (0, at(1_000)));

    node.now = at(1_059);
    assert_eq!(node.run(Event::Tick), []);
    node.now = at(900);
    assert_eq!(node.run(Event::Tick), []);
    node.publish(1, 0..1);
    assert_eq!(node.state(1).head.unwrap().time(), at(1_000));
    node.now = at(1_060);
    node.run(Event::Tick);
    let renewed = node.state(1).head.unwrap();
    assert_eq!((renewed.size(), renewed.time()), (1, at(1_060)));
}

#[test]
fn a_restored_backup_catches_up_before_it_speaks() {
    let mut node = Node::new(1);
    node.publish(1, 0..2);
    let backup = node.store.clone();
    node.publish(2, 2..5);
    let mut friend = Node::new(2);
    friend.meet(&mut node);
    assert_eq!(friend.size(1), 5);

    let mut restored = Node::on(1, backup);
    // It hears of its own head, which it does not have: not a word until it has.
    let lost = node.state(1).head.unwrap();
    let effects = restored.hear(2, &news(&lost, 5, &[]));
    assert_eq!(verdict(&effects), Verdict::Ignore);
    let effects = restored.publish(3, 9..10);
    assert_eq!(refusals(&effects), [(3, PublishError::Behind { known: 5, held: 2 })]);
    restored.now = at(2_000);
    assert_eq!(announcements(&restored.run(Event::Tick)), Vec::<Vec<u8>>::new());

    restored.meet(&mut friend);
    assert_eq!(restored.size(1), 5);
    assert_eq!(acknowledged(&restored.publish(4, 9..10)), [(4, 5, 1)]);
    friend.meet(&mut restored);
    assert_eq!(friend.state(1).frontier, restored.state(1).frontier);
}
