//! Timelines as pictures: pure functions to a list of shapes.
//!
//! [`layout`] places a small picture's [`Scene`]; [`sheet`] places the lanes of a page's timeline from the tiles that are
//! there, and says what is where ([`Hit`]). Neither draws: one painter brings the list to a canvas, one writer makes SVG
//! elements of it, so a page, a print and a test see the same picture.

mod axis;
mod ground;
mod hits;
mod labels;
mod releases;
mod rolling;
mod rows;
mod scene;
mod sheet;
mod tiles;
mod view;
mod words;

use crate::hue;
use crate::instant::{Instant, Millis};
pub use hits::{Hit, What};
pub use rows::{Act, Arranged, short};
pub use scene::{Bar, Lane, Mark, MarkKind, Scene};
pub use sheet::{Board, Handle, Place, Sheet, lane_label, sheet, strip};
pub use tiles::{Befell, Claimed, Part, Seen, Stretch, TileStore, Word};
pub use view::View;
pub use words::Words;

/// Height of one lane in pixels.
const LANE: f64 = 28.0;
/// Height of the row of labels above the marks of a crowded lane.
const ABOVE: f64 = 14.0;
/// Height of a heading above lanes.
const HEADING: f64 = 28.0;
/// Room for the axis at the top and for notes at the bottom.
const AXIS: f64 = 28.0;
const NOTES: f64 = 24.0;
/// Room right of "now", so that the newest mark is not at the edge.
const RIGHT: f64 = 20.0;
/// Half the width of a mark.
pub(crate) const GLYPH: f64 = 6.0;
/// Widest advance of a monospaced font at the size of the labels (12 px), so that a label is never wider than thought.
pub(crate) const CHARACTER: f64 = 7.4;

/// What part of time is drawn, and how wide.
pub struct Frame<'a> {
    /// The left edge.
    pub from: Instant,
    /// Now; the right edge is a little later.
    pub now: Instant,
    /// Width of the whole picture in pixels.
    pub width: f64,
    /// The viewer's distance from UTC at an instant.
    pub offset: &'a dyn Fn(Instant) -> Millis,
    /// In the viewer's language.
    pub words: &'a Words,
}

/// The picture: shapes in the order in which they are painted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawing {
    /// In pixels.
    pub width: f64,
    /// In pixels.
    pub height: f64,
    /// What to paint.
    pub items: Vec<Item>,
}

/// One shape of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Where it is.
    pub shape: Shape,
    /// What it means, and so how it looks.
    pub style: Style,
    /// The hue of its digest.
    pub hue: Option<u8>,
    /// What it says when asked.
    pub title: Option<String>,
    /// Something else is pointed at.
    pub dim: bool,
}

/// Geometry in pixels from the top left corner.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A rectangle.
    Rect {
        /// Left.
        x: f64,
        /// Top.
        y: f64,
        /// Width.
        width: f64,
        /// Height.
        height: f64,
    },
    /// A line through points.
    Line(Vec<(f64, f64)>),
    /// A mark around a point.
    Glyph(Glyph, f64, f64),
    /// One line of text; `y` is its middle.
    Text {
        /// Where it starts, or ends if `end`.
        x: f64,
        /// Middle.
        y: f64,
        /// Whether `x` is the right end.
        end: bool,
        /// What it says.
        text: String,
    },
}

/// The forms of marks; they differ without colour too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    /// A release.
    Disc,
    /// Releases from before the watch or the picture.
    Ring,
    /// Reassigned.
    Diamond,
    /// Restored.
    HollowDiamond,
    /// Deleted.
    Cross,
}

/// What a shape means. On a canvas, what stands first here lies undermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Time before the watch began.
    Unwatched,
    /// A vertical line of the axis.
    Grid,
    /// The line under a lane.
    LaneLine,
    /// How much happened, over all lanes.
    Activity,
    /// A rolling tag at one digest.
    Span,
    /// A rolling tag that moved often.
    Many,
    /// Time in which it happened, as far as is known.
    Window,
    /// Time in which the registry could not be asked.
    Gap,
    /// Time that was not loaded yet.
    Unloaded,
    /// From a release's first mark to its new one.
    Link,
    /// Now.
    Now,
    /// Releases from before.
    Before,
    /// A release from before, when its image claims to be made.
    Claim,
    /// Several releases.
    Cluster,
    /// A release.
    Mark,
    /// The release is as promised again.
    Restored,
    /// The end of a rolling tag.
    End,
    /// A breach.
    Breach,
    /// Around what is chosen.
    Chosen,
    /// Outside of the part that is shown.
    Outside,
    /// The part that is shown, or will be.
    Brush,
    /// A date of the axis.
    AxisText,
    /// The name of a lane.
    LaneText,
    /// A heading above lanes.
    HeadingText,
    /// The release it equals.
    SpanText,
    /// How many.
    CountText,
    /// A release's name.
    MarkText,
    /// Text about what is absent.
    QuietText,
    /// What a breach is called.
    BreachText,
    /// The word "now".
    NowText,
}

impl Style {
    /// How many there are.
    pub const COUNT: usize = Self::NowText as usize + 1;
}

/// Where time is on the picture.
pub(crate) struct Scale {
    pub from: Instant,
    pub now: Instant,
    pub to: Instant,
    pub left: f64,
    pub right: f64,
}

impl Scale {
    /// Pixels from the left, kept within the plot.
    pub fn x(&self, at: Instant) -> f64 {
        let length = (self.to - self.from).0.max(1) as f64;
        let part = ((at - self.from).0 as f64 / length).clamp(0.0, 1.0);
        self.left + part * (self.right - self.left)
    }
}

/// Where everything of a small picture goes.
pub fn layout(scene: &Scene, frame: &Frame<'_>) -> Drawing {
    let mut drawing = Drawing { width: frame.width, height: 0.0, items: Vec::new() };
    let left = gutter(scene.lanes.iter().map(|lane| lane.label.as_str()), frame.width);
    let to = frame.now + Millis((frame.now - frame.from).0 / 50);
    let scale = Scale { from: frame.from, now: frame.now, to, left, right: (frame.width - RIGHT).max(left + 1.0) };
    let rows = rows(scene, &scale, frame.words);
    let bottom = rows.last().map_or(AXIS, |row| row.bottom) + 4.0;
    drawing.height = bottom + NOTES;

    unwatched(&mut drawing, scene, &scale, frame.words, bottom);
    axis::draw(&mut drawing, &scale, frame, bottom);
    for row in &rows {
        draw_bars(&mut drawing, row, &scale, frame);
    }
    for row in rows {
        draw_lane(&mut drawing, row.lane, row, &scale, frame);
    }
    draw_now(&mut drawing, &scale, frame.words, bottom);
    drawing
}

fn draw_now(drawing: &mut Drawing, scale: &Scale, words: &Words, bottom: f64) {
    let now = scale.x(scale.now).floor() + 0.5;
    drawing.line(Style::Now, vec![(now, AXIS - 6.0), (now, bottom)]);
    drawing.text(Style::NowText, now, bottom + 12.0, true, words.now.into());
}

/// A lane with its labels and its place.
struct PlacedRow<'a> {
    lane: &'a Lane,
    placed: labels::Placed,
    bottom: f64,
}

impl PlacedRow<'_> {
    /// Middle of the marks.
    fn middle(&self) -> f64 {
        self.bottom - LANE / 2.0
    }
}

/// Lanes from top to bottom; crowded ones are taller.
fn rows<'a>(scene: &'a Scene, scale: &Scale, words: &Words) -> Vec<PlacedRow<'a>> {
    let mut bottom = AXIS;
    let place = |lane: &'a Lane| {
        let placed = labels::place(&lane.since(scale.from), lane.before(scale.from), scale, words);
        bottom += if placed.is_tall() { LANE + ABOVE } else { LANE };
        PlacedRow { lane, placed, bottom }
    };
    scene.lanes.iter().map(place).collect()
}

/// Room for the names of the lanes: what the longest needs, and at most a quarter of the picture.
fn gutter<'a>(names: impl Iterator<Item = &'a str>, width: f64) -> f64 {
    let longest = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let wanted = longest as f64 * CHARACTER + 20.0;
    wanted.clamp(72.0, (width * 0.25).clamp(88.0, 190.0))
}

/// Time before the watch began: dotted, so that it never looks like a time in which nothing happened.
fn unwatched(drawing: &mut Drawing, scene: &Scene, scale: &Scale, words: &Words, bottom: f64) {
    if scene.watched_since <= scale.from {
        return;
    }
    let width = scale.x(scene.watched_since) - scale.left;
    drawing.push(
        Style::Unwatched,
        Shape::Rect { x: scale.left, y: AXIS, width, height: bottom - AXIS },
        Some(words.not_watched[0].into()),
    );
    not_watched(drawing, scale.left, scale.left + width, words, bottom);
}

/// Says so below the lanes, the longest words first: what fits is taken.
fn not_watched(drawing: &mut Drawing, left: f64, right: f64, words: &Words, bottom: f64) {
    let words = words.not_watched.into_iter().find(|words| labels::width(words) <= right - left);
    if let Some(words) = words {
        drawing.text(Style::QuietText, left, bottom + 12.0, false, words.into());
    }
}

fn draw_lane(drawing: &mut Drawing, lane: &Lane, row: PlacedRow<'_>, scale: &Scale, frame: &Frame<'_>) {
    let middle = row.middle();
    let room = ((scale.left - 12.0) / CHARACTER) as usize;
    drawing.items.push(Item {
        shape: Shape::Text { x: 0.0, y: middle, end: false, text: labels::shorten(&lane.label, room) },
        style: Style::LaneText,
        hue: None,
        title: Some(lane.label.clone()),
        dim: false,
    });
    for bar in &lane.bars {
        draw_bar_text(drawing, bar, scale, frame.words, middle);
    }
    draw_marks(drawing, lane, row.placed, scale, frame, middle);
}

fn draw_bars(drawing: &mut Drawing, row: &PlacedRow<'_>, scale: &Scale, frame: &Frame<'_>) {
    let lane = row.lane;
    let under = row.bottom - 0.5;
    drawing.line(Style::LaneLine, vec![(scale.left, under), (scale.right + RIGHT, under)]);
    for bar in &lane.bars {
        let Some((x, width)) = extent(bar, scale) else { continue };
        let ending = bar.until.map_or_else(|| frame.words.now.to_owned(), |until| axis::date_time(until, frame));
        let beginning = axis::date_time(bar.from.max(frame.from), frame);
        let title = (frame.words.lasted)(&bar.title, &beginning, &ending);
        let hue = Some(hue::bars(&bar.digest)[0]);
        let shape = Shape::Rect { x, y: row.bottom - LANE + 5.0, width, height: LANE - 10.0 };
        drawing.items.push(Item { shape, style: Style::Span, hue, title: Some(title), dim: false });
    }
}

/// Left edge and width of a bar; `None` left of the picture. Two pixels of the ground part it from the next one,
/// whatever their colours.
fn extent(bar: &Bar, scale: &Scale) -> Option<(f64, f64)> {
    let until = bar.until.unwrap_or(scale.now);
    let (x, end) = (scale.x(bar.from), scale.x(until));
    (until > scale.from).then(|| (x, (end - x - 2.0).max(2.0)))
}

fn draw_bar_text(drawing: &mut Drawing, bar: &Bar, scale: &Scale, words: &Words, middle: f64) {
    let Some((x, width)) = extent(bar, scale) else { return };
    let labels = [Some(bar.label.clone()), bar.short.clone()];
    if let Some(text) = labels.into_iter().flatten().find(|text| labels::width(text) + 12.0 <= width) {
        drawing.text(Style::SpanText, x + 6.0, middle, false, text);
    }
    if bar.ended {
        let title = Some(words.deleted.to_owned());
        drawing.push(Style::End, Shape::Glyph(Glyph::Cross, x + width + GLYPH + 2.0, middle), title);
    }
}

fn draw_marks(
    drawing: &mut Drawing,
    lane: &Lane,
    placed: labels::Placed,
    scale: &Scale,
    frame: &Frame<'_>,
    middle: f64,
) {
    let visible = lane.since(scale.from);
    for mark in &visible {
        if let MarkKind::Reassigned { first } | MarkKind::Restored { first } = mark.kind {
            let (from, to, below) = (scale.x(first), scale.x(mark.at), middle + 10.5);
            let points = vec![(from, middle + GLYPH), (from + 4.0, below), (to - 4.0, below), (to, middle + GLYPH)];
            if to - from > 8.0 {
                drawing.line(Style::Link, points);
            }
        }
    }
    if placed.before > 0 {
        let title = Some((frame.words.seen_before)(placed.before));
        drawing.push(Style::Before, Shape::Glyph(Glyph::Ring, scale.left + GLYPH + 2.0, middle), title);
    }
    for mark in &visible {
        let (glyph, style) = match mark.kind {
            MarkKind::Release => (Glyph::Disc, Style::Mark),
            MarkKind::Reassigned { .. } => (Glyph::Diamond, Style::Breach),
            MarkKind::Deleted => (Glyph::Cross, Style::Breach),
            MarkKind::Restored { .. } => (Glyph::HollowDiamond, Style::Restored),
        };
        drawing.items.push(Item {
            shape: Shape::Glyph(glyph, scale.x(mark.at), middle),
            style,
            hue: matches!(mark.kind, MarkKind::Release).then(|| hue::bars(&mark.digest)[0]),
            title: Some((frame.words.happened)(&mark.title, &axis::date_time(mark.at, frame))),
            dim: false,
        });
    }
    for label in placed.labels {
        let y = if label.above { middle - LANE / 2.0 - 3.0 } else { middle };
        drawing.text(label.style, label.x, y, label.end, label.text);
    }
}

impl Drawing {
    fn push(&mut self, style: Style, shape: Shape, title: Option<String>) {
        self.items.push(Item { shape, style, hue: None, title, dim: false });
    }

    fn line(&mut self, style: Style, points: Vec<(f64, f64)>) {
        self.push(style, Shape::Line(points), None);
    }

    fn text(&mut self, style: Style, x: f64, y: f64, end: bool, text: String) {
        self.push(style, Shape::Text { x, y, end, text }, None);
    }
}

#[cfg(test)]
mod tests;
