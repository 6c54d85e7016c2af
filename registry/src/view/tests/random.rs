//! Random statements of three organizations, heard in random order, compared with the model.

use proptest::prelude::*;

use super::super::model::Model;
use super::super::*;
use super::{LISTS, change, create, register, right, say, statement};
use crate::example::{at, charter, did, key};
use crate::statement::{
    AgentSucceeded, BundleFormat, CredentialsAnchored, Grant, KeyCompromised, TrustBundle, Unknown,
};
use crate::store::{MemoryStore, Write};

pub(super) const ACTIONS: [&str; 2] = ["read", "write"];
pub(super) const RESOURCES: [&str; 9] = ["*", "r", "r/*", "r/a", "r/a/*", "r/a/b", "r/a/b/*", "r/ab", "other"];
const TIMES: [i64; 4] = [0, 50, 100, 150];

/// Anything that an organization can say about a few agents, rights and lists.
pub(super) fn anything() -> impl Strategy<Value = Statement> {
    let agent = (20_u8..23).prop_map(did);
    let subject = prop::sample::select(vec![
        did(1).to_string(),
        did(2).to_string(),
        did(3).to_string(),
        "urn:x:y".to_owned(),
    ]);
    let right = (
        subject,
        prop::sample::select(ACTIONS.to_vec()),
        prop::sample::select(RESOURCES.to_vec()),
    )
        .prop_map(|(subject, action, resource)| right(&subject, action, resource));
    let grant =
        (right.clone(), prop::option::of(0_i64..2), prop::option::of(2_i64..4)).prop_map(|(right, from, until)| {
            Grant {
                right,
                valid_from: from.map(|n| at(50 * n)),
                valid_until: until.map(|n| at(50 * n)),
            }
        });
    let list = prop::sample::select(LISTS.to_vec());
    let bits = || {
        prop::collection::btree_set(
            prop::sample::select(vec![0_u64, 1, 4_095, 4_096, 131_071, 131_072]),
            0..4,
        )
    };
    let purpose = prop::sample::select(vec![StatusPurpose::Revocation, StatusPurpose::Suspension]);
    let content = prop_oneof![
        1 => Just(Content::Unknown(Unknown { kind: "later".to_owned(), members: syndic_vc::json::Object::new() })),
        3 => (agent.clone(), "urn:[ab]").prop_map(|(agent, owner)| register(&agent, &owner)),
        1 => agent.clone().prop_map(|agent| Content::AgentRetired { agent }),
        2 => agent.clone().prop_map(|agent| Content::AgentSuspended { agent }),
        2 => agent.prop_map(|agent| Content::AgentResumed { agent }),
        2 => (0_u8..3, any::<bool>()).prop_map(|(n, named)| compromised(n, named)),
        3 => prop::collection::btree_set(0_u8..4, 1..3).prop_map(|which| anchored(which.into_iter())),
        1 => (0_u8..2, 0_u8..3).prop_map(|(domain, n)| trusted(domain, n)),
        4 => succession(),
        6 => grant.clone().prop_map(Content::Authorize),
        2 => right.clone().prop_map(Content::WithdrawAuthorization),
        3 => grant.prop_map(Content::Recognize),
        1 => right.prop_map(Content::WithdrawRecognition),
        2 => (list.clone(), purpose, prop::sample::select(vec![131_072_u64, 131_080]))
            .prop_map(|(list, purpose, length)| create(list, purpose, length)),
        6 => (list, bits(), bits()).prop_filter_map("nothing changed", |(list, set, cleared)| {
            let cleared: Vec<u64> = cleared.difference(&set).copied().collect();
            let set: Vec<u64> = set.into_iter().collect();
            (!set.is_empty() || !cleared.is_empty()).then(|| change(list, &set, &cleared))
        }),
    ];
    (0_i64..9, content).prop_map(|(seconds, content)| statement(seconds, content))
}

/// Successions of a few agents among each other, most of them signed by the agent, for one of three organizations.
fn succession() -> impl Strategy<Value = Content> {
    let until = prop::sample::select(vec![0_i64, 8, 60, 120, crate::limits::OVERLAP_SECONDS + 9]);
    (1_u8..4, 20_u8..23, 20_u8..24, until, prop::bool::weighted(0.8)).prop_map(
        |(organization, agent, successor, until, own)| {
            let signer = key(10 * if own { agent } else { successor });
            let organization = did(organization);
            let (agent, successor) = (did(agent), did(successor));
            Content::AgentSucceeded(
                AgentSucceeded::sign(&organization, &agent, &successor, at(until), &signer).unwrap(),
            )
        },
    )
}

/// The names of a key of organization `n` + 1: how its document lists it, and what it is.
fn names(n: u8) -> [String; 2] {
    let multikey = key(10 * (n + 1)).public_key().to_multikey();
    [format!("{}#{multikey}", did(n + 1)), multikey]
}

fn digest(n: u8) -> String {
    crate::log_keys::commitment(key(200 + n).public_key())
}

fn compromised(n: u8, named: bool) -> Content {
    Content::KeyCompromised(KeyCompromised {
        key: names(n)[usize::from(named)].clone(),
        since: None,
    })
}

fn anchored(which: impl Iterator<Item = u8>) -> Content {
    let mut digests: Vec<String> = which.map(digest).collect();
    digests.sort();
    Content::CredentialsAnchored(CredentialsAnchored { digests })
}

fn trusted(domain: u8, n: u8) -> Content {
    let mut bundle = syndic_vc::json::Object::new();
    bundle.insert("keys", (0..u64::from(n)).collect::<syndic_vc::json::Value>());
    Content::TrustBundle(TrustBundle {
        domain: format!("spiffe://hospital-{domain}.example"),
        format: BundleFormat::Spiffe,
        bundle,
    })
}

/// Which log grows next, and by how much.
fn steps() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0_usize..3, 1_usize..20), 0..40)
}

/// A store that heard three logs in these steps, and then what is left of each.
pub(super) fn heard(logs: &[Vec<Statement>; 3], steps: &[(usize, usize)], frozen: bool) -> MemoryStore {
    let mut store = MemoryStore::default();
    let mut left = logs.each_ref().map(Vec::as_slice);
    for (log, count) in steps.iter().copied().chain([(2, 999), (0, 999), (1, 999)]) {
        let (now, later) = left[log].split_at(count.min(left[log].len()));
        left[log] = later;
        // In pieces, since a batch is bounded.
        now.chunks(200)
            .for_each(|piece| say(&mut store, &did(log as u8 + 1), piece));
    }
    if frozen {
        store.write(&[Write::put(store::evidence(did(2).as_str()), super::evidence())]);
    }
    store
}

fn model(logs: &[Vec<Statement>; 3], frozen: bool) -> Model {
    let mut model = Model::default();
    model.members = (1..=3).map(|n| did(n).to_string()).collect();
    model.consortium = charter().id().to_owned();
    model.endorsements = 2;
    for (n, log) in (1..).zip(logs) {
        log.iter().for_each(|statement| model.tell(did(n).as_str(), statement));
    }
    if frozen {
        model.frozen.insert(did(2).to_string());
    }
    model
}

fn named(standing: Standing) -> String {
    match standing {
        Standing::Authorized { by } => format!("authorized by {by}"),
        Standing::NotAuthorized => "not authorized".to_owned(),
        Standing::IssuerUnknown => "unknown".to_owned(),
        Standing::IssuerRemoved => "removed".to_owned(),
        Standing::IssuerFrozen => "frozen".to_owned(),
        Standing::Unavailable(why) => why,
    }
}

/// Asks everything there is to ask.
fn compare(view: &View<'_>, model: &Model) -> Result<(), TestCaseError> {
    for n in 0..3 {
        let organization = did(n + 1);
        for of in 0..3 {
            let names = names(of);
            for digest in (0..4).map(digest) {
                let key = key(10 * (of + 1));
                let found = view.key_standing(&organization, &names[0], key.public_key(), &|| digest.clone());
                let good = model.key_is_good(organization.as_str(), [&names[0], &names[1]], &digest);
                prop_assert_eq!(found == KeyStanding::Good, good);
                prop_assert!(!matches!(found, KeyStanding::Unavailable(_)));
            }
        }
        for domain in 0..2 {
            let domain = format!("spiffe://hospital-{domain}.example");
            let found = view.trust_bundle(organization.as_str(), &domain).unwrap();
            prop_assert_eq!(found.as_ref(), model.bundle(organization.as_str(), &domain));
        }
    }
    let authorities = [
        did(1).to_string(),
        did(2).to_string(),
        charter().id().to_owned(),
        did(9).to_string(),
    ];
    for authority in &authorities {
        for (action, resource, time) in ACTIONS
            .iter()
            .flat_map(|a| RESOURCES.iter().map(move |r| (*a, *r)))
            .flat_map(|(a, r)| TIMES.map(|t| (a, r, at(t))))
        {
            for subject in [did(1).to_string(), did(3).to_string(), "urn:x:y".to_owned()] {
                let question = Question {
                    subject: &subject,
                    action,
                    resource,
                    at: time,
                };
                let answers = view.authority(authority).map(|authority| {
                    let granted = |answer: Result<Answer, ReadError>| answer.unwrap().granted;
                    (
                        granted(view.authorization(authority, &question)),
                        granted(view.recognition(authority, &question)),
                    )
                });
                let expected = model
                    .granted(false, authority, &subject, action, resource, time)
                    .zip(model.granted(true, authority, &subject, action, resource, time));
                prop_assert_eq!(answers, expected, "{:?} of {}", question, authority);
            }
            for n in [1, 2, 3, 9] {
                let standing = named(view.standing(authority, &did(n), action, resource, time));
                prop_assert_eq!(
                    standing,
                    model.standing(authority, did(n).as_str(), action, resource, time)
                );
            }
        }
    }
    for agent in (20..24).map(did) {
        for time in TIMES.map(at) {
            let standing = match view.agent(&agent, time) {
                AgentStanding::Unknown => "unknown".to_owned(),
                AgentStanding::Active { owner, organization } => format!("{owner} at {organization}"),
                AgentStanding::Suspended { at } => format!("suspended {at}"),
                AgentStanding::Retired { at } => format!("retired {at}"),
                AgentStanding::Unavailable(why) => why,
            };
            prop_assert_eq!(standing, model.agent(agent.as_str(), time));
        }
        for n in 1..4 {
            let organization = did(n);
            let said = view.successor(organization.as_str(), agent.as_str()).unwrap();
            prop_assert_eq!(
                said.map(|said| (said.until, said.successor)),
                model.successor(organization.as_str(), agent.as_str())
            );
        }
    }
    for n in 1..4 {
        for list in LISTS {
            for purpose in [StatusPurpose::Revocation, StatusPurpose::Suspension] {
                for index in [0, 1, 2, 4_095, 4_096, 131_071, 131_072, 131_080] {
                    let bit = match view.status(&did(n), list, purpose, index) {
                        StatusBit::Set => Some(true),
                        StatusBit::Clear => Some(false),
                        StatusBit::Unknown(_) => None,
                    };
                    prop_assert_eq!(bit, model.status(did(n).as_str(), list, purpose, index));
                }
            }
            let bits = view.status_bits(did(n).as_str(), list).unwrap();
            prop_assert_eq!(bits.is_some(), model.bits(did(n).as_str(), list).is_some());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_view_is_what_the_statements_say_in_whatever_order_logs_are_heard(
        one in prop::collection::vec(anything(), 0..60),
        two in prop::collection::vec(anything(), 0..60),
        three in prop::collection::vec(anything(), 0..60),
        first in steps(), second in steps(), frozen: bool,
    ) {
        let logs = [one, two, three];
        let (here, there) = (heard(&logs, &first, frozen), heard(&logs, &second, frozen));
        prop_assert_eq!(&here, &there);
        let view = View::new(charter(), &here);
        prop_assert_eq!(view.digest().unwrap(), View::new(charter(), &there).digest().unwrap());
        compare(&view, &model(&logs, frozen))?;
    }

    #[test]
    fn patterns_that_cover_are_those_of_capabilities(one in "[ab]{1,2}(/[ab]{1,2}){0,3}(/\\*)?", two in "[ab]{1,2}(/[ab]{1,2}){0,3}(/\\*)?") {
        use syndic_vc::capability::ResourcePattern;
        let (pattern, asked) = (ResourcePattern::parse(&one).unwrap(), ResourcePattern::parse(&two).unwrap());
        prop_assert_eq!(covering(&two).contains(&one), pattern.covers_pattern(&asked));
        prop_assert!(covering(&two).contains(&"*".to_owned()));
    }
}
