//! `verify`: may this be acted on? And: was it rightly decided?

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use syndic_registry::bundle::{Bundle, BundleError};
use syndic_registry::charter::CharterChain;
use syndic_registry::limits;
use syndic_vc::canonical;
use syndic_vc::json::Value;
use syndic_vc::object;
use syndic_vc::time::Timestamp;

use super::documents::{self, required};
use super::failure::{Exit, Failure};
use super::output::Output;
use super::{Global, connect, values};
use crate::client::decision::Decision;
use crate::clock;

/// `syndic verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  syndic verify refund.json --bundle-out bundle.json
  syndic verify --offline bundle.json --charter charter.json --at 2026-11-24T12:00:00Z

FILE is a credential, a signed action, or the body of a request to a verification endpoint. A bundle
holds the decision and all that it rests on. --offline comes to the decision again from the bundle and
the charter alone: no node, no network, no data folder. What became of a challenge or nonce is the
verifier's own word.

Exit code 0 if it is allowed, 3 if it is denied, 4 if a human has to approve it first, and 1 if the
bundle does not hold or the decision would be another at that time.")]
pub struct VerifyArguments {
    /// What is to be decided; - for standard input
    #[arg(value_name = "FILE", required_unless_present = "offline", conflicts_with = "offline")]
    pub file: Option<PathBuf>,
    /// Public URL of the node that is to decide [default: one's own node]
    #[arg(long, value_name = "URL", conflicts_with_all = ["offline", "bundle_out"])]
    pub node: Option<String>,
    /// Write the decision with all that it rests on into this file; one's own node makes it
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    pub bundle_out: Option<PathBuf>,
    /// Verify a bundle with the charter alone
    #[arg(long, value_name = "BUNDLE", requires = "charter")]
    pub offline: Option<PathBuf>,
    /// The consortium's charter, as one trusts it
    #[arg(long, value_name = "FILE", requires = "offline")]
    pub charter: Option<PathBuf>,
    /// For which moment (RFC 3339); the bundle says when it was decided [default: now]
    #[arg(long, value_name = "TIME", value_parser = values::time, requires = "offline")]
    pub at: Option<Timestamp>,
}

/// Carries out `syndic verify`.
///
/// # Errors
/// The node cannot be reached or refuses; a file cannot be read; a bundle does not hold.
pub fn execute(global: &Global, arguments: &VerifyArguments, output: &Output) -> Result<Exit, Failure> {
    if let (Some(bundle), Some(charter)) = (&arguments.offline, &arguments.charter) {
        return offline(bundle, charter, arguments.at.unwrap_or_else(clock::now), output);
    }
    let Some(file) = &arguments.file else {
        return Err(Failure::usage("name what is to be verified"));
    };
    let (path, body) = request(documents::read(file)?);
    let Some(out) = &arguments.bundle_out else {
        let node = arguments.node.as_deref();
        let decision = connect::with(node, global, |node| node.decide(path, &body))?;
        output.show(&decision.document, |page| page.decision(&decision));
        return Ok(decision.outcome.into());
    };
    let decision = connect::with_own(global, |node| node.decide("/decisions", &body))?;
    let mut bytes = canonical::to_bytes(required(&decision.document, "bundle")?);
    bytes.push(b'\n');
    std::fs::write(out, &bytes).map_err(|error| Failure::failed(format!("cannot write {}: {error}", out.display())))?;
    output.show(&decision.document, |page| {
        page.decision(&decision);
        page.line(format_args!(
            "shown in {}, {} bytes; it needs no node: syndic verify --offline",
            out.display(),
            bytes.len()
        ));
    });
    Ok(decision.outcome.into())
}

/// The endpoint that decides about a document, and the body that it takes.
fn request(document: Value) -> (&'static str, Value) {
    if document.get("action").is_some() && document.get("credential").is_some() {
        return ("/actions/verify", document);
    }
    if document.get("verifiablePresentation").is_some() {
        return ("/presentations/verify", document);
    }
    let credential = documents::unwrapped(document, "verifiableCredential");
    ("/credentials/verify", object! { "verifiableCredential": credential })
}

fn offline(bundle: &Path, charter: &Path, at: Timestamp, output: &Output) -> Result<Exit, Failure> {
    let does_not_hold = |error: BundleError| Failure::failed(format!("{}: {error}", bundle.display()));
    let chain = CharterChain::parse(&read(charter, limits::CHAIN_BYTES)?)
        .map_err(|error| Failure::failed(format!("{}: {error}", charter.display())))?;
    let bundle = Bundle::parse(&read(bundle, limits::BUNDLE_BYTES + 1)?).map_err(does_not_hold)?;
    let shown = bundle.verify(&chain, at).map_err(|error| {
        let failure = does_not_hold(error);
        if at == bundle.time {
            failure
        } else {
            failure.advise(format!(
                "it was decided at {}; --at says for when it is to hold",
                bundle.time
            ))
        }
    })?;
    let said = bundle.single_use.map(syndic_registry::bundle::SingleUse::word);
    let document = object! {
        "holds": true,
        "decision": Value::Object(shown.decision),
        "at": at.to_string(),
        "decided": bundle.time.to_string(),
        "verifier": bundle.verifier.organization.as_str(),
        "singleUse": said.as_deref(),
    };
    let decision = Decision::of(&document)
        .map_err(|error| Failure::failed(format!("the decision in the bundle cannot be shown: {error}")))?;
    output.show(&document, |page| {
        page.decision(&decision);
        page.line(format_args!(
            "proved offline with the charter alone, as of {at}; decided {} by {}",
            bundle.time, bundle.verifier.organization
        ));
        if let Some(said) = said {
            page.line(format_args!(
                "the challenge or nonce: {said}, which is the verifier's own word"
            ));
        }
    });
    Ok(decision.outcome.into())
}

fn read(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    let cannot = |error: std::io::Error| Failure::failed(format!("cannot read {}: {error}", path.display()));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() > most {
        return Err(Failure::failed(format!(
            "{} has more than {most} bytes",
            path.display()
        )));
    }
    Ok(bytes)
}
