//! Watched repositories and how fresh they are.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::instant::Instant;
use crate::tag::Band;

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
    /// Who says that it is watched: what the configuration file names, only the file ends.
    pub source: WatchSource,
    /// Names of the groups it belongs to.
    pub groups: Vec<String>,
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
    /// Tags that are listed and could never be read: they are in no other count.
    pub unread: Option<Unread>,
}

coded! {
    /// Who says that a repository is watched, or what is in a group.
    pub enum WatchSource {
        /// The configuration file.
        File = 1 "file",
        /// A person, through page or API.
        Person = 2 "person",
    }
}

coded! {
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
        /// Not checked until it is resumed.
        Paused = 7 "paused",
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
    /// The time promised between two proofs, which are passes that read the bytes of every tag, in milliseconds.
    pub proof_promised_ms: u64,
    /// When the newest complete proof started.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_proof: Option<Instant>,
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

/// Tags that are listed and could never be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unread {
    /// How many.
    pub count: u64,
    /// The commonest reason, in words.
    pub reason: String,
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

/// What the first page says before its lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Summary {
    /// Watched repositories.
    pub repositories: u64,
    /// When the oldest watch began, of those that are paused among them.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub watched_since: Option<Instant>,
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
    /// Flags that a person has acknowledged.
    pub acknowledged: u64,
    /// Repositories that are not checked as promised.
    pub late: u64,
    /// The longest freshness promised for a release of the hot band, in milliseconds.
    pub promised_ms: Option<u64>,
    /// The server only shows its record: nothing is checked, and whatever would change something is refused.
    pub read_only: bool,
    /// In the demo: how much of its past was told, in hundredths.
    pub demo_percent: Option<u8>,
}

/// Names a repository that something is to be done with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NameRepository {
    /// As docker would take it.
    #[cfg_attr(feature = "openapi", schema(example = "docker.io/library/nginx"))]
    pub name: String,
}

/// A named set of repositories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What it is, for people; may be empty.
    pub description: String,
    /// Who says what is in it: a group of the configuration file is changed there.
    pub source: WatchSource,
    /// Canonical names of its repositories.
    pub repositories: Vec<String>,
}

/// A request to make a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// 1 to 64 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64, example = "Shop"))]
    pub name: String,
}

/// A request to give a group another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RenameGroup {
    /// Its name now.
    pub name: String,
    /// Its name from now on.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub to: String,
}

/// A request to put a repository into a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JoinGroup {
    /// The group.
    pub group: String,
    /// The repository, which is watched.
    #[cfg_attr(feature = "openapi", schema(example = "docker.io/library/nginx"))]
    pub repository: String,
}
