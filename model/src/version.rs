//! Versions in tags: which tags belong together and in which order (RECORD.md 7).
//!
//! A tag is read as numbers and words between separators (everything but letters and digits). Digits end a word
//! (`alpine3.20` is `alpine`, 3, 20; `k3s1` is `k3s`, 1) and `v` before digits is no word. Commit hashes count as neither
//! number nor word. A word that says pre-release, after a number, is not part of the family.

use std::cmp::Ordering;

/// What a tag's name says about its place among the others of its repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What stays of the tag when the numbers go: `` (empty), `alpine`, `slim-bookworm`; `commit` for commits.
    pub family: String,
    /// Major and minor number with the family: `1.27`, `1.27-alpine`; `None` with fewer than two numbers.
    pub track: Option<String>,
    /// Whether it comes before the release of its numbers: `2.3.0-rc.1`.
    pub pre_release: bool,
    /// Bytes whose order, within a family, is the order of versions: numeric, pre-releases before their release. Two
    /// tags never have the same key. Across families: commits, then tags that begin with a word, then those that begin
    /// with a number.
    pub key: Vec<u8>,
    /// How many bytes of the key are the version; the others are the tag, which only tells equal versions apart.
    compared: usize,
}

/// The family of tags that name a commit.
pub const COMMIT: &str = "commit";

/// Words of pre-releases with their rank: development, alpha, beta, preview, candidate, Maven's snapshot.
const PRE_RELEASES: &[(&str, u8)] = &[
    ("dev", 1),
    ("nightly", 1),
    ("canary", 1),
    ("unstable", 1),
    ("next", 1),
    ("experimental", 1),
    ("alpha", 2),
    ("beta", 3),
    ("milestone", 4),
    ("ea", 4),
    ("eap", 4),
    ("pre", 4),
    ("preview", 4),
    ("prerelease", 4),
    ("insiders", 4),
    ("rc", 5),
    ("cr", 5),
    ("snapshot", 6),
];

/// Words that end in digits which are not a number: without this list `1.2.3-amd64` would be of a family `amd`.
const ARCHITECTURES: &[&str] = &[
    "amd64", "arm64", "arm64v8", "arm32v5", "arm32v6", "arm32v7", "armv5", "armv6", "armv7", "armv8", "i386", "i686",
    "loong64", "mips64", "riscv64", "x64", "x86",
];

impl Version {
    /// Reads any tag; a tag without a version has its words as family.
    pub fn of(tag: &str) -> Self {
        match commit(tag) {
            Some(commit) => Self::of_commit(tag, commit.time),
            None => Parts::of(tag).version(tag),
        }
    }

    fn of_commit(tag: &str, time: Option<&str>) -> Self {
        let mut key = vec![KEY_COMMIT];
        push_numbers(&mut key, &Vec::from_iter(time));
        let compared = key.len();
        key.extend_from_slice(tag.as_bytes());
        Self { family: COMMIT.to_owned(), track: None, pre_release: false, key, compared }
    }

    /// Whether this is an earlier version, and not only another spelling of the same: `2.3.0` is not before `v2.3.0`.
    pub fn is_before(&self, other: &Self) -> bool {
        self.key[..self.compared] < other.key[..other.compared]
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

/// Bytes whose order is that of tracks: the two numbers that a track's name begins with. `None` where it does not.
pub fn track_key(track: &str) -> Option<Vec<u8>> {
    let (numbers, _) = track.split_once('-').unwrap_or((track, ""));
    let (major, minor) = numbers.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && split_digits(text).1.is_empty();
    let mut key = Vec::new();
    (is_number(major) && is_number(minor)).then(|| push_numbers(&mut key, &[major, minor]))?;
    Some(key)
}

/// The least and the greatest [`track_key`] of what somebody calls `2`, `2.3` or `v2.3.1`: a track is named by two numbers, one
/// means all tracks of it, and what follows two is no matter of tracks.
pub fn track_range(text: &str) -> Option<[Vec<u8>; 2]> {
    let numbers = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let numbers: Vec<&str> = numbers.split('-').next()?.split('.').take(2).collect();
    let is_number = |text: &&str| !text.is_empty() && split_digits(text).1.is_empty();
    numbers.iter().all(is_number).then_some(())?;
    let mut least = Vec::new();
    push_numbers(&mut least, &numbers);
    let mut greatest = least.clone();
    if numbers.len() < 2 {
        // What ends the list would stand before its continuations.
        least.pop();
        greatest.pop();
        greatest.push(0xff);
    }
    Some([least, greatest])
}

const KEY_COMMIT: u8 = 1;
const KEY_WORD_FIRST: u8 = 2;
const KEY_NUMBER_FIRST: u8 = 3;
const KEY_RELEASE: u8 = 0xff;

/// A tag taken apart.
#[derive(Default)]
struct Parts<'a> {
    words: Vec<&'a str>,
    /// Numbers up to the first word that follows a number.
    main: Vec<&'a str>,
    /// Rank of the first pre-release word, with the numbers right after pre-release words.
    pre: Option<(u8, Vec<&'a str>)>,
    /// All other numbers.
    rest: Vec<&'a str>,
    word_first: bool,
    /// Where the next number belongs.
    place: Place,
}

#[derive(Default, Clone, Copy)]
enum Place {
    #[default]
    Main,
    Pre,
    Rest,
}

impl<'a> Parts<'a> {
    fn of(tag: &'a str) -> Self {
        let mut parts = Self::default();
        for segment in tag.split(|char: char| char.is_ascii() && !char.is_ascii_alphanumeric()) {
            if !segment.is_empty()
                && !is_hash(segment)
                && !segment.strip_prefix('g').is_some_and(|rest| is_hex(rest, 7, 40))
            {
                parts.segment(segment);
            }
        }
        parts
    }

    fn segment(&mut self, segment: &'a str) {
        let unprefixed =
            segment.strip_prefix(['v', 'V']).filter(|rest| rest.starts_with(|char: char| char.is_ascii_digit()));
        let segment = unprefixed.unwrap_or(segment);
        let (number, rest) = split_digits(segment);
        if !number.is_empty() {
            self.number(number);
        }
        if rest.is_empty() {
            return;
        }
        let word = if is_architecture(rest) { rest } else { rest.trim_end_matches(|char: char| char.is_ascii_digit()) };
        let trailing = &rest[word.len()..];
        let attached = !number.is_empty();
        if attached && is_of_timestamp(word, trailing) {
            // `2024-01-01T00-00-00Z`: neither letter says anything.
        } else if let Some(rank) = self.pre_release(word, attached, trailing) {
            self.pre.get_or_insert((rank, Vec::new()));
            self.place = Place::Pre;
        } else {
            self.word_first |= self.main.is_empty() && self.words.is_empty();
            self.words.push(word);
            if !self.main.is_empty() {
                self.place = Place::Rest;
            }
        }
        if !trailing.is_empty() {
            self.number(trailing);
        }
    }

    /// The rank of `word`, if it says pre-release where it stands.
    fn pre_release(&self, word: &str, attached: bool, trailing: &str) -> Option<u8> {
        if self.main.is_empty() {
            return None;
        }
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        match () {
            // PEP 440: `1.0a2`; a segment `-b10` of its own is a build.
            () if attached && !trailing.is_empty() && is("a") => Some(2),
            () if attached && !trailing.is_empty() && is("b") => Some(3),
            () if !trailing.is_empty() && is("m") => Some(4),
            () => PRE_RELEASES.iter().find(|(name, _)| is(name)).map(|(_, rank)| *rank),
        }
    }

    fn number(&mut self, digits: &'a str) {
        match (self.place, &mut self.pre) {
            (Place::Main, _) => self.main.push(digits),
            (Place::Pre, Some((_, numbers))) => numbers.push(digits),
            _ => self.rest.push(digits),
        }
    }

    fn version(self, tag: &str) -> Version {
        let family = self.words.join("-");
        let track = match (self.main.as_slice(), family.as_str()) {
            ([major, minor, ..], "") => Some(format!("{major}.{minor}")),
            ([major, minor, ..], family) => Some(format!("{major}.{minor}-{family}")),
            _ => None,
        };
        let mut key = Vec::with_capacity(3 * tag.len());
        if self.word_first || self.main.is_empty() {
            key.push(KEY_WORD_FIRST);
            key.extend_from_slice(family.as_bytes());
            key.push(0);
        } else {
            key.push(KEY_NUMBER_FIRST);
        }
        push_numbers(&mut key, &self.main);
        match &self.pre {
            Some((rank, numbers)) => {
                key.push(*rank);
                push_numbers(&mut key, numbers);
            }
            None => key.push(KEY_RELEASE),
        }
        push_numbers(&mut key, &self.rest);
        let compared = key.len();
        key.extend_from_slice(tag.as_bytes());
        Version { family, track, pre_release: self.pre.is_some(), key, compared }
    }
}

/// Appends numbers so that the bytes order as the list does: number by number, a list before its continuations. A number
/// is its count of digits and the digits; zero ends the list.
fn push_numbers(key: &mut Vec<u8>, numbers: &[&str]) {
    const LONG: u8 = 0xfe;
    for number in numbers {
        let digits = number.trim_start_matches('0');
        match u8::try_from(digits.len()) {
            Ok(length) if length < LONG - 1 => key.push(length + 1),
            _ => {
                key.push(LONG);
                key.extend_from_slice(&(digits.len() as u64).to_be_bytes());
            }
        }
        key.extend_from_slice(digits.as_bytes());
    }
    key.push(0);
}

fn is_of_timestamp(word: &str, trailing: &str) -> bool {
    match word {
        "T" | "t" => !trailing.is_empty(),
        "Z" | "z" => trailing.is_empty(),
        _ => false,
    }
}

/// Splits off leading ASCII digits.
pub(crate) fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

/// Between `least` and `most` lower-case hex digits.
pub(crate) fn is_hex(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A word that ends in digits which are not a number: `arm64`.
pub(crate) fn is_architecture(word: &str) -> bool {
    ARCHITECTURES.iter().any(|name| name.eq_ignore_ascii_case(word))
}

fn is_mixed(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) && !text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A segment that can only be meant as a commit's hash: 7 to 40 hex digits with a letter and a digit among them.
pub(crate) fn is_hash(segment: &str) -> bool {
    is_hex(segment, 7, 40) && is_mixed(segment)
}

/// A tag that names a commit.
pub(crate) struct Commit<'a> {
    /// Unix seconds, where the tag ends in them.
    time: Option<&'a str>,
}

/// Whether the whole tag names a commit: `sha-<7..40 hex>`, 40 hex, 7 to 12 hex with a letter and a digit, or
/// `<word>-<hex>-<unix time>`.
pub(crate) fn commit(tag: &str) -> Option<Commit<'_>> {
    let prefixed = tag.strip_prefix("sha-").is_some_and(|rest| is_hex(rest, 7, 40));
    if prefixed || is_hex(tag, 40, 40) || is_hex(tag, 7, 12) && is_mixed(tag) {
        return Some(Commit { time: None });
    }
    let mut parts = tag.rsplitn(3, '-');
    let (time, hash, word) = (parts.next()?, parts.next()?, parts.next()?);
    let is_time = time.len() == 10 && !time.starts_with('0') && time.bytes().all(|byte| byte.is_ascii_digit());
    (is_time && is_hex(hash, 7, 40) && !word.is_empty()).then_some(Commit { time: Some(time) })
}

#[cfg(test)]
mod tests;
