//! What became of a challenge or nonce: only the verifier's own store can say, so a bundle records it.

use std::cell::{Cell, RefCell};

use syndic_vc::time::Timestamp;
use syndic_vc::trust::{OneTime, OneTimeKind, SpendError};

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
}

impl SingleUse {
    /// The word in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Accepted, Self::Used, Self::Expired, Self::Unknown]
            .into_iter()
            .find(|one| one.as_str() == text)
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

impl OneTime for Recorder<'_> {
    fn spend(&self, kind: OneTimeKind, value: &str, now: Timestamp, expires: Timestamp) -> Result<(), SpendError> {
        let answer = self.store.spend(kind, value, now, expires);
        *self.said.borrow_mut() = Some(match &answer {
            Ok(()) => Ok(SingleUse::Accepted),
            Err(SpendError::Used) => Ok(SingleUse::Used),
            Err(SpendError::Expired) => Ok(SingleUse::Expired),
            Err(SpendError::Unknown) => Ok(SingleUse::Unknown),
            Err(SpendError::Unavailable(why)) => Err(why.clone()),
        });
        answer
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
            None => Err(SpendError::Unavailable("the bundle does not say".to_owned())),
        }
    }
}
