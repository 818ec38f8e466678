//! One server at a time on a SQLite file: replicas need PostgreSQL.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::backup::own_like_folder;
use super::db::Db;
use super::{Store, StoreError};

/// Held by the server that uses a SQLite file; the operating system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Sole {
    _lock: File,
}

impl Store {
    /// Makes sure that no other server uses the same SQLite file. `None` on PostgreSQL, where leases do this, and in memory.
    pub fn sole(&self) -> Result<Option<Sole>, StoreError> {
        let Db::Sqlite { writer, .. } = &self.shared.db else { return Ok(None) };
        let options = writer.connect_options();
        // A link to the file is the same file.
        let Ok(database) = options.get_filename().canonicalize() else { return Ok(None) };
        lock(&database).map(Some)
    }
}

/// Makes sure that no server uses the file, which need not be there yet.
pub(super) fn lock(database: &Path) -> Result<Sole, StoreError> {
    let mut path = database.as_os_str().to_owned();
    path.push("-server");
    let failed = |error: std::io::Error| StoreError::Open(format!("{} cannot be used: {error}", path.display()));
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
    own_like_folder(Path::new(&path)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Sole { _lock: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::Open(format!(
            "another server uses {}; stop it, or use PostgreSQL for several servers",
            database.display()
        ))),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
