//! Makes every file of a folder durable, through descriptors that are kept.
//!
//! Kept, because Linux reports a failed write-back to the descriptors that were open when it
//! happened, and a later `fsync` on a fresh one may be told that all is well.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The folders to keep durable, with what is known of their files.
#[derive(Debug)]
pub(super) struct SyncSet {
    folders: Vec<Folder>,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    handle: File,
    files: BTreeMap<PathBuf, Kept>,
}

#[derive(Debug)]
struct Kept {
    handle: File,
    /// Length when it was last synchronized, for files that only ever grow.
    synced: Option<u64>,
    /// Whether its bytes may change without its length changing.
    rewritten: bool,
}

impl SyncSet {
    /// The given folders, which must exist.
    pub(super) fn new(folders: &[PathBuf]) -> io::Result<Self> {
        let open = |path: &PathBuf| {
            Ok(Folder {
                path: path.clone(),
                handle: File::open(path)?,
                files: BTreeMap::new(),
            })
        };
        Ok(Self {
            folders: folders.iter().map(open).collect::<io::Result<_>>()?,
        })
    }

    /// Synchronizes what may have changed since the last call: files named by `rewritten` always,
    /// others when they are new or have grown, and folders that have new entries.
    pub(super) fn sync(&mut self, rewritten: &[&str]) -> io::Result<()> {
        for folder in &mut self.folders {
            folder.sync(rewritten)?;
        }
        Ok(())
    }
}

impl Folder {
    fn sync(&mut self, rewritten: &[&str]) -> io::Result<()> {
        let new_entries = self.look_around(rewritten)?;
        for kept in self.files.values_mut() {
            // Taken before the synchronization: what is appended during it is left for the next.
            let length = kept.handle.metadata()?.len();
            if kept.rewritten || kept.synced != Some(length) {
                kept.handle.sync_all()?;
                kept.synced = Some(length);
            }
        }
        if new_entries {
            self.handle.sync_all()?;
        }
        Ok(())
    }

    /// Opens files that have appeared and lets go of those that have gone.
    fn look_around(&mut self, rewritten: &[&str]) -> io::Result<bool> {
        let mut present = BTreeMap::new();
        let mut new_entries = false;
        for entry in self.path.read_dir()? {
            let entry = entry?;
            if !entry.file_type()?.is_file() {
                continue;
            }
            let path = entry.path();
            if let Some(kept) = self.files.remove(&path) {
                present.insert(path, kept);
            } else if let Some(handle) = open_if_there(&path)? {
                new_entries = true;
                handle.set_permissions(Permissions::from_mode(0o600))?;
                let rewritten = rewritten.iter().any(|name| entry.file_name() == **name);
                present.insert(
                    path,
                    Kept {
                        handle,
                        synced: None,
                        rewritten,
                    },
                );
            }
        }
        self.files = present;
        Ok(new_entries)
    }
}

/// The engine may remove a file between our listing and our opening it.
fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
