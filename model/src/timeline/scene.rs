//! What the timeline shows: releases as marks on the lane of their track or family, rolling tags as bars.

use std::collections::BTreeMap;

use crate::api::{Gap, Span, Timeline};
use crate::digest::Digest;
use crate::event::EventKind;
use crate::instant::Instant;
use crate::order::sort_by_key;
use crate::tag::Class;
use crate::version::Version;

/// Lanes of releases and of rolling tags that are drawn at most; the rest is counted.
const RELEASE_LANES: usize = 14;
const ROLLING_LANES: usize = 14;
/// Lanes of releases that are drawn even when nothing happened on them in the picture.
const QUIET_LANES: usize = 4;

/// What is drawn, from top to bottom.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Headings and lanes.
    pub rows: Vec<Row>,
    /// Times without observation, merged and in order.
    pub gaps: Vec<Gap>,
    /// When watching began.
    pub watched_since: Instant,
    /// Lanes that were left out.
    pub left_out: usize,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A word over the lanes that follow.
    Heading(String),
    /// A lane.
    Lane(Lane),
}

/// Marks and bars of one name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lane {
    /// Its name.
    pub label: String,
    /// Releases, oldest first.
    pub marks: Vec<Mark>,
    /// Releases that stood before the watch began.
    pub baseline: usize,
    /// A rolling tag's digests, oldest first.
    pub bars: Vec<Bar>,
}

/// Something that happened to a release.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// When.
    pub at: Instant,
    /// What.
    pub kind: MarkKind,
    /// The name beside it; empty for none.
    pub label: String,
    /// What it says when asked.
    pub title: String,
    /// The digest after it.
    pub digest: Digest,
    /// The first release of a track.
    pub major: bool,
}

/// What happened to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// It was published.
    Release,
    /// It means other bytes than at first.
    Reassigned {
        /// When the release was first seen.
        first: Instant,
    },
    /// It means its first bytes again.
    Restored {
        /// When the release was first seen.
        first: Instant,
    },
    /// It is gone.
    Deleted,
}

/// A rolling tag at one digest.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// From when.
    pub from: Instant,
    /// Until when.
    pub until: Option<Instant>,
    /// Whether the tag was deleted at its end.
    pub ended: bool,
    /// What it points at.
    pub digest: Digest,
    /// The release of the same digest, else its short hex.
    pub label: String,
    /// A shorter label, where the first does not fit.
    pub short: Option<String>,
    /// What it says when asked.
    pub title: String,
}

impl Lane {
    /// The marks in a picture that begins then.
    pub fn since(&self, from: Instant) -> Vec<&Mark> {
        self.marks.iter().filter(|mark| mark.at >= from).collect()
    }

    /// How many releases stand left of the picture.
    pub fn before(&self, from: Instant) -> usize {
        let earlier = self.marks.iter().filter(|mark| mark.at < from && mark.kind == MarkKind::Release);
        self.baseline + earlier.count()
    }

    /// Whether something happened on it since then.
    fn is_busy(&self, since: Instant) -> bool {
        self.marks.iter().any(|mark| mark.at >= since)
            || self.bars.iter().any(|bar| bar.until.is_none_or(|until| until >= since))
    }
}

/// Lanes of a repository for a picture that begins at `from`.
pub fn scene(timeline: &Timeline, from: Instant) -> Scene {
    let mut rows = Vec::new();
    let mut left_out = 0;
    let mut section = |heading: &str, lanes: Vec<Lane>| {
        if !lanes.is_empty() {
            rows.push(Row::Heading(heading.to_owned()));
            rows.extend(lanes.into_iter().map(Row::Lane));
        }
    };
    let releases = release_lanes(timeline, from);
    left_out += releases.1;
    section("Releases", releases.0);
    for (class, heading) in [(Class::Rolling, "Rolling tags"), (Class::Rebuilt, "Rebuilt tags")] {
        let rolling = rolling_lanes(timeline, class, from);
        left_out += rolling.1;
        section(heading, rolling.0);
    }
    Scene { rows, gaps: merged(&timeline.gaps), watched_since: timeline.watched_since, left_out }
}

/// Spans of one class by tag, oldest first.
fn by_tag(timeline: &Timeline, class: Class) -> BTreeMap<&str, Vec<&Span>> {
    let mut tags: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
    for span in timeline.spans.iter().filter(|span| span.class == class) {
        tags.entry(&span.tag).or_default().push(span);
    }
    for spans in tags.values_mut() {
        sort_by_key(spans, |span| [0, span.from.0]);
    }
    tags
}

/// Lanes of releases, and how many were left out. One lane per track; one per family where the tracks are too many.
fn release_lanes(timeline: &Timeline, from: Instant) -> (Vec<Lane>, usize) {
    type Track = Option<(u64, u64)>;
    let mut tracks: BTreeMap<(String, std::cmp::Reverse<Track>), Lane> = BTreeMap::new();
    let tags = by_tag(timeline, Class::Release);
    for (tag, spans) in &tags {
        let Version { family, track, .. } = Version::of(tag);
        let numbers = track.as_deref().map(|track| track.split('-').next().unwrap_or_default());
        let major_minor = numbers.and_then(|numbers| {
            let (major, minor) = numbers.split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        let label = if major_minor.is_none() { family.clone() } else { lane_name(&family, numbers) };
        let lane_family = family.clone();
        let lane = tracks.entry((family, std::cmp::Reverse(major_minor))).or_default();
        lane.label = label;
        // The lane says the family already.
        let short = tag.strip_suffix(lane_family.as_str()).and_then(|tag| tag.strip_suffix('-')).unwrap_or(tag);
        let patch = numbers.and_then(|numbers| tag.trim_start_matches('v').strip_prefix(numbers)).unwrap_or_default();
        add_release(lane, tag, short, spans, patch == ".0" || patch.starts_with(".0-"));
    }
    let mut lanes: Vec<(String, Lane)> = tracks.into_iter().map(|((family, _), lane)| (family, lane)).collect();
    if lanes.iter().filter(|(_, lane)| lane.is_busy(from)).count() > RELEASE_LANES {
        lanes = families(lanes);
    }
    let mut lanes: Vec<Lane> = lanes.into_iter().map(|(_, lane)| lane).collect();
    for lane in &mut lanes {
        sort_by_key(&mut lane.marks, |mark| [0, mark.at.0]);
    }
    keep(lanes, from, RELEASE_LANES)
}

/// The name of a lane: `2.3.x-alpine`, or `x.y.z-alpine` for a whole family.
fn lane_name(family: &str, major_minor: Option<&str>) -> String {
    let numbers = major_minor.map_or_else(|| "x.y.z".to_owned(), |numbers| format!("{numbers}.x"));
    if family.is_empty() { numbers } else { format!("{numbers}-{family}") }
}

/// One lane per family.
fn families(tracks: Vec<(String, Lane)>) -> Vec<(String, Lane)> {
    let mut families: Vec<(String, Lane)> = Vec::new();
    for (family, lane) in tracks {
        match families.last_mut() {
            Some((last, joined)) if *last == family => {
                joined.marks.extend(lane.marks);
                joined.baseline += lane.baseline;
            }
            _ => {
                let label = lane_name(&family, None);
                families.push((family, Lane { label, ..lane }));
            }
        }
    }
    families
}

/// The busy lanes and the first few quiet ones, in order, and how many others there are.
fn keep(lanes: Vec<Lane>, from: Instant, most: usize) -> (Vec<Lane>, usize) {
    let all = lanes.len();
    let mut quiet = 0;
    let kept: Vec<Lane> = lanes
        .into_iter()
        .filter(|lane| {
            lane.is_busy(from) || {
                quiet += 1;
                quiet <= QUIET_LANES
            }
        })
        .take(most)
        .collect();
    let left_out = all - kept.len();
    (kept, left_out)
}

/// The marks of one release tag.
fn add_release(lane: &mut Lane, tag: &str, short_tag: &str, spans: &[&Span], major: bool) {
    let Some(first) = spans.first() else { return };
    let before = lane.marks.len();
    if first.baseline {
        lane.baseline += 1;
    }
    for span in spans {
        let short = span.digest.short();
        let again = span.digest == first.digest;
        let (kind, label, title) = match span.began_by {
            EventKind::Moved | EventKind::Recreated if span.from != first.from && again => {
                (MarkKind::Restored { first: first.from }, format!("{tag} restored"), format!("{tag} is {short} again"))
            }
            EventKind::Moved | EventKind::Recreated if span.from != first.from => (
                MarkKind::Reassigned { first: first.from },
                format!("{tag} reassigned"),
                format!("{tag} reassigned: {} became {short}", first.digest.short()),
            ),
            _ if span.baseline => continue,
            _ => (MarkKind::Release, short_tag.to_owned(), format!("{tag} published as {short}")),
        };
        lane.marks.push(Mark { at: span.from, kind, label, title, digest: span.digest.clone(), major });
    }
    for (at, span) in spans.iter().enumerate() {
        if let (Some(EventKind::Deleted), Some(until)) = (span.ended_by, span.until) {
            let gone = spans.get(at + 1).is_none();
            let label = if gone { format!("{tag} deleted") } else { String::new() };
            let title = format!("{tag} deleted, was {}", span.digest.short());
            lane.marks.push(Mark {
                at: until,
                kind: MarkKind::Deleted,
                label,
                title,
                digest: span.digest.clone(),
                major,
            });
        }
    }
    // One tag's story is told once: of its later marks only the last carries a name.
    let mine = lane.marks[before..].iter_mut().filter(|mark| mark.kind != MarkKind::Release);
    let mut later: Vec<&mut Mark> = mine.collect();
    sort_by_key(&mut later, |mark| [0, mark.at.0]);
    later.pop();
    for mark in later {
        mark.label.clear();
    }
}

/// Lanes of tags that may move, the most telling names first, and how many were left out.
fn rolling_lanes(timeline: &Timeline, class: Class, from: Instant) -> (Vec<Lane>, usize) {
    let releases = release_names(timeline);
    let mut lanes: Vec<Lane> = by_tag(timeline, class)
        .into_iter()
        .map(|(tag, spans)| {
            let bars = spans.into_iter().map(|span| bar(tag, span, &releases)).collect();
            Lane { label: tag.to_owned(), bars, ..Lane::default() }
        })
        .collect();
    sort_by_key(&mut lanes, |lane| (!matches!(lane.label.as_str(), "latest" | "stable"), lane.label.clone()));
    keep(lanes, from, ROLLING_LANES)
}

/// The release that each digest was first published as.
fn release_names(timeline: &Timeline) -> BTreeMap<&Digest, (&str, Instant)> {
    let mut names: BTreeMap<&Digest, (&str, Instant)> = BTreeMap::new();
    for span in timeline.spans.iter().filter(|span| span.class == Class::Release) {
        let name = names.entry(&span.digest).or_insert((&span.tag, span.from));
        if span.from < name.1 {
            *name = (&span.tag, span.from);
        }
    }
    names
}

fn bar(tag: &str, span: &Span, releases: &BTreeMap<&Digest, (&str, Instant)>) -> Bar {
    let short = span.digest.short();
    let release = releases.get(&span.digest).map(|(tag, _)| *tag);
    let title = match release {
        Some(release) => format!("{tag} was {release} ({short})"),
        None => format!("{tag} was {short}"),
    };
    Bar {
        from: span.from,
        until: span.until,
        ended: span.ended_by == Some(EventKind::Deleted),
        digest: span.digest.clone(),
        short: release.is_none().then(|| short.chars().take(4).collect()),
        label: release.map_or(short, ToOwned::to_owned),
        title,
    }
}

/// Gaps of all bands as one list without overlaps; the first reason stands for those it covers.
fn merged(gaps: &[Gap]) -> Vec<Gap> {
    let mut sorted: Vec<&Gap> = gaps.iter().collect();
    sort_by_key(&mut sorted, |gap| [0, gap.from.0]);
    let mut found: Vec<Gap> = Vec::new();
    for gap in sorted {
        match found.last_mut() {
            Some(last) if last.until.is_none_or(|until| gap.from <= until) => {
                last.until = last.until.zip(gap.until).map(|(one, other)| one.max(other));
            }
            _ => found.push(gap.clone()),
        }
    }
    found
}
