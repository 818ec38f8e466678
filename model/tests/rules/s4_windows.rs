use std::collections::BTreeSet;

use tagwarden_model::event::EventKind;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::observation::{Method, Seen, Unknown};
use tagwarden_model::record::sighting::{self, Pass};
use tagwarden_model::record::window::{Clocks, Interval, Window};
use tagwarden_model::record::{Plan, RequestKind, Tag, band};
use tagwarden_model::tag::{Band, Class, Mark, TagRecord};

use crate::script::*;

fn pass(started: i64) -> Pass {
    Pass { band: Band::Hot, started: mark(started), complete: true, proof: false, exceptions: BTreeSet::new() }
}

fn naming(started: i64, name: &str) -> Pass {
    Pass { exceptions: tags(&[name]).into_iter().collect(), ..pass(started) }
}

fn record() -> TagRecord {
    read_at_zero('A', Band::Hot, Class::Rolling).known.record
}

fn seen(record: &TagRecord, passes: &[Pass]) -> Option<Mark> {
    sighting::last_seen(&tag("1.0"), record, passes)
}

#[test]
fn rule_4_1_the_window_is_from_the_last_sighting_sent_to_the_proof_received() {
    let mut desk = Desk::new();
    desk.passes = vec![pass(MINUTE), pass(6 * MINUTE)];
    desk.saw(11 * MINUTE, claim('B'));
    let outcome = desk.saw(11 * MINUTE + SECOND, bytes('B'));
    let happened = &outcome.happened[0];
    assert_eq!(happened.not_before, Some(mark(6 * MINUTE)));
    assert_eq!(happened.not_after, mark(11 * MINUTE + SECOND + LATENCY));
    // The new state was seen when its proof was sent.
    assert_eq!(outcome.known.record.floor, Some(mark(11 * MINUTE + SECOND)));
    assert_eq!(outcome.known.record.proof_floor, Some(mark(11 * MINUTE + SECOND)));
}

#[test]
fn rule_4_1_a_deletion_ends_with_the_confirming_404() {
    let mut desk = Desk::new();
    desk.put("other", 'A');
    desk.passes = vec![pass(MINUTE)];
    desk.round(10 * MINUTE, &["other"]);
    let outcome = desk.round(20 * MINUTE, &["other"]);
    let happened = &outcome.happened[0].1;
    assert_eq!(happened.not_before, Some(mark(MINUTE)));
    assert_eq!(happened.not_after, mark(20 * MINUTE + LATENCY), "not the listing after it");
}

#[test]
fn rule_4_1_not_before_is_fixed_when_the_tag_becomes_pending() {
    let later = [pass(MINUTE), pass(15 * MINUTE)];
    // A deletion.
    let mut desk = Desk::new();
    desk.put("other", 'A');
    desk.passes = vec![pass(MINUTE)];
    desk.round(10 * MINUTE, &["other"]);
    desk.passes = later.to_vec();
    assert_eq!(desk.round(20 * MINUTE, &["other"]).happened[0].1.not_before, Some(mark(MINUTE)));
    // A claim.
    let mut desk = Desk::new();
    desk.passes = vec![pass(MINUTE)];
    desk.saw(10 * MINUTE, claim('B'));
    desk.passes = later.to_vec();
    assert_eq!(desk.saw(20 * MINUTE, bytes('B')).happened[0].not_before, Some(mark(MINUTE)));
    // Bytes that wait; and a doubt that turns into another.
    let mut desk = Desk::new();
    desk.passes = vec![pass(MINUTE)];
    desk.related = true;
    desk.saw(10 * MINUTE, bytes('B'));
    desk.passes = later.to_vec();
    desk.gone(16 * MINUTE);
    desk.saw(17 * MINUTE, bytes('B'));
    assert_eq!(desk.saw(30 * MINUTE, bytes('B')).happened[0].not_before, Some(mark(MINUTE)));
}

#[test]
fn rule_4_1_after_a_doubt_that_ended_the_next_one_has_its_own_not_before() {
    let mut desk = Desk::new();
    desk.passes = vec![pass(MINUTE)];
    desk.saw(10 * MINUTE, claim('B'));
    desk.saw(11 * MINUTE, claim('A'));
    desk.passes.push(pass(15 * MINUTE));
    desk.saw(20 * MINUTE, claim('B'));
    assert_eq!(desk.saw(21 * MINUTE, bytes('B')).happened[0].not_before, Some(mark(15 * MINUTE)));
}

#[test]
fn rule_4_1_a_window_never_ends_before_it_begins() {
    let window = Clocks::default().window(Some(mark(HOUR)), mark(MINUTE));
    assert_eq!((window.not_before, window.not_after), (Some(mark(MINUTE).wall), mark(MINUTE).wall));
    let mut clocks = Clocks::default();
    clocks.anchor(0, Instant(0));
    clocks.anchor(1, Instant(DAY));
    let window = clocks.window(Some(mark(HOUR)), Mark { generation: 1, ..mark(MINUTE) });
    assert_eq!((window.not_before, window.not_after), (Some(mark(MINUTE).wall), mark(MINUTE).wall));
}

#[test]
fn rule_4_1_every_window_of_the_whole_watch_encloses_the_push() {
    let mut play = Play::over(&["1.0", "2.0"]);
    for (round, content) in ['B', 'C', 'D', 'E', 'F'].into_iter().enumerate() {
        play.run_for(37 * MINUTE + SECOND * i64::try_from(round).unwrap());
        let pushed = play.now;
        play.push("1.0", content);
        play.run_for(10 * MINUTE);
        let (_, _, happened, _) = play.events.last().unwrap();
        assert!(happened.not_before.unwrap() <= mark(pushed) && mark(pushed) <= happened.not_after);
        let width = happened.not_after.wall - happened.not_before.unwrap().wall;
        assert!(width <= Plan::default().promised(Band::Hot), "{width:?}");
    }
    assert_eq!(play.events.len(), 5);
}

#[test]
fn rule_4_2_a_pass_of_5000_unchanged_tags_writes_one_row() {
    let known = (0..5000).map(|number| (tag(&format!("1.{number}")), read_at_zero('A', Band::Hot, Class::Rolling)));
    let mut play = Play::with(Plan { pass_limit: Millis::hours(1), ..Plan::default() }, known.collect());
    play.latencies = vec![1; 6000];
    play.settle();
    assert_eq!(play.passes.len(), 1);
    assert!(play.rows.is_empty() && play.events.is_empty());
    let finished = &play.passes[0];
    assert_eq!((finished.asked, finished.seen, finished.pass.complete), (5000, 5000, true));
    assert_eq!(finished.listed, Some((mark(0), 5000)));
    assert_eq!((finished.pass.started, finished.finished), (mark(0), mark(play.now).wall));
    assert!(finished.unseen.is_empty() && finished.reason.is_none());
}

#[test]
fn rule_4_2_a_failing_pass_writes_one_row_too() {
    let known = (0..500).map(|number| (tag(&format!("1.{number}")), read_at_zero('A', Band::Hot, Class::Rolling)));
    let mut play = Play::with(Plan::default(), known.collect());
    play.lists = Lists::Fails(Unknown::Unreachable);
    play.settle();
    assert_eq!(play.asked.len(), 1, "where the registry does not answer its tags are not asked");
    assert_eq!(play.passes.len(), 1);
    assert!(play.rows.is_empty());
    let finished = &play.passes[0];
    assert_eq!((finished.asked, finished.seen), (500, 0));
    assert_eq!(finished.unseen, [(Unknown::Unreachable, 500)].into_iter().collect());
    assert!(!finished.pass.complete && finished.pass.exceptions.len() <= 100 && finished.reason.is_some());
}

#[test]
fn rule_4_2_every_tag_not_observed_in_its_recorded_state_is_an_exception() {
    let cases = [
        (claim('B'), Unknown::Budget),
        (Seen::NotFound(Method::Head), Unknown::Pending),
        (Seen::Claim(None), Unknown::Budget),
        (Seen::Unknown(Method::Head, Unknown::ServerError), Unknown::ServerError),
        (Seen::Unknown(Method::Head, Unknown::Unintelligible), Unknown::Unintelligible),
        (Seen::Unknown(Method::Head, Unknown::Refused), Unknown::Refused),
    ];
    for (seen, reason) in cases {
        let mut play = Play::over(&["1.0", "2.0"]);
        play.forget();
        play.failing.insert(tag("1.0"), seen.clone());
        // The bytes cannot be had, so that a claim stays a claim.
        play.gets = Some(Unknown::Budget);
        play.run_until(5 * MINUTE);
        let finished = &play.passes[0];
        assert_eq!(finished.pass.exceptions, tags(&["1.0"]).into_iter().collect(), "{seen:?}");
        assert_eq!(finished.unseen, [(reason, 1)].into_iter().collect(), "{seen:?}");
        assert_eq!((finished.asked, finished.seen), (2, 1));
    }
}

#[test]
fn rule_4_2_discarded_and_hidden_tags_are_exceptions() {
    // Discarded: a check overtakes the pass.
    let mut play = Play::over(&["1.0"]);
    play.watch.check(&[], at(play.now).mono);
    play.step();
    play.forget();
    let head = play.send().unwrap();
    assert!(head.sweep.is_some());
    let sent = play.now;
    play.now += 1;
    play.check("1.0");
    play.step();
    play.answer(&head, sent);
    assert_eq!(play.passes[0].unseen, [(Unknown::Discarded, 1)].into_iter().collect());
    assert_eq!(play.passes[0].pass.exceptions, tags(&["1.0"]).into_iter().collect());
    // Hidden.
    let mut play = Play::over(&["1.0", "2.0"]);
    play.forget();
    play.lists = Lists::Missing;
    play.delete("1.0");
    play.run_until(5 * MINUTE);
    assert_eq!(play.passes[0].unseen, [(Unknown::Hidden, 1)].into_iter().collect());
    assert_eq!(play.passes[0].pass.exceptions, tags(&["1.0"]).into_iter().collect());
}

#[test]
fn rule_4_2_a_tag_seen_with_new_bytes_in_the_pass_is_no_exception() {
    let mut play = Play::over(&["1.0"]);
    play.forget();
    play.push("1.0", 'B');
    play.run_until(5 * MINUTE);
    assert!(play.passes[0].pass.exceptions.is_empty() && play.passes[0].pass.complete);
}

#[test]
fn rule_4_2_tags_that_could_never_be_read_are_counted_with_the_commonest_reason() {
    let mut play = Play::new();
    let fails = |reason| Seen::Unknown(Method::Get, reason);
    for (name, failure) in [
        ("1.0", None),
        ("1.1", Some(fails(Unknown::Unintelligible))),
        ("1.2", Some(fails(Unknown::ServerError))),
        ("1.3", Some(fails(Unknown::Unintelligible))),
        // A tag link whose manifest was collected before anybody read it.
        ("1.4", Some(Seen::NotFound(Method::Get))),
    ] {
        play.push(name, 'A');
        play.failing.extend(failure.map(|failure| (tag(name), failure)));
    }
    let newest = |play: &Play| {
        let unread = play.passes.last().unwrap().unread.clone();
        unread.map(|unread| (unread.count, unread.reason))
    };
    play.run_until(MINUTE);
    assert_eq!(newest(&play), Some((4, "unintelligible".to_owned())));
    // What is not listed any more is no matter, and what was read once fails as any other tag.
    play.delete("1.1");
    play.failing.insert(tag("1.0"), fails(Unknown::ServerError));
    play.run_for(10 * MINUTE);
    assert_eq!(newest(&play).map(|(count, _)| count), Some(3));
    play.delete("1.3");
    play.failing.remove(&tag("1.2"));
    play.run_for(10 * MINUTE);
    assert_eq!(newest(&play), Some((1, "it is listed, but the registry has no manifest for it (404)".to_owned())));
    // While the repository is hidden a 404 says nothing.
    play.push("1.5", 'A');
    play.failing.insert(tag("1.5"), fails(Unknown::ServerError));
    play.run_for(10 * MINUTE);
    play.lists = Lists::Missing;
    play.failing.insert(tag("1.5"), Seen::NotFound(Method::Get));
    play.run_for(10 * MINUTE);
    assert_eq!(newest(&play).map(|(count, _)| count), Some(2));
    play.lists = Lists::Tags;
    play.failing.clear();
    play.run_for(10 * MINUTE);
    assert_eq!(newest(&play), None);
    assert_eq!(play.kinds(), [EventKind::Created; 4]);
}

#[test]
fn rule_4_2_ignored_tags_that_cannot_be_read_are_not_counted() {
    let mut play = Play::new();
    play.class = Class::Ignored;
    play.push("sha256-0", 'A');
    play.gets = Some(Unknown::Unintelligible);
    play.run_until(MINUTE);
    assert_eq!((play.passes[0].unread.clone(), play.passes[0].asked), (None, 1));
}

#[test]
fn rule_4_2_at_most_100_exceptions_are_named_and_more_make_the_pass_incomplete() {
    for (failing, complete) in [(100, true), (101, false)] {
        let name = |number: i64| format!("1.{number:03}");
        let known = (0..150).map(|number| (tag(&name(number)), read_at_zero('A', Band::Hot, Class::Rolling)));
        let mut play = Play::with(Plan::default(), known.collect());
        // Between any two that fail one answers, so that the pass goes on; the rest does not answer with its digest.
        for number in 0..failing {
            play.failing.insert(tag(&name(number)), Seen::Claim(None));
        }
        play.gets = Some(Unknown::ServerError);
        play.failing.values_mut().for_each(|seen| *seen = Seen::NotFound(Method::Head));
        play.settle();
        let finished = &play.passes[0];
        assert_eq!((finished.asked, finished.seen), (150, 150 - failing as u64));
        assert_eq!((finished.pass.complete, finished.pass.exceptions.len()), (complete, 100), "{failing}");
    }
}

#[test]
fn rule_4_2_a_pass_cut_by_its_time_names_the_tags_it_did_not_reach_and_the_next_goes_on_there() {
    let name = |number: i64| format!("1.{number}");
    let known = (0..10).map(|number| (tag(&name(number)), read_at_zero('A', Band::Hot, Class::Rolling)));
    let mut play = Play::with(Plan { pass_limit: Millis::minutes(1), ..Plan::default() }, known.collect());
    play.latencies = vec![10 * SECOND; 40];
    play.run_until(4 * MINUTE);
    assert_eq!(play.passes.len(), 1);
    let finished = &play.passes[0];
    let rest: BTreeSet<_> = (5..10).map(|number| tag(&name(number))).collect();
    assert_eq!(finished.pass.exceptions, rest);
    assert!(finished.pass.complete);
    assert_eq!(finished.unseen, [(Unknown::NotAsked, 5)].into_iter().collect());
    assert!(finished.reason.is_some(), "the band is late");
    play.forget();
    play.run_until(5 * MINUTE + SECOND);
    let first = play.asked.iter().find_map(|(_, request)| request.tag().cloned());
    assert_eq!(first, Some(tag("1.5")));
}

#[test]
fn rule_4_2_a_pass_whose_listing_never_came_is_incomplete() {
    let mut play = Play::over(&["1.0"]);
    play.run_until(4 * MINUTE);
    play.forget();
    play.now = 5 * MINUTE;
    let listing = play.send().unwrap();
    assert_eq!(listing.kind, RequestKind::Listing);
    let sent = play.now;
    play.now += 2 * MINUTE;
    play.lists = Lists::Fails(Unknown::Unreachable);
    play.answer(&listing, sent);
    assert_eq!(play.passes.len(), 1);
    assert_eq!((play.passes[0].asked, play.passes[0].seen), (1, 0));
    assert_eq!(play.passes[0].pass.exceptions, tags(&["1.0"]).into_iter().collect());
}

#[test]
fn rule_4_2_the_last_sighting_is_the_newest_complete_pass_that_does_not_name_the_tag() {
    let record = record();
    assert_eq!(seen(&record, &[]), Some(mark(0)), "the floor");
    assert_eq!(seen(&record, &[pass(MINUTE), pass(3 * MINUTE), pass(2 * MINUTE)]), Some(mark(3 * MINUTE)));
    assert_eq!(seen(&record, &[pass(MINUTE), naming(2 * MINUTE, "1.0")]), Some(mark(MINUTE)));
    assert_eq!(seen(&record, &[pass(MINUTE), naming(2 * MINUTE, "2.0")]), Some(mark(2 * MINUTE)));
    let incomplete = Pass { complete: false, ..pass(2 * MINUTE) };
    assert_eq!(seen(&record, &[pass(MINUTE), incomplete]), Some(mark(MINUTE)));
    let other_band = Pass { band: Band::Warm, ..pass(2 * MINUTE) };
    assert_eq!(seen(&record, &[pass(MINUTE), other_band]), Some(mark(MINUTE)));
    assert_eq!(seen(&record, &[pass(-MINUTE)]), Some(mark(0)), "the floor is later");
}

#[test]
fn rule_4_2_a_pass_that_began_before_the_tag_joined_the_band_says_nothing_of_it() {
    let mut record = record();
    record.band_since = Some(mark(2 * MINUTE));
    assert_eq!(seen(&record, &[pass(2 * MINUTE - 1)]), Some(mark(0)));
    assert_eq!(seen(&record, &[pass(2 * MINUTE)]), Some(mark(2 * MINUTE)));
}

#[test]
fn rule_4_2_proofs_are_counted_apart() {
    let proof = Pass { proof: true, ..pass(MINUTE) };
    let last = |passes: &[Pass]| sighting::last_proof(&tag("1.0"), &record(), passes);
    assert_eq!(last(&[proof.clone(), pass(2 * MINUTE)]), Some(mark(MINUTE)));
    assert_eq!(last(&[pass(2 * MINUTE)]), Some(mark(0)));
    assert_eq!(last(&[Pass { proof: true, ..naming(2 * MINUTE, "1.0") }, proof]), Some(mark(MINUTE)));
}

#[test]
fn rule_4_2_the_floor_is_written_only_with_the_row() {
    let mut play = Play::over(&["1.0"]);
    play.forget();
    play.run_for(2 * HOUR);
    assert_eq!(play.known("1.0").record.floor, Some(mark(0)));
    assert!(play.rows.is_empty());
    play.push("1.0", 'B');
    play.run_for(10 * MINUTE);
    let proven = play.asked_of("1.0").iter().find(|(_, method)| *method == Method::Get).unwrap().0;
    assert_eq!(play.known("1.0").record.floor, Some(mark(proven)));
}

#[test]
fn rule_4_2_passes_that_are_dropped_were_no_tags_last_sighting() {
    let all = ["1.0", "2.0", "3.0"];
    let mut passes = vec![
        pass(MINUTE),
        Pass { proof: true, ..pass(2 * MINUTE) },
        naming(3 * MINUTE, "1.0"),
        Pass { complete: false, ..pass(4 * MINUTE) },
        Pass { proof: true, ..naming(5 * MINUTE, "2.0") },
        Pass { exceptions: tags(&["1.0", "2.0"]).into_iter().collect(), ..pass(6 * MINUTE) },
        Pass { band: Band::Cold, ..pass(-HOUR) },
    ];
    let last = |passes: &[Pass]| {
        let of = |name: &&str| {
            let mut record = record();
            (record.floor, record.proof_floor) = (None, None);
            let hot =
                (sighting::last_seen(&tag(name), &record, passes), sighting::last_proof(&tag(name), &record, passes));
            record.band = Band::Cold;
            (hot, sighting::last_seen(&tag(name), &record, passes))
        };
        all.iter().map(of).collect::<Vec<_>>()
    };
    let before = last(&passes);
    sighting::prune(&mut passes, 64);
    assert_eq!(last(&passes), before);
    assert!(passes.iter().all(|pass| pass.started != mark(MINUTE)), "a clean pass makes older ones needless");
    // Beyond the limit the oldest go: windows become wider, never narrower.
    sighting::prune(&mut passes, 2);
    assert_eq!(passes.len(), 2);
    assert!(last(&passes).iter().zip(&before).all(|(now, then)| now.0.0 <= then.0.0 && now.0.1 <= then.0.1));
}

fn released(days: i64, band: Band) -> Tag {
    let mut tag = read_at_zero('A', band, Class::Release);
    tag.first_seen = Some(mark(-days * DAY).wall);
    tag.baseline = false;
    tag
}

#[test]
fn rule_4_2_the_band_follows_class_and_age() {
    let now = mark(0).wall;
    let of = |class, age: i64, baseline, flagged| band::belongs(class, Some(now - Millis(age)), baseline, flagged, now);
    assert_eq!(of(Class::Rolling, 900 * DAY, false, false), Band::Hot);
    assert_eq!(of(Class::Release, 7 * DAY - 1, false, false), Band::Hot);
    assert_eq!(of(Class::Release, 7 * DAY, false, false), Band::Warm);
    assert_eq!(of(Class::Release, 90 * DAY - 1, false, false), Band::Warm);
    assert_eq!(of(Class::Release, 90 * DAY, false, false), Band::Cold);
    assert_eq!(of(Class::Release, 900 * DAY, false, true), Band::Pinned, "flagged");
    assert_eq!(of(Class::Rolling, 0, false, true), Band::Pinned);
    assert_eq!(of(Class::Release, 0, true, false), Band::Warm, "nobody knows the age of a baseline tag");
    let defaults = Band::ALL.iter().map(|band| band.default_interval()).collect::<Vec<_>>();
    assert_eq!(defaults, [Millis::minutes(5), Millis::hours(1), Millis::hours(24), Millis::minutes(5)]);
}

#[test]
fn rule_4_3_a_slower_band_waits_for_a_pass_of_the_old_one_that_saw_the_tag() {
    let mut play = Play::with(Plan::default(), [(tag("1.0"), released(6, Band::Hot))].into_iter().collect());
    play.settle();
    play.run_until(DAY - 10 * MINUTE);
    assert_eq!(play.known("1.0").record.band, Band::Hot);
    // A week old, but no pass sees it.
    play.failing.insert(tag("1.0"), Seen::Unknown(Method::Head, Unknown::ServerError));
    play.run_until(DAY + HOUR);
    assert_eq!(play.known("1.0").record.band, Band::Hot);
    play.failing.clear();
    play.forget();
    play.run_until(DAY + HOUR + 5 * MINUTE);
    let record = &play.known("1.0").record;
    assert_eq!(record.band, Band::Warm);
    // Its last sighting goes along: the start of that very pass; its passes count from now on.
    let finished = &play.passes[0];
    assert_eq!(record.floor, Some(finished.pass.started));
    assert_eq!(record.band_since.unwrap().wall, finished.finished);
    assert_eq!(play.rows, tags(&["1.0"]));
}

#[test]
fn rule_4_3_a_sighting_outside_the_pass_moves_no_tag_to_a_slower_band() {
    let mut play = Play::with(Plan::default(), [(tag("1.0"), released(6, Band::Hot))].into_iter().collect());
    play.settle();
    play.run_until(DAY - 10 * MINUTE);
    play.lists = Lists::Fails(Unknown::ServerError);
    play.run_until(DAY + HOUR);
    play.check("1.0");
    play.step();
    assert_eq!(play.known("1.0").record.band, Band::Hot);
}

#[test]
fn rule_4_3_equal_pace_waits_like_a_slower_one() {
    let mut play = Play::over(&["1.0", "2.0"]);
    play.flagged.insert(tag("1.0"));
    play.push("1.0", 'B');
    play.now = 5 * MINUTE;
    for _ in 0..3 {
        play.step();
    }
    assert_eq!(play.events.len(), 1);
    assert_eq!(play.known("1.0").record.band, Band::Hot, "the pass is not over");
    play.settle();
    assert_eq!(play.known("1.0").record.band, Band::Pinned);
}

#[test]
fn rule_4_3_a_faster_band_is_joined_at_once_and_the_tag_is_due_at_once() {
    let mut known = ["1.0", "2.0"].map(|name| (tag(name), released(200, Band::Cold)));
    known[0].1.known.record.floor = Some(mark(-HOUR));
    let mut play = Play::with(Plan::default(), known.into_iter().collect());
    play.settle();
    let cold = play.passes.iter().find(|finished| finished.pass.band == Band::Cold).unwrap().pass.started;
    play.now = HOUR;
    play.forget();
    play.flagged.insert(tag("1.0"));
    play.watch.written(&tag("1.0"), 1, true, at(play.now));
    let record = &play.known("1.0").record;
    assert_eq!((record.band, record.band_since), (Band::Pinned, Some(mark(HOUR))));
    assert_eq!(record.floor, Some(cold), "its last sighting goes along");
    assert!(play.watch.next_due() <= at(HOUR).mono);
    play.step();
    assert_eq!(play.asked_of("1.0"), [(HOUR, Method::Head)]);
    play.settle();
    assert!(play.rows.contains(&tag("1.0")));
    play.run_until(HOUR + 10 * MINUTE);
    assert!(play.asked_of("1.0").len() >= 3);
    assert_eq!(play.known("2.0").record.band, Band::Cold);
}

#[test]
fn rule_4_3_due_at_once_even_when_the_tag_was_due_later() {
    let known = [(tag("1.0"), released(200, Band::Cold))];
    let mut play = Play::with(Plan::default(), known.into_iter().collect());
    play.settle();
    play.now = HOUR;
    // A doubt: due again in half a minute.
    play.push("1.0", 'B');
    play.gets = Some(Unknown::Budget);
    play.check("1.0");
    play.settle();
    play.forget();
    play.now += SECOND;
    play.watch.written(&tag("1.0"), 1, true, at(play.now));
    let flagged = play.now;
    play.step();
    assert_eq!(play.asked_of("1.0"), [(flagged, Method::Head)]);
}

#[test]
fn rule_4_3_a_move_after_the_change_of_band_has_a_window_from_before_it() {
    let mut play = Play::with(Plan::default(), [(tag("1.0"), released(6, Band::Hot))].into_iter().collect());
    play.run_until(DAY + 6 * MINUTE);
    assert_eq!(play.known("1.0").record.band, Band::Warm);
    let floor = play.known("1.0").record.floor;
    let pushed = play.now;
    play.push("1.0", 'B');
    play.check("1.0");
    play.settle();
    let not_before = play.events[0].2.not_before;
    assert!(floor <= not_before && not_before <= Some(mark(pushed)), "{not_before:?}");
    assert!(floor.unwrap() >= mark(DAY - 5 * MINUTE), "the last sighting went along");
}

#[test]
fn rule_4_4_the_promise_is_the_interval_plus_the_limit_of_a_pass() {
    let default = Plan::default();
    for band in Band::ALL {
        assert_eq!(default.promised(*band), default.interval(*band) + default.limit(*band));
    }
    assert_eq!(default.promised(Band::Hot), Millis::minutes(6));
    let mut play = Play::over(&["1.0"]);
    assert_eq!(play.passes[0].promised, Millis::minutes(6));
    // And it is kept: no pass begins later than an interval after the one before.
    play.run_for(DAY);
    let started: Vec<i64> = play.passes.iter().map(|finished| finished.pass.started.wall.0).collect();
    assert!(started.windows(2).all(|two| two[1] - two[0] <= 5 * MINUTE), "late by our own dice");
    assert!(started.windows(2).all(|two| two[1] - two[0] >= 4 * MINUTE), "too eager");
}

#[test]
fn rule_4_4_being_late_has_its_reason() {
    let mut play = Play::over(&["1.0"]);
    assert_eq!(play.passes[0].reason, None);
    play.forget();
    play.lists = Lists::Fails(Unknown::ServerError);
    play.run_until(5 * MINUTE);
    assert_eq!(play.passes[0].reason.as_deref(), Some("server_error"));
    for (lists, words) in [(Lists::Missing, "404"), (Lists::Refused, "401 or 403")] {
        play.forget();
        play.lists = lists;
        play.run_for(5 * MINUTE);
        let reason = play.passes[0].reason.clone().unwrap();
        assert!(reason.contains(words), "{reason}");
    }
    // Doubts that wait for their confirmation are no reason.
    play.lists = Lists::Tags;
    play.run_for(10 * MINUTE);
    play.forget();
    play.delete("1.0");
    play.push("2.0", 'A');
    play.run_for(5 * MINUTE);
    assert_eq!(play.passes[0].reason, None);
}

#[test]
fn rule_4_5_what_somebody_else_says_only_makes_tags_due() {
    let mut play = Play::over(&["1.0", "2.0"]);
    play.now = MINUTE;
    play.forget();
    let (before, due) = (play.known("1.0").clone(), play.watch.next_due());
    assert!(due > at(MINUTE).mono);
    play.check("1.0");
    assert_eq!(*play.known("1.0"), before);
    assert!(play.watch.next_due() <= at(MINUTE).mono);
    play.step();
    assert_eq!(play.asked_of("1.0"), [(MINUTE, Method::Head)]);
    assert!(play.asked_of("2.0").is_empty() && play.passes.is_empty() && play.rows.is_empty());
}

/// A mark of a later clock generation.
fn later(generation: i64, ms: i64) -> Mark {
    Mark { generation, ..mark(ms) }
}

fn between(low: i64, high: i64) -> Interval {
    Interval { low: Millis(low), high: Millis(high) }
}

#[test]
fn rule_4_6_within_a_generation_nothing_is_widened() {
    let window = Clocks::default().window(Some(mark(MINUTE)), mark(HOUR));
    let (from, until) = (mark(MINUTE).wall, mark(HOUR).wall);
    assert_eq!(window, Window { not_before: Some(from), not_after: until, clock_changed: false });
}

#[test]
fn rule_4_6_across_generations_the_window_is_widened_by_the_difference_of_the_intervals() {
    let mut clocks = Clocks::default();
    // Our clock was 0 to 2 s ahead of the registry's; then 60 to 61 s.
    clocks.offset(0, between(0, 2 * SECOND));
    clocks.offset(1, between(60 * SECOND, 61 * SECOND));
    let window = clocks.window(Some(mark(MINUTE)), later(1, HOUR));
    // At least 58 s lie between the two clocks; the true instant is not before.
    let (from, until) = (mark(MINUTE + 58 * SECOND).wall, mark(HOUR).wall);
    assert_eq!(window, Window { not_before: Some(from), not_after: until, clock_changed: true });
    // And back: a clock that was set back by about a minute.
    let window = clocks.window(Some(later(1, HOUR)), later(0, 2 * HOUR));
    assert_eq!(window.not_before, Some(mark(HOUR - 61 * SECOND).wall));
}

#[test]
fn rule_4_6_in_a_process_the_step_is_exact() {
    let mut clocks = Clocks::default();
    clocks.offset(0, between(0, 2 * SECOND));
    clocks.offset(1, between(60 * SECOND, 61 * SECOND));
    clocks.anchor(0, Instant(1_000_000));
    clocks.anchor(1, Instant(1_000_000 + 59_500));
    let window = clocks.window(Some(mark(MINUTE)), later(1, HOUR));
    assert_eq!(window.not_before, Some(mark(MINUTE + 59_500).wall));
    assert!(window.clock_changed, "it says so all the same");
}

#[test]
fn rule_4_6_generations_that_stand_in_no_relation_bound_nothing() {
    let mut clocks = Clocks::default();
    clocks.offset(0, between(0, 2 * SECOND));
    let window = clocks.window(Some(mark(MINUTE)), later(1, HOUR));
    assert_eq!(window, Window { not_before: None, not_after: mark(HOUR).wall, clock_changed: true });
}

#[test]
fn rule_4_6_the_interval_holds_whatever_the_date_was_cut_to() {
    let date = Instant(1_700_000_000_000);
    let sent = Mark { generation: 0, wall: date + Millis(300) };
    let received = Mark { generation: 0, wall: date + Millis(700) };
    let mut clocks = Clocks::default();
    assert!(clocks.sample(sent, received, date));
    // `Date` is cut to seconds: the registry's clock stood anywhere in that second, at any time between the two.
    assert_eq!(clocks.of(0), Some(between(300 - 1000, 700)));
    // A second sample can only narrow it,
    assert!(clocks.sample(Mark { wall: date + Millis(950), ..sent }, Mark { wall: date + Millis(1050), ..sent }, date));
    assert_eq!(clocks.of(0), Some(between(-50, 700)));
    // unless the two contradict each other.
    assert!(clocks.sample(
        Mark { wall: date + Millis(90_000), ..sent },
        Mark { wall: date + Millis(90_100), ..sent },
        date
    ));
    assert_eq!(clocks.of(0), Some(between(-50, 90_100)));
    // A sample across a step says nothing.
    assert!(!clocks.sample(sent, Mark { generation: 1, ..received }, date));
    assert_eq!(clocks.of(1), None);
}

#[test]
fn rule_4_6_a_later_generation_is_later_whatever_its_wall_says() {
    let passes = [pass(HOUR), Pass { started: later(1, MINUTE), ..pass(0) }];
    assert_eq!(seen(&record(), &passes), Some(later(1, MINUTE)));
}

#[test]
fn rule_4_6_an_event_across_a_step_keeps_both_marks() {
    let mut desk = Desk::new();
    desk.passes = vec![pass(MINUTE)];
    let back = |ms: i64| {
        let mut moment = at(ms);
        moment.mark = later(1, ms - DAY);
        moment
    };
    let observation = tagwarden_model::observation::Observation {
        sent: back(HOUR),
        received: back(HOUR + LATENCY),
        seen: bytes('B'),
    };
    let outcome = desk.observe("1.0", &observation);
    assert_eq!(outcome.happened[0].kind, EventKind::Moved);
    assert_eq!(outcome.happened[0].not_before, Some(mark(MINUTE)));
    assert_eq!(outcome.happened[0].not_after, later(1, HOUR + LATENCY - DAY));
}
