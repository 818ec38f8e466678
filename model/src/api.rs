//! Bodies of the HTTP API under `/api/v1`: what the server writes and the page reads.
//!
//! Instants are RFC 3339 in UTC; durations are whole milliseconds in fields that end in `_ms`.

mod adding;
mod configuration;
mod finding;
mod flag;
mod job;
mod notifier;
mod policy;
mod record;
mod registry;
mod repository;
mod timeline;

use serde::{Deserialize, Serialize};

pub use self::adding::{
    Catalogue, CatalogueItem, ClassCount, JobResult, NotUnderstood, Paste, PasteFormat, PasteItem, Pasted,
    PreviewRepository, ReadCatalogue, RepositoryPreview,
};
pub use self::configuration::{Configuration, ConfigurationError};
pub use self::finding::{DoNotUse, Found, FoundTag, KeepView, SayDoNotUse, View};
pub use self::flag::{Acknowledge, Close, Comparison, Flag, FlagDetail, MakePromise, Promise, Transition};
pub use self::job::{Check, Job, JobKind, JobState, ProveTargets, Readiness, Target};
pub use self::notifier::{Delivery, DeliveryState, Notifier, Occasion, Retried};
pub use self::policy::{
    ClassChange, PolicyPreview, PolicyRule, PreviewPolicy, Proposal, ProposedRule, RuleSource, SeverityChange,
};
pub use self::record::{DigestUse, Event, Gap, Span, Tag, Timeline};
pub use self::registry::{Registry, RegistryState, Standing};
pub use self::repository::{
    AddRepository, Freshness, Group, JoinGroup, NameRepository, NewGroup, Progress, RenameGroup, Repository,
    RepositoryState, Summary, Unread, WatchSource,
};
pub use self::timeline::{
    Activity, Breach, Hint, Lane, LaneKind, Pause, TILE_BRIEF, TILE_BUCKETS, TILE_LANES, TILE_LEVELS, Tile, TileDigest,
    TileLane, TimelineHead, Watched,
};
use crate::coded::coded;

/// One page of a list. `next` is the `cursor` of the following page; it is bound to the other parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The rows, in the order that was asked for.
    pub items: Vec<T>,
    /// Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The body of every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong, for programs (`code`) and people (`message`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorDetail {
    /// A stable word: `invalid`, `not_found`, `conflict`, `closed`, `forbidden`, `too_large`, `unavailable`, `internal`.
    pub code: String,
    /// What, where and what to do.
    pub message: String,
    /// The parameter or body field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Found again in the server's log.
    pub request_id: String,
}

coded! {
    /// What a message of the live stream is about.
    pub enum ChangeKind {
        /// Events were recorded; `ref` is the newest number.
        Events = 1 "events",
        /// A flag changed; `ref` is its number.
        Flag = 2 "flag",
        /// A repository's state or freshness changed.
        Repository = 3 "repository",
        /// A job went on; `ref` is its number.
        Job = 4 "job",
        /// The state of a registry entry changed.
        Registry = 5 "registry",
    }
}

/// One message of the live stream, `event: change`; its id is the stream's `Last-Event-ID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// Grows; not gapless for the reader.
    pub id: i64,
    /// What it is about.
    pub kind: ChangeKind,
    /// Number of the event, flag or job; 0 for repositories and registries.
    #[serde(rename = "ref")]
    pub reference: i64,
    /// The repository's canonical name; absent for registries, and for jobs about none that is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
}
