//! `syndic demo`, as a newcomer runs it: alone, and twice at the same time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use syndic_tests::command::{self, Finished};
use syndic_tests::program;

/// "About half a minute", on a machine that does something else as well.
const LIMIT: Duration = Duration::from_secs(150);
/// Longest time from an acknowledged revocation to the first refusal elsewhere (promise P16).
const REVOCATION_FELT: u64 = 2_000;

/// Runs the demo with a temporary folder of its own, and looks at what it leaves behind.
fn demo(arguments: &[&str]) -> Finished {
    let folder = tempfile::Builder::new().prefix("syndic-demo-test-").tempdir().unwrap();
    let mut demo = Command::new(program::syndic());
    demo.arg("demo").args(arguments).env("TMPDIR", folder.path()).env("NO_COLOR", "1").current_dir(folder.path());
    demo.env_remove("SYNDIC_DATA").env_remove("SYNDIC_PASSPHRASE").env_remove("SYNDIC_PASSPHRASE_FILE");
    let finished = command::run(&mut demo, LIMIT);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "the demo left {left:?}");
    let children = processes_about(folder.path());
    assert!(children.is_empty(), "the demo left running: {children:?}");
    finished
}

/// Command lines of all processes that name a folder.
fn processes_about(folder: &Path) -> Vec<String> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let lines = processes.flatten().filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(&folder.display().to_string())).collect()
}

fn check(document: &Value) {
    assert_eq!(document["ok"], true, "{document:#}");
    assert_eq!(document["organizations"].as_array().unwrap().len(), 3);
    let steps = document["steps"].as_array().unwrap();
    assert!(steps.len() >= 10, "{} steps", steps.len());
    for (index, step) in steps.iter().enumerate() {
        assert_eq!(step["number"], index + 1);
        assert!(step["title"].as_str().is_some_and(|title| !title.is_empty()), "{step}");
        assert_eq!(step["outcome"], step["expected"], "{step:#}");
    }
    let decisions: Vec<&Value> = steps.iter().flat_map(|step| step["decisions"].as_array().unwrap()).collect();
    for decision in &decisions {
        assert_eq!(decision["outcome"], decision["expected"], "{decision:#}");
        let reasons = decision["reasons"].as_array().unwrap();
        assert_eq!(reasons.is_empty(), decision["outcome"] == "allow", "{decision:#}");
        assert!(reasons.iter().all(|reason| !reason["message"].as_str().unwrap().is_empty()), "{decision:#}");
    }
    let refused_for = |code: &str| decisions.iter().filter(|decision| decision["reasons"][0]["code"] == code).count();
    for code in ["value-out-of-range", "approval-required", "signature-invalid", "expired", "revoked"] {
        assert!(refused_for(code) > 0, "nothing was refused for {code}");
    }
    assert!(refused_for("revoked") >= 2, "the revocation is felt at the two other organizations");
    let counted = |outcome: &str| decisions.iter().filter(|decision| decision["outcome"] == outcome).count();
    for outcome in ["allow", "deny", "approvalRequired"] {
        assert_eq!(document["figures"]["decisions"][outcome], counted(outcome), "{outcome}");
        assert!(counted(outcome) > 0, "{outcome}");
    }
    figures(&document["figures"]);
}

fn figures(figures: &Value) {
    let measures = figures["measures"].as_array().unwrap();
    let of = |name: &str| {
        measures.iter().filter(|measure| measure["name"] == name).map(|one| one["value"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let times = of("revocationMilliseconds");
    assert_eq!(times.len(), 2, "{figures:#}");
    assert!(times.iter().all(|time| *time <= REVOCATION_FELT), "{times:?} ms");
    let writes = of("acknowledgedWrites");
    assert!(writes.len() == 1 && writes[0] > 0, "{figures:#}");
    println!("revocation felt after {times:?} ms; {} writes survived the kill; {} ms in all", writes[0], figures["milliseconds"]);
}

#[test]
fn for_programs_and_twice_at_once() {
    let both: Vec<Finished> = std::thread::scope(|scope| {
        let runs = [0, 1].map(|_| scope.spawn(|| demo(&["--json"])));
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for finished in both {
        check(&finished.expect_success("syndic demo --json").json());
    }
}

#[test]
fn for_people() {
    let finished = demo(&[]).expect_success("syndic demo");
    let text = &finished.stdout;
    for words in ["1  ", "allowed", "denied", "approval required", "[revoked]", "[value-out-of-range]", "Figures", "every step came out as it must"] {
        assert!(text.to_lowercase().contains(&words.to_lowercase()), "{words:?} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "colors although NO_COLOR is set");
    assert!(!text.contains("panicked") && !finished.stderr.contains("panicked"), "{}", finished.stderr);
}
