//! The `syndic` program: reads the command line, carries it out, ends with its exit code.

use std::process::ExitCode;

use clap::Parser as _;
use syndic_node::cli::{self, CommandLine, output::Output};

/// Decision 19: what verifies many documents allocates much.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let output = Output::new(line.global.json);
    let exit = cli::execute(line, &output).unwrap_or_else(|failure| {
        output.fail(&failure);
        failure.exit
    });
    ExitCode::from(exit.code())
}
