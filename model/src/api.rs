//! Bodies of the HTTP API under `/api/v1`: what the server writes and the page reads.
//!
//! Instants are RFC 3339 in UTC; durations are whole milliseconds in fields that end in `_ms`.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::event::{DeletedBy, EventKind, Severity, Source};
use crate::flag::{FlagKind, FlagState, Resolution};
use crate::instant::Instant;
use crate::tag::{Band, Class, MediaType};

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
    /// A stable word: `invalid`, `not_found`, `conflict`, `forbidden`, `too_large`, `unavailable`, `internal`.
    pub code: String,
    /// What, where and what to do.
    pub message: String,
    /// The parameter or body field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Found again in the server's log.
    pub request_id: String,
}

crate::coded::coded! {
    /// Whether a repository can be checked, as the last attempts showed it.
    pub enum RepositoryState {
        /// Added, not yet read once.
        New = 1 "new",
        /// Listed and read.
        Ok = 2 "ok",
        /// Its list is empty though tags were there.
        Empty = 3 "empty",
        /// Listing refused or missing; absence and creation are suspended.
        Hidden = 4 "hidden",
        /// Missing for a day: gone.
        Vanished = 5 "vanished",
        /// The registry does not answer, or answers what cannot be understood.
        Failing = 6 "failing",
    }
}

/// How fresh one band of a repository is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Freshness {
    /// The band.
    pub band: Band,
    /// Tags in it.
    pub tags: u64,
    /// The longest time between two observations of a tag that is promised, in milliseconds.
    pub promised_ms: u64,
    /// When the newest complete pass started.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_complete: Option<Instant>,
    /// When the next pass is due.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub next: Option<Instant>,
    /// Since when the promise is broken.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub late_since: Option<Instant>,
    /// Why, in words.
    pub late_reason: Option<String>,
}

/// How far the first reading of a repository has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// Tags read.
    pub read: u64,
    /// Tags found by the listing.
    pub found: u64,
}

/// A watched repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Repository {
    /// Canonical name with host: `docker.io/library/nginx`.
    pub name: String,
    /// The registry's canonical host.
    pub registry: String,
    /// Whether it can be checked.
    pub state: RepositoryState,
    /// Why it is in that state, in words.
    pub state_reason: Option<String>,
    /// Since when.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub state_since: Instant,
    /// When watching began.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub watched_since: Instant,
    /// Present tags that are not ignored.
    pub tags: u64,
    /// Of these, releases.
    pub releases: u64,
    /// Flags that are open or acknowledged.
    pub open_flags: u64,
    /// When the newest pass finished, complete or not.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_pass: Option<Instant>,
    /// When the next pass of any band is due.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub next_pass: Option<Instant>,
    /// Per band with tags in it.
    pub freshness: Vec<Freshness>,
    /// While the first reading goes on.
    pub progress: Option<Progress>,
}

/// A request to watch a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddRepository {
    /// As docker would take it: `nginx`, `ghcr.io/acme/api`, `127.0.0.1:5000/team/api`.
    #[cfg_attr(feature = "openapi", schema(example = "docker.io/library/nginx"))]
    pub name: String,
}

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
    /// SHA-256 leaf of the event in the log, hex.
    pub leaf: String,
}

/// A breach, or a repository that vanished, that needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Flag {
    /// Number of the flag.
    pub id: i64,
    /// What it is about.
    pub kind: FlagKind,
    /// Where it stands.
    pub state: FlagState,
    /// How bad.
    pub severity: Severity,
    /// Whether the change is still being compared; until then it ranks critical.
    pub comparing: bool,
    /// It keeps moving: three moves in 24 hours, or a third breach in 7 days.
    pub flapping: bool,
    /// The repository's canonical name.
    pub repository: String,
    /// The tag; `None` for a flag of the repository.
    pub tag: Option<String>,
    /// The digest the release is held to; `None` when it is retired, and for repository flags.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub promise: Option<Digest>,
    /// What the tag names now; `None` when it is absent.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub current: Option<Digest>,
    /// Window of the first event: it did not happen before.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub not_before: Option<Instant>,
    /// Window of the first event: it did not happen after.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub not_after: Instant,
    /// When the flag was opened.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub opened: Instant,
    /// When it last changed.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub changed: Instant,
    /// An acknowledgement ends then.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub acknowledged_until: Option<Instant>,
    /// Shared by the flags of one act.
    pub group_id: Option<i64>,
    /// Grows with every change; acts name the one they were decided on.
    pub version: i64,
}

/// A flag with its story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlagDetail {
    /// The flag.
    #[serde(flatten)]
    pub flag: Flag,
    /// Its events, oldest first.
    pub events: Vec<Event>,
    /// What people and the machine did with it, oldest first.
    pub transitions: Vec<Transition>,
    /// The way back, best first.
    pub targets: Vec<Target>,
}

/// One step in the life of a flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Transition {
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Instant,
    /// The state before; `None` for the first step.
    pub from: Option<FlagState>,
    /// The state after.
    pub to: FlagState,
    /// Who, as shown to people.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// How it was closed.
    pub resolution: Option<Resolution>,
}

/// Takes note of a flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// The version of the flag that was looked at.
    pub version: i64,
    /// Why it may wait; 1 to 2,000 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 2000))]
    pub reason: String,
    /// It opens again then.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Instant>,
}

/// Closes a flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// The version of the flag that was looked at.
    pub version: i64,
    /// What was decided. Closing in breach needs `accepted`: the promise becomes what the tag is now.
    pub resolution: Resolution,
    /// Why; 1 to 2,000 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 2000))]
    pub reason: String,
}

crate::coded::coded! {
    /// Whether a target can be gone back to.
    pub enum Readiness {
        /// Everything that a pull needs was there at the proof.
        Ready = 1 "ready",
        /// Parts are missing.
        Incomplete = 2 "incomplete",
        /// The manifest is not there.
        Gone = 3 "gone",
        /// A rule forbids it.
        Blocked = 4 "blocked",
        /// Not proven yet, or the registry could not be asked.
        Unproven = 5 "unproven",
    }
}

/// A digest to go back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Target {
    /// The digest.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub digest: Digest,
    /// The release it is: a tag of the same repository.
    pub release: String,
    /// Since when that release named it, as far as we know.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub since: Option<Instant>,
    /// Why it stands where it stands.
    pub because: String,
    /// `host/path@sha256:…`: what to pull or pin.
    pub pinned: String,
    /// Whether it can be pulled.
    pub readiness: Readiness,
    /// When that was proven.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub proven: Option<Instant>,
    /// What was found or is missing, in words.
    pub detail: Option<String>,
}

/// Asks for proofs of the targets of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProveTargets {
    /// The repository.
    #[cfg_attr(feature = "openapi", schema(example = "docker.io/library/nginx"))]
    pub repository: String,
    /// Prove this digest only; by default the first five targets of `tag`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, pattern = "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"))]
    pub digest: Option<Digest>,
    /// The tag whose targets are meant.
    #[serde(default)]
    pub tag: Option<String>,
}

/// Asks for a check now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The repository.
    #[cfg_attr(feature = "openapi", schema(example = "docker.io/library/nginx"))]
    pub repository: String,
    /// These tags only, at most 100; by default the whole repository.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_items = 100))]
    pub tags: Vec<String>,
}

/// Says which digest a release is meant to have: for a pipeline that just pushed it, or a person who accepts another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MakePromise {
    /// The repository.
    #[cfg_attr(feature = "openapi", schema(example = "docker.io/library/nginx"))]
    pub repository: String,
    /// The release tag; may not exist yet.
    pub tag: String,
    /// The digest; `null` retires the release (its absence is the promise).
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, pattern = "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"))]
    pub digest: Option<Digest>,
    /// Why; 1 to 2,000 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 2000))]
    pub reason: String,
}

/// The digest a release is held to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Promise {
    /// The repository's canonical name.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// The digest; `None` for a retired release.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub digest: Option<Digest>,
    /// Taken from an unproven digest: proof replaces it.
    pub provisional: bool,
    /// Who made it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Instant,
}

crate::coded::coded! {
    /// Kinds of work that a person asks for.
    pub enum JobKind {
        /// Look at tags now.
        Check = 1 "check",
        /// Prove that targets can be pulled.
        Proof = 2 "proof",
        /// See what a repository has before watching it.
        Preview = 3 "preview",
        /// Import history.
        Backfill = 4 "backfill",
    }
}

crate::coded::coded! {
    /// Where a job stands.
    pub enum JobState {
        /// Waiting for its registry.
        Queued = 1 "queued",
        /// Under way.
        Running = 2 "running",
        /// Finished.
        Done = 3 "done",
        /// Ended by an error.
        Failed = 4 "failed",
    }
}

/// Work that needs a registry and was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// Number of the job.
    pub id: i64,
    /// What kind of work.
    pub kind: JobKind,
    /// Where it stands.
    pub state: JobState,
    /// The repository it is about.
    pub repository: String,
    /// Steps done.
    pub done: u64,
    /// Steps in all, as far as known.
    pub total: u64,
    /// Why it failed, in words.
    pub error: Option<String>,
    /// When it was asked for.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created: Instant,
    /// When it ended.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub finished: Option<Instant>,
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

/// What the first page says before its lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Summary {
    /// Watched repositories.
    pub repositories: u64,
    /// Registries they live in.
    pub registries: u64,
    /// Release tags watched.
    pub releases: u64,
    /// Releases first seen in the last 30 days, baseline apart.
    pub published_30_days: u64,
    /// Flags that need attention: open, warning or worse.
    pub needs_attention: u64,
    /// Flags that are restored and wait for a review.
    pub needs_review: u64,
    /// Repositories that are not checked as promised.
    pub late: u64,
    /// The longest freshness promised for a release of the hot band, in milliseconds.
    pub promised_ms: Option<u64>,
}

crate::coded::coded! {
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
    /// Number of the event, flag or job; 0 for repositories.
    #[serde(rename = "ref")]
    pub reference: i64,
    /// The repository's canonical name.
    pub repository: String,
}
