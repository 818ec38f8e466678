//! Registries and watched repositories.

use std::collections::BTreeSet;

use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;

use tagwarden_model::api::{ChangeKind, JobState, RegistryState, RepositoryState};

use super::db::{Row, statements, values};
use super::record::Lease;
use super::transaction::Write;
use super::{Actor, Store, StoreError};

/// The position of entries that were made for a host: behind all that are configured.
const LAST: i64 = 1_000_000;

statements! {
    FORGET_POSITIONS = "UPDATE registries SET position = NULL WHERE position IS NOT NULL";
    CONFIGURE = "INSERT INTO registries (name, host, repositories, position) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name, host) DO UPDATE SET repositories = excluded.repositories, position = excluded.position RETURNING id";
    PUT_REGISTRY = "INSERT INTO registries (name, host, repositories, position) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name, host) DO UPDATE SET repositories = excluded.repositories,
            position = COALESCE(registries.position, excluded.position) RETURNING id";
    REGISTRIES = "SELECT id, name, host, repositories FROM registries WHERE position IS NOT NULL ORDER BY position, id";
    SERVED = "SELECT id, registry_id, host, path FROM repositories
        WHERE period_id IS NOT NULL OR state = 7 ORDER BY id";
    ASSIGN = "UPDATE repositories SET registry_id = $2 WHERE id = $1";
    ASSIGN_JOBS = "UPDATE jobs SET registry_id = $2 WHERE repository_id = $1 AND finished IS NULL";
    COPY_OFFSETS = "INSERT INTO clock_offsets (registry_id, generation, low, high)
        SELECT CAST($2 AS BIGINT), generation, low, high FROM clock_offsets WHERE registry_id = $1
        ON CONFLICT (registry_id, generation) DO UPDATE SET
            low = CASE WHEN excluded.low < clock_offsets.low THEN excluded.low ELSE clock_offsets.low END,
            high = CASE WHEN excluded.high > clock_offsets.high THEN excluded.high ELSE clock_offsets.high END";
    POLL = "UPDATE registries SET position = $2 WHERE id = $1 AND position IS NULL";
    WATCHED_BY = "SELECT r.host, r.path FROM repositories r JOIN watch_periods p ON p.id = COALESCE(r.period_id,
            (SELECT max(last.id) FROM watch_periods last WHERE last.repository_id = r.id))
        WHERE (r.period_id IS NOT NULL OR r.state = 7) AND p.began_actor_kind = $1 AND p.began_actor_id = $2 ORDER BY r.name";
    REGISTRY_STATE = "SELECT state, state_reason, state_since FROM registries WHERE id = $1";
    PUT_REGISTRY_STATE = "UPDATE registries SET state = $2, state_reason = $3, state_since = $4 WHERE id = $1";
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
    /// Name of the entry, unique among those that are polled; the host where the configuration names none.
    pub name: String,
    /// Canonical host.
    pub host: String,
    /// Which repositories it serves, in the order of entries (`org-a/**`); empty for all.
    pub repositories: Vec<String>,
}

/// A watched repository, which may be paused, and who serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Row id.
    pub id: i64,
    /// Canonical name.
    pub name: RepositoryName,
    /// The registry entry's row.
    pub registry: i64,
}

/// Whether a registry entry can be asked; written only when it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryRow {
    /// Present state.
    pub state: RegistryState,
    /// Why, in words.
    pub reason: Option<String>,
    /// Since when; `None` before the first listing.
    pub since: Option<Instant>,
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
    /// Makes these, in their order, the configured registry entries, and `made` those that were made for a host; gives all of
    /// them with their ids. Others are not polled any more, until they are put again. Their rows stay.
    pub async fn configure(
        &self,
        entries: &[RegistryEntry],
        made: &[RegistryEntry],
    ) -> Result<Vec<RegistryEntry>, StoreError> {
        let mut write = self.begin().await?;
        write.conn.execute(FORGET_POSITIONS, values![]).await?;
        let mut configured = Vec::new();
        for (position, entry) in (0_i64..).zip(entries).chain(made.iter().map(|made| (LAST, made))) {
            let values = values![&entry.name, &entry.host, patterns(entry), position];
            let id = write.conn.one(CONFIGURE, values).await?.int("id")?;
            configured.push(RegistryEntry { id, ..entry.clone() });
        }
        write.conn.commit().await?;
        Ok(configured)
    }

    /// Inserts or updates a registry entry by name and host, behind all that are configured; gives it with its id.
    pub async fn put_registry(&self, entry: &RegistryEntry) -> Result<RegistryEntry, StoreError> {
        let mut write = self.begin().await?;
        let row = write.conn.one(PUT_REGISTRY, values![&entry.name, &entry.host, patterns(entry), LAST]).await?;
        write.conn.commit().await?;
        Ok(RegistryEntry { id: row.int("id")?, ..entry.clone() })
    }

    /// The registry entries that are polled, in the order in which they are asked whether they serve a repository.
    pub async fn registries(&self) -> Result<Vec<RegistryEntry>, StoreError> {
        self.read_conn().await?.all(REGISTRIES, values![]).await?.iter().map(registry).collect()
    }

    /// All watched repositories, those that are paused among them, each with the registry entry that serves it.
    pub async fn served(&self) -> Result<Vec<Served>, StoreError> {
        let served = |row: &Row| {
            let name = RepositoryName { host: row.text("host")?, path: row.text("path")? };
            Ok(Served { id: row.int("id")?, name, registry: row.int("registry_id")? })
        };
        self.read_conn().await?.all(SERVED, values![]).await?.iter().map(served).collect()
    }

    /// Lets another registry entry of its host serve a repository. What is known of the host's clock goes along: windows
    /// that begin before the change need it.
    pub async fn assign(&self, repository: &Served, registry: i64) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        write.lock_repository(repository.id).await?;
        write.conn.execute(ASSIGN, values![repository.id, registry]).await?;
        write.conn.execute(ASSIGN_JOBS, values![repository.id, registry]).await?;
        write.conn.execute(COPY_OFFSETS, values![repository.registry, registry]).await?;
        write.conn.commit().await
    }

    /// The state of a registry entry.
    pub async fn registry_state(&self, registry: i64) -> Result<RegistryRow, StoreError> {
        let row = self.read_conn().await?.one(REGISTRY_STATE, values![registry]).await?;
        Ok(RegistryRow {
            state: row.code("state", RegistryState::from_code)?,
            reason: row.text_opt("state_reason")?,
            since: row.instant_opt("state_since")?,
        })
    }

    /// Writes the state of the registry entry whose lease this is, with its change notice.
    pub async fn put_registry_state(&self, lease: Lease, row: &RegistryRow, now: Instant) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        write.hold_lease(lease).await?;
        let values = values![lease.registry, row.state.code(), row.reason.as_deref(), row.since];
        write.conn.execute(PUT_REGISTRY_STATE, values).await?;
        write.notice_registry();
        self.finish(write, now).await
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

    /// Watched repositories whose watch this actor began, by name; of those that are paused, the one before the pause.
    pub async fn watched_by(&self, actor: &Actor) -> Result<Vec<RepositoryName>, StoreError> {
        let name = |row: &Row| Ok(RepositoryName { host: row.text("host")?, path: row.text("path")? });
        let values = values![actor.kind as i64, &actor.id];
        self.read_conn().await?.all(WATCHED_BY, values).await?.iter().map(name).collect()
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
        // A configuration that is taken up just now may have seen no use for the entry.
        self.conn.execute(POLL, values![registry, LAST]).await?;
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

fn patterns(entry: &RegistryEntry) -> String {
    serde_json::Value::from(entry.repositories.clone()).to_string()
}

fn registry(row: &Row) -> Result<RegistryEntry, StoreError> {
    let repositories = serde_json::from_str(&row.text("repositories")?)
        .map_err(|error| StoreError::Inconsistent(format!("registries.repositories: {error}")))?;
    Ok(RegistryEntry { id: row.int("id")?, name: row.text("name")?, host: row.text("host")?, repositories })
}
