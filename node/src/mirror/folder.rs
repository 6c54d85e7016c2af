//! The folder of a copy: files appear in it whole or not at all.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// What is fetched and not put in its place yet. File servers do not show it by accident: nothing in it was checked.
const INCOMING: &str = ".incoming";

/// A folder that this process has to itself.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The kernel gives the lock back when the file closes, however the process ends.
    _lock: File,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another copy is under way.
    #[error("{0} is being copied into by another process; wait for it")]
    InUse(PathBuf),
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file is longer than any of its kind.
    #[error("{0} is longer than any file of its kind; it is no part of a copy")]
    TooLong(PathBuf),
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> FolderError + '_ {
    |source| FolderError::Io {
        path: path.to_owned(),
        source,
    }
}

impl Folder {
    /// Takes a folder, or makes it.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn take(path: &Path) -> Result<Self, FolderError> {
        let incoming = path.join(INCOMING);
        fs::create_dir_all(&incoming).map_err(refused(&incoming))?;
        let lock_path = incoming.join("lock");
        let lock = File::create(&lock_path).map_err(refused(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(refused(&lock_path)(source)),
        }
    }

    /// A file in its place; `None` if there is none.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn read(&self, name: &str, most: usize) -> Result<Option<Vec<u8>>, FolderError> {
        read(&self.path.join(name), most)
    }

    /// Puts a file in its place.
    ///
    /// # Errors
    /// [`FolderError`]; what was there before still is.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        write(&self.path.join(name), bytes)
    }

    /// A file that was fetched and not put in its place yet.
    pub(super) fn read_incoming(&self, name: &str, most: usize) -> Result<Option<Vec<u8>>, FolderError> {
        read(&self.path.join(INCOMING).join(name), most)
    }

    /// Keeps a file until all of its log is there.
    pub(super) fn put_incoming(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        write(&self.path.join(INCOMING).join(name), bytes)
    }

    /// Puts a file that was kept in its place.
    pub(super) fn settle(&self, name: &str) -> Result<(), FolderError> {
        let (from, to) = (self.path.join(INCOMING).join(name), self.path.join(name));
        make_parent(&to)?;
        fs::rename(&from, &to).map_err(refused(&from))?;
        // A tile that is full takes the place of its beginnings.
        let beginnings = PathBuf::from(format!("{}.p", to.display()));
        match fs::remove_dir_all(&beginnings) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused(&beginnings)(error)),
            _ => Ok(()),
        }
    }

    /// Moves all that was kept below a name to another place, as evidence.
    pub(super) fn set_aside(&self, name: &str, place: &str) -> Result<(), FolderError> {
        let (from, to) = (self.path.join(INCOMING).join(name), self.path.join(place));
        make_parent(&to)?;
        fs::rename(&from, &to).map_err(refused(&from))
    }

    /// Forgets what was kept below a name.
    pub(super) fn forget(&self, name: &str) -> Result<(), FolderError> {
        let path = self.path.join(INCOMING).join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused(&path)(error)),
            _ => Ok(()),
        }
    }
}

fn read(path: &Path, most: usize) -> Result<Option<Vec<u8>>, FolderError> {
    let file = match File::open(path) {
        // A folder in the place of a file: nothing of ours.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        other => other.map_err(refused(path))?,
    };
    let mut bytes = Vec::new();
    file.take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(refused(path))?;
    if bytes.len() > most {
        return Err(FolderError::TooLong(path.to_owned()));
    }
    Ok(Some(bytes))
}

/// By another name first, so that there is never half a file.
fn write(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    make_parent(path)?;
    let unfinished = PathBuf::from(format!("{}.tmp", path.display()));
    let written = || {
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(&unfinished, path)
    };
    written().map_err(refused(path))
}

fn make_parent(path: &Path) -> Result<(), FolderError> {
    path.parent()
        .map_or(Ok(()), |parent| fs::create_dir_all(parent).map_err(refused(parent)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn files_appear_whole_and_full_tiles_replace_their_beginnings() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::take(dir.path()).unwrap();
        assert!(matches!(Folder::take(dir.path()), Err(FolderError::InUse(_))));
        folder.put("tile/0/000.p/3", b"abc").unwrap();
        folder.put_incoming("tile/0/000", b"abcd").unwrap();
        assert_eq!(folder.read("tile/0/000", 4).unwrap(), None);
        folder.settle("tile/0/000").unwrap();
        assert_eq!(folder.read("tile/0/000", 4).unwrap().unwrap(), b"abcd");
        assert_eq!(folder.read("tile/0/000.p/3", 4).unwrap(), None);
        assert!(matches!(folder.read("tile/0/000", 3), Err(FolderError::TooLong(_))));
        drop(folder);
        Folder::take(dir.path()).unwrap();
    }
}
