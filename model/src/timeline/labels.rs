//! Which labels of a lane are shown, and on which side of their marks.

use super::{CHARACTER, GLYPH, Mark, MarkKind, Scale, Style};

/// How far left of its mark the name of a breach may stand, and the steps in which a place is looked for, in pixels.
const FARTHEST: u16 = 240;
const STEP: u16 = 8;

/// A label with its place.
pub(super) struct Label {
    pub x: f64,
    pub end: bool,
    pub text: String,
    pub style: Style,
}

/// What could be placed.
pub(super) struct Placed {
    pub labels: Vec<Label>,
    /// Releases from before the picture.
    pub before: usize,
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
/// label or mark is left out; that of a breach is shortened and may stand further left before it is.
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
            labels.push(Label { x, end: false, text, style: Style::QuietText });
        }
    }
    let mut order: Vec<&Mark> = marks.iter().copied().filter(|mark| !mark.label.is_empty()).collect();
    let newest = order.iter().filter(|mark| mark.kind == MarkKind::Release).map(|mark| mark.at).max();
    order.sort_by_key(|mark| (rank(mark, newest), std::cmp::Reverse(mark.at)));
    // The line of "now" stands right of every mark: no label crosses it.
    let last = scale.x(scale.now) - 2.0;
    for mark in order {
        let is_breach = matches!(mark.kind, MarkKind::Reassigned { .. } | MarkKind::Deleted);
        let x = scale.x(mark.at);
        let free = |(from, to): (f64, f64)| {
            from >= scale.left
                && to <= last
                && taken.iter().all(|(other_from, other_to)| to + 2.0 < *other_from || from - 2.0 > *other_to)
        };
        let found = texts(mark, is_breach).find_map(|text| {
            let room = width(text);
            let right = (x + GLYPH + 4.0, x + GLYPH + 4.0 + room);
            let left = (x - GLYPH - 4.0 - room, x - GLYPH - 4.0);
            // A breach is named even where marks are dense: its red name may stand further left.
            let steps = if is_breach { FARTHEST / STEP } else { 0 };
            let further = (1..=steps).map(|step| f64::from(step * STEP)).map(|by| ((left.0 - by, left.1 - by), true));
            let places = [(right, false), (left, true)].into_iter().chain(further);
            places.into_iter().find(|(place, _)| free(*place)).map(|(place, end)| (place, end, text.to_owned()))
        });
        if let Some((place, end, text)) = found {
            taken.push(place);
            let style = if is_breach { Style::BreachText } else { Style::MarkText };
            labels.push(Label { x: if end { place.1 } else { place.0 }, end, text, style });
        }
    }
    Placed { labels, before }
}

/// What may be said of a mark, the best first: of a breach at least the tag.
fn texts(mark: &Mark, is_breach: bool) -> impl Iterator<Item = &str> {
    let tag = mark.label.split(' ').next().filter(|tag| is_breach && *tag != mark.label);
    std::iter::once(mark.label.as_str()).chain(tag)
}

/// Smaller is more important.
fn rank(mark: &Mark, newest: Option<crate::instant::Instant>) -> u8 {
    match mark.kind {
        MarkKind::Reassigned { .. } | MarkKind::Deleted => 0,
        MarkKind::Restored { .. } => 1,
        MarkKind::Release if newest == Some(mark.at) => 2,
        MarkKind::Release if mark.major => 3,
        MarkKind::Release => 4,
    }
}
