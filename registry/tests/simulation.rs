//! Hundreds of simulated consortia. `SYNDIC_SEED=n` replays one and prints what happened in it;
//! `SYNDIC_SEEDS=n` sets how many are run, `SYNDIC_FIRST_SEED=n` where they begin. The same of those in which nobody lies:
//! `SYNDIC_HONEST_SEED`, `SYNDIC_HONEST`, `SYNDIC_FIRST_HONEST`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::{panic, thread};

use syndic_registry::sim::spread::{self, Setting};
use syndic_registry::sim::{self, Figures, Kind, Violation};

/// Seeds of the ordinary run.
const SEEDS: u64 = 300;

/// Of those in which nobody lies.
const HONEST_SEEDS: u64 = 200;

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
        return replay(Kind::Ordinary, seed);
    }
    let first = number("SYNDIC_FIRST_SEED").unwrap_or(0);
    let count = number("SYNDIC_SEEDS").unwrap_or(SEEDS);
    let figures = run(Kind::Ordinary, first, count);
    if count >= SEEDS {
        everything_happened(&figures);
    }
}

/// Backups restored, crashes, messages repeated, clocks set, keys and charters replaced: and nobody is blamed for it.
#[test]
fn who_is_honest_is_never_accused() {
    if let Some(seed) = number("SYNDIC_HONEST_SEED") {
        return replay(Kind::Honest, seed);
    }
    let first = number("SYNDIC_FIRST_HONEST").unwrap_or(0);
    let count = number("SYNDIC_HONEST").unwrap_or(HONEST_SEEDS);
    let figures = run(Kind::Honest, first, count);
    let blamed = [
        figures.penalties,
        figures.tampering,
        figures.forks,
        figures.parted,
        figures.salvaged,
    ];
    assert_eq!((blamed, figures.unreadable, figures.liars), ([0; 5], 0, 0));
    if count >= HONEST_SEEDS {
        for (what, count) in [
            ("restored", figures.restored),
            ("replayed", figures.replayed),
            ("crashes", figures.crashes),
            ("failed", figures.failed),
            ("rotations", figures.rotations),
            ("charters", figures.charters),
            ("conflicts", figures.conflicts),
            ("partitions", figures.partitions),
            ("fresh", figures.fresh),
            ("stale", figures.stale),
        ] {
            assert!(count > 0, "in none of the honest seeds: {what}");
        }
    }
}

fn run(kind: Kind, first: u64, count: u64) -> Figures {
    let next = AtomicU64::new(first);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
    let results: Vec<(Figures, Vec<Violation>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| work(kind, &next, first + count)))
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
    println!("{count} seeds, {kind:?}: {figures:?}");
    for violation in &violations {
        println!("{violation}");
    }
    assert!(
        violations.is_empty(),
        "{} of {count} seeds failed; the first: {}",
        violations.len(),
        violations[0]
    );
    figures
}

fn work(kind: Kind, next: &AtomicU64, end: u64) -> (Figures, Vec<Violation>) {
    let (mut figures, mut violations) = (Figures::default(), Vec::new());
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return (figures, violations);
        }
        match panic::catch_unwind(|| sim::run(kind, seed, false)) {
            Ok(Ok((some, _))) => figures.add(&some),
            Ok(Err(violation)) => violations.push(*violation),
            Err(_) => violations.push(Violation {
                kind,
                seed,
                at: 0,
                what: "a panic, as printed above".to_owned(),
                trace: Vec::new(),
            }),
        }
    }
}

fn replay(kind: Kind, seed: u64) {
    let (trace, violation) = match sim::run(kind, seed, true) {
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
        convicted,
        beginnings,
        pieces,
        narrowed,
        forks,
        parted,
        salvaged,
        unreadable,
        fresh,
        stale,
        hidden,
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
        ("convicted", convicted),
        ("beginnings", beginnings),
        ("pieces", pieces),
        ("narrowed", narrowed),
        ("forks", forks),
        ("parted", parted),
        ("salvaged", salvaged),
        ("unreadable", unreadable),
        ("fresh", fresh),
        ("stale", stale),
        ("hidden", hidden),
    ] {
        assert!(count > 0, "in none of the seeds: {what}");
    }
}

/// The larger ones are run by `cargo run --release -p syndic-registry --example convergence`.
#[test]
fn a_statement_reaches_everybody_through_four_neighbours() {
    for loss in [0, 10] {
        let setting = Setting {
            members: 20,
            loss,
            statements: 4,
            seed: 1,
        };
        let one = spread::run(setting).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!((one.delays.len(), one.whole.len()), (4 * 19, 4));
        assert_eq!(Ok(one), spread::run(setting));
    }
}

#[test]
fn a_seed_always_gives_the_same_run() {
    for (kind, seed) in [(Kind::Ordinary, 1), (Kind::Ordinary, 2), (Kind::Honest, 3)] {
        let one = sim::run(kind, seed, true).unwrap_or_else(|violation| panic!("{violation}"));
        let two = sim::run(kind, seed, true).unwrap_or_else(|violation| panic!("{violation}"));
        assert_eq!(one, two);
    }
}
