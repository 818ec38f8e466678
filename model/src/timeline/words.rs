//! What people read on a picture beside names and numbers. The page gives it in its language.

use crate::event::EventKind;

/// The words of one language. None of them begins or ends with a space.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// At the line of the present.
    pub now: &'static str,
    /// Over lanes of releases.
    pub releases: &'static str,
    /// Over lanes of rebuilt tags.
    pub rebuilt: &'static str,
    /// Over lanes of tags that may move.
    pub rolling: &'static str,
    /// Below the time before the watch, the longest first: what fits is taken.
    pub not_watched: [&'static str; 2],
    /// A tag is gone.
    pub deleted: &'static str,
    /// What such an event did to a release or a repository, and whether it is as promised after it.
    pub befell: fn(EventKind, bool) -> &'static str,
    /// The label of a mark: a tag, and one of these words.
    pub label: fn(&str, &str) -> String,
    /// How many releases stand left of a small picture, beside their mark.
    pub earlier: fn(usize) -> String,
    /// The same in a sentence, when it is asked.
    pub seen_before: fn(usize) -> String,
    /// What a bar says when asked: itself, and from when until when.
    pub lasted: fn(&str, &str, &str) -> String,
    /// What a mark says when asked: itself, and when.
    pub happened: fn(&str, &str) -> String,
    /// A month (1 to 12) and a day; the year where it is another one than the present.
    pub date: fn(i64, i64, Option<i64>) -> String,
    /// A month; the year where it begins, or where the axis does.
    pub month: fn(i64, Option<i64>) -> String,
    /// A date and a time of day.
    pub date_and_time: fn(&str, &str) -> String,
}
