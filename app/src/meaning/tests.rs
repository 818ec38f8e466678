use tagwarden_model::api::{Freshness, WatchSource};
use tagwarden_model::digest::Digest;
use tagwarden_model::tag::Band;

use super::*;
use crate::text::repositories::registry_sentence;

pub(crate) fn flag(current: bool) -> Flag {
    Flag {
        id: 1,
        kind: FlagKind::Breach,
        state: FlagState::Open,
        severity: Severity::Critical,
        lowered_by: None,
        difference: None,
        comparing: false,
        flapping: false,
        repository: "ghcr.io/acme/payments-api".into(),
        tag: Some("2.3.0".into()),
        promise: Some(Digest::of(b"a")),
        current: current.then(|| Digest::of(b"b")),
        not_before: None,
        not_after: Instant(0),
        opened: Instant(0),
        changed: Instant(0),
        acknowledged_until: None,
        group_id: None,
        version: 1,
    }
}

pub(crate) fn repository(name: &str) -> Repository {
    Repository {
        name: name.into(),
        registry: name.split('/').next().unwrap_or_default().into(),
        state: RepositoryState::Ok,
        state_reason: None,
        state_since: Instant(0),
        watched_since: Instant(0),
        source: WatchSource::Person,
        groups: Vec::new(),
        tags: 9,
        releases: 9,
        open_flags: 0,
        last_pass: None,
        next_pass: None,
        freshness: Vec::new(),
        unread: None,
        progress: None,
    }
}

#[test]
fn a_registry_is_as_well_as_its_worst_repositories() {
    let standing = |state, late, repositories| Standing { state, late, repositories, reason: None, progress: None };
    let registry = |standings| Registry {
        name: "a".into(),
        host: "a".into(),
        repositories: 9,
        state: RegistryState::Ok,
        state_reason: None,
        state_since: None,
        checked: None,
        standings,
    };
    let said = |standings| {
        let registry = registry(standings);
        let (worst, concerned, all) = worst(&registry)?;
        Some((worst.state, concerned, all, registry_sentence(worst, concerned, all)))
    };
    let broken = Standing { reason: Some("no connection".into()), ..standing(RepositoryState::Failing, true, 1) };
    let some =
        vec![standing(RepositoryState::Ok, false, 3), standing(RepositoryState::Failing, false, 1), broken.clone()];
    assert_eq!(said(some), Some((RepositoryState::Failing, 2, 5, Some("2 of 5: no connection".into()))));
    assert_eq!(
        said(vec![standing(RepositoryState::Ok, false, 3), standing(RepositoryState::Ok, true, 1)]),
        Some((RepositoryState::Ok, 1, 4, Some("1 of 4: not checked as promised".into())))
    );
    assert_eq!(said(vec![standing(RepositoryState::Ok, false, 2)]), Some((RepositoryState::Ok, 2, 2, None)));
    assert_eq!(said(vec![broken]), Some((RepositoryState::Failing, 1, 1, Some("no connection".into()))));
    assert_eq!(said(Vec::new()), None);
}

#[test]
fn a_flag_is_named_by_the_last_part_of_its_repository() {
    assert_eq!(subject(&flag(true)), "payments-api 2.3.0");
    assert_eq!(split_name("api"), ("", "api"));
}

#[test]
fn a_text_cannot_turn_the_direction_of_the_page() {
    assert_eq!(visible("knows \u{202e}exe.txt\u{0}"), "knows \u{fffd}exe.txt\u{fffd}");
    assert_eq!(visible("שלום, two\nlines"), "שלום, two\nlines");
}

#[test]
fn the_oldest_proof_of_all_bands_is_shown_with_its_pace() {
    let band = |band, last_proof: Option<i64>, days| Freshness {
        band,
        tags: 3,
        promised_ms: 360_000,
        last_complete: Some(Instant(9)),
        proof_promised_ms: Millis::days(days).0.unsigned_abs(),
        last_proof: last_proof.map(Instant),
        next: None,
        late_since: None,
        late_reason: None,
    };
    for (bands, expected) in [
        (vec![], None),
        (vec![band(Band::Hot, Some(5), 1)], Some((Some(5), Millis::days(1)))),
        (vec![band(Band::Hot, Some(5), 1), band(Band::Cold, Some(3), 7)], Some((Some(3), Millis::days(7)))),
        (vec![band(Band::Hot, Some(5), 3), band(Band::Cold, Some(7), 21)], Some((Some(5), Millis::days(3)))),
        (vec![band(Band::Hot, Some(5), 1), band(Band::Cold, None, 7)], Some((None, Millis::days(7)))),
        (vec![band(Band::Hot, None, 1), band(Band::Cold, None, 7)], Some((None, Millis::days(7)))),
    ] {
        let repository = Repository { freshness: bands, ..repository("r/api") };
        assert_eq!(proven(&repository), expected.map(|(at, every)| (at.map(Instant), every)));
    }
}

#[test]
fn what_one_pass_found_in_a_repository_is_one_card() {
    let of = |id, group_id, repository: &str| Flag { id, group_id, repository: repository.into(), ..flag(false) };
    let flags = vec![
        of(1, Some(7), "r/a"),
        of(2, None, "r/a"),
        of(3, Some(7), "r/a"),
        of(4, Some(7), "r/b"),
        of(5, None, "r/a"),
    ];
    let rows: Vec<_> = together(flags).iter().map(|row| row.iter().map(|flag| flag.id).collect::<Vec<_>>()).collect();
    assert_eq!(rows, [vec![1, 3], vec![2], vec![4], vec![5]]);
}

#[test]
fn red_is_for_flags_alone() {
    assert_eq!(flag_tone(&flag(true)), Tone::Flag);
    for readiness in Readiness::ALL {
        assert_ne!(readiness_tone(*readiness), Tone::Flag);
    }
}

#[test]
fn what_the_server_says_is_a_sentence_and_a_name_in_front_stays_as_it_is() {
    for (said, whole) in [
        ("there is no flag with this number", "There is no flag with this number."),
        ("the host: upper case is not allowed", "The host: upper case is not allowed."),
        ("r.example has no repository api", "r.example has no repository api."),
        ("sha256:1 is unknown.", "sha256:1 is unknown."),
        ("`usrname` is no key", "`usrname` is no key."),
        ("did you mean `username`?", "Did you mean `username`?"),
    ] {
        assert_eq!(sentence(said), whole);
    }
}
