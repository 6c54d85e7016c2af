//! What became of a challenge or nonce: only the verifier's own store can say, so a bundle records it.

use std::cell::{Cell, RefCell};

use syndic_vc::time::Timestamp;
use syndic_vc::trust::{Counted, OneTime, OneTimeKind, SpendError};

/// What the verifier's store said of a single-use value. It is the verifier's word: no log can show it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SingleUse {
    /// It was good, and is used up.
    Accepted,
    /// It was used before.
    Used,
    /// It was too old.
    Expired,
    /// It was never handed out.
    Unknown,
    /// It was good, but this one of the action's counters (from 0) would have passed its limit.
    Exceeded(usize),
}

/// Most counters that one action can have: those of one capability for each link of a chain.
const MAX_COUNTERS: usize = syndic_vc::limits::CONSTRAINTS * 16;

impl SingleUse {
    /// How it is written in bundles.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Accepted => "accepted".to_owned(),
            Self::Used => "used".to_owned(),
            Self::Expired => "expired".to_owned(),
            Self::Unknown => "unknown".to_owned(),
            Self::Exceeded(counter) => format!("exceeded {counter}"),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let counter = text.strip_prefix("exceeded ").and_then(|number| number.parse().ok());
        counter
            .filter(|counter| *counter < MAX_COUNTERS)
            .map(Self::Exceeded)
            .into_iter()
            .chain([Self::Accepted, Self::Used, Self::Expired, Self::Unknown])
            .find(|one| one.word() == text)
    }
}

/// Passes on what a store says, and remembers it.
pub(super) struct Recorder<'a> {
    store: &'a dyn OneTime,
    said: RefCell<Option<Result<SingleUse, String>>>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(store: &'a dyn OneTime) -> Self {
        Self {
            store,
            said: RefCell::default(),
        }
    }

    pub(super) fn outcome(&self) -> Result<Option<SingleUse>, String> {
        self.said.borrow().clone().transpose()
    }
}

impl Recorder<'_> {
    fn note(&self, answer: Result<(), SpendError>) -> Result<(), SpendError> {
        *self.said.borrow_mut() = Some(match &answer {
            Ok(()) => Ok(SingleUse::Accepted),
            Err(SpendError::Used) => Ok(SingleUse::Used),
            Err(SpendError::Expired) => Ok(SingleUse::Expired),
            Err(SpendError::Unknown) => Ok(SingleUse::Unknown),
            Err(SpendError::Exceeded(counter)) => Ok(SingleUse::Exceeded(*counter)),
            Err(SpendError::Unavailable(why)) => Err(why.clone()),
        });
        answer
    }
}

impl OneTime for Recorder<'_> {
    fn spend(&self, kind: OneTimeKind, value: &str, now: Timestamp, expires: Timestamp) -> Result<(), SpendError> {
        self.note(self.store.spend(kind, value, now, expires))
    }

    fn spend_counted(
        &self,
        kind: OneTimeKind,
        value: &str,
        counted: &[Counted],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), SpendError> {
        self.note(self.store.spend_counted(kind, value, counted, now, expires))
    }
}

/// Says again what was said once.
pub(super) struct Replay {
    said: Option<SingleUse>,
    asked: Cell<bool>,
}

impl Replay {
    pub(super) fn of(said: Option<SingleUse>) -> Self {
        Self {
            said,
            asked: Cell::new(false),
        }
    }

    pub(super) fn was_asked(&self) -> bool {
        self.asked.get()
    }
}

impl OneTime for Replay {
    fn spend(&self, _: OneTimeKind, _: &str, _: Timestamp, _: Timestamp) -> Result<(), SpendError> {
        self.asked.set(true);
        match self.said {
            Some(SingleUse::Accepted) => Ok(()),
            Some(SingleUse::Used) => Err(SpendError::Used),
            Some(SingleUse::Expired) => Err(SpendError::Expired),
            Some(SingleUse::Unknown) => Err(SpendError::Unknown),
            Some(SingleUse::Exceeded(counter)) => Err(SpendError::Exceeded(counter)),
            None => Err(SpendError::Unavailable("the bundle does not say".to_owned())),
        }
    }

    fn spend_counted(
        &self,
        kind: OneTimeKind,
        value: &str,
        _: &[Counted],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), SpendError> {
        self.spend(kind, value, now, expires)
    }
}

#[cfg(test)]
mod tests {
    use super::SingleUse;

    #[test]
    fn a_word_is_read_as_what_it_was() {
        let some = [
            SingleUse::Accepted,
            SingleUse::Used,
            SingleUse::Expired,
            SingleUse::Unknown,
        ];
        for one in some
            .into_iter()
            .chain([SingleUse::Exceeded(0), SingleUse::Exceeded(12)])
        {
            assert_eq!(SingleUse::parse(&one.word()), Some(one));
        }
        for wrong in [
            "",
            "Accepted",
            "exceeded",
            "exceeded ",
            "exceeded 01",
            "exceeded +1",
            "exceeded -1",
            "exceeded 99999",
        ] {
            assert_eq!(SingleUse::parse(wrong), None, "{wrong}");
        }
    }
}
