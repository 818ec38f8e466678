//! Work that people asked for, beside the poller and within the same registry's limits: proofs, and looks at what is not
//! watched. Of each kind one after the other.

mod look;
mod proof;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::join_all;
use tagwarden_model::api::{JobKind, JobResult};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Millis;
use tagwarden_model::name::RepositoryName;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::proof::{Proven, prove};
use crate::clock::SharedClock;
use crate::policy::{Policy, matcher};
use crate::registry::Registry;
use crate::store::content::Proof;
use crate::store::jobs::{JobRequest, TakenJob};
use crate::store::{Store, StoreError};

/// Without being woken, jobs of other servers on the same database are looked for so often.
const LOOK_EVERY: Millis = Millis::seconds(10);

/// Somebody waits for a look.
const LONGEST_LOOK: Millis = Millis::minutes(1);

/// Does the jobs of one registry entry that are not the poller's.
pub struct Jobs<R> {
    /// The record.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// The registry of a host, or why it cannot be asked.
    pub reach: Reach<R>,
    /// The stored entry's row, or [`crate::store::jobs::NO_ENTRY`].
    pub entry: i64,
    /// The rules in force.
    pub policy: Arc<Policy>,
    /// Changes when a job was added.
    pub wake: watch::Receiver<()>,
}

/// Gives the registry of a host.
pub type Reach<R> = Box<dyn Fn(&str) -> Result<Arc<R>, String> + Send + Sync>;

impl<R: Registry> Jobs<R> {
    /// Works until `stop`. A failing database is waited for.
    pub async fn run(&self, stop: CancellationToken) {
        let kinds = [JobKind::Proof, JobKind::Preview, JobKind::Catalogue];
        stop.run_until_cancelled(join_all(kinds.map(|kind| self.work(kind)))).await;
    }

    /// Does the jobs of a kind.
    async fn work(&self, kind: JobKind) {
        let mut wake = self.wake.clone();
        // Jobs that were under way when the last run, or the last round, ended in the middle are queued again.
        let mut broken = true;
        loop {
            let round = self.round(kind, broken).await;
            broken = round.is_err();
            if let Err(error) = round {
                tracing::error!(entry = self.entry, ?error, "jobs wait for a moment");
            }
            let look_at = self.clock.now().mono.after(LOOK_EVERY);
            tokio::select! {
                Ok(()) = wake.changed() => {}
                () = self.clock.sleep_until(look_at) => {}
            }
        }
    }

    async fn round(&self, kind: JobKind, requeue: bool) -> Result<(), StoreError> {
        if requeue {
            self.store.requeue_jobs(self.entry, kind).await?;
        }
        loop {
            let taken = self.store.take_jobs(self.entry, kind, 1).await?;
            let Some(job) = taken.into_iter().next() else { return Ok(()) };
            let id = job.id;
            match AssertUnwindSafe(self.done(job)).catch_unwind().await {
                Ok(done) => {
                    if let Err(reason) = done? {
                        self.store.finish_job(id, Some(&reason), self.clock.now().mark.wall).await?;
                    }
                }
                Err(panic) => {
                    // Taken up again it might panic for ever, and no other job would have its turn.
                    let now = self.clock.now().mark.wall;
                    self.store.finish_job(id, Some("the server failed at it; its log says more"), now).await?;
                    resume_unwind(panic);
                }
            }
        }
    }

    /// Does a job, or says why it cannot be done.
    async fn done(&self, job: TakenJob) -> Result<Result<(), String>, StoreError> {
        let TakenJob { id, repository, request } = job;
        match (request, repository) {
            (JobRequest::Proof(digests), Some(repository)) => self.prove(id, repository, &digests).await,
            (JobRequest::Preview(name), _) => self.preview(id, &name).await,
            (JobRequest::Catalogue { host, pattern }, _) => self.catalogue(id, &host, &pattern).await,
            (JobRequest::Proof(_) | JobRequest::Check(_), _) => Ok(Err("this job is none of ours".to_owned())),
        }
    }

    async fn prove(&self, id: i64, repository: i64, digests: &[Digest]) -> Result<Result<(), String>, StoreError> {
        let now = || self.clock.now().mark.wall;
        let Some(name) = self.store.repository_name(repository).await? else {
            return Ok(Err("the repository is not watched any more".to_owned()));
        };
        let registry = match (self.reach)(&name.host) {
            Ok(registry) => registry,
            Err(reason) => return Ok(Err(reason)),
        };
        for (done, digest) in digests.iter().enumerate() {
            let Proven { readiness, detail, contents } = prove(&*registry, &name, digest).await;
            self.store.put_contents(&contents, now()).await?;
            let proof = Proof { digest: digest.clone(), readiness, detail, at: now() };
            self.store.put_proof(repository, &proof).await?;
            self.store.progress_job(id, done as u64 + 1, digests.len() as u64, now()).await?;
        }
        self.store.finish_job(id, None, now()).await?;
        Ok(Ok(()))
    }

    async fn preview(&self, id: i64, name: &RepositoryName) -> Result<Result<(), String>, StoreError> {
        let registry = match (self.reach)(&name.host) {
            Ok(registry) => registry,
            Err(reason) => return Ok(Err(reason)),
        };
        let Some(mut found) = self.in_time(look::preview(&*registry, &self.policy, name)).await else {
            return Ok(Err(too_slow(&name.host)));
        };
        found.watched = self.store.watched_names().await?.contains(&name.to_string());
        self.store.answer_job(id, &JobResult::Preview(found), self.clock.now().mark.wall).await?;
        Ok(Ok(()))
    }

    async fn catalogue(&self, id: i64, host: &str, pattern: &str) -> Result<Result<(), String>, StoreError> {
        let asked = (self.reach)(host)
            .and_then(|registry| Ok((registry, matcher("pattern", pattern).map_err(|error| error.to_string())?)));
        let (registry, pattern) = match asked {
            Ok(asked) => asked,
            Err(reason) => return Ok(Err(reason)),
        };
        let watched = self.store.watched_names().await?;
        let Some(found) = self.in_time(look::catalogue(&*registry, host, &pattern, &watched)).await else {
            return Ok(Err(too_slow(host)));
        };
        self.store.answer_job(id, &JobResult::Catalogue(found), self.clock.now().mark.wall).await?;
        Ok(Ok(()))
    }

    /// `None` when it takes too long.
    async fn in_time<T>(&self, look: impl Future<Output = T>) -> Option<T> {
        let until = self.clock.now().mono.after(LONGEST_LOOK);
        tokio::select! {
            found = look => Some(found),
            () = self.clock.sleep_until(until) => None,
        }
    }
}

fn too_slow(host: &str) -> String {
    format!("{host} is too slow: it did not give its list within a minute; try again later")
}
