//! From signed claims and disclosures to the claims that are shown (RFC 9901 section 7.1).

use std::collections::{BTreeMap, BTreeSet};

use super::disclosure::{Disclosure, is_reserved};
use super::{ALWAYS_SHOWN, DIGEST_ALGORITHM, invalid};
use crate::denial::Reason;
use crate::json::members::Path;
use crate::json::{Object, Value};
use crate::limits::{DISCLOSED_DEPTH, DISCLOSURE_DIGESTS};

/// The claims that are shown, and where each disclosure went.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub(crate) claims: Object,
    pub(super) revealed: Vec<Revealed>,
}

/// A claim that a disclosure shows.
#[derive(Debug)]
pub(super) struct Revealed {
    /// JSON Pointer into the claims.
    pub(super) pointer: String,
    /// Which disclosure.
    pub(super) disclosure: usize,
    /// The disclosure whose value this one is part of.
    pub(super) within: Option<usize>,
}

impl Unpacked {
    /// Puts the disclosures where the signed payload refers to them.
    pub(crate) fn of(payload: &Object, disclosures: &[&str]) -> Result<Self, Reason> {
        let mut payload = payload.clone();
        match payload.remove("_sd_alg") {
            None => {}
            Some(alg) if alg.as_str() == Some(DIGEST_ALGORITHM) => {}
            Some(_) => return Err(invalid("/_sd_alg", "only sha-256 is verified here: issue it with that")),
        }
        let mut unpacker = Unpacker::default();
        for (index, text) in disclosures.iter().enumerate() {
            let disclosure = Disclosure::read(text)?;
            let digest = disclosure.digest.clone();
            if unpacker.unused.insert(digest, (index, disclosure)).is_some() {
                return Err(invalid("", "a disclosure is there twice: send each once"));
            }
        }
        let place = Place {
            at: Path::ROOT,
            depth: 0,
            within: None,
        };
        let claims = unpacker.object(payload, &place)?;
        if unpacker.unused.is_empty() {
            let mut revealed = unpacker.revealed;
            revealed.sort_by_key(|one| one.disclosure);
            Ok(Self { claims, revealed })
        } else {
            Err(invalid("", "nothing that was signed refers to one of the disclosures"))
        }
    }
}

/// Where in the claims the walk is.
struct Place<'p> {
    at: Path<'p>,
    depth: usize,
    within: Option<usize>,
}

impl<'p> Place<'p> {
    const fn below<'q>(&self, at: Path<'q>) -> Place<'q>
    where
        'p: 'q,
    {
        Place {
            at,
            depth: self.depth + 1,
            within: self.within,
        }
    }
}

#[derive(Default)]
struct Unpacker {
    /// By digest.
    unused: BTreeMap<String, (usize, Disclosure)>,
    /// Every digest that was referred to, decoys included.
    seen: BTreeSet<String>,
    revealed: Vec<Revealed>,
}

impl Unpacker {
    fn value(&mut self, value: Value, place: &Place<'_>) -> Result<Value, Reason> {
        if place.depth > DISCLOSED_DEPTH {
            return Err(invalid(place.at.to_string(), "nested too deep"));
        }
        match value {
            Value::Object(object) => Ok(self.object(object, place)?.into()),
            Value::Array(items) => self.array(items, place).map(Value::Array),
            plain => Ok(plain),
        }
    }

    fn object(&mut self, mut object: Object, place: &Place<'_>) -> Result<Object, Reason> {
        let hidden = object.remove("_sd");
        let mut claims = Object::new();
        for (name, value) in object {
            let at = place.at.member(&name);
            if is_reserved(&name) || name == "_sd_alg" {
                return Err(invalid(
                    at.to_string(),
                    "this name has a meaning of its own, and not here",
                ));
            }
            let value = self.value(value, &place.below(at))?;
            claims.insert(&name, value);
        }
        let Some(hidden) = hidden else {
            return Ok(claims);
        };
        let sd_at = place.at.member("_sd");
        let digests = hidden
            .as_array()
            .ok_or_else(|| invalid(sd_at.to_string(), "_sd is an array of digests"))?;
        for digest in digests {
            let Some((index, disclosure)) = self.take(digest, &sd_at)? else {
                continue;
            };
            let Some(name) = disclosure.name else {
                return Err(invalid(
                    sd_at.to_string(),
                    "a member is shown by a disclosure without a name",
                ));
            };
            let at = place.at.member(&name);
            if claims.contains_key(&name) {
                return Err(invalid(at.to_string(), "a disclosure would overwrite this claim"));
            }
            if place.depth == 0 && ALWAYS_SHOWN.contains(&name.as_str()) {
                return Err(invalid(
                    at.to_string(),
                    "this claim may not be hidden: issue it in the open",
                ));
            }
            let mut inner = place.below(at);
            self.reveal(index, &mut inner);
            let value = self.value(disclosure.value, &inner)?;
            claims.insert(&name, value);
        }
        Ok(claims)
    }

    fn array(&mut self, items: Vec<Value>, place: &Place<'_>) -> Result<Vec<Value>, Reason> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            let at = place.at;
            let at = at.item(out.len());
            let Some(digest) = item.get("...") else {
                out.push(self.value(item, &place.below(at))?);
                continue;
            };
            if item.as_object().is_none_or(|object| object.len() != 1) {
                return Err(invalid(at.to_string(), "a hidden item has no other member than ..."));
            }
            let Some((index, disclosure)) = self.take(digest, &at)? else {
                continue;
            };
            if disclosure.name.is_some() {
                return Err(invalid(at.to_string(), "an item is shown by a disclosure with a name"));
            }
            let mut inner = place.below(at);
            self.reveal(index, &mut inner);
            out.push(self.value(disclosure.value, &inner)?);
        }
        Ok(out)
    }

    /// The disclosure of a digest, if it is shown. No digest stands anywhere twice.
    fn take(&mut self, digest: &Value, at: &Path<'_>) -> Result<Option<(usize, Disclosure)>, Reason> {
        let Some(digest) = digest.as_str() else {
            return Err(invalid(at.to_string(), "a digest is a string"));
        };
        if self.seen.len() >= DISCLOSURE_DIGESTS {
            return Err(invalid(at.to_string(), "too many digests: issue fewer decoys"));
        }
        if !self.seen.insert(digest.to_owned()) {
            return Err(invalid(at.to_string(), "a digest is there twice"));
        }
        Ok(self.unused.remove(digest))
    }

    fn reveal(&mut self, disclosure: usize, place: &mut Place<'_>) {
        self.revealed.push(Revealed {
            pointer: place.at.to_string(),
            disclosure,
            within: place.within,
        });
        place.within = Some(disclosure);
    }
}
