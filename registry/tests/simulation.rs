//! Hundreds of simulated consortia. `SYNDIC_SEED=n` replays one and prints what happened in it;
//! `SYNDIC_SEEDS=n` sets how many are run, `SYNDIC_FIRST_SEED=n` where they begin.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::{panic, thread};

use syndic_registry::sim::{self, Figures, Violation};

/// Seeds of the ordinary run.
const SEEDS: u64 = 300;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")),
    )
}

#[test]
fn seeds_hold_every_invariant() {
    if let Some(seed) = number("SYNDIC_SEED") {
        return replay(seed);
    }
    let (first, count) = (
        number("SYNDIC_FIRST_SEED").unwrap_or(0),
        number("SYNDIC_SEEDS").unwrap_or(SEEDS),
    );
    let next = AtomicU64::new(first);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
    let results: Vec<(Figures, Vec<Violation>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| work(&next, first + count)))
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let mut figures = Figures::default();
    let mut violations = Vec::new();
    for (some, bad) in results {
        figures.add(&some);
        violations.extend(bad);
    }
    violations.sort_by_key(|violation| violation.seed);
    println!("{count} seeds: {figures:?}");
    for violation in &violations {
        println!("{violation}");
    }
    assert!(
        violations.is_empty(),
        "{} of {count} seeds failed; the first: {}",
        violations.len(),
        violations[0]
    );
    if count >= SEEDS {
        everything_happened(&figures);
    }
}

fn work(next: &AtomicU64, end: u64) -> (Figures, Vec<Violation>) {
    let (mut figures, mut violations) = (Figures::default(), Vec::new());
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return (figures, violations);
        }
        match panic::catch_unwind(|| sim::run(seed, false)) {
            Ok(Ok((some, _))) => figures.add(&some),
            Ok(Err(violation)) => violations.push(*violation),
            Err(_) => violations.push(Violation {
                seed,
                at: 0,
                what: "a panic, as printed above".to_owned(),
                trace: Vec::new(),
            }),
        }
    }
}

fn replay(seed: u64) {
    let (trace, violation) = match sim::run(seed, true) {
        Ok((figures, mut trace)) => {
            trace.push(format!("{figures:?}"));
            (trace, None)
        }
        Err(violation) => (violation.trace.clone(), Some(violation)),
    };
    for line in trace {
        println!("{line}");
    }
    if let Some(violation) = violation {
        panic!("{violation}");
    }
}

/// A simulator in which nothing goes wrong any more proves nothing.
fn everything_happened(figures: &Figures) {
    let Figures {
        acknowledged,
        rotations,
        charters,
        conflicts,
        refused,
        failed,
        crashes,
        partitions,
        lost,
        doubled,
        lies,
        ..
    } = *figures;
    let Figures {
        penalties,
        tampering,
        pieces,
        forks,
        parted,
        salvaged,
        unreadable,
        ..
    } = *figures;
    for (what, count) in [
        ("acknowledged", acknowledged),
        ("rotations", rotations),
        ("charters", charters),
        ("conflicts", conflicts),
        ("refused", refused),
        ("failed", failed),
        ("crashes", crashes),
        ("partitions", partitions),
        ("lost", lost),
        ("doubled", doubled),
        ("lies", lies),
        ("penalties", penalties),
        ("tampering", tampering),
        ("pieces", pieces),
        ("forks", forks),
        ("parted", parted),
        ("salvaged", salvaged),
        ("unreadable", unreadable),
    ] {
        assert!(count > 0, "in none of the seeds: {what}");
    }
}

#[test]
fn a_seed_always_gives_the_same_run() {
    for seed in [1, 2, 3] {
        let one = sim::run(seed, true).unwrap_or_else(|violation| panic!("{violation}"));
        let two = sim::run(seed, true).unwrap_or_else(|violation| panic!("{violation}"));
        assert_eq!(one, two);
    }
}
