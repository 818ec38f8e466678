//! What `/metrics` tells: counters and gauges of this process, in a registry of its own, so that two servers in one process
//! do not mix.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::instant::Instant;

/// The metrics. Cheap to clone; every clone counts into the same registry.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    last_complete: Arc<Mutex<BTreeMap<String, Instant>>>,
    since_complete: Family<OfRegistry, Gauge>,
    /// HTTP requests by method, route and status.
    pub requests: Family<OfRequest, Counter>,
    /// How long a route took to begin its answer, in seconds.
    pub durations: Family<OfRoute, Histogram>,
    /// Connections of clients that are open now.
    pub connections: Gauge,
    /// Readers of the live stream that are connected now.
    pub live_readers: Gauge,
    /// Checks of tags by registry and result.
    pub checks: Family<OfCheck, Counter>,
    /// Passes by registry and whether they were complete.
    pub passes: Family<OfPass, Counter>,
    /// Recorded events by kind.
    pub events: Family<OfEvent, Counter>,
    /// Tasks that panicked and were started again.
    pub panics: Family<OfTask, Counter>,
    /// Flags that are open, by severity.
    pub open_flags: Family<OfSeverity, Gauge>,
    rate_limit: Family<OfRegistry, Gauge>,
    rate_limit_remaining: Family<OfRegistry, Gauge>,
}

/// Labels of an HTTP request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfRequest {
    /// The method, or `other`.
    pub method: &'static str,
    /// The route's pattern, or `page` for all that is no route.
    pub route: String,
    /// The status code.
    pub status: u16,
}

/// Label of a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfRoute {
    /// The route's pattern, or `page`.
    pub route: String,
}

/// Label of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfRegistry {
    /// Name of the registry entry.
    pub registry: String,
}

/// Labels of a check.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfCheck {
    /// Name of the registry entry.
    pub registry: String,
    /// `present`, `not_modified`, `absent`, or the word of an `Unknown`.
    pub result: &'static str,
}

/// Labels of a pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfPass {
    /// Name of the registry entry.
    pub registry: String,
    /// Whether every tag of the band was observed.
    pub complete: bool,
}

/// Labels of a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfTask {
    /// Name of the registry entry; empty where the task is of no registry.
    pub registry: String,
    /// `poller`, `jobs`, `comparer` or `notifier`.
    pub task: &'static str,
}

/// Label of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfEvent {
    /// What happened.
    pub kind: Word<EventKind>,
}

/// Label of flags.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OfSeverity {
    /// How bad.
    pub severity: Word<Severity>,
}

/// An enumeration of the model as a label value: its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Word<T>(pub T);

impl<T: std::fmt::Display + std::fmt::Debug> prometheus_client::encoding::EncodeLabelValue for Word<T> {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        use std::fmt::Write as _;
        write!(encoder, "{}", self.0)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics that start at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("tagwarden");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", version);
        let requests = Family::default();
        registry.register("http_requests", "HTTP requests by method, route and status", requests.clone());
        let durations = Family::new_with_constructor(request_times as fn() -> Histogram);
        let help = "Time until the answer began, by route";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, durations.clone());
        let connections = Gauge::default();
        registry.register("http_connections", "Connections of clients", connections.clone());
        let live_readers = Gauge::default();
        registry.register("live_readers", "Readers of the live stream", live_readers.clone());
        let checks = Family::default();
        registry.register("checks", "Checks of tags by registry and result", checks.clone());
        let passes = Family::default();
        registry.register("passes", "Passes over a band by registry and completeness", passes.clone());
        let events = Family::default();
        registry.register("events", "Recorded events by kind", events.clone());
        let panics = Family::default();
        registry.register("panics", "Tasks that panicked and were started again, by registry and task", panics.clone());
        let open_flags = Family::default();
        registry.register("open_flags", "Open flags by severity", open_flags.clone());
        let since_complete = Family::default();
        let help = "Time since the start of the newest complete pass, by registry";
        registry.register_with_unit("since_complete_pass", help, Unit::Seconds, since_complete.clone());
        let rate_limit = Family::default();
        let help = "Counted requests that the registry allows in its window, as it said last";
        registry.register("registry_rate_limit", help, rate_limit.clone());
        let rate_limit_remaining = Family::default();
        let help = "Counted requests that were left in the registry's window, as it said last";
        registry.register("registry_rate_limit_remaining", help, rate_limit_remaining.clone());
        let registry = Arc::new(registry);
        let last_complete = Arc::default();
        Self {
            registry,
            last_complete,
            since_complete,
            requests,
            durations,
            connections,
            live_readers,
            checks,
            passes,
            events,
            panics,
            open_flags,
            rate_limit,
            rate_limit_remaining,
        }
    }

    /// Notes what a registry says that it allows and how much of it is left.
    pub fn allowance(&self, registry: &str, limit: u32, remaining: u32) {
        let of = OfRegistry { registry: registry.to_owned() };
        self.rate_limit.get_or_create(&of).set(limit.into());
        self.rate_limit_remaining.get_or_create(&of).set(remaining.into());
    }

    /// Notes that a complete pass over a band of this registry entry started then.
    pub fn complete_pass(&self, registry: &str, started: Instant) {
        let mut last = self.last_complete.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = last.entry(registry.to_owned()).or_insert(started);
        *newest = started.max(*newest);
    }

    /// The OpenMetrics text (<https://openmetrics.io>) as of `now`.
    pub fn text(&self, now: Instant) -> Result<String, std::fmt::Error> {
        for (registry, started) in &*self.last_complete.lock().unwrap_or_else(PoisonError::into_inner) {
            let of = OfRegistry { registry: registry.clone() };
            self.since_complete.get_or_create(&of).set((now - *started).0 / 1000);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// From a read of a small page to a job that was waited for.
fn request_times() -> Histogram {
    Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_shows_what_was_counted() {
        let metrics = Metrics::new();
        metrics.events.get_or_create(&OfEvent { kind: Word(EventKind::Moved) }).inc();
        metrics.open_flags.get_or_create(&OfSeverity { severity: Word(Severity::Critical) }).set(2);
        metrics.passes.get_or_create(&OfPass { registry: "ghcr.io".into(), complete: true }).inc();
        metrics.complete_pass("ghcr.io", Instant(1_000));
        metrics.complete_pass("ghcr.io", Instant(500));
        metrics.allowance("docker.io", 100, 98);
        let text = metrics.text(Instant(31_000)).unwrap();
        for line in [
            "tagwarden_events_total{kind=\"moved\"} 1",
            "tagwarden_open_flags{severity=\"critical\"} 2",
            "tagwarden_passes_total{registry=\"ghcr.io\",complete=\"true\"} 1",
            "tagwarden_since_complete_pass_seconds{registry=\"ghcr.io\"} 30",
            "tagwarden_registry_rate_limit{registry=\"docker.io\"} 100",
            "tagwarden_registry_rate_limit_remaining{registry=\"docker.io\"} 98",
            "# EOF",
        ] {
            assert!(text.lines().any(|is| is == line), "{line} is missing in\n{text}");
        }
    }
}
