//! Takes up a configuration that changed while the server runs: on SIGHUP, and when one of its files did.

use std::sync::Arc;

use tagwarden_model::instant::{Instant, Millis};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::config::{Checked, ConfigError, Seen, Sources};

/// How often the files are looked at.
const LOOK_EVERY: Millis = Millis::seconds(2);

/// The configuration by which the server works.
#[derive(Clone)]
pub struct InForce {
    /// What it says.
    pub config: Arc<Checked>,
    /// When it was read.
    pub loaded_at: Instant,
    /// What is wrong with a newer version, which therefore was not taken up.
    pub error: Option<ConfigError>,
}

impl InForce {
    /// A configuration with nothing newer.
    pub fn new(config: Checked, loaded_at: Instant) -> Self {
        Self { config: Arc::new(config), loaded_at, error: None }
    }
}

/// Reads the configuration again until `stop`, and tells whoever works by it.
pub async fn reload(
    sources: Sources,
    configuration: watch::Sender<Arc<InForce>>,
    clock: SharedClock,
    stop: CancellationToken,
) {
    let started = configuration.borrow().config.server.clone();
    let mut hangup = signal(SignalKind::hangup()).ok();
    let mut read = configuration.borrow().config.read.clone();
    let mut last_look = read.clone();
    loop {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        let again = clock.now().mono.after(LOOK_EVERY);
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            () = hung_up => true,
            () = clock.sleep_until(again) => false,
        };
        let look: Vec<Seen> = read.iter().map(Seen::again).collect();
        // A change counts when it stood for one look: half a file must not end any watch.
        let settled = look != read && look == last_look;
        last_look = look;
        if !asked && !settled {
            continue;
        }
        let now = clock.now().mark.wall;
        let next = match sources.load() {
            Ok(config) => {
                read.clone_from(&config.read);
                for (key, changed) in [
                    ("listen", config.server.listen != started.listen),
                    ("database", config.server.database != started.database),
                    ("public_url", config.server.public_url != started.public_url),
                ] {
                    if changed {
                        tracing::warn!("`{key}` of [server] changed; it is taken up when the server is started again");
                    }
                }
                tracing::info!("the configuration was read again and is in force");
                InForce::new(config, now)
            }
            Err(error) => {
                read.clone_from(&error.read);
                for mistake in &error.mistakes {
                    let (line, column) = mistake.at.unzip();
                    tracing::error!(line, column, advice = mistake.advice, "configuration: {}", mistake.message);
                }
                tracing::error!(
                    "the configuration has mistakes and is not taken up; the one read before stays in force"
                );
                InForce { error: Some(error), ..(**configuration.borrow()).clone() }
            }
        };
        last_look.clone_from(&read);
        configuration.send_replace(Arc::new(next));
    }
}
