//! What every request of one registry entry passes first: concurrency, request budget, the pause after a 429, and the circuit
//! that opens after repeated failure. The pause is the host's: all entries of a host keep it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tagwarden_model::instant::Millis;
use tagwarden_model::observation::Mono;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::RegistryError;
use super::allowance::Allowance;
use super::retry::LONGEST;
use super::transport::To;
use crate::clock::SharedClock;

/// The limits of one registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Requests in flight at the same time, at least 1.
    pub concurrency: usize,
    /// The request budget, if it is limited; a second's worth may be sent at once.
    pub requests_per_second: Option<f64>,
    /// Calls that have to fail one after the other until the circuit opens.
    pub failures_to_open: u32,
    /// How long the circuit first stays open; twice as long after each failed probe.
    pub circuit_first: Millis,
    /// How long the circuit stays open at most.
    pub circuit_longest: Millis,
    /// The pause after a first 429 that does not say how long; twice as long after each further one.
    pub pause_first: Millis,
}

impl Limits {
    /// The defaults for a host. Docker Hub counts every request against a shared limit.
    pub fn of_host(host: &str) -> Self {
        Self {
            concurrency: if host == "docker.io" { 2 } else { 4 },
            requests_per_second: None,
            failures_to_open: 5,
            circuit_first: Millis::seconds(1),
            circuit_longest: Millis::minutes(1),
            pause_first: Millis::seconds(5),
        }
    }
}

/// What a host said of its limits: shared by all entries that ask it.
#[derive(Default)]
pub struct HostLimits {
    said: Mutex<Said>,
}

/// Hosts whose limits are known are at most so many, or as many as are asked just now.
const MOST_ORIGINS: usize = 1_000;

/// What hosts say of their limits, by the origin that is asked, which a mirror's URL may say. Clones share it.
#[derive(Clone, Default)]
pub struct Origins(Arc<Mutex<BTreeMap<String, Arc<HostLimits>>>>);

impl Origins {
    /// What the host behind this origin says, shared by all who ask it.
    pub fn limits(&self, origin: String) -> Arc<HostLimits> {
        let mut origins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if origins.len() >= MOST_ORIGINS {
            origins.retain(|_, limits| Arc::strong_count(limits) > 1);
        }
        origins.entry(origin).or_default().clone()
    }
}

impl PartialEq for HostLimits {
    /// What a host said is no part of how it is configured.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Default)]
struct Said {
    pause: Pause,
    /// Until when no more GETs of manifests are sent, and why.
    spent: Option<(Mono, String)>,
    allowance: Option<Allowance>,
}

/// A pause that a 429 began.
#[derive(Default)]
struct Pause {
    until: Mono,
    /// What was said.
    message: String,
    /// 429s without a word about the wait, since the last answer of another kind.
    unexplained: u32,
}

/// Lets requests through, one [`Pass`] each.
pub struct Gate {
    clock: SharedClock,
    limits: Limits,
    host: Arc<HostLimits>,
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What a token service asked for counts for this entry alone: others may have other credentials.
    pause: Pause,
    /// Failed calls since the last one that did not fail.
    failures: u32,
    /// What failed last.
    last_failure: String,
    /// Until when nothing is sent, once `failures` are too many.
    open_until: Mono,
    /// How long the circuit was opened last.
    open_for: Millis,
    /// Whether one request is finding out if the registry is back.
    probing: bool,
    /// When the budget allows the next request.
    next_slot: Mono,
}

/// The right to send one request now; it ends when it is dropped.
pub struct Pass<'a> {
    gate: &'a Gate,
    probe: bool,
    _permit: Option<SemaphorePermit<'a>>,
}

impl Gate {
    /// A gate that is open, unless its host is pausing.
    pub fn new(limits: Limits, host: Arc<HostLimits>, clock: SharedClock) -> Self {
        let permits = Semaphore::new(limits.concurrency.clamp(1, 1000));
        Self { clock, limits, host, permits, state: Mutex::default() }
    }

    /// Waits for a place and for the budget. Fails at once during a pause and while the circuit is open.
    pub async fn enter(&self) -> Result<Pass<'_>, RegistryError> {
        self.check(false)?;
        // The semaphore is never closed, so that there always is a permit.
        let permit = self.permits.acquire().await.ok();
        self.wait_for_budget().await;
        // The wait may have been long: what was learned in the meantime counts.
        let probe = self.check(true)?;
        Ok(Pass { gate: self, probe, _permit: permit })
    }

    /// Whether the next request is the circuit's probe, which `take` then takes; an error while nothing may be sent.
    fn check(&self, take: bool) -> Result<bool, RegistryError> {
        let now = self.clock.now().mono;
        self.host.said().pause.check(now)?;
        let mut state = self.state();
        state.pause.check(now)?;
        if state.failures < self.limits.failures_to_open {
            return Ok(false);
        }
        if now < state.open_until || state.probing {
            let (failures, last) = (state.failures, &state.last_failure);
            let message = format!("nothing was sent, because the last {failures} requests failed: {last}");
            return Err(RegistryError::Unreachable { message });
        }
        state.probing = take;
        Ok(true)
    }

    async fn wait_for_budget(&self) {
        let Some(rate) = self.limits.requests_per_second.filter(|rate| *rate > 0.0) else { return };
        let interval = (1e6 / rate) as u64;
        let slot = {
            let now = self.clock.now().mono;
            let mut state = self.state();
            // A second without requests may be made up for, not more.
            let slot = state.next_slot.max(Mono(now.0.saturating_sub(1_000_000u64.saturating_sub(interval))));
            state.next_slot = Mono(slot.0.saturating_add(interval));
            slot
        };
        self.clock.sleep_until(slot).await;
    }

    /// Begins the pause that a 429 asks for: for all requests to the registry's host, or, where the token service asks for it,
    /// for all requests of this entry. The longest of several counts.
    pub fn pause(&self, by: To, asked: Option<Millis>, message: String) -> RegistryError {
        let now = self.clock.now().mono;
        let mut state = self.state();
        state.failures = 0;
        match by {
            To::Registry => self.host.said().pause.begin(now, asked, self.limits.pause_first, message),
            To::TokenService => state.pause.begin(now, asked, self.limits.pause_first, message),
        }
    }

    /// Takes note of what the registry allows. Less than a tenth is left to people and to other programs.
    pub fn allow(&self, allowance: Allowance) {
        let now = self.clock.now().mono;
        let Allowance { limit, remaining, window } = allowance;
        let mut said = self.host.said();
        said.allowance = Some(allowance);
        said.spent = (u64::from(remaining) * 10 < u64::from(limit)).then(|| {
            let message = format!("{remaining} of {limit} that the registry allows are left");
            (now.after(Millis(window.0 / 10)), message)
        });
    }

    /// Whether a GET of a manifest may be sent, as far as the registry's allowance goes.
    pub fn may_get(&self) -> Result<(), RegistryError> {
        let now = self.clock.now().mono;
        match &self.host.said().spent {
            Some((retry_at, message)) if now < *retry_at => {
                Err(RegistryError::Spent { retry_at: *retry_at, message: message.clone() })
            }
            _ => Ok(()),
        }
    }

    /// A GET of a manifest was refused by 429. Where the registry counts only those, everything else goes on; `None` where
    /// it never said so.
    pub fn spend(&self, asked: Option<Millis>, message: &str) -> Option<RegistryError> {
        let now = self.clock.now().mono;
        let mut said = self.host.said();
        let window = said.allowance?.window;
        let retry_at = now.after(asked.unwrap_or(Millis(window.0 / 10)));
        said.spent = Some((retry_at, message.to_owned()));
        Some(RegistryError::Spent { retry_at, message: message.to_owned() })
    }

    /// What the registry's host allows, as it said last.
    pub fn allowance(&self) -> Option<Allowance> {
        self.host.said().allowance
    }

    /// Takes note of how a call ended, for the circuit.
    pub fn record(&self, error: Option<&RegistryError>) {
        let now = self.clock.now().mono;
        let mut state = self.state();
        let failed = matches!(error, Some(RegistryError::Unreachable { .. } | RegistryError::Server { .. }));
        let (true, Some(error)) = (failed, error) else {
            state.failures = 0;
            state.open_for = Millis(0);
            state.pause.unexplained = 0;
            self.host.said().pause.unexplained = 0;
            return;
        };
        state.failures = state.failures.saturating_add(1);
        state.last_failure = error.to_string();
        // A request that was sent before the circuit opened does not prolong it.
        if state.failures >= self.limits.failures_to_open && state.open_until <= now {
            let again = Millis(state.open_for.0.saturating_mul(2));
            state.open_for = again.max(self.limits.circuit_first).min(self.limits.circuit_longest);
            state.open_until = now.after(state.open_for);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HostLimits {
    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pause {
    fn check(&self, now: Mono) -> Result<(), RegistryError> {
        if now < self.until { Err(self.error()) } else { Ok(()) }
    }

    fn begin(&mut self, now: Mono, asked: Option<Millis>, first: Millis, message: String) -> RegistryError {
        let length = asked.unwrap_or_else(|| doubled(first, self.unexplained, LONGEST));
        // Requests that were in flight together get their 429s together: those count as one.
        if asked.is_none() && self.until <= now {
            self.unexplained = self.unexplained.saturating_add(1);
        }
        self.until = self.until.max(now.after(length));
        self.message = message;
        self.error()
    }

    fn error(&self) -> RegistryError {
        RegistryError::RateLimited { retry_at: self.until, message: self.message.clone() }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.probe {
            self.gate.state().probing = false;
        }
    }
}

fn doubled(first: Millis, times: u32, longest: Millis) -> Millis {
    Millis(first.0.saturating_mul(1 << times.min(20))).min(longest)
}
