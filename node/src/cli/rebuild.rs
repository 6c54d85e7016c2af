//! `rebuild`: a store that was lost or damaged, fetched anew.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use syndic_registry::charter::CharterChain;
use syndic_registry::limits;
use syndic_vc::json::{Object, Value};

use super::failure::{Exit, Failure};
use super::output::{Output, clean};
use super::passphrase::PassphraseArguments;
use super::{Global, log, values};
use crate::api::operations::number;
use crate::progress::Progress;
use crate::rebuild::{self, Options, RebuildError, Report};

/// `syndic rebuild`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  SYNDIC_PASSPHRASE_FILE=./passphrase syndic rebuild charter.json --data ./st-mary

For a node that has its keys and its configuration, and no store any more. It signs nothing: it fetches
all logs from the members that it reaches, its own too. The old store, if there is one, is kept as
store.lost-1 and so on; the node's own records in it are carried over as far as they can be read.

Exit code 5 if no other member answers. Then nothing is changed, and what was fetched is kept for the
next time.")]
pub struct RebuildArguments {
    /// The consortium's charter
    #[arg(value_name = "FILE")]
    pub charter: PathBuf,
    /// Read this node's or mirror's files as well, where peer-to-peer is blocked; may be repeated
    #[arg(long, value_name = "URL")]
    pub from: Vec<String>,
    /// How long it may take
    #[arg(long, value_name = "SPAN", default_value = "10m", value_parser = values::span)]
    pub timeout: u32,
    /// Where the passphrase is.
    #[command(flatten)]
    pub passphrase: PassphraseArguments,
}

impl From<RebuildError> for Failure {
    fn from(error: RebuildError) -> Self {
        let message = error.to_string();
        match error {
            RebuildError::Nobody => Self {
                exit: Exit::Unreachable,
                ..Self::failed(message)
            },
            _ => Self::failed(message),
        }
    }
}

/// Carries out `syndic rebuild`.
///
/// # Errors
/// Nobody answers, or the data folder or the charter does not fit.
pub fn execute(global: &Global, arguments: &RebuildArguments, output: &Output) -> Result<Exit, Failure> {
    let path = &arguments.charter;
    let chain = CharterChain::parse(&log::read(path, limits::CHAIN_BYTES)?)
        .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    let passphrase = arguments.passphrase.existing()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start threads: {error}")))?;
    let options = Options {
        limit: Duration::from_secs(arguments.timeout.into()),
        from: arguments.from.clone(),
        ca_file: global.ca_file.clone(),
    };
    let mut bar: Option<(u64, Progress)> = None;
    let report = runtime.block_on(rebuild::rebuild(
        &global.data,
        chain,
        passphrase,
        &options,
        &mut |done, of| {
            if bar.as_ref().is_none_or(|(shown, _)| *shown != of) {
                bar = None;
                bar = Some((of, Progress::of("entries", of, output)));
            }
            if let Some((_, progress)) = &bar {
                progress.at(done);
            }
        },
    ));
    drop(bar);
    let report = report?;
    output.show(&document(&report), |page| {
        page.line(page.paint().green("the store is rebuilt"));
        page.pairs(&pairs(&report));
        for line in gone(&report) {
            page.line(line);
        }
        page.line(format_args!("next: syndic run --data {}", global.data.display()));
    });
    Ok(Exit::Done)
}

fn document(report: &Report) -> Value {
    let logs: Object = report
        .logs
        .iter()
        .map(|(organization, size)| (organization.as_str(), number(*size)))
        .collect();
    let names = |names: &std::collections::BTreeSet<String>| {
        names.iter().map(|name| Value::from(name.as_str())).collect::<Value>()
    };
    let mut document = Object::new();
    document.insert("organization", report.organization.as_str());
    document.insert("logs", Value::Object(logs));
    document.insert("behind", names(&report.behind));
    document.insert("answered", names(&report.answered));
    document.insert("carriedOver", number(report.carried));
    document.insert("damaged", number(report.damaged));
    if let Some(old) = &report.old {
        document.insert("oldStore", old.display().to_string());
    }
    if let Some(why) = &report.unreadable {
        document.insert("unreadable", why.as_str());
    }
    let lines: Value = gone(report).into_iter().map(Value::from).collect();
    document.insert("gone", lines);
    Value::Object(document)
}

fn pairs(report: &Report) -> Vec<(&'static str, String)> {
    let own = report.logs.get(&report.organization).copied().unwrap_or_default();
    let all: u64 = report.logs.values().sum();
    let mut pairs = vec![
        ("own log", format!("{own} entries")),
        ("all logs", format!("{all} entries")),
        ("answered", format!("{} members", report.answered.len())),
        ("carried over", format!("{} of the node's own records", report.carried)),
    ];
    if !report.behind.is_empty() {
        pairs.push((
            "not whole yet",
            format!("{} logs; the running node fetches the rest", report.behind.len()),
        ));
    }
    if let Some(old) = &report.old {
        pairs.push(("old store", clean(&old.display().to_string()).to_string()));
    }
    pairs
}

/// What no other member can give back.
fn gone(report: &Report) -> Vec<String> {
    let whole = report.old.is_some() && report.unreadable.is_none() && report.damaged == 0;
    let mut lines = Vec::new();
    if let Some(why) = &report.unreadable {
        lines.push(format!("the old store could not be read: {why}"));
    }
    if report.damaged > 0 {
        lines.push(format!("{} records of the old store were damaged", report.damaged));
    }
    if !whole {
        lines.push(
            "what only the old store had cannot come back: secret keys of agents, did:webvh DIDs and issuing instances, \
             records of issued credentials, challenges and used nonces. Register agents whose keys are gone under new DIDs, \
             and revoke what was issued to them"
                .to_owned(),
        );
    }
    lines
}
