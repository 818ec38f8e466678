//! What stands on a timeline, in words: for the pointer, the card and the table.

use tagwarden_model::api::{Lane, Watched};
use tagwarden_model::digest::Digest;
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::timeline::{Hit, TileStore, What, lane_label, short};

use crate::meaning::Tone;
use crate::text::timeline as text;
use crate::time::{self, Offset};

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

/// Tells of a hit on a lane of a repository that was watched so.
pub fn tell(hit: &Hit, lane: &Lane, watched: &Watched, store: &TileStore, now: Instant, offset: Offset<'_>) -> Told {
    let words = |word| store.text(word).to_owned();
    let day = |at: i64| time::clock_with_date(Instant(at), now, offset);
    let known = |at: i64| (at != i64::MIN && at != i64::MAX).then(|| day(at));
    let (from, until) = (known(hit.from), known(hit.at));
    let (from, until) = (from.as_deref(), until.as_deref());
    // Of a span, its beginning has a window.
    let at = if hit.what == What::Span { hit.from } else { hit.at };
    let since = Some(Instant(hit.not_before));
    let window = (hit.not_before < at).then(|| time::window(since, Instant(at), now, offset));
    let happened = window.clone().unwrap_or_else(|| text::at(until.unwrap_or_default()));
    let single = hit.is_single();
    let tag = hit.tag.map(words);
    let several = || text::several(from.unwrap_or_default(), until.unwrap_or_default(), tag.as_deref());
    let befell = |kind: EventKind, restored: bool| {
        let after = (!restored && hit.from < hit.at).then(|| time::length(Millis(hit.at - hit.from)));
        let [word, sentence] = text::befell(kind, restored);
        (word, text::what_befell(sentence, &happened, after.as_deref()))
    };
    let (word, mut sentence) = match hit.what {
        What::Release if single => (text::PUBLISHED, text::first_seen(&happened)),
        What::Release => (text::RELEASES, several()),
        What::Before if single => (text::FROM_BEFORE, text::STOOD.to_owned()),
        What::Before => (text::FROM_BEFORE, text::THEY_STOOD.to_owned()),
        What::Claim if single => (text::HINT, text::claimed(until.unwrap_or_default())),
        What::Claim => (text::HINTS, text::several_claimed(&several())),
        What::Breach(kind) => befell(kind, false),
        What::Restored(kind) => befell(kind, true),
        What::Gone => (text::DELETED, text::gone(&happened)),
        What::Many => (text::MOVES, several()),
        What::Span => {
            let names = hit.digest.map(words).unwrap_or_default();
            let length = || time::length(Instant(hit.at).min(now) - Instant(hit.from));
            let length = (from.is_some() && hit.at != i64::MIN).then(length);
            let since = window.as_deref().or(from);
            (text::NAMED, text::named(&names, since, until, hit.at == i64::MAX, length.as_deref()))
        }
        What::Gap(band) => {
            let gap = watched.gaps.iter().find(|gap| gap.band == band && gap.from.0 == hit.from);
            let reason = gap.map_or("", |gap| &gap.reason);
            (text::NOT_OBSERVED, text::not_observed(band, hit.count <= 1, from.unwrap_or_default(), until, reason))
        }
        What::Unwatched => (text::NOT_WATCHED, text::not_watched(from, until)),
    };
    if store.is_claim(hit.seq) {
        sentence.push_str(text::UNPROVEN);
    }
    let label = lane_label(lane);
    let name = match (&tag, hit.what) {
        _ if hit.is_nothing() => short(&lane.repository).to_owned(),
        _ if !single => text::events_on(hit.count, &label),
        (_, What::Span | What::Gone) | (None, _) => label,
        (Some(tag), _) => tag.clone(),
    };
    let digest = |word| store.digest(word).cloned();
    let tag = match hit.what {
        What::Span | What::Gone => Some(lane.name.clone()),
        What::Breach(kind) | What::Restored(kind) if kind.is_of_repository() => None,
        _ => tag,
    };
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
        is_gone: matches!(hit.what, What::Breach(EventKind::Deleted) | What::Gone),
        flag: hit.flag,
        seq: (hit.seq > 0).then_some(hit.seq),
    }
}

/// The cells of the table's row: lane, what, when, digest.
pub fn row(hit: &Hit, lane: &Lane, told: &Told, now: Instant, offset: Offset<'_>) -> [String; 4] {
    let at = told.at.map(|at| time::clock_with_date(at, now, offset));
    let digest = told.new.as_ref().map(Digest::short).unwrap_or_default();
    let label = if hit.is_nothing() { lane.repository.clone() } else { lane_label(lane) };
    [label, text::happened(&told.name, told.word), at.unwrap_or_else(|| text::BEFORE.to_owned()), digest]
}

#[cfg(test)]
mod tests;
