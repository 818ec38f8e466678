//! What the things of the record mean to a person, before it is put into words: what a flag is about, what belongs together,
//! how much one should care. The words are in [`crate::text`].

use std::cmp::Reverse;

use tagwarden_model::api::{
    Flag, Notifier, Readiness, Registry, RegistryState, Repository, RepositoryState, Standing, Target,
};
use tagwarden_model::change::is_trick;
use tagwarden_model::event::Severity;
use tagwarden_model::flag::{FlagKind, FlagState};
use tagwarden_model::instant::{Instant, Millis};

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

/// The last part of a repository's name, which people call it by, and what stands before it.
pub fn split_name(name: &str) -> (&str, &str) {
    name.rfind('/').map_or(("", name), |at| name.split_at(at + 1))
}

/// "payments-api 2.3.0": what a flag is about, by its short name.
pub fn subject(flag: &Flag) -> String {
    let (_, short) = split_name(&flag.repository);
    flag.tag.as_ref().map_or_else(|| short.to_owned(), |tag| format!("{short} {tag}"))
}

/// How a repository stands, alone.
pub fn standing(repository: &Repository) -> Standing {
    let late = repository.freshness.iter().find(|band| band.late_since.is_some());
    let reason = match repository.state {
        RepositoryState::Ok => late.and_then(|band| band.late_reason.clone()),
        _ => repository.state_reason.clone(),
    };
    let (state, progress) = (repository.state, repository.progress);
    Standing { state, late: late.is_some(), repositories: 1, reason, progress }
}

/// How one registry's repositories are checked: as the worst of them, how many are like it, and of how many. Nothing where it
/// has none.
pub fn worst(registry: &Registry) -> Option<(&Standing, u64, u64)> {
    let of = &registry.standings;
    let worst = of.iter().max_by_key(|standing| state_tone(standing).urgency())?;
    let is_like = |other: &&Standing| (other.state, state_tone(other)) == (worst.state, state_tone(worst));
    let sum = |like: bool| of.iter().filter(|other| !like || is_like(other)).map(|other| other.repositories).sum();
    Some((worst, sum(true), sum(false)))
}

/// One of the repositories that a registry refuses, when it refuses all of them, or else the registry's host: that is said
/// once for all of them.
pub fn locked_out<'a>(registry: &'a Registry, repositories: &'a [Repository]) -> Option<&'a str> {
    if registry.state != RegistryState::Unauthorized {
        return None;
    }
    let refused = |found: &&Repository| found.registry == registry.host && found.state == RepositoryState::Hidden;
    Some(repositories.iter().find(refused).map_or(&registry.host, |found| &found.name))
}

/// The longest time between two looks that is promised for its newest tags.
pub fn promised(repository: &Repository) -> Option<Millis> {
    let shortest = repository.freshness.iter().map(|band| band.promised_ms).min()?;
    Some(Millis(i64::try_from(shortest).unwrap_or(i64::MAX)))
}

/// When the bytes of its tags were proven, and how often they are: by the band that was proven longest ago, so that it holds for
/// all of them. No time while a band waits for its first proof; nothing without tags.
pub fn proven(repository: &Repository) -> Option<(Option<Instant>, Millis)> {
    let oldest = repository.freshness.iter().min_by_key(|band| (band.last_proof, Reverse(band.proof_promised_ms)))?;
    Some((oldest.last_proof, Millis(i64::try_from(oldest.proof_promised_ms).unwrap_or(i64::MAX))))
}

/// How many of these can be gone back to, as far as is proven.
pub fn ready(targets: &[Target]) -> u64 {
    targets.iter().filter(|target| target.readiness == Readiness::Ready).count() as u64
}

/// Whether the last message for a notifier, or an older one, could not be delivered.
pub fn is_failing(notifier: &Notifier) -> bool {
    notifier.dead > 0 || notifier.last_failure > notifier.last_success
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

/// What the server says, as one sentence: with a capital, unless it begins with a name, and one full stop.
pub fn sentence(words: &str) -> String {
    let words = words.trim_end_matches(['.', ' ']);
    let first = words.split([' ', ',', ':', ';']).next().unwrap_or_default();
    let is_word = first.bytes().all(|byte| byte.is_ascii_lowercase());
    let begun = if is_word { capital(words) } else { words.to_owned() };
    let end = if begun.ends_with(['?', '!', '…']) { "" } else { "." };
    [&begun, end].concat()
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

/// The state of repositories as a chip.
pub fn state_tone(standing: &Standing) -> Tone {
    match standing.state {
        RepositoryState::New | RepositoryState::Paused => Tone::Quiet,
        RepositoryState::Ok if standing.late => Tone::Warning,
        RepositoryState::Ok => Tone::Ok,
        RepositoryState::Empty | RepositoryState::Hidden | RepositoryState::Failing => Tone::Warning,
        RepositoryState::Vanished => Tone::Flag,
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

/// A flag as a chip: by its severity while it needs someone, else by its state.
pub fn flag_tone(flag: &Flag) -> Tone {
    match (flag.state, flag.severity) {
        (FlagState::Restored, _) | (FlagState::Open, Severity::Warning) => Tone::Warning,
        (FlagState::Open, Severity::Critical) => Tone::Flag,
        (FlagState::Closed | FlagState::Acknowledged, _) | (FlagState::Open, Severity::Info) => Tone::Quiet,
    }
}

/// How it is with a notifier as a chip.
pub fn notifier_tone(notifier: &Notifier) -> Tone {
    match notifier {
        _ if is_failing(notifier) => Tone::Warning,
        _ if notifier.waiting > 0 => Tone::Quiet,
        _ => Tone::Ok,
    }
}

#[cfg(test)]
pub(crate) mod tests;
