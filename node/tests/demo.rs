//! `syndic demo` as its users meet it: the steps come out, two at once do not disturb each other, and however it ends,
//! nothing is left behind.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use syndic_vc::json::{self, Value};

/// What a loaded machine may take. The demo itself takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(180);

/// A demo whose temporary folder is inside `temporary`.
fn demo(temporary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syndic"));
    command.arg("demo").args(arguments).env("TMPDIR", temporary);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Processes that have the folder's path in their command line: the nodes of a demo in it.
fn nodes_in(folder: &Path) -> Vec<PathBuf> {
    let needle = folder.to_str().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(needle) {
            found.push(entry.path());
        }
    }
    found
}

#[track_caller]
fn wait_until(what: &str, mut look: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !look() {
        assert!(Instant::now() < end, "{what} did not happen in {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn assert_nothing_left(folder: &Path) {
    assert_eq!(nodes_in(folder), Vec::<PathBuf>::new(), "no node outlives its demo");
    let left: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert_eq!(left, Vec::<PathBuf>::new(), "no file outlives its demo");
}

#[track_caller]
fn assert_came_out(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    json::parse(output.stdout.trim_ascii()).expect("exactly one JSON document")
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn two_demos_at_once_come_out_and_leave_nothing() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let running = folders
        .each_ref()
        .map(|folder| demo(folder.path(), &["--json"]).spawn().unwrap());
    for (child, folder) in running.into_iter().zip(&folders) {
        let document = assert_came_out(&child.wait_with_output().unwrap());
        assert_eq!(document.get("ok").and_then(Value::as_bool), Some(true));
        check_steps(document.get("steps").and_then(Value::as_array).unwrap());
        check_figures(document.get("figures").unwrap());
        assert_nothing_left(folder.path());
    }
}

fn check_steps(steps: &[Value]) {
    let mut codes = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        assert_eq!(
            step.get("number").and_then(Value::as_i64),
            i64::try_from(index + 1).ok()
        );
        assert_eq!(step.get("outcome"), step.get("expected"), "{step:?}");
        assert!(step.get("milliseconds").and_then(Value::as_i64).is_some());
        for reason in step.get("reasons").and_then(Value::as_array).unwrap() {
            codes.push(reason.get("code").unwrap().as_str().unwrap());
        }
    }
    let expected = [
        "value-out-of-range",
        "approval-required",
        "action-replayed",
        "signature-invalid",
        "verification-method-foreign",
        "expired",
        "revoked",
        "revoked",
    ];
    assert_eq!(codes, expected);
}

fn check_figures(figures: &Value) {
    let decisions = figures.get("decisions").unwrap();
    let count = |outcome: &str| decisions.get(outcome).and_then(Value::as_i64).unwrap();
    assert_eq!((count("allow"), count("deny"), count("approvalRequired")), (5, 8, 1));
    let measures = figures.get("measures").and_then(Value::as_array).unwrap();
    let times: Vec<i64> = measures
        .iter()
        .filter(|measure| measure.get("name").and_then(Value::as_str) == Some("revocationMilliseconds"))
        .map(|measure| measure.get("value").and_then(Value::as_i64).unwrap())
        .collect();
    assert_eq!(times.len(), 2, "one figure for each of the other hospitals");
    assert!(times.iter().all(|time| *time < 30_000), "{times:?}");
}

#[test]
fn people_see_numbered_steps_and_outcomes_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path(), &[]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "\n 1  Each hospital sets up a node of its own",
        "\n      allowed            Nordstadt Clinic: refund 49.99 USD\n",
        "\n      denied             Nordstadt Clinic: refund 100.01 USD\n",
        "[value-out-of-range]\n",
        "\n      approval required  Nordstadt Clinic: close an account\n",
        "\n      decisions: 5 allowed, 8 denied, 1 approval required\n",
        "every step came out as it must\n",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
    }
    assert!(!text.contains('\x1b'), "no colors where nobody sees them");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_nothing_left(folder.path());
}

#[test]
fn interrupted_in_the_middle_it_cleans_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = demo(folder.path(), &["--json"]).spawn().unwrap();
    wait_until("the start of the nodes", || nodes_in(folder.path()).len() == 3);
    signal(&child, Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_nothing_left(folder.path());
}

#[test]
fn it_stays_when_asked_to_and_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = demo(folder.path(), &["--stay"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told: Vec<String> = lines.by_ref().take_while(|line| line != "Try:").collect();
    assert!(
        told.iter().any(|line| line == "The nodes stay up until ctrl-C:"),
        "{told:#?}"
    );
    let try_this: Vec<String> = lines.by_ref().take(4).collect();
    assert_eq!(nodes_in(folder.path()).len(), 3);
    let status = try_this[0].trim().split(' ').collect::<Vec<_>>();
    let status = Command::new(status[0]).args(&status[1..]).output().unwrap();
    assert!(status.status.success(), "{try_this:?}");
    assert!(
        String::from_utf8_lossy(&status.stdout).starts_with("St. Mary: ready\n"),
        "{status:?}"
    );

    signal(&child, Signal::TERM);
    assert_eq!(
        child.wait().unwrap().code(),
        Some(0),
        "to be told to stop is the ordinary end"
    );
    assert_nothing_left(folder.path());
}

#[test]
fn killed_outright_its_nodes_end_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = demo(folder.path(), &["--json"]).spawn().unwrap();
    wait_until("the start of the nodes", || nodes_in(folder.path()).len() == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the end of the nodes", || nodes_in(folder.path()).is_empty());
}
