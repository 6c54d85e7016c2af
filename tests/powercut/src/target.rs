//! What is put to the test: the node's store with either engine, and one that must fail.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::node_sources::store::{self, Batch, Engine, Options, Store};
use crate::workload::{Part, Writes};

/// Something that keeps data.
pub trait Target: Send + Sync {
    fn apply(&self, writes: Writes) -> Result<(), String>;
    fn all(&self) -> Result<Part, String>;
    /// Whether it refuses to write since something failed.
    fn refuses(&self) -> bool;
}

/// Opens what `name` says in `dir`.
pub fn open(name: &str, dir: &Path) -> Result<Arc<dyn Target>, String> {
    match name {
        "sled" | "redb" => {
            let engine = name.parse::<Engine>().map_err(|error| error.to_string())?;
            let options = Options {
                engine,
                min_free_bytes: 0,
                checked_at_opening: u64::MAX,
            };
            let store = store::open_with(dir, &options).map_err(|error| error.to_string())?;
            Ok(Arc::new(Real(store)))
        }
        "sled-flush-only" | "sled-large-pages" => {
            let config = sled::Config::new().path(dir).flush_every_ms(None);
            let db = config.open().map_err(|error| error.to_string())?;
            let dir = (name == "sled-large-pages").then(|| dir.to_path_buf());
            let bad = Bad { db, dir };
            bad.sync()?;
            Ok(Arc::new(bad))
        }
        other => Err(format!("unknown engine '{other}'")),
    }
}

struct Real(Arc<dyn Store>);

impl Target for Real {
    fn apply(&self, writes: Writes) -> Result<(), String> {
        let batch = Batch {
            writes,
            expectations: Vec::new(),
        };
        self.0.apply(batch).map_err(|error| error.to_string())
    }

    fn all(&self) -> Result<Part, String> {
        let pairs = self.0.range(b"", b"", usize::MAX).map_err(|error| error.to_string())?;
        Ok(pairs.into_iter().collect())
    }

    fn refuses(&self) -> bool {
        self.0.writable().is_err()
    }
}

/// Known to be bad. One believes sled's `flush`: the campaign must find it out, or finds out
/// nothing. The other synchronizes every file, but leaves large pages to sled, which removes the
/// file of a large page too early: that shows once or twice in a hundred cuts.
struct Bad {
    db: sled::Db,
    /// Synchronized after every flush.
    dir: Option<PathBuf>,
}

impl Bad {
    fn sync(&self) -> Result<(), String> {
        let sync = |dir: &Path| -> std::io::Result<()> {
            for folder in [dir.join("blobs"), dir.to_path_buf()] {
                for entry in folder.read_dir()? {
                    if let Ok(file) = File::open(entry?.path()) {
                        file.sync_all()?;
                    }
                }
                File::open(folder)?.sync_all()?;
            }
            File::open(dir.join(".."))?.sync_all()
        };
        self.dir
            .as_deref()
            .map_or(Ok(()), sync)
            .map_err(|error| error.to_string())
    }
}

impl Target for Bad {
    fn apply(&self, writes: Writes) -> Result<(), String> {
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db.apply_batch(batch).map_err(|error| error.to_string())?;
        self.db.flush().map_err(|error| error.to_string())?;
        self.sync()
    }

    fn all(&self) -> Result<Part, String> {
        let pair =
            |pair: sled::Result<(sled::IVec, sled::IVec)>| pair.map(|(key, value)| (key.to_vec(), value.to_vec()));
        self.db
            .iter()
            .map(pair)
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())
    }

    fn refuses(&self) -> bool {
        false
    }
}
