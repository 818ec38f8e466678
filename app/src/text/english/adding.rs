//! Watching more: one by its name, many from a text.

use tagwarden_model::api::{ClassCount, Pasted, RepositoryPreview};

use super::{count, grouped, kinds, tags};
use crate::meaning::sentence;

pub const NAME_HELP: &str = "As docker would take it, without a tag.";
pub const WATCH: &str = "Watch";
pub const LOOKING: &str = "Looking…";
pub const TAKES_LONG: &str = "The registry takes long. It can be watched all the same.";

pub const PASTE: &str = "Paste many…";
pub const PASTE_LABEL: &str = "Images, a compose file, Kubernetes manifests; or a pattern such as ghcr.io/acme/**";
pub const PASTE_FIND: &str = "Find images";
pub const WATCHED_ALREADY: &str = "watched already";
pub const CATALOGUE_TAKES_LONG: &str =
    "The registry takes long to list what it has. Find again in a minute, or paste the names.";

pub fn added(name: &str) -> String {
    [name, " is watched from now on."].concat()
}

pub fn watch(number: usize) -> String {
    format!("Watch {number}")
}

/// How many were added, and what was said of the others.
pub fn added_many(number: u64, refused: &str) -> String {
    format!("{} watched from now on. {refused}", count(number, "repository is", "repositories are"))
}

/// What a repository has, or why that is not known, in lines.
pub fn preview(preview: &RepositoryPreview) -> Vec<String> {
    if let Some(reason) = &preview.reason {
        return vec![sentence(reason)];
    }
    let watched = if preview.watched { " It is watched already." } else { "" };
    let mut lines = vec![format!("Found, with {}.{watched}", tags(preview.tags))];
    let class =
        |of: &ClassCount| format!("{} {}: {}", grouped(of.tags), kinds::class(of.class), of.examples.join(", "));
    lines.extend(preview.classes.iter().map(class));
    lines.extend(preview.proposals.first().map(|proposal| {
        let example = proposal.examples.first().map_or("", String::as_str);
        let tags = tags(proposal.tags);
        format!(
            "{tags} like {example}: rolling. If they never move, a rule for {} makes them releases.",
            proposal.pattern
        )
    }));
    lines
}

/// What a pasted text names, and the first thing in it that was not understood.
pub fn pasted(pasted: &Pasted) -> String {
    let found = count(pasted.items.len() as u64, "repository", "repositories");
    let Some(first) = pasted.not_understood.first() else { return format!("{found} found.") };
    let all = count(pasted.not_understood.len() as u64, "place was", "places were");
    format!("{found} found. {all} not understood; {}: {}.", first.place, first.reason)
}
