//! The list of flags, and a flag in a list.

use tagwarden_model::api::{Flag, Summary};
use tagwarden_model::event::Severity;
use tagwarden_model::flag::FlagState;

use super::{count, grouped, number, other_releases};
use crate::meaning::{Breach, breach};

pub const STATES: &str = "State of flags";
pub const ALL_NOT_CLOSED: &str = "All not closed";
pub const OPEN: &str = "Open";
pub const ACKNOWLEDGED: &str = "Acknowledged";
pub const NEEDS_REVIEW: &str = "Needs review";
pub const CLOSED: &str = "Closed";

pub const SEVERITY: &str = "Severity";
pub const ALL_SEVERITIES: &str = "All severities";
pub const WARNING_AND_CRITICAL: &str = "Warning and critical";
pub const CRITICAL_ONLY: &str = "Critical only";

pub const FIND: &str = "Repository or tag";
pub const FIND_LABEL: &str = "Only flags of a repository or tag with this text";
pub const ONE_GROUP: &str = "group ";
pub const ALL_GROUPS: &str = "Show all groups";
pub const AS_FILE: &str = "These as ";

pub const NONE_FITS: &str = "No flag fits these filters.";
pub const NONE: &str = "No flag is in this state.";
pub const NONE_HELP: &str =
    "A flag opens by itself when a release means other bytes than it was published with, or is removed.";

pub const WAY_BACK: &str = "Way back…";
pub const REVIEW: &str = "Review";
pub const COMPARING: &str = "comparing what changed";
pub const FLAPPING: &str = "keeps moving";

pub const SELECTED_ACTS: &str = "What is done with the selected flags";
pub const SELECTED_WHY: &str = "Why they are acknowledged";
pub const SELECTED_WHY_EXAMPLE: &str = "Why, for example: clean-up of old builds";
pub const ACKNOWLEDGE: &str = "Acknowledge";
pub const SELECT_ALL: &str = "Select all shown";
pub const SELECT_NONE: &str = "Select none";

/// What the list of flags says first.
pub fn headline(summary: &Summary) -> String {
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

/// The chip of a flag: its severity while it needs someone, else its state.
pub fn word(flag: &Flag) -> &'static str {
    match (flag.state, flag.severity) {
        (FlagState::Closed, _) => CLOSED,
        (FlagState::Restored, _) => NEEDS_REVIEW,
        (FlagState::Acknowledged, _) => ACKNOWLEDGED,
        (FlagState::Open, Severity::Critical) => "Critical",
        (FlagState::Open, Severity::Warning) => "Warning",
        (FlagState::Open, Severity::Info) => "Info",
    }
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

/// The button of a card, for people who hear the page. `act` is [`WAY_BACK`] or [`REVIEW`].
pub fn act_for(act: &str, subject: &str) -> String {
    [act, " for ", subject].concat()
}

/// For how many others a card stands.
pub fn found_with_it(others: u64) -> String {
    ["and ", &other_releases(others), " found with it"].concat()
}

/// A box beside a card that stands for some others, too.
pub fn select(subject: &str, others: u64) -> String {
    let rest = if others == 0 { String::new() } else { [" and ", &other_releases(others)].concat() };
    ["Select ", subject, &rest].concat()
}

pub fn selected(number: u64) -> String {
    [&grouped(number), " selected"].concat()
}

/// What came of acknowledging many; of those that were not, the last reason.
pub fn acknowledged(done: u64, failed: u64, message: Option<&str>) -> String {
    let words = count(done, "flag is acknowledged", "flags are acknowledged");
    match message {
        None => format!("{words}."),
        Some(message) => format!("{words}; {failed} not. {message}"),
    }
}
