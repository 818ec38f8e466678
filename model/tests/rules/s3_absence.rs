use std::collections::BTreeSet;

use tagwarden_model::api::RegistryState;
use tagwarden_model::event::{DeletedBy, EventKind};
use tagwarden_model::instant::Millis;
use tagwarden_model::observation::{Method, Seen, Unknown};
use tagwarden_model::record::entry::{LastListing, entry_state};
use tagwarden_model::record::{Ask, Happened, ListingSeen, Pending, Plan, RequestKind, Sighting, Standing, Warning};
use tagwarden_model::tag::{Band, Class, TagState};

use crate::script::*;

/// `1.0` and `other`, both with `A`, in a band of 10 s: the delay of rule 3.1 is its least, a minute.
fn fast() -> Desk {
    let mut desk = Desk::new();
    desk.put("other", 'A');
    desk.plan.intervals.insert(Band::Hot, Millis::seconds(10));
    desk
}

/// From the receipt of the first 404 to the sending of the next.
fn after(first: i64, delay: i64) -> i64 {
    first + LATENCY + delay
}

fn only(happened: Vec<(tagwarden_model::name::TagName, Happened)>) -> Happened {
    assert_eq!(happened.len(), 1, "{happened:?}");
    happened.into_iter().next().unwrap().1
}

fn first_round(desk: &Desk) -> bool {
    matches!(&desk.known("1.0").pending, Some(Pending::Absent(absence)) if absence.first.is_some())
}

#[test]
fn rule_3_1_a_deletion_takes_two_404s_each_with_a_later_listing() {
    let mut desk = fast();
    assert!(desk.gone(MINUTE).happened.is_empty());
    assert!(desk.list(MINUTE + SECOND, names(&["other"])).happened.is_empty());
    assert!(first_round(&desk));
    assert!(desk.gone(3 * MINUTE).happened.is_empty());
    let deleted = only(desk.list(3 * MINUTE + SECOND, names(&["other"])).happened);
    assert_eq!(said(&deleted), (EventKind::Deleted, Some(digest('A')), None));
    assert_eq!(deleted.deleted_by, Some(DeletedBy::Unlisted));
    assert_eq!(deleted.not_after, mark(3 * MINUTE + LATENCY));
    let record = &desk.known("1.0").record;
    assert_eq!((&record.state, record.listed, record.floor), (&TagState::Absent, None, Some(mark(3 * MINUTE))));
}

#[test]
fn rule_3_1_listings_alone_delete_nothing() {
    let mut desk = fast();
    for round in 1..20 {
        assert!(desk.list(round * HOUR, names(&["other"])).happened.is_empty());
    }
    assert_eq!(desk.known("1.0").pending, None);
}

#[test]
fn rule_3_1_one_404_and_many_listings_delete_nothing() {
    let mut desk = fast();
    desk.gone(MINUTE);
    for round in 1..20 {
        assert!(desk.list(round * HOUR, names(&["other"])).happened.is_empty());
    }
}

#[test]
fn rule_3_1_a_present_tag_that_a_listing_lacks_is_asked_at_once() {
    let mut desk = fast();
    let outcome = desk.list(MINUTE, names(&["other"]));
    assert_eq!(outcome.asks, [(tag("1.0"), again(MINUTE + LATENCY, Method::Head))]);
}

#[test]
fn rule_3_1_the_delay_is_the_interval_between_a_minute_and_ten() {
    let cases = [
        (Millis::seconds(10), MINUTE),
        (Millis::seconds(60), MINUTE),
        (Millis::seconds(61), 61 * SECOND),
        (Millis::minutes(5), 5 * MINUTE),
        (Millis::minutes(10), 10 * MINUTE),
        (Millis::hours(1), 10 * MINUTE),
        (Millis::hours(24), 10 * MINUTE),
    ];
    for (interval, delay) in cases {
        for (second, deletes) in [(after(MINUTE, delay) - 1, false), (after(MINUTE, delay), true)] {
            let mut desk = fast();
            desk.plan.intervals.insert(Band::Hot, interval);
            let outcome = desk.round(MINUTE, &["other"]);
            assert_eq!(outcome.asks, [(tag("1.0"), again(MINUTE + SECOND + LATENCY + delay, Method::Head))]);
            let outcome = desk.round(second, &["other"]);
            assert_eq!(outcome.happened.len(), usize::from(deletes), "{interval:?}, second 404 sent at {second}");
        }
    }
}

#[test]
fn rule_3_1_a_second_404_that_comes_too_early_does_not_move_the_first() {
    let mut desk = fast();
    desk.round(MINUTE, &["other"]);
    desk.round(MINUTE + 30 * SECOND, &["other"]);
    assert_eq!(desk.round(after(MINUTE, MINUTE), &["other"]).happened.len(), 1);
}

#[test]
fn rule_3_1_seen_again_with_the_same_digest_is_nothing() {
    let mut desk = fast();
    desk.round(MINUTE, &["other"]);
    let outcome = desk.saw(MINUTE + 30 * SECOND, claim('A'));
    assert!(outcome.happened.is_empty() && !outcome.write);
    assert_eq!((outcome.sighting, outcome.known.pending), (Sighting::Recorded, None));
    // The next 404 is a first one again.
    assert!(desk.round(3 * MINUTE, &["other"]).happened.is_empty());
    assert_eq!(desk.round(5 * MINUTE, &["other"]).happened.len(), 1);
}

#[test]
fn rule_3_1_seen_again_with_another_digest_is_moved() {
    let mut desk = fast();
    desk.round(MINUTE, &["other"]);
    desk.saw(MINUTE + 30 * SECOND, claim('B'));
    let outcome = desk.saw(MINUTE + 31 * SECOND, bytes('B'));
    assert_eq!(said(&outcome.happened[0]), moved('A', 'B'));
    assert_eq!(outcome.happened[0].not_before, Some(mark(0)), "fixed when the tag became pending");
}

#[test]
fn rule_3_1_unknown_between_two_404s_changes_nothing() {
    let mut desk = fast();
    desk.round(MINUTE, &["other"]);
    desk.saw(MINUTE + 30 * SECOND, Seen::Unknown(Method::Head, Unknown::ServerError));
    assert_eq!(desk.round(3 * MINUTE, &["other"]).happened.len(), 1);
}

#[test]
fn rule_3_1_a_listing_that_names_the_tag_again_begins_the_absence_anew_as_dangling() {
    // With a 404 that waits for this listing, and without.
    for waiting in [true, false] {
        let mut desk = fast();
        desk.round(MINUTE, &["other"]);
        if waiting {
            desk.gone_by_get(2 * MINUTE);
        }
        desk.list(2 * MINUTE + SECOND, names(&["1.0", "other"]));
        let Some(Pending::Absent(absence)) = &desk.known("1.0").pending else { panic!("not pending") };
        assert_eq!(absence.first.is_some(), waiting, "the first round is the one that this listing completes");
        assert_eq!(absence.not_before, Some(mark(0)), "the lower end stays");
        // What would have been the second 404 is not.
        let outcome = desk.round(4 * MINUTE, &["other"]);
        assert!(outcome.happened.is_empty(), "waiting: {waiting}");
    }
}

#[test]
fn rule_3_1_a_listing_sent_before_the_first_404_was_received_begins_nothing_anew() {
    let mut desk = fast();
    desk.round(MINUTE, &["other"]);
    // It was slow, and names the tag as it was before.
    desk.list(MINUTE + LATENCY, names(&["1.0", "other"]));
    assert!(first_round(&desk));
}

#[test]
fn rule_3_1_the_whole_watch_confirms_on_the_tags_own_timer() {
    let known = [("1.0", Band::Cold), ("other", Band::Cold)].map(|(name, band)| {
        let mut known = read_at_zero('A', band, Class::Release);
        known.first_seen = Some(mark(-100 * DAY).wall);
        (tag(name), known)
    });
    let mut play = Play::with(Plan::default(), known.into_iter().collect());
    play.settle();
    play.now = HOUR;
    play.delete("1.0");
    play.check("1.0");
    play.run_for(10 * MINUTE);
    assert!(play.events.is_empty());
    play.run_for(5 * SECOND);
    assert_eq!(play.kinds(), [EventKind::Deleted]);
    assert_eq!(*play.state("1.0"), TagState::Absent);
    // An absent tag that no listing names is not asked any more.
    play.forget();
    play.run_for(2 * DAY);
    assert!(play.asked_of("1.0").is_empty() && !play.asked_of("other").is_empty());
}

#[test]
fn rule_3_2_a_listed_tag_is_deleted_by_two_gets_10_min_and_the_delay_apart() {
    for (second, deletes) in [(after(MINUTE, 11 * MINUTE) - 1, false), (after(MINUTE, 11 * MINUTE), true)] {
        let mut desk = fast();
        let outcome = desk.round_by_get(MINUTE, &["1.0", "other"]);
        let due = again(MINUTE + SECOND + LATENCY + 11 * MINUTE, Method::Get);
        assert_eq!(outcome.asks, [(tag("1.0"), due)]);
        let outcome = desk.round_by_get(second, &["1.0", "other"]);
        assert_eq!(outcome.happened.len(), usize::from(deletes), "second 404 sent at {second}");
        if deletes {
            let deleted = only(outcome.happened);
            assert_eq!((deleted.kind, deleted.deleted_by), (EventKind::Deleted, Some(DeletedBy::Dangling)));
        }
    }
}

#[test]
fn rule_3_2_head_says_nothing_of_a_listed_tag() {
    let mut desk = fast();
    for round in 1..20 {
        let outcome = desk.round(round * HOUR, &["1.0", "other"]);
        assert!(outcome.happened.is_empty());
        assert_eq!(outcome.asks, [(tag("1.0"), Ask::Get)]);
    }
}

#[test]
fn rule_3_2_the_whole_watch_deletes_a_tag_whose_manifest_was_collected() {
    let mut play = Play::over(&["1.0", "other"]);
    play.delete("1.0");
    play.dangling.insert(tag("1.0"));
    play.run_until(5 * MINUTE);
    let first = play.asked_of("1.0").iter().find(|(_, method)| *method == Method::Get).unwrap().0;
    play.run_until(first + 15 * MINUTE);
    assert!(play.events.is_empty());
    play.run_until(first + 15 * MINUTE + 5 * SECOND);
    assert_eq!(play.kinds(), [EventKind::Deleted]);
    assert_eq!(play.events[0].2.deleted_by, Some(DeletedBy::Dangling));
    // Listed as it is, it stays deleted.
    play.run_for(DAY);
    assert_eq!(play.events.len(), 1);
}

#[test]
fn rule_3_3_an_empty_list_where_tags_were_is_a_state() {
    let mut desk = fast();
    assert_eq!(desk.repository.standing, Standing::Ok);
    let outcome = desk.list(MINUTE, names(&[]));
    assert!(outcome.became_empty && outcome.happened.is_empty());
    assert_eq!(desk.repository.standing, Standing::Empty);
    assert!(!desk.list(2 * MINUTE, names(&[])).became_empty, "it was empty already");
    desk.list(3 * MINUTE, names(&["1.0", "other"]));
    assert_eq!(desk.repository.standing, Standing::Ok);
}

#[test]
fn rule_3_3_an_empty_list_where_no_tags_were_is_ordinary() {
    let mut desk = Desk::empty();
    assert!(!desk.list(MINUTE, names(&[])).became_empty);
    assert_eq!(desk.repository.standing, Standing::Ok);
}

#[test]
fn rule_3_3_under_an_empty_list_each_tag_needs_its_own_two_404s_15_min_apart() {
    for (second, deletes) in [(after(MINUTE, 15 * MINUTE) - 1, false), (after(MINUTE, 15 * MINUTE), true)] {
        let mut desk = fast();
        let outcome = desk.round(MINUTE, &[]);
        let due = again(MINUTE + SECOND + LATENCY + 15 * MINUTE, Method::Head);
        assert_eq!(outcome.asks, [(tag("1.0"), due)]);
        let outcome = desk.round(second, &[]);
        assert_eq!(outcome.happened.len(), usize::from(deletes), "second 404 sent at {second}");
        if deletes {
            assert_eq!(only(outcome.happened).deleted_by, Some(DeletedBy::EmptyListing));
        }
        assert_eq!(desk.known("other").record.state, present('A'), "nobody asked it");
    }
}

#[test]
fn rule_3_3_a_list_that_becomes_empty_begins_an_absence_anew() {
    let mut desk = fast();
    desk.round(MINUTE, &["other"]);
    assert!(desk.round(3 * MINUTE, &[]).happened.is_empty());
    assert!(desk.round(after(3 * MINUTE, 15 * MINUTE) - 1, &[]).happened.is_empty());
    assert_eq!(desk.round(after(3 * MINUTE, 16 * MINUTE), &[]).happened.len(), 1);
}

#[test]
fn rule_3_3_one_200_cancels_what_the_empty_list_said() {
    let mut desk = fast();
    desk.round(MINUTE, &[]);
    assert!(first_round(&desk));
    let warning = desk.repository.distrust_empty(&mut desk.tags);
    assert_eq!(warning, Some(Warning::EmptyListingWrong));
    assert_eq!(desk.known("1.0").pending, None);
    // Told once for each listing.
    assert_eq!(desk.repository.distrust_empty(&mut desk.tags), None);
    assert!(desk.round(after(MINUTE, 15 * MINUTE), &[]).happened.is_empty(), "that is a first 404 again");
}

#[test]
fn rule_3_3_a_200_under_a_list_that_is_not_empty_cancels_nothing() {
    let mut desk = fast();
    desk.round(MINUTE, &["other"]);
    assert_eq!(desk.repository.distrust_empty(&mut desk.tags), None);
    assert!(first_round(&desk));
}

#[test]
fn rule_3_3_a_wrong_empty_list_is_complete_for_nothing() {
    let mut desk = fast();
    desk.list(MINUTE, names(&["1.0", "other"]));
    for minute in 2..=40 {
        desk.list(minute * MINUTE, names(&[]));
    }
    // Then a tag answers: those listings lacked what was there.
    desk.repository.distrust_empty(&mut desk.tags);
    desk.list(41 * MINUTE, names(&["1.0", "other", "2.0"]));
    let not_before = desk.known("2.0").record.listed.unwrap().not_before;
    assert!(not_before.is_none_or(|not_before| not_before <= mark(MINUTE)), "{not_before:?}");
}

#[test]
fn rule_3_3_the_whole_watch_deletes_the_last_tags_of_a_repository() {
    let mut play = Play::over(&["1.0", "2.0"]);
    play.served.clear();
    play.run_until(5 * MINUTE);
    assert_eq!(play.watch.repository.standing, Standing::Empty);
    let first = play.listings().into_iter().max().unwrap();
    play.run_until(first + 14 * MINUTE);
    assert!(play.events.is_empty());
    play.run_until(first + 16 * MINUTE);
    assert_eq!(play.kinds(), [EventKind::Deleted, EventKind::Deleted]);
    let groups: BTreeSet<_> = play.events.iter().map(|(_, _, _, group)| *group).collect();
    assert!(groups.len() == 1 && !groups.contains(&None));
}

#[test]
fn rule_3_3_the_whole_watch_deletes_nothing_while_one_tag_answers() {
    let mut play = Play::over(&["1.0", "2.0", "3.0"]);
    play.lists = Lists::Nothing;
    play.delete("1.0");
    play.delete("2.0");
    play.run_for(6 * HOUR);
    assert!(play.events.is_empty());
    let wrong = play.warnings.iter().filter(|(_, warning)| *warning == Warning::EmptyListingWrong).count();
    assert!((1..=play.listings().len()).contains(&wrong), "{wrong} warnings of {} listings", play.listings().len());
}

#[test]
fn rule_3_3_the_50_newest_tags_are_asked_first_and_the_others_at_their_bands_pace() {
    let name = |number: i64| format!("1.{number}");
    let known = (0..120).map(|number| {
        let mut known = read_at_zero('A', Band::Warm, Class::Release);
        // The higher the number, the younger; all of them warm.
        known.first_seen = Some(mark(-20 * DAY + number * HOUR).wall);
        (tag(&name(number)), known)
    });
    let mut play = Play::with(Plan::default(), known.collect());
    play.settle();
    play.now = 10 * MINUTE;
    play.forget();
    play.served.clear();
    play.lists = Lists::Nothing;
    // The next pass of the hot band, which has no tags, finds the list empty.
    play.run_until(12 * MINUTE);
    let asked: BTreeSet<_> = play.asked.iter().filter_map(|(_, request)| request.tag().cloned()).collect();
    let newest: BTreeSet<_> = (70..120).map(|number| tag(&name(number))).collect();
    assert_eq!(asked, newest);
    play.run_until(66 * MINUTE);
    let asked: BTreeSet<_> = play.asked.iter().filter_map(|(_, request)| request.tag().cloned()).collect();
    assert_eq!(asked.len(), 120);
}

#[test]
fn rule_3_4_a_refused_or_missing_listing_hides_the_repository() {
    for seen in [ListingSeen::Missing, ListingSeen::Refused] {
        let mut desk = fast();
        let outcome = desk.list(MINUTE, seen);
        assert_eq!(desk.repository.standing, Standing::Hidden);
        assert!(outcome.happened.is_empty() && outcome.repository.is_none() && !outcome.invisible);
        desk.list(2 * MINUTE, names(&["1.0", "other"]));
        assert_eq!(desk.repository.standing, Standing::Ok);
    }
}

#[test]
fn rule_3_4_hidden_suspends_absence() {
    let mut desk = fast();
    desk.list(MINUTE, ListingSeen::Missing);
    for round in 1..20 {
        let outcome = desk.gone(round * HOUR);
        assert_eq!((outcome.sighting, outcome.ask), (Sighting::Unseen(Unknown::Hidden), None));
        assert_eq!(outcome.known.pending, None);
        assert!(desk.list(round * HOUR + SECOND, ListingSeen::Missing).happened.is_empty());
    }
    // What was pending before begins anew afterwards.
    let mut desk = fast();
    desk.round(MINUTE, &["other"]);
    desk.list(2 * MINUTE, ListingSeen::Refused);
    desk.list(3 * MINUTE, names(&["other"]));
    assert!(desk.round(4 * MINUTE, &["other"]).happened.is_empty());
    assert_eq!(desk.round(6 * MINUTE, &["other"]).happened.len(), 1);
}

#[test]
fn rule_3_4_a_hidden_404_is_unknown_and_overtakes_nothing() {
    let mut desk = fast();
    desk.list(MINUTE, ListingSeen::Missing);
    desk.gone(2 * MINUTE);
    assert_eq!(desk.known("1.0").applied, None);
}

#[test]
fn rule_3_4_hidden_does_not_suspend_presence() {
    let mut play = Play::over(&["1.0", "2.0"]);
    play.lists = Lists::Refused;
    play.push("1.0", 'B');
    play.forget();
    play.run_for(10 * MINUTE);
    assert_eq!(play.watch.repository.standing, Standing::Hidden);
    assert_eq!(play.said(), [moved('A', 'B')]);
    assert!(!play.asked_of("2.0").is_empty(), "known tags are still asked");
    let exceptions = play.passes.iter().flat_map(|finished| &finished.pass.exceptions);
    assert_eq!(exceptions.count(), 0, "200 is a sighting");
}

#[test]
fn rule_3_4_hidden_suspends_creation() {
    let mut play = Play::over(&["1.0"]);
    play.lists = Lists::Missing;
    play.push("2.0", 'B');
    play.run_for(10 * MINUTE);
    play.check("2.0");
    play.run_for(10 * MINUTE);
    assert!(play.events.is_empty() && !play.watch.tags().contains_key(&tag("2.0")));
    play.lists = Lists::Tags;
    play.run_for(10 * MINUTE);
    assert_eq!(play.kinds(), [EventKind::Created]);
}

#[test]
fn rule_3_4_three_refusals_in_a_row_stop_the_pass() {
    let all: Vec<String> = (0..10).map(|number| format!("1.{number}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut play = Play::over(&all);
    play.lists = Lists::Missing;
    play.served.clear();
    // Two refusals and a 200, then refusals only: five are asked.
    play.push("1.2", 'A');
    play.run_until(4 * MINUTE);
    play.forget();
    play.run_until(5 * MINUTE);
    let asked: Vec<_> = play.asked.iter().filter_map(|(_, request)| request.tag()).collect();
    assert_eq!(asked, tags(&["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"]).iter().collect::<Vec<_>>());
    assert_eq!(play.passes.len(), 1);
    let finished = &play.passes[0];
    assert_eq!((finished.asked, finished.seen), (10, 1));
    assert_eq!(finished.unseen, [(Unknown::Hidden, 9)].into_iter().collect());
    assert!(finished.reason.is_some());
}

#[test]
fn rule_3_4_404s_in_a_visible_repository_stop_no_pass() {
    let mut play = Play::over(&["1.0", "1.1", "1.2", "1.3", "1.4", "other"]);
    play.served.retain(|name, _| *name == tag("other"));
    play.forget();
    play.run_until(5 * MINUTE);
    assert!(!play.asked_of("other").is_empty());
}

#[test]
fn rule_3_5_vanished_takes_two_404_listings_24_h_apart() {
    for (second, vanishes) in [(MINUTE + DAY - 1, false), (MINUTE + DAY, true)] {
        let mut desk = fast();
        desk.list(0, names(&["1.0", "other"]));
        assert!(desk.list(MINUTE, ListingSeen::Missing).repository.is_none());
        assert!(desk.list(HOUR, ListingSeen::Missing).repository.is_none());
        let event = desk.list(second, ListingSeen::Missing).repository;
        assert_eq!(event.is_some(), vanishes);
        if let Some(event) = event {
            assert_eq!(event.kind, EventKind::Vanished);
            assert_eq!((event.not_before, event.not_after), (Some(mark(0)), mark(second + LATENCY)));
            assert_eq!(desk.repository.standing, Standing::Vanished);
            // One event, and no deletions.
            assert!(desk.list(second + DAY, ListingSeen::Missing).repository.is_none());
            assert_eq!(desk.known("1.0").record.state, present('A'));
        }
    }
}

#[test]
fn rule_3_5_a_listing_between_begins_the_24_h_anew() {
    let mut desk = fast();
    desk.list(MINUTE, ListingSeen::Missing);
    desk.list(HOUR, names(&["1.0", "other"]));
    desk.list(2 * HOUR, ListingSeen::Missing);
    assert!(desk.list(MINUTE + DAY, ListingSeen::Missing).repository.is_none());
    assert!(desk.list(2 * HOUR + DAY, ListingSeen::Missing).repository.is_some());
}

#[test]
fn rule_3_5_a_refusal_between_begins_the_24_h_anew() {
    let mut desk = fast();
    desk.list(MINUTE, ListingSeen::Missing);
    desk.list(HOUR, ListingSeen::Refused);
    desk.list(2 * HOUR, ListingSeen::Missing);
    assert!(desk.list(MINUTE + DAY, ListingSeen::Missing).repository.is_none());
}

#[test]
fn rule_3_5_a_tag_that_answers_between_begins_the_24_h_anew() {
    let mut play = Play::over(&["1.0", "2.0"]);
    play.lists = Lists::Missing;
    play.run_for(3 * DAY);
    assert!(play.repository_events.is_empty(), "its tags answer");
    play.served.clear();
    play.run_for(DAY - 10 * MINUTE);
    assert!(play.repository_events.is_empty());
    play.run_for(20 * MINUTE);
    assert_eq!(play.repository_events.len(), 1);
}

#[test]
fn rule_3_5_a_repository_without_present_tags_does_not_vanish() {
    let mut desk = Desk::empty();
    desk.list(0, ListingSeen::Missing);
    assert!(desk.list(2 * DAY, ListingSeen::Missing).repository.is_none());
}

#[test]
fn rule_3_5_returned_when_it_is_back() {
    let mut play = Play::over(&["1.0"]);
    let served = std::mem::take(&mut play.served);
    play.lists = Lists::Missing;
    play.run_for(25 * HOUR);
    play.lists = Lists::Tags;
    play.served = served;
    play.run_for(HOUR);
    let kinds: Vec<_> = play.repository_events.iter().map(|happened| happened.kind).collect();
    assert_eq!(kinds, [EventKind::Vanished, EventKind::Returned]);
    assert!(play.events.is_empty(), "no tag was deleted");
    assert_eq!(play.watch.repository.standing, Standing::Ok);
}

#[test]
fn rule_3_5_a_refusal_of_a_vanished_repository_does_not_narrow_its_return() {
    let mut desk = fast();
    desk.list(MINUTE, ListingSeen::Missing);
    desk.list(MINUTE + DAY, ListingSeen::Missing);
    desk.list(2 * DAY, ListingSeen::Refused);
    assert_eq!(desk.repository.standing, Standing::Vanished);
    let returned = desk.list(3 * DAY, names(&["1.0"])).repository.unwrap();
    assert_eq!(returned.kind, EventKind::Returned);
    assert!(returned.not_before.unwrap() <= mark(MINUTE + DAY), "{:?}", returned.not_before);
}

#[test]
fn rule_3_5_refused_for_24_h_while_others_are_visible_is_a_flag_without_an_event() {
    for others in [true, false] {
        let mut desk = fast();
        desk.others_visible = others;
        desk.list(MINUTE, ListingSeen::Refused);
        assert!(!desk.list(MINUTE + DAY - 1, ListingSeen::Refused).invisible);
        let outcome = desk.list(MINUTE + DAY, ListingSeen::Refused);
        assert_eq!((outcome.invisible, outcome.repository), (others, None));
        assert_eq!(desk.repository.standing, Standing::Hidden);
    }
}

#[test]
fn rule_3_5_a_missing_repository_is_not_called_invisible() {
    let mut desk = fast();
    desk.others_visible = true;
    desk.list(MINUTE, ListingSeen::Missing);
    assert!(!desk.list(2 * DAY, ListingSeen::Missing).invisible);
}

#[test]
fn rule_3_5_a_visible_listing_ends_the_flag() {
    let mut play = Play::over(&["1.0"]);
    play.others_visible = true;
    play.lists = Lists::Refused;
    play.failing.insert(tag("1.0"), Seen::Unknown(Method::Head, Unknown::Refused));
    play.invisible.clear();
    play.run_for(25 * HOUR);
    assert!(!play.invisible.is_empty() && play.invisible.iter().all(|invisible| *invisible));
    play.lists = Lists::Tags;
    play.run_for(HOUR);
    assert_eq!(play.invisible.last(), Some(&false));
    assert!(play.events.is_empty() && play.repository_events.is_empty());
}

#[test]
fn rule_3_5_an_entry_is_unauthorized_when_the_newest_listing_of_every_repository_was_refused() {
    let (answered, refused, failed) =
        (Some(LastListing::Answered), Some(LastListing::Refused), Some(LastListing::Failed));
    for (newest, state) in [
        (vec![], Some(RegistryState::New)),
        (vec![refused], Some(RegistryState::Unauthorized)),
        (vec![refused, refused, refused], Some(RegistryState::Unauthorized)),
        (vec![refused, answered, refused], Some(RegistryState::Ok)),
        (vec![refused, failed], Some(RegistryState::Failing)),
        (vec![failed, failed], Some(RegistryState::Failing)),
        (vec![failed, answered], Some(RegistryState::Ok)),
        // What is still to be listed may be let in.
        (vec![refused, None], None),
        (vec![failed, None], None),
        (vec![None], None),
        (vec![None, answered], Some(RegistryState::Ok)),
    ] {
        assert_eq!(entry_state(newest.clone()), state, "{newest:?}");
    }
}

/// `present` hot tags, of which the first `absent` go at once; when how many were deleted by the watch.
fn mass(present: usize, absent: usize) -> Play {
    let all: Vec<String> = (0..present).map(|number| format!("1.{number:03}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut play = Play::over(&all);
    for name in &all[..absent] {
        play.delete(name);
    }
    play.run_until(4 * MINUTE);
    play
}

fn rounds_of(present: usize, absent: usize) -> usize {
    let mut desk = Desk::empty();
    desk.plan.intervals.insert(Band::Hot, Millis::seconds(10));
    let all: Vec<String> = (0..present).map(|number| format!("1.{number:03}")).collect();
    for name in &all {
        desk.put(name, 'A');
    }
    let rest: Vec<&str> = all[absent..].iter().map(String::as_str).collect();
    for round in 1..=5 {
        let sent = i64::try_from(round).unwrap() * 2 * MINUTE;
        for name in &all[..absent] {
            desk.tag_saw(name, sent, Seen::NotFound(Method::Head));
        }
        let deleted = desk.list(sent + SECOND, names(&rest)).happened.len();
        if deleted > 0 {
            assert_eq!(deleted, absent, "all of them at once");
            return round;
        }
    }
    panic!("never deleted");
}

#[test]
fn rule_3_6_more_than_20_and_30_percent_need_one_further_round() {
    // (present, absent, rounds)
    let cases = [(25, 20, 2), (25, 21, 3), (66, 20, 2), (70, 21, 2), (70, 22, 3), (100, 30, 2), (100, 31, 3)];
    for (present, absent, rounds) in cases {
        assert_eq!(rounds_of(present, absent), rounds, "{absent} of {present}");
    }
}

#[test]
fn rule_3_6_the_further_round_keeps_the_same_delay() {
    let mut desk = Desk::empty();
    desk.plan.intervals.insert(Band::Hot, Millis::seconds(10));
    let all: Vec<String> = (0..30).map(|number| format!("1.{number:02}")).collect();
    for name in &all {
        desk.put(name, 'A');
    }
    desk.put("other", 'A');
    let mut round = |sent: i64| {
        for name in &all {
            desk.tag_saw(name, sent, Seen::NotFound(Method::Head));
        }
        desk.list(sent + SECOND, names(&["other"])).happened.len()
    };
    assert_eq!(round(2 * MINUTE), 0);
    assert_eq!(round(after(2 * MINUTE, MINUTE)), 0);
    let second = after(2 * MINUTE, MINUTE);
    assert_eq!(round(after(second, MINUTE) - 1), 0);
    assert_eq!(round(after(second, MINUTE) + LATENCY), 30);
}

#[test]
fn rule_3_6_a_tag_seen_meanwhile_is_not_deleted_with_the_others() {
    let mut desk = Desk::empty();
    desk.plan.intervals.insert(Band::Hot, Millis::seconds(10));
    let all: Vec<String> = (0..30).map(|number| format!("1.{number:02}")).collect();
    for name in &all {
        desk.put(name, 'A');
    }
    desk.put("other", 'A');
    let mut deleted = Vec::new();
    for round in 1..=3 {
        for name in &all {
            let seen = if round == 3 && name == "1.07" { claim('A') } else { Seen::NotFound(Method::Head) };
            desk.tag_saw(name, round * 2 * MINUTE, seen);
        }
        deleted = desk.list(round * 2 * MINUTE + SECOND, names(&["other"])).happened;
    }
    assert_eq!(deleted.len(), 29);
    assert_eq!(desk.known("1.07").record.state, present('A'));
}

#[test]
fn rule_3_6_the_whole_watch_writes_them_in_one_group() {
    let mut play = mass(40, 30);
    // Answers take now longer, now shorter, so that no accident keeps the tags together.
    play.latencies = (0..400).map(|number| 20 + 170 * (number % 3)).collect();
    play.run_until(20 * MINUTE);
    assert_eq!(play.events.len(), 30);
    let groups: BTreeSet<_> = play.events.iter().map(|(_, _, _, group)| *group).collect();
    assert!(groups.len() == 1 && !groups.contains(&None), "{groups:?}");
}

#[test]
fn rule_3_6_deleting_a_digest_with_three_tags_is_three_events_in_one_group() {
    let mut play = mass(10, 3);
    play.latencies = (0..100).map(|number| 20 + 170 * (number % 3)).collect();
    play.run_until(12 * MINUTE);
    assert_eq!(play.kinds(), [EventKind::Deleted; 3]);
    let groups: BTreeSet<_> = play.events.iter().map(|(_, _, _, group)| *group).collect();
    assert!(groups.len() == 1 && !groups.contains(&None), "{groups:?}");
}

#[test]
fn rule_3_6_tags_of_one_digest_share_a_group_though_they_are_confirmed_one_after_the_other() {
    let mut play = Play::over(&["1.0", "2.0", "other"]);
    // A registry takes the tags of a deleted digest away one by one, and a pass may come in between.
    play.delete("1.0");
    play.run_until(6 * MINUTE);
    play.delete("2.0");
    play.run_until(30 * MINUTE);
    assert_eq!(play.kinds(), [EventKind::Deleted, EventKind::Deleted]);
    assert!(play.events[0].0 + MINUTE < play.events[1].0, "confirmed by different listings");
    assert!(play.events[0].3.is_some());
    assert_eq!(play.events[0].3, play.events[1].3);
    // A later deletion of the same bytes under another name is another act.
    play.push("3.0", 'A');
    play.run_until(60 * MINUTE);
    play.delete("3.0");
    play.run_until(90 * MINUTE);
    assert_eq!(play.kinds()[3..], [EventKind::Deleted]);
    assert_ne!(play.events[3].3, play.events[0].3);
}

#[test]
fn rule_3_6_moves_are_never_held_only_grouped() {
    let all: Vec<String> = (0..40).map(|number| format!("1.{number:02}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut play = Play::over(&all);
    for name in &all {
        play.push(name, 'B');
    }
    play.forget();
    play.run_until(5 * MINUTE);
    assert_eq!(play.kinds(), [EventKind::Moved; 40]);
    let groups: BTreeSet<_> = play.events.iter().map(|(_, _, _, group)| *group).collect();
    assert!(groups.len() == 1 && !groups.contains(&None));
    // Each was handed over when its own bytes were read.
    let instants: BTreeSet<_> = play.events.iter().map(|(received, ..)| *received).collect();
    assert_eq!(instants.len(), 40);
    assert!(play.asked.iter().any(|(_, request)| request.kind == RequestKind::Listing));
}
