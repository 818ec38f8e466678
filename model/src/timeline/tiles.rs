//! The tiles that were loaded: which are wanted next, and what a lane shows while some of them are missing.

use std::collections::BTreeMap;

use super::view::{View, tile_length};
use crate::api::{TILE_BRIEF, TILE_LEVELS, Tile, TileDigest, TileLane};
use crate::digest::Digest;
use crate::event::EventKind;
use crate::instant::Instant;

/// Tiles that are kept; a window and its sides need six at most.
const MOST: usize = 48;
/// Names that are kept before everything is read anew.
const MOST_WORDS: usize = 200_000;
/// Levels below the wanted one that stand in for it.
const FINER: u8 = 3;

/// One bucket of a lane: how many events, and the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The bucket's first event.
    pub first: i64,
    /// Its last event.
    pub at: i64,
    /// The last event did not happen before.
    pub not_before: i64,
    /// The last event's number.
    pub seq: i64,
    /// How many events.
    pub count: u32,
    /// What the last one was.
    pub kind: EventKind,
    /// How many only say that the tag stood when the watch began.
    pub baseline: u32,
    /// Its tag, unless that stands elsewhere.
    pub tag: Option<Word>,
    /// The digest after it.
    pub digest: Option<Word>,
    /// There is one, which the tag named as briefly as the one before: it is not told.
    pub is_brief: bool,
}

/// What befell a release, a rebuilt tag or a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Befell {
    /// When it was seen.
    pub at: i64,
    /// It did not happen before.
    pub not_before: i64,
    /// The event's number.
    pub seq: i64,
    /// What happened.
    pub kind: EventKind,
    /// The tag, or the repository.
    pub tag: Word,
    /// The digest before.
    pub old: Option<Word>,
    /// The digest after.
    pub new: Option<Word>,
    /// Whether it is as promised after it.
    pub restored: bool,
    /// Its flag.
    pub flag: Option<i64>,
    /// Whether that flag is not closed.
    pub active: bool,
    /// When the release was first seen.
    pub first: i64,
}

/// A release from before the watch, where its image claims to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// When, says the image.
    pub at: i64,
    /// The tag.
    pub tag: Word,
    /// The digest.
    pub digest: Word,
}

/// A tag or a digest by its place in the [`TileStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word(u32);

/// What a tag names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// The digest.
    pub digest: Word,
    /// Since when; `i64::MIN` where that is not known.
    pub since: i64,
    /// It did not before.
    pub not_before: i64,
}

/// One lane of one tile.
#[derive(Debug, Default)]
struct HeldLane {
    entering: Option<Naming>,
    marks: Vec<Seen>,
    befell: Vec<Befell>,
    claimed: Vec<Claimed>,
    /// The tile was asked for without it.
    is_unknown: bool,
}

#[derive(Debug)]
struct Held {
    level: u8,
    number: i64,
    seq: i64,
    used: u64,
    stale: bool,
    claims: Vec<i64>,
    lanes: Vec<HeldLane>,
}

/// A stretch of time with the tile that tells of it.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a> {
    /// From when, in milliseconds.
    pub from: i64,
    /// Until when.
    pub until: i64,
    held: Option<&'a Held>,
}

/// A lane within a stretch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part<'a> {
    /// What the tag named when it begins.
    pub entering: Option<Naming>,
    /// Buckets, rising.
    pub marks: &'a [Seen],
    /// Breaches, oldest first.
    pub befell: &'a [Befell],
    /// Claims of images, oldest first.
    pub claimed: &'a [Claimed],
}

/// Tiles of one list of lanes.
#[derive(Debug, Default)]
pub struct TileStore {
    held: Vec<Held>,
    clock: u64,
    places: BTreeMap<String, u32>,
    words: Vec<(String, Option<TileDigest>)>,
}

impl TileStore {
    /// Takes a tile in; an older answer for the same tile is left out, and the tile that was not used for longest goes.
    pub fn put(&mut self, tile: &Tile) {
        if self.words.len() > MOST_WORDS {
            *self = Self::default();
        }
        self.clock += 1;
        let known = self.held.iter().position(|held| (held.level, held.number) == (tile.level, tile.number));
        if known.and_then(|at| self.held.get(at)).is_some_and(|held| held.seq > tile.seq) {
            return;
        }
        let tags: Vec<Word> = tile.tags.iter().map(|tag| self.word(tag.clone(), None)).collect();
        let digests: Vec<Word> = tile.digests.iter().map(|digest| self.digest_word(digest)).collect();
        let tag = |place: u32| tags.get(place as usize).copied();
        let digest = |place: Option<u32>| digests.get(place? as usize).copied();
        let mut lanes: Vec<HeldLane> = tile.lanes.iter().map(|lane| held_lane(lane, &tags, &digests)).collect();
        for breach in &tile.breaches {
            let (Some(lane), Some(tag)) = (lanes.get_mut(breach.lane as usize), tag(breach.tag)) else { continue };
            lane.befell.push(Befell {
                at: breach.at_ms,
                not_before: breach.not_before_ms,
                seq: breach.seq,
                kind: breach.kind,
                tag,
                old: digest(breach.old_digest),
                new: digest(breach.new_digest),
                restored: breach.restored,
                flag: breach.flag,
                active: breach.active,
                first: breach.first_ms,
            });
        }
        for hint in &tile.hints {
            let (Some(lane), Some(tag)) = (lanes.get_mut(hint.lane as usize), tag(hint.tag)) else { continue };
            if let Some(digest) = digest(Some(hint.digest)) {
                lane.claimed.push(Claimed { at: hint.created_ms, tag, digest });
            }
        }
        let (level, number, claims) = (tile.level, tile.number, tile.claims.clone());
        let held = Held { level, number, seq: tile.seq, used: self.clock, stale: false, claims, lanes };
        match known.and_then(|at| self.held.get_mut(at)) {
            Some(old) => *old = held,
            None => self.held.push(held),
        }
        if self.held.len() > MOST {
            let oldest = self.held.iter().enumerate().min_by_key(|(_, held)| held.used).map(|(at, _)| at);
            oldest.map(|at| self.held.swap_remove(at));
        }
    }

    /// The lanes are others: `places` says for each where it was before. Tiles stay until newer ones are there, and what was no
    /// lane is not loaded in them.
    pub fn rearrange(&mut self, places: &[Option<usize>]) {
        for held in &mut self.held {
            let mut before = std::mem::take(&mut held.lanes);
            let mut lane = |place: &Option<usize>| place.and_then(|at| before.get_mut(at)).map(std::mem::take);
            let unknown = || HeldLane { is_unknown: true, ..HeldLane::default() };
            held.lanes = places.iter().map(|place| lane(place).unwrap_or_else(unknown)).collect();
            held.stale = true;
        }
    }

    /// Something happened at or after `since`: tiles that reach it are shown until newer ones are there.
    pub fn expire(&mut self, since: Instant) {
        for held in &mut self.held {
            held.stale |= (held.number + 1).saturating_mul(tile_length(held.level)) > since.0;
        }
    }

    /// The tiles to ask for, the most pressing first: those in view, then one on each side.
    pub fn wanted(&self, view: View, level: u8) -> Vec<i64> {
        let tiles = view.tiles(level);
        let (first, last) = (*tiles.start(), *tiles.end());
        let missing = |number: &i64| self.find(level, *number).is_none_or(|held| held.stale);
        tiles.rev().chain([last + 1, first - 1]).filter(missing).collect()
    }

    /// What shows a view stays longer than other tiles.
    pub fn touch(&mut self, view: View) {
        self.clock += 1;
        for held in &mut self.held {
            let (from, until) = (held.number * tile_length(held.level), (held.number + 1) * tile_length(held.level));
            if from < view.until.0 && until > view.from.0 {
                held.used = self.clock;
            }
        }
    }

    /// The stretches of a view from left to right, each with the best tile that there is: of the level, else the next
    /// coarser one, else finer ones.
    pub fn stretches(&self, view: View, level: u8) -> Vec<Stretch<'_>> {
        let mut found = Vec::new();
        for number in view.tiles(level) {
            self.cover(level, number, FINER, &mut found);
        }
        for stretch in &mut found {
            (stretch.from, stretch.until) = (stretch.from.max(view.from.0), stretch.until.min(view.until.0));
        }
        found.retain(|stretch| stretch.from < stretch.until);
        found
    }

    fn cover<'a>(&'a self, level: u8, number: i64, depth: u8, found: &mut Vec<Stretch<'a>>) {
        let (from, until) = (number * tile_length(level), (number + 1) * tile_length(level));
        let coarser = (level..=*TILE_LEVELS.end()).find_map(|above| self.find(above, number >> (above - level)));
        let is_finer_held = |held: &Held| held.level < level && number == held.number >> (level - held.level);
        if coarser.is_none() && depth > 0 && level > *TILE_LEVELS.start() && self.held.iter().any(is_finer_held) {
            self.cover(level - 1, 2 * number, depth - 1, found);
            self.cover(level - 1, 2 * number + 1, depth - 1, found);
            return;
        }
        match found.last_mut() {
            Some(last) if last.held.is_none() && coarser.is_none() => last.until = until,
            _ => found.push(Stretch { from, until, held: coarser }),
        }
    }

    fn find(&self, level: u8, number: i64) -> Option<&Held> {
        self.held.iter().find(|held| held.level == level && held.number == number)
    }

    /// Whether no bytes have proven an event yet.
    pub fn is_claim(&self, seq: i64) -> bool {
        self.held.iter().any(|held| held.claims.contains(&seq))
    }

    /// A tag's name; a digest's is its release or its short hex.
    pub fn text(&self, word: Word) -> &str {
        self.words.get(word.0 as usize).map_or("", |(text, _)| text)
    }

    /// The digest of a word that is one.
    pub fn digest(&self, word: Word) -> Option<&Digest> {
        self.words.get(word.0 as usize).and_then(|(_, digest)| digest.as_ref()).map(|digest| &digest.digest)
    }

    /// The release that a digest was published as.
    pub fn release(&self, word: Word) -> Option<&str> {
        self.words.get(word.0 as usize)?.1.as_ref()?.release.as_deref()
    }

    fn digest_word(&mut self, digest: &TileDigest) -> Word {
        let short = digest.digest.short();
        // One digest may be another release in another repository.
        let key = format!("{} {}", digest.digest, digest.release.as_deref().unwrap_or_default());
        self.keep(key, digest.release.clone().unwrap_or(short), Some(digest.clone()))
    }

    fn word(&mut self, text: String, digest: Option<TileDigest>) -> Word {
        self.keep(text.clone(), text, digest)
    }

    fn keep(&mut self, key: String, text: String, digest: Option<TileDigest>) -> Word {
        let next = self.words.len() as u32;
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.words.push((text, digest));
        }
        Word(place)
    }
}

fn held_lane(lane: &TileLane, tags: &[Word], digests: &[Word]) -> HeldLane {
    let digest = |place: i64| usize::try_from(place).ok().and_then(|place| digests.get(place)).copied();
    let mark = |at: usize| {
        Some(Seen {
            first: *lane.first_ms.get(at)?,
            at: *lane.at_ms.get(at)?,
            not_before: *lane.not_before_ms.get(at)?,
            seq: *lane.seq.get(at)?,
            count: *lane.count.get(at)?,
            kind: EventKind::from_code(i64::from(*lane.kind.get(at)?))?,
            baseline: *lane.baseline.get(at)?,
            tag: usize::try_from(*lane.tag.get(at)?).ok().and_then(|place| tags.get(place)).copied(),
            digest: digest(i64::from(*lane.digest.get(at)?)),
            is_brief: *lane.digest.get(at)? == TILE_BRIEF,
        })
    };
    let since = lane.entering_since_ms.unwrap_or(i64::MIN);
    let not_before = lane.entering_not_before_ms.unwrap_or(since);
    let entering = lane.entering.and_then(|place| digest(i64::from(place)));
    HeldLane {
        entering: entering.map(|digest| Naming { digest, since, not_before }),
        marks: (0..lane.at_ms.len()).filter_map(mark).collect(),
        ..HeldLane::default()
    }
}

impl<'a> Stretch<'a> {
    /// Whether it is known what happened in it.
    pub fn is_loaded(&self) -> bool {
        self.held.is_some()
    }

    /// Whether it is known what happened on a lane.
    pub fn knows(&self, lane: usize) -> bool {
        self.held.is_some_and(|held| held.lanes.get(lane).is_none_or(|lane| !lane.is_unknown))
    }

    /// One lane of it.
    pub fn lane(&self, lane: usize) -> Part<'a> {
        let Some(held) = self.held.and_then(|held| held.lanes.get(lane)) else { return Part::default() };
        let marks = held.marks.as_slice();
        let (before, rest) = marks.split_at(marks.partition_point(|mark| mark.at < self.from));
        let entering = match before.last() {
            Some(mark) => mark.digest.map(|digest| Naming { digest, since: mark.at, not_before: mark.not_before }),
            None => held.entering.filter(|naming| naming.since < self.until),
        };
        let befell = within(&held.befell, self.from, self.until, |breach| breach.at);
        let claimed = within(&held.claimed, self.from, self.until, |claim| claim.at);
        Part { entering, marks: &rest[..rest.partition_point(|mark| mark.at < self.until)], befell, claimed }
    }
}

fn within<T>(rows: &[T], from: i64, until: i64, at: impl Fn(&T) -> i64) -> &[T] {
    let rows = &rows[rows.partition_point(|row| at(row) < from)..];
    &rows[..rows.partition_point(|row| at(row) < until)]
}

#[cfg(test)]
mod tests;
