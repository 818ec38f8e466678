use super::*;
use tagwarden_model::api::{
    ClassCount, Configuration, ConfigurationError, Freshness, NotUnderstood, Notifier, PasteFormat, PasteItem, Pasted,
    Proposal, RepositoryPreview, Unread, WatchSource,
};
use tagwarden_model::digest::Digest;
use tagwarden_model::tag::Band;

fn flag(current: bool) -> Flag {
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

#[test]
fn a_flag_that_a_rule_lowers_says_which() {
    assert_eq!(lowered(&flag(true)), None);
    let flag = Flag { severity: Severity::Info, lowered_by: Some("policy:**:*-ci".into()), ..flag(true) };
    assert_eq!(lowered(&flag).as_deref(), Some("lowered to info by the rule policy:**:*-ci"));
}

fn summary(repositories: u64, needs_attention: u64, needs_review: u64, late: u64) -> Summary {
    Summary {
        repositories,
        registries: 1,
        releases: 1204,
        published_30_days: 42,
        needs_attention,
        needs_review,
        late,
        promised_ms: None,
        read_only: false,
        demo_percent: None,
    }
}

fn repository(name: &str) -> Repository {
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
fn a_registry_is_as_well_as_its_worst_repository() {
    let fine = Repository { last_pass: Some(Instant(7)), ..repository("a/api") };
    let broken = Repository {
        state: RepositoryState::Failing,
        state_reason: Some("no connection".into()),
        ..repository("a/web")
    };
    let lines = registries(&[fine, broken, repository("b/only")]);
    let said: Vec<_> = lines.iter().map(|line| (line.host.as_str(), line.word, line.why.as_deref())).collect();
    assert_eq!(said, [("a", "failing", Some("1 of 2: no connection")), ("b", "ok", None)]);
    assert_eq!(lines[0].checked, Some(Instant(7)));
}

#[test]
fn the_headline_says_what_a_person_must_know() {
    for (summary, flags, words) in [
        (summary(0, 0, 0, 0), vec![], "Nothing is watched yet."),
        (summary(3, 0, 0, 0), vec![], "Every release is as it was first seen."),
        (summary(3, 0, 0, 1), vec![], "Every release is as it was first seen, where it could be checked."),
        (summary(3, 1, 0, 0), vec![flag(true)], "One release was changed after it was published."),
        (summary(3, 1, 1, 0), vec![flag(false)], "One release was removed after it was published."),
        (summary(3, 2, 0, 0), vec![flag(true), flag(true)], "Two releases were changed after they were published."),
        (
            summary(3, 2, 0, 0),
            vec![flag(true), flag(false)],
            "Two releases were changed or removed after they were published.",
        ),
        (summary(3, 40, 0, 0), vec![flag(true)], "40 flags need a decision."),
        (summary(3, 0, 1, 0), vec![], "One release was changed and is as first seen again."),
    ] {
        assert_eq!(headline(&summary, &flags), words);
    }
}

#[test]
fn numbers_are_grouped_and_plurals_right() {
    assert_eq!(count(1, "tag", "tags"), "1 tag");
    assert_eq!(count(1_234_567, "tag", "tags"), "1,234,567 tags");
    assert_eq!(
        scope(&summary(1, 0, 0, 0)),
        "1 repository in 1 registry · 1,204 releases watched · 42 published in the last 30 days"
    );
}

#[test]
fn a_flag_is_named_by_the_last_part_of_its_repository() {
    assert_eq!(subject(&flag(true)), "payments-api 2.3.0");
    assert_eq!(split_name("api"), ("", "api"));
    assert_eq!(flag_title(&flag(true), Some(Millis::days(19))), "was reassigned 19 days after it was first seen");
    assert_eq!(flag_title(&flag(false), None), "was removed");
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
        (vec![band(Band::Hot, Some(5), 1)], Some((Some(5), "every day"))),
        (vec![band(Band::Hot, Some(5), 1), band(Band::Cold, Some(3), 7)], Some((Some(3), "every week"))),
        (vec![band(Band::Hot, Some(5), 3), band(Band::Cold, Some(7), 21)], Some((Some(5), "every 3 days"))),
        (vec![band(Band::Hot, Some(5), 1), band(Band::Cold, None, 7)], Some((None, "every week"))),
        (vec![band(Band::Hot, None, 1), band(Band::Cold, None, 7)], Some((None, "every week"))),
    ] {
        let repository = Repository { freshness: bands, ..repository("r/api") };
        assert_eq!(proven(&repository), expected.map(|(at, every)| (at.map(Instant), every.to_owned())));
    }
}

#[test]
fn a_repository_that_is_not_checked_promises_nothing() {
    let mut repository = repository("r/api");
    assert_eq!(repository_headline(&repository, &[]), "All 9 releases are as first seen.");
    repository.state = RepositoryState::Failing;
    assert_eq!(repository_headline(&repository, &[]), "When last seen, 9 releases were as first seen.");
    assert_eq!(repository_headline(&repository, &[flag(true)]), "One flag among 9 releases needs a decision.");
    assert_eq!(state_word(&repository), ("failing", Tone::Warning));
}

#[test]
fn tags_that_nobody_could_read_are_named_with_the_reason() {
    let mut found = repository("r/api");
    assert_eq!(unread(&found), None);
    found.unread = Some(Unread { count: 3, reason: "not understood: an old manifest".into() });
    assert_eq!(unread(&found).as_deref(), Some("3 tags could not be read: not understood: an old manifest"));
    found.unread = Some(Unread { count: 1, reason: "not found".into() });
    assert_eq!(unread(&found).as_deref(), Some("1 tag could not be read: not found"));
}

#[test]
fn a_registry_that_refuses_everything_is_said_once_with_the_next_step() {
    let mut registry = Registry {
        name: "acme".into(),
        host: "ghcr.io".into(),
        repositories: 3,
        state: RegistryState::Unauthorized,
        state_reason: Some("refused: denied".into()),
        state_since: None,
    };
    let hidden = |name: &str, host: &str| Repository {
        name: name.into(),
        registry: host.into(),
        state: RepositoryState::Hidden,
        ..repository("r/api")
    };
    let repositories = [hidden("quay.io/a", "quay.io"), hidden("ghcr.io/acme/api", "ghcr.io")];
    assert_eq!(
        locked_out(&registry, &repositories),
        Some((
            "acme refuses all 3 watched repositories (refused: denied).".into(),
            "tagwarden check ghcr.io/acme/api".into()
        ))
    );
    registry.state = RegistryState::Failing;
    assert_eq!(locked_out(&registry, &repositories), None, "its repositories say so themselves");
}

#[test]
fn a_wrong_configuration_is_said_with_what_is_in_force() {
    let error = |line: Option<u64>, advice: &str| ConfigurationError {
        line,
        column: line,
        message: "`usrname` is no key of [[registry]]".into(),
        advice: advice.into(),
    };
    let errors = vec![error(Some(7), "did you mean `username`?"), error(None, "")];
    let mut of = Configuration { file: Some("/etc/tagwarden.toml".into()), loaded_at: Instant(0), errors };
    assert_eq!(
        wrong_configuration(&of, Instant(180_000)),
        "The newest version of tagwarden.toml has 2 mistakes and is not in force; the one that was read 3 min ago is."
    );
    let words: Vec<_> = of.errors.iter().map(configuration_error).collect();
    assert_eq!(
        words,
        [
            "line 7: `usrname` is no key of [[registry]]; did you mean `username`?",
            "`usrname` is no key of [[registry]]"
        ]
    );
    of.errors.pop();
    assert!(wrong_configuration(&of, Instant(0)).contains("has a mistake and is not in force; the one"));
}

#[test]
fn a_notifier_that_was_not_told_is_said_first() {
    let ok = Notifier {
        name: "on-call".into(),
        kind: "slack".into(),
        host: "hooks.example".into(),
        waiting: 0,
        dead: 0,
        last_success: Some(Instant(5)),
        last_failure: Some(Instant(4)),
        error: Some("answered 500".into()),
        next: None,
    };
    let waiting = Notifier { waiting: 2, ..ok.clone() };
    let failing = Notifier { waiting: 1, last_failure: Some(Instant(6)), ..ok.clone() };
    let dead = Notifier { dead: 1_200, ..ok.clone() };
    let words = [&ok, &waiting, &failing, &dead].map(notifier_word);
    assert_eq!(words.map(|(word, _)| word), ["ok", "2 waiting", "failing", "1,200 not told"]);
    for (notifiers, sentence) in [
        (vec![], "Nobody is told of flags: the configuration has no notifier yet."),
        (vec![ok.clone()], "One notifier is told of flags."),
        (vec![dead.clone()], "The only notifier could not be told."),
        (vec![ok.clone(), waiting.clone()], "Two notifiers are told of flags."),
        (vec![ok, waiting, failing, dead], "Two of 4 notifiers could not be told."),
    ] {
        assert_eq!(notifiers_sentence(&notifiers), sentence);
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
fn a_preview_says_what_is_there_or_why_not() {
    let nothing = RepositoryPreview { reason: Some("r.example has no repository api".into()), ..Default::default() };
    assert_eq!(preview_lines(&nothing), ["r.example has no repository api."]);
    let classes = [(Class::Release, 1_200, "2.4.0"), (Class::Rolling, 14, "2.4")];
    let classes = classes.map(|(class, tags, example)| ClassCount { class, tags, examples: vec![example.into()] });
    let proposal = Proposal {
        repository: "r/api".into(),
        never_moved_since: None,
        moves: 0,
        pattern: "[0-9].[0-9]".into(),
        class: Class::Release,
        tags: 14,
        examples: vec!["2.4".into()],
    };
    let found = RepositoryPreview {
        found: true,
        watched: true,
        tags: 1_214,
        classes: classes.into(),
        proposals: vec![proposal],
        ..Default::default()
    };
    assert_eq!(
        preview_lines(&found),
        [
            "Found, with 1,214 tags. It is watched already.",
            "1,200 release: 2.4.0",
            "14 rolling: 2.4",
            "14 tags like 2.4: rolling. If they never move, a rule for [0-9].[0-9] makes them releases."
        ]
    );
}

#[test]
fn a_pasted_text_is_counted_and_what_was_not_understood_is_named() {
    let item = PasteItem { name: "r/api".into(), tags: vec![], places: vec![], watched: false };
    let not = NotUnderstood { place: "line 3".into(), text: "x y".into(), reason: "this is no image".into() };
    let mut text = Pasted { format: PasteFormat::Names, items: vec![item], not_understood: vec![], truncated: false };
    assert_eq!(pasted(&text), "1 repository found.");
    text.not_understood = vec![not.clone(), not];
    assert_eq!(pasted(&text), "1 repository found. 2 places were not understood; line 3: this is no image.");
}

#[test]
fn red_is_for_flags_alone() {
    assert_eq!(flag_chip(&flag(true)), ("Critical".into(), Tone::Flag));
    for readiness in Readiness::ALL {
        assert_ne!(readiness_tone(*readiness), Tone::Flag);
    }
}
