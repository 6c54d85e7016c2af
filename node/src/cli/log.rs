//! `log`: checks an organization's log from its files, wherever they lie. Needs no node of one's own.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use syndic_registry::charter::{Charter, CharterChain};
use syndic_registry::limits;
use syndic_registry::tile::TilePath;
use syndic_registry::tile::check::{CheckedLog, LogCheck, LogCheckError};
use syndic_vc::json::{Object, Value};
use syndic_vc::object;

use super::Global;
use super::failure::{Exit, Failure};
use super::output::{Output, clean};
use crate::api::operations::number;
use crate::api::registry::hash;
use crate::client::Client;
use crate::progress::Progress;

/// Shown at the end of `syndic log --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic log verify https://node.example.org/logs/did:key:z6Mk... --charter charter.json
  syndic log verify ./copy-of-the-log --charter charter.json";

/// `syndic log ...`
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Check a log from its files: checkpoint, entries, hashes, root, cosignatures, statements
    Verify(VerifyArguments),
}

/// `syndic log verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic log verify http://127.0.0.1:8440/logs/did:key:z6Mk... --charter charter.json
  syndic log verify ./copy-of-the-log --charter charter.json --earlier old/checkpoint

Exit code 0 if the log holds, 3 if it does not. Without --charter the signatures are not checked: then 0
says that the files fit each other, and not whose they are.")]
pub struct VerifyArguments {
    /// Where the files of one log lie: a URL ending in /logs/DID, or a folder with `checkpoint` and `tile/`
    #[arg(value_name = "URL|DIR")]
    pub place: String,
    /// The consortium's charter, to check whose signatures these are
    #[arg(long, value_name = "FILE")]
    pub charter: Option<PathBuf>,
    /// A checkpoint of the same log, kept from earlier: the log must continue it
    #[arg(long, value_name = "FILE")]
    pub earlier: Option<PathBuf>,
}

/// Where the files of a log come from.
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A file server.
    Server(Box<Client>),
}

impl Place {
    /// A URL or a folder, as it was typed.
    ///
    /// # Errors
    /// The URL cannot be used.
    pub fn named(text: &str, global: &Global) -> Result<Self, Failure> {
        if text.starts_with("http://") || text.starts_with("https://") {
            let client = Client::believing(text, global.ca_file.as_deref())?;
            return Ok(Self::Server(Box::new(client)));
        }
        Ok(Self::Folder(PathBuf::from(text)))
    }

    /// The bytes of a file, at most so many.
    ///
    /// # Errors
    /// It is not there, cannot be read or is longer.
    pub fn read(&self, path: TilePath, most: usize) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Folder(folder) => read(&folder.join(path.to_string()), most),
            Self::Server(client) => client
                .file(&format!("/{path}"), most)?
                .ok_or_else(|| Failure::failed(format!("{} has no {path}", client.base()))),
        }
    }
}

/// Carries out `syndic log ...`.
///
/// # Errors
/// A file is not there or cannot be read.
pub fn execute(global: &Global, command: &LogCommand, output: &Output) -> Result<Exit, Failure> {
    let LogCommand::Verify(arguments) = command;
    let charter = arguments.charter.as_deref().map(charter).transpose()?;
    let place = Place::named(&arguments.place, global)?;
    let checkpoint = place.read(TilePath::Checkpoint, limits::NOTE_BYTES)?;
    let earlier = arguments
        .earlier
        .as_deref()
        .map(|path| read(path, limits::NOTE_BYTES))
        .transpose()?;
    let (checkpoint, earlier) = (String::from_utf8_lossy(&checkpoint), earlier.map(|text| text_of(&text)));
    let begun = LogCheck::new(&checkpoint, charter.as_ref()).and_then(|check| match &earlier {
        Some(earlier) => check.continuing(earlier),
        None => Ok(check),
    });
    let outcome = match begun {
        Ok(check) => walk(check, &place, output)?,
        Err(error) => Err(error),
    };
    Ok(match outcome {
        Ok(log) => {
            let document = document(&log, charter.as_ref());
            output.show(&document, |page| {
                page.line(page.paint().green("the log holds"));
                page.pairs(&pairs(&log, charter.as_ref(), earlier.is_some()));
            });
            Exit::Done
        }
        Err(error) => {
            output.show(&object! { "verified": false, "why": error.to_string() }, |page| {
                page.line(page.paint().red("the log does not hold"));
                page.line(format_args!("  {}", clean(&error.to_string())));
            });
            Exit::Denied
        }
    })
}

/// Gives a check all the files that it asks for.
fn walk(mut check: LogCheck, place: &Place, output: &Output) -> Result<Result<CheckedLog, LogCheckError>, Failure> {
    let progress = Progress::of("entries", check.size(), output);
    while let Some(path) = check.wanted() {
        let bytes = place.read(path, check.most_bytes())?;
        if let Err(error) = check.give(&bytes) {
            return Ok(Err(error));
        }
        progress.at(check.done());
    }
    Ok(check.finish())
}

/// Reads a charter's file: a first version, or a chain, of which the newest version counts.
///
/// # Errors
/// It cannot be read, or is none.
pub fn charter(path: &Path) -> Result<Charter, Failure> {
    CharterChain::parse(&read(path, limits::CHAIN_BYTES)?)
        .map(|chain| chain.current().clone())
        .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
}

/// A file of at most so many bytes.
pub(super) fn read(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let cannot = |error: std::io::Error| Failure::failed(format!("cannot read {}: {error}", path.display()));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() > most {
        return Err(Failure::failed(format!(
            "{} is longer than {most} bytes",
            path.display()
        )));
    }
    Ok(bytes)
}

fn text_of(bytes: &[u8]) -> String {
    // What is no UTF-8 is no note either, and is refused as one.
    String::from_utf8_lossy(bytes).into_owned()
}

fn document(log: &CheckedLog, charter: Option<&Charter>) -> Value {
    let statements: Object = log
        .statements
        .iter()
        .map(|(kind, count)| (kind.as_str(), number(*count)))
        .collect();
    let mut document = Object::new();
    document.insert("verified", true);
    document.insert("origin", log.origin.as_str());
    document.insert("size", number(log.size));
    document.insert("root", hash(&log.root));
    document.insert("files", number(log.files));
    document.insert("statements", Value::Object(statements));
    document.insert("signaturesChecked", charter.is_some());
    if let Some(signatures) = &log.signatures {
        document.insert("time", signatures.time.to_string());
        let cosigned: Value = signatures
            .cosigned
            .iter()
            .map(|(member, time)| object! { "organization": member.as_str(), "time": time.to_string() })
            .collect();
        document.insert("cosigned", cosigned);
        document.insert("unknownSignatures", number(signatures.unknown as u64));
    }
    Value::Object(document)
}

fn pairs(log: &CheckedLog, charter: Option<&Charter>, continued: bool) -> Vec<(&'static str, String)> {
    let said: Vec<String> = log
        .statements
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    let mut pairs = vec![
        ("log", log.origin.clone()),
        ("entries", log.size.to_string()),
        ("files", log.files.to_string()),
        (
            "statements",
            if said.is_empty() {
                "none".to_owned()
            } else {
                said.join(", ")
            },
        ),
    ];
    if continued {
        pairs.push(("earlier", "it continues the earlier checkpoint".to_owned()));
    }
    match (&log.signatures, charter) {
        (Some(signatures), Some(charter)) => {
            pairs.push(("signed", format!("by its organization, at {}", signatures.time)));
            let others = charter.members().len() - 1;
            pairs.push((
                "cosigned",
                format!("by {} of {others} other members", signatures.cosigned.len()),
            ));
        }
        _ => pairs.push(("signatures", "not checked; give --charter FILE".to_owned())),
    }
    pairs
}
