//! The repository's own files, for the tests that keep the house tidy.

use std::path::{Path, PathBuf};

use crate::program::repository;

/// Every file below a folder of the repository whose name ends in `suffix`, sorted. Build products are left out.
#[must_use]
pub fn files(folder: &str, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&repository().join(folder), suffix, &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, suffix: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if name != "target" && name != ".git" && name != "node_modules" && name != ".venv" {
                walk(&path, suffix, found);
            }
        } else if name.ends_with(suffix) {
            found.push(path);
        }
    }
}

/// A file's text.
///
/// # Panics
/// It cannot be read.
#[must_use]
pub fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A path as it is written in the repository.
///
/// # Panics
/// It lies elsewhere.
#[must_use]
pub fn shown(path: &Path) -> String {
    path.strip_prefix(repository()).unwrap_or(path).display().to_string()
}

/// The lines of a Rust file that are built into the crate: without comments, and without the modules that are compiled
/// for tests only.
#[must_use]
pub fn production_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut skipped_until: Option<String> = None;
    let mut test_next = false;
    for (number, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if let Some(end) = &skipped_until {
            if line == end {
                skipped_until = None;
            }
            continue;
        }
        if code.starts_with("#[cfg(test)]") || code.starts_with("#[cfg(all(test") {
            test_next = true;
            continue;
        }
        if test_next && !code.starts_with("#[") && !code.starts_with("//") {
            test_next = false;
            // rustfmt closes an item at the indentation at which it began.
            if !code.ends_with([';', ',', '}']) {
                skipped_until = Some(format!("{}}}", &line[..line.len() - code.len()]));
            }
            continue;
        }
        if code.starts_with("//") {
            continue;
        }
        lines.push((number + 1, line.to_owned()));
    }
    lines
}
