//! Random chains and random decisions: the crate and a naive verifier, written from the specification and sharing no code
//! with it (`reference/`), say the same, first code and all.
//!
//! `SYNDIC_CHAINS` and `SYNDIC_DECISIONS` say how many (the whole campaign: 100000 and 200000), `SYNDIC_SEED` where to
//! begin.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

mod plans;
mod random;
mod reference;
mod world;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plans::{AGENT, NORTH, Plans, issuer, subject};
use random::Rng;
use reference::{Memory, Question};
use serde_json::{Value, json};
use syndic_vc::action::ActionDraft;
use syndic_vc::capability::ResourcePattern;
use syndic_vc::constraint::PurposeOfUse;
use syndic_vc::credential::Credential;
use syndic_vc::decision::Decision;
use syndic_vc::delegation;
use syndic_vc::did::Did;
use syndic_vc::json::Value as Document;
use syndic_vc::json::members::Path;
use syndic_vc::verify::{self, ActionRequest};
use world::chain::{WEST_LIST, index_of, west};
use world::*;

static SOUTH: LazyLock<Did> = LazyLock::new(|| south().did);
static WEST: LazyLock<Did> = LazyLock::new(west);
static STRANGER: LazyLock<Did> = LazyLock::new(|| stranger().did);

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn plain(document: &Document) -> Value {
    serde_json::from_slice(&text(document)).unwrap()
}

/// All is well: who hands on is registered with the organization that keeps the status of what it issues.
fn known(plans: &Plans, at: i64) -> Known {
    let mut known = Known::new();
    let last = plans.0.len() - 1;
    for step in 0..last {
        let organization = if plans.0[step + 1].west {
            WEST.clone()
        } else {
            NORTH.did.clone()
        };
        known.agents.insert(subject(step, last).did.clone(), organization);
    }
    known.other_lists.insert(WEST_LIST.into(), WEST.clone());
    let heard = after(at - 5);
    known.heard = [(NORTH.did.clone(), heard), (WEST.clone(), heard)].into();
    known
}

/// Something is not well.
fn disturb(rng: &mut Rng, known: &mut Known, plans: &Plans, at: i64) {
    let last = plans.0.len() - 1;
    let step = rng.below(last + 1);
    let list = if plans.0[step].west { WEST_LIST } else { LIST };
    match rng.below(13) {
        0 => drop(known.set.insert((list.into(), index_of(step)))),
        1 => drop(known.suspended.insert(subject(step, last).did.clone())),
        2 => drop(known.retired.insert(subject(step, last).did.clone())),
        3 => drop(known.agents.remove(&subject(step, last).did)),
        4 => drop(known.agents.insert(subject(step, last).did.clone(), STRANGER.clone())),
        5 => drop(known.heard.insert(
            NORTH.did.clone(),
            after(at - 299 - i64::try_from(rng.below(4)).unwrap()),
        )),
        6 => drop(
            known
                .heard
                .insert(WEST.clone(), after(at + 59 + i64::try_from(rng.below(4)).unwrap())),
        ),
        7 => drop(known.heard.remove(rng.pick(&[NORTH.did.clone(), WEST.clone()]))),
        8 => drop(known.frozen.insert(NORTH.did.clone())),
        9 => drop(known.authorized.remove(&NORTH.did)),
        10 => {
            let granted = ["a/*", "tickets/*"].map(|text| ("call".to_owned(), ResourcePattern::parse(text).unwrap()));
            known.authorized.insert(NORTH.did.clone(), granted.to_vec());
        }
        11 => drop(known.lists.remove(LIST)),
        _ => drop(
            known
                .down
                .insert((*rng.pick(&["standing", "status", "agent"])).to_owned()),
        ),
    }
}

/// What was seen, to show that the campaign meets what it should.
#[derive(Default)]
struct Seen {
    verdicts: BTreeMap<String, u64>,
    widened: BTreeMap<&'static str, u64>,
    narrowed: u64,
    decisions: u64,
}

/// Whether each link may follow from the next, as who hands on asks it.
fn follows(credentials: &[Document]) -> Result<(), String> {
    let read = |one: &Document| Credential::read(one.as_object().unwrap(), &Path::ROOT).unwrap();
    for pair in credentials.windows(2) {
        let digest = || syndic_vc::credential::digest(&pair[1]);
        delegation::check(&read(&pair[0]), &Path::ROOT, &read(&pair[1]), &digest)
            .map_err(|reason| reason.code.to_string())?;
    }
    Ok(())
}

const OF_THE_CHAIN: [&str; 5] = [
    "chain-too-long",
    "chain-broken",
    "delegation-not-allowed",
    "owner-changed",
    "delegation-wider",
];

/// One chain, and some decisions under it one after the other at a verifier that remembers.
fn round(seed: u64, decisions: u64, seen: &mut Seen) {
    let mut rng = Rng::new(seed);
    let depth = 1 + rng.below(8);
    let mut plans = self::plans::chain(&mut rng, depth);
    let mut how = None;
    if rng.once_in(2) {
        let (wide, _, what) = self::plans::widen(&mut rng, &plans);
        (plans, how) = (wide, Some(what));
    }
    let credentials = plans.sign();
    match (how, follows(&credentials)) {
        (None, Ok(())) => seen.narrowed += 1,
        (Some(what), Err(_)) => *seen.widened.entry(what).or_default() += 1,
        (how, outcome) => panic!("seed {seed}: widened {how:?}, found {outcome:?}: {plans:?}"),
    }
    let (once, mut memory) = (Once::new(), Memory::default());
    let mut at = i64::try_from(rng.below(80_000)).unwrap();
    for number in 0..decisions {
        // Most of the time it goes on a little; now and then it is set back.
        at = (at + i64::try_from(rng.below(400)).unwrap() - if rng.once_in(6) { 1_000 } else { 0 }).clamp(0, 86_000);
        let (verdict, whole) = decide(&mut rng, &plans, &credentials, at, number, &once, &mut memory, seed);
        if how.is_some() {
            assert_ne!(verdict.0, "allow", "seed {seed}: {how:?} {plans:?}");
        } else if whole {
            assert!(
                !OF_THE_CHAIN.contains(&verdict.1.as_str()),
                "seed {seed}: {verdict:?} {plans:?}"
            );
        }
        seen.decisions += 1;
        *seen.verdicts.entry(format!("{} {}", verdict.0, verdict.1)).or_default() += 1;
    }
}

/// The verdict, and whether the chain was sent as it was signed.
#[allow(clippy::too_many_arguments)]
fn decide(
    rng: &mut Rng,
    plans: &Plans,
    credentials: &[Document],
    at: i64,
    number: u64,
    once: &Once,
    memory: &mut Memory,
    seed: u64,
) -> ((String, String), bool) {
    let now = after(at);
    let asked = self::plans::asked(rng, plans.0.last().unwrap(), SOUTH.as_str(), now.unix_seconds());
    let mut draft = ActionDraft {
        id: ACTION_ID.into(),
        agent: AGENT.did.clone(),
        action: asked.action.parse().unwrap(),
        resource: asked.resource.parse().unwrap(),
        scope: asked.scope.map(|scope| scope.parse().unwrap()),
        parameters: parameters_of(&asked.parameters.to_string()),
        purpose: asked
            .purpose
            .map(|label| PurposeOfUse::parse(label.as_str().unwrap()).unwrap()),
        audience: SOUTH.clone(),
        created: after(at - 2),
        expires: after(at + 298),
        // Now and then the one before again.
        nonce: format!("{NONCE}{}", if rng.once_in(10) { number / 2 } else { number }),
        credential: &credentials[0],
    };
    let mut signer = &*AGENT;
    let mut known = known(plans, at);
    match rng.below(60) {
        0 => draft.audience = NORTH.did.clone(),
        1 => (draft.created, draft.expires) = (after(at - 300), after(at)),
        2 => draft.created = after(at + 61),
        3 => draft.credential = &credentials[1],
        4 => {
            signer = issuer(1);
            draft.agent = signer.did.clone();
        }
        5..=14 => disturb(rng, &mut known, plans, at),
        _ => {}
    }
    if draft.created >= draft.expires {
        draft.expires = draft.created.checked_add_seconds(60).unwrap();
    }
    let action = draft.sign(&signer.method(), signer.signer()).unwrap();
    let mut enclosed = credentials.to_vec();
    match rng.below(40) {
        0 => drop(enclosed.pop()),
        1 => drop(enclosed.remove(1)),
        2 => {
            let twice = enclosed[1].clone();
            enclosed.resize(11, twice);
        }
        3 => {
            let which = rng.below(enclosed.len());
            enclosed[which].as_object_mut().unwrap().insert("name", "another");
        }
        _ => {}
    }
    let whole = enclosed == credentials;
    let document = world::chain::envelope_of(action, &enclosed);
    let policy = policy();
    let request = ActionRequest { audience: &SOUTH };
    let outcome = verify::action(&text(&document), &request, &policy, &known, once, now);
    let first = outcome
        .as_ref()
        .err()
        .map_or(String::new(), |denied| denied.code().to_string());
    let verdict = (Decision::of(&outcome).outcome().as_str().to_owned(), first);
    let (envelope, knowledge) = (plain(&document), plain(&known.to_json()));
    let question = Question {
        envelope: &envelope,
        audience: SOUTH.as_str(),
        knowledge: &knowledge,
        now: now.unix_seconds(),
        max_staleness: policy.max_staleness_seconds.into(),
        skew: policy.clock_skew_seconds.into(),
    };
    let (decision, code) = reference::decide(&question, memory);
    assert_eq!(
        (verdict.0.as_str(), verdict.1.as_str()),
        (decision, code.as_str()),
        "seed {seed}, decision {number}: left is the crate's\n{}\n{knowledge}\n{outcome:?}",
        json!(envelope)
    );
    (verdict, whole)
}

#[test]
fn the_crate_and_the_reference_say_the_same() {
    let chains = number("SYNDIC_CHAINS", 2_000);
    let decisions = number("SYNDIC_DECISIONS", 3 * chains).div_ceil(chains);
    let first = number("SYNDIC_SEED", 1);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let all: Vec<Seen> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn(move || {
                    let mut seen = Seen::default();
                    for seed in (first..first + chains).filter(|seed| seed % threads == worker) {
                        round(seed, decisions, &mut seen);
                    }
                    seen
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let mut seen = Seen::default();
    for one in all {
        one.verdicts
            .into_iter()
            .for_each(|(verdict, count)| *seen.verdicts.entry(verdict).or_default() += count);
        one.widened
            .into_iter()
            .for_each(|(how, count)| *seen.widened.entry(how).or_default() += count);
        seen.narrowed += one.narrowed;
        seen.decisions += one.decisions;
    }
    println!(
        "{chains} chains: {} no wider, all passed; {} with one link that is, none passed {:?}",
        seen.narrowed,
        seen.widened.values().sum::<u64>(),
        seen.widened
    );
    println!(
        "{} decisions, all as the reference: {:#?}",
        seen.decisions, seen.verdicts
    );
    if chains >= 2_000 {
        assert!(
            seen.verdicts["allow "] * 10 > seen.decisions,
            "too few are allowed to show anything"
        );
        assert_eq!(seen.widened.len(), 11, "{:?}", seen.widened);
        assert!(seen.verdicts.len() > 30, "{:?}", seen.verdicts);
    }
}
