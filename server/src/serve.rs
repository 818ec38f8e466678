//! The server put together: one store, one clock, a poller and a job runner for each registry entry, and the HTTP side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tagwarden_model::instant::Millis;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock as _, SharedClock, SystemClock};
use crate::compare::Comparer;
use crate::config::Checked;
use crate::demo::Stage;
use crate::http::{self, AppState, HttpSettings};
use crate::jobs::Jobs;
use crate::keep::keep;
use crate::metrics::{Metrics, OfTask};
use crate::notify::Notify;
use crate::notify::config::NotifierSettings;
use crate::policy::Policy;
use crate::poller::{Poller, PollerSettings};
use crate::registry::client::{HttpRegistry, RegistrySettings};
use crate::registry::gate::HostLimits;
use crate::store::watch::RegistryEntry;
use crate::store::{Actor, ActorKind, Store, StoreError, with_causes};

/// Generations of one process lie so far apart from the next one's that every step of its clock has room.
const STEPS: i64 = 1_000;

/// How often what grows old is cleared away.
const CLEAR_EVERY: Millis = Millis::minutes(1);

/// How long it can be seen how a message went.
const DELIVERIES_KEPT: Millis = Millis::days(30);

/// Why the server ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error("the database cannot be used: {0}")]
    Store(#[from] StoreError),
    /// A registry entry of the configuration.
    #[error("[[registry]] {0}: {1}")]
    Registry(String, String),
    /// A repository that the configuration names.
    #[error("[[watch]]: {0}")]
    Watch(String),
    /// The path of `public_url`.
    #[error("public_url: {0}")]
    PublicUrl(#[from] http::BasePathError),
    /// The address, or the HTTP server.
    #[error("serving failed: {0}")]
    Http(#[from] std::io::Error),
}

/// Serves until `stop`. The listener says where. The demo brings its own clock.
pub async fn serve(
    config: Checked,
    no_auth: bool,
    listener: TcpListener,
    demo: Option<Stage>,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let store = Store::open(&config.server.database).await?;
    let sole = store.sole()?;
    // Alone on its file, a server takes up its own leases again, also after a crash; among replicas it is one of many.
    let owner = if sole.is_some() { "the only server".to_owned() } else { format!("{:016x}", rand::random::<u64>()) };
    let (shift, clock_error) = database_clock(&store).await?;
    let clock: SharedClock = if let Some(stage) = &demo {
        stage.clock.clone()
    } else {
        let began = SystemClock::shifted(0, shift).now().mark.wall;
        Arc::new(SystemClock::shifted(store.new_generation(began).await? * STEPS, shift))
    };
    let system = Actor { kind: ActorKind::System, id: "configuration".to_owned(), display: "configuration".to_owned() };

    let (mut settings, mut entries) = (BTreeMap::new(), Vec::new());
    for (name, repositories, of_registry) in config.registries {
        HttpRegistry::new(of_registry.clone(), clock.clone())
            .map_err(|error| ServeError::Registry(name.clone(), with_causes(&error)))?;
        entries.push(RegistryEntry { id: 0, name: name.clone(), host: of_registry.host.clone(), repositories });
        settings.insert(name, of_registry);
    }
    crate::watch::assign(&store, &entries).await?;
    for name in &config.watches {
        let watched = crate::watch::watch(&store, name, &system, clock.now().mark.wall).await;
        match watched {
            Err(StoreError::Refused { message, .. }) => return Err(ServeError::Watch(message)),
            watched => drop(watched?),
        }
    }

    let (wake, woken) = watch::channel(());
    let metrics = Metrics::new();
    let defaults = PollerSettings::default();
    let lease = config.lease.unwrap_or(defaults.lease);
    let policy = Arc::new(config.policy);
    let registries = Registries {
        store: store.clone(),
        clock: clock.clone(),
        policy: policy.clone(),
        poller: PollerSettings { plan: config.plan, owner, lease, clock_error, ..defaults },
        credentials: config.credentials,
        settings,
        host_limits: BTreeMap::new(),
        metrics: metrics.clone(),
        wake: woken,
        running: BTreeSet::new(),
        tasks: JoinSet::new(),
    };
    let polling = tokio::spawn(registries.run(stop.clone()));
    let clearing = tokio::spawn(clear(store.clone(), clock.clone(), stop.clone()));

    let public_url = config.server.public_url;
    let notifiers = config.notifiers.iter().map(NotifierSettings::described).collect();
    let notify = Notify {
        store: store.clone(),
        clock: clock.clone(),
        notifiers: config.notifiers.into(),
        quiet_time: config.quiet_time,
        public_url: public_url.as_ref().map(ToString::to_string),
    };
    let of = OfTask { registry: String::new(), task: "notifier" };
    let start = move |stop| notify.clone().run(stop);
    let telling = tokio::spawn(keep(of, start, clock.clone(), metrics.clone(), stop.clone()));
    let is_demo = demo.is_some();
    let told = demo.map(|stage| stage.told);
    let http_settings = HttpSettings { no_auth, demo: told, ..HttpSettings::below(public_url)? };
    let wake = Arc::new(move || wake.send_modify(|()| {}));
    let closing = store.clone();
    let mut state = AppState::new(store, clock, policy, http_settings, metrics, wake, stop.clone()).await?;
    state.notifiers = notifiers;
    if is_demo {
        // The story's clock leaps: connections would time out.
        state.line = Arc::new(SystemClock::new(0));
    }
    let mut served = tokio::spawn(answer(listener, state));
    let mut answered = None;
    // Each of them lasts until `stop`. A panic in one must not leave a server that looks well and watches nothing.
    let mut tasks = [polling, clearing, telling];
    let [polling, clearing, telling] = &mut tasks;
    let died = tokio::select! {
        ended = polling => ended.err(),
        ended = clearing => ended.err(),
        ended = telling => ended.err(),
        ended = &mut served => {
            answered = Some(ended);
            None
        }
    };
    stop.cancel();
    let served = match answered {
        Some(ended) => ended,
        None => served.await,
    };
    let served = served.unwrap_or_else(|error| Err(std::io::Error::other(error).into()));
    if let Some(error) = died {
        return Err(ServeError::Http(std::io::Error::other(error)));
    }
    for task in tasks {
        // The one that ended above has been asked already.
        if !task.is_finished() {
            let _ = task.await;
        }
    }
    // On SQLite this folds the write-ahead log into the file, so that a copy of the file alone is whole.
    closing.shut().await;
    served
}

/// Serves the record as it is until `stop`: nothing is polled, nothing is written.
pub async fn serve_read_only(
    config: Checked,
    no_auth: bool,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let store = Store::open_read_only(&config.server.database).await?;
    let settings = HttpSettings { no_auth, read_only: true, ..HttpSettings::below(config.server.public_url)? };
    let clock = Arc::new(SystemClock::new(0));
    let policy = Arc::new(config.policy);
    let state = AppState::new(store.clone(), clock, policy, settings, Metrics::new(), Arc::new(|| {}), stop).await?;
    let served = answer(listener, state).await;
    store.shut().await;
    served
}

async fn answer(listener: TcpListener, state: AppState) -> Result<(), ServeError> {
    eprintln!("Tagwarden is at http://{}{}", listener.local_addr()?, state.settings.base_path);
    Ok(http::serve(listener, state).await?)
}

/// How far a shared database's clock is ahead of ours, and how far that may be off: half of the shortest of five round trips.
async fn database_clock(store: &Store) -> Result<(Millis, Millis), StoreError> {
    let ours = SystemClock::new(0);
    let mut best = (Millis(0), Millis(i64::MAX));
    for _ in 0..5 {
        let before = ours.now().mark.wall;
        let Some(theirs) = store.database_clock().await? else { return Ok((Millis(0), Millis(0))) };
        let trip = ours.now().mark.wall - before;
        let middle = before + Millis(trip.0 / 2);
        if trip < best.1 {
            best = (theirs - middle, trip);
        }
    }
    Ok((best.0, Millis(best.1.0 / 2 + 1)))
}

/// Opens flags whose acknowledgement ended, and drops notices that no reader can ask for any more and jobs that ended long ago.
async fn clear(store: Store, clock: SharedClock, stop: CancellationToken) {
    loop {
        let now = clock.now();
        let cleared = async {
            store.expire_acknowledgements(now.mark.wall).await?;
            store.prune_deliveries(now.mark.wall - DELIVERIES_KEPT).await?;
            store.prune_changes(now.mark.wall).await?;
            store.prune_jobs(now.mark.wall).await
        };
        if let Err(error) = cleared.await {
            tracing::error!(?error, "what grew old was not cleared away");
        }
        tokio::select! {
            () = clock.sleep_until(now.mono.after(CLEAR_EVERY)) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Keeps a poller and a job runner for each registry entry, also for those that people add.
struct Registries {
    store: Store,
    clock: SharedClock,
    policy: Arc<Policy>,
    poller: PollerSettings,
    credentials: crate::registry::credentials::Credentials,
    settings: BTreeMap<String, RegistrySettings>,
    /// By the origin that is asked, which a mirror's URL may say.
    host_limits: BTreeMap<String, Arc<HostLimits>>,
    metrics: Metrics,
    wake: watch::Receiver<()>,
    running: BTreeSet<i64>,
    tasks: JoinSet<()>,
}

impl Registries {
    async fn run(mut self, stop: CancellationToken) {
        loop {
            match self.store.registries().await {
                Ok(entries) => entries.into_iter().for_each(|entry| self.start(entry, &stop)),
                Err(error) => tracing::error!(?error, "the registry entries cannot be read"),
            }
            let again = self.clock.now().mono.after(self.poller.refresh);
            tokio::select! {
                () = stop.cancelled() => break,
                Ok(()) = self.wake.changed() => {}
                () = self.clock.sleep_until(again) => {}
            }
        }
        while self.tasks.join_next().await.is_some() {}
    }

    fn start(&mut self, entry: RegistryEntry, stop: &CancellationToken) {
        if !self.running.insert(entry.id) {
            return;
        }
        let configured = self.settings.get(&entry.name).filter(|settings| settings.host == entry.host);
        let mut settings = configured.cloned().unwrap_or_else(|| {
            let mut settings = RegistrySettings::new(&entry.host);
            settings.credentials = self.credentials.clone();
            settings
        });
        // Several entries of one host share what it says of its limits.
        if let Ok(base) = settings.base() {
            let host_limits = self.host_limits.entry(base.origin().ascii_serialization()).or_default();
            settings.host_limits = host_limits.clone();
        }
        let concurrency = settings.limits.concurrency;
        let registry = match HttpRegistry::new(settings, self.clock.clone()) {
            Ok(registry) => Arc::new(registry),
            Err(error) => {
                tracing::error!(registry = entry.name, %error, "this registry cannot be polled as it is configured");
                return;
            }
        };
        let jobs = Jobs {
            store: self.store.clone(),
            clock: self.clock.clone(),
            registry: registry.clone(),
            entry: entry.clone(),
            wake: self.wake.clone(),
        };
        let comparer = Comparer {
            store: self.store.clone(),
            clock: self.clock.clone(),
            registry: registry.clone(),
            entry: entry.clone(),
        };
        let poller = Poller {
            store: self.store.clone(),
            clock: self.clock.clone(),
            registry,
            entry,
            policy: self.policy.clone(),
            settings: PollerSettings { concurrency, ..self.poller.clone() },
            metrics: self.metrics.clone(),
            wake: self.wake.clone(),
        };
        let (name, clock, metrics) = (poller.entry.name.clone(), &self.clock, &self.metrics);
        let (poller, jobs, comparer) = (Arc::new(poller), Arc::new(jobs), Arc::new(comparer));
        let of = |task| OfTask { registry: name.clone(), task };
        let start = move |stop| {
            let poller = poller.clone();
            async move { poller.run(stop).await }
        };
        self.tasks.spawn(keep(of("poller"), start, clock.clone(), metrics.clone(), stop.clone()));
        let start = move |stop| {
            let jobs = jobs.clone();
            async move { jobs.run(stop).await }
        };
        self.tasks.spawn(keep(of("jobs"), start, clock.clone(), metrics.clone(), stop.clone()));
        let start = move |stop| {
            let comparer = comparer.clone();
            async move { comparer.run(stop).await }
        };
        self.tasks.spawn(keep(of("comparer"), start, clock.clone(), metrics.clone(), stop.clone()));
    }
}
