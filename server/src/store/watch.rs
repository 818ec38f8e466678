//! Registries and watched repositories.

use std::collections::BTreeSet;

use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;

use tagwarden_model::api::{ChangeKind, JobState, RepositoryState};

use super::db::{Row, statements, values};
use super::transaction::Write;
use super::{Actor, Store, StoreError};

statements! {
    PUT_REGISTRY = "INSERT INTO registries (name, host, repositories) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET host = excluded.host, repositories = excluded.repositories RETURNING id";
    REGISTRIES = "SELECT id, name, host, repositories FROM registries ORDER BY id";
    INSERT_REPOSITORY = "INSERT INTO repositories (registry_id, host, path, name, state, state_since)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING";
    WATCHED_NAMES = "SELECT name FROM repositories WHERE period_id IS NOT NULL OR state = 7";
    REPOSITORY_NAME = "SELECT host, path FROM repositories WHERE id = $1 AND period_id IS NOT NULL";
    FIND_REPOSITORY = "SELECT id FROM repositories WHERE name = $1";
    BEGIN_PERIOD = "INSERT INTO watch_periods (repository_id, began, began_actor_kind, began_actor_id, began_actor_display)
        VALUES ($1, $2, $3, $4, $5) RETURNING id";
    WATCH = "UPDATE repositories SET registry_id = $2, state = $3, state_reason = NULL, state_since = $4, refused_missing = NULL,
            refused_generation = NULL, refused_wall = NULL, period_id = $5, watched_since = $4 WHERE id = $1";
    END_PERIOD = "UPDATE watch_periods SET ended = $2, ended_actor_kind = $3, ended_actor_id = $4, ended_actor_display = $5
        WHERE id = $1";
    REST = "UPDATE repositories SET period_id = NULL, state = $2, state_reason = $3, state_since = $4 WHERE id = $1";
    END_GAPS = "UPDATE gaps SET until_at = $2 WHERE repository_id = $1 AND until_at IS NULL";
    END_JOBS = "UPDATE jobs SET state = $2, finished = $3, error = $4 WHERE repository_id = $1 AND state IN ($5, $6)";
}

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

impl Store {
    /// Inserts or updates a registry entry by name; gives it with its id. Further entries stay.
    pub async fn put_registry(&self, entry: &RegistryEntry) -> Result<RegistryEntry, StoreError> {
        let mut write = self.begin().await?;
        let patterns = serde_json::Value::from(entry.repositories.clone()).to_string();
        let row = write.conn.one(PUT_REGISTRY, values![&entry.name, &entry.host, patterns]).await?;
        write.conn.commit().await?;
        Ok(RegistryEntry { id: row.int("id")?, ..entry.clone() })
    }

    /// All registry entries, in the order they were made.
    pub async fn registries(&self) -> Result<Vec<RegistryEntry>, StoreError> {
        self.read_conn().await?.all(REGISTRIES, values![]).await?.iter().map(registry).collect()
    }

    /// Begins to watch a repository: a new watch period; its history of earlier periods stays.
    pub async fn watch(
        &self,
        registry: i64,
        name: &RepositoryName,
        actor: &Actor,
        now: Instant,
    ) -> Result<Added, StoreError> {
        let mut write = self.begin().await?;
        let text = name.to_string();
        let new = RepositoryState::New.code();
        write.conn.execute(INSERT_REPOSITORY, values![registry, &name.host, &name.path, &text, new, now]).await?;
        let id = write.conn.one(FIND_REPOSITORY, values![&text]).await?.int("id")?;
        // What a person paused stays so, whatever the configuration names.
        if is_listed(&write.lock_repository(id).await?)? {
            return Ok(Added::Already(id));
        }
        write.begin_period(id, registry, actor, now).await?;
        self.finish(write, now).await?;
        Ok(Added::New(id))
    }

    /// Ends the watch period, but keeps the repository among those that are watched. `false` if it is not one of them.
    pub async fn pause(&self, name: &RepositoryName, actor: &Actor, now: Instant) -> Result<bool, StoreError> {
        let mut write = self.begin().await?;
        let Some((id, row)) = write.listed(name).await? else { return Ok(false) };
        if let Some(period) = row.int_opt("period_id")? {
            let reason = format!("paused by {}", actor.display);
            write.end_period(id, Some(period), (RepositoryState::Paused, Some(reason)), actor, now).await?;
            self.finish(write, now).await?;
        }
        Ok(true)
    }

    /// Begins a new watch period of a paused repository. `false` if it is not watched.
    pub async fn resume(&self, name: &RepositoryName, actor: &Actor, now: Instant) -> Result<bool, StoreError> {
        let mut write = self.begin().await?;
        let Some((id, row)) = write.listed(name).await? else { return Ok(false) };
        if row.int_opt("period_id")?.is_none() {
            let registry = row.int("registry_id")?;
            write.begin_period(id, registry, actor, now).await?;
            self.finish(write, now).await?;
        }
        Ok(true)
    }

    /// The canonical names of all that is watched or paused.
    pub async fn watched_names(&self) -> Result<BTreeSet<String>, StoreError> {
        self.read_conn().await?.all(WATCHED_NAMES, values![]).await?.iter().map(|row| row.text("name")).collect()
    }

    /// The name of a watched repository; `None` when it is not watched any more.
    pub async fn repository_name(&self, repository: i64) -> Result<Option<RepositoryName>, StoreError> {
        let row = self.read_conn().await?.optional(REPOSITORY_NAME, values![repository]).await?;
        row.map(|row| Ok(RepositoryName { host: row.text("host")?, path: row.text("path")? })).transpose()
    }

    /// Ends the watch period; history stays. `false` if it was not watched.
    pub async fn unwatch(&self, name: &RepositoryName, actor: &Actor, now: Instant) -> Result<bool, StoreError> {
        let mut write = self.begin().await?;
        let Some((id, row)) = write.listed(name).await? else { return Ok(false) };
        let period = row.int_opt("period_id")?;
        write.end_period(id, period, (RepositoryState::New, None), actor, now).await?;
        self.finish(write, now).await?;
        Ok(true)
    }
}

impl Write {
    /// A repository that is watched or paused, locked.
    async fn listed(&mut self, name: &RepositoryName) -> Result<Option<(i64, Row)>, StoreError> {
        let Some(row) = self.conn.optional(FIND_REPOSITORY, values![name.to_string()]).await? else { return Ok(None) };
        let id = row.int("id")?;
        let row = self.lock_repository(id).await?;
        Ok(is_listed(&row)?.then_some((id, row)))
    }

    async fn begin_period(&mut self, id: i64, registry: i64, actor: &Actor, now: Instant) -> Result<(), StoreError> {
        let values = values![id, now, actor.kind as i64, &actor.id, &actor.display];
        let period = self.conn.one(BEGIN_PERIOD, values).await?.int("id")?;
        self.conn.execute(WATCH, values![id, registry, RepositoryState::New.code(), now, period]).await?;
        self.notice(ChangeKind::Repository, 0, id);
        Ok(())
    }

    /// Ends what goes on, and leaves the repository in this state.
    async fn end_period(
        &mut self,
        id: i64,
        period: Option<i64>,
        (state, reason): (RepositoryState, Option<String>),
        actor: &Actor,
        now: Instant,
    ) -> Result<(), StoreError> {
        if let Some(period) = period {
            self.conn.execute(END_PERIOD, values![period, now, actor.kind as i64, &actor.id, &actor.display]).await?;
        }
        self.conn.execute(REST, values![id, state.code(), reason.as_deref(), now]).await?;
        self.conn.execute(END_GAPS, values![id, now]).await?;
        let (queued, running) = (JobState::Queued.code(), JobState::Running.code());
        let error = "the repository is no longer watched";
        self.conn.execute(END_JOBS, values![id, JobState::Failed.code(), now, error, queued, running]).await?;
        self.notice(ChangeKind::Repository, 0, id);
        Ok(())
    }
}

/// Whether a repository is watched or paused.
pub(super) fn is_listed(row: &Row) -> Result<bool, StoreError> {
    Ok(row.int_opt("period_id")?.is_some() || row.int("state")? == RepositoryState::Paused.code())
}

fn registry(row: &Row) -> Result<RegistryEntry, StoreError> {
    let repositories = serde_json::from_str(&row.text("repositories")?)
        .map_err(|error| StoreError::Inconsistent(format!("registries.repositories: {error}")))?;
    Ok(RegistryEntry { id: row.int("id")?, name: row.text("name")?, host: row.text("host")?, repositories })
}
