//! The configuration by which the server works.

use serde::{Deserialize, Serialize};

use crate::instant::Instant;

/// The configuration by which the server works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Configuration {
    /// Its file; absent when there is none.
    pub file: Option<String>,
    /// When it was read.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub loaded_at: Instant,
    /// What is wrong with the newest version, which therefore is not in force; empty when it is.
    pub errors: Vec<ConfigurationError>,
}

/// One thing that is wrong with a version of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfigurationError {
    /// Line of the file, from 1; absent for what is wrong outside of it.
    pub line: Option<u64>,
    /// Column of the line, from 1.
    pub column: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do; may be empty.
    pub advice: String,
}
