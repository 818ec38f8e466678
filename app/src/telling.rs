//! What stands on a timeline, in words: for the pointer, the card and the table.

use tagwarden_model::api::Lane;
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::timeline::{Hit, TileStore, What, lane_label};

use crate::meaning::Tone;
use crate::text::timeline as text;
use crate::time;

/// One thing of a timeline in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What happened, in a word or two.
    pub word: &'static str,
    /// How it is meant.
    pub tone: Tone,
    /// The tag, or the lane where there are several.
    pub name: String,
    /// When and for how long.
    pub sentence: String,
    /// When it happened or, of a span, when it began.
    pub at: Option<Instant>,
    /// Its repository.
    pub repository: String,
    /// Its tag.
    pub tag: Option<String>,
    /// The digest before it.
    pub old: Option<Digest>,
    /// The digest after it; of what is gone, the one that it named.
    pub new: Option<Digest>,
    /// Whether the tag names nothing after it.
    pub is_gone: bool,
    /// Its flag.
    pub flag: Option<i64>,
    /// The number of its event.
    pub seq: Option<i64>,
}

/// Tells of a hit. `offset` is the reader's distance from UTC.
pub fn tell(hit: &Hit, lane: &Lane, store: &TileStore, now: Instant, offset: Millis) -> Told {
    let words = |word| store.text(word).to_owned();
    let day = |at: i64| time::clock_with_date(Instant(at), now, offset);
    let known = (hit.not_before < hit.at).then_some(Instant(hit.not_before));
    let happened = match known {
        None => text::at(&day(hit.at)),
        known => time::window(known, Instant(hit.at), now, offset),
    };
    let after = time::length(Millis(hit.at.saturating_sub(hit.from)));
    let single = hit.is_single();
    let tag = hit.tag.map(words);
    let several = || text::several(&day(hit.from), &day(hit.at), tag.as_deref());
    let (word, sentence) = match hit.what {
        What::Release if single => (text::PUBLISHED, text::first_seen(&happened)),
        What::Release => (text::RELEASES, several()),
        What::Before if single => (text::FROM_BEFORE, text::STOOD.to_owned()),
        What::Before => (text::FROM_BEFORE, text::THEY_STOOD.to_owned()),
        What::Claim if single => (text::HINT, text::claimed(&day(hit.at))),
        What::Claim => (text::HINTS, text::several_claimed(&several())),
        What::Reassigned => (text::REASSIGNED, text::reassigned(&happened, &after)),
        What::Restored => (text::RESTORED, text::restored(&happened)),
        What::Deleted => (text::DELETED, text::deleted(&happened, &after)),
        What::Gone => (text::DELETED, text::gone(&happened)),
        What::Many => (text::MOVES, several()),
        What::Span => {
            let names = hit.digest.map(words).unwrap_or_default();
            let length = || time::length(Instant(hit.at).min(now) - Instant(hit.from));
            let since = (hit.from != i64::MIN).then(|| (day(hit.from), length()));
            let since = since.as_ref().map(|(from, length)| (from.as_str(), length.as_str()));
            let until = (hit.at != i64::MAX).then(|| day(hit.at));
            (text::NAMED, text::named(&names, since, until.as_deref()))
        }
    };
    let label = lane_label(lane);
    let name = match (&tag, hit.what) {
        _ if !single => text::events_on(hit.count, &label),
        (_, What::Span | What::Gone) | (None, _) => label,
        (Some(tag), _) => tag.clone(),
    };
    let digest = |word| store.digest(word).cloned();
    let tag = if matches!(hit.what, What::Span | What::Gone) { Some(lane.name.clone()) } else { tag };
    Told {
        word,
        tone: if hit.active { Tone::Flag } else { Tone::Quiet },
        name,
        sentence,
        at: Some(hit.key()).filter(|at| *at > i64::MIN).map(Instant),
        repository: lane.repository.clone(),
        tag: tag.filter(|_| single),
        old: hit.old.and_then(digest).filter(|_| single),
        new: hit.digest.and_then(digest).filter(|_| single),
        is_gone: matches!(hit.what, What::Deleted | What::Gone),
        flag: hit.flag,
        seq: (hit.seq > 0).then_some(hit.seq),
    }
}

/// The cells of the table's row: lane, what, when, digest.
pub fn row(hit: &Hit, lane: &Lane, told: &Told, now: Instant, offset: Millis) -> [String; 4] {
    let at = if matches!(hit.what, What::Span) { hit.from } else { hit.at };
    let when = if at == i64::MIN { text::BEFORE.to_owned() } else { time::clock_with_date(Instant(at), now, offset) };
    let digest = told.new.as_ref().map(Digest::short).unwrap_or_default();
    [lane_label(lane), text::happened(&told.name, told.word), when, digest]
}

#[cfg(test)]
mod tests;
