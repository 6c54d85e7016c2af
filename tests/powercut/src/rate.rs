//! How many batches a second are acknowledged, on a real disk.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::target;

/// Records of one batch.
const RECORDS: u64 = 20;

/// Prints the rate of one writer and of eight, each for `seconds`.
pub fn run(engine: &str, dir: &Path, seconds: u64) -> Result<(), String> {
    for writers in [1, 8] {
        let target = target::open(engine, &dir.join(format!("{engine}-{writers}")))?;
        let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for writer in 0..writers {
                let (target, stop, done) = (&target, &stop, &done);
                scope.spawn(move || {
                    let mut number = 0;
                    while !stop.load(Ordering::Relaxed) {
                        number += 1;
                        let write = |record| {
                            let key = format!("{writer}/{}", (number * RECORDS + record) % 50_000);
                            (key.into_bytes(), Some(vec![number as u8; 200]))
                        };
                        match target.apply((0..RECORDS).map(write).collect()) {
                            Ok(()) => done.fetch_add(1, Ordering::Relaxed),
                            Err(why) => {
                                eprintln!("{why}");
                                return;
                            }
                        };
                    }
                });
            }
            std::thread::sleep(Duration::from_secs(seconds));
            stop.store(true, Ordering::Relaxed);
        });
        let rate = done.into_inner() as f64 / begun.elapsed().as_secs_f64();
        drop(target);
        let begun = Instant::now();
        drop(target::open(engine, &dir.join(format!("{engine}-{writers}")))?);
        let opening = begun.elapsed().as_millis();
        println!(
            "{engine}: {rate:.0} batches of {RECORDS} records a second from {writers} writers, opened again in {opening} ms"
        );
    }
    Ok(())
}
