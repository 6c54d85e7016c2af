//! `completions`: scripts that let a shell complete this command line.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::CommandLine;
use super::failure::{Exit, Failure};
use super::output::Output;

/// `syndic completions`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic completions bash > ~/.local/share/bash-completion/completions/syndic")]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// None at present.
pub fn execute(arguments: &CompletionsArguments, output: &Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut CommandLine::command(), "syndic", &mut script);
    output.script(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
