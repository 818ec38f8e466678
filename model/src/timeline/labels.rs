//! Which labels of a lane are shown, and on which side of their marks.

use crate::order::sort_by_key;

use super::{CHARACTER, GLYPH, Mark, MarkKind, Scale, Style, Words};

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

/// A label that wants to stand beside its mark.
pub(super) struct Wish {
    /// Left edge of the mark.
    pub left: f64,
    /// Right edge of the mark.
    pub right: f64,
    pub text: String,
    pub style: Style,
    /// Smaller is more important.
    pub rank: [i64; 2],
    /// Whether it may stand above the marks where there is no room beside them.
    pub may_rise: bool,
}

/// Gives each mark of a small picture its label; says how many releases stand left of it.
pub(super) fn place(marks: &[&Mark], before: usize, scale: &Scale, words: &Words) -> Placed {
    let glyphs = marks.iter().map(|mark| scale.x(mark.at)).map(|x| (x - GLYPH, x + GLYPH));
    let mut taken: Vec<(f64, f64)> = glyphs.collect();
    let mut labels = Vec::new();
    if before > 0 {
        let x = scale.left + 2.0 * GLYPH + 6.0;
        taken.push((scale.left, x - 4.0));
        let text = (words.earlier)(before);
        let end = x + width(&text);
        if taken.iter().all(|(from, to)| end + 2.0 < *from || x > *to) {
            taken.push((x, end));
            labels.push(Label { x, end: false, above: false, text, style: Style::QuietText });
        }
    }
    let newest = marks.iter().filter(|mark| mark.kind == MarkKind::Release && !mark.label.is_empty());
    let newest = newest.map(|mark| mark.at).max();
    let wish = |mark: &&Mark| {
        let is_breach = matches!(mark.kind, MarkKind::Reassigned { .. } | MarkKind::Deleted);
        let x = scale.x(mark.at);
        Wish {
            left: x - GLYPH,
            right: x + GLYPH,
            text: mark.label.clone(),
            style: if is_breach { Style::BreachText } else { Style::MarkText },
            rank: [rank(mark, newest), -mark.at.0],
            may_rise: is_breach,
        }
    };
    let wishes = marks.iter().filter(|mark| !mark.label.is_empty()).map(wish).collect();
    // The line of "now" stands right of every mark: no label crosses it.
    grant(wishes, taken, (scale.left, scale.x(scale.now) - 2.0), &mut labels);
    Placed { labels, before }
}

/// Gives each mark its label right of it, or left of it where the right is taken or over the edge, in the order of
/// importance. A label that would touch another label or mark (`taken`) or an edge is left out, unless it may rise.
pub(super) fn grant(mut wishes: Vec<Wish>, mut taken: Vec<(f64, f64)>, edges: (f64, f64), labels: &mut Vec<Label>) {
    sort_by_key(&mut wishes, |wish| wish.rank);
    let mut taken_above: Vec<(f64, f64)> = Vec::new();
    let is_free = |taken: &[(f64, f64)], (from, to): (f64, f64)| {
        from >= edges.0 && to <= edges.1 && taken.iter().all(|other| to + 2.0 < other.0 || from - 2.0 > other.1)
    };
    for Wish { left, right, text, style, may_rise, .. } in wishes {
        let room = width(&text);
        let after = (right + 4.0, right + 4.0 + room);
        let before = (left - 4.0 - room, left - 4.0);
        // Over its mark, shifted where an edge is near.
        let start = (left.midpoint(right) - room / 2.0).min(edges.1 - room).max(edges.0);
        let over = (start, start + room);
        if is_free(&taken, after) {
            taken.push(after);
            labels.push(Label { x: after.0, end: false, above: false, text, style });
        } else if is_free(&taken, before) {
            taken.push(before);
            labels.push(Label { x: before.1, end: true, above: false, text, style });
        } else if may_rise && is_free(&taken_above, over) {
            taken_above.push(over);
            labels.push(Label { x: over.0, end: false, above: true, text, style });
        }
    }
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
