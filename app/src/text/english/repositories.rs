//! The list of repositories, and how it is with one of them.

use tagwarden_model::api::{Progress, Registry, Repository, RepositoryState, Standing};

use super::{count, grouped, tags};

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

pub fn none_in(group: &str) -> String {
    ["The group “", group, "” has no repository yet."].concat()
}

/// All of them, and how many are not checked as promised.
pub fn all_checked(all: u64, late: u64) -> String {
    match late {
        0 => format!("{}, checked as promised.", repositories(all)),
        late => format!("{}; {} not checked as promised.", repositories(all), count(late, "is", "are")),
    }
}

/// Those whose name or group was asked for; there may be more of them than are shown.
pub fn some_for(some: u64, more: bool, asked: &str) -> String {
    let words = repositories(some);
    [if more { "The first " } else { "" }, &words, " for “", asked, "”."].concat()
}

pub fn flags(number: u64) -> String {
    count(number, "flag", "flags")
}

/// What a state means for a person, as a chip.
pub fn state_word(standing: &Standing) -> &'static str {
    match standing.state {
        RepositoryState::New => "first reading",
        RepositoryState::Ok if standing.late => "late",
        RepositoryState::Ok => "ok",
        RepositoryState::Empty => "empty",
        RepositoryState::Hidden => "hidden",
        RepositoryState::Vanished => "vanished",
        RepositoryState::Failing => "failing",
        RepositoryState::Paused => "paused",
    }
}

/// Why repositories are not simply ok, in a sentence.
pub fn state_sentence(standing: &Standing) -> Option<String> {
    let fallback = match standing.state {
        RepositoryState::New => {
            let read = |at: Progress| format!("{} of {} tags read", grouped(at.read), grouped(at.found));
            return Some(standing.progress.map_or_else(|| "waits for its first reading".into(), read));
        }
        RepositoryState::Ok if standing.late => "not checked as promised",
        RepositoryState::Ok => return None,
        RepositoryState::Empty => "the list of tags is empty",
        RepositoryState::Hidden => "the list of tags is refused or missing",
        RepositoryState::Vanished => "missing for a day",
        RepositoryState::Failing => "the registry does not answer",
        RepositoryState::Paused => "not checked until it is resumed",
    };
    Some(standing.reason.clone().unwrap_or_else(|| fallback.to_owned()))
}

/// Why a registry is not simply ok, with how many of its repositories are concerned.
pub fn registry_sentence(worst: &Standing, concerned: u64, all: u64) -> Option<String> {
    let why = state_sentence(worst)?;
    Some(if all == 1 { why } else { format!("{} of {}: {why}", grouped(concerned), grouped(all)) })
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
