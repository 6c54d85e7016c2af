//! `did`: the did:webvh DIDs that the node controls for its organization.

use clap::{Args, Subcommand};
use syndic_vc::json::{Object, Value};
use syndic_vc::object;

use super::Global;
use super::connect;
use super::documents::{items, required, text};
use super::failure::{Exit, Failure};
use super::output::{Output, Page};
use crate::client::segment;

/// Shown at the end of `syndic did --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic did create --name desk --host st-mary.example
  syndic did list";

/// `syndic did ...`
#[derive(Debug, Subcommand)]
pub enum DidCommand {
    /// Make a did:webvh of the organization, serve it and tell the members
    Create(CreateArguments),
    /// List the DIDs that the node controls
    #[command(after_help = "Example:\n  syndic did list")]
    List,
    /// Give a DID new keys; what the keys before signed stays valid until they are retired
    Rotate(RotateArguments),
    /// End a DID, for ever
    #[command(after_help = "\
Example:
  syndic did deactivate did:webvh:QmePZQxDW6wr4ohW61LLra4jm8SU3Go6EnCKcVbvzXkNtn:st-mary.example:dids:desk")]
    Deactivate(DidArgument),
}

/// `syndic did create`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic did create --name desk --host st-mary.example --portable")]
pub struct CreateArguments {
    /// The last part of its path, below /dids [default: the DID stands for the host itself]
    #[arg(long)]
    pub name: Option<String>,
    /// The host under which strangers reach this node [default: that of its public URL]
    #[arg(long)]
    pub host: Option<String>,
    /// The DID may move to another host later
    #[arg(long)]
    pub portable: bool,
    /// The DID is an agent's, for `syndic agent create --did`, and not the organization's own
    #[arg(long)]
    pub for_agent: bool,
}

/// `syndic did rotate`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic did rotate did:webvh:QmePZQxDW6wr4ohW61LLra4jm8SU3Go6EnCKcVbvzXkNtn:st-mary.example:dids:desk
  syndic did rotate --retire did:webvh:QmePZQxDW6wr4ohW61LLra4jm8SU3Go6EnCKcVbvzXkNtn:st-mary.example:dids:desk")]
pub struct RotateArguments {
    /// The DID
    #[arg(value_name = "DID")]
    pub did: String,
    /// Make no new key, but take those before the present one out: what they signed is refused from then on
    #[arg(long)]
    pub retire: bool,
}

/// Which DID.
#[derive(Debug, Args)]
pub struct DidArgument {
    /// The DID
    #[arg(value_name = "DID")]
    pub did: String,
}

/// Carries out `syndic did ...`.
///
/// # Errors
/// The node cannot be reached or refuses.
pub fn execute(global: &Global, command: &DidCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        DidCommand::Create(arguments) => create(global, arguments, output),
        DidCommand::List => list(global, output),
        DidCommand::Rotate(arguments) if arguments.retire => {
            let body = object! { "retirePreviousKeys": true };
            change(global, &arguments.did, "update", &body, output)
        }
        DidCommand::Rotate(arguments) => change(global, &arguments.did, "rotate", &object! {}, output),
        DidCommand::Deactivate(argument) => change(global, &argument.did, "deactivate", &object! {}, output),
    }
}

fn create(global: &Global, arguments: &CreateArguments, output: &Output) -> Result<Exit, Failure> {
    let mut body = Object::new();
    for (member, value) in [("name", &arguments.name), ("host", &arguments.host)] {
        if let Some(value) = value {
            body.insert(member, value.as_str());
        }
    }
    for (member, given) in [("portable", arguments.portable), ("forAgent", arguments.for_agent)] {
        if given {
            body.insert(member, true);
        }
    }
    let answer = connect::with_own(global, |node| node.post("/dids", &Value::from(body)))?;
    show(&answer, output)
}

fn change(global: &Global, did: &str, what: &str, body: &Value, output: &Output) -> Result<Exit, Failure> {
    let path = format!("/dids/{}/{what}", segment(did));
    let answer = connect::with_own(global, |node| node.post(&path, body))?;
    show(&answer, output)
}

fn list(global: &Global, output: &Output) -> Result<Exit, Failure> {
    let answer = connect::with_own(global, |node| node.get("/dids"))?;
    output.show(&answer, |page| {
        let rows: Vec<Vec<String>> = items(&answer, "dids")
            .iter()
            .map(|did| vec![text(did, &["versions"]), state(did), text(did, &["did"])])
            .collect();
        page.table(
            &["VERSIONS", "STATE", "DID"],
            &rows,
            "no DIDs yet: see `syndic did create --help`",
        );
    });
    Ok(Exit::Done)
}

fn show(answer: &Value, output: &Output) -> Result<Exit, Failure> {
    let did = required(answer, "did")?;
    output.show(answer, |page| describe(page, did));
    Ok(Exit::Done)
}

fn describe(page: &mut Page, did: &Value) {
    page.pairs(&[
        ("DID", text(did, &["did"])),
        ("state", state(did)),
        ("served at", text(did, &["path"])),
        ("versions", text(did, &["versions"])),
        ("signing keys", text(did, &["keys"])),
        ("created", text(did, &["created"])),
    ]);
}

fn state(did: &Value) -> String {
    let ended = did.get("deactivated").and_then(Value::as_bool) == Some(true);
    if ended { "deactivated" } else { "active" }.to_owned()
}
