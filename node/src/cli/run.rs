//! `run`: the node itself.

use std::time::Duration;

use clap::{Args, ValueEnum};
use syndic_vc::object;
use tracing_subscriber::EnvFilter;

use super::Global;
use super::failure::{Exit, Failure};
use super::output::Output;
use super::passphrase::PassphraseArguments;
use crate::run::{self, Listening, RunOptions};

/// How long the node's threads may take to end after its work has ended.
const THREADS_GRACE: Duration = Duration::from_secs(1);

/// `syndic run`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  SYNDIC_PASSPHRASE_FILE=./passphrase syndic run --data ./st-mary

It prints one line for each listener when it is ready, and stops cleanly on ctrl-C or SIGTERM.
The log goes to standard error; SYNDIC_LOG=debug makes it tell more.")]
pub struct RunArguments {
    /// A proxy with TLS stands before the listeners: allow addresses that are not loopback
    #[arg(long)]
    pub behind_proxy: bool,
    /// Read this node's or mirror's files as well, where peer-to-peer is blocked; may be repeated
    #[arg(long, value_name = "URL")]
    pub follow: Vec<String>,
    /// Form of the log on standard error: text, or json with one object a line
    #[arg(
        long,
        value_enum,
        default_value_t = LogFormat::Text,
        value_name = "FORM",
        hide_possible_values = true
    )]
    pub log_format: LogFormat,
    /// Stop when standard input ends, so that the node does not outlive the program that started it
    #[arg(long, hide = true)]
    pub exit_with_stdin: bool,
    /// Where the passphrase is.
    #[command(flatten)]
    pub passphrase: PassphraseArguments,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Runs the node until it is told to stop.
///
/// # Errors
/// The node could not start, or had to stop; the message says what to do.
pub fn execute(global: &Global, arguments: &RunArguments, output: &Output) -> Result<Exit, Failure> {
    log(arguments.log_format)?;
    let passphrase = arguments.passphrase.existing()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start the node's threads: {error}")))?;
    let options = RunOptions {
        behind_proxy: arguments.behind_proxy,
        exit_with_stdin: arguments.exit_with_stdin,
        follow: arguments.follow.clone(),
        ca_file: global.ca_file.clone(),
    };
    let ended = runtime.block_on(run::run(&global.data, passphrase, options, |at| announce(at, output)));
    // A thread that still waits for standard input must not keep the process.
    runtime.shutdown_timeout(THREADS_GRACE);
    ended?;
    Ok(Exit::Done)
}

/// Programs that start a node wait for these lines.
fn announce(at: &Listening, output: &Output) {
    let peers = at.peer.clone();
    let document = object! {
        "public": format!("http://{}", at.public),
        "admin": format!("http://{}", at.admin),
        "peer": peers,
        "organization": at.organization.as_str(),
        "consortium": at.consortium.as_str(),
    };
    output.show(&document, |page| {
        page.pairs(&[
            ("public", format!("http://{}", at.public)),
            ("admin", format!("http://{}", at.admin)),
            ("peer", at.peer.join(" ")),
            ("organization", at.organization.clone()),
            ("consortium", at.consortium.clone()),
        ]);
    });
}

fn log(format: LogFormat) -> Result<(), Failure> {
    let wanted = std::env::var("SYNDIC_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(&wanted).map_err(|error| {
        Failure::usage(format!("SYNDIC_LOG={wanted} is not understood: {error}"))
            .advise("use error, warn, info, debug or trace")
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let set = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    set.map_err(|error| Failure::failed(format!("cannot set up the log: {error}")))
}
