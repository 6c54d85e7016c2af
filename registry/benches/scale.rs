//! Replication at scale, through the machine itself: catching up with one long log and with many logs at once, beside bare
//! SHA-256 of the same bytes and beside one signature check for each statement; memory beyond the store; bytes on the wire;
//! what it costs to announce one revocation, and to find the one log that changed among many.
//!
//! `cargo bench -p syndic-registry --bench scale` takes 50,000 statements; with `-- full` a million of them in one log, and
//! a million over 1,000 logs, which takes some minutes, 1 GB of memory and 1 GB of the folder for temporary files; with two
//! numbers, so many statements in one log and in so many.
//!
//! A catch-up is measured in a process of its own, which reads what peers answered from a file. A second process puts the
//! same rows into the same store and does nothing else: the difference of their peaks is what the machine needs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

mod world;

use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use syndic_registry::head::{self, Head};
use syndic_registry::limits;
use syndic_registry::log::{self, EMPTY_ROOT, Frontier, LogState};
use syndic_registry::message::{Ask, Broadcast, ChainPoint, News, Standpoint};
use syndic_registry::reconcile::Set;
use syndic_registry::replica::{Effect, Event, Replica};
use syndic_registry::statement::Statement;
use syndic_vc::key::Signer;
use syndic_vc::time::Timestamp;
use world::{Consortium, Member, Memory, bare_hashing, consortium, drive, now, replica, statement, timed};

/// The allocator of the program, for what is measured and what it is measured against.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Statements, in so many logs.
#[derive(Clone, Copy)]
struct Course {
    statements: u64,
    logs: u64,
}

/// What was recorded of a catch-up.
struct Recorded {
    entries: Vec<Vec<u8>>,
    asked: usize,
    answered: usize,
    seconds: i64,
}

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["follow", logs, statements, file] => {
            follow(logs.parse().unwrap(), statements.parse().unwrap(), Path::new(file));
        }
        ["store", file] => only_store(Path::new(file)),
        ["full"] => measure(1_000_000, 1_000),
        [statements, logs] => measure(statements.parse().unwrap(), logs.parse().unwrap()),
        _ => measure(50_000, 50),
    }
}

fn measure(statements: u64, logs: u64) {
    for logs in [1, logs] {
        catch_up(Course { statements, logs });
    }
    announce();
    narrow();
    narrow_replicas();
}

fn catch_up(course: Course) {
    let Course { statements, logs } = course;
    let folder = std::env::temp_dir();
    let [answers, rows] = ["answers", "rows"].map(|name| folder.join(format!("syndic-{name}-{}", std::process::id())));
    let Recorded {
        entries,
        asked,
        answered,
        seconds,
    } = record(course, &answers, &rows);
    let child = |words: &[&str]| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect::<Vec<f64>>()
    };
    let followed: Vec<Vec<f64>> = (0..3)
        .map(|_| {
            child(&[
                "follow",
                &logs.to_string(),
                &statements.to_string(),
                answers.to_str().unwrap(),
            ])
        })
        .collect();
    let spent = followed.iter().map(|one| one[0]).fold(f64::MAX, f64::min);
    let peak = followed.iter().map(|one| one[1]).fold(f64::MAX, f64::min);
    let store = child(&["store", rows.to_str().unwrap()])[0];
    std::fs::remove_file(answers).unwrap();
    std::fs::remove_file(rows).unwrap();

    let count = statements as f64;
    let bytes: usize = entries.iter().map(Vec::len).sum();
    let hashing = count / best(|| _ = black_box(bare_hashing(&entries))).as_secs_f64();
    let checking = signatures_checked(&entries);
    let following = count / spent;
    println!(
        "{statements} statements in {logs} logs, {} bytes each on average:",
        bytes as u64 / statements
    );
    println!("  statements per CPU second, best of 3");
    println!("    bare SHA-256 of the same bytes    {hashing:>10.0}");
    println!("    one signature check for each      {checking:>10.0}");
    println!(
        "    catch up                          {following:>10.0}   {:.3} of bare hashing, {:.1} times the checks",
        following / hashing,
        following / checking
    );
    println!(
        "  memory at most {:.0} MiB, of which the store in memory takes {:.0}: {:.0} beyond it",
        peak / 1024.0,
        store / 1024.0,
        (peak - store) / 1024.0
    );
    println!(
        "  on the wire {:.3} of the statements' bytes: answers {:.3}, questions {:.4}; {seconds} s at the bounds of one peer",
        (asked + answered) as f64 / bytes as f64,
        answered as f64 / bytes as f64,
        asked as f64 / bytes as f64
    );
}

fn best(mut work: impl FnMut()) -> Duration {
    (0..3).map(|_| timed(&mut work).1).min().unwrap()
}

fn signatures_checked(entries: &[Vec<u8>]) -> f64 {
    let key = world::key(1);
    let some: Vec<_> = entries.iter().step_by(entries.len() / 2_000).collect();
    let signed: Vec<_> = some.iter().map(|entry| (entry, key.sign(entry).unwrap())).collect();
    let public = key.public_key();
    let took = best(|| {
        signed
            .iter()
            .for_each(|(entry, signature)| public.verify(entry, signature).unwrap())
    });
    signed.len() as f64 / took.as_secs_f64()
}

/// Lets a follower catch up with a member that holds all logs; what it was answered, and what it stored, goes to files.
fn record(course: Course, answers: &Path, rows: &Path) -> Recorded {
    let Course { statements, logs } = course;
    let consortium = consortium(logs.max(2), 0);
    let holder = &consortium.members[0];
    let (mut held, mut entries) = (Memory::default(), Vec::new());
    let mut machine = replica(&consortium, holder, &held);
    for author in consortium.members.iter().take(logs as usize) {
        let (each, mut frontier) = (statements / logs, Frontier::default());
        for (ticket, from) in (0..).zip((0..each).step_by(limits::APPEND_STATEMENTS)) {
            let to = each.min(from + limits::APPEND_STATEMENTS as u64);
            let said: Vec<Statement> = (from..to).map(statement).collect();
            let batch: Vec<_> = said.iter().map(|one| one.to_bytes().unwrap()).collect();
            entries.extend(batch.iter().cloned());
            if author.did != holder.did {
                hear(&consortium, author, &mut frontier, batch, (&mut machine, &mut held));
                continue;
            }
            let event = Event::Publish {
                ticket,
                statements: said,
            };
            drive(&mut machine, &mut held, now(), event);
        }
    }
    let (mut here, mut asked, mut answered) = (Memory::default(), 0, 0);
    let mut file = BufWriter::new(File::create(answers).unwrap());
    let mut rows = BufWriter::new(File::create(rows).unwrap());
    let (mut follower, name) = follower(&consortium, &here);
    let mut clock = now();
    let mut log = |time: Timestamp, bytes: &[u8]| {
        file.write_all(&(time.unix_seconds() - now().unix_seconds()).to_be_bytes())
            .unwrap();
        put(&mut file, bytes);
    };
    let mut open = std::collections::VecDeque::new();
    let mut event = Event::Connected(holder.peer.clone());
    loop {
        for effect in step(&mut follower, &mut here, clock, event, Some(&mut rows)) {
            if let Effect::SendRequest { bytes, .. } = effect {
                asked += bytes.len();
                open.push_back(bytes);
            }
        }
        if let Some(bytes) = open.pop_front() {
            let request = Event::Request {
                from: name.clone(),
                token: 0,
                bytes,
            };
            let bytes = the_answer(drive(&mut machine, &mut held, clock, request));
            answered += bytes.len();
            log(clock, &bytes);
            event = response(&consortium, bytes);
            continue;
        }
        if has_all(&consortium, logs, statements, &here) {
            break;
        }
        clock = clock.checked_add_seconds(1).unwrap();
        assert!(clock.seconds_since(now()) < 600, "it does not get there");
        log(clock, &[]);
        event = Event::Tick;
    }
    rows.flush().unwrap();
    file.flush().unwrap();
    Recorded {
        entries,
        asked,
        answered,
        seconds: clock.seconds_since(now()),
    }
}

/// Lets a machine that holds a log to its end hear what comes next in it.
fn hear(
    consortium: &Consortium,
    author: &Member,
    frontier: &mut Frontier,
    entries: Vec<Vec<u8>>,
    (machine, store): (&mut Replica, &mut Memory),
) {
    let from = frontier.size();
    entries.iter().for_each(|entry| frontier.append(log::leaf_hash(entry)));
    let origin = head::origin(consortium.charter.id(), author.did.as_str());
    let head = Head::sign(&origin, frontier.size(), &frontier.root(), &*author.log_key, now()).unwrap();
    let note = head.note().to_owned();
    let event = Event::Announced {
        from: author.peer.clone(),
        token: 1,
        bytes: Broadcast::News(News { note, from, entries }).encode(),
    };
    drive(machine, store, now(), event);
}

fn the_answer(effects: Vec<Effect>) -> Vec<u8> {
    let answer = effects.into_iter().find_map(|effect| match effect {
        Effect::SendResponse { bytes, .. } => Some(bytes),
        _ => None,
    });
    answer.expect("no answer")
}

fn follower(consortium: &Consortium, store: &Memory) -> (Replica, String) {
    let me = consortium.members.last().unwrap();
    // Of a log that was begun elsewhere nothing is known here, so its own is pulled like the others.
    (replica(consortium, me, store), me.peer.clone())
}

fn response(consortium: &Consortium, bytes: Vec<u8>) -> Event {
    Event::Response {
        from: consortium.members[0].peer.clone(),
        bytes,
    }
}

/// Like [`drive`], and writes down what is stored.
fn step(
    machine: &mut Replica,
    store: &mut Memory,
    now: Timestamp,
    event: Event,
    mut rows: Option<&mut BufWriter<File>>,
) -> Vec<Effect> {
    let (mut events, mut rest) = (vec![event], Vec::new());
    while let Some(event) = events.pop() {
        for effect in machine.handle(event, now, store) {
            match effect {
                Effect::Persist { batch, content, .. } => {
                    if let Some(rows) = &mut rows {
                        for write in &content.writes {
                            put(rows, &write.key);
                            put(rows, write.value.as_deref().unwrap_or_default());
                        }
                    }
                    store.apply(content);
                    events.push(Event::Stored { batch });
                }
                Effect::Penalize { why, .. } => panic!("{why}"),
                other => rest.push(other),
            }
        }
    }
    rest
}

fn has_all(consortium: &Consortium, logs: u64, statements: u64, store: &Memory) -> bool {
    consortium.members.iter().take(logs as usize).all(|member| {
        let state = LogState::read(member.did.as_str(), store).unwrap();
        state.head.is_some_and(|head| head.size() == statements / logs)
    })
}

fn put(file: &mut BufWriter<File>, bytes: &[u8]) {
    file.write_all(&(bytes.len() as u32).to_be_bytes()).unwrap();
    file.write_all(bytes).unwrap();
}

/// The next piece of a file; `None` at its end.
fn take(file: &mut BufReader<File>) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    file.read_exact(&mut length).ok()?;
    let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
    file.read_exact(&mut bytes).unwrap();
    Some(bytes)
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}

/// In a process of its own: catches up from a file. Prints CPU seconds and the most memory that was used, in KiB.
fn follow(logs: u64, statements: usize, file: &Path) {
    let consortium = consortium(logs.max(2), 0);
    let mut store = Memory::default();
    let (mut machine, _) = follower(&consortium, &store);
    let mut file = BufReader::new(File::open(file).unwrap());
    step(
        &mut machine,
        &mut store,
        now(),
        Event::Connected(consortium.members[0].peer.clone()),
        None,
    );
    let (mut spent, mut seconds) = (Duration::ZERO, [0; 8]);
    while file.read_exact(&mut seconds).is_ok() {
        let clock = now().checked_add_seconds(i64::from_be_bytes(seconds)).unwrap();
        let bytes = take(&mut file).unwrap();
        let event = if bytes.is_empty() {
            Event::Tick
        } else {
            response(&consortium, bytes)
        };
        spent += timed(|| step(&mut machine, &mut store, clock, event, None)).1;
    }
    let entries = store.0.keys().filter(|key| key.starts_with(b"r/e")).count();
    assert_eq!(entries, statements, "entries that were stored");
    println!("{} {}", spent.as_secs_f64(), peak());
}

/// In a process of its own: puts rows from a file into the store. Prints the most memory that was used, in KiB.
fn only_store(file: &Path) {
    let mut store = Memory::default();
    let mut file = BufReader::new(File::open(file).unwrap());
    while let Some(key) = take(&mut file) {
        let value = take(&mut file).unwrap();
        store.0.insert(key, value);
    }
    println!("{}", peak());
}

/// What crosses each link for one revocation.
fn announce() {
    let consortium = consortium(5, 2);
    let (author, witness) = (&consortium.members[0], &consortium.members[1]);
    let (mut store, mut there) = (Memory::default(), Memory::default());
    let mut machine = replica(&consortium, author, &store);
    let mut reader = replica(&consortium, witness, &there);
    for (ticket, number) in (0..).zip([0, 1]) {
        let said = statement(number);
        let size = said.to_bytes().unwrap().len();
        let event = Event::Publish {
            ticket,
            statements: vec![said],
        };
        let later = now().checked_add_seconds(ticket as i64).unwrap();
        let sent = announced(drive(&mut machine, &mut store, later, event));
        let heard = Event::Announced {
            from: author.peer.clone(),
            token: 1,
            bytes: sent.clone(),
        };
        let seen = drive(&mut reader, &mut there, later, heard);
        if ticket == 0 {
            continue;
        }
        let least = size + 64;
        println!("one revocation of {size} bytes, with one signature {least}:");
        println!(
            "  broadcast over each link {} bytes, {:.2} times as much",
            sent.len(),
            sent.len() as f64 / least as f64
        );
        let Ok(Broadcast::News(News { note, .. })) = Broadcast::decode(&sent) else {
            panic!("no news");
        };
        println!(
            "  of which the text of the head {}, the statement {size}, the rest {}",
            note.len(),
            sent.len() - note.len() - size
        );
        let cosigned = seen.into_iter().find_map(|effect| match effect {
            Effect::Announce(bytes) if matches!(Broadcast::decode(&bytes), Ok(Broadcast::Cosigned(_))) => Some(bytes),
            _ => None,
        });
        println!(
            "  and {} for each witness that says that it saw it",
            cosigned.map_or(0, |bytes| bytes.len())
        );
    }
}

fn announced(effects: Vec<Effect>) -> Vec<u8> {
    let sent = effects.into_iter().find_map(|effect| match effect {
        Effect::Announce(bytes) => Some(bytes),
        _ => None,
    });
    sent.expect("nothing is announced")
}

fn standpoint(organization: String) -> Standpoint {
    Standpoint {
        organization,
        size: 1_000,
        root: EMPTY_ROOT,
        time: 1_800_000_000,
        fork: None,
        cosigned: 0,
        rotations: 0,
    }
}

fn listing(logs: Vec<Standpoint>) -> usize {
    let (id, charter, only) = (1, ChainPoint::default(), false);
    let ask = Ask::Compare {
        id,
        charter,
        logs,
        only,
    };
    ask.encode().len()
}

/// Finding out which of 10,000 logs changed, beside listing all of them.
fn narrow() {
    const LOGS: u64 = 10_000;
    let logs: Vec<_> = (0..LOGS)
        .map(|at| standpoint(format!("did:key:z6Mk{at:044}")))
        .collect();
    let list = listing(logs.clone());
    println!("{LOGS} logs, of which some differ; a list of all of them has {list} bytes:");
    let one = Set::new(logs.iter().cloned());
    for changed in [0, 1, 10, 100] {
        let other = (0..).zip(&logs).map(|(at, log)| {
            let changes = at * changed / LOGS != (at + 1) * changed / LOGS;
            Standpoint {
                size: log.size + u64::from(changes),
                ..log.clone()
            }
        });
        let other = Set::new(other);
        let (mut found, mut trips, mut bytes) = (0, 0, 0);
        let mut next = Some(one.ask().unwrap());
        while let Some(message) = next {
            let answer = other.answer(&message).unwrap();
            (trips, bytes) = (trips + 1, bytes + message.len() + answer.len());
            let (some, more) = one.take(&answer).unwrap();
            (found, next) = (found + some.len() as u64, more);
        }
        assert_eq!(found, changed);
        println!(
            "  {changed:>3} changed: {bytes:>6} bytes, {trips} round trips, {:.4} of the list",
            bytes as f64 / list as f64
        );
    }
    let took = best(|| _ = black_box(Set::new(logs.iter().cloned())));
    println!("  CPU microseconds to make the set: {}", took.as_micros());
}

/// Two members with 1,000 logs, one of which is ahead in one of them, from the connection to the end.
fn narrow_replicas() {
    const LOGS: u64 = 1_000;
    let consortium = consortium(LOGS, 0);
    let [holder, asker, changed] = [0, 1, 500].map(|at| &consortium.members[at]);
    let mut held = Memory::default();
    let mut there = replica(&consortium, holder, &held);
    let entry = |number| vec![statement(number).to_bytes().unwrap()];
    let mut ends = Frontier::default();
    for author in &consortium.members {
        if author.did == holder.did || author.did == asker.did {
            continue;
        }
        ends = Frontier::default();
        hear(&consortium, author, &mut ends, entry(0), (&mut there, &mut held));
    }
    let mut store = Memory(held.0.clone());
    let mut here = replica(&consortium, asker, &store);
    hear(&consortium, changed, &mut ends, entry(1), (&mut there, &mut held));
    let mut open = std::collections::VecDeque::new();
    let mut event = Event::Connected(holder.peer.clone());
    println!("1 changed of {LOGS} logs, between two replicas:");
    let mut all = 0;
    loop {
        for effect in drive(&mut here, &mut store, now(), event) {
            if let Effect::SendRequest { bytes, .. } = effect {
                open.push_back(bytes);
            }
        }
        let Some(question) = open.pop_front() else { break };
        let request = Event::Request {
            from: asker.peer.clone(),
            token: 0,
            bytes: question.clone(),
        };
        let answer = the_answer(drive(&mut there, &mut held, now(), request));
        let what = match Ask::decode(&question).unwrap() {
            Ask::Reconcile { .. } => "which differ",
            Ask::Compare { .. } => "how far they are",
            _ => "what is missing",
        };
        println!("  {what:<17} {:>6} + {:>6} bytes", question.len(), answer.len());
        all += question.len() + answer.len();
        event = response(&consortium, answer);
    }
    assert_eq!(LogState::read(changed.did.as_str(), &store).unwrap().frontier.size(), 2);
    let list = consortium
        .members
        .iter()
        .map(|member| standpoint(member.did.to_string()));
    println!(
        "  in all {all} bytes; a list of all logs has {}",
        listing(list.collect())
    );
}
