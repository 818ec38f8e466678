//! Tags, events and what they look like on a time axis.

use serde::{Deserialize, Serialize};

use super::DoNotUse;
use crate::digest::Digest;
use crate::event::{DeletedBy, EventKind, Source};
use crate::instant::Instant;
use crate::tag::{Band, Class, MediaType};

/// One tag of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tag {
    /// The repository's canonical name.
    pub repository: String,
    /// The tag.
    pub name: String,
    /// What its name promises.
    pub class: Class,
    /// The rule that gave the class.
    pub rule: String,
    /// The tag without its numbers.
    pub family: String,
    /// Whether the registry has it; `None` before the first reading.
    pub present: Option<bool>,
    /// The digest it names, or named last.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub digest: Option<Digest>,
    /// Whether that digest was computed from bytes.
    pub verified: bool,
    /// Media type of these bytes.
    pub media_type: Option<MediaType>,
    /// The digest a release is held to; `None` for a retired one and for other classes.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub promise: Option<Digest>,
    /// A release whose state differs from its promise.
    pub in_breach: bool,
    /// Its flag that is not closed.
    pub flag: Option<i64>,
    /// When it was first seen.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub first_seen: Option<Instant>,
    /// When its newest event was seen.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub changed: Option<Instant>,
    /// When it was last seen in this state.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_seen: Option<Instant>,
    /// How often it is checked.
    pub band: Band,
    /// A person's word that nobody should use it.
    pub do_not_use: Option<DoNotUse>,
}

/// A change of a tag or a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Gapless number in the order of recording; says nothing about time.
    pub seq: i64,
    /// When it is placed on the timeline: `not_after` for what we saw.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Instant,
    /// What happened.
    pub kind: EventKind,
    /// The repository's canonical name.
    pub repository: String,
    /// The tag; `None` for events of the repository.
    pub tag: Option<String>,
    /// What its name promises.
    pub class: Option<Class>,
    /// The digest before.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub old_digest: Option<Digest>,
    /// The digest after.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub new_digest: Option<Digest>,
    /// It did not happen before; `None` when nothing is known.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub not_before: Option<Instant>,
    /// It did not happen after.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub not_after: Instant,
    /// A clock changed between the ends of the window, which was widened.
    pub clock_changed: bool,
    /// What made us look.
    pub source: Source,
    /// Whether the new digest was computed from bytes that the name gave, then or later.
    pub verified: bool,
    /// The tag stood before we watched.
    pub baseline: bool,
    /// For deletions: how it was concluded.
    pub deleted_by: Option<DeletedBy>,
    /// Shared by events of one act.
    pub group_id: Option<i64>,
    /// The flag it belongs to.
    pub flag: Option<i64>,
    /// What the two digests differ in, in words, where that was found out.
    pub difference: Option<String>,
    /// SHA-256 leaf of the event in the log, hex.
    pub leaf: String,
}

/// Everything that ever pointed at a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DigestUse {
    /// The digest.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub digest: Digest,
    /// The repository's canonical name.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// What its name promises.
    pub class: Class,
    /// From when, as far as we know (`not_after` of the event that began it).
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub from: Instant,
    /// Until when; `None` while it still does.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Instant>,
}

/// What the timeline of one repository draws.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Timeline {
    /// The newest spans, at most 2,000.
    pub spans: Vec<Span>,
    /// Whether older ones were left out.
    pub cut: bool,
    /// Times without observation.
    pub gaps: Vec<Gap>,
    /// When watching began.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub watched_since: Instant,
}

/// A tag at one digest between two events, for the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Span {
    /// The tag.
    pub tag: String,
    /// What its name promises.
    pub class: Class,
    /// The digest.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub digest: Digest,
    /// The event that began it.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub from: Instant,
    /// The event that ended it; `None` while it lasts.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Instant>,
    /// What began it.
    pub began_by: EventKind,
    /// What ended it.
    pub ended_by: Option<EventKind>,
    /// It stood before we watched.
    pub baseline: bool,
}

/// A time in which a band could not be observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// The band.
    pub band: Band,
    /// From when.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub from: Instant,
    /// Until when; `None` while it lasts.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Instant>,
    /// Why, in words.
    pub reason: String,
}
