//! `fork`: who told two stories about its log, and whether a proof of that holds.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use syndic_registry::charter::{Charter, CharterChain};
use syndic_registry::fork::Fork;
use syndic_registry::limits;
use syndic_vc::canonical;
use syndic_vc::json::Value;
use syndic_vc::object;

use super::documents::{items, text};
use super::failure::{Exit, Failure};
use super::output::{Output, clean};
use super::{Global, connect, log};
use crate::api::operations::number;
use crate::client;

/// Shown at the end of `syndic fork --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic fork list
  syndic fork export did:key:z6Mk... --out fork.json
  syndic fork verify fork.json --charter charter.json";

/// `syndic fork ...`
#[derive(Debug, Subcommand)]
pub enum ForkCommand {
    /// List the organizations that were caught telling two stories
    #[command(after_help = "Example:\n  syndic fork list")]
    List,
    /// Show what is proven about an organization
    Show(OneArguments),
    /// Write the proof into a file that convinces whoever has the charter
    Export(ExportArguments),
    /// Verify a proof with the charter alone: no node, no network, no data folder
    Verify(VerifyArguments),
}

/// `syndic fork show`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic fork show did:key:z6Mk...")]
pub struct OneArguments {
    /// DID of the organization
    #[arg(value_name = "DID")]
    pub organization: String,
}

/// `syndic fork export`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic fork export did:key:z6Mk... --out fork.json")]
pub struct ExportArguments {
    /// DID of the organization
    #[arg(value_name = "DID")]
    pub organization: String,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `syndic fork verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic fork verify fork.json --charter charter.json

Exit code 0 if the proof holds, 1 if it proves nothing.")]
pub struct VerifyArguments {
    /// The proof
    #[arg(value_name = "FILE")]
    pub proof: PathBuf,
    /// The consortium's charter, as its first version or as the chain that `charter show --out` wrote
    #[arg(long, value_name = "FILE")]
    pub charter: PathBuf,
}

/// Carries out `syndic fork ...`.
///
/// # Errors
/// The node cannot be reached, or a proof does not hold.
pub fn execute(global: &Global, command: &ForkCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        ForkCommand::List => list(global, output),
        ForkCommand::Show(arguments) => show(global, arguments, output),
        ForkCommand::Export(arguments) => export(global, arguments, output),
        ForkCommand::Verify(arguments) => verify(arguments, output),
    }
}

fn list(global: &Global, output: &Output) -> Result<Exit, Failure> {
    let answer = connect::with_own(global, |node| node.get("/forks"))?;
    output.show(&answer, |page| {
        let rows: Vec<Vec<String>> = items(&answer, "forks")
            .iter()
            .map(|fork| {
                ["name", "at", "commonPrefix", "organization"]
                    .map(|name| text(fork, &[name]))
                    .to_vec()
            })
            .collect();
        let head = ["NAME", "DISAGREE AT", "AGREE UP TO", "DID"];
        page.table(&head, &rows, "nobody was caught telling two stories");
    });
    Ok(Exit::Done)
}

/// The proof that a node holds, checked here again.
fn fetch(global: &Global, organization: &str) -> Result<(Vec<u8>, Fork, Charter), Failure> {
    let charter = connect::with_own(global, |node| node.get("/charter"))?;
    let chain = CharterChain::parse(&canonical::to_bytes(&charter));
    let chain = chain.map_err(|error| Failure::failed(error.to_string()))?;
    let path = format!("/forks/{}", client::segment(organization));
    let proof = connect::with_own(global, |node| node.get(&path))?;
    let file = [canonical::to_bytes(&proof), b"\n".to_vec()].concat();
    let (fork, charter) =
        Fork::from_file_by_chain(&file, &chain).map_err(|error| Failure::failed(error.to_string()))?;
    Ok((file, fork, charter))
}

fn show(global: &Global, arguments: &OneArguments, output: &Output) -> Result<Exit, Failure> {
    let (_, fork, charter) = fetch(global, &arguments.organization)?;
    report(&fork, &charter, output)
}

fn export(global: &Global, arguments: &ExportArguments, output: &Output) -> Result<Exit, Failure> {
    let (file, fork, charter) = fetch(global, &arguments.organization)?;
    let path = &arguments.out;
    std::fs::write(path, &file)
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))?;
    let exit = report(&fork, &charter, output)?;
    if !output.is_json() {
        let mut page = output.page();
        page.line(format_args!("written to {}", path.display()));
        page.print();
    }
    Ok(exit)
}

fn verify(arguments: &VerifyArguments, output: &Output) -> Result<Exit, Failure> {
    let chain = CharterChain::parse(&log::read(&arguments.charter, limits::CHAIN_BYTES)?)
        .map_err(|error| Failure::failed(format!("{}: {error}", arguments.charter.display())))?;
    let proof = log::read(&arguments.proof, limits::CHARTER_BYTES)?;
    let (fork, charter) = Fork::from_file_by_chain(&proof, &chain)
        .map_err(|error| Failure::failed(format!("{} proves nothing: {error}", arguments.proof.display())))?;
    report(&fork, &charter, output)
}

/// What a proof that holds proves.
fn report(fork: &Fork, charter: &Charter, output: &Output) -> Result<Exit, Failure> {
    let accused = fork
        .verify(charter)
        .map_err(|error| Failure::failed(format!("it proves nothing: {error}")))?;
    let name = charter.member(accused.as_str()).map_or("", |member| member.name());
    let document = object! {
        "proven": true,
        "organization": accused.as_str(),
        "name": name,
        "consortium": charter.id(),
        "at": number(fork.at),
        "commonPrefix": fork.common_prefix().map_or(Value::Null, number),
        "heads": [&fork.one, &fork.other].map(|branch| Value::from(head_line(&branch.note))).into_iter().collect::<Value>(),
    };
    output.show(&document, |page| {
        page.line(format_args!("proven: {} told two stories about its log", clean(name)));
        page.line(format_args!("  {}", clean(accused.as_str())));
        page.line(match fork.common_prefix() {
            Some(common) => format!("  they agree about the first {common} entries and no further"),
            None => format!("  they disagree about the first {} entries", fork.at),
        });
        for branch in [&fork.one, &fork.other] {
            page.line(format_args!("  head: {}", clean(&head_line(&branch.note))));
        }
        page.line("  its word counts for nothing until the members agree on a new charter");
    });
    Ok(Exit::Done)
}

/// Size and root of a head, in a line.
fn head_line(note: &str) -> String {
    let mut lines = note.lines().skip(1);
    let size = lines.next().unwrap_or_default();
    let root = lines.next().unwrap_or_default();
    format!("{size} entries, root {root}")
}
