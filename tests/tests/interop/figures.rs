//! What was exchanged, counted, and every disagreement.

use std::collections::BTreeMap;

/// What somebody says of a document.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    /// Whether it holds.
    pub(crate) accepted: bool,
    /// Why not.
    pub(crate) why: String,
}

/// Who made a document, who judges it, and whether it was altered on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// They made it, we judge.
    Theirs,
    /// They made it, somebody altered it, we judge.
    TheirsAltered,
    /// We made it, they judge.
    Ours,
    /// We made it, somebody altered it, they judge.
    OursAltered,
}

/// Counts of one kind of document.
#[derive(Clone, Copy, Debug, Default)]
struct Row([u32; 4]);

/// Everything that one test exchanged.
#[derive(Debug)]
pub(crate) struct Figures {
    title: &'static str,
    rows: BTreeMap<String, Row>,
    disagreements: Vec<String>,
}

impl Figures {
    /// Nothing yet.
    pub(crate) fn new(title: &'static str) -> Self {
        Self {
            title,
            rows: BTreeMap::new(),
            disagreements: Vec::new(),
        }
    }

    /// Counts a document that was judged as it must be; keeps it as a disagreement otherwise.
    pub(crate) fn judged(&mut self, row: &str, way: Way, what: &str, verdict: &Verdict) {
        let expected = matches!(way, Way::Theirs | Way::Ours);
        self.holds(row, way, verdict.accepted == expected, || {
            format!("{what}: accepted is {}, {}", verdict.accepted, verdict.why)
        });
    }

    /// Counts a document if what must hold of it does; keeps it as a disagreement otherwise.
    pub(crate) fn holds(&mut self, row: &str, way: Way, holds: bool, what: impl FnOnce() -> String) {
        let counts = &mut self.rows.entry(row.to_owned()).or_default().0;
        if holds {
            counts[way as usize] += 1;
        } else {
            self.disagreements.push(format!("{row}, {way:?}: {}", what()));
        }
    }

    /// Whether there was any disagreement.
    pub(crate) fn disagree(&self) -> bool {
        !self.disagreements.is_empty()
    }

    /// Prints the table.
    ///
    /// # Panics
    /// There was a disagreement, or nothing was exchanged.
    pub(crate) fn finish(self) {
        let mut table = format!(
            "\n{:<44}{:>9}{:>9}{:>9}{:>9}\n",
            self.title, "theirs", "altered", "ours", "altered"
        );
        for (name, Row(counts)) in &self.rows {
            table += &format!("{name:<44}");
            for count in counts {
                table += &format!("{count:>9}");
            }
            table.push('\n');
        }
        println!("{table}");
        assert!(
            self.rows
                .values()
                .any(|Row(counts)| counts.iter().any(|count| *count > 0)),
            "nothing was exchanged"
        );
        let shown: Vec<&str> = self.disagreements.iter().take(20).map(String::as_str).collect();
        assert!(
            self.disagreements.is_empty(),
            "{} disagreements, the first of them:\n{}",
            self.disagreements.len(),
            shown.join("\n")
        );
    }
}
