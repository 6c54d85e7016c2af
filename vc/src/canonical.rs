//! The canonical bytes of a value: JSON Canonicalization Scheme, RFC 8785.
//!
//! Members are already in order ([`crate::json::Object`]) and every number prints as it was
//! written, so this is one walk that cannot fail: `parse(to_bytes(v)) == v` for every value.

use sha2::{Digest, Sha256};

use crate::json::scan::plain_length;
use crate::json::{Object, Value};

/// The canonical bytes of a value.
#[must_use]
pub fn to_bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(FIRST_GUESS);
    write(value, &mut out);
    out
}

/// Enough for a usual credential without growing.
const FIRST_GUESS: usize = 2_048;

/// Appends the canonical bytes of a value.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => number.write(out),
        Value::String(text) => write_string(text, out),
        Value::Object(object) => write_without(object, &[], out),
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
    }
}

/// Appends the canonical bytes of an object as if it had none of the members in `left_out`. A proof
/// is over its document without the proof; this saves the copy.
pub fn write_without(object: &Object, left_out: &[&str], out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    for (name, value) in object {
        if left_out.contains(&name) {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        write_string(name, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

/// Whether the canonical bytes are more than so many. Written only if a generous estimate does not
/// settle it.
pub(crate) fn is_longer_than(value: &Value, bytes: usize) -> bool {
    at_most(value) > bytes && to_bytes(value).len() > bytes
}

/// More canonical bytes than the value has: a number has at most 24 characters, and a byte of text
/// is escaped with at most 6.
fn at_most(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 32,
        Value::String(text) => 6 * text.len() + 2,
        Value::Array(items) => items.iter().map(|item| 1 + at_most(item)).sum::<usize>() + 2,
        Value::Object(object) => {
            let members = object.iter();
            members
                .map(|(name, value)| 6 * name.len() + 4 + at_most(value))
                .sum::<usize>()
                + 2
        }
    }
}

/// SHA-256 of the canonical bytes.
#[must_use]
pub fn digest(value: &Value) -> [u8; 32] {
    Sha256::digest(to_bytes(value)).into()
}

/// RFC 8785 section 3.2.2.2: only what must be escaped is, in the shortest way.
fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((plain, tail)) = rest.split_at_checked(plain_length(rest)) {
        out.extend_from_slice(plain);
        let Some((&byte, tail)) = tail.split_first() else {
            break;
        };
        write_escape(byte, out);
        rest = tail;
    }
    out.push(b'"');
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x09 => b't',
        0x0A => b'n',
        0x0C => b'f',
        0x0D => b'r',
        _ => {
            let hex = |nibble: u8| {
                if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
            };
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 0xF)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests;
