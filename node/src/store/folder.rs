//! The store's folder: who made it, whether it was ever acknowledged from, how full the disk is.
//!
//! Beside the engine's files lie three of ours. `ready` names the engine and the format; it is
//! written last, so a folder without it was never acknowledged from and is started again.
//! `acknowledged` counts the commits that callers were told of: an engine that takes damage for the
//! torn end of its log, and quietly drops what follows, is found out by it. `ballast` is there to be
//! given up when the disk is full.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{ApplyError, Engine, OpenError, Options, limits, record};

/// The newest layout of records and folder that this program reads and writes.
const FORMAT: u32 = 1;

const READY: &str = "ready";
const READY_UNFINISHED: &str = "ready.new";
const ACKNOWLEDGED: &str = "acknowledged";
const BALLAST: &str = "ballast";

/// The engines' file in the folder, where they have only one.
pub(super) const REDB_FILE: &str = "data.redb";
/// sled's log.
pub(super) const SLED_LOG: &str = "db";
/// sled's folder for large pages.
pub(super) const SLED_BLOBS: &str = "blobs";

/// A disk writes a sector whole or not at all.
const SECTOR: u64 = 512;

const MARK: &[u8; 8] = b"syndic-a";

/// The folder of an open store.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    engine: Engine,
    min_free_bytes: u64,
    checked_at_opening: u64,
    is_new: bool,
    /// `None` for a store in memory.
    acknowledged: Option<File>,
    found_acknowledged: u64,
}

impl Folder {
    /// Creates or checks the folder. Engine files of a start that never finished are removed.
    pub(super) fn prepare(dir: &Path, options: &Options) -> Result<Self, OpenError> {
        let mut folder = Self {
            path: dir.to_path_buf(),
            engine: options.engine,
            min_free_bytes: options.min_free_bytes,
            checked_at_opening: options.checked_at_opening,
            is_new: false,
            acknowledged: None,
            found_acknowledged: 0,
        };
        folder.create().map_err(|source| folder.io(source))?;
        let ready = read_if_there(&dir.join(READY)).map_err(|source| folder.io(source))?;
        let counted = folder.read_acknowledged()?;
        match (ready, counted) {
            (Some(ready), Some(counted)) => {
                folder.check_ready(&ready)?;
                folder.found_acknowledged = counted;
            }
            (Some(_), None) => {
                return Err(folder.damaged(ACKNOWLEDGED, "the file is missing".to_owned()));
            }
            (None, Some(counted)) if counted > 0 => {
                return Err(folder.damaged(READY, "the file is missing".to_owned()));
            }
            (None, _) => {
                folder.is_new = true;
                folder.start_again()?;
            }
        }
        folder.drop_ballast();
        folder.acknowledged = Some(folder.open_acknowledged().map_err(|source| folder.io(source))?);
        Ok(folder)
    }

    /// No folder at all, for a store in memory.
    pub(super) fn in_memory(is_new: bool, acknowledged: u64, checked_at_opening: u64) -> Self {
        Self {
            path: PathBuf::from("memory"),
            engine: Engine::Sled,
            min_free_bytes: 0,
            checked_at_opening,
            is_new,
            acknowledged: None,
            found_acknowledged: acknowledged,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A store of at most this many records is read whole before it is opened.
    pub(super) fn checked_at_opening(&self) -> u64 {
        self.checked_at_opening
    }

    /// Whether nothing was ever acknowledged from this folder.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// How many commits were acknowledged at least.
    pub(super) fn acknowledged(&self) -> u64 {
        self.found_acknowledged
    }

    /// An error of this folder.
    pub(super) fn io(&self, source: io::Error) -> OpenError {
        OpenError::Io {
            path: self.path.clone(),
            source,
        }
    }

    /// Damage in this folder.
    pub(super) fn damaged(&self, file: &str, problem: String) -> OpenError {
        OpenError::Corrupted {
            dir: self.path.clone(),
            file: file.to_owned(),
            problem,
        }
    }

    /// Declares that the engine's files are complete and durable.
    pub(super) fn mark_ready(&self) -> Result<(), OpenError> {
        if self.acknowledged.is_none() {
            return Ok(());
        }
        self.write_ready().map_err(|source| self.io(source))
    }

    /// Notes that commit number `commits` is durable and about to be acknowledged.
    ///
    /// Not synchronized: that would double the cost of a commit, and only damage found long after
    /// it was written is to be caught by this. Written after the commit, it can never be ahead.
    pub(super) fn note_acknowledged(&self, commits: u64) {
        if let Some(file) = &self.acknowledged {
            // Failing to note it makes a later check weaker, not wrong.
            let _ = write_slot(file, commits);
        }
    }

    /// Notes the last commit, durably this time.
    pub(super) fn close(&self, commits: u64) {
        if let Some(file) = &self.acknowledged {
            let _ = write_slot(file, commits).and_then(|()| file.sync_all());
        }
    }

    /// Takes the permissions of group and others from every file.
    pub(super) fn restrict(&self) -> Result<(), OpenError> {
        if self.acknowledged.is_none() {
            return Ok(());
        }
        let restrict = || {
            for entry in self.path.read_dir()? {
                let entry = entry?;
                let mode = if entry.file_type()?.is_dir() { 0o700 } else { 0o600 };
                std::fs::set_permissions(entry.path(), Permissions::from_mode(mode))?;
            }
            Ok(())
        };
        restrict().map_err(|source| self.io(source))
    }

    /// Gives up the ballast when the disk is full, so that the engine can open.
    fn drop_ballast(&self) {
        if self.free_bytes().is_ok_and(|free| free < self.min_free_bytes) {
            // Not there, or not to be removed: then opening tells whether it matters.
            let _ = std::fs::remove_file(self.path.join(BALLAST));
        }
    }

    /// Sets the ballast aside when there is room for it. A store opens without it just as well.
    pub(super) fn take_ballast(&self) {
        let room = self.min_free_bytes.saturating_add(limits::BALLAST_BYTES);
        if self.acknowledged.is_none() || self.min_free_bytes == 0 || !self.free_bytes().is_ok_and(|free| free >= room)
        {
            return;
        }
        if let Ok(file) = private().open(self.path.join(BALLAST)) {
            // Real blocks, where the file system can give them; elsewhere there is no ballast.
            let none = rustix::fs::FallocateFlags::empty();
            let _ = rustix::fs::fallocate(&file, none, 0, limits::BALLAST_BYTES);
        }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.path)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Whether there is room for a write.
    pub(super) fn check_free_space(&self) -> Result<(), ApplyError> {
        if self.acknowledged.is_none() || self.min_free_bytes == 0 {
            return Ok(());
        }
        let free = self
            .free_bytes()
            .map_err(|error| ApplyError::Failed(format!("the disk's free space: {error}")))?;
        if free < self.min_free_bytes {
            return Err(ApplyError::Full {
                free,
                needed: self.min_free_bytes,
            });
        }
        Ok(())
    }

    fn create(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        std::fs::set_permissions(&self.path, Permissions::from_mode(0o700))?;
        if let Some(parent) = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }

    fn check_ready(&self, text: &[u8]) -> Result<(), OpenError> {
        let damaged = || self.damaged(READY, "it does not say what wrote this folder".to_owned());
        let text = std::str::from_utf8(text).map_err(|_| damaged())?.trim_end();
        let mut words = text.split(' ');
        let (Some("syndic-store"), Some(format), Some(engine), Some(check)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(damaged());
        };
        let found = format.parse::<u32>().map_err(|_| damaged())?;
        // Before the checksum, which a newer format may compute otherwise.
        if found > FORMAT {
            return Err(OpenError::NewerFormat {
                dir: self.path.clone(),
                found,
                known: FORMAT,
            });
        }
        let line = format!("syndic-store {found} {engine}");
        if text != format!("{line} {check}") || check != line_check(&line) {
            return Err(damaged());
        }
        if engine != self.engine.as_str() {
            return Err(OpenError::OtherEngine {
                dir: self.path.clone(),
                found: engine.to_owned(),
                asked: self.engine,
            });
        }
        Ok(())
    }

    fn write_ready(&self) -> io::Result<()> {
        let line = format!("syndic-store {FORMAT} {}", self.engine);
        let unfinished = self.path.join(READY_UNFINISHED);
        let mut file = private().truncate(true).open(&unfinished)?;
        writeln!(file, "{line} {}", line_check(&line))?;
        file.sync_all()?;
        if let Some(file) = &self.acknowledged {
            file.sync_all()?;
        }
        let folder = File::open(&self.path)?;
        // The engine's files must be findable before the marker is.
        folder.sync_all()?;
        std::fs::rename(unfinished, self.path.join(READY))?;
        folder.sync_all()
    }

    /// Removes what an unfinished first start left, and nothing else.
    fn start_again(&self) -> Result<(), OpenError> {
        let io = |source| self.io(source);
        let mut ours = Vec::new();
        for entry in self.path.read_dir().map_err(io)? {
            let entry = entry.map_err(io)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let known = [SLED_LOG, "conf", REDB_FILE, ACKNOWLEDGED, BALLAST, READY_UNFINISHED];
            let is_dir = entry.file_type().map_err(io)?.is_dir();
            if is_dir && name == SLED_BLOBS || !is_dir && (known.contains(&&*name) || name.starts_with("snap.")) {
                ours.push((entry.path(), is_dir));
            } else {
                return Err(OpenError::Foreign { path: entry.path() });
            }
        }
        for (path, is_dir) in ours {
            if is_dir {
                std::fs::remove_dir_all(path).map_err(io)?;
            } else {
                std::fs::remove_file(path).map_err(io)?;
            }
        }
        Ok(())
    }

    fn open_acknowledged(&self) -> io::Result<File> {
        let file = private().read(true).open(self.path.join(ACKNOWLEDGED))?;
        if self.is_new {
            file.write_all_at(&slot(0), 0)?;
            file.write_all_at(&slot(0), SECTOR)?;
        }
        Ok(file)
    }

    fn read_acknowledged(&self) -> Result<Option<u64>, OpenError> {
        let path = self.path.join(ACKNOWLEDGED);
        let Some(bytes) = read_if_there(&path).map_err(|source| self.io(source))? else {
            return Ok(None);
        };
        let slots = bytes.chunks(SECTOR as usize).filter_map(read_slot);
        match slots.max() {
            Some(counted) => Ok(Some(counted)),
            None if bytes.iter().all(|byte| *byte == 0) => Ok(Some(0)),
            None => Err(self.damaged(ACKNOWLEDGED, "neither of its two counts is whole".to_owned())),
        }
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    /// Both files are far smaller; a longer one is not ours.
    const LONGEST: u64 = 4096;
    match File::open(path) {
        Ok(file) => {
            let mut bytes = Vec::new();
            file.take(LONGEST).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn line_check(line: &str) -> String {
    format!("{:016x}", record::check(READY.as_bytes(), line.as_bytes()))
}

/// One of the two counts: mark, number, checksum.
fn slot(commits: u64) -> [u8; 24] {
    let mut bytes = [0; 24];
    let (mark, rest) = bytes.split_at_mut(8);
    let (number, check) = rest.split_at_mut(8);
    mark.copy_from_slice(MARK);
    number.copy_from_slice(&commits.to_be_bytes());
    check.copy_from_slice(&record::check(MARK, &commits.to_be_bytes()).to_be_bytes());
    bytes
}

fn read_slot(bytes: &[u8]) -> Option<u64> {
    let commits = u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?);
    (bytes.get(..24)? == slot(commits)).then_some(commits)
}

/// Alternates between two sectors, so that one is whole whatever happens.
fn write_slot(file: &File, commits: u64) -> io::Result<()> {
    file.write_all_at(&slot(commits), (commits % 2) * SECTOR)
}
