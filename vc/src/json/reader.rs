//! The reader: one pass over the bytes, limits checked before the work they bound.

use std::collections::BTreeSet;

use super::original::{Cut, is_left_out};
use super::{JsonError, JsonErrorKind as Kind, Number, Object, Text, Value};
use crate::limits;

mod number;
mod string;

/// How much one document may hold. [`Limits::default`] is right for everything but bulk data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text.
    pub body_bytes: usize,
    /// Nesting of arrays and objects; [`limits::JSON_DEPTH_CEILING`] at most, whatever is asked.
    pub depth: usize,
    /// Values, counting every scalar, array and object.
    pub nodes: usize,
    /// Members of one object.
    pub members: usize,
    /// Bytes of one string after unescaping.
    pub string_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: limits::JSON_BODY_BYTES,
            depth: limits::JSON_DEPTH,
            nodes: limits::JSON_NODES,
            members: limits::JSON_MEMBERS,
            string_bytes: limits::JSON_STRING_BYTES,
        }
    }
}

/// Reads one JSON document within the usual limits.
///
/// # Errors
/// [`JsonError`] when the bytes are not exactly one strict JSON value.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    parse_with(bytes, &Limits::default())
}

/// Reads one JSON document within the caller's limits.
///
/// # Errors
/// [`JsonError`] when the bytes are not exactly one strict JSON value.
pub fn parse_with(bytes: &[u8], limits: &Limits) -> Result<Value, JsonError> {
    read(bytes, limits).map(|(value, _)| value)
}

/// The document, and the objects in it that stand in the text in canonical form and of which
/// signatures leave a member out.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<(Value, Vec<Cut>), JsonError> {
    if bytes.len() > limits.body_bytes {
        return Err(JsonError {
            kind: Kind::BodyTooLarge,
            offset: limits.body_bytes,
        });
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(JsonError {
            kind: Kind::ByteOrderMark,
            offset: 0,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|e| JsonError {
        kind: Kind::InvalidUtf8,
        offset: e.valid_up_to(),
    })?;
    let mut reader = Reader {
        text,
        bytes,
        at: 0,
        limits: Limits {
            depth: limits.depth.min(limits::JSON_DEPTH_CEILING),
            ..*limits
        },
        depth: 0,
        nodes: 0,
        deviations: 0,
        cuts: Vec::new(),
        members: Vec::with_capacity(OPEN_MEMBERS),
        items: Vec::with_capacity(OPEN_ITEMS),
        refusal: JsonError {
            kind: Kind::UnexpectedEnd,
            offset: 0,
        },
    };
    let mut value = Value::Null;
    match reader.document(&mut value) {
        Ok(()) => Ok((value, reader.cuts)),
        Err(Refused) => Err(reader.refusal),
    }
}

/// Room for what is open at once in a document of the usual size.
const OPEN_MEMBERS: usize = 32;
const OPEN_ITEMS: usize = 16;

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    limits: Limits,
    depth: usize,
    nodes: usize,
    /// How often so far the text was spelled in another way than the canonical one (RFC 8785): space,
    /// escapes, fractions and exponents, members out of order. A few of these would be canonical; to
    /// take them for other only costs time.
    deviations: usize,
    cuts: Vec<Cut>,
    /// The members so far of all objects that are open, the innermost last. An object is allocated
    /// when it ends, with room for what it has and no more: a batch of documents that each take three
    /// times their size no longer fits in the processor's caches.
    members: Vec<(Text, Value)>,
    /// The same for the items of arrays.
    items: Vec<Value>,
    /// Why [`Refused`] was returned.
    refusal: JsonError,
}

/// The text was refused; the reason is in the reader. (An error without a body keeps the results in
/// registers.)
struct Refused;

impl Reader<'_> {
    fn document(&mut self, out: &mut Value) -> Result<(), Refused> {
        self.skip_space();
        self.value(out)?;
        self.skip_space();
        if self.at < self.bytes.len() {
            Err(self.refuse(Kind::TrailingBytes))
        } else {
            Ok(())
        }
    }

    #[cold]
    const fn refuse(&mut self, kind: Kind) -> Refused {
        self.refuse_at(kind, self.at)
    }

    #[cold]
    const fn refuse_at(&mut self, kind: Kind, offset: usize) -> Refused {
        self.refusal = JsonError { kind, offset };
        Refused
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
            self.deviations += 1;
        }
    }

    /// Something else was expected here.
    #[cold]
    const fn expected(&mut self, what: &'static str) -> Refused {
        self.refuse(if self.at < self.bytes.len() {
            Kind::Expected(what)
        } else {
            Kind::UnexpectedEnd
        })
    }

    /// Reads a value to where it shall stay. (To return it would copy it at each level of nesting,
    /// which was a quarter of all time.)
    fn value(&mut self, out: &mut Value) -> Result<(), Refused> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(self.refuse(Kind::TooManyNodes));
        }
        match self.peek() {
            Some(b'"') => {
                let open = self.at;
                *out = Value::String(match self.plain() {
                    Some(text) => Text::value(text),
                    None => Text::from(self.escaped(open)?),
                });
            }
            Some(b'{') => *out = Value::Object(self.object()?),
            Some(b'[') => *out = Value::Array(self.array()?),
            Some(b'-' | b'0'..=b'9') => *out = Value::Number(self.number()?),
            Some(b't') => self.word("true", out, Value::Bool(true))?,
            Some(b'f') => self.word("false", out, Value::Bool(false))?,
            Some(b'n') => self.word("null", out, Value::Null)?,
            _ => return Err(self.expected("a JSON value")),
        }
        Ok(())
    }

    #[inline(never)]
    fn word(&mut self, word: &'static str, out: &mut Value, value: Value) -> Result<(), Refused> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.expected(word));
        }
        self.at += word.len();
        *out = value;
        Ok(())
    }

    fn descend(&mut self) -> Result<(), Refused> {
        if self.depth >= self.limits.depth {
            return Err(self.refuse(Kind::TooDeep));
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn ascend(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// After an item: `true` if another follows, `false` at the closing bracket.
    fn another(&mut self, close: u8, expected: &'static str) -> Result<bool, Refused> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                Ok(true)
            }
            Some(b) if b == close => Ok(false),
            _ => Err(self.expected(expected)),
        }
    }

    fn array(&mut self) -> Result<Vec<Value>, Refused> {
        self.descend()?;
        let first = self.items.len();
        if self.peek() != Some(b']') {
            loop {
                let mut item = Value::Null;
                self.value(&mut item)?;
                self.items.push(item);
                if !self.another(b']', "',' or ']'")? {
                    break;
                }
            }
        }
        self.ascend();
        Ok(self.items.drain(first..).collect())
    }

    fn object(&mut self) -> Result<Object, Refused> {
        let (open, deviations) = (self.at, self.deviations);
        let mut left_out = None;
        self.descend()?;
        let first = self.members.len();
        if self.peek() != Some(b'}') {
            loop {
                let before = self.members.len() - first;
                if before >= self.limits.members {
                    return Err(self.refuse(Kind::TooManyMembers));
                }
                let start = self.at;
                let name = self.name()?;
                let mut value = Value::Null;
                self.value(&mut value)?;
                let another = self.another(b'}', "',' or '}'")?;
                if is_left_out(&name) {
                    // The comma after the member, or the one before the last.
                    let comma = usize::from(!another && before > 0);
                    left_out = Some((start - comma..self.at, name.clone()));
                }
                self.members.push((name, value));
                if !another {
                    break;
                }
            }
        }
        self.ascend();
        let members = self.members.drain(first..).collect();
        let (object, sorted) = Object::from_members(members).ok_or_else(|| self.duplicate(open))?;
        self.deviations += usize::from(!sorted);
        if let Some((member, name)) = left_out
            && self.deviations == deviations
        {
            self.cuts.push(Cut {
                members: object.members(),
                object: open..self.at,
                member,
                name,
            });
        }
        Ok(object)
    }

    /// A member's name and the colon after it.
    fn name(&mut self) -> Result<Text, Refused> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a member name in double quotes"));
        }
        let open = self.at;
        let name = match self.plain() {
            Some(text) => Text::name(text),
            None => Text::name(&self.escaped(open)?),
        };
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.expected("':'"));
        }
        self.at += 1;
        self.skip_space();
        Ok(name)
    }

    /// Refuses an object with two equal names. Reads the object that begins at `open` once more to
    /// find the second.
    #[cold]
    fn duplicate(&mut self, open: usize) -> Refused {
        self.at = open;
        self.nodes = 0;
        let second = self.second_of_equal_names().unwrap_or(open);
        self.refuse_at(Kind::DuplicateName, second)
    }

    fn second_of_equal_names(&mut self) -> Result<usize, Refused> {
        let mut names = BTreeSet::new();
        self.descend()?;
        loop {
            let offset = self.at;
            if !names.insert(self.name()?.to_string()) {
                return Ok(offset);
            }
            self.value(&mut Value::Null)?;
            self.another(b'}', "',' or '}'")?;
        }
    }

    fn number(&mut self) -> Result<Number, Refused> {
        let start = self.at;
        let number = number::read(self.bytes, &mut self.at).map_err(|kind| match kind {
            Kind::InvalidNumber => self.refuse(kind),
            kind => self.refuse_at(kind, start),
        })?;
        let written = self.bytes.get(start..self.at).unwrap_or_default();
        self.deviations += usize::from(written.iter().any(|b| matches!(b, b'.' | b'e' | b'E')));
        Ok(number)
    }
}
