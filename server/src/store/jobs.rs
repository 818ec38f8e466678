//! Work that needs a registry and was asked for by a person.

use tagwarden_model::api::{Job, JobKind, JobResult};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::{RepositoryName, TagName};

use tagwarden_model::api::{ChangeKind, JobState};

use super::db::{Row, statements, values};
use super::transaction::Write;
use super::{Actor, Scope, Store, StoreError};

/// Queued jobs that one registry may have.
const MOST_QUEUED: u64 = 1000;

/// Jobs that ended are kept this long.
const KEPT: Millis = Millis::hours(24);

/// What a look at something unwatched found is kept so long.
const LOOKS_KEPT: Millis = Millis::hours(1);

/// Stands for the registry of a host that no entry is for.
pub const NO_ENTRY: i64 = 0;

statements! {
    WATCHED = "SELECT id FROM repositories WHERE name = $1 AND period_id IS NOT NULL";
    QUEUED = "SELECT count(*) AS n FROM jobs WHERE state = $2 AND registry_id = $1";
    SAME_JOB = "SELECT id FROM jobs WHERE registry_id = $1 AND kind = $2 AND request_hash = $3 AND state = $4";
    INSERT_JOB = "INSERT INTO jobs (registry_id, repository_id, subject, kind, state, request, request_hash, actor_kind, actor_id,
            actor_display, created, done, total) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0)
        ON CONFLICT (registry_id, kind, request_hash) WHERE state = 1 DO NOTHING";
    NEWEST_JOB = "SELECT max(id) AS id FROM jobs WHERE registry_id = $1 AND kind = $2 AND request_hash = $3";
    JOB = "SELECT id, kind, state, subject, done, total, error, result, created, finished FROM jobs WHERE id = $1";
    JOB_REPOSITORY = "SELECT repository_id FROM jobs WHERE id = $1";
    TAKE_JOBS = "UPDATE jobs SET state = $3 WHERE state = $2 AND id IN (
            SELECT id FROM jobs WHERE state = $2 AND kind = $5 AND registry_id = $1 ORDER BY id LIMIT $4)
        RETURNING id, repository_id, request";
    PROGRESS = "UPDATE jobs SET done = $2, total = $3 WHERE id = $1 AND state = $4";
    FINISH = "UPDATE jobs SET state = $2, error = $3, finished = $4, result = $7 WHERE id = $1 AND state IN ($5, $6)";
    /// A newer equal job will do what this one was to do.
    END_DOUBLES = "UPDATE jobs SET state = $2, finished = created WHERE state = $3 AND kind = $4
        AND registry_id = $1 AND EXISTS (SELECT 1 FROM jobs o WHERE o.registry_id = $1 AND o.kind = jobs.kind
            AND o.request_hash = jobs.request_hash AND o.id > jobs.id AND o.state <= $3)";
    REQUEUE = "UPDATE jobs SET state = $2 WHERE state = $3 AND kind = $4 AND registry_id = $1";
    /// Looks through an entry that is not polled any more: nobody takes them.
    END_ORPHANS = "UPDATE jobs SET state = $1, finished = $2, error = $3 WHERE state IN ($4, $5) AND repository_id IS NULL
            AND registry_id <> 0 AND registry_id NOT IN (SELECT id FROM registries WHERE position IS NOT NULL) RETURNING id";
    PRUNE = "DELETE FROM jobs WHERE finished < $1";
    PRUNE_LOOKS = "DELETE FROM jobs WHERE finished < $1 AND kind IN ($2, $3)";
}

/// What a job shall do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobRequest {
    /// Look at these tags now; all when empty.
    Check(Vec<TagName>),
    /// Prove these digests.
    Proof(Vec<Digest>),
    /// See what this repository has.
    Preview(RepositoryName),
    /// Find repositories of a registry.
    Catalogue {
        /// Its host.
        host: String,
        /// What their names look like.
        pattern: String,
    },
}

/// A job that the registry's worker took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenJob {
    /// Number of the job.
    pub id: i64,
    /// The repository's row; `None` for a look at something that is not watched.
    pub repository: Option<i64>,
    /// What it shall do.
    pub request: JobRequest,
}

impl Store {
    /// Creates a job; `None` if the repository is not watched. An equal job that is still queued is given instead of a second one.
    /// At most 1,000 queued jobs a registry: more are `Refused`.
    pub async fn create_job(
        &self,
        repository: &RepositoryName,
        kind: JobKind,
        request: &JobRequest,
        actor: &Actor,
        now: Instant,
    ) -> Result<Option<Job>, StoreError> {
        let mut write = self.begin().await?;
        let Some(row) = write.conn.optional(WATCHED, values![repository.to_string()]).await? else {
            return Ok(None);
        };
        // Locked: it may be given to another registry entry, or paused, just now.
        let row = write.lock_repository(row.int("id")?).await?;
        if row.int_opt("period_id")?.is_none() {
            return Ok(None);
        }
        let place = (row.int("registry_id")?, Some(row.int("id")?));
        self.queue(write, place, &repository.to_string(), kind, request, actor, now).await.map(Some)
    }

    /// Creates a job that looks at something that need not be watched, through a registry entry or, with [`NO_ENTRY`], without.
    /// Equal and too many ones as with [`Store::create_job`].
    pub async fn create_look(
        &self,
        registry: i64,
        request: &JobRequest,
        actor: &Actor,
        now: Instant,
    ) -> Result<Job, StoreError> {
        let (kind, subject) = match request {
            JobRequest::Preview(name) => (JobKind::Preview, name.to_string()),
            JobRequest::Catalogue { host, .. } => (JobKind::Catalogue, host.clone()),
            JobRequest::Check(_) | JobRequest::Proof(_) => {
                return Err(StoreError::Inconsistent("only what is watched is checked and proven".to_owned()));
            }
        };
        let write = self.begin().await?;
        self.queue(write, (registry, None), &subject, kind, request, actor, now).await
    }

    #[expect(clippy::too_many_arguments, reason = "a row of as many columns")]
    async fn queue(
        &self,
        mut write: Write,
        (registry, repository): (i64, Option<i64>),
        subject: &str,
        kind: JobKind,
        request: &JobRequest,
        actor: &Actor,
        now: Instant,
    ) -> Result<Job, StoreError> {
        let queued = JobState::Queued.code();
        let text = serde_json::to_string(request)
            .map_err(|error| StoreError::Inconsistent(format!("a job that cannot be written: {error}")))?;
        let hash = Digest::of(format!("{subject} {text}").as_bytes());
        let same = values![registry, kind.code(), hash.bytes(), queued];
        if let Some(row) = write.conn.optional(SAME_JOB, same).await? {
            return job(&write.conn.one(JOB, values![row.int("id")?]).await?);
        }
        if write.conn.one(QUEUED, values![registry, queued]).await?.count("n")? >= MOST_QUEUED {
            return Err(StoreError::Refused {
                message: format!("{MOST_QUEUED} jobs wait for this registry already: try again when some are done"),
                field: "repository",
            });
        }
        let (actor_kind, id, display) = (actor.kind as i64, &actor.id, &actor.display);
        let kind = kind.code();
        let values =
            values![registry, repository, subject, kind, queued, text, hash.bytes(), actor_kind, id, display, now];
        write.conn.execute(INSERT_JOB, values).await?;
        let id = write.conn.one(NEWEST_JOB, values![registry, kind, hash.bytes()]).await?.int("id")?;
        let job = job(&write.conn.one(JOB, values![id]).await?)?;
        write.notice(ChangeKind::Job, id, repository);
        self.finish(write, now).await?;
        Ok(job)
    }

    /// A job.
    pub async fn job(&self, scope: Scope, id: i64) -> Result<Option<Job>, StoreError> {
        let Scope::All = scope;
        self.read_conn().await?.optional(JOB, values![id]).await?.as_ref().map(job).transpose()
    }

    /// Marks the oldest queued jobs of a kind of a registry as running and gives them.
    pub async fn take_jobs(&self, registry: i64, kind: JobKind, limit: u32) -> Result<Vec<TakenJob>, StoreError> {
        let mut write = self.begin().await?;
        let (queued, running) = (JobState::Queued.code(), JobState::Running.code());
        let rows = write.conn.all(TAKE_JOBS, values![registry, queued, running, limit, kind.code()]).await?;
        let mut jobs = rows.iter().map(taken).collect::<Result<Vec<_>, _>>()?;
        jobs.sort_by_key(|job| job.id);
        write.conn.commit().await?;
        Ok(jobs)
    }

    /// Notes how far a job has come.
    pub async fn progress_job(&self, id: i64, done: u64, total: u64, now: Instant) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        let changed = write.conn.execute(PROGRESS, values![id, done, total, JobState::Running.code()]).await?;
        self.job_changed(write, id, changed, now).await
    }

    /// Ends a job, by its error if there is one.
    pub async fn finish_job(&self, id: i64, error: Option<&str>, now: Instant) -> Result<(), StoreError> {
        self.end_job(id, error, None, now).await
    }

    /// Ends a job with what it found.
    pub async fn answer_job(&self, id: i64, result: &JobResult, now: Instant) -> Result<(), StoreError> {
        let text = serde_json::to_string(result)
            .map_err(|error| StoreError::Inconsistent(format!("a result that cannot be written: {error}")))?;
        self.end_job(id, None, Some(text), now).await
    }

    async fn end_job(
        &self,
        id: i64,
        error: Option<&str>,
        result: Option<String>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        let state = if error.is_some() { JobState::Failed } else { JobState::Done };
        let (queued, running) = (JobState::Queued.code(), JobState::Running.code());
        let values = values![id, state.code(), error, now, queued, running, result.as_deref()];
        let changed = write.conn.execute(FINISH, values).await?;
        self.job_changed(write, id, changed, now).await
    }

    /// Running jobs of a kind of a registry are queued again: their worker died.
    pub async fn requeue_jobs(&self, registry: i64, kind: JobKind) -> Result<(), StoreError> {
        let mut write = self.begin().await?;
        let (queued, running) = (JobState::Queued.code(), JobState::Running.code());
        // One of several equal jobs waits: queued and running are the two smallest codes.
        write.conn.execute(END_DOUBLES, values![registry, JobState::Done.code(), running, kind.code()]).await?;
        write.conn.execute(REQUEUE, values![registry, queued, running, kind.code()]).await?;
        write.conn.commit().await
    }

    /// Drops jobs that ended more than 24 hours ago, and what previews and catalogues found an hour ago.
    pub async fn prune_jobs(&self, now: Instant) -> Result<(), StoreError> {
        let (preview, catalogue) = (JobKind::Preview.code(), JobKind::Catalogue.code());
        let mut write = self.begin().await?;
        let error = "the configuration changed: ask again";
        let (failed, queued, running) = (JobState::Failed.code(), JobState::Queued.code(), JobState::Running.code());
        for row in write.conn.all(END_ORPHANS, values![failed, now, error, queued, running]).await? {
            write.notice(ChangeKind::Job, row.int("id")?, None::<i64>);
        }
        write.conn.execute(PRUNE, values![now - KEPT]).await?;
        write.conn.execute(PRUNE_LOOKS, values![now - LOOKS_KEPT, preview, catalogue]).await?;
        self.finish(write, now).await
    }

    async fn job_changed(&self, mut write: Write, id: i64, changed: u64, now: Instant) -> Result<(), StoreError> {
        if changed > 0 {
            let repository = write.conn.one(JOB_REPOSITORY, values![id]).await?.int_opt("repository_id")?;
            write.notice(ChangeKind::Job, id, repository);
        }
        self.finish(write, now).await
    }
}

fn job(row: &Row) -> Result<Job, StoreError> {
    Ok(Job {
        id: row.int("id")?,
        kind: row.code("kind", JobKind::from_code)?,
        state: row.code("state", JobState::from_code)?,
        repository: row.text("subject")?,
        done: row.count("done")?,
        total: row.count("total")?,
        error: row.text_opt("error")?,
        result: row.text_opt("result")?.map(|text| from_json("jobs.result", &text)).transpose()?,
        created: row.instant("created")?,
        finished: row.instant_opt("finished")?,
    })
}

fn taken(row: &Row) -> Result<TakenJob, StoreError> {
    let request = from_json("jobs.request", &row.text("request")?)?;
    Ok(TakenJob { id: row.int("id")?, repository: row.int_opt("repository_id")?, request })
}

fn from_json<T: serde::de::DeserializeOwned>(column: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Inconsistent(format!("{column}: {error}")))
}
