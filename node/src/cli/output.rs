//! What commands print: one JSON document, or short lines and tables for people.

use std::fmt::{Display, Write as _};
use std::io::{IsTerminal as _, Write as _};

use syndic_vc::json::Value;

use super::failure::Failure;
use crate::client::decision::{Decision, Outcome};

/// Where results go, and in which form.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    paint: Paint,
}

impl Output {
    /// Colors are used only for people at a terminal who did not ask for none (`NO_COLOR`).
    #[must_use]
    pub fn new(json: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            json,
            paint: Paint(!json && !refused && std::io::stdout().is_terminal()),
        }
    }

    /// Whether a program reads along.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// An empty page in the colors of this output.
    #[must_use]
    pub const fn page(&self) -> Page {
        Page {
            text: String::new(),
            paint: self.paint,
        }
    }

    /// Prints the document for programs, or the page for people.
    pub fn show(&self, document: &Value, compose: impl FnOnce(&mut Page)) {
        if self.json {
            self.document(document);
        } else {
            let mut page = self.page();
            compose(&mut page);
            page.print();
        }
    }

    /// Prints a JSON document whoever reads it.
    pub fn document(&self, document: &Value) {
        write_out(&(pretty(document) + "\n"));
    }

    /// Prints a script as it is, or as one JSON string.
    pub fn script(&self, text: &str) {
        if self.json {
            self.document(&Value::from(text));
        } else {
            write_out(text);
        }
    }

    /// Reports a failure: on standard error for people, and as the one document for programs.
    pub fn fail(&self, failure: &Failure) {
        if self.json {
            self.document(&failure.to_json());
        }
        let mut text = failure.message.clone();
        if let Some(advice) = &failure.advice {
            let _ = write!(text, "\n        {advice}");
        }
        self.complain(&text);
    }

    /// A message on standard error.
    pub fn complain(&self, message: &str) {
        // If even this cannot be written, nobody is listening.
        let _ = std::io::stderr().write_all(format!("syndic: {}\n", clean_lines(message)).as_bytes());
    }
}

/// JSON as people like to read it.
#[must_use]
pub fn pretty(document: &Value) -> String {
    // Writing a value that has only string keys to memory cannot fail.
    serde_json::to_string_pretty(document).unwrap_or_default()
}

/// A reader that has gone away (`| head`) is no failure of ours.
fn write_out(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Whether to color.
#[derive(Clone, Copy, Debug)]
pub struct Paint(bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Good news.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// A refusal.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// Something that waits for a human.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// A heading.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// By the way.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// An outcome in its color.
    #[must_use]
    pub fn outcome(self, outcome: Outcome, text: &str) -> String {
        match outcome {
            Outcome::Allow => self.green(text),
            Outcome::Deny => self.red(text),
            Outcome::ApprovalRequired => self.yellow(text),
        }
    }
}

/// Text for people, composed before it is printed.
#[derive(Debug)]
pub struct Page {
    text: String,
    paint: Paint,
}

impl Page {
    /// The colors of this page.
    #[must_use]
    pub const fn paint(&self) -> Paint {
        self.paint
    }

    /// The text as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// One line. What came from others is to be passed through [`clean`].
    pub fn line(&mut self, line: impl Display) {
        let _ = writeln!(self.text, "{line}");
    }

    /// Names and values, the values in one column.
    pub fn pairs(&mut self, pairs: &[(&str, String)]) {
        let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in pairs {
            self.line(format_args!("{}  {}", pad(name, width), clean(value)));
        }
    }

    /// A table; `empty` is said in its place if it has no rows.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>], empty: &str) {
        if rows.is_empty() {
            self.line(empty);
            return;
        }
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| clean(cell)).collect())
            .collect();
        let width = |column: usize| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count());
            cells
                .chain(head.get(column).map(|name| name.chars().count()))
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let compose = |cells: &mut dyn Iterator<Item = &str>| {
            let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| pad(cell, *width)).collect();
            padded.join("  ").trim_end().to_owned()
        };
        let head = compose(&mut head.iter().copied());
        self.line(self.paint.dim(&head));
        for row in &rows {
            self.line(compose(&mut row.iter().map(String::as_str)));
        }
    }

    /// A decision: the word first, then each reason in words with its code.
    pub fn decision(&mut self, decision: &Decision) {
        let mut first = self.paint.outcome(decision.outcome, decision.outcome.word());
        if let Some(subject) = &decision.subject {
            let _ = write!(first, "  {}", clean(subject));
        }
        if let Some(owner) = &decision.owner {
            let _ = write!(first, ", owner {}", clean(owner));
        }
        self.line(first);
        for reason in &decision.reasons {
            let place = if reason.at.is_empty() {
                String::new()
            } else {
                format!(" at {}", clean(&reason.at))
            };
            self.line(format_args!(
                "  {}  [{}{place}]",
                clean(&reason.message),
                clean(&reason.code)
            ));
        }
        for known in &decision.as_of {
            let (issuer, time) = (clean(&known.issuer), clean(&known.time));
            let (by, of) = known.witnessed;
            let text = format!("  what {issuer} says is known as of {time}, seen by {by} of {of} others");
            self.line(self.paint.dim(&text));
        }
    }

    /// Prints the page.
    pub fn print(self) {
        write_out(&self.text);
    }
}

fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

/// Text that others wrote, made harmless for a terminal: control characters and those that turn the direction of
/// writing are shown as replacement characters.
#[must_use]
pub fn clean(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if harmful(c) { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// The same, but lines stay lines.
fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn page(color: bool) -> Page {
        Page {
            text: String::new(),
            paint: Paint(color),
        }
    }

    #[test]
    fn tables_line_up_and_say_when_they_are_empty() {
        let mut page = page(false);
        page.table(
            &["NAME", "OWNER"],
            &[vec!["Ä".into(), "x".into()], vec!["longer".into(), "y".into()]],
            "none",
        );
        page.table(&["NAME"], &[], "no agents yet");
        assert_eq!(page.as_str(), "NAME    OWNER\nÄ       x\nlonger  y\nno agents yet\n");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let mut page = page(true);
        page.pairs(&[("name", "evil\x1b[2J\u{202e}\r\n".to_owned())]);
        assert_eq!(page.as_str(), "name  evil\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}\n");
    }

    #[test]
    fn colors_only_where_they_are_wanted() {
        assert_eq!(Paint(false).red("denied"), "denied");
        assert_eq!(Paint(true).red("denied"), "\x1b[31mdenied\x1b[0m");
    }
}
