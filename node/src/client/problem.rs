//! Problem documents (RFC 9457) as people read them.

use std::fmt;

use syndic_vc::json::Value;

use super::Answer;

/// A refusal of a node, with everything it said.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The HTTP status code of the answer.
    pub status: u16,
    /// The URL that names this kind of problem; `about:blank` if there was none.
    pub kind: String,
    /// What kind of problem it is, in words.
    pub title: String,
    /// What is wrong in this case and what to do.
    pub detail: Option<String>,
    /// The whole document.
    pub document: Value,
}

impl Problem {
    /// Reads the body of an answer that is not a success.
    ///
    /// # Errors
    /// The status, if the body is no problem document.
    pub(super) fn from_answer(answer: Answer) -> Result<Self, u16> {
        let member = |name| answer.body.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let Some(title) = member("title") else {
            return Err(answer.status);
        };
        Ok(Self {
            status: answer.status,
            kind: member("type").unwrap_or_else(|| "about:blank".to_owned()),
            title,
            detail: member("detail"),
            document: answer.body,
        })
    }
}

/// The detail alone where there is one: it is written to stand for itself.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) if !detail.is_empty() => f.write_str(detail),
            _ => f.write_str(&self.title),
        }
    }
}
