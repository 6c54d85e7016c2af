//! The reader: one pass over the bytes, limits checked before the work they bound.

use super::object::order;
use super::{JsonError, JsonErrorKind as Kind, Number, Object, Value};
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
    if bytes.len() > limits.body_bytes {
        return Err(JsonError { kind: Kind::BodyTooLarge, offset: limits.body_bytes });
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(JsonError { kind: Kind::ByteOrderMark, offset: 0 });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|e| JsonError { kind: Kind::InvalidUtf8, offset: e.valid_up_to() })?;
    let mut reader = Reader {
        text,
        bytes,
        at: 0,
        limits: Limits { depth: limits.depth.min(limits::JSON_DEPTH_CEILING), ..*limits },
        depth: 0,
        nodes: 0,
        items: Vec::new(),
        members: Vec::new(),
    };
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    if reader.at < bytes.len() {
        return Err(reader.error(Kind::TrailingBytes));
    }
    Ok(value)
}

/// A member that has been read, and where its name began.
type ReadMember = (String, Value, usize);

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    limits: Limits,
    depth: usize,
    nodes: usize,
    /// Items of all arrays that are still open; each array takes its own from the end into a vector of the exact size.
    items: Vec<Value>,
    /// The same for members.
    members: Vec<ReadMember>,
}

impl Reader<'_> {
    const fn error(&self, kind: Kind) -> JsonError {
        JsonError { kind, offset: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// The error that something else was expected here.
    fn expected(&self, what: &'static str) -> JsonError {
        self.error(if self.at < self.bytes.len() { Kind::Expected(what) } else { Kind::UnexpectedEnd })
    }

    fn value(&mut self) -> Result<Value, JsonError> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(self.error(Kind::TooManyNodes));
        }
        match self.peek() {
            Some(b'"') => self.string().map(|text| Value::String(text.into())),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.expected("a JSON value")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, JsonError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.expected(word))
        }
    }

    fn descend(&mut self) -> Result<(), JsonError> {
        if self.depth >= self.limits.depth {
            return Err(self.error(Kind::TooDeep));
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
    fn another(&mut self, close: u8, expected: &'static str) -> Result<bool, JsonError> {
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

    fn array(&mut self) -> Result<Value, JsonError> {
        self.descend()?;
        let base = self.items.len();
        if self.peek() != Some(b']') {
            loop {
                let value = self.value()?;
                self.items.push(value);
                if !self.another(b']', "',' or ']'")? {
                    break;
                }
            }
        }
        self.ascend();
        Ok(Value::Array(self.items.drain(base..).collect()))
    }

    fn object(&mut self) -> Result<Value, JsonError> {
        self.descend()?;
        let base = self.members.len();
        if self.peek() != Some(b'}') {
            loop {
                self.member(base)?;
                if !self.another(b'}', "',' or '}'")? {
                    break;
                }
            }
        }
        self.ascend();
        self.sort(base)?;
        let members = self.members.drain(base..).map(|(name, value, _)| (name, value));
        Ok(Value::Object(Object::from_sorted(members.collect())))
    }

    fn member(&mut self, base: usize) -> Result<(), JsonError> {
        let start = self.at;
        if self.members.len() - base >= self.limits.members {
            return Err(self.error(Kind::TooManyMembers));
        }
        if self.peek() != Some(b'"') {
            return Err(self.expected("a member name in double quotes"));
        }
        let name = self.string()?.into();
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.expected("':'"));
        }
        self.at += 1;
        self.skip_space();
        let value = self.value()?;
        self.members.push((name, value, start));
        Ok(())
    }

    /// Brings the members from `base` on into canonical order and refuses a name that appears twice. Texts that
    /// Syndic wrote are sorted already.
    fn sort(&mut self, base: usize) -> Result<(), JsonError> {
        let members = self.members.get_mut(base..).unwrap_or_default();
        if members.is_sorted_by(|a, b| order(&a.0, &b.0).is_lt()) {
            return Ok(());
        }
        members.sort_unstable_by(|a, b| order(&a.0, &b.0).then(a.2.cmp(&b.2)));
        members
            .windows(2)
            .find_map(|pair| match pair {
                [a, b] if a.0 == b.0 => Some(JsonError { kind: Kind::DuplicateName, offset: b.2 }),
                _ => None,
            })
            .map_or(Ok(()), Err)
    }

    fn number(&mut self) -> Result<Number, JsonError> {
        let start = self.at;
        number::read(self.bytes, &mut self.at).map_err(|kind| match kind {
            Kind::InvalidNumber => JsonError { kind, offset: self.at },
            kind => JsonError { kind, offset: start },
        })
    }
}
