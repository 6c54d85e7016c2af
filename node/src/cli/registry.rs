//! `registry`: whom this organization trusts for what, and what others say.

use clap::{Args, Subcommand};
use syndic_vc::json::{Object, Value};
use syndic_vc::object;
use syndic_vc::time::Timestamp;

use super::documents::{items, text};
use super::failure::{Exit, Failure};
use super::output::{Output, clean};
use super::{Global, connect, values};

/// Shown at the end of `syndic registry --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic registry authorize --entity did:key:... --action call --resource billing_api
  syndic registry query --entity did:key:... --authority did:key:... --action call --resource billing_api
  syndic registry members";

/// `syndic registry ...`
#[derive(Debug, Subcommand)]
pub enum RegistryCommand {
    /// Authorize another organization to issue credentials for an action on a resource
    Authorize(AuthorizeArguments),
    /// Take an authorization or a recognition back
    Withdraw(WithdrawArguments),
    /// Recognize another organization as an authority for an action on a resource
    Recognize(RecognizeArguments),
    /// Ask a node: does this authority authorize that entity? (Trust Registry Query Protocol)
    Query(QueryArguments),
    /// List the members of the consortium and how much is known of each
    #[command(after_help = "Example:\n  syndic registry members")]
    Members,
    /// Print the digest of everything this node knows; equal digests mean equal knowledge
    #[command(after_help = "Example:\n  syndic registry digest")]
    Digest,
}

/// An action on a resource.
#[derive(Clone, Debug, Args)]
pub struct What {
    /// The action, such as call
    #[arg(long)]
    pub action: String,
    /// The resource, such as billing_api, or patients/* for all below
    #[arg(long)]
    pub resource: String,
}

/// `syndic registry authorize`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic registry authorize --entity did:key:z6Mk... --action call --resource billing_api")]
pub struct AuthorizeArguments {
    /// DID of the organization whose credentials are to be accepted
    #[arg(long, value_name = "DID")]
    pub entity: String,
    /// What for.
    #[command(flatten)]
    pub what: What,
    /// From when on (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub valid_from: Option<Timestamp>,
    /// Until when (RFC 3339) [default: until withdrawn]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub valid_until: Option<Timestamp>,
}

/// `syndic registry withdraw`
#[derive(Debug, Args)]
#[command(
    after_help = "\
Example:
  syndic registry withdraw --entity did:key:z6Mk... --action call --resource billing_api",
    group = clap::ArgGroup::new("whose").required(true).args(["entity", "authority"])
)]
pub struct WithdrawArguments {
    /// DID of the organization whose authorization ends
    #[arg(long, value_name = "DID")]
    pub entity: Option<String>,
    /// DID of the authority whose recognition ends
    #[arg(long, value_name = "DID")]
    pub authority: Option<String>,
    /// What for.
    #[command(flatten)]
    pub what: What,
}

/// `syndic registry recognize`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic registry recognize --authority did:key:z6Mk... --action call --resource billing_api")]
pub struct RecognizeArguments {
    /// DID of the authority
    #[arg(long, value_name = "DID")]
    pub authority: String,
    /// What for.
    #[command(flatten)]
    pub what: What,
}

/// `syndic registry query`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic registry query --entity did:key:z6Mk... --authority did:key:z6Mk... \\
      --action call --resource billing_api --node http://127.0.0.1:9440

Exit code 0 if the answer is yes, 3 if it is no.")]
pub struct QueryArguments {
    /// The one who is asked about
    #[arg(long, value_name = "DID")]
    pub entity: String,
    /// The one whose word counts: a member's DID, or the consortium's id
    #[arg(long, value_name = "DID")]
    pub authority: String,
    /// What for.
    #[command(flatten)]
    pub what: What,
    /// Ask whether the authority recognizes the entity as an authority, instead of authorizes it
    #[arg(long)]
    pub recognition: bool,
    /// As of this time (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub at: Option<Timestamp>,
    /// Public URL of the node to ask [default: one's own node]
    #[arg(long, value_name = "URL")]
    pub node: Option<String>,
}

/// Carries out `syndic registry ...`.
///
/// # Errors
/// The node cannot be reached or refuses.
pub fn execute(global: &Global, command: &RegistryCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        RegistryCommand::Authorize(arguments) => {
            let mut body = request("entity", &arguments.entity, &arguments.what);
            for (name, time) in [
                ("validFrom", arguments.valid_from),
                ("validUntil", arguments.valid_until),
            ] {
                if let Some(time) = time {
                    body.insert(name, time.to_string());
                }
            }
            publish(global, "/registry/authorize", "authorized", body, output)
        }
        RegistryCommand::Withdraw(arguments) => match (&arguments.entity, &arguments.authority) {
            (Some(entity), _) => {
                let body = request("entity", entity, &arguments.what);
                publish(global, "/registry/withdraw", "withdrawn", body, output)
            }
            (None, authority) => {
                let body = request("authority", authority.as_deref().unwrap_or_default(), &arguments.what);
                publish(global, "/registry/withdraw-recognition", "withdrawn", body, output)
            }
        },
        RegistryCommand::Recognize(arguments) => {
            let body = request("authority", &arguments.authority, &arguments.what);
            publish(global, "/registry/recognize", "recognized", body, output)
        }
        RegistryCommand::Query(arguments) => query(global, arguments, output),
        RegistryCommand::Members => members(global, output),
        RegistryCommand::Digest => digest(global, output),
    }
}

fn request(whose: &str, did: &str, what: &What) -> Object {
    Object::from_iter([
        (whose, did),
        ("action", what.action.as_str()),
        ("resource", what.resource.as_str()),
    ])
}

fn publish(global: &Global, path: &str, done: &str, body: Object, output: &Output) -> Result<Exit, Failure> {
    let answer = connect::with_own(global, |node| node.post(path, &Value::from(body)))?;
    output.show(&answer, |page| {
        page.line(format_args!(
            "{done}: statement {} of this organization",
            text(&answer, &["statement", "index"])
        ));
    });
    Ok(Exit::Done)
}

fn query(global: &Global, arguments: &QueryArguments, output: &Output) -> Result<Exit, Failure> {
    let mut body = Object::from_iter([
        ("entity_id", arguments.entity.as_str()),
        ("authority_id", arguments.authority.as_str()),
        ("action", arguments.what.action.as_str()),
        ("resource", arguments.what.resource.as_str()),
    ]);
    if let Some(time) = arguments.at {
        body.insert("context", object! { "time": time.to_string() });
    }
    let (path, member) = if arguments.recognition {
        ("/recognition", "recognized")
    } else {
        ("/authorization", "authorized")
    };
    let answer = connect::with(arguments.node.as_deref(), global, |node| {
        node.post(path, &Value::from(body))
    })?;
    let yes = answer
        .get(member)
        .and_then(Value::as_bool)
        .ok_or_else(|| Failure::strange_answer(member))?;
    output.show(&answer, |page| {
        let word = if yes {
            page.paint().green(member)
        } else {
            page.paint().red(&format!("not {member}"))
        };
        page.line(word);
        if let Some(message) = answer.get("message").and_then(Value::as_str) {
            page.line(format_args!("  {}", clean(message)));
        }
        page.line(format_args!("  as of {}", clean(&text(&answer, &["time_evaluated"]))));
    });
    Ok(if yes { Exit::Done } else { Exit::Denied })
}

fn members(global: &Global, output: &Output) -> Result<Exit, Failure> {
    let answer = connect::with_own(global, |node| node.get("/registry/members"))?;
    output.show(&answer, |page| {
        let rows: Vec<Vec<String>> = items(&answer, "members")
            .iter()
            .map(|member| {
                let of = |path: &[&str]| text(member, path);
                let frozen = member.get("frozen").and_then(Value::as_bool) == Some(true);
                let standing = if frozen { "frozen" } else { "good" }.to_owned();
                vec![
                    of(&["name"]),
                    of(&["size"]),
                    of(&["time"]),
                    standing,
                    of(&["endpoints", "http"]),
                    of(&["did"]),
                ]
            })
            .collect();
        let head = ["NAME", "STATEMENTS", "LAST HEARD", "STANDING", "PUBLIC", "DID"];
        page.table(&head, &rows, "no members: has the node joined a consortium?");
    });
    Ok(Exit::Done)
}

fn digest(global: &Global, output: &Output) -> Result<Exit, Failure> {
    let answer = connect::with_own(global, |node| node.get("/registry/digest"))?;
    output.show(&answer, |page| {
        page.line(clean(&text(&answer, &["digest"])));
        let rows: Vec<Vec<String>> = items(&answer, "organizations")
            .iter()
            .map(|organization| ["size", "root", "did"].map(|name| text(organization, &[name])).to_vec())
            .collect();
        page.table(&["STATEMENTS", "ROOT", "DID"], &rows, "no organizations known yet");
    });
    Ok(Exit::Done)
}
