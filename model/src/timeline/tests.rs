//! Small pictures are tested by what they show: every label, and that none is touched.

use proptest::prelude::*;

use super::*;
use crate::digest::Digest;
use crate::event::EventKind;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(crate) const ENGLISH: Words = Words {
    now: "now",
    releases: "Releases",
    rebuilt: "Rebuilt tags",
    rolling: "Rolling tags",
    not_watched: ["not watched yet", "not watched"],
    deleted: "deleted",
    befell: |kind, restored| match kind {
        _ if restored => "restored",
        EventKind::Moved => "reassigned",
        kind => kind.word(),
    },
    label: |tag, word| format!("{tag} {word}"),
    earlier: |number| format!("{number} earlier"),
    seen_before: |number| format!("{number} seen before"),
    lasted: |bar, from, until| format!("{bar}, {from} to {until}"),
    happened: |mark, at| format!("{mark}, {at}"),
    date: |month, day, year| {
        let date = format!("{day} {}", MONTHS[month as usize - 1]);
        year.map_or(date.clone(), |year| format!("{date} {year}"))
    },
    month: |month, year| {
        let name = MONTHS[month as usize - 1];
        year.map_or_else(|| name.to_owned(), |year| format!("{name} {year}"))
    },
    date_and_time: |date, time| format!("{date} {time}"),
};

const DAY: i64 = 86_400_000;
const NOW: Instant = Instant(1_700_000_000_000);

fn ago(days: f64) -> Instant {
    Instant(NOW.0 - (days * DAY as f64) as i64)
}

fn mark(tag: &str, kind: MarkKind, from: f64) -> Mark {
    let (label, title) = (tag.to_owned(), tag.to_owned());
    Mark { at: ago(from), kind, label, title, digest: Digest::of(tag.as_bytes()), major: false }
}

fn releases(mut marks: Vec<Mark>) -> Scene {
    marks.sort_by_key(|mark| mark.at);
    let lane = Lane { label: "2.3.x".into(), marks, ..Lane::default() };
    Scene { lanes: vec![lane], watched_since: ago(24.0) }
}

fn draw(scene: &Scene, width: f64) -> Drawing {
    layout(scene, &Frame { from: ago(30.0), now: NOW, width, offset: &|_| Millis(0), words: &ENGLISH })
}

pub(crate) fn texts(drawing: &Drawing, style: Style) -> Vec<&str> {
    fn text(item: &Item) -> Option<&str> {
        match &item.shape {
            Shape::Text { text, .. } => Some(text.as_str()),
            _ => None,
        }
    }
    drawing.items.iter().filter(|item| item.style == style).filter_map(text).collect()
}

pub(crate) fn count(drawing: &Drawing, style: Style) -> usize {
    drawing.items.iter().filter(|item| item.style == style).count()
}

#[test]
fn a_reassigned_release_is_joined_to_its_first_mark_and_named() {
    let again = MarkKind::Reassigned { first: ago(20.0) };
    let drawing =
        draw(&releases(vec![mark("2.3.0", MarkKind::Release, 20.0), mark("2.3.0 again", again, 2.0)]), 1000.0);
    assert_eq!(texts(&drawing, Style::BreachText), ["2.3.0 again"]);
    assert_eq!(texts(&drawing, Style::MarkText), ["2.3.0"]);
    assert_eq!((count(&drawing, Style::Link), count(&drawing, Style::Breach)), (1, 1));
}

#[test]
fn a_breach_among_many_marks_is_named_in_a_row_of_its_own() {
    let mut marks: Vec<Mark> =
        (0..90_u32).map(|patch| mark(&format!("2.3.{patch}"), MarkKind::Release, f64::from(patch) / 4.0)).collect();
    let crowded = draw(&releases(marks.clone()), 1000.0).height;
    marks.push(mark("2.3.40 deleted", MarkKind::Deleted, 9.9));
    let drawing = draw(&releases(marks), 1000.0);
    assert_eq!(texts(&drawing, Style::BreachText), ["2.3.40 deleted"]);
    assert!(drawing.height > crowded, "{} > {crowded}", drawing.height);
}

#[test]
fn time_before_the_watch_and_releases_from_before_are_told() {
    let drawing = draw(&releases(vec![mark("1.0.0", MarkKind::Release, 40.0)]), 1000.0);
    assert_eq!((count(&drawing, Style::Unwatched), count(&drawing, Style::Before)), (1, 1));
    assert_eq!(texts(&drawing, Style::QuietText), ["not watched yet", "1 earlier"]);
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
        found in proptest::collection::vec((0_u64..30, 0.0_f64..30.0, 0_u8..4), 0..60),
        width in 300.0_f64..2000.0,
    ) {
        let marks = found.iter().map(|(patch, from, fate)| match fate {
            0 => mark(&format!("2.3.{patch} deleted"), MarkKind::Deleted, *from),
            1 => mark(&format!("2.3.{patch} reassigned"), MarkKind::Reassigned { first: ago(29.0) }, *from),
            _ => mark(&format!("2.3.{patch}"), MarkKind::Release, *from),
        });
        let drawing = draw(&releases(marks.collect()), width);
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
        let bar = Bar {
            from: Instant(from),
            until: Some(Instant(until)),
            ended: true,
            digest: Digest::of(b"a"),
            label: "a".into(),
            short: None,
            title: String::new(),
        };
        let scene = Scene { lanes: vec![Lane { bars: vec![bar], ..Lane::default() }], watched_since: Instant(since / 2) };
        let frame = Frame { from: Instant(from), now: Instant(now), width, offset: &|_| Millis::hours(2), words: &ENGLISH };
        prop_assert!(layout(&scene, &frame).items.len() < 1000);
    }
}
