//! `agent`: who acts for this organization, and who answers for it.

use clap::{Args, Subcommand};
use syndic_vc::json::{Object, Value};
use syndic_vc::object;

use super::Global;
use super::connect;
use super::documents::{items, required, text};
use super::failure::{Exit, Failure};
use super::output::{Output, Page};
use crate::client::segment;

/// Shown at the end of `syndic agent --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic agent create --name CustomerSupportAgent-v2.3 \\
      --owner did:web:st-mary.example:staff:4711 --owner-name \"Dana Reyes\"
  syndic agent list";

/// `syndic agent ...`
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Register an agent with a new identity and the human who answers for it
    Create(CreateArguments),
    /// List the agents of this organization
    #[command(after_help = "Example:\n  syndic agent list")]
    List,
    /// Show one agent and its credentials
    #[command(after_help = "Example:\n  syndic agent show CustomerSupportAgent-v2.3")]
    Show(AgentArgument),
    /// Give an agent a new key under a new identity; the old one works on until the overlap ends
    Succeed(SucceedArguments),
    /// Suspend an agent: what it does is refused everywhere until it is resumed
    #[command(after_help = "Example:\n  syndic agent suspend CustomerSupportAgent-v2.3")]
    Suspend(AgentArgument),
    /// End the suspension of an agent
    #[command(after_help = "Example:\n  syndic agent resume CustomerSupportAgent-v2.3")]
    Resume(AgentArgument),
    /// Retire an agent: it can act no more, and all its credentials are revoked
    #[command(after_help = "Example:\n  syndic agent retire CustomerSupportAgent-v2.3")]
    Retire(AgentArgument),
}

/// `syndic agent create`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic agent create --name TriageAgent-v1.4 \\
      --owner did:web:nordstadt.example:staff:204 --owner-name \"Dr. Jonas Weber\"")]
pub struct CreateArguments {
    /// The agent's name, unique in this organization
    #[arg(long)]
    pub name: String,
    /// DID of the human who answers for the agent; it is public, so it should not spell out a name
    #[arg(long, value_name = "DID")]
    pub owner: String,
    /// That human's name, shown in the agent's credentials only
    #[arg(long, value_name = "NAME")]
    pub owner_name: Option<String>,
    /// The agent's DID, if it holds its key itself [default: the node makes and keeps a key]
    #[arg(long)]
    pub did: Option<String>,
}

/// `syndic agent succeed`
#[derive(Debug, Args)]
#[command(after_help = "\
The name then means the new identity, and every valid capability credential is issued to it again
with the same end. The old identity is still reached by its DID.

Example:
  syndic agent succeed CustomerSupportAgent-v2.3 --overlap 86400")]
pub struct SucceedArguments {
    /// The agent's name or DID
    #[arg(value_name = "AGENT")]
    pub agent: String,
    /// For how many seconds the old identity works beside the new one [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    pub overlap: Option<u32>,
}

/// Which agent.
#[derive(Debug, Args)]
pub struct AgentArgument {
    /// The agent's name or DID
    #[arg(value_name = "AGENT")]
    pub agent: String,
}

/// Carries out `syndic agent ...`.
///
/// # Errors
/// The node cannot be reached or refuses.
pub fn execute(global: &Global, command: &AgentCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        AgentCommand::Create(arguments) => create(global, arguments, output),
        AgentCommand::List => list(global, output),
        AgentCommand::Show(argument) => show(global, &argument.agent, output),
        AgentCommand::Succeed(arguments) => succeed(global, arguments, output),
        AgentCommand::Suspend(argument) => {
            let done = "suspended; what it does is refused until `syndic agent resume`";
            change(global, &argument.agent, "suspend", done, output)
        }
        AgentCommand::Resume(argument) => change(global, &argument.agent, "resume", "in service again", output),
        AgentCommand::Retire(argument) => {
            let done = "retired; all credentials of this organization for it are revoked";
            change(global, &argument.agent, "retire", done, output)
        }
    }
}

fn create(global: &Global, arguments: &CreateArguments, output: &Output) -> Result<Exit, Failure> {
    let mut owner = Object::new();
    owner.insert("id", arguments.owner.as_str());
    if let Some(name) = &arguments.owner_name {
        owner.insert("name", name.as_str());
    }
    let mut body = Object::new();
    body.insert("name", arguments.name.as_str());
    body.insert("owner", owner);
    if let Some(did) = &arguments.did {
        body.insert("did", did.as_str());
    }
    let answer = connect::with_own(global, |node| node.post("/agents", &Value::from(body)))?;
    let agent = required(&answer, "agent")?;
    output.show(&answer, |page| describe(page, agent));
    Ok(Exit::Done)
}

fn list(global: &Global, output: &Output) -> Result<Exit, Failure> {
    let answer = connect::with_own(global, |node| node.get("/agents"))?;
    output.show(&answer, |page| {
        let rows: Vec<Vec<String>> = items(&answer, "agents")
            .iter()
            .map(|agent| {
                vec![
                    text(agent, &["name"]),
                    owner(agent),
                    state(agent),
                    text(agent, &["did"]),
                ]
            })
            .collect();
        page.table(
            &["NAME", "OWNER", "STATE", "DID"],
            &rows,
            "no agents yet: see `syndic agent create --help`",
        );
    });
    Ok(Exit::Done)
}

fn show(global: &Global, agent: &str, output: &Output) -> Result<Exit, Failure> {
    let answer = connect::with_own(global, |node| node.get(&format!("/agents/{}", segment(agent))))?;
    let agent = required(&answer, "agent")?;
    output.show(&answer, |page| {
        describe(page, agent);
        let rows: Vec<Vec<String>> = items(&answer, "credentials")
            .iter()
            .filter_map(Value::as_str)
            .map(|id| vec![id.to_owned()])
            .collect();
        page.table(
            &["CREDENTIALS"],
            &rows,
            "no credentials yet: see `syndic credential issue --help`",
        );
    });
    Ok(Exit::Done)
}

fn succeed(global: &Global, arguments: &SucceedArguments, output: &Output) -> Result<Exit, Failure> {
    let path = format!("/agents/{}/succeed", segment(&arguments.agent));
    let mut body = Object::new();
    if let Some(seconds) = arguments.overlap {
        body.insert("overlapSeconds", i64::from(seconds));
    }
    let answer = connect::with_own(global, |node| node.post(&path, &Value::from(body)))?;
    let (agent, predecessor) = (required(&answer, "agent")?, required(&answer, "predecessor")?);
    output.show(&answer, |page| {
        describe(page, agent);
        page.line("");
        page.pairs(&[
            ("succeeds", text(predecessor, &["did"])),
            ("which works until", text(predecessor, &["successor", "until"])),
        ]);
        let rows: Vec<Vec<String>> = items(&answer, "credentials")
            .iter()
            .map(|credential| vec![text(credential, &["id"]), text(credential, &["replaces"])])
            .collect();
        page.table(&["ISSUED AGAIN", "FOR"], &rows, "no valid credentials to issue again");
    });
    Ok(Exit::Done)
}

fn change(global: &Global, agent: &str, how: &str, done: &str, output: &Output) -> Result<Exit, Failure> {
    let path = format!("/agents/{}/{how}", segment(agent));
    let answer = connect::with_own(global, |node| node.post(&path, &object! {}))?;
    let agent = required(&answer, "agent")?;
    output.show(&answer, |page| {
        page.line(done);
        describe(page, agent);
    });
    Ok(Exit::Done)
}

fn describe(page: &mut Page, agent: &Value) {
    page.pairs(&[
        ("name", text(agent, &["name"])),
        ("DID", text(agent, &["did"])),
        ("owner", owner(agent)),
        ("state", state(agent)),
        ("created", text(agent, &["created"])),
        ("key held by", text(agent, &["keyHeldBy"])),
    ]);
}

fn owner(agent: &Value) -> String {
    let id = text(agent, &["owner", "id"]);
    match agent
        .get("owner")
        .and_then(|owner| owner.get("name"))
        .and_then(Value::as_str)
    {
        Some(name) => format!("{name} ({id})"),
        None => id,
    }
}

fn state(agent: &Value) -> String {
    let since = |name| agent.get(name).and_then(Value::as_str);
    match since("retired") {
        Some(time) => format!("retired {time}"),
        None if let Some(time) = since("suspended") => format!("suspended {time}"),
        None if agent
            .get("successor")
            .is_some_and(|successor| !matches!(successor, Value::Null)) =>
        {
            format!("until {}", text(agent, &["successor", "until"]))
        }
        None => "active".to_owned(),
    }
}
