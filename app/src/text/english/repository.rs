//! The page of a repository.

use tagwarden_model::api::{Flag, Repository, RepositoryState};
use tagwarden_model::instant::Millis;

use super::{count, number, releases, tags};
use crate::meaning::{Tone, needs_attention, standing, state_tone};
use crate::time;

pub const NEXT: &str = "next ";
pub const NEXT_SOON: &str = "next in a moment";
pub const NEXT_DUE: &str = "next pass is due";
pub const PROVEN: &str = "bytes proven ";
pub const IN_GROUPS: &str = "in ";

pub const STOP: &str = "Stop watching";
pub const STOP_ASK: &str = "Stop watching…";
pub const STOP_QUESTION: &str = "Stop watching? Its history stays.";
pub const KEEP: &str = "Keep";
pub const OF_FILE: &str = "watched by the configuration file";
pub const PAUSE: &str = "Pause";
pub const RESUME: &str = "Resume";
pub const GROUPS: &str = "Groups…";
pub const CHECK: &str = "Check now";
pub const CHECKING: &str = "Checking…";

pub const GROUP_OF_FILE: &str = "by the configuration file";
pub const NEW_GROUP: &str = "New group";
pub const ADD_GROUP: &str = "Add";

pub const PURGE: &str = "If it was watched: delete its history for good";
pub const PURGE_NAME: &str = "Type its name";
pub const PURGE_ACT: &str = "Delete";
pub const PURGED: &str = "Its history is deleted.";

/// What the page says first.
pub fn headline(repository: &Repository, flags: &[Flag]) -> String {
    let urgent = flags.iter().filter(|flag| needs_attention(flag)).count() as u64;
    let of = releases(repository.releases);
    let checked = state_tone(&standing(repository)) == Tone::Ok;
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

pub fn counts(repository: &Repository) -> String {
    [&tags(repository.tags), ", ", &releases(repository.releases)].concat()
}

pub fn promised_within(length: &str) -> String {
    ["promised within ", length].concat()
}

/// How often bytes are proven, after when they were.
pub fn proven_every(pace: Millis) -> String {
    [", ", &every(pace)].concat()
}

pub fn not_proven_yet(pace: Millis) -> String {
    ["bytes not proven yet, promised ", &every(pace)].concat()
}

/// "every week".
fn every(pace: Millis) -> String {
    match pace {
        pace if pace == Millis::days(1) => "every day".to_owned(),
        pace if pace == Millis::days(7) => "every week".to_owned(),
        pace => format!("every {}", time::length(pace)),
    }
}
