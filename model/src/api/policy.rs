//! The policy: rules in force, and what others would change.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::event::Severity;
use crate::instant::Instant;
use crate::tag::Class;

/// One rule of the policy. The first that matches a tag gives its class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyRule {
    /// Its name, as in `rule` of a tag; names of the built-in table's rows begin with this one's.
    pub rule: String,
    /// Where it stands.
    pub source: RuleSource,
    /// Pattern over canonical names of repositories, matched whole: `*` within a segment, `**` across.
    pub repository: String,
    /// Pattern over tags, matched whole.
    pub tag: String,
    /// The class that it gives; absent for the built-in table, which has one for each shape of a tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Flags of its tags are never more severe than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Its tags are deleted on purpose: a deletion is `info`.
    #[serde(default)]
    pub retention: bool,
}

coded! {
    /// Where a rule stands.
    pub enum RuleSource {
        /// In the configuration file.
        File = 1 "file",
        /// In the built-in table.
        BuiltIn = 2 "built-in",
    }
}

/// Asks what other rules would do. Nothing is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewPolicy {
    /// In place of all configured rules, in this order, at most 50; the built-in table comes after them.
    #[cfg_attr(feature = "openapi", schema(max_items = 50))]
    pub rules: Vec<ProposedRule>,
    /// This watched repository only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "docker.io/library/nginx"))]
    pub repository: Option<String>,
}

/// A rule as `[[policy]]` of the configuration has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProposedRule {
    /// Pattern over canonical names of repositories; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 400, example = "ghcr.io/acme/**"))]
    pub repository: Option<String>,
    /// Pattern over tags.
    #[cfg_attr(feature = "openapi", schema(max_length = 400, example = "stable-*"))]
    pub tag: String,
    /// The class of the tags that match both.
    pub class: Class,
    /// Their flags are never more severe than `info` or `warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// They are deleted on purpose: a deletion is `info`.
    #[serde(default)]
    pub retention: bool,
}

/// What other rules would change, and what the record suggests beyond them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PolicyPreview {
    /// Watched tags that were looked at.
    pub tags: u64,
    /// Of these, those whose class would change.
    pub changed: u64,
    /// The same by repository, former and new class.
    pub changes: Vec<ClassChange>,
    /// Flags that are not closed and whose severity would change.
    pub severities: Vec<SeverityChange>,
    /// Rules that the record suggests where these leave it to the built-in table.
    pub proposals: Vec<Proposal>,
    /// There are more tags, changes, flags or proposals than one answer has: ask for one repository.
    pub truncated: bool,
}

/// Tags of one repository that would get another class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClassChange {
    /// The repository.
    pub repository: String,
    /// Their class now.
    pub from: Class,
    /// Their class then.
    pub to: Class,
    /// How many there are.
    pub tags: u64,
    /// Some of them.
    pub examples: Vec<String>,
}

/// A flag whose severity would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeverityChange {
    /// Number of the flag.
    pub flag: i64,
    /// The repository.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// Its severity now.
    pub from: Severity,
    /// Its severity then.
    pub to: Severity,
}

/// A rule that the record of the last 90 days suggests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Proposal {
    /// The repository that it is about.
    pub repository: String,
    /// Pattern over tags.
    pub pattern: String,
    /// `release` for tags that never move, `rolling` for a release that does.
    pub class: Class,
    /// How many tags speak for it.
    pub tags: u64,
    /// Some of them, newest version first.
    pub examples: Vec<String>,
    /// Since when all of them are what they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub never_moved_since: Option<Instant>,
    /// How often they moved in the last 90 days.
    pub moves: u64,
}
