//! Strings: copied once, and unescaped only where there is something to unescape.

use super::{Kind, Reader, Refused};

use crate::json::scan::plain_length;

impl<'t> Reader<'t> {
    /// Reads the string that begins at the current byte, a double quote, if it has no escapes and
    /// is not too long. Otherwise [`Reader::escaped`] reads on.
    pub(super) fn plain(&mut self) -> Option<&'t str> {
        self.at += 1;
        let start = self.at;
        self.run();
        if self.peek() != Some(b'"') || self.at - start > self.limits.string_bytes {
            return None;
        }
        let text = self.slice(start);
        self.at += 1;
        Some(text)
    }

    /// The text from `start` to the current byte. Both are next to an ASCII byte, so the slice
    /// exists.
    fn slice(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    const fn check_length(&mut self, open: usize, length: usize) -> Result<(), Refused> {
        if length > self.limits.string_bytes {
            return Err(self.refuse_at(Kind::StringTooLong, open));
        }
        Ok(())
    }

    /// Moves to the next byte that ends a run of plain text.
    fn run(&mut self) {
        self.at += plain_length(self.bytes.get(self.at..).unwrap_or_default());
    }

    /// Reads on where [`Reader::plain`] stopped, in the string whose quote is at `open`.
    #[cold]
    pub(super) fn escaped(&mut self, open: usize) -> Result<String, Refused> {
        self.deviations += 1;
        let mut out = String::from(self.slice(open + 1));
        loop {
            self.check_length(open, out.len())?;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.refuse(Kind::ControlCharacter)),
                None => return Err(self.refuse(Kind::UnexpectedEnd)),
            }
            let start = self.at;
            self.run();
            out.push_str(self.slice(start));
        }
    }

    /// Reads one escape sequence (RFC 8259 section 7).
    fn escape(&mut self) -> Result<char, Refused> {
        let start = self.at;
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
                let Some(unit) = self.code_unit() else {
                    return Err(self.refuse_at(Kind::InvalidEscape, start));
                };
                return match self.character(unit) {
                    Some(c) => Ok(c),
                    None => Err(self.refuse_at(Kind::LoneSurrogate, start)),
                };
            }
            Some(_) => return Err(self.refuse_at(Kind::InvalidEscape, start)),
            None => return Err(self.refuse(Kind::UnexpectedEnd)),
        };
        self.at += 1;
        Ok(c)
    }

    /// The character that begins with this UTF-16 code unit; a high surrogate must be followed by a
    /// low one.
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
        let unit = digits
            .iter()
            .try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))?;
        self.at += 4;
        Some(unit)
    }
}
