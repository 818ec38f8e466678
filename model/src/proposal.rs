//! What the record suggests for the policy (RECORD.md 7): tags that behave otherwise than the built-in table says of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::api::Proposal;
use crate::class::Classified;
use crate::instant::{Instant, Millis};
use crate::name::TagName;
use crate::tag::Class;
use crate::version::{Version, is_architecture, is_hash, split_digits};

/// So long must tags have stood, and moves that are older do not count.
pub const LOOKED_BACK: Millis = Millis::days(90);

/// Fewer tags that stood are no custom.
const LEAST_TAGS: usize = 3;

/// A release that moved so often is none.
const LEAST_MOVES: u64 = 3;

/// Names that stand for all of them.
pub const EXAMPLES: usize = 5;

/// Characters of a pattern.
pub const PATTERN_LIMIT: usize = 400;

/// What the record says of one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagHistory {
    /// Its name.
    pub tag: TagName,
    /// Whether it is there; `None` before it was read for the first time.
    pub present: Option<bool>,
    /// When it was first seen.
    pub first_seen: Option<Instant>,
    /// When anything last happened to it.
    pub changed: Option<Instant>,
    /// How often it moved within [`LOOKED_BACK`].
    pub moves: u64,
}

/// Tags whose names differ in digits and hashes only.
#[derive(Default)]
struct Group<'a> {
    /// Those that stood.
    stood: Vec<&'a TagHistory>,
    /// How long each run of digits and each hash is in their names.
    lengths: Vec<BTreeSet<usize>>,
    /// Something happened to one of them after its creation, too lately.
    stirred: bool,
}

/// Where digits and hashes stand in a shape; no tag has these characters.
const DIGITS: char = '#';
const HASH: char = '@';

/// What the record of one repository suggests: rolling tags that never move as releases, the largest groups first, and then
/// releases that move as rolling. `tags` are all of the repository, with what the table says of those that no configured rule
/// decides: what a rule says, a person has said.
pub fn propose<'a>(
    repository: &str,
    tags: impl IntoIterator<Item = (&'a TagHistory, Option<Classified>)>,
    now: Instant,
) -> Vec<Proposal> {
    let since = now - LOOKED_BACK;
    let mut groups = BTreeMap::<String, Group<'_>>::new();
    let mut moving = Vec::new();
    for (history, by_table) in tags {
        let Some(by_table) = by_table else { continue };
        if by_table.rolls_by_shape() {
            let (shape, lengths) = shape(history.tag.as_str());
            groups.entry(shape).or_default().add(history, &lengths, since);
        } else if by_table.class == Class::Release && history.present == Some(true) && history.moves >= LEAST_MOVES {
            moving.push(history);
        }
    }
    let mut proposals: Vec<Proposal> =
        groups.iter().filter_map(|(shape, group)| group.as_releases(repository, shape)).collect();
    proposals.sort_by_key(|proposal| Reverse(proposal.tags));
    moving.sort_by_key(|history| Reverse(history.moves));
    proposals.extend(moving.into_iter().map(|history| as_rolling(repository, history)));
    proposals
}

/// What nothing but the names of a repository's tags suggests, for one that is not watched yet: rules that fit if the tags of a
/// shape never move.
pub fn propose_by_name(
    repository: &str,
    tags: impl IntoIterator<Item = (TagName, Option<Classified>)>,
) -> Vec<Proposal> {
    let stood = Some(Instant(0));
    let history = |tag| TagHistory { tag, present: Some(true), first_seen: stood, changed: stood, moves: 0 };
    let tags: Vec<_> = tags.into_iter().map(|(tag, by_table)| (history(tag), by_table)).collect();
    let proposals = propose(repository, tags.iter().map(|(tag, by_table)| (tag, *by_table)), Instant(0) + LOOKED_BACK);
    proposals.into_iter().map(|proposal| Proposal { never_moved_since: None, ..proposal }).collect()
}

impl<'a> Group<'a> {
    fn add(&mut self, history: &'a TagHistory, lengths: &[usize], since: Instant) {
        let stands = history.changed.is_some_and(|changed| changed <= since);
        if !stands {
            // A tag that has only just appeared says nothing either way.
            self.stirred |= history.changed != history.first_seen;
        } else if history.present == Some(true) {
            self.lengths.resize(lengths.len(), BTreeSet::new());
            for (seen, length) in self.lengths.iter_mut().zip(lengths) {
                seen.insert(*length);
            }
            self.stood.push(history);
        }
    }

    fn as_releases(&self, repository: &str, shape: &str) -> Option<Proposal> {
        let pattern = pattern(shape, &self.lengths);
        if self.stirred || self.stood.len() < LEAST_TAGS || pattern.len() > PATTERN_LIMIT {
            return None;
        }
        let mut stood = self.stood.clone();
        stood.sort_by_cached_key(|history| Reverse(Version::of(history.tag.as_str())));
        Some(Proposal {
            repository: repository.to_owned(),
            pattern,
            class: Class::Release,
            tags: stood.len() as u64,
            examples: stood.iter().take(EXAMPLES).map(|history| history.tag.to_string()).collect(),
            never_moved_since: stood.iter().filter_map(|history| history.changed).max(),
            moves: 0,
        })
    }
}

/// Of this tag alone: that others of its shape move, too, is no reason to let go of those that do not.
fn as_rolling(repository: &str, history: &TagHistory) -> Proposal {
    Proposal {
        repository: repository.to_owned(),
        pattern: history.tag.to_string(),
        class: Class::Rolling,
        tags: 1,
        examples: vec![history.tag.to_string()],
        never_moved_since: None,
        moves: history.moves,
    }
}

/// A name with its digits and hashes taken out, and how long each of them was. `1.27-arm64` is `#.#-arm64`.
fn shape(tag: &str) -> (String, Vec<usize>) {
    let (mut shape, mut lengths) = (String::with_capacity(tag.len()), Vec::new());
    let mut push = |shape: &mut String, sort: char, length: usize| {
        shape.push(sort);
        lengths.push(length);
    };
    for segment in tag.split_inclusive(|char: char| !char.is_ascii_alphanumeric()) {
        let word = segment.trim_end_matches(|char: char| !char.is_ascii_alphanumeric());
        if is_hash(word) {
            push(&mut shape, HASH, word.len());
        } else if is_architecture(word) {
            shape.push_str(word);
        } else {
            let mut rest = word;
            while !rest.is_empty() {
                let (digits, after) = split_digits(rest);
                if !digits.is_empty() {
                    push(&mut shape, DIGITS, digits.len());
                }
                let letters = after.bytes().take_while(|byte| !byte.is_ascii_digit()).count();
                shape.push_str(&after[..letters]);
                rest = &after[letters..];
            }
        }
        shape.push_str(&segment[word.len()..]);
    }
    (shape, lengths)
}

/// A pattern for the policy that names of this shape match, with digits and hashes of these lengths, and no others.
fn pattern(shape: &str, lengths: &[BTreeSet<usize>]) -> String {
    let mut lengths = lengths.iter();
    let mut pattern = String::new();
    for char in shape.chars() {
        let one = match char {
            DIGITS => "[0-9]",
            HASH => "[0-9a-f]",
            char => {
                pattern.push(char);
                continue;
            }
        };
        let parts: Vec<String> = lengths.next().into_iter().flatten().map(|length| one.repeat(*length)).collect();
        match parts.as_slice() {
            [part] => pattern.push_str(part),
            parts => pattern.extend(["{", &parts.join(","), "}"]),
        }
    }
    pattern
}

#[cfg(test)]
mod tests;
