//! Work that needs a registry and was asked for by a person.

use tagwarden_model::api::{Job, JobKind};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::{RepositoryName, TagName};

use super::{Actor, Scope, Store, StoreError};

/// What a job shall do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobRequest {
    /// Look at these tags now; all when empty.
    Check(Vec<TagName>),
    /// Prove these digests.
    Proof(Vec<Digest>),
}

/// A job that the registry's worker took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenJob {
    /// Number of the job.
    pub id: i64,
    /// The repository's row.
    pub repository: i64,
    /// What it shall do.
    pub request: JobRequest,
}

#[expect(unused_variables, clippy::unused_async, clippy::todo, reason = "replaced by the implementation")]
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
        todo!()
    }

    /// A job.
    pub async fn job(&self, scope: Scope, id: i64) -> Result<Option<Job>, StoreError> {
        todo!()
    }

    /// Marks the oldest queued jobs of a kind of a registry as running and gives them.
    pub async fn take_jobs(&self, registry: i64, kind: JobKind, limit: u32) -> Result<Vec<TakenJob>, StoreError> {
        todo!()
    }

    /// Notes how far a job has come.
    pub async fn progress_job(&self, id: i64, done: u64, total: u64, now: Instant) -> Result<(), StoreError> {
        todo!()
    }

    /// Ends a job, by its error if there is one.
    pub async fn finish_job(&self, id: i64, error: Option<&str>, now: Instant) -> Result<(), StoreError> {
        todo!()
    }

    /// Running jobs of a kind of a registry are queued again: their worker died.
    pub async fn requeue_jobs(&self, registry: i64, kind: JobKind) -> Result<(), StoreError> {
        todo!()
    }
}
