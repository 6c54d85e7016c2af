//! What the demo tells: numbered steps for people as they end, or one document for programs at the end.

use std::collections::BTreeMap;
use std::time::Instant;

use syndic_vc::json::{Object, Value};
use syndic_vc::object;

use super::decisions::Expected;
use super::error::DemoError;
use super::hospital::Hospital;
use super::wait::milliseconds;
use super::{Story, aside};
use crate::cli::output::{Output, Page, clean};
use crate::client::decision::{Decision, Outcome, Reason};

const INTRODUCTION: &str = "\
Syndic demo: three hospitals, three nodes, and nobody in the middle.
All of it runs on this machine, on loopback ports and in a temporary folder that is removed at the end.
";

/// Width of the longest outcome in words.
const OUTCOME_WIDTH: usize = 17;

pub(super) struct Report {
    output: Output,
    began: Instant,
    steps: Vec<Step>,
    open: Option<Step>,
    measures: Vec<Measure>,
}

struct Step {
    number: u32,
    title: String,
    began: Instant,
    milliseconds: u32,
    notes: Vec<String>,
    decisions: Vec<Judged>,
}

struct Judged {
    organization: String,
    what: String,
    outcome: Outcome,
    expected: Expected,
    reasons: Vec<Reason>,
}

/// A figure for the end.
struct Measure {
    name: &'static str,
    organization: Option<String>,
    value: u32,
    words: String,
}

impl Report {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            began: Instant::now(),
            steps: Vec::new(),
            open: None,
            measures: Vec::new(),
        }
    }

    pub(super) fn introduce(&self) {
        aside(&self.output, INTRODUCTION);
    }

    /// Opens a step; the one before is closed and printed.
    pub(super) fn begin(&mut self, title: &str) {
        self.end();
        let number = u32::try_from(self.steps.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.open = Some(Step {
            number,
            title: title.to_owned(),
            began: Instant::now(),
            milliseconds: 0,
            notes: Vec::new(),
            decisions: Vec::new(),
        });
    }

    /// A line about the open step.
    pub(super) fn note(&mut self, text: impl Into<String>) {
        if let Some(step) = &mut self.open {
            step.notes.push(text.into());
        }
    }

    /// Records a decision.
    ///
    /// # Errors
    /// It is not the expected one.
    pub(super) fn judge(
        &mut self,
        hospital: &Hospital,
        what: &str,
        decision: &Decision,
        expected: Expected,
    ) -> Result<(), DemoError> {
        if let Some(step) = &mut self.open {
            step.decisions.push(Judged {
                organization: hospital.name.clone(),
                what: what.to_owned(),
                outcome: decision.outcome,
                expected,
                reasons: decision.reasons.clone(),
            });
        }
        if expected.is_met_by(decision) {
            return Ok(());
        }
        Err(DemoError::new(format!(
            "{} decides about {what}: expected {expected}, and it is not",
            hospital.name
        )))
    }

    /// A figure for the end.
    pub(super) fn measure(&mut self, name: &'static str, organization: Option<&Hospital>, value: u32, words: String) {
        let organization = organization.map(|hospital| hospital.name.clone());
        self.measures.push(Measure {
            name,
            organization,
            value,
            words,
        });
    }

    /// Forgets all steps: the scene is set anew.
    pub(super) fn start_over(&mut self, why: &str) {
        self.end();
        self.steps.clear();
        aside(&self.output, &format!("{why}; once more from the beginning\n"));
    }

    fn end(&mut self) {
        let Some(mut step) = self.open.take() else {
            return;
        };
        step.milliseconds = milliseconds(step.began.elapsed());
        if !self.output.is_json() {
            let mut page = self.output.page();
            step.write(&mut page);
            page.print();
        }
        self.steps.push(step);
    }

    /// Prints the figures, or the whole document.
    pub(super) fn conclude(&mut self, hospitals: &[Hospital]) {
        self.end();
        let total = milliseconds(self.began.elapsed());
        let mut document = self.document(hospitals, total);
        document.insert("ok", true);
        let page = |page: &mut Page| self.write_figures(page, total);
        self.output.show(&document.into(), page);
    }

    /// Says which step failed and what the nodes said last.
    pub(super) fn fail(&mut self, error: &DemoError, logs: &[(String, String)]) {
        let failed = self.open.as_ref().map(|step| (step.number, step.title.clone()));
        self.end();
        let place = failed.as_ref().map_or_else(
            || "before the first step".to_owned(),
            |(number, title)| format!("in step {number} ({title})"),
        );
        let message = format!("the demo failed {place}: {}", error.message);
        if self.output.is_json() {
            let mut document = self.document(&[], milliseconds(self.began.elapsed()));
            document.insert("ok", false);
            document.insert(
                "failed",
                object! {
                    "step": failed.map(|(number, _)| number),
                    "message": error.message.as_str(),
                    "logs": logs.iter().map(|(name, tail)| (name.as_str(), tail.as_str())).collect::<Object>(),
                },
            );
            self.output.document(&document.into());
        }
        self.output.complain(&message);
        for (name, tail) in logs.iter().filter(|(_, tail)| !tail.is_empty()) {
            self.output
                .complain(&format!("--- the log of {name} ends with:\n{tail}"));
        }
    }

    /// For `--stay`: how to talk to the nodes.
    pub(super) fn invite(&self, hospitals: &[Hospital], story: &Story) {
        if self.output.is_json() {
            return;
        }
        let mut page = self.output.page();
        page.line("The nodes stay up until ctrl-C:");
        page.line("");
        let rows: Vec<Vec<String>> = hospitals
            .iter()
            .map(|hospital| {
                let public = hospital.public.base().to_owned();
                vec![
                    hospital.name.clone(),
                    public,
                    hospital.admin.base().to_owned(),
                    hospital.data.display().to_string(),
                ]
            })
            .collect();
        page.table(&["ORGANIZATION", "PUBLIC", "ADMIN", "DATA FOLDER"], &rows, "none");
        let [first, second, ..] = hospitals else {
            return page.print();
        };
        let program = std::env::current_exe().map_or_else(|_| "syndic".to_owned(), |path| path.display().to_string());
        page.line("");
        page.line("Try:");
        page.line(format_args!("  {program} status --data {}", first.data.display()));
        page.line(format_args!(
            "  curl {}/1.0/identifiers/{}",
            second.public.base(),
            story.agent
        ));
        page.line(format_args!(
            "  curl -H 'Content-Type: application/json' {}/authorization -d \\\n    \
             '{{\"entity_id\":\"{}\",\"authority_id\":\"{}\",\"action\":\"call\",\"resource\":\"billing_api\"}}'",
            second.public.base(),
            first.did,
            second.did
        ));
        page.print();
    }

    fn write_figures(&self, page: &mut Page, total: u32) {
        page.line(page.paint().bold("Figures"));
        for measure in &self.measures {
            page.line(format_args!("      {}", clean(&measure.words)));
        }
        let counted: Vec<String> = self
            .count()
            .into_iter()
            .map(|(outcome, count)| format!("{count} {}", outcome.word()))
            .collect();
        page.line(format_args!("      decisions: {}", counted.join(", ")));
        page.line(format_args!(
            "      {} in all; every step came out as it must\n",
            seconds(total)
        ));
    }

    fn count(&self) -> BTreeMap<Outcome, u32> {
        let mut count = BTreeMap::new();
        for judged in self.steps.iter().flat_map(|step| &step.decisions) {
            *count.entry(judged.outcome).or_default() += 1;
        }
        count
    }

    fn document(&self, hospitals: &[Hospital], total: u32) -> Object {
        let count = self.count();
        let of = |outcome| count.get(&outcome).copied().unwrap_or(0_u32);
        let measures = self.measures.iter().map(|measure| {
            object! {
                "name": measure.name,
                "organization": measure.organization.as_deref(),
                "value": measure.value,
                "words": measure.words.as_str(),
            }
        });
        Object::from_iter([
            (
                "organizations",
                hospitals.iter().map(Hospital::to_json).collect::<Value>(),
            ),
            ("steps", self.steps.iter().map(Step::to_json).collect()),
            (
                "figures",
                object! {
                    "measures": measures.collect::<Value>(),
                    "decisions": object! {
                        "allow": of(Outcome::Allow),
                        "deny": of(Outcome::Deny),
                        "approvalRequired": of(Outcome::ApprovalRequired),
                    },
                    "milliseconds": total,
                },
            ),
        ])
    }
}

impl Step {
    fn write(&self, page: &mut Page) {
        let paint = page.paint();
        let number = format!("{:>2}", self.number);
        page.line(format_args!(
            "{}  {}  {}",
            number,
            paint.bold(&self.title),
            paint.dim(&seconds(self.milliseconds))
        ));
        for note in &self.notes {
            page.line(format_args!("      {}", clean(note)));
        }
        for judged in &self.decisions {
            judged.write(page);
        }
        page.line("");
    }

    fn to_json(&self) -> Value {
        let mut step = Object::new();
        step.insert("number", self.number);
        step.insert("title", self.title.as_str());
        step.insert("milliseconds", self.milliseconds);
        step.insert("notes", self.notes.iter().collect::<Value>());
        let last = self.decisions.last();
        step.insert("outcome", last.map_or("done", |judged| judged.outcome.as_str()));
        step.insert(
            "expected",
            last.map_or("done", |judged| judged.expected.outcome.as_str()),
        );
        step.insert("reasons", reasons(last.map_or(&[], |judged| &judged.reasons)));
        step.insert(
            "decisions",
            self.decisions.iter().map(Judged::to_json).collect::<Value>(),
        );
        step.into()
    }
}

impl Judged {
    fn write(&self, page: &mut Page) {
        let word = self.outcome.word();
        let colored = page.paint().outcome(self.outcome, word);
        let gap = " ".repeat(OUTCOME_WIDTH.saturating_sub(word.len()));
        page.line(format_args!(
            "      {colored}{gap}  {}: {}",
            self.organization,
            clean(&self.what)
        ));
        for reason in &self.reasons {
            let indent = " ".repeat(6 + OUTCOME_WIDTH + 2);
            page.line(format_args!(
                "{indent}{} [{}]",
                clean(&reason.message),
                clean(&reason.code)
            ));
        }
    }

    fn to_json(&self) -> Value {
        object! {
            "organization": self.organization.as_str(),
            "what": self.what.as_str(),
            "outcome": self.outcome.as_str(),
            "expected": self.expected.outcome.as_str(),
            "expectedCode": self.expected.code,
            "reasons": reasons(&self.reasons),
        }
    }
}

fn reasons(reasons: &[Reason]) -> Value {
    reasons
        .iter()
        .map(|reason| {
            object! { "code": reason.code.as_str(), "message": reason.message.as_str(), "at": reason.at.as_str() }
        })
        .collect()
}

fn seconds(milliseconds: u32) -> String {
    if milliseconds < 1000 {
        return format!("{milliseconds} ms");
    }
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}
