//! The proofs of one document: one, a set, a chain (VC Data Integrity 1.0, sections 2.1.1 and 2.1.2).

use super::{Proof, malformed, missing, unsupported};
use crate::constraint::Quoted;
use crate::denial::{DenialCode, Reason};
use crate::json::members::Path;
use crate::json::{Object, Value};
use crate::limits::PROOFS;

/// The proofs of a document, at least one, in their order.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // one is the rule, and is not to cost an allocation
pub(crate) enum Proofs<'a> {
    /// One, as an object or alone in an array.
    One {
        proof: Proof<'a>,
        listed: bool,
    },
    Several(Vec<Proof<'a>>),
}

impl<'a> Proofs<'a> {
    /// Reads the proofs of a document; `at` is where the document stands.
    pub(crate) fn read(document: &'a Object, at: &Path<'_>) -> Result<Self, Reason> {
        let here = at.member("proof");
        match document.get("proof") {
            None | Some(Value::Null) => Err(missing(&here, "the document has no proof: sign it")),
            Some(Value::Object(object)) => Ok(Self::One {
                proof: alone(Proof::read(document, object, &here)?, &here)?,
                listed: false,
            }),
            Some(Value::Array(items)) => Self::read_list(document, items, &here),
            Some(_) => Err(malformed(&here, "a proof is an object")),
        }
    }

    fn read_list(document: &'a Object, items: &'a [Value], here: &Path<'_>) -> Result<Self, Reason> {
        let read = |index: usize, item: &'a Value| {
            let at = here.item(index);
            let object = item.as_object().ok_or_else(|| malformed(&at, "a proof is an object"))?;
            Proof::read(document, object, &at)
        };
        match items {
            [] => Err(missing(here, "the list of proofs is empty: sign the document")),
            [only] => Ok(Self::One {
                proof: alone(read(0, only)?, &here.item(0))?,
                listed: true,
            }),
            _ if items.len() > PROOFS => {
                let text = format!("{} proofs, and at most {PROOFS} are verified", items.len());
                Err(unsupported(here, &text))
            }
            _ => {
                let proofs = items.iter().enumerate().map(|(index, item)| read(index, item));
                let proofs = proofs.collect::<Result<Vec<_>, _>>()?;
                check_distinct(&proofs, here)?;
                check_chain(&proofs, here)?;
                Ok(Self::Several(proofs))
            }
        }
    }

    pub(crate) const fn as_slice(&self) -> &[Proof<'a>] {
        match self {
            Self::One { proof, .. } => std::slice::from_ref(proof),
            Self::Several(proofs) => proofs.as_slice(),
        }
    }

    /// Applies a check to every proof, each with where it stands; `at` is where the document does.
    pub(crate) fn try_each(
        &self,
        at: &Path<'_>,
        mut check: impl FnMut(&Proof<'a>, &Path<'_>) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let here = at.member("proof");
        match self {
            Self::One { proof, listed: false } => check(proof, &here),
            _ => self
                .as_slice()
                .iter()
                .enumerate()
                .try_for_each(|(index, proof)| check(proof, &here.item(index))),
        }
    }

    /// The proofs that this one builds on, in the document's order.
    pub(crate) fn previous(&self, proof: &Proof<'_>) -> Vec<&'a Object> {
        let named = |other: &&Proof<'a>| other.id.is_some_and(|id| proof.builds_on(id));
        self.as_slice().iter().filter(named).map(|other| other.object).collect()
    }
}

/// A single proof has nothing to build on.
fn alone<'a>(proof: Proof<'a>, here: &Path<'_>) -> Result<Proof<'a>, Reason> {
    match proof.previous_names().next() {
        None => Ok(proof),
        Some(name) => Err(absent(name, here)),
    }
}

fn absent(name: &str, here: &Path<'_>) -> Reason {
    let text = format!(
        "the proof builds on {}, which is not among the document's proofs: send them all",
        Quoted(name)
    );
    broken(here, text)
}

fn broken(here: &Path<'_>, text: String) -> Reason {
    Reason::new(
        DenialCode::ProofChainBroken,
        here.member("previousProof").to_string(),
        text,
    )
}

/// No proof stands there twice, and no two have the same name.
fn check_distinct(proofs: &[Proof<'_>], here: &Path<'_>) -> Result<(), Reason> {
    for (index, proof) in proofs.iter().enumerate() {
        let at = here.item(index);
        for other in proofs.iter().take(index) {
            if other.object == proof.object {
                return Err(malformed(&at, "the same proof twice: send it once"));
            }
            if proof.id.is_some() && other.id == proof.id {
                let text = "two proofs have the same name: give each its own";
                return Err(malformed(&at.member("id"), text));
            }
        }
    }
    Ok(())
}

/// Every previous proof is there, and none builds on itself, however many steps away.
fn check_chain(proofs: &[Proof<'_>], here: &Path<'_>) -> Result<(), Reason> {
    for (index, proof) in proofs.iter().enumerate() {
        for name in proof.previous_names() {
            if !proofs.iter().any(|other| other.id == Some(name)) {
                return Err(absent(name, &here.item(index)));
            }
        }
    }
    // A proof is settled once all that it builds on are; in a circle none ever is.
    let mut settled = vec![false; proofs.len()];
    loop {
        let is_settled = |name: &str| {
            let mut pairs = proofs.iter().zip(&settled);
            pairs.any(|(other, settled)| *settled && other.id == Some(name))
        };
        let next = |(index, settled): (usize, &bool)| {
            let ready = || Some(proofs.get(index)?.previous_names().all(is_settled));
            (!settled && ready() == Some(true)).then_some(index)
        };
        match settled.iter().enumerate().find_map(next) {
            Some(index) => settled.get_mut(index).into_iter().for_each(|one| *one = true),
            None => break,
        }
    }
    match settled.iter().position(|settled| !settled) {
        None => Ok(()),
        Some(index) => {
            let text = "the proofs build on each other in a circle: none of them can have been the first".to_owned();
            Err(broken(&here.item(index), text))
        }
    }
}
