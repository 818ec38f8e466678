//! The first page.

use tagwarden_model::api::{Flag, Summary};

use super::{count, grouped, number, releases};
use crate::meaning::{Breach, breach};

pub const NEEDS_ATTENTION: &str = "Needs attention";
pub const NEEDS_REVIEW: &str = "Needs review";
pub const FIRST_STEP: &str = "Name the first repository.";
pub const FIRST_STEP_HELP: &str = "Tagwarden reads its tags, remembers which digest each one has, and flags every release that is reassigned or removed from then on. It only reads.";
const RELEASES: &str = "Releases, last 30 days";
pub const RELEASES_PICTURE: &str = "Latest releases by repository";
pub const LATEST: &str = "Latest releases";
pub const LATEST_NONE: &str = "None since watching began.";
pub const FRESHNESS: &str = "Freshness";

/// Over the picture of them; `since` is a date where there are more of them than it shows.
pub fn releases_since(since: Option<&str>) -> String {
    since.map_or_else(|| RELEASES.to_owned(), |since| ["Releases since ", since].concat())
}

/// The first sentence of the first page; `flags` are those that need attention, or the first of them.
pub fn headline(summary: &Summary, flags: &[Flag]) -> String {
    let urgent: Vec<Breach> = flags.iter().map(breach).collect();
    let known = urgent.len() as u64 == summary.needs_attention;
    let releases = urgent.iter().all(|breach| matches!(breach, Breach::Changed | Breach::Removed));
    let alike = urgent.first().copied().filter(|first| known && urgent.iter().all(|other| other == first));
    let amount = number(summary.needs_attention);
    match (summary.repositories, summary.needs_attention, summary.needs_review) {
        (0, ..) => "Nothing is watched yet.".into(),
        (_, 0, 0) if summary.releases == 0 => "No release has been found yet.".into(),
        (_, 0, 0) if summary.acknowledged == 1 => "One flag is acknowledged; nothing else has changed.".into(),
        (_, 0, 0) if summary.acknowledged > 0 => {
            format!("{} flags are acknowledged; nothing else has changed.", number(summary.acknowledged))
        }
        (_, 0, 0) if summary.late > 0 => "Every release is as it was first seen, where it could be checked.".into(),
        (_, 0, 0) => "Every release is as it was first seen.".into(),
        (_, 0, 1) => "One release was changed and is as first seen again.".into(),
        (_, 0, review) => format!("{} releases were changed and are as first seen again.", number(review)),
        (_, 1, _) => match alike {
            Some(Breach::Changed) => "One release was changed after it was published.".into(),
            Some(Breach::Removed) => "One release was removed after it was published.".into(),
            Some(Breach::Vanished) => "One repository is gone.".into(),
            Some(Breach::Invisible) => "One repository can no longer be seen.".into(),
            None => "One flag needs a decision.".into(),
        },
        _ => match alike {
            Some(Breach::Changed) => format!("{amount} releases were changed after they were published."),
            Some(Breach::Removed) => format!("{amount} releases were removed after they were published."),
            Some(Breach::Vanished) => format!("{amount} repositories are gone."),
            Some(Breach::Invisible) => format!("{amount} repositories can no longer be seen."),
            None if known && releases => {
                format!("{amount} releases were changed or removed after they were published.")
            }
            None => format!("{amount} flags need a decision."),
        },
    }
}

/// What is watched, in one line.
pub fn scope(summary: &Summary) -> String {
    if summary.repositories == 0 {
        return "Releases are promises: this name will always mean these bytes.".into();
    }
    [
        format!(
            "{} in {}",
            count(summary.repositories, "repository", "repositories"),
            count(summary.registries, "registry", "registries")
        ),
        format!("{} watched", releases(summary.releases)),
        format!("{} published in the last 30 days", grouped(summary.published_30_days)),
    ]
    .join(" · ")
}
