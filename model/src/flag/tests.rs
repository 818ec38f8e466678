use super::*;
use crate::digest::Digest;
use proptest::prelude::*;

const NOW: Instant = Instant(1_800_000_000_000);
const AS_IT_IS: Lowering = Lowering { cap: None, retention: false };

fn present(name: &str) -> TagState {
    TagState::Present(Digest::of(name.as_bytes()))
}

fn promise(name: &str) -> Promise {
    Promise { digest: Some(Digest::of(name.as_bytes())), provisional: false }
}

fn retired() -> Promise {
    Promise { digest: None, provisional: false }
}

fn flag(state: FlagState) -> Flag {
    Flag {
        kind: FlagKind::Breach,
        state,
        worst: Worst::content(Severity::Warning),
        lowering: AS_IT_IS,
        comparing: false,
        flapping: false,
        acknowledged_until: None,
        version: 4,
    }
}

/// A release held to `promise`, right after a move.
fn moved<'a>(promise: &'a Promise, state: &'a TagState, flag: Option<&'a Flag>) -> Facts<'a> {
    Facts {
        class: Class::Release,
        promise: Some(promise),
        former: None,
        state,
        pre_release: false,
        lowering: AS_IT_IS,
        flag,
        at: NOW,
        moved: true,
        moves: &[],
        breaches: &[],
    }
}

fn opened_flag(facts: &Facts<'_>) -> Flag {
    match judge(facts) {
        FlagStep::Open(change) => change.flag,
        other => panic!("no new flag but {other:?}"),
    }
}

fn joined(facts: &Facts<'_>) -> Change {
    match judge(facts) {
        FlagStep::Join(change) => change,
        other => panic!("did not join but {other:?}"),
    }
}

#[test]
fn section_9_a_comparison_says_how_bad_it_is_and_leaves_the_state() {
    let until = Some(Instant(9));
    for state in [FlagState::Open, FlagState::Acknowledged, FlagState::Restored] {
        let flag = Flag {
            kind: FlagKind::Breach,
            state,
            worst: Worst::content(Severity::Critical),
            lowering: AS_IT_IS,
            comparing: true,
            flapping: true,
            acknowledged_until: until,
            version: 4,
        };
        let change = flag.compared(Worst::NOTHING);
        let expected = Flag { worst: Worst::NOTHING, comparing: false, version: 5, ..flag };
        assert_eq!((change.flag, change.transition.to), (expected, state));
        assert_eq!(change.transition.from, Some(state));
    }
}

#[test]
fn section_7_a_refresh_that_starts_otherwise_is_flagged_and_one_that_does_not_restores() {
    let FlagStep::Open(change) = judge_refresh(Some(Severity::Info), AS_IT_IS, None) else { panic!("no flag") };
    assert_eq!((change.flag.severity(), change.flag.comparing), (Severity::Info, false));
    assert!(matches!(judge_refresh(Some(Severity::Info), AS_IT_IS, Some(&flag(FlagState::Closed))), FlagStep::Open(_)));
    for state in [FlagState::Open, FlagState::Acknowledged, FlagState::Restored] {
        let FlagStep::Join(change) = judge_refresh(Some(Severity::Info), AS_IT_IS, Some(&flag(state))) else {
            panic!("{state}")
        };
        assert_eq!((change.flag.state, change.flag.severity()), (FlagState::Open, Severity::Warning), "never lower");
    }
    for state in [FlagState::Open, FlagState::Acknowledged] {
        assert!(matches!(judge_refresh(None, AS_IT_IS, Some(&flag(state))), FlagStep::Restore(_)));
    }
    for flag in [None, Some(&flag(FlagState::Restored)), Some(&flag(FlagState::Closed))] {
        assert_eq!(judge_refresh(None, AS_IT_IS, flag), FlagStep::None);
    }
}

#[test]
fn section_8_2_a_moved_release_opens_a_critical_flag_that_is_still_comparing() {
    let flag = opened_flag(&moved(&promise("a"), &present("b"), None));
    assert_eq!((flag.kind, flag.state, flag.severity()), (FlagKind::Breach, FlagState::Open, Severity::Critical));
    assert!(flag.comparing);
    assert!(!flag.flapping);
    assert_eq!((flag.version, flag.acknowledged_until), (1, None));
}

#[test]
fn section_8_2_a_release_at_its_promise_has_no_flag() {
    let (made, state) = (promise("a"), present("a"));
    assert_eq!(judge(&moved(&made, &state, None)), FlagStep::None);
    assert_eq!(judge(&moved(&made, &TagState::Unread, None)), FlagStep::None);
    assert_eq!(judge(&Facts { promise: None, ..moved(&made, &state, None) }), FlagStep::None);
}

#[test]
fn section_7_only_releases_are_flagged() {
    let (made, state) = (promise("a"), present("b"));
    for class in [Class::Rebuilt, Class::Rolling, Class::Ignored] {
        for flag in [None, Some(&flag(FlagState::Open)), Some(&flag(FlagState::Restored))] {
            assert_eq!(judge(&Facts { class, ..moved(&made, &state, flag) }), FlagStep::None, "{class}");
        }
    }
}

#[test]
fn section_7_a_flag_older_than_its_tags_new_class_is_restored_only_by_its_promise() {
    let (made, open) = (promise("a"), flag(FlagState::Open));
    let rolling =
        |promise, name| judge(&Facts { class: Class::Rolling, promise, ..moved(&made, &present(name), Some(&open)) });
    assert!(matches!(rolling(Some(&made), "a"), FlagStep::Restore(_)));
    assert_eq!(rolling(Some(&made), "c"), FlagStep::None);
    assert_eq!(rolling(None, "c"), FlagStep::None);
}

#[test]
fn section_8_2_further_moves_join_the_flag_raise_its_severity_and_reopen_it() {
    let made = promise("a");
    for state in [FlagState::Open, FlagState::Acknowledged, FlagState::Restored] {
        let before = Flag { acknowledged_until: Some(NOW + Millis::days(1)), ..flag(state) };
        let after = joined(&moved(&made, &present("c"), Some(&before)));
        assert_eq!((after.flag.state, after.flag.severity()), (FlagState::Open, Severity::Critical), "{state}");
        assert_eq!((after.flag.version, after.flag.acknowledged_until), (before.version + 1, None), "{state}");
        assert_eq!((after.transition.from, after.transition.to), (Some(state), FlagState::Open), "{state}");
    }
}

#[test]
fn section_8_2_severity_is_never_lowered_by_what_joins() {
    let critical = Flag { worst: Worst::content(Severity::Critical), comparing: true, ..flag(FlagState::Open) };
    let after = joined(&moved(&promise("a"), &TagState::Absent, Some(&critical))).flag;
    assert_eq!(after.severity(), Severity::Critical);
    assert!(after.comparing);
}

#[test]
fn section_8_2_back_and_forth_is_a_breach_until_the_promise_is_back() {
    let made = promise("a");
    let mut flag = opened_flag(&moved(&made, &present("b"), None));
    for state in ["c", "b", "c"] {
        flag = joined(&moved(&made, &present(state), Some(&flag))).flag;
        assert_eq!(flag.state, FlagState::Open, "{state}");
    }
    match judge(&moved(&made, &present("a"), Some(&flag))) {
        FlagStep::Restore(change) => assert_eq!(change.flag.state, FlagState::Restored),
        other => panic!("{other:?}"),
    }
}

#[test]
fn section_8_3_open_and_acknowledged_flags_are_restored_and_never_closed() {
    let made = promise("a");
    for state in [FlagState::Open, FlagState::Acknowledged] {
        let before = Flag { worst: Worst::content(Severity::Critical), comparing: true, ..flag(state) };
        match judge(&moved(&made, &present("a"), Some(&before))) {
            FlagStep::Restore(change) => {
                assert_eq!(change.flag.state, FlagState::Restored);
                assert_eq!(change.flag.severity(), Severity::Critical, "stays as bad as it was");
                assert_eq!(change.transition.from, Some(state));
                assert!(change.transition.reason.is_some());
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(judge(&moved(&made, &present("a"), Some(&flag(FlagState::Restored)))), FlagStep::None);
}

#[test]
fn section_8_2_a_closed_flag_is_left_alone_and_a_new_breach_opens_another() {
    let closed = flag(FlagState::Closed);
    assert_eq!(opened_flag(&moved(&promise("a"), &present("b"), Some(&closed))).version, 1);
    assert_eq!(judge(&moved(&promise("a"), &present("a"), Some(&closed))), FlagStep::None);
}

#[test]
fn section_2_2_a_retraction_restores_the_flag_that_its_claim_opened() {
    let open = flag(FlagState::Open);
    let (made, state) = (promise("a"), present("a"));
    let facts = Facts { moved: false, ..moved(&made, &state, Some(&open)) };
    assert!(matches!(judge(&facts), FlagStep::Restore(_)), "the state is what it was");
    assert!(
        matches!(judge(&Facts { promise: None, ..facts }), FlagStep::Restore(_)),
        "its promise fell with the claim"
    );
}

#[test]
fn section_9_a_deletion_is_a_warning_and_info_for_pre_releases() {
    let made = promise("a");
    for (pre_release, severity) in [(false, Severity::Warning), (true, Severity::Info)] {
        let facts = Facts { pre_release, moved: false, ..moved(&made, &TagState::Absent, None) };
        let flag = opened_flag(&facts);
        assert_eq!((flag.severity(), flag.comparing), (severity, false));
    }
    let pre = Facts { pre_release: true, ..moved(&made, &TagState::Absent, None) };
    assert_eq!(
        opened_flag(&Facts { state: &present("b"), ..pre }).severity(),
        Severity::Critical,
        "a moved pre-release"
    );
}

#[test]
fn section_9_a_rule_caps_what_happens_and_expects_deletions() {
    let (made, other) = (promise("a"), present("b"));
    for cap in [Severity::Info, Severity::Warning] {
        let lowering = Lowering { cap: Some(cap), retention: false };
        let opened = opened_flag(&Facts { lowering, ..moved(&made, &other, None) });
        assert_eq!((opened.severity(), opened.comparing), (cap, true), "also while it is compared");
        let after = opened.compared(Worst::content(Severity::Critical)).flag;
        assert_eq!(after.severity(), cap, "and after it");
        assert_eq!(opened.compared(Worst::NOTHING).flag.severity(), Severity::Info, "a cap raises nothing");
        assert_eq!(joined(&moved(&made, &present("c"), Some(&after))).flag.severity(), cap);
        // A policy that lowers nothing any more has forgotten nothing.
        let raised = Flag { lowering: AS_IT_IS, ..after.clone() }.lowered();
        assert_eq!((raised.flag.severity(), raised.transition.to), (Severity::Critical, FlagState::Open));
        assert_eq!(raised.flag.version, after.version + 1);
    }
    let lowering = Lowering { cap: None, retention: true };
    let gone = opened_flag(&Facts { lowering, moved: false, ..moved(&made, &TagState::Absent, None) });
    assert_eq!(gone.severity(), Severity::Info);
    assert!(!gone.needs_attention());
    assert_eq!(
        joined(&moved(&made, &other, Some(&gone))).flag.severity(),
        Severity::Critical,
        "back as something else"
    );
    let refreshed =
        judge_refresh(Some(Severity::Critical), Lowering { cap: Some(Severity::Info), retention: false }, None);
    assert_eq!(refreshed.change().map(|change| change.flag.severity()), Some(Severity::Info));
}

#[test]
fn section_9_what_lowers_nothing_of_a_class_is_a_mistake() {
    let keys =
        |class, cap, retention| Lowering { cap, retention }.mistakes(class).map(|(key, _)| key).collect::<Vec<_>>();
    let cap = Some(Severity::Info);
    assert_eq!(keys(Class::Release, cap, true), [""; 0]);
    assert_eq!(keys(Class::Rebuilt, cap, true), ["retention"]);
    for class in [Class::Rolling, Class::Ignored] {
        assert_eq!(keys(class, cap, true), ["severity", "retention"], "{class}");
        assert_eq!(keys(class, None, false), [""; 0], "{class}");
    }
}

#[test]
fn section_8_1_a_retired_release_that_returns_is_a_breach_and_info_with_its_former_digest() {
    let (retired, former) = (retired(), promise("a"));
    let back =
        |name| opened_flag(&Facts { former: Some(&former), moved: false, ..moved(&retired, &present(name), None) });
    assert_eq!(back("a").severity(), Severity::Info);
    assert!(!back("a").needs_attention());
    assert_eq!(back("b").severity(), Severity::Critical);
    let gone = Facts { former: Some(&former), ..moved(&retired, &TagState::Absent, None) };
    assert_eq!(judge(&gone), FlagStep::None);
}

#[test]
fn section_8_1_the_former_promise_of_a_release_that_is_not_retired_excuses_nothing() {
    let (made, former, state) = (promise("b"), promise("a"), present("a"));
    let facts = Facts { former: Some(&former), ..moved(&made, &state, None) };
    assert_eq!(opened_flag(&facts).severity(), Severity::Critical);
}

#[test]
fn section_8_4_three_moves_in_a_day_are_flapping() {
    let (made, state) = (promise("a"), present("b"));
    let ago = |hours| NOW - Millis::hours(hours);
    for (moves, moved_now, expected) in [
        (vec![], true, false),
        (vec![ago(3)], true, false),
        (vec![ago(3), ago(2)], true, true),
        (vec![ago(24), ago(2)], true, true),
        (vec![ago(25), ago(2)], true, false),
        (vec![ago(3), ago(2)], false, false),
        (vec![ago(3), ago(2), ago(1)], false, true),
        (vec![ago(3), NOW + Millis(1)], true, false),
    ] {
        let facts = Facts { moves: &moves, moved: moved_now, ..moved(&made, &state, None) };
        assert_eq!(opened_flag(&facts).flapping, expected, "{moves:?} {moved_now}");
    }
}

#[test]
fn section_8_4_a_third_breach_in_a_week_is_flapping() {
    let (made, state) = (promise("a"), present("b"));
    let ago = |days| NOW - Millis::days(days);
    let (two, old) = ([ago(3), ago(7)], [ago(3), ago(8)]);
    let facts = Facts { breaches: &two, ..moved(&made, &state, None) };
    assert!(opened_flag(&facts).flapping);
    assert!(
        joined(&Facts { flag: Some(&flag(FlagState::Restored)), ..facts }).flag.flapping,
        "a new breach of an old flag"
    );
    assert!(!joined(&Facts { flag: Some(&flag(FlagState::Open)), ..facts }).flag.flapping, "the same breach goes on");
    assert!(!opened_flag(&Facts { breaches: &old, ..facts }).flapping);
}

#[test]
fn section_8_4_flapping_stays_until_the_flag_is_closed() {
    let (made, flapping) = (promise("a"), Flag { flapping: true, ..flag(FlagState::Open) });
    assert!(joined(&moved(&made, &present("b"), Some(&flapping))).flag.flapping);
    assert!(judge(&moved(&made, &present("a"), Some(&flapping))).change().unwrap().flag.flapping);
    assert!(!opened_flag(&moved(&made, &present("b"), None)).flapping);
}

#[test]
fn section_8_4_info_never_needs_attention() {
    for severity in Severity::ALL {
        for state in FlagState::ALL {
            let expected = *state == FlagState::Open && *severity != Severity::Info;
            assert_eq!(
                Flag { worst: Worst::content(*severity), ..flag(*state) }.needs_attention(),
                expected,
                "{state} {severity}"
            );
        }
    }
}

#[test]
fn section_8_3_acknowledging_waits_until_its_time() {
    let until = NOW + Millis::hours(1);
    for state in [FlagState::Open, FlagState::Acknowledged] {
        let change = flag(state).acknowledge(4, Some(until), NOW).unwrap();
        assert_eq!((change.flag.state, change.flag.version), (FlagState::Acknowledged, 5));
        assert_eq!(change.flag.acknowledged_until, Some(until));
        assert_eq!((change.transition.from, change.transition.reason), (Some(state), None));
        assert_eq!(change.flag.expire(until - Millis(1)), None);
        let expired = change.flag.expire(until).unwrap();
        assert_eq!((expired.flag.state, expired.flag.acknowledged_until), (FlagState::Open, None));
        assert_eq!((expired.flag.version, expired.transition.to), (6, FlagState::Open));
    }
    let forever = flag(FlagState::Open).acknowledge(4, None, NOW).unwrap().flag;
    assert_eq!(forever.expire(Instant(i64::MAX)), None);
}

#[test]
fn section_8_3_what_cannot_be_acknowledged_says_why() {
    for (state, seen, until, error) in [
        (FlagState::Closed, 4, None, FlagError::Closed),
        (FlagState::Closed, 3, None, FlagError::Closed),
        (FlagState::Open, 3, None, FlagError::Conflict { seen: 3, current: 4 }),
        (FlagState::Restored, 4, None, FlagError::Restored),
        (FlagState::Open, 4, Some(NOW), FlagError::UntilPassed),
    ] {
        assert_eq!(flag(state).acknowledge(seen, until, NOW), Err(error), "{state}");
    }
}

#[test]
fn section_8_3_who_closes_in_which_way() {
    use FlagError::{Closed, InBreach, NothingToAccept, NothingToReview};
    use Resolution::{Accepted, NotAnIssue, Reviewed};
    use Standing::{AsPromised, InBreach as Breach};
    for (state, standing, resolution, error) in [
        (FlagState::Open, Breach, Accepted, None),
        (FlagState::Acknowledged, Breach, Accepted, None),
        (FlagState::Open, Breach, Reviewed, Some(InBreach)),
        (FlagState::Acknowledged, Breach, NotAnIssue, Some(InBreach)),
        (FlagState::Restored, AsPromised, Reviewed, None),
        (FlagState::Restored, AsPromised, NotAnIssue, None),
        (FlagState::Restored, AsPromised, Accepted, Some(NothingToAccept)),
        (FlagState::Open, AsPromised, NotAnIssue, None),
        (FlagState::Open, AsPromised, Reviewed, Some(NothingToReview)),
        (FlagState::Closed, AsPromised, Reviewed, Some(Closed)),
        (FlagState::Closed, Breach, Accepted, Some(Closed)),
    ] {
        let closed = flag(state).close(4, resolution, standing);
        if let Some(error) = error {
            assert_eq!(closed, Err(error), "{state} {standing:?} {resolution}");
        } else {
            let change = closed.unwrap();
            assert_eq!((change.flag.state, change.flag.version), (FlagState::Closed, 5));
            assert_eq!(change.transition.resolution, Some(resolution));
        }
    }
}

#[test]
fn section_8_5_an_act_on_an_older_version_is_a_conflict() {
    let error = FlagError::Conflict { seen: 3, current: 4 };
    assert_eq!(flag(FlagState::Open).close(3, Resolution::Accepted, Standing::InBreach), Err(error));
    assert!(flag(FlagState::Open).close(5, Resolution::Accepted, Standing::InBreach).is_err());
    assert!(error.to_string().contains("version 4, not 3"));
}

#[test]
fn section_3_5_a_repository_that_is_gone_has_one_flag_that_its_return_restores() {
    for kind in [FlagKind::Vanished, FlagKind::Invisible] {
        let FlagStep::Open(opened) = judge_repository(kind, Standing::InBreach, None) else { panic!("{kind}") };
        assert_eq!((opened.flag.kind, opened.flag.severity()), (kind, Severity::Warning));
        assert_eq!(judge_repository(kind, Standing::AsPromised, None), FlagStep::None);
        let FlagStep::Restore(back) = judge_repository(kind, Standing::AsPromised, Some(&opened.flag)) else {
            panic!("{kind}")
        };
        assert_eq!(back.flag.state, FlagState::Restored);
        assert_eq!(judge_repository(kind, Standing::AsPromised, Some(&back.flag)), FlagStep::None);
        let FlagStep::Join(again) = judge_repository(kind, Standing::InBreach, Some(&back.flag)) else {
            panic!("{kind}")
        };
        assert_eq!((again.flag.state, again.flag.version), (FlagState::Open, 3));
    }
    let breach = flag(FlagState::Open);
    assert_eq!(
        judge_repository(FlagKind::Vanished, Standing::AsPromised, Some(&breach)),
        FlagStep::None,
        "another kind"
    );
}

/// What can happen to a tag and its flag.
#[derive(Debug, Clone, Copy)]
enum Act {
    Becomes(u8),
    Acknowledge,
    Expire,
    Close(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..5_u8).prop_map(Act::Becomes),
        1 => Just(Act::Acknowledge),
        1 => Just(Act::Expire),
        1 => (0..3_u8).prop_map(Act::Close),
    ]
}

proptest! {
    #[test]
    fn section_8_holds_through_any_history(acts in prop::collection::vec(act(), 0..60)) {
        let names = ["a", "b", "c", "d"];
        let mut made = promise("a");
        let mut state = present("a");
        let mut current: Option<Flag> = None;
        let mut worst = Severity::Info;
        for (step, act) in acts.into_iter().enumerate() {
            let now = NOW + Millis::minutes(step as i64);
            let before = current.clone();
            match act {
                Act::Becomes(index) => {
                    state = names.get(usize::from(index)).map_or(TagState::Absent, |name| present(name));
                    if let Some(change) = judge(&moved(&made, &state, current.as_ref())).change() {
                        prop_assert_ne!(change.flag.state, FlagState::Closed, "the machine never closes");
                        prop_assert_eq!(change.transition.from, before.as_ref().map(|flag| flag.state));
                        current = Some(change.flag.clone());
                    }
                }
                Act::Acknowledge => {
                    let until = Some(now + Millis::minutes(2));
                    if let Some(Ok(change)) = current.as_ref().map(|flag| flag.acknowledge(flag.version, until, now)) {
                        current = Some(change.flag);
                    }
                }
                Act::Expire => {
                    if let Some(change) = current.as_ref().and_then(|flag| flag.expire(now)) {
                        current = Some(change.flag);
                    }
                }
                Act::Close(index) => {
                    let resolution = Resolution::ALL[usize::from(index)];
                    let standing = standing(Some(&made), &state);
                    if let Some(Ok(_)) = current.as_ref().map(|flag| flag.close(flag.version, resolution, standing)) {
                        if resolution == Resolution::Accepted {
                            made = Promise::accepted(&state, true).unwrap();
                        }
                        current = None;
                        worst = Severity::Info;
                    }
                }
            }
            if let (Some(before), Some(after)) = (&before, &current) {
                prop_assert!(after == before || after.version == before.version + 1);
            }
            match (&current, standing(Some(&made), &state)) {
                (None, standing) => prop_assert_eq!(standing, Standing::AsPromised, "a breach has a flag"),
                (Some(flag), Standing::AsPromised) => prop_assert_eq!(flag.state, FlagState::Restored),
                (Some(flag), Standing::InBreach) => {
                    prop_assert!(matches!(flag.state, FlagState::Open | FlagState::Acknowledged));
                    prop_assert_eq!(flag.acknowledged_until.is_some(), flag.state == FlagState::Acknowledged);
                }
            }
            if let Some(flag) = &current {
                prop_assert!(flag.severity() >= worst);
                worst = flag.severity();
            }
        }
    }
}
