//! What stands on a timeline.

use tagwarden_model::timeline::Words;

use super::{count, time};

/// What is written on the picture itself.
pub const WORDS: Words = Words {
    now: "now",
    releases: "Releases",
    rebuilt: "Rebuilt tags",
    rolling: "Rolling tags",
    not_watched: ["not watched yet", "not watched"],
    reassigned: REASSIGNED,
    deleted: DELETED,
    restored: RESTORED,
    label,
    earlier,
    seen_before,
    lasted,
    happened: happened_at,
    date: time::date,
    month: time::month,
    date_and_time: time::day_and_time,
};

/// Releases left of a small picture.
fn earlier(number: usize) -> String {
    format!("{number} earlier")
}

/// The same, when they are pointed at.
fn seen_before(number: usize) -> String {
    format!("{number} seen before this picture or before the watch began")
}

/// A bar of a small picture, when it is pointed at.
fn lasted(bar: &str, from: &str, until: &str) -> String {
    format!("{bar}, {from} to {until}")
}

/// A mark of a small picture, when it is pointed at.
fn happened_at(mark: &str, at: &str) -> String {
    [mark, ", ", at].concat()
}

pub const PUBLISHED: &str = "published";
pub const RELEASES: &str = "releases";
pub const FROM_BEFORE: &str = "from before";
pub const STOOD: &str = "It stood when the watch began.";
pub const THEY_STOOD: &str = "They stood when the watch began.";
pub const HINT: &str = "hint";
pub const HINTS: &str = "hints";
pub const REASSIGNED: &str = "reassigned";
pub const RESTORED: &str = "restored";
pub const DELETED: &str = "deleted";
pub const REMOVED: &str = "removed";
pub const MOVES: &str = "moves";
pub const NAMED: &str = "named";
pub const BEFORE: &str = "before";
pub const AS_FIRST_SEEN: &str = "as first seen";
/// The lane of a flag that is not about a tag.
pub const REPOSITORY: &str = "repository";

pub fn at(time: &str) -> String {
    ["at ", time].concat()
}

/// Several events of one mark; `last` is the last tag of them.
pub fn several(from: &str, until: &str, last: Option<&str>) -> String {
    let last = last.map(|tag| format!(", the last of them {tag}")).unwrap_or_default();
    format!("Between {from} and {until}{last}.")
}

/// `happened` says when: "at 11:00:00", "between 10:55:00 and 11:00:00".
pub fn first_seen(happened: &str) -> String {
    ["First seen ", happened, "."].concat()
}

pub fn claimed(time: &str) -> String {
    ["Its image claims to be made at ", time, ". Nobody watched then."].concat()
}

pub fn several_claimed(several: &str) -> String {
    ["Images that claim to be made. ", several].concat()
}

pub fn reassigned(happened: &str, after: &str) -> String {
    ["It means other bytes. That happened ", happened, ", ", after, " after it was first seen."].concat()
}

pub fn restored(happened: &str) -> String {
    ["It means its first bytes again. That happened ", happened, "."].concat()
}

pub fn deleted(happened: &str, after: &str) -> String {
    ["It is gone. That happened ", happened, ", ", after, " after it was first seen."].concat()
}

pub fn gone(happened: &str) -> String {
    ["The tag is gone. That happened ", happened, "."].concat()
}

/// What a rolling tag named: since when and how long, where that is known, and until when, unless it still does.
pub fn named(names: &str, since: Option<(&str, &str)>, until: Option<&str>) -> String {
    let (from, length) =
        since.map_or_else(Default::default, |(from, length)| (format!(" from {from}"), format!(", {length}")));
    let until =
        until.map_or_else(|| "and still does as far as this window shows".to_owned(), |at| format!("until {at}"));
    format!("It named {names}{from}, {until}{length}.")
}

pub fn events_on(number: u32, lane: &str) -> String {
    [&count(u64::from(number), "event", "events"), " on ", lane].concat()
}

/// A row of the table: a name and a word such as [`PUBLISHED`].
pub fn happened(name: &str, word: &str) -> String {
    [name, " ", word].concat()
}

/// A mark of the small picture, when it is pointed at.
pub fn mark(tag: &str, event: &str, digest: &str) -> String {
    format!("{tag} {event} ({digest})")
}

/// The label beside a mark, or on the bar of a digest.
pub fn label(name: &str, word: &str) -> String {
    [name, " ", word].concat()
}

pub fn is_gone(digest: &str) -> String {
    [digest, " is gone"].concat()
}
