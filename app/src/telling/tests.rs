use tagwarden_model::api::{Gap, LaneKind, Tile, TileDigest, TileLane};
use tagwarden_model::tag::{Band, Class};
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

fn watched() -> Watched {
    let gap = Gap {
        band: Band::Cold,
        from: NOW - Millis::hours(3),
        until: Some(NOW - Millis::hours(2)),
        reason: "503".into(),
    };
    Watched {
        repository: "ghcr.io/acme/api".into(),
        since: NOW - Millis::days(9),
        pauses: vec![],
        gaps: vec![gap],
        hints: 0,
        hints_from: None,
        hints_to_come: 0,
    }
}

fn told(hit: Hit) -> Told {
    tell(&hit, &lane(), &watched(), &world().0, NOW, &|_| Millis(0))
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
        claims: vec![9],
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
        tag: mark.tag,
        digest: mark.digest,
        old: None,
        flag: None,
        active: false,
    };
    (store, hit)
}

#[test]
fn a_release_is_told_with_its_window() {
    let (_, hit) = world();
    let told = told(Hit { not_before: hit.at - 300_000, ..hit });
    assert_eq!((told.name.as_str(), told.word), ("2.3.0", "published"));
    assert_eq!(told.sentence, "First seen between 10:55:00 and 11:00:00.");
    assert_eq!((told.seq, told.tag.as_deref(), told.new), (Some(7), Some("2.3.0"), Some(Digest::of(b"a"))));
}

#[test]
fn a_span_is_told_with_its_window_and_whether_it_lasts() {
    let (_, hit) = world();
    let span = Hit { what: What::Span, at: i64::MAX, ..hit };
    let ended = Hit { at: hit.at + 120_000, ..span };
    for (hit, sentence) in [
        (span, "It named 2.3.0 from 11:00:00, and still does, 1 h."),
        (ended, "It named 2.3.0 from 11:00:00, until 11:02:00, 2 min."),
        (
            Hit { not_before: hit.at - 300_000, ..ended },
            "It named 2.3.0 from between 10:55:00 and 11:00:00, until 11:02:00, 2 min.",
        ),
        (Hit { at: i64::MIN, ..span }, "It named 2.3.0 from 11:00:00, and beyond what is shown."),
        (Hit { from: i64::MIN, not_before: i64::MIN, ..span }, "It named 2.3.0, and still does."),
    ] {
        let told = told(hit);
        assert_eq!(told.sentence, sentence);
        assert_eq!(told.tag.as_deref(), Some("latest"), "what the card leads to is the tag that moves");
    }
}

#[test]
fn several_are_told_by_their_number() {
    let (_, hit) = world();
    let told = told(Hit { count: 12, from: hit.at - 60_000, ..hit });
    assert_eq!(told.name, "12 events on latest");
    assert_eq!(told.sentence, "Between 10:59:00 and 11:00:00, the last of them 2.3.0.");
    assert_eq!((told.tag, told.new), (None, None), "no link stands for all of them");
}

#[test]
fn what_befell_is_told_by_what_it_was() {
    use EventKind::{Deleted, Moved, Recreated, Retracted, Returned, Vanished};
    let (_, hit) = world();
    let hit = Hit { from: hit.at - 86_400_000 * 3, ..hit };
    let when = "That happened at 11:00:00";
    for (what, word, sentence) in [
        (What::Breach(Moved), "reassigned", format!("It means other bytes. {when}, 3 days after it was first seen.")),
        (What::Breach(Deleted), "deleted", format!("It is gone. {when}, 3 days after it was first seen.")),
        (
            What::Breach(Recreated),
            "recreated",
            format!("It is back, and not as promised. {when}, 3 days after it was first seen."),
        ),
        (What::Restored(Moved), "restored", format!("It is as promised again. {when}.")),
        (What::Restored(Retracted), "retracted", format!("What a header claimed was wrong. {when}.")),
        (What::Restored(Returned), "is back", format!("The repository is back. {when}.")),
    ] {
        let told = told(Hit { what, ..hit });
        assert_eq!((told.word, told.sentence), (word, sentence));
    }
    let vanished = told(Hit { what: What::Breach(Vanished), from: hit.at, ..hit });
    assert_eq!((vanished.sentence, vanished.tag), (format!("The repository is gone. {when}."), None), "no tag is");
    let claim = told(Hit { what: What::Breach(Moved), seq: 9, from: hit.at, ..hit });
    assert_eq!(claim.sentence, format!("It means other bytes. {when}. Claimed by a header, not yet proven."));
}

#[test]
fn an_active_breach_alone_is_red() {
    let (_, hit) = world();
    let breach = Hit { what: What::Breach(EventKind::Moved), flag: Some(3), active: true, ..hit };
    assert_eq!(told(breach).tone, Tone::Flag);
    assert_eq!(told(Hit { active: false, ..breach }).tone, Tone::Quiet);
}

#[test]
fn the_kinds_of_nothing_are_told() {
    let (_, hit) = world();
    let nothing = |what, from: i64, at: i64| {
        let hit = Hit { what, from, at, not_before: from, seq: 0, tag: None, digest: None, ..hit };
        let told = told(hit);
        let [lane, what, when, digest] = row(&hit, &lane(), &told, NOW, &|_| Millis(0));
        assert_eq!((lane.as_str(), digest.as_str(), told.seq), ("ghcr.io/acme/api", "", None));
        [what, when, told.sentence]
    };
    let at = |hours: i64| (NOW - Millis::hours(hours)).0;
    assert_eq!(
        nothing(What::Gap(Band::Cold), at(3), at(2)),
        ["api not observed", "09:00:00", "Older releases were not observed from 09:00:00 to 10:00:00: 503."]
    );
    let sentence = told(Hit { what: What::Gap(Band::Cold), from: at(3), at: at(1), count: 2, ..hit }).sentence;
    assert_eq!(sentence, "Older releases were not observed at times from 09:00:00 to 11:00:00: 503.");
    assert_eq!(
        nothing(What::Unwatched, i64::MIN, at(2)),
        ["api not watched", "before", "Nobody watched before 10:00:00."]
    );
    assert_eq!(nothing(What::Unwatched, at(3), i64::MAX)[2], "Nobody watched after 09:00:00.");
}
