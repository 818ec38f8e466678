//! Sentences: what a page says before its lists. Plurals and kinds are right here or nowhere.

mod setup;

use std::cmp::Reverse;

use tagwarden_model::api::{
    Event, Flag, Readiness, Registry, RegistryState, Repository, RepositoryState, Summary, Tag, Target,
};
use tagwarden_model::change::is_trick;
use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::flag::{FlagKind, FlagState};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::order::sort_by_key;
use tagwarden_model::tag::Class;

pub use self::setup::{
    configuration_error, is_failing, notifier_word, notifiers_sentence, pasted, preview_lines, wrong_configuration,
};
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

/// What a tag's page says first.
pub fn tag_sentence(tag: &Tag) -> String {
    match (tag.class, tag.present) {
        (_, None) => "It is listed, and has not been read yet.".into(),
        (Class::Release, Some(false)) if tag.in_breach => {
            "It was removed from the registry after it was first seen.".into()
        }
        (_, Some(false)) => "The registry does not have it any more.".into(),
        (Class::Release, Some(true)) if tag.in_breach && tag.promise.is_none() => {
            "It is back though it was retired.".into()
        }
        (Class::Release, Some(true)) if tag.in_breach => "It means other bytes than it is held to.".into(),
        (Class::Release, Some(true)) if tag.flag.is_some() => {
            "It was changed, and is as it was first seen again.".into()
        }
        (Class::Release, Some(true)) => "It is as it was first seen.".into(),
        (Class::Rebuilt, Some(true)) => {
            "Its publisher rebuilds it on purpose: what changes is recorded, and flagged where it starts otherwise."
                .into()
        }
        (Class::Rolling, Some(true)) => {
            "It moves on purpose: where it pointed is recorded, and no flag is raised.".into()
        }
        (Class::Ignored, Some(true)) => "It is not watched: a rule leaves it out.".into(),
    }
}

/// What the page of a tag's targets says first.
pub fn targets_sentence(targets: &[Target]) -> String {
    let ready = targets.iter().filter(|target| target.readiness == Readiness::Ready).count() as u64;
    match (targets.len() as u64, ready) {
        (0, _) => "No digest to go back to is known: it was never seen in another state.".into(),
        (1, 0) => "One target is known; it has not been proven to be pullable.".into(),
        (1, _) => "One target is known, and it was proven to be pullable.".into(),
        (all, 0) => format!("{} targets are known; none has been proven to be pullable.", number(all)),
        (all, 1) => format!("{} targets are known; one was proven to be pullable.", number(all)),
        (all, ready) => format!("{} targets are known; {ready} were proven to be pullable.", number(all)),
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

/// Flags with those of the same pass and repository behind each, in their order.
pub fn together(flags: Vec<Flag>) -> Vec<Vec<Flag>> {
    let mut rows: Vec<Vec<Flag>> = Vec::new();
    for flag in flags {
        let same = |of: &Flag| {
            (of.group_id, of.kind, of.state) == (flag.group_id, flag.kind, flag.state)
                && of.repository == flag.repository
        };
        let row = rows.iter_mut().find(|row| flag.group_id.is_some() && row.first().is_some_and(same));
        match row {
            Some(row) => row.push(flag),
            None => rows.push(vec![flag]),
        }
    }
    rows
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
        RepositoryState::Paused => ("paused", Tone::Quiet),
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
        RepositoryState::Paused => Some(because("not checked until it is resumed")),
    }
}

/// How one registry's repositories are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryLine {
    /// The registry's canonical host.
    pub host: String,
    /// The worst state of its repositories.
    pub word: &'static str,
    /// As a chip.
    pub tone: Tone,
    /// Why it is not simply ok, with how many are concerned.
    pub why: Option<String>,
    /// When the newest pass over one of its repositories ended.
    pub checked: Option<Instant>,
}

/// The registries of these repositories, by host.
pub fn registries(repositories: &[Repository]) -> Vec<RegistryLine> {
    let mut hosts: Vec<&str> = repositories.iter().map(|repository| repository.registry.as_str()).collect();
    sort_by_key(&mut hosts, |host| (false, (*host).to_owned()));
    hosts.dedup();
    let line = |host: &str| {
        let of: Vec<&Repository> = repositories.iter().filter(|repository| repository.registry == host).collect();
        let worst = of.iter().max_by_key(|repository| state_word(repository).1.urgency())?;
        let (word, tone) = state_word(worst);
        let concerned = of.iter().filter(|repository| state_word(repository).0 == word).count();
        let why = state_sentence(worst).map(|why| match (concerned, of.len()) {
            (_, 1) => why,
            (concerned, all) => format!("{concerned} of {all}: {why}"),
        });
        let checked = of.iter().filter_map(|repository| repository.last_pass).max();
        Some(RegistryLine { host: host.to_owned(), word, tone, why, checked })
    };
    hosts.into_iter().filter_map(line).collect()
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

/// When the bytes of its tags were proven, and how often they are: by the band that was proven longest ago, so that it holds for
/// all of them. No time while a band waits for its first proof; nothing without tags.
pub fn proven(repository: &Repository) -> Option<(Option<Instant>, String)> {
    let oldest = repository.freshness.iter().min_by_key(|band| (band.last_proof, Reverse(band.proof_promised_ms)))?;
    let every = Millis(i64::try_from(oldest.proof_promised_ms).unwrap_or(i64::MAX));
    let every = match every {
        every if every == Millis::days(1) => "every day".to_owned(),
        every if every == Millis::days(7) => "every week".to_owned(),
        every => format!("every {}", time::length(every)),
    };
    Some((oldest.last_proof, every))
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
    text.chars().map(|c| if c != '\n' && is_trick(c) { '\u{fffd}' } else { c }).collect()
}

/// The first letter as a capital.
pub fn capital(word: &str) -> String {
    let mut word = word.to_owned();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    word
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
    /// How much a person should care, the larger the more.
    pub fn urgency(self) -> u8 {
        match self {
            Self::Flag => 3,
            Self::Warning => 2,
            Self::Quiet => 1,
            Self::Ok => 0,
        }
    }

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

/// Why a flag is less severe than what happened.
pub fn lowered(flag: &Flag) -> Option<String> {
    let rule = flag.lowered_by.as_deref()?;
    Some(format!("lowered to {} by the rule {}", flag.severity.word(), visible(rule)))
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
mod tests;
