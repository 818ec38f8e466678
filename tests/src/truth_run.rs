//! The truth run: a driver pushes, moves, deletes and restores tags on the real docker-registry, stops and starts it, and keeps
//! its own log. The server that watches must record all that RECORD.md 12 promises, in windows that enclose the truth, and
//! nothing else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod judge;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tagwarden::clock::{Clock as _, SystemClock};
use tagwarden::config::Sources;
use tagwarden::store::read::{EventFilter, EventOrder, FlagFilter};
use tagwarden::store::{Scope, Store};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::{Instant, Millis};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::docker_registry::DockerRegistry;
use crate::images::{Image, delete_digest};
use crate::wait::pause;

pub use judge::Report;

/// Of each repository.
const RELEASES: usize = 4;
/// Of each repository.
const ROLLING: usize = 4;

/// How long a run lasts and how fast everything goes.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// For how long the driver acts; what the promises need to be kept comes on top.
    pub acts_for: Millis,
    /// Interval of every band, limit of a pass, and every delay of the rules.
    pub pace: Millis,
    /// Watched repositories.
    pub repositories: usize,
    /// Of the driver's dice.
    pub seed: u64,
}

/// A time in which something began or ended: it was requested at one end and answered at the other.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Instant,
    until: Instant,
}

/// What the driver did to one tag: since when it has which digest.
type Truth = Vec<(Span, Option<Digest>)>;

struct Driver {
    registry: DockerRegistry,
    client: reqwest::Client,
    clock: SystemClock,
    dice: StdRng,
    truth: BTreeMap<(String, String), Truth>,
    images: BTreeMap<Digest, Image>,
    outages: Vec<Span>,
    seed: u64,
    acts: BTreeMap<&'static str, u64>,
}

/// Drives and judges. Panics when the record is not true.
pub async fn play(run: Run) -> Report {
    crate::install_tls();
    let folder = tempfile::tempdir().unwrap();
    let mut driver = Driver::new(run).await;
    let baseline: Vec<_> = driver.truth.keys().filter(|(_, tag)| tag.ends_with(['0', '1'])).cloned().collect();
    for place in baseline {
        driver.push(&place).await;
    }
    let database = folder.path().join("record.db").display().to_string();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = config(folder.path(), &database, &driver, run.pace);
    let stop = CancellationToken::new();
    let server = tokio::spawn(tagwarden::serve::serve(config, None, false, listener, None, stop.clone()));

    let end = driver.now() + run.acts_for;
    while driver.now() < end {
        let wait = driver.dice.random_range(0..run.pace.0 as u64 * 3 / 2);
        pause(std::time::Duration::from_millis(wait)).await;
        driver.act(run.pace).await;
        assert!(!server.is_finished(), "the server ended");
    }
    // So long nothing happens, so that the last states must all be found.
    let rest = judge::longest(run.pace) + run.pace;
    pause(std::time::Duration::from_millis(rest.0 as u64)).await;
    let ended = driver.now();
    stop.cancel();
    server.await.unwrap().unwrap();

    let store = Store::open(&database).await.unwrap();
    let mut events =
        store.events(Scope::All, &EventFilter::default(), EventOrder::Seq, None, 1_000_000).await.unwrap().0;
    events.reverse();
    let flags = store.flags(Scope::All, &FlagFilter::default(), None, 10_000).await.unwrap().0;
    store.shut().await;
    judge::judge(&driver, &events, &flags, run.pace, ended)
}

fn config(folder: &Path, database: &str, driver: &Driver, pace: Millis) -> tagwarden::config::Checked {
    let length = format!("\"{}ms\"", pace.0);
    let bands = ["hot", "warm", "cold", "pinned", "pass_limit"].map(|key| format!("{key} = {length}\n")).concat();
    let delays = ["claim", "stale", "absence_least", "absence_most", "dangling", "empty"];
    let delays = delays.map(|key| format!("{key} = {length}\n")).concat();
    let host = driver.registry.host();
    let repositories: BTreeSet<_> = driver.truth.keys().map(|(repository, _)| repository).collect();
    let watches: Vec<String> =
        repositories.iter().map(|path| format!("[[watch]]\nrepository = \"{host}/{path}\"\n")).collect();
    let watches = watches.concat();
    let text = format!(
        "[server]\ndatabase = \"{database}\"\n[polling]\n{bands}proof = \"30s\"\n[polling.delays]\n{delays}\n\
         [[registry]]\nhost = \"{host}\"\n{watches}"
    );
    let file = folder.join("tagwarden.toml");
    std::fs::write(&file, text).unwrap();
    Sources::of_file(file).load().unwrap()
}

impl Driver {
    async fn new(run: Run) -> Self {
        let registry = DockerRegistry::start().await;
        let mut truth = BTreeMap::new();
        for repository in 0..run.repositories {
            let releases = (0..RELEASES).map(|number| format!("1.0.{number}"));
            for tag in releases.chain((0..ROLLING).map(|number| format!("branch-{number}"))) {
                truth.insert((format!("team/{repository}"), tag), Truth::new());
            }
        }
        Self {
            registry,
            client: crate::http_client(),
            clock: SystemClock::new(0),
            dice: StdRng::seed_from_u64(run.seed),
            truth,
            images: BTreeMap::new(),
            outages: Vec::new(),
            seed: run.seed,
            acts: BTreeMap::new(),
        }
    }

    fn now(&self) -> Instant {
        self.clock.now().mark.wall
    }

    fn present(&self, place: &(String, String)) -> Option<&Digest> {
        self.truth[place].last().and_then(|(_, state)| state.as_ref())
    }

    fn count(&mut self, act: &'static str) {
        *self.acts.entry(act).or_default() += 1;
    }

    async fn act(&mut self, pace: Millis) {
        let places: Vec<_> = self.truth.keys().cloned().collect();
        let chosen = &places[self.dice.random_range(0..places.len())];
        match self.dice.random_range(0..20) {
            0 => self.outage(pace).await,
            1..=5 => self.delete(chosen).await,
            6..=11 => self.back(chosen).await,
            _ => self.push(chosen).await,
        }
    }

    /// New bytes.
    async fn push(&mut self, place: &(String, String)) {
        self.seed += 1;
        let seed = self.seed;
        let image = if self.dice.random_bool(0.3) { Image::index(seed) } else { Image::single(seed) };
        let act = if self.present(place).is_some() { "moves to new bytes" } else { "pushes" };
        self.count(act);
        self.put(place, image).await;
    }

    /// To a digest that some tag of the repository had: an earlier one, another tag's, or a child of an index.
    async fn back(&mut self, place: &(String, String)) {
        let had: Vec<Digest> = (self.truth.iter())
            .filter(|((repository, _), _)| *repository == place.0)
            .flat_map(|(_, truth)| truth.iter().filter_map(|(_, state)| state.clone()))
            .collect();
        if had.is_empty() {
            return self.push(place).await;
        }
        let image = &self.images[&had[self.dice.random_range(0..had.len())]];
        let child = image.children.first().filter(|_| self.seed.is_multiple_of(3)).cloned();
        let image = child.unwrap_or_else(|| image.clone());
        self.count("moves to old bytes");
        self.put(place, image).await;
    }

    async fn put(&mut self, place: &(String, String), image: Image) {
        let from = self.now();
        image.put(&self.client, &self.registry.url(), &place.0, &place.1).await;
        let span = Span { from, until: self.now() };
        let truth = self.truth.get_mut(place).unwrap();
        if truth.last().is_none_or(|(_, state)| state.as_ref() != Some(&image.digest)) {
            truth.push((span, Some(image.digest.clone())));
        }
        self.images.insert(image.digest.clone(), image);
    }

    /// A manifest with all tags that name it.
    async fn delete(&mut self, place: &(String, String)) {
        let Some(digest) = self.present(place).cloned() else { return };
        self.count("deletions of a digest");
        let from = self.now();
        delete_digest(&self.client, &self.registry.url(), &place.0, &digest).await;
        let span = Span { from, until: self.now() };
        for ((repository, _), truth) in &mut self.truth {
            if *repository == place.0 && truth.last().is_some_and(|(_, state)| state.as_ref() == Some(&digest)) {
                truth.push((span, None));
            }
        }
    }

    async fn outage(&mut self, pace: Millis) {
        self.count("outages");
        let from = self.now();
        self.registry.stop();
        let length = self.dice.random_range(0..pace.0 as u64 * 3);
        pause(std::time::Duration::from_millis(length)).await;
        self.registry.restart().await;
        self.outages.push(Span { from, until: self.now() });
    }
}
