//! The picture is tested by what it shows: every label, and that none is touched.

use proptest::prelude::*;

use super::*;
use crate::api::{Gap, Span, Timeline};
use crate::digest::Digest;
use crate::event::EventKind;
use crate::tag::{Band, Class};

const DAY: i64 = 86_400_000;
const NOW: Instant = Instant(1_700_000_000_000);

fn ago(days: f64) -> Instant {
    Instant(NOW.0 - (days * DAY as f64) as i64)
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn span(tag: &str, class: Class, bytes: &str, from: f64) -> Span {
    Span {
        tag: tag.into(),
        class,
        digest: digest(bytes),
        from: ago(from),
        until: None,
        began_by: EventKind::Created,
        ended_by: None,
        baseline: false,
    }
}

fn timeline(spans: Vec<Span>) -> Timeline {
    Timeline { spans, cut: false, gaps: Vec::new(), watched_since: ago(24.0) }
}

fn draw(timeline: &Timeline, width: f64) -> Drawing {
    let from = ago(30.0);
    layout(&scene(timeline, from), &Frame { from, now: NOW, width, offset: &|_| Millis(0) })
}

fn texts(drawing: &Drawing, style: Style) -> Vec<&str> {
    let of = |item: &&Item| item.style == style;
    let text = |item: &'_ Item| matches!(item.shape, Shape::Text { .. });
    drawing
        .items
        .iter()
        .filter(of)
        .filter(|item| text(item))
        .map(|item| match &item.shape {
            Shape::Text { text, .. } => text.as_str(),
            _ => "",
        })
        .collect()
}

fn count(drawing: &Drawing, style: Style) -> usize {
    drawing.items.iter().filter(|item| item.style == style).count()
}

#[test]
fn a_reassigned_release_is_joined_to_its_first_mark_and_named() {
    let mut first = span("2.3.0", Class::Release, "a", 20.0);
    first.until = Some(ago(2.0));
    first.ended_by = Some(EventKind::Moved);
    let mut second = span("2.3.0", Class::Release, "b", 2.0);
    second.began_by = EventKind::Moved;
    let drawing = draw(&timeline(vec![first, second]), 1000.0);
    assert_eq!(texts(&drawing, Style::BreachText), ["2.3.0 reassigned"]);
    assert_eq!(texts(&drawing, Style::MarkText), ["2.3.0"]);
    assert_eq!(count(&drawing, Style::Link), 1);
    assert_eq!(count(&drawing, Style::Breach), 1);
}

#[test]
fn a_release_that_got_its_bytes_back_is_restored_and_no_breach() {
    let mut spans = ["a", "b", "a"].map(|bytes| span("2.3.0", Class::Release, bytes, 0.0));
    for (at, span) in spans.iter_mut().enumerate() {
        span.from = ago(20.0 - at as f64 * 6.0);
        span.until = (at < 2).then(|| ago(14.0 - at as f64 * 6.0));
        span.began_by = if at == 0 { EventKind::Created } else { EventKind::Moved };
        span.ended_by = (at < 2).then_some(EventKind::Moved);
    }
    let drawing = draw(&timeline(spans.into()), 1200.0);
    assert_eq!(count(&drawing, Style::Breach), 1, "the move away stays in the picture");
    assert_eq!(texts(&drawing, Style::MarkText), ["2.3.0 restored", "2.3.0"]);
}

#[test]
fn a_breach_among_many_marks_is_named_in_a_row_of_its_own() {
    let mut spans: Vec<Span> = (0..90_u32)
        .map(|patch| span(&format!("2.3.{patch}"), Class::Release, &patch.to_string(), f64::from(patch) / 4.0))
        .collect();
    let crowded = draw(&timeline(spans.clone()), 1000.0).height;
    spans[40].until = Some(ago(9.9));
    spans[40].ended_by = Some(EventKind::Deleted);
    let drawing = draw(&timeline(spans), 1000.0);
    assert_eq!(texts(&drawing, Style::BreachText), ["2.3.40 deleted"]);
    assert!(drawing.height > crowded, "{} > {crowded}", drawing.height);
}

#[test]
fn a_deleted_release_is_crossed_out_where_it_ended() {
    let mut gone = span("1.8.2", Class::Release, "a", 12.0);
    gone.until = Some(ago(5.0));
    gone.ended_by = Some(EventKind::Deleted);
    let drawing = draw(&timeline(vec![gone]), 1000.0);
    assert_eq!(texts(&drawing, Style::BreachText), ["1.8.2 deleted"]);
    let glyphs = drawing.items.iter().filter(|item| matches!(item.shape, Shape::Glyph(Glyph::Cross, ..)));
    assert_eq!(glyphs.count(), 1);
}

#[test]
fn a_rolling_tag_carries_the_release_of_its_digest() {
    let spans = vec![
        span("2.3.0", Class::Release, "a", 10.0),
        span("latest", Class::Rolling, "a", 10.0),
        span("edge", Class::Rolling, "x", 10.0),
    ];
    let drawing = draw(&timeline(spans), 1000.0);
    assert_eq!(texts(&drawing, Style::SpanText), ["2.3.0", &digest("x").short()]);
    assert_eq!(texts(&drawing, Style::LaneText), ["2.3.x", "latest", "edge"]);
}

#[test]
fn the_kinds_of_nothing_differ() {
    let mut timeline = timeline(vec![span("latest", Class::Rolling, "a", 20.0)]);
    let gap = |from, until| Gap { band: Band::Hot, from: ago(from), until: Some(ago(until)), reason: "refused".into() };
    timeline.gaps = vec![gap(8.0, 5.0), gap(7.0, 4.0)];
    let drawing = draw(&timeline, 1000.0);
    assert_eq!(count(&drawing, Style::Unwatched), 1);
    assert_eq!(count(&drawing, Style::Gap), 1, "gaps of two bands that overlap are one");
    assert_eq!(texts(&drawing, Style::QuietText), ["not watched yet", "not observed"]);
}

#[test]
fn releases_from_before_are_counted_and_not_drawn_as_new() {
    let spans = (0..5).map(|patch| {
        let mut span = span(&format!("1.0.{patch}"), Class::Release, &patch.to_string(), 24.0);
        span.baseline = true;
        span
    });
    let drawing = draw(&timeline(spans.collect()), 1000.0);
    assert_eq!(count(&drawing, Style::Mark), 0);
    assert_eq!(texts(&drawing, Style::QuietText), ["not watched yet", "5 earlier"]);
}

#[test]
fn many_tracks_become_families_and_stay_few_lanes() {
    let tags = (0..40).flat_map(|minor| ["", "-alpine"].map(|family| format!("1.{minor}.0{family}")));
    let spans: Vec<Span> = tags.map(|tag| span(&tag, Class::Release, &tag, 3.0)).collect();
    assert_eq!(texts(&draw(&timeline(spans), 1000.0), Style::LaneText), ["x.y.z", "x.y.z-alpine"]);
}

/// Left and right edge of a label or mark.
fn extent(item: &Item) -> Option<(f64, f64, f64)> {
    match &item.shape {
        Shape::Text { x, y, end, text } => {
            let width = labels::width(text);
            Some(if *end { (x - width, *x, *y) } else { (*x, x + width, *y) })
        }
        Shape::Glyph(_, x, y) => Some((x - GLYPH, x + GLYPH, *y)),
        Shape::Rect { .. } | Shape::Line(_) => None,
    }
}

proptest! {
    #[test]
    fn no_label_of_a_release_is_cut_or_touched(
        releases in proptest::collection::vec((0_u64..4, 0_u64..30, 0.0_f64..30.0, 0_u8..4), 0..60),
        width in 300.0_f64..2000.0,
    ) {
        let spans = releases.iter().map(|(minor, patch, from, fate)| {
            let mut span = span(&format!("2.{minor}.{patch}"), Class::Release, &format!("{from}"), *from);
            if *fate == 0 {
                span.until = Some(ago(from / 2.0));
                span.ended_by = Some(EventKind::Deleted);
            }
            span.began_by = if *fate == 1 { EventKind::Moved } else { EventKind::Created };
            span
        });
        let drawing = draw(&timeline(spans.collect()), width);
        let labels = [Style::MarkText, Style::BreachText];
        let marks: Vec<(usize, (f64, f64, f64))> = drawing.items.iter().enumerate()
            .filter(|(_, item)| labels.contains(&item.style) || matches!(item.shape, Shape::Glyph(..)))
            .filter_map(|(at, item)| extent(item).map(|extent| (at, extent)))
            .collect();
        for (at, (left, right, y)) in &marks {
            if !labels.contains(&drawing.items[*at].style) {
                continue;
            }
            let now = drawing.items.iter().find_map(|item| match (&item.shape, item.style) {
                (Shape::Line(points), Style::Now) => Some(points[0].0),
                _ => None,
            });
            prop_assert!(*left >= 0.0 && Some(*right) <= now, "{:?} leaves the picture", drawing.items[*at]);
            for (other_at, (other_left, other_right, other_y)) in &marks {
                let apart = at == other_at || (y - other_y).abs() > 1.0 || left >= other_right || right <= other_left;
                prop_assert!(apart, "{:?} touches {:?}", drawing.items[*at], drawing.items[*other_at]);
            }
        }
    }

    #[test]
    fn no_instant_makes_the_layout_panic(from: i64, until: i64, since: i64, now: i64, width in -10.0_f64..5000.0) {
        let mut odd = span("1.0.0", Class::Rolling, "a", 0.0);
        (odd.from, odd.until) = (Instant(from), Some(Instant(until)));
        let mut timeline = timeline(vec![odd]);
        timeline.watched_since = Instant(since / 2);
        let frame = Frame { from: Instant(from), now: Instant(now), width, offset: &|_| Millis::hours(2) };
        let drawing = layout(&scene(&timeline, Instant(from)), &frame);
        prop_assert!(drawing.items.len() < 1000);
    }
}
