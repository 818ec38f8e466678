//! Keeps a poller and a job runner for each registry entry: those of the configuration, and those that people add; and a job
//! runner for hosts that have none.

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
use crate::registry::gate::Origins;
use crate::reload::InForce;
use crate::store::jobs::{JobRequest, NO_ENTRY};
use crate::store::watch::RegistryEntry;
use crate::store::{Actor, Store, StoreError, with_causes};

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
    /// What hosts say of their limits, which all their entries share.
    pub origins: Origins,
}

/// The tasks of one registry entry.
struct Running {
    entry: CheckedRegistry,
    config: Arc<Checked>,
    /// Knows of pauses and tokens, and so outlives its tasks where only they change.
    registry: Option<Arc<HttpRegistry>>,
    tasks: Tasks,
}

/// Tasks that are stopped together.
struct Tasks {
    stop: CancellationToken,
    set: JoinSet<()>,
}

impl Registries {
    /// Runs until `stop`, and until all tasks have ended then.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut applied = self.configuration.borrow_and_update().config.clone();
        let mut wake = self.wake.subscribe();
        let mut running = BTreeMap::new();
        let mut strangers = self.strangers(&applied, &stop);
        let refresh = PollerSettings::default().refresh;
        loop {
            let newest = self.configuration.borrow_and_update().config.clone();
            if !Arc::ptr_eq(&newest, &applied) {
                match apply(&self.store, &newest, self.clock.now().mark.wall).await {
                    Ok(()) => {
                        applied = newest;
                        strangers.ended().await;
                        strangers = self.strangers(&applied, &stop);
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
        strangers.ended().await;
        for mut running in running.into_values() {
            running.tasks.ended().await;
        }
    }

    /// Looks at hosts that have no entry; one that is only looked at gets none.
    fn strangers(&self, config: &Arc<Checked>, stop: &CancellationToken) -> Tasks {
        let mut tasks = Tasks::new(stop);
        let (known, clock, origins) = (config.clone(), self.clock.clone(), self.origins.clone());
        let reach = move |host: &str| {
            // It may have got one while the job waited.
            let own = known.registries.iter().find(|own| own.settings.host == host);
            let settings = own.map_or_else(|| stranger(host, &known), |own| own.settings.clone());
            HttpRegistry::new(limited(settings, &origins), clock.clone())
                .map(Arc::new)
                .map_err(|error| with_causes(&error))
        };
        let jobs = Arc::new(Jobs {
            store: self.store.clone(),
            clock: self.clock.clone(),
            reach: Box::new(reach),
            entry: NO_ENTRY,
            policy: Arc::new(config.policy.clone()),
            wake: self.wake.subscribe(),
        });
        let start = move |stop| {
            let jobs = jobs.clone();
            async move { jobs.run(stop).await }
        };
        self.spawn(&mut tasks, OfTask { registry: String::new(), task: "looks" }, start);
        tasks
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(
        &self,
        tasks: &mut Tasks,
        of: OfTask,
        start: impl Fn(CancellationToken) -> F + Send + Sync + 'static,
    ) {
        tasks.set.spawn(keep(of, start, self.clock.clone(), self.metrics.clone(), tasks.stop.clone()));
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
                Some(mut known) => {
                    tracing::info!(registry = entry.name, "polled anew: its configuration changed");
                    let same_registry = known.entry == wanted;
                    let registry = known.registry.clone().filter(|_| same_registry);
                    // The lease is given back before it is taken again.
                    known.tasks.ended().await;
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
        for mut gone in before.into_values() {
            tracing::info!(registry = gone.entry.name, "not polled any more: no configuration names it");
            gone.tasks.ended().await;
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
        &self,
        entry: &RegistryEntry,
        wanted: CheckedRegistry,
        registry: Option<Arc<HttpRegistry>>,
        config: &Arc<Checked>,
        stop: &CancellationToken,
    ) -> Running {
        let made =
            || HttpRegistry::new(limited(wanted.settings.clone(), &self.origins), self.clock.clone()).map(Arc::new);
        let registry = registry.map_or_else(made, Ok);
        let registry = registry.map_err(|error| {
            tracing::error!(registry = entry.name, %error, "this registry cannot be polled as it is configured");
        });
        let mut running =
            Running { entry: wanted, config: config.clone(), registry: registry.ok(), tasks: Tasks::new(stop) };
        let Some(registry) = running.registry.clone() else { return running };
        let policy = Arc::new(config.policy.clone());
        let jobs = Jobs {
            store: self.store.clone(),
            clock: self.clock.clone(),
            reach: Box::new({
                let registry = registry.clone();
                move |_| Ok(registry.clone())
            }),
            entry: entry.id,
            policy: policy.clone(),
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
            policy,
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
        self.spawn(&mut running.tasks, of("poller"), start);
        let start = move |stop| {
            let jobs = jobs.clone();
            async move { jobs.run(stop).await }
        };
        self.spawn(&mut running.tasks, of("jobs"), start);
        let start = move |stop| {
            let comparer = comparer.clone();
            async move { comparer.run(stop).await }
        };
        self.spawn(&mut running.tasks, of("comparer"), start);
        running
    }
}

impl Tasks {
    fn new(stop: &CancellationToken) -> Self {
        Self { stop: stop.child_token(), set: JoinSet::new() }
    }

    async fn ended(&mut self) {
        self.stop.cancel();
        while self.set.join_next().await.is_some() {}
    }
}

/// How an entry is reached: as the configuration says, or with docker's credentials where it does not name it.
fn wanted(entry: &RegistryEntry, config: &Checked) -> CheckedRegistry {
    let is_entry = |own: &&CheckedRegistry| own.name == entry.name && own.settings.host == entry.host;
    // Which repositories it serves is the record's business, not the poller's.
    if let Some(own) = config.registries.iter().find(is_entry) {
        return CheckedRegistry { repositories: Vec::new(), ..own.clone() };
    }
    let settings = stranger(&entry.host, config);
    CheckedRegistry { name: entry.name.clone(), repositories: Vec::new(), settings, certificates: Vec::new() }
}

/// How a host is reached that the configuration does not name.
fn stranger(host: &str, config: &Checked) -> RegistrySettings {
    RegistrySettings { credentials: config.credentials.clone(), ..RegistrySettings::new(host) }
}

/// All who ask a host share what it says of its limits.
fn limited(settings: RegistrySettings, origins: &Origins) -> RegistrySettings {
    match settings.base() {
        Ok(base) => RegistrySettings { host_limits: origins.limits(base.origin().ascii_serialization()), ..settings },
        Err(_) => settings,
    }
}

/// Whether pollers work alike by both configurations.
fn is_polled_alike(one: &Checked, other: &Checked) -> bool {
    (&one.plan, &one.lease, &one.policy) == (&other.plan, &other.lease, &other.policy)
}
