//! What is written: batches that follow from the seed, the writer and their number alone, so that
//! whoever knows how many were acknowledged knows what must be there.

use std::collections::BTreeMap;

use crate::random::Random;

/// Writers at work at once.
pub const WRITERS: u64 = 4;

/// Keys a writer writes to again and again.
const SLOTS: u64 = 60;

/// Keys with their new values.
pub type Writes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// The content of one writer's part of the store.
pub type Part = BTreeMap<Vec<u8>, Vec<u8>>;

/// The key that says how many batches of a writer are there.
pub fn count_key(writer: u64) -> Vec<u8> {
    format!("w{writer}/count").into_bytes()
}

/// All of a writer's keys begin with this.
pub fn prefix(writer: u64) -> Vec<u8> {
    format!("w{writer}/").into_bytes()
}

/// Batch number `number` (from 1) of a writer.
pub fn batch(seed: u64, writer: u64, number: u64) -> Writes {
    let mut random = Random::new(seed ^ (writer << 56) ^ number.wrapping_mul(0x5851_f42d_4c95_7f2d));
    let mut writes = vec![(count_key(writer), Some(number.to_be_bytes().to_vec()))];
    for _ in 0..1 + random.below(20) {
        let key = format!("w{writer}/slot/{}", random.below(SLOTS)).into_bytes();
        let size = match random.below(40) {
            0 => 150_000,
            1..4 => 20_000,
            4..10 => 3_000,
            _ => 300,
        };
        let value = (!random.chance(15)).then(|| {
            let mut value = vec![random.next() as u8; random.below(size) as usize];
            // Not one byte throughout: a misplaced sector must show.
            for (place, byte) in value.iter_mut().enumerate() {
                *byte ^= (place / 64) as u8;
            }
            value
        });
        writes.push((key, value));
    }
    // Entries of a log: written once, kept. Every third has a long name, so that inner pages get
    // large as well.
    let name = if number.is_multiple_of(3) {
        "n".repeat(random.below(2_500) as usize)
    } else {
        String::new()
    };
    let key = format!("w{writer}/log/{:04}{name}{number:08}", random.below(10_000));
    writes.push((key.into_bytes(), Some(vec![writer as u8; 200])));
    writes
}

/// What a writer's part holds after so many batches.
pub fn after(seed: u64, writer: u64, batches: u64) -> Part {
    let mut part = Part::new();
    for number in 1..=batches {
        advance(&mut part, batch(seed, writer, number));
    }
    part
}

/// Carries out one batch.
pub fn advance(part: &mut Part, writes: Writes) {
    for (key, value) in writes {
        match value {
            Some(value) => part.insert(key, value),
            None => part.remove(&key),
        };
    }
}
