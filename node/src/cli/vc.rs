//! `vc`: credentials of any kind, by the W3C VC API: what the HTTP endpoints do, from the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use syndic_vc::denial::Denied;
use syndic_vc::json::Value;
use syndic_vc::object;

use super::documents::{self, items, required, text};
use super::failure::{Exit, Failure};
use super::output::{Output, clean};
use super::{Global, connect};
use crate::client::decision::Outcome;
use crate::client::segment;
use crate::{clock, proof_only};

/// Shown at the end of `syndic vc --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic vc issue --instance eddsa-rdfc-2022 degree.json --out signed.json
  syndic vc verify signed.json";

/// `syndic vc ...`
#[derive(Debug, Subcommand)]
pub enum VcCommand {
    /// Verify a credential of any suite: signature, validity, status, issuer's standing
    Verify(VerifyArguments),
    /// Sign a credential with one of the node's issuing instances
    Issue(IssueArguments),
}

/// `syndic vc verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  syndic vc verify signed.json --node http://127.0.0.1:9440
  syndic vc verify --proof-only - < signed.json

Exit code 0 if it is allowed, 3 if it is denied. With --proof-only no node is asked: 0 says that the
signatures hold and nothing else, so it permits nothing.")]
pub struct VerifyArguments {
    /// The credential; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Public URL of the node that is to verify it [default: one's own node]
    #[arg(long, value_name = "URL", conflicts_with = "proof_only")]
    pub node: Option<String>,
    /// Check the signatures alone, without a node; for signers with a did:key or did:jwk
    #[arg(long)]
    pub proof_only: bool,
}

/// `syndic vc issue`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic vc issue --instance ecdsa-rdfc-2019-p256 degree.json --out signed.json

The file is an unsigned credential. Without --instance the first configured instance signs, and an
issuer that is missing is filled in.")]
pub struct IssueArguments {
    /// The credential to sign; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The issuing instance, such as eddsa-rdfc-2022 [default: the first one]
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// Write the signed credential here [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Carries out `syndic vc ...`.
///
/// # Errors
/// The node cannot be reached or refuses; a file cannot be read.
pub fn execute(global: &Global, command: &VcCommand, output: &Output) -> Result<Exit, Failure> {
    match command {
        VcCommand::Verify(arguments) => verify(global, arguments, output),
        VcCommand::Issue(arguments) => issue(global, arguments, output),
    }
}

fn verify(global: &Global, arguments: &VerifyArguments, output: &Output) -> Result<Exit, Failure> {
    let credential = documents::unwrapped(documents::read(&arguments.file)?, "verifiableCredential");
    if arguments.proof_only {
        return Ok(verify_proof(credential, output));
    }
    let body = object! { "verifiableCredential": credential };
    let node = arguments.node.as_deref();
    let decision = connect::with(node, global, |node| node.decide("/credentials/verify", &body))?;
    output.show(&decision.document, |page| page.decision(&decision));
    Ok(decision.outcome.into())
}

fn verify_proof(credential: Value, output: &Output) -> Exit {
    match proof_only::offline(credential, clock::now()) {
        Ok(checked) => {
            let report = proof_only::report(&checked);
            output.show(&report, |page| {
                for method in items(&report, "verificationMethods") {
                    page.line(format_args!("signed by {}", clean(method.as_str().unwrap_or_default())));
                }
                page.line(format_args!(
                    "nothing else was checked: not {}",
                    proof_only::NOT_CHECKED.join(", ")
                ));
            });
            Exit::Done
        }
        Err(denied) => {
            output.show(&refusal(&denied), |page| {
                page.line(Outcome::Deny.word());
                for reason in denied.reasons() {
                    let message = clean(&reason.message);
                    page.line(format_args!("  {message}  [{} at {}]", reason.code, clean(&reason.at)));
                }
            });
            Exit::Denied
        }
    }
}

fn refusal(denied: &Denied) -> Value {
    let reasons: Vec<Value> = denied
        .reasons()
        .map(|reason| {
            object! {
                "code": reason.code.as_str(),
                "message": reason.message.as_str(),
                "at": reason.at.as_str(),
            }
        })
        .collect();
    object! {
        "verified": false,
        "reasons": reasons,
        "notChecked": proof_only::NOT_CHECKED.map(Value::from).to_vec(),
    }
}

fn issue(global: &Global, arguments: &IssueArguments, output: &Output) -> Result<Exit, Failure> {
    let credential = documents::unwrapped(documents::read(&arguments.file)?, "credential");
    let body = object! { "credential": credential };
    let path = arguments.instance.as_ref().map_or_else(
        || "/credentials/issue".to_owned(),
        |name| format!("/issuers/{}/credentials/issue", segment(name)),
    );
    let answer = connect::with_own(global, |node| node.post(&path, &body))?;
    let signed = required(&answer, "verifiableCredential")?;
    let suite = match text(signed, &["proof", "cryptosuite"]) {
        none if none == "-" => "an envelope".to_owned(),
        suite => suite,
    };
    let summary = format!("signed with {}", clean(&suite));
    documents::deliver(&answer, signed, arguments.out.as_deref(), &summary, output)?;
    Ok(Exit::Done)
}
