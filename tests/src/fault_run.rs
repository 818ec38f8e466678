//! The fault run at the registry port: a registry whose truth stands still answers in every wrong way that a script knows,
//! for days of the fake clock, and the record must stay as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tagwarden::poller::PollerSettings;
use tagwarden::registry::RegistryError;
use tagwarden_model::api::RepositoryState;
use tagwarden_model::digest::Digest;
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::TagName;

use crate::double::{Ask, Call, Double, Image, Play};
use crate::polling::{START, World, tag};

/// Faults come in episodes: each of these lengths of time has one at its beginning, and is healthy at its end.
const SLOT: Millis = Millis::minutes(40);
/// The longest episode.
const EPISODE: Millis = Millis::minutes(25);
/// Nothing is played before: the baseline is read, and one tag of each repository moves.
const PRELUDE: Millis = Millis::minutes(30);
/// When these tags move: the only change there is.
const MOVE: Millis = Millis::minutes(20);
/// A replica that did not hear of the move answers so long: RECORD.md 2.5 forgives ten minutes.
const LAG: Millis = Millis::minutes(9);
/// Rolling tags of each repository, all in the hot band.
const ROLLING: usize = 40;
/// Releases of each repository.
const RELEASES: usize = 8;

/// What is wrong for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nobody answers.
    Down,
    /// Half of the answers are 5xx.
    ServerErrors,
    /// 429 with an instant, for all requests.
    RateLimited,
    /// 404 for the whole repository.
    Missing,
    /// 401 or 403 for everything.
    Refused,
    /// 401 or 403 for the listing only.
    ListingRefused,
    /// An empty listing over tags that answer.
    EmptyListing,
    /// A listing that lacks half of the tags.
    HalfListing,
    /// Pages for people instead of answers.
    Unintelligible,
    /// GETs are refused, limited or fail; HEADs are answered.
    NoGets,
    /// HEAD claims what no manifest ever was, each time another.
    LyingClaims,
    /// Single tags answer 404 now and then.
    Lost,
    /// The digest header of some tags never was that of their bytes.
    UntrueHeaders,
    /// HEAD comes from a cache that still has the digest before the move; GET does not.
    StaleHeads,
    /// HEAD and GET come from a replica that has not heard of the move, every second time.
    StaleReplica,
    /// A single answer of any of the kinds above that say nothing.
    Noise,
}

/// What comes in episodes.
const EPISODES: [Fault; 12] = [
    Fault::Down,
    Fault::ServerErrors,
    Fault::RateLimited,
    Fault::Missing,
    Fault::Refused,
    Fault::ListingRefused,
    Fault::EmptyListing,
    Fault::HalfListing,
    Fault::Unintelligible,
    Fault::NoGets,
    Fault::LyingClaims,
    Fault::Lost,
];

/// What comes in episodes where HEADs are stale: a HEAD that keeps to a wrong digest while GETs are not to be had is written
/// as unverified, by rule 2.2. So here both fail, or none.
const EPISODES_OF_STALE: [Fault; 7] = [
    Fault::Down,
    Fault::RateLimited,
    Fault::Missing,
    Fault::ListingRefused,
    Fault::EmptyListing,
    Fault::HalfListing,
    Fault::Unintelligible,
];

/// How a repository misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    Episodes,
    Liar,
    Stale,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Checks of tags.
    pub checks: u64,
    /// Events that are true: baselines and the moves of the prelude.
    pub true_events: usize,
    /// Wrong answers by kind.
    pub faults: BTreeMap<Fault, u64>,
    /// How long it lasted on the fake clock.
    pub lasted: Millis,
}

const REPOSITORIES: [(&str, Nature); 10] = [
    ("team/a", Nature::Episodes),
    ("team/b", Nature::Episodes),
    ("team/c", Nature::Episodes),
    ("team/d", Nature::Episodes),
    ("team/e", Nature::Episodes),
    ("team/f", Nature::Episodes),
    ("team/g", Nature::Episodes),
    ("team/liar", Nature::Liar),
    ("team/stale", Nature::Stale),
    ("team/replica", Nature::Stale),
];

fn tags() -> Vec<TagName> {
    let rolling = (0..ROLLING).map(|number| tag(&format!("branch-{number}")));
    rolling.chain((0..RELEASES).map(|number| tag(&format!("1.{number}.0")))).collect()
}

/// Which tags move in the prelude.
fn moves(name: &TagName) -> bool {
    name.as_str().ends_with("-7")
}

fn image(repository: &str, name: &TagName, version: u64) -> Image {
    Image::of(&format!("{repository}:{} {version}", name.as_str()))
}

/// Plays at least so many checks. Panics when an event or a flag has no cause.
pub async fn play(checks: u64, seed: u64) -> Report {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry("registry.example").await;
    for (repository, _) in REPOSITORIES {
        for name in tags() {
            double.push(repository, &name, image(repository, &name, 1));
        }
        world.watch(&entry, repository).await;
    }
    double.take(Millis(40));
    // Long, because nobody else is there.
    let settings =
        PollerSettings { lease: Millis::hours(1), refresh: Millis::minutes(20), ..PollerSettings::default() };
    let polling = world.poll(&entry, double.clone(), settings);

    let script = Arc::new(Mutex::new(Script::new(seed)));
    let player = script.clone();
    double.script(move |call| player.lock().unwrap_or_else(PoisonError::into_inner).play(call));
    world.run(MOVE).await;
    let mut expected = BTreeSet::new();
    for (repository, nature) in REPOSITORIES {
        for name in tags() {
            expected.insert(line(EventKind::Created, repository, &name));
            // A liar's header does not follow its bytes, so that a move is found by the next proof only.
            if moves(&name) && nature != Nature::Liar {
                double.push(repository, &name, image(repository, &name, 2));
                expected.insert(line(EventKind::Moved, repository, &name));
            }
        }
    }
    while double.checks() < checks {
        world.run(Millis::hours(1)).await;
        assert_events(&world, &expected, false).await;
    }
    // Everything heals, and then it is as if nothing had been.
    double.script(|_| Play::Truth);
    world.run(Millis::hours(3)).await;
    assert_events(&world, &expected, true).await;
    for (path, _) in REPOSITORIES {
        let repository = world.repository(&entry, path).await;
        assert_eq!(repository.state, RepositoryState::Ok, "{repository:?}");
        assert!(repository.freshness.iter().all(|band| band.late_since.is_none()), "{repository:?}");
    }
    polling.stop().await;
    let faults = script.lock().unwrap_or_else(PoisonError::into_inner).played.clone();
    for fault in EPISODES {
        assert!(faults.contains_key(&fault), "{fault:?} was never played: {faults:?}");
    }
    Report { checks: double.checks(), true_events: expected.len(), faults, lasted: world.wall() - START }
}

pub(crate) fn line(kind: EventKind, repository: &str, name: &TagName) -> String {
    format!("{kind} {repository}:{}", name.as_str())
}

/// Whether all that was recorded is expected; with `whole` also all that is expected was recorded, and proven.
pub(crate) async fn assert_events(world: &World, expected: &BTreeSet<String>, whole: bool) {
    let now = world.wall();
    let mut seen = BTreeSet::new();
    for event in world.events().await {
        let path = event.repository.split_once('/').map_or("", |(_, path)| path);
        let line = format!("{} {path}:{}", event.kind, event.tag.as_deref().unwrap_or_default());
        let is_true = expected.contains(&line) && seen.insert(line.clone()) && (event.verified || !whole);
        assert!(is_true, "at {now} there was an event without a cause: {line}: {event:#?}");
    }
    let missing: Vec<_> = expected.difference(&seen).collect();
    assert!(!whole || missing.is_empty(), "at {now} true events are missing: {missing:?}");
    let flags = world.flags().await;
    assert!(flags.is_empty(), "at {now} there was a flag without a cause: {flags:#?}");
}

struct Script {
    dice: StdRng,
    seed: u64,
    played: BTreeMap<Fault, u64>,
    last: Instant,
    /// Counts the answers of the replicas.
    turn: u64,
}

impl Script {
    fn new(seed: u64) -> Self {
        Self { dice: StdRng::seed_from_u64(seed), seed, played: BTreeMap::new(), last: START, turn: 0 }
    }

    fn play(&mut self, call: &Call) -> Play {
        self.last = call.sent.mark.wall;
        let since = self.last - START;
        let nature = REPOSITORIES.iter().find(|(path, _)| *path == call.repository).map(|(_, nature)| *nature);
        let Some(nature) = nature else { return Play::Truth };
        let episode = if since < PRELUDE { None } else { self.episode(call, nature, since) };
        // What HEAD says wrongly it says only while GETs are to be had: see `EPISODES_OF_STALE`.
        let play = match nature {
            Nature::Liar => self.lie(call).or(episode),
            Nature::Stale => episode.or_else(|| self.stale(call, since)),
            Nature::Episodes => episode,
        };
        let noisy = nature == Nature::Episodes && since >= PRELUDE && self.dice.random_bool(0.02);
        let (fault, play) = match play {
            Some(played) => played,
            None if noisy => (Fault::Noise, self.nothing(call)),
            None => return Play::Truth,
        };
        *self.played.entry(fault).or_default() += 1;
        play
    }

    /// The episode that goes on now, if any, and what it makes of the call.
    fn episode(&mut self, call: &Call, nature: Nature, since: Millis) -> Option<(Fault, Play)> {
        let (slot, into) = (since.0 / SLOT.0, Millis(since.0 % SLOT.0));
        let place = REPOSITORIES.iter().position(|(path, _)| *path == call.repository)? as u64;
        // Of each slot its own dice: all calls of an episode agree.
        let mut dice = StdRng::seed_from_u64(self.seed ^ (slot as u64) << 8 ^ place);
        let kinds = if nature == Nature::Stale { &EPISODES_OF_STALE[..] } else { &EPISODES[..] };
        let fault = kinds[dice.random_range(0..kinds.len())];
        let length = Millis(dice.random_range(0..EPISODE.0));
        if into >= length {
            return None;
        }
        self.fault(fault, call, Millis(length.0 - into.0)).map(|play| (fault, play))
    }

    fn fault(&mut self, fault: Fault, call: &Call, left: Millis) -> Option<Play> {
        let by_get = matches!(call.ask, Ask::Get(_));
        let by_head = matches!(call.ask, Ask::Head(_));
        let of_tag = by_get || by_head;
        Some(match fault {
            Fault::Down => Play::Fail(RegistryError::Unreachable { message: "connection refused".to_owned() }),
            Fault::ServerErrors if self.dice.random_bool(0.5) => self.server_error(),
            Fault::RateLimited => limited(call, Millis(self.dice.random_range(1000..left.0.max(2000)))),
            Fault::Missing => {
                let code = (!by_head).then(|| "NAME_UNKNOWN".to_owned());
                Play::Fail(RegistryError::NotFound { code })
            }
            Fault::Refused => refused(),
            Fault::ListingRefused if call.ask == Ask::Listing => refused(),
            Fault::EmptyListing if call.ask == Ask::Listing => Play::Names(Vec::new()),
            Fault::HalfListing if call.ask == Ask::Listing => {
                Play::Names(tags().into_iter().filter(|_| self.dice.random_bool(0.5)).collect())
            }
            Fault::Unintelligible => unintelligible(),
            Fault::NoGets if by_get => match self.dice.random_range(0..3) {
                0 => refused(),
                1 => limited(call, Millis::minutes(1)),
                _ => self.server_error(),
            },
            Fault::NoGets | Fault::LyingClaims if by_head && self.dice.random_bool(0.3) => {
                Play::Claim(Digest::of(&self.dice.random::<[u8; 16]>()))
            }
            Fault::Lost if of_tag && self.dice.random_bool(0.02) => {
                let code = by_get.then(|| "MANIFEST_UNKNOWN".to_owned());
                Play::Fail(RegistryError::NotFound { code })
            }
            _ => return None,
        })
    }

    /// Every third tag has a header that no bytes have, by HEAD and by GET, from the first day on or from later on.
    fn lie(&self, call: &Call) -> Option<(Fault, Play)> {
        let (Ask::Head(name) | Ask::Get(name)) = &call.ask else { return None };
        let number = tags().iter().position(|tag| tag == name)?;
        let begun = self.last - START >= Millis::hours(number as i64 / 2);
        let lie = (number % 3 == 0 && begun).then(|| Play::Claim(Digest::of(name.as_str().as_bytes())));
        lie.map(|play| (Fault::UntrueHeaders, play))
    }

    fn stale(&mut self, call: &Call, since: Millis) -> Option<(Fault, Play)> {
        let (Ask::Head(name) | Ask::Get(name)) = &call.ask else { return None };
        if !moves(name) || since < MOVE {
            return None;
        }
        let old = image(&call.repository, name, 1);
        if call.repository == "team/replica" {
            self.turn += 1;
            let lags = since < MOVE + LAG && self.turn.is_multiple_of(2);
            return lags.then_some((Fault::StaleReplica, Play::Instead(old)));
        }
        let cached = matches!(call.ask, Ask::Head(_)) && self.dice.random_bool(0.2);
        cached.then_some((Fault::StaleHeads, Play::Claim(old.digest)))
    }

    /// One answer that says nothing.
    fn nothing(&mut self, call: &Call) -> Play {
        match self.dice.random_range(0..5) {
            0 => limited(call, Millis(self.dice.random_range(1000..20_000))),
            1 => Play::Fail(RegistryError::Unreachable { message: "reset".to_owned() }),
            2 => self.server_error(),
            3 => unintelligible(),
            _ => refused(),
        }
    }

    fn server_error(&mut self) -> Play {
        let status = [500, 502, 503, 504][self.dice.random_range(0..4)];
        Play::Fail(RegistryError::Server { status, message: "scripted".to_owned() })
    }
}

fn limited(call: &Call, wait: Millis) -> Play {
    let retry_at = call.sent.mono.after(wait);
    Play::Fail(RegistryError::RateLimited { retry_at, message: "scripted".to_owned() })
}

fn refused() -> Play {
    Play::Fail(RegistryError::Refused { message: "scripted".to_owned() })
}

fn unintelligible() -> Play {
    Play::Fail(RegistryError::Unintelligible { message: "a page for people".to_owned() })
}
