//! Expansion by `ssi`'s JSON-LD processor, with the bundled contexts alone.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ssi::json_ld::expansion::{self, Action};
use ssi::json_ld::syntax::{self, NumberBuf, Parse};
use ssi::json_ld::{Expand, Iri, IriBuf, LoadError, Loader, RemoteDocument};

use super::super::{LinkedDataError, contexts};
use super::safe::{self, Members};
use crate::json::Value;

pub(super) type Expanded = ssi::json_ld::ExpandedDocument<IriBuf, ssi::json_ld::BlankIdBuf>;

/// Answers with bundled contexts, at once.
struct Bundled;

#[derive(Debug, thiserror::Error)]
#[error("not bundled")]
struct NotBundled;

impl Loader for Bundled {
    async fn load(&self, url: &Iri) -> Result<RemoteDocument<IriBuf>, LoadError> {
        contexts::context(url.as_str())
            .and_then(|text| syntax::Value::parse_str(text).ok())
            .map(|(document, _)| RemoteDocument::new(Some(url.to_owned()), None, document))
            .ok_or_else(|| LoadError::new(url.to_owned(), NotBundled))
    }
}

/// The expanded form of a document.
pub(super) fn expand(members: &Members<'_>) -> Result<Expanded, LinkedDataError> {
    let mut object = syntax::Object::new();
    for (name, value) in members.iter() {
        object.insert(name.into(), json(value)?);
    }
    let document = syntax::Value::Object(object);
    let options = expansion::Options {
        policy: expansion::Policy {
            invalid: Action::Reject,
            vocab: Action::Keep,
            allow_undefined: false,
        },
        ..expansion::Options::default()
    };
    let mut vocabulary = ();
    let future = document.expand_full(
        &mut vocabulary,
        ssi::json_ld::context_processing::Context::default(),
        None,
        &Bundled,
        options,
        (),
    );
    at_once(future)
        .ok_or_else(|| LinkedDataError::unsafe_at("", "the document's contexts could not be read"))?
        .map_err(|error| refusal(members, &error))
}

fn refusal(members: &Members<'_>, error: &expansion::Error) -> LinkedDataError {
    match error {
        expansion::Error::KeyExpansionFailed(name) => LinkedDataError::unsafe_at(
            safe::find_member(members, name).unwrap_or_default(),
            "no context of the document defines this member, so it would not be signed: \
             define it in a context, or leave it out",
        ),
        expansion::Error::InvalidTypeValue => LinkedDataError::unsafe_at(
            "/type",
            "no context of the document defines one of the types: name a context that does",
        ),
        error => LinkedDataError::unsafe_at("", format!("JSON-LD cannot expand the document: {error}")),
    }
}

/// The result of a future that never waits, since its loader does not.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// The same value for the JSON-LD processor, numbers as they print canonically.
fn json(value: &Value) -> Result<syntax::Value, LinkedDataError> {
    Ok(match value {
        Value::Null => syntax::Value::Null,
        Value::Bool(truth) => syntax::Value::Boolean(*truth),
        Value::Number(number) => syntax::Value::Number(
            number
                .to_string()
                .parse::<NumberBuf>()
                .map_err(|_| LinkedDataError::unsafe_at("", format!("the number {number} cannot be read")))?,
        ),
        Value::String(text) => syntax::Value::String(text.as_str().into()),
        Value::Array(items) => syntax::Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Value::Object(members) => {
            let mut object = syntax::Object::new();
            for (name, value) in members {
                object.insert(name.into(), json(value)?);
            }
            syntax::Value::Object(object)
        }
    })
}
