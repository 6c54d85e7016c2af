//! `mirror`: all public files of a node, for any file server. Needs no node of one's own.

use std::path::PathBuf;

use clap::Args;
use syndic_registry::charter::CharterChain;
use syndic_registry::limits;
use syndic_vc::json::{Object, Value};
use syndic_vc::object;

use super::failure::{Exit, Failure};
use super::output::{Output, clean};
use super::{Global, log};
use crate::api::operations::number;
use crate::client::Client;
use crate::clock;
use crate::mirror::{Folder, Mirror, MirrorError, Outcome, Report};
use crate::progress::Progress;

/// `syndic mirror`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic mirror https://node.example.org ./copy --charter charter.json
  python3 -m http.server --directory ./copy 8080

Copies the charter, every member's log, status lists and DID documents, checked, below the paths at
which a node serves them. Run again, it fetches what is new or missing. Without --charter the charter
in DIR counts, and the first time the server is believed.

Exit code 3 if something does not hold, or contradicts what DIR has: then both stories are kept in
DIR/evidence, and the log in DIR stays as it was.")]
pub struct MirrorArguments {
    /// Public URL of a node, or of a copy of one
    #[arg(value_name = "URL")]
    pub url: String,
    /// The folder of the copy
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The consortium's charter that one trusts
    #[arg(long, value_name = "FILE")]
    pub charter: Option<PathBuf>,
}

impl From<MirrorError> for Failure {
    fn from(error: MirrorError) -> Self {
        let message = error.to_string();
        match error {
            MirrorError::Call(error) => error.into(),
            MirrorError::Charter { .. } | MirrorError::OtherConsortium { .. } => Self {
                exit: Exit::Denied,
                ..Self::failed(message)
            },
            MirrorError::Folder(_) | MirrorError::NoCharter(_) => Self::failed(message),
        }
    }
}

/// Carries out `syndic mirror`.
///
/// # Errors
/// The server cannot be reached, the folder not be written, or the charter is another.
pub fn execute(global: &Global, arguments: &MirrorArguments, output: &Output) -> Result<Exit, Failure> {
    let pinned = arguments.charter.as_deref().map(|path| {
        let bytes = log::read(path, limits::CHAIN_BYTES)?;
        CharterChain::parse(&bytes).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))
    });
    let pinned = pinned.transpose()?;
    let client = Client::believing(&arguments.url, global.ca_file.as_deref())?;
    let folder = Folder::take(&arguments.folder).map_err(MirrorError::from)?;
    let believed = pinned.is_none()
        && folder
            .read("charter", limits::CHAIN_BYTES)
            .map_err(MirrorError::from)?
            .is_none();
    let mut bar: Option<(String, Progress)> = None;
    let report = Mirror::new(&client, &folder).run(pinned, clock::now(), &mut |organization, done, of| {
        let same = bar.as_ref().is_some_and(|(name, _)| name == organization);
        if !same {
            bar = None;
            bar = Some((organization.to_owned(), Progress::of("entries", of, output)));
        }
        if let Some((_, progress)) = &bar {
            progress.at(done);
        }
    })?;
    drop(bar);
    if believed {
        output.complain(&format!(
            "WARNING: nothing but this server says that its consortium is the right one. Its id is {}: compare that with \
             a member's, or give --charter FILE. From now on this copy takes no other",
            report.chain.id()
        ));
    }
    if report.chain.conflict().is_some() {
        output.complain("two versions of the charter contradict each other: no later one counts, for anybody");
    }
    output.show(&document(&report, believed), |page| {
        let pairs = pairs(&report);
        let shown: Vec<(&str, String)> = pairs.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
        page.pairs(&shown);
    });
    Ok(if report.is_whole() { Exit::Done } else { Exit::Denied })
}

fn document(report: &Report, believed: bool) -> Value {
    let logs: Object = report
        .logs
        .iter()
        .map(|(organization, outcome)| (organization.as_str(), shown(outcome)))
        .collect();
    let refused: Object = report
        .refused
        .iter()
        .map(|(path, why)| (path.as_str(), Value::from(why.as_str())))
        .collect();
    let files: Vec<&str> = report.files.iter().map(String::as_str).collect();
    object! {
        "whole": report.is_whole(),
        "consortium": report.chain.id(),
        "charterVersion": number(u64::from(report.chain.current().version())),
        "believedAtFirstUse": believed,
        "logs": Value::Object(logs),
        "files": files.into_iter().map(Value::from).collect::<Value>(),
        "refused": Value::Object(refused),
        "fetchedFiles": number(report.fetched),
        "fetchedBytes": number(report.bytes),
    }
}

fn shown(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Whole { entries } => object! { "state": "whole", "entries": number(*entries) },
        Outcome::Ahead { entries, served } => {
            object! { "state": "ahead", "entries": number(*entries), "served": number(*served) }
        }
        Outcome::Unknown => object! { "state": "unknown" },
        Outcome::Refused { why } => object! { "state": "refused", "why": why.as_str() },
        Outcome::Fork { evidence } => object! { "state": "fork", "evidence": evidence.as_str() },
    }
}

fn pairs(report: &Report) -> Vec<(String, String)> {
    let mut pairs = vec![("consortium".to_owned(), report.chain.id().to_owned())];
    for (organization, outcome) in &report.logs {
        let said = match outcome {
            Outcome::Whole { entries } => format!("{entries} entries"),
            Outcome::Ahead { entries, served } => {
                format!("{entries} entries; the server has only {served} of them")
            }
            Outcome::Unknown => "the server has nothing of it".to_owned(),
            Outcome::Refused { why } => format!("REFUSED: {why}; the copy stays as it was"),
            Outcome::Fork { evidence } => format!("FORK: it told two stories; see {evidence}"),
        };
        pairs.push((organization.clone(), clean(&said).to_string()));
    }
    for (path, why) in &report.refused {
        pairs.push((clean(path).to_string(), format!("REFUSED: {}", clean(why))));
    }
    pairs.push((
        "fetched".to_owned(),
        format!("{} files, {} bytes", report.fetched, report.bytes),
    ));
    pairs
}
