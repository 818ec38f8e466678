//! The server put together: one store, one clock, a poller and a job runner for each registry entry, notifiers, and the HTTP side.

use std::sync::Arc;

use futures::FutureExt as _;
use tagwarden_model::instant::Millis;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::apply::apply;
use crate::clock::{Clock as _, SharedClock, SystemClock};
use crate::config::{Checked, ServerConfig, Sources};
use crate::demo::Stage;
use crate::http::{self, AppState, HttpSettings};
use crate::keep::keep;
use crate::metrics::{Metrics, OfTask};
use crate::notify::Notify;
use crate::registries::Registries;
use crate::registry::client::HttpRegistry;
use crate::registry::gate::Origins;
use crate::reload::{InForce, reload};
use crate::store::{Store, StoreError, with_causes};

/// Generations of one process lie so far apart from the next one's that every step of its clock has room.
const STEPS: i64 = 1_000;

/// How often what grows old is cleared away.
const CLEAR_EVERY: Millis = Millis::minutes(1);

/// So long after a start nobody is told that something is late.
const CATCH_UP: Millis = Millis::minutes(10);

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
    /// The address, or the HTTP server.
    #[error("serving failed: {0}")]
    Http(#[from] std::io::Error),
}

/// Serves until `stop`. The listener says where. What `sources` say is read again when it changes; the demo has none, but a
/// clock of its own.
pub async fn serve(
    config: Checked,
    sources: Option<Sources>,
    no_auth: bool,
    listener: TcpListener,
    demo: Option<Stage>,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let store = Store::open(config.server.database.expose()).await?;
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
    for registry in &config.registries {
        HttpRegistry::new(registry.settings.clone(), clock.clone())
            .map_err(|error| ServeError::Registry(registry.name.clone(), with_causes(&error)))?;
    }
    let now = clock.now().mark.wall;
    apply(&store, &config, now).await.map_err(|error| match error {
        StoreError::Refused { message, .. } => ServeError::Watch(message),
        error => error.into(),
    })?;
    let ServerConfig { public_url, base_path, .. } = config.server.clone();
    let (in_force, configuration) = watch::channel(Arc::new(InForce::new(config, now)));

    let (wake, _) = watch::channel(());
    let metrics = Metrics::new();
    let registries = Registries {
        store: store.clone(),
        clock: clock.clone(),
        configuration: configuration.clone(),
        owner,
        clock_error,
        metrics: metrics.clone(),
        wake: wake.clone(),
        origins: Origins::default(),
    };
    let polling = tokio::spawn(registries.run(stop.clone()));
    let reloading = tokio::spawn(match sources {
        Some(sources) => reload(sources, in_force, clock.clone(), stop.clone()).boxed(),
        None => stop.clone().cancelled_owned().boxed(),
    });
    let clearing = tokio::spawn(clear(store.clone(), clock.clone(), stop.clone()));

    let notify = Notify {
        store: store.clone(),
        clock: clock.clone(),
        configuration: configuration.clone(),
        public_url: public_url.as_ref().map(ToString::to_string),
    };
    let of = OfTask { registry: String::new(), task: "notifier" };
    let start = move |stop| notify.clone().run(stop);
    let telling = tokio::spawn(keep(of, start, clock.clone(), metrics.clone(), stop.clone()));

    let is_demo = demo.is_some();
    let told = demo.map(|stage| stage.told);
    let http_settings = HttpSettings { base_path, public_url, no_auth, demo: told, ..HttpSettings::default() };
    let wake = Arc::new(move || wake.send_modify(|()| {}));
    let closing = store.clone();
    let mut state = AppState::new(store, clock, configuration, http_settings, metrics, wake, stop.clone()).await?;
    if is_demo {
        // The story's clock leaps: connections would time out.
        state.line = Arc::new(SystemClock::new(0));
    }
    let mut served = tokio::spawn(answer(listener, state));
    let mut answered = None;
    // Each of them lasts until `stop`. A panic in one must not leave a server that looks well and watches nothing.
    let mut tasks = [polling, reloading, clearing, telling];
    let [polling, reloading, clearing, telling] = &mut tasks;
    let died = tokio::select! {
        ended = polling => ended.err(),
        ended = reloading => ended.err(),
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
    let store = Store::open_read_only(config.server.database.expose()).await?;
    let ServerConfig { public_url, base_path, .. } = config.server.clone();
    let settings = HttpSettings { base_path, public_url, no_auth, read_only: true, ..HttpSettings::default() };
    let clock = Arc::new(SystemClock::new(0));
    let (_, configuration) = watch::channel(Arc::new(InForce::new(config, clock.now().mark.wall)));
    let state =
        AppState::new(store.clone(), clock, configuration, settings, Metrics::new(), Arc::new(|| {}), stop).await?;
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

/// Opens flags whose acknowledgement ended, tells of what is late, and drops notices that no reader can ask for any more and jobs that ended long ago.
async fn clear(store: Store, clock: SharedClock, stop: CancellationToken) {
    // After a start everything is late that was due meanwhile: the pollers catch up first.
    let caught_up = clock.now().mono.after(CATCH_UP);
    loop {
        let now = clock.now();
        let cleared = async {
            store.expire_acknowledgements(now.mark.wall).await?;
            if now.mono >= caught_up {
                store.tell_lateness(now.mark.wall).await?;
            }
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
