use tagwarden_model::event::EventKind;
use tagwarden_model::instant::Millis;
use tagwarden_model::observation::{Method, Seen};
use tagwarden_model::record::{Listing, ListingSeen, Repository};
use tagwarden_model::tag::{Band, Class, Mark, TagState};

use crate::script::*;

fn bound(desk: &Desk, name: &str) -> Option<Mark> {
    desk.known(name).record.listed.expect("listed").not_before
}

#[test]
fn rule_5_a_tag_on_the_first_listing_is_baseline() {
    let mut desk = Desk::empty();
    let outcome = desk.list(0, names(&["1.0"]));
    assert_eq!(outcome.listed, tags(&["1.0"]), "its row is written");
    assert_eq!(outcome.asks, [(tag("1.0"), again(LATENCY, Method::Head))]);
    assert_eq!(desk.known("1.0").record.state, TagState::Unread);
    let outcome = desk.saw(SECOND, bytes('A'));
    let created = &outcome.happened[0];
    assert_eq!(said(created), (EventKind::Created, None, Some(digest('A'))));
    assert!(created.baseline && created.verified);
    assert_eq!(created.not_before, None);
}

#[test]
fn rule_5_one_listing_that_lacked_the_tag_is_not_enough() {
    let mut desk = Desk::empty();
    desk.list(0, names(&["other"]));
    desk.list(MINUTE, names(&["1.0", "other"]));
    assert_eq!(bound(&desk, "1.0"), None);
    let outcome = desk.saw(2 * MINUTE, bytes('A'));
    assert!(outcome.happened[0].baseline);
    assert_eq!(outcome.happened[0].not_before, None);
}

#[test]
fn rule_5_after_two_listings_not_before_is_the_older_of_the_newest_two() {
    let mut desk = Desk::empty();
    for minute in [1, 2, 3, 4] {
        desk.list(minute * MINUTE, names(&["other"]));
    }
    desk.list(5 * MINUTE, names(&["1.0", "other"]));
    assert_eq!(bound(&desk, "1.0"), Some(mark(3 * MINUTE)));
    let outcome = desk.saw(6 * MINUTE, bytes('A'));
    let created = &outcome.happened[0];
    assert!(!created.baseline);
    assert_eq!((created.not_before, created.not_after), (Some(mark(3 * MINUTE)), mark(6 * MINUTE + LATENCY)));
}

#[test]
fn rule_5_listings_are_ordered_by_when_they_were_sent() {
    let mut desk = Desk::empty();
    desk.list(MINUTE, names(&["other"]));
    desk.list(3 * MINUTE, names(&["other"]));
    // One that was under way for two minutes: the second newest, though it came last.
    desk.apply(&Listing { sent: at(2 * MINUTE), received: at(4 * MINUTE), seen: names(&["other"]) });
    desk.list(5 * MINUTE, names(&["1.0", "other"]));
    assert_eq!(bound(&desk, "1.0"), Some(mark(2 * MINUTE)));
}

#[test]
fn rule_5_the_bound_is_that_of_the_first_listing_that_named_the_tag() {
    let mut desk = Desk::empty();
    desk.list(MINUTE, names(&["other"]));
    desk.list(2 * MINUTE, names(&["other"]));
    for minute in 3..20 {
        let outcome = desk.list(minute * MINUTE, names(&["1.0", "other"]));
        assert_eq!(outcome.listed.len(), usize::from(minute == 3));
    }
    let outcome = desk.saw(HOUR, bytes('A'));
    assert_eq!(outcome.happened[0].not_before, Some(mark(MINUTE)));
}

#[test]
fn rule_5_refused_listings_lack_nothing() {
    let mut desk = Desk::empty();
    desk.list(MINUTE, names(&["other"]));
    desk.list(2 * MINUTE, ListingSeen::Missing);
    desk.list(3 * MINUTE, ListingSeen::Refused);
    desk.list(4 * MINUTE, names(&["1.0", "other"]));
    assert_eq!(bound(&desk, "1.0"), None);
}

#[test]
fn rule_5_empty_listings_count_only_when_emptiness_was_seen_for_15_min() {
    // A repository that was never anything but empty, listed every minute.
    let lists = |until: i64| {
        let mut desk = Desk::empty();
        for minute in 1..=until {
            desk.list(minute * MINUTE, names(&[]));
        }
        desk.list((until + 1) * MINUTE, names(&["1.0"]));
        bound(&desk, "1.0")
    };
    assert_eq!(lists(15), None, "seen for 14 minutes");
    assert_eq!(lists(16), None, "one counts");
    assert_eq!(lists(17), Some(mark(16 * MINUTE)), "two count");
    assert_eq!(lists(30), Some(mark(29 * MINUTE)));
}

#[test]
fn rule_5_emptiness_counts_from_its_first_listing_to_the_very_instant() {
    for (second, counts) in [(16 * MINUTE - 1, false), (16 * MINUTE, true)] {
        let mut desk = Desk::empty();
        desk.list(MINUTE, names(&[]));
        desk.list(second, names(&[]));
        assert_eq!(desk.repository.listings[0].is_some(), counts);
    }
}

#[test]
fn rule_5_a_listing_with_tags_ends_the_emptiness() {
    let mut desk = Desk::empty();
    desk.list(MINUTE, names(&[]));
    desk.list(10 * MINUTE, names(&["other"]));
    desk.list(11 * MINUTE, names(&[]));
    desk.list(20 * MINUTE, names(&[]));
    assert_eq!(desk.repository.listings, [Some(mark(10 * MINUTE)), None]);
    // So does one that was refused.
    let mut desk = Desk::empty();
    desk.list(MINUTE, names(&[]));
    desk.list(10 * MINUTE, ListingSeen::Refused);
    desk.list(20 * MINUTE, names(&[]));
    assert_eq!(desk.repository.listings, [None, None]);
}

/// `1.0` is deleted by two 404s; the second was sent in minute 5, the listing a second later.
fn deleted() -> Desk {
    let mut desk = Desk::new();
    desk.put("other", 'A');
    desk.plan.intervals.insert(Band::Hot, Millis::seconds(10));
    desk.round(3 * MINUTE, &["other"]);
    assert_eq!(desk.round(5 * MINUTE, &["other"]).happened.len(), 1);
    desk
}

#[test]
fn rule_5_recreated_takes_the_confirming_404_when_that_is_later() {
    let mut desk = deleted();
    // The newest two that lacked it were sent at 3:01 and 5:01; the 404 at 5:00.
    let outcome = desk.list(6 * MINUTE, names(&["1.0", "other"]));
    assert_eq!(outcome.listed, tags(&["1.0"]));
    let outcome = desk.saw(7 * MINUTE, bytes('B'));
    let recreated = &outcome.happened[0];
    assert_eq!(said(recreated), (EventKind::Recreated, None, Some(digest('B'))));
    assert_eq!(recreated.not_before, Some(mark(5 * MINUTE)));
    assert!(!recreated.baseline);
}

#[test]
fn rule_5_recreated_takes_the_listings_when_they_are_later() {
    let mut desk = deleted();
    for minute in [20, 30, 40] {
        desk.list(minute * MINUTE, names(&["other"]));
    }
    desk.list(50 * MINUTE, names(&["1.0", "other"]));
    let outcome = desk.saw(HOUR, bytes('B'));
    assert_eq!(outcome.happened[0].not_before, Some(mark(30 * MINUTE)));
}

#[test]
fn rule_5_a_pass_that_did_not_ask_an_absent_tag_does_not_narrow_its_return() {
    let mut play = Play::over(&["1.0", "other"]);
    play.class = Class::Release;
    // Listings that lacked them: they are new, and hot for a week.
    play.run_for(HOUR);
    play.push("2.0", 'A');
    play.push("3.0", 'A');
    play.run_for(HOUR);
    play.delete("2.0");
    play.run_for(HOUR);
    assert_eq!(*play.state("2.0"), TagState::Absent);
    let (floor, band) = (play.known("2.0").record.floor, play.known("2.0").record.band);
    // A week later its age is that of a slower band; but no pass asks it, so none knows when it came back.
    play.run_until(8 * DAY);
    assert_eq!(play.known("3.0").record.band, Band::Warm);
    assert_eq!((play.known("2.0").record.floor, play.known("2.0").record.band), (floor, band));
}

#[test]
fn rule_5_a_404_of_a_tag_never_read_is_no_event() {
    let mut desk = Desk::empty();
    desk.list(0, names(&["1.0", "other"]));
    for round in 1..10 {
        assert!(desk.saw(round * HOUR, Seen::NotFound(Method::Get)).happened.is_empty());
        assert!(desk.list(round * HOUR + SECOND, names(&["other"])).happened.is_empty());
    }
    assert_eq!(desk.known("1.0").record.state, TagState::Unread);
}

#[test]
fn rule_5_a_new_watch_period_knows_no_listings() {
    let mut desk = Desk::empty();
    desk.list(MINUTE, names(&["other"]));
    desk.list(2 * MINUTE, names(&["other"]));
    desk.repository = Repository::default();
    desk.list(3 * MINUTE, names(&["1.0", "other"]));
    assert_eq!(bound(&desk, "1.0"), None);
}

#[test]
fn rule_5_the_whole_watch_tells_baseline_from_creation() {
    let mut play = Play::new();
    play.push("1.0", 'A');
    play.run_until(MINUTE);
    let baseline = |play: &Play| play.events.iter().map(|(_, _, happened, _)| happened.baseline).collect::<Vec<_>>();
    assert_eq!((play.kinds(), baseline(&play)), (vec![EventKind::Created], vec![true]));
    play.push("2.0", 'A');
    play.run_until(6 * MINUTE);
    assert_eq!(baseline(&play), [true, true], "one listing lacked it");
    play.run_until(HOUR);
    let pushed = play.now;
    let lacked = play.listings();
    play.push("3.0", 'A');
    play.run_until(2 * HOUR);
    assert_eq!(baseline(&play), [true, true, false]);
    let created = &play.events[2].2;
    assert_eq!(created.not_before, Some(mark(lacked[lacked.len() - 2])));
    assert!(created.not_before.unwrap() <= mark(pushed) && mark(pushed) <= created.not_after);
}
