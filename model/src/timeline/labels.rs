//! Which labels of a lane are shown, and on which side of their marks.

use crate::order::sort_by_key;

use super::{CHARACTER, GLYPH, Mark, MarkKind, Scale, Style};

/// A label with its place.
pub(super) struct Label {
    pub x: f64,
    pub end: bool,
    /// In the row above the marks.
    pub above: bool,
    pub text: String,
    pub style: Style,
}

/// What could be placed.
#[derive(Default)]
pub(super) struct Placed {
    pub labels: Vec<Label>,
    /// Releases from before the picture.
    pub before: usize,
}

impl Placed {
    /// Whether the lane needs a row above its marks.
    pub fn is_tall(&self) -> bool {
        self.labels.iter().any(|label| label.above)
    }
}

/// Width of a text in pixels, at most.
pub(super) fn width(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER
}

/// At most `room` characters, with an ellipsis in the middle where some are left out.
pub(super) fn shorten(text: &str, room: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= room || room < 3 {
        return text.chars().take(room.max(1)).collect();
    }
    let (head, tail) = ((room - 1).div_ceil(2), (room - 1) / 2);
    characters[..head].iter().chain(&['…']).chain(&characters[characters.len() - tail..]).collect()
}

/// Gives each mark its label right of it, or left of it where the right is taken or over the edge, in the order of
/// importance: breaches, the newest release, first releases of a track, the rest. A label that would touch another
/// label or mark is left out; that of a breach goes to a row of its own above the marks.
pub(super) fn place(marks: &[&Mark], before: usize, scale: &Scale) -> Placed {
    let glyphs = marks.iter().map(|mark| scale.x(mark.at)).map(|x| (x - GLYPH, x + GLYPH));
    let mut taken: Vec<(f64, f64)> = glyphs.collect();
    let mut labels = Vec::new();
    if before > 0 {
        let x = scale.left + 2.0 * GLYPH + 6.0;
        taken.push((scale.left, x - 4.0));
        let text = format!("{before} earlier");
        let end = x + width(&text);
        if taken.iter().all(|(from, to)| end + 2.0 < *from || x > *to) {
            taken.push((x, end));
            labels.push(Label { x, end: false, above: false, text, style: Style::QuietText });
        }
    }
    let mut order: Vec<&Mark> = marks.iter().copied().filter(|mark| !mark.label.is_empty()).collect();
    let newest = order.iter().filter(|mark| mark.kind == MarkKind::Release).map(|mark| mark.at).max();
    sort_by_key(&mut order, |mark| [rank(mark, newest), -mark.at.0]);
    // The line of "now" stands right of every mark: no label crosses it.
    let last = scale.x(scale.now) - 2.0;
    let mut taken_above: Vec<(f64, f64)> = Vec::new();
    let is_free = |taken: &[(f64, f64)], (from, to): (f64, f64)| {
        from >= scale.left && to <= last && taken.iter().all(|other| to + 2.0 < other.0 || from - 2.0 > other.1)
    };
    for mark in order {
        let is_breach = matches!(mark.kind, MarkKind::Reassigned { .. } | MarkKind::Deleted);
        let style = if is_breach { Style::BreachText } else { Style::MarkText };
        let (x, room, text) = (scale.x(mark.at), width(&mark.label), mark.label.clone());
        let right = (x + GLYPH + 4.0, x + GLYPH + 4.0 + room);
        let left = (x - GLYPH - 4.0 - room, x - GLYPH - 4.0);
        // Over its mark, shifted where an edge is near.
        let start = (x - room / 2.0).min(last - room).max(scale.left);
        let over = (start, start + room);
        if is_free(&taken, right) {
            taken.push(right);
            labels.push(Label { x: right.0, end: false, above: false, text, style });
        } else if is_free(&taken, left) {
            taken.push(left);
            labels.push(Label { x: left.1, end: true, above: false, text, style });
        } else if is_breach && is_free(&taken_above, over) {
            taken_above.push(over);
            labels.push(Label { x: over.0, end: false, above: true, text, style });
        }
    }
    Placed { labels, before }
}

/// Smaller is more important.
fn rank(mark: &Mark, newest: Option<crate::instant::Instant>) -> i64 {
    match mark.kind {
        MarkKind::Reassigned { .. } | MarkKind::Deleted => 0,
        MarkKind::Restored { .. } => 1,
        MarkKind::Release if newest == Some(mark.at) => 2,
        MarkKind::Release if mark.major => 3,
        MarkKind::Release => 4,
    }
}
