//! The server put together: one store, one clock, a poller and a job runner for each registry entry, and the HTTP side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tagwarden_model::instant::Millis;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock as _, SharedClock, SystemClock};
use crate::config::Checked;
use crate::demo::Stage;
use crate::http::{self, AppState, HttpSettings};
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::policy::Policy;
use crate::poller::{Poller, PollerSettings};
use crate::registry::client::{HttpRegistry, RegistrySettings};
use crate::registry::credentials::Credentials;
use crate::registry::gate::HostLimits;
use crate::store::jobs::NO_ENTRY;
use crate::store::watch::RegistryEntry;
use crate::store::{Actor, ActorKind, Store, StoreError};

/// Generations of one process lie so far apart from the next one's that every step of its clock has room.
const STEPS: i64 = 1_000;

/// How often what grows old is cleared away.
const CLEAR_EVERY: Millis = Millis::minutes(1);

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
    PublicUrl(String),
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

    let mut settings = BTreeMap::new();
    for (name, repositories, of_registry) in config.registries {
        let entry = RegistryEntry { id: 0, name: name.clone(), host: of_registry.host.clone(), repositories };
        HttpRegistry::new(of_registry.clone(), clock.clone())
            .map_err(|error| ServeError::Registry(name.clone(), error.to_string()))?;
        store.put_registry(&entry).await?;
        settings.insert(name, of_registry);
    }
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
    let base_path = http::base_path(public_url.as_ref().map_or("/", url::Url::path)).map_err(ServeError::PublicUrl)?;
    let demo = demo.map(|stage| stage.told);
    let http_settings = HttpSettings { base_path, public_url, no_auth, demo, ..HttpSettings::default() };
    let wake = Arc::new(move || wake.send_modify(|()| {}));
    let closing = store.clone();
    let state = AppState::new(store, clock, policy, http_settings, metrics, wake, stop.clone()).await?;
    eprintln!("Tagwarden is at http://{}/", listener.local_addr()?);
    let served = http::serve(listener, state).await;
    stop.cancel();
    // Tasks end by `stop`; one that panicked has said so in the log.
    let _ = tokio::join!(polling, clearing);
    // On SQLite this folds the write-ahead log into the file, so that a copy of the file alone is whole.
    closing.shut().await;
    Ok(served?)
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

/// Opens flags whose acknowledgement ended and drops notices that no reader can ask for any more.
async fn clear(store: Store, clock: SharedClock, stop: CancellationToken) {
    loop {
        let now = clock.now();
        let cleared = async {
            store.expire_acknowledgements(now.mark.wall).await?;
            store.prune_looks(now.mark.wall).await?;
            store.prune_changes(now.mark.wall).await
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

/// How a host is reached that the configuration does not name.
fn stranger(host: &str, credentials: &Credentials) -> RegistrySettings {
    RegistrySettings { credentials: credentials.clone(), ..RegistrySettings::new(host) }
}

/// Keeps a poller and a job runner for each registry entry, also for those that people add.
struct Registries {
    store: Store,
    clock: SharedClock,
    policy: Arc<Policy>,
    poller: PollerSettings,
    credentials: Credentials,
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
        let strangers = self.strangers();
        self.tasks.spawn(strangers.run(stop.clone()));
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

    /// Looks at hosts that have no entry; one that is only looked at gets none.
    fn strangers(&self) -> Jobs<HttpRegistry> {
        let (credentials, clock) = (self.credentials.clone(), self.clock.clone());
        let reach = move |host: &str| {
            HttpRegistry::new(stranger(host, &credentials), clock.clone())
                .map(Arc::new)
                .map_err(|error| error.to_string())
        };
        Jobs {
            store: self.store.clone(),
            clock: self.clock.clone(),
            reach: Box::new(reach),
            entry: NO_ENTRY,
            policy: self.policy.clone(),
            wake: self.wake.clone(),
        }
    }

    fn start(&mut self, entry: RegistryEntry, stop: &CancellationToken) {
        if !self.running.insert(entry.id) {
            return;
        }
        let mut settings =
            self.settings.get(&entry.name).cloned().unwrap_or_else(|| stranger(&entry.host, &self.credentials));
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
            reach: Box::new({
                let registry = registry.clone();
                move |_| Ok(registry.clone())
            }),
            entry: entry.id,
            policy: self.policy.clone(),
            wake: self.wake.clone(),
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
        self.tasks.spawn(poller.run(stop.clone()));
        self.tasks.spawn(jobs.run(stop.clone()));
    }
}
