//! A clock that stands still until a test steps it.

use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use tagwarden::clock::Clock;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::observation::{Moment, Mono};
use tagwarden_model::tag::Mark;
use tokio::sync::watch;

/// What it says first: 2026-11-23T12:00:00Z.
pub const START: Instant = Instant(1_795_435_200_000);

/// The clock. Readings in between steps differ by a microsecond each.
pub struct StepClock {
    micros: watch::Sender<u64>,
    readings: AtomicU64,
}

impl StepClock {
    /// A clock at [`START`].
    pub fn new() -> Self {
        Self { micros: watch::Sender::new(0), readings: AtomicU64::new(0) }
    }

    /// Moves the clock on and wakes who waits for that.
    pub fn step(&self, length: Millis) {
        self.micros.send_modify(|micros| *micros += length.0 as u64 * 1000);
    }
}

impl Default for StepClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for StepClock {
    fn now(&self) -> Moment {
        let micros = *self.micros.borrow();
        let mono = Mono(micros + self.readings.fetch_add(1, Ordering::Relaxed));
        Moment { mono, mark: Mark { generation: 1, wall: START + Millis(micros as i64 / 1000) } }
    }

    fn sleep_until(&self, at: Mono) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut micros = self.micros.subscribe();
            let _ = micros.wait_for(|micros| *micros >= at.0).await;
        })
    }

    fn anchors(&self) -> Vec<(i64, Instant)> {
        vec![(1, START)]
    }
}
