//! The walk-through of README.md, run as it stands there. A block is
//!
//! ````text
//! <!-- walkthrough -->
//! ```sh
//! syndic init --name "St. Mary" --data ./st-mary
//! # => St. Mary has a node
//! ```
//! ````
//!
//! All blocks run one after the other in one shell (`bash -euo pipefail`) in an empty folder with `examples/` in it.
//! `# => text` says that the lines since the last such comment print `text`. Only the ports are others than in the
//! text, so that a node of the reader's own does not stand in the way; commands that leave the ports out get free ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use syndic_tests::command;
use syndic_tests::house;
use syndic_tests::ports::{self, Ports};
use syndic_tests::program;

/// Three nodes open their keys, and a person waits for no command.
const LIMIT: Duration = Duration::from_secs(120);
/// Ports of the three organizations: public, admin, peer.
const PORTS: [u16; 9] = [8440, 8441, 8442, 9440, 9441, 9442, 10440, 10441, 10442];

/// Lines that are run, and what their output must contain.
#[derive(Debug, Default, PartialEq)]
struct Step {
    lines: Vec<String>,
    expected: Vec<String>,
}

/// The steps of all marked blocks.
fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "<!-- walkthrough -->" {
            continue;
        }
        let fence = lines.find(|line| !line.trim().is_empty());
        assert_eq!(
            fence.map(str::trim),
            Some("```sh"),
            "a walk-through mark stands right before a block of sh"
        );
        steps.push(Step::default());
        for line in lines.by_ref().take_while(|line| line.trim() != "```") {
            if let Some(expected) = line.trim_start().strip_prefix("# => ") {
                steps.last_mut().unwrap().expected.push(expected.trim().to_owned());
                continue;
            }
            if !steps.last().unwrap().expected.is_empty() {
                steps.push(Step::default());
            }
            steps.last_mut().unwrap().lines.push(line.to_owned());
        }
    }
    steps.retain(|step| !step.expected.is_empty() || step.lines.iter().any(|line| !line.trim().is_empty()));
    steps
}

fn with_free_ports(text: &str) -> String {
    PORTS.iter().rev().fold(text.to_owned(), |text, port| {
        replace_number(&text, *port, ports::free())
    })
}

/// Replaces a number that is not part of a longer one.
fn replace_number(text: &str, from: u16, to: u16) -> String {
    let (from, to) = (from.to_string(), to.to_string());
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(&from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let part = before.ends_with(|c: char| c.is_ascii_digit()) || after.starts_with(|c: char| c.is_ascii_digit());
        replaced += before;
        replaced += if part { &from } else { &to };
        rest = after;
    }
    replaced + rest
}

/// One script; the output of each step goes into a file of its own.
fn script(steps: &[Step]) -> String {
    let mut script = "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n".to_owned();
    for (number, step) in steps.iter().enumerate() {
        // A step of comments only would be an empty group, which is no shell.
        script += &format!("{{ :\n{}\n}} >\"$OUTPUTS/{number}\" 2>&1\n", step.lines.join("\n"));
    }
    script
}

/// `syndic` by its name; an `init` that leaves out the ports gets free ones.
fn install(folder: &Path) {
    let Ports { public, admin, peer } = Ports::free();
    let real = program::syndic().display();
    let text = format!(
        "#!/bin/sh\ncase \" $* \" in\n*\" --public \"*|*\" --help \"*) ;;\n*\" init \"*) set -- \"$@\" --public 127.0.0.1:{public} \
         --admin 127.0.0.1:{admin} --peer 127.0.0.1:{peer} ;;\nesac\nexec '{real}' \"$@\"\n"
    );
    let path = folder.join("syndic");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_walk_through_of_the_readme_works() {
    let text = house::read(&program::repository().join("README.md"));
    let steps = steps(&with_free_ports(&text));
    assert!(!steps.is_empty(), "no walkthrough blocks in README.md");
    let expected: usize = steps.iter().map(|step| step.expected.len()).sum();
    assert!(expected > 0, "the walk-through says of no command what it prints");
    let script = script(&steps);
    for tool in ["curl", "jq"] {
        let used = script
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| word == tool);
        if used && Command::new(tool).arg("--version").output().is_err() {
            println!("skipped: the walk-through uses {tool}, which is not installed");
            return;
        }
    }
    let folder = tempfile::Builder::new()
        .prefix("syndic-walkthrough-")
        .tempdir()
        .unwrap();
    let (bin, outputs, here) = (
        folder.path().join("bin"),
        folder.path().join("outputs"),
        folder.path().join("here"),
    );
    for path in [&bin, &outputs, &here] {
        std::fs::create_dir(path).unwrap();
    }
    install(&bin);
    std::os::unix::fs::symlink(program::repository().join("examples"), here.join("examples")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &script])
        .current_dir(&here)
        .env("PATH", path)
        .env("OUTPUTS", &outputs);
    bash.env("NO_COLOR", "1")
        .env_remove("SYNDIC_DATA")
        .env_remove("SYNDIC_PASSPHRASE")
        .env_remove("SYNDIC_PASSPHRASE_FILE");
    let finished = command::run(&mut bash, LIMIT);

    let printed = |number: usize| std::fs::read_to_string(outputs.join(number.to_string()));
    if finished.code != Some(0) {
        let last = (0..steps.len())
            .rev()
            .find(|number| printed(*number).is_ok())
            .unwrap_or(0);
        panic!(
            "the walk-through ended with {:?} in step {last}:\n{}\n--- printed\n{}\n{}",
            finished.code,
            steps[last].lines.join("\n"),
            printed(last).unwrap_or_default(),
            finished.stderr,
        );
    }
    for (number, step) in steps.iter().enumerate() {
        let printed = printed(number).unwrap();
        for expected in &step.expected {
            assert!(
                printed.contains(expected),
                "{}\ndoes not print {expected:?} but\n{printed}",
                step.lines.join("\n")
            );
        }
    }
    println!("{} steps, {expected} expectations", steps.len());
}

#[test]
fn blocks_are_found_and_ports_replaced() {
    let text = "# x\n```sh\nnot this\n```\n<!-- walkthrough -->\n```sh\n# first\none 8440\n# => 1\n# => 2\ntwo\n```\n<!-- walkthrough -->\n\n```sh\nthree\n```\n";
    let step = |lines: &[&str], expected: &[&str]| Step {
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        expected: expected.iter().map(|line| (*line).to_owned()).collect(),
    };
    assert_eq!(
        steps(text),
        [
            step(&["# first", "one 8440"], &["1", "2"]),
            step(&["two"], &[]),
            step(&["three"], &[])
        ]
    );
    assert_eq!(replace_number("8440 18440 84401 :8440/", 8440, 7), "7 18440 84401 :7/");
}
