//! What a small picture shows: releases as marks, rolling tags as bars.

use crate::digest::Digest;
use crate::instant::Instant;

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// From top to bottom.
    pub lanes: Vec<Lane>,
    /// When watching began.
    pub watched_since: Instant,
}

/// Marks and bars of one name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lane {
    /// Its name.
    pub label: String,
    /// Releases, oldest first.
    pub marks: Vec<Mark>,
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
        self.marks.iter().filter(|mark| mark.at < from && mark.kind == MarkKind::Release).count()
    }
}
