//! The live stream's source: one task follows the store's change notices, any number of readers follow the task.
//!
//! The newest notices stay in a ring. A reader takes what it lacks from there; one that is further behind (it came back with
//! an old id, or its line is slow) reads the store by id until it has caught up. So readers cost no store reads as long as
//! they keep up, a slow one delays nobody, and memory is bounded by the ring.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tagwarden_model::api::Change;
use tagwarden_model::instant::Millis;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::store::{Scope, Store, StoreError};

/// Notices that are kept in memory for readers that are a little behind.
const RING: usize = 1024;

/// Notices read from the store at once.
const BATCH: u32 = 256;

/// Waits after a failed read of the store.
const RETRY: Millis = Millis::seconds(1);

/// The source of the live stream. Cheap to clone; every clone is the same source.
#[derive(Clone)]
pub struct Live {
    store: Store,
    shared: Arc<Shared>,
}

struct Shared {
    ring: Mutex<Ring>,
    newest: watch::Sender<i64>,
}

/// All notices after `floor`, up to the newest.
struct Ring {
    floor: i64,
    changes: VecDeque<Change>,
}

/// What a reader gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batch {
    /// Notices in order; never empty.
    Changes(Vec<Change>),
    /// What the reader lacks is not kept any more: it starts anew, from this id.
    Reset(i64),
}

/// One reader's place in the stream.
pub struct Reader {
    live: Live,
    newest: watch::Receiver<i64>,
    after: i64,
}

impl Live {
    /// Starts the task that follows the store until `shutdown`. Call it within a Tokio runtime.
    pub async fn start(store: Store, clock: SharedClock, shutdown: CancellationToken) -> Result<Self, StoreError> {
        let newest = store.newest_change().await?;
        let ring = Mutex::new(Ring { floor: newest, changes: VecDeque::new() });
        let live = Self { store, shared: Arc::new(Shared { ring, newest: watch::Sender::new(newest) }) };
        let task = live.clone();
        tokio::spawn(async move {
            shutdown.run_until_cancelled(task.follow(&clock)).await;
        });
        Ok(live)
    }

    /// A reader of everything after `after`; of what comes from now on, without.
    pub fn reader(&self, after: Option<i64>) -> Reader {
        let newest = self.shared.newest.subscribe();
        let after = after.unwrap_or(*newest.borrow());
        Reader { live: self.clone(), newest, after }
    }

    async fn follow(&self, clock: &SharedClock) {
        loop {
            let after = *self.shared.newest.borrow();
            self.store.changed(after).await;
            if let Err(error) = self.read_on(after).await {
                tracing::warn!(%error, "the live stream could not read the store; trying again");
                clock.sleep_until(clock.now().mono.after(RETRY)).await;
            }
        }
    }

    async fn read_on(&self, after: i64) -> Result<(), StoreError> {
        match self.store.changes(Scope::All, after, BATCH).await? {
            Some(changes) => self.push(changes),
            // Only after a day of failed reads: readers that are behind ask the store and are told to start anew.
            None => self.skip_to(self.store.newest_change().await?),
        }
        Ok(())
    }

    fn push(&self, changes: Vec<Change>) {
        let Some(newest) = changes.last().map(|change| change.id) else { return };
        {
            let mut ring = self.shared.ring.lock().unwrap_or_else(PoisonError::into_inner);
            ring.changes.extend(changes);
            while ring.changes.len() > RING
                && let Some(oldest) = ring.changes.pop_front()
            {
                ring.floor = oldest.id;
            }
        }
        self.shared.newest.send_replace(newest);
    }

    fn skip_to(&self, newest: i64) {
        {
            let mut ring = self.shared.ring.lock().unwrap_or_else(PoisonError::into_inner);
            *ring = Ring { floor: newest, changes: VecDeque::new() };
        }
        self.shared.newest.send_replace(newest);
    }

    /// What the ring has after `after`; `None` if it does not reach back so far.
    fn recent(&self, after: i64) -> Option<Vec<Change>> {
        let ring = self.shared.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if after < ring.floor {
            return None;
        }
        let from = ring.changes.partition_point(|change| change.id <= after);
        Some(ring.changes.range(from..).take(BATCH as usize).cloned().collect())
    }
}

impl Reader {
    /// The id behind which this reader stands.
    pub fn position(&self) -> i64 {
        self.after
    }

    /// Waits for what comes next. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Result<Batch, StoreError> {
        if self.after > *self.newest.borrow() {
            // An id that this store has not given yet: another database, or one that was restored from a backup.
            let newest = self.live.store.newest_change().await?;
            if self.after > newest {
                return Ok(self.reset(newest));
            }
        }
        let wanted = self.after;
        // The sender lives as long as `self.live`.
        let _ = self.newest.wait_for(|newest| *newest > wanted).await;
        let changes = match self.live.recent(wanted) {
            Some(changes) => Some(changes),
            None => self.live.store.changes(Scope::All, wanted, BATCH).await?,
        };
        match changes {
            Some(changes) if !changes.is_empty() => {
                self.after = changes[changes.len() - 1].id;
                Ok(Batch::Changes(changes))
            }
            _ => {
                let newest = *self.newest.borrow();
                Ok(self.reset(newest))
            }
        }
    }

    fn reset(&mut self, to: i64) -> Batch {
        self.after = to;
        Batch::Reset(to)
    }
}
