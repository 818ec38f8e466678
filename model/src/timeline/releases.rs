//! A lane of releases: one mark for each, counts where they are too near, breaches over all of it.

use super::hits::{Hit, What};
use super::labels::{self, Wish};
use super::sheet::Pen;
use super::tiles::{Befell, Part, Seen};
use super::{ABOVE, GLYPH, Glyph, LANE, Shape, Style};
use crate::event::EventKind;
use crate::order::sort_by_key;

/// Marks join to a cluster until it is this wide; the next one begins beside it.
const WIDEST: f64 = 48.0;

/// Draws lanes as one; gives what is on them, from left to right.
pub(super) fn draw(pen: &mut Pen<'_>, lanes: &[usize], middle: f64, is_tall: bool) -> Vec<Hit> {
    let (mut marks, mut breaches) = (Vec::new(), Vec::new());
    for (stretch, lane) in pen.stretches.iter().flat_map(|stretch| lanes.iter().map(move |lane| (stretch, *lane))) {
        let part = stretch.lane(lane);
        marks.extend(part.marks.iter().filter_map(|mark| release(pen, &part, mark, lane)));
        marks.extend(part.claimed.iter().map(|claim| Hit {
            what: What::Claim,
            tag: Some(claim.tag),
            digest: Some(claim.digest),
            ..at(pen, lane, claim.at, claim.at)
        }));
        breaches.extend(part.befell.iter().map(|breach| befell(pen, breach, lane)));
    }
    sort_by_key(&mut marks, |hit| [hit.at, hit.seq]);
    let mut hits = clusters(marks, pen.x(pen.scale.now.0) + GLYPH);
    let newest = hits.iter().rev().find(|hit| hit.what == What::Release).map(|hit| hit.at);
    hits.extend(breaches);
    sort_by_key(&mut hits, |hit| [hit.left as i64, hit.seq]);
    for hit in &hits {
        draw_hit(pen, hit, middle);
    }
    if !pen.board.compact {
        name(pen, &hits, newest, middle, is_tall);
    }
    hits
}

fn at(pen: &Pen<'_>, lane: usize, from: i64, at: i64) -> Hit {
    let (left, right) = (pen.x(from) - GLYPH, pen.x(at) + GLYPH);
    Hit { lane, left, right, what: What::Release, from, at, not_before: at, ..Hit::NONE }
}

/// A bucket without its breaches, which are drawn one by one; `None` if nothing is left of it.
fn release(pen: &Pen<'_>, part: &Part<'_>, mark: &Seen, lane: usize) -> Option<Hit> {
    let is_its = |breach: &&Befell| (mark.first..=mark.at).contains(&breach.at) && !breach.kind.is_of_repository();
    let within = || part.befell.iter().filter(is_its);
    let count = mark.count.saturating_sub(u32::try_from(within().count()).unwrap_or(u32::MAX));
    let what = match mark.kind {
        _ if mark.baseline >= count => What::Before,
        EventKind::Created => What::Release,
        EventKind::Retracted if mark.count == 1 => What::Restored(mark.kind),
        _ if mark.count == 1 => What::Breach(mark.kind),
        _ => What::Release,
    };
    let hit = |from, until| Hit { what, count, ..at(pen, lane, from, until) };
    match count {
        0 => None,
        // What the bucket tells of its last event is told by a breach. The one that is left came before, and is known if it is
        // what a breach befell.
        1 if within().any(|breach| breach.seq == mark.seq) => {
            let after = within().find(|breach| breach.first == mark.first);
            let (tag, digest) = (after.map(|breach| breach.tag), after.and_then(|breach| breach.old));
            Some(Hit { tag, digest, ..hit(mark.first, mark.first) })
        }
        _ => {
            let (tag, digest) = (mark.tag, mark.digest);
            let from = if count > 1 { mark.first } else { mark.at };
            Some(Hit { not_before: mark.not_before, seq: mark.seq, tag, digest, ..hit(from, mark.at) })
        }
    }
}

/// What befell a release, or what else is told so.
pub(super) fn befell(pen: &Pen<'_>, breach: &Befell, lane: usize) -> Hit {
    let is_mended = breach.restored || breach.kind == EventKind::Retracted;
    let what = if is_mended { What::Restored(breach.kind) } else { What::Breach(breach.kind) };
    Hit {
        what,
        from: breach.first,
        not_before: breach.not_before,
        seq: breach.seq,
        tag: Some(breach.tag),
        digest: breach.new.or(breach.old),
        old: breach.old,
        flag: breach.flag,
        active: breach.active,
        ..at(pen, lane, breach.at, breach.at)
    }
}

fn is_hollow(what: What) -> bool {
    matches!(what, What::Before | What::Claim)
}

/// Room for a number in a cluster.
fn pill(count: u32) -> f64 {
    labels::width(&amount(count)) + 10.0
}

/// "84", "1.2k": what fits a cluster.
pub(super) fn amount(count: u32) -> String {
    match count {
        0..1000 => count.to_string(),
        1000..10_000 => format!("{}.{}k", count / 1000, count % 1000 / 100),
        _ => format!("{}k", count / 1000),
    }
}

/// Joins marks that are nearer than their width. None reaches over `end`, behind which nothing can be.
fn clusters(marks: Vec<Hit>, end: f64) -> Vec<Hit> {
    let mut found: Vec<Hit> = Vec::new();
    for mut hit in marks {
        if hit.count > 1 {
            hit.right = hit.right.max(hit.left + pill(hit.count));
        }
        if let Some(last) = found.last_mut().filter(|last| hit.left < last.right + 1.0) {
            let right = hit.right.max(last.right).max(last.left + pill(last.count + hit.count));
            if is_hollow(last.what) == is_hollow(hit.what) && right - last.left <= WIDEST {
                let count = last.count + hit.count;
                *last = Hit { left: last.left, right, from: last.from, count, ..hit };
                continue;
            }
            // Beside it, however crowded: a few pixels from its place.
            let width = hit.right - hit.left;
            hit.left = last.right + 1.0;
            hit.right = hit.right.max(hit.left + width.min(WIDEST));
        }
        found.push(hit);
    }
    let mut end = end;
    for hit in found.iter_mut().rev() {
        let over = hit.right - end;
        if over <= 0.0 {
            break;
        }
        (hit.left, hit.right) = (hit.left - over, end);
        end = hit.left - 1.0;
    }
    found
}

pub(super) fn draw_hit(pen: &mut Pen<'_>, hit: &Hit, middle: f64) {
    let low = pen.board.compact;
    let x = hit.left.midpoint(hit.right);
    let unsure = pen.x(hit.not_before);
    if hit.count == 1 && x - unsure > GLYPH {
        let shape = Shape::Rect { x: unsure, y: middle - 2.0, width: x - unsure, height: 4.0 };
        pen.push(Style::Window, shape, hit.digest, false);
    }
    if hit.count > 1 {
        let style = if is_hollow(hit.what) { Style::Before } else { Style::Cluster };
        let height = if low { 8.0 } else { 16.0 };
        let y = middle - height / 2.0;
        pen.push(style, Shape::Rect { x: hit.left, y, width: hit.right - hit.left, height }, hit.digest, false);
        if !low {
            let text = amount(hit.count);
            let x = x - labels::width(&text) / 2.0;
            pen.push(Style::CountText, Shape::Text { x, y: middle, end: false, text }, hit.digest, false);
        }
        return;
    }
    let (glyph, style) = match hit.what {
        What::Before => (Glyph::Ring, Style::Before),
        What::Claim => (Glyph::Ring, Style::Claim),
        What::Breach(EventKind::Deleted | EventKind::Vanished) => (Glyph::Cross, Style::Breach),
        What::Breach(_) => (Glyph::Diamond, Style::Breach),
        What::Restored(_) => (Glyph::HollowDiamond, Style::Restored),
        _ => (Glyph::Disc, Style::Mark),
    };
    if hit.active && glyph == Glyph::Diamond {
        let (from, below) = (pen.x(hit.from), middle + 10.5);
        if x - from > 8.0 && !low {
            let points = vec![(from, middle + GLYPH), (from + 4.0, below), (x - 4.0, below), (x, middle + GLYPH)];
            pen.push(Style::Link, Shape::Line(points), hit.digest, false);
        }
    }
    pen.push(style, Shape::Glyph(glyph, x, middle), hit.digest, style == Style::Mark);
}

/// Names marks, the most telling first, where there is room.
fn name(pen: &mut Pen<'_>, hits: &[Hit], newest: Option<i64>, middle: f64, is_tall: bool) {
    let taken: Vec<(f64, f64)> = hits.iter().map(|hit| (hit.left, hit.right)).collect();
    let now = pen.scale.now;
    let last = if now <= pen.scale.to { pen.scale.x(now) - 2.0 } else { pen.scale.right };
    let words = pen.board.words;
    let mut wishes = Vec::new();
    for (at, hit) in hits.iter().enumerate() {
        let Some(tag) = hit.tag.map(|tag| pen.store.text(tag)).filter(|_| !is_hollow(hit.what)) else { continue };
        let (word, is_breach) = match hit.what {
            What::Breach(kind) => ((words.befell)(kind, false), true),
            What::Restored(kind) => ((words.befell)(kind, true), false),
            _ => ("", false),
        };
        let told = (!word.is_empty()).then(|| (words.label)(tag, word));
        let room = labels::width(told.as_deref().unwrap_or(tag)) + 6.0;
        let next = hits.get(at + 1).map_or(last, |next| next.left);
        let previous = at.checked_sub(1).and_then(|at| hits.get(at)).map_or(pen.scale.left, |hit| hit.right);
        if next - hit.right < room && hit.left - previous < room && !(is_breach && is_tall) {
            continue;
        }
        let rank = match hit.what {
            What::Breach(_) if hit.active => 0,
            What::Breach(_) => 1,
            What::Restored(_) => 2,
            _ if newest == Some(hit.at) => 3,
            _ if tag.split(['-', '+']).next().is_some_and(|numbers| numbers.ends_with(".0")) => 4,
            _ => 5,
        };
        wishes.push(Wish {
            left: hit.left,
            right: hit.right,
            text: told.unwrap_or_else(|| tag.to_owned()),
            style: if is_breach { Style::BreachText } else { Style::MarkText },
            rank: [rank, -hit.at],
            may_rise: is_breach && is_tall,
        });
    }
    let mut labels = Vec::new();
    labels::grant(wishes, taken, (pen.scale.left, last), &mut labels);
    for label in labels {
        let y = if label.above { middle - LANE / 2.0 - ABOVE / 2.0 + 4.0 } else { middle };
        pen.drawing.text(label.style, label.x, y, label.end, label.text);
    }
}
