//! Many cuts, one after another, and the count of what went wrong.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::disk::{Disk, Faults};
use crate::fs::{self, Shared};
use crate::random::Random;
use crate::workload::WRITERS;

/// Cuts that one and the same data must live through before a fresh disk is taken.
const CUTS_PER_LIFE: u64 = 8;

/// A process that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happens to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The power is cut.
    Cuts,
    /// Synchronizations or writes fail, or the disk fills up; the power stays on.
    Faults,
}

/// What a campaign found.
#[derive(Debug, Default)]
pub struct Report {
    pub cuts: u64,
    pub during_opening: u64,
    pub acknowledged: u64,
    pub violations: Vec<String>,
    pub refused: u64,
    pub unreadable: u64,
    slowest_opening: Duration,
}

impl Report {
    pub fn print(&self, engine: &str, kind: Kind) {
        let what = if kind == Kind::Cuts { "cuts" } else { "disk faults" };
        println!(
            "{engine}: {} {what} ({} before the store was open), {} batches acknowledged, {} violations, \
             slowest reopening {} ms{}",
            self.cuts,
            self.during_opening,
            self.acknowledged,
            self.violations.len(),
            self.slowest_opening.as_millis(),
            if kind == Kind::Faults {
                format!(
                    "; after the fault writes were refused and reads went on {} times, and were refused \
                     too {} times",
                    self.refused, self.unreadable
                )
            } else {
                String::new()
            }
        );
        for violation in self.violations.iter().take(10) {
            println!("  {violation}");
        }
    }
}

/// Runs a campaign on a disk mounted at `at`.
pub fn run(engine: &str, kind: Kind, cuts: u64, seed: u64, at: &Path) -> Result<Report, String> {
    let shared = Shared::default();
    let session = fs::mount(&shared, at).map_err(|error| format!("cannot mount: {error}"))?;
    let mut random = Random::new(seed);
    let mut report = Report::default();
    let mut counts = vec![0; WRITERS as usize];
    let mut life = 0;
    while report.cuts < cuts {
        if report.cuts % CUTS_PER_LIFE == 0 || life == 0 {
            *shared.disk() = Disk::default();
            counts = vec![0; WRITERS as usize];
            life = random.next();
        }
        let round = Round {
            engine,
            at,
            life,
            shared: &shared,
        };
        match round.play(kind, &mut counts, &mut random, &mut report) {
            Ok(()) => {}
            Err(violation) => {
                report.violations.push(format!("cut {}: {violation}", report.cuts));
                life = 0;
            }
        }
        report.cuts += 1;
    }
    drop(session);
    Ok(report)
}

struct Round<'a> {
    engine: &'a str,
    at: &'a Path,
    life: u64,
    shared: &'a Shared,
}

impl Round<'_> {
    fn play(&self, kind: Kind, counts: &mut Vec<u64>, random: &mut Random, report: &mut Report) -> Result<(), String> {
        let mut child = self.start("write", counts)?;
        let lines = lines_of(&mut child);
        match kind {
            Kind::Cuts => self.wait_for_cut(random),
            Kind::Faults => {
                self.set_fault(random);
                self.insist(&mut child);
            }
        }
        let heard = match kind {
            Kind::Cuts => {
                // Dead first, then read: what is in the pipe by then was acknowledged.
                let _ = child.kill();
                let _ = child.wait();
                lines.iter().collect()
            }
            Kind::Faults => {
                let heard = hear_to_the_end(&lines, &mut child)?;
                let status = child.wait().map_err(|error| error.to_string())?;
                // A synchronization that fails is ours to see; the engine goes on and can be read.
                // A write that fails inside an engine may leave it unable to read.
                let writes_failed = self.shared.disk().write_failures > 0;
                if heard.iter().any(|line| line == "refused") {
                    report.refused += 1;
                } else if writes_failed && heard.iter().any(|line| line.starts_with("unreadable")) {
                    report.unreadable += 1;
                } else if heard.iter().any(|line| line == "ready") || status.success() {
                    return Err(format!("after the fault: {}", error_of(child)));
                }
                heard
            }
        };
        let ready = heard.iter().any(|line| line == "ready");
        report.during_opening += u64::from(!ready);
        let before: u64 = counts.iter().sum();
        for line in &heard {
            let mut words = line.split(' ').map(str::parse::<u64>);
            if let (Some(Ok(writer)), Some(Ok(number))) = (words.next(), words.next()) {
                counts[writer as usize] = number;
            }
        }
        report.acknowledged += counts.iter().sum::<u64>() - before;
        {
            let mut disk = self.shared.disk();
            match kind {
                Kind::Cuts => *disk = disk.survivors(random),
                // The machine stays up: the cache reaches the disk in the end.
                Kind::Faults => {
                    disk.faults = Faults::default();
                    disk.write_failures = 0;
                }
            }
        }
        *counts = self.look(counts, report)?;
        Ok(())
    }

    /// Lets the writer run for a while, or up to a synchronization, and turns the power off.
    fn wait_for_cut(&self, random: &mut Random) {
        let deadline = Instant::now() + Duration::from_millis(2_000);
        if random.chance(60) {
            let sync = self.shared.disk().syncs + 1 + random.below(120);
            self.shared.disk().off_at_sync = Some(sync);
            while !self.shared.disk().off && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(2));
            }
        } else {
            std::thread::sleep(Duration::from_micros(random.below(400_000)));
        }
        self.shared.disk().off = true;
    }

    fn set_fault(&self, random: &mut Random) {
        let mut disk = self.shared.disk();
        let (syncs, writes, used) = (disk.syncs, disk.writes, disk.used());
        // Once only, or for good: a disk that works again must not tempt anybody to go on.
        let times = if random.chance(50) { 1 } else { u64::MAX };
        match random.below(3) {
            0 => disk.faults.sync_error = Some((syncs + 1 + random.below(100), times)),
            1 => disk.faults.write_error = Some((writes + 1 + random.below(200), times)),
            _ => disk.faults.capacity = Some(used + random.below(6_000_000)),
        }
    }

    /// An engine that reuses its space may never fill the disk: then a synchronization fails.
    fn insist(&self, child: &mut Child) {
        let deadline = Instant::now() + Duration::from_secs(4);
        while Instant::now() < deadline {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut disk = self.shared.disk();
        disk.faults.sync_error = Some((disk.syncs + 1, u64::MAX));
    }

    fn look(&self, counts: &[u64], report: &mut Report) -> Result<Vec<u64>, String> {
        let begun = Instant::now();
        let mut child = self.start("look", counts)?;
        let lines = lines_of(&mut child);
        let heard = hear_to_the_end(&lines, &mut child)?;
        let status = child.wait().map_err(|error| error.to_string())?;
        report.slowest_opening = report.slowest_opening.max(begun.elapsed());
        if !status.success() {
            return Err(error_of(child));
        }
        let last = heard.last().ok_or("the looker said nothing")?;
        last.split(' ')
            .map(|count| count.parse().map_err(|_| format!("said '{last}'")))
            .collect()
    }

    fn start(&self, what: &str, counts: &[u64]) -> Result<Child, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        Command::new(program)
            .arg(what)
            .arg(self.engine)
            .arg(self.at.join("store"))
            .arg(self.life.to_string())
            .args(counts.iter().map(u64::to_string))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the {what} process: {error}"))
    }
}

fn lines_of(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(out) = child.stdout.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

fn hear_to_the_end(lines: &Receiver<String>, child: &mut Child) -> Result<Vec<String>, String> {
    let mut heard = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => heard.push(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(heard),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("hangs: silent for {} s", PATIENCE.as_secs()));
            }
        }
    }
}

fn error_of(mut child: Child) -> String {
    let mut text = String::new();
    if let Some(mut error) = child.stderr.take() {
        let _ = error.read_to_string(&mut text);
    }
    text.lines().last().unwrap_or("no message").to_owned()
}
