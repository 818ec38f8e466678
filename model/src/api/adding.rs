//! What is known of repositories before they are watched.

use serde::{Deserialize, Serialize};

use super::Proposal;
use crate::coded::coded;
use crate::tag::Class;

/// Asks what a repository has, before it is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewRepository {
    /// As docker would take it: `nginx`, `ghcr.io/acme/api`, `127.0.0.1:5000/team/api`.
    #[cfg_attr(feature = "openapi", schema(example = "docker.io/library/nginx"))]
    pub name: String,
}

/// Asks for the repositories of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReadCatalogue {
    /// The registry's host, with its port if it has one.
    #[cfg_attr(feature = "openapi", schema(example = "registry.example.com"))]
    pub registry: String,
    /// Pattern over names without the host, matched whole: `*` within a segment, `**` across.
    #[cfg_attr(feature = "openapi", schema(max_length = 400, example = "team/**"))]
    pub pattern: String,
}

/// What a job found; kept for an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobResult {
    /// Of a preview.
    Preview(RepositoryPreview),
    /// Of a catalogue.
    Catalogue(Catalogue),
}

/// What a repository has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepositoryPreview {
    /// Whether its tags could be listed.
    pub found: bool,
    /// Why not, and what to do.
    pub reason: Option<String>,
    /// Whether it is watched already.
    pub watched: bool,
    /// Its tags.
    pub tags: u64,
    /// How the rules class them; classes without tags are left out.
    pub classes: Vec<ClassCount>,
    /// Rules that would make releases of tags that roll only by their shape. Nothing but their names is known yet: they fit
    /// if these tags never move.
    pub proposals: Vec<Proposal>,
}

/// Tags of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClassCount {
    /// The class.
    pub class: Class,
    /// How many there are.
    pub tags: u64,
    /// Some of them, newest version first.
    pub examples: Vec<String>,
}

/// Repositories of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Catalogue {
    /// Whether the registry gave its catalogue.
    pub found: bool,
    /// Why not, and what to do.
    pub reason: Option<String>,
    /// Names that were read.
    pub read: u64,
    /// Those that match, at most 1,000.
    pub items: Vec<CatalogueItem>,
    /// There are more names, or more that match.
    pub truncated: bool,
}

/// A repository of a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatalogueItem {
    /// Canonical name with host.
    pub name: String,
    /// Whether it is watched already.
    pub watched: bool,
}

/// A text that names images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Paste {
    /// Images one a line, a compose file, Kubernetes manifests (`kubectl get pods -o json`, too) or a list of Diun's; at most
    /// 1 MiB.
    #[cfg_attr(feature = "openapi", schema(example = "nginx:1.27\nghcr.io/acme/api"))]
    pub text: String,
}

coded! {
    /// What a pasted text is.
    pub enum PasteFormat {
        /// Images one a line, or a list of them.
        Names = 1 "names",
        /// A compose file.
        Compose = 2 "compose",
        /// Kubernetes objects.
        Kubernetes = 3 "kubernetes",
        /// What Diun watches.
        Diun = 4 "diun",
        /// JSON or YAML that cannot be read.
        Unknown = 5 "unknown",
    }
}

/// What a pasted text names. Nothing of it is watched yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pasted {
    /// What it was taken for.
    pub format: PasteFormat,
    /// The repositories that it names, by name; at most 2,000.
    pub items: Vec<PasteItem>,
    /// What was not understood; at most 200.
    pub not_understood: Vec<NotUnderstood>,
    /// There is more of either.
    pub truncated: bool,
}

/// A repository that a pasted text names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasteItem {
    /// Canonical name with host.
    pub name: String,
    /// Tags that stood with it; at most 10.
    pub tags: Vec<String>,
    /// Where it was found: lines, or keys; at most 10.
    pub places: Vec<String>,
    /// Whether it is watched already.
    pub watched: bool,
}

/// Something that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotUnderstood {
    /// Line or key.
    pub place: String,
    /// The beginning of what stands there.
    pub text: String,
    /// Why.
    pub reason: String,
}
