//! The short form of the campaign in `tests/kill9`: ten kills under load, and that its check can fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::process::Command;
use std::time::Duration;

use syndic_tests::command;
use syndic_tests::program;

#[test]
fn ten_kills_under_load() {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: the campaign needs python3");
        return;
    }
    let mut campaign = Command::new("python3");
    campaign
        .arg(program::repository().join("tests/kill9"))
        .args(["--kills", "10", "--self-test", "--seed", "9"])
        .env("SYNDIC_BIN", program::syndic());
    let finished = command::run(&mut campaign, Duration::from_secs(180)).expect_success("tests/kill9");
    println!("{}", finished.stdout);
    assert!(finished.stdout.contains("acknowledged and missing, forked, half done"));
}
