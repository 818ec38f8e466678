//! The page of a tag, and lists of tags and events.

use tagwarden_model::api::Tag;
use tagwarden_model::tag::Class;

pub const TAGS: &str = "Tags";
pub const CLASSES: &str = "Class of tags";
pub const ALL: &str = "All";
pub const RELEASES: &str = "Releases";
pub const ROLLING: &str = "Rolling";
pub const NONE: &str = "No tag of this kind.";
pub const FIRST_SEEN: &str = "First seen";
pub const CHANGED: &str = "Changed";
pub const CHANGED_NEVER: &str = "never";
pub const REMOVED: &str = "removed";
pub const REASSIGNED: &str = "reassigned";
pub const NEEDS_REVIEW: &str = "needs review";
pub const GONE: &str = "gone";
pub const NOT_READ: &str = "not read yet";
pub const CLAIMED: &str = "claimed";

pub const EVENTS: &str = "Events";
pub const EVENTS_NONE: &str = "Nothing has happened since watching began.";
pub const WINDOW_WIDENED: &str = "window widened: a clock changed";

pub const NAMED: &str = "What it named";
pub const NAMED_PICTURE: &str = "What it named, to scale";
pub const FLAG: &str = "flag";
pub const BAD: &str = "do not use";
pub const HELD_TO: &str = "held to ";
pub const LAST_SEEN: &str = "last seen so ";

pub const DO_NOT_USE: &str = "Do not use";
pub const DO_NOT_USE_BY: &str = "said by ";
pub const DO_NOT_USE_END: &str = "It may be used again";
pub const DO_NOT_USE_ASK: &str = "Mark as “do not use”…";
pub const DO_NOT_USE_HELP: &str = "It is no longer offered as a way back. The record stays as it is.";
pub const DO_NOT_USE_MARK: &str = "Mark it";

/// What the page of a tag says first.
pub fn headline(tag: &Tag) -> &'static str {
    match (tag.class, tag.present) {
        (_, None) => "It is listed, and has not been read yet.",
        (Class::Release, Some(false)) if tag.in_breach => "It was removed from the registry after it was first seen.",
        (_, Some(false)) => "The registry does not have it any more.",
        (Class::Release, Some(true)) if tag.in_breach && tag.promise.is_none() => "It is back though it was retired.",
        (Class::Release, Some(true)) if tag.in_breach => "It means other bytes than it is held to.",
        (Class::Release, Some(true)) if tag.flag.is_some() => "It was changed, and is as it was first seen again.",
        (Class::Release, Some(true)) => "It is as it was first seen.",
        (Class::Rebuilt, Some(true)) => {
            "Its publisher rebuilds it on purpose: what changes is recorded, and flagged where it starts otherwise."
        }
        (Class::Rolling, Some(true)) => "It moves on purpose: where it pointed is recorded, and no flag is raised.",
        (Class::Ignored, Some(true)) => "It is not watched: a rule leaves it out.",
    }
}
