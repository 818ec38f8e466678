//! Two of the kinds of nothing, under the lanes: nobody watched, and nothing could be observed.

use super::hits::{Hit, What};
use super::sheet::Place;
use super::{AXIS, Drawing, Scale, Shape, Style, Words};
use crate::api::{Lane, Watched};
use crate::instant::Instant;
use crate::tag::{Band, Class};

/// What is nearer together than this is one.
const APART: f64 = 3.0;

/// All of it for one repository: first the times that nobody watched, then the gaps, each newest first.
pub(super) fn silent(watched: &Watched, scale: &Scale) -> Vec<Hit> {
    let mut found = Vec::new();
    add(&mut found, scale, What::Unwatched, Instant(i64::MIN), Some(watched.since));
    for pause in &watched.pauses {
        add(&mut found, scale, What::Unwatched, pause.from, pause.until);
    }
    for gap in &watched.gaps {
        add(&mut found, scale, What::Gap(gap.band), gap.from, gap.until);
    }
    found
}

#[inline(never)]
fn add(found: &mut Vec<Hit>, scale: &Scale, what: What, from: Instant, until: Option<Instant>) {
    let end = until.unwrap_or(scale.now).min(scale.to);
    if end <= scale.from || from >= end {
        return;
    }
    let left = scale.x(from.max(scale.from));
    let (right, at) = (scale.x(end).max(left + APART), until.map_or(i64::MAX, |until| until.0));
    match found.iter_mut().rfind(|hit| hit.what == what) {
        Some(later) if what != What::Unwatched && right + APART > later.left => {
            (later.left, later.from, later.count) = (left, from.0, later.count + 1);
        }
        _ => found.push(Hit { left, right, what, from: from.0, at, not_before: at, ..Hit::NONE }),
    }
}

/// Whether what is checked most often was not observed at any time that is shown.
pub(super) fn is_blind(silent: &[Hit], scale: &Scale) -> bool {
    let mut reach = scale.left + 2.0;
    let is_next = |hit: &&Hit, reach: f64| {
        matches!(hit.what, What::Unwatched | What::Gap(Band::Hot)) && hit.left <= reach && hit.right > reach
    };
    while let Some(hit) = silent.iter().find(|hit| is_next(hit, reach)) {
        reach = hit.right + 2.0;
    }
    reach >= scale.x(scale.now.min(scale.to))
}

/// Draws it over the lanes that it concerns; `None` if there are none.
pub(super) fn draw<'a>(
    drawing: &mut Drawing,
    hit: Hit,
    number: usize,
    places: &mut [Place],
    its: &dyn Fn(&usize) -> Option<&'a Lane>,
) -> Option<Hit> {
    let (mut above, mut first) = (AXIS, None);
    for place in places {
        let top = std::mem::replace(&mut above, place.bottom);
        let mut lanes = place.lanes.iter().filter_map(its);
        let (style, share) = match hit.what {
            What::Gap(band) => (Style::Gap, lanes.find_map(|lane| share(lane, band))),
            // With what stands over the lane.
            _ => (Style::Unwatched, lanes.next().map(|_| (0.0, 1.0))),
        };
        let Some((from, part)) = share else { continue };
        place.quiet.push(number);
        first = first.or(place.lanes.first().copied());
        let top = if style == Style::Gap { place.top } else { top };
        let height = place.bottom - top;
        let (y, height) = (top + from * height, part * height);
        drawing.push(style, Shape::Rect { x: hit.left, y, width: hit.right - hit.left, height }, None);
    }
    first.map(|lane| Hit { lane, ..hit })
}

/// From where, and which part of a lane's height, a gap of a band is drawn. Tags that may move are checked in one band; of releases
/// each band has only some, so that its third says no more than that.
fn share(lane: &Lane, band: Band) -> Option<(f64, f64)> {
    const THIRD: f64 = 1.0 / 3.0;
    match band {
        Band::Pinned if lane.flags == 0 => None,
        Band::Hot | Band::Pinned => Some((0.0, if lane.class == Class::Release { THIRD } else { 1.0 })),
        _ if lane.class != Class::Release => None,
        Band::Warm => Some((THIRD, THIRD)),
        Band::Cold => Some((2.0 * THIRD, THIRD)),
    }
}

/// Says below the last lane that it was not watched yet.
pub(super) fn note(drawing: &mut Drawing, quiet: &[Hit], places: &[Place], words: &Words, bottom: f64) {
    let first = places.last().and_then(|place| quiet.get(*place.quiet.first()?));
    if let Some(hit) = first.filter(|hit| hit.from == i64::MIN) {
        super::not_watched(drawing, hit.left, hit.right, words, bottom);
    }
}
