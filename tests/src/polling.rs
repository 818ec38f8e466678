//! Real pollers over a real SQLite record on the fake clock: a day passes in a moment.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use tagwarden::clock::Clock as _;
use tagwarden::metrics::Metrics;
use tagwarden::policy::Policy;
use tagwarden::poller::{Poller, PollerSettings};
use tagwarden::registry::Registry;
use tagwarden::store::read::{EventFilter, EventOrder, FlagFilter};
use tagwarden::store::watch::{Added, RegistryEntry};
use tagwarden::store::{Scope, Store};
use tagwarden_model::api::{Event, Flag, Registry as Entry, Repository};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::{RepositoryName, TagName};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fake_clock::FakeClock;
use crate::record::somebody;

/// When every world begins: 2026-11-23T12:00:00Z.
pub const START: Instant = Instant(1_795_435_200_000);

/// A record, a clock, and what wakes pollers.
pub struct World {
    /// Time.
    pub clock: Arc<FakeClock>,
    /// The record.
    pub store: Store,
    /// Of the store.
    pub url: String,
    /// The rules of pollers that are started from now on.
    pub policy: Arc<Policy>,
    wake: watch::Sender<()>,
    _folder: Option<TempDir>,
}

/// A poller, or another task, that runs.
pub struct Polling {
    /// What it counts.
    pub metrics: Metrics,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl World {
    /// A record in memory.
    pub async fn in_memory() -> Self {
        Self::at("sqlite::memory:".to_owned(), None).await
    }

    /// A record in a file, for a look at it from outside.
    pub async fn in_a_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::at(format!("sqlite://{}", folder.path().join("record.db").display()), Some(folder)).await
    }

    async fn at(url: String, folder: Option<TempDir>) -> Self {
        let clock = Arc::new(FakeClock::new(START));
        let store = Store::open(&url).await.unwrap();
        Self { clock, store, url, policy: Arc::default(), wake: watch::Sender::new(()), _folder: folder }
    }

    /// A registry entry for all repositories of a host.
    pub async fn entry(&self, host: &str) -> RegistryEntry {
        let entry = RegistryEntry { id: 0, name: host.to_owned(), host: host.to_owned(), repositories: Vec::new() };
        self.store.put_registry(&entry).await.unwrap()
    }

    /// Watches a repository from now on.
    pub async fn watch(&self, entry: &RegistryEntry, path: &str) -> i64 {
        let now = self.clock.now().mark.wall;
        match self.store.watch(entry.id, &name(entry, path), &somebody(), now).await.unwrap() {
            Added::New(id) | Added::Already(id) => id,
        }
    }

    /// A poller that does not run yet.
    pub fn poller<R: Registry>(&self, entry: &RegistryEntry, registry: Arc<R>, settings: PollerSettings) -> Poller<R> {
        Poller {
            store: self.store.clone(),
            clock: self.clock.clone(),
            registry,
            entry: entry.clone(),
            policy: self.policy.clone(),
            settings,
            metrics: Metrics::new(),
            wake: self.wake.subscribe(),
        }
    }

    /// Starts a poller.
    pub fn poll<R: Registry>(&self, entry: &RegistryEntry, registry: Arc<R>, settings: PollerSettings) -> Polling {
        let poller = self.poller(entry, registry, settings);
        let metrics = poller.metrics.clone();
        Polling { metrics, ..self.start(|stop| async move { poller.run(stop).await }) }
    }

    /// Starts a task that takes part in the clock's time.
    pub fn start<F: Future<Output = ()> + Send + 'static>(&self, run: impl FnOnce(CancellationToken) -> F) -> Polling {
        let (stop, worker) = (CancellationToken::new(), self.clock.worker());
        let run = run(stop.clone());
        let task = tokio::spawn(async move {
            let _worker = worker;
            run.await;
        });
        Polling { metrics: Metrics::new(), stop, task }
    }

    /// Tells the pollers that a repository or a job was added.
    pub fn wake(&self) {
        self.wake.send_replace(());
    }

    /// What the wall says.
    pub fn wall(&self) -> Instant {
        self.clock.now().mark.wall
    }

    /// Lets time pass.
    pub async fn run(&self, length: Millis) {
        let end = self.clock.now().mono.after(length);
        self.clock.run_until(end).await;
    }

    /// All events, oldest first.
    pub async fn events(&self) -> Vec<Event> {
        let filter = EventFilter::default();
        let mut events = self.store.events(Scope::All, &filter, EventOrder::Seq, None, 100_000).await.unwrap().0;
        events.reverse();
        events
    }

    /// All flags.
    pub async fn flags(&self) -> Vec<Flag> {
        self.store.flags(Scope::All, &FlagFilter::default(), None, 1000).await.unwrap().0
    }

    /// A registry entry as the API shows it.
    pub async fn registry(&self, entry: &RegistryEntry) -> Entry {
        let entries = self.store.registry_states(Scope::All, self.clock.now().mark.wall, None, 1000).await.unwrap().0;
        entries.into_iter().find(|found| found.name == entry.name).unwrap()
    }

    /// A watched repository as the API shows it.
    pub async fn repository(&self, entry: &RegistryEntry, path: &str) -> Repository {
        let now = self.clock.now().mark.wall;
        self.store.repository(Scope::All, &name(entry, path), now).await.unwrap().unwrap()
    }
}

impl Polling {
    /// Ends it as the server's shutdown does.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

/// The name of a repository of an entry.
pub fn name(entry: &RegistryEntry, path: &str) -> RepositoryName {
    RepositoryName { host: entry.host.clone(), path: path.to_owned() }
}

/// A tag's name.
pub fn tag(name: &str) -> TagName {
    TagName::new(name).unwrap()
}
