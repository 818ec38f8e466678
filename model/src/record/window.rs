//! From marks to the window of an event, when a clock changed between them (RECORD.md 4.6).

use std::collections::BTreeMap;

use crate::instant::{Instant, Millis};
use crate::tag::Mark;

/// What is known of the clock generations: how each one's wall clock stood against the registry's `Date`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clocks {
    /// Our clock minus the registry's lies within, by generation.
    offsets: BTreeMap<i64, Interval>,
    /// Wall instant of the process's monotonic zero, for generations of this very process: their difference is exact.
    anchors: BTreeMap<i64, Instant>,
    /// How far our wall may be from the clock that rules: windows are widened by it at both ends.
    error: Millis,
}

/// A closed interval of milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Lower end.
    pub low: Millis,
    /// Upper end.
    pub high: Millis,
}

/// The window of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// It did not happen before; `None` when nothing is known.
    pub not_before: Option<Instant>,
    /// It did not happen after.
    pub not_after: Instant,
    /// A clock changed between the two, and the window was widened.
    pub clock_changed: bool,
}

impl Clocks {
    /// Clocks that may be `error` away from the one that rules.
    pub fn within(error: Millis) -> Self {
        Self { error, ..Self::default() }
    }

    /// A generation of this process.
    pub fn anchor(&mut self, generation: i64, anchor: Instant) {
        self.anchors.insert(generation, anchor);
    }

    /// What one answer says of our clock against the registry's: its `Date` is cut to whole seconds, and was read at some
    /// time between `sent` and `received`. Samples that contradict each other (several servers behind one name) widen.
    /// Gives whether the interval of the generation changed.
    pub fn sample(&mut self, sent: Mark, received: Mark, date: Instant) -> bool {
        if sent.generation != received.generation {
            return false;
        }
        let sample = Interval { low: sent.wall - (date + Millis::seconds(1)), high: received.wall - date };
        let before = self.of(sent.generation);
        let slot = self.offsets.entry(sent.generation).or_insert(sample);
        let both = Interval { low: slot.low.max(sample.low), high: slot.high.min(sample.high) };
        *slot = if both.low <= both.high {
            both
        } else {
            Interval { low: slot.low.min(sample.low), high: slot.high.max(sample.high) }
        };
        before != Some(*slot)
    }

    /// What was stored of a generation.
    pub fn offset(&mut self, generation: i64, interval: Interval) {
        self.offsets.insert(generation, interval);
    }

    /// The interval of a generation.
    pub fn of(&self, generation: i64) -> Option<Interval> {
        self.offsets.get(&generation).copied()
    }

    /// The window between two marks, on the clock of the later one.
    pub fn window(&self, not_before: Option<Mark>, not_after: Mark) -> Window {
        let upper = not_after.wall + self.error;
        let Some(lower) = not_before else {
            return Window { not_before: None, not_after: upper, clock_changed: false };
        };
        if lower.generation == not_after.generation {
            let lower = (lower.wall - self.error).min(upper);
            return Window { not_before: Some(lower), not_after: upper, clock_changed: false };
        }
        let moved = self
            .least_shift(lower.generation, not_after.generation)
            .map(|shift| (lower.wall + shift - self.error).min(upper));
        Window { not_before: moved, not_after: upper, clock_changed: true }
    }

    /// The least that must be added to an instant of one generation to get the same instant in another.
    fn least_shift(&self, from: i64, to: i64) -> Option<Millis> {
        if let (Some(from), Some(to)) = (self.anchors.get(&from), self.anchors.get(&to)) {
            return Some(*to - *from);
        }
        let (from, to) = (self.of(from)?, self.of(to)?);
        Some(Millis(to.low.0.saturating_sub(from.high.0)))
    }
}
