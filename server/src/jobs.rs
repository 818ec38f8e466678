//! Proofs that people asked for: one after the other, beside the poller, within the same registry's limits.

mod proof;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use futures::FutureExt as _;
use tagwarden_model::api::JobKind;
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Millis;
use tagwarden_model::name::RepositoryName;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::proof::{Proven, prove};
use crate::clock::SharedClock;
use crate::registry::Registry;
use crate::store::content::Proof;
use crate::store::jobs::{JobRequest, TakenJob};
use crate::store::watch::RegistryEntry;
use crate::store::{Store, StoreError};

/// Without being woken, jobs of other servers on the same database are looked for so often.
const LOOK_EVERY: Millis = Millis::seconds(10);

/// Does the jobs of one registry entry that are not the poller's.
pub struct Jobs<R> {
    /// The record.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// The registry as this entry reaches it.
    pub registry: Arc<R>,
    /// The stored entry.
    pub entry: RegistryEntry,
    /// Changes when a job was added.
    pub wake: watch::Receiver<()>,
}

impl<R: Registry> Jobs<R> {
    /// Works until `stop`. A failing database is waited for.
    pub async fn run(&self, stop: CancellationToken) {
        let mut wake = self.wake.clone();
        // Jobs that were under way when the last run, or the last round, ended in the middle are queued again.
        let mut broken = true;
        loop {
            let round = tokio::select! {
                round = self.round(broken) => round,
                () = stop.cancelled() => return,
            };
            broken = round.is_err();
            if let Err(error) = round {
                tracing::error!(registry = self.entry.name, ?error, "jobs wait for a moment");
            }
            let look_at = self.clock.now().mono.after(LOOK_EVERY);
            tokio::select! {
                () = stop.cancelled() => return,
                Ok(()) = wake.changed() => {}
                () = self.clock.sleep_until(look_at) => {}
            }
        }
    }

    async fn round(&self, requeue: bool) -> Result<(), StoreError> {
        if requeue {
            self.store.requeue_jobs(self.entry.id, JobKind::Proof).await?;
        }
        loop {
            let taken = self.store.take_jobs(self.entry.id, JobKind::Proof, 1).await?;
            let Some(job) = taken.into_iter().next() else { return Ok(()) };
            let id = job.id;
            match AssertUnwindSafe(self.prove(job)).catch_unwind().await {
                Ok(done) => done?,
                Err(panic) => {
                    // Taken up again it might panic for ever, and no other job would have its turn.
                    let now = self.clock.now().mark.wall;
                    self.store.finish_job(id, Some("the server failed at it; its log says more"), now).await?;
                    resume_unwind(panic);
                }
            }
        }
    }

    async fn prove(&self, job: TakenJob) -> Result<(), StoreError> {
        let now = || self.clock.now().mark.wall;
        let name = self.store.repository_name(job.repository).await?;
        let (Some(name), JobRequest::Proof(digests)) = (name, &job.request) else {
            return self.store.finish_job(job.id, Some("the repository is not watched any more"), now()).await;
        };
        for (done, digest) in digests.iter().enumerate() {
            self.prove_one(job.repository, &name, digest).await?;
            self.store.progress_job(job.id, done as u64 + 1, digests.len() as u64, now()).await?;
        }
        self.store.finish_job(job.id, None, now()).await
    }

    async fn prove_one(&self, repository: i64, name: &RepositoryName, digest: &Digest) -> Result<(), StoreError> {
        let Proven { readiness, detail, contents } = prove(&*self.registry, name, digest).await;
        let at = self.clock.now().mark.wall;
        self.store.put_contents(&contents, at).await?;
        self.store.put_proof(repository, &Proof { digest: digest.clone(), readiness, detail, at }).await
    }
}
