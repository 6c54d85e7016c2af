//! `key`: the keys of this organization.

use clap::{Args, Subcommand};
use syndic_vc::json::{Object, Value};
use syndic_vc::object;
use syndic_vc::time::Timestamp;

use super::documents::{items, text};
use super::failure::{Exit, Failure};
use super::output::Output;
use super::{Global, connect, values};

/// Shown at the end of `syndic key --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic key list
  syndic key rotate log
  syndic key compromised did:key:z6Mk...#z6Mk...";

/// `syndic key ...`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// List the public keys of this organization
    #[command(after_help = "Example:\n  syndic key list")]
    List,
    /// Replace a key by the next one
    #[command(subcommand, after_help = "Example:\n  syndic key rotate log")]
    Rotate(RotateCommand),
    /// Say that a key is compromised: what it signed is refused by all, unless it was anchored before
    Compromised(CompromisedArguments),
}

/// `syndic key rotate ...`
#[derive(Debug, Subcommand)]
pub enum RotateCommand {
    /// Replace the key that signs this organization's log; nothing more counts that the one before signs
    #[command(after_help = "\
The next key was made with the keystore and promised on the member card, and is confirmed by the root key.
Other members follow by themselves; no new charter is needed.

Example:
  syndic key rotate log")]
    Log,
}

/// `syndic key compromised`
#[derive(Debug, Args)]
#[command(after_help = "\
This is final. Credentials that were issued with `[issue] anchor = true` before go on counting.

Example:
  syndic key compromised did:key:z6Mk...#z6Mk... --since 2026-11-24T22:00:00Z")]
pub struct CompromisedArguments {
    /// The key: its name in a DID document, or the key itself as multikey
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Since when, as far as that is known (RFC 3339); for people to read
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub since: Option<Timestamp>,
}

/// Carries out `syndic key ...`.
///
/// # Errors
/// The node cannot be reached or refuses.
pub fn execute(global: &Global, command: &KeyCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        KeyCommand::List => list(global, output),
        KeyCommand::Rotate(RotateCommand::Log) => rotate_log(global, output),
        KeyCommand::Compromised(arguments) => compromised(global, arguments, output),
    }
}

fn list(global: &Global, output: &Output) -> Result<Exit, Failure> {
    let answer = connect::with_own(global, |node| node.get("/keys"))?;
    output.show(&answer, |page| {
        page.pairs(&[
            ("credentials", text(&answer, &["credentialKey", "verificationMethod"])),
            ("root", text(&answer, &["rootKey"])),
            ("log", text(&answer, &["logKey"])),
            ("next log key", text(&answer, &["nextLogKey"])),
        ]);
        let rows: Vec<Vec<String>> = items(&answer, "rotations")
            .iter()
            .map(|rotation| {
                ["from", "logKey", "previous"]
                    .map(|name| text(rotation, &[name]))
                    .to_vec()
            })
            .collect();
        page.table(
            &["FROM SIZE", "LOG KEY", "INSTEAD OF"],
            &rows,
            "the log key was not rotated",
        );
    });
    Ok(Exit::Done)
}

fn rotate_log(global: &Global, output: &Output) -> Result<Exit, Failure> {
    let answer = connect::with_own(global, |node| node.post("/keys/log/rotate", &object! {}))?;
    output.show(&answer, |page| {
        page.line("rotated; the log key before signs nothing more that counts");
        page.pairs(&[
            ("log key", text(&answer, &["logKey"])),
            ("instead of", text(&answer, &["previous"])),
            ("from size", text(&answer, &["from"])),
        ]);
    });
    Ok(Exit::Done)
}

fn compromised(global: &Global, arguments: &CompromisedArguments, output: &Output) -> Result<Exit, Failure> {
    let mut body = Object::new();
    body.insert("key", arguments.key.as_str());
    if let Some(since) = arguments.since {
        body.insert("since", since.to_string());
    }
    let answer = connect::with_own(global, |node| node.post("/keys/compromised", &Value::from(body)))?;
    output.show(&answer, |page| {
        page.line("said; what this key signed counts no longer, unless it was anchored before");
        page.pairs(&[("entry", text(&answer, &["statement", "index"]))]);
        if answer.get("known").and_then(Value::as_bool) == Some(false) {
            page.line("None of this organization's present keys has this name. Look whether it is spelt right.");
        }
    });
    Ok(Exit::Done)
}
