//! What stands on a timeline, in words: for the pointer, the card and the table.

use tagwarden_model::api::Lane;
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::timeline::{Hit, TileStore, What, lane_label};

use crate::phrase::{Tone, count};
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
    /// Its flag.
    pub flag: Option<i64>,
    /// The number of its event.
    pub seq: Option<i64>,
}

/// Tells of a hit. `offset` is the reader's distance from UTC.
pub fn tell(hit: &Hit, lane: &Lane, store: &TileStore, now: Instant, offset: Millis) -> Told {
    let text = |word| store.text(word).to_owned();
    let day = |at: i64| time::clock_with_date(Instant(at), now, offset);
    let known = (hit.not_before < hit.at).then_some(Instant(hit.not_before));
    let happened = match known {
        None => format!("at {}", day(hit.at)),
        known => time::window(known, Instant(hit.at), now, offset),
    };
    let after = time::length(Millis(hit.at.saturating_sub(hit.from)));
    let single = hit.is_single();
    let tag = hit.tag.map(text);
    let several = || {
        let last = tag.as_deref().map(|tag| format!(", the last of them {tag}")).unwrap_or_default();
        format!("Between {} and {}{last}.", day(hit.from), day(hit.at))
    };
    let (word, sentence) = match hit.what {
        What::Release if single => ("published", format!("First seen {happened}.")),
        What::Release => ("releases", several()),
        What::Before if single => ("from before", "It stood when the watch began.".to_owned()),
        What::Before => ("from before", "They stood when the watch began.".to_owned()),
        What::Claim if single => {
            ("hint", format!("Its image claims to be made at {}. Nobody watched then.", day(hit.at)))
        }
        What::Claim => ("hints", format!("Images that claim to be made. {}", several())),
        What::Reassigned => {
            ("reassigned", format!("It means other bytes. That happened {happened}, {after} after it was first seen."))
        }
        What::Restored => ("restored", format!("It means its first bytes again. That happened {happened}.")),
        What::Deleted => ("deleted", format!("It is gone. That happened {happened}, {after} after it was first seen.")),
        What::Gone => ("deleted", format!("The tag is gone. That happened {happened}.")),
        What::Many => ("moves", several()),
        What::Span => {
            let end = Instant(hit.at).min(now);
            let until = if hit.at == i64::MAX {
                "and still does as far as this window shows".to_owned()
            } else {
                format!("until {}", day(hit.at))
            };
            let began = if hit.from == i64::MIN { String::new() } else { format!(" from {}", day(hit.from)) };
            let length = if hit.from == i64::MIN {
                String::new()
            } else {
                format!(", {}", time::length(end - Instant(hit.from)))
            };
            let names = hit.digest.map(text).unwrap_or_default();
            ("named", format!("It named {names}{began}, {until}{length}."))
        }
    };
    let label = lane_label(lane);
    let name = match (&tag, hit.what) {
        _ if !single => count(u64::from(hit.count), "event", "events") + " on " + &label,
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
        flag: hit.flag,
        seq: (hit.seq > 0).then_some(hit.seq),
    }
}

/// The cells of the table's row: lane, what, when, digest.
pub fn row(hit: &Hit, lane: &Lane, told: &Told, now: Instant, offset: Millis) -> [String; 4] {
    let at = if matches!(hit.what, What::Span) { hit.from } else { hit.at };
    let when = if at == i64::MIN { "before".to_owned() } else { time::clock_with_date(Instant(at), now, offset) };
    let digest = told.new.as_ref().map(Digest::short).unwrap_or_default();
    [lane_label(lane), format!("{} {}", told.name, told.word), when, digest]
}

#[cfg(test)]
mod tests;
