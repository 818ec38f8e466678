//! The timeline of a page is tested by what it shows and by what its keys reach.

use proptest::prelude::*;

use super::*;
use crate::api::{Breach, Gap, Pause, TILE_BRIEF, TILE_LANES, Tile, TileDigest, TileLane, Watched};
use crate::event::EventKind;
use crate::tag::Band;
use crate::timeline::tests::{ENGLISH, count, texts};
use crate::timeline::{GLYPH, Glyph, Item, What};

const DAY: i64 = 86_400_000;
const NOW: Instant = Instant(1_795_435_200_000);

fn ago(days: f64) -> i64 {
    NOW.0 - (days * DAY as f64) as i64
}

fn lane(kind: LaneKind, name: &str, class: Class) -> Lane {
    Lane {
        id: name.into(),
        repository: "ghcr.io/acme/api".into(),
        kind,
        name: name.into(),
        class,
        events: 1,
        baseline: 0,
        flags: 0,
        first: Instant(ago(20.0)),
        last: NOW,
    }
}

fn head() -> TimelineHead {
    let gaps = vec![Gap {
        band: Band::Hot,
        from: Instant(ago(8.0)),
        until: Some(Instant(ago(5.0))),
        reason: "refused".into(),
    }];
    TimelineHead {
        repositories: vec![Watched {
            repository: "ghcr.io/acme/api".into(),
            since: Instant(ago(24.0)),
            pauses: Vec::new(),
            gaps,
            hints: 0,
            hints_from: None,
            hints_to_come: 0,
        }],
        lanes: vec![lane(LaneKind::Track, "2.3", Class::Release), lane(LaneKind::Tag, "latest", Class::Rolling)],
        next: None,
        total: 2,
        activity: Activity { level: 30, first_ms: None, bucket: Vec::new(), count: Vec::new() },
    }
}

/// One event of a lane: when, of which tag, with which digest.
type Row = (f64, u32, i32);

fn columns(rows: &[Row], kind: EventKind) -> TileLane {
    let at: Vec<i64> = rows.iter().map(|(from, ..)| ago(*from)).collect();
    TileLane {
        entering: None,
        entering_since_ms: None,
        entering_not_before_ms: None,
        first_ms: at.clone(),
        not_before_ms: at.clone(),
        count: vec![1; rows.len()],
        seq: at.clone(),
        kind: vec![kind.code() as u8; rows.len()],
        baseline: vec![0; rows.len()],
        tag: rows.iter().map(|(_, tag, _)| *tag as i32).collect(),
        digest: rows.iter().map(|(.., digest)| *digest).collect(),
        at_ms: at,
    }
}

/// A tile over all that the tests look at.
fn tile(releases: &[Row], moves: &[Row]) -> Tile {
    Tile {
        level: 40,
        number: 0,
        seq: 1,
        lanes: vec![columns(releases, EventKind::Created), columns(moves, EventKind::Moved)],
        claims: Vec::new(),
        digests: (0..100_u8)
            .map(|at| TileDigest { digest: Digest::of(&[at]), release: (at < 50).then(|| format!("2.3.{at}")) })
            .collect(),
        tags: (0..100).map(|at| format!("2.3.{at}")).collect(),
        breaches: Vec::new(),
        hints: Vec::new(),
    }
}

/// The tag 2.3.40 moved some days ago, and was first seen before.
fn breach(days: f64, first: f64) -> Breach {
    Breach {
        lane: 0,
        at_ms: ago(days),
        not_before_ms: ago(days + 1.0),
        seq: ago(days),
        kind: EventKind::Moved,
        tag: 40,
        old_digest: Some(40),
        new_digest: Some(70),
        restored: false,
        flag: Some(1),
        active: true,
        first_ms: ago(first),
    }
}

fn draw(head: &TimelineHead, tile: Option<&Tile>, width: f64) -> Sheet {
    let mut store = TileStore::default();
    if let Some(tile) = tile {
        store.put(tile);
    }
    sheet(&board(head, width), &store)
}

fn board(head: &TimelineHead, width: f64) -> Board<'_> {
    static USUAL: Arranged = Arranged { pinned: Vec::new(), collapsed: Vec::new() };
    Board {
        head,
        view: View::last(Millis::days(30), NOW),
        now: NOW,
        width,
        compact: false,
        low: 12.0,
        offset: &|_| Millis(0),
        words: &ENGLISH,
        arranged: &USUAL,
        highlight: None,
        chosen: None,
    }
}

/// Two repositories, the second of two tracks and a tag.
fn two() -> TimelineHead {
    let mut head = head();
    let web = |lane: Lane| Lane { repository: "ghcr.io/acme/web".into(), ..lane };
    let watched = Watched { repository: "ghcr.io/acme/web".into(), ..head.repositories[0].clone() };
    head.repositories.push(watched);
    head.lanes.push(web(lane(LaneKind::Track, "1.1", Class::Release)));
    head.lanes.push(web(lane(LaneKind::Track, "1.0", Class::Release)));
    head.lanes.push(web(lane(LaneKind::Tag, "edge", Class::Rolling)));
    for (at, lane) in head.lanes.iter_mut().enumerate() {
        lane.id = at.to_string();
    }
    head
}

fn arranged(pinned: &[&str], collapsed: &[&str]) -> Arranged {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Arranged { pinned: words(pinned), collapsed: words(collapsed) }
}

#[test]
fn what_is_pinned_stands_first_and_names_its_repository() {
    let (head, pins) = (two(), arranged(&["4", "2", "4711"], &[]));
    let shown = sheet(&Board { arranged: &pins, ..board(&head, 1200.0) }, &TileStore::default());
    assert_eq!(texts(&shown.drawing, Style::LaneText), ["web edge", "web 1.1.x", "2.3.x", "latest", "1.0.x"]);
    assert_eq!(texts(&shown.drawing, Style::HeadingText), ["ghcr.io/acme/api", "ghcr.io/acme/web"]);
    assert_eq!(shown.lanes.iter().map(|place| place.lanes[0]).collect::<Vec<_>>(), [4, 2, 0, 1, 3]);
    assert!((shown.fixed - shown.lanes[1].bottom).abs() < 0.1, "they stay in sight");
    let acts: Vec<(Act, usize)> = shown.handles.iter().map(|handle| (handle.act, handle.lane)).collect();
    let [pin, heading] = [Act::Pin, Act::Collapse];
    assert_eq!(acts, [(Act::Unpin, 4), (Act::Unpin, 2), (heading, 0), (pin, 0), (pin, 1), (heading, 3), (pin, 3)]);
    let one =
        sheet(&Board { arranged: &arranged(&["latest"], &[]), ..board(&self::head(), 1200.0) }, &TileStore::default());
    assert_eq!(texts(&one.drawing, Style::LaneText), ["latest", "2.3.x"]);
}

#[test]
fn one_lane_stands_for_a_collapsed_repository() {
    let (head, web) = (two(), arranged(&[], &["ghcr.io/acme/web"]));
    let mut tile = tile(&[(20.0, 0, 0)], &[]);
    let more = [&[(19.0, 1, 1)][..], &[(9.0, 2, 2), (8.9, 3, 3)], &[(12.0, 4, 4)]];
    tile.lanes.extend(more.map(|rows| columns(rows, EventKind::Created)));
    let mut store = TileStore::default();
    store.put(&tile);
    let shown = sheet(&Board { arranged: &web, ..board(&head, 1200.0) }, &store);
    assert_eq!(texts(&shown.drawing, Style::LaneText), ["2.3.x", "latest", "web"]);
    assert_eq!(texts(&shown.drawing, Style::HeadingText), ["ghcr.io/acme/api"]);
    let row = shown.row(3).unwrap();
    assert_eq!(
        row.hits.iter().map(|hit| (hit.lane, hit.count)).collect::<Vec<_>>(),
        [(2, 1), (3, 2)],
        "without the tag"
    );
    assert_eq!(shown.handles.last().map(|handle| (handle.act, handle.lane)), Some((Act::Expand, 2)));
    let first = row.hits[0];
    assert_eq!(shown.step(Some((2, first.key())), true, 1).map(|hit| hit.lane), Some(3), "keys walk along all of it");
    assert_eq!(shown.step(Some((3, row.hits[1].key())), false, -1).map(|hit| hit.lane), Some(0));
    let pins = arranged(&["3"], &["ghcr.io/acme/web"]);
    let shown = sheet(&Board { arranged: &pins, ..board(&head, 1200.0) }, &store);
    assert_eq!(texts(&shown.drawing, Style::LaneText), ["web 1.0.x", "2.3.x", "latest", "web"]);
    let single =
        sheet(&Board { arranged: &arranged(&[], &["ghcr.io/acme/api"]), ..board(&self::head(), 900.0) }, &store);
    assert_eq!(single.lanes.len(), 2, "a repository on its own page stays open");
}

#[test]
fn an_address_arranges_the_lanes_the_same_again() {
    let head = two();
    let mut arranged = Arranged::default();
    arranged.toggle(Act::Pin, &head.lanes[4]);
    arranged.toggle(Act::Pin, &head.lanes[2]);
    arranged.toggle(Act::Collapse, &head.lanes[3]);
    let [pinned, collapsed] = arranged.write();
    assert_eq!((pinned.as_deref(), collapsed.as_deref()), (Some("4,2"), Some("ghcr.io/acme/web")));
    assert_eq!(Arranged::read(pinned.as_deref(), collapsed.as_deref()), arranged);
    arranged.toggle(Act::Unpin, &head.lanes[4]);
    arranged.toggle(Act::Unpin, &head.lanes[2]);
    arranged.toggle(Act::Expand, &head.lanes[2]);
    assert_eq!((arranged.write(), arranged), ([None, None], Arranged::read(Some(""), Some(",,"))));
    let numbers = (0..1000).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    let [pinned, _] = Arranged::read(Some(&["4,4,", &numbers].concat()), None).write();
    assert_eq!(pinned.unwrap().split(',').filter(|id| *id == "4").count(), 1, "each once");
    assert_eq!(Arranged::read(Some(&numbers), None).write()[0].as_ref().unwrap().split(',').count(), TILE_LANES);
}

#[test]
fn a_crowd_ends_at_now() {
    let crowd: Vec<Row> = (0..90).map(|at| (0.09 - f64::from(at) / 1000.0, at, at as i32)).collect();
    let shown = draw(&head(), Some(&tile(&crowd, &[])), 1200.0);
    let now = shown.drawing.items.iter().find_map(|item| match (&item.shape, item.style) {
        (Shape::Line(points), Style::Now) => Some(points[0].0),
        _ => None,
    });
    let hits = &shown.lanes[0].hits;
    assert_eq!(hits.iter().map(|hit| hit.count).sum::<u32>(), 90);
    assert!(hits.iter().all(|hit| hit.right <= now.unwrap() + GLYPH + 0.5), "{hits:?}");
}

#[test]
fn what_a_tag_names_without_an_event_of_its_lane_is_drawn_from_its_beginning() {
    let mut tile = tile(&[], &[]);
    (tile.lanes[1].entering, tile.lanes[1].entering_since_ms) = (Some(7), Some(ago(6.0)));
    let shown = draw(&head(), Some(&tile), 1200.0);
    let hit = shown.lanes[1].hits[0];
    let wide = (shown.right - shown.left) / 30.6;
    assert!((hit.right - hit.left - 6.0 * wide).abs() < 2.0, "{hit:?}");
    (tile.lanes[1].entering_since_ms, tile.seq) = (Some(NOW.0 + DAY), 2);
    assert!(draw(&head(), Some(&tile), 1200.0).lanes[1].hits.is_empty());
}

#[test]
fn releases_are_marks_and_a_tag_carries_the_release_of_its_digest() {
    let rows = [(20.0, 0, 0), (9.0, 1, 1)];
    let shown = draw(&head(), Some(&tile(&rows, &[(20.0, 2, 0), (9.0, 2, 1), (4.0, 2, 60)])), 1200.0);
    assert_eq!(texts(&shown.drawing, Style::LaneText), ["2.3.x", "latest"]);
    assert_eq!(texts(&shown.drawing, Style::HeadingText), ["Releases", "Rolling tags"]);
    assert_eq!(texts(&shown.drawing, Style::MarkText), ["2.3.1", "2.3.0"]);
    assert_eq!(texts(&shown.drawing, Style::SpanText), ["2.3.0", "2.3.1", &Digest::of(&[60]).short()]);
    assert!(shown.is_loaded);
}

#[test]
fn the_four_kinds_of_nothing_differ() {
    let unloaded = draw(&head(), None, 1200.0).drawing;
    assert_eq!(count(&unloaded, Style::Unloaded), 1);
    let loaded = draw(&head(), Some(&tile(&[], &[])), 1200.0).drawing;
    let kinds = [Style::Unloaded, Style::Unwatched, Style::Gap].map(|style| count(&loaded, style));
    assert_eq!(kinds, [0, 2, 2], "over each of two lanes");
}

/// Where shapes of a style are: left, top, width, height.
fn rects(sheet: &Sheet, wanted: Style) -> Vec<[f64; 4]> {
    let rect = |item: &Item| match item.shape {
        Shape::Rect { x, y, width, height } if item.style == wanted => Some([x, y, width, height]),
        _ => None,
    };
    sheet.drawing.items.iter().filter_map(rect).collect()
}

#[test]
fn a_gap_lies_over_the_lanes_that_its_band_can_concern() {
    let mut head = head();
    let heights = |head: &TimelineHead| {
        let shown = draw(head, Some(&tile(&[], &[])), 1200.0);
        let lanes = &shown.lanes;
        let part = |[_, y, _, height]: [f64; 4]| {
            let at = lanes.iter().position(|lane| lane.top <= y && y < lane.bottom).unwrap();
            (at, ((y - lanes[at].top) * 3.0 / LANE).round() as i64, (height * 3.0 / LANE).round() as i64)
        };
        rects(&shown, Style::Gap).into_iter().map(part).collect::<Vec<_>>()
    };
    assert_eq!(heights(&head), [(0, 0, 1), (1, 0, 3)], "some releases, and the tag that moves");
    for (band, expected) in [(Band::Warm, vec![(0, 1, 1)]), (Band::Cold, vec![(0, 2, 1)]), (Band::Pinned, vec![])] {
        head.repositories[0].gaps[0].band = band;
        assert_eq!(heights(&head), expected, "{band}");
    }
    head.lanes[1] = Lane { flags: 1, class: Class::Rebuilt, ..head.lanes[1].clone() };
    assert_eq!(heights(&head), [(1, 0, 3)], "what is flagged is in a band of its own");
}

#[test]
fn times_between_two_watches_are_dotted_and_told() {
    let mut head = head();
    let pause = |from, until: Option<f64>| Pause { from: Instant(ago(from)), until: until.map(|at| Instant(ago(at))) };
    head.repositories[0].pauses = vec![pause(2.0, None), pause(20.0, Some(10.0))];
    let shown = draw(&head, Some(&tile(&[], &[])), 1200.0);
    let now = shown.left + (shown.right - shown.left) * 30.0 / 30.6;
    let wide = (now - shown.left) / 30.0;
    for (rect, (from, until)) in rects(&shown, Style::Unwatched).chunks(2).zip([(30.0, 24.0), (2.0, 0.0), (20.0, 10.0)])
    {
        assert!((rect[0][0] - (now - from * wide)).abs() < 1.0, "{rect:?}");
        assert!((rect[0][2] - (from - until) * wide).abs() < 1.0, "{rect:?}");
    }
    let middle = |lane: usize| shown.lanes[lane].top.midpoint(shown.lanes[lane].bottom);
    for (lane, from, what) in [
        (0, 15.0, Some(What::Unwatched)),
        (1, 27.0, Some(What::Unwatched)),
        (1, 1.0, Some(What::Unwatched)),
        (1, 6.0, Some(What::Gap(Band::Hot))),
        (1, 9.0, None),
    ] {
        let hit = shown.hit(now - from * wide, middle(lane));
        assert_eq!(hit.map(|hit| (hit.lane, hit.what)), what.map(|what| (lane, what)), "{lane} {from}");
        assert_eq!(hit.and_then(|hit| shown.find((lane, hit.key()))), hit, "it is found again");
    }
    let told: Vec<_> = shown.quiet.iter().map(|hit| (hit.lane, hit.from, hit.at)).collect();
    let first = (0, i64::MIN, ago(24.0));
    assert_eq!(told, [first, (0, ago(2.0), i64::MAX), (0, ago(20.0), ago(10.0)), (0, ago(8.0), ago(5.0))], "each once");
    assert!(!shown.is_blind);
    let seen = |from: f64, until: f64| {
        let view = View { from: Instant(ago(from)), until: Instant(ago(until)) };
        !sheet(&Board { view, ..board(&head, 1200.0) }, &TileStore::default()).is_blind
    };
    assert_eq!(
        [(19.0, 11.0), (7.5, 5.5), (28.0, 25.0), (1.5, -1.0)].map(|(from, until)| seen(from, until)),
        [false; 4]
    );
    assert_eq!([(21.0, 11.0), (7.5, 4.0), (28.0, 23.0)].map(|(from, until)| seen(from, until)), [true; 3]);
}

#[test]
fn gaps_that_are_nearer_than_can_be_seen_are_one() {
    let mut head = head();
    let gap = |from: f64| Gap {
        from: Instant(ago(from)),
        until: Some(Instant(ago(from - 0.01))),
        ..head.repositories[0].gaps[0].clone()
    };
    let gaps = (0..400).map(|at| gap(5.0 + f64::from(at) / 50.0)).collect();
    head.repositories[0].gaps = gaps;
    let shown = draw(&head, Some(&tile(&[], &[])), 1200.0);
    let [_, one] = &shown.quiet[..] else { panic!("{:?}", shown.quiet) };
    assert_eq!((one.count, one.from, one.at), (400, ago(12.98), ago(4.99)));
}

/// The second lane in two tiles that meet some days ago.
fn in_two(days: f64, first: impl Fn(&mut Tile), second: impl Fn(&mut Tile)) -> Vec<Hit> {
    let level = 26;
    let length = tile_length(level);
    let number = ago(days).div_euclid(length);
    let mut store = TileStore::default();
    for (number, change) in [(number, &first as &dyn Fn(&mut Tile)), (number + 1, &second)] {
        let mut tile = Tile { level, number, ..tile(&[], &[]) };
        change(&mut tile);
        store.put(&tile);
    }
    let view = View { from: Instant((number + 1) * length - 5 * DAY), until: Instant((number + 1) * length + 5 * DAY) };
    let head = head();
    sheet(&Board { view, now: view.until, ..board(&head, 1200.0) }, &store).lanes[1].hits.clone()
}

#[test]
fn a_span_goes_on_in_the_next_tile_whatever_its_digest_is_called_there() {
    let edge = (ago(60.0).div_euclid(tile_length(26)) + 1) * tile_length(26);
    let begins = |digest: u32, since: i64| {
        move |tile: &mut Tile| {
            (tile.lanes[1].entering, tile.lanes[1].entering_since_ms) = (Some(digest), Some(since));
        }
    };
    let named = |tile: &mut Tile| {
        begins(0, edge - 9 * DAY)(tile);
        tile.digests[0].release = None;
    };
    let hits = in_two(60.0, named, begins(0, edge - 9 * DAY));
    assert_eq!(hits.iter().map(|hit| (hit.from, hit.at)).collect::<Vec<_>>(), [(edge - 9 * DAY, i64::MAX)]);
    let hits = in_two(60.0, named, begins(0, edge - DAY));
    let expected = [(edge - 9 * DAY, i64::MIN), (edge - DAY, i64::MAX)];
    assert_eq!(
        hits.iter().map(|hit| (hit.from, hit.at)).collect::<Vec<_>>(),
        expected,
        "it was something else between"
    );
}

#[test]
fn how_long_it_lasts_is_known_only_where_the_view_reaches_now() {
    let mut store = TileStore::default();
    store.put(&tile(&[], &[(20.0, 2, 0)]));
    let head = head();
    let ends = |until: f64| {
        let view = View { from: Instant(ago(25.0)), until: Instant(ago(until)) };
        sheet(&Board { view, ..board(&head, 1200.0) }, &store).lanes[1].hits[0].at
    };
    assert_eq!((ends(-1.0), ends(1.0)), (i64::MAX, i64::MIN));
}

#[test]
fn what_a_tag_named_before_several_moves_is_not_what_it_named_before_the_last() {
    let mut tile = tile(&[], &[(20.0, 2, 0), (10.0, 2, 1), (5.0, 2, 2)]);
    tile.lanes[1].count[1] = 3;
    let hits = &draw(&head(), Some(&tile), 1200.0).lanes[1].hits;
    let last: Vec<_> = hits.iter().map(|hit| (hit.what, hit.old.is_some())).collect();
    assert_eq!(last, [(What::Span, false), (What::Many, false), (What::Span, false), (What::Span, true)]);
}

#[test]
fn the_window_of_a_deletion_is_drawn() {
    let mut tile = tile(&[], &[(20.0, 2, 0), (10.0, 2, -1)]);
    tile.lanes[1].not_before_ms[1] = ago(12.0);
    let shown = draw(&head(), Some(&tile), 1200.0);
    let [[x, _, width, _]] = rects(&shown, Style::Window)[..] else { panic!("one window") };
    let [span, gone] = &shown.lanes[1].hits[..] else { panic!("{:?}", shown.lanes[1].hits) };
    assert!((span.right - x).abs() < 0.1 && (x + width - gone.left).abs() < 0.1);
}

#[test]
fn marks_and_words_are_of_what_happened() {
    use EventKind::{Created, Deleted, Moved, Recreated, Retracted, Returned, Vanished};

    let draw = |kind: EventKind, breach: Option<Breach>| {
        let mut tile = tile(&[(10.0, 40, 70)], &[]);
        tile.lanes[0].kind = vec![kind.code() as u8];
        tile.breaches.extend(breach);
        let shown = draw(&head(), Some(&tile), 1200.0);
        let glyph = shown.drawing.items.iter().find_map(|item| match item.shape {
            Shape::Glyph(glyph, ..) => Some(glyph),
            _ => None,
        });
        let [hit] = &shown.lanes[0].hits[..] else { panic!("{:?}", shown.lanes[0].hits) };
        (hit.what, glyph.unwrap())
    };
    let breach = |kind, restored| Some(Breach { kind, restored, ..breach(10.0, 18.0) });
    assert_eq!(draw(Created, None), (What::Release, Glyph::Disc));
    assert_eq!(draw(Retracted, None), (What::Restored(Retracted), Glyph::HollowDiamond), "nothing was published");
    assert_eq!(draw(Recreated, None), (What::Breach(Recreated), Glyph::Diamond));
    for (kind, restored, glyph) in [
        (Moved, false, Glyph::Diamond),
        (Moved, true, Glyph::HollowDiamond),
        (Deleted, false, Glyph::Cross),
        (Recreated, true, Glyph::HollowDiamond),
        (Retracted, false, Glyph::HollowDiamond),
    ] {
        let what = if glyph == Glyph::HollowDiamond { What::Restored(kind) } else { What::Breach(kind) };
        assert_eq!(draw(kind, breach(kind, restored)), (what, glyph));
    }
    // A repository is no release of the lane: what happened in the same bucket stays.
    let mut tile = tile(&[(10.0, 40, 70)], &[]);
    tile.breaches = [(Vanished, false, 10.0), (Returned, true, 5.0)]
        .map(|(kind, restored, days)| Breach {
            kind,
            restored,
            seq: 9,
            old_digest: None,
            new_digest: None,
            ..self::breach(days, days)
        })
        .to_vec();
    let shown = self::draw(&head(), Some(&tile), 1200.0);
    let found: Vec<_> = shown.lanes[0].hits.iter().map(|hit| hit.what).collect();
    assert_eq!(found, [What::Breach(Vanished), What::Release, What::Restored(Returned)]);
}

#[test]
fn a_breach_of_a_rebuilt_tag_stands_over_its_spans() {
    let mut tile = tile(&[], &[(20.0, 2, 0), (10.0, 2, 1)]);
    let seq = tile.lanes[1].seq[1];
    tile.breaches.push(Breach { lane: 1, seq, ..breach(10.0, 18.0) });
    tile.breaches.push(Breach { lane: 1, seq: 7, kind: EventKind::Vanished, ..breach(4.0, 4.0) });
    let shown = draw(&head(), Some(&tile), 1200.0);
    let hits: Vec<_> = shown.lanes[1].hits.iter().map(|hit| (hit.what, hit.flag, hit.active)).collect();
    let vanished = What::Breach(EventKind::Vanished);
    assert_eq!(hits, [(What::Span, None, false), (What::Span, Some(1), true), (vanished, Some(1), true)]);
    assert_eq!(count(&shown.drawing, Style::Breach), 2);
    tile.lanes[1].count[1] = 9;
    tile.breaches[0].seq = 1;
    let shown = draw(&head(), Some(&tile), 1200.0);
    assert!(shown.lanes[1].hits.iter().any(|hit| hit.what == What::Many && hit.active), "many hide none");
}

#[test]
fn a_release_that_stands_elsewhere_is_not_named_by_what_is_left() {
    let mut tile = tile(&[(10.0, 40, 70)], &[]);
    let lane = &mut tile.lanes[0];
    (lane.tag[0], lane.baseline[0]) = (-1, 1);
    let shown = draw(&head(), Some(&tile), 1200.0);
    let [hit] = &shown.lanes[0].hits[..] else { panic!("{:?}", shown.lanes[0].hits) };
    assert_eq!((hit.what, hit.tag), (What::Before, None));
    (tile.lanes[0].count[0], tile.lanes[0].baseline[0], tile.seq) = (0, 0, 2);
    assert!(draw(&head(), Some(&tile), 1200.0).lanes[0].hits.is_empty(), "nothing is left");
}

#[test]
fn the_axis_names_a_year_that_is_not_this_one() {
    let head = head();
    // Now is 23 November 2026, noon.
    let axis = |from: f64, until: f64| {
        let view = View { from: Instant(ago(from)), until: Instant(ago(until)) };
        let shown = sheet(&Board { view, ..board(&head, 900.0) }, &TileStore::default());
        texts(&shown.drawing, Style::AxisText).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(axis(0.4, 0.0)[0], "03:00", "today needs no date");
    assert_eq!(axis(1.4, 1.0)[0], "22 Nov 03:00");
    assert!(axis(366.4, 366.0)[0].starts_with("22 Nov 2025 "), "{:?}", axis(366.4, 366.0));
    let days = axis(332.0, 322.0);
    assert!(days[0].ends_with(" Dec 2025") && days.iter().filter(|day| day.contains("20")).count() >= 2, "{days:?}");
    assert!(days.iter().any(|day| day.ends_with("Jan 2026")), "{days:?}");
    assert!(axis(20.0, 0.0).iter().all(|day| !day.contains("2026")));
    assert!(axis(600.0, 400.0)[0].ends_with(" 2025"), "{:?}", axis(600.0, 400.0));
}

#[test]
fn what_is_known_of_a_lane_stays_when_another_one_comes() {
    let (mut head, mut store) = (head(), TileStore::default());
    store.put(&tile(&[(20.0, 0, 0)], &[(9.0, 2, 1)]));
    head.lanes.insert(0, lane(LaneKind::Track, "2.4", Class::Release));
    store.rearrange(&[None, Some(0), Some(1)]);
    let shown = sheet(&board(&head, 1200.0), &store);
    assert_eq!(shown.lanes.iter().map(|place| place.hits.len()).collect::<Vec<_>>(), [0, 1, 1]);
    let unloaded = |item: &&Item| item.style == Style::Unloaded;
    let unloaded: Vec<&Item> = shown.drawing.items.iter().filter(unloaded).collect();
    assert!(!unloaded.is_empty(), "one lane is new");
    for item in unloaded {
        let Shape::Rect { y, height, .. } = item.shape else { panic!("{item:?}") };
        assert_eq!((y, y + height), (shown.lanes[0].top, shown.lanes[0].bottom));
    }
    assert!(!shown.is_loaded);
    assert!(!store.wanted(board(&head, 1200.0).view, 40).is_empty(), "all of it is asked for again");
}

#[test]
fn marks_that_are_too_near_are_counted() {
    let near: Vec<Row> = (0..7).map(|at| (10.0 - f64::from(at) / 50.0, at, at as i32)).collect();
    let shown = draw(&head(), Some(&tile(&near, &[])), 1200.0);
    assert_eq!(texts(&shown.drawing, Style::CountText), ["7"]);
    assert_eq!((count(&shown.drawing, Style::Cluster), count(&shown.drawing, Style::Mark)), (1, 0));
    assert_eq!(shown.lanes[0].hits[0].count, 7);
}

#[test]
fn many_moves_are_one_stretch_with_a_count() {
    let moves: Vec<Row> = (0..60).map(|at| (10.0 - f64::from(at) / 20.0, 2, at)).collect();
    let shown = draw(&head(), Some(&tile(&[], &moves)), 1200.0);
    assert_eq!((count(&shown.drawing, Style::Many), count(&shown.drawing, Style::Span)), (1, 1));
    assert_eq!(texts(&shown.drawing, Style::CountText), ["59"]);
    let total: u32 = shown.lanes[1].hits.iter().map(|hit| hit.count).sum();
    assert_eq!(total, 60, "every move is counted once");
}

#[test]
fn a_digest_that_is_not_told_leaves_no_gap() {
    let moves: Vec<Row> = (0..60).map(|at| (10.0 - f64::from(at) * 0.07, 0, 60)).collect();
    let mut tile = tile(&[], &moves);
    let lane = &mut tile.lanes[1];
    lane.count = vec![2; 60];
    lane.digest[..59].fill(TILE_BRIEF);
    let shown = draw(&head(), Some(&tile), 1000.0);
    let [many, last] = &shown.lanes[1].hits[..] else { panic!("{:?}", shown.lanes[1].hits) };
    assert_eq!((many.what, many.count, many.from), (What::Many, 120, ago(10.0)));
    assert_eq!((last.what, last.digest.is_some()), (What::Span, true), "what it names now is told");
    assert_eq!(count(&shown.drawing, Style::End), 0, "it was never gone");
}

#[test]
fn a_breach_stands_out_of_a_crowd_and_is_named() {
    let mut head = head();
    head.lanes[0].flags = 1;
    let crowd: Vec<Row> = (0..90).map(|at| (28.0 - f64::from(at) / 4.0, at, at as i32)).collect();
    let mut tile = tile(&crowd, &[]);
    tile.breaches.push(breach(9.9, 18.0));
    let shown = draw(&head, Some(&tile), 1000.0);
    assert_eq!(texts(&shown.drawing, Style::BreachText), ["2.3.40 reassigned"]);
    assert_eq!((count(&shown.drawing, Style::Breach), count(&shown.drawing, Style::Link)), (1, 1));
    assert_eq!(count(&shown.drawing, Style::Window), 1, "a day is wide enough to be seen");
    let hit = shown.lanes[0].hits.iter().find(|hit| hit.what == What::Breach(EventKind::Moved)).unwrap();
    let middle = shown.lanes[0].bottom - 14.0;
    assert_eq!(
        shown.hit(hit.left.midpoint(hit.right), middle).map(|hit| hit.flag),
        Some(Some(1)),
        "the pointer finds it"
    );
}

#[test]
fn what_came_before_a_breach_of_the_same_bucket_stays_what_it_was() {
    let hits = |baseline: u32, first: f64| {
        let mut tile = tile(&[(9.9, 40, 70)], &[]);
        let lane = &mut tile.lanes[0];
        (lane.first_ms, lane.count, lane.baseline) = (vec![ago(10.0)], vec![2], vec![baseline]);
        tile.breaches.push(breach(9.9, first));
        let told = |hit: &Hit| (hit.what, hit.at, hit.tag.is_some(), hit.seq);
        draw(&head(), Some(&tile), 1000.0).lanes[0].hits.iter().map(told).collect::<Vec<_>>()
    };
    let moved = (What::Breach(EventKind::Moved), ago(9.9), true, ago(9.9));
    assert_eq!(hits(1, 10.0), [(What::Before, ago(10.0), true, 0), moved]);
    assert_eq!(hits(0, 10.0), [(What::Release, ago(10.0), true, 0), moved]);
    assert_eq!(hits(0, 18.0), [(What::Release, ago(10.0), false, 0), moved], "another tag, not known by its name");
}

#[test]
fn what_is_pointed_at_stands_out_on_all_lanes() {
    let head = head();
    let digest = Digest::of(&[1]);
    let mut store = TileStore::default();
    store.put(&tile(&[(20.0, 0, 0), (9.0, 1, 1)], &[(20.0, 2, 0), (9.0, 2, 1)]));
    let shown = sheet(&Board { highlight: Some(&digest), ..board(&head, 1200.0) }, &store);
    let bright = |style| shown.drawing.items.iter().filter(|item| item.style == style && !item.dim).count();
    assert_eq!((bright(Style::Mark), bright(Style::Span)), (1, 1));
}

#[test]
fn keys_walk_along_a_lane_and_between_lanes() {
    let shown = draw(&head(), Some(&tile(&[(20.0, 0, 0), (9.0, 1, 1)], &[(20.0, 2, 0), (8.0, 2, 1)])), 1200.0);
    let key = |hit: Hit| (hit.lane, hit.key());
    let start = shown.step(None, true, 1).map(key);
    assert_eq!(start, Some((1, ago(8.0))), "the newest of all");
    let up = shown.step(start, false, -1).map(key);
    assert_eq!(up, Some((0, ago(9.0))), "the nearest in time");
    let back = shown.step(up, true, -1).map(key);
    assert_eq!(back, Some((0, ago(20.0))));
    assert_eq!(shown.step(back, true, -1), None);
    assert_eq!(shown.step(back, false, 1).map(key), Some((1, ago(20.0))));
}

#[test]
fn from_what_is_out_of_view_keys_lead_back_into_it() {
    let shown = draw(&head(), Some(&tile(&[(20.0, 0, 0), (9.0, 1, 1)], &[])), 1200.0);
    let step = |from: f64, by| shown.step(Some((0, ago(from))), true, by).map(|hit| hit.key());
    assert_eq!((step(40.0, 1), step(40.0, -1)), (Some(ago(20.0)), None), "it is left of the view");
    assert_eq!((step(12.0, 1), step(12.0, -1)), (Some(ago(9.0)), Some(ago(20.0))), "it is part of something else");
    assert_eq!((step(1.0, 1), step(1.0, -1)), (None, Some(ago(9.0))), "it is right of all others");
}

proptest! {
    #[test]
    fn nothing_touches_a_label_and_every_event_is_told_once(
        found in proptest::collection::vec((0.0_f64..29.9, 0_u32..90), 0..120),
        moves in proptest::collection::vec(0.0_f64..29.9, 0..120),
        width in 340.0_f64..2200.0,
    ) {
        let mut rows: Vec<Row> = found.iter().map(|(from, tag)| (*from, *tag, *tag as i32)).collect();
        rows.sort_by(|one, other| other.0.total_cmp(&one.0));
        let mut moves: Vec<Row> = moves.iter().enumerate().map(|(at, from)| (*from, 2, at as i32 % 100)).collect();
        moves.sort_by(|one, other| other.0.total_cmp(&one.0));
        let shown = draw(&head(), Some(&tile(&rows, &moves)), width);
        for (place, expected) in shown.lanes.iter().zip([rows.len(), moves.len()]) {
            prop_assert_eq!(place.hits.iter().map(|hit| hit.count as usize).sum::<usize>(), expected);
            prop_assert!(place.hits.is_sorted_by_key(|hit| hit.left));
        }
        let marks = &shown.lanes[0].hits;
        prop_assert!(marks.windows(2).all(|pair| pair[0].right <= pair[1].left + 0.5), "marks are apart");
        for item in shown.drawing.items.iter().filter(|item| item.style == Style::MarkText) {
            let Shape::Text { x, end, text, .. } = &item.shape else { continue };
            let room = labels::width(text);
            let (left, right) = if *end { (x - room, *x) } else { (*x, x + room) };
            prop_assert!(left >= shown.left && right <= shown.right, "{text} leaves the plot");
            prop_assert!(marks.iter().all(|hit| hit.right < left || hit.left > right), "{text} is touched");
        }
        for item in &shown.drawing.items {
            if let Shape::Glyph(_, x, _) = item.shape {
                prop_assert!(x >= shown.left - GLYPH && x <= shown.drawing.width);
            }
        }
    }
}

#[test]
fn on_the_strip_nothing_is_drawn_before_the_first_event() {
    let bucket = 1 << 28;
    let all = View { from: Instant(10 * bucket), until: Instant(12 * bucket) };
    let bars = |first_ms| {
        let activity = Activity { level: 28, first_ms, bucket: vec![10, 11], count: vec![4, 1] };
        let items = strip(&activity, all, all, 0.0, 400.0 + RIGHT).items;
        let bars = items.into_iter().filter(|item| item.style == Style::Activity);
        bars.filter_map(|item| match item.shape {
            Shape::Rect { x, width, .. } => Some((x.round(), width.round())),
            _ => None,
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(bars(None), [(0.0, 199.0), (200.0, 199.0)]);
    assert_eq!(bars(Some(10 * bucket + bucket / 2)), [(100.0, 99.0), (200.0, 199.0)]);
}
