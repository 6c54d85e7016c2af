//! `delegate`: an agent hands on what it may do, or less.

use std::path::PathBuf;

use clap::Args;
use syndic_vc::json::{Object, Value};
use syndic_vc::object;

use super::credential::template;
use super::documents::{self, required, text};
use super::failure::{Exit, Failure};
use super::output::Output;
use super::{Global, connect, values};
use crate::client::segment;

/// `syndic delegate`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic delegate --agent CustomerSupportAgent-v2.3 --credential support.json \\
      --to did:key:z6Mk... --capabilities less.json --valid-for 1h --out handed-on.json

Without --capabilities all of the credential is handed on. Nothing that says more than it is signed. What is written
holds the new credential and all above it; `syndic action sign --credential handed-on.json` takes it.")]
pub struct DelegateArguments {
    /// The agent that hands on: its name or DID; its key must be held by this node
    #[arg(long)]
    pub agent: String,
    /// The credential that it holds: its id, or a file
    #[arg(long, value_name = "ID|FILE")]
    pub credential: String,
    /// The DID of the agent that gets it
    #[arg(long, value_name = "DID")]
    pub to: String,
    /// What is shown to people as that agent's name
    #[arg(long)]
    pub name: Option<String>,
    /// File with the capabilities that are handed on; - for standard input
    #[arg(long, value_name = "FILE")]
    pub capabilities: Option<PathBuf>,
    /// How many times it may be handed on again
    #[arg(long, value_name = "TIMES", default_value_t = 0)]
    pub max_depth: u8,
    /// How long it is valid, such as 30m or 24h [default: 24h, or as long as the credential]
    #[arg(long, value_name = "SPAN", value_parser = values::span)]
    pub valid_for: Option<u32>,
    /// Write it here [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Carries out `syndic delegate`.
///
/// # Errors
/// The node cannot be reached or refuses; a file cannot be read.
pub fn execute(global: &Global, arguments: &DelegateArguments, output: &Output) -> Result<Exit, Failure> {
    let mut body = match &arguments.capabilities {
        Some(path) => template(documents::read(path)?, path)?,
        None => Object::new(),
    };
    body.insert("maxDepth", u32::from(arguments.max_depth));
    let (credential, chain) = documents::credential_with_chain(&arguments.credential)?;
    body.insert("credential", credential);
    if let Some(chain) = chain {
        body.insert("chain", chain);
    }
    body.insert("to", arguments.to.as_str());
    if let Some(name) = &arguments.name {
        body.insert("name", name.as_str());
    }
    if let Some(seconds) = arguments.valid_for {
        body.insert("validForSeconds", seconds);
    }
    let path = format!("/agents/{}/delegations", segment(&arguments.agent));
    let answer = connect::with_own(global, |node| node.post(&path, &Value::from(body)))?;
    let document = object! {
        "verifiableCredential": required(&answer, "verifiableCredential")?.clone(),
        "chain": required(&answer, "chain")?.clone(),
    };
    let summary = format!(
        "credential {}, handed on until {}",
        super::output::clean(&text(&document, &["verifiableCredential", "id"])),
        super::output::clean(&text(&document, &["verifiableCredential", "validUntil"]))
    );
    documents::deliver(&answer, &document, arguments.out.as_deref(), &summary, output)?;
    Ok(Exit::Done)
}
