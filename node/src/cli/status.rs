//! `status`: how the running node is.

use syndic_vc::json::Value;

use super::connect;
use super::failure::{Exit, Failure};
use super::output::{Output, Page, clean};
use super::{Global, documents};

/// Shown at the end of `syndic status --help`.
pub const EXAMPLE: &str = "\
Example:
  syndic status --data ./st-mary";

/// Asks the node and shows what it says.
///
/// # Errors
/// The node cannot be reached.
pub fn execute(global: &Global, output: &Output) -> Result<Exit, Failure> {
    let status = connect::with_own(global, |node| node.get("/status"))?;
    output.show(&status, |page| compose(page, &status));
    Ok(Exit::Done)
}

fn compose(page: &mut Page, status: &Value) {
    let text = |path: &[&str]| documents::text(status, path);
    let ready = documents::at(status, &["ready"]).and_then(Value::as_bool) == Some(true);
    let word = if ready {
        page.paint().green("ready")
    } else {
        page.paint().red("not ready")
    };
    page.line(format_args!("{}: {word}", clean(&text(&["organization", "name"]))));
    for warning in documents::items(status, "warnings") {
        let warning = warning.as_str().unwrap_or_default();
        let warning = page.paint().red(&clean(warning));
        page.line(warning);
    }
    let connected = documents::at(status, &["peer", "connected"])
        .and_then(Value::as_array)
        .map_or(0, <[Value]>::len);
    page.pairs(&[
        ("DID", text(&["organization", "did"])),
        (
            "consortium",
            format!("{} ({})", text(&["consortium", "name"]), text(&["consortium", "id"])),
        ),
        (
            "charter",
            format!("version {}", text(&["consortium", "charterVersion"])),
        ),
        ("public", text(&["publicUrl"])),
        ("version", text(&["version"])),
        ("connected", format!("{connected} peers")),
        ("agents", text(&["agents"])),
        ("credentials", text(&["credentials"])),
        (
            "log",
            format!("{} statements, root {}", text(&["log", "size"]), text(&["log", "root"])),
        ),
    ]);
    page.line("");
    let rows: Vec<Vec<String>> = documents::items(status, "organizations")
        .iter()
        .map(|organization| {
            let of = |name| documents::text(organization, &[name]);
            let frozen = organization.get("frozen").and_then(Value::as_bool) == Some(true);
            let age = organization.get("ageSeconds").and_then(Value::as_i64);
            vec![
                of("name"),
                of("size"),
                age.map_or_else(|| "never heard".to_owned(), |seconds| format!("{seconds} s ago")),
                if frozen {
                    "frozen: it told two stories"
                } else {
                    "good standing"
                }
                .to_owned(),
                of("did"),
            ]
        })
        .collect();
    page.table(
        &["ORGANIZATION", "STATEMENTS", "HEARD", "STANDING", "DID"],
        &rows,
        "no organizations known yet",
    );
}
