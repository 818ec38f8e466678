//! A clock that stands still until a test moves it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tagwarden::clock::Clock;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::observation::{Moment, Mono};
use tagwarden_model::tag::Mark;
use tokio::sync::watch;

/// A [`Clock`] under a test's control. Each reading is 1 µs later than the one before; everything else moves it only by
/// [`FakeClock::advance`], or, in auto-advance mode, by sleeping.
#[derive(Debug)]
pub struct FakeClock {
    state: Mutex<State>,
    /// Carries the present, so that sleepers wake when it moves.
    present: watch::Sender<Mono>,
    /// How many tasks sleep.
    sleepers: watch::Sender<usize>,
    auto_advance: bool,
}

#[derive(Debug)]
struct State {
    mono: Mono,
    /// The wall at `Mono(0)`.
    anchor: Instant,
    generation: i64,
    /// All generations so far with their anchors.
    anchors: Vec<(i64, Instant)>,
    /// Every sleep that was asked for: when, and until when.
    sleeps: Vec<(Mono, Mono)>,
}

impl FakeClock {
    /// A clock that shows `wall` and stands still.
    pub fn new(wall: Instant) -> Self {
        let state = State { mono: Mono(0), anchor: wall, generation: 1, anchors: vec![(1, wall)], sleeps: Vec::new() };
        let (present, sleepers) = (watch::Sender::new(Mono(0)), watch::Sender::new(0));
        Self { state: Mutex::new(state), present, sleepers, auto_advance: false }
    }

    /// A clock on which a sleep jumps to its end at once. Made for one task at a time: with more of them, the one with
    /// the longest sleep drags the others along.
    pub fn auto_advancing(wall: Instant) -> Self {
        Self { auto_advance: true, ..Self::new(wall) }
    }

    /// Moves time on and wakes every sleeper whose time has come.
    pub fn advance(&self, length: Millis) {
        let mut state = self.state();
        state.mono = state.mono.after(length);
        self.present.send_replace(state.mono);
    }

    /// Moves time on to `at`, never back.
    pub fn advance_to(&self, at: Mono) {
        let mut state = self.state();
        state.mono = state.mono.max(at);
        self.present.send_replace(state.mono);
    }

    /// The wall jumps by `length`, as when somebody sets the machine's clock: a new clock generation begins.
    pub fn step_wall(&self, length: Millis) {
        let mut state = self.state();
        state.anchor = state.anchor + length;
        state.generation += 1;
        let step = (state.generation, state.anchor);
        state.anchors.push(step);
    }

    /// The lengths of all sleeps so far, in whole milliseconds, in the order in which they began.
    pub fn sleeps(&self) -> Vec<Millis> {
        let millis = |(from, until): &(Mono, Mono)| Millis((until.0.saturating_sub(from.0).div_ceil(1000)) as i64);
        self.state().sleeps.iter().map(millis).collect()
    }

    /// Returns when at least `count` tasks sleep: then it is time to advance.
    pub async fn until_sleeping(&self, count: usize) {
        let mut sleepers = self.sleepers.subscribe();
        // The sender lives in `self`, so that waiting cannot fail.
        let _ = sleepers.wait_for(|sleeping| *sleeping >= count).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Moment {
        let mut state = self.state();
        state.mono = Mono(state.mono.0 + 1);
        let wall = state.anchor + Millis((state.mono.0 / 1000) as i64);
        Moment { mono: state.mono, mark: Mark { generation: state.generation, wall } }
    }

    fn anchors(&self) -> Vec<(i64, Instant)> {
        self.state().anchors.clone()
    }

    fn sleep_until(&self, at: Mono) -> BoxFuture<'_, ()> {
        async move {
            {
                let mut state = self.state();
                let now = state.mono;
                if at <= now {
                    return;
                }
                state.sleeps.push((now, at));
            }
            if self.auto_advance {
                self.advance_to(at);
                return;
            }
            let _sleeper = Sleeper::new(&self.sleepers);
            let mut present = self.present.subscribe();
            let _ = present.wait_for(|now| *now >= at).await;
        }
        .boxed()
    }
}

/// Counts a sleeping task, also when it is dropped in its sleep.
struct Sleeper<'a>(&'a watch::Sender<usize>);

impl<'a> Sleeper<'a> {
    fn new(sleepers: &'a watch::Sender<usize>) -> Self {
        sleepers.send_modify(|count| *count += 1);
        Self(sleepers)
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_time_has_come_and_not_before() {
        let clock = std::sync::Arc::new(FakeClock::new(Instant(0)));
        let end = clock.now().mono.after(Millis(10));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(end).await }
        });
        clock.until_sleeping(1).await;
        clock.advance(Millis(9));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Millis(1));
        sleeper.await.unwrap();
        assert_eq!(clock.sleeps(), [Millis(10)]);
    }

    #[tokio::test]
    async fn an_auto_advancing_clock_jumps_to_the_end_of_a_sleep() {
        let clock = FakeClock::auto_advancing(Instant(5));
        let end = clock.now().mono.after(Millis::days(1));
        clock.sleep_until(end).await;
        assert!(clock.now().mono > end);
        assert_eq!(clock.now().mark.wall, Instant(5) + Millis::days(1));
    }
}
