//! Signed notes (C2SP signed-note): text, a blank line, signature lines. Parsed strictly; which
//! signatures are needed, and what they must say, is decided by [`crate::head`].

use multibase::Base;
use sha2::{Digest, Sha256};

use crate::limits;

/// Signature type of a plain Ed25519 signature over the text (C2SP signed-note).
pub const TYPE_ED25519: u8 = 0x01;

/// Signature type of a timestamped Ed25519 cosignature (C2SP tlog-cosignature).
pub const TYPE_COSIGNATURE: u8 = 0x04;

/// A note as written: its text and all its signature lines, none of them checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// The signed text, its final newline included.
    pub text: String,
    /// The signature lines in the order in which they stand.
    pub signatures: Vec<NoteSignature>,
}

/// One signature line of a note.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Short hash over name, type and key: tells lines apart, proves nothing.
    pub id: [u8; 4],
    /// What the key made; its form depends on the type of signature.
    pub signature: Vec<u8>,
}

/// Why a text is not a signed note.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`limits::NOTE_BYTES`].
    #[error("the signed note is longer than {max} bytes", max = limits::NOTE_BYTES)]
    TooLong,
    /// A control character other than newline.
    #[error("the signed note contains a control character")]
    Control,
    /// No blank line between text and signatures, or no newline at the end.
    #[error("the signed note lacks the blank line before its signatures, or its final newline")]
    Layout,
    /// A line after the blank line is no signature line.
    #[error("signature line {0} of the note is malformed")]
    SignatureLine(usize),
    /// More than [`limits::NOTE_SIGNATURES`] lines, or a line longer than
    /// [`limits::NOTE_LINE_BYTES`].
    #[error("the signed note carries more or longer signature lines than are looked at")]
    TooMany,
    /// Two lines with the same key name and id.
    #[error("signature line {0} of the note repeats the key of an earlier line")]
    Repeated(usize),
}

impl Note {
    /// Reads a signed note. Everything that is accepted is printed back byte for byte.
    ///
    /// # Errors
    /// [`NoteError`] names the first thing that is wrong.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > limits::NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        if note.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteError::Control);
        }
        // The text may hold blank lines; the last one ends it.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Layout)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Layout)?;
        let mut signatures: Vec<NoteSignature> = Vec::new();
        for (at, line) in lines.split('\n').enumerate() {
            if at == limits::NOTE_SIGNATURES || line.len() > limits::NOTE_LINE_BYTES {
                return Err(NoteError::TooMany);
            }
            let signature = NoteSignature::parse(line).ok_or(NoteError::SignatureLine(at + 1))?;
            if signatures
                .iter()
                .any(|s| s.id == signature.id && s.name == signature.name)
            {
                return Err(NoteError::Repeated(at + 1));
            }
            signatures.push(signature);
        }
        let mut text = text.to_owned();
        text.push('\n');
        Ok(Self { text, signatures })
    }

    /// The signature line of the key with this name and id.
    #[must_use]
    pub fn signature_of(&self, name: &str, id: [u8; 4]) -> Option<&[u8]> {
        self.signatures
            .iter()
            .find(|s| s.id == id && s.name == name)
            .map(|s| s.signature.as_slice())
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)?;
        f.write_str("\n")?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        if !is_key_name(name) {
            return None;
        }
        let bytes = decode_base64(base64)?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            id: *id,
            signature: signature.to_vec(),
        })
    }
}

impl std::fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [self.id.as_slice(), &self.signature].concat();
        write!(f, "\u{2014} {} {}", self.name, Base::Base64Pad.encode(bytes))
    }
}

/// Standard Base 64 with padding (RFC 4648, section 4), in the one spelling that the bytes have:
/// the decoder alone would also take padding in the middle.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = Base::Base64Pad.decode(text).ok()?;
    (Base::Base64Pad.encode(&bytes) == text).then_some(bytes)
}

/// A key name is not empty and has neither white space nor plus signs.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// Id of a key: the first four bytes of SHA-256(name, newline, type, key).
#[must_use]
pub fn key_id(name: &str, signature_type: u8, key: &[u8]) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', signature_type]);
    hasher.update(key);
    let digest: [u8; 32] = hasher.finalize().into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

#[cfg(test)]
mod tests;
