//! Cuts the power under the node's store, again and again, and looks at what is left.
//!
//! A file system in this process (FUSE) keeps only what was synchronized; of the rest, chance
//! decides. A child process writes to it and says what was acknowledged; at some moment the disk
//! goes off and the child is killed; another child opens what survived and compares. `./run` is
//! the way in.

mod campaign;
mod child;
mod disk;
mod fs;
mod random;
mod rate;
mod target;
mod workload;

/// The very source of the node's store: the campaign need not wait for the whole node to build.
#[path = "../../../node/src"]
#[allow(dead_code, unreachable_pub)]
mod node_sources {
    pub mod store;
}

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use campaign::Kind;
use fs::Shared;
use random::Random;

const USAGE: &str = "usage:
  syndic-powercut campaign ENGINE CUTS SEED      cut the power under sled or redb, or
                                                 under sled-flush-only or sled-large-pages,
                                                 which must fail
  syndic-powercut faults ENGINE FAULTS SEED      fail synchronizations and writes, fill the disk
  syndic-powercut rate ENGINE DIR SECONDS        measure acknowledged batches a second in DIR
  syndic-powercut mount DIR                      mount such a disk at DIR for any program, and obey:
                                                   cut SEED        power off and on; what was open is dead
                                                   sync-error N T  fail T synchronizations after N more
                                                   capacity BYTES  limit the disk's size
                                                   repair          end all faults
                                                   quit            unmount";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["campaign", engine, cuts, seed] => run_campaign(engine, Kind::Cuts, cuts, seed),
        ["faults", engine, faults, seed] => run_campaign(engine, Kind::Faults, faults, seed),
        ["mount", dir] => serve(Path::new(dir)),
        ["rate", engine, dir, seconds] => {
            number(seconds).and_then(|seconds| rate::run(engine, Path::new(dir), seconds))
        }
        ["write", engine, dir, seed, counts @ ..] => {
            numbers(counts).and_then(|counts| child::write(engine, Path::new(dir), number(seed)?, &counts))
        }
        ["look", engine, dir, seed, counts @ ..] => {
            numbers(counts).and_then(|counts| child::look(engine, Path::new(dir), number(seed)?, &counts))
        }
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("'{text}' is not a number"))
}

fn numbers(texts: &[&str]) -> Result<Vec<u64>, String> {
    texts.iter().map(|text| number(text)).collect()
}

fn run_campaign(engine: &str, kind: Kind, cuts: &str, seed: &str) -> Result<(), String> {
    let at = Mountpoint::new()?;
    let report = campaign::run(engine, kind, number(cuts)?, number(seed)?, &at.0)?;
    report.print(engine, kind);
    if report.violations.is_empty() {
        Ok(())
    } else {
        Err(format!("{engine} failed (seed {seed})"))
    }
}

/// A folder to mount at, removed in the end.
struct Mountpoint(PathBuf);

impl Mountpoint {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("powercut-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Mountpoint {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Mounts a disk and carries out commands from standard input, answering each with `done`.
fn serve(at: &Path) -> Result<(), String> {
    let shared = Shared::default();
    let session = fs::mount(&shared, at).map_err(|error| format!("cannot mount: {error}"))?;
    println!("mounted");
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut disk = shared.disk();
        match words.as_slice() {
            ["cut", seed] => *disk = disk.survivors(&mut Random::new(number(seed)?)),
            ["sync-error", after, times] => {
                disk.faults.sync_error = Some((disk.syncs + 1 + number(after)?, number(times)?));
            }
            ["capacity", bytes] => disk.faults.capacity = Some(number(bytes)?),
            ["repair"] => disk.faults = disk::Faults::default(),
            ["quit"] => break,
            [] => continue,
            _ => return Err(format!("unknown command '{line}'\n{USAGE}")),
        }
        println!("done");
    }
    drop(session);
    Ok(())
}
