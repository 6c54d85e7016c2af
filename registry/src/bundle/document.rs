//! A bundle as a file: one JSON document in canonical form, with a digest over all the rest, so that no byte of it can
//! change unnoticed. The digest guards against accidents; against forgers, everything is checked again.

use multibase::Base;
use syndic_vc::decision::Outcome;
use syndic_vc::did::Did;
use syndic_vc::json::members::{MemberError, Members};
use syndic_vc::json::{self, Object, Value};
use syndic_vc::time::Timestamp;
use syndic_vc::verify::Policy;
use syndic_vc::{canonical, object};

use super::{Bundle, BundleError, BundledKeys, BundledLog, Question, SingleUse, Verifier};
use crate::limits;
use crate::log_keys::Rotation;
use crate::note;

pub(super) fn write(bundle: &Bundle) -> Value {
    let mut document = Object::new();
    document.insert("type", "SyndicDecisionBundle");
    document.insert("version", 1);
    document.insert("consortium", bundle.consortium.as_str());
    let (version, hash) = &bundle.charter;
    document.insert("charter", object! { "version": *version, "hash": hash.as_str() });
    document.insert("time", bundle.time.to_string());
    let policy = &bundle.verifier.policy;
    let verifier = object! {
        "organization": bundle.verifier.organization.as_str(),
        "authority": policy.authority.as_str(),
        "maxStaleness": policy.max_staleness_seconds,
        "witnesses": policy.witnesses,
        "clockSkew": policy.clock_skew_seconds,
    };
    document.insert("verifier", verifier);
    document.insert("request", bundle.question.to_value());
    if let Some(single_use) = bundle.single_use {
        document.insert("singleUse", single_use.word());
    }
    document.insert("keys", bundle.keys.iter().map(keys_of).collect::<Value>());
    document.insert("logs", bundle.logs.iter().map(log).collect::<Value>());
    document.insert("decision", Value::Object(bundle.decision.clone()));
    let digest = digest(&document);
    document.insert("digest", digest);
    Value::Object(document)
}

fn keys_of(keys: &BundledKeys) -> Value {
    object! {
        "organization": keys.organization.as_str(),
        "rotations": keys.rotations.iter().map(Rotation::to_value).collect::<Value>(),
    }
}

fn log(log: &BundledLog) -> Value {
    let mut members = Object::new();
    members.insert("organization", log.organization.as_str());
    if let Some(checkpoint) = &log.checkpoint {
        members.insert("checkpoint", checkpoint.as_str());
    }
    // Every entry is a statement, which is text.
    let entries = log
        .entries
        .iter()
        .map(|entry| String::from_utf8_lossy(entry).into_owned());
    members.insert("entries", entries.map(Value::from).collect::<Value>());
    members.insert("cosignatures", base64(&log.cosignatures));
    if let Some(fork) = &log.fork {
        members.insert("fork", Base::Base64Pad.encode(fork));
        members.insert("salvaged", base64(&log.salvaged));
    }
    Value::Object(members)
}

fn base64(all: &[Vec<u8>]) -> Value {
    all.iter().map(|one| Value::from(Base::Base64Pad.encode(one))).collect()
}

pub(super) fn digest(document: &Object) -> String {
    Base::Base64Pad.encode(canonical::digest(&Value::Object(document.clone())))
}

pub(super) fn read(bytes: &[u8]) -> Result<Bundle, BundleError> {
    // A newline at the end is what editors and shells add.
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.len() > limits::BUNDLE_BYTES {
        return Err(BundleError::TooLarge);
    }
    let value = json::parse_with(
        bytes,
        &json::Limits {
            body_bytes: limits::BUNDLE_BYTES,
            nodes: limits::BUNDLE_VALUES,
            string_bytes: limits::BUNDLE_BYTES,
            ..json::Limits::default()
        },
    )?;
    if canonical::to_bytes(&value) != bytes {
        return Err(BundleError::NotCanonical);
    }
    let document = Members::of(&value, "")?;
    document.literal("type", "SyndicDecisionBundle", "the type \"SyndicDecisionBundle\"")?;
    if document.integer("version")? != 1 {
        return Err(document.error("version", "1; other versions are not known here").into());
    }
    let named = document.str("digest")?;
    let verifier = verifier(&document.object("verifier")?)?;
    let decision = document.object("decision")?;
    let outcome = [Outcome::Allow, Outcome::Deny, Outcome::ApprovalRequired]
        .into_iter()
        .find(|outcome| Some(outcome.as_str()) == decision.optional("decision").and_then(Value::as_str))
        .ok_or_else(|| decision.error("decision", "allow, deny or approvalRequired"))?;
    let single_use = match document.optional_str("singleUse")? {
        None => None,
        Some(text) => Some(SingleUse::parse(text).ok_or_else(|| {
            document.error(
                "singleUse",
                "accepted, used, expired, unknown or exceeded with a number",
            )
        })?),
    };
    let own = verifier.organization.as_str().to_owned();
    let charter = document.object("charter")?;
    let bundle = Bundle {
        consortium: document.str("consortium")?.to_owned(),
        charter: (small(&charter, "version")?, charter.str("hash")?.to_owned()),
        time: time(&document, "time")?,
        question: Question::read(document.required("request")?, &own)?,
        single_use,
        keys: keys(&document)?,
        logs: logs(&document)?,
        decision: document.required("decision")?.as_object().cloned().unwrap_or_default(),
        outcome,
        verifier,
    };
    charter.finish_closed()?;
    document.finish_closed()?;
    // What is not said again in the same words was not understood.
    let again = bundle.to_value();
    if again.get("digest").and_then(Value::as_str) != Some(named) {
        return Err(BundleError::Digest);
    }
    if again != value {
        return Err(BundleError::NotCanonical);
    }
    Ok(bundle)
}

fn time(members: &Members<'_, '_>, name: &str) -> Result<Timestamp, MemberError> {
    Timestamp::parse(members.str(name)?).map_err(|_| members.error(name, "a time like 2026-11-24T22:50:53Z"))
}

fn did(members: &Members<'_, '_>, name: &str) -> Result<Did, MemberError> {
    Did::parse(members.str(name)?).map_err(|_| members.error(name, "a DID"))
}

fn small(members: &Members<'_, '_>, name: &str) -> Result<u32, MemberError> {
    u32::try_from(members.integer(name)?).map_err(|_| members.error(name, "a whole number, 0 or more"))
}

fn verifier(members: &Members<'_, '_>) -> Result<Verifier, MemberError> {
    let verifier = Verifier {
        organization: did(members, "organization")?,
        policy: Policy {
            authority: members.str("authority")?.to_owned(),
            max_staleness_seconds: small(members, "maxStaleness")?,
            witnesses: small(members, "witnesses")?,
            clock_skew_seconds: small(members, "clockSkew")?,
        },
    };
    members.finish_closed()?;
    Ok(verifier)
}

fn keys(document: &Members<'_, '_>) -> Result<Vec<BundledKeys>, MemberError> {
    let place = document.at("keys");
    let mut keys: Vec<BundledKeys> = Vec::new();
    for (at, item) in document.array("keys")?.iter().enumerate() {
        let members = Members::of(item, place.item(at))?;
        let place = members.at("rotations");
        let rotations = members.array("rotations")?.iter().enumerate();
        let one = BundledKeys {
            organization: did(&members, "organization")?,
            rotations: rotations
                .map(|(at, rotation)| Rotation::from_value(rotation, place.item(at)))
                .collect::<Result<_, _>>()?,
        };
        members.finish_closed()?;
        let disorder = keys.last().is_some_and(|last| last.organization >= one.organization);
        if disorder || one.rotations.is_empty() {
            return Err(document.error(
                "keys",
                "rotations, in ascending order of their organizations, each once",
            ));
        }
        keys.push(one);
    }
    Ok(keys)
}

fn bytes(members: &Members<'_, '_>, name: &str, items: &[Value]) -> Result<Vec<Vec<u8>>, MemberError> {
    items
        .iter()
        .map(|one| one.as_str().and_then(note::decode_base64))
        .collect::<Option<_>>()
        .ok_or_else(|| members.error(name, "base64 texts"))
}

fn logs(document: &Members<'_, '_>) -> Result<Vec<BundledLog>, MemberError> {
    let place = document.at("logs");
    let mut logs: Vec<BundledLog> = Vec::new();
    for (at, item) in document.array("logs")?.iter().enumerate() {
        let members = Members::of(item, place.item(at))?;
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let log = BundledLog {
            organization: did(&members, "organization")?,
            checkpoint: members.optional_str("checkpoint")?.map(ToOwned::to_owned),
            entries: members
                .array("entries")?
                .iter()
                .map(|entry| text(entry).map(String::into_bytes))
                .collect::<Option<_>>()
                .ok_or_else(|| members.error("entries", "texts"))?,
            cosignatures: bytes(&members, "cosignatures", members.array("cosignatures")?)?,
            fork: match members.optional_str("fork")? {
                None => None,
                Some(proof) => Some(note::decode_base64(proof).ok_or_else(|| members.error("fork", "base64"))?),
            },
            salvaged: bytes(
                &members,
                "salvaged",
                members.optional_array("salvaged")?.unwrap_or_default(),
            )?,
        };
        members.finish_closed()?;
        if logs.last().is_some_and(|last| last.organization >= log.organization) {
            return Err(document.error("logs", "logs in ascending order of their organizations, each once"));
        }
        logs.push(log);
    }
    Ok(logs)
}
