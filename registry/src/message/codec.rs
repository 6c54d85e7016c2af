//! Bytes in, bytes out: big-endian integers, length before content, every bound checked before
//! anything is allocated.

use super::{MessageError, MessageErrorKind};

/// Appends to a message.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
        }
    }

    pub(crate) fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn hash(&mut self, value: &[u8; 32]) {
        self.bytes.extend_from_slice(value);
    }

    /// Bytes of a length that both sides know.
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }

    /// A number of items. What this crate sends stays below the bound it accepts, which fits.
    pub(crate) fn count(&mut self, items: usize) {
        let count = u16::try_from(items).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&count.to_be_bytes());
    }

    pub(crate) fn run(&mut self, value: &[u8]) {
        self.count(value.len());
        self.bytes.extend_from_slice(value);
    }

    /// Bytes that may be more than 64 KiB.
    pub(crate) fn long(&mut self, value: &[u8]) {
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value);
    }

    pub(crate) fn runs(&mut self, values: &[Vec<u8>]) {
        self.count(values.len());
        for value in values {
            self.run(value);
        }
    }

    pub(crate) fn hashes(&mut self, values: &[[u8; 32]]) {
        self.count(values.len());
        for value in values {
            self.hash(value);
        }
    }

    /// Bytes of a length that both sides know.
    pub(crate) fn raw(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads a message from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            length: bytes.len(),
        }
    }

    pub(crate) fn fault(&self, kind: MessageErrorKind) -> MessageError {
        MessageError {
            kind,
            offset: self.length - self.rest.len(),
        }
    }

    pub(crate) fn value(&self, what: &'static str) -> MessageError {
        self.fault(MessageErrorKind::Value(what))
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], MessageError> {
        match self.rest.split_at_checked(bytes) {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(head)
            }
            None => Err(self.fault(MessageErrorKind::Short)),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], MessageError> {
        match self.rest.split_first_chunk::<N>() {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(*head)
            }
            None => Err(self.fault(MessageErrorKind::Short)),
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, MessageError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn flag(&mut self) -> Result<bool, MessageError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.fault(MessageErrorKind::Value("a flag is 0 or 1"))),
        }
    }

    pub(crate) fn u64(&mut self) -> Result<u64, MessageError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A tree size or an index: bounded, so that no sum of it overflows.
    pub(crate) fn size(&mut self) -> Result<u64, MessageError> {
        let size = self.u64()?;
        if size > crate::limits::LOG_SIZE {
            return Err(self.fault(MessageErrorKind::TooMuch("log size")));
        }
        Ok(size)
    }

    pub(crate) fn hash(&mut self) -> Result<[u8; 32], MessageError> {
        self.array()
    }

    pub(crate) fn count(&mut self, what: &'static str, most: usize) -> Result<usize, MessageError> {
        let count = usize::from(u16::from_be_bytes(self.array()?));
        if count > most {
            return Err(self.fault(MessageErrorKind::TooMuch(what)));
        }
        Ok(count)
    }

    pub(crate) fn run(&mut self, what: &'static str, most: usize) -> Result<&'a [u8], MessageError> {
        let length = self.count(what, most)?;
        self.take(length)
    }

    /// What [`Encoder::long`] wrote.
    pub(crate) fn long(&mut self, what: &'static str, most: usize) -> Result<&'a [u8], MessageError> {
        let length = u32::from_be_bytes(self.array()?) as usize;
        if length > most {
            return Err(self.fault(MessageErrorKind::TooMuch(what)));
        }
        self.take(length)
    }

    pub(crate) fn text(&mut self, what: &'static str, most: usize) -> Result<&'a str, MessageError> {
        let bytes = self.run(what, most)?;
        std::str::from_utf8(bytes).map_err(|_| self.fault(MessageErrorKind::Value("not UTF-8")))
    }

    /// A list of at most `most` items. Nothing is set aside for items that are not there: each
    /// takes at least `least` bytes, so a count that the rest cannot hold is refused at once.
    pub(crate) fn list<T>(
        &mut self,
        what: &'static str,
        most: usize,
        least: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, MessageError>,
    ) -> Result<Vec<T>, MessageError> {
        let count = self.count(what, most)?;
        if count.saturating_mul(least) > self.rest.len() {
            return Err(self.fault(MessageErrorKind::Short));
        }
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    pub(crate) fn finish(self) -> Result<(), MessageError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(self.fault(MessageErrorKind::Value("bytes after the end")))
    }
}
