//! The page of a flag.

use tagwarden_model::api::{Flag, Transition};
use tagwarden_model::flag::{FlagState, Resolution};
use tagwarden_model::instant::Millis;

use super::kinds;
use crate::meaning::{Breach, breach};
use crate::time;

pub const TITLE: &str = "Flag";
pub const PRINT: &str = "Print";
pub const WHEN: &str = "When";
pub const WINDOW_PICTURE: &str = "The window in which it happened, to scale";
pub const WHAT_CHANGED: &str = "What changed";
pub const WHAT: &str = "What";
pub const BEFORE: &str = "Before";
pub const AFTER: &str = "After";
pub const STORY: &str = "Story";

/// The window: "Between `time`…" with [`window_middle`] and [`window_end`], or "Before `time`…".
pub const WINDOW_BETWEEN: &str = "Between ";
pub const WINDOW_BEFORE: &str = "Before ";
pub const WINDOW_BEFORE_END: &str = ", when it was first looked at. ";
pub const WINDOW_WIDENED: &str = " A clock changed in between; the window is wider for it.";

pub const COMPARING: &str = "The contents are being compared; until then this ranks as critical.";
pub const SAME_AGAIN: &str = "The name gives the promised digest again.";
pub const PROMISED_AND_NOW: &str = "Promised, and what the name gives now.";

pub const DECIDE: &str = "Decide";
pub const LASTS: &str = "Lasts";
pub const CANCEL: &str = "Cancel";
pub const ACKNOWLEDGE: &str = "Acknowledge";
pub const ACKNOWLEDGE_HELP: &str = "Somebody knows and takes care. It opens again when anything new happens.";
pub const CLOSE_REVIEWED: &str = "Close: reviewed";
pub const CLOSE_REVIEWED_HELP: &str = "The release is as promised again, and it is understood why.";
pub const CLOSE_ACCEPT: &str = "Close: accept";
pub const CLOSE_ACCEPT_HELP: &str = "What the name gives now becomes the promise.";
pub const CLOSE_NO_ISSUE: &str = "Close: not an issue";
pub const CLOSE_NO_ISSUE_HELP: &str = "It needed nobody.";
pub const UNTIL_SOMETHING_NEW: &str = "until something new happens";
pub const FOR_A_DAY: &str = "for a day";
pub const FOR_7_DAYS: &str = "for 7 days";
pub const FOR_30_DAYS: &str = "for 30 days";

/// What the page says first. `after` is how long the subject had been there.
pub fn heading(subject: &str, flag: &Flag, after: Option<Millis>) -> String {
    let (verb, is_dated) = match (breach(flag), flag.state) {
        (Breach::Vanished, _) => ("is gone", false),
        (Breach::Invisible, _) => ("is no longer visible to these credentials", false),
        (Breach::Changed, FlagState::Restored) => ("was changed and restored", true),
        (Breach::Changed, _) if flag.promise.is_none() => ("is back though it was retired", false),
        (Breach::Changed, _) => ("was reassigned", true),
        (Breach::Removed, _) => ("was removed", true),
    };
    match after.filter(|after| is_dated && after.0 > 0) {
        Some(after) => format!("{subject} {verb} {} after it was first seen", time::length(after)),
        None => [subject, " ", verb].concat(),
    }
}

/// The chip of a flag that is open, with how long it has been.
pub fn open_for(word: &str, age: &str) -> String {
    [word, " · open ", age].concat()
}

/// Why a flag is less severe than what happened.
pub fn lowered(flag: &Flag, rule: &str) -> String {
    ["lowered to ", kinds::severity(flag.severity), " by the rule ", rule].concat()
}

/// Between the two times of the window.
pub fn window_middle(of: Breach) -> &'static str {
    match of {
        Breach::Changed => " (last seen old) and ",
        Breach::Removed | Breach::Vanished | Breach::Invisible => " (last seen) and ",
    }
}

/// After the two times of the window.
pub fn window_end(of: Breach) -> &'static str {
    match of {
        Breach::Changed => " (first seen new). ",
        Breach::Removed | Breach::Vanished => " (found gone). ",
        Breach::Invisible => " (refused). ",
    }
}

pub fn exposed_until_restored(length: &str) -> String {
    ["Exposed for ", length, ", then restored."].concat()
}

pub fn exposed_so_far(length: &str) -> String {
    ["Exposed for ", length, " so far."].concat()
}

/// What an image's label claims, as a sentence after another one.
pub fn claim(claim: &str) -> String {
    [" It ", claim, "."].concat()
}

/// What somebody did with the flag, after the name.
pub fn step(step: &Transition) -> &'static str {
    match (step.to, step.resolution) {
        (FlagState::Open, _) if step.from.is_none() => "opened the flag",
        (FlagState::Open, _) if step.from == Some(FlagState::Open) => "ranked it anew",
        (FlagState::Open, _) => "opened it again",
        (FlagState::Acknowledged, _) => "acknowledged it",
        (FlagState::Restored, _) => "saw the promised digest again",
        (FlagState::Closed, Some(Resolution::Accepted)) => "closed it: accepted as the new promise",
        (FlagState::Closed, Some(Resolution::NotAnIssue)) => "closed it: not an issue",
        (FlagState::Closed, _) => "closed it: reviewed",
    }
}
