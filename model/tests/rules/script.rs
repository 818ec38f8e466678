//! Two ways to play a rule: a [`Desk`] applies single answers at instants that the test chooses; a [`Play`] lets the whole
//! watch run against a scripted registry.

use std::collections::{BTreeMap, BTreeSet};

use tagwarden_model::class::Ruling;
use tagwarden_model::digest::Digest;
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::TagName;
use tagwarden_model::observation::{Bytes, Method, Moment, Mono, Observation, Seen, Unknown};
use tagwarden_model::record::sighting::{self, Pass};
use tagwarden_model::record::{
    Ask, Context, Effects, FinishedPass, Happened, Known, Listing, ListingOutcome, ListingSeen, Outcome, Plan, Reply,
    Repository, Request, RequestKind, Tag, Warning, Watch, observe,
};
use tagwarden_model::tag::{Band, Class, Listed, Mark, MediaType, TagRecord, TagState};

pub const SECOND: i64 = 1000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// Every answer takes so long, unless a test says otherwise.
pub const LATENCY: i64 = 100;

const WALL_ZERO: i64 = 1_700_000_000_000;
/// The process had run for so long at instant zero, so that tests can speak of what was before.
const MONO_ZERO: i64 = 200 * DAY;

/// The moment `ms` milliseconds after zero.
pub fn at(ms: i64) -> Moment {
    Moment { mono: Mono((MONO_ZERO + ms) as u64 * 1000), mark: mark(ms) }
}

/// What is recorded of [`at`].
pub fn mark(ms: i64) -> Mark {
    Mark { generation: 0, wall: Instant(WALL_ZERO + ms) }
}

/// The digest of the content that a test calls by a letter.
pub fn digest(content: char) -> Digest {
    Digest::of(content.to_string().as_bytes())
}

/// The sha512 digest of the same content; what matters is that it is another text.
pub fn sha512(content: char) -> Digest {
    format!("sha512:{}", digest(content).hex().repeat(2)).parse().unwrap()
}

pub fn tag(name: &str) -> TagName {
    TagName::new(name).unwrap()
}

pub fn tags(names: &[&str]) -> Vec<TagName> {
    names.iter().map(|name| tag(name)).collect()
}

pub fn present(content: char) -> TagState {
    TagState::Present(digest(content))
}

/// A tag that was read at instant zero.
pub fn read_at_zero(content: char, band: Band, class: Class) -> Tag {
    let record = TagRecord {
        state: present(content),
        claimed: Some(digest(content)),
        media_type: Some(MediaType::OciManifest),
        verified: true,
        floor: Some(mark(0)),
        proof_floor: Some(mark(0)),
        ..TagRecord::unread(band, Listed { not_before: None })
    };
    Tag {
        known: Known::new(record),
        ruling: Ruling::new(class, "all"),
        first_seen: Some(mark(0).wall),
        baseline: true,
        flagged: false,
    }
}

pub fn names(names: &[&str]) -> ListingSeen {
    ListingSeen::Names(tags(names))
}

/// 200 to GET with a header that tells the truth.
pub fn bytes(content: char) -> Seen {
    under_header(content, Some(digest(content)))
}

/// 200 to GET with any header.
pub fn under_header(content: char, header: Option<Digest>) -> Seen {
    let holds = header.as_ref().is_none_or(|header| *header == digest(content) || *header == sha512(content));
    Seen::Bytes(Bytes {
        digest: digest(content),
        claim: header,
        claim_holds: holds,
        media_type: MediaType::OciManifest,
    })
}

pub fn claim(content: char) -> Seen {
    Seen::Claim(Some(digest(content)))
}

/// Kind, old and new digest: what an event says.
pub fn said(happened: &Happened) -> (EventKind, Option<Digest>, Option<Digest>) {
    (happened.kind, happened.old.clone(), happened.new.clone())
}

pub fn moved(from: char, to: char) -> (EventKind, Option<Digest>, Option<Digest>) {
    (EventKind::Moved, Some(digest(from)), Some(digest(to)))
}

/// "Again, not before `ms`."
pub fn again(ms: i64, method: Method) -> Ask {
    Ask::Again { at: at(ms).mono, method }
}

/// One repository to which single answers are given by hand. Sent when the test says, received [`LATENCY`] later.
pub struct Desk {
    pub plan: Plan,
    pub repository: Repository,
    pub tags: BTreeMap<TagName, Tag>,
    pub passes: Vec<Pass>,
    /// What one observes next and what is recorded are an index and its child.
    pub related: bool,
    pub others_visible: bool,
}

impl Desk {
    pub fn empty() -> Self {
        Self {
            plan: Plan::default(),
            repository: Repository::default(),
            tags: BTreeMap::new(),
            passes: Vec::new(),
            related: false,
            others_visible: false,
        }
    }

    /// A listed repository whose hot tag `1.0` had content `A` at instant zero.
    pub fn new() -> Self {
        let mut desk = Self::empty();
        desk.put("1.0", 'A');
        desk.list(-1, names(&["1.0"]));
        desk
    }

    pub fn put(&mut self, name: &str, content: char) {
        self.tags.insert(tag(name), read_at_zero(content, Band::Hot, Class::Rolling));
    }

    pub fn known(&self, name: &str) -> &Known {
        &self.tags[&tag(name)].known
    }

    pub fn record(&mut self, name: &str) -> &mut TagRecord {
        &mut self.tags.get_mut(&tag(name)).unwrap().known.record
    }

    /// `1.0` gave this answer.
    pub fn saw(&mut self, sent: i64, seen: Seen) -> Outcome {
        self.tag_saw("1.0", sent, seen)
    }

    pub fn tag_saw(&mut self, name: &str, sent: i64, seen: Seen) -> Outcome {
        self.observe(name, &Observation { sent: at(sent), received: at(sent + LATENCY), seen })
    }

    pub fn observe(&mut self, name: &str, observation: &Observation) -> Outcome {
        let name = tag(name);
        let tag = self.tags.get_mut(&name).unwrap();
        let record = &tag.known.record;
        let related = self.related;
        let context = Context {
            delays: &self.plan.delays,
            interval: self.plan.interval(record.band),
            last_seen: sighting::last_seen(&name, record, &self.passes),
            last_proof: sighting::last_proof(&name, record, &self.passes),
            hidden: self.repository.hidden(),
            related: &|_, _| related,
        };
        let outcome = observe(&tag.known, observation, &context);
        tag.known = outcome.known.clone();
        outcome
    }

    /// A direct 404 to HEAD.
    pub fn gone(&mut self, sent: i64) -> Outcome {
        self.saw(sent, Seen::NotFound(Method::Head))
    }

    /// A direct 404 to GET.
    pub fn gone_by_get(&mut self, sent: i64) -> Outcome {
        self.saw(sent, Seen::NotFound(Method::Get))
    }

    pub fn list(&mut self, sent: i64, seen: ListingSeen) -> ListingOutcome {
        let listing = Listing { sent: at(sent), received: at(sent + LATENCY), seen };
        self.apply(&listing)
    }

    pub fn apply(&mut self, listing: &Listing) -> ListingOutcome {
        let others = self.others_visible;
        self.repository.listing(&mut self.tags, listing, &self.plan, others, |_, listed| Tag {
            known: Known::new(TagRecord::unread(Band::Hot, listed)),
            ruling: Ruling::new(Class::Rolling, "all"),
            first_seen: None,
            baseline: false,
            flagged: false,
        })
    }

    /// One round of an absence: a direct 404, and a listing sent a second later.
    pub fn round(&mut self, sent: i64, listing: &[&str]) -> ListingOutcome {
        self.gone(sent);
        self.list(sent + SECOND, names(listing))
    }

    /// The same by GET.
    pub fn round_by_get(&mut self, sent: i64, listing: &[&str]) -> ListingOutcome {
        self.gone_by_get(sent);
        self.list(sent + SECOND, names(listing))
    }
}

/// How the scripted registry answers listings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lists {
    Tags,
    Nothing,
    Missing,
    Refused,
    Fails(Unknown),
}

/// A watch that runs against a scripted registry, one request at a time.
pub struct Play {
    pub watch: Watch,
    pub now: i64,
    pub class: Class,
    /// What the registry serves.
    pub served: BTreeMap<TagName, char>,
    /// Names on the list, though the registry does not serve them.
    pub dangling: BTreeSet<TagName>,
    /// Headers that do not follow the bytes.
    pub headers: BTreeMap<TagName, Digest>,
    pub lists: Lists,
    /// Why HEADs or GETs are not answered.
    pub heads: Option<Unknown>,
    pub gets: Option<Unknown>,
    /// The answer to HEAD of one tag, whatever is served; where it is a failure, to GET too.
    pub failing: BTreeMap<TagName, Seen>,
    pub related: bool,
    pub others_visible: bool,
    pub flagged: BTreeSet<TagName>,
    /// How long the next answers take; then [`LATENCY`].
    pub latencies: Vec<i64>,
    /// When each request was sent.
    pub asked: Vec<(i64, Request)>,
    /// When it was received, what, and the group.
    pub events: Vec<(i64, TagName, Happened, Option<i64>)>,
    pub rows: Vec<TagName>,
    pub passes: Vec<FinishedPass>,
    pub repository_events: Vec<Happened>,
    pub invisible: Vec<bool>,
    pub warnings: Vec<(Option<TagName>, Warning)>,
    seq: i64,
}

impl Play {
    /// An empty watch over an empty registry.
    pub fn new() -> Self {
        Self::with(Plan::default(), BTreeMap::new())
    }

    /// A watch that knows these tags, all served as recorded; the bands are due at once, proofs were done at zero.
    pub fn with(plan: Plan, known: BTreeMap<TagName, Tag>) -> Self {
        let letters = ('A'..='Z').map(|letter| (digest(letter), letter)).collect::<BTreeMap<_, _>>();
        let served = known
            .iter()
            .filter_map(|(name, tag)| Some((name.clone(), letters[tag.known.record.state.digest()?])))
            .collect();
        let proofs = Band::ALL.iter().map(|band| Pass {
            band: *band,
            started: mark(0),
            complete: true,
            proof: true,
            exceptions: BTreeSet::new(),
        });
        let passes = if known.is_empty() { Vec::new() } else { proofs.collect() };
        Self {
            watch: Watch::new(plan, Repository::default(), known, passes, &BTreeMap::new(), at(0), 7),
            now: 0,
            class: Class::Rolling,
            served,
            dangling: BTreeSet::new(),
            headers: BTreeMap::new(),
            lists: Lists::Tags,
            heads: None,
            gets: None,
            failing: BTreeMap::new(),
            related: false,
            others_visible: false,
            flagged: BTreeSet::new(),
            latencies: Vec::new(),
            asked: Vec::new(),
            events: Vec::new(),
            rows: Vec::new(),
            passes: Vec::new(),
            repository_events: Vec::new(),
            invisible: Vec::new(),
            warnings: Vec::new(),
            seq: 0,
        }
    }

    /// A watch over hot tags that all have content `A`, after its first pass.
    pub fn over(names: &[&str]) -> Self {
        let known = names.iter().map(|name| (tag(name), read_at_zero('A', Band::Hot, Class::Rolling))).collect();
        let mut play = Self::with(Plan::default(), known);
        play.settle();
        play
    }

    pub fn push(&mut self, name: &str, content: char) {
        self.served.insert(tag(name), content);
    }

    pub fn delete(&mut self, name: &str) {
        self.served.remove(&tag(name));
    }

    pub fn known(&self, name: &str) -> &Known {
        &self.watch.tags()[&tag(name)].known
    }

    pub fn state(&self, name: &str) -> &TagState {
        &self.known(name).record.state
    }

    /// Kind, old and new of all events so far.
    pub fn said(&self) -> Vec<(EventKind, Option<Digest>, Option<Digest>)> {
        self.events.iter().map(|(_, _, happened, _)| said(happened)).collect()
    }

    pub fn kinds(&self) -> Vec<EventKind> {
        self.events.iter().map(|(_, _, happened, _)| happened.kind).collect()
    }

    /// The requests for one tag, and when they were sent.
    pub fn asked_of(&self, name: &str) -> Vec<(i64, Method)> {
        let method = |kind: &RequestKind| match kind {
            RequestKind::Head(of, _) if *of == tag(name) => Some(Method::Head),
            RequestKind::Get(of) if *of == tag(name) => Some(Method::Get),
            _ => None,
        };
        self.asked.iter().filter_map(|(sent, request)| Some((*sent, method(&request.kind)?))).collect()
    }

    /// When listings were sent.
    pub fn listings(&self) -> Vec<i64> {
        let listings = self.asked.iter().filter(|(_, request)| request.kind == RequestKind::Listing);
        listings.map(|(sent, _)| *sent).collect()
    }

    /// Forgets what was asked and concluded so far.
    pub fn forget(&mut self) {
        self.asked.clear();
        self.events.clear();
        self.rows.clear();
        self.passes.clear();
        self.warnings.clear();
    }

    /// Somebody asks for a tag now.
    pub fn check(&mut self, name: &str) {
        self.watch.check(&tags(&[name]), at(self.now).mono);
    }

    /// Starts what is due and gives the next request without answering it.
    pub fn send(&mut self) -> Option<Request> {
        let effects = self.watch.begin(at(self.now));
        self.take(effects);
        let request = self.watch.next_request(at(self.now).mono)?;
        self.asked.push((self.now, request.clone()));
        Some(request)
    }

    /// Answers a request that was sent at an instant, now.
    pub fn answer(&mut self, request: &Request, sent: i64) {
        let (sent, received) = (at(sent), at(self.now));
        let reply = match &request.kind {
            RequestKind::Listing => self.answer_listing(sent, received),
            RequestKind::Head(name, _) => self.answer_tag(name, sent, received, self.head(name)),
            RequestKind::Get(name) => self.answer_tag(name, sent, received, self.get(name)),
        };
        self.give(request, reply);
    }

    pub fn give(&mut self, request: &Request, reply: Reply) {
        let class = self.class;
        let effects =
            self.watch.reply(request, reply, at(self.now), self.others_visible, |_| Ruling::new(class, "all"));
        self.take(effects);
    }

    fn answer_listing(&self, sent: Moment, received: Moment) -> Reply {
        let seen = match self.lists {
            Lists::Tags => ListingSeen::Names(self.served.keys().chain(&self.dangling).cloned().collect()),
            Lists::Nothing => ListingSeen::Names(Vec::new()),
            Lists::Missing => ListingSeen::Missing,
            Lists::Refused => ListingSeen::Refused,
            Lists::Fails(reason) => {
                return Reply::ListingFailed { received, reason, message: reason.word().to_owned(), retry_at: None };
            }
        };
        Reply::Listing(Listing { sent, received, seen })
    }

    pub fn answer_tag(&self, name: &TagName, sent: Moment, received: Moment, seen: Seen) -> Reply {
        let observation = Observation { sent, received, seen };
        Reply::Tag { name: name.clone(), observation, related: self.related, retry_at: None, message: None }
    }

    fn head(&self, name: &TagName) -> Seen {
        match (self.failing.get(name), self.heads, self.served.get(name)) {
            (Some(seen), ..) => seen.clone(),
            (None, Some(reason), _) => Seen::Unknown(Method::Head, reason),
            (None, None, None) => Seen::NotFound(Method::Head),
            (None, None, Some(content)) => {
                Seen::Claim(Some(self.headers.get(name).cloned().unwrap_or_else(|| digest(*content))))
            }
        }
    }

    fn get(&self, name: &TagName) -> Seen {
        match (self.failing.get(name), self.gets, self.served.get(name)) {
            (Some(Seen::NotFound(_)), ..) => Seen::NotFound(Method::Get),
            (Some(Seen::Unknown(_, reason)), ..) => Seen::Unknown(Method::Get, *reason),
            (_, Some(reason), _) => Seen::Unknown(Method::Get, reason),
            (_, None, None) => Seen::NotFound(Method::Get),
            (_, None, Some(content)) => {
                under_header(*content, Some(self.headers.get(name).cloned().unwrap_or_else(|| digest(*content))))
            }
        }
    }

    fn take(&mut self, effects: Effects) {
        for write in effects.writes {
            self.rows.push(write.name.clone());
            for happened in write.happened {
                self.seq += 1;
                self.events.push((self.now, write.name.clone(), happened, write.group));
            }
            let flagged = self.flagged.contains(&write.name);
            self.watch.written(&write.name, self.seq, flagged, at(self.now));
        }
        self.repository_events.extend(effects.repository);
        self.invisible.extend(effects.invisible);
        self.passes.extend(effects.passes);
        self.warnings.extend(effects.warnings);
    }

    /// Sends and answers what there is to send now; gives whether there was anything.
    pub fn step(&mut self) -> bool {
        let Some(request) = self.send() else { return false };
        let sent = self.now;
        self.now += if self.latencies.is_empty() { LATENCY } else { self.latencies.remove(0) };
        self.answer(&request, sent);
        true
    }

    /// Runs until nothing is under way.
    pub fn settle(&mut self) {
        for _ in 0..20_000 {
            if !self.step() {
                return;
            }
        }
        panic!("the watch never comes to rest: {:?}", self.asked.last());
    }

    /// Runs until an instant; requests that were begun before it are answered.
    pub fn run_until(&mut self, until: i64) {
        loop {
            self.settle();
            let due = (self.watch.next_due().0.div_ceil(1000) as i64).saturating_sub(MONO_ZERO);
            if due >= until {
                break;
            }
            self.now = due.max(self.now + 1);
        }
        self.now = self.now.max(until);
    }

    pub fn run_for(&mut self, length: i64) {
        self.run_until(self.now + length);
    }
}
