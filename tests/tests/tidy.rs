//! The house is tidy: rules that a reader relies on and that no compiler checks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::path::Path;

use syndic_tests::house::{files, read, shown};
use syndic_tests::program::repository;

/// A file that is longer has become two.
const LONGEST_FILE: usize = 600;
/// An example fits two screens.
const LONGEST_EXAMPLE: usize = 100;

/// Fails with all that was found.
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// All files that people write.
fn texts() -> Vec<std::path::PathBuf> {
    let suffixes = [
        ".rs", ".md", ".toml", ".json", ".sh", ".py", ".yml", ".yaml", "/run", "kill9", "justfile",
    ];
    let mut all: Vec<_> = suffixes
        .iter()
        .flat_map(|suffix| files("", suffix.trim_start_matches('/')))
        .collect();
    all.sort();
    all.dedup();
    all
}

fn is_this_file(path: &Path) -> bool {
    path.ends_with("tests/tests/tidy.rs")
}

#[test]
fn no_unsafe_code_anywhere() {
    let root = read(&repository().join("Cargo.toml"));
    assert!(
        root.contains("unsafe_code = \"forbid\""),
        "the workspace forbids unsafe code"
    );
    let mut packages = 0;
    for path in files("", "Cargo.toml") {
        let text = read(&path);
        if !text.contains("[package]") {
            continue;
        }
        packages += 1;
        let inherits = text.contains("[lints]\nworkspace = true");
        // A workspace of its own cannot inherit. One that is a test and nothing else has no code to forbid it in.
        let says_so = text.contains("unsafe_code = \"forbid\"") || !text.contains("\n[dependencies]");
        let alone = text.contains("[workspace]") && says_so;
        assert!(
            inherits || alone,
            "{} does not take over the workspace's lints",
            shown(&path)
        );
    }
    assert!(packages >= 5);
}

#[test]
fn nothing_is_left_for_later() {
    let words = [
        "to".to_owned() + "do!(",
        "un".to_owned() + "implemented!(",
        "FIX".to_owned() + "ME",
        "XX".to_owned() + "X:",
    ];
    let found: Vec<String> = texts()
        .iter()
        .filter(|path| !is_this_file(path))
        .filter_map(|path| {
            let text = read(path);
            words
                .iter()
                .find(|word| text.contains(word.as_str()))
                .map(|word| format!("{}: {word}", shown(path)))
        })
        .collect();
    none("left for later", &found);
}

#[test]
fn one_path_for_every_public_name() {
    let found: Vec<String> = files("", ".rs")
        .iter()
        .flat_map(|path| {
            let text = read(path);
            let globs = text.lines().filter(|line| {
                let line = line.trim();
                line.starts_with("pub") && line.contains(" use ") && line.contains('*')
            });
            globs
                .map(|line| format!("{}: {}", shown(path), line.trim()))
                .collect::<Vec<_>>()
        })
        .collect();
    none("re-exports of everything", &found);
}

#[test]
fn no_file_is_too_long() {
    let found: Vec<String> = ["vc/src", "registry/src", "node/src", "tests/src", "examples/src"]
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
        .filter_map(|path| {
            let lines = read(&path).lines().count();
            (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", shown(&path)))
        })
        .collect();
    none("longer than 600 lines", &found);
}

#[test]
fn no_module_named_after_nothing() {
    let empty = [
        "utils", "util", "common", "helpers", "helper", "manager", "types", "misc",
    ];
    let found: Vec<String> = files("", ".rs")
        .iter()
        .filter(|path| {
            let stem = path.file_stem().unwrap().to_string_lossy();
            let folder = path
                .parent()
                .and_then(Path::file_name)
                .map(|name| name.to_string_lossy().into_owned());
            empty.contains(&stem.as_ref())
                || (stem == "mod" && folder.is_some_and(|name| empty.contains(&name.as_str())))
        })
        .map(|path| shown(path))
        .collect();
    none("names that say nothing", &found);
}

#[test]
fn no_path_of_one_machine() {
    let roots = [
        "/work".to_owned() + "/",
        "/ro".to_owned() + "ot/",
        "/ho".to_owned() + "me/",
        "/Us".to_owned() + "ers/",
    ];
    let found: Vec<String> = texts()
        .iter()
        .chain(&files("", "Cargo.lock"))
        .filter(|path| !is_this_file(path))
        .filter_map(|path| {
            let text = read(path);
            roots
                .iter()
                .find(|root| text.contains(root.as_str()))
                .map(|root| format!("{}: {root}", shown(path)))
        })
        .collect();
    none("paths of one machine", &found);
}

#[test]
fn every_specification_is_in_the_index() {
    let index = read(&repository().join("specs/README.md"));
    let found: Vec<String> = files("specs", ".md")
        .iter()
        .map(|path| shown(path).trim_start_matches("specs/").to_owned())
        .filter(|name| name != "README.md" && !index.contains(&format!("({name})")))
        .collect();
    none("not in specs/README.md", &found);
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut found = Vec::new();
    for path in files("", ".md") {
        for target in links(&read(&path)) {
            let target = target.split('#').next().unwrap_or_default();
            let elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !elsewhere && !path.parent().unwrap().join(target).exists() {
                found.push(format!("{}: {target}", shown(&path)));
            }
        }
    }
    none("links to nothing", &found);
}

/// Targets of `[text](target)` outside of code.
fn links(text: &str) -> Vec<String> {
    let mut in_block = false;
    let mut targets = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        // Every second piece lies between backquotes.
        for prose in line.split('`').step_by(2) {
            let mut rest = prose;
            while let Some(begin) = rest.find("](") {
                rest = &rest[begin + 2..];
                let Some(end) = rest.find(')') else { break };
                targets.push(rest[..end].split(' ').next().unwrap_or_default().to_owned());
            }
        }
    }
    targets
}

#[test]
fn the_first_page_says_what_works() {
    let readme = read(&repository().join("README.md"));
    let status = readme
        .split("## What works today\n")
        .nth(1)
        .expect("README.md has a section \"What works today\"");
    let section = status.split("\n## ").next().unwrap();
    assert!(
        section.lines().filter(|line| line.starts_with('|')).count() >= 4,
        "the status is a table:\n{section}"
    );
    let changes = read(&repository().join("CHANGELOG.md"));
    assert!(
        changes.lines().any(|line| line.starts_with("## ")),
        "CHANGELOG.md has a section for each release"
    );
    assert!(
        changes.lines().any(|line| line.starts_with("- ")),
        "CHANGELOG.md says what changed"
    );
    for name in [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "LICENSE",
        "justfile",
        "deny.toml",
        "rust-toolchain.toml",
    ] {
        assert!(repository().join(name).is_file(), "{name} is missing");
    }
}

#[test]
fn every_example_says_how_to_run_it_and_is_short() {
    let mut examples = files("examples", ".rs");
    examples.retain(|path| !path.ends_with("src/lib.rs"));
    assert!(!examples.is_empty());
    for path in examples {
        let text = read(&path);
        let name = path.file_stem().unwrap().to_string_lossy();
        let command = format!("cargo run -p syndic-examples --example {name}");
        let opening = text.lines().take(5).collect::<Vec<_>>().join("\n");
        assert!(
            opening.contains(&command),
            "{} does not open with: {command}",
            shown(&path)
        );
        assert!(
            text.lines().count() <= LONGEST_EXAMPLE,
            "{} has more than two screens",
            shown(&path)
        );
    }
}

#[test]
fn scripts_can_be_run() {
    use std::os::unix::fs::PermissionsExt;
    for name in ["tests/run", "tests/kill9", ".ci/run"] {
        let mode = repository()
            .join(name)
            .metadata()
            .unwrap_or_else(|error| panic!("{name}: {error}"))
            .permissions()
            .mode();
        assert_eq!(mode & 0o111, 0o111, "{name} is not executable");
    }
}
