use std::collections::BTreeMap;

use tagwarden_model::event::EventKind;
use tagwarden_model::instant::Millis;
use tagwarden_model::observation::{Bytes, Method, Seen, Unknown};
use tagwarden_model::record::sighting::Pass;
use tagwarden_model::record::{Ask, Pending, Plan, Repository, RequestKind, Sighting, Warning, Watch};
use tagwarden_model::tag::{Band, Class, MediaType, TagState};

use crate::script::*;

/// A desk whose tag `1.0` was seen by HEAD a minute after it was proven.
fn seen_at_a_minute() -> Desk {
    let mut desk = Desk::new();
    desk.passes.push(pass(MINUTE, false));
    desk
}

fn pass(started: i64, proof: bool) -> Pass {
    Pass { band: Band::Hot, started: mark(started), complete: true, proof, exceptions: std::iter::empty().collect() }
}

fn no_get(sent: i64, desk: &mut Desk) -> tagwarden_model::record::Outcome {
    desk.saw(sent, Seen::Unknown(Method::Get, Unknown::RateLimited))
}

/// A claim `X` that was written unproven over `A`.
fn unproven() -> Desk {
    let mut desk = seen_at_a_minute();
    desk.saw(2 * MINUTE, claim('X'));
    no_get(2 * MINUTE + SECOND, &mut desk);
    desk.saw(3 * MINUTE, claim('X'));
    assert_eq!(no_get(3 * MINUTE + SECOND, &mut desk).happened.len(), 1);
    desk
}

#[test]
fn rule_2_1_a_changed_claim_is_no_event_but_asks_for_the_bytes() {
    let outcome = Desk::new().saw(MINUTE, claim('B'));
    assert_eq!((outcome.ask, outcome.write), (Some(Ask::Get), false));
    assert_eq!(outcome.sighting, Sighting::Unseen(Unknown::Pending));
    assert!(outcome.happened.is_empty());
}

#[test]
fn rule_2_1_the_bytes_are_asked_for_by_tag() {
    let mut play = Play::over(&["1.0"]);
    play.forget();
    play.push("1.0", 'B');
    play.run_for(5 * MINUTE);
    let methods: Vec<Method> = play.asked_of("1.0").iter().map(|(_, method)| *method).collect();
    assert_eq!(methods, [Method::Head, Method::Get]);
    assert_eq!(play.said(), [moved('A', 'B')]);
}

#[test]
fn rule_2_1_other_bytes_are_a_proven_event() {
    let mut desk = Desk::new();
    desk.saw(MINUTE, claim('B'));
    let outcome = desk.saw(MINUTE + SECOND, bytes('B'));
    assert_eq!(said(&outcome.happened[0]), moved('A', 'B'));
    assert!(outcome.happened[0].verified && outcome.write);
    assert_eq!(outcome.known.record.claimed, Some(digest('B')));
    assert_eq!((outcome.sighting, outcome.ask), (Sighting::Recorded, None));
}

#[test]
fn rule_2_1_the_same_bytes_under_that_claim_store_the_claim() {
    let mut desk = Desk::new();
    desk.saw(MINUTE, Seen::Claim(Some(sha512('A'))));
    let outcome = desk.saw(MINUTE + SECOND, under_header('A', Some(sha512('A'))));
    assert!(outcome.happened.is_empty() && outcome.write);
    assert_eq!(outcome.known.record.claimed, Some(sha512('A')));
    assert_eq!((outcome.sighting, outcome.ask), (Sighting::Recorded, None));
}

#[test]
fn rule_2_1_the_same_bytes_under_another_claim_store_nothing_and_are_due_again() {
    let mut desk = Desk::new();
    desk.saw(MINUTE, claim('B'));
    let outcome = desk.saw(MINUTE + SECOND, bytes('A'));
    assert!(outcome.happened.is_empty() && !outcome.write);
    assert_eq!(outcome.known.record.claimed, Some(digest('A')));
    assert!(matches!(outcome.ask, Some(Ask::Again { .. })), "{:?}", outcome.ask);
    // The same when this GET's header is a third one.
    desk.saw(2 * MINUTE, claim('B'));
    let outcome = desk.saw(2 * MINUTE + SECOND, under_header('A', Some(sha512('A'))));
    assert!(!outcome.write);
    assert!(matches!(outcome.ask, Some(Ask::Again { .. })));
}

#[test]
fn rule_2_1_a_header_that_differs_from_its_content_is_warned_of_once() {
    let mut desk = Desk::new();
    desk.saw(MINUTE, claim('X'));
    let outcome = desk.saw(MINUTE + SECOND, under_header('A', Some(digest('X'))));
    assert_eq!(outcome.warning, Some(Warning::HeaderUntrusted));
    assert!(outcome.known.record.header_untrusted && outcome.write && outcome.happened.is_empty());
    let outcome = desk.saw(2 * MINUTE, under_header('A', Some(digest('X'))));
    assert_eq!((outcome.warning, outcome.write), (None, false));
}

#[test]
fn rule_2_1_claims_of_an_untrusted_header_are_never_compared() {
    let mut desk = Desk::new();
    desk.record("1.0").header_untrusted = true;
    // Neither for change: whatever the header says, only the bytes are looked at.
    for (round, header) in [(1, 'X'), (2, 'Y'), (3, 'A')] {
        let outcome = desk.saw(round * MINUTE, under_header('A', Some(digest(header))));
        assert_eq!((outcome.sighting, outcome.ask, outcome.write), (Sighting::Recorded, None, false), "{header}");
    }
    // Nor for sameness: a HEAD that repeats the claim is no sighting.
    let outcome = desk.saw(HOUR, claim('A'));
    assert_eq!((outcome.sighting, outcome.ask), (Sighting::Unseen(Unknown::Pending), Some(Ask::Get)));
    assert_eq!(outcome.known.pending, None);
    let outcome = desk.saw(2 * HOUR, under_header('B', Some(digest('A'))));
    assert_eq!(said(&outcome.happened[0]), moved('A', 'B'));
}

#[test]
fn rule_2_1_a_tag_with_an_untrusted_header_is_asked_by_get_at_its_bands_pace() {
    let mut play = Play::over(&["1.0"]);
    play.headers.insert(tag("1.0"), digest('X'));
    play.run_for(10 * MINUTE);
    assert!(play.known("1.0").record.header_untrusted);
    play.forget();
    play.run_for(2 * HOUR);
    let asked = play.asked_of("1.0");
    assert!(asked.iter().all(|(_, method)| *method == Method::Get), "{asked:?}");
    assert!((20..=30).contains(&asked.len()), "asked {} times in 24 intervals", asked.len());
    assert!(play.warnings.is_empty() && play.events.is_empty());
}

#[test]
fn rule_2_1_a_lying_header_is_untrusted_while_its_bytes_wait() {
    let mut desk = seen_at_a_minute();
    desk.related = true;
    // By HEAD, as when a tag changes its band.
    desk.record("1.0").floor = Some(mark(SECOND));
    let outcome = desk.saw(2 * MINUTE, under_header('B', Some(digest('A'))));
    assert!(outcome.happened.is_empty());
    assert_eq!(outcome.warning, Some(Warning::HeaderUntrusted));
    assert!(outcome.known.record.header_untrusted && outcome.write);
    // Neither HEAD nor what HEAD saw before ends or bounds the doubt, even if a crash forgets it.
    desk.saw(3 * MINUTE, claim('A'));
    assert!(matches!(desk.known("1.0").pending.as_deref(), Some(Pending::Bytes { .. })));
    desk.tags.get_mut(&tag("1.0")).unwrap().known.pending = None;
    desk.saw(4 * MINUTE, under_header('B', Some(digest('A'))));
    let outcome = desk.saw(10 * MINUTE, under_header('B', Some(digest('A'))));
    assert_eq!(said(&outcome.happened[0]), moved('A', 'B'));
    assert_eq!(outcome.happened[0].not_before, Some(mark(0)));
}

#[test]
fn rule_2_2_a_claim_without_bytes_waits_in_memory() {
    let mut desk = Desk::new();
    desk.saw(MINUTE, claim('X'));
    let outcome = no_get(MINUTE + SECOND, &mut desk);
    assert!(outcome.happened.is_empty() && !outcome.write);
    assert_eq!(outcome.sighting, Sighting::Unseen(Unknown::RateLimited), "the pass names it");
    assert_eq!(outcome.known.record.state, present('A'));
    assert!(matches!(outcome.known.pending.as_deref(), Some(Pending::Claim { repeated: false, .. })));
}

#[test]
fn rule_2_2_the_pass_names_a_tag_whose_claim_waits() {
    let mut play = Play::over(&["1.0", "2.0"]);
    play.forget();
    play.push("1.0", 'X');
    play.gets = Some(Unknown::Budget);
    play.run_for(5 * MINUTE - 1);
    assert_eq!(play.passes[0].pass.exceptions, tags(&["1.0"]).into_iter().collect());
}

#[test]
fn rule_2_2_a_second_head_30_s_later_writes_the_claim_unproven() {
    let mut desk = seen_at_a_minute();
    desk.saw(2 * MINUTE, claim('X'));
    no_get(2 * MINUTE + SECOND, &mut desk);
    desk.saw(2 * MINUTE + 30 * SECOND, claim('X'));
    let outcome = no_get(2 * MINUTE + 31 * SECOND, &mut desk);
    assert_eq!(said(&outcome.happened[0]), moved('A', 'X'));
    assert!(!outcome.happened[0].verified && outcome.write);
    assert_eq!(outcome.happened[0].not_before, Some(mark(MINUTE)));
    assert!(!outcome.known.record.verified);
}

#[test]
fn rule_2_2_a_second_head_sooner_writes_nothing() {
    let mut desk = Desk::new();
    desk.saw(2 * MINUTE, claim('X'));
    no_get(2 * MINUTE + SECOND, &mut desk);
    desk.saw(2 * MINUTE + 30 * SECOND - 1, claim('X'));
    let outcome = no_get(2 * MINUTE + 31 * SECOND, &mut desk);
    assert!(outcome.happened.is_empty() && !outcome.write);
    assert_eq!(outcome.known.record.state, present('A'));
}

#[test]
fn rule_2_2_one_head_and_any_number_of_failed_gets_write_nothing() {
    let mut desk = Desk::new();
    desk.saw(2 * MINUTE, claim('X'));
    for round in 1..20 {
        assert!(no_get(2 * MINUTE + round * HOUR, &mut desk).happened.is_empty());
    }
}

#[test]
fn rule_2_2_another_claim_begins_anew() {
    let mut desk = Desk::new();
    desk.saw(2 * MINUTE, claim('X'));
    no_get(2 * MINUTE + SECOND, &mut desk);
    desk.saw(3 * MINUTE, claim('Y'));
    let outcome = no_get(3 * MINUTE + SECOND, &mut desk);
    assert!(outcome.happened.is_empty());
    desk.saw(3 * MINUTE + 30 * SECOND - 1, claim('Y'));
    assert!(no_get(3 * MINUTE + 31 * SECOND, &mut desk).happened.is_empty());
    desk.saw(4 * MINUTE, claim('Y'));
    let outcome = no_get(4 * MINUTE + SECOND, &mut desk);
    assert_eq!(said(&outcome.happened[0]), moved('A', 'Y'));
}

#[test]
fn rule_2_2_the_same_claim_is_looked_at_again_after_30_s_and_another_waits_for_the_next_pass() {
    let mut play = Play::over(&["1.0"]);
    play.forget();
    play.push("1.0", 'X');
    play.gets = Some(Unknown::Budget);
    play.run_until(5 * MINUTE);
    let first = play.asked_of("1.0").last().unwrap().0;
    play.push("1.0", 'Y');
    play.forget();
    play.run_until(first + 45 * SECOND);
    let asked = play.asked_of("1.0");
    assert_eq!(asked.len(), 2, "HEAD and GET half a minute later: {asked:?}");
    assert!(asked[0].0 >= first + 30 * SECOND);
    // It says something else: nothing before the next pass, though a repetition would be due.
    play.run_until(first + 3 * MINUTE);
    assert_eq!(play.asked_of("1.0").len(), 2);
    assert!(play.events.is_empty());
    play.run_until(first + 6 * MINUTE);
    assert_eq!(play.said(), [moved('A', 'Y')]);
}

#[test]
fn rule_2_2_an_unproven_event_is_proven_later() {
    let mut desk = unproven();
    let outcome = desk.saw(HOUR, claim('X'));
    assert_eq!((outcome.ask, outcome.sighting), (Some(Ask::Get), Sighting::Recorded));
    let outcome = desk.saw(HOUR + SECOND, bytes('X'));
    assert!(outcome.proven && outcome.write && outcome.happened.is_empty());
    assert!(outcome.known.record.verified && outcome.known.record.prior.is_none());
    assert_eq!(outcome.known.record.proof_floor, Some(mark(HOUR + SECOND)));
    assert_eq!(outcome.warning, None);
    // Only once.
    assert!(!desk.saw(2 * HOUR, bytes('X')).proven);
}

#[test]
fn rule_2_2_a_lying_header_retracts_the_unproven_event() {
    let mut desk = unproven();
    let outcome = desk.saw(HOUR, under_header('A', Some(digest('X'))));
    assert_eq!(outcome.happened.len(), 1);
    let retracted = &outcome.happened[0];
    assert_eq!(said(retracted), (EventKind::Retracted, Some(digest('X')), Some(digest('A'))));
    assert!(outcome.write && !outcome.proven);
    let record = &outcome.known.record;
    assert_eq!((&record.state, record.verified, record.header_untrusted), (&present('A'), true, true));
    assert_eq!(record.prior, None);
    assert_eq!(record.floor, Some(mark(HOUR)));
    assert_eq!(outcome.warning, Some(Warning::HeaderUntrusted));
}

#[test]
fn rule_2_2_any_lying_header_retracts_the_unproven_event() {
    let mut desk = unproven();
    // By now the header claims something else, and that is no digest of the bytes either.
    let outcome = desk.saw(HOUR, under_header('A', Some(digest('Z'))));
    assert_eq!(outcome.happened.len(), 1, "{:?}", outcome.happened);
    assert_eq!(outcome.happened[0].kind, EventKind::Retracted);
    assert_eq!(outcome.known.record.state, present('A'));
}

#[test]
fn rule_2_2_a_third_digest_is_retracted_and_then_moved_with_the_retracted_events_not_before() {
    let mut desk = unproven();
    let outcome = desk.saw(HOUR, under_header('C', Some(digest('X'))));
    let all: Vec<_> = outcome.happened.iter().map(said).collect();
    assert_eq!(all, [(EventKind::Retracted, Some(digest('X')), Some(digest('A'))), moved('A', 'C')]);
    assert_eq!(outcome.happened[1].not_before, Some(mark(MINUTE)));
    assert!(outcome.happened[1].verified);
    assert_eq!(outcome.known.record.state, present('C'));
    assert_eq!(outcome.known.record.floor, Some(mark(HOUR)));
}

#[test]
fn rule_2_2_an_event_superseded_before_its_proof_is_not_retracted() {
    let mut desk = unproven();
    let outcome = desk.saw(HOUR, bytes('C'));
    assert_eq!(outcome.happened.iter().map(said).collect::<Vec<_>>(), [moved('X', 'C')]);
    assert!(!outcome.proven && outcome.happened[0].verified);
    assert_eq!(outcome.known.record.prior, None);
    // Nor is what was superseded retracted later.
    let outcome = desk.saw(2 * HOUR, under_header('C', Some(digest('X'))));
    assert!(outcome.happened.is_empty());
}

#[test]
fn rule_2_2_a_claim_over_a_claim_is_retracted_to_the_former_claim_and_then_moved() {
    let mut desk = unproven();
    desk.saw(HOUR, claim('Y'));
    no_get(HOUR + SECOND, &mut desk);
    desk.saw(HOUR + MINUTE, claim('Y'));
    assert_eq!(said(&no_get(HOUR + MINUTE + SECOND, &mut desk).happened[0]), moved('X', 'Y'));
    let outcome = desk.saw(2 * HOUR, under_header('A', Some(digest('Y'))));
    let all: Vec<_> = outcome.happened.iter().map(said).collect();
    assert_eq!(all, [(EventKind::Retracted, Some(digest('Y')), Some(digest('X'))), moved('X', 'A')]);
    assert!(outcome.known.record.verified);
}

#[test]
fn rule_2_2_the_whole_watch_writes_proves_and_retracts() {
    let mut play = Play::over(&["1.0", "2.0"]);
    play.push("1.0", 'X');
    play.headers.insert(tag("2.0"), digest('X'));
    play.gets = Some(Unknown::RateLimited);
    play.run_for(10 * MINUTE);
    assert_eq!(play.said(), [moved('A', 'X'), moved('A', 'X')]);
    assert!(play.events.iter().all(|(_, _, happened, _)| !happened.verified));
    play.gets = None;
    play.run_for(10 * MINUTE);
    assert_eq!(play.kinds(), [EventKind::Moved, EventKind::Moved, EventKind::Retracted]);
    assert_eq!((play.state("1.0"), play.state("2.0")), (&present('X'), &present('A')));
}

#[test]
fn rule_2_3_a_proof_pass_asks_by_get_and_its_row_says_so() {
    let mut play = Play::over(&["1.0", "2.0"]);
    assert!(play.passes.iter().all(|finished| !finished.pass.proof), "HEADs prove nothing");
    play.run_until(DAY);
    assert!(play.passes.iter().all(|finished| !finished.pass.proof));
    play.forget();
    play.run_until(DAY + 5 * MINUTE);
    assert_eq!(play.passes.len(), 1);
    assert!(play.passes[0].pass.proof && play.passes[0].pass.complete);
    assert!(play.asked.iter().all(|(_, request)| !matches!(request.kind, RequestKind::Head(..))));
    play.forget();
    play.run_until(2 * DAY - 5 * MINUTE);
    assert!(play.passes.iter().all(|finished| !finished.pass.proof), "once a day");
}

#[test]
fn rule_2_3_cold_tags_are_proven_once_a_week() {
    let known = [(tag("1.0"), read_at_zero('A', Band::Cold, Class::Release))];
    let mut play = Play::with(Plan::default(), known.into_iter().collect());
    // Without this the tag, read at zero, would be young again.
    play.run_until(DAY);
    let mut warm = [(tag("1.0"), read_at_zero('A', Band::Warm, Class::Release))];
    warm[0].1.first_seen = Some(mark(-DAY).wall);
    let mut play = Play::with(Plan::default(), warm.into_iter().collect());
    play.run_until(7 * DAY - HOUR);
    assert!(!play.passes.iter().any(|finished| finished.pass.proof && finished.pass.band == Band::Warm));
    play.run_until(7 * DAY + 2 * HOUR);
    assert!(play.passes.iter().any(|finished| finished.pass.proof && finished.pass.band == Band::Warm));
}

#[test]
fn rule_2_3_where_gets_are_counted_proofs_wait_until_the_budget_allows_them() {
    let mut play = Play::over(&["1.0", "2.0", "3.0"]);
    play.watch.set_get_budget(Some(1.0));
    play.forget();
    play.run_until(3 * DAY);
    assert!(play.passes.iter().all(|finished| !finished.pass.proof), "three tags, one GET a day");
    assert!(play.passes.iter().all(|finished| finished.proof_promised == Millis::days(3)));
    play.forget();
    play.run_until(3 * DAY + 5 * MINUTE);
    assert!(play.passes[0].pass.proof);
    // A larger budget brings the next one forward, to a day at the soonest.
    play.watch.set_get_budget(Some(100.0));
    play.forget();
    play.run_until(4 * DAY + 10 * MINUTE);
    let proofs: Vec<_> = play.passes.iter().filter(|finished| finished.pass.proof).collect();
    assert_eq!((proofs.len(), proofs[0].proof_promised), (1, Millis::days(1)));
}

#[test]
fn rule_2_3_all_bands_together_stay_within_the_budget_and_are_stretched_alike() {
    let plan = Plan::default();
    let none = BTreeMap::new();
    for tags in [[1, 0, 0, 0], [10, 1000, 5000, 3], [0, 0, 200_000, 0], [100, 1, 1, 0]] {
        let tags: BTreeMap<Band, u64> = Band::ALL.iter().copied().zip(tags).collect();
        for budget in [0.001, 1.0, 25.0, 100.0, 1e9] {
            let days = |band| plan.proof_interval(band, &tags, Some(budget)).0 as f64 / DAY as f64;
            let a_day: f64 = tags.iter().map(|(band, tags)| *tags as f64 / days(*band)).sum();
            let most = days(Band::Hot) >= 3650.0 || days(Band::Cold) >= 3650.0;
            assert!(most || a_day <= budget * 1.000_001, "{a_day} for {budget}: {tags:?}");
            assert!(most || (days(Band::Warm) / days(Band::Hot) - 7.0).abs() < 1e-6);
            assert!(Band::ALL.iter().all(|band| {
                plan.proof_interval(*band, &tags, Some(budget)) >= plan.proof_interval(*band, &none, None)
            }));
        }
        let uncounted = Band::ALL.iter().map(|band| plan.proof_interval(*band, &tags, None)).collect::<Vec<_>>();
        assert_eq!(uncounted, [1, 7, 7, 1].map(Millis::days));
    }
    // What no registry should say makes no nonsense.
    let one = BTreeMap::from([(Band::Hot, 1)]);
    for budget in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE] {
        let interval = plan.proof_interval(Band::Hot, &one, Some(budget));
        assert!((Millis::days(1)..=Millis::days(3650)).contains(&interval), "{budget}: {interval:?}");
        assert!(plan.proof_interval(Band::Hot, &none, Some(budget)) >= Millis::days(1), "{budget}");
    }
}

#[test]
fn rule_2_3_a_proof_that_was_cut_is_tried_again_when_the_budget_has_earned_what_it_read() {
    let mut play = Play::over(&["1.0", "2.0", "3.0", "4.0"]);
    play.watch.set_get_budget(Some(4.0));
    play.failing.insert(tag("4.0"), Seen::Unknown(Method::Get, Unknown::Unintelligible));
    play.forget();
    play.run_until(DAY + 2 * HOUR);
    let proofs = |play: &Play| play.passes.iter().filter(|finished| finished.pass.proof).count();
    assert_eq!(proofs(&play), 1, "without a budget it would be one each hour");
    play.failing.clear();
    play.run_until(DAY + 17 * HOUR);
    assert_eq!(proofs(&play), 1, "three of them take 18 hours");
    play.run_until(DAY + 19 * HOUR);
    assert_eq!(proofs(&play), 2);
}

#[test]
fn rule_2_3_the_promise_on_record_stands_until_the_first_pass_after_a_start() {
    for (promised, proof) in [(3, false), (1, true)] {
        let mut play = Play::over(&["1.0", "2.0"]);
        let tags = play.watch.tags().clone();
        let passes = vec![pass(-2 * DAY, true)];
        play.watch =
            Watch::new(Plan::default(), Repository::default(), tags, passes, &BTreeMap::new(), at(play.now), 7);
        play.watch.keep_proof_interval(Band::Hot, Millis::days(promised));
        play.forget();
        play.settle();
        assert_eq!(play.passes[0].pass.proof, proof);
        assert_eq!(play.passes[0].proof_promised, Millis::days(promised));
        // The registry did not say that it counts: from then on the defaults hold.
        play.run_for(6 * MINUTE);
        assert!(play.passes.iter().any(|finished| finished.pass.proof));
        assert_eq!(play.passes.last().unwrap().proof_promised, Millis::days(1));
    }
}

#[test]
fn rule_2_3_a_proof_on_record_that_was_cut_is_made_again_after_a_start() {
    for complete in [true, false] {
        let mut play = Play::over(&["1.0"]);
        let passes = vec![Pass { complete, ..pass(-HOUR, true) }];
        let tags = play.watch.tags().clone();
        play.watch =
            Watch::new(Plan::default(), Repository::default(), tags, passes, &BTreeMap::new(), at(play.now), 7);
        play.forget();
        play.settle();
        assert_eq!(play.passes[0].pass.proof, !complete);
    }
}

#[test]
fn rule_2_3_a_pass_with_one_head_is_no_proof() {
    let mut play = Play::new();
    play.push("1.0", 'A');
    play.settle();
    // Every tag was read for the first time: by GET.
    let first = play.passes.iter().find(|finished| finished.asked == 1).expect("a pass that asked the tag");
    assert!(first.pass.proof);
    play.forget();
    play.run_until(MINUTE);
    // One new tag is read by GET, the old one by HEAD.
    play.push("2.0", 'A');
    play.watch.check(&[], at(play.now).mono);
    play.settle();
    let asked: Vec<_> = play.passes.iter().map(|finished| (finished.asked, finished.pass.proof)).collect();
    assert_eq!(asked, [(2, false)]);
}

#[test]
fn rule_2_3_a_change_that_only_a_proof_finds_takes_its_not_before_from_the_last_proof() {
    for header in [Some(digest('A')), None] {
        let mut desk = Desk::new();
        desk.passes = vec![pass(MINUTE, true), pass(2 * MINUTE, false), pass(3 * MINUTE, false)];
        if header.is_none() {
            desk.record("1.0").claimed = None;
        }
        // The header hides it: HEAD goes on saying what it said.
        let seen = match header {
            Some(_) => under_header('B', header),
            None => bytes('B'),
        };
        let outcome = desk.saw(HOUR, seen);
        assert_eq!(said(&outcome.happened[0]), moved('A', 'B'));
        let expected = if desk.known("1.0").record.header_untrusted { MINUTE } else { 3 * MINUTE };
        assert_eq!(outcome.happened[0].not_before, Some(mark(expected)));
    }
}

#[test]
fn rule_2_3_a_change_that_head_announced_takes_its_not_before_from_the_last_sighting() {
    let mut desk = Desk::new();
    desk.passes = vec![pass(MINUTE, true), pass(3 * MINUTE, false)];
    desk.saw(HOUR, claim('B'));
    let outcome = desk.saw(HOUR + SECOND, bytes('B'));
    assert_eq!(outcome.happened[0].not_before, Some(mark(3 * MINUTE)));
}

#[test]
fn rule_2_4_an_index_and_its_child_wait_for_two_agreeing_checks_one_interval_apart() {
    let interval = Plan::default().interval(Band::Hot).0;
    let mut desk = seen_at_a_minute();
    desk.related = true;
    let outcome = desk.saw(2 * MINUTE, bytes('B'));
    assert!(outcome.happened.is_empty() && !outcome.write);
    assert_eq!(outcome.ask, Some(again(2 * MINUTE + interval, Method::Get)));
    assert_eq!(outcome.sighting, Sighting::Unseen(Unknown::Pending));
    let outcome = desk.saw(2 * MINUTE + interval - 1, bytes('B'));
    assert!(outcome.happened.is_empty());
    assert_eq!(outcome.ask, Some(again(2 * MINUTE + interval, Method::Get)));
    let outcome = desk.saw(2 * MINUTE + interval + LATENCY, bytes('B'));
    assert_eq!(said(&outcome.happened[0]), moved('A', 'B'));
    assert_eq!(outcome.happened[0].not_before, Some(mark(MINUTE)));
}

#[test]
fn rule_2_4_the_second_check_counts_exactly_one_interval_later() {
    let interval = Plan::default().interval(Band::Hot).0;
    let mut desk = seen_at_a_minute();
    desk.related = true;
    desk.saw(2 * MINUTE, bytes('B'));
    assert_eq!(desk.saw(2 * MINUTE + interval, bytes('B')).happened.len(), 1);
}

#[test]
fn rule_2_4_checks_that_do_not_agree_are_no_event() {
    let mut desk = Desk::new();
    desk.related = true;
    for round in 1..10 {
        let content = if round % 2 == 0 { 'B' } else { 'C' };
        assert!(desk.saw(round * HOUR, bytes(content)).happened.is_empty());
    }
    // The record's own bytes end the doubt.
    desk.saw(10 * HOUR, bytes('B'));
    desk.saw(11 * HOUR, bytes('A'));
    assert_eq!(desk.known("1.0").pending, None);
    assert!(desk.saw(12 * HOUR, bytes('B')).happened.is_empty());
}

#[test]
fn rule_2_4_the_whole_watch_finds_a_move_from_an_index_to_its_child_after_one_interval() {
    let mut play = Play::over(&["1.0"]);
    play.related = true;
    play.push("1.0", 'B');
    play.run_until(5 * MINUTE);
    assert!(play.events.is_empty());
    let first = play.asked_of("1.0").iter().find(|(_, method)| *method == Method::Get).unwrap().0;
    play.run_until(first + 5 * MINUTE);
    assert!(play.events.is_empty());
    play.run_until(first + 5 * MINUTE + SECOND);
    assert_eq!(play.said(), [moved('A', 'B')]);
}

/// A tag that had `A` until it was seen with `B`, a minute after zero.
fn left_a() -> Desk {
    let mut desk = Desk::new();
    desk.saw(MINUTE, bytes('B'));
    desk
}

#[test]
fn rule_2_5_a_digest_left_less_than_10_min_ago_is_no_event_yet() {
    let mut desk = left_a();
    let sent = MINUTE + LATENCY + 10 * MINUTE - 1;
    let outcome = desk.saw(sent, bytes('A'));
    assert!(outcome.happened.is_empty() && !outcome.write);
    assert_eq!(outcome.known.record.state, present('B'));
    assert_eq!(outcome.ask, Some(again(sent + 10 * MINUTE, Method::Get)));
}

#[test]
fn rule_2_5_a_digest_left_10_min_ago_is_an_event_at_once() {
    let mut desk = left_a();
    let outcome = desk.saw(MINUTE + LATENCY + 10 * MINUTE, bytes('A'));
    assert_eq!(said(&outcome.happened[0]), moved('B', 'A'));
}

#[test]
fn rule_2_5_a_get_10_min_after_the_first_such_answer_confirms_it() {
    let mut desk = left_a();
    desk.saw(2 * MINUTE, bytes('A'));
    let outcome = desk.saw(12 * MINUTE - 1, bytes('A'));
    assert!(outcome.happened.is_empty());
    assert_eq!(outcome.ask, Some(again(12 * MINUTE, Method::Get)));
    let outcome = desk.saw(12 * MINUTE + LATENCY, bytes('A'));
    assert_eq!(said(&outcome.happened[0]), moved('B', 'A'));
    assert_eq!(outcome.happened[0].not_before, Some(mark(MINUTE)), "fixed when the doubt began");
}

#[test]
fn rule_2_5_a_get_exactly_10_min_later_confirms_it() {
    let mut desk = left_a();
    desk.saw(2 * MINUTE, bytes('A'));
    assert_eq!(desk.saw(12 * MINUTE, bytes('A')).happened.len(), 1);
}

#[test]
fn rule_2_5_head_alone_confirms_nothing() {
    let mut desk = left_a();
    desk.saw(2 * MINUTE, claim('A'));
    let outcome = desk.saw(2 * MINUTE + SECOND, bytes('A'));
    assert!(outcome.happened.is_empty());
    // Repeated by HEAD, and the bytes not to be had: still nothing.
    for round in 3..30 {
        assert!(desk.saw(round * MINUTE, claim('A')).happened.is_empty());
        assert!(no_get(round * MINUTE + SECOND, &mut desk).happened.is_empty());
    }
    assert_eq!(desk.known("1.0").record.state, present('B'));
}

#[test]
fn rule_2_5_a_doubtful_claim_is_not_written_without_its_bytes() {
    let mut desk = left_a();
    desk.saw(2 * MINUTE, claim('A'));
    no_get(2 * MINUTE + SECOND, &mut desk);
    desk.saw(3 * MINUTE, claim('A'));
    assert!(no_get(3 * MINUTE + SECOND, &mut desk).happened.is_empty());
}

#[test]
fn rule_2_5_an_answer_equal_to_the_record_cancels_it() {
    for equal in [claim('B'), bytes('B'), Seen::NotModified] {
        let mut desk = left_a();
        desk.saw(2 * MINUTE, bytes('A'));
        let outcome = desk.saw(3 * MINUTE, equal);
        assert_eq!((outcome.sighting, &outcome.known.pending), (Sighting::Recorded, &None));
        // It begins anew: ten minutes after the first answer are not enough any more.
        desk.saw(10 * MINUTE, bytes('A'));
        assert!(desk.saw(12 * MINUTE, bytes('A')).happened.is_empty());
        assert_eq!(desk.saw(20 * MINUTE, bytes('A')).happened.len(), 1);
    }
}

#[test]
fn rule_2_5_another_new_digest_does_not_wait_with_it() {
    let mut desk = left_a();
    desk.saw(2 * MINUTE, bytes('A'));
    let outcome = desk.saw(3 * MINUTE, claim('C'));
    assert_eq!(outcome.ask, Some(Ask::Get), "the claim is another than the doubtful one");
    let outcome = desk.saw(3 * MINUTE + SECOND, bytes('C'));
    assert_eq!(said(&outcome.happened[0]), moved('B', 'C'));
    assert_eq!(outcome.happened[0].not_before, Some(mark(MINUTE)));
}

#[test]
fn rule_2_5_the_doubtful_claim_itself_is_not_read_again_before_its_time() {
    let mut desk = left_a();
    desk.saw(2 * MINUTE, bytes('A'));
    assert_eq!(desk.saw(3 * MINUTE, claim('A')).ask, Some(again(12 * MINUTE, Method::Get)));
    assert_eq!(desk.saw(12 * MINUTE, claim('A')).ask, Some(Ask::Get));
}

#[test]
fn rule_2_5_the_whole_watch_asks_for_the_bytes_when_the_10_min_are_over() {
    let mut play = Play::over(&["1.0"]);
    play.push("1.0", 'B');
    play.run_until(5 * MINUTE);
    play.push("1.0", 'A');
    play.forget();
    play.run_until(11 * MINUTE);
    let first = play.asked_of("1.0").iter().find(|(_, method)| *method == Method::Get).unwrap().0;
    assert!(play.events.is_empty());
    play.run_until(first + 10 * MINUTE);
    assert!(play.events.is_empty());
    play.run_until(first + 10 * MINUTE + SECOND);
    assert_eq!(play.said(), [moved('B', 'A')]);
}

#[test]
fn rule_2_5_an_absence_left_less_than_10_min_ago_needs_gets_10_min_apart() {
    let mut desk = Desk::new();
    desk.put("other", 'A');
    desk.plan.intervals.insert(Band::Hot, Millis::seconds(10));
    desk.record("1.0").state = TagState::Absent;
    desk.saw(MINUTE, bytes('B'));
    let received = MINUTE + LATENCY;
    // HEAD's word is not enough.
    let outcome = desk.round(2 * MINUTE, &["other"]);
    assert_eq!(outcome.asks, [(tag("1.0"), Ask::Get)]);
    desk.round_by_get(3 * MINUTE, &["other"]);
    assert!(3 * MINUTE < received + 10 * MINUTE);
    assert!(desk.round_by_get(13 * MINUTE + LATENCY - 1, &["other"]).happened.is_empty());
    assert_eq!(desk.round_by_get(13 * MINUTE + 2 * LATENCY, &["other"]).happened.len(), 1);
}

#[test]
fn rule_2_5_an_absence_left_longer_ago_is_an_ordinary_one() {
    let mut desk = Desk::new();
    desk.put("other", 'A');
    desk.plan.intervals.insert(Band::Hot, Millis::seconds(10));
    desk.record("1.0").state = TagState::Absent;
    desk.saw(MINUTE, bytes('B'));
    desk.round(11 * MINUTE + LATENCY, &["other"]);
    assert_eq!(desk.round(12 * MINUTE + 2 * LATENCY, &["other"]).happened.len(), 1);
}

#[test]
fn rule_2_6_another_media_type_is_a_warning_and_no_event() {
    let mut desk = Desk::new();
    let docker = Seen::Bytes(Bytes {
        digest: digest('A'),
        claim: Some(digest('A')),
        claim_holds: true,
        media_type: MediaType::DockerManifest,
    });
    let outcome = desk.saw(MINUTE, docker.clone());
    assert_eq!(outcome.warning, Some(Warning::MediaTypeChanged));
    assert!(outcome.happened.is_empty());
    assert_eq!((outcome.sighting, outcome.ask), (Sighting::Recorded, None));
    // It is told once; the record says what is served now.
    assert_eq!(outcome.known.record.media_type, Some(MediaType::DockerManifest));
    assert!(outcome.write);
    let outcome = desk.saw(2 * MINUTE, docker);
    assert_eq!((outcome.warning, outcome.write), (None, false));
}

#[test]
fn rule_2_6_other_bytes_have_their_own_media_type() {
    let list = |content, header| match under_header(content, Some(header)) {
        Seen::Bytes(bytes) => Seen::Bytes(Bytes { media_type: MediaType::DockerList, ..bytes }),
        other => other,
    };
    // Read at once.
    let outcome = Desk::new().saw(HOUR, list('X', digest('X')));
    assert_eq!((outcome.warning, outcome.known.record.media_type), (None, Some(MediaType::DockerList)));
    // Claimed, and read later: nothing changed its type.
    let outcome = unproven().saw(HOUR, list('X', digest('X')));
    assert!(outcome.proven);
    assert_eq!((outcome.warning, outcome.known.record.media_type), (None, Some(MediaType::DockerList)));
    // Claimed and retracted: the type is that of the bytes.
    let outcome = unproven().saw(HOUR, list('C', digest('X')));
    assert_eq!(outcome.known.record.media_type, Some(MediaType::DockerList));
    let outcome = unproven().saw(HOUR, under_header('A', Some(digest('X'))));
    assert_eq!(outcome.known.record.media_type, Some(MediaType::OciManifest));
}

#[test]
fn rule_2_6_digests_of_different_algorithms_are_compared_by_the_bytes() {
    // HEAD claims by sha512 what we know by sha256: no event.
    let mut desk = Desk::new();
    desk.saw(MINUTE, Seen::Claim(Some(sha512('A'))));
    let outcome = desk.saw(MINUTE + SECOND, under_header('A', Some(sha512('A'))));
    assert!(outcome.happened.is_empty());
    assert_eq!(outcome.known.record.state, present('A'));
    // From now on HEAD is compared with HEAD.
    let outcome = desk.saw(2 * MINUTE, Seen::Claim(Some(sha512('A'))));
    assert_eq!((outcome.sighting, outcome.ask), (Sighting::Recorded, None));
    // Other bytes under such a claim: an event that says sha256.
    desk.saw(3 * MINUTE, Seen::Claim(Some(sha512('B'))));
    let outcome = desk.saw(3 * MINUTE + SECOND, under_header('B', Some(sha512('B'))));
    assert_eq!(said(&outcome.happened[0]), moved('A', 'B'));
    assert_eq!(outcome.known.record.claimed, Some(sha512('B')));
}

#[test]
fn rule_2_6_an_unproven_claim_of_another_algorithm_is_proven_by_the_bytes_it_holds_for() {
    let mut desk = Desk::new();
    desk.saw(2 * MINUTE, Seen::Claim(Some(sha512('X'))));
    no_get(2 * MINUTE + SECOND, &mut desk);
    desk.saw(3 * MINUTE, Seen::Claim(Some(sha512('X'))));
    assert_eq!(no_get(3 * MINUTE + SECOND, &mut desk).happened.len(), 1);
    let outcome = desk.saw(HOUR, under_header('X', Some(sha512('X'))));
    assert!(outcome.proven && outcome.happened.is_empty());
    assert_eq!(outcome.known.record.state, present('X'));
}

#[test]
fn rule_2_7_a_proven_move_is_handed_over_with_the_reply_that_proved_it() {
    let mut play = Play::over(&["1.0", "2.0", "3.0"]);
    play.push("1.0", 'B');
    play.run_until(4 * MINUTE);
    play.forget();
    play.now = 5 * MINUTE;
    // Listing, HEAD and GET of the first tag; the pass goes on.
    for _ in 0..3 {
        assert!(play.step());
    }
    assert_eq!(play.said(), [moved('A', 'B')]);
    assert!(play.passes.is_empty());
    assert_eq!(play.rows, tags(&["1.0"]));
}
