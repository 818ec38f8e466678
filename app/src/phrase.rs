//! Sentences: what a page says before its lists. Plurals and kinds are right here or nowhere.

use tagwarden_model::api::{
    Configuration, ConfigurationError, Event, Flag, Readiness, Registry, RegistryState, Repository, RepositoryState,
    Summary,
};
use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::flag::{FlagKind, FlagState};
use tagwarden_model::instant::{Instant, Millis};

use crate::time;

const NUMBERS: [&str; 13] =
    ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"];

/// "1 tag", "1,204 tags".
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// "1,204".
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number at the start of a sentence.
fn number(number: u64) -> String {
    usize::try_from(number).ok().and_then(|at| NUMBERS.get(at)).map_or_else(|| grouped(number), |word| (*word).into())
}

/// How a flag differs from what was promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// The tag means other bytes.
    Changed,
    /// The tag is gone.
    Removed,
    /// The repository is gone.
    Vanished,
    /// The repository is refused.
    Invisible,
}

/// What a flag is about.
pub fn breach(flag: &Flag) -> Breach {
    match flag.kind {
        FlagKind::Vanished => Breach::Vanished,
        FlagKind::Invisible => Breach::Invisible,
        FlagKind::Breach if flag.current.is_none() => Breach::Removed,
        FlagKind::Breach => Breach::Changed,
    }
}

/// Whether a flag needs a decision now: open, and more than a line in the log.
pub fn needs_attention(flag: &Flag) -> bool {
    flag.state == FlagState::Open && flag.severity >= Severity::Warning
}

/// The first sentence of the first page.
pub fn headline(summary: &Summary, flags: &[Flag]) -> String {
    let urgent: Vec<Breach> = flags.iter().filter(|flag| needs_attention(flag)).map(breach).collect();
    let known = urgent.len() as u64 == summary.needs_attention;
    let releases = urgent.iter().all(|breach| matches!(breach, Breach::Changed | Breach::Removed));
    let alike = urgent.first().copied().filter(|first| known && urgent.iter().all(|other| other == first));
    let amount = number(summary.needs_attention);
    match (summary.repositories, summary.needs_attention, summary.needs_review) {
        (0, ..) => "Nothing is watched yet.".into(),
        (_, 0, 0) if summary.releases == 0 => "No release has been found yet.".into(),
        (_, 0, 0) if flags.len() == 1 => "One flag is acknowledged; nothing else has changed.".into(),
        (_, 0, 0) if !flags.is_empty() => {
            format!("{} flags are acknowledged; nothing else has changed.", number(flags.len() as u64))
        }
        (_, 0, 0) if summary.late > 0 => "Every release is as it was first seen, where it could be checked.".into(),
        (_, 0, 0) => "Every release is as it was first seen.".into(),
        (_, 0, 1) => "One release was changed and is as first seen again.".into(),
        (_, 0, review) => format!("{} releases were changed and are as first seen again.", number(review)),
        (_, 1, _) => match alike {
            Some(Breach::Changed) => "One release was changed after it was published.".into(),
            Some(Breach::Removed) => "One release was removed after it was published.".into(),
            Some(Breach::Vanished) => "One repository is gone.".into(),
            Some(Breach::Invisible) => "One repository can no longer be seen.".into(),
            None => "One flag needs a decision.".into(),
        },
        _ => match alike {
            Some(Breach::Changed) => format!("{amount} releases were changed after they were published."),
            Some(Breach::Removed) => format!("{amount} releases were removed after they were published."),
            Some(Breach::Vanished) => format!("{amount} repositories are gone."),
            Some(Breach::Invisible) => format!("{amount} repositories can no longer be seen."),
            None if known && releases => {
                format!("{amount} releases were changed or removed after they were published.")
            }
            None => format!("{amount} flags need a decision."),
        },
    }
}

/// What a repository's page says first.
pub fn repository_headline(repository: &Repository, flags: &[Flag]) -> String {
    let urgent = flags.iter().filter(|flag| needs_attention(flag)).count() as u64;
    let of = count(repository.releases, "release", "releases");
    let checked = state_word(repository).1 == Tone::Ok;
    match (repository.state, urgent, repository.releases) {
        (RepositoryState::New, ..) => "It is being read for the first time.".into(),
        (_, 0, 0) => "No release of it has been read.".into(),
        (_, 0, 1) if flags.is_empty() && checked => "Its release is as it was first seen.".into(),
        (_, 0, all) if flags.is_empty() && !checked => {
            format!("When last seen, {} as first seen.", count(all, "release was", "releases were"))
        }
        (_, 0, _) if flags.is_empty() => format!("All {of} are as first seen."),
        (_, 0, _) => format!("Nothing is new; {} known.", count(flags.len() as u64, "flag is", "flags are")),
        (_, 1, _) => format!("One flag among {of} needs a decision."),
        _ => format!("{} flags among {of} need a decision.", number(urgent)),
    }
}

/// What the list of flags says first.
pub fn flags_headline(summary: &Summary) -> String {
    let (attention, review) = (summary.needs_attention, summary.needs_review);
    let reviews = match review {
        0 => "none waits for a review".into(),
        1 => "one waits for a review".into(),
        more => format!("{} wait for a review", grouped(more)),
    };
    match attention {
        0 => format!("No flag needs a decision, {reviews}."),
        1 => format!("One flag needs a decision, {reviews}."),
        more => format!("{} flags need a decision, {reviews}.", number(more)),
    }
}

/// What is watched, in one line.
pub fn scope(summary: &Summary) -> String {
    if summary.repositories == 0 {
        return "Releases are promises: this name will always mean these bytes.".into();
    }
    [
        format!(
            "{} in {}",
            count(summary.repositories, "repository", "repositories"),
            count(summary.registries, "registry", "registries")
        ),
        format!("{} watched", count(summary.releases, "release", "releases")),
        format!("{} published in the last 30 days", grouped(summary.published_30_days)),
    ]
    .join(" · ")
}

/// What happened to the subject of a flag, after its name.
pub fn predicate(flag: &Flag) -> &'static str {
    match (breach(flag), flag.state) {
        (Breach::Vanished, _) => "is gone",
        (Breach::Invisible, _) => "is no longer visible to these credentials",
        (_, FlagState::Restored) => "is as it was first seen again",
        (Breach::Removed, _) => "was removed from the registry",
        (Breach::Changed, _) if flag.promise.is_none() => "is back though it was retired",
        (Breach::Changed, _) => "means other bytes than before",
    }
}

/// The title of a flag's page, after the subject.
pub fn flag_title(flag: &Flag, after: Option<Millis>) -> String {
    let verb = match (breach(flag), flag.state) {
        (Breach::Vanished, _) => return "is gone".into(),
        (Breach::Invisible, _) => return "is no longer visible to these credentials".into(),
        (Breach::Changed, FlagState::Restored) => "was changed and restored",
        (Breach::Changed, _) if flag.promise.is_none() => return "is back though it was retired".into(),
        (Breach::Changed, _) => "was reassigned",
        (Breach::Removed, _) => "was removed",
    };
    match after.filter(|after| after.0 > 0) {
        Some(after) => format!("{verb} {} after it was first seen", time::length(after)),
        None => verb.into(),
    }
}

/// The last part of a repository's name, which people call it by, and what stands before it.
pub fn split_name(name: &str) -> (&str, &str) {
    name.rfind('/').map_or(("", name), |at| name.split_at(at + 1))
}

/// "payments-api 2.3.0".
pub fn subject(flag: &Flag) -> String {
    let (_, short) = split_name(&flag.repository);
    flag.tag.as_ref().map_or_else(|| short.to_owned(), |tag| format!("{short} {tag}"))
}

/// What a state means for a person, as a chip.
pub fn state_word(repository: &Repository) -> (&'static str, Tone) {
    let late = repository.freshness.iter().any(|band| band.late_since.is_some());
    match repository.state {
        RepositoryState::New => ("first reading", Tone::Quiet),
        RepositoryState::Ok if late => ("late", Tone::Warning),
        RepositoryState::Ok => ("ok", Tone::Ok),
        RepositoryState::Empty => ("empty", Tone::Warning),
        RepositoryState::Hidden => ("hidden", Tone::Warning),
        RepositoryState::Vanished => ("vanished", Tone::Flag),
        RepositoryState::Failing => ("failing", Tone::Warning),
    }
}

/// Why a repository is not simply ok, in a sentence.
pub fn state_sentence(repository: &Repository) -> Option<String> {
    let reason = repository.state_reason.clone();
    let because = |fallback: &str| reason.clone().unwrap_or_else(|| fallback.to_owned());
    match repository.state {
        RepositoryState::New => {
            let progress =
                repository.progress.map(|at| format!("{} of {} tags read", grouped(at.read), grouped(at.found)));
            Some(progress.unwrap_or_else(|| "waits for its first reading".into()))
        }
        RepositoryState::Ok => repository.freshness.iter().find_map(|band| {
            band.late_since?;
            Some(band.late_reason.clone().unwrap_or_else(|| "not checked as promised".into()))
        }),
        RepositoryState::Empty => Some(because("the list of tags is empty")),
        RepositoryState::Hidden => Some(because("the list of tags is refused or missing")),
        RepositoryState::Vanished => Some(because("missing for a day")),
        RepositoryState::Failing => Some(because("the registry does not answer")),
    }
}

/// Tags that are in no count because nobody could read them.
pub fn unread(repository: &Repository) -> Option<String> {
    let unread = repository.unread.as_ref()?;
    Some(format!("{} could not be read: {}", count(unread.count, "tag", "tags"), unread.reason))
}

/// What a registry that refuses all its repositories says, and the command that shows why: once for all of them.
pub fn locked_out(registry: &Registry, repositories: &[Repository]) -> Option<(String, String)> {
    if registry.state != RegistryState::Unauthorized {
        return None;
    }
    let all = match registry.repositories {
        1 => "its watched repository".to_owned(),
        many => format!("all {} watched repositories", grouped(many)),
    };
    let because = registry.state_reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let refused = |found: &&Repository| found.registry == registry.host && found.state == RepositoryState::Hidden;
    let example = repositories.iter().find(refused).map_or(&registry.host, |found| &found.name);
    Some((format!("{} refuses {all}{because}.", registry.name), format!("tagwarden check {example}")))
}

/// The longest time between two looks that is promised for its newest tags.
pub fn promised(repository: &Repository) -> Option<Millis> {
    let shortest = repository.freshness.iter().map(|band| band.promised_ms).min()?;
    Some(Millis(i64::try_from(shortest).unwrap_or(i64::MAX)))
}

/// That the newest configuration has mistakes, and which one is in force.
pub fn wrong_configuration(of: &Configuration, now: Instant) -> String {
    let file = of.file.as_deref().unwrap_or("the configuration");
    let (_, name) = split_name(file);
    let mistakes = match of.errors.len() {
        1 => "a mistake".to_owned(),
        many => format!("{many} mistakes"),
    };
    let read = time::relative(of.loaded_at, now);
    format!("The newest version of {name} has {mistakes} and is not in force; the one that was read {read} is.")
}

/// One mistake of a configuration on one line.
pub fn configuration_error(error: &ConfigurationError) -> String {
    let place = error.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let advice = if error.advice.is_empty() { String::new() } else { format!("; {}", error.advice) };
    format!("{place}{}{advice}", error.message)
}

/// What an event says after the tag's name.
pub fn event_word(event: &Event) -> &'static str {
    match event.kind {
        EventKind::Created if event.baseline => "was there when watching began",
        EventKind::Created => "published",
        EventKind::Moved => "moved",
        EventKind::Deleted => "deleted",
        EventKind::Recreated => "is back",
        EventKind::Retracted => "did not move: the header was wrong",
        EventKind::Vanished => "repository vanished",
        EventKind::Returned => "repository is back",
    }
}

/// Readiness as a chip.
pub fn readiness_tone(readiness: Readiness) -> Tone {
    match readiness {
        Readiness::Ready => Tone::Ok,
        Readiness::Incomplete | Readiness::Blocked => Tone::Warning,
        Readiness::Gone | Readiness::Unproven => Tone::Quiet,
    }
}

/// A text that a person or a registry wrote, with the characters made visible that would turn the direction of what
/// follows, or hide.
pub fn visible(text: &str) -> String {
    let tricks =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    text.chars().map(|c| if tricks(c) || (c.is_control() && c != '\n') { '\u{fffd}' } else { c }).collect()
}

/// The first letter as a capital.
pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The colour of a chip. Red is for flags alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A flag.
    Flag,
    /// Not as it should be, and no flag.
    Warning,
    /// As it should be.
    Ok,
    /// Neither.
    Quiet,
}

impl Tone {
    /// The class of the chip.
    pub fn class(self) -> &'static str {
        match self {
            Self::Flag => "chip chip-flag",
            Self::Warning => "chip chip-warning",
            Self::Ok => "chip chip-ok",
            Self::Quiet => "chip",
        }
    }
}

/// The chip of a flag: its severity while it needs someone, else its state.
pub fn flag_chip(flag: &Flag) -> (String, Tone) {
    match flag.state {
        FlagState::Closed => ("Closed".into(), Tone::Quiet),
        FlagState::Restored => ("Needs review".into(), Tone::Warning),
        FlagState::Acknowledged => ("Acknowledged".into(), Tone::Quiet),
        FlagState::Open => {
            let tone = match flag.severity {
                Severity::Critical => Tone::Flag,
                Severity::Warning => Tone::Warning,
                Severity::Info => Tone::Quiet,
            };
            (capital(flag.severity.word()), tone)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tagwarden_model::api::{Unread, WatchSource};
    use tagwarden_model::digest::Digest;

    fn flag(current: bool) -> Flag {
        Flag {
            id: 1,
            kind: FlagKind::Breach,
            state: FlagState::Open,
            severity: Severity::Critical,
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

    fn repository() -> Repository {
        Repository {
            name: "r/api".into(),
            registry: "r".into(),
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
            progress: None,
            unread: None,
        }
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
            demo_percent: None,
        }
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
    fn a_repository_that_is_not_checked_promises_nothing() {
        let mut repository = repository();
        assert_eq!(repository_headline(&repository, &[]), "All 9 releases are as first seen.");
        repository.state = RepositoryState::Failing;
        assert_eq!(repository_headline(&repository, &[]), "When last seen, 9 releases were as first seen.");
        assert_eq!(repository_headline(&repository, &[flag(true)]), "One flag among 9 releases needs a decision.");
        assert_eq!(state_word(&repository), ("failing", Tone::Warning));
    }

    #[test]
    fn tags_that_nobody_could_read_are_named_with_the_reason() {
        let mut found = repository();
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
            ..repository()
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
    fn red_is_for_flags_alone() {
        assert_eq!(flag_chip(&flag(true)), ("Critical".into(), Tone::Flag));
        for readiness in Readiness::ALL {
            assert_ne!(readiness_tone(*readiness), Tone::Flag);
        }
    }
}
