//! `resolve`: a DID or DID URL to what it names.

use clap::Args;
use syndic_vc::json::Value;

use super::documents::{at, text};
use super::failure::{Exit, Failure};
use super::output::{Output, clean};
use super::{Global, connect};
use crate::client::{Resolution, segment};

const RESULT: &str = "application/did-resolution";
const PART: &str = "application/did-url-dereferencing";

/// `syndic resolve`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  syndic resolve did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK --node http://127.0.0.1:8440
  syndic resolve 'did:web:example.org#key-1'
  syndic resolve 'did:web:example.org?service=files&relativeRef=/report.pdf'

A document or the part of it that a fragment names is printed as JSON, the address of a service as text.
With --json it is the whole result, as the node gives it.")]
pub struct ResolveArguments {
    /// The DID or DID URL
    #[arg(value_name = "DID")]
    pub did: String,
    /// Public URL of the node that is to resolve it [default: one's own node]
    #[arg(long, value_name = "URL")]
    pub node: Option<String>,
    /// The version with this id
    #[arg(long, value_name = "ID", conflicts_with_all = ["version_time", "version_number"])]
    pub version_id: Option<String>,
    /// The version in force at this time, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "version_number")]
    pub version_time: Option<String>,
    /// The version with this number; the first is 1
    #[arg(long, value_name = "NUMBER")]
    pub version_number: Option<u64>,
    /// The media type to ask for; what the node answers is printed as it is
    #[arg(long, value_name = "TYPE", conflicts_with = "document")]
    pub accept: Option<String>,
    /// Print the bare document, with --json too
    #[arg(long)]
    pub document: bool,
}

impl ResolveArguments {
    fn path(&self) -> String {
        let mut options = Vec::new();
        for (name, value) in [
            ("versionId", self.version_id.clone()),
            ("versionTime", self.version_time.clone()),
            ("versionNumber", self.version_number.map(|number| number.to_string())),
        ] {
            options.extend(value.map(|value| format!("{name}={}", segment(&value))));
        }
        let mark = if options.is_empty() { "" } else { "?" };
        format!("/1.0/identifiers/{}{mark}{}", segment(&self.did), options.join("&"))
    }

    fn media_type(&self) -> &str {
        match &self.accept {
            Some(media_type) => media_type,
            None if self.document => "application/did",
            // A DID has neither.
            None if self.did.contains(['#', '/']) => PART,
            None => RESULT,
        }
    }
}

/// Carries out `syndic resolve`.
///
/// # Errors
/// The node cannot be reached, or the DID does not resolve.
pub fn execute(global: &Global, arguments: &ResolveArguments, output: &Output) -> Result<Exit, Failure> {
    let (path, media_type) = (arguments.path(), arguments.media_type());
    if !media_type.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        return Err(Failure::usage("--accept: a media type is visible ASCII"));
    }
    let answer = connect::with(arguments.node.as_deref(), global, |node| {
        node.resolve(&path, media_type)
    })?;
    let result = match answer {
        Resolution::Elsewhere(address) => {
            let shown = syndic_vc::object! { "location": address.as_str() };
            output.show(&shown, |page| page.line(clean(&address)));
            return Ok(Exit::Done);
        }
        Resolution::Here(answer) if answer.status == 200 => answer.body,
        Resolution::Here(answer) => return Err(unresolved(&arguments.did, answer.body)),
    };
    let whole = output.is_json() || arguments.accept.is_some() || arguments.document;
    let content = ["didDocument", "contentStream"]
        .into_iter()
        .find_map(|name| result.get(name));
    match content {
        Some(content @ Value::Object(_)) if !whole => output.document(content),
        _ => output.document(&result),
    }
    Ok(Exit::Done)
}

/// DID Resolution reports errors inside its results; everything before it in a problem document.
fn unresolved(did: &str, result: Value) -> Failure {
    let metadata = ["didResolutionMetadata", "dereferencingMetadata"];
    let error = metadata.into_iter().find_map(|name| at(&result, &[name, "error"]));
    let error = error.unwrap_or(&result);
    let words = ["detail", "title", "type"].map(|name| text(error, &[name]));
    let ended = ["didDocumentMetadata", "contentMetadata"]
        .into_iter()
        .any(|name| at(&result, &[name, "deactivated"]).and_then(Value::as_bool) == Some(true));
    let unsaid = if ended {
        "it was deactivated"
    } else {
        "the node does not say why"
    };
    let why = words.iter().find(|text| *text != "-").map_or(unsaid, String::as_str);
    let mut failure = Failure::failed(format!("{} does not resolve: {}", clean(did), clean(why)));
    failure.problem = Some(result);
    failure
}
