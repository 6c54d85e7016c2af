//! `present`: credentials shown to another organization, signed by their holder for one challenge.

use std::path::PathBuf;

use clap::Args;
use syndic_vc::json::Value;
use syndic_vc::object;

use super::documents::{self, required, text};
use super::failure::{Exit, Failure};
use super::output::Output;
use super::{Global, connect};
use crate::client::segment;

/// `syndic present`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  syndic present --agent CustomerSupportAgent-v2.3 --credential support.json --to http://127.0.0.1:9440

asks that node for a challenge, signs the presentation for it, and shows what the node decides. In two steps:

  curl -X POST http://127.0.0.1:9440/challenges -H 'Content-Type: application/json' -d '{}'
  syndic present --agent CustomerSupportAgent-v2.3 --credential support.json \\
      --challenge ... --domain did:key:... --out presentation.json")]
pub struct PresentArguments {
    /// The agent's name or DID; its key must be held by this node
    #[arg(long)]
    pub agent: String,
    /// A credential: its id, or a file; may be repeated
    #[arg(long = "credential", value_name = "ID|FILE", required = true, num_args = 1..)]
    pub credentials: Vec<String>,
    /// The challenge the verifier gave
    #[arg(long, required_unless_present = "to", requires = "domain")]
    pub challenge: Option<String>,
    /// The verifier's domain: the DID of its organization
    #[arg(long, required_unless_present = "to", requires = "challenge")]
    pub domain: Option<String>,
    /// Present it to the node with this public URL, and show its decision
    #[arg(long, value_name = "URL", conflicts_with_all = ["challenge", "domain"])]
    pub to: Option<String>,
    /// Write the presentation here [default: standard output, unless it is sent]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Carries out `syndic present`.
///
/// # Errors
/// A node cannot be reached or refuses; a file cannot be read.
pub fn execute(global: &Global, arguments: &PresentArguments, output: &Output) -> Result<Exit, Failure> {
    let credentials = arguments
        .credentials
        .iter()
        .map(|text| documents::credential_reference(text))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(url) = &arguments.to else {
        let challenge = arguments.challenge.as_deref().unwrap_or_default();
        let domain = arguments.domain.as_deref().unwrap_or_default();
        let answer = sign(global, &arguments.agent, credentials, challenge, domain)?;
        let presentation = required(&answer, "verifiablePresentation")?;
        let summary = "a presentation for this challenge only";
        documents::deliver(&answer, presentation, arguments.out.as_deref(), summary, output)?;
        return Ok(Exit::Done);
    };
    let challenge = connect::with(Some(url), global, |node| node.post("/challenges", &object! {}))?;
    let (nonce, domain) = (text(&challenge, &["challenge"]), text(&challenge, &["domain"]));
    let answer = sign(global, &arguments.agent, credentials, &nonce, &domain)?;
    let presentation = required(&answer, "verifiablePresentation")?;
    if let Some(path) = &arguments.out {
        documents::write(path, presentation)?;
    }
    let body = object! {
        "verifiablePresentation": presentation.clone(),
        "options": object! { "challenge": nonce, "domain": domain },
    };
    let decision = connect::with(Some(url), global, |node| node.decide("/presentations/verify", &body))?;
    output.show(&decision.document, |page| page.decision(&decision));
    Ok(decision.outcome.into())
}

/// Has one's own node sign a presentation.
///
/// # Errors
/// The node cannot be reached or refuses.
pub(super) fn sign(
    global: &Global,
    agent: &str,
    credentials: Vec<Value>,
    challenge: &str,
    domain: &str,
) -> Result<Value, Failure> {
    let body = object! { "credentials": credentials, "challenge": challenge, "domain": domain };
    let path = format!("/agents/{}/presentations", segment(agent));
    connect::with_own(global, |node| node.post(&path, &body))
}
