//! What is remembered of one tag.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::digest::Digest;
use crate::instant::{Instant, Millis};

coded! {
    /// What a tag's name promises.
    pub enum Class {
        /// Write-once: any change is a breach.
        Release = 1 "release",
        /// A version that its publisher refreshes on purpose.
        Rebuilt = 2 "rebuilt",
        /// Meant to move: moves are events, never flags.
        Rolling = 3 "rolling",
        /// Not a name for people: signatures, digests as tags, keep-alive tags.
        Ignored = 4 "ignored",
    }
}

coded! {
    /// Tags checked at the same freshness.
    pub enum Band {
        /// Rolling tags, and releases younger than 7 days.
        Hot = 1 "hot",
        /// Releases younger than 90 days, and those that stood before the watch began.
        Warm = 2 "warm",
        /// Older releases.
        Cold = 3 "cold",
        /// Run by an environment, or flagged.
        Pinned = 4 "pinned",
    }
}

impl Band {
    /// The interval between two passes when the configuration names none.
    pub const fn default_interval(self) -> Millis {
        match self {
            Self::Hot | Self::Pinned => Millis::minutes(5),
            Self::Warm => Millis::hours(1),
            Self::Cold => Millis::hours(24),
        }
    }
}

coded! {
    /// The four media types a tag may name (image-spec, distribution-spec); anything else is an unknown answer.
    pub enum MediaType {
        /// OCI image index.
        OciIndex = 1 "application/vnd.oci.image.index.v1+json",
        /// OCI image manifest.
        OciManifest = 2 "application/vnd.oci.image.manifest.v1+json",
        /// Docker manifest list.
        DockerList = 3 "application/vnd.docker.distribution.manifest.list.v2+json",
        /// Docker manifest, schema 2.
        DockerManifest = 4 "application/vnd.docker.distribution.manifest.v2+json",
    }
}

impl MediaType {
    /// Whether it lists manifests of several platforms.
    pub const fn is_index(self) -> bool {
        matches!(self, Self::OciIndex | Self::DockerList)
    }
}

/// An instant on the wall clock of one clock generation. A later generation is later, whatever its wall clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// Counts process starts and clock steps.
    pub generation: i64,
    /// What our wall clock said.
    pub wall: Instant,
}

/// What the record says a tag is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagState {
    /// Listed, but never read: no statement yet.
    Unread,
    /// Points at these bytes.
    Present(Digest),
    /// Confirmed absent.
    Absent,
}

impl TagState {
    /// The digest, if the tag is present.
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Present(digest) => Some(digest),
            Self::Unread | Self::Absent => None,
        }
    }
}

/// What a listing said when it first named a tag (RECORD.md 5): the lower end of the window of its creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// `sent` of the older of the newest two complete listings that lacked the tag; `None` makes it baseline.
    pub not_before: Option<Mark>,
}

/// What the record said before an unproven claim was written, to go back to when the claim is retracted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prior {
    /// The state before the claim.
    pub state: TagState,
    /// What HEAD had said before.
    pub claimed: Option<Digest>,
    /// The unproven event.
    pub seq: i64,
    /// Lower end of the unproven event's window.
    pub not_before: Option<Mark>,
}

/// The durable knowledge about one tag: one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagRecord {
    /// What it is, by the hash of the bytes where `verified`.
    pub state: TagState,
    /// What HEAD says; compared with HEAD only.
    pub claimed: Option<Digest>,
    /// Media type of the bytes.
    pub media_type: Option<MediaType>,
    /// Whether `state` was computed from bytes that the name gave.
    pub verified: bool,
    /// The registry's digest header differs from its bytes: asked by GET, claims never compared.
    pub header_untrusted: bool,
    /// Set by the first listing that named the tag in its present life.
    pub listed: Option<Listed>,
    /// An instant at which the present state was surely so; passes may know a later one.
    pub floor: Option<Mark>,
    /// The same, by bytes.
    pub proof_floor: Option<Mark>,
    /// What was before an unproven claim.
    pub prior: Option<Box<Prior>>,
    /// The band it is checked in.
    pub band: Band,
    /// When it joined that band: passes that began earlier say nothing about it.
    pub band_since: Option<Mark>,
    /// The newest event of the tag, 0 before the first: every write compares it.
    pub last_seq: i64,
}

impl TagRecord {
    /// A tag that a listing named and nobody has read.
    pub fn unread(band: Band, listed: Listed) -> Self {
        Self {
            state: TagState::Unread,
            claimed: None,
            media_type: None,
            verified: false,
            header_untrusted: false,
            listed: Some(listed),
            floor: None,
            proof_floor: None,
            prior: None,
            band,
            band_since: None,
            last_seq: 0,
        }
    }
}
