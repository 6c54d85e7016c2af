#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod dids;
mod past;
mod random;
mod successions;
mod trust;

use super::*;
use crate::charter::Endpoints;
use crate::example::{at, charter, did, key};
use crate::fold;
use crate::fork::Branch;
use crate::head::{self, Head};
use crate::log::append;
use crate::statement::{AgentRegistered, Grant, Right, StatusChanged, StatusListCreated};
use crate::store::{MemoryStore, Write};

const LISTS: [&str; 3] = ["https://a.example/1", "https://a.example/2", "https://a.example/12"];

/// Appends statements to an organization's log, as one batch.
fn say(store: &mut MemoryStore, organization: &Did, statements: &[Statement]) {
    let organization = organization.as_str();
    let mut state = LogState::read(organization, store).unwrap();
    let entries: Vec<_> = statements
        .iter()
        .map(|statement| statement.to_bytes().unwrap())
        .collect();
    let facts = fold::fold(organization, state.frontier.size(), statements, store).unwrap();
    let (frontier, writes) = append(organization, &state.frontier, &entries).unwrap();
    state.frontier = frontier;
    store.write(&writes);
    store.write(&facts);
    store.write(&[Write::put(store::log_state(organization), state.encode())]);
}

/// Signs a head over all that an organization has said.
fn sign(store: &mut MemoryStore, n: u8, seconds: i64) {
    let did = did(n);
    let mut state = LogState::read(did.as_str(), store).unwrap();
    let origin = head::origin(charter().id(), did.as_str());
    let (size, root) = (state.frontier.size(), state.frontier.root());
    state.head = Some(Head::sign(&origin, size, &root, &key(10 * n + 2), at(seconds)).unwrap());
    store.write(&[Write::put(store::log_state(did.as_str()), state.encode())]);
}

fn statement(seconds: i64, content: Content) -> Statement {
    Statement {
        at: at(seconds),
        content,
    }
}

fn register(agent: &Did, owner: &str) -> Content {
    Content::AgentRegistered(AgentRegistered {
        agent: agent.clone(),
        name: "Triage".to_owned(),
        owner: owner.to_owned(),
    })
}

fn right(subject: &str, action: &str, resource: &str) -> Right {
    Right {
        subject: subject.to_owned(),
        action: action.to_owned(),
        resource: resource.to_owned(),
    }
}

fn authorize(subject: &Did, action: &str, resource: &str) -> Content {
    let right = right(subject.as_str(), action, resource);
    Content::Authorize(Grant {
        right,
        valid_from: None,
        valid_until: None,
    })
}

fn create(list: &str, purpose: StatusPurpose, length: u64) -> Content {
    Content::StatusListCreated(StatusListCreated {
        list: list.to_owned(),
        purpose,
        length,
    })
}

fn change(list: &str, set: &[u64], cleared: &[u64]) -> Content {
    let (set, cleared) = (set.to_vec(), cleared.to_vec());
    Content::StatusChanged(StatusChanged {
        list: list.to_owned(),
        set,
        cleared,
    })
}

fn standing(view: &View<'_>, authority: &str, issuer: u8, resource: &str) -> Standing {
    view.standing(authority, &did(issuer), "read", resource, at(100))
}

/// Evidence of stories that part after all that these tests say.
fn evidence() -> Vec<u8> {
    let branch = Branch {
        note: String::new(),
        root: [0; 32],
        proof: Vec::new(),
    };
    let fork = Fork {
        at: 1_000_000,
        one: branch.clone(),
        other: branch,
        common: None,
        rotations: Vec::new(),
    };
    fork.encode()
}

#[test]
fn an_organization_is_its_own_authority_and_no_others() {
    let store = MemoryStore::default();
    let view = View::new(charter(), &store);
    let us = did(1).to_string();
    assert_eq!(standing(&view, &us, 1, "r"), Standing::Authorized { by: us.clone() });
    assert_eq!(standing(&view, &us, 2, "r"), Standing::NotAuthorized);
    assert_eq!(standing(&view, &us, 9, "r"), Standing::IssuerUnknown);
    assert_eq!(standing(&view, did(9).as_str(), 1, "r"), Standing::NotAuthorized);
    assert_eq!(standing(&view, charter().id(), 1, "r"), Standing::NotAuthorized);
}

#[test]
fn authorization_covers_what_is_below_until_it_is_withdrawn() {
    let mut store = MemoryStore::default();
    say(
        &mut store,
        &did(1),
        &[statement(0, authorize(&did(2), "read", "records/*"))],
    );
    let us = did(1).to_string();
    let by_us = Standing::Authorized { by: us.clone() };
    let asked = |store: &MemoryStore, resource: &str| standing(&View::new(charter(), store), &us, 2, resource);
    assert_eq!(asked(&store, "records/x/y"), by_us);
    assert_eq!(asked(&store, "records/x/*"), by_us);
    assert_eq!(asked(&store, "records/*"), by_us);
    for resource in ["records", "record", "*", "recordsx/y"] {
        assert_eq!(asked(&store, resource), Standing::NotAuthorized, "{resource}");
    }
    let others = right(did(2).as_str(), "read", "records/x");
    say(
        &mut store,
        &did(1),
        &[statement(1, Content::WithdrawAuthorization(others))],
    );
    assert_eq!(asked(&store, "records/x"), by_us);
    let exactly = right(did(2).as_str(), "read", "records/*");
    say(
        &mut store,
        &did(1),
        &[statement(1, Content::WithdrawAuthorization(exactly))],
    );
    assert_eq!(asked(&store, "records/x"), Standing::NotAuthorized);
    say(
        &mut store,
        &did(1),
        &[statement(2, authorize(&did(2), "read", "records/*"))],
    );
    assert_eq!(asked(&store, "records/x"), by_us);
}

#[test]
fn the_consortium_authorizes_when_enough_others_do() {
    let mut store = MemoryStore::default();
    let grant = |subject: u8| [statement(0, authorize(&did(subject), "read", "*"))];
    let by = Standing::Authorized {
        by: charter().id().to_owned(),
    };
    let asked = |store: &MemoryStore| standing(&View::new(charter(), store), charter().id(), 3, "r");
    // Its own word does not count, and one is not two.
    say(&mut store, &did(3), &grant(3));
    say(&mut store, &did(1), &grant(3));
    say(&mut store, &did(1), &grant(3));
    assert_eq!(asked(&store), Standing::NotAuthorized);
    say(&mut store, &did(2), &grant(3));
    assert_eq!(asked(&store), by);
    // A verifier that authorized nobody itself accepts whom the consortium accepts.
    let view = View::new(charter(), &store);
    assert_eq!(
        standing(&view, did(2).as_str(), 3, "r"),
        Standing::Authorized { by: did(2).to_string() }
    );
    let subject = did(3);
    let question = Question {
        subject: subject.as_str(),
        action: "read",
        resource: "r",
        at: at(100),
    };
    let answer = view.authorization(Authority::Consortium, &question).unwrap();
    let vouchers: Vec<_> = answer
        .vouchers
        .iter()
        .map(|v| (v.organization.clone(), v.index))
        .collect();
    let mut expected = vec![(did(1), 1), (did(2), 0)];
    expected.sort();
    assert_eq!(vouchers, expected);
    // The word of a frozen organization counts for nothing, and neither does it itself.
    let mut frozen = store.clone();
    frozen.write(&[Write::put(store::evidence(did(1).as_str()), evidence())]);
    assert_eq!(asked(&frozen), Standing::NotAuthorized);
    assert_eq!(
        standing(&View::new(charter(), &frozen), did(1).as_str(), 1, "r"),
        Standing::IssuerFrozen
    );
    assert_eq!(
        standing(&View::new(charter(), &frozen), did(1).as_str(), 3, "r"),
        Standing::NotAuthorized
    );
}

#[test]
fn only_whoever_registered_an_agent_retires_it() {
    let mut store = MemoryStore::default();
    let agent = did(7);
    let asked = |store: &MemoryStore| View::new(charter(), store).agent(&agent, at(100));
    let retire = |seconds| [statement(seconds, Content::AgentRetired { agent: agent.clone() })];
    assert_eq!(asked(&store), AgentStanding::Unknown);
    say(&mut store, &did(1), &retire(0));
    assert_eq!(asked(&store), AgentStanding::Unknown);
    say(
        &mut store,
        &did(1),
        &[statement(1, register(&agent, "did:key:z6MkOne"))],
    );
    let active = AgentStanding::Active {
        owner: "did:key:z6MkOne".to_owned(),
        organization: did(1),
    };
    assert_eq!(asked(&store), active);
    say(&mut store, &did(2), &retire(2));
    assert_eq!(asked(&store), active);
    say(
        &mut store,
        &did(2),
        &[statement(3, register(&agent, "did:key:z6MkTwo"))],
    );
    assert_eq!(asked(&store), active);
    say(&mut store, &did(1), &retire(4));
    say(
        &mut store,
        &did(1),
        &[statement(5, register(&agent, "did:key:z6MkAgain"))],
    );
    let other = AgentStanding::Active {
        owner: "did:key:z6MkTwo".to_owned(),
        organization: did(2),
    };
    assert_eq!(asked(&store), other);
    say(&mut store, &did(2), &retire(6));
    say(&mut store, &did(2), &retire(7));
    assert_eq!(asked(&store), AgentStanding::Retired { at: at(6) });
    let view = View::new(charter(), &store);
    assert_eq!(view.registrations(agent.as_str()).unwrap().len(), 2);
}

#[test]
fn agents_and_lists_are_listed_in_order() {
    let mut store = MemoryStore::default();
    let agents: Vec<Did> = (100..110)
        .map(|n| Did::parse(&format!("did:key:z6Mk{n}")).unwrap())
        .collect();
    let said: Vec<_> = agents
        .iter()
        .rev()
        .map(|agent| statement(0, register(agent, "urn:x")))
        .collect();
    say(&mut store, &did(1), &said);
    say(
        &mut store,
        &did(1),
        &LISTS.map(|list| statement(0, create(list, StatusPurpose::Revocation, 131_072))),
    );
    let view = View::new(charter(), &store);
    let us = did(1).to_string();
    let names = |after: Option<&str>, limit| -> Vec<String> {
        view.agents(&us, after, limit)
            .unwrap()
            .into_iter()
            .map(|(did, _)| did)
            .collect()
    };
    assert_eq!(
        names(None, 3),
        ["did:key:z6Mk100", "did:key:z6Mk101", "did:key:z6Mk102"]
    );
    assert_eq!(
        names(Some("did:key:z6Mk107"), 9),
        ["did:key:z6Mk108", "did:key:z6Mk109"]
    );
    assert_eq!(view.agents(did(2).as_str(), None, 9).unwrap(), []);
    let lists: Vec<_> = view
        .status_lists(&us)
        .unwrap()
        .into_iter()
        .map(|(list, _)| list)
        .collect();
    assert_eq!(lists, [LISTS[0], LISTS[2], LISTS[1]]);
}

#[test]
fn revocation_is_for_ever_and_suspension_is_not() {
    let mut store = MemoryStore::default();
    say(
        &mut store,
        &did(1),
        &[
            statement(0, change(LISTS[0], &[3], &[])),
            statement(0, create(LISTS[0], StatusPurpose::Revocation, 131_072)),
            statement(0, create(LISTS[1], StatusPurpose::Suspension, 131_080)),
            statement(0, create(LISTS[0], StatusPurpose::Suspension, 262_144)),
            statement(1, change(LISTS[0], &[0, 4_095, 4_096, 131_071, 131_072], &[])),
            statement(1, change(LISTS[1], &[0, 7, 131_079], &[])),
            statement(2, change(LISTS[0], &[], &[0])),
            statement(2, change(LISTS[1], &[], &[7])),
        ],
    );
    let view = View::new(charter(), &store);
    let bit = |list, purpose, index| view.status(&did(1), list, purpose, index);
    let (revocation, suspension) = (StatusPurpose::Revocation, StatusPurpose::Suspension);
    for (index, expected) in [
        (0, StatusBit::Set),
        (1, StatusBit::Clear),
        (3, StatusBit::Clear),
        (4_095, StatusBit::Set),
        (4_096, StatusBit::Set),
        (4_097, StatusBit::Clear),
        (131_071, StatusBit::Set),
    ] {
        assert_eq!(bit(LISTS[0], revocation, index), expected, "{index}");
    }
    for (index, expected) in [(0, StatusBit::Set), (7, StatusBit::Clear), (131_079, StatusBit::Set)] {
        assert_eq!(bit(LISTS[1], suspension, index), expected, "{index}");
    }
    for unknown in [
        bit(LISTS[0], revocation, 131_072),
        bit(LISTS[0], revocation, u64::MAX),
        bit(LISTS[0], suspension, 0),
        bit(LISTS[2], revocation, 0),
        view.status(&did(2), LISTS[0], revocation, 0),
        view.status(&did(9), LISTS[0], revocation, 0),
    ] {
        assert!(matches!(unknown, StatusBit::Unknown(_)), "{unknown:?}");
    }
    let bits = view.status_bits(did(1).as_str(), LISTS[1]).unwrap().unwrap();
    assert_eq!(bits.len(), 131_080);
    let set: Vec<u64> = (0..131_080).filter(|index| bits.get(*index).unwrap()).collect();
    assert_eq!(set, [0, 131_079]);
    assert_eq!(view.status_bits(did(1).as_str(), LISTS[2]).unwrap(), None);
}

#[test]
fn status_lists_have_a_quota() {
    let mut store = MemoryStore::default();
    let list = |n: u64| format!("https://a.example/{n}");
    let largest = 1_u64 << 26;
    let most = limits::STATUS_BITS / largest;
    let said: Vec<_> = (0..=most)
        .map(|n| statement(0, create(&list(n), StatusPurpose::Revocation, largest)))
        .collect();
    say(&mut store, &did(1), &said);
    let small: Vec<_> = (0..100)
        .map(|n| statement(0, create(&list(1_000 + n), StatusPurpose::Revocation, 131_072)))
        .collect();
    for _ in 0..2 {
        say(&mut store, &did(2), &small);
    }
    let view = View::new(charter(), &store);
    assert_eq!(view.status_lists(did(1).as_str()).unwrap().len() as u64, most);
    assert!(matches!(
        view.status(&did(1), &list(most), StatusPurpose::Revocation, 0),
        StatusBit::Unknown(_)
    ));
    assert_eq!(view.status_lists(did(2).as_str()).unwrap().len(), 100);
}

#[test]
fn knowledge_is_as_old_as_the_newest_head() {
    let mut store = MemoryStore::default();
    assert_eq!(View::new(charter(), &store).freshness(&did(1)), None);
    say(&mut store, &did(1), &[statement(0, register(&did(7), "urn:x"))]);
    assert_eq!(View::new(charter(), &store).freshness(&did(1)), None);
    sign(&mut store, 1, 60);
    let view = View::new(charter(), &store);
    let expected = Freshness {
        organization: did(1),
        head_size: 1,
        time: at(60),
        own: false,
        others: 2,
        witnesses: Vec::new(),
    };
    assert_eq!(view.freshness(&did(1)), Some(expected));
    assert_eq!(view.freshness(&did(9)), None);
    assert_eq!(view.log(did(1).as_str()).unwrap().head.unwrap().size(), 1);
}

#[test]
fn a_profile_is_the_latest_one() {
    let mut store = MemoryStore::default();
    let profile = |name: &str| {
        Content::Profile(Profile {
            name: name.to_owned(),
            endpoints: Endpoints::default(),
            peer_ids: vec![],
        })
    };
    say(
        &mut store,
        &did(1),
        &[statement(0, profile("One")), statement(1, profile("Two"))],
    );
    let view = View::new(charter(), &store);
    assert_eq!(view.profile(did(1).as_str()).unwrap().unwrap().name, "Two");
    assert_eq!(view.profile(did(2).as_str()).unwrap(), None);
    assert_eq!(view.statement(did(1).as_str(), 0).unwrap().unwrap().at, at(0));
    assert_eq!(view.statement(did(1).as_str(), 2).unwrap(), None);
}

#[test]
fn documents_are_those_of_did_key() {
    let store = MemoryStore::default();
    let view = View::new(charter(), &store);
    assert_eq!(view.document(&did(1)).unwrap().id, did(1));
    let other = Did::parse("did:web:a.example").unwrap();
    assert_eq!(
        view.document(&other),
        Err(ResolveError::MethodUnsupported("web".to_owned()))
    );
}

/// A store that answers nothing, or nonsense.
struct Broken(Option<Vec<u8>>);

impl Reader for Broken {
    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.0
            .clone()
            .map(Some)
            .ok_or_else(|| ReadError::Engine("no answer".to_owned()))
    }

    fn range(&self, from: &[u8], _: &[u8], _: usize) -> Result<Vec<store::Row>, ReadError> {
        let row = |value: Vec<u8>| vec![([from, did(2).as_str().as_bytes()].concat(), value)];
        self.0
            .clone()
            .map(row)
            .ok_or_else(|| ReadError::Engine("no answer".to_owned()))
    }
}

#[test]
fn a_store_that_cannot_be_read_allows_nothing() {
    for broken in [Broken(None), Broken(Some(vec![9; 5]))] {
        let view = View::new(charter(), &broken);
        let standing = standing(&view, did(2).as_str(), 1, "r");
        assert!(!matches!(standing, Standing::Authorized { .. }), "{standing:?}");
        assert!(matches!(view.agent(&did(7), at(0)), AgentStanding::Unavailable(_)));
        let status = view.status(&did(1), LISTS[0], StatusPurpose::Revocation, 0);
        assert!(matches!(status, StatusBit::Unknown(_)), "{status:?}");
        assert_eq!(view.freshness(&did(1)), None);
        assert!(view.digest().is_err());
        assert!(view.profile(did(1).as_str()).is_err());
    }
}

#[test]
fn the_digest_changes_with_every_statement() {
    let mut store = MemoryStore::default();
    let digest = |store: &MemoryStore| View::new(charter(), store).digest().unwrap();
    let mut seen = std::collections::BTreeSet::from([digest(&store)]);
    let agents: Vec<Did> = (0..2_000)
        .map(|n| Did::parse(&format!("did:key:z{n}")).unwrap())
        .collect();
    for piece in agents.chunks(200) {
        let said: Vec<_> = piece
            .iter()
            .map(|agent| statement(0, register(agent, "urn:x")))
            .collect();
        say(&mut store, &did(1), &said);
        assert!(seen.insert(digest(&store)));
    }
    say(&mut store, &did(2), &[statement(0, register(&agents[0], "urn:x"))]);
    assert!(seen.insert(digest(&store)));
    store.write(&[Write::put(store::evidence(did(2).as_str()), evidence())]);
    assert!(seen.insert(digest(&store)));
    // When it was last heard from is no part of what is known.
    sign(&mut store, 1, 60);
    assert!(!seen.insert(digest(&store)));
}

#[test]
fn witnesses_are_other_members_and_a_member_is_none_for_itself() {
    let mut store = MemoryStore::default();
    let cosign = |store: &mut MemoryStore, witness: u8, size, second| {
        let (consortium, log) = (charter().id(), did(1));
        let signer = key(10 * witness + 2);
        let made = crate::cosignature::Cosignature::sign(
            consortium,
            log.as_str(),
            (size, &[7; 32]),
            &did(witness),
            &signer,
            at(second),
        )
        .unwrap();
        let key = store::cosignature(log.as_str(), did(witness).as_str());
        store.write(&[store::Write::put(key, made.encode())]);
    };
    cosign(&mut store, 2, 4, 10);
    cosign(&mut store, 3, 5, 20);
    // Not of this charter: a former member, say.
    cosign(&mut store, 9, 6, 30);
    let origin = crate::head::origin(charter().id(), did(1).as_str());
    let head = crate::head::Head::sign(&origin, 0, &log::EMPTY_ROOT, &key(12), at(40)).unwrap();
    let state = LogState {
        frontier: log::Frontier::default(),
        head: Some(head),
    };
    store.write(&[store::Write::put(store::log_state(did(1).as_str()), state.encode())]);
    let sizes = |viewer: Option<&Did>| {
        let view = View::new(charter(), &store);
        let view = viewer.map_or(view, |viewer| view.seen_by(viewer));
        let known = view.freshness(&did(1)).unwrap();
        let mut sizes: Vec<u64> = known.witnesses.iter().map(|one| one.size).collect();
        sizes.sort_unstable();
        (sizes, known.others, known.own)
    };
    assert_eq!(sizes(None), (vec![4, 5], 2, false));
    assert_eq!(sizes(Some(&did(2))), (vec![5], 1, false));
    assert_eq!(sizes(Some(&did(1))), (vec![4, 5], 2, true));
    assert_eq!(sizes(Some(&did(9))), (vec![4, 5], 2, false));
}
