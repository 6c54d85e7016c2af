//! `bundle`: trust bundles, in which organizations say whose keys are to be believed in a domain.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use syndic_vc::object;

use super::documents::{self, text};
use super::failure::{Exit, Failure};
use super::output::Output;
use super::{Global, connect};
use crate::client::segment;

/// Shown at the end of `syndic bundle --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic bundle publish bundle.json --domain spiffe://st-mary.example --format spiffe
  syndic bundle show --organization did:key:z6Mk... --domain spiffe://st-mary.example";

/// `syndic bundle ...`
#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Publish a bundle; it replaces the one before for that domain
    Publish(PublishArguments),
    /// Print the newest bundle of an organization for a domain
    Show(ShowArguments),
}

/// Formats of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A SPIFFE trust bundle
    Spiffe,
    /// A JSON Web Key Set
    Jwks,
}

/// `syndic bundle publish`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic bundle publish keys.json --domain https://st-mary.example --format jwks")]
pub struct PublishArguments {
    /// The bundle: a JSON object with keys
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whose keys they are: a SPIFFE trust domain or another URI
    #[arg(long, value_name = "URI")]
    pub domain: String,
    /// What the file is
    #[arg(long, value_enum)]
    pub format: Format,
}

/// `syndic bundle show`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic bundle show --organization did:key:z6Mk... --domain spiffe://st-mary.example")]
pub struct ShowArguments {
    /// DID of the organization that published it
    #[arg(long, value_name = "DID")]
    pub organization: String,
    /// The domain
    #[arg(long, value_name = "URI")]
    pub domain: String,
    /// Public URL of the node to ask [default: one's own node]
    #[arg(long, value_name = "URL")]
    pub node: Option<String>,
}

/// Carries out `syndic bundle ...`.
///
/// # Errors
/// A file cannot be read; the node cannot be reached or refuses.
pub fn execute(global: &Global, command: &BundleCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        BundleCommand::Publish(arguments) => publish(global, arguments, output),
        BundleCommand::Show(arguments) => show(global, arguments, output),
    }
}

fn publish(global: &Global, arguments: &PublishArguments, output: &Output) -> Result<Exit, Failure> {
    let body = object! {
        "domain": arguments.domain.as_str(),
        "format": match arguments.format {
            Format::Spiffe => "spiffe",
            Format::Jwks => "jwks",
        },
        "bundle": documents::read(&arguments.file)?,
    };
    let answer = connect::with_own(global, |node| node.post("/trust-bundles", &body))?;
    output.show(&answer, |page| {
        page.line("published");
        page.pairs(&[("entry", text(&answer, &["statement", "index"]))]);
    });
    Ok(Exit::Done)
}

fn show(global: &Global, arguments: &ShowArguments, output: &Output) -> Result<Exit, Failure> {
    let path = format!(
        "/trust-bundles/{}/{}",
        segment(&arguments.organization),
        segment(&arguments.domain)
    );
    let bundle = connect::with(arguments.node.as_deref(), global, |node| node.get(&path))?;
    output.document(&bundle);
    Ok(Exit::Done)
}
