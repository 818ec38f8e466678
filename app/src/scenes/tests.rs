use tagwarden_model::api::Flag;
use tagwarden_model::event::{Severity, Source};
use tagwarden_model::flag::{FlagKind, FlagState};
use tagwarden_model::tag::Class;

use super::*;

const NOW: Instant = Instant(1_795_435_200_000);

fn digest(bytes: &str) -> Digest {
    Digest::of(bytes.as_bytes())
}

fn event(kind: EventKind, repository: &str, tag: &str, bytes: (Option<&str>, Option<&str>), minutes_ago: i64) -> Event {
    let at = NOW - Millis::minutes(minutes_ago);
    Event {
        seq: -minutes_ago,
        at,
        kind,
        repository: repository.into(),
        tag: Some(tag.into()),
        class: Some(Class::Release),
        old_digest: bytes.0.map(digest),
        new_digest: bytes.1.map(digest),
        not_before: Some(at - Millis::minutes(5)),
        not_after: at,
        clock_changed: false,
        source: Source::Poll,
        verified: true,
        baseline: false,
        deleted_by: None,
        group_id: None,
        flag: None,
        difference: None,
        leaf: String::new(),
    }
}

fn lanes(scene: &Scene) -> Vec<&Lane> {
    scene.lanes.iter().collect()
}

#[test]
fn a_release_that_moves_away_and_back_is_restored() {
    let events = [
        event(EventKind::Moved, "r/api", "2.3.0", (Some("b"), Some("a")), 10),
        event(EventKind::Moved, "r/api", "2.3.0", (Some("a"), Some("b")), 60),
        event(EventKind::Created, "r/api", "2.3.0", (None, Some("a")), 600),
    ];
    let scene = recent(&events, Instant(0));
    let first = NOW - Millis::minutes(600);
    let kinds: Vec<MarkKind> = lanes(&scene)[0].marks.iter().map(|mark| mark.kind).collect();
    assert_eq!(kinds, [MarkKind::Release, MarkKind::Reassigned { first }, MarkKind::Restored { first }]);
}

#[test]
fn where_not_all_repositories_have_room_those_with_a_breach_are_shown() {
    let mut events: Vec<Event> = (10..30)
        .map(|number| event(EventKind::Created, &format!("r/{number}"), "1.0.0", (None, Some("a")), number))
        .collect();
    events.push(event(EventKind::Deleted, "r/zz", "1.0.0", (Some("a"), None), 5));
    let scene = recent(&events, Instant(0));
    assert_eq!(lanes(&scene).len(), LANES);
    assert_eq!(lanes(&scene).last().map(|lane| lane.label.as_str()), Some("zz"));
}

fn detail(events: Vec<Event>, current: Option<&str>) -> FlagDetail {
    let first = &events[0];
    let flag = Flag {
        id: 1,
        kind: FlagKind::Breach,
        state: FlagState::Open,
        severity: Severity::Critical,
        lowered_by: None,
        difference: None,
        comparing: false,
        flapping: false,
        repository: "r/api".into(),
        tag: Some("2.3.0".into()),
        promise: Some(digest("a")),
        current: current.map(digest),
        not_before: first.not_before,
        not_after: first.not_after,
        opened: NOW,
        changed: NOW,
        acknowledged_until: None,
        group_id: None,
        version: 1,
    };
    FlagDetail { flag, differences: Vec::new(), revision: None, events, transitions: Vec::new(), targets: Vec::new() }
}

#[test]
fn the_window_is_the_empty_space_between_two_bars() {
    let moved = event(EventKind::Moved, "r/api", "2.3.0", (Some("a"), Some("b")), 60);
    let detail = detail(vec![moved.clone()], Some("b"));
    let scene = window(&detail);
    let bars = &lanes(&scene)[0].bars;
    assert_eq!(bars.iter().map(|bar| &bar.digest).collect::<Vec<_>>(), [&digest("a"), &digest("b")]);
    assert_eq!((bars[0].until, bars[1].from), (moved.not_before, moved.not_after));
    assert_eq!(bars[1].until, None);
    assert!(window_start(&detail, NOW) < NOW - Millis::minutes(65));
}

#[test]
fn a_removed_release_ends_with_a_mark_and_no_bar() {
    let detail = detail(vec![event(EventKind::Deleted, "r/api", "2.3.0", (Some("a"), None), 60)], None);
    let scene = window(&detail);
    let lane = lanes(&scene)[0];
    assert_eq!((lane.bars.len(), lane.marks.len()), (1, 1));
    assert_eq!(lane.marks[0].kind, MarkKind::Deleted);
}
