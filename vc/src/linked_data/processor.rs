//! From a document to its canonical form: read by the bundled contexts into quads, and canonicalized.

use super::{HashFunction, LinkedDataError};
use crate::canonical;
use crate::json::Object;
use crate::limits::CREDENTIAL_BYTES;

mod active;
mod definition;
mod literal;
mod rdfc;
mod vocabulary;
mod walk;

pub(super) fn canonical(document: &Object, left_out: &[&str], hash: HashFunction) -> Result<String, LinkedDataError> {
    let mut bytes = Vec::new();
    canonical::write_without(document, left_out, &mut bytes);
    if bytes.len() > CREDENTIAL_BYTES {
        return Err(LinkedDataError::TooComplex(
            "the document is too large for a suite on RDF; split it, or use a suite on RFC 8785",
        ));
    }
    let graph = walk::graph(document, left_out)?;
    rdfc::canonicalize(&graph.quads, graph.blank_nodes, hash)
}

#[cfg(test)]
mod tests;
