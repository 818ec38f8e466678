//! What stands on a timeline.

use tagwarden_model::event::EventKind;
use tagwarden_model::tag::Band;
use tagwarden_model::timeline::Words;

use super::{count, time};

/// What is written on the picture itself.
pub const WORDS: Words = Words {
    now: "now",
    releases: "Releases",
    rebuilt: "Rebuilt tags",
    rolling: "Rolling tags",
    not_watched: ["not watched yet", "not watched"],
    deleted: DELETED,
    befell: |kind, restored| befell(kind, restored)[0],
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

/// Behind the words of an event.
pub const UNPROVEN: &str = " Claimed by a header, not yet proven.";

/// What such an event did to a release, a rebuilt tag or a repository, and whether it is as promised after it: in a word and in a
/// sentence.
pub fn befell(kind: EventKind, restored: bool) -> [&'static str; 2] {
    match kind {
        EventKind::Returned => ["is back", "The repository is back."],
        EventKind::Retracted => ["retracted", "What a header claimed was wrong."],
        _ if restored => [RESTORED, "It is as promised again."],
        EventKind::Deleted => [DELETED, "It is gone."],
        EventKind::Vanished => ["vanished", "The repository is gone."],
        EventKind::Recreated => ["recreated", "It is back, and not as promised."],
        _ => [REASSIGNED, "It means other bytes."],
    }
}

/// `happened` says when, `after` how long after it was first seen.
pub fn what_befell(what: &str, happened: &str, after: Option<&str>) -> String {
    let after = after.map(|after| [", ", after, " after it was first seen"].concat()).unwrap_or_default();
    [what, " That happened ", happened, &after, "."].concat()
}

pub fn gone(happened: &str) -> String {
    ["The tag is gone. That happened ", happened, "."].concat()
}

/// What a rolling tag named: since when, where that is known, until when, unless it still does (`lasts`) or that is not known, and
/// how long.
pub fn named(names: &str, since: Option<&str>, until: Option<&str>, lasts: bool, length: Option<&str>) -> String {
    let since = since.map(|since| [" from ", since].concat()).unwrap_or_default();
    let until = match until {
        Some(until) => ["until ", until].concat(),
        None if lasts => "and still does".to_owned(),
        None => "and beyond what is shown".to_owned(),
    };
    let length = length.map(|length| [", ", length].concat()).unwrap_or_default();
    ["It named ", names, &since, ", ", &until, &length, "."].concat()
}

pub const NOT_OBSERVED: &str = "not observed";
pub const NOT_WATCHED: &str = "not watched";

/// Which tags the registry was not asked for, or did not answer for, once or at times, and why.
pub fn not_observed(band: Band, once: bool, from: &str, until: Option<&str>, reason: &str) -> String {
    let tags = match band {
        Band::Hot => "Rolling tags and new releases",
        Band::Warm => "Releases of the last months",
        Band::Cold => "Older releases",
        Band::Pinned => "Flagged tags",
    };
    let until = until.unwrap_or("now");
    let times = if once { "" } else { " at times" };
    [tags, " were not observed", times, " from ", from, " to ", until, ": ", reason, "."].concat()
}

pub fn not_watched(from: Option<&str>, until: Option<&str>) -> String {
    let from = from.map(|from| [" after ", from].concat()).unwrap_or_default();
    let until = until.map(|until| [" before ", until].concat()).unwrap_or_default();
    ["Nobody watched", &from, &until, "."].concat()
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
