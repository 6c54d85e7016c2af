//! The other side of the pipe.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use syndic_tests::program::repository;

use crate::figures::Verdict;

/// How an answer is altered before anybody sees it, to show that somebody would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alteration {
    /// Yes becomes no, no becomes yes.
    Verdict,
    /// One character of what was made is another one.
    Content,
}

/// A process that holds other people's software.
#[derive(Debug)]
pub(crate) struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: u64,
    alteration: Option<Alteration>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// `tests/interop`.
fn folder() -> PathBuf {
    repository().join("tests/interop")
}

/// Whether something that `tests/run` installs is there; says "skipped" if not.
///
/// # Panics
/// It is not, and `SYNDIC_INTEROP=required`, which asks for all that needs nothing but Node.
fn installed(what: &str, path: &Path, with_node: bool) -> bool {
    let wanted = std::env::var("SYNDIC_INTEROP").unwrap_or_default();
    if wanted == "elsewhere" {
        println!("skipped: tests/run has a step of its own for {what}");
        return false;
    }
    if path.exists() {
        return true;
    }
    assert!(wanted != "required" || !with_node, "{} is missing", path.display());
    println!("skipped: {what} is not installed; tests/run installs it");
    false
}

impl Peer {
    /// The npm packages, if they are installed.
    pub(crate) fn start() -> Option<Self> {
        let alteration = match std::env::var("SYNDIC_INTEROP_ALTER").as_deref() {
            Ok("verdict") => Some(Alteration::Verdict),
            Ok("content") => Some(Alteration::Content),
            _ => None,
        };
        Self::start_altered(alteration)
    }

    /// The same, every answer altered.
    pub(crate) fn start_altered(alteration: Option<Alteration>) -> Option<Self> {
        let marker = folder().join("node_modules/installed");
        installed("other people's software (npm)", &marker, true).then(|| {
            let mut command = Command::new("node");
            command.arg("peer.mjs");
            Self::spawn(command, alteration)
        })
    }

    /// PyPI's rfc8785, if it is installed.
    pub(crate) fn python() -> Option<Self> {
        let python = folder().join(".venv/bin/python");
        installed("rfc8785 (PyPI)", &python, false).then(|| {
            let mut command = Command::new(python);
            command.arg("canonical.py");
            Self::spawn(command, None)
        })
    }

    fn spawn(mut command: Command, alteration: Option<Alteration>) -> Self {
        let mut child = command
            .current_dir(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
            asked: 0,
            alteration,
        }
    }

    /// Asks for something; `request` is an object.
    ///
    /// # Panics
    /// The peer is gone, or answers something else.
    pub(crate) fn ask(&mut self, what: &str, mut request: Value) -> Value {
        self.asked += 1;
        request["id"] = self.asked.into();
        request["do"] = what.into();
        writeln!(self.input, "{request}").expect("the peer reads");
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let mut answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("the peer is gone: {error}: {line}"));
        assert_eq!(answer["id"], self.asked, "{answer}");
        if let Some(alteration) = self.alteration {
            alter(&mut answer, alteration);
        }
        answer
    }

    /// What the peer made; what hindered it is a panic, since the peer is asked for nothing that it cannot do.
    ///
    /// # Panics
    /// It made nothing.
    pub(crate) fn made(&mut self, what: &str, request: Value, member: &str) -> Value {
        let answer = self.ask(what, request);
        assert!(answer["error"].is_null(), "{what}: {answer}");
        answer[member].clone()
    }

    /// What the peer says of a document.
    pub(crate) fn judge(&mut self, what: &str, request: Value) -> Verdict {
        let answer = self.ask(what, request);
        Verdict {
            accepted: answer["verified"] == true,
            why: format!("they say {} {}", answer["why"], answer["error"]),
        }
    }

    /// A new key of the peer: its DID and the DID URL of the key.
    pub(crate) fn key(&mut self, kind: &str) -> Key {
        self.key_as(kind, "did:key")
    }

    /// The same under another method: did:key or did:jwk.
    pub(crate) fn key_as(&mut self, kind: &str, method: &str) -> Key {
        let answer = self.ask("key", json!({"kind": kind, "as": method}));
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Key {
            did: text("did"),
            method: text("method"),
            jwk: answer["jwk"].clone(),
        }
    }
}

/// The public half of a key that the peer holds.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// Its did:key or did:jwk.
    pub(crate) did: String,
    /// The DID URL of the key.
    pub(crate) method: String,
    /// The key as a JSON Web Key.
    pub(crate) jwk: Value,
}

fn alter(answer: &mut Value, alteration: Alteration) {
    match alteration {
        Alteration::Verdict => {
            if let Some(verified) = answer["verified"].as_bool() {
                answer["verified"] = (!verified).into();
            }
        }
        Alteration::Content => {
            let made = [
                "/document/proof/proofValue",
                "/jwt",
                "/sdJwt",
                "/canonical/0",
                "/canonical",
                "/lst",
                "/log",
            ];
            let keys = [
                "/document/verificationMethod/0/publicKeyMultibase",
                "/document/verificationMethod/0/publicKeyBase58",
                "/document/verificationMethod/0/publicKeyJwk/x",
                "/credential/credentialSubject/encodedList",
            ];
            for pointer in made.iter().chain(&keys) {
                if let Some(Value::String(text)) = answer.pointer_mut(pointer) {
                    *text = with_another_character(text);
                }
            }
            if let Some(Value::Array(set)) = answer.get_mut("set") {
                set.pop();
            }
        }
    }
}

/// The text with one character in its middle changed, and still of the same alphabet.
pub(crate) fn with_another_character(text: &str) -> String {
    let middle = text.chars().count() / 2;
    text.chars()
        .enumerate()
        .map(|(at, one)| match one {
            _ if at != middle => one,
            'A' => 'B',
            _ => 'A',
        })
        .collect()
}
