//! The one writer from the model's display list to SVG elements. By hand, as the table is written: in a view each of them would
//! be code of its own.

use tagwarden_model::timeline::{Drawing, Glyph, Item, Shape, Style};
use web_sys::Element;

/// Writes the picture into an element, in place of what was there. It is one image to assistive technology; the tables of the
/// page say the same.
pub fn write(holder: &Element, drawing: &Drawing, label: &str) -> Option<()> {
    holder.set_text_content(None);
    let (width, height) = (number(drawing.width), number(drawing.height));
    let size = [
        ("class", "timeline-picture"),
        ("role", "img"),
        ("aria-label", label),
        ("viewBox", &["0 0 ", &width, " ", &height].concat()),
        ("width", &width),
        ("height", &height),
    ];
    let picture = add(holder, "svg", &size)?;
    let patterns = add(&picture, "defs", &[])?;
    let pattern = |name: &str, size: &str, turned: &str| {
        let units = ("patternUnits", "userSpaceOnUse");
        let attributes = [("id", name), ("width", size), ("height", size), units, ("patternTransform", turned)];
        add(&patterns, "pattern", &attributes)
    };
    let dot = [("class", "timeline-dot"), ("cx", "2"), ("cy", "2"), ("r", "0.8")];
    add(&pattern("dots", "8", "rotate(0)")?, "circle", &dot)?;
    add(&pattern("hatch", "6", "rotate(45)")?, "path", &[("class", "timeline-hatch"), ("d", "M0 0V6")])?;
    for item in &drawing.items {
        write_item(&picture, item)?;
    }
    Some(())
}

/// Adds an element with its attributes.
fn add(parent: &Element, name: &str, attributes: &[(&str, &str)]) -> Option<Element> {
    let element = parent.owner_document()?.create_element_ns(Some("http://www.w3.org/2000/svg"), name).ok()?;
    for (name, value) in attributes {
        let _ = element.set_attribute(name, value);
    }
    parent.append_child(&element).ok()?;
    Some(element)
}

/// To a tenth of a pixel.
fn number(value: f64) -> String {
    ((value * 10.0).round() / 10.0).to_string()
}

fn write_item(picture: &Element, item: &Item) -> Option<()> {
    let mut class = class(item.style).to_owned();
    if let Some(hue) = item.hue {
        class = [&class, " hue-", &hue.to_string()].concat();
    }
    let class = ("class", class.as_str());
    let element = match &item.shape {
        Shape::Rect { x, y, width, height } => {
            let radius = if item.style == Style::Span { "3" } else { "0" };
            let [x, y, width, height] = [x, y, width, height].map(|length| number(*length));
            let place = [("x", x.as_str()), ("y", &y), ("width", &width), ("height", &height)];
            add(picture, "rect", &[class, place[0], place[1], place[2], place[3], ("rx", radius)])?
        }
        Shape::Line(points) => {
            let points: Vec<String> = points.iter().map(|(x, y)| [number(*x), number(*y)].join(",")).collect();
            add(picture, "polyline", &[class, ("points", &points.join(" "))])?
        }
        Shape::Glyph(glyph, x, y) => {
            let place = ["translate(", &number(*x), " ", &number(*y), ")"].concat();
            let group = add(picture, "g", &[class, ("transform", &place)])?;
            add(&group, "path", &[("d", outline(*glyph))])?;
            group
        }
        Shape::Text { x, y, end, text } => {
            let anchor = ("text-anchor", if *end { "end" } else { "start" });
            let place = [class, ("x", &number(*x)), ("y", &number(*y)), anchor, ("dominant-baseline", "central")];
            let element = add(picture, "text", &place)?;
            element.set_text_content(Some(text));
            element
        }
    };
    if let Some(title) = &item.title {
        add(&element, "title", &[])?.set_text_content(Some(title));
    }
    Some(())
}

/// A mark's outline around its point.
fn outline(glyph: Glyph) -> &'static str {
    match glyph {
        Glyph::Disc => "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0",
        Glyph::Ring => "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        Glyph::Diamond | Glyph::HollowDiamond => "M0 -6.5L6.5 0L0 6.5L-6.5 0Z",
        Glyph::Cross => "M-4 -4L4 4M4 -4L-4 4",
    }
}

fn class(style: Style) -> &'static str {
    match style {
        Style::Grid => "t-grid",
        Style::AxisText => "t-axis",
        Style::LaneLine => "t-lane-line",
        Style::LaneText => "t-lane",
        Style::HeadingText => "t-heading",
        Style::Span => "t-span",
        Style::Many => "t-many",
        Style::SpanText => "t-span-text",
        Style::Mark => "t-mark",
        Style::Cluster => "t-cluster",
        Style::MarkText | Style::CountText => "t-mark-text",
        Style::Before => "t-before",
        Style::Claim => "t-claim",
        Style::QuietText => "t-quiet",
        Style::Breach => "t-breach",
        Style::BreachText => "t-breach-text",
        Style::Link => "t-link",
        Style::Restored => "t-restored",
        Style::End => "t-end",
        Style::Window | Style::Activity => "t-window",
        Style::Unwatched => "t-unwatched",
        Style::Gap => "t-gap",
        Style::Unloaded => "t-unloaded",
        Style::Outside | Style::Brush | Style::Chosen => "t-chosen",
        Style::Now => "t-now",
        Style::NowText => "t-now-text",
    }
}
