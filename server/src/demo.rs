//! The demo: registries in memory that speak the real protocol, and a story that happens in them. Client, poller and store
//! are the ordinary ones; only the clock is stepped through the past. The tests wrap the same registry.

mod clock;
mod image;
mod play;
pub mod registry;
mod story;

use std::sync::Arc;

use tagwarden_model::instant::Millis;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::record::{Delays, Plan};
use tagwarden_model::tag::Band;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::clock::StoryClock;
use self::play::Player;
pub use self::play::Told;
use self::registry::DemoRegistry;
use self::story::{Act, HOSTS, PAST, Story, What};
use crate::clock::{Clock as _, SharedClock};
use crate::config::{Checked, CheckedRegistry, ServerConfig, Watched};
use crate::registry::client::RegistrySettings;
use crate::registry::credentials::Secret;
use crate::serve::{ServeError, serve};

/// The story's seed. Any other tells another one.
const SEED: u64 = 23;

/// What the server takes from the demo.
pub struct Stage {
    /// It tells the time.
    pub clock: Arc<StoryClock>,
    /// How far the story is.
    pub told: watch::Receiver<Told>,
}

/// Serves the demo until `stop`.
pub async fn run(no_auth: bool, listener: TcpListener, stop: CancellationToken) -> Result<(), ServeError> {
    let clock = Arc::new(StoryClock::new(PAST));
    let dated: SharedClock = clock.clone();
    let registries = [(); HOSTS.len()].map(|()| DemoRegistry::new().dated_by(dated.clone()));
    let mut serving = Vec::new();
    let mut entries = Vec::new();
    for (registry, host) in registries.iter().zip(HOSTS) {
        let served = registry.serve().await?;
        let mut settings = RegistrySettings::new(host);
        settings.url = served.url().parse().ok();
        settings.limits.concurrency = 16;
        let (name, repositories) = (host.to_owned(), Vec::new());
        entries.push(CheckedRegistry { name, repositories, settings, certificates: Vec::new() });
        serving.push(served);
    }
    let began = clock.now().mark.wall;
    let (story, acts) = Story::until(began + PAST, SEED);
    // What was there before anybody watched.
    let (before, acts): (Vec<Act>, Vec<Act>) = acts.into_iter().partition(|act| act.at <= began);
    for Act { registry, repository, what, .. } in before {
        if let (What::Push(tags, build), Some(registry)) = (what, registries.get(registry)) {
            build.push(registry, repository, &tags);
        }
    }
    let watches = story::repositories().map(|(registry, path)| {
        let host = HOSTS.get(registry).copied().unwrap_or_default();
        Watched { name: RepositoryName { host: host.to_owned(), path: path.to_owned() }, line: 0 }
    });
    let config = Checked {
        server: ServerConfig { database: Secret::new("sqlite::memory:"), ..ServerConfig::default() },
        plan: plan(),
        registries: entries,
        watches: watches.collect(),
        ..Checked::default()
    };
    let address = listener.local_addr()?;
    let server = format!("http://{}:{}/", if address.is_ipv6() { "[::1]" } else { "127.0.0.1" }, address.port());
    let (told, hears) = watch::channel(Told::default());
    let stage = Stage { clock: clock.clone(), told: hears };
    if let Ok(server) = server.parse() {
        let player = Player { clock, registries, server, told };
        tokio::spawn(player.play(story, acts, stop.clone()));
    }
    serve(config, None, no_auth, listener, Some(stage), stop).await
}

/// Quick where somebody watches, slow where nothing happens but what the story tells, so that a year is read in seconds.
fn plan() -> Plan {
    let short = Millis::seconds(5);
    Plan {
        delays: Delays { vanished: Millis::minutes(2), ..Delays::all(short) },
        intervals: [
            (Band::Hot, Millis::seconds(10)),
            (Band::Warm, Millis::hours(12)),
            (Band::Cold, Millis::days(14)),
            (Band::Pinned, Millis::seconds(10)),
        ]
        .into(),
        pass_limit: short,
        // Of slow bands it is seven times as long: every pass of the cold one is a proof, and people read "every 14 days".
        proof_interval: Millis::days(2),
    }
}
