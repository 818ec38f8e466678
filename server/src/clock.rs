//! The one clock: every instant and every wait of the server comes from here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::observation::{Moment, Mono};
use tagwarden_model::tag::Mark;

/// Tells the time and waits. Real in the server, stepped in tests and in the demo.
pub trait Clock: Send + Sync + 'static {
    /// Now. Two readings are never equal: the later one has the larger `mono`.
    fn now(&self) -> Moment;

    /// Returns when `now().mono` has reached `at`.
    fn sleep_until(&self, at: Mono) -> BoxFuture<'_, ()>;

    /// The generations of this process, oldest first, each with what the wall said at `Mono(0)`. The difference of two is
    /// the exact length of the step between them.
    fn anchors(&self) -> Vec<(i64, Instant)>;
}

/// A clock that many tasks share.
pub type SharedClock = Arc<dyn Clock>;

/// A step of the wall clock larger than this begins a new generation (RECORD.md 4.6).
const STEP: Millis = Millis::seconds(2);

/// The machine's clock: the wall is read once and carried on by the monotonic clock, so that small corrections of the
/// wall never turn two instants around. A step of more than two seconds begins a new generation.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
    state: Mutex<Anchors>,
    /// Added to the machine's wall: what the clock that rules says beyond it.
    shift: Millis,
}

#[derive(Debug)]
struct Anchors {
    /// The last reading.
    last: u64,
    /// Every generation of this process and the wall at `Mono(0)` in it; never empty.
    steps: Vec<(i64, Instant)>,
}

impl SystemClock {
    /// A clock whose first readings belong to `generation`: one more than any generation stored so far.
    pub fn new(generation: i64) -> Self {
        Self::shifted(generation, Millis(0))
    }

    /// A clock that is `shift` ahead of the machine's: where several servers share a database, its clock rules.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn shifted(generation: i64, shift: Millis) -> Self {
        let state = Mutex::new(Anchors::new(generation, wall() + shift));
        Self { started: std::time::Instant::now(), state, shift }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock: of two threads, the one that gets the later `mono` has also read the clock later.
        state.read(micros(self.started.elapsed()), wall() + self.shift)
    }

    fn anchors(&self) -> Vec<(i64, Instant)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).steps.clone()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn sleep_until(&self, at: Mono) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // `now` may run ahead of the machine by the microseconds it adds to equal readings; never behind.
            while let Some(left) = at.0.checked_sub(self.now().mono.0).filter(|left| *left > 0) {
                tokio::time::sleep(Duration::from_micros(left)).await;
            }
        })
    }
}

impl Anchors {
    fn new(generation: i64, anchor: Instant) -> Self {
        Self { last: 0, steps: vec![(generation, anchor)] }
    }

    /// One reading, given the microseconds since the start and the wall.
    fn read(&mut self, elapsed: u64, wall: Instant) -> Moment {
        self.last = elapsed.max(self.last + 1);
        let since_start = Millis(i64::try_from(self.last / 1000).unwrap_or(i64::MAX));
        let (mut generation, mut anchor) = self.steps.last().copied().unwrap_or_default();
        let ahead = wall - (anchor + since_start);
        if ahead.0.saturating_abs() > STEP.0 {
            (generation, anchor) = (generation + 1, wall - since_start);
            self.steps.push((generation, anchor));
        }
        Moment { mono: Mono(self.last), mark: Mark { generation, wall: anchor + since_start } }
    }
}

/// What the machine's wall says; before 1970 counts as 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn wall() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant(1_700_000_000_000);

    #[test]
    fn no_two_readings_are_equal() {
        let mut anchors = Anchors::new(7, START);
        let readings = [10, 10, 10, 9, 12].map(|elapsed| anchors.read(elapsed, START).mono.0);
        assert_eq!(readings, [10, 11, 12, 13, 14]);
    }

    #[test]
    fn a_small_correction_of_the_wall_changes_nothing() {
        let mut anchors = Anchors::new(7, START);
        let moment = anchors.read(5_000_000, START + Millis(5000 - 2000));
        assert_eq!(moment.mark, Mark { generation: 7, wall: START + Millis(5000) });
        assert_eq!(anchors.steps.len(), 1);
    }

    #[test]
    fn a_step_of_the_wall_begins_a_generation_with_its_anchor() {
        for step in [Millis(2001), Millis::hours(-1)] {
            let mut anchors = Anchors::new(7, START);
            anchors.read(1_000_000, START + Millis(1000));
            let moment = anchors.read(5_000_000, START + Millis(5000) + step);
            assert_eq!(moment.mark, Mark { generation: 8, wall: START + Millis(5000) + step });
            assert_eq!(anchors.steps, [(7, START), (8, START + step)]);
            assert_eq!(anchors.read(6_000_000, START + Millis(6000) + step).mark.generation, 8);
        }
    }

    #[tokio::test]
    async fn a_sleep_ends_when_the_clock_has_reached_its_end() {
        let clock = SystemClock::new(1);
        let end = clock.now().mono.after(Millis(20));
        clock.sleep_until(end).await;
        assert!(clock.now().mono >= end);
        clock.sleep_until(end).await;
        assert_eq!(clock.anchors().len(), 1);
    }
}
