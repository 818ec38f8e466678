//! What the timeline says in English, apart from what happened: that is told by `telling.rs`.

use tagwarden_model::api::{Lane, TimelineHead};
use tagwarden_model::timeline::{lane_label, short};

use crate::phrase::{grouped, visible};

/// Classes of lanes, with the word of an address for each.
pub const CLASSES: [(&str, &str); 4] =
    [("", "all classes"), ("release", "releases"), ("rolling", "rolling"), ("rebuilt", "rebuilt")];
/// How releases are gathered.
pub const GATHERED: [(&str, &str); 3] = [("", "tracks or families"), ("track", "by track"), ("family", "by family")];
/// Label of the classes.
pub const CLASS: &str = "Class of the lanes";
/// Label of how releases are gathered.
pub const GATHERING: &str = "How releases are gathered";
/// Only lanes with a flag.
pub const FLAGGED: &str = "flagged only";
/// Low lanes.
pub const COMPACT: &str = "compact";
/// Label of what can be done with lanes.
pub const HANDLES: &str = "Lanes: pin and collapse";
/// What the key P does.
pub const PIN_KEY: &str = "pin the lane, or unpin it";
/// What the key C does.
pub const COLLAPSE_KEY: &str = "one lane for its repository, or all";

/// What a button on a lane's name does.
pub fn pin(lane: &Lane) -> String {
    visible(&["Pin ", short(&lane.repository), " ", &lane_label(lane)].concat())
}

/// What a button on a repository's name shows or hides.
pub fn lanes_of(repository: &str) -> String {
    visible(&["Lanes of ", repository].concat())
}

/// How far the reading of hints is; nothing where it is over.
pub fn reading(head: &TimelineHead) -> Option<String> {
    let (mut found, mut to_come) = (0, 0);
    for watched in &head.repositories {
        found += watched.hints;
        to_come += watched.hints_to_come;
    }
    let words = format!(
        "Images of releases from before the watch are read for their dates, newest first: {} found, {} to come.",
        grouped(found),
        grouped(to_come)
    );
    (to_come > 0).then_some(words)
}
