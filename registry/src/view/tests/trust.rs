//! What a compromised key signed, and suspensions.

use super::*;
use crate::log_keys::commitment;
use crate::statement::{CredentialsAnchored, KeyCompromised};

/// The digest of some credential.
fn digest(n: u8) -> String {
    commitment(key(200 + n).public_key())
}

fn anchored(numbers: &[u8]) -> Content {
    let mut digests: Vec<String> = numbers.iter().map(|n| digest(*n)).collect();
    digests.sort();
    Content::CredentialsAnchored(CredentialsAnchored { digests })
}

/// The name of the credential key of organization 1, as its document lists it.
fn method() -> String {
    let multikey = key(10).public_key().to_multikey();
    format!("{}#{multikey}", did(1))
}

fn compromised(named: &str) -> Content {
    Content::KeyCompromised(KeyCompromised {
        key: named.to_owned(),
        since: None,
    })
}

fn is_good(store: &MemoryStore, of: u8, credential: u8) -> bool {
    let view = View::new(charter(), store);
    match view.key_standing(&did(of), &method(), key(10).public_key(), &|| digest(credential)) {
        KeyStanding::Good => true,
        KeyStanding::Compromised { .. } => false,
        KeyStanding::Unavailable(why) => panic!("{why}"),
    }
}

/// P20, second half: 20 ways to date a credential back. In each, the thief has the key of organization 1 and made credential
/// 9; credential 1 is the organization's own, and was anchored before the compromise wherever that is said below.
#[test]
fn twenty_credentials_dated_back() {
    let multikey = key(10).public_key().to_multikey();
    let mut cases = 0;
    for named in [method(), multikey] {
        let lost = || statement(100, compromised(&named));
        let own = |seconds| statement(seconds, anchored(&[1]));
        let late = |seconds| statement(seconds, anchored(&[9]));
        // What organization 1 says, and what another says.
        let stories: [(Vec<Statement>, Vec<Statement>); 10] = [
            // Nothing was anchored but the true one.
            (vec![own(10), lost()], vec![]),
            // Anchored after the compromise, at whatever time that says it is.
            (vec![own(10), lost(), late(200)], vec![]),
            (vec![own(10), lost(), late(5)], vec![]),
            (vec![own(10), lost(), late(5), late(6)], vec![]),
            // Another organization anchors it, before and after.
            (vec![own(10), lost()], vec![late(5)]),
            (vec![own(10), lost()], vec![late(200), late(5)]),
            // The compromise is said twice, with the anchor between.
            (vec![own(10), lost(), late(50), lost()], vec![]),
            // Somebody else's compromise is no second beginning.
            (vec![own(10), lost(), late(50)], vec![lost()]),
            // The clock of the organization was wrong when it said so.
            (vec![own(300), lost(), late(1)], vec![]),
            // Both in one statement after the compromise: the true one had been anchored before.
            (vec![own(10), lost(), statement(20, anchored(&[1, 9]))], vec![]),
        ];
        for (ours, theirs) in stories {
            // In one batch and one by one, which must come to the same.
            let mut at_once = MemoryStore::default();
            say(&mut at_once, &did(1), &ours);
            let mut singly = MemoryStore::default();
            theirs
                .iter()
                .for_each(|one| say(&mut singly, &did(2), std::slice::from_ref(one)));
            ours.iter()
                .for_each(|one| say(&mut singly, &did(1), std::slice::from_ref(one)));
            if !theirs.is_empty() {
                say(&mut at_once, &did(2), &theirs);
            }
            for store in [&at_once, &singly] {
                assert!(!is_good(store, 1, 9), "a credential of the thief counts: {ours:?}");
                assert!(
                    is_good(store, 1, 1),
                    "a credential that was anchored in time is refused: {ours:?}"
                );
            }
            // The twin: without the compromise all of that is good.
            let mut without = MemoryStore::default();
            let rest: Vec<_> = ours.into_iter().filter(|one| one.content != lost().content).collect();
            say(&mut without, &did(1), &rest);
            assert!(is_good(&without, 1, 9) && is_good(&without, 1, 1));
            cases += 1;
        }
    }
    assert_eq!(cases, 20);
}

#[test]
fn only_the_owner_of_a_key_can_call_it_compromised() {
    let mut store = MemoryStore::default();
    say(&mut store, &did(2), &[statement(1, compromised(&method()))]);
    assert!(is_good(&store, 1, 9));
    // What it says of its own.
    assert!(!is_good(&store, 2, 9));
}

#[test]
fn another_key_of_the_same_organization_is_not_meant() {
    let mut store = MemoryStore::default();
    say(
        &mut store,
        &did(1),
        &[statement(1, compromised(&format!("{}#other", did(1))))],
    );
    assert!(is_good(&store, 1, 9));
}

#[test]
fn a_suspended_agent_is_not_in_service_until_it_resumes() {
    let agent = did(7);
    let suspend = || statement(5, Content::AgentSuspended { agent: agent.clone() });
    let resume = || statement(6, Content::AgentResumed { agent: agent.clone() });
    let asked = |store: &MemoryStore| View::new(charter(), store).agent(&agent, at(100));
    let mut store = MemoryStore::default();
    // Nobody suspends what it did not register.
    say(&mut store, &did(1), &[suspend()]);
    assert_eq!(asked(&store), AgentStanding::Unknown);
    say(&mut store, &did(1), &[statement(1, register(&agent, "urn:o"))]);
    assert!(matches!(asked(&store), AgentStanding::Active { .. }));
    say(&mut store, &did(2), &[suspend()]);
    assert!(matches!(asked(&store), AgentStanding::Active { .. }));
    say(&mut store, &did(1), &[suspend()]);
    assert_eq!(asked(&store), AgentStanding::Suspended { at: at(5) });
    // Registered anew it stays suspended.
    say(&mut store, &did(1), &[statement(6, register(&agent, "urn:o"))]);
    assert_eq!(asked(&store), AgentStanding::Suspended { at: at(5) });
    say(&mut store, &did(1), &[resume()]);
    assert!(matches!(asked(&store), AgentStanding::Active { .. }));
    // Another that registered it still answers for it.
    say(&mut store, &did(2), &[statement(7, register(&agent, "urn:o"))]);
    say(&mut store, &did(1), &[suspend()]);
    assert!(matches!(asked(&store), AgentStanding::Active { organization, .. } if organization == did(2)));
    // Retirement is final.
    let retire = |seconds| statement(seconds, Content::AgentRetired { agent: agent.clone() });
    say(&mut store, &did(2), &[retire(8)]);
    say(&mut store, &did(1), &[retire(9), resume()]);
    assert_eq!(asked(&store), AgentStanding::Retired { at: at(9) });
}
