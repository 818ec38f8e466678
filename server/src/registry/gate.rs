//! What every request of one registry passes first: concurrency, request budget, the pause after a 429, and the circuit
//! that opens after repeated failure.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tagwarden_model::instant::Millis;
use tagwarden_model::observation::Mono;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::RegistryError;
use super::retry::LONGEST;
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

/// Lets requests through, one [`Pass`] each.
pub struct Gate {
    clock: SharedClock,
    limits: Limits,
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// End and cause of the pause.
    pause: Option<(Mono, String)>,
    /// 429s without a word about the wait, since the last answer of another kind.
    unexplained: u32,
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
    /// A gate that is open.
    pub fn new(limits: Limits, clock: SharedClock) -> Self {
        let permits = Semaphore::new(limits.concurrency.clamp(1, 1000));
        Self { clock, limits, permits, state: Mutex::default() }
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
        let mut state = self.state();
        if let Some((retry_at, message)) = state.pause.as_ref().filter(|(until, _)| now < *until) {
            return Err(RegistryError::RateLimited { retry_at: *retry_at, message: message.clone() });
        }
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

    /// Begins the pause that a 429 asks for, for all requests of this registry; the longest of several counts.
    pub fn pause(&self, asked: Option<Millis>, message: String) -> RegistryError {
        let now = self.clock.now().mono;
        let mut state = self.state();
        let length = asked.unwrap_or_else(|| doubled(self.limits.pause_first, state.unexplained, LONGEST));
        // Requests that were in flight together get their 429s together: those count as one.
        if asked.is_none() && state.pause.as_ref().is_none_or(|(until, _)| *until <= now) {
            state.unexplained = state.unexplained.saturating_add(1);
        }
        let mut retry_at = now.after(length);
        if let Some((until, _)) = &state.pause {
            retry_at = retry_at.max(*until);
        }
        state.pause = Some((retry_at, message.clone()));
        state.failures = 0;
        RegistryError::RateLimited { retry_at, message }
    }

    /// Takes note of how a call ended, for the circuit.
    pub fn record(&self, error: Option<&RegistryError>) {
        let now = self.clock.now().mono;
        let mut state = self.state();
        let failed = matches!(error, Some(RegistryError::Unreachable { .. } | RegistryError::Server { .. }));
        let (true, Some(error)) = (failed, error) else {
            state.failures = 0;
            state.open_for = Millis(0);
            state.unexplained = 0;
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
