use tagwarden_model::api::{LaneKind, Tile, TileDigest, TileLane};
use tagwarden_model::tag::Class;
use tagwarden_model::timeline::View;

use super::*;

const NOW: Instant = Instant(1_795_435_200_000);

fn lane() -> Lane {
    Lane {
        id: "1".into(),
        repository: "ghcr.io/acme/api".into(),
        kind: LaneKind::Tag,
        name: "latest".into(),
        class: Class::Rolling,
        events: 1,
        baseline: 0,
        flags: 0,
        first: NOW,
        last: NOW,
    }
}

/// A store that knows one tag and one digest, and a hit that names them.
fn world() -> (TileStore, Hit) {
    let at = NOW.0 - 3_600_000;
    let marks = TileLane {
        first_ms: vec![at],
        at_ms: vec![at],
        not_before_ms: vec![at],
        count: vec![1],
        seq: vec![7],
        kind: vec![1],
        baseline: vec![0],
        tag: vec![0],
        digest: vec![0],
        ..TileLane::default()
    };
    let digests = vec![TileDigest { digest: Digest::of(b"a"), release: Some("2.3.0".into()) }];
    let mut store = TileStore::default();
    store.put(&Tile {
        level: 40,
        number: 0,
        seq: 1,
        lanes: vec![marks],
        digests,
        tags: vec!["2.3.0".into()],
        breaches: vec![],
        hints: vec![],
    });
    let view = View::last(Millis::days(1), NOW);
    let mark = store.stretches(view, 40)[0].lane(0).marks[0];
    let hit = Hit {
        lane: 0,
        left: 0.0,
        right: 0.0,
        what: What::Release,
        from: at,
        at,
        not_before: at,
        seq: 7,
        count: 1,
        tag: Some(mark.tag),
        digest: mark.digest,
        old: None,
        flag: None,
        active: false,
    };
    (store, hit)
}

#[test]
fn a_release_is_told_with_its_window() {
    let (store, hit) = world();
    let told = tell(&Hit { not_before: hit.at - 300_000, ..hit }, &lane(), &store, NOW, Millis(0));
    assert_eq!((told.name.as_str(), told.word), ("2.3.0", "published"));
    assert_eq!(told.sentence, "First seen between 10:55:00 and 11:00:00.");
    assert_eq!((told.seq, told.tag.as_deref(), told.new), (Some(7), Some("2.3.0"), Some(Digest::of(b"a"))));
}

#[test]
fn a_span_is_told_with_its_length_and_whether_it_lasts() {
    let (store, hit) = world();
    let span = Hit { what: What::Span, at: i64::MAX, ..hit };
    let told = tell(&span, &lane(), &store, NOW, Millis(0));
    assert_eq!(
        told.sentence,
        "It named 2.3.0 from 11:00:00, and still does as far as this window shows, 60 min.".replace("60 min", "1 h")
    );
    let ended = tell(&Hit { at: hit.at + 120_000, ..span }, &lane(), &store, NOW, Millis(0));
    assert_eq!(ended.sentence, "It named 2.3.0 from 11:00:00, until 11:02:00, 2 min.");
    assert_eq!(ended.tag.as_deref(), Some("latest"), "what the card leads to is the tag that moves");
}

#[test]
fn several_are_told_by_their_number() {
    let (store, hit) = world();
    let told = tell(&Hit { count: 12, from: hit.at - 60_000, ..hit }, &lane(), &store, NOW, Millis(0));
    assert_eq!(told.name, "12 events on latest");
    assert_eq!(told.sentence, "Between 10:59:00 and 11:00:00, the last of them 2.3.0.");
    assert_eq!((told.tag, told.new), (None, None), "no link stands for all of them");
}

#[test]
fn an_active_breach_alone_is_red() {
    let (store, hit) = world();
    let breach = Hit { what: What::Reassigned, flag: Some(3), active: true, from: hit.at - 86_400_000 * 3, ..hit };
    let told = tell(&breach, &lane(), &store, NOW, Millis(0));
    assert_eq!(told.tone, Tone::Flag);
    assert_eq!(told.sentence, "It means other bytes. That happened at 11:00:00, 3 days after it was first seen.");
    assert_eq!(tell(&Hit { active: false, ..breach }, &lane(), &store, NOW, Millis(0)).tone, Tone::Quiet);
}
