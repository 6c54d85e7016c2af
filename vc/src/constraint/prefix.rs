//! Text that begins with something, where the rest may be a path.

use super::{Circumstances, Scalar, parameter_name};
use crate::constraint::Quoted;
use crate::denial::{DenialCode, Reason};
use crate::json::Object;
use crate::json::members::Members;
use crate::limits::PREFIX_BYTES;

/// The parameter is text that begins with `value`, byte by byte, and cannot be read as leading
/// out of it again.
///
/// From the last `/` of `value` on, the text consists of segments as a resource has them: of
/// `[A-Za-z0-9_.~:@-]`, none of them `.`, `..` or empty (but the text may end in `/`). So there is
/// no dot segment, no percent-encoding, no backslash and nothing that some normalization would
/// turn into one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Name of the action's parameter.
    pub parameter: String,
    value: String,
}

impl Prefix {
    /// A prefix; `None` if `value` is none: 1 to 512 of `[A-Za-z0-9_.~:@/-]` without segments `.`
    /// and `..`.
    #[must_use]
    pub fn new(parameter: &str, value: &str) -> Option<Self> {
        let fits = (1..=PREFIX_BYTES).contains(&value.len())
            && value
                .split('/')
                .all(|segment| !matches!(segment, "." | "..") && segment.bytes().all(is_plain));
        (fits && super::is_parameter_name(parameter)).then(|| Self {
            parameter: parameter.to_owned(),
            value: value.to_owned(),
        })
    }

    /// What the text begins with.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    pub(super) fn read(members: &Members<'_, '_>) -> Result<Self, Reason> {
        let parameter = parameter_name(members)?;
        Self::new(&parameter, members.str("value")?).ok_or_else(|| {
            let expected = "a prefix: 1 to 512 letters, digits, `_`, `-`, `.`, `~`, `:`, `@`, `/`, no dot segment";
            members.error("value", expected).into()
        })
    }

    pub(super) fn write(&self, object: &mut Object) {
        object.insert("parameter", self.parameter.as_str());
        object.insert("value", self.value.as_str());
    }

    /// Whether a text begins as it must.
    pub(super) fn admits_text(&self, text: &str) -> bool {
        let start = self.value.rfind('/').map_or(0, |slash| slash + 1);
        let Some(segments) = text.starts_with(&self.value).then(|| text.get(start..)).flatten() else {
            return false;
        };
        let (complete, last) = segments
            .rsplit_once('/')
            .map_or((None, segments), |(all, last)| (Some(all), last));
        let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain);
        complete.is_none_or(|all| all.split('/').all(is_segment)) && (last.is_empty() || is_segment(last))
    }

    /// The same of a plain value.
    pub(super) fn admits(&self, value: &Scalar) -> bool {
        matches!(value, Scalar::Text(text) if self.admits_text(text))
    }

    pub(super) fn check(&self, circumstances: &Circumstances<'_>) -> Result<(), Reason> {
        let parameter = self.parameter.as_str();
        let (code, text) = match circumstances.scalar(parameter)? {
            Scalar::Text(text) if self.admits_text(text) => return Ok(()),
            Scalar::Text(text) if text.starts_with(&self.value) => (
                DenialCode::ValuePrefixWrong,
                format!(
                    "{parameter} is {}: what follows the prefix has plain segments only, none of them `.`, `..` or empty",
                    Quoted(text)
                ),
            ),
            given @ Scalar::Text(_) => (
                DenialCode::ValuePrefixWrong,
                format!("{parameter} is {given}, and must begin with {}", Quoted(&self.value)),
            ),
            given => (
                DenialCode::ParameterMalformed,
                format!("{parameter} is {given}: give it as text"),
            ),
        };
        Err(circumstances.reason(code, parameter, text))
    }
}

/// The characters of a resource's segments.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'~' | b':' | b'@' | b'-')
}
