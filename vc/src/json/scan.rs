//! Finding the end of plain text in strings, eight bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How many bytes come before the first quote, backslash or control character: what ends a run of
/// plain text when reading, and what must be escaped when writing.
pub(crate) fn plain_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        let stops = stops(u64::from_le_bytes(*chunk));
        if stops != 0 {
            return length + (stops.trailing_zeros() / 8) as usize;
        }
        length += 8;
        rest = tail;
    }
    length
        + rest
            .iter()
            .take_while(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5B | 0x5D..))
            .count()
}

/// Marks (by their highest bit) the bytes that are a quote, a backslash or below 0x20. The lowest
/// mark is exact; marks above it may be false, because a subtraction borrows from the next byte.
const fn stops(word: u64) -> u64 {
    let quotes = word ^ (ONES * b'"' as u64);
    let backslashes = word ^ (ONES * b'\\' as u64);
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (zeros(quotes) | zeros(backslashes) | controls) & HIGHS
}

const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}
