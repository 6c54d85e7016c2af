//! Who may know of whom: node -> registry -> vc, and nothing in the two lower crates that would tie them to a machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use syndic_tests::command;
use syndic_tests::house::{files, production_lines, read, shown};
use syndic_tests::program::repository;

/// Names of the packages that a package is built with, as its own defaults have it.
fn reached(package: &str, more: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(repository())
        .args([
            "tree",
            "--locked",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(more);
    let finished = command::run(&mut cargo, Duration::from_secs(60)).expect_success("cargo tree");
    let names: BTreeSet<String> = finished
        .stdout
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect();
    assert!(names.contains(package), "{names:?}");
    names
}

#[test]
fn the_lower_crates_reach_no_runtime_no_network_no_store() {
    let machinery = [
        "tokio",
        "mio",
        "async-std",
        "libp2p",
        "sled",
        "redb",
        "axum",
        "hyper",
        "reqwest",
        "ureq",
        "rusqlite",
    ];
    for package in ["syndic-vc", "syndic-registry"] {
        for more in [&[][..], &["--no-default-features"]] {
            let names = reached(package, more);
            let found: Vec<_> = machinery.iter().filter(|name| names.contains(**name)).collect();
            assert!(found.is_empty(), "cargo tree -p {package} {more:?} reaches {found:?}");
        }
    }
}

#[test]
fn one_direction() {
    let ours = |package: &str| {
        reached(package, &[])
            .into_iter()
            .filter(|name| name.starts_with("syndic-"))
            .collect::<Vec<_>>()
    };
    assert_eq!(ours("syndic-vc"), ["syndic-vc"]);
    assert_eq!(ours("syndic-registry"), ["syndic-registry", "syndic-vc"]);
    assert_eq!(ours("syndic-node"), ["syndic-node", "syndic-registry", "syndic-vc"]);
}

/// The same seed must replay the same trace, and a browser must be able to verify.
#[test]
fn the_lower_crates_do_no_io_have_no_clock_and_no_chance() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::thread",
        "std::env",
        "std::process",
        "SystemTime",
        "Instant::",
        "time::Instant",
        "HashMap",
        "HashSet",
        "RandomState",
        "getrandom",
        "thread_rng",
        "Timestamp::now",
        "jiff::Zoned::now",
    ];
    let mut found = Vec::new();
    for path in [files("vc/src", ".rs"), files("registry/src", ".rs")].concat() {
        if path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        for (number, line) in production_lines(&read(&path)) {
            if let Some(word) = forbidden.iter().find(|word| line.contains(**word)) {
                found.push(format!("{}:{number}: {word}", shown(&path)));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_is_compiled_for_tests_only_is_told_apart() {
    let text = "\
use std::fmt;
// use std::fs;
#[cfg(test)]
mod tests;
fn a() {}
#[cfg(test)]
mod inner {
    use std::fs;
}
#[cfg(test)]
fn b(
    x: u8,
) {
    std::fs::read(x);
}
fn c() {}
";
    let lines: Vec<String> = production_lines(text).into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["use std::fmt;", "fn a() {}", "fn c() {}"]);
}
