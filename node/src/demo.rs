//! `syndic demo`: the main job on one machine, from nothing to a revocation that two other organizations feel.
//!
//! The three nodes are real: child processes of this very program, each with its own data folder, keys and ports.
//! The demo only drives them, through the interface that everyone else uses. A step that does not come out as it
//! must fails the whole demo.

mod agents;
mod decisions;
mod error;
mod exchange;
mod forgery;
mod hospital;
mod outage;
mod ports;
mod raise;
mod report;
mod revocation;
mod stage;
mod wait;

use std::io::Write as _;

use error::DemoError;
use hospital::Hospital;
use report::Report;
use stage::Stage;

use crate::cli::failure::Exit;
use crate::cli::output::Output;

/// How the demo is run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Keep the nodes up afterwards, until told to stop.
    pub stay: bool,
}

/// Runs the demo and prints it. The exit code says whether every step came out as it must.
#[must_use]
pub fn run(options: Options, output: &Output) -> Exit {
    let mut report = Report::new(*output);
    report.introduce();
    let stage = match Stage::open() {
        Ok(stage) => stage,
        Err(error) => {
            report.fail(&error, &[]);
            return Exit::Failed;
        }
    };
    let mut hospitals = Vec::new();
    match story(&stage, &mut hospitals, &mut report) {
        Ok(story) => {
            report.conclude(&hospitals);
            if options.stay {
                report.invite(&hospitals, &story);
                stage.wait_until_told_to_stop();
            }
            Exit::Done
        }
        Err(error) => {
            report.fail(&error, &stage.log_tails());
            Exit::Failed
        }
    }
}

/// What is left when the story has been told.
struct Story {
    agent: String,
}

fn story(stage: &Stage, hospitals: &mut Vec<Hospital>, report: &mut Report) -> Result<Story, DemoError> {
    *hospitals = raise::raise(stage, report)?;
    let [mary, nordstadt, lakeside] = hospitals.as_mut_slice() else {
        return Err(DemoError::new("there are not three hospitals"));
    };
    let cast = agents::register(mary, nordstadt, lakeside, report)?;
    exchange::present(&cast, mary, nordstadt, lakeside, report)?;
    exchange::act(&cast, mary, nordstadt, lakeside, report)?;
    forgery::refuse(&cast, mary, nordstadt, lakeside, report)?;
    outage::survive(&cast, mary, nordstadt, lakeside, stage, report)?;
    revocation::feel(&cast, mary, nordstadt, lakeside, report)?;
    Ok(Story {
        agent: cast.support.did,
    })
}

/// Something went on beside the story; only people see it.
fn aside(output: &Output, text: &str) {
    if !output.is_json() {
        // Nobody may be reading.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }
}
