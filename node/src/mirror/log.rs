//! One log: the copy's files and the server's, looked at together.

use std::collections::BTreeSet;

use syndic_registry::charter::Charter;
use syndic_registry::limits;
use syndic_registry::statement::{Content, Statement};
use syndic_registry::tile::TilePath;
use syndic_registry::tile::check::{self, LogCheck, LogCheckError};
use syndic_vc::canonical;
use syndic_vc::object;

use super::{Mirror, MirrorError, Outcome, Watch};

/// What a statement that begins a status list says of itself; entries without it are not read again.
const LIST_CREATED: &[u8] = b"\"statusListCreated\"";

/// Where the files of a log may come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum From {
    /// The copy alone.
    Copy,
    /// The copy, what was kept of an earlier attempt, and for the rest the server.
    Both,
    /// The server alone.
    Server,
}

/// What was seen on a walk through a log.
#[derive(Default)]
struct Seen {
    /// Files that are kept and not in their place yet.
    incoming: BTreeSet<String>,
    /// Whether any file was not fetched just now.
    old: bool,
    /// The status lists that the log begins.
    lists: Vec<String>,
}

/// Why a walk ended early.
enum End {
    Check(LogCheckError),
    Missing(TilePath),
}

impl std::convert::From<LogCheckError> for End {
    fn from(error: LogCheckError) -> Self {
        Self::Check(error)
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Check(error) => error.fmt(f),
            Self::Missing(path) => write!(f, "{path} is missing"),
        }
    }
}

impl End {
    fn is_another_story(&self) -> bool {
        matches!(self, Self::Check(LogCheckError::Earlier(_)))
    }
}

/// The log whose files are walked through.
struct Log<'l> {
    place: String,
    organization: &'l str,
    charter: &'l Charter,
    /// The checkpoint that the copy has.
    held: Option<String>,
    /// The checkpoint that the server has.
    served: String,
}

impl Mirror<'_> {
    /// Copies what is missing of a log; also the status lists that it begins.
    pub(super) fn log(
        &mut self,
        organization: &str,
        charter: &Charter,
        watch: Watch<'_>,
    ) -> Result<(Outcome, Vec<String>), MirrorError> {
        let place = format!("logs/{organization}");
        let name = format!("{place}/checkpoint");
        let Some(served) = self.fetch(&name, limits::NOTE_BYTES)? else {
            return Ok((Outcome::Unknown, Vec::new()));
        };
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let log = Log {
            place,
            organization,
            charter,
            held: self.folder.read(&name, limits::NOTE_BYTES)?.map(text),
            served: text(served),
        };
        let Some((entries, time)) = check::stated(&log.served) else {
            let why = "its checkpoint is none".to_owned();
            return Ok((Outcome::Refused { why }, Vec::new()));
        };
        let (size, held_time) = log.held.as_deref().and_then(check::stated).unwrap_or((0, None));
        if entries < size {
            return self.behind(&log, (size, entries), watch);
        }
        let mut seen = Seen::default();
        let mut end = self.walk(&log, &log.served, log.held.as_deref(), From::Both, &mut seen, watch)?;
        if end.is_some() && seen.old {
            // The fault may be the copy's, or that of an attempt which was broken off.
            self.folder.forget(&log.place)?;
            seen = Seen::default();
            end = self.walk(&log, &log.served, log.held.as_deref(), From::Server, &mut seen, watch)?;
        }
        if let Some(end) = end {
            return Ok((self.refuse(&log, &end, watch)?, Vec::new()));
        }
        for file in &seen.incoming {
            self.folder.settle(file)?;
        }
        // A head never becomes older.
        let older = entries == size && log.held.is_some() && time < held_time;
        if !older {
            self.folder.put(&name, log.served.as_bytes())?;
        }
        self.folder.forget(&log.place)?;
        Ok((Outcome::Whole { entries }, seen.lists))
    }

    /// The server has fewer entries than the copy: it is slow, or tells another story.
    fn behind(
        &mut self,
        log: &Log<'_>,
        (entries, served): (u64, u64),
        watch: Watch<'_>,
    ) -> Result<(Outcome, Vec<String>), MirrorError> {
        let mut seen = Seen::default();
        let held = log.held.as_deref().unwrap_or_default();
        match self.walk(log, held, Some(&log.served), From::Copy, &mut seen, watch)? {
            None => Ok((Outcome::Ahead { entries, served }, seen.lists)),
            Some(end) if end.is_another_story() => Ok((self.refuse(log, &end, watch)?, Vec::new())),
            Some(end) => {
                let why = format!("the server has fewer entries, and the copy does not hold any more: {end}");
                Ok((Outcome::Refused { why }, Vec::new()))
            }
        }
    }

    /// What the server has does not fit what the copy has. If it holds by itself, two stories were told.
    fn refuse(&mut self, log: &Log<'_>, end: &End, watch: Watch<'_>) -> Result<Outcome, MirrorError> {
        let why = end.to_string();
        if end.is_another_story() {
            let mut seen = Seen::default();
            self.folder.forget(&log.place)?;
            if self
                .walk(log, &log.served, None, From::Server, &mut seen, watch)?
                .is_none()
            {
                return Ok(Outcome::Fork {
                    evidence: self.keep(log)?,
                });
            }
        }
        self.folder.forget(&log.place)?;
        Ok(Outcome::Refused { why })
    }

    /// Keeps both checkpoints, and the server's story, apart from the copy.
    fn keep(&self, log: &Log<'_>) -> Result<String, MirrorError> {
        let (size, _) = check::stated(&log.served).unwrap_or_default();
        let root = log.served.lines().nth(2).unwrap_or_default();
        let plain: String = root.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        let evidence = format!("evidence/{}/{size}-{plain}", log.organization);
        // Found before, and kept: the same story again says nothing new.
        if self
            .folder
            .read(&format!("{evidence}.json"), limits::HEADS_BYTES)?
            .is_none()
        {
            if size > 0 {
                self.folder.set_aside(&log.place, &evidence)?;
            }
            let document = object! {
                "type": "SyndicMirrorEvidence",
                "organization": log.organization,
                "held": log.held.as_deref().unwrap_or_default(),
                "served": log.served.as_str(),
                "server": self.client.base(),
            };
            self.folder
                .put(&format!("{evidence}.json"), &canonical::to_bytes(&document))?;
        }
        self.folder.forget(&log.place)?;
        Ok(format!("{evidence}.json"))
    }

    fn walk(
        &mut self,
        log: &Log<'_>,
        checkpoint: &str,
        continuing: Option<&str>,
        from: From,
        seen: &mut Seen,
        watch: Watch<'_>,
    ) -> Result<Option<End>, MirrorError> {
        let begun = LogCheck::new(checkpoint, Some(log.charter)).and_then(|check| {
            let other = syndic_registry::head::origin(log.charter.id(), log.organization);
            match continuing {
                _ if check.origin() != other => Err(LogCheckError::OtherLog(check.origin().to_owned())),
                Some(earlier) => check.continuing(earlier),
                None => Ok(check),
            }
        });
        let mut check = match begun {
            Ok(check) => check,
            Err(error) => return Ok(Some(error.into())),
        };
        while let Some(path) = check.wanted() {
            watch(log.organization, check.done(), check.size());
            let Some(bytes) = self.file(&log.place, path, check.most_bytes(), from, seen)? else {
                return Ok(Some(End::Missing(path)));
            };
            if let Err(error) = check.give(&bytes) {
                return Ok(Some(error.into()));
            }
            if let TilePath::Entries { width, .. } = path {
                note_lists(&bytes, usize::from(width), &mut seen.lists);
            }
        }
        Ok(check.finish().err().map(End::Check))
    }

    fn file(
        &mut self,
        place: &str,
        path: TilePath,
        most: usize,
        from: From,
        seen: &mut Seen,
    ) -> Result<Option<Vec<u8>>, MirrorError> {
        let name = format!("{place}/{path}");
        if from != From::Server
            && let Some(bytes) = self.folder.read(&name, most)?
        {
            seen.old = true;
            return Ok(Some(bytes));
        }
        if from == From::Copy {
            return Ok(None);
        }
        if from == From::Both
            && let Some(bytes) = self.folder.read_incoming(&name, most)?
        {
            seen.old = true;
            seen.incoming.insert(name);
            return Ok(Some(bytes));
        }
        let bytes = self.fetch(&name, most)?;
        if let Some(bytes) = &bytes {
            self.folder.put_incoming(&name, bytes)?;
            seen.incoming.insert(name);
        }
        Ok(bytes)
    }
}

fn note_lists(bundle: &[u8], count: usize, lists: &mut Vec<String>) {
    let entries = check::entries_of(bundle, count).unwrap_or_default();
    let says = |entry: &&[u8]| entry.windows(LIST_CREATED.len()).any(|window| window == LIST_CREATED);
    for entry in entries.into_iter().filter(says) {
        if let Ok(Statement {
            content: Content::StatusListCreated(created),
            ..
        }) = Statement::parse(entry)
        {
            lists.push(created.list);
        }
    }
}
