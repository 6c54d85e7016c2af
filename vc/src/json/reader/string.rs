//! Strings: found eight bytes at a time, copied once, unescaped only where there is something to unescape.

use std::borrow::Cow;

use super::{JsonError, Kind, Reader};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

impl<'t> Reader<'t> {
    /// Reads the string that begins at the current byte, a double quote.
    pub(super) fn string(&mut self) -> Result<Cow<'t, str>, JsonError> {
        let open = self.at;
        self.at += 1;
        let start = self.at;
        self.run();
        if self.peek() == Some(b'"') {
            let text = self.slice(start);
            self.at += 1;
            self.check_length(open, text.len())?;
            return Ok(Cow::Borrowed(text));
        }
        self.escaped(open, start).map(Cow::Owned)
    }

    /// The text from `start` to the current byte. Both are next to an ASCII byte, so the slice exists.
    fn slice(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    const fn check_length(&self, open: usize, length: usize) -> Result<(), JsonError> {
        if length > self.limits.string_bytes {
            return Err(JsonError { kind: Kind::StringTooLong, offset: open });
        }
        Ok(())
    }

    /// Moves to the next byte that ends a run of plain text: a quote, a backslash or a control character.
    fn run(&mut self) {
        while let Some(chunk) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let stops = stops(u64::from_le_bytes(*chunk));
            if stops != 0 {
                self.at += (stops.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while let Some(0x20..=0x21 | 0x23..=0x5B | 0x5D..) = self.peek() {
            self.at += 1;
        }
    }

    /// Reads on from the first byte that is not plain text.
    #[cold]
    fn escaped(&mut self, open: usize, start: usize) -> Result<String, JsonError> {
        let mut out = String::from(self.slice(start));
        loop {
            self.check_length(open, out.len())?;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.error(Kind::ControlCharacter)),
                None => return Err(self.error(Kind::UnexpectedEnd)),
            }
            let start = self.at;
            self.run();
            out.push_str(self.slice(start));
        }
    }

    /// Reads one escape sequence (RFC 8259 section 7).
    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        let at = |kind| JsonError { kind, offset: start };
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let high = self.code_unit().ok_or_else(|| at(Kind::InvalidEscape))?;
                return self.character(high).ok_or_else(|| at(Kind::LoneSurrogate));
            }
            Some(_) => return Err(at(Kind::InvalidEscape)),
            None => return Err(self.error(Kind::UnexpectedEnd)),
        };
        self.at += 1;
        Ok(c)
    }

    /// The character that begins with this UTF-16 code unit; a high surrogate must be followed by a low one.
    fn character(&mut self, unit: u32) -> Option<char> {
        if !(0xD800..0xDC00).contains(&unit) {
            return char::from_u32(unit);
        }
        if self.bytes.get(self.at..)?.starts_with(b"\\u") {
            self.at += 2;
            let low = self.code_unit()?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
            return char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + low);
        }
        None
    }

    /// Four hexadecimal digits.
    fn code_unit(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..)?.first_chunk::<4>()?;
        let unit = digits.iter().try_fold(0, |unit, digit| {
            Some(unit << 4 | char::from(*digit).to_digit(16)?)
        })?;
        self.at += 4;
        Some(unit)
    }
}

/// Marks (by their highest bit) the bytes that are a quote, a backslash or below 0x20. The lowest mark is exact;
/// marks above it may be false, because a subtraction borrows from the next byte.
const fn stops(word: u64) -> u64 {
    let quotes = word ^ (ONES * b'"' as u64);
    let backslashes = word ^ (ONES * b'\\' as u64);
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (zeros(quotes) | zeros(backslashes) | controls) & HIGHS
}

const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}
