//! The default classes of tags: the table of RECORD.md 7, for tags that no policy line matched.
//!
//! How the table is read where it leaves room:
//! - Segments are what stands between `-` and `_`; a dot does not divide (`alpine3.20`, `rc.1` and `1.27.3` are one segment).
//! - The moving words are compared without regard to case (`1.2.3-SNAPSHOT`). After one, a segment of numbers and dots,
//!   with or without `v`, is a version, and 7 to 40 hex digits with a letter and a digit among them are a hash; then the
//!   word only says where the version came from, and the other rows decide. After `pr`, one number is the request's.
//! - A date has a year from 1900 to 2099, a month and a day; `YYYYMMDD` may go on with a time of 2, 4 or 6 digits.
//! - `YYYY.MM.N` and `YY.MM.N` are three numbers, so the row of versions has them already.
//! - Hex is lower-case, a Unix time has ten digits.

use std::borrow::Cow;

use crate::flag::Lowering;
use crate::tag::Class;
use crate::version::{commit, is_hash, is_hex, split_digits};

/// What the default table says about a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classified {
    /// The class.
    pub class: Class,
    /// The row that gave it, a stable word: `default:version`.
    pub rule: &'static str,
}

/// What the policy says about a tag: one of its rules, or the default table after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The class.
    pub class: Class,
    /// The rule that gave it.
    pub rule: Cow<'static, str>,
    /// How it lowers severities.
    pub lowering: Lowering,
}

impl Ruling {
    /// A class that `rule` gave, and that lowers nothing.
    pub fn new(class: Class, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { class, rule: rule.into(), lowering: Lowering::default() }
    }
}

impl From<Classified> for Ruling {
    fn from(classified: Classified) -> Self {
        Self::new(classified.class, classified.rule)
    }
}

/// What names of the table's rows begin with.
pub const TABLE: &str = "default";

impl Classified {
    /// Rolling because it has no more numbers than that, not because a word says so.
    pub(crate) fn rolls_by_shape(self) -> bool {
        [TWO_NUMBERS, ONE_NUMBER, WORD].contains(&self)
    }
}

const IGNORED: Classified = Classified { class: Class::Ignored, rule: "default:artifact" };
const MOVING: Classified = Classified { class: Class::Rolling, rule: "default:moving-word" };
const VERSION: Classified = Classified { class: Class::Release, rule: "default:version" };
const OFFICIAL: Classified = Classified { class: Class::Rebuilt, rule: "default:official-image" };
const DATE: Classified = Classified { class: Class::Release, rule: "default:date" };
const COMMIT: Classified = Classified { class: Class::Release, rule: "default:commit" };
const TWO_NUMBERS: Classified = Classified { class: Class::Rolling, rule: "default:two-numbers" };
const ONE_NUMBER: Classified = Classified { class: Class::Rolling, rule: "default:one-number" };
const WORD: Classified = Classified { class: Class::Rolling, rule: "default:word" };

/// Words of tags that are meant to move.
const MOVING_WORDS: &[&str] =
    &["latest", "nightly", "snapshot", "edge", "dev", "main", "master", "canary", "unstable", "test", "pr"];

/// Versions of these repositories are refreshed on purpose, whenever their base image is.
const OFFICIAL_IMAGES: &str = "docker.io/library/";

/// The class of `tag` by the default table; `repository` is its canonical name with host.
pub fn class_of(repository: &str, tag: &str) -> Classified {
    if is_artifact(tag) {
        return IGNORED;
    }
    if is_moving(tag) {
        return MOVING;
    }
    let numbers = leading_numbers(tag);
    if numbers >= 3 {
        return if repository.starts_with(OFFICIAL_IMAGES) { OFFICIAL } else { VERSION };
    }
    if is_date(tag) {
        return DATE;
    }
    if commit(tag).is_some() {
        return COMMIT;
    }
    match numbers {
        2 => TWO_NUMBERS,
        1 => ONE_NUMBER,
        _ => WORD,
    }
}

/// Signatures, attestations and bills of materials beside an image, digests as tags, tags that keep an image alive.
fn is_artifact(tag: &str) -> bool {
    let hash = [".sig", ".att", ".sbom"].iter().find_map(|suffix| tag.strip_suffix(suffix)).unwrap_or(tag);
    // The referrers tag schema cuts the digits of other algorithms to 64 (OCI distribution-spec, "Referrers Tag Schema").
    let digest = hash.strip_prefix("sha256-").or_else(|| hash.strip_prefix("sha512-"));
    digest.is_some_and(|hex| is_hex(hex, 64, 64))
        || is_hex(tag, 64, 64)
        || tag.strip_prefix("keep-").is_some_and(|hex| is_hex(hex, 12, 12))
}

/// A moving word as a whole segment, with no version or hash in a segment after it.
fn is_moving(tag: &str) -> bool {
    let mut word = None;
    let mut first_after = false;
    for segment in tag.split(['-', '_']) {
        if let Some(moving) = MOVING_WORDS.iter().find(|moving| moving.eq_ignore_ascii_case(segment)) {
            word = Some(*moving);
            first_after = true;
        } else if word.is_some() {
            let is_request = first_after && word == Some("pr") && split_digits(segment).1.is_empty();
            if !is_request && (is_version(segment) || is_hash(segment)) {
                return false;
            }
            first_after = false;
        }
    }
    word.is_some()
}

/// Numbers and dots, with or without `v`.
fn is_version(segment: &str) -> bool {
    let (count, rest) = numbers(segment);
    count > 0 && rest.is_empty()
}

/// How many numbers a tag begins with. Two or more may go on with a letter, as in `1.2rc1`; a number alone may not: `3f91`
/// is a word.
fn leading_numbers(tag: &str) -> usize {
    let (count, rest) = numbers(tag);
    if count == 1 && rest.starts_with(|next: char| next.is_ascii_alphanumeric()) { 0 } else { count }
}

/// Counts the numbers in `v?N(.N)*` and returns what follows.
fn numbers(text: &str) -> (usize, &str) {
    let mut count = 0;
    let mut rest = text;
    let mut next = text.strip_prefix('v').unwrap_or(text);
    loop {
        let (digits, after) = split_digits(next);
        if digits.is_empty() {
            return (count, rest);
        }
        count += 1;
        rest = after;
        match after.strip_prefix('.') {
            Some(after) => next = after,
            None => return (count, rest),
        }
    }
}

/// `YYYY-MM-DD…`, `YYYYMMDD…`, `RELEASE.<timestamp>`.
fn is_date(tag: &str) -> bool {
    let tag = tag.strip_prefix("RELEASE.").unwrap_or(tag);
    let (digits, rest) = split_digits(tag);
    match digits.len() {
        4 => {
            let Some((month, rest)) = rest.strip_prefix('-').map(split_digits) else { return false };
            let Some((day, _)) = rest.strip_prefix('-').map(split_digits) else { return false };
            is_day(digits, month, day)
        }
        8 | 10 | 12 | 14 => is_day(&digits[..4], &digits[4..6], &digits[6..8]),
        _ => false,
    }
}

fn is_day(year: &str, month: &str, day: &str) -> bool {
    let within = |digits: &str, least: u8, most: u8| {
        digits.len() == 2 && digits.parse::<u8>().is_ok_and(|number| (least..=most).contains(&number))
    };
    (year.starts_with("19") || year.starts_with("20")) && within(month, 1, 12) && within(day, 1, 31)
}

#[cfg(test)]
mod tests;
