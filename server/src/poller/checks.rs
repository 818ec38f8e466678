use tagwarden_model::name::TagName;
use tagwarden_model::observation::Mono;
use tagwarden_model::record::Watch;

use crate::clock::SharedClock;
use crate::store::{Store, StoreError};

/// Checks that people asked for and that are under way.
#[derive(Default)]
pub struct Checks {
    open: Vec<Check>,
}

struct Check {
    job: i64,
    repository: i64,
    tags: Vec<TagName>,
    since: Mono,
    reported: (u64, u64),
}

impl Checks {
    pub fn add(&mut self, job: i64, repository: i64, tags: Vec<TagName>, since: Mono) {
        self.open.push(Check { job, repository, tags, since, reported: (0, 0) });
    }

    /// How many are under way.
    pub fn len(&self) -> u32 {
        u32::try_from(self.open.len()).unwrap_or(u32::MAX)
    }

    /// Whether somebody waits for single tags of this repository.
    pub fn waits_for_tags(&self, repository: i64) -> bool {
        self.open.iter().any(|check| check.repository == repository && !check.tags.is_empty())
    }

    /// Ends the checks that are done and tells how far the others have come.
    pub async fn settle<'a>(
        &mut self,
        store: &Store,
        clock: &SharedClock,
        watch: impl Fn(i64) -> Option<&'a Watch>,
    ) -> Result<(), StoreError> {
        let mut open = Vec::new();
        for mut check in std::mem::take(&mut self.open) {
            let now = clock.now().mark.wall;
            let Some(watch) = watch(check.repository) else {
                store.finish_job(check.job, Some("the repository was read again; ask once more"), now).await?;
                continue;
            };
            if watch.checked(&check.tags, check.since) {
                store.finish_job(check.job, watch.failure(&check.tags), now).await?;
                continue;
            }
            let (done, total) = watch.progress().filter(|_| check.tags.is_empty()).unwrap_or((0, check.tags.len()));
            let progress = (done as u64, total as u64);
            // A hundredth at a time: a row for every tag would be more writing than the check itself.
            if progress.0 >= check.reported.0 + (progress.1 / 100).max(1) || progress.1 != check.reported.1 {
                store.progress_job(check.job, progress.0, progress.1, now).await?;
                check.reported = progress;
            }
            open.push(check);
        }
        self.open = open;
        Ok(())
    }
}
