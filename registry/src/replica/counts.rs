//! What the machine has done since it was loaded, for those who watch over it.

use super::Replica;

/// Numbers that only grow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Broadcasts that arrived.
    pub broadcasts: u64,
    /// Signatures of log heads that were checked: at most one for each head that was not known yet, however many peers
    /// sent it.
    pub head_checks: u64,
    /// Signatures of witnesses that were checked.
    pub cosignature_checks: u64,
    /// Statements of other organizations that went to the store.
    pub statements_taken: u64,
    /// Rounds of comparing heads with a few peers, as the timer wants it.
    pub rounds: u64,
}

impl Replica {
    /// What was done since the machine was loaded.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            head_checks: self.tracks.values().map(|track| track.head_checks).sum(),
            ..self.counts
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use super::super::tests::{Node, announcements};
    use super::super::{Event, tests};

    #[test]
    fn a_signature_is_checked_once_however_many_send_it() {
        let (mut author, mut reader) = (Node::new(1), Node::new(2));
        let said: Vec<Vec<u8>> = (0..10)
            .flat_map(|number| announcements(&author.publish(number, number..number + 1)))
            .collect();
        for bytes in &said {
            for from in [1, 3, 1, 3, 1, 3] {
                reader.hear(from, bytes);
            }
        }
        // The head comes once more when heads are compared.
        let effects = reader.run(Event::Connected(tests::peer(1)));
        reader.talk(&mut author, effects);
        assert_eq!(reader.state(1), author.state(1));
        let counts = reader.replica.counts();
        assert_eq!((counts.broadcasts, counts.statements_taken), (60, 10));
        assert_eq!(counts.head_checks, 10);
    }

    #[test]
    fn a_head_that_comes_before_its_entries_is_checked_once_too() {
        let (mut author, mut reader) = (Node::new(1), Node::new(2));
        author.publish(1, 0..200);
        let last = announcements(&author.publish(2, 200..201)).pop().unwrap();
        reader.run(Event::Connected(tests::peer(1)));
        let effects = reader.hear(1, &last);
        reader.talk(&mut author, effects);
        assert_eq!(reader.state(1), author.state(1));
        assert_eq!(reader.replica.counts().head_checks, 1);
        assert_eq!(reader.replica.counts().statements_taken, 201);
    }
}
