//! Makes the vectors, with fixed keys and times.

#![allow(unreachable_pub)]

mod action;
mod credential;
mod delegation;
mod presentation;
mod suites;
mod token;

use std::sync::Arc;

use syndic_vc::canonical;
use syndic_vc::capability::ResourcePattern;
use syndic_vc::document::{DidDocument, Purpose};
use syndic_vc::json::{Object, Value};
use syndic_vc::object;
use syndic_vc::proof::{self, ProofOptions};

use crate::world::*;

/// One vector.
pub struct Vector {
    pub folder: &'static str,
    pub name: &'static str,
    input: Input,
    known: Known,
    once: Once,
    challenge: &'static str,
    domain: &'static str,
    expect: (&'static str, &'static str, &'static str),
    needs: Option<&'static str>,
}

enum Input {
    Document(Value),
    Text(String),
}

pub fn all() -> Vec<Vector> {
    let mut all = credential::all();
    all.extend(suites::all());
    all.extend(presentation::all());
    all.extend(action::all());
    all.extend(delegation::all());
    all.extend(token::all());
    all
}

impl Vector {
    fn new(folder: &'static str, name: &'static str, input: Value) -> Vector {
        Vector {
            folder,
            name,
            input: Input::Document(input),
            known: Known::new(),
            once: Once::new(),
            challenge: CHALLENGE,
            domain: DOMAIN,
            expect: ("allow", "", ""),
            needs: None,
        }
    }

    fn text(mut self, text: String) -> Vector {
        self.input = Input::Text(text);
        self
    }

    fn known(mut self, change: impl FnOnce(&mut Known)) -> Vector {
        change(&mut self.known);
        self
    }

    fn once(mut self, change: impl FnOnce(&mut Once)) -> Vector {
        change(&mut self.once);
        self
    }

    fn denied(mut self, code: &'static str, at: &'static str) -> Vector {
        self.expect = ("deny", code, at);
        self
    }

    fn pending(mut self, at: &'static str) -> Vector {
        self.expect = ("approvalRequired", "approval-required", at);
        self
    }

    /// What a verifier must have been built with.
    #[cfg(feature = "linked-data")]
    fn needs(mut self, feature: &'static str) -> Vector {
        self.needs = Some(feature);
        self
    }

    pub fn to_json(&self) -> Value {
        let mut vector = Object::new();
        match &self.input {
            Input::Document(document) => vector.insert("input", document.clone()),
            Input::Text(text) => vector.insert("text", text.as_str()),
        };
        if let Some(feature) = self.needs {
            vector.insert("needs", feature);
        }
        let policy = policy();
        vector.insert("now", NOW);
        vector.insert(
            "policy",
            object! {
                "authority": policy.authority,
                "maxStalenessSeconds": policy.max_staleness_seconds,
                "clockSkewSeconds": policy.clock_skew_seconds,
            },
        );
        let mut knowledge = self.known.to_json();
        match self.folder {
            "presentation" | "sd-jwt" => {
                vector.insert(
                    "request",
                    object! { "challenge": self.challenge, "domain": self.domain },
                );
                self.once.write(&mut knowledge);
            }
            "action" => {
                vector.insert("request", object! { "audience": south().did.as_str() });
                self.once.write(&mut knowledge);
            }
            _ => {}
        }
        vector.insert("knowledge", knowledge);
        let (decision, code, at) = self.expect;
        vector.insert("expect", object! { "decision": decision, "code": code, "at": at });
        vector.into()
    }
}

/// Signs a document that no draft would make.
fn sign_raw(document: Value, purpose: Purpose, by: &Party) -> Value {
    sign_with(document, &ProofOptions::new(purpose, &by.method(), after(-2)), by)
}

fn sign_with(document: Value, options: &ProofOptions, by: &Party) -> Value {
    proof::sign(document.into_object().unwrap(), options, by.signer()).unwrap()
}

/// Sets the member that a path of names and indexes leads to.
fn set(document: &mut Value, path: &[&str], value: impl Into<Value>) {
    let (last, way) = path.split_last().unwrap();
    let mut here = document;
    for step in way {
        here = match here {
            Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
            other => other.as_object_mut().unwrap().get_mut(step).unwrap(),
        };
    }
    match here {
        Value::Array(items) => items[last.parse::<usize>().unwrap()] = value.into(),
        other => drop(other.as_object_mut().unwrap().insert(*last, value)),
    }
}

fn take(document: &mut Value, member: &str) {
    document.as_object_mut().unwrap().remove(member).unwrap();
}

fn changed(mut document: Value, path: &[&str], value: impl Into<Value>) -> Value {
    set(&mut document, path, value);
    document
}

/// The same text with one member said twice.
fn doubled(document: &Value, member: &str) -> String {
    let text = String::from_utf8(canonical::to_bytes(document)).unwrap();
    format!("{{\"{member}\":null,{}", &text[1..])
}

/// A document of a did:key that does not list its key for a purpose.
fn document_without(party: &Party, purpose: Purpose) -> Arc<DidDocument> {
    let mut document = syndic_vc::did_key::resolve(&party.did).unwrap();
    match purpose {
        Purpose::AssertionMethod => document.assertion_method.clear(),
        Purpose::Authentication => document.authentication.clear(),
        _ => document.capability_invocation.clear(),
    }
    Arc::new(document)
}

fn pattern(text: &str) -> ResourcePattern {
    ResourcePattern::parse(text).unwrap()
}
