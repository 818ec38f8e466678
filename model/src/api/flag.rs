//! Flags, promises, and what people decide about them.

use serde::{Deserialize, Serialize};

use super::{Event, Target};
use crate::change::{Change, ChangeRow, SourceCommit};
use crate::digest::Digest;
use crate::event::Severity;
use crate::flag::{FlagKind, FlagState, Resolution};
use crate::instant::Instant;

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
    /// The rule of the policy that lowers the severity; `None` where none does, and once the flag is closed.
    pub lowered_by: Option<String>,
    /// Whether the change is still being compared; until then it counts as critical.
    pub comparing: bool,
    /// What the tag names now and the promise differ in, in words, once it was compared.
    pub difference: Option<String>,
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
    /// What the promise and the newest digest that was not the promise differ in, once it was compared, for people; `GET
    /// compare` has all of it.
    pub differences: Vec<ChangeRow>,
    /// What both claim to be built from, in words: a label, not proof.
    pub revision: Option<String>,
    /// Its events, oldest first.
    pub events: Vec<Event>,
    /// What people and the machine did with it, oldest first.
    pub transitions: Vec<Transition>,
    /// The way back, best first.
    pub targets: Vec<Target>,
}

/// What two digests differ in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Comparison {
    /// All of it, platform by platform.
    #[serde(flatten)]
    pub change: Change,
    /// It in one sentence, without capital and full stop.
    pub sentence: String,
    /// It as a table for people. At most 40 rows.
    pub rows: Vec<ChangeRow>,
    /// What the old one claims to be built from; `None` where it claims nothing, or the record does not keep it.
    pub old_source: Option<SourceCommit>,
    /// The same of the new one.
    pub new_source: Option<SourceCommit>,
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
