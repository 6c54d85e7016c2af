//! Papers that are not what they seem.

use syndic_vc::did_key;
use syndic_vc::document::Purpose;
use syndic_vc::json::Value;
use syndic_vc::key::SecretKey;
use syndic_vc::proof::{self, ProofOptions};

use super::agents::Cast;
use super::decisions::deny;
use super::error::DemoError;
use super::hospital::Hospital;
use super::report::Report;
use crate::{clock, keys};

/// A day.
const DAY: i64 = 86_400;

/// Shows three bad credentials to the other hospitals.
pub(super) fn refuse(
    cast: &Cast,
    mary: &Hospital,
    nordstadt: &Hospital,
    lakeside: &Hospital,
    report: &mut Report,
) -> Result<(), DemoError> {
    let genuine = &cast.support.credential;
    report.begin("A forged credential: the limit of 100 USD was changed to 100000 after it was signed");
    let forged = with_limit(genuine, "100000")?;
    let what = "a credential with another limit than was signed";
    report.judge(lakeside, what, &lakeside.verify(&forged)?, deny("signature-invalid"))?;

    report.begin("A forged credential: the limit changed, and signed anew with a key that is not St. Mary's");
    let decision = lakeside.verify(&signed_by_a_stranger(forged)?)?;
    let what = "a credential signed by a stranger in St. Mary's name";
    report.judge(lakeside, what, &decision, deny("verification-method-foreign"))?;

    report.begin("A genuine credential that expired yesterday");
    let mut grant = cast.support.grant.clone();
    for (name, days) in [("validFrom", 2), ("validUntil", 1)] {
        let time = clock::now()
            .checked_add_seconds(-days * DAY)
            .ok_or_else(|| DemoError::new("the clock is wrong"))?;
        grant.insert(name, time.to_string());
    }
    let expired = mary.issue(&cast.support.name, grant)?;
    report.judge(
        nordstadt,
        "a credential of the day before",
        &nordstadt.verify(&expired)?,
        deny("expired"),
    )
}

/// The same credential with another limit in it; the proof stays as it was.
fn with_limit(credential: &Value, limit: &str) -> Result<Value, DemoError> {
    let mut forged = credential.clone();
    if raise_limits(&mut forged, limit) {
        Ok(forged)
    } else {
        Err(DemoError::new("the credential has no limit to forge"))
    }
}

/// Sets the maximum of every `range` constraint; whether there was one.
fn raise_limits(value: &mut Value, limit: &str) -> bool {
    let mut found = false;
    match value {
        Value::Array(items) => {
            for item in items {
                found |= raise_limits(item, limit);
            }
        }
        Value::Object(object) => {
            found = object.get("type").and_then(Value::as_str) == Some("range");
            if found {
                object.insert("maximum", limit);
            }
            let names: Vec<String> = object.keys().map(ToOwned::to_owned).collect();
            for name in names {
                found |= object.get_mut(&name).is_some_and(|inner| raise_limits(inner, limit));
            }
        }
        _ => {}
    }
    found
}

fn signed_by_a_stranger(credential: Value) -> Result<Value, DemoError> {
    let failed = |error: &dyn std::fmt::Display| DemoError::new(error.to_string());
    let stranger = SecretKey::from_seed(keys::random_seed().map_err(|error| failed(&error))?);
    let multikey = stranger.public_key().to_multikey();
    let method = format!("{}#{multikey}", did_key::for_key(stranger.public_key()));
    let document = credential
        .into_object()
        .map_err(|_| DemoError::new("a credential is no object"))?;
    let options = ProofOptions::new(Purpose::AssertionMethod, &method, clock::now());
    proof::sign(document, &options, &stranger).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use syndic_vc::object;

    #[test]
    fn a_forgery_changes_the_limit_and_nothing_else() {
        let range = |maximum| object! { "type": "range", "parameter": "amount", "maximum": maximum };
        let credential = |maximum| {
            let constraint = vec![object! { "type": "hours" }, range(maximum)];
            object! { "credentialSubject": object! { "capability": vec![object! { "constraint": constraint }] }, "proof": 1 }
        };
        assert_eq!(with_limit(&credential("100"), "100000").unwrap(), credential("100000"));
        assert!(with_limit(&object! { "proof": 1 }, "100000").is_err());
    }
}
