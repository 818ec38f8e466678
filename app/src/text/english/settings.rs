//! What the server works by: the page of settings, a rule that is tried, a configuration with mistakes.

use tagwarden_model::api::{Configuration, ConfigurationError, PolicyPreview, Proposal, WatchSource};
use tagwarden_model::event::Severity;
use tagwarden_model::tag::Class;

use super::{count, grouped, kinds, tags};
use crate::meaning::split_name;

pub const LEAD: &str = "Registries, file groups and policy stand in the configuration file, which is taken up when it is saved without mistakes.";
pub const REGISTRIES: &str = "Registries";
pub const REGISTRIES_HEADS: [&str; 2] = ["Registry", "State, since"];

/// Of a registry: how many are watched.
pub fn repositories(watched: u64) -> String {
    count(watched, "repository", "repositories")
}

pub const REGISTRIES_NONE: &str = "None yet: watching the first repository makes the first entry.";
pub const GROUPS: &str = "Groups";
pub const GROUPS_HEADS: [&str; 3] = ["Group", "Repositories", "Made by"];
pub const GROUPS_NONE: &str = "None yet: put a repository into one on its page, or write a [[group]] into the file.";
pub const RULES: &str = "Policy: the first rule that fits gives a tag its class";
pub const RULES_HEADS: [&str; 6] = ["Order", "Tags", "Repositories", "Class", "Severity", "From"];
pub const BY_SHAPE: &str = "by its shape";
pub const EVERY_OTHER_TAG: &str = "every other tag";
pub const RETENTION: &str = "deletions are expected";

pub const BROWSER: &str = "This browser";
pub const KEYS: &str = "Keys alone are commands: / finds, ? lists all keys. Ctrl-K or Cmd-K finds in any case.";
pub const FILES: &str = "The record as a file";
pub const FILES_EVENTS: &str = "All events as ";
pub const FILES_FLAGS: &str = ", all flags as ";
/// Before and after the command that copies the record.
pub const FILES_BACKUP: [&str; 2] = [". ", " copies all of it."];

pub const TRY: &str = "Try a rule";
pub const TRY_TAGS: &str = "Pattern over tags";
pub const TRY_TAGS_EXAMPLE: &str = "Tags: stable-*";
pub const TRY_REPOSITORIES: &str = "Pattern over repositories";
pub const TRY_REPOSITORIES_EXAMPLE: &str = "Repositories: all";
pub const TRY_ACT: &str = "What would change?";
pub const TRY_HELP: &str = "Without a pattern it says what the record suggests. Nothing is written.";
pub const TRY_IT: &str = "Try it";
pub const TRY_LINE: &str = "for the file";
pub const TRY_FLAG: &str = "the flag of ";
pub const TRY_TRUNCATED: &str = " There is more than is shown.";

/// Who made a group.
pub fn made_by(source: WatchSource) -> &'static str {
    if source == WatchSource::File { "the file" } else { "a person" }
}

pub fn severity_cap(severity: Severity) -> String {
    ["never more than ", kinds::severity(severity)].concat()
}

/// How many tags a rule would change.
pub fn changed(preview: &PolicyPreview) -> String {
    match preview.changed {
        0 => format!("No class of {} would change.", tags(preview.tags)),
        changed => format!("{} of {} would get another class.", grouped(changed), tags(preview.tags)),
    }
}

/// How many tags of a repository would change, and how.
pub fn class_change(number: u64, from: Class, to: Class) -> String {
    format!("{}: {} to {}", tags(number), kinds::class(from), kinds::class(to))
}

/// After the tag whose flag would change.
pub fn severity_change(from: Severity, to: Severity) -> String {
    [": ", kinds::severity(from), " to ", kinds::severity(to)].concat()
}

/// What the record suggests.
pub fn proposal(proposal: &Proposal) -> String {
    let tags = tags(proposal.tags);
    if proposal.class == Class::Release {
        format!("{tags} like {} never moved: releases?", proposal.pattern)
    } else {
        format!("{tags} like {} moved {}: rolling?", proposal.pattern, count(proposal.moves, "time", "times"))
    }
}

/// That the newest configuration has mistakes, and which one is in force. `read` is how long ago that one was read.
pub fn wrong(of: &Configuration, read: &str) -> String {
    let file = of.file.as_deref().unwrap_or("the configuration");
    let (_, name) = split_name(file);
    let mistakes = match of.errors.len() {
        1 => "a mistake".to_owned(),
        many => format!("{many} mistakes"),
    };
    format!("The newest version of {name} has {mistakes} and is not in force; the one that was read {read} is.")
}

/// One mistake of a configuration on one line.
pub fn mistake(error: &ConfigurationError) -> String {
    let place = error.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let advice = if error.advice.is_empty() { String::new() } else { format!("; {}", error.advice) };
    format!("{place}{}{advice}", error.message)
}
