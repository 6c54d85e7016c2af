//! What a log costs: appending to the own one, and catching up with another's 100,000 statements
//! (parse, verify, hash, fold, into a store in memory), beside bare SHA-256 of the same bytes.
//!
//! `cargo bench -p syndic-registry --bench log` prints criterion's figures, then statements per
//! CPU second and the ratio to bare hashing, all from one process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

mod world;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use syndic_registry::limits;
use syndic_registry::log::LogState;
use syndic_registry::replica::{Effect, Event};
use syndic_registry::statement::Statement;
use syndic_registry::view::View;
use world::{Consortium, Memory, append, bare_hashing, consortium, drive, now, replica, statement, timed};

/// The allocator of the program, for what is measured and what it is measured against.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const STATEMENTS: u64 = 100_000;
fn batches() -> Vec<Vec<Statement>> {
    let all: Vec<Statement> = (0..STATEMENTS).map(statement).collect();
    all.chunks(limits::APPEND_STATEMENTS)
        .map(<[Statement]>::to_vec)
        .collect()
}

/// The answers that a follower gets while it catches up, in order.
fn answers(consortium: &Consortium, store: &mut Memory) -> Vec<Vec<u8>> {
    let mut author = replica(consortium, &consortium.members[0], store);
    let mut here = Memory::default();
    let mut follower = replica(consortium, &consortium.members[1], &here);
    let (asker, asked) = (&consortium.members[1].peer, &consortium.members[0].peer);
    let mut effects = drive(&mut follower, &mut here, now(), Event::Connected(asked.clone()));
    let mut answers = Vec::new();
    while let Some(effect) = effects.pop() {
        let Effect::SendRequest { bytes, .. } = effect else {
            continue;
        };
        let request = Event::Request {
            from: asker.clone(),
            token: 0,
            bytes,
        };
        for effect in drive(&mut author, store, now(), request) {
            let Effect::SendResponse { bytes, .. } = effect else {
                continue;
            };
            answers.push(bytes.clone());
            let response = Event::Response {
                from: asked.clone(),
                bytes,
            };
            effects.extend(drive(&mut follower, &mut here, now(), response));
        }
    }
    answers
}

fn catch_up(consortium: &Consortium, answers: Vec<Vec<u8>>) -> Memory {
    let mut store = Memory::default();
    let mut follower = replica(consortium, &consortium.members[1], &store);
    let from = &consortium.members[0].peer;
    drive(&mut follower, &mut store, now(), Event::Connected(from.clone()));
    for bytes in answers {
        let response = Event::Response {
            from: from.clone(),
            bytes,
        };
        drive(&mut follower, &mut store, now(), response);
    }
    store
}

/// Statements for each second of CPU time, the best of five; what goes in is made, and what comes
/// out thrown away, outside of it.
fn per_second<I, O>(prepare: impl Fn() -> I, work: impl Fn(I) -> O) -> f64 {
    let rounds = (0..5).map(|_| {
        let input = prepare();
        timed(|| black_box(work(input))).1
    });
    STATEMENTS as f64 / rounds.min().unwrap_or(Duration::MAX).as_secs_f64()
}

fn main() {
    let consortium = consortium(2, 0);
    let batches = batches();
    let entries: Vec<Vec<u8>> = batches.iter().flatten().map(|s| s.to_bytes().unwrap()).collect();
    let bytes: usize = entries.iter().map(Vec::len).sum();
    let mut authored = append(&consortium, &consortium.members[0], batches.clone());
    let answers = answers(&consortium, &mut authored);
    let followed = catch_up(&consortium, answers.clone());
    for store in [&authored, &followed] {
        let state = LogState::read(consortium.members[0].did.as_str(), store).unwrap();
        assert_eq!(state.head.unwrap().size(), STATEMENTS);
    }
    let digest = |store| View::new(&consortium.charter, store).digest().unwrap();
    assert_eq!(digest(&authored), digest(&followed));
    drop((authored, followed));

    let (appends, catches_up) = (
        |batches| append(&consortium, &consortium.members[0], batches),
        |answers| catch_up(&consortium, answers),
    );
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    let mut group = criterion.benchmark_group("log");
    group.throughput(Throughput::Elements(STATEMENTS));
    group.bench_function("bare SHA-256", |b| b.iter(|| bare_hashing(&entries)));
    group.bench_function("append", |b| {
        b.iter_batched(|| batches.clone(), appends, BatchSize::PerIteration);
    });
    group.bench_function("catch up", |b| {
        b.iter_batched(|| answers.clone(), catches_up, BatchSize::PerIteration);
    });
    group.finish();
    criterion.final_summary();

    let hashing = per_second(|| (), |()| bare_hashing(&entries));
    let appending = per_second(|| batches.clone(), appends);
    let following = per_second(|| answers.clone(), catches_up);
    let wire: usize = answers.iter().map(Vec::len).sum();
    println!();
    println!(
        "{STATEMENTS} statements of {} bytes on average; on the wire {:.3} of their size",
        bytes as u64 / STATEMENTS,
        wire as f64 / bytes as f64
    );
    println!("statements per CPU second, best of 5:");
    println!("  bare SHA-256 of the same bytes {hashing:>12.0}");
    for (what, rate) in [("append to the own log", appending), ("catch up", following)] {
        println!("  {what:<30} {rate:>12.0}   {:.3} of bare hashing", rate / hashing);
    }
}
