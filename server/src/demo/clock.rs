//! The story's clock: it starts a year ago, is stepped to the present, and then runs as the machine's does.

use futures::future::BoxFuture;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::observation::{Moment, Mono};
use tagwarden_model::tag::Mark;
use tokio::sync::watch;

use crate::clock::{Clock, SystemClock};

/// The machine's clock, set back by some time that is made up for in steps. To everybody who asks it, a step is time that
/// passed, so the monotonic clock steps with the wall and no clock generation begins.
pub struct StoryClock {
    machine: SystemClock,
    /// How far it was set back.
    back: Millis,
    /// How much of that was made up for.
    stepped: watch::Sender<Millis>,
}

impl StoryClock {
    /// A clock that is `back` behind the machine's.
    pub fn new(back: Millis) -> Self {
        let machine = SystemClock::shifted(1, Millis(-back.0));
        Self { machine, back, stepped: watch::Sender::new(Millis(0)) }
    }

    /// Steps on to `at`, but never back and never past the present.
    pub fn step_to(&self, at: Instant) {
        let wall = self.now().mark.wall;
        self.stepped.send_if_modified(|stepped| {
            let further = (at - wall).clamp(Millis(0), Millis(self.back.0 - stepped.0));
            *stepped = *stepped + further;
            further > Millis(0)
        });
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Moment {
        let stepped = *self.stepped.borrow();
        let Moment { mono, mark } = self.machine.now();
        Moment { mono: mono.after(stepped), mark: Mark { wall: mark.wall + stepped, ..mark } }
    }

    fn sleep_until(&self, at: Mono) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut stepped = self.stepped.subscribe();
            loop {
                let made_up = stepped.borrow_and_update().0.unsigned_abs().saturating_mul(1000);
                tokio::select! {
                    () = self.machine.sleep_until(Mono(at.0.saturating_sub(made_up))) => return,
                    // The sender lives in `self`, so that waiting cannot fail.
                    _ = stepped.changed() => {}
                }
            }
        })
    }

    fn anchors(&self) -> Vec<(i64, Instant)> {
        self.machine.anchors()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_step_is_time_that_passed_for_sleepers_too_and_ends_at_the_present() {
        let clock = Arc::new(StoryClock::new(Millis::days(365)));
        let began = clock.now();
        let sleeper = tokio::spawn({
            let (clock, end) = (clock.clone(), began.mono.after(Millis::hours(1)));
            async move { clock.sleep_until(end).await }
        });
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.step_to(began.mark.wall + Millis::hours(1));
        sleeper.await.unwrap();

        clock.step_to(began.mark.wall);
        assert!(clock.now().mark.wall >= began.mark.wall + Millis::hours(1), "it never goes back");
        let present = SystemClock::new(1);
        clock.step_to(present.now().mark.wall + Millis::days(1));
        let apart = (clock.now().mark.wall - present.now().mark.wall).0.abs();
        assert!(apart < 1000, "{apart} ms from the present");
        assert_eq!(clock.now().mark.generation, began.mark.generation);
        assert_eq!(clock.anchors().len(), 1);
    }
}
