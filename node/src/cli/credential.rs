//! `credential`: what agents may do, as documents that others can check.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use syndic_vc::json::{Object, Value};
use syndic_vc::object;
use syndic_vc::time::Timestamp;

use super::documents::{self, items, required, text};
use super::failure::{Exit, Failure};
use super::output::Output;
use super::{Global, connect, values};
use crate::client::segment;

/// Shown at the end of `syndic credential --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic credential issue --agent CustomerSupportAgent-v2.3 \\
      --capabilities examples/customer-support-agent.json --out support.json
  syndic credential verify support.json --node http://127.0.0.1:9440";

/// `syndic credential ...`
#[derive(Debug, Subcommand)]
pub enum CredentialCommand {
    /// Issue a capability credential to an agent of this organization
    Issue(IssueArguments),
    /// Print a credential that this organization issued
    Show(ShowArguments),
    /// Verify a credential: signature, validity, issuer's standing, revocation
    Verify(VerifyArguments),
    /// Revoke a credential; the answer comes when the revocation is on disk and on its way to the other members
    #[command(after_help = "Example:\n  syndic credential revoke urn:uuid:6f1c0f8e-2f1d-4c61-9a55-0a4d1c1e7b52")]
    Revoke(IdArgument),
    /// List the credentials that this organization issued
    #[command(after_help = "Example:\n  syndic credential list --agent CustomerSupportAgent-v2.3")]
    List(ListArguments),
}

/// `syndic credential issue`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic credential issue --agent CustomerSupportAgent-v2.3 \\
      --capabilities examples/customer-support-agent.json --valid-for 24h --out support.json

The capabilities are a JSON file {\"name\"?, \"capability\": [...], \"delegation\"?}, or the array alone.")]
pub struct IssueArguments {
    /// The agent's name or DID
    #[arg(long)]
    pub agent: String,
    /// File with the capabilities; - for standard input
    #[arg(long, value_name = "FILE")]
    pub capabilities: PathBuf,
    /// How long it is valid from now on, such as 30m, 24h, 7d; 90 days at most [default: 24h]
    #[arg(long, value_name = "SPAN", value_parser = values::span, conflicts_with_all = ["valid_from", "valid_until"])]
    pub valid_for: Option<u32>,
    /// When it begins to be valid (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME", value_parser = values::time, requires = "valid_until")]
    pub valid_from: Option<Timestamp>,
    /// When it ends to be valid (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub valid_until: Option<Timestamp>,
    /// Write the credential here [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `syndic credential show`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic credential show urn:uuid:6f1c0f8e-2f1d-4c61-9a55-0a4d1c1e7b52 --out support.json")]
pub struct ShowArguments {
    /// The credential's id
    #[arg(value_name = "ID")]
    pub id: String,
    /// Write the credential here [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `syndic credential verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic credential verify support.json --node http://127.0.0.1:9440

Exit code 0 if it is allowed, 3 if it is denied.")]
pub struct VerifyArguments {
    /// The credential; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Public URL of the node that is to verify it [default: one's own node]
    #[arg(long, value_name = "URL")]
    pub node: Option<String>,
}

/// Which credential.
#[derive(Debug, Args)]
pub struct IdArgument {
    /// The credential's id
    #[arg(value_name = "ID")]
    pub id: String,
}

/// `syndic credential list`
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Only those of this agent
    #[arg(long)]
    pub agent: Option<String>,
}

/// Carries out `syndic credential ...`.
///
/// # Errors
/// The node cannot be reached or refuses; a file cannot be read.
pub fn execute(global: &Global, command: &CredentialCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        CredentialCommand::Issue(arguments) => issue(global, arguments, output),
        CredentialCommand::Show(arguments) => show(global, arguments, output),
        CredentialCommand::Verify(arguments) => verify(global, arguments, output),
        CredentialCommand::Revoke(argument) => revoke(global, &argument.id, output),
        CredentialCommand::List(arguments) => list(global, arguments.agent.as_deref(), output),
    }
}

fn issue(global: &Global, arguments: &IssueArguments, output: &Output) -> Result<Exit, Failure> {
    let mut body = template(documents::read(&arguments.capabilities)?, &arguments.capabilities)?;
    if let Some(seconds) = arguments.valid_for {
        body.insert("validForSeconds", seconds);
    }
    for (name, time) in [
        ("validFrom", arguments.valid_from),
        ("validUntil", arguments.valid_until),
    ] {
        if let Some(time) = time {
            body.insert(name, time.to_string());
        }
    }
    let path = format!("/agents/{}/credentials", segment(&arguments.agent));
    let answer = connect::with_own(global, |node| node.post(&path, &Value::from(body)))?;
    let credential = required(&answer, "verifiableCredential")?;
    let summary = summary(credential);
    documents::deliver(&answer, credential, arguments.out.as_deref(), &summary, output)?;
    Ok(Exit::Done)
}

fn summary(credential: &Value) -> String {
    let id = super::output::clean(&text(credential, &["id"]));
    let until = super::output::clean(&text(credential, &["validUntil"]));
    format!("credential {id}, valid until {until}")
}

/// The members of a capability file that go into the request. The name in it is for its readers.
///
/// # Errors
/// The file is not of that form.
pub fn template(document: Value, path: &Path) -> Result<Object, Failure> {
    let wrong = |what: String| {
        Failure::failed(format!("{}: {what}", path.display()))
            .advise("write {\"name\": \"...\", \"capability\": [{\"action\": \"read\", \"resource\": \"...\"}]}")
    };
    let mut members = match document {
        Value::Array(items) => Object::from_iter([("capability", Value::Array(items))]),
        Value::Object(members) => members,
        other => {
            return Err(wrong(format!(
                "capabilities are an object or an array, not {}",
                other.kind()
            )));
        }
    };
    members.remove("name");
    if let Some(unknown) = members.keys().find(|name| !["capability", "delegation"].contains(name)) {
        return Err(wrong(format!("unknown member {unknown:?}")));
    }
    if members
        .get("capability")
        .and_then(Value::as_array)
        .is_none_or(<[Value]>::is_empty)
    {
        return Err(wrong(
            "\"capability\" must be an array of at least one capability".to_owned(),
        ));
    }
    Ok(members)
}

fn show(global: &Global, arguments: &ShowArguments, output: &Output) -> Result<Exit, Failure> {
    let path = format!("/credentials/{}", segment(&arguments.id));
    let answer = connect::with_own(global, |node| node.get(&path))?;
    let credential = required(&answer, "verifiableCredential")?;
    let summary = format!("{}, status {}", summary(credential), text(&answer, &["status"]));
    documents::deliver(&answer, credential, arguments.out.as_deref(), &summary, output)?;
    Ok(Exit::Done)
}

fn verify(global: &Global, arguments: &VerifyArguments, output: &Output) -> Result<Exit, Failure> {
    let credential = documents::unwrapped(documents::read(&arguments.file)?, "verifiableCredential");
    let body = object! { "verifiableCredential": credential };
    let node = arguments.node.as_deref();
    let decision = connect::with(node, global, |node| node.decide("/credentials/verify", &body))?;
    output.show(&decision.document, |page| page.decision(&decision));
    Ok(decision.outcome.into())
}

/// The body that revokes a credential (VC API, "update status").
#[must_use]
pub fn revocation(id: &str) -> Value {
    object! {
        "credentialId": id,
        "credentialStatus": object! { "type": "BitstringStatusListEntry", "statusPurpose": "revocation" },
        "status": true,
    }
}

fn revoke(global: &Global, id: &str, output: &Output) -> Result<Exit, Failure> {
    let answer = connect::with_own(global, |node| node.post("/credentials/status", &revocation(id)))?;
    output.show(&answer, |page| {
        page.line(format_args!("revoked {}", super::output::clean(id)));
        page.pairs(&[
            ("acknowledged", text(&answer, &["acknowledged"])),
            ("statement", text(&answer, &["statement", "index"])),
        ]);
    });
    Ok(Exit::Done)
}

fn list(global: &Global, agent: Option<&str>, output: &Output) -> Result<Exit, Failure> {
    let path = agent.map_or_else(
        || "/credentials".to_owned(),
        |agent| format!("/credentials?agent={}", segment(agent)),
    );
    let answer = connect::with_own(global, |node| node.get(&path))?;
    output.show(&answer, |page| {
        let rows: Vec<Vec<String>> = items(&answer, "credentials")
            .iter()
            .map(|credential| {
                ["id", "status", "validUntil", "agent"]
                    .map(|name| text(credential, &[name]))
                    .to_vec()
            })
            .collect();
        let empty = "no credentials yet: see `syndic credential issue --help`";
        page.table(&["ID", "STATUS", "VALID UNTIL", "AGENT"], &rows, empty);
    });
    Ok(Exit::Done)
}
