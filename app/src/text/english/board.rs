//! Around a timeline: its controls, its legend, its table and its keys.

use tagwarden_model::api::{Lane, TimelineHead};
use tagwarden_model::timeline::{lane_label, short};

use super::{count, grouped};
use crate::meaning::visible;

pub const TIMELINE: &str = "Timeline";
pub const HEADING: &str = "What was released, and what moved";
pub const LEAD: &str = "All repositories that are watched, on one axis.";
pub const ITS_REPOSITORIES: &str = "Its repositories";
/// The ranges, with the word of an address for each.
pub const RANGES: [(&str, &str); 6] =
    [("24h", "24 h"), ("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days"), ("365d", "Year"), ("all", "All")];
pub const RANGE: &str = "Range of the timeline";
pub const ZOOM: &str = "Zoom";
pub const ZOOM_IN: &str = "Zoom in";
pub const ZOOM_OUT: &str = "Zoom out";
pub const LANES: &str = "Lanes";
pub const NAME_HAS: &str = "Lanes whose name has";
pub const NAME_HAS_SHORT: &str = "Lanes whose name has…";
pub const TRACKS: &str = "Tracks from..to";
pub const TRACKS_EXAMPLE: &str = "2.1..2.4";
/// Classes of lanes, with the word of an address for each.
pub const CLASSES: [(&str, &str); 4] =
    [("", "all classes"), ("release", "releases"), ("rolling", "rolling"), ("rebuilt", "rebuilt")];
/// Whether tags are there, with the word of an address.
pub const STATES: [(&str, &str); 3] = [("", "there or gone"), ("present", "there"), ("gone", "gone")];
/// How releases are gathered.
pub const GATHERED: [(&str, &str); 3] = [("", "tracks or families"), ("track", "by track"), ("family", "by family")];
pub const CLASS: &str = "Class of the lanes";
pub const STATE: &str = "Whether tags are there or gone";
pub const GATHERING: &str = "How releases are gathered";
/// Only lanes with a flag.
pub const FLAGGED: &str = "flagged only";
/// Low lanes.
pub const COMPACT: &str = "compact";
/// Label of what can be done with lanes.
pub const HANDLES: &str = "Lanes: pin and collapse";

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

pub const NOT_LANES: &str = "no lanes";
pub const STRIP: &str = "Window of the timeline: arrow keys move and zoom it";
pub const LOADING: &str = "Loading…";
pub const NOTHING: &str = "Nothing happened in this window.";
pub const BLIND: &str = "Nothing was observed in this window.";
pub const UNREACHABLE: &str = "The server cannot be reached; asked again every few seconds.";
pub const TO_DATA: &str = "Zoom to data";
pub const FIRST_LANES: &str = "First lanes";
pub const NEXT_LANES: &str = "Next lanes";
pub const NO_LANE: &str = "No lane matches. ";
pub const NO_TAG: &str = "No tag was seen yet. ";

/// Events beyond the right edge, as a button that leads there.
pub fn news(number: u64) -> String {
    [&grouped(number), " new →"].concat()
}

pub fn shown(number: usize, total: u64) -> String {
    format!("{number} of {} shown. ", count(total, "lane", "lanes"))
}

/// Rows of the table.
pub fn rows(written: usize, all: usize) -> String {
    let words = count(all as u64, "row", "rows");
    if written < all { format!("{written} of {words}: zoom in for more") } else { words }
}

pub const RELEASE: &str = "release";
pub const FROM_BEFORE: &str = "from before";
pub const HINT: &str = "hint: its image's own date";
pub const REASSIGNED: &str = "reassigned";
pub const DELETED: &str = "deleted";
pub const RESTORED: &str = "restored";
pub const SEVERAL: &str = "several";
pub const GONE: &str = "rolling tag gone";
pub const UNCERTAIN: &str = "happened in here";
pub const NOT_WATCHED: &str = "not watched";
pub const NOT_OBSERVED: &str = "not observed";
pub const NOT_LOADED: &str = "not loaded";
pub const BLANK: &str = "blank: nothing happened";

pub const TABLE: &str = "Table of this window";
pub const EVENTS: &str = "Events of this window";
/// Over the columns of the table.
pub const COLUMNS: [&str; 5] = ["Lane", "What", "When", "Digest", "In words"];

pub const PINNED: &str = "Pinned";
pub const CLOSE: &str = "Close";
pub const FLAG: &str = "Flag";

pub fn tag(name: &str) -> String {
    ["Tag ", name].concat()
}

pub const KEYS_OF: &str = "Keys of the timeline";
/// The keys, with what they do.
pub const KEYS: [(&str, &str); 11] = [
    ("← →", "to the event before or after"),
    ("↑ ↓", "to the lane above or below"),
    ("Home End", "to the lane's first or last event"),
    ("Enter", "open it; look closer where there are several"),
    ("Esc", "close the words beside it, then what is open"),
    ("A D", "earlier, later"),
    ("W S  or  + −", "look closer, look further"),
    ("P", "pin the lane, or unpin it"),
    ("C", "one lane for its repository, or all"),
    ("Ctrl + wheel", "zoom about the pointer"),
    ("Shift + drag", "zoom to a stretch"),
];

/// The stretch of time that is printed.
pub fn from_to(from: &str, until: &str) -> String {
    [from, " to ", until].concat()
}
