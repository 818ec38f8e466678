//! A digest, alone and between others.

use super::{count, tags};

pub const COPIED: &str = "the digest";
pub const FROM: &str = "From";
pub const UNTIL: &str = "Until";
pub const NOW: &str = "now";
pub const ABSENT: &str = "absent";
pub const BECAME: &str = "became";

/// How many tags ever pointed at it, and how many do now.
pub fn uses(all: u64, now: u64) -> String {
    match (all, now) {
        (0, _) => "Nothing that is watched has ever pointed at it.".to_owned(),
        (all, 0) => format!("{} pointed at it; none does now.", tags(all)),
        (all, now) if all == now => format!("{} at it.", count(all, "tag points", "tags point")),
        (all, now) => {
            format!("{} pointed at it; {} now.", count(all, "tag has", "tags have"), count(now, "does", "do"))
        }
    }
}
