//! From a document to its canonical form: checked as text, expanded by `ssi`'s JSON-LD processor,
//! turned into quads, checked that nothing was lost, and canonicalized.

use super::{HashFunction, LinkedDataError};
use crate::canonical;
use crate::json::Object;
use crate::limits::CREDENTIAL_BYTES;

mod expand;
mod rdf;
mod rdfc;
mod safe;
mod vocabulary;

pub(super) fn canonical(document: &Object, left_out: &[&str], hash: HashFunction) -> Result<String, LinkedDataError> {
    let mut bytes = Vec::new();
    canonical::write_without(document, left_out, &mut bytes);
    if bytes.len() > CREDENTIAL_BYTES {
        return Err(LinkedDataError::TooComplex(
            "the document is too large for a suite on RDF; split it, or use a suite on RFC 8785",
        ));
    }
    let members = safe::Members { document, left_out };
    safe::check_contexts(&members)?;
    let census = safe::Census::of_document(&members);
    safe::check_text(&members)?;
    let expanded = expand::expand(&members)?;
    let strings = safe::strings(&members);
    let graph = rdf::Graph::of(&expanded, &strings)?;
    safe::require_all(&members, &census, &graph.census)?;
    rdfc::canonicalize(&graph.quads, graph.blank_nodes, hash)
}
