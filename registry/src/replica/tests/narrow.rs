//! Finding out which logs differ, as nodes do that have many. Three are made many by a lower bound.

use super::*;
use crate::message::{Ask, ChainPoint, Refusal, Standpoint};

/// What any answerer says that holds nothing.
const ALL_DIFFER: [u8; 5] = [0x61, 0, 0, 2, 0];
/// "There is no difference."
const NONE_DIFFER: [u8; 1] = [0x61];
/// Says of everything that it differs, and not where.
const SOMETHING_DIFFERS: [u8; 20] = [0x61, 0, 0, 1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5];

/// A member that narrows down.
fn narrowing(number: u8) -> Node {
    let mut node = Node::new(number);
    node.replica.list_at_most(1);
    node
}

fn asked(effects: &[Effect]) -> Vec<Ask> {
    let asks = effects.iter().filter_map(|effect| match effect {
        Effect::SendRequest { bytes, .. } => Some(Ask::decode(bytes).unwrap()),
        _ => None,
    });
    asks.collect()
}

fn the_ask(effects: &[Effect]) -> Ask {
    let mut all = asked(effects);
    assert_eq!(all.len(), 1, "{effects:?}");
    all.remove(0)
}

fn ask(node: &mut Node, from: u8, ask: &Ask) -> (Vec<Effect>, Answer) {
    let from = peer(from);
    let (token, bytes) = (1, ask.encode());
    let effects = node.run(Event::Request { from, token, bytes });
    let answer = effects.iter().find_map(|effect| match effect {
        Effect::SendResponse { bytes, .. } => Some(Answer::decode(bytes).unwrap()),
        _ => None,
    });
    (effects, answer.unwrap())
}

fn answer(node: &mut Node, from: u8, answer: &Answer) -> Vec<Effect> {
    let (from, bytes) = (peer(from), answer.encode());
    node.run(Event::Response { from, bytes })
}

/// The organizations that are listed, and whether it is only about them.
fn listed(ask: &Ask) -> (Vec<&str>, bool) {
    match ask {
        Ask::Compare { logs, only, .. } => (logs.iter().map(|log| log.organization.as_str()).collect(), *only),
        other => panic!("{other:?}"),
    }
}

/// A question about logs that differ was answered with this.
fn reconciled(node: &mut Node, message: &[u8]) -> Vec<Effect> {
    let question = the_ask(&node.run(Event::Connected(peer(1))));
    assert!(matches!(question, Ask::Reconcile { .. }));
    let (id, message) = (question.id(), message.to_vec());
    answer(node, 1, &Answer::Reconciled { id, message })
}

#[test]
fn who_has_many_logs_asks_first_which_differ_and_who_has_few_lists_them() {
    let (mut few, mut many) = (Node::new(2), narrowing(2));
    let question = the_ask(&few.run(Event::Connected(peer(1))));
    assert_eq!(listed(&question).0.len(), 3);
    assert!(!listed(&question).1);

    let mut author = Node::new(1);
    author.publish(1, 0..3);
    let question = the_ask(&many.run(Event::Connected(peer(1))));
    assert!(matches!(question, Ask::Reconcile { .. }), "{question:?}");
    let (effects, reconciled) = ask(&mut author, 2, &question);
    assert_eq!(penalties(&effects), []);
    let question = the_ask(&answer(&mut many, 1, &reconciled));
    let (logs, only) = listed(&question);
    assert!(only && logs.contains(&did(1).as_str()) && logs.contains(&did(2).as_str()));
    let (_, heads) = ask(&mut author, 2, &question);
    let effects = answer(&mut many, 1, &heads);
    many.talk(&mut author, effects);
    assert_eq!(many.state(1), author.state(1));
}

#[test]
fn both_sides_catch_up_whoever_narrows_down() {
    for who in [[true, true], [true, false], [false, true]] {
        let [mut one, mut two] = [1, 2].map(|number: u8| match who[usize::from(number) - 1] {
            true => narrowing(number),
            false => Node::new(number),
        });
        one.publish(1, 0..3);
        two.publish(1, 0..300);
        for _ in 0..3 {
            let penalties_of = [one.meet(&mut two), two.meet(&mut one)].map(|effects| penalties(&effects));
            assert_eq!(penalties_of, [vec![], vec![]]);
        }
        for number in [1, 2] {
            assert_eq!(one.state(number), two.state(number));
        }
    }
}

#[test]
fn times_of_heads_travel_though_they_make_no_difference() {
    let (mut ahead, mut behind) = (narrowing(1), narrowing(2));
    let early = head_of(3, &entries(0..2), at(500));
    let late = head_of(3, &entries(0..2), at(900));
    for (node, head) in [(&mut ahead, &late), (&mut behind, &early)] {
        node.hear(3, &news(head, 0, &entries(0..2)));
    }
    // It is the only one that is old.
    behind.meet(&mut ahead);
    assert_eq!(behind.state(3).head.unwrap().time(), at(900));
}

#[test]
fn only_what_is_asked_about_is_answered_and_the_askers_own_log() {
    let mut node = Node::new(3);
    for number in [1, 2] {
        let all = entries(0..3);
        node.hear(number, &news(&head_of(number, &all, at(900)), 0, &all));
    }
    let question = |only| Ask::Compare {
        id: 1,
        charter: ChainPoint::default(),
        logs: Vec::new(),
        only,
    };
    let told = |node: &mut Node, only| match ask(node, 1, &question(only)).1 {
        Answer::Heads { notes, .. } => notes,
        other => panic!("{other:?}"),
    };
    assert_eq!(told(&mut node, false).len(), 2);
    let notes = told(&mut node, true);
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains(did(1).as_str()));
}

#[test]
fn who_is_behind_asks_back_about_what_differs() {
    let mut node = narrowing(3);
    node.run(Event::Connected(peer(1)));
    // The question of the beginning fails, so that another one may be asked.
    node.run(Event::RequestFailed { peer: peer(1) });
    let log = |size| Standpoint {
        organization: did(1).to_string(),
        size,
        root: crate::log::EMPTY_ROOT,
        time: 0,
        fork: None,
        cosigned: 0,
        rotations: 0,
    };
    let question = |size| Ask::Compare {
        id: 1,
        charter: node_chain(),
        logs: vec![log(size)],
        only: true,
    };
    assert_eq!(asked(&ask(&mut node, 1, &question(0)).0), []);
    let effects = ask(&mut node, 1, &question(7)).0;
    let question = the_ask(&effects);
    let (logs, only) = listed(&question);
    assert!(only && logs.contains(&did(1).as_str()));
}

fn node_chain() -> ChainPoint {
    Node::new(1).replica.chain_point()
}

#[test]
fn noise_in_place_of_a_reconciliation_is_blamed() {
    let mut node = narrowing(2);
    for noise in [&[] as &[u8], &[0x60], &[0x61, 0, 0, 9], &[0x61, 0, 0, 2, 0x7f]] {
        node.run(Event::Disconnected(peer(1)));
        let effects = reconciled(&mut node, noise);
        let blamed = Misbehaviour::Inconsistent("an answer that reconciles nothing");
        assert_eq!(penalties(&effects), [(peer(1), blamed)]);
        assert_eq!(asks(&effects), 0);

        let question = Ask::Reconcile {
            id: 7,
            message: noise.to_vec(),
        };
        let (effects, answer) = ask(&mut node, 3, &question);
        let blamed = Misbehaviour::Inconsistent("a question that reconciles nothing");
        assert_eq!(penalties(&effects), [(peer(3), blamed)]);
        let why = Refusal::Malformed;
        assert_eq!(answer, Answer::Refused { id: 7, why });
    }
    // What is one is taken from both, empty as it may be.
    for message in [&NONE_DIFFER as &[u8], &ALL_DIFFER, &SOMETHING_DIFFERS] {
        node.run(Event::Disconnected(peer(1)));
        let effects = reconciled(&mut node, message);
        assert_eq!((penalties(&effects), asks(&effects)), (vec![], 1));
        let message = message.to_vec();
        let (effects, answer) = ask(&mut node, 3, &Ask::Reconcile { id: 7, message });
        assert_eq!(penalties(&effects), []);
        assert!(matches!(answer, Answer::Reconciled { id: 7, .. }));
    }
}

#[test]
fn who_goes_on_for_ever_is_asked_so_often_and_then_sent_the_list() {
    let mut node = narrowing(2);
    let mut effects = node.run(Event::Connected(peer(1)));
    for _ in 0..limits::RECONCILE_ROUNDS {
        let question = the_ask(&effects);
        assert!(matches!(question, Ask::Reconcile { .. }), "{question:?}");
        let (id, message) = (question.id(), SOMETHING_DIFFERS.to_vec());
        effects = answer(&mut node, 1, &Answer::Reconciled { id, message });
        assert_eq!(penalties(&effects), []);
    }
    let question = the_ask(&effects);
    assert!(!listed(&question).1);
    // Its twin stops after the first, as equal sets do.
    let (mut node, mut equal) = (narrowing(2), narrowing(1));
    let question = the_ask(&node.run(Event::Connected(peer(1))));
    let (_, reconciled) = ask(&mut equal, 2, &question);
    let question = the_ask(&answer(&mut node, 1, &reconciled));
    assert!(listed(&question).1);
}

#[test]
fn lies_about_differences_cost_a_comparison_and_hide_nothing_for_long() {
    let mut honest = Node::new(3);
    let all = entries(0..3);
    honest.hear(1, &news(&head_of(1, &all, at(900)), 0, &all));
    // Everything differs, says hospital 1: it is sent the list of what it asked for, and no more is done.
    let mut node = narrowing(2);
    let effects = reconciled(&mut node, &ALL_DIFFER);
    let question = the_ask(&effects);
    let (logs, only) = listed(&question);
    assert_eq!((logs.len(), only, penalties(&effects)), (3, true, vec![]));
    let nothing = Answer::Heads {
        id: question.id(),
        rotations: Vec::new(),
        notes: Vec::new(),
        forks: Vec::new(),
        cosigned: Vec::new(),
    };
    assert_eq!(answer(&mut node, 1, &nothing), []);
    // Nothing differs, it says: hospital 3 says what does.
    let mut node = narrowing(2);
    let effects = reconciled(&mut node, &NONE_DIFFER);
    assert_eq!(penalties(&effects), []);
    assert_eq!(node.size(1), 0);
    node.meet(&mut honest);
    assert_eq!(node.state(1), honest.state(1));
}

#[test]
fn who_finds_fault_with_the_question_is_sent_the_list_and_who_is_busy_is_not() {
    for (why, sent) in [(Refusal::Malformed, 1), (Refusal::NothingNew, 1), (Refusal::Busy, 0)] {
        let mut node = narrowing(2);
        let id = the_ask(&node.run(Event::Connected(peer(1)))).id();
        let effects = answer(&mut node, 1, &Answer::Refused { id, why });
        assert_eq!(asks(&effects), sent);
        assert!(asked(&effects).iter().all(|ask| !listed(ask).1));
    }
}
