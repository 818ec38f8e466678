//! Events: changes of a tag or a repository, each with the window in which it happened.

use crate::coded::coded;
use crate::digest::Digest;
use crate::instant::Instant;

coded! {
    /// What happened (RECORD.md 6).
    pub enum EventKind {
        /// The tag was seen for the first time.
        Created = 1 "created",
        /// The tag names other bytes.
        Moved = 2 "moved",
        /// The tag is confirmed absent.
        Deleted = 3 "deleted",
        /// The tag is back after a confirmed absence.
        Recreated = 4 "recreated",
        /// An unproven event did not happen: the registry's header was wrong.
        Retracted = 5 "retracted",
        /// The repository is gone.
        Vanished = 6 "vanished",
        /// The repository is back.
        Returned = 7 "returned",
    }
}

impl EventKind {
    /// Whether it happens to a whole repository, and not to a tag.
    pub const fn is_of_repository(self) -> bool {
        matches!(self, Self::Vanished | Self::Returned)
    }
}

coded! {
    /// What made us look, or who did it.
    pub enum Source {
        /// A pass or a check that a person asked for.
        Poll = 1 "poll",
        /// A webhook made us look; it was not believed.
        Hint = 2 "hint",
        /// Imported from elsewhere.
        Backfill = 3 "backfill",
        /// We wrote it to the registry ourselves.
        Tagwarden = 4 "tagwarden",
    }
}

coded! {
    /// How bad a change is; ordered.
    pub enum Severity {
        /// Worth a line in the log.
        Info = 1 "info",
        /// Worth a look.
        Warning = 2 "warning",
        /// Needs a decision now.
        Critical = 3 "critical",
    }
}

coded! {
    /// Why a deletion was concluded.
    pub enum DeletedBy {
        /// Two direct 404s and two listings without the tag.
        Unlisted = 1 "unlisted",
        /// Listed, but the manifest is gone.
        Dangling = 2 "dangling",
        /// The listing is empty and the tag answered 404 twice.
        EmptyListing = 3 "empty_listing",
    }
}

/// An event that was concluded and not yet stored: it has no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// What the tag named before; `None` for creations and repository events.
    pub old: Option<Digest>,
    /// What the tag names now; `None` for deletions and repository events.
    pub new: Option<Digest>,
    /// Lower end of the window, `None` when nothing is known (baseline).
    pub not_before: Option<Instant>,
    /// Upper end of the window.
    pub not_after: Instant,
    /// The window was widened because a clock changed between its ends.
    pub clock_changed: bool,
    /// Whether `new` was computed from bytes that the name gave.
    pub verified: bool,
    /// The tag stood before we watched.
    pub baseline: bool,
    /// What made us look.
    pub source: Source,
    /// For deletions.
    pub deleted_by: Option<DeletedBy>,
    /// Events that belong to one act share it; unique within the repository.
    pub group: Option<i64>,
}
