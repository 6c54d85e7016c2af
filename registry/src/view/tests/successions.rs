//! An agent and the DID that takes its place.

use syndic_vc::did_key;
use syndic_vc::key::{EcdsaSecretKey, KeyKind, Signer};

use super::*;
use crate::limits::OVERLAP_SECONDS;
use crate::statement::AgentSucceeded;

const AGENT: u8 = 20;
const NEXT: u8 = 21;
const OTHER: u8 = 22;

/// Organization 1 registered the agent at second 0.
fn registered() -> MemoryStore {
    let mut store = MemoryStore::default();
    say(&mut store, &did(1), &[statement(0, register(&did(AGENT), "urn:x"))]);
    store
}

/// The agent's key says, for an organization, who takes its place and until when both work.
fn signed(organization: u8, agent: u8, successor: u8, until: i64) -> AgentSucceeded {
    let (agent_did, successor) = (did(agent), did(successor));
    AgentSucceeded::sign(&did(organization), &agent_did, &successor, at(until), &key(10 * agent)).unwrap()
}

fn succeed(store: &mut MemoryStore, organization: u8, seconds: i64, said: AgentSucceeded) {
    let said = [statement(seconds, Content::AgentSucceeded(said))];
    say(store, &did(organization), &said);
}

fn successor(store: &MemoryStore, organization: u8, agent: u8) -> Option<(String, Timestamp)> {
    let said = View::new(charter(), store).successor(did(organization).as_str(), did(agent).as_str());
    said.unwrap().map(|said| (said.successor, said.until))
}

fn standing_of(store: &MemoryStore, agent: u8, seconds: i64) -> AgentStanding {
    View::new(charter(), store).agent(&did(agent), at(seconds))
}

fn is_active(store: &MemoryStore, agent: u8, seconds: i64) -> bool {
    matches!(standing_of(store, agent, seconds), AgentStanding::Active { .. })
}

#[test]
fn both_work_until_the_overlap_ends() {
    let mut store = registered();
    say(&mut store, &did(1), &[statement(9, register(&did(NEXT), "urn:x"))]);
    succeed(&mut store, 1, 10, signed(1, AGENT, NEXT, 40));
    assert_eq!(successor(&store, 1, AGENT), Some((did(NEXT).to_string(), at(40))));
    assert_eq!(successor(&store, 1, NEXT), None);
    for seconds in [10, 39] {
        assert!(is_active(&store, AGENT, seconds) && is_active(&store, NEXT, seconds));
    }
    for seconds in [40, 41, 1_000_000] {
        assert_eq!(
            standing_of(&store, AGENT, seconds),
            AgentStanding::Retired { at: at(40) }
        );
        assert!(is_active(&store, NEXT, seconds));
    }
    // Said again, name and owner change; that the agent was succeeded does not.
    say(&mut store, &did(1), &[statement(50, register(&did(AGENT), "urn:y"))]);
    assert!(!is_active(&store, AGENT, 50));
    // And so on.
    succeed(&mut store, 1, 60, signed(1, NEXT, OTHER, 60));
    assert_eq!(successor(&store, 1, NEXT), Some((did(OTHER).to_string(), at(60))));
    assert_eq!(standing_of(&store, NEXT, 60), AgentStanding::Retired { at: at(60) });
}

#[test]
fn only_the_agents_own_key_names_its_successor() {
    let mut store = registered();
    let good = signed(1, AGENT, NEXT, 40);
    let by_other = AgentSucceeded::sign(&did(1), &did(AGENT), &did(NEXT), at(40), &key(10 * NEXT)).unwrap();
    let elsewhere = signed(2, AGENT, NEXT, 40);
    let longer = AgentSucceeded {
        until: at(41),
        ..good.clone()
    };
    let to_other = AgentSucceeded {
        successor: did(OTHER),
        ..good.clone()
    };
    let of_other = AgentSucceeded {
        agent: did(NEXT),
        successor: did(OTHER),
        ..good.clone()
    };
    say(&mut store, &did(1), &[statement(1, register(&did(NEXT), "urn:x"))]);
    for refused in [by_other, elsewhere, longer, to_other, of_other] {
        succeed(&mut store, 1, 10, refused.clone());
        assert_eq!(successor(&store, 1, AGENT), None, "{refused:?}");
        assert_eq!(successor(&store, 1, NEXT), None, "{refused:?}");
    }
    assert!(is_active(&store, AGENT, 100));
    succeed(&mut store, 1, 10, good);
    assert!(!is_active(&store, AGENT, 100));
}

#[test]
fn only_whoever_registered_an_agent_says_who_succeeds_it() {
    let mut store = registered();
    // Signed for organization 2, which never registered the agent.
    succeed(&mut store, 2, 10, signed(2, AGENT, NEXT, 40));
    assert_eq!(successor(&store, 2, AGENT), None);
    assert!(is_active(&store, AGENT, 100));
    // Once it has, it speaks for itself alone.
    say(&mut store, &did(2), &[statement(11, register(&did(AGENT), "urn:z"))]);
    succeed(&mut store, 2, 12, signed(2, AGENT, NEXT, 40));
    assert!(successor(&store, 2, AGENT).is_some());
    assert_eq!(successor(&store, 1, AGENT), None);
    assert!(is_active(&store, AGENT, 100));
    succeed(&mut store, 1, 12, signed(1, AGENT, NEXT, 50));
    assert_eq!(standing_of(&store, AGENT, 100), AgentStanding::Retired { at: at(50) });
    // What was signed for one organization says nothing in the log of another.
    let mut store = registered();
    say(&mut store, &did(2), &[statement(1, register(&did(AGENT), "urn:z"))]);
    succeed(&mut store, 2, 10, signed(1, AGENT, NEXT, 40));
    assert_eq!(successor(&store, 2, AGENT), None);
}

#[test]
fn the_first_successor_stays() {
    let mut store = registered();
    succeed(&mut store, 1, 10, signed(1, AGENT, NEXT, 40));
    succeed(&mut store, 1, 11, signed(1, AGENT, OTHER, 90));
    succeed(&mut store, 1, 12, signed(1, AGENT, NEXT, 90));
    assert_eq!(successor(&store, 1, AGENT), Some((did(NEXT).to_string(), at(40))));
    // Also in one batch.
    let mut store = registered();
    let both = [NEXT, OTHER].map(|next| statement(10, Content::AgentSucceeded(signed(1, AGENT, next, 40))));
    say(&mut store, &did(1), &both);
    assert_eq!(successor(&store, 1, AGENT), Some((did(NEXT).to_string(), at(40))));
}

#[test]
fn an_overlap_ends_neither_in_the_past_nor_far_in_the_future() {
    for (until, counts) in [
        (9, false),
        (10, true),
        (10 + OVERLAP_SECONDS, true),
        (11 + OVERLAP_SECONDS, false),
    ] {
        let mut store = registered();
        succeed(&mut store, 1, 10, signed(1, AGENT, NEXT, until));
        assert_eq!(successor(&store, 1, AGENT).is_some(), counts, "{until}");
    }
}

#[test]
fn nobody_succeeds_itself_or_a_retired_agent() {
    let mut store = registered();
    succeed(&mut store, 1, 10, signed(1, AGENT, AGENT, 40));
    assert_eq!(successor(&store, 1, AGENT), None);
    let mut gone = store.clone();
    let retire = |seconds| [statement(seconds, Content::AgentRetired { agent: did(AGENT) })];
    say(&mut gone, &did(1), &retire(9));
    succeed(&mut gone, 1, 10, signed(1, AGENT, NEXT, 40));
    assert_eq!(successor(&gone, 1, AGENT), None);
    // The valid twin; and retirement cuts an overlap short.
    succeed(&mut store, 1, 10, signed(1, AGENT, NEXT, 40));
    assert!(is_active(&store, AGENT, 20));
    say(&mut store, &did(1), &retire(20));
    assert_eq!(standing_of(&store, AGENT, 20), AgentStanding::Retired { at: at(20) });
    assert_eq!(standing_of(&store, AGENT, 100), AgentStanding::Retired { at: at(20) });
}

#[test]
fn agents_with_keys_of_other_kinds_have_successors_and_other_methods_have_none() {
    let ecdsa = EcdsaSecretKey::from_scalar(KeyKind::P256, &vec![7; 32].into()).unwrap();
    let webvh = Did::parse("did:webvh:QmePZQxDW6wr4ohW61LLra4jm8SU3Go6EnCKcVbvzXkNtn:a.example").unwrap();
    let cases: [(Did, &dyn Signer, bool); 2] = [
        (did_key::for_key(ecdsa.public_key()), &ecdsa, true),
        (webvh, &key(10 * AGENT), false),
    ];
    for (agent, signer, counts) in cases {
        let mut store = MemoryStore::default();
        say(&mut store, &did(1), &[statement(0, register(&agent, "urn:x"))]);
        let said = AgentSucceeded::sign(&did(1), &agent, &did(NEXT), at(40), signer).unwrap();
        succeed(&mut store, 1, 10, said);
        let known = View::new(charter(), &store)
            .successor(did(1).as_str(), agent.as_str())
            .unwrap();
        assert_eq!(known.is_some(), counts, "{agent}");
    }
}
