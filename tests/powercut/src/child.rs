//! The two processes that live on the mounted disk: one writes until it dies, one looks.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::target;
use crate::workload::{self, Part, WRITERS};

/// Opens and writes for ever. Prints `ready`, then `<writer> <number>` for every batch that was
/// acknowledged, and `failed <why>` when one was not.
pub fn write(engine: &str, dir: &Path, seed: u64, counts: &[u64]) -> Result<(), String> {
    let target = target::open(engine, dir)?;
    say("ready");
    let acknowledged = Mutex::new(counts.to_vec());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (target, acknowledged, stop) = (&*target, &acknowledged, &stop);
            let first = counts[writer as usize] + 1;
            scope.spawn(move || {
                for number in first.. {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    match target.apply(workload::batch(seed, writer, number)) {
                        Ok(()) => {
                            acknowledged.lock().unwrap()[writer as usize] = number;
                            say(&format!("{writer} {number}"));
                        }
                        Err(why) => {
                            stop.store(true, Ordering::SeqCst);
                            say(&format!("failed {why}"));
                            return;
                        }
                    }
                }
            });
        }
    });
    // Something failed: from now on nothing may be written, and all that was acknowledged is read.
    if !target.refuses() {
        return Err("a failed store accepts writes".to_owned());
    }
    let counts = acknowledged.into_inner().unwrap();
    let read = match target.all() {
        Ok(read) => read,
        Err(why) => {
            say(&format!("unreadable {why}"));
            return Ok(());
        }
    };
    for writer in 0..WRITERS {
        if part_of(&read, writer) != workload::after(seed, writer, counts[writer as usize]) {
            return Err(format!(
                "a failed store shows other data than was acknowledged to {writer}"
            ));
        }
    }
    if target.apply(workload::batch(seed, 0, 1)).is_ok() {
        return Err("a failed store has written".to_owned());
    }
    say("refused");
    Ok(())
}

/// Opens and compares with what was acknowledged. Prints how many batches each writer has.
pub fn look(engine: &str, dir: &Path, seed: u64, acknowledged: &[u64]) -> Result<(), String> {
    let target = target::open(engine, dir).map_err(|why| format!("does not open: {why}"))?;
    let all = target.all().map_err(|why| format!("cannot be read: {why}"))?;
    let mut counts = Vec::new();
    let mut known = 0;
    for writer in 0..WRITERS {
        let part = part_of(&all, writer);
        known += part.len();
        let found = match part.get(&workload::count_key(writer)) {
            Some(count) => u64::from_be_bytes(count.as_slice().try_into().map_err(|_| "bad count")?),
            None => 0,
        };
        let told = acknowledged[writer as usize];
        if found < told {
            return Err(format!("lost: writer {writer} was told of {told}, {found} are there"));
        }
        if found > told + 1 {
            return Err(format!(
                "invented: writer {writer} had sent {}, {found} are there",
                told + 1
            ));
        }
        if part != workload::after(seed, writer, found) {
            return Err(format!("torn: the content is not that of {found} whole batches"));
        }
        counts.push(found.to_string());
    }
    if known != all.len() {
        return Err("there are keys that nobody wrote".to_owned());
    }
    say(&counts.join(" "));
    Ok(())
}

fn part_of(all: &Part, writer: u64) -> Part {
    let prefix = workload::prefix(writer);
    let mine = all.iter().filter(|(key, _)| key.starts_with(&prefix));
    mine.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// One line, at once: what is in the pipe when the process dies has been acknowledged.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: the campaign has ended.
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(1);
    }
}
