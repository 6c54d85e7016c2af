//! `demo`: three organizations at work on this machine.

use clap::Args;

use super::failure::Exit;
use super::output::Output;

/// `syndic demo`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic demo                 about half a minute; leaves nothing behind
  syndic demo --stay          keeps the three nodes up, and prints how to talk to them")]
pub struct DemoArguments {
    /// Keep the nodes up afterwards, until ctrl-C
    #[arg(long)]
    pub stay: bool,
}

/// Carries out `syndic demo`. It reports its own failures, with the step that failed.
pub fn execute(arguments: &DemoArguments, output: &Output) -> Exit {
    crate::demo::run(crate::demo::Options { stay: arguments.stay }, output)
}
