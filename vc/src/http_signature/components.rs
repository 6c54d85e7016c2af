//! A request as it is signed: its components (RFC 9421 section 2) and the base made of them (section 2.5).

use std::fmt;

use sfv::{FieldType, InnerList, ListEntry, StringRef};

use super::content::Content;
use super::{HttpSignatureError, SIGNATURE_INPUT};
use crate::limits::{COVERED_COMPONENTS, FIELD_BYTES, FIELDS, TARGET_BYTES};

/// A request, as far as signatures speak of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    method: String,
    target: TargetUri,
    /// Names in lower case.
    fields: Vec<(String, String)>,
    pub(super) content: Content,
}

/// This is no request of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The method is no token.
    #[error("the method is not one, such as GET or POST")]
    Method,
    /// The target is no URI.
    #[error(
        "the target is not an absolute http or https URI in ASCII without user, fragment or spaces, of at most {TARGET_BYTES} bytes"
    )]
    Target,
    /// There are too many fields.
    #[error("there are more than {FIELDS} fields, or they have more than {FIELD_BYTES} bytes")]
    Fields,
    /// A field is none.
    #[error("a field has a name that is no token, or a value with a line break or beyond ASCII")]
    Field,
}

impl HttpRequest {
    /// A request to this absolute URI with these fields (names in any case, in the order of their lines).
    ///
    /// # Errors
    /// [`RequestError`]
    pub fn new<'f>(
        method: &str,
        target: &str,
        fields: impl IntoIterator<Item = (&'f str, &'f str)>,
        content: Content,
    ) -> Result<Self, RequestError> {
        if !is_token(method) {
            return Err(RequestError::Method);
        }
        let target = TargetUri::parse(target).ok_or(RequestError::Target)?;
        let (mut kept, mut bytes) = (Vec::new(), 0_usize);
        for (name, value) in fields {
            bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
            if kept.len() >= FIELDS || bytes > FIELD_BYTES {
                return Err(RequestError::Fields);
            }
            if !is_token(name) || !value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)) {
                return Err(RequestError::Field);
            }
            kept.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
        }
        Ok(Self {
            method: method.to_owned(),
            target,
            fields: kept,
            content,
        })
    }

    /// The same with one more field.
    ///
    /// # Errors
    /// [`RequestError`]
    pub fn with_field(mut self, name: &str, value: &str) -> Result<Self, RequestError> {
        let one = Self::new("GET", "http://a/", [(name, value)], Content::None)?;
        if self.fields.len() >= FIELDS {
            return Err(RequestError::Fields);
        }
        self.fields.extend(one.fields);
        Ok(self)
    }

    /// The method, as it was sent.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Where it goes.
    #[must_use]
    pub const fn target(&self) -> &TargetUri {
        &self.target
    }

    /// The value of a field; of several lines, joined (RFC 9421 section 2.1). The name is in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .fields
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// All fields, a line each; names in lower case.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether anything comes after the fields.
    #[must_use]
    pub const fn has_content(&self) -> bool {
        !matches!(self.content, Content::None)
    }

    /// The value of a component (RFC 9421 sections 2.1 and 2.2).
    fn component(&self, name: &str) -> Option<String> {
        let target = &self.target;
        let query = target.query.as_deref();
        match name {
            "@method" => Some(self.method.clone()),
            "@target-uri" => Some(target.to_string()),
            "@authority" => Some(target.authority.clone()),
            "@scheme" => Some(target.scheme.to_owned()),
            "@path" => Some(target.path.clone()),
            "@query" => Some(query.unwrap_or("?").to_owned()),
            "@request-target" => Some(format!("{}{}", target.path, query.unwrap_or_default())),
            name if name.starts_with('@') => None,
            name => self.field(name),
        }
    }
}

/// The names of the components that a signature covers, each once and without parameters.
pub(super) fn covered(list: &InnerList) -> Result<Vec<&str>, HttpSignatureError> {
    let malformed = |why| HttpSignatureError::Malformed {
        field: SIGNATURE_INPUT,
        why,
    };
    if list.items.len() > COVERED_COMPONENTS {
        return Err(malformed("it covers too many components"));
    }
    let mut names: Vec<&str> = Vec::with_capacity(list.items.len());
    for item in &list.items {
        let name = item.bare_item.as_string().map(StringRef::as_str);
        let name = name.ok_or_else(|| malformed("a component is not a string"))?;
        if !item.params.is_empty() {
            return Err(HttpSignatureError::Unknown(name.to_owned()));
        }
        if names.contains(&name) {
            return Err(malformed("a component is covered twice"));
        }
        names.push(name);
    }
    Ok(names)
}

/// The signature base.
pub(super) fn base(request: &HttpRequest, covered: &[&str], list: &InnerList) -> Result<Vec<u8>, HttpSignatureError> {
    let mut base = String::new();
    for name in covered {
        let value = request
            .component(name)
            .ok_or_else(|| HttpSignatureError::Unknown((*name).to_owned()))?;
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    let parameters = vec![ListEntry::InnerList(list.clone())].serialize();
    base.push_str("\"@signature-params\": ");
    base.push_str(&parameters.unwrap_or_default());
    Ok(base.into_bytes())
}

/// RFC 9110 section 5.6.2
fn is_token(text: &str) -> bool {
    let marks = b"!#$%&'*+-.^_`|~";
    let bounded = !text.is_empty() && text.len() <= crate::limits::LABEL_BYTES;
    bounded && text.bytes().all(|b| b.is_ascii_alphanumeric() || marks.contains(&b))
}

/// The absolute URI that a request goes to, in the form in which it is signed: scheme and host in lower case, no port where
/// it is the scheme's own, a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUri {
    scheme: &'static str,
    authority: String,
    path: String,
    /// With its `?`.
    query: Option<String>,
}

impl TargetUri {
    /// Reads an absolute `http` or `https` URI in ASCII without user, fragment or spaces.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > TARGET_BYTES || !text.bytes().all(is_uri_byte) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let (scheme, port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => ("https", ":443"),
            "http" => ("http", ":80"),
            _ => return None,
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let authority = authority.to_ascii_lowercase();
        let authority = authority.strip_suffix(port).unwrap_or(&authority);
        let host = |b: u8| b.is_ascii_alphanumeric() || b"-._~:[]".contains(&b);
        if authority.is_empty() || !authority.bytes().all(host) {
            return None;
        }
        let (path, query) = match rest.find('?') {
            Some(at) => (rest.get(..at)?, Some(rest.get(at..)?.to_owned())),
            None => (rest, None),
        };
        Some(Self {
            scheme,
            authority: authority.to_owned(),
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            query,
        })
    }

    /// Whether it is scheme and host alone.
    #[must_use]
    pub fn is_origin(&self) -> bool {
        self.path == "/" && self.query.is_none()
    }

    /// Of the same scheme and host, with another path and query.
    #[must_use]
    pub fn with_path(&self, path: &str, query: Option<&str>) -> Self {
        Self {
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            query: query.map(|query| format!("?{query}")),
            ..self.clone()
        }
    }
}

impl fmt::Display for TargetUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = self.query.as_deref().unwrap_or_default();
        write!(f, "{}://{}{}{query}", self.scheme, self.authority, self.path)
    }
}

fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&byte)
}
