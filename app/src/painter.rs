//! The one painter from the model's display list to a canvas: one path for all shapes that look the same.

use std::ops::Range;

use tagwarden_model::timeline::{Drawing, Glyph, Item, Shape, Style};

/// What is painted with; a canvas knows the colours of the theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// The ground of a card.
    Surface,
    /// The ground of what stands out a little.
    Raised,
    /// Hairlines.
    Line,
    /// Text, from strong to quiet.
    Text,
    /// Less.
    Text2,
    /// Least.
    Text3,
    /// Text on a hue.
    OnHue,
    /// Breaches.
    Flag,
    /// What is chosen, and now.
    Accent,
    /// Not watched.
    Dots,
    /// Not observed.
    Hatch,
    /// Not loaded.
    Checks,
    /// A digest.
    Hue(u8),
}

/// Where is painted: a canvas, or what a test writes down.
pub trait Surface {
    /// Begins a path.
    fn begin(&mut self);
    /// Adds a rectangle with round corners.
    fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, radius: f64);
    /// Fills a rectangle that is part of no path.
    fn block(&mut self, x: f64, y: f64, width: f64, height: f64);
    /// Adds a circle.
    fn circle(&mut self, x: f64, y: f64, radius: f64);
    /// Adds a line through points.
    fn line(&mut self, points: &[(f64, f64)], closed: bool);
    /// Sets what blocks are filled with.
    fn ink(&mut self, ink: Ink);
    /// Fills the path.
    fn fill(&mut self, ink: Ink);
    /// Draws the path's outline.
    fn stroke(&mut self, ink: Ink, width: f64, dashed: bool);
    /// Sets how the texts that follow look.
    fn font(&mut self, ink: Ink, strong: bool);
    /// Writes; with a rim in the ground's colour, so that no line runs through a word.
    fn text(&mut self, text: &str, x: f64, y: f64, end: bool, rim: bool);
    /// How opaque everything is from now on.
    fn opacity(&mut self, opacity: f64);
}

/// How a style looks.
#[derive(Default)]
struct Look {
    fill: Option<Ink>,
    stroke: Option<(Ink, f64)>,
    /// A rim around marks, so that neighbours are told apart.
    rim: f64,
    radius: f64,
    dashed: bool,
    /// In per cent less than opaque.
    clear: u8,
}

/// How opaque that is which is not pointed at: keys point at something all the time.
const DIM: f64 = 0.4;
/// Hues and none.
const COLOURS: usize = 25;

/// Paints what is seen between two heights.
pub fn paint(drawing: &Drawing, part: &Range<f64>, surface: &mut dyn Surface) {
    let mut layers: Vec<Vec<&Item>> = Vec::new();
    layers.resize_with(Style::COUNT * COLOURS * 2, Vec::new);
    for item in drawing.items.iter().filter(|item| is_seen(&item.shape, part)) {
        let colour = item.hue.map_or(0, |hue| usize::from(hue) + 1);
        let at = (item.style as usize * COLOURS + colour) * 2 + usize::from(is_dim(item));
        if let Some(layer) = layers.get_mut(at) {
            layer.push(item);
        }
    }
    for layer in layers {
        if let Some(first) = layer.first() {
            paint_layer(first, &layer, surface);
        }
    }
}

/// What steps back while something else is pointed at: no breach, nothing that may hold it, and of words only their ground.
fn is_dim(item: &Item) -> bool {
    use Style::{Before, Claim, End, Mark, Span, SpanText, Window};
    item.dim && matches!(item.style, Before | Claim | End | Mark | Span | SpanText | Window)
}

fn is_seen(shape: &Shape, part: &Range<f64>) -> bool {
    let (top, bottom) = match shape {
        Shape::Rect { y, height, .. } => (*y, y + height),
        Shape::Line(points) => {
            points.iter().fold((f64::MAX, f64::MIN), |(top, bottom), (_, y)| (top.min(*y), bottom.max(*y)))
        }
        Shape::Glyph(_, _, y) | Shape::Text { y, .. } => (*y, *y),
    };
    // Letters, rims and strokes reach over what is drawn.
    top - 10.0 < part.end && bottom + 10.0 > part.start
}

fn paint_layer(first: &Item, layer: &[&Item], surface: &mut dyn Surface) {
    let is_dim = is_dim(first);
    if matches!(first.shape, Shape::Text { .. }) {
        let (ink, strong, rim) = script(first.style, is_dim);
        surface.opacity(1.0);
        surface.font(ink, strong);
        for item in layer {
            if let Shape::Text { x, y, end, text } = &item.shape {
                surface.text(text, *x, *y, *end, rim);
            }
        }
        return;
    }
    let look = look(first.style, first.hue);
    // Hundreds of plain rectangles are filled in less time than one path of them.
    if let Look { fill: Some(ink), stroke: None, clear, .. } = look
        && (look.radius, look.rim) == (0.0, 0.0)
        && !is_dim
        && !matches!(ink, Ink::Dots | Ink::Hatch | Ink::Checks)
    {
        surface.ink(ink);
        surface.opacity(f64::from(100 - clear) / 100.0);
        for item in layer {
            if let Shape::Rect { x, y, width, height } = item.shape {
                surface.block(x, y, width, height);
            }
        }
        return;
    }
    surface.begin();
    for item in layer {
        trace(&item.shape, look.radius, surface);
    }
    if look.rim > 0.0 {
        surface.opacity(1.0);
        surface.stroke(Ink::Surface, look.rim, false);
    }
    let opacity = if is_dim { DIM } else { 1.0 };
    surface.opacity(opacity * f64::from(100 - look.clear) / 100.0);
    if let Some(ink) = look.fill {
        surface.fill(ink);
    }
    if let Some((ink, width)) = look.stroke {
        surface.stroke(ink, width, look.dashed);
    }
}

fn trace(shape: &Shape, radius: f64, surface: &mut dyn Surface) {
    match shape {
        Shape::Rect { x, y, width, height } => {
            surface.rect(*x, *y, *width, *height, radius.min(width / 2.0).min(height / 2.0));
        }
        Shape::Line(points) => surface.line(points, false),
        Shape::Glyph(glyph, x, y) => match glyph {
            Glyph::Disc => surface.circle(*x, *y, 5.0),
            Glyph::Ring => surface.circle(*x, *y, 4.0),
            Glyph::Diamond | Glyph::HollowDiamond => {
                surface.line(&[(*x, y - 6.0), (x + 6.0, *y), (*x, y + 6.0), (x - 6.0, *y)], true);
            }
            Glyph::Cross => {
                surface.line(&[(x - 4.0, y - 4.0), (x + 4.0, y + 4.0)], false);
                surface.line(&[(x + 4.0, y - 4.0), (x - 4.0, y + 4.0)], false);
            }
        },
        Shape::Text { .. } => {}
    }
}

fn look(style: Style, hue: Option<u8>) -> Look {
    let filled = |ink| Look { fill: Some(ink), ..Look::default() };
    let drawn = |ink, width| Look { stroke: Some((ink, width)), ..Look::default() };
    let hue = hue.map_or(Ink::Text2, Ink::Hue);
    match style {
        Style::Unwatched => filled(Ink::Dots),
        Style::Gap => filled(Ink::Hatch),
        Style::Unloaded => filled(Ink::Checks),
        Style::Activity => filled(Ink::Text3),
        Style::Span => Look { radius: 3.0, ..filled(hue) },
        // Plain, as whole lanes may be of it: a pattern or round corners would cost a frame milliseconds.
        Style::Many => Look { clear: 50, ..filled(Ink::Text3) },
        Style::Window => Look { radius: 2.0, clear: 50, ..filled(Ink::Text3) },
        Style::Outside => Look { clear: 35, ..filled(Ink::Surface) },
        Style::LaneLine => Look { clear: 40, ..drawn(Ink::Line, 1.0) },
        Style::Link => Look { clear: 25, ..drawn(Ink::Flag, 1.5) },
        Style::Now => drawn(Ink::Accent, 1.0),
        Style::Before => Look { fill: Some(Ink::Surface), radius: 8.0, ..drawn(Ink::Text3, 1.5) },
        Style::Claim => Look { fill: Some(Ink::Surface), dashed: true, ..drawn(Ink::Text3, 1.5) },
        Style::Cluster => Look { fill: Some(Ink::Raised), radius: 8.0, rim: 3.0, ..drawn(Ink::Text3, 1.0) },
        Style::Mark => Look { rim: 3.0, ..filled(hue) },
        Style::Restored => Look { fill: Some(Ink::Surface), rim: 4.0, ..drawn(Ink::Text2, 2.0) },
        Style::End => drawn(Ink::Text2, 2.0),
        Style::Breach => Look { fill: Some(Ink::Flag), rim: 5.0, ..drawn(Ink::Flag, 2.0) },
        Style::Chosen => Look { radius: 6.0, ..drawn(Ink::Accent, 2.0) },
        Style::Brush => Look { radius: 3.0, ..drawn(Ink::Accent, 1.5) },
        _ => drawn(Ink::Line, 1.0),
    }
}

/// Colour, weight and rim of a text.
fn script(style: Style, is_dim: bool) -> (Ink, bool, bool) {
    match style {
        // The hue below it is nearly the ground.
        Style::SpanText if is_dim => (Ink::Text, false, false),
        Style::LaneText => (Ink::Text, false, false),
        Style::HeadingText => (Ink::Text3, true, true),
        Style::SpanText => (Ink::OnHue, false, false),
        Style::CountText => (Ink::Text, true, true),
        Style::MarkText => (Ink::Text2, false, true),
        Style::BreachText => (Ink::Flag, true, true),
        Style::NowText => (Ink::Accent, false, false),
        _ => (Ink::Text3, false, true),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use tagwarden_model::timeline::Item;

    use super::*;

    /// Writes down what is painted, a line a call.
    #[derive(Default)]
    struct Recorder(String);

    impl Surface for Recorder {
        fn begin(&mut self) {
            self.0.push_str("begin\n");
        }

        fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, radius: f64) {
            let _ = writeln!(self.0, "rect {x} {y} {width} {height} round {radius}");
        }

        fn block(&mut self, x: f64, y: f64, width: f64, height: f64) {
            let _ = writeln!(self.0, "block {x} {y} {width} {height}");
        }

        fn ink(&mut self, ink: Ink) {
            let _ = writeln!(self.0, "ink {ink:?}");
        }

        fn circle(&mut self, x: f64, y: f64, radius: f64) {
            let _ = writeln!(self.0, "circle {x} {y} {radius}");
        }

        fn line(&mut self, points: &[(f64, f64)], closed: bool) {
            let _ = writeln!(self.0, "line {points:?}{}", if closed { " closed" } else { "" });
        }

        fn fill(&mut self, ink: Ink) {
            let _ = writeln!(self.0, "fill {ink:?}");
        }

        fn stroke(&mut self, ink: Ink, width: f64, dashed: bool) {
            let _ = writeln!(self.0, "stroke {ink:?} {width}{}", if dashed { " dashed" } else { "" });
        }

        fn font(&mut self, ink: Ink, strong: bool) {
            let _ = writeln!(self.0, "font {ink:?}{}", if strong { " strong" } else { "" });
        }

        fn text(&mut self, text: &str, x: f64, y: f64, end: bool, rim: bool) {
            let _ = writeln!(
                self.0,
                "text {text:?} {x} {y}{}{}",
                if end { " end" } else { "" },
                if rim { " rim" } else { "" }
            );
        }

        fn opacity(&mut self, opacity: f64) {
            let _ = writeln!(self.0, "opacity {opacity}");
        }
    }

    fn item(style: Style, shape: Shape, hue: Option<u8>, dim: bool) -> Item {
        Item { shape, style, hue, title: None, dim }
    }

    #[test]
    fn what_looks_the_same_is_one_path_and_layers_lie_in_their_order() {
        let text = |text: &str, x| Shape::Text { x, y: 40.0, end: false, text: text.into() };
        let rect = |x| Shape::Rect { x, y: 30.0, width: 20.0, height: 18.0 };
        let items = vec![
            item(Style::Breach, Shape::Glyph(Glyph::Cross, 90.0, 40.0), None, false),
            item(Style::MarkText, text("2.3.0", 60.0), None, false),
            item(Style::Mark, Shape::Glyph(Glyph::Disc, 50.0, 40.0), Some(3), false),
            item(Style::Span, rect(10.0), Some(3), false),
            item(Style::Span, rect(40.0), Some(7), true),
            item(Style::Span, rect(70.0), Some(3), false),
            item(Style::Claim, Shape::Glyph(Glyph::Ring, 20.0, 40.0), None, false),
            item(Style::SpanText, text("2.2.9", 42.0), None, true),
            item(Style::Cluster, rect(80.0), None, true),
            item(Style::Unloaded, rect(0.0), None, false),
            item(Style::Many, rect(5.0), None, false),
            item(Style::LaneText, Shape::Text { x: 0.0, y: 90.0, end: false, text: "below".into() }, None, false),
        ];
        let mut recorder = Recorder::default();
        paint(&Drawing { width: 100.0, height: 60.0, items }, &(0.0..60.0), &mut recorder);
        let expected = "\
begin
rect 10 30 20 18 round 3
rect 70 30 20 18 round 3
opacity 1
fill Hue(3)
begin
rect 40 30 20 18 round 3
opacity 0.4
fill Hue(7)
ink Text3
opacity 0.5
block 5 30 20 18
begin
rect 0 30 20 18 round 0
opacity 1
fill Checks
begin
circle 20 40 4
opacity 1
fill Surface
stroke Text3 1.5 dashed
begin
rect 80 30 20 18 round 8
opacity 1
stroke Surface 3
opacity 1
fill Raised
stroke Text3 1
begin
circle 50 40 5
opacity 1
stroke Surface 3
opacity 1
fill Hue(3)
begin
line [(86.0, 36.0), (94.0, 44.0)]
line [(94.0, 36.0), (86.0, 44.0)]
opacity 1
stroke Surface 5
opacity 1
fill Flag
stroke Flag 2
opacity 1
font Text
text \"2.2.9\" 42 40
opacity 1
font Text2
text \"2.3.0\" 60 40 rim
";
        assert_eq!(recorder.0, expected);
    }
}
