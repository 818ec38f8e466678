use std::collections::{BTreeMap, BTreeSet};

use tagwarden_model::api::RepositoryState;
use tagwarden_model::digest::Digest;
use tagwarden_model::event::{NewEvent, Source};
use tagwarden_model::instant::Instant;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::observation::{Moment, Mono, Unknown};
use tagwarden_model::record::entry::LastListing;
use tagwarden_model::record::window::Clocks;
use tagwarden_model::record::{Effects, FinishedPass, Happened, Pending, Request, RequestKind, Standing, Watch};
use tagwarden_model::tag::Band;

use super::ask::{Answered, children};
use super::transition::{Told, transition};
use super::{Poller, load, rescue};
use crate::metrics::{OfEvent, OfPass, Word};
use crate::registry::Registry;
use crate::store::StoreError;
use crate::store::content::Content;
use crate::store::record::{
    Commit, GapWrite, Lease, PassRow, PassSummary, RepositoryRow, RepositoryWrite, TagWrite, WatchedRepository, Written,
};

/// So many tags wait at most before they are written; what a person must know is written at once.
const BATCH: usize = 200;
/// So many bytes of manifests wait at most.
const BATCH_BYTES: usize = 8 << 20;

/// A watched repository in the poller: its record machine, loaded when it is first due, and what waits to be written.
pub struct Slot {
    pub watched: WatchedRepository,
    loaded: Option<(Watch, u64)>,
    failing: Option<Unknown>,
    /// What its newest listing gave, and why it was none, in words.
    pub last_listing: Option<(LastListing, Option<String>)>,
    /// Whether the listing was asked for, with whatever answer, since loading: before that the stored state stands.
    listed: bool,
    /// What the store was told of "no longer visible to these credentials".
    invisible: Option<bool>,
    /// A pass ended that had asked every tag: the repository is new no more.
    read_once: bool,
    /// Digests that written events left.
    left: BTreeSet<Digest>,
    waiting: Waiting,
}

#[derive(Default)]
struct Waiting {
    tags: BTreeMap<TagName, (Vec<NewEvent>, bool)>,
    contents: Vec<(Digest, Content)>,
    passes: Vec<FinishedPass>,
    repository: Option<NewEvent>,
    invisible: Option<bool>,
    urgent: bool,
}

impl Slot {
    pub fn new(watched: WatchedRepository) -> Self {
        let read_once = !watched.passes.is_empty() && watched.state.state != RepositoryState::New;
        let (last_listing, waiting) = (load::last_listing(&watched.state), Waiting::default());
        let left = BTreeSet::new();
        Self {
            watched,
            loaded: None,
            failing: None,
            last_listing,
            listed: false,
            invisible: None,
            read_once,
            left,
            waiting,
        }
    }

    pub fn watch(&self) -> Option<&Watch> {
        self.loaded.as_ref().map(|(watch, _)| watch)
    }

    pub fn epoch(&self) -> Option<u64> {
        self.loaded.as_ref().map(|(_, epoch)| *epoch)
    }

    pub fn next_due(&self) -> Mono {
        self.watch().map_or(Mono(0), Watch::next_due)
    }

    pub fn busy(&self) -> bool {
        self.watch().is_some_and(Watch::busy)
    }

    /// Whether its newest listing was answered.
    pub fn visible(&self) -> bool {
        self.watch().is_some_and(|watch| {
            // What the record says of before this start proves nothing.
            self.listed
                && watch.failing.is_none()
                && matches!(watch.repository.standing, Standing::Ok | Standing::Empty)
        })
    }

    /// Reads the repository from the store, unless it is here already.
    pub async fn load<R: Registry>(
        &mut self,
        poller: &Poller<R>,
        now: Moment,
        epoch: &mut u64,
    ) -> Result<(), StoreError> {
        if self.loaded.is_some() {
            return Ok(());
        }
        let plan = &poller.settings.plan;
        let loaded = poller.store.load(self.watched.id, now.mark.wall - plan.delays.stale).await?;
        *epoch += 1;
        // What was to be fetched when the last process ended is asked for again; what is held is not.
        self.left.extend(loaded.recent.iter().filter_map(|(_, state, _)| state.digest().cloned()));
        self.loaded = Some((load::watch(&self.watched, loaded, plan, &poller.policy, now), *epoch));
        self.waiting = Waiting::default();
        self.listed = false;
        Ok(())
    }

    /// Whether it has something to do that cannot wait.
    pub fn hurried(&self) -> bool {
        self.watch().is_some_and(Watch::hurried)
    }

    pub fn check(&mut self, tags: &[TagName], now: Mono) {
        if let Some((watch, _)) = &mut self.loaded {
            watch.check(tags, now);
        }
    }

    /// Which tags have a flag that is not closed: people open and close them.
    pub fn set_flagged(&mut self, flagged: &BTreeSet<TagName>, now: Moment) {
        if let Some((watch, _)) = &mut self.loaded {
            watch.set_flagged(flagged, now);
        }
    }

    /// How many counted GETs a day it may spend on proofs.
    pub fn set_get_budget(&mut self, get_budget: f64) {
        if let Some((watch, _)) = &mut self.loaded {
            watch.set_get_budget(Some(get_budget));
        }
    }

    pub fn begin<R: Registry>(&mut self, poller: &Poller<R>, now: Moment) {
        if let Some((watch, _)) = &mut self.loaded {
            let effects = watch.begin(now);
            // Beginning ends passes at most: it has no events, so no window needs the clocks.
            self.take(poller, &Clocks::default(), effects);
        }
    }

    pub fn next_request(&mut self, now: Mono) -> Option<(Request, u64, RepositoryName)> {
        let (watch, epoch) = self.loaded.as_mut()?;
        let request = watch.next_request(now)?;
        Some((request, *epoch, self.watched.name.clone()))
    }

    /// Applies a reply. Bytes that are new to us are kept before anything is concluded from them.
    pub async fn reply<R: Registry>(
        &mut self,
        poller: &Poller<R>,
        clocks: &Clocks,
        request: &Request,
        answered: Answered,
        others_visible: bool,
    ) -> Result<(), StoreError> {
        self.listed |= request.kind == RequestKind::Listing;
        self.last_listing = answered.listing().or(self.last_listing.take());
        let related = self.related(poller, request, &answered).await?;
        if let Some((_, manifest)) = answered.manifest()
            && !self.holds(request, &manifest.digest)
        {
            let content = Content { media_type: manifest.media_type.word().to_owned(), bytes: manifest.bytes.clone() };
            self.waiting.contents.push((manifest.digest.clone(), content));
        }
        let now = poller.clock.now();
        let Some((watch, _)) = &mut self.loaded else { return Ok(()) };
        let name = &self.watched.name;
        let effects =
            watch.reply(request, answered.reply(related), now, others_visible, |tag| poller.policy.classify(name, tag));
        self.take(poller, clocks, effects);
        Ok(())
    }

    /// Whether the bytes of this digest were read before: it is recorded, and not only claimed.
    fn holds(&self, request: &Request, digest: &Digest) -> bool {
        let record = || Some(&self.watch()?.tags().get(request.tag()?)?.known.record);
        record().is_some_and(|record| record.verified && record.state.digest() == Some(digest))
    }

    /// The digest that the record has for the tag of a request.
    fn recorded(&self, request: &Request) -> Option<&Digest> {
        self.watch()?.tags().get(request.tag()?)?.known.record.state.digest()
    }

    /// Whether what is seen or claimed now and what is recorded are an index and its child (2.4).
    async fn related<R: Registry>(
        &self,
        poller: &Poller<R>,
        request: &Request,
        answered: &Answered,
    ) -> Result<bool, StoreError> {
        let Some(recorded) = self.recorded(request).cloned() else { return Ok(false) };
        let pending = || match self.watch()?.tags().get(request.tag()?)?.known.pending.as_deref()? {
            Pending::Claim { claim, .. } => Some(claim.clone()),
            Pending::Bytes { .. } | Pending::Absent(_) => None,
        };
        let manifest = answered.manifest().map(|(_, manifest)| manifest);
        let seen =
            manifest.map(|manifest| manifest.digest.clone()).or_else(|| answered.claim().cloned()).or_else(pending);
        let Some(seen) = seen.filter(|seen| *seen != recorded) else { return Ok(false) };
        if manifest.is_some_and(|manifest| children(&manifest.bytes).contains(&recorded)) {
            return Ok(true);
        }
        let kept = match poller.store.content(&recorded).await {
            Err(StoreError::Inconsistent(reason)) => {
                tracing::error!(repository = %self.watched.name, %reason, "kept bytes are damaged and count as not held");
                None
            }
            kept => kept?,
        };
        Ok(kept.is_some_and(|kept| children(&kept.bytes).contains(&seen)))
    }

    fn take<R: Registry>(&mut self, poller: &Poller<R>, clocks: &Clocks, effects: Effects) {
        let waiting = &mut self.waiting;
        for write in effects.writes {
            let events = write.happened.into_iter().map(|happened| {
                waiting.urgent |= happened.kind != tagwarden_model::event::EventKind::Created;
                poller.metrics.events.get_or_create(&OfEvent { kind: Word(happened.kind) }).inc();
                event(clocks, happened, write.group)
            });
            let events: Vec<NewEvent> = events.collect();
            let slot = waiting.tags.entry(write.name).or_default();
            slot.0.extend(events);
            slot.1 |= write.proven;
        }
        if let Some(happened) = effects.repository {
            waiting.repository = Some(event(clocks, happened, None));
        }
        waiting.invisible = effects.invisible.or(waiting.invisible);
        waiting.passes.extend(effects.passes);
        for (tag, warning) in effects.warnings {
            let tag = tag.as_ref().map(TagName::as_str);
            tracing::warn!(repository = %self.watched.name, tag, ?warning, registry = poller.entry.name, "odd answer");
        }
    }

    /// Writes what waits, when it is enough, urgent, or nothing else is under way.
    pub async fn flush<R: Registry>(&mut self, poller: &Poller<R>, lease: Lease, idle: bool) -> Result<(), StoreError> {
        let lease = Lease { period: Some(self.watched.period), ..lease };
        let waiting = &self.waiting;
        let bytes: usize = waiting.contents.iter().map(|(_, content)| content.bytes.len()).sum();
        let full = waiting.tags.len() >= BATCH || bytes >= BATCH_BYTES;
        let due = idle || waiting.urgent || full || !waiting.passes.is_empty();
        if due {
            self.commit(poller, lease).await?;
        }
        self.put_row(poller, lease).await?;
        for finished in std::mem::take(&mut self.waiting.passes) {
            self.put_pass(poller, lease, finished).await?;
        }
        Ok(())
    }

    /// The digests that were left by what was written since the last call.
    pub fn take_left(&mut self) -> BTreeSet<Digest> {
        std::mem::take(&mut self.left)
    }

    async fn commit<R: Registry>(&mut self, poller: &Poller<R>, lease: Lease) -> Result<(), StoreError> {
        self.waiting.urgent = false;
        let contents = std::mem::take(&mut self.waiting.contents);
        poller.store.put_contents(&contents, poller.clock.now().mark.wall).await?;
        let changed = std::mem::take(&mut self.waiting.tags);
        let Some((watch, _)) = &mut self.loaded else { return Ok(()) };
        let now = poller.clock.now();
        let tags: Vec<TagWrite> = changed
            .into_iter()
            .filter_map(|(name, (events, proven))| {
                let tag = watch.tags().get(&name)?;
                let (ruling, record) = (tag.ruling.clone(), tag.known.record.clone());
                Some(TagWrite { name, ruling, record, events, proven })
            })
            .collect();
        if tags.is_empty() {
            return Ok(());
        }
        let commit = Commit { repository: self.watched.id, lease, now: now.mark.wall, tags };
        let written = poller.store.commit(&commit).await?;
        let now = poller.clock.now();
        let mut conflict = false;
        for (tag, written) in commit.tags.iter().zip(written) {
            match written {
                Written::Ok { last_seq, flagged } => {
                    watch.written(&tag.name, last_seq, flagged, now);
                    self.left.extend(rescue::left(&tag.events));
                }
                Written::Conflict => conflict = true,
            }
        }
        if conflict {
            // Somebody else wrote these tags: what we hold is old. It is read again before the next request.
            self.loaded = None;
            self.waiting = Waiting::default();
        }
        Ok(())
    }

    /// Writes the repository's state when it changed, with its event.
    async fn put_row<R: Registry>(&mut self, poller: &Poller<R>, lease: Lease) -> Result<(), StoreError> {
        let Some((watch, _)) = self.loaded.as_ref().filter(|_| self.listed) else { return Ok(()) };
        let now = poller.clock.now().mark.wall;
        let (row, failing) = (self.row(watch, now), watch.failing.as_ref().map(|(reason, _)| *reason));
        let event = self.waiting.repository.take();
        // Told once: a person who closed the flag is not asked again for the same refusal.
        let invisible = self.waiting.invisible.take().filter(|invisible| self.invisible != Some(*invisible));

        let written = &self.watched.state;
        let same = (row.state, row.refused_since, failing) == (written.state, written.refused_since, self.failing);
        // That it is visible needs no row, unless it may have been told otherwise before.
        let told =
            invisible.is_some_and(|invisible| invisible || written.refused_since.is_some() || self.invisible.is_some());
        if same && event.is_none() && !told {
            return Ok(());
        }
        let write = RepositoryWrite { repository: self.watched.id, lease, now, state: row.clone(), event, invisible };
        poller.store.put_repository(&write).await?;
        let (before, after) = (Told::from(&self.watched.state), Told::from(&row));
        if let Some(words) = transition(&before, &after) {
            let repository = &self.watched.name;
            if after.well { tracing::info!(%repository, "{words}") } else { tracing::warn!(%repository, "{words}") }
        }
        self.watched.state = row;
        self.failing = failing;
        self.invisible = invisible.or(self.invisible);
        Ok(())
    }

    fn row(&self, watch: &Watch, now: Instant) -> RepositoryRow {
        let refused = |missing: bool| {
            Some(
                if missing { "the registry does not know it (404)" } else { "the registry refuses it (401 or 403)" }
                    .to_owned(),
            )
        };
        let reason_of = watch.repository.refused_since.and_then(|(missing, _)| refused(missing));
        let (state, reason) = match (watch.repository.standing, &watch.failing) {
            (Standing::Vanished, _) => (RepositoryState::Vanished, reason_of),
            (_, Some((_, message))) => (RepositoryState::Failing, Some(message.clone())),
            (Standing::Hidden, None) => (RepositoryState::Hidden, reason_of),
            (Standing::Empty, None) => (RepositoryState::Empty, Some("its list of tags is empty".to_owned())),
            (Standing::Ok, None) if self.read_once => (RepositoryState::Ok, None),
            (Standing::Ok | Standing::New, None) => (RepositoryState::New, None),
        };
        let since = if state == self.watched.state.state { self.watched.state.since } else { now };
        RepositoryRow { state, reason, since, refused_since: watch.repository.refused_since }
    }

    async fn put_pass<R: Registry>(
        &mut self,
        poller: &Poller<R>,
        lease: Lease,
        finished: FinishedPass,
    ) -> Result<(), StoreError> {
        let band = finished.pass.band;
        let known = self.watched.passes.iter().find(|pass| pass.band == band).and_then(|pass| pass.complete_started);
        let from = unseen_since(&self.watched.passes, band).unwrap_or(self.watched.watched_since);
        let gap = finished.reason.clone().map(|reason| GapWrite { band, from, reason });
        let (started, fresh) = (finished.pass.started, finished.reason.is_none());
        self.read_once |= finished.listed.is_some() && !finished.unseen.contains_key(&Unknown::NotAsked);
        let row = PassRow {
            band,
            started,
            finished: finished.finished,
            complete: finished.pass.complete,
            proof: finished.pass.proof,
            listed: finished.listed,
            asked: finished.asked,
            seen: finished.seen,
            unseen: finished.unseen.into_iter().collect(),
            exceptions: finished.pass.exceptions.into_iter().collect(),
            unread: finished.unread,
            reason: finished.reason,
            next: finished.next,
            promised: finished.promised,
            proof_promised: finished.proof_promised,
        };
        poller.store.put_pass(self.watched.id, lease, &row, gap.as_ref()).await?;
        let registry = &poller.entry.name;
        poller.metrics.passes.get_or_create(&OfPass { registry: registry.clone(), complete: fresh }).inc();
        if fresh {
            poller.metrics.complete_pass(registry, started.wall);
        }
        let complete_started = if fresh { Some(started.wall) } else { known };
        let summary = PassSummary { band, started: started.wall, next: row.next, complete_started };
        self.watched.passes.retain(|pass| pass.band != band);
        self.watched.passes.push(summary);
        // The first pass makes a new repository an ordinary one.
        self.put_row(poller, lease).await
    }
}

fn event(clocks: &Clocks, happened: Happened, group: Option<i64>) -> NewEvent {
    let window = clocks.window(happened.not_before, happened.not_after);
    NewEvent {
        kind: happened.kind,
        old: happened.old,
        new: happened.new,
        not_before: window.not_before,
        not_after: window.not_after,
        clock_changed: window.clock_changed,
        verified: happened.verified,
        baseline: happened.baseline,
        source: Source::Poll,
        deleted_by: happened.deleted_by,
        group,
    }
}

/// Since when a band was not observed whose pass failed: since its last complete one. Tags that came from other bands were
/// observed there. `None` if none was ever complete.
fn unseen_since(passes: &[PassSummary], band: Band) -> Option<Instant> {
    let own = passes.iter().find(|pass| pass.band == band).and_then(|pass| pass.complete_started);
    own.or_else(|| passes.iter().filter_map(|pass| pass.complete_started).max())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_from_another_band_was_observed_there() {
        let pass =
            |band, complete_started| PassSummary { band, started: Instant(9), next: Instant(10), complete_started };
        let passes = [pass(Band::Hot, Some(Instant(7))), pass(Band::Cold, Some(Instant(3))), pass(Band::Warm, None)];
        for (band, since) in [(Band::Hot, 7), (Band::Cold, 3), (Band::Warm, 7), (Band::Pinned, 7)] {
            assert_eq!(unseen_since(&passes, band), Some(Instant(since)), "{band:?}");
        }
        assert_eq!(unseen_since(&[pass(Band::Hot, None)], Band::Hot), None);
    }
}
