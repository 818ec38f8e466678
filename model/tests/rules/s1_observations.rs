use tagwarden_model::observation::{Method, Observation, Seen, Unknown};
use tagwarden_model::record::{Ask, Pending, RequestKind, Sighting};
use tagwarden_model::tag::{Mark, TagState};

use crate::script::*;

#[test]
fn rule_1_1_the_state_is_what_the_host_served() {
    let mut desk = Desk::new();
    let outcome = desk.saw(MINUTE, bytes('B'));
    assert_eq!(outcome.known.record.state, present('B'));
    assert_eq!(said(&outcome.happened[0]), moved('A', 'B'));
    assert!(outcome.happened[0].verified);
}

#[test]
fn rule_1_2_a_304_is_present_in_the_claimed_state() {
    let mut desk = Desk::new();
    let outcome = desk.saw(MINUTE, Seen::NotModified);
    assert_eq!((outcome.sighting, outcome.ask, outcome.write), (Sighting::Recorded, None, false));
    assert!(outcome.happened.is_empty());
}

#[test]
fn rule_1_2_a_200_with_the_claimed_digest_is_present() {
    let outcome = Desk::new().saw(MINUTE, claim('A'));
    assert_eq!((outcome.sighting, outcome.ask, outcome.write), (Sighting::Recorded, None, false));
}

#[test]
fn rule_1_2_a_200_without_a_digest_says_nothing_until_the_bytes_are_read() {
    let outcome = Desk::new().saw(MINUTE, Seen::Claim(None));
    assert_eq!((outcome.sighting, outcome.ask), (Sighting::Unseen(Unknown::Pending), Some(Ask::Get)));
    assert!(outcome.happened.is_empty());
}

#[test]
fn rule_1_2_a_304_to_a_tag_without_a_claim_says_nothing_until_the_bytes_are_read() {
    let mut desk = Desk::new();
    desk.record("1.0").claimed = None;
    let outcome = desk.saw(MINUTE, Seen::NotModified);
    assert_eq!((outcome.sighting, outcome.ask), (Sighting::Unseen(Unknown::Pending), Some(Ask::Get)));
}

#[test]
fn rule_1_2_404s_without_a_listing_are_not_absent() {
    let mut desk = Desk::new();
    for round in 1..50 {
        let outcome = desk.gone(round * HOUR);
        assert_eq!((outcome.ask, outcome.write), (Some(Ask::Listing), false));
        assert_eq!(outcome.sighting, Sighting::Unseen(Unknown::Pending));
        assert!(outcome.happened.is_empty());
    }
    assert_eq!(desk.known("1.0").record.state, present('A'));
}

#[test]
fn rule_1_2_a_listing_sent_before_the_404_was_received_is_no_witness() {
    let mut desk = Desk::new();
    desk.put("other", 'A');
    for round in [MINUTE, HOUR] {
        desk.gone(round);
        let outcome = desk.list(round + LATENCY - 1, names(&["other"]));
        assert!(outcome.happened.is_empty());
    }
    let Some(Pending::Absent(absence)) = desk.known("1.0").pending.as_deref() else { panic!("not pending") };
    assert_eq!(absence.first, None, "no round is complete");
    // One sent after it is.
    desk.list(HOUR + LATENCY, names(&["other"]));
    let Some(Pending::Absent(absence)) = desk.known("1.0").pending.as_deref() else { panic!("not pending") };
    assert!(absence.first.is_some());
}

#[test]
fn rule_1_2_a_404_outside_a_pass_asks_for_a_listing() {
    let mut play = Play::over(&["1.0", "other"]);
    play.forget();
    play.delete("1.0");
    play.check("1.0");
    play.settle();
    let kinds: Vec<_> = play.asked.iter().map(|(_, request)| (request.kind.clone(), request.sweep)).collect();
    let head = RequestKind::Head(tag("1.0"), Some(digest('A')));
    assert_eq!(kinds, [(head, None), (RequestKind::Listing, None)]);
    assert!(play.events.is_empty());
}

#[test]
fn rule_1_2_an_incomplete_listing_is_no_witness() {
    let mut play = Play::over(&["1.0", "other"]);
    play.delete("1.0");
    play.lists = Lists::Fails(Unknown::Unintelligible);
    play.run_for(6 * HOUR);
    assert!(play.events.is_empty());
    assert_eq!(*play.state("1.0"), present('A'));
}

#[test]
fn rule_1_2_unknown_never_writes() {
    for reason in Unknown::ALL {
        for method in [Method::Head, Method::Get] {
            let mut desk = Desk::new();
            let before = desk.known("1.0").clone();
            for round in 1..20 {
                let outcome = desk.saw(round * HOUR, Seen::Unknown(method, *reason));
                assert_eq!(outcome.sighting, Sighting::Unseen(*reason));
                assert!(outcome.happened.is_empty() && !outcome.write);
            }
            assert_eq!(*desk.known("1.0"), before);
        }
    }
}

#[test]
fn rule_1_2_nothing_is_written_while_the_registry_is_down() {
    let mut play = Play::over(&["1.0", "2.0"]);
    play.forget();
    play.lists = Lists::Fails(Unknown::Unreachable);
    (play.heads, play.gets) = (Some(Unknown::Unreachable), Some(Unknown::Unreachable));
    play.run_for(3 * DAY);
    assert!(!play.passes.is_empty());
    assert!(play.events.is_empty() && play.rows.is_empty() && play.repository_events.is_empty());
}

#[test]
fn rule_1_3_an_answer_sent_before_the_last_applied_one_was_received_is_discarded() {
    let mut desk = Desk::new();
    desk.saw(MINUTE, bytes('B'));
    let outcome = desk.saw(MINUTE + LATENCY - 1, bytes('A'));
    assert_eq!(outcome.sighting, Sighting::Unseen(Unknown::Discarded));
    assert!(outcome.happened.is_empty() && !outcome.write);
    assert_eq!(outcome.known.record.state, present('B'));
    // Due once more, a second later.
    assert_eq!(outcome.ask, Some(again(MINUTE + LATENCY - 1 + LATENCY + SECOND, Method::Head)));
}

#[test]
fn rule_1_3_an_answer_sent_when_the_last_applied_one_was_received_counts() {
    let mut desk = Desk::new();
    desk.saw(MINUTE, bytes('B'));
    let outcome = desk.saw(MINUTE + LATENCY, bytes('C'));
    assert_eq!(said(&outcome.happened[0]), moved('B', 'C'));
}

#[test]
fn rule_1_3_a_404_that_was_overtaken_raises_no_doubt() {
    let mut desk = Desk::new();
    desk.saw(MINUTE, claim('A'));
    let outcome = desk.gone(MINUTE + LATENCY / 2);
    assert_eq!(outcome.sighting, Sighting::Unseen(Unknown::Discarded));
    assert_eq!(outcome.known.pending, None);
}

#[test]
fn rule_1_3_unknown_is_never_applied() {
    let mut desk = Desk::new();
    desk.saw(MINUTE, Seen::Unknown(Method::Head, Unknown::ServerError));
    let outcome = desk.saw(MINUTE + 1, bytes('B'));
    assert_eq!(said(&outcome.happened[0]), moved('A', 'B'));
}

#[test]
fn rule_1_3_every_answered_check_is_applied() {
    for seen in [claim('A'), claim('B'), bytes('A'), bytes('B'), Seen::NotFound(Method::Head), Seen::NotModified] {
        let mut desk = Desk::new();
        desk.saw(MINUTE, seen.clone());
        assert_eq!(desk.known("1.0").applied, Some(at(MINUTE + LATENCY).mono), "{seen:?}");
    }
}

#[test]
fn rule_1_3_the_order_is_the_monotonic_clocks_whatever_the_wall_says() {
    let mut desk = Desk::new();
    desk.saw(HOUR, bytes('B'));
    // The wall clock was set back by a day; the answer is newer all the same.
    let back = |ms: i64| {
        let mut moment = at(ms);
        moment.mark = Mark { generation: 1, ..mark(ms - DAY) };
        moment
    };
    let observation = Observation { sent: back(2 * HOUR), received: back(2 * HOUR + LATENCY), seen: bytes('C') };
    let outcome = desk.observe("1.0", &observation);
    assert_eq!(said(&outcome.happened[0]), moved('B', 'C'));
}

#[test]
fn rule_1_3_a_discarded_answer_makes_the_tag_due_a_second_later() {
    let mut play = Play::over(&["1.0"]);
    play.check("1.0");
    let slow = play.send().unwrap();
    let sent = play.now;
    // Meanwhile a pass sees the tag.
    play.watch.check(&[], at(play.now).mono);
    play.now += 1;
    play.settle();
    play.now += LATENCY;
    let received = play.now;
    play.forget();
    play.answer(&slow, sent);
    play.run_until(received + SECOND);
    assert_eq!(play.asked_of("1.0"), []);
    play.run_for(SECOND);
    assert_eq!(play.asked_of("1.0"), [(received + SECOND, Method::Head)]);
}

#[test]
fn rule_1_3_one_check_is_in_flight_and_more_ask_once_more() {
    let mut play = Play::over(&["1.0"]);
    play.check("1.0");
    let first = play.send().unwrap();
    let sent = play.now;
    for _ in 0..5 {
        play.check("1.0");
        assert_eq!(play.send(), None, "one is in flight");
    }
    play.forget();
    play.now += LATENCY;
    play.answer(&first, sent);
    let received = play.now;
    play.run_for(3 * MINUTE);
    assert_eq!(play.asked_of("1.0"), [(received + SECOND, Method::Head)], "once more, not before a second later");
}

#[test]
fn rule_1_3_a_check_asked_for_in_flight_is_done_when_it_was_asked_once_more() {
    let mut play = Play::over(&["1.0"]);
    play.check("1.0");
    let first = play.send().unwrap();
    let sent = play.now;
    play.now += LATENCY / 2;
    let asked_at = at(play.now).mono;
    play.check("1.0");
    play.now += LATENCY;
    play.answer(&first, sent);
    assert!(!play.watch.checked(&tags(&["1.0"]), asked_at), "that answer was asked for before");
    play.run_for(2 * SECOND);
    assert!(play.watch.checked(&tags(&["1.0"]), asked_at));
}

#[test]
fn rule_1_3_a_tag_that_was_never_read_has_no_state_to_lose() {
    let mut play = Play::new();
    play.dangling.insert(tag("1.0"));
    play.run_for(2 * DAY);
    assert_eq!(*play.state("1.0"), TagState::Unread);
    assert!(play.events.is_empty());
}
