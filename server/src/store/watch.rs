//! Registries and watched repositories.

use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;

use super::{Actor, Store, StoreError};

/// A registry entry as configured: one host, or part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryEntry {
    /// Row id; 0 before it is stored.
    pub id: i64,
    /// Unique name of the entry; the host where the configuration names none.
    pub name: String,
    /// Canonical host.
    pub host: String,
    /// Which repositories it serves, in the order of entries (`org-a/**`); empty for all.
    pub repositories: Vec<String>,
}

/// What became of a request to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// Watched from now on; the repository's row.
    New(i64),
    /// It was watched already.
    Already(i64),
}

#[expect(unused_variables, clippy::unused_async, clippy::todo, reason = "replaced by the implementation")]
impl Store {
    /// Inserts or updates a registry entry by name; gives it with its id. Further entries stay.
    pub async fn put_registry(&self, entry: &RegistryEntry) -> Result<RegistryEntry, StoreError> {
        todo!()
    }

    /// All registry entries, in the order they were made.
    pub async fn registries(&self) -> Result<Vec<RegistryEntry>, StoreError> {
        todo!()
    }

    /// Begins to watch a repository: a new watch period; its history of earlier periods stays.
    pub async fn watch(
        &self,
        registry: i64,
        name: &RepositoryName,
        actor: &Actor,
        now: Instant,
    ) -> Result<Added, StoreError> {
        todo!()
    }

    /// The name of a watched repository; `None` when it is not watched any more.
    pub async fn repository_name(&self, repository: i64) -> Result<Option<RepositoryName>, StoreError> {
        todo!()
    }

    /// Ends the watch period; history stays. `false` if it was not watched.
    pub async fn unwatch(&self, name: &RepositoryName, actor: &Actor, now: Instant) -> Result<bool, StoreError> {
        todo!()
    }
}
