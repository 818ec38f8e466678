mod bands;
mod reply;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::sighting::Pass;
use super::sweep::Sweep;
use super::unread::Unreadable;
use super::{Effects, Plan, Repository, Request, RequestKind, Tag};
use crate::digest::Digest;
use crate::instant::Millis;
use crate::name::TagName;
use crate::observation::{Method, Moment, Mono, Unknown};
use crate::tag::{Band, TagState};

/// The watch over one repository: gives requests, takes replies, says what to write. It never waits and never asks itself.
///
/// The driver calls [`Watch::begin`] when [`Watch::next_due`] has come, sends what [`Watch::next_request`] gives (several at a
/// time if it likes), and hands every reply to [`Watch::reply`].
pub struct Watch {
    /// How often and how patiently.
    pub plan: Plan,
    /// The repository as a whole.
    pub repository: Repository,
    /// Why the listing cannot be had at all, in words, since the last one that could.
    pub failing: Option<(Unknown, String)>,
    tags: BTreeMap<TagName, Tag>,
    passes: Vec<Pass>,
    schedule: BTreeMap<Band, Due>,
    /// Passes under way, by number: bands of one pace share one, so that a slow pass delays no fast band.
    sweeps: BTreeMap<u64, Sweep>,
    last_sweep: u64,
    singles: Singles,
    held: Option<Mono>,
    /// Where the last pass of a band was cut.
    resume_at: BTreeMap<Band, TagName>,
    /// Bands that have tags to ask, and how many.
    used: BTreeMap<Band, u64>,
    /// Counted GETs a day that may be spent on proofs; `None` where they are not counted.
    get_budget: Option<f64>,
    unwritten: BTreeSet<TagName>,
    unreadable: Unreadable,
    /// Groups of deletions by digest, as long as further tags that named it are in doubt: one act, one group (3.6).
    deletions: BTreeMap<Digest, i64>,
    seed: u64,
}

/// When a band is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    next: Mono,
    /// Then the newest proof was so long ago.
    proven: Option<(Mono, Millis)>,
    /// A proof that was cut is not tried again before.
    no_proof_before: Mono,
    /// The proof interval promised last, until a pass has shown what the registry says of its limits now.
    promised_before: Millis,
    /// Somebody asked for a pass that begins after this.
    asked: Option<Mono>,
    /// When the newest pass that ended had begun.
    swept: Option<Mono>,
}

/// Tags that are due by themselves, outside the passes of their bands.
#[derive(Debug, Default)]
struct Singles {
    due: BTreeMap<TagName, (Mono, Method)>,
    queue: VecDeque<Request>,
    in_flight: BTreeSet<TagName>,
    /// Asked for while in flight: to be sent once more, and not looked at before that.
    once_more: BTreeSet<TagName>,
    listing_wanted: bool,
    listing_in_flight: bool,
    /// Why the newest request for a tag said nothing, in words.
    failed: BTreeMap<TagName, String>,
}

impl Watch {
    /// A watch over what the store knows. Bands whose `next` pass is missing are due at once. `seed` spreads passes.
    pub fn new(
        plan: Plan,
        repository: Repository,
        tags: BTreeMap<TagName, Tag>,
        passes: Vec<Pass>,
        next: &BTreeMap<Band, Mono>,
        now: Moment,
        seed: u64,
    ) -> Self {
        let schedule = Band::ALL
            .iter()
            .map(|band| {
                // Without a proof on record it is due at once, unless every tag is read by GET anyway: then the pass is one.
                let proofs = passes.iter().filter(|pass| pass.band == *band && pass.proof && pass.complete);
                let newest = proofs.map(|pass| pass.started).max();
                // A clock that was set back since makes nothing later than an interval from now.
                let since = newest.map(|started| (now.mark.wall - started.wall).max(Millis(0)));
                let due = Due {
                    next: next.get(band).copied().unwrap_or(now.mono),
                    proven: since.map(|since| (now.mono, since)),
                    no_proof_before: Mono(0),
                    promised_before: Millis(0),
                    asked: None,
                    swept: None,
                };
                (*band, due)
            })
            .collect();
        let mut watch = Self {
            plan,
            repository,
            failing: None,
            tags,
            passes,
            schedule,
            sweeps: BTreeMap::new(),
            last_sweep: 0,
            singles: Singles::default(),
            held: None,
            resume_at: BTreeMap::new(),
            used: BTreeMap::new(),
            get_budget: None,
            unwritten: BTreeSet::new(),
            unreadable: Unreadable::default(),
            deletions: BTreeMap::new(),
            seed,
        };
        watch.count_bands();
        // A policy that changed, or a flag that was opened just before the end, asks for a faster band.
        let names: Vec<TagName> = watch.tags.keys().cloned().collect();
        for name in &names {
            watch.speed_up(name, now);
        }
        watch
    }

    /// Rows that must be written although nothing happened to their tags: what the policy says of them changed.
    pub fn rewrite(&mut self, names: impl IntoIterator<Item = TagName>) {
        self.unwritten.extend(names);
    }

    /// How many counted GETs a day may be spent on the proofs of this repository (RECORD.md 2.3).
    pub const fn set_get_budget(&mut self, get_budget: Option<f64>) {
        self.get_budget = get_budget;
    }

    /// The proof interval that the record promises for a band. It stands until the first pass, so that a start makes no proofs
    /// too soon while the registry has not yet said again that it counts them.
    pub fn keep_proof_interval(&mut self, band: Band, promised: Millis) {
        if let Some(due) = self.schedule.get_mut(&band) {
            due.promised_before = promised;
        }
    }

    /// How many tags passes ask.
    pub fn asked_tags(&self) -> u64 {
        self.used.values().sum()
    }

    fn proof_interval(&self, band: Band) -> Millis {
        self.plan.proof_interval(band, &self.used, self.get_budget)
    }

    /// When the next pass of a band has to be a proof.
    fn next_proof(&self, band: Band, due: &Due) -> Mono {
        let interval = self.proof_interval(band).max(due.promised_before);
        let proven = due.proven.map_or(Mono(0), |(then, ago)| then.after(Millis(interval.0 - ago.0)));
        proven.max(due.no_proof_before)
    }

    /// The tags, by name.
    pub fn tags(&self) -> &BTreeMap<TagName, Tag> {
        &self.tags
    }

    /// How far the passes under way have come: tags asked and tags to ask.
    pub fn progress(&self) -> Option<(usize, usize)> {
        self.sweeps.values().map(Sweep::progress).reduce(|one, other| (one.0 + other.0, one.1 + other.1))
    }

    /// Whether requests are waiting or under way.
    pub fn busy(&self) -> bool {
        !self.sweeps.is_empty()
            || !self.singles.queue.is_empty()
            || !self.singles.in_flight.is_empty()
            || self.singles.listing_in_flight
            || self.singles.listing_wanted
    }

    /// Whether it has something to do that cannot wait: tags due by themselves, or a pass of a fast band.
    pub fn hurried(&self) -> bool {
        let alone = !self.singles.queue.is_empty() || !self.singles.in_flight.is_empty() || self.singles.listing_wanted;
        let fast = |sweep: &Sweep| sweep.covers(Band::Hot) || sweep.covers(Band::Pinned);
        alone || self.sweeps.values().any(fast)
    }

    /// When [`Watch::begin`] has something to do.
    pub fn next_due(&self) -> Mono {
        let waiting = self.schedule.iter().filter(|(band, _)| self.in_use(**band) && !self.under_way(**band));
        let passes = waiting.map(|(_, due)| due.next);
        let singles = self.singles.due.values().map(|(at, _)| *at);
        let next = passes.chain(singles).min().unwrap_or(Mono(u64::MAX));
        let next = match self.held {
            // What waits for the pause to end goes on then.
            Some(held) if self.busy() => held,
            Some(held) => next.max(held),
            None => next,
        };
        self.sweeps.values().filter_map(Sweep::deadline).min().map_or(next, |cut| next.min(cut))
    }

    fn under_way(&self, band: Band) -> bool {
        self.sweeps.values().any(|sweep| sweep.covers(band))
    }

    /// The hot band lists the repository even when it has no tags; the others wait for theirs.
    fn in_use(&self, band: Band) -> bool {
        band == Band::Hot || self.used.contains_key(&band)
    }

    fn count_bands(&mut self) {
        self.used.clear();
        for tag in self.tags.values().filter(|tag| tag.asked_in_passes()) {
            *self.used.entry(tag.known.record.band).or_default() += 1;
        }
    }

    /// Somebody asks for these tags now; for the whole repository when there are none.
    pub fn check(&mut self, names: &[TagName], now: Mono) {
        if names.is_empty() {
            for due in self.schedule.values_mut() {
                (due.next, due.asked) = (now, Some(now));
            }
            return;
        }
        for name in names {
            self.singles.failed.remove(name);
            if self.singles.in_flight.contains(name) {
                self.singles.once_more.insert(name.clone());
            } else {
                self.singles.due.insert(name.clone(), (now, Method::Head));
            }
        }
    }

    /// Whether the tags that somebody asked for have been looked at.
    pub fn checked(&self, names: &[TagName], since: Mono) -> bool {
        if names.is_empty() {
            let open = |(band, due): (&Band, &Due)| self.in_use(*band) && due.swept.is_none_or(|swept| swept < since);
            return !self.schedule.iter().any(open);
        }
        let waiting = |name: &TagName| {
            self.singles.in_flight.contains(name)
                || self.singles.once_more.contains(name)
                || self.singles.due.get(name).is_some_and(|(at, _)| *at <= since)
                || self.singles.queue.iter().any(|request| request.tag() == Some(name))
        };
        !self.singles.listing_in_flight && !self.singles.listing_wanted && !names.iter().any(waiting)
    }

    /// Why what somebody asked for could not be seen, in words.
    pub fn failure(&self, names: &[TagName]) -> Option<&str> {
        if names.is_empty() {
            let hidden = self.repository.hidden().then_some("the registry does not list this repository");
            return self.failing.as_ref().map(|(_, message)| message.as_str()).or(hidden);
        }
        names.iter().find_map(|name| self.singles.failed.get(name)).map(String::as_str)
    }

    /// Starts what is due, and ends a pass whose time is over.
    pub fn begin(&mut self, now: Moment) -> Effects {
        let mut effects = Effects::default();
        self.end_passes(now, &mut effects);
        if self.held.is_none_or(|held| now.mono >= held) {
            self.held = None;
            self.start(now);
        }
        effects
    }

    fn end_passes(&mut self, now: Moment, effects: &mut Effects) {
        self.finish_sweeps(now, effects);
        for finished in &mut effects.passes {
            finished.unread = self.unreadable.of_band(finished.pass.band, &self.tags);
        }
    }

    fn start(&mut self, now: Moment) {
        let due: Vec<TagName> =
            self.singles.due.iter().filter(|(_, (at, _))| *at <= now.mono).map(|(name, _)| name.clone()).collect();
        for name in due {
            let Some((_, method)) = self.singles.due.remove(&name) else { continue };
            if self.singles.in_flight.contains(&name) {
                self.singles.once_more.insert(name);
                continue;
            }
            self.singles.once_more.remove(&name);
            let kind = self.request_for(&name, method);
            self.singles.in_flight.insert(name);
            self.singles.queue.push_back(Request { kind, sweep: None });
        }
        let mut by_limit: BTreeMap<Millis, BTreeMap<Band, bool>> = BTreeMap::new();
        for (band, due) in &self.schedule {
            if due.next <= now.mono && self.in_use(*band) && !self.under_way(*band) {
                let proof = self.next_proof(*band, due) <= now.mono;
                by_limit.entry(self.plan.limit(*band)).or_default().insert(*band, proof);
            }
        }
        for (limit, bands) in by_limit {
            self.last_sweep += 1;
            self.sweeps.insert(self.last_sweep, Sweep::new(now, bands, now.mono.after(limit)));
        }
    }

    /// The next request to send; tags that somebody waits for come first.
    pub fn next_request(&mut self, now: Mono) -> Option<Request> {
        if self.held.is_some_and(|held| now < held) {
            return None;
        }
        if let Some(request) = self.singles.queue.pop_front() {
            return Some(request);
        }
        if self.singles.listing_wanted && self.singles.in_flight.is_empty() && !self.singles.listing_in_flight {
            self.singles.listing_wanted = false;
            self.singles.listing_in_flight = true;
            return Some(Request { kind: RequestKind::Listing, sweep: None });
        }
        // Fast bands first: their time is the shortest.
        let mut order: Vec<(Option<Mono>, u64)> =
            self.sweeps.iter().map(|(id, sweep)| (sweep.deadline(), *id)).collect();
        order.sort_unstable();
        let next = order.into_iter().find_map(|(_, id)| Some((id, self.sweeps.get_mut(&id)?.next(now)?)));
        let (id, kind) = next?;
        let kind = match kind {
            RequestKind::Head(name, _) => {
                let by_get = self.sweeps.get(&id).is_some_and(|sweep| sweep.by_get(&name));
                let kind = self.request_for(&name, if by_get { Method::Get } else { Method::Head });
                if let (RequestKind::Head(..), Some(sweep)) = (&kind, self.sweeps.get_mut(&id)) {
                    sweep.used(&name, Method::Head);
                }
                kind
            }
            other => other,
        };
        Some(Request { kind, sweep: Some(id) })
    }

    /// HEAD, unless only bytes can tell.
    fn request_for(&self, name: &TagName, method: Method) -> RequestKind {
        let record = self.tags.get(name).map(|tag| &tag.known.record);
        let unread = record.is_none_or(|record| record.state == TagState::Unread);
        let untrusted = record.is_some_and(|record| record.header_untrusted);
        if method == Method::Get || unread || untrusted {
            return RequestKind::Get(name.clone());
        }
        let known = record
            .filter(|record| matches!(record.state, TagState::Present(_)))
            .and_then(|record| record.claimed.clone());
        RequestKind::Head(name.clone(), known)
    }
}

/// Up to a tenth of the interval early, so that passes that began together drift apart (splitmix64).
fn spread(seed: u64, interval: Millis) -> Millis {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let tenth = interval.0 / 10;
    // Only early: the promise is interval plus limit, and lateness by our own dice would break it.
    Millis(-((mixed % (tenth.unsigned_abs() + 1)) as i64))
}
