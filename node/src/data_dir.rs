//! The node's data folder: what lies where, and that only one process uses it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A data folder that this process has to itself, until this is dropped or the process ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// The kernel gives the lock back when the file closes, however the process ends.
    _lock: File,
}

impl DataDir {
    /// Takes the folder, creating it if it is missing, and closes it to all other users (mode 0700).
    ///
    /// # Errors
    /// [`DataDirError`], naming the process that has it.
    pub fn create(path: &Path) -> Result<Self, DataDirError> {
        let create = || {
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            std::fs::set_permissions(path, Permissions::from_mode(0o700))?;
            sync_folder_of(path)
        };
        create().map_err(|source| DataDirError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        Self::open_locked(path)
    }

    /// Takes a folder that exists.
    ///
    /// # Errors
    /// [`DataDirError`], naming the process that has it.
    pub fn open_locked(path: &Path) -> Result<Self, DataDirError> {
        if !path.is_dir() {
            return Err(DataDirError::Missing(path.to_path_buf()));
        }
        let lock_path = path.join("lock");
        let io = |source| DataDirError::Io {
            path: lock_path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(io)?;
                file.rewind().map_err(io)?;
                writeln!(file, "{}", std::process::id()).map_err(io)?;
                Ok(Self {
                    path: path.to_path_buf(),
                    _lock: file,
                })
            }
            Err(TryLockError::WouldBlock) => {
                /// Digits of the largest process number, with room.
                const LONGEST: u64 = 20;
                let mut holder = String::new();
                // Without the number the message is only a little less helpful.
                let _ = file.take(LONGEST).read_to_string(&mut holder);
                let process = holder.trim().to_owned();
                Err(DataDirError::InUse {
                    path: path.to_path_buf(),
                    process,
                })
            }
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration, TOML.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// The sealed keys ([`crate::keys`]).
    pub fn keys_path(&self) -> PathBuf {
        self.path.join("keys.sealed")
    }

    /// The admin token in clear, mode 0600. The operator may move it elsewhere: the node needs
    /// only [`DataDir::token_hash_path`].
    pub fn token_path(&self) -> PathBuf {
        self.path.join("admin.token")
    }

    /// The SHA-256 of the admin token.
    pub fn token_hash_path(&self) -> PathBuf {
        self.path.join("admin.token.sha256")
    }

    /// Present once the organization's log was begun. It lies beside the keys and not in the store: with the keys and
    /// without the store, the log must be fetched before anything is added to it.
    pub fn log_begun_path(&self) -> PathBuf {
        self.path.join("log.begun")
    }

    /// A store that is being fetched from other members, until it is whole.
    pub fn rebuilding_path(&self) -> PathBuf {
        self.path.join("store.rebuilding")
    }

    /// Where a store that was lost is kept: the first such name that is free.
    pub fn lost_store_path(&self) -> PathBuf {
        let names = (1_u32..).map(|number| self.path.join(format!("store.lost-{number}")));
        names.into_iter().find(|path| !path.exists()).unwrap_or_default()
    }

    /// The store's folder ([`crate::store`]).
    pub fn store_path(&self) -> PathBuf {
        self.path.join("store")
    }
}

/// Why a data folder could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// There is no such folder.
    #[error("there is no data folder {0}; 'syndic init' makes one")]
    Missing(PathBuf),
    /// Another process has it.
    #[error("data folder {path} is in use by process {process}; stop it or choose another --data")]
    InUse {
        /// The data folder.
        path: PathBuf,
        /// The process's number, as it wrote it down.
        process: String,
    },
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The folder or the lock file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// Writes a file that only this user may read (mode 0600), so that after a power cut there is
/// either the whole new content or the whole old one.
///
/// # Errors
/// What the operating system says; the old content is untouched then.
pub fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".tmp");
    let unfinished = PathBuf::from(unfinished);
    // A file left by an earlier cut may have other permissions.
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    sync_folder_of(path)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn one_at_a_time_and_the_holder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        let error = DataDir::open_locked(&path).unwrap_err();
        assert!(matches!(error, DataDirError::Missing(_)), "{error}");
        let data = DataDir::create(&path).unwrap();
        assert_eq!(mode(data.path()), 0o700);
        assert_eq!(mode(&path.join("lock")), 0o600);
        let error = DataDir::open_locked(&path).unwrap_err();
        assert!(
            error.to_string().contains(&format!(
                "in use by process {}; stop it or choose another --data",
                std::process::id()
            )),
            "{error}"
        );
        drop(data);
        DataDir::open_locked(&path).unwrap();
    }

    #[test]
    fn private_files_are_replaced_whole_and_closed_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        write_durably(&path, b"first").unwrap();
        std::fs::write(dir.path().join("secret.tmp"), "left by a cut").unwrap();
        write_durably(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(dir.path().read_dir().unwrap().count(), 1);
    }
}
