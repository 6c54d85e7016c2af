//! The registry as plain files: the charter, and every organization's log as C2SP tlog-tiles.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use syndic_registry::cosignature;
use syndic_registry::tile::{self, TilePath};

use crate::api::{answer, schema};
use crate::http::problem::Problem;
use crate::node::Node;

/// A tile never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// A checkpoint may be replaced at any moment.
const FRESH: &str = "no-cache";

/// `GET /charter`
#[utoipa::path(
    get,
    path = "/charter",
    tag = "registry",
    responses((status = 200, description = "the charter: its first version, or all versions as a chain; canonical", body = schema::Document), schema::Refused),
)]
pub async fn charter(State(node): State<Arc<Node>>) -> Response {
    cached(
        answer::with_type(StatusCode::OK, "application/json", node.chain().to_file()),
        FRESH,
    )
}

/// `GET /logs/{organization}/{path}`
///
/// # Errors
/// 400 for a path that the layout does not have, 404 for what is not there.
#[utoipa::path(
    get,
    path = "/logs/{organization}/{path}",
    tag = "registry",
    params(("organization" = String, Path, description = "the member's DID"), ("path" = String, Path, description = "`checkpoint`, `tile/L/N` or `tile/entries/N`")),
    responses((status = 200, description = "a checkpoint (text) or a tile (bytes), as C2SP lays them out", content((String = "text/plain"), (Vec<u8> = "application/octet-stream"))), schema::Refused),
)]
pub async fn file(
    State(node): State<Arc<Node>>,
    Path((organization, path)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let charter = node.charter();
    // What a removed member said stays here, for whoever must look it up.
    if charter.member(&organization).is_none() && charter.removed_by(&organization).is_none() {
        return Err(Problem::not_found(format!(
            "{organization:?} is no member of this consortium; GET /charter lists them"
        )));
    }
    let wanted = tile::parse_path(&path).ok_or_else(|| {
        Problem::bad_request(format!(
            "{path:?} is no file of a log; there are checkpoint, tile/<L>/<N>[.p/<W>] and tile/entries/<N>[.p/<W>]"
        ))
    })?;
    let bytes = match wanted {
        TilePath::Checkpoint => checkpoint(&node, &organization)?,
        TilePath::Hashes { .. } | TilePath::Entries { .. } => tile::read(wanted, &organization, node.reader())?,
    };
    let bytes = bytes.ok_or_else(|| Problem::not_found(format!("the log has no {path} (yet)")))?;
    let (media_type, caching) = match wanted {
        TilePath::Checkpoint => ("text/plain; charset=utf-8", FRESH),
        // Partial tiles never change either: their width is part of their name.
        TilePath::Hashes { .. } | TilePath::Entries { .. } => ("application/octet-stream", IMMUTABLE),
    };
    Ok(cached(answer::with_type(StatusCode::OK, media_type, bytes), caching))
}

/// The newest head, with a line for each member that is known to have cosigned just it.
fn checkpoint(node: &Node, organization: &str) -> Result<Option<Vec<u8>>, Problem> {
    let view = node.view();
    let Some(head) = view.log(organization)?.head else {
        return Ok(None);
    };
    let cosignatures = view.cosignatures(organization)?;
    let note = cosignature::with_lines(&node.consortium, &head, &cosignatures);
    Ok(Some(note.into_bytes()))
}

fn cached(mut response: Response, value: &'static str) -> Response {
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    response
}
