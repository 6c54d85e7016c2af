//! The redb engine: one file, copy on write, synchronized by redb itself at every commit.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ::redb::{Database, DatabaseError, ReadableDatabase, StorageError, TableDefinition, TableError};

use super::commit::{Backend, BackendError, Writes, guarded};
use super::folder::{self, Folder};
use super::{OpenError, limits};

/// The table as a reader sees it.
type Table = ::redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

const TABLE: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("syndic");

/// An open redb database.
pub(super) struct Redb {
    db: Database,
}

impl Redb {
    /// Opens or creates the database in `dir`.
    pub(super) fn open(folder: &Folder) -> Result<Self, OpenError> {
        let dir = folder.path();
        let path = dir.join(folder::REDB_FILE);
        // Created here, because redb's own file would be readable by others.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|source| OpenError::Io {
                path: path.clone(),
                source,
            })?;
        let bytes = path.metadata().map_or(0, |file| file.len());
        let small = bytes <= limits::CHECKED_AT_OPENING_BYTES;
        let db = guarded(|| {
            Ok(Database::builder()
                .set_cache_size(limits::CACHE_BYTES)
                // Checks every page, and rebuilds what redb knows of free space. Every record of ours
                // proves itself whether or not this is done.
                .set_check_integrity_on_open(small)
                .create(&path))
        })
        .map_err(|error| damaged(dir, error.to_string()))?
        .map_err(|error| open_error(dir, error))?;
        Ok(Self { db })
    }
}

impl Backend for Redb {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        guarded(|| {
            let Some(table) = self.table()? else {
                return Ok(None);
            };
            let value = table.get(key).map_err(from_redb)?;
            Ok(value.map(|value| value.value().to_vec()))
        })
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), BackendError> {
        guarded(|| {
            let Some(table) = self.table()? else {
                return Ok(());
            };
            for pair in table.range::<&[u8]>(from..to).map_err(from_redb)? {
                let (key, value) = pair.map_err(from_redb)?;
                if !visit(key.value(), value.value()) {
                    break;
                }
            }
            Ok(())
        })
    }

    fn commit(&self, writes: &Writes) -> Result<(), BackendError> {
        guarded(|| {
            let transaction = self.db.begin_write().map_err(other)?;
            {
                let mut table = transaction.open_table(TABLE).map_err(other)?;
                for (key, value) in writes {
                    match value {
                        Some(value) => table.insert(key.as_slice(), value.as_slice()),
                        None => table.remove(key.as_slice()),
                    }
                    .map_err(from_redb)?;
                }
            }
            transaction.commit().map_err(other)
        })
    }
}

impl Redb {
    fn table(&self) -> Result<Option<Table>, BackendError> {
        let transaction = self.db.begin_read().map_err(other)?;
        match transaction.open_table(TABLE) {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(other(error)),
        }
    }
}

fn from_redb(error: StorageError) -> BackendError {
    other(error)
}

fn other(error: impl Into<::redb::Error>) -> BackendError {
    match error.into() {
        ::redb::Error::Corrupted(problem) => BackendError::Corrupted(problem),
        error => BackendError::Io(error.to_string()),
    }
}

fn damaged(dir: &Path, problem: String) -> OpenError {
    OpenError::Corrupted {
        dir: dir.to_path_buf(),
        file: folder::REDB_FILE.to_owned(),
        problem,
    }
}

fn open_error(dir: &Path, error: DatabaseError) -> OpenError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::InUse {
            dir: dir.to_path_buf(),
            problem: error.to_string(),
        },
        DatabaseError::Storage(StorageError::Io(source))
            if source.kind() != io::ErrorKind::InvalidData && source.kind() != io::ErrorKind::UnexpectedEof =>
        {
            OpenError::Io {
                path: dir.join(folder::REDB_FILE),
                source,
            }
        }
        error => damaged(dir, error.to_string()),
    }
}
