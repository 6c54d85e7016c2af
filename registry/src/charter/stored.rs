//! The chain as it stands in a store: version 1 as it was founded, later ones with their signatures, and two versions that
//! contradict each other apart from them.

use syndic_vc::canonical;
use syndic_vc::json::{self, Value};

use super::{Charter, CharterChain, Conflict, SignedCharter, Taken};
use crate::limits;
use crate::store::{self, Expectation, ReadError, Reader, Write};

impl CharterChain {
    /// The chain that a store holds, walked anew; `None` if it holds none.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot say, or holds what is no chain.
    pub fn stored(reader: &dyn Reader) -> Result<Option<Self>, ReadError> {
        let damaged = |version: u32, what| ReadError::damaged(format!("version {version} of the charter"), what);
        let Some(first) = reader.get(&store::charter(1))? else {
            return Ok(None);
        };
        let founded = Charter::parse(&first).map_err(|_| damaged(1, "it does not verify"))?;
        let Some(mut chain) = Self::new(founded) else {
            return Err(damaged(1, "it is not a first version"));
        };
        let (from, to) = (store::charter(2), store::charter(u32::MAX));
        for (version, (key, row)) in (2..).zip(reader.range(&from, &to, limits::CHARTER_VERSIONS)?) {
            let signed = SignedCharter::parse(&row).map_err(|_| damaged(version, "it does not decode"))?;
            if key != store::charter(version) || chain.take(&signed) != Ok(Taken::New) {
                return Err(damaged(version, "it does not follow the one before it"));
            }
        }
        let next = chain.current().version() + 1;
        if let Some(row) = reader.get(&store::charter_conflict(next))? {
            let two = Conflict::decode(&row).ok_or_else(|| damaged(next, "the two that contradict each other"))?;
            for signed in &two {
                if chain.take(signed).is_err() {
                    return Err(damaged(next, "the two that contradict each other do not verify"));
                }
            }
        }
        Ok(Some(chain))
    }

    /// What leads from another state of the chain to this one in a store: rows, and what must stand there before.
    #[must_use]
    pub fn writes_since(&self, before: &Self) -> (Vec<Write>, Vec<Expectation>) {
        let (mut writes, mut expectations) = (Vec::new(), Vec::new());
        let most = self.current().version().max(before.current().version());
        for version in 2..=most {
            let (old, new) = (before.signed(version), self.signed(version));
            if old != new {
                let key = store::charter(version);
                expectations.push(Expectation {
                    key: key.clone(),
                    value: old.map(<[u8]>::to_vec),
                });
                writes.push(Write {
                    key,
                    value: new.map(<[u8]>::to_vec),
                });
            }
        }
        if self.conflict() != before.conflict() {
            let row = |conflict: &Conflict| store::charter_conflict(conflict.version());
            writes.extend(before.conflict().map(|old| Write {
                key: row(old),
                value: None,
            }));
            writes.extend(self.conflict().map(|new| Write::put(row(new), new.encode())));
        }
        (writes, expectations)
    }

    /// All rows of the chain, for a store that holds none of this consortium.
    #[must_use]
    pub fn rows(&self) -> Vec<Write> {
        let mut writes = vec![Write::put(store::charter(1), self.founded().bytes().to_vec())];
        if let Some(nothing) = Self::new(self.founded().clone()) {
            writes.extend(self.writes_since(&nothing).0);
        }
        writes
    }
}

impl Conflict {
    fn encode(&self) -> Vec<u8> {
        let two = self.versions().map(SignedCharter::to_value);
        canonical::to_bytes(&two.into_iter().collect::<Value>())
    }

    fn decode(bytes: &[u8]) -> Option<[SignedCharter; 2]> {
        let limits = json::Limits {
            body_bytes: 2 * limits::SIGNED_CHARTER_BYTES + 16,
            nodes: 200_000,
            ..json::Limits::default()
        };
        let value = json::parse_with(bytes, &limits).ok()?;
        let [one, other] = value.as_array()? else { return None };
        Some([
            SignedCharter::from_value(one).ok()?,
            SignedCharter::from_value(other).ok()?,
        ])
    }
}
