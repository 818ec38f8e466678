//! Polls one registry entry: sends what the record machine asks for and writes what it concludes.
//!
//! Architecture invariant: nothing is decided here. `model::record` says what to ask and what an answer means; this module
//! has the connections, the clock and the store, and keeps the registry's limits.

mod ask;
mod budget;
mod checks;
mod entry;
mod load;
mod rescue;
mod slot;
mod transition;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tagwarden_model::api::JobKind;
use tagwarden_model::instant::Millis;
use tagwarden_model::name::TagName;
use tagwarden_model::observation::{Moment, Mono};
use tagwarden_model::record::window::{Clocks, Interval};
use tagwarden_model::record::{Plan, Request, RequestKind};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use self::ask::{Answered, ask};
use self::checks::Checks;
use self::entry::EntryState;
use self::rescue::Rescue;
use self::slot::Slot;
use crate::clock::SharedClock;
use crate::metrics::{Metrics, OfCheck};
use crate::policy::Policy;
use crate::registry::Registry;
use crate::store::jobs::JobRequest;
use crate::store::watch::RegistryEntry;
use crate::store::{Store, StoreError, record::Lease, record::Offset};

/// A repository that cannot be read from the record is tried again then.
const PARKED: Millis = Millis::minutes(10);
/// Checks under way at once; the others stay queued.
const CHECKS: u32 = 100;

/// How a registry entry is polled.
#[derive(Debug, Clone)]
pub struct PollerSettings {
    /// Intervals and delays.
    pub plan: Plan,
    /// Requests under way at once.
    pub concurrency: usize,
    /// Names this process among those that share the database.
    pub owner: String,
    /// How long a lease lasts that is not renewed.
    pub lease: Millis,
    /// How far our clock may be from the one that rules: half a round trip to a database that several servers share.
    pub clock_error: Millis,
    /// How often the list of watched repositories and jobs is read again without being woken.
    pub refresh: Millis,
}

impl Default for PollerSettings {
    fn default() -> Self {
        Self {
            plan: Plan::default(),
            concurrency: 4,
            owner: "tagwarden".to_owned(),
            lease: Millis::seconds(30),
            clock_error: Millis(0),
            refresh: Millis::seconds(10),
        }
    }
}

/// Polls the repositories of one registry entry until it is stopped.
pub struct Poller<R> {
    /// The record.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// The registry as this entry reaches it.
    pub registry: Arc<R>,
    /// The stored entry.
    pub entry: RegistryEntry,
    /// Which class a tag has.
    pub policy: Arc<Policy>,
    /// How it is polled.
    pub settings: PollerSettings,
    /// What this process counts.
    pub metrics: Metrics,
    /// Changes when a repository or a job was added.
    pub wake: watch::Receiver<()>,
}

/// A reply with where it belongs.
struct Landed {
    repository: i64,
    epoch: u64,
    request: Request,
    answered: Answered,
}

impl<R: Registry> Poller<R> {
    /// Polls until `stop`. A failing database is waited for; nothing else ends it.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            let Err(error) = self.session(&stop).await else { return };
            match &error {
                StoreError::LeaseLost => {
                    tracing::warn!(registry = self.entry.name, "another server polls this registry now");
                }
                error => tracing::error!(registry = self.entry.name, error = ?error, "polling stopped for a moment"),
            }
            let again = self.clock.now().mono.after(Millis(self.settings.lease.0 / 3));
            tokio::select! {
                () = self.clock.sleep_until(again) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Takes the lease and polls, from what the store knows, until `stop` or an error of the store.
    async fn session(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        let Some(lease) = self.lease(stop).await? else { return Ok(()) };
        self.store.requeue_jobs(self.entry.id, JobKind::Check).await?;
        let mut offsets = BTreeMap::new();
        let mut clocks = Clocks::within(self.settings.clock_error);
        for Offset { generation, low, high } in self.store.offsets(self.entry.id).await? {
            clocks.offset(generation, Interval { low, high });
            offsets.insert(generation, Interval { low, high });
        }
        let mut worker = Worker {
            poller: self,
            lease,
            clocks,
            offsets,
            slots: BTreeMap::new(),
            due: BTreeSet::new(),
            active: VecDeque::new(),
            flying: JoinSet::new(),
            rescue: Rescue::default(),
            checks: Checks::default(),
            entry: EntryState::new(self.entry.name.clone(), self.store.registry_state(self.entry.id).await?),
            wake: self.wake.clone(),
            renew_at: self.clock.now().mono.after(Millis(self.settings.lease.0 / 3)),
            refresh_at: Mono(0),
            epoch: 0,
        };
        worker.run(stop).await?;
        // Stopped: the lease ends now, so that the next server need not wait for it to lapse.
        let now = self.clock.now().mark.wall;
        self.store.lease(self.entry.id, &self.settings.owner, now, now).await?;
        Ok(())
    }

    /// Waits until the lease is ours; `None` when stopped before.
    async fn lease(&self, stop: &CancellationToken) -> Result<Option<Lease>, StoreError> {
        loop {
            let now = self.clock.now();
            let until = now.mark.wall + self.settings.lease;
            if let Some(lease) = self.store.lease(self.entry.id, &self.settings.owner, now.mark.wall, until).await? {
                return Ok(Some(lease));
            }
            let again = now.mono.after(Millis(self.settings.lease.0 / 3));
            tokio::select! {
                () = self.clock.sleep_until(again) => {}
                () = stop.cancelled() => return Ok(None),
            }
        }
    }
}

/// One session of polling, under one lease.
struct Worker<'a, R> {
    poller: &'a Poller<R>,
    lease: Lease,
    clocks: Clocks,
    /// What is stored of the clocks' offsets.
    offsets: BTreeMap<i64, Interval>,
    slots: BTreeMap<i64, Slot>,
    /// When which repository has something to do; those that are active are not in it.
    due: BTreeSet<(Mono, i64)>,
    /// Repositories with requests to send or under way, in turn.
    active: VecDeque<i64>,
    flying: JoinSet<Landed>,
    rescue: Rescue,
    checks: Checks,
    entry: EntryState,
    wake: watch::Receiver<()>,
    renew_at: Mono,
    refresh_at: Mono,
    /// Grows with every loading of a repository: replies to requests of an earlier one are dropped.
    epoch: u64,
}

impl<R: Registry> Worker<'_, R> {
    async fn run(&mut self, stop: &CancellationToken) -> Result<(), StoreError> {
        loop {
            let now = self.poller.clock.now();
            self.keep_house(now).await?;
            self.start_due(now).await?;
            self.send(now);
            let next = self.next_look();
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                Some(landed) = self.flying.join_next(), if !self.flying.is_empty() => {
                    self.land(landed).await?;
                    while let Some(landed) = self.flying.try_join_next() {
                        self.land(landed).await?;
                    }
                    self.settle().await?;
                }
                Some(fetched) = self.rescue.join(), if self.rescue.busy() => {
                    let fetched = fetched.map_err(|error| panicked(&error))?;
                    let pause = self.poller.settings.plan.delays.claim;
                    let contents: Vec<_> = self.rescue.land(fetched, pause).into_iter().collect();
                    self.poller.store.put_contents(&contents, self.poller.clock.now().mark.wall).await?;
                }
                Ok(()) = self.wake.changed() => self.refresh_at = Mono(0),
                () = self.poller.clock.sleep_until(next) => {}
            }
        }
    }

    fn next_look(&self) -> Mono {
        let due = self.due.first().map(|(at, _)| *at).filter(|_| self.hurried() < self.most_active());
        let active = self.active.iter().filter_map(|id| self.slots.get(id)).map(Slot::next_due).min();
        let house = self.renew_at.min(self.refresh_at);
        due.into_iter().chain(active).chain(self.rescue.next_due()).min().map_or(house, |next| next.min(house))
    }

    /// Repositories under way that cannot wait. A slow pass takes what they leave, so it keeps nobody from beginning.
    fn hurried(&self) -> usize {
        self.active.iter().filter(|id| self.slots.get(id).is_some_and(Slot::hurried)).count()
    }

    const fn most_active(&self) -> usize {
        self.poller.settings.concurrency * 2
    }

    /// Renews the lease, and reads anew what is watched and asked for.
    async fn keep_house(&mut self, now: Moment) -> Result<(), StoreError> {
        let settings = &self.poller.settings;
        for (generation, anchor) in self.poller.clock.anchors() {
            self.clocks.anchor(generation, anchor);
        }
        if now.mono >= self.renew_at {
            let until = now.mark.wall + settings.lease;
            let renewed = self.poller.store.lease(self.lease.registry, &settings.owner, now.mark.wall, until).await?;
            if renewed != Some(self.lease) {
                return Err(StoreError::LeaseLost);
            }
            self.renew_at = now.mono.after(Millis(settings.lease.0 / 3));
        }
        if now.mono >= self.refresh_at {
            self.refresh_at = now.mono.after(settings.refresh);
            self.refresh(now).await?;
            self.share_allowance();
            self.take_jobs(now).await?;
        }
        Ok(())
    }

    async fn refresh(&mut self, now: Moment) -> Result<(), StoreError> {
        let (store, registry) = (&self.poller.store, self.poller.entry.id);
        let known = store.periods(registry).await?;
        let gone: Vec<i64> = (self.slots.iter())
            .filter(|(id, slot)| known.get(id) != Some(&slot.watched.period))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.entry.doubt();
            self.slots.remove(&id);
            self.active.retain(|active| *active != id);
            self.due.retain(|(_, due)| *due != id);
        }
        let mut flagged: BTreeMap<i64, BTreeSet<TagName>> = BTreeMap::new();
        for (repository, tag) in store.flagged(registry).await? {
            flagged.entry(repository).or_default().insert(tag);
        }
        for (id, slot) in &mut self.slots {
            slot.set_flagged(flagged.get(id).unwrap_or(&BTreeSet::new()), now);
        }
        let mut fresh = Vec::new();
        if self.slots.is_empty() {
            fresh = store.watched(registry).await?;
        } else {
            for id in known.keys().filter(|id| !self.slots.contains_key(id)) {
                fresh.extend(store.watched_one(*id).await?);
            }
        }
        let late = fresh.iter().filter(|row| !row.passes.is_empty()).count();
        for row in fresh {
            let (id, at) = (row.id, load::first_due(&row, &self.poller.settings.plan, now, late));
            self.slots.insert(id, Slot::new(row));
            self.entry.doubt();
            self.due.insert((at, id));
        }
        Ok(())
    }

    async fn take_jobs(&mut self, now: Moment) -> Result<(), StoreError> {
        let store = &self.poller.store;
        let room = CHECKS.saturating_sub(self.checks.len());
        for taken in store.take_jobs(self.poller.entry.id, JobKind::Check, room).await? {
            let (Some(id), JobRequest::Check(tags)) = (taken.repository, taken.request) else { continue };
            let Some(slot) = self.slots.get_mut(&id) else {
                store.finish_job(taken.id, Some("the repository is not watched any more"), now.mark.wall).await?;
                continue;
            };
            match slot.load(self.poller, now, &mut self.epoch).await {
                Err(StoreError::Inconsistent(reason)) => {
                    // One bad row fails its check; the others of the registry go on.
                    tracing::error!(repository = %slot.watched.name, %reason, "a repository cannot be read from the record");
                    store
                        .finish_job(taken.id, Some("this repository cannot be read from the record"), now.mark.wall)
                        .await?;
                    continue;
                }
                loaded => loaded?,
            }
            slot.check(&tags, now.mono);
            slot.begin(self.poller, now);
            self.checks.add(taken.id, id, tags, now.mono);
            self.due.retain(|(_, due)| *due != id);
            self.active.retain(|active| *active != id);
            self.active.push_front(id);
        }
        Ok(())
    }

    /// Begins what is due, at most a few repositories at a time: the rest keeps its turn.
    async fn start_due(&mut self, now: Moment) -> Result<(), StoreError> {
        while self.hurried() < self.most_active()
            && let Some((at, id)) = self.due.first().copied()
            && at <= now.mono
        {
            self.due.pop_first();
            let Some(slot) = self.slots.get_mut(&id) else { continue };
            match slot.load(self.poller, now, &mut self.epoch).await {
                Ok(()) => {}
                Err(StoreError::Inconsistent(reason)) => {
                    // One bad row parks its repository; the others of the registry go on.
                    tracing::error!(repository = %slot.watched.name, %reason, "a repository cannot be read from the record");
                    self.due.insert((now.mono.after(PARKED), id));
                    continue;
                }
                Err(error) => return Err(error),
            }
            slot.begin(self.poller, now);
            self.active.push_back(id);
        }
        for id in &self.active {
            if let Some(slot) = self.slots.get_mut(id)
                && slot.next_due() <= now.mono
            {
                slot.begin(self.poller, now);
            }
        }
        self.settle().await
    }

    /// Sends requests as long as the registry's limit allows: one repository after the other, those in a hurry first.
    fn send(&mut self, now: Moment) {
        self.rescue.send(&self.poller.registry, now.mono);
        for in_a_hurry in [true, false] {
            let mut idle = 0;
            while self.flying.len() < self.poller.settings.concurrency && idle < self.active.len() {
                self.active.rotate_left(1);
                let Some(id) = self.active.back().copied() else { return };
                let slot = self.slots.get_mut(&id).filter(|slot| slot.hurried() == in_a_hurry);
                let Some((request, epoch, name)) = slot.and_then(|slot| slot.next_request(now.mono)) else {
                    idle += 1;
                    continue;
                };
                idle = 0;
                let registry = Arc::clone(&self.poller.registry);
                self.flying.spawn(async move {
                    let answered = ask(&*registry, &name, request.kind.clone()).await;
                    Landed { repository: id, epoch, request, answered }
                });
            }
        }
    }

    /// What is stored of a generation must enclose what is known of it; that it became narrower need not be stored.
    async fn keep_offset(&mut self, generation: i64) -> Result<(), StoreError> {
        let Some(Interval { low, high }) = self.clocks.of(generation) else { return Ok(()) };
        let enclosed = self.offsets.get(&generation).is_some_and(|stored| stored.low <= low && stored.high >= high);
        if !enclosed {
            let offset = Offset { generation, low, high };
            self.poller.store.put_offset(self.lease.registry, offset).await?;
            let stored = self.offsets.entry(generation).or_insert(Interval { low, high });
            (stored.low, stored.high) = (stored.low.min(low), stored.high.max(high));
        }
        Ok(())
    }

    /// Hands a reply to its repository.
    async fn land(&mut self, landed: Result<Landed, JoinError>) -> Result<(), StoreError> {
        let landed = landed.map_err(|error| panicked(&error))?;
        let (sent, received, date) = landed.answered.clocks();
        if let Some(result) = landed.answered.result() {
            let of = OfCheck { registry: self.poller.entry.name.clone(), result };
            self.poller.metrics.checks.get_or_create(&of).inc();
        }
        if let Some(date) = date {
            self.clocks.sample(sent.mark, received.mark, date);
            self.keep_offset(sent.mark.generation).await?;
        }
        let others_visible = landed.request.kind == RequestKind::Listing
            && self.slots.iter().any(|(id, slot)| *id != landed.repository && slot.visible());
        let Some(slot) = self.slots.get_mut(&landed.repository).filter(|slot| slot.epoch() == Some(landed.epoch))
        else {
            return Ok(());
        };
        if landed.request.kind == RequestKind::Listing {
            self.entry.doubt();
        }
        slot.reply(self.poller, &self.clocks, &landed.request, landed.answered, others_visible).await
    }

    /// Writes what was concluded, ends jobs, and lets repositories that have nothing under way wait for their time.
    async fn settle(&mut self) -> Result<(), StoreError> {
        let urgent = self.flying.is_empty();
        let active: Vec<i64> = self.active.iter().copied().collect();
        for id in active {
            let Some(slot) = self.slots.get_mut(&id) else { continue };
            // What somebody waits for is written before the check counts as done.
            let last = urgent || !slot.busy() || self.checks.waits_for_tags(id);
            slot.flush(self.poller, self.lease, last).await?;
            let left = slot.take_left();
            if !left.is_empty() {
                let lacking = self.poller.store.lacking(left).await?;
                self.rescue.want(&slot.watched.name, lacking, self.poller.clock.now().mono);
            }
            if slot.watch().is_none() {
                // Somebody else wrote its tags: whose it is now is read first.
                self.active.retain(|active| *active != id);
                let now = self.poller.clock.now().mono;
                self.due.insert((now.after(Millis::seconds(1)), id));
                self.refresh_at = Mono(0);
            } else if !slot.busy() {
                self.active.retain(|active| *active != id);
                self.due.insert((slot.next_due(), id));
            }
        }
        self.entry.settle(&self.poller.store, self.lease, &self.slots, &self.poller.clock).await?;
        self.checks.settle(&self.poller.store, &self.poller.clock, |id| self.slots.get(&id).and_then(Slot::watch)).await
    }
}

/// A client that panics is a defect of ours: everything is read again, so that no request is waited for forever.
fn panicked(error: &JoinError) -> StoreError {
    tracing::error!(%error, "a request to the registry ended in a panic");
    StoreError::Inconsistent("a request did not return".to_owned())
}
