//! `action`: what an agent does, signed so that others can decide about it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use syndic_vc::json::{Object, Value};

use super::documents;
use super::failure::{Exit, Failure};
use super::output::Output;
use super::values::{self, Parameter};
use super::{Global, connect};
use crate::client::segment;

/// Shown at the end of `syndic action --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic action sign --agent CustomerSupportAgent-v2.3 --credential support.json \\
      --action call --resource billing_api --scope refund_under_100 \\
      --parameter amount=49.99:USD --audience did:key:... --out refund.json
  syndic action verify refund.json --node http://127.0.0.1:9440
  syndic action request --agent CustomerSupportAgent-v2.3 --credential support.json \\
      --target https://billing.example/invoices/17";

/// `syndic action ...`
#[derive(Debug, Subcommand)]
pub enum ActionCommand {
    /// Sign an action for one verifier; it is valid for a short time and only once
    Sign(Box<SignArguments>),
    /// Sign an HTTP request (RFC 9421): the fields to send with it
    Request(RequestArguments),
    /// Let a node decide about a signed action
    Verify(VerifyArguments),
}

/// `syndic action sign`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic action sign --agent CustomerSupportAgent-v2.3 --credential support.json \\
      --action call --resource billing_api --scope refund_under_100 \\
      --parameter amount=49.99:USD --audience did:key:z6Mk... --out refund.json

A parameter with a unit is NAME=DECIMAL:UNIT. true, false and whole numbers are what they look
like, unless in double quotes (NAME='\"3\"'). All else is text.")]
pub struct SignArguments {
    /// The agent's name or DID; its key must be held by this node
    #[arg(long)]
    pub agent: String,
    /// The credential that allows it: its id, or a file
    #[arg(long, value_name = "ID|FILE")]
    pub credential: String,
    /// What is done, such as read or call
    #[arg(long)]
    pub action: String,
    /// To what it is done
    #[arg(long)]
    pub resource: String,
    /// The scope, exactly as in the capability
    #[arg(long)]
    pub scope: Option<String>,
    /// A parameter; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE[:UNIT]", value_parser = values::parameter)]
    pub parameters: Vec<Parameter>,
    /// What it is for, such as treatment or customer-support
    #[arg(long, value_name = "LABEL")]
    pub purpose: Option<String>,
    /// The verifier: the DID of its organization
    #[arg(long, value_name = "DID")]
    pub audience: String,
    /// How long it may be used, 15m at most
    #[arg(long, value_name = "SPAN", value_parser = values::span)]
    pub valid_for: Option<u32>,
    /// Write the signed action here [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `syndic action request`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  echo '{\"amount\": \"49.99\"}' > refund.json
  syndic action request --agent CustomerSupportAgent-v2.3 --credential support.json \\
      --method POST --target https://billing.example/refunds --content refund.json > fields
  curl -H @fields --data-binary @refund.json https://billing.example/refunds

The fields are good for one request, to this target, with this content.")]
pub struct RequestArguments {
    /// The agent's name or DID; its key must be held by this node
    #[arg(long)]
    pub agent: String,
    /// The credential that allows it: its id, or a file
    #[arg(long, value_name = "ID|FILE")]
    pub credential: String,
    /// The method
    #[arg(long, default_value = "GET")]
    pub method: String,
    /// Where it is sent to, exactly
    #[arg(long, value_name = "URL")]
    pub target: String,
    /// The content, byte for byte as it will be sent
    #[arg(long, value_name = "FILE")]
    pub content: Option<PathBuf>,
    /// How long it may be sent, 15m at most
    #[arg(long, value_name = "SPAN", value_parser = values::span)]
    pub valid_for: Option<u32>,
}

/// `syndic action verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic action verify refund.json --node http://127.0.0.1:9440

Exit code 0 if it is allowed, 3 if it is denied, 4 if a human has to approve it first.
An allowed action is used up by this: it is allowed once.")]
pub struct VerifyArguments {
    /// The signed action; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Public URL of the node that is to decide [default: one's own node]
    #[arg(long, value_name = "URL")]
    pub node: Option<String>,
}

/// Carries out `syndic action ...`.
///
/// # Errors
/// The node cannot be reached or refuses; a file cannot be read.
pub fn execute(global: &Global, command: &ActionCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        ActionCommand::Sign(arguments) => sign(global, arguments, output),
        ActionCommand::Request(arguments) => request(global, arguments, output),
        ActionCommand::Verify(arguments) => verify(global, arguments, output),
    }
}

fn sign(global: &Global, arguments: &SignArguments, output: &Output) -> Result<Exit, Failure> {
    let mut body = Object::new();
    let (credential, chain) = documents::credential_with_chain(&arguments.credential)?;
    body.insert("credential", credential);
    if let Some(chain) = chain {
        body.insert("chain", chain);
    }
    body.insert("action", arguments.action.as_str());
    body.insert("resource", arguments.resource.as_str());
    body.insert("audience", arguments.audience.as_str());
    if let Some(scope) = &arguments.scope {
        body.insert("scope", scope.as_str());
    }
    if let Some(purpose) = &arguments.purpose {
        body.insert("purpose", purpose.as_str());
    }
    if let Some(seconds) = arguments.valid_for {
        body.insert("expiresInSeconds", seconds);
    }
    let mut parameters = Object::new();
    for parameter in &arguments.parameters {
        if parameters
            .insert(parameter.name.as_str(), parameter.value.clone())
            .is_some()
        {
            return Err(Failure::usage(format!(
                "the parameter {} is given twice",
                parameter.name
            )));
        }
    }
    if !parameters.is_empty() {
        body.insert("parameters", parameters);
    }
    let path = format!("/agents/{}/actions", segment(&arguments.agent));
    let answer = connect::with_own(global, |node| node.post(&path, &Value::from(body)))?;
    let expires = documents::text(&answer, &["action", "expires"]);
    let summary = format!("signed; it can be used once, before {}", super::output::clean(&expires));
    documents::deliver(&answer, &answer, arguments.out.as_deref(), &summary, output)?;
    Ok(Exit::Done)
}

fn request(global: &Global, arguments: &RequestArguments, output: &Output) -> Result<Exit, Failure> {
    let mut body = Object::new();
    let (credential, chain) = documents::credential_with_chain(&arguments.credential)?;
    body.insert("credential", credential);
    if let Some(chain) = chain {
        body.insert("chain", chain);
    }
    body.insert("method", arguments.method.as_str());
    body.insert("target", arguments.target.as_str());
    if let Some(path) = &arguments.content {
        let content =
            std::fs::read(path).map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))?;
        body.insert("content", multibase::Base::Base64Url.encode(content));
    }
    if let Some(seconds) = arguments.valid_for {
        body.insert("expiresInSeconds", seconds);
    }
    let path = format!("/agents/{}/requests", segment(&arguments.agent));
    let answer = connect::with_own(global, |node| node.post(&path, &Value::from(body)))?;
    output.show(&answer, |page| {
        for line in documents::items(&answer, "fields") {
            let line = line.as_array().unwrap_or_default();
            let part = |at: usize| line.get(at).and_then(Value::as_str).unwrap_or_default();
            page.line(format!("{}: {}", part(0), part(1)));
        }
    });
    Ok(Exit::Done)
}

fn verify(global: &Global, arguments: &VerifyArguments, output: &Output) -> Result<Exit, Failure> {
    let body = documents::read(&arguments.file)?;
    let node = arguments.node.as_deref();
    let decision = connect::with(node, global, |node| node.decide("/actions/verify", &body))?;
    output.show(&decision.document, |page| page.decision(&decision));
    Ok(decision.outcome.into())
}
