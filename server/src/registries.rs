//! Keeps a poller and a job runner for each registry entry: those of the configuration, and those that people add.

use std::collections::BTreeMap;
use std::sync::Arc;

use tagwarden_model::api::{JobKind, RepositoryState};
use tagwarden_model::instant::Millis;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::apply::{apply, group};
use crate::clock::SharedClock;
use crate::compare::Comparer;
use crate::config::{Checked, CheckedRegistry};
use crate::jobs::Jobs;
use crate::keep::keep;
use crate::metrics::{Metrics, OfTask};
use crate::poller::{Poller, PollerSettings};
use crate::registry::client::{HttpRegistry, RegistrySettings};
use crate::registry::gate::HostLimits;
use crate::reload::InForce;
use crate::store::jobs::JobRequest;
use crate::store::watch::RegistryEntry;
use crate::store::{Actor, Store, StoreError};

/// What all of them share.
pub struct Registries {
    /// The record.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// The configuration, which was applied to the record when this starts.
    pub configuration: watch::Receiver<Arc<InForce>>,
    /// Names this process among those that share the database.
    pub owner: String,
    /// How far our clock may be from the one that rules.
    pub clock_error: Millis,
    /// What this process counts.
    pub metrics: Metrics,
    /// Changes when a repository or a job was added.
    pub wake: watch::Sender<()>,
    /// What hosts say of their limits, which all their entries share; by the origin that is asked, which a mirror's URL may say.
    pub host_limits: BTreeMap<String, Arc<HostLimits>>,
}

/// The tasks of one registry entry.
struct Running {
    entry: CheckedRegistry,
    config: Arc<Checked>,
    /// Knows of pauses and tokens, and so outlives its tasks where only they change.
    registry: Option<Arc<HttpRegistry>>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Registries {
    /// Runs until `stop`, and until all tasks have ended then.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut applied = self.configuration.borrow_and_update().config.clone();
        let mut wake = self.wake.subscribe();
        let mut running = BTreeMap::new();
        let refresh = PollerSettings::default().refresh;
        loop {
            let newest = self.configuration.borrow_and_update().config.clone();
            if !Arc::ptr_eq(&newest, &applied) {
                match apply(&self.store, &newest, self.clock.now().mark.wall).await {
                    Ok(()) => {
                        applied = newest;
                        self.wake.send_replace(());
                    }
                    Err(error) => tracing::error!(?error, "the new configuration waits for the database"),
                }
            }
            match self.store.registries().await {
                Ok(entries) => self.reconcile(&mut running, entries, &applied, &stop).await,
                Err(error) => tracing::error!(?error, "the registry entries cannot be read"),
            }
            let again = self.clock.now().mono.after(refresh);
            tokio::select! {
                () = stop.cancelled() => break,
                Ok(()) = self.configuration.changed() => {}
                Ok(()) = wake.changed() => {
                    // A repository that was added may belong to a group.
                    if let Err(error) = group(&self.store, &applied.groups).await {
                        tracing::error!(?error, "the groups cannot be written");
                    }
                }
                () = self.clock.sleep_until(again) => {}
            }
        }
        for running in running.into_values() {
            running.ended().await;
        }
    }

    /// Stops what is not as it should be any more and starts what does not run. The others go on undisturbed.
    async fn reconcile(
        &mut self,
        running: &mut BTreeMap<i64, Running>,
        entries: Vec<RegistryEntry>,
        config: &Arc<Checked>,
        stop: &CancellationToken,
    ) {
        let mut before = std::mem::take(running);
        for entry in entries {
            let wanted = wanted(&entry, config);
            let known = before.remove(&entry.id);
            let kept = match known {
                Some(known) if known.entry == wanted && is_polled_alike(&known.config, config) => known,
                Some(known) => {
                    tracing::info!(registry = entry.name, "polled anew: its configuration changed");
                    let same_registry = known.entry == wanted;
                    let registry = known.registry.clone().filter(|_| same_registry);
                    // The lease is given back before it is taken again.
                    known.ended().await;
                    if !same_registry && let Err(error) = self.look_again(&entry).await {
                        tracing::error!(
                            registry = entry.name,
                            ?error,
                            "what could not be read waits for its next pass"
                        );
                    }
                    self.start(&entry, wanted, registry, config, stop)
                }
                None => self.start(&entry, wanted, None, config, stop),
            };
            running.insert(entry.id, kept);
        }
        for gone in before.into_values() {
            tracing::info!(registry = gone.entry.name, "not polled any more: no configuration names it");
            gone.ended().await;
        }
    }

    /// Whoever corrected how a registry is reached wants to know whether it helped.
    async fn look_again(&self, entry: &RegistryEntry) -> Result<(), StoreError> {
        let (everything, actor) = (JobRequest::Check(Vec::new()), Actor::configuration());
        for repository in self.store.watched(entry.id).await? {
            if repository.state.state != RepositoryState::Ok {
                let now = self.clock.now().mark.wall;
                self.store.create_job(&repository.name, JobKind::Check, &everything, &actor, now).await?;
            }
        }
        Ok(())
    }

    fn start(
        &mut self,
        entry: &RegistryEntry,
        wanted: CheckedRegistry,
        registry: Option<Arc<HttpRegistry>>,
        config: &Arc<Checked>,
        stop: &CancellationToken,
    ) -> Running {
        let mut settings = wanted.settings.clone();
        if let Ok(base) = settings.base() {
            settings.host_limits = self.host_limits.entry(base.origin().ascii_serialization()).or_default().clone();
        }
        let made = || HttpRegistry::new(settings, self.clock.clone()).map(Arc::new);
        let registry = registry.map_or_else(made, Ok);
        let registry = registry.map_err(|error| {
            tracing::error!(registry = entry.name, %error, "this registry cannot be polled as it is configured");
        });
        let mut running = Running {
            entry: wanted,
            config: config.clone(),
            registry: registry.ok(),
            stop: stop.child_token(),
            tasks: JoinSet::new(),
        };
        let Some(registry) = running.registry.clone() else { return running };
        let jobs = Jobs {
            store: self.store.clone(),
            clock: self.clock.clone(),
            registry: registry.clone(),
            entry: entry.clone(),
            wake: self.wake.subscribe(),
        };
        let comparer = Comparer {
            store: self.store.clone(),
            clock: self.clock.clone(),
            registry: registry.clone(),
            entry: entry.clone(),
        };
        let defaults = PollerSettings::default();
        let poller = Poller {
            store: self.store.clone(),
            clock: self.clock.clone(),
            registry,
            entry: entry.clone(),
            policy: Arc::new(config.policy.clone()),
            settings: PollerSettings {
                plan: config.plan.clone(),
                concurrency: running.entry.settings.limits.concurrency,
                owner: self.owner.clone(),
                lease: config.lease.unwrap_or(defaults.lease),
                clock_error: self.clock_error,
                ..defaults
            },
            metrics: self.metrics.clone(),
            wake: self.wake.subscribe(),
        };
        let of = |task| OfTask { registry: entry.name.clone(), task };
        let (poller, jobs, comparer) = (Arc::new(poller), Arc::new(jobs), Arc::new(comparer));
        let start = move |stop| {
            let poller = poller.clone();
            async move { poller.run(stop).await }
        };
        let (clock, metrics) = (&self.clock, &self.metrics);
        running.tasks.spawn(keep(of("poller"), start, clock.clone(), metrics.clone(), running.stop.clone()));
        let start = move |stop| {
            let jobs = jobs.clone();
            async move { jobs.run(stop).await }
        };
        running.tasks.spawn(keep(of("jobs"), start, clock.clone(), metrics.clone(), running.stop.clone()));
        let start = move |stop| {
            let comparer = comparer.clone();
            async move { comparer.run(stop).await }
        };
        running.tasks.spawn(keep(of("comparer"), start, clock.clone(), metrics.clone(), running.stop.clone()));
        running
    }
}

impl Running {
    async fn ended(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// How an entry is reached: as the configuration says, or with docker's credentials where it does not name it.
fn wanted(entry: &RegistryEntry, config: &Checked) -> CheckedRegistry {
    let is_entry = |own: &&CheckedRegistry| own.name == entry.name && own.settings.host == entry.host;
    // Which repositories it serves is the record's business, not the poller's.
    if let Some(own) = config.registries.iter().find(is_entry) {
        return CheckedRegistry { repositories: Vec::new(), ..own.clone() };
    }
    let mut settings = RegistrySettings::new(&entry.host);
    settings.credentials = config.credentials.clone();
    CheckedRegistry { name: entry.name.clone(), repositories: Vec::new(), settings, certificates: Vec::new() }
}

/// Whether pollers work alike by both configurations.
fn is_polled_alike(one: &Checked, other: &Checked) -> bool {
    (&one.plan, &one.lease, &one.policy) == (&other.plan, &other.lease, &other.policy)
}
