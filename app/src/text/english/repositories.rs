//! The list of repositories, and how it is with one of them.

use tagwarden_model::api::{Registry, Repository, RepositoryState};

use super::{count, grouped, tags};
use crate::meaning::{RegistryLine, is_late};

pub const WATCH_ANOTHER: &str = "Watch another repository";
pub const LOCKED_OUT_STEP: &str = " See what it answers to each step: ";
pub const GROUPS: &str = "Groups";
pub const ALL: &str = "All";
pub const SHOW_ALL: &str = "Show all";
pub const ITS_TIMELINE: &str = "Its timeline";
pub const CHECKED: &str = "Checked";
pub const PROMISED: &str = "Promised within";
pub const RELEASES: &str = "Releases";
pub const TAGS: &str = "Tags";
pub const NONE: &str = "Nothing is watched yet.";

fn repositories(number: u64) -> String {
    count(number, "repository", "repositories")
}

pub fn none_called(name: &str) -> String {
    ["No watched repository is called “", name, "”."].concat()
}

/// All of them, and how many are not checked as promised.
pub fn all_checked(all: u64, late: u64) -> String {
    match late {
        0 => format!("{}, checked as promised.", repositories(all)),
        late => format!("{}; {} not checked as promised.", repositories(all), count(late, "is", "are")),
    }
}

/// Those whose name or group was asked for.
pub fn some_for(some: u64, all: u64, asked: &str) -> String {
    format!("{} of {all} for “{asked}”.", grouped(some))
}

pub fn flags(number: u64) -> String {
    count(number, "flag", "flags")
}

/// What a state means for a person, as a chip.
pub fn state_word(repository: &Repository) -> &'static str {
    match repository.state {
        RepositoryState::New => "first reading",
        RepositoryState::Ok if is_late(repository) => "late",
        RepositoryState::Ok => "ok",
        RepositoryState::Empty => "empty",
        RepositoryState::Hidden => "hidden",
        RepositoryState::Vanished => "vanished",
        RepositoryState::Failing => "failing",
        RepositoryState::Paused => "paused",
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

/// Why a registry is not simply ok, with how many repositories are concerned.
pub fn registry_sentence(line: &RegistryLine) -> Option<String> {
    let why = state_sentence(&line.worst)?;
    Some(if line.all == 1 { why } else { format!("{} of {}: {why}", line.concerned, line.all) })
}

/// Tags that are in no count because nobody could read them.
pub fn unread(repository: &Repository) -> Option<String> {
    let unread = repository.unread.as_ref()?;
    Some(format!("{} could not be read: {}", tags(unread.count), unread.reason))
}

/// What a registry that refuses all its repositories says, once for all of them.
pub fn locked_out(registry: &Registry) -> String {
    let all = match registry.repositories {
        1 => "its watched repository".to_owned(),
        many => format!("all {} watched repositories", grouped(many)),
    };
    let because = registry.state_reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{} refuses {all}{because}.", registry.name)
}
