use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::sighting::Pass;
use super::{Listing, ListingSeen, Plan, RequestKind, Sighting, Tag};
use crate::api::Unread;
use crate::instant::{Instant, Millis};
use crate::name::TagName;
use crate::observation::{Method, Moment, Mono, Seen, Unknown};
use crate::tag::{Band, Mark, TagState};

/// At most so many exceptions are named in a pass; more make it incomplete (RECORD.md 4.2).
const NAMED: usize = 100;
/// After so many failures in a row the pass stops: the registry has a problem, not the tags.
const FAILURES: u32 = 3;

/// One pass of a repository under way, over all bands that were due together.
#[derive(Debug)]
pub(super) struct Sweep {
    started: Moment,
    deadline: Mono,
    /// The bands, and whether their tags are asked by GET.
    bands: BTreeMap<Band, bool>,
    members: BTreeMap<TagName, Band>,
    unseen: BTreeMap<TagName, Unknown>,
    by_head: BTreeSet<Band>,
    queue: VecDeque<RequestKind>,
    in_flight: usize,
    listing: FirstListing,
    listing_wanted: bool,
    hidden: bool,
    /// The registry asked for a pause.
    paused: bool,
    failures: u32,
    /// Tags read for the first time.
    first_readings: usize,
    reason: Option<String>,
    stopped: Option<Unknown>,
    expired: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstListing {
    ToAsk,
    Asked,
    Names(Mark, u64),
    None,
}

/// A pass of one band that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedPass {
    /// What sightings need.
    pub pass: Pass,
    /// When it ended.
    pub finished: Instant,
    /// The listing it began with: when it was sent and how many names it had.
    pub listed: Option<(Mark, u64)>,
    /// Tags of the band.
    pub asked: u64,
    /// Tags seen in their recorded state.
    pub seen: u64,
    /// How many were not, by reason.
    pub unseen: BTreeMap<Unknown, u64>,
    /// Tags that are listed and could never be read.
    pub unread: Option<Unread>,
    /// Why the band is not as fresh as promised, in words; doubts that wait for their confirmation are no reason.
    pub reason: Option<String>,
    /// When the next pass is due.
    pub next: Instant,
    /// The freshness promised.
    pub promised: Millis,
    /// The time between two proofs that is promised.
    pub proof_promised: Millis,
}

impl Sweep {
    pub(super) fn new(started: Moment, bands: BTreeMap<Band, bool>, deadline: Mono) -> Self {
        Self {
            started,
            deadline,
            bands,
            members: BTreeMap::new(),
            unseen: BTreeMap::new(),
            by_head: BTreeSet::new(),
            queue: VecDeque::new(),
            in_flight: 0,
            listing: FirstListing::ToAsk,
            listing_wanted: false,
            hidden: false,
            paused: false,
            failures: 0,
            first_readings: 0,
            reason: None,
            stopped: None,
            expired: false,
        }
    }

    pub(super) const fn started(&self) -> Moment {
        self.started
    }

    /// When the pass is cut, as long as it is not.
    pub(super) fn deadline(&self) -> Option<Mono> {
        (!self.expired).then_some(self.deadline)
    }

    pub(super) fn progress(&self) -> (usize, usize) {
        (self.members.len() - self.queue.len().min(self.members.len()), self.members.len())
    }

    pub(super) fn covers(&self, band: Band) -> bool {
        self.bands.contains_key(&band)
    }

    /// Whether the listing that opens the pass is over.
    pub(super) fn opened(&self) -> bool {
        !matches!(self.listing, FirstListing::ToAsk | FirstListing::Asked)
    }

    pub(super) fn by_get(&self, name: &TagName) -> bool {
        self.members.get(name).is_some_and(|band| self.bands.get(band) == Some(&true))
    }

    /// The next request. The listing comes first; a further one when every tag was asked and some answered 404.
    pub(super) fn next(&mut self, now: Mono) -> Option<RequestKind> {
        if now >= self.deadline {
            self.expired = true;
        }
        if self.stopped.is_some() || self.expired {
            return None;
        }
        match self.listing {
            FirstListing::ToAsk => {
                self.listing = FirstListing::Asked;
                self.in_flight += 1;
                return Some(RequestKind::Listing);
            }
            FirstListing::Asked => return None,
            FirstListing::Names(..) | FirstListing::None => {}
        }
        let next = self.queue.pop_front().or_else(|| {
            let now = self.in_flight == 0 && std::mem::take(&mut self.listing_wanted);
            now.then_some(RequestKind::Listing)
        })?;
        self.in_flight += 1;
        Some(next)
    }

    /// A method that was used for a tag: one HEAD makes the pass of its band no proof.
    pub(super) fn used(&mut self, name: &TagName, method: Method) {
        if method == Method::Head
            && let Some(band) = self.members.get(name)
        {
            self.by_head.insert(*band);
        }
    }

    pub(super) fn ask_first(&mut self, kind: RequestKind) {
        self.queue.push_front(kind);
    }

    pub(super) const fn want_listing(&mut self) {
        self.listing_wanted = true;
    }

    /// A listing of this pass was applied. The first one decides which tags are asked, beginning where the last pass was cut.
    pub(super) fn listing(
        &mut self,
        listing: &Listing,
        hidden: bool,
        tags: &BTreeMap<TagName, Tag>,
        resume_at: &mut BTreeMap<Band, TagName>,
    ) {
        self.in_flight -= 1;
        if self.opened() {
            return;
        }
        self.hidden = hidden;
        self.listing = match &listing.seen {
            ListingSeen::Names(names) => FirstListing::Names(listing.sent.mark, names.len() as u64),
            ListingSeen::Missing => {
                self.reason = Some("the registry does not know the repository (404)".to_owned());
                FirstListing::None
            }
            ListingSeen::Refused => {
                self.reason = Some("the registry refuses to list the repository (401 or 403)".to_owned());
                FirstListing::None
            }
        };
        let from = self.bands.keys().filter_map(|band| resume_at.remove(band)).min();
        self.enrol(tags, from.as_ref());
    }

    /// The first listing could not be had. Where the registry does not answer at all, its tags are not asked either.
    pub(super) fn listing_failed(&mut self, reason: Unknown, message: &str, tags: &BTreeMap<TagName, Tag>) {
        self.in_flight -= 1;
        self.reason.get_or_insert_with(|| message.to_owned());
        if self.opened() {
            return;
        }
        self.listing = FirstListing::None;
        self.enrol(tags, None);
        if reason != Unknown::Unintelligible {
            self.stopped = Some(reason);
        }
    }

    fn enrol(&mut self, tags: &BTreeMap<TagName, Tag>, from: Option<&TagName>) {
        for (name, tag) in tags {
            let band = tag.known.record.band;
            if self.bands.contains_key(&band) && tag.asked_in_passes() {
                self.members.insert(name.clone(), band);
                self.unseen.insert(name.clone(), Unknown::NotAsked);
                self.queue.push_back(RequestKind::Head(name.clone(), None));
            }
        }
        let first = from.map_or(0, |from| self.members.keys().take_while(|name| *name < from).count());
        self.queue.rotate_left(first.min(self.queue.len()));
    }

    /// An answer to a request of this pass.
    pub(super) fn saw(&mut self, name: &TagName, sighting: Sighting, seen: &Seen, message: Option<String>) {
        self.in_flight -= 1;
        if self.members.contains_key(name) {
            match sighting.exception() {
                None => self.unseen.remove(name),
                Some(reason) => self.unseen.insert(name.clone(), reason),
            };
        }
        let refused = self.hidden && matches!(seen, Seen::NotFound(_));
        match seen {
            Seen::Unknown(_, reason) => {
                let why = message.unwrap_or_else(|| reason.word().to_owned());
                self.reason.get_or_insert(why);
                // What cannot be understood is the tag's own matter (an old manifest, say), and where only GETs are refused for
                // their number, HEADs go on; the others are the registry's.
                self.failures += u32::from(!matches!(reason, Unknown::Unintelligible | Unknown::RateLimited));
            }
            Seen::NotFound(_) if refused => self.failures += 1,
            _ => self.failures = 0,
        }
        if self.failures >= FAILURES
            && let Some(reason) = sighting.exception()
        {
            self.stopped = Some(reason);
        }
    }

    /// The registry asked for a pause: the request is made again after it.
    pub(super) fn put_back(&mut self, kind: RequestKind) {
        self.in_flight -= 1;
        self.paused = true;
        if kind == RequestKind::Listing {
            if self.opened() {
                self.listing_wanted = true;
            } else {
                self.listing = FirstListing::ToAsk;
            }
        } else {
            self.queue.push_front(kind);
        }
    }

    pub(super) fn finished(&mut self, now: Mono) -> bool {
        self.expired |= now >= self.deadline;
        let over = self.queue.is_empty() && !self.listing_wanted && self.opened();
        self.in_flight == 0 && (over || self.expired || self.stopped.is_some())
    }

    /// A tag was read for the first time.
    pub(super) const fn first_reading(&mut self) {
        self.first_readings += 1;
    }

    /// Whether the registry answered nothing or failed, so that it is worth asking sooner than in an interval.
    pub(super) fn broke_off(&self) -> bool {
        matches!(self.stopped, Some(Unknown::Unreachable | Unknown::ServerError))
    }

    /// Whether the pass was cut in the middle of a first reading that gets on.
    pub(super) fn still_reading(&self) -> bool {
        self.first_readings > 0 && self.cut_at().is_some()
    }

    /// Whether the pass saw the tag in its recorded state.
    pub(super) fn has_seen(&self, name: &TagName) -> bool {
        self.members.contains_key(name) && !self.unseen.contains_key(name)
    }

    /// Where the next pass should go on, when this one was cut by its time.
    pub(super) fn cut_at(&self) -> Option<TagName> {
        self.queue.iter().find_map(|kind| kind.tag().cloned())
    }

    /// The passes of the bands.
    pub(super) fn finish(&mut self, now: Instant, plan: &Plan, tags: &BTreeMap<TagName, Tag>) -> Vec<FinishedPass> {
        if self.expired && !self.queue.is_empty() {
            self.reason.get_or_insert_with(|| "the registry is too slow for the time a pass may take".to_owned());
        }
        if self.expired && !self.opened() {
            let why = if self.paused {
                "the registry asked for a pause longer than a pass may take"
            } else {
                "its list of tags did not come in the time a pass may take"
            };
            self.reason.get_or_insert_with(|| why.to_owned());
            self.enrol(tags, None);
        }
        let rest = self.stopped.unwrap_or(Unknown::NotAsked);
        for reason in self.unseen.values_mut() {
            if *reason == Unknown::NotAsked {
                *reason = rest;
            }
        }
        let listed = match self.listing {
            FirstListing::Names(sent, count) => Some((sent, count)),
            FirstListing::ToAsk | FirstListing::Asked | FirstListing::None => None,
        };
        let bands = self.bands.keys().copied();
        bands.map(|band| self.finish_band(band, listed, now, plan, tags)).collect()
    }

    fn finish_band(
        &self,
        band: Band,
        listed: Option<(Mark, u64)>,
        now: Instant,
        plan: &Plan,
        tags: &BTreeMap<TagName, Tag>,
    ) -> FinishedPass {
        let members = || self.members.iter().filter(|(_, of)| **of == band).map(|(name, _)| name);
        let unseen_members = members().filter_map(|name| self.unseen.get(name).map(|reason| (name, *reason)));
        // A tag that nobody has read yet has no recorded state to miss: its window comes from the listings.
        let unread = |name: &TagName| tags.get(name).is_some_and(|tag| tag.known.record.state == TagState::Unread);
        let (waiting, exceptions): (Vec<_>, Vec<_>) = unseen_members.partition(|(name, _)| unread(name));
        let mut unseen: BTreeMap<Unknown, u64> = BTreeMap::new();
        for (_, reason) in exceptions.iter().chain(&waiting) {
            *unseen.entry(*reason).or_default() += 1;
        }
        let asked = members().count();
        let seen = asked - exceptions.len() - waiting.len();
        let doubts_only = unseen.keys().all(|reason| matches!(reason, Unknown::Pending | Unknown::Discarded));
        let fresh = listed.is_some() && doubts_only;
        let pass = Pass {
            band,
            started: self.started.mark,
            complete: exceptions.len() <= NAMED && self.opened(),
            proof: seen > 0 && !self.by_head.contains(&band),
            exceptions: exceptions.iter().take(NAMED).map(|(name, _)| (*name).clone()).collect(),
        };
        let why = || {
            self.reason
                .clone()
                .unwrap_or_else(|| format!("{} of {asked} tags could not be read", exceptions.len() + waiting.len()))
        };
        FinishedPass {
            pass,
            finished: now,
            listed,
            asked: asked as u64,
            seen: seen as u64,
            unseen,
            unread: None,
            reason: (!fresh).then(why),
            next: now,
            promised: plan.promised(band),
            proof_promised: plan.proof_interval,
        }
    }
}
