//! What was said up to some time: the same as what a node knew that had heard nothing later.

use proptest::prelude::*;

use super::random::{ACTIONS, RESOURCES, anything, heard};
use super::*;

fn granted(answer: Result<Answer, PastError>) -> bool {
    answer.unwrap().granted
}

/// Asks a view of the past, and one of a store that ends there.
fn compare(past: &Past<'_>, then: &View<'_>, time: Timestamp, frozen: bool) -> Result<(), TestCaseError> {
    for authority in [did(1).to_string(), did(2).to_string(), charter().id().to_owned()] {
        let authority = then.authority(&authority).unwrap();
        for subject in [did(1).to_string(), did(3).to_string(), "urn:x:y".to_owned()] {
            for (action, resource) in ACTIONS.iter().flat_map(|a| RESOURCES.iter().map(move |r| (*a, *r))) {
                let question = Question {
                    subject: &subject,
                    action,
                    resource,
                    at: time,
                };
                let expected = then.authorization(authority, &question).unwrap().granted;
                prop_assert_eq!(granted(past.authorization(authority, &question)), expected);
                let expected = then.recognition(authority, &question).unwrap().granted;
                prop_assert_eq!(granted(past.recognition(authority, &question)), expected);
            }
        }
    }
    // Where the stories part, an agent that was registered again after it is unknown also before that.
    for agent in (20..24).map(did).filter(|_| !frozen) {
        // Of an agent that was registered again since, nothing is told; never anything wrong.
        if let Ok(standing) = past.agent(agent.as_str()) {
            prop_assert_eq!(standing, then.agent(&agent, time));
        }
    }
    for (n, list) in (1..4).flat_map(|n| LISTS.map(|list| (n, list))) {
        for (purpose, index) in [(StatusPurpose::Revocation, 1), (StatusPurpose::Suspension, 1)] {
            if let Ok(bit) = past.status(did(n).as_str(), list, purpose, index) {
                let known = then.status(&did(n), list, purpose, index);
                let unknown = |bit: &StatusBit| matches!(bit, StatusBit::Unknown(_));
                prop_assert!(bit == known || unknown(&bit) && unknown(&known), "{bit:?}, {known:?}");
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_past_is_what_was_known_then(
        one in prop::collection::vec(anything(), 0..60),
        two in prop::collection::vec(anything(), 0..60),
        three in prop::collection::vec(anything(), 0..60),
        frozen: bool,
    ) {
        let mut logs = [one, two, three];
        // Clocks that go forward, as those of honest organizations do.
        logs.iter_mut().for_each(|log| log.sort_by_key(|statement| statement.at));
        let all = heard(&logs, &[], frozen);
        for time in [0, 1, 4, 8, 100].map(at) {
            let said = logs.each_ref().map(|log| {
                let said = log.iter().filter(|statement| statement.at <= time);
                said.cloned().collect::<Vec<_>>()
            });
            let then = heard(&said, &[], frozen);
            compare(&View::new(charter(), &all).at(time), &View::new(charter(), &then), time, frozen)?;
        }
    }
}

#[test]
fn a_right_is_asked_of_before_and_after_it_was_withdrawn() {
    let mut store = MemoryStore::default();
    let gone = Content::WithdrawAuthorization(right(did(2).as_str(), "read", "r/*"));
    let grant = statement(10, authorize(&did(2), "read", "r/*"));
    say(&mut store, &did(1), &[grant, statement(20, gone)]);
    let view = View::new(charter(), &store);
    let (authority, entity) = (view.authority(did(1).as_str()).unwrap(), did(2));
    for (seconds, expected) in [(9, false), (10, true), (19, true), (20, false), (99, false)] {
        let question = Question {
            subject: entity.as_str(),
            action: "read",
            resource: "r/a",
            at: at(seconds),
        };
        let answer = view.at(at(seconds)).authorization(authority, &question).unwrap();
        assert_eq!(answer.granted, expected, "{seconds}");
        assert_eq!(
            answer.vouchers.iter().map(|used| used.index).collect::<Vec<_>>(),
            vec![0; expected.into()]
        );
    }
}

#[test]
fn what_is_not_kept_is_refused() {
    let mut store = MemoryStore::default();
    let agent = did(20);
    let list = LISTS[0];
    let said = [
        statement(10, register(&agent, "urn:a")),
        statement(12, create(list, StatusPurpose::Revocation, 131_072)),
        statement(20, Content::AgentSuspended { agent: agent.clone() }),
        statement(30, Content::AgentResumed { agent: agent.clone() }),
        statement(40, change(list, &[1], &[])),
    ];
    say(&mut store, &did(1), &said);
    let view = View::new(charter(), &store);
    let standing = |seconds| view.at(at(seconds)).agent(agent.as_str());
    assert!(matches!(standing(10), Ok(AgentStanding::Active { .. })));
    assert_eq!(standing(25), Ok(AgentStanding::Suspended { at: at(20) }));
    assert!(matches!(standing(35), Ok(AgentStanding::Active { .. })));
    let bit = |seconds, index| {
        let past = view.at(at(seconds));
        past.status(did(1).as_str(), list, StatusPurpose::Revocation, index)
    };
    assert!(matches!(bit(11, 2), Ok(StatusBit::Unknown(_))));
    assert_eq!(bit(15, 2), Ok(StatusBit::Clear));
    assert!(matches!(bit(15, 1), Err(PastError::NotKept(_))));
    // Registered again: whether it was registered before is not kept.
    say(&mut store, &did(1), &[statement(50, register(&agent, "urn:b"))]);
    let view = View::new(charter(), &store);
    assert!(matches!(
        view.at(at(45)).agent(agent.as_str()),
        Err(PastError::NotKept(_))
    ));
    assert!(matches!(
        view.at(at(50)).agent(agent.as_str()),
        Ok(AgentStanding::Active { .. })
    ));
}
