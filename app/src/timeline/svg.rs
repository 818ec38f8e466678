//! The one writer from the model's display list to SVG elements.

use std::fmt::Write as _;

use leptos::prelude::*;
use tagwarden_model::timeline::{Drawing, Glyph, Item, Shape, Style};

/// The picture as elements. It is one image to assistive technology; the tables of the page say the same.
pub fn write(drawing: Drawing, label: &str) -> AnyView {
    let (width, height) = (drawing.width, drawing.height);
    view! {
        <svg
            class="timeline-picture"
            role="img"
            aria-label=label.to_owned()
            viewBox=format!("0 0 {width} {height}")
            width=width
            height=height
        >
            <defs>
                <pattern id="dots" width="8" height="8" patternUnits="userSpaceOnUse">
                    <circle class="timeline-dot" cx="2" cy="2" r="0.8" />
                </pattern>
                <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <line class="timeline-hatch" x1="0" y1="0" x2="0" y2="6" />
                </pattern>
            </defs>
            {drawing.items.into_iter().map(item).collect_view()}
        </svg>
    }
    .into_any()
}

fn item(item: Item) -> AnyView {
    let mut class = class(item.style).to_owned();
    if let Some(hue) = item.hue {
        let _ = write!(class, " hue-{hue}");
    }
    let title = item.title.map(|title| view! { <title>{title}</title> });
    match item.shape {
        Shape::Rect { x, y, width, height } => {
            let radius = if item.style == Style::Span { "3" } else { "0" };
            view! { <rect class=class x=x y=y width=width height=height rx=radius>{title}</rect> }.into_any()
        }
        Shape::Line(points) => {
            let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            view! { <polyline class=class points=points.join(" ") /> }.into_any()
        }
        Shape::Glyph(glyph, x, y) => {
            let place = format!("translate({x:.1} {y:.1})");
            view! { <g class=class transform=place>{title}<path d=outline(glyph) /></g> }.into_any()
        }
        Shape::Text { x, y, end, text } => {
            let anchor = if end { "end" } else { "start" };
            view! { <text class=class x=x y=y text-anchor=anchor dominant-baseline="central">{title}{text}</text> }
                .into_any()
        }
    }
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
