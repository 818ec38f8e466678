//! A digest, alone and between others.

use super::{count, tags};

pub const COPIED: &str = "the digest";
pub const FROM: &str = "From";
pub const UNTIL: &str = "Until";
pub const NOW: &str = "now";
pub const ABSENT: &str = "absent";
pub const BECAME: &str = "became";
pub const COMPARE: &str = "Compare";
pub const CLAIMED: &str = "What an image was built from is a label that whoever pushed it wrote, and no proof.";

/// A claimed commit, and the host that its address leads to.
pub fn commit(revision: &str, url: Option<&str>) -> String {
    let short = if url.is_some() { revision.get(..12).unwrap_or(revision) } else { revision };
    let host = url.and_then(|url| url.split('/').nth(2)).map(|host| [" on ", host].concat());
    ["Commit ", short, &host.unwrap_or_default(), " (claimed)"].concat()
}

/// How many tags ever pointed at it, and how many do now; there may be more than are shown.
pub fn uses(all: u64, now: u64, more: bool) -> String {
    match (all, now) {
        (all, now) if more => format!("The newest {} that pointed at it; {} now.", tags(all), count(now, "does", "do")),
        (0, _) => "Nothing that is watched has ever pointed at it.".to_owned(),
        (all, 0) => format!("{} pointed at it; none does now.", tags(all)),
        (all, now) if all == now => format!("{} at it.", count(all, "tag points", "tags point")),
        (all, now) => {
            format!("{} pointed at it; {} now.", count(all, "tag has", "tags have"), count(now, "does", "do"))
        }
    }
}
