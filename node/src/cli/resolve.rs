//! `resolve`: a DID to its document.

use clap::Args;
use syndic_vc::json::Value;

use super::documents::{at, text};
use super::failure::{Exit, Failure};
use super::output::{Output, clean};
use super::{Global, connect};
use crate::client::segment;

/// `syndic resolve`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  syndic resolve did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK --node http://127.0.0.1:8440")]
pub struct ResolveArguments {
    /// The DID
    #[arg(value_name = "DID")]
    pub did: String,
    /// Public URL of the node that is to resolve it [default: one's own node]
    #[arg(long, value_name = "URL")]
    pub node: Option<String>,
}

/// Carries out `syndic resolve`: prints the document, or with `--json` the whole resolution result.
///
/// # Errors
/// The node cannot be reached, or the DID does not resolve.
pub fn execute(global: &Global, arguments: &ResolveArguments, output: &Output) -> Result<Exit, Failure> {
    let path = format!("/1.0/identifiers/{}", segment(&arguments.did));
    let answer = connect::with(arguments.node.as_deref(), global, |node| node.fetch(&path))?;
    let result = answer.body;
    if let (200, Some(document @ Value::Object(_))) = (answer.status, result.get("didDocument")) {
        output.document(if output.is_json() { &result } else { document });
        return Ok(Exit::Done);
    }
    // DID Resolution reports errors inside the resolution result; everything before it in a problem document.
    let error = at(&result, &["didResolutionMetadata", "error"]).unwrap_or(&result);
    let words = ["detail", "title", "type"].map(|name| text(error, &[name]));
    let why = words
        .iter()
        .find(|text| *text != "-")
        .map_or("the node does not say why", String::as_str);
    let mut failure = Failure::failed(format!("{} does not resolve: {}", clean(&arguments.did), clean(why)));
    failure.problem = Some(result);
    Err(failure)
}
