//! Objects, kept in canonical order.

use std::cmp::Ordering;

use super::{Text, Value};

/// With more members than this a member is searched by halving; with fewer by looking at each, which
/// is three times as fast for objects of the usual size.
const SEARCHED: usize = 16;

/// A JSON object whose members are kept sorted by the UTF-16 code units of their names (RFC 8785
/// section 3.2.3).
///
/// No two members have the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(Vec<(Text, Value)>);

impl Object {
    /// An object without members.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Brings members into canonical order, and tells whether they were; `None` if a name appears
    /// twice. Texts that Syndic wrote are sorted already.
    pub(super) fn from_members(mut members: Vec<(Text, Value)>) -> Option<(Self, bool)> {
        let ascending = |a: &(Text, Value), b: &(Text, Value)| order(&a.0, &b.0).is_lt();
        let sorted = members.is_sorted_by(ascending);
        if !sorted {
            members.sort_unstable_by(|a, b| order(&a.0, &b.0));
            if !members.is_sorted_by(ascending) {
                return None;
            }
        }
        Some((Self(members), sorted))
    }

    /// Where the members are in memory.
    pub(super) fn members(&self) -> *const (Text, Value) {
        self.0.as_ptr()
    }

    /// The value of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(self.place(name)?).map(|(_, value)| value)
    }

    /// The value of a member, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let at = self.place(name)?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Whether there is such a member.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Sets a member; the former value, if there was one, is returned.
    pub fn insert(&mut self, name: impl AsRef<str>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.as_ref(), value.into());
        match self.position(name) {
            Ok(at) => self.0.get_mut(at).map(|(_, old)| std::mem::replace(old, value)),
            Err(at) => {
                self.0.insert(at, (Text::name(name), value));
                None
            }
        }
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.place(name)?;
        Some(self.0.remove(at).1)
    }

    /// The members in canonical order.
    #[must_use]
    pub fn iter(&self) -> MemberIter<'_> {
        MemberIter(self.0.iter())
    }

    /// The names in canonical order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A member's place in canonical order, and its value.
    pub(super) fn find(&self, name: &str) -> Option<(usize, &Value)> {
        let at = self.place(name)?;
        self.0.get(at).map(|(_, value)| (at, value))
    }

    /// Where the member stands.
    fn place(&self, name: &str) -> Option<usize> {
        if self.0.len() > SEARCHED {
            return self.position(name).ok();
        }
        // Lengths differ almost always, and comparing them costs nothing.
        self.0.iter().position(|(other, _)| **other == *name)
    }

    /// Where the member stands, or would stand.
    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| order(other, name))
    }
}

/// Compares names by their UTF-16 code units.
///
/// UTF-8 bytes already have the order of code points. UTF-16 differs from it in one thing: what
/// lies above U+FFFF is written with surrogates (D800-DFFF), so it comes before U+E000-U+FFFF,
/// whose UTF-8 begins with EE or EF.
pub(super) fn order(a: &str, b: &str) -> Ordering {
    for (x, y) in a.bytes().zip(b.bytes()) {
        if x != y {
            return rank(x).cmp(&rank(y));
        }
    }
    a.len().cmp(&b.len())
}

/// Moves the lead bytes EE and EF behind those of the supplementary planes (F0-F4).
const fn rank(byte: u8) -> u8 {
    if byte == 0xEE || byte == 0xEF {
        byte + 0x10
    } else {
        byte
    }
}

/// Later members replace earlier ones of the same name.
impl<K: AsRef<str>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let mut object = Self::new();
        object.extend(members);
        object
    }
}

impl<K: AsRef<str>, V: Into<Value>> Extend<(K, V)> for Object {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, members: I) {
        for (name, value) in members {
            self.insert(name, value);
        }
    }
}

/// Borrowed members in canonical order.
#[derive(Clone, Debug)]
pub struct MemberIter<'a>(std::slice::Iter<'a, (Text, Value)>);

impl<'a> Iterator for MemberIter<'a> {
    type Item = (&'a str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (&**name, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for MemberIter<'_> {}

/// Owned members in canonical order.
#[derive(Debug)]
pub struct IntoMembers(std::vec::IntoIter<(Text, Value)>);

impl Iterator for IntoMembers {
    type Item = (String, Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (name.into(), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a str, &'a Value);
    type IntoIter = MemberIter<'a>;

    fn into_iter(self) -> MemberIter<'a> {
        self.iter()
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = IntoMembers;

    fn into_iter(self) -> IntoMembers {
        IntoMembers(self.0.into_iter())
    }
}

impl serde::Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
