//! A lane of a tag that may move: a span for each digest, and one stretch where it moved more often than can be drawn.

use super::hits::{Hit, What};
use super::labels;
use super::releases::amount;
use super::sheet::Pen;
use super::tiles::Naming;
use super::{GLYPH, Glyph, Shape, Style};

/// What is narrower is no span of its own.
const NARROW: f64 = 5.0;
/// Spans nearer than this touch.
const APART: f64 = 3.0;

/// Draws one lane; gives what is on it, from left to right.
pub(super) fn draw(pen: &mut Pen<'_>, lane: usize, middle: f64) -> Vec<Hit> {
    let hits = joined(spans(pen, lane));
    for hit in &hits {
        draw_hit(pen, hit, middle);
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

fn spans(pen: &Pen<'_>, lane: usize) -> Vec<Hit> {
    let mut spans = Spans { found: Vec::new(), open: None };
    let begin = |(digest, since): Naming, x: f64| Hit {
        lane,
        left: x,
        right: x,
        what: What::Span,
        from: since,
        at: i64::MAX,
        not_before: since,
        seq: 0,
        count: 0,
        tag: None,
        digest: Some(digest),
        old: None,
        flag: None,
        active: false,
    };
    for stretch in pen.stretches {
        let part = stretch.lane(lane);
        let left = pen.x(stretch.from);
        let is_going_on =
            spans.open.is_some_and(|open| part.entering.is_some_and(|(digest, _)| open.digest == Some(digest)));
        if !is_going_on {
            // It is not known when it ended, only that it did.
            spans.close(left, i64::MAX);
            // It may have begun without an event of this lane.
            spans.open = part.entering.map(|naming| begin(naming, left.max(pen.x(naming.1))));
        }
        for mark in part.marks {
            let old = spans.open.and_then(|open| open.digest);
            let x = pen.x(mark.at);
            let several = mark.count > 1;
            let ended = if several { mark.first } else { mark.not_before.min(mark.at) };
            spans.close(pen.x(ended), ended);
            let happened = Hit {
                seq: mark.seq,
                count: mark.count,
                not_before: mark.not_before,
                tag: Some(mark.tag),
                old,
                digest: mark.digest,
                from: mark.at,
                at: mark.at,
                right: x,
                ..begin((mark.tag, mark.at), x)
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
            spans.close(left, i64::MAX);
        }
    }
    let end = pen.scale.now.min(pen.scale.to);
    spans.close(pen.scale.x(end), i64::MAX);
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
        if hit.what == What::Many && hit.at == i64::MAX {
            // The last of them still lasts; what is told is when it began.
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
    if hit.what == What::Span && hit.left - unsure > NARROW {
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
