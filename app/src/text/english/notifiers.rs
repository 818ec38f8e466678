//! Who is told of flags.

use tagwarden_model::api::Notifier;

use super::{count, grouped, number};
use crate::meaning::is_failing;

pub const FIRST: &str = "In tagwarden.toml";
pub const FIRST_WHAT: &str = "a Slack channel";
pub const FIRST_HELP: &str =
    "Or a signed webhook, or mail: the README has them all. The file is read again when it changes.";
pub const NOTIFIER: &str = "Notifier";
pub const LAST_TOLD: &str = "Last told";
pub const ACTS: &str = "Acts";
pub const AT_HOST: &str = " at ";
pub const RETRY: &str = "Retry";
pub const TEST: &str = "Send a test";
pub const TEST_DELIVERED: &str = "The test message was taken.";
pub const TEST_UNDER_WAY: &str = "The test message is under way.";

/// Whether people can be told.
pub fn headline(notifiers: &[Notifier]) -> String {
    let failing = notifiers.iter().filter(|notifier| is_failing(notifier)).count();
    match (notifiers.len(), failing) {
        (0, _) => "Nobody is told of flags: the configuration has no notifier yet.".to_owned(),
        (1, 0) => "One notifier is told of flags.".to_owned(),
        (1, _) => "The only notifier could not be told.".to_owned(),
        (all, 0) => format!("{} notifiers are told of flags.", number(all as u64)),
        (all, some) => format!("{} of {all} notifiers could not be told.", number(some as u64)),
    }
}

/// How it is with a notifier, in a word.
pub fn word(notifier: &Notifier) -> String {
    match notifier {
        _ if notifier.dead > 0 => format!("{} not told", grouped(notifier.dead)),
        _ if is_failing(notifier) => "failing".to_owned(),
        _ if notifier.waiting > 0 => format!("{} waiting", grouped(notifier.waiting)),
        _ => "ok".to_owned(),
    }
}

pub fn retried(messages: u64) -> String {
    format!("{} tried again.", count(messages, "message is", "messages are"))
}

pub fn not_told(error: &str) -> String {
    ["Not told: ", error].concat()
}

/// What came of an act.
pub fn said(name: &str, words: &str) -> String {
    [name, ": ", words].concat()
}
