//! Work that is asked for: checks, proofs of targets, looks at what is not watched.

use serde::{Deserialize, Serialize};

use super::JobResult;
use crate::coded::coded;
use crate::digest::Digest;
use crate::instant::Instant;

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
    /// The repository it is about; of a catalogue the registry's host.
    pub repository: String,
    /// Steps done.
    pub done: u64,
    /// Steps in all, as far as known.
    pub total: u64,
    /// Why it failed, in words.
    pub error: Option<String>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<JobResult>,
    /// When it was asked for.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created: Instant,
    /// When it ended.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub finished: Option<Instant>,
}

coded! {
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
        /// Find the repositories of a registry.
        Catalogue = 5 "catalogue",
    }
}

coded! {
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

coded! {
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
