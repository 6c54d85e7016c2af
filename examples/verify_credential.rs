//! Verifies a credential file without a node: the caller says whom it trusts.
//!
//!     cargo run -p syndic-examples --example verify_credential -- support.json did:key:z6Mk... [REVOKED_INDEX...]
//!
//! The file is what `syndic credential issue --out` wrote; the DID is the issuer's. Prints the decision as JSON and
//! ends with 0 if it is "allow", with 3 if not.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use syndic_examples::Memory;
use syndic_vc::decision::{Decision, Outcome};
use syndic_vc::did::Did;
use syndic_vc::json::{self, Value};
use syndic_vc::time::Timestamp;
use syndic_vc::verify::{self, Policy};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(issuer)) = (arguments.next(), arguments.next()) else {
        return Err("usage: verify_credential FILE ISSUER_DID [REVOKED_INDEX...]".into());
    };
    let text = std::fs::read(&file).map_err(|error| format!("{file}: {error}"))?;
    let list = status_list(&text).unwrap_or_default();
    let revoked: Vec<u64> = arguments.map(|index| index.parse()).collect::<Result<_, _>>()?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let now = Timestamp::from_unix_seconds(now)?;

    // What a node would have from its consortium, this program has from its caller, now.
    let knowledge = Memory {
        trusted: [Did::parse(&issuer)?].into(),
        revoked: revoked.into_iter().map(|index| (list.clone(), index)).collect(),
        as_of: now,
    };
    let policy = Policy {
        authority: "me".to_owned(),
        max_staleness_seconds: 300,
        witnesses: 0,
        clock_skew_seconds: 30,
    };
    let outcome = verify::credential(&text, &policy, &knowledge, now);
    let decision = Decision::of(&outcome);
    write(&Value::from(decision.to_object()))?;
    Ok(if decision.outcome() == Outcome::Allow {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(3)
    })
}

/// The URL of the list in which the credential has its entry.
fn status_list(text: &[u8]) -> Option<String> {
    let document = json::parse(text).ok()?;
    Some(
        document
            .get("credentialStatus")?
            .get("statusListCredential")?
            .as_str()?
            .to_owned(),
    )
}

fn write(value: &Value) -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(&syndic_vc::canonical::to_bytes(value))?;
    out.write_all(b"\n")
}
