//! Which stretch of time is looked at, and which tiles show it.

use std::ops::RangeInclusive;

use crate::api::{TILE_BUCKETS, TILE_LEVELS};
use crate::instant::{Instant, Millis};

/// What is nearer together cannot be told apart by polling.
const SHORTEST: Millis = Millis::minutes(5);
/// Longer than any registry has existed.
const LONGEST: Millis = Millis::days(20 * 366);

/// A stretch of time, never empty once it was [`View::within`] its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The left edge.
    pub from: Instant,
    /// The right edge.
    pub until: Instant,
}

impl View {
    /// All between two instants, with a little room on both sides.
    pub fn fit(first: Instant, last: Instant) -> Self {
        let margin = Millis(((last - first).0 / 24).max(SHORTEST.0 / 2));
        Self { from: first - margin, until: last + margin }
    }

    /// The last `length` until now, with the room that the line of "now" needs.
    pub fn last(length: Millis, now: Instant) -> Self {
        Self { from: now - length, until: now + Millis(length.0 / 50) }
    }

    /// How long it is.
    pub fn length(self) -> Millis {
        self.until - self.from
    }

    /// Whether the right edge is at now: such a view moves on with the time.
    pub fn follows(self, now: Instant) -> bool {
        self.from < now && self.until >= now
    }

    /// The same; one that follows ends where [`View::last`] does. Its address holds only where it begins.
    #[must_use]
    pub fn ended(self, now: Instant) -> Self {
        if self.follows(now) { Self::last(now - self.from, now) } else { self }
    }

    /// Neither shorter nor longer than makes sense, about the same middle, no further into the future than the line of "now"
    /// needs, and not into a past without registries.
    #[must_use]
    pub fn within(self, now: Instant) -> Self {
        let middle = self.from.0 / 2 + self.until.0 / 2;
        let half = (self.until.0 / 2 - self.from.0 / 2).clamp(SHORTEST.0 / 2, LONGEST.0 / 2);
        let latest = now.0.saturating_add(half / 25);
        let until = middle.saturating_add(half).clamp(now.0 - LONGEST.0 + 2 * half, latest);
        Self { from: Instant(until - 2 * half), until: Instant(until) }
    }

    /// Longer (`factor` above 1) or shorter, within its limits; what is at `part` of the width stays there.
    #[must_use]
    pub fn zoom(self, part: f64, factor: f64) -> Self {
        let length = self.length().0 as f64;
        let still = self.from.0 + (length * part) as i64;
        // Beyond them the view would slide instead.
        let length = (length * factor).clamp(SHORTEST.0 as f64, LONGEST.0 as f64);
        Self { from: Instant(still - (length * part) as i64), until: Instant(still + (length * (1.0 - part)) as i64) }
    }

    /// Later by a part of the width, or earlier.
    #[must_use]
    pub fn pan(self, part: f64) -> Self {
        let by = Millis((self.length().0 as f64 * part) as i64);
        Self { from: self.from + by, until: self.until + by }
    }

    /// What is at a part of the width.
    pub fn at(self, part: f64) -> Instant {
        self.from + Millis((self.length().0 as f64 * part) as i64)
    }

    /// The level at which a bucket is two to four pixels wide.
    pub fn level(self, width: f64) -> u8 {
        let wanted = 2.0 * self.length().0 as f64 / width.max(1.0);
        TILE_LEVELS.into_iter().find(|level| (1_i64 << level) as f64 >= wanted).unwrap_or(*TILE_LEVELS.end())
    }

    /// The tiles that show it.
    pub fn tiles(self, level: u8) -> RangeInclusive<i64> {
        self.from.0.div_euclid(tile_length(level))..=(self.until.0 - 1).div_euclid(tile_length(level))
    }
}

/// How much time a tile covers, in milliseconds.
pub(crate) fn tile_length(level: u8) -> i64 {
    TILE_BUCKETS << level.clamp(*TILE_LEVELS.start(), *TILE_LEVELS.end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Instant = Instant(1_795_435_200_000);

    fn any_view() -> impl Strategy<Value = View> {
        (0_i64..LONGEST.0, 1_i64..LONGEST.0)
            .prop_map(|(ago, length)| View { from: NOW - Millis(ago), until: NOW - Millis(ago) + Millis(length) })
    }

    proptest! {
        #[test]
        fn what_is_under_the_pointer_stays_there(view in any_view(), part in 0.0_f64..1.0, factor in 0.2_f64..5.0) {
            let zoomed = view.zoom(part, factor);
            prop_assert!((zoomed.at(part) - view.at(part)).0.abs() <= 4);
            let expected = (view.length().0 as f64 * factor).clamp(SHORTEST.0 as f64, LONGEST.0 as f64);
            prop_assert!((zoomed.length().0 as f64 - expected).abs() <= 4.0);
        }

        #[test]
        fn a_view_has_sane_limits(from: i64, until: i64) {
            let view = View { from: Instant(from), until: Instant(until) }.within(NOW);
            prop_assert!((SHORTEST.0 - 2..=LONGEST.0).contains(&view.length().0), "{view:?}");
            prop_assert!(view.from < NOW && view.until <= NOW + Millis(view.length().0 / 50), "{view:?}");
            prop_assert_eq!(view.within(NOW), view, "limits are limits");
        }

        #[test]
        fn a_bucket_is_two_to_four_pixels_wide(view in any_view(), width in 200.0_f64..4000.0) {
            let view = view.within(NOW);
            let level = view.level(width);
            let pixels = (1_i64 << level) as f64 / view.length().0 as f64 * width;
            prop_assert!((1.999..4.001).contains(&pixels), "{pixels}");
            let tiles = view.tiles(level);
            let (first, last) = (tiles.start() * tile_length(level), (tiles.end() + 1) * tile_length(level));
            prop_assert!(first <= view.from.0 && last >= view.until.0, "all of it is covered");
            prop_assert!(tiles.count() <= (width / 512.0) as usize + 2, "and no more than that");
        }

        #[test]
        fn to_and_fro_leads_back(view in any_view(), part in -3.0_f64..3.0) {
            let back = view.pan(part).pan(-part);
            prop_assert!((back.from - view.from).0.abs() <= 2 && back.length() == view.length());
        }
    }

    #[test]
    fn at_its_limit_a_view_stays_where_it_is() {
        let view = View { from: NOW - Millis::hours(2), until: NOW - Millis::hours(2) + SHORTEST };
        assert!((view.zoom(0.9, 0.5).within(NOW).from - view.from).0.abs() <= 4);
    }

    #[test]
    fn only_a_view_that_ends_at_now_follows_it() {
        let view = View::last(Millis::days(30), NOW);
        assert!(view.follows(NOW) && view.within(NOW) == view);
        assert!(!view.pan(-0.1).follows(NOW));
        assert!(View::fit(NOW - Millis::days(3), NOW).follows(NOW));
        assert!(!View::fit(NOW - Millis::days(3), NOW - Millis::days(1)).follows(NOW));
    }
}
