//! Registry entries and whether they can be asked.

use serde::{Deserialize, Serialize};

use super::{Progress, RepositoryState};
use crate::coded::coded;
use crate::instant::Instant;

/// A registry entry: one host, or a part of it, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Registry {
    /// The entry's name; the host where the configuration names none.
    pub name: String,
    /// Canonical host.
    pub host: String,
    /// Watched repositories that it serves.
    pub repositories: u64,
    /// Whether it can be asked.
    pub state: RegistryState,
    /// Why it is in that state, in words.
    pub state_reason: Option<String>,
    /// Since when; absent before the first listing.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub state_since: Option<Instant>,
    /// When the newest pass over one of its repositories ended.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub checked: Option<Instant>,
    /// How its repositories stand, those that are paused among them.
    pub standings: Vec<Standing>,
}

/// Repositories of one registry that stand alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Standing {
    /// Their state.
    pub state: RepositoryState,
    /// Whether they are not checked as promised.
    pub late: bool,
    /// How many.
    pub repositories: u64,
    /// Why, by one of them.
    pub reason: Option<String>,
    /// Of those that are read for the first time: how far all of them together are.
    pub progress: Option<Progress>,
}

coded! {
    /// Whether a registry entry can be asked, by the newest listings of its watched repositories.
    pub enum RegistryState {
        /// None of its repositories was listed yet, or none is watched.
        New = 1 "new",
        /// It answers.
        Ok = 2 "ok",
        /// It refuses every repository (401 or 403).
        Unauthorized = 3 "unauthorized",
        /// It answers for no repository.
        Failing = 4 "failing",
    }
}
