//! A timeline: its lanes, and its marks in tiles.
//!
//! A tile covers [`TILE_BUCKETS`] buckets of `2^level` milliseconds, aligned to the Unix epoch, so that the same question
//! is asked again and again. An answer holds at most one mark of a lane and bucket, whatever the history. Marks are
//! columns of numbers, instants in Unix milliseconds: ten thousand objects would take the page longer to read than to draw.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::digest::Digest;
use crate::event::EventKind;
use crate::instant::Instant;
use crate::tag::Class;

use super::Gap;

/// Buckets of a tile.
pub const TILE_BUCKETS: i64 = 256;
/// Lanes that a tile is asked for, and that a page of lanes has, at most.
pub const TILE_LANES: usize = 40;
/// In the place of a digest that a tile does not tell.
pub const TILE_BRIEF: i32 = -2;
/// The finest and the coarsest level: 16 ms and 34 years a bucket.
pub const TILE_LEVELS: std::ops::RangeInclusive<u8> = 4..=40;

/// The lanes of a repository or of a group, without their marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimelineHead {
    /// The repositories of these lanes, and the one that was asked for, by name.
    pub repositories: Vec<Watched>,
    /// At most [`TILE_LANES`], in the order in which they are drawn; those that were asked for by name and are not on this page come
    /// first.
    pub lanes: Vec<Lane>,
    /// The `cursor` of the following lanes; absent on the last page.
    pub next: Option<String>,
    /// How many lanes there are on all pages.
    pub total: u64,
    /// Events of all lanes over all time, coarsely, whatever is filtered.
    pub activity: Activity,
}

/// When a repository was watched and could be observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Watched {
    /// The repository's canonical name.
    pub repository: String,
    /// When it was first watched.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub since: Instant,
    /// Times after that in which nobody watched it, newest first, at most 500.
    pub pauses: Vec<Pause>,
    /// Times without observation, newest first, at most 500.
    pub gaps: Vec<Gap>,
    /// Releases from before the watch of which is known when their image claims to be made.
    pub hints: u64,
    /// The earliest of these instants.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub hints_from: Option<Instant>,
    /// Releases from before the watch that are still to be looked into, newest version first. At most 200 are, ever.
    pub hints_to_come: u64,
}

/// A time between two watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pause {
    /// When a watch ended.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub from: Instant,
    /// When the next one began; absent while there is none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Instant>,
}

coded! {
    /// What a lane shows.
    pub enum LaneKind {
        /// All releases of a family.
        Family = 1 "family",
        /// One tag that is no release.
        Tag = 2 "tag",
        /// The releases of one track (major.minor) of a family.
        Track = 3 "track",
    }
}

/// One lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lane {
    /// What tiles are asked with.
    pub id: String,
    /// The repository's canonical name.
    pub repository: String,
    /// What it shows.
    pub kind: LaneKind,
    /// Family, track or tag.
    pub name: String,
    /// What the names on it promise.
    pub class: Class,
    /// Events on it, over all time.
    pub events: u64,
    /// Releases on it that stood before the watch began.
    pub baseline: u64,
    /// Flags of its tags that are not closed.
    pub flags: u64,
    /// Its first event.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub first: Instant,
    /// Its newest event.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub last: Instant,
}

/// Counts of events in buckets of `2^level` milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Activity {
    /// How long a bucket is.
    pub level: u8,
    /// The first event, in Unix milliseconds: the first bucket may begin days before it.
    pub first_ms: Option<i64>,
    /// Number of each bucket that has events, rising.
    pub bucket: Vec<i64>,
    /// Its events.
    pub count: Vec<u64>,
}

/// The marks of some lanes in one stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tile {
    /// How long a bucket is: `2^level` ms.
    pub level: u8,
    /// The tile begins `number x 256 x 2^level` ms after the Unix epoch.
    pub number: i64,
    /// The newest event that the answer can know.
    pub seq: i64,
    /// The lanes, in the order in which they were asked for.
    pub lanes: Vec<TileLane>,
    /// Numbers of events that only a header claimed until now: no bytes have proven them. At most 1,000, rising.
    pub claims: Vec<i64>,
    /// The digests that the marks name by their place here.
    pub digests: Vec<TileDigest>,
    /// The tags that the marks name by their place here.
    pub tags: Vec<String>,
    /// What befell releases, rebuilt tags and whole repositories, one by one, oldest first: it stands out at any zoom. At most 1,000
    /// of each.
    pub breaches: Vec<Breach>,
    /// Releases that stood before the watch, at the instant that their image claims to be made. At most 1,000.
    pub hints: Vec<Hint>,
}

/// The marks of one lane: columns of equal length, one row a bucket that has events, rising.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TileLane {
    /// What a tag named when the tile begins, or later in it, but before the lane's first event: a place in `digests`. Absent on
    /// lanes of releases and where it named nothing.
    pub entering: Option<u32>,
    /// When the tag began to name it.
    pub entering_since_ms: Option<i64>,
    /// It did not before; absent where nothing is known.
    pub entering_not_before_ms: Option<i64>,
    /// The bucket's first event.
    pub first_ms: Vec<i64>,
    /// The bucket's last event, which the other columns tell about.
    pub at_ms: Vec<i64>,
    /// The last event did not happen before; equal to `at_ms` where nothing is known.
    pub not_before_ms: Vec<i64>,
    /// How many events the bucket has, without those of `hints`.
    pub count: Vec<u32>,
    /// Its number in the log.
    pub seq: Vec<i64>,
    /// The code of its kind.
    pub kind: Vec<u8>,
    /// How many of these events only say that the tag stood when the watch began.
    pub baseline: Vec<u32>,
    /// Its tag: a place in `tags`; -1: that of a hint, which is not counted here.
    pub tag: Vec<i32>,
    /// The digest after it: a place in `digests`; -1: none; -2 on a tag's lane: one that is not told, because the tag named it for less
    /// than a bucket, and the one before as well.
    pub digest: Vec<i32>,
}

/// A digest on a tile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TileDigest {
    /// The digest.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub digest: Digest,
    /// The first release of the same repository that it was published as.
    pub release: Option<String>,
}

/// An event that broke or mended a release, a rebuilt tag, or a whole repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Breach {
    /// Its lane: a place in `lanes`; of a repository, the first of its lanes.
    pub lane: u32,
    /// When it was seen.
    pub at_ms: i64,
    /// It did not happen before; equal to `at_ms` where nothing is known.
    pub not_before_ms: i64,
    /// Its number in the log.
    pub seq: i64,
    /// What happened.
    pub kind: EventKind,
    /// The tag, or the repository's name without what leads to it: a place in `tags`.
    pub tag: u32,
    /// The digest before: a place in `digests`.
    pub old_digest: Option<u32>,
    /// The digest after: a place in `digests`.
    pub new_digest: Option<u32>,
    /// Whether it is as promised after it.
    pub restored: bool,
    /// The flag that it belongs to.
    pub flag: Option<i64>,
    /// Whether that flag is not closed.
    pub active: bool,
    /// When the release was first seen.
    pub first_ms: i64,
}

/// A release from before the watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hint {
    /// Its lane: a place in `lanes`.
    pub lane: u32,
    /// What the image's config says as `created`: a claim of its maker.
    pub created_ms: i64,
    /// The tag: a place in `tags`.
    pub tag: u32,
    /// The digest: a place in `digests`.
    pub digest: u32,
}
