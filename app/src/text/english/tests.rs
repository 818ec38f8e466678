use tagwarden_model::api::{
    ClassCount, Configuration, ConfigurationError, Flag, NotUnderstood, Notifier, PasteFormat, PasteItem, Pasted,
    Proposal, Registry, RegistryState, Repository, RepositoryPreview, RepositoryState, Summary, Unread,
};
use tagwarden_model::event::Severity;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::tag::Class;

use super::*;
use crate::meaning::tests::{flag as a_flag, repository as a_repository};
use crate::meaning::{locked_out, standing};

#[test]
fn a_flag_that_a_rule_lowers_says_which() {
    let info = Flag { severity: Severity::Info, ..a_flag(true) };
    assert_eq!(flag::lowered(&info, "policy:**:*-ci"), "lowered to info by the rule policy:**:*-ci");
    assert_eq!((flags::word(&info), flags::word(&a_flag(true))), ("Info", "Critical"));
}

fn summary(repositories: u64, needs_attention: u64, needs_review: u64, late: u64) -> Summary {
    Summary {
        repositories,
        watched_since: None,
        registries: 1,
        releases: 1204,
        published_30_days: 42,
        needs_attention,
        needs_review,
        acknowledged: 0,
        late,
        promised_ms: None,
        read_only: false,
        demo_percent: None,
    }
}

#[test]
fn the_headline_says_what_a_person_must_know() {
    for (summary, flags, words) in [
        (summary(0, 0, 0, 0), vec![], "Nothing is watched yet."),
        (summary(3, 0, 0, 0), vec![], "Every release is as it was first seen."),
        (summary(3, 0, 0, 1), vec![], "Every release is as it was first seen, where it could be checked."),
        (summary(3, 1, 0, 0), vec![a_flag(true)], "One release was changed after it was published."),
        (summary(3, 1, 1, 0), vec![a_flag(false)], "One release was removed after it was published."),
        (summary(3, 2, 0, 0), vec![a_flag(true), a_flag(true)], "Two releases were changed after they were published."),
        (
            summary(3, 2, 0, 0),
            vec![a_flag(true), a_flag(false)],
            "Two releases were changed or removed after they were published.",
        ),
        (summary(3, 40, 0, 0), vec![a_flag(true)], "40 flags need a decision."),
        (summary(3, 0, 1, 0), vec![], "One release was changed and is as first seen again."),
    ] {
        assert_eq!(overview::headline(&summary, &flags), words);
    }
    let acknowledged = |acknowledged| Summary { acknowledged, ..summary(3, 0, 0, 0) };
    for (number, words) in [
        (1, "One flag is acknowledged; nothing else has changed."),
        (1204, "1,204 flags are acknowledged; nothing else has changed."),
    ] {
        assert_eq!(overview::headline(&acknowledged(number), &[]), words);
    }
}

#[test]
fn numbers_are_grouped_and_plurals_right() {
    assert_eq!(count(1, "tag", "tags"), "1 tag");
    assert_eq!(count(1_234_567, "tag", "tags"), "1,234,567 tags");
    assert_eq!(
        overview::scope(&summary(1, 0, 0, 0)),
        "1 repository in 1 registry · 1,204 releases watched · 42 published in the last 30 days"
    );
}

#[test]
fn a_title_says_how_long_a_release_had_been_there() {
    let nineteen = flag::heading("api 2.3.0", &a_flag(true), Some(Millis::days(19)));
    assert_eq!(nineteen, "api 2.3.0 was reassigned 19 days after it was first seen");
    assert_eq!(flag::heading("api 2.3.0", &a_flag(false), None), "api 2.3.0 was removed");
}

#[test]
fn a_pace_is_said_in_words() {
    assert_eq!(repository::proven_every(Millis::days(1)), ", every day");
    assert_eq!(repository::proven_every(Millis::days(7)), ", every week");
    assert_eq!(repository::not_proven_yet(Millis::days(3)), "bytes not proven yet, promised every 3 days");
}

#[test]
fn a_repository_that_is_not_checked_promises_nothing() {
    let mut found = a_repository("r/api");
    assert_eq!(repository::headline(&found, &[]), "All 9 releases are as first seen.");
    found.state = RepositoryState::Failing;
    assert_eq!(repository::headline(&found, &[]), "When last seen, 9 releases were as first seen.");
    assert_eq!(repository::headline(&found, &[a_flag(true)]), "One flag among 9 releases needs a decision.");
    assert_eq!(repositories::state_word(&standing(&found)), "failing");
}

#[test]
fn tags_that_nobody_could_read_are_named_with_the_reason() {
    let mut found = a_repository("r/api");
    assert_eq!(repositories::unread(&found), None);
    found.unread = Some(Unread { count: 3, reason: "not understood: an old manifest".into() });
    assert_eq!(
        repositories::unread(&found).as_deref(),
        Some("3 tags could not be read: not understood: an old manifest")
    );
    found.unread = Some(Unread { count: 1, reason: "not found".into() });
    assert_eq!(repositories::unread(&found).as_deref(), Some("1 tag could not be read: not found"));
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
        checked: None,
        standings: Vec::new(),
    };
    let hidden = |name: &str, host: &str| Repository {
        name: name.into(),
        registry: host.into(),
        state: RepositoryState::Hidden,
        ..a_repository("r/api")
    };
    let found = [hidden("quay.io/a", "quay.io"), hidden("ghcr.io/acme/api", "ghcr.io")];
    assert_eq!(locked_out(&registry, &found), Some("ghcr.io/acme/api"));
    assert_eq!(repositories::locked_out(&registry), "acme refuses all 3 watched repositories (refused: denied).");
    registry.state = RegistryState::Failing;
    assert_eq!(locked_out(&registry, &found), None, "its repositories say so themselves");
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
        settings::wrong(&of, "3 min ago"),
        "The newest version of tagwarden.toml has 2 mistakes and is not in force; the one that was read 3 min ago is."
    );
    let words: Vec<_> = of.errors.iter().map(settings::mistake).collect();
    assert_eq!(
        words,
        [
            "line 7: `usrname` is no key of [[registry]]; did you mean `username`?",
            "`usrname` is no key of [[registry]]"
        ]
    );
    of.errors.pop();
    assert!(settings::wrong(&of, "just now").contains("has a mistake and is not in force; the one"));
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
    let words = [&ok, &waiting, &failing, &dead].map(notifiers::word);
    assert_eq!(words, ["ok", "2 waiting", "failing", "1,200 not told"]);
    for (told, sentence) in [
        (vec![], "Nobody is told of flags: the configuration has no notifier yet."),
        (vec![ok.clone()], "One notifier is told of flags."),
        (vec![dead.clone()], "The only notifier could not be told."),
        (vec![ok.clone(), waiting.clone()], "Two notifiers are told of flags."),
        (vec![ok, waiting, failing, dead], "Two of 4 notifiers could not be told."),
    ] {
        assert_eq!(notifiers::headline(&told), sentence);
    }
}

#[test]
fn a_preview_says_what_is_there_or_why_not() {
    let nothing = RepositoryPreview { reason: Some("r.example has no repository api".into()), ..Default::default() };
    assert_eq!(adding::preview(&nothing), ["r.example has no repository api."]);
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
        adding::preview(&found),
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
    assert_eq!(adding::pasted(&text), "1 repository found.");
    text.not_understood = vec![not.clone(), not];
    assert_eq!(adding::pasted(&text), "1 repository found. 2 places were not understood; line 3: this is no image.");
}
