//! Targets: the digests a tag can go back to, best first (RECORD.md 10).
//!
//! Order only. Whether a target can be pulled is another question, answered by a proof; it never changes the order, so
//! that what people read under pressure does not jump.

use std::cmp::{Ordering, Reverse};
use std::collections::HashSet;

use crate::digest::Digest;
use crate::instant::Instant;
use crate::tag::TagState;
use crate::version::{COMMIT, Version};

/// A release tag of the repository with what it is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release<'a> {
    /// The tag.
    pub tag: &'a str,
    /// Its promise; `None` when it is retired or has none.
    pub promise: Option<&'a Digest>,
    /// Since when it named that digest, as far as we know.
    pub since: Option<Instant>,
    /// A person said that nobody should go back to it.
    pub do_not_use: bool,
}

/// A digest to go back to, and why it stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The digest.
    pub digest: Digest,
    /// The release it is.
    pub release: String,
    /// Since when that release named it, as far as we know.
    pub since: Option<Instant>,
    /// Why it stands where it stands, for people.
    pub because: String,
}

/// A digest that a tag named before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past<'a> {
    /// The digest.
    pub digest: &'a Digest,
    /// The release that is held to it, if one is.
    pub release: Option<&'a str>,
    /// When the tag began to name it last.
    pub since: Instant,
}

/// What the release `subject` can go back to from `state`: its own promise when in breach, then the earlier releases of its
/// family, newest first, pre-releases last, each by its promise, then what it named before (`past`, by last use).
///
/// `releases` are those of the same repository; those of other families, later ones and `subject` itself are left out
/// here. What the tag is now is never a target, releases that are not to be used neither, nor what they were held to when
/// that was said (`barred`), and each digest is named once, for the first release that has it. Versions decide what is earlier; commits have none, so for them `since` does.
pub fn targets(
    subject: &Release<'_>,
    state: &TagState,
    releases: &[Release<'_>],
    past: &[Past<'_>],
    barred: &[Digest],
) -> Vec<Candidate> {
    let version = Version::of(subject.tag);
    let mut earlier: Vec<(Version, &Release<'_>)> = releases
        .iter()
        .map(|release| (Version::of(release.tag), release))
        .filter(|(other, release)| other.family == version.family && is_earlier((other, release), (&version, subject)))
        .collect();
    earlier.sort_by_cached_key(|(version, release)| {
        let since = if version.family == COMMIT { release.since } else { None };
        (version.pre_release, Reverse((since, version.key.clone())))
    });

    let own = (subject, format!("what {} is held to, and is not now", subject.tag));
    let places =
        earlier.iter().enumerate().map(|(at, (version, release))| (*release, because(at, version, subject.tag)));
    let mut taken: HashSet<&Digest> = state.digest().into_iter().chain(barred).collect();
    let mut candidates = Vec::new();
    for (release, because) in std::iter::once(own).chain(places) {
        let Some(digest) = release.promise.filter(|_| !release.do_not_use) else { continue };
        if taken.insert(digest) {
            let (release, since) = (release.tag.to_owned(), release.since);
            candidates.push(Candidate { digest: digest.clone(), release, since, because });
        }
    }
    // Another release may be what one that is not to be used is held to by now; what is held to it alone is no way back.
    let unused = std::iter::once(subject).chain(releases).filter(|release| release.do_not_use);
    taken.extend(unused.filter_map(|release| release.promise));
    for Past { digest, since, .. } in past {
        if taken.insert(digest) {
            let because = format!("{0} named it before, and is not held to it", subject.tag);
            let release = subject.tag.to_owned();
            candidates.push(Candidate { digest: (*digest).clone(), release, since: Some(*since), because });
        }
    }
    candidates
}

/// What the rolling tag `subject` can go back to from `state`: the releases it pointed at before, by last use, but for
/// what is `barred`.
pub fn targets_of_rolling(subject: &str, state: &TagState, past: &[Past<'_>], barred: &[Digest]) -> Vec<Candidate> {
    let mut taken: HashSet<&Digest> = state.digest().into_iter().chain(barred).collect();
    let releases = past.iter().filter_map(|past| Some((past.digest, past.release?, past.since)));
    let fresh = releases.filter(|(digest, ..)| taken.insert(digest));
    let candidate = |(at, (digest, release, since)): (usize, (&Digest, &str, Instant))| {
        let because = match at {
            0 => format!("the release that {subject} pointed at before"),
            _ => format!("{} releases before the one that {subject} points at", at + 1),
        };
        Candidate { digest: digest.clone(), release: release.to_owned(), since: Some(since), because }
    };
    fresh.enumerate().map(candidate).collect()
}

fn is_earlier((version, release): (&Version, &Release<'_>), (of, subject): (&Version, &Release<'_>)) -> bool {
    if of.family == COMMIT {
        release.tag != subject.tag && release.since.is_some() && release.since.cmp(&subject.since) == Ordering::Less
    } else {
        version.is_before(of)
    }
}

/// `at` counts the releases of the family between this one and the subject, those that are skipped too.
fn because(at: usize, version: &Version, subject: &str) -> String {
    let order = if version.family == COMMIT { "by when they were seen" } else { "by version" };
    match (version.pre_release, at) {
        (true, _) => format!("a pre-release older than {subject}: offered after all releases"),
        (false, 0) => format!("the newest release before {subject}, {order}"),
        (false, _) => format!("{} releases before {subject}, {order}", at + 1),
    }
}

#[cfg(test)]
mod tests;
