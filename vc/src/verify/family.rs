//! Which credentials of a presentation others in it were handed on from.

use std::cell::OnceCell;

use crate::credential::{CAPABILITY_CREDENTIAL_TYPE, digest};
use crate::did::Did;
use crate::enveloped;
use crate::json::Value;
use crate::limits::ANCESTORS;

/// Who follows from whom, by what the credentials claim: nothing is checked here.
pub(super) struct Family {
    members: Vec<Kin>,
}

struct Kin {
    /// The credential it says it was handed on from.
    delegated: bool,
    /// The one of these that this is.
    parent: Option<usize>,
    /// Whether one of these was handed on from it, and it is about another than the holder.
    is_ancestor: bool,
    /// Whether it was in a chain that was asked for.
    used: bool,
}

/// In any other credential `delegatedFrom` is a claim among others.
fn is_capability(document: &Value) -> bool {
    let types = document.get("type").and_then(Value::as_array);
    types.is_some_and(|types| types.iter().any(|one| one.as_str() == Some(CAPABILITY_CREDENTIAL_TYPE)))
}

impl Family {
    pub(super) fn of(items: &[Value], holder: &Did) -> Self {
        // What is no credential is refused when its turn comes.
        let opened: Vec<_> = items.iter().map(|item| enveloped::document_of(item).ok()).collect();
        let member = |index: usize, path: &[&str]| {
            let document = opened.get(index)?.as_deref()?;
            let end = path.iter().try_fold(document, |value, name| value.get(name));
            end?.as_str()
        };
        // Each is hashed once at most, however many name it.
        let digests: Vec<OnceCell<String>> = items.iter().map(|_| OnceCell::new()).collect();
        let digest_of = |index: usize| {
            let document = opened.get(index)?.as_deref()?;
            Some(digests.get(index)?.get_or_init(|| digest(document)).as_str())
        };
        let parent_of = |index: usize| {
            let (id, named) = (
                member(index, &["delegatedFrom", "id"])?,
                member(index, &["delegatedFrom", "digest"])?,
            );
            let same_id = |other: &usize| member(*other, &["id"]) == Some(id);
            let candidates: Vec<usize> = (0..items.len()).filter(same_id).collect();
            // Only the digest tells two of one id apart.
            let exact = candidates.iter().find(|other| digest_of(**other) == Some(named));
            exact.or(candidates.first()).copied()
        };
        let delegated = |index: usize| {
            let document = opened.get(index).and_then(Option::as_deref);
            document.is_some_and(|document| document.get("delegatedFrom").is_some() && is_capability(document))
        };
        let parents: Vec<Option<usize>> = (0..items.len()).map(parent_of).collect();
        let kin = |(index, parent): (usize, &Option<usize>)| Kin {
            delegated: delegated(index),
            parent: *parent,
            is_ancestor: parents.contains(&Some(index))
                && member(index, &["credentialSubject", "id"]) != Some(holder.as_str()),
            used: false,
        };
        Self {
            members: parents.iter().enumerate().map(kin).collect(),
        }
    }

    pub(super) fn is_ancestor(&self, index: usize) -> bool {
        self.members.get(index).is_some_and(|one| one.is_ancestor)
    }

    pub(super) fn is_delegated(&self, index: usize) -> bool {
        self.members.get(index).is_some_and(|one| one.delegated)
    }

    /// The places of a credential and those above it, as far as they are there.
    pub(super) fn chain(&mut self, index: usize) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut next = Some(index);
        while let Some(index) = next
            && chain.len() <= ANCESTORS
            && let Some(one) = self.members.get_mut(index)
        {
            one.used = true;
            chain.push(index);
            next = one.parent;
        }
        chain
    }

    /// The first that is somebody else's and was in no chain.
    pub(super) fn unused(&self) -> Option<usize> {
        self.members.iter().position(|one| one.is_ancestor && !one.used)
    }
}
