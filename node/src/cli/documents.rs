//! Files and documents that commands read and write.

use std::io::Read as _;
use std::path::Path;

use syndic_vc::json::{self, Value};

use super::failure::Failure;
use super::output::{Output, pretty};

/// Bytes of one document: what the node's listeners take.
const DOCUMENT_BYTES: u64 = 1 << 20;

/// Reads a JSON document from a file, or from standard input for `-`.
///
/// # Errors
/// The file cannot be read, is too long or is not strict JSON.
pub fn read(path: &Path) -> Result<Value, Failure> {
    let shown = if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let unreadable = |error: std::io::Error| Failure::failed(format!("cannot read {shown}: {error}"));
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(DOCUMENT_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
    } else {
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(DOCUMENT_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
    }
    if bytes.len() as u64 > DOCUMENT_BYTES {
        return Err(Failure::failed(format!(
            "{shown} is longer than 1 MiB, the most a node takes"
        )));
    }
    json::parse(&bytes).map_err(|error| Failure::failed(format!("{shown} is not valid JSON: {error}")))
}

/// The document inside an answer such as `{"verifiableCredential": {...}}`, or the document itself: what `--json`
/// printed can be used as a file.
#[must_use]
pub fn unwrapped(document: Value, member: &str) -> Value {
    match document.get(member) {
        Some(inner @ Value::Object(_)) if document.get("type").is_none() => inner.clone(),
        _ => document,
    }
}

/// A credential named on the command line: the id of one that the node holds, or a file.
///
/// # Errors
/// It is a file that cannot be read.
pub fn credential_reference(text: &str) -> Result<Value, Failure> {
    credential_with_chain(text).map(|(credential, _)| credential)
}

/// Where a command's document goes: into a file with a line that says so, or to standard output.
///
/// # Errors
/// The file cannot be written.
pub fn deliver(
    answer: &Value,
    document: &Value,
    out: Option<&Path>,
    summary: &str,
    output: &Output,
) -> Result<(), Failure> {
    let Some(path) = out else {
        output.document(if output.is_json() { answer } else { document });
        return Ok(());
    };
    write(path, document)?;
    output.show(answer, |page| {
        page.line(summary);
        page.line(format_args!("written to {}", path.display()));
    });
    Ok(())
}

/// Writes a JSON document into a file.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, document: &Value) -> Result<(), Failure> {
    std::fs::write(path, pretty(document) + "\n")
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
}

/// The same with the credentials that it was handed on from, if the file is what `syndic delegate` wrote.
///
/// # Errors
/// It is a file that cannot be read.
pub fn credential_with_chain(text: &str) -> Result<(Value, Option<Value>), Failure> {
    let is_id = ["urn:", "http://", "https://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    if is_id {
        return Ok((Value::from(text), None));
    }
    let document = read(Path::new(text)).map_err(|failure| {
        failure.advise("name a credential by its id (urn:uuid:...; see `syndic credential list`) or by its file")
    })?;
    let chain = document.get("chain").filter(|chain| chain.as_array().is_some());
    let chain = chain.cloned();
    Ok((unwrapped(document, "verifiableCredential"), chain))
}

/// The value at a path of members.
#[must_use]
pub fn at<'v>(document: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(document, |value, name| value.get(name))
}

/// The value at a path of members as people read it; a dash if there is none.
#[must_use]
pub fn text(document: &Value, path: &[&str]) -> String {
    match at(document, path) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.to_string(),
        Some(Value::Bool(truth)) => if *truth { "yes" } else { "no" }.to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Array(items)) => items.len().to_string(),
        Some(object @ Value::Object(_)) => pretty(object),
    }
}

/// The items of an array member; none if it is missing.
#[must_use]
pub fn items<'v>(document: &'v Value, name: &str) -> &'v [Value] {
    document.get(name).and_then(Value::as_array).unwrap_or_default()
}

/// A member that an answer must have.
///
/// # Errors
/// It is missing.
pub fn required<'v>(answer: &'v Value, name: &str) -> Result<&'v Value, Failure> {
    answer.get(name).ok_or_else(|| Failure::strange_answer(name))
}
