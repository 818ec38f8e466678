//! A clock that stands still until a test moves it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tagwarden::clock::Clock;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::observation::{Moment, Mono};
use tagwarden_model::tag::Mark;
use tokio::sync::watch;

/// A [`Clock`] under a test's control. Each reading is 1 µs later than the one before; everything else moves it only by
/// [`FakeClock::advance`], by [`FakeClock::run_until`], or, in auto-advance mode, by sleeping.
#[derive(Debug)]
pub struct FakeClock {
    state: Mutex<State>,
    /// Carries the present, so that sleepers wake when it moves.
    present: watch::Sender<Mono>,
    /// Says that somebody fell asleep, woke, or began or ended work.
    stirred: watch::Sender<()>,
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
    /// Until when those sleep that sleep now, by the number of the sleep.
    asleep: BTreeMap<u64, Mono>,
    last_sleep: u64,
    /// How many [`Worker`]s there are.
    workers: usize,
}

/// Somebody whose work takes no time on this clock: [`FakeClock::run_until`] moves it only while all workers sleep.
#[derive(Debug)]
pub struct Worker(Arc<FakeClock>);

impl FakeClock {
    /// A clock that shows `wall` and stands still.
    pub fn new(wall: Instant) -> Self {
        let state = State {
            mono: Mono(0),
            anchor: wall,
            generation: 1,
            anchors: vec![(1, wall)],
            sleeps: Vec::new(),
            asleep: BTreeMap::new(),
            last_sleep: 0,
            workers: 0,
        };
        let (present, stirred) = (watch::Sender::new(Mono(0)), watch::Sender::new(()));
        Self { state: Mutex::new(state), present, stirred, auto_advance: false }
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
        let mut stirred = self.stirred.subscribe();
        // The sender lives in `self`, so that waiting cannot fail.
        let _ = stirred.wait_for(|()| self.state().asleep.len() >= count).await;
    }

    /// Takes part in [`FakeClock::run_until`] until it is dropped.
    pub fn worker(self: &Arc<Self>) -> Worker {
        self.state().workers += 1;
        self.stirred.send_replace(());
        Worker(self.clone())
    }

    /// Lets time pass until `end`: whenever all workers sleep it jumps to the end of the shortest sleep, so that hours of
    /// waiting take no time and no work is overtaken. For a runtime of one thread.
    pub async fn run_until(&self, end: Mono) {
        let mut stirred = self.stirred.subscribe();
        loop {
            let _ = stirred.wait_for(|()| self.state().all_sleep()).await;
            // Whoever was spawned or woken by the last one to fall asleep has its turn before time passes.
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            let mut state = self.state();
            if !state.all_sleep() {
                continue;
            }
            // Readings move time, too: it stands still until those have woken who slept until less than that.
            let next = state.asleep.values().min().map_or(end, |at| end.min(*at));
            state.mono = state.mono.max(next);
            self.present.send_replace(state.mono);
            if state.mono >= end {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn all_sleep(&self) -> bool {
        self.asleep.len() >= self.workers
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.state().workers -= 1;
        self.0.stirred.send_replace(());
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
            let _sleeper = Sleeper::new(self, at);
            let mut present = self.present.subscribe();
            let _ = present.wait_for(|now| *now >= at).await;
        }
        .boxed()
    }
}

/// Counts a sleeping task, also when it is dropped in its sleep.
struct Sleeper<'a>(&'a FakeClock, u64);

impl<'a> Sleeper<'a> {
    fn new(clock: &'a FakeClock, until: Mono) -> Self {
        let number = {
            let mut state = clock.state();
            state.last_sleep += 1;
            let number = state.last_sleep;
            state.asleep.insert(number, until);
            number
        };
        clock.stirred.send_replace(());
        Self(clock, number)
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.0.state().asleep.remove(&self.1);
        self.0.stirred.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_time_has_come_and_not_before() {
        let clock = Arc::new(FakeClock::new(Instant(0)));
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

    #[tokio::test]
    async fn time_runs_only_while_all_workers_sleep() {
        let clock = Arc::new(FakeClock::new(Instant(0)));
        let end = clock.now().mono.after(Millis::hours(1));
        let sleeper = |every: Millis| {
            let (clock, worker) = (clock.clone(), clock.worker());
            tokio::spawn(async move {
                let _worker = worker;
                let mut wakings = 0;
                while clock.now().mono < end {
                    clock.sleep_until(clock.now().mono.after(every)).await;
                    // Work that gives way to others still takes no time.
                    let now = clock.now().mark;
                    tokio::task::yield_now().await;
                    assert_eq!(clock.now().mark, now);
                    wakings += 1;
                }
                wakings
            })
        };
        let (fast, slow) = (sleeper(Millis::seconds(1)), sleeper(Millis::minutes(10)));
        clock.run_until(end.after(Millis::minutes(10))).await;
        assert_eq!((fast.await.unwrap(), slow.await.unwrap()), (3600, 6));
    }
}
