//! The command line: what can be typed, and where it is carried out.
//!
//! Commands that set up or run a node act on its data folder. All others are callers of a running node's HTTP
//! listeners, so they can do nothing that another program could not do.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub mod action;
pub mod agent;
pub mod bundle;
pub mod charter;
pub mod completions;
pub mod connect;
pub mod credential;
pub mod delegate;
pub mod demo;
pub mod did;
pub mod documents;
pub mod failure;
pub mod fork;
pub mod key;
pub mod log;
pub mod mirror;
pub mod output;
pub mod passphrase;
pub mod present;
pub mod rebuild;
pub mod registry;
pub mod resolve;
pub mod run;
pub mod setup;
pub mod status;
pub mod token;
pub mod values;
pub mod vc;
pub mod verify;
pub mod webvh;

use failure::{Exit, Failure};
use output::Output;

const ABOUT: &str = "\
Syndic is the node an organization runs so that its AI agents can act across organizations: it gives agents \
identities (DIDs), issues and verifies capability credentials, and shares a trust registry and revocations with the \
nodes of other organizations. No ledger, no central authority.";

const AFTER_HELP: &str = "\
Examples:
  syndic demo                               see three organizations at work, on this machine
  syndic init --name \"St. Mary\"             set up a node in ./syndic-data
  syndic run                                run it
  syndic agent create --help                how a command is used, with an example

Exit codes:
  0  done, or allowed
  1  failed: the message says why and what to do
  2  wrong usage
  3  denied: the reasons are printed
  4  approval required: a human has to approve first
  5  the node cannot be reached";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "syndic",
    version,
    about = ABOUT,
    after_help = AFTER_HELP,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct CommandLine {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The node's data folder
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SYNDIC_DATA",
        default_value = "./syndic-data",
        hide_env_values = true,
        help_heading = "For every command"
    )]
    pub data: PathBuf,
    /// Certificates (PEM) of the only authorities to believe when another node is called by https
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SYNDIC_CA_FILE",
        hide_env_values = true,
        help_heading = "For every command"
    )]
    pub ca_file: Option<PathBuf>,
    /// Print exactly one JSON document on standard output
    #[arg(long, global = true, help_heading = "For every command")]
    pub json: bool,
}

/// The commands, in the order in which a newcomer meets them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show three organizations at work on this machine, from nothing to a revocation
    Demo(demo::DemoArguments),
    /// Set up a node: data folder, keys, configuration and the card for a charter
    Init(setup::InitArguments),
    /// Found a consortium from the cards of its members
    Found(setup::FoundArguments),
    /// Join the consortium of a charter in which this node is a member
    Join(setup::JoinArguments),
    /// Change who is in the consortium: propose, sign and publish the next version of its charter
    #[command(subcommand, after_help = charter::EXAMPLE)]
    Charter(charter::CharterCommand),
    /// Run the node until it is told to stop
    Run(run::RunArguments),
    /// Fetch a store that was lost or damaged anew from the other members; the keys are kept
    Rebuild(rebuild::RebuildArguments),
    /// Show how the running node is: consortium, peers, how fresh its knowledge is
    #[command(after_help = status::EXAMPLE)]
    Status,
    /// Register agents, look at them, retire them
    #[command(subcommand, after_help = agent::EXAMPLE)]
    Agent(agent::AgentCommand),
    /// Issue capability credentials, look at them, verify and revoke them
    #[command(subcommand, after_help = credential::EXAMPLE)]
    Credential(credential::CredentialCommand),
    /// Issue and verify credentials of any kind, by the W3C VC API
    #[command(subcommand, after_help = vc::EXAMPLE)]
    Vc(vc::VcCommand),
    /// Hand on what an agent may do, or less, to another agent
    Delegate(delegate::DelegateArguments),
    /// Present credentials to another organization, signed for its challenge
    Present(present::PresentArguments),
    /// Sign what an agent does, and verify what was signed
    #[command(subcommand, after_help = action::EXAMPLE)]
    Action(action::ActionCommand),
    /// Get access tokens for services, and ask whether they still hold
    #[command(subcommand, after_help = token::EXAMPLE)]
    Token(token::TokenCommand),
    /// Verify a credential or action; verify offline what somebody decided
    Verify(verify::VerifyArguments),
    /// Resolve a DID or DID URL to what it names
    Resolve(resolve::ResolveArguments),
    /// Make, rotate and end the organization's own did:webvh DIDs
    #[command(subcommand, after_help = did::EXAMPLE)]
    Did(did::DidCommand),
    /// Verify a did:webvh log that is at hand
    #[command(subcommand, after_help = webvh::EXAMPLE)]
    Webvh(webvh::WebvhCommand),
    /// Say whom this organization trusts for what, and ask what others say
    #[command(subcommand, after_help = registry::EXAMPLE)]
    Registry(registry::RegistryCommand),
    /// Replace the log key, and say that a key is compromised
    #[command(subcommand, after_help = key::EXAMPLE)]
    Key(key::KeyCommand),
    /// Publish whose keys are to be believed in a domain, and read what others published
    #[command(subcommand, after_help = bundle::EXAMPLE)]
    Bundle(bundle::BundleCommand),
    /// Show who told two stories about its log, and verify a proof of that
    #[command(subcommand, after_help = fork::EXAMPLE)]
    Fork(fork::ForkCommand),
    /// Check a log from its files alone
    #[command(subcommand, after_help = log::EXAMPLE)]
    Log(log::LogCommand),
    /// Copy all public files of a node into a folder that any file server can serve
    Mirror(mirror::MirrorArguments),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArguments),
}

/// Carries out what was typed.
///
/// # Errors
/// [`Failure`] with the exit code and a message for people.
pub fn execute(line: CommandLine, output: &Output) -> Result<Exit, Failure> {
    let global = &line.global;
    match line.command {
        Command::Demo(arguments) => Ok(demo::execute(&arguments, output)),
        Command::Init(arguments) => setup::init(global, &arguments, output),
        Command::Found(arguments) => setup::found(global, arguments, output),
        Command::Join(arguments) => setup::join(global, &arguments, output),
        Command::Charter(command) => charter::execute(global, &command, output),
        Command::Run(arguments) => run::execute(global, &arguments, output),
        Command::Rebuild(arguments) => rebuild::execute(global, &arguments, output),
        Command::Status => status::execute(global, output),
        Command::Agent(command) => agent::execute(global, &command, output),
        Command::Credential(command) => credential::execute(global, &command, output),
        Command::Vc(command) => vc::execute(global, &command, output),
        Command::Delegate(arguments) => delegate::execute(global, &arguments, output),
        Command::Present(arguments) => present::execute(global, &arguments, output),
        Command::Action(command) => action::execute(global, &command, output),
        Command::Token(command) => token::execute(global, &command, output),
        Command::Verify(arguments) => verify::execute(global, &arguments, output),
        Command::Resolve(arguments) => resolve::execute(global, &arguments, output),
        Command::Did(command) => did::execute(global, &command, output),
        Command::Webvh(command) => webvh::execute(&command, output),
        Command::Registry(command) => registry::execute(global, &command, output),
        Command::Key(command) => key::execute(global, &command, output),
        Command::Bundle(command) => bundle::execute(global, &command, output),
        Command::Fork(command) => fork::execute(global, &command, output),
        Command::Log(command) => log::execute(global, &command, output),
        Command::Mirror(arguments) => mirror::execute(global, &arguments, output),
        Command::Completions(arguments) => completions::execute(&arguments, output),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        CommandLine::command().debug_assert();
    }
}
