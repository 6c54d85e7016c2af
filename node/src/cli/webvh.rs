//! `webvh`: checks a did:webvh log that is at hand. Needs no node and no network.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use syndic_vc::did::Did;
use syndic_vc::limits::WEBVH_LOG_BYTES;
use syndic_vc::object;
use syndic_vc::time::Timestamp;
use syndic_vc::webvh::{self, Which};

use super::failure::{Exit, Failure};
use super::output::{Output, clean};
use crate::clock;

/// Shown at the end of `syndic webvh --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic webvh resolve --log did.jsonl \\
      did:webvh:QmePZQxDW6wr4ohW61LLra4jm8SU3Go6EnCKcVbvzXkNtn:example.com";

/// `syndic webvh ...`
#[derive(Debug, Subcommand)]
pub enum WebvhCommand {
    /// Verify the log of a did:webvh and print the document it proves; needs no node
    Resolve(ResolveArguments),
}

/// `syndic webvh resolve`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic webvh resolve --log did.jsonl --witness did-witness.json --version-number 2 \\
      did:webvh:QmePZQxDW6wr4ohW61LLra4jm8SU3Go6EnCKcVbvzXkNtn:example.com")]
pub struct ResolveArguments {
    /// The DID
    #[arg(value_name = "DID")]
    pub did: String,
    /// The log, did.jsonl; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub log: PathBuf,
    /// The witnesses' proofs, did-witness.json
    #[arg(long, value_name = "FILE")]
    pub witness: Option<PathBuf>,
    /// The version with this id [default: the newest]
    #[arg(long, value_name = "ID", group = "version")]
    pub version_id: Option<String>,
    /// The version with this number
    #[arg(long, value_name = "NUMBER", group = "version")]
    pub version_number: Option<u64>,
    /// The version that was active at this time
    #[arg(long, value_name = "TIME", group = "version")]
    pub version_time: Option<String>,
}

/// Carries out `syndic webvh ...`: prints the document, or with `--json` the whole resolution result.
///
/// # Errors
/// A file cannot be read, or the log does not prove what is asked.
pub fn execute(command: &WebvhCommand, output: &Output) -> Result<Exit, Failure> {
    let WebvhCommand::Resolve(arguments) = command;
    let did = Did::parse(&arguments.did)
        .map_err(|error| Failure::usage(format!("{} is not a DID: {error}", clean(&arguments.did))))?;
    let log = read(&arguments.log)?;
    let witness = arguments.witness.as_deref().map(read).transpose()?;
    let which = which(arguments)?;
    let resolved = webvh::resolve(&did, &log, witness.as_deref(), &which, clock::now())
        .map_err(|error| Failure::failed(format!("{did} does not resolve: {}", clean(&error.to_string()))))?;
    let result = object! {
        "didDocument": resolved.document.clone(),
        "didDocumentMetadata": resolved.metadata.to_json(),
        "didResolutionMetadata": object! { "contentType": "application/did" },
    };
    output.document(if output.is_json() { &result } else { &resolved.document });
    if resolved.metadata.parameters.deactivated {
        output.complain(&format!("{did} is deactivated; this is the last it said"));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

fn which(arguments: &ResolveArguments) -> Result<Which, Failure> {
    if let Some(time) = &arguments.version_time {
        let time = Timestamp::parse(time)
            .map_err(|error| Failure::usage(format!("--version-time {}: {error}", clean(time))))?;
        return Ok(Which::Time(time));
    }
    let by_number = arguments.version_number.map(Which::Number);
    let by_id = arguments.version_id.clone().map(Which::Id);
    Ok(by_number.or(by_id).unwrap_or_default())
}

/// A text file, or standard input for `-`.
fn read(path: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| Failure::failed(format!("cannot read {}: {error}", path.display()));
    let limit = WEBVH_LOG_BYTES as u64 + 1;
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(limit)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
    } else {
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(limit).read_to_string(&mut text).map_err(unreadable)?;
    }
    Ok(text)
}
