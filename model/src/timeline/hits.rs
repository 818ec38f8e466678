//! What is where on a timeline: found by binary search, walked by keys, told by a table.

use super::tiles::Word;
use crate::event::EventKind;
use crate::tag::Band;

/// What a hit stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A release was published, or several.
    Release,
    /// A release that stood when the watch began, or several.
    Before,
    /// A release from before the watch, where its image claims to be made, or several.
    Claim,
    /// By such an event a release or a repository is not what it was.
    Breach(EventKind),
    /// By such an event it is as promised again, or nothing was wrong with it.
    Restored(EventKind),
    /// A tag names one digest.
    Span,
    /// A tag moved several times.
    Many,
    /// A tag that may move is gone.
    Gone,
    /// Tags of a band could not be observed.
    Gap(Band),
    /// Nobody watched.
    Unwatched,
}

/// Something to point at, to choose and to tell in words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Its lane's place in the list of lanes.
    pub lane: usize,
    /// Left edge in pixels.
    pub left: f64,
    /// Right edge in pixels.
    pub right: f64,
    /// What it is.
    pub what: What,
    /// Of a span and of several, when it begins; of a breach, when the release was first seen; else when it happened.
    pub from: i64,
    /// When it happened; when a span ends, `i64::MAX` while it lasts, `i64::MIN` if that is not known.
    pub at: i64,
    /// It did not happen before; of a span, that is its beginning.
    pub not_before: i64,
    /// The number of its event; 0 where that is not known.
    pub seq: i64,
    /// How many events.
    pub count: u32,
    /// The tag, or the last of several.
    pub tag: Option<Word>,
    /// The digest after it.
    pub digest: Option<Word>,
    /// The digest before it, where that is known.
    pub old: Option<Word>,
    /// Its flag.
    pub flag: Option<i64>,
    /// Whether that flag is not closed.
    pub active: bool,
}

impl Hit {
    /// Nothing is known of it.
    pub(super) const NONE: Self = Self {
        lane: 0,
        left: 0.0,
        right: 0.0,
        what: What::Span,
        from: 0,
        at: 0,
        not_before: 0,
        seq: 0,
        count: 1,
        tag: None,
        digest: None,
        old: None,
        flag: None,
        active: false,
    };

    /// What stays when the view changes: the instant by which it is found again on its lane.
    pub fn key(&self) -> i64 {
        if matches!(self.what, What::Span | What::Many) || self.is_nothing() { self.from } else { self.at }
    }

    /// Whether it only says that nothing is known.
    pub fn is_nothing(&self) -> bool {
        matches!(self.what, What::Gap(_) | What::Unwatched)
    }

    /// Whether it is one thing, and not several in one place that can be looked at closer.
    pub fn is_single(&self) -> bool {
        self.is_nothing() || (self.count <= 1 && self.what != What::Many)
    }
}

/// The hit of a lane at `x`, or the nearest one at most `reach` pixels away. `hits` are the lane's, from left to right. Of
/// those that lie over each other the nearest middle is meant, and of spans the one that holds the point.
pub fn nearest(hits: &[Hit], x: f64, reach: f64) -> Option<usize> {
    let after = hits.partition_point(|hit| hit.left <= x + reach);
    let away = |hit: &Hit| (hit.left - x).max(x - hit.right).max(0.0);
    let mut best: Option<(usize, f64, f64)> = None;
    // What begins left may reach far: a few steps back are enough, as only marks of breaches lie over others.
    for (at, hit) in hits.iter().enumerate().take(after).rev().take(8) {
        let (far, middle) = (away(hit), (hit.left.midpoint(hit.right) - x).abs());
        let nearer = best.is_none_or(|(_, best_far, best_middle)| (far, middle) < (best_far, best_middle));
        if far <= reach && nearer {
            best = Some((at, far, middle));
        }
    }
    best.map(|(at, ..)| at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hit(left: f64, width: f64) -> Hit {
        Hit { left, right: left + width, ..Hit::NONE }
    }

    proptest! {
        #[test]
        fn what_holds_the_point_is_hit(widths in proptest::collection::vec((2.0_f64..50.0, 0.0_f64..20.0), 1..60), x in -20.0_f64..2000.0) {
            let mut left = 0.0;
            let hits: Vec<Hit> = widths.iter().map(|(width, gap)| {
                let made = hit(left, *width);
                left += width + gap;
                made
            }).collect();
            let holding = hits.iter().position(|hit| hit.left <= x && x <= hit.right);
            let distance = |at: usize| (hits[at].left - x).max(x - hits[at].right).max(0.0);
            let found = nearest(&hits, x, 4.0);
            if holding.is_some() {
                prop_assert_eq!(found.map(distance), Some(0.0));
            } else {
                let least = (0..hits.len()).map(distance).fold(f64::MAX, f64::min);
                prop_assert_eq!(found.is_some(), least <= 4.0);
                prop_assert!(found.is_none_or(|at| distance(at) <= least));
            }
        }
    }
}
