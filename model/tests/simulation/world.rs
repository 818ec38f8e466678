//! The true registry, its misbehaviour, and the server that watches it.

use std::collections::{BTreeMap, BTreeSet};

use tagwarden_model::class::Ruling;
use tagwarden_model::digest::Digest;
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::TagName;
use tagwarden_model::observation::{Bytes, Method, Moment, Mono, Observation, Seen, Unknown};
use tagwarden_model::record::sighting::Pass;
use tagwarden_model::record::window::{Clocks, Interval};
use tagwarden_model::record::{
    Effects, Former, Happened, Known, Listing, ListingSeen, Plan, Reply, Repository, Request, RequestKind, Tag, Watch,
};
use tagwarden_model::tag::{Band, Class, Mark, MediaType, TagState};

const MINUTE: u64 = 60_000;
/// Longer than every delay of the rules together: what stands so long in peace must be found.
const LONG: u64 = 90 * MINUTE;

/// What happened in a history, for the summary.
#[derive(Default)]
pub struct History {
    counts: BTreeMap<&'static str, u64>,
}

impl History {
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.counts {
            *self.counts.entry(what).or_default() += count;
        }
    }

    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        const WANTED: [&str; 16] = [
            "created",
            "moved",
            "deleted",
            "recreated",
            "retracted",
            "unverified",
            "outages",
            "refusals",
            "stale answers",
            "lies",
            "empty listings",
            "incomplete listings",
            "crashes",
            "clock steps",
            "checks",
            "required findings",
        ];
        WANTED.into_iter().map(|what| (what, self.counts.get(what).copied().unwrap_or(0)))
    }

    pub fn summary(&self) -> String {
        self.counts().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

/// splitmix64: every history is a function of its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit.max(1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// The truth of one tag: from when it had which state.
type Truth = Vec<(u64, Option<Digest>)>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Down,
    ServerErrors,
    /// GETs are refused for a while, as when their quota is used up; HEADs are answered.
    NoGets,
    Missing,
    Refused,
    /// The listing is empty though tags answer.
    EmptyListing,
    /// The listing leaves a tag out, but none twice in a row: more than that no rule can tell from absence.
    Incomplete,
    /// Some answers are those of a replica that lags.
    Stale,
}

struct World {
    truth: BTreeMap<TagName, Truth>,
    faults: Vec<(u64, u64, Fault)>,
    /// Tags whose header shows the digest they had then, from then on.
    lies: BTreeMap<TagName, u64>,
}

fn state_at(truth: &Truth, at: u64) -> Option<&Digest> {
    truth.iter().rev().find(|(from, _)| *from <= at).and_then(|(_, state)| state.as_ref())
}

impl World {
    fn faulty(&self, at: u64, fault: Fault) -> bool {
        self.faults.iter().any(|(from, until, kind)| *kind == fault && (*from..*until).contains(&at))
    }

    /// Whether anything was wrong between two instants.
    fn peace(&self, from: u64, until: u64) -> bool {
        !self.faults.iter().any(|(begin, end, _)| *begin < until && from < *end)
    }
}

fn digest(number: u64) -> Digest {
    Digest::of(&number.to_le_bytes())
}

fn tag(number: u64) -> TagName {
    TagName::new(&format!("1.0.{number}")).unwrap()
}

fn make_world(dice: &mut Dice, length: u64) -> World {
    let tags = 2 + dice.below(6);
    let mut world = World { truth: BTreeMap::new(), faults: Vec::new(), lies: BTreeMap::new() };
    let mut fresh = 0;
    for number in 0..tags {
        let stands = dice.chance(60).then(|| digest(dice.below(3)));
        world.truth.insert(tag(number), vec![(0, stands)]);
    }
    let mut at = 0;
    loop {
        at += dice.below(60 * MINUTE) + if dice.chance(30) { 0 } else { 20 * MINUTE };
        if at >= length {
            break;
        }
        let name = tag(dice.below(tags));
        let now = state_at(&world.truth[&name], at).cloned();
        match (now, dice.below(10)) {
            (Some(shared), 0..=2) => {
                // Deleting a digest removes every tag that has it.
                for truth in world.truth.values_mut() {
                    if state_at(truth, at) == Some(&shared) {
                        truth.push((at, None));
                    }
                }
            }
            (_, 3..=5) => {
                // Back to something that it had.
                let had: Vec<_> = world.truth[&name].iter().filter_map(|(_, state)| state.clone()).collect();
                if !had.is_empty() {
                    let state = had[dice.below(had.len() as u64) as usize].clone();
                    world.truth.get_mut(&name).unwrap().push((at, Some(state)));
                }
            }
            _ => {
                fresh += 1;
                world.truth.get_mut(&name).unwrap().push((at, Some(digest(1000 + fresh))));
            }
        }
    }
    for _ in 0..dice.below(5) {
        let from = dice.below(length * 3 / 4);
        let kinds = [
            Fault::Down,
            Fault::ServerErrors,
            Fault::NoGets,
            Fault::Missing,
            Fault::Refused,
            Fault::EmptyListing,
            Fault::Incomplete,
            Fault::Stale,
        ];
        let kind = kinds[dice.below(8) as usize];
        // Rule 5 takes emptiness that lasts fifteen minutes for true, as it must for a repository that lost its last tag:
        // a listing that goes wrong while no tag could contradict it is beyond every rule.
        let longest = if kind == Fault::EmptyListing { 13 * MINUTE } else { 50 * MINUTE };
        let until = from + MINUTE + dice.below(longest);
        let stood =
            |truth: &Truth| truth.iter().all(|(at, _)| *at <= from || *at > until) && state_at(truth, from).is_some();
        if kind != Fault::EmptyListing || world.truth.values().any(stood) {
            world.faults.push((from, until, kind));
        }
    }
    if dice.chance(20) {
        world.lies.insert(tag(dice.below(tags)), dice.below(length));
    }
    world
}

/// The part of the server that survives a crash.
#[derive(Default)]
struct Disk {
    tags: BTreeMap<TagName, Tag>,
    passes: Vec<Pass>,
    /// State, when it was left on the wall clock.
    left: Vec<(TagName, TagState, Instant)>,
    repository: Repository,
    offsets: BTreeMap<i64, Interval>,
    next: BTreeMap<Band, Instant>,
}

struct Game {
    dice: Dice,
    world: World,
    disk: Disk,
    watch: Watch,
    clocks: Clocks,
    now: u64,
    micros: u64,
    /// Wall minus truth of each generation.
    generations: Vec<u64>,
    flying: Vec<(u64, u64, u64, Moment, Request)>,
    history: History,
    events: Vec<(TagName, Happened)>,
    down: Vec<(u64, u64)>,
    left_out: Option<TagName>,
    loud: bool,
}

const START: i64 = 1_700_000_000_000;

pub fn play(seed: u64, loud: bool) -> History {
    let mut dice = Dice(seed);
    let length = 6 * 60 * MINUTE;
    let world = make_world(&mut dice, length);
    let watch =
        new_watch(&Disk::default(), Moment { mono: Mono(0), mark: Mark { generation: 0, wall: Instant(START) } });
    let mut game = Game {
        dice,
        world,
        watch,
        loud,
        disk: Disk::default(),
        clocks: Clocks::default(),
        now: 0,
        micros: 0,
        generations: vec![0],
        flying: Vec::new(),
        history: History::default(),
        events: Vec::new(),
        down: Vec::new(),
        left_out: None,
    };
    if loud {
        for (name, truth) in &game.world.truth {
            println!(
                "truth of {name}: {:?}",
                truth.iter().map(|(at, state)| (at / 1000, state.as_ref().map(Digest::short))).collect::<Vec<_>>()
            );
        }
        println!(
            "faults: {:?}",
            game.world
                .faults
                .iter()
                .map(|(from, until, kind)| (from / 1000, until / 1000, *kind as u8))
                .collect::<Vec<_>>()
        );
        println!("lies: {:?}", game.world.lies);
    }
    game.run(length);
    game.judge(seed, length);
    game.history
}

fn new_watch(disk: &Disk, now: Moment) -> Watch {
    let mut tags = disk.tags.clone();
    for (name, tag) in &mut tags {
        tag.known = Known::new(tag.known.record.clone());
        for (_, state, left) in disk.left.iter().filter(|(of, ..)| of == name) {
            let ago = (now.mark.wall - *left).0.max(0) as u64 * 1000;
            tag.known.recent.push(Former::new(state.clone(), Mono(now.mono.0.saturating_sub(ago))));
        }
    }
    let next =
        disk.next.iter().map(|(band, at)| (*band, now.mono.after(Millis((*at - now.mark.wall).0.max(0))))).collect();
    Watch::new(Plan::default(), disk.repository.clone(), tags, disk.passes.clone(), &next, now, 7)
}

impl Game {
    fn moment(&mut self) -> Moment {
        self.micros = (self.micros + 1).max(self.now * 1000);
        let generation = self.generations.len() - 1;
        let wall = Instant(START + (self.now + self.generations[generation]) as i64);
        Moment { mono: Mono(self.micros), mark: Mark { generation: generation as i64, wall } }
    }

    fn run(&mut self, length: u64) {
        // After the history an hour and a half of peace, in which the record must catch up.
        let end = length + 2 * LONG;
        let mut next_mischief = 0;
        while self.now < end {
            let now = self.moment();
            let effects = self.watch.begin(now);
            self.write(effects);
            while self.flying.len() < 4 {
                let now = self.moment();
                let Some(request) = self.watch.next_request(now.mono) else { break };
                let slow = if self.dice.chance(5) { 20_000 } else { 300 };
                let (out, back) = (1 + self.dice.below(slow), 1 + self.dice.below(slow));
                self.flying.push((self.now + out + back, self.now + out, self.micros, now, request));
            }
            self.flying.sort_by_key(|(lands, _, order, ..)| (*lands, *order));
            let lands = self.flying.first().map(|flight| flight.0);
            let due = self.watch.next_due().0.div_ceil(1000).max(self.now + 1);
            let next = lands.unwrap_or(u64::MAX).min(due).min(next_mischief.max(self.now + 1)).min(end);
            self.now = self.now.max(next);
            if lands.is_some_and(|lands| lands <= self.now) {
                let flight = self.flying.remove(0);
                self.land(flight.1, flight.3, &flight.4);
            }
            if self.now >= next_mischief {
                next_mischief = self.now + 10 * MINUTE + self.dice.below(40 * MINUTE);
                if self.now < length {
                    self.mischief();
                }
            }
        }
    }

    fn mischief(&mut self) {
        match self.dice.below(4) {
            0 => {
                self.history.count("crashes");
                let from = self.now;
                self.now += 1000 + self.dice.below(5 * MINUTE);
                self.down.push((from, self.now));
                self.flying.clear();
                if self.dice.chance(50) {
                    self.step();
                } else {
                    self.generations.push(*self.generations.last().unwrap());
                }
                // Anchors are known within one process only.
                self.clocks = Clocks::default();
                for (generation, interval) in &self.disk.offsets {
                    self.clocks.offset(*generation, *interval);
                }
                let now = self.moment();
                self.watch = new_watch(&self.disk, now);
            }
            1 => self.step(),
            _ => {
                self.history.count("checks");
                let names: Vec<TagName> = self.world.truth.keys().take(2).cloned().collect();
                let now = self.moment();
                self.watch.check(&names, now.mono);
                self.watch.check(&names, now.mono);
            }
        }
    }

    /// Somebody sets the clock, at most an hour ahead of the truth.
    fn step(&mut self) {
        self.history.count("clock steps");
        let ahead = self.dice.below(60 * MINUTE);
        let zero = |ahead: u64| Instant(START + ahead as i64);
        let old = self.generations.len() as i64 - 1;
        self.clocks.anchor(old, zero(self.generations[old as usize]));
        self.generations.push(ahead);
        self.clocks.anchor(old + 1, zero(ahead));
    }

    /// The registry decides the answer at one instant between sending and receiving.
    fn land(&mut self, served: u64, sent: Moment, request: &Request) {
        let received = self.moment();
        let failure = if self.world.faulty(served, Fault::Down) {
            Some(Unknown::Unreachable)
        } else if self.world.faulty(served, Fault::ServerErrors) && self.dice.chance(50) {
            Some(Unknown::ServerError)
        } else {
            None
        };
        if failure.is_none() {
            // The registry's clock is the truth, cut to seconds.
            let date = Instant((START + served as i64).div_euclid(1000) * 1000);
            self.clocks.sample(sent.mark, received.mark, date);
            if let Some(interval) = self.clocks.of(sent.mark.generation) {
                self.disk.offsets.entry(sent.mark.generation).or_insert(interval);
            }
        } else {
            self.history.count("outages");
        }
        let reply = match (&request.kind, failure) {
            (RequestKind::Listing, Some(reason)) => {
                Reply::ListingFailed { received, reason, message: String::new(), retry_at: None }
            }
            (RequestKind::Listing, None) => Reply::Listing(Listing { sent, received, seen: self.list(served) }),
            (RequestKind::Head(name, _) | RequestKind::Get(name), failure) => {
                let method = if matches!(request.kind, RequestKind::Get(_)) { Method::Get } else { Method::Head };
                let seen = match failure {
                    Some(reason) => Seen::Unknown(method, reason),
                    None => self.ask(name, method, served),
                };
                let observation = Observation { sent, received, seen };
                Reply::Tag { name: name.clone(), observation, related: false, retry_at: None, message: None }
            }
        };
        if self.loud {
            let asked = format!("{:?} {:?}", request.kind, request.sweep);
            println!("{:>6} {asked} -> {}", self.now / 1000, brief(&reply));
        }
        let now = self.moment();
        let effects = self.watch.reply(request, reply, now, false, |_| Ruling::new(Class::Rolling, "all"));
        self.write(effects);
    }

    fn list(&mut self, at: u64) -> ListingSeen {
        if self.world.faulty(at, Fault::Missing) {
            self.history.count("refusals");
            return ListingSeen::Missing;
        }
        if self.world.faulty(at, Fault::Refused) {
            self.history.count("refusals");
            return ListingSeen::Refused;
        }
        if self.world.faulty(at, Fault::EmptyListing) {
            self.history.count("empty listings");
            return ListingSeen::Names(Vec::new());
        }
        let mut names: Vec<TagName> = self
            .world
            .truth
            .iter()
            .filter(|(_, truth)| state_at(truth, at).is_some())
            .map(|(name, _)| name.clone())
            .collect();
        if self.world.faulty(at, Fault::Incomplete) && names.len() > 1 {
            self.history.count("incomplete listings");
            let left_out = names[self.dice.below(names.len() as u64) as usize].clone();
            if self.left_out.as_ref() != Some(&left_out) {
                names.retain(|name| *name != left_out);
                self.left_out = Some(left_out);
            }
        } else {
            self.left_out = None;
        }
        ListingSeen::Names(names)
    }

    fn ask(&mut self, name: &TagName, method: Method, at: u64) -> Seen {
        if self.world.faulty(at, Fault::Missing) {
            return Seen::NotFound(method);
        }
        if self.world.faulty(at, Fault::Refused) {
            return Seen::Unknown(method, Unknown::Refused);
        }
        if method == Method::Get && self.world.faulty(at, Fault::NoGets) {
            return Seen::Unknown(method, Unknown::RateLimited);
        }
        let truth = &self.world.truth[name];
        let mut state = state_at(truth, at).cloned();
        if self.world.faulty(at, Fault::Stale) && self.dice.chance(50) {
            // A replica lags by less than ten minutes. It serves only what we have seen already: RECORD.md 12 names the
            // rest as the one limit that no rule removes.
            let old = state_at(truth, at.saturating_sub(9 * MINUTE)).cloned();
            let recorded = self.watch.tags().get(name).map(|tag| &tag.known);
            let as_state = old.clone().map_or(TagState::Absent, TagState::Present);
            let seen = recorded.is_some_and(|known| {
                known.record.state == as_state || known.recent.iter().any(|former| former.state == as_state)
            });
            if seen && old != state {
                self.history.count("stale answers");
                state = old;
            }
        }
        let Some(digest) = state else { return Seen::NotFound(method) };
        let lie =
            self.world.lies.get(name).filter(|from| **from <= at).and_then(|from| state_at(truth, *from)).cloned();
        let claim = lie.unwrap_or_else(|| digest.clone());
        let holds = claim == digest;
        if !holds {
            self.history.count("lies");
        }
        match method {
            Method::Head => Seen::Claim(Some(claim)),
            Method::Get => Seen::Bytes(Bytes {
                digest,
                claim: Some(claim),
                claim_holds: holds,
                media_type: MediaType::OciManifest,
            }),
        }
    }

    fn write(&mut self, effects: Effects) {
        let now = self.moment();
        for write in effects.writes {
            for happened in write.happened {
                self.history.count(happened.kind.word());
                if !happened.verified {
                    self.history.count("unverified");
                }
                let left = match happened.kind {
                    EventKind::Recreated => Some(TagState::Absent),
                    _ => happened.old.clone().map(TagState::Present),
                };
                if let Some(left) = left {
                    self.disk.left.push((write.name.clone(), left, happened.not_after.wall));
                }
                if self.loud {
                    println!("{:>6} EVENT {} {happened:?}", self.now / 1000, write.name);
                }
                self.events.push((write.name.clone(), happened));
            }
            self.watch.written(&write.name, self.events.len() as i64, false, now);
            if let Some(tag) = self.watch.tags().get(&write.name) {
                self.disk.tags.insert(write.name.clone(), tag.clone());
            }
        }
        for finished in effects.passes {
            self.disk.next.insert(finished.pass.band, finished.next);
            self.disk.passes.push(finished.pass);
        }
        self.disk.repository = self.watch.repository.clone();
        self.disk.repository.empty_since = None;
    }

    /// A mark in true time.
    fn true_time(&self, mark: Mark) -> i64 {
        mark.wall.0 - START - self.generations[mark.generation as usize] as i64
    }

    fn judge(&mut self, seed: u64, length: u64) {
        let fail = |what: &str, name: &TagName, happened: Option<&Happened>| -> ! {
            panic!("seed {seed}: {what}: {name}: {happened:?} (TAGWARDEN_SEED={seed} prints the history)")
        };
        let unproven: BTreeSet<usize> = (0..self.events.len()).filter(|at| !self.events[*at].1.verified).collect();
        for (at, (name, happened)) in self.events.iter().enumerate() {
            let truth = &self.world.truth[name];
            if unproven.contains(&at) || happened.kind == EventKind::Retracted {
                continue;
            }
            let until = self.true_time(happened.not_after);
            let window = self.clocks.window(happened.not_before, happened.not_after);
            let from = window.not_before.map(|wall| self.true_time(Mark { wall, ..happened.not_after }));
            // A generation in which the registry never answered stands in no relation to another.
            let related = |mark: &Mark| self.disk.offsets.contains_key(&mark.generation);
            if happened.not_before.as_ref().is_some_and(related) && from.is_none() {
                fail("a window was lost", name, Some(happened));
            }
            // The truth is what the registry served: a lagging replica goes on serving the old state.
            let served_until = |since: u64| {
                let lag = 9 * MINUTE;
                let lagging = self
                    .world
                    .faults
                    .iter()
                    .any(|(begin, end, kind)| *kind == Fault::Stale && *begin < since + lag && since < *end);
                (since + if lagging { lag } else { 0 }) as i64
            };
            let entered = |(since, state): &(u64, Option<Digest>)| {
                let late_enough = from.is_none_or(|from| served_until(*since) >= from);
                *state == happened.new && *since as i64 <= until && late_enough
            };
            if !truth.iter().any(entered) {
                fail("no cause within the window", name, Some(happened));
            }
        }
        // What stood long enough in peace was found.
        for (name, truth) in &self.world.truth {
            for (at, (from, state)) in truth.iter().enumerate() {
                let until = truth.get(at + 1).map_or(length + 2 * LONG, |next| next.0);
                let lied = self.world.lies.contains_key(name);
                let known = state.is_some() || matches!(self.state_recorded_at(name, *from), TagState::Present(_));
                let down = self.down.iter().any(|(begin, end)| *begin < until && *from < *end);
                let same = at > 0 && truth[at - 1].1 == *state;
                if until - from < LONG || lied || !known || same || down || !self.world.peace(*from, *from + LONG) {
                    continue;
                }
                self.history.counts.entry("required findings").and_modify(|count| *count += 1).or_insert(1);
                let found = self.events.iter().any(|(of, happened)| {
                    of == name && happened.new == *state && {
                        let found_at = self.true_time(happened.not_after);
                        // It may have been in that state before, seen in doubt: then there is nothing to find.
                        found_at >= *from as i64 && found_at <= (*from + LONG) as i64
                    }
                });
                let already = self.state_recorded_at(name, *from) == state_of(state.as_ref());
                if !found && !already {
                    fail(&format!("the state {state:?} from {from} on was not found"), name, None);
                }
            }
            // In the end the record is the truth.
            let recorded = self.watch.tags().get(name).map(|tag| tag.known.record.state.clone());
            let last = truth.last().and_then(|(_, state)| state.clone());
            let agrees = match &last {
                Some(digest) => recorded == Some(TagState::Present(digest.clone())),
                None => matches!(recorded, None | Some(TagState::Absent | TagState::Unread)),
            };
            let settled = truth.last().is_some_and(|(at, _)| at + LONG <= length + 2 * LONG);
            let lies = self.world.lies.contains_key(name);
            if settled && !agrees && !lies {
                fail(&format!("the record ends with {recorded:?}, the truth with {last:?}"), name, None);
            }
        }
    }

    /// What the record said at an instant; `Unread` before the first event.
    fn state_recorded_at(&self, name: &TagName, at: u64) -> TagState {
        let mut before =
            self.events.iter().filter(|(of, happened)| of == name && self.true_time(happened.not_after) < at as i64);
        before.next_back().map_or(TagState::Unread, |(_, happened)| state_of(happened.new.as_ref()))
    }
}

fn state_of(digest: Option<&Digest>) -> TagState {
    digest.map_or(TagState::Absent, |digest| TagState::Present(digest.clone()))
}

fn brief(reply: &Reply) -> String {
    match reply {
        Reply::Listing(listing) => format!("{:?}", listing.seen),
        Reply::ListingFailed { reason, .. } => format!("failed: {reason}"),
        Reply::Tag { observation, .. } => {
            format!("sent {} {:?}", observation.sent.mono.0 / 1_000_000, observation.seen)
        }
    }
}
