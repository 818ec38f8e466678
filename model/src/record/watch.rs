use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::sighting::{self, Pass};
use super::sweep::{FinishedPass, Sweep};
use super::{
    Ask, Context, Delays, Happened, Known, Listing, ListingSeen, Repository, Sighting, Warning, band, observe,
};
use crate::digest::Digest;
use crate::instant::{Instant, Millis};
use crate::name::TagName;
use crate::observation::{Method, Moment, Mono, Observation, Seen, Unknown};
use crate::tag::{Band, Class, Listed, TagRecord, TagState};

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
    sweep: Option<Sweep>,
    singles: Singles,
    held: Option<Mono>,
    resume_at: Option<TagName>,
    unwritten: BTreeSet<TagName>,
    seed: u64,
}

/// How often and how patiently a repository is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How long the rules wait.
    pub delays: Delays,
    /// Interval of each band; a band that is missing has its default.
    pub intervals: BTreeMap<Band, Millis>,
    /// The least time that a pass may take before it is cut; longer for slow bands.
    pub pass_limit: Millis,
    /// Interval of proof passes of the hot and the pinned band; seven times as long for the others.
    pub proof_interval: Millis,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            delays: Delays::default(),
            intervals: BTreeMap::new(),
            pass_limit: Millis::minutes(1),
            proof_interval: Millis::days(1),
        }
    }
}

impl Plan {
    /// The time between two passes of a band.
    pub fn interval(&self, band: Band) -> Millis {
        self.intervals.get(&band).copied().unwrap_or(band.default_interval())
    }

    /// How long a pass of a band may take: at least `pass_limit`, a fifth of the interval for slow bands.
    pub fn limit(&self, band: Band) -> Millis {
        self.pass_limit.max(Millis(self.interval(band).0 / 5))
    }

    /// The freshness promised: interval plus the limit of a pass (RECORD.md 4.4).
    pub fn promised(&self, band: Band) -> Millis {
        self.interval(band) + self.limit(band)
    }

    fn proof_interval(&self, band: Band) -> Millis {
        match band {
            Band::Hot | Band::Pinned => self.proof_interval,
            Band::Warm | Band::Cold => Millis(self.proof_interval.0.saturating_mul(7)),
        }
    }
}

/// A tag with what decides its band.
#[derive(Debug, Clone)]
pub struct Tag {
    /// What is known.
    pub known: Known,
    /// What its name promises.
    pub class: Class,
    /// The rule that says so.
    pub rule: String,
    /// `at` of its first event.
    pub first_seen: Option<Instant>,
    /// It stood before we watched.
    pub baseline: bool,
    /// It has a flag that is not closed.
    pub flagged: bool,
}

/// When a band is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    next: Mono,
    next_proof: Mono,
}

/// Tags that are due by themselves, outside the passes of their bands.
#[derive(Debug, Default)]
struct Singles {
    due: BTreeMap<TagName, (Mono, Method)>,
    queue: VecDeque<Request>,
    in_flight: BTreeSet<TagName>,
    once_more: BTreeSet<TagName>,
    listing_wanted: bool,
    listing_in_flight: bool,
}

/// What the driver shall ask the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What.
    pub kind: RequestKind,
    /// Whether it belongs to the pass under way.
    pub of_sweep: bool,
}

/// What to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestKind {
    /// The repository's tags.
    Listing,
    /// HEAD of a tag, conditional on what HEAD said before.
    Head(TagName, Option<Digest>),
    /// GET of a tag.
    Get(TagName),
}

/// What the registry answered to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To a listing.
    Listing(Listing),
    /// To a listing that says nothing.
    ListingFailed {
        /// When.
        received: Moment,
        /// Why.
        reason: Unknown,
        /// The same in words.
        message: String,
        /// Not to be asked again before.
        retry_at: Option<Mono>,
    },
    /// To HEAD or GET of a tag.
    Tag {
        /// The tag.
        name: TagName,
        /// What was seen.
        observation: Observation,
        /// The observed digest and the recorded one are an index and its child.
        related: bool,
        /// The registry is not to be asked again before.
        retry_at: Option<Mono>,
        /// Why nothing was seen, in words.
        message: Option<String>,
    },
}

/// What the driver shall write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Tags whose rows changed, with what happened to each, in order.
    pub writes: Vec<Write>,
    /// `vanished` or `returned`.
    pub repository: Option<Happened>,
    /// Refused to these credentials only; `false` ends it.
    pub invisible: Option<bool>,
    /// Passes that ended.
    pub passes: Vec<FinishedPass>,
    /// For the operator.
    pub warnings: Vec<(Option<TagName>, Warning)>,
}

/// One tag's row and events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The tag.
    pub name: TagName,
    /// What happened, in order.
    pub happened: Vec<Happened>,
    /// The claim of its newest event was proven.
    pub proven: bool,
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
                let newest =
                    passes.iter().filter(|pass| pass.band == *band && pass.proof).map(|pass| pass.started).max();
                let since = newest.map(|started| now.mark.wall - started.wall);
                let wait = since.map_or(Millis(0), |since| Millis((plan.proof_interval(*band).0 - since.0).max(0)));
                let next = next.get(band).copied().unwrap_or(now.mono);
                (*band, Due { next, next_proof: now.mono.after(wait) })
            })
            .collect();
        Self {
            plan,
            repository,
            failing: None,
            tags,
            passes,
            schedule,
            sweep: None,
            singles: Singles::default(),
            held: None,
            resume_at: None,
            unwritten: BTreeSet::new(),
            seed,
        }
    }

    /// The tags, by name.
    pub fn tags(&self) -> &BTreeMap<TagName, Tag> {
        &self.tags
    }

    /// How far the pass under way has come: tags asked and tags to ask.
    pub fn progress(&self) -> Option<(usize, usize)> {
        self.sweep.as_ref().map(Sweep::progress)
    }

    /// Whether requests are waiting or under way.
    pub fn busy(&self) -> bool {
        self.sweep.is_some()
            || !self.singles.queue.is_empty()
            || !self.singles.in_flight.is_empty()
            || self.singles.listing_in_flight
    }

    /// When [`Watch::begin`] has something to do.
    pub fn next_due(&self) -> Mono {
        let bands = self.schedule.iter().filter(|(band, _)| self.in_use(**band)).map(|(_, due)| due.next);
        let passes = if self.sweep.is_some() { None } else { bands.min() };
        let singles = self.singles.due.values().map(|(at, _)| *at).min();
        let next = passes.into_iter().chain(singles).min().unwrap_or(Mono(u64::MAX));
        let next = match self.held {
            // What waits for the pause to end goes on then.
            Some(held) if self.busy() => held,
            Some(held) => next.max(held),
            None => next,
        };
        let cut = self.sweep.as_ref().and_then(Sweep::deadline);
        cut.map_or(next, |cut| next.min(cut))
    }

    /// The hot band lists the repository even when it has no tags; the others wait for theirs.
    fn in_use(&self, band: Band) -> bool {
        band == Band::Hot || self.tags.values().any(|tag| tag.known.record.band == band && tag.asked_in_passes())
    }

    /// Somebody asks for these tags now; for the whole repository when there are none.
    pub fn check(&mut self, names: &[TagName], now: Mono) {
        if names.is_empty() {
            for due in self.schedule.values_mut() {
                due.next = now;
            }
            return;
        }
        for name in names {
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
            return self.sweep.is_none()
                && self.schedule.iter().all(|(band, due)| due.next > since || !self.in_use(*band));
        }
        let waiting = |name: &TagName| {
            self.singles.in_flight.contains(name)
                || self.singles.due.get(name).is_some_and(|(at, _)| *at <= since)
                || self.singles.queue.iter().any(|request| request.tag() == Some(name))
        };
        !self.singles.listing_in_flight && !self.singles.listing_wanted && !names.iter().any(waiting)
    }

    /// Starts what is due, and ends a pass whose time is over.
    pub fn begin(&mut self, now: Moment) -> Effects {
        let mut effects = Effects::default();
        self.finish_sweep(now, &mut effects);
        if self.held.is_none_or(|held| now.mono >= held) {
            self.held = None;
            self.start(now);
        }
        effects
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
            let kind = self.request_for(&name, method);
            self.singles.in_flight.insert(name);
            self.singles.queue.push_back(Request { kind, of_sweep: false });
        }
        if self.sweep.is_some() {
            return;
        }
        let bands: BTreeMap<Band, bool> = self
            .schedule
            .iter()
            .filter(|(band, due)| due.next <= now.mono && self.in_use(**band))
            .map(|(band, due)| (*band, due.next_proof <= now.mono))
            .collect();
        if !bands.is_empty() {
            let limit = bands.keys().map(|band| self.plan.limit(*band)).max().unwrap_or_default();
            self.sweep = Some(Sweep::new(now, bands, now.mono.after(limit)));
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
            return Some(Request { kind: RequestKind::Listing, of_sweep: false });
        }
        let kind = match self.sweep.as_mut()?.next(now)? {
            RequestKind::Head(name, _) => {
                let by_get = self.sweep.as_ref().is_some_and(|sweep| sweep.by_get(&name));
                let kind = self.request_for(&name, if by_get { Method::Get } else { Method::Head });
                if let (RequestKind::Head(..), Some(sweep)) = (&kind, &mut self.sweep) {
                    sweep.used(&name, Method::Head);
                }
                kind
            }
            other => other,
        };
        Some(Request { kind, of_sweep: true })
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

    /// Takes the reply to a request that [`Watch::next_request`] gave. `classify` gives class and rule of a new tag;
    /// `others_visible`: another repository of the entry can be listed.
    pub fn reply(
        &mut self,
        request: &Request,
        reply: Reply,
        now: Moment,
        others_visible: bool,
        classify: impl Fn(&TagName) -> (Class, String),
    ) -> Effects {
        let mut effects = Effects::default();
        match reply {
            Reply::Listing(listing) => self.listing(request, &listing, now, others_visible, &classify, &mut effects),
            Reply::ListingFailed { reason, message, retry_at, .. } => {
                self.held = self.held.max(retry_at);
                match (&mut self.sweep, request.of_sweep) {
                    (Some(sweep), true) if retry_at.is_some() => sweep.put_back(RequestKind::Listing),
                    (Some(sweep), true) => sweep.listing_failed(reason, &message, &self.tags),
                    _ => {
                        self.singles.listing_in_flight = false;
                        self.retry_absent(now.mono);
                    }
                }
                self.failing = Some((reason, message));
            }
            Reply::Tag { retry_at: Some(retry_at), .. } => {
                self.held = self.held.max(Some(retry_at));
                self.put_back(request);
            }
            Reply::Tag { name, observation, related, retry_at: None, message } => {
                self.tag(request, &name, &observation, related, message, &classify, &mut effects);
            }
        }
        self.finish_sweep(now, &mut effects);
        for name in std::mem::take(&mut self.unwritten) {
            if !effects.writes.iter().any(|write| write.name == name) {
                effects.writes.push(Write { name, happened: Vec::new(), proven: false });
            }
        }
        effects
    }

    /// The registry asked for a pause: the request is made again after it.
    fn put_back(&mut self, request: &Request) {
        match &mut self.sweep {
            Some(sweep) if request.of_sweep => sweep.put_back(request.kind.clone()),
            _ => self.singles.queue.push_front(request.clone()),
        }
    }

    /// A listing that single tags waited for failed: they are asked again, no sooner than a claim is.
    fn retry_absent(&mut self, now: Mono) {
        let at = now.after(self.plan.delays.claim);
        for (name, tag) in &self.tags {
            if matches!(tag.known.pending, Some(super::Pending::Absent(_))) {
                self.singles.due.entry(name.clone()).or_insert((at, Method::Head));
            }
        }
    }

    fn listing(
        &mut self,
        request: &Request,
        listing: &Listing,
        now: Moment,
        others_visible: bool,
        classify: &impl Fn(&TagName) -> (Class, String),
        effects: &mut Effects,
    ) {
        if !request.of_sweep {
            self.singles.listing_in_flight = false;
        }
        self.failing = None;
        let visible = matches!(listing.seen, ListingSeen::Names(_));
        let outcome = self.repository.listing(&mut self.tags, listing, &self.plan, others_visible, |name, listed| {
            let (class, rule) = classify(name);
            Tag::unread(class, rule, listed, now.mark.wall)
        });
        effects.writes.extend(outcome.listed.into_iter().map(|name| Write {
            name,
            happened: Vec::new(),
            proven: false,
        }));
        for (name, happened) in outcome.happened {
            effects.writes.push(Write { name, happened: vec![happened], proven: false });
        }
        effects.repository = outcome.repository;
        effects.invisible = match (visible, outcome.invisible) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => None,
        };
        let opens = request.of_sweep && self.sweep.as_ref().is_some_and(|sweep| !sweep.opened());
        for (name, ask) in outcome.asks {
            self.asked(&name, ask, request.of_sweep, opens);
        }
        if outcome.became_empty {
            for name in self.newest_present(50) {
                self.singles.due.entry(name).or_insert((now.mono, Method::Head));
            }
        }
        if let Some(sweep) = &mut self.sweep
            && request.of_sweep
        {
            let from = self.resume_at.take();
            sweep.listing(listing, self.repository.hidden(), &self.tags, from.as_ref());
        }
    }

    fn newest_present(&self, count: usize) -> Vec<TagName> {
        let mut present: Vec<_> =
            self.tags.iter().filter(|(_, tag)| tag.known.record.state.digest().is_some()).collect();
        present.sort_by_key(|(_, tag)| std::cmp::Reverse(tag.first_seen));
        present.into_iter().take(count).map(|(name, _)| name.clone()).collect()
    }

    /// Notes what is due for a tag. After the listing that opens a pass every tag of its bands is asked anyway.
    fn asked(&mut self, name: &TagName, ask: Ask, of_sweep: bool, opens: bool) {
        match ask {
            Ask::Get => {
                if of_sweep && let Some(sweep) = &mut self.sweep {
                    sweep.ask_first(RequestKind::Get(name.clone()));
                } else if self.singles.in_flight.insert(name.clone()) {
                    self.singles.queue.push_front(Request { kind: RequestKind::Get(name.clone()), of_sweep: false });
                }
            }
            Ask::Listing => {
                if of_sweep && let Some(sweep) = &mut self.sweep {
                    sweep.want_listing();
                } else {
                    self.singles.listing_wanted = true;
                }
            }
            Ask::Again { at, method } => {
                let covered = opens
                    && self.tags.get(name).is_some_and(|tag| {
                        self.sweep.as_ref().is_some_and(|sweep| sweep.covers(tag.known.record.band))
                            && tag.asked_in_passes()
                    });
                if !covered {
                    let due = self.singles.due.entry(name.clone()).or_insert((at, method));
                    if at < due.0 || method == Method::Get {
                        *due = (at.min(due.0), method);
                    }
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one reply")]
    fn tag(
        &mut self,
        request: &Request,
        name: &TagName,
        observation: &Observation,
        related: bool,
        message: Option<String>,
        classify: &impl Fn(&TagName) -> (Class, String),
        effects: &mut Effects,
    ) {
        if !request.of_sweep {
            self.singles.in_flight.remove(name);
            if self.singles.once_more.remove(name) {
                let at = observation.received.mono.after(Millis::seconds(1));
                self.singles.due.insert(name.clone(), (at, Method::Head));
            }
        }
        let answered = matches!(observation.seen, Seen::NotModified | Seen::Claim(_) | Seen::Bytes(_));
        if !self.tags.contains_key(name) {
            if !matches!(observation.seen, Seen::Bytes(_)) {
                return;
            }
            // Asked for by name before any listing named it.
            let (class, rule) = classify(name);
            let tag = Tag::unread(class, rule, self.repository.listed(), observation.received.mark.wall);
            self.tags.insert(name.clone(), tag);
        }
        if answered && let Some(warning) = self.distrust_empty(observation) {
            effects.warnings.push((None, warning));
        }
        let Some(tag) = self.tags.get(name) else { return };
        let record = &tag.known.record;
        let context = Context {
            delays: &self.plan.delays,
            interval: self.plan.interval(record.band),
            last_seen: sighting::last_seen(name, record, &self.passes),
            last_proof: sighting::last_proof(name, record, &self.passes),
            hidden: self.repository.hidden(),
            related: &|_, _| related,
        };
        let outcome = observe(&tag.known, observation, &context);
        if request.of_sweep
            && let Some(sweep) = &mut self.sweep
        {
            sweep.saw(name, outcome.sighting, &observation.seen, message);
        }
        let Some(tag) = self.tags.get_mut(name) else { return };
        tag.known = outcome.known;
        if outcome.write {
            if let Some(first) = outcome.happened.first()
                && tag.first_seen.is_none()
            {
                tag.first_seen = Some(first.not_after.wall);
                tag.baseline = first.baseline;
            }
            effects.writes.push(Write { name: name.clone(), happened: outcome.happened, proven: outcome.proven });
        }
        if let Some(warning) = outcome.warning {
            effects.warnings.push((Some(name.clone()), warning));
        }
        match outcome.ask {
            Some(ask) => self.asked(name, ask, request.of_sweep, false),
            // A doubt whose look failed is looked at again; passes would do it at their own pace.
            None if !request.of_sweep && self.tags.get(name).is_some_and(|tag| tag.known.pending.is_some()) => {
                let at = observation.received.mono.after(self.plan.delays.claim);
                self.singles.due.entry(name.clone()).or_insert((at, Method::Head));
            }
            None => {}
        }
        self.speed_up(name, observation.received);
    }

    fn distrust_empty(&mut self, observation: &Observation) -> Option<Warning> {
        let since = self.repository.last_listed?;
        if observation.sent.mark < since {
            return None;
        }
        self.repository.distrust_empty(&mut self.tags)
    }

    /// A tag moves to a faster band at once and is due at once (RECORD.md 4.3).
    fn speed_up(&mut self, name: &TagName, now: Moment) {
        let Some(tag) = self.tags.get_mut(name) else { return };
        let belongs = tag.belongs(now.mark.wall);
        let record = &mut tag.known.record;
        if self.plan.interval(belongs) < self.plan.interval(record.band) {
            record.floor = sighting::last_seen(name, record, &self.passes);
            record.proof_floor = sighting::last_proof(name, record, &self.passes);
            record.band = belongs;
            record.band_since = Some(now.mark);
            self.singles.due.entry(name.clone()).or_insert((now.mono, Method::Head));
            self.unwritten.insert(name.clone());
        }
    }

    /// What a commit said of a tag.
    pub fn written(&mut self, name: &TagName, last_seq: i64, flagged: bool, now: Moment) {
        if let Some(tag) = self.tags.get_mut(name) {
            let record = &mut tag.known.record;
            record.last_seq = last_seq;
            if let Some(prior) = &mut record.prior
                && prior.seq == 0
            {
                prior.seq = last_seq;
            }
            tag.flagged = flagged;
        }
        self.speed_up(name, now);
    }

    fn finish_sweep(&mut self, now: Moment, effects: &mut Effects) {
        let Some(sweep) = &mut self.sweep else { return };
        if !sweep.finished(now.mono) {
            return;
        }
        let Some(sweep) = self.sweep.take() else { return };
        let started = sweep.started();
        self.resume_at = sweep.cut_at();
        for mut finished in sweep.finish(now.mark.wall, &self.plan, &self.tags) {
            let band = finished.pass.band;
            let spread = spread(self.seed ^ now.mono.0, self.plan.interval(band));
            let Some(due) = self.schedule.get_mut(&band) else { continue };
            due.next = started.mono.after(self.plan.interval(band) + spread).max(now.mono);
            finished.next = started.mark.wall + (self.plan.interval(band) + spread);
            if finished.pass.proof {
                due.next_proof = now.mono.after(self.plan.proof_interval(band));
            }
            self.passes.push(finished.pass.clone());
            self.slow_down(band, &finished, now, effects);
            effects.passes.push(finished);
        }
        sighting::prune(&mut self.passes, 64);
    }

    /// Tags that this pass saw move to a band of equal or slower pace only now; their last sighting goes along (4.3).
    fn slow_down(&mut self, band: Band, finished: &FinishedPass, now: Moment, effects: &mut Effects) {
        if !finished.pass.complete {
            return;
        }
        for (name, tag) in &mut self.tags {
            let belongs = tag.belongs(now.mark.wall);
            let record = &mut tag.known.record;
            if record.band != band || belongs == band || finished.pass.exceptions.contains(name) {
                continue;
            }
            record.floor = sighting::last_seen(name, record, &self.passes);
            record.proof_floor = sighting::last_proof(name, record, &self.passes);
            record.band = belongs;
            record.band_since = Some(now.mark);
            effects.writes.push(Write { name: name.clone(), happened: Vec::new(), proven: false });
        }
    }
}

impl Tag {
    /// A tag that a listing named and nobody has read.
    fn unread(class: Class, rule: String, listed: Listed, now: Instant) -> Self {
        let band = band::belongs(class, None, false, false, now);
        let known = Known::new(TagRecord::unread(band, listed));
        Self { known, class, rule, first_seen: None, baseline: false, flagged: false }
    }

    fn belongs(&self, now: Instant) -> Band {
        band::belongs(self.class, self.first_seen, self.baseline, self.flagged, now)
    }

    /// Passes ask what is present, and what is listed but has no state yet.
    pub(super) const fn asked_in_passes(&self) -> bool {
        match self.known.record.state {
            TagState::Present(_) => true,
            TagState::Unread | TagState::Absent => self.known.record.listed.is_some(),
        }
    }
}

impl Request {
    /// The tag it is about.
    pub fn tag(&self) -> Option<&TagName> {
        self.kind.tag()
    }
}

impl RequestKind {
    pub(super) fn tag(&self) -> Option<&TagName> {
        match self {
            Self::Listing => None,
            Self::Head(name, _) | Self::Get(name) => Some(name),
        }
    }
}

impl Sighting {
    /// Why the tag is an exception of its pass, if it is one.
    pub const fn exception(self) -> Option<Unknown> {
        match self {
            Self::Recorded => None,
            Self::Unseen(reason) => Some(reason),
        }
    }
}

/// Up to a tenth of the interval, early or late, so that passes that began together drift apart (splitmix64).
fn spread(seed: u64, interval: Millis) -> Millis {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let tenth = interval.0 / 10;
    // Only early: the promise is interval plus limit, and lateness by our own dice would break it.
    Millis(-((mixed % (tenth.unsigned_abs() + 1)) as i64))
}
