//! Finding things, and views of the page that people keep.

use serde::{Deserialize, Serialize};

use super::DigestUse;
use crate::digest::Digest;
use crate::instant::Instant;
use crate::tag::Class;

/// What typed words lead to, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Found {
    /// Canonical names of watched repositories.
    pub repositories: Vec<String>,
    /// Tags of watched repositories.
    pub tags: Vec<FoundTag>,
    /// What points or pointed at a digest that begins so.
    pub digests: Vec<DigestUse>,
}

/// A tag that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundTag {
    /// The repository's canonical name.
    pub repository: String,
    /// The tag.
    pub name: String,
    /// What its name promises.
    pub class: Class,
    /// The digest it names, or named last.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub digest: Option<Digest>,
    /// Whether the registry has it; `None` before the first reading.
    pub present: Option<bool>,
    /// Its flag that is not closed.
    pub flag: Option<i64>,
}

/// An address of the page that people keep under a name, for all who use this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct View {
    /// Unique name.
    pub name: String,
    /// The address, relative to the page's base: `timeline?group=shop&range=30d`.
    pub address: String,
    /// Who keeps it.
    pub actor: String,
    /// Since when.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Instant,
}

/// Keeps a view, in place of one of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct KeepView {
    /// 1 to 64 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64, example = "Payments, 30 days"))]
    pub name: String,
    /// A relative address of this page, at most 2,000 characters.
    #[cfg_attr(feature = "openapi", schema(max_length = 2000, example = "flags?state=open"))]
    pub address: String,
}

/// A release that nobody should use or go back to, by a person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoNotUse {
    /// The repository's canonical name.
    pub repository: String,
    /// The release.
    pub tag: String,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub actor: String,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Instant,
}

/// Says that nobody should use a release, or go back to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SayDoNotUse {
    /// The repository.
    #[cfg_attr(feature = "openapi", schema(example = "docker.io/library/nginx"))]
    pub repository: String,
    /// The release.
    pub tag: String,
    /// Why, in 1 to 2,000 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 2000))]
    pub reason: String,
}
