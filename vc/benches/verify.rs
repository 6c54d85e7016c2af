//! What one verification costs, beside the signature check that nobody can avoid.
//!
//! ```text
//! cargo bench -p syndic-vc --features linked-data
//! ```
//!
//! The ratios at the end are of the CPU time of this thread. Each measurement is paired with one of
//! the bare signature check just before it, and the median of the pairs counts: a busy machine slows
//! both of a pair alike. Peers come last, since what they leave on the heap slows what follows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, missing_docs)]

#[path = "../tests/world/mod.rs"]
mod world;

mod batch;
mod measure;
mod peers;
mod setup;
mod suites;

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use setup::{Cached, Resolving, bare, small};
use syndic_vc::decision::{Decision, Outcome};
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{OneTime, OneTimeKind, SpendError};
use syndic_vc::verify::{self, ActionRequest};
use world::*;

/// The allocator of the program, for what is measured and what it is measured against.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures verification alone: the store's own sync is another benchmark.
struct Spent;

impl OneTime for Spent {
    fn spend(&self, _: OneTimeKind, _: &str, _: Timestamp, _: Timestamp) -> Result<(), SpendError> {
        Ok(())
    }
}

/// Something to be measured, by name; one call is one operation.
type Candidate<'a> = (&'static str, Box<dyn FnMut() + 'a>);

fn main() {
    let (known, resolving) = (Cached::new(), Resolving(Cached::new()));
    let (policy, now) = (policy(), now());
    let south = south().did;
    let signed = credential();
    let credential_text = text(&signed);
    let small_text = text(&small());
    let action_text = text(&refund());
    println!(
        "the article's credential, four capabilities: {} bytes; with one capability: {} bytes; \
         action with its credential: {} bytes",
        credential_text.len(),
        small_text.len(),
        action_text.len()
    );

    let mut candidates: Vec<Candidate<'_>> = vec![
        ("bare verify_strict", bare()),
        ("issue", issue()),
        (
            "verify credential, text to decision",
            Box::new(|| {
                let outcome = verify::credential(black_box(&credential_text), &policy, &known, now);
                assert_eq!(black_box(Decision::of(&outcome)).outcome(), Outcome::Allow);
            }),
        ),
        (
            "verify credential, no cached key",
            Box::new(|| {
                let outcome = verify::credential(black_box(&credential_text), &policy, &resolving, now);
                assert_eq!(black_box(Decision::of(&outcome)).outcome(), Outcome::Allow);
            }),
        ),
        (
            "verify small credential, text to decision",
            Box::new(|| {
                let outcome = verify::credential(black_box(&small_text), &policy, &known, now);
                assert_eq!(black_box(Decision::of(&outcome)).outcome(), Outcome::Allow);
            }),
        ),
        (
            "verify small credential, no cached key",
            Box::new(|| {
                let outcome = verify::credential(black_box(&small_text), &policy, &resolving, now);
                assert_eq!(black_box(Decision::of(&outcome)).outcome(), Outcome::Allow);
            }),
        ),
        (
            "verify action, text to decision",
            Box::new(|| {
                let request = ActionRequest { audience: &south };
                let outcome = verify::action(black_box(&action_text), &request, &policy, &known, &Spent, now);
                assert_eq!(black_box(Decision::of(&outcome)).outcome(), Outcome::Allow);
            }),
        ),
    ];
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for (name, run) in &mut candidates {
        criterion.bench_function(name, |bencher| bencher.iter(&mut *run));
    }
    let mut ours = ratios(&mut candidates);
    suites::report();
    batch::report();
    let mut others = peers::all(&signed);
    for (name, run) in &mut others {
        criterion.bench_function(name, |bencher| bencher.iter(&mut *run));
    }
    criterion.final_summary();
    ours.extend(ratios(&mut others));
    report(&ours);
}

/// From a draft to the signed document, read back before it was signed.
fn issue() -> Box<dyn FnMut()> {
    let (draft, issuer, method) = (draft(), north(), north().method());
    Box::new(move || {
        let signed = draft.sign(&method, after(-3_600), issuer.signer());
        black_box(signed.unwrap());
    })
}

/// What was measured of one candidate.
struct Measured {
    name: &'static str,
    seconds: f64,
    /// The bare signature check, measured just before, in units of this candidate.
    bare_of_it: f64,
}

fn ratios(candidates: &mut [Candidate<'_>]) -> Vec<Measured> {
    let mut bare = bare();
    let measured = candidates.iter_mut().map(|(name, run)| {
        let (seconds, bare_of_it) = measure::paired(&mut bare, run, 16);
        Measured {
            name,
            seconds,
            bare_of_it,
        }
    });
    measured.collect()
}

fn report(measured: &[Measured]) {
    println!("\nCPU time, median:");
    for Measured { name, seconds, .. } in measured {
        println!(
            "  {name:<44} {:>9.2} us  {:>8.0} per CPU second",
            seconds * 1e6,
            1.0 / seconds
        );
    }
    let of = |name: &str| measured.iter().find(|one| one.name == name);
    let ratio = |name: &str, signatures: f64| of(name).map_or(f64::NAN, |one| signatures * one.bare_of_it);
    println!("\nbare verify_strict / text to decision   (1.00 would cost nothing beside the signature)");
    for (what, name, aim) in [
        ("one capability", "verify small credential, text to decision", "0.80"),
        (
            "one capability, no cached key",
            "verify small credential, no cached key",
            "0.72",
        ),
        ("the article's", "verify credential, text to decision", "none"),
        (
            "the article's, no cached key",
            "verify credential, no cached key",
            "none",
        ),
    ] {
        println!("  {what:<32} {:.2}   (aim: {aim})", ratio(name, 1.0));
    }
    let ours = ratio("verify credential, text to decision", 1.0);
    let action = ratio("verify action, text to decision", 2.0);
    println!("verify action / two bare verify_strict = {action:.2}");
    for peer in measured.iter().filter(|one| peers::NAMES.contains(&one.name)) {
        println!(
            "{} takes {:.2} times as long as verify credential",
            peer.name,
            ours / peer.bare_of_it
        );
    }
}
