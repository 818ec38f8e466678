use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use globset::GlobMatcher;
use tagwarden_model::api::{Catalogue, CatalogueItem, ClassCount, RepositoryPreview};
use tagwarden_model::class::class_of;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::proposal::{EXAMPLES, propose_by_name};
use tagwarden_model::tag::Class;
use tagwarden_model::version::Version;

use crate::policy::{Policy, Rule};
use crate::registry::{Names, Registry, RegistryError};

/// Repositories of a catalogue that one answer has.
const MOST_ITEMS: usize = 1_000;

/// Proposals of a preview.
const MOST_PROPOSALS: usize = 20;

/// What a repository has, or why that cannot be seen.
pub async fn preview<R: Registry>(registry: &R, policy: &Policy, name: &RepositoryName) -> RepositoryPreview {
    match registry.list_tags(name).await.result {
        Ok(tags) => counted(policy, name, tags),
        Err(error) => RepositoryPreview { reason: Some(why(name, &error)), ..RepositoryPreview::default() },
    }
}

fn counted(policy: &Policy, name: &RepositoryName, tags: Vec<TagName>) -> RepositoryPreview {
    let (rules, repository, count) = (policy.of(name), name.to_string(), tags.len() as u64);
    let (mut classes, mut by_table) = (BTreeMap::<Class, Vec<TagName>>::new(), Vec::new());
    for tag in tags {
        let table = class_of(&repository, tag.as_str());
        let rule = rules.first(&tag);
        classes.entry(rule.map_or(table.class, Rule::class)).or_default().push(tag.clone());
        by_table.push((tag, rule.is_none().then_some(table)));
    }
    let counted = |(class, mut tags): (Class, Vec<TagName>)| {
        tags.sort_by_cached_key(|tag| Reverse(Version::of(tag.as_str())));
        let examples = tags.iter().take(EXAMPLES).map(TagName::to_string).collect();
        ClassCount { class, tags: tags.len() as u64, examples }
    };
    let mut proposals = propose_by_name(&repository, by_table);
    proposals.truncate(MOST_PROPOSALS);
    let classes = classes.into_iter().map(counted).collect();
    RepositoryPreview { found: true, tags: count, classes, proposals, ..RepositoryPreview::default() }
}

/// Why a repository cannot be seen, and what to do about it.
fn why(name: &RepositoryName, error: &RegistryError) -> String {
    let host = &name.host;
    match error {
        RegistryError::NotFound { .. } => format!("{host} has no repository {}: look at the spelling", name.path),
        // Docker Hub and GHCR answer so for what does not exist, too.
        RegistryError::Refused { message } => format!(
            "{host} does not let us in: {message}. Look at the spelling; if it is private, put credentials for {host} into the \
             configuration"
        ),
        error => unanswered(host, error),
    }
}

fn unanswered(host: &str, error: &RegistryError) -> String {
    match error {
        RegistryError::RateLimited { message, .. } => format!("{host} wants us to wait ({message}): try again later"),
        RegistryError::Unreachable { message } => {
            format!("{host} does not answer: {message}. Look at the host's name, and whether it is reached from here")
        }
        RegistryError::Unintelligible { message } => {
            format!("{host} does not answer as a registry does: {message}. Look at the host's name")
        }
        error => format!("{error}: try again later"),
    }
}

/// The repositories of a registry whose names match, or why they cannot be listed. `watched` says which are watched already.
pub async fn catalogue<R: Registry>(
    registry: &R,
    host: &str,
    pattern: &GlobMatcher,
    watched: &BTreeSet<String>,
) -> Catalogue {
    let Names { names, whole } = match registry.catalogue(host).await {
        Ok(names) => names,
        Err(error) => return Catalogue { reason: Some(why_none(host, &error)), ..Catalogue::default() },
    };
    let read = names.len() as u64;
    let mut items: Vec<_> = names.iter().filter(|name| pattern.is_match(name)).collect();
    let truncated = !whole || items.len() > MOST_ITEMS;
    items.truncate(MOST_ITEMS);
    // What is no name of the specification could not be watched.
    let names = items.into_iter().filter_map(|path| format!("{host}/{path}").parse::<RepositoryName>().ok());
    let items = names.map(|name| name.to_string());
    let items = items.map(|name| CatalogueItem { watched: watched.contains(&name), name }).collect();
    Catalogue { found: true, reason: None, read, items, truncated }
}

fn why_none(host: &str, error: &RegistryError) -> String {
    const INSTEAD: &str = "name its repositories instead, one by one or as a pasted list";
    match error {
        RegistryError::NotFound { .. } => format!("{host} has no catalogue, as many registries: {INSTEAD}"),
        RegistryError::Refused { message } => {
            format!(
                "{host} does not show its catalogue to us, as many registries: {message}. Give us credentials that may read it, or {INSTEAD}"
            )
        }
        error => unanswered(host, error),
    }
}
