//! A lane of a tag that may move: a span for each digest, and one stretch where it moved more often than can be drawn.

use super::hits::{Hit, What};
use super::labels;
use super::releases::{self, amount};
use super::sheet::Pen;
use super::tiles::{Naming, Word};
use super::{GLYPH, Glyph, Shape, Style};

/// What is narrower is no span of its own.
const NARROW: f64 = 5.0;
/// Spans nearer than this touch.
const APART: f64 = 3.0;

/// Draws one lane; gives what is on it, from left to right.
pub(super) fn draw(pen: &mut Pen<'_>, lane: usize, middle: f64) -> Vec<Hit> {
    let mut hits = joined(spans(pen, lane));
    for breach in pen.stretches.iter().flat_map(|stretch| stretch.lane(lane).befell) {
        let befell = Hit { from: breach.at, ..releases::befell(pen, breach, lane) };
        // What began or ended by it is told with its flag; the mark stands over it.
        let is_its = |hit: &&mut Hit| {
            hit.seq == befell.seq || (hit.what == What::Many && (hit.from..=hit.at).contains(&befell.at))
        };
        match hits.iter_mut().find(is_its) {
            Some(hit) => {
                (hit.flag, hit.active) = (befell.flag, hit.active || befell.active);
                releases::draw_hit(pen, &Hit { not_before: befell.at, ..befell }, middle);
            }
            None => hits.insert(hits.partition_point(|hit| hit.left <= befell.left), befell),
        }
    }
    for hit in &hits {
        match hit.what {
            What::Span | What::Many | What::Gone => draw_hit(pen, hit, middle),
            _ => releases::draw_hit(pen, hit, middle),
        }
    }
    hits
}

/// The spans of a lane as they are, however narrow.
struct Spans {
    found: Vec<Hit>,
    open: Option<Hit>,
}

impl Spans {
    fn close(&mut self, x: f64, at: i64) {
        if let Some(mut open) = self.open.take() {
            (open.right, open.at) = (x.max(open.left), at);
            self.found.push(open);
        }
    }
}

/// When a span ends of which nothing shows it.
const UNKNOWN: i64 = i64::MIN;

fn spans(pen: &Pen<'_>, lane: usize) -> Vec<Hit> {
    let mut spans = Spans { found: Vec::new(), open: None };
    let base = Hit { lane, at: i64::MAX, count: 0, ..Hit::NONE };
    // A digest may be another word in the next tile: its release may have become known.
    let is_same = |one: Word, other: Word| pen.store.digest(one) == pen.store.digest(other);
    for stretch in pen.stretches {
        let part = stretch.lane(lane);
        let left = pen.x(stretch.from);
        let goes_on = spans.open.zip(part.entering).is_some_and(|(open, naming)| match open.digest {
            // A retraction lets go on what was before it.
            Some(digest) => is_same(digest, naming.digest) && naming.since <= open.from,
            None => naming.since == open.from,
        });
        if !goes_on {
            // It is not known when it ended, only that it did.
            spans.close(left, UNKNOWN);
            // It may have begun without an event of this lane.
            spans.open = part.entering.map(|Naming { digest, since, not_before }| {
                let x = left.max(pen.x(since));
                Hit { left: x, right: x, from: since, not_before, digest: Some(digest), ..base }
            });
        }
        for mark in part.marks {
            let several = mark.count > 1;
            // What it named before the last of several is not told.
            let old = spans.open.and_then(|open| open.digest).filter(|_| !several);
            let x = pen.x(mark.at);
            let ended = if several { mark.first } else { mark.not_before.min(mark.at) };
            spans.close(pen.x(ended), ended);
            let happened = Hit {
                left: x,
                right: x,
                from: mark.at,
                at: mark.at,
                not_before: mark.not_before,
                seq: mark.seq,
                count: mark.count,
                tag: mark.tag,
                digest: mark.digest,
                old,
                ..base
            };
            if several {
                spans.found.push(Hit { left: pen.x(mark.first), what: What::Many, from: mark.first, ..happened });
            }
            if mark.digest.is_some() || mark.is_brief {
                let count = u32::from(!several);
                spans.open = Some(Hit { at: i64::MAX, count, ..happened });
            } else {
                spans.found.push(Hit { what: What::Gone, digest: old, right: x + 2.0 * GLYPH, ..happened });
            }
        }
        if !stretch.is_loaded() {
            spans.close(left, UNKNOWN);
        }
    }
    let scale = pen.scale;
    let lasts = if scale.now <= scale.to { i64::MAX } else { UNKNOWN };
    spans.close(scale.x(scale.now.min(scale.to)), lasts);
    spans.found
}

/// Neighbours that are too narrow become one stretch of many moves.
fn joined(spans: Vec<Hit>) -> Vec<Hit> {
    let is_narrow = |hit: &Hit| hit.what != What::Gone && (hit.what == What::Many || hit.right - hit.left < NARROW);
    let mut found: Vec<Hit> = Vec::new();
    for span in spans {
        match found.last_mut() {
            Some(last) if is_narrow(last) && is_narrow(&span) && span.left - last.right < APART => {
                let (left, from, count) = (last.left, last.from, last.count + span.count);
                *last = Hit { left, from, count, what: What::Many, ..span };
            }
            _ => found.push(span),
        }
    }
    for hit in &mut found {
        if hit.what == What::Many && hit.count <= 1 {
            hit.what = What::Span;
        }
        if hit.what == What::Many && matches!(hit.at, i64::MAX | UNKNOWN) {
            // The last of them may still last; what is told is when it began.
            hit.at = hit.not_before;
        }
    }
    found
}

fn draw_hit(pen: &mut Pen<'_>, hit: &Hit, middle: f64) {
    let low = pen.board.compact;
    let height = if low { 8.0 } else { 18.0 };
    let y = middle - height / 2.0;
    // Two pixels of the ground part it from the next one, whatever their colours.
    let width = (hit.right - hit.left - 2.0).max(2.0);
    let unsure = pen.x(hit.not_before);
    if hit.what != What::Many && hit.left - unsure > NARROW {
        let shape = Shape::Rect { x: unsure, y: middle - 2.0, width: hit.left - unsure, height: 4.0 };
        pen.push(Style::Window, shape, hit.digest, false);
    }
    let shape = Shape::Rect { x: hit.left, y, width, height };
    match hit.what {
        What::Gone => {
            pen.push(Style::End, Shape::Glyph(Glyph::Cross, hit.left + GLYPH + 2.0, middle), hit.digest, false);
        }
        What::Many => {
            pen.push(Style::Many, shape, hit.digest, false);
            let text = amount(hit.count);
            if !low && labels::width(&text) + 8.0 <= width {
                let x = hit.left + (width - labels::width(&text)) / 2.0;
                pen.push(Style::CountText, Shape::Text { x, y: middle, end: false, text }, hit.digest, false);
            }
        }
        _ => {
            pen.push(Style::Span, shape, hit.digest, true);
            let text = hit.digest.map(|word| pen.store.text(word)).unwrap_or_default();
            if !low && labels::width(text) + 12.0 <= width {
                let text = text.to_owned();
                let shape = Shape::Text { x: hit.left + 6.0, y: middle, end: false, text };
                pen.push(Style::SpanText, shape, hit.digest, false);
            }
        }
    }
}
