//! The record: what we knew and one observation give what we know, what happened, and what is due.
//!
//! This is `model/RECORD.md` as a pure state machine. The poller asks registries and drives it; it decides. Every pending doubt
//! lives in memory only: a crash forgets doubts, never facts, and the next checks raise them again.
//!
//! - [`Watch`]: one repository: gives requests, takes replies, says what to write.
//! - [`fn@observe`]: one tag, one direct request (sections 1, 2 and 3.1).
//! - [`Repository::listing`]: one listing against all tags (sections 3 and 5).
//! - [`sighting`]: when a tag was last seen, from the rows of passes (section 4.2).
//! - [`window`]: from two marks to the window of an event, across clock steps (section 4.6).
//! - [`band`]: how often a tag is checked (section 4.3).
//! - [`entry`]: whether a registry entry can be asked (section 3.5).

mod absence;
pub mod band;
mod delays;
pub mod entry;
mod exchange;
mod listing;
mod observe;
mod plan;
pub mod sighting;
mod sweep;
mod unread;
mod watch;
mod watched_tag;
pub mod window;

pub use absence::{Absence, AbsenceKind};
pub use delays::Delays;
pub use exchange::{Effects, Reply, Request, RequestKind, Write};
pub use listing::{Listing, ListingOutcome, ListingSeen, Repository, Standing};
pub use observe::{Context, Outcome, observe};
pub use plan::Plan;
pub use sweep::FinishedPass;
pub use watch::Watch;
pub use watched_tag::Tag;

use crate::digest::Digest;
use crate::event::{DeletedBy, EventKind};
use crate::instant::Millis;
use crate::observation::{Method, Mono, Unknown};
use crate::tag::{Mark, TagRecord, TagState};

/// What is known of one tag: the durable row, and doubts that live in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The durable part.
    pub record: TagRecord,
    /// States it had and left not long ago: an answer equal to one of them may be a stale replica's.
    pub recent: Vec<Former>,
    /// A change that is not certain yet.
    pub pending: Option<Pending>,
    /// `received` of the last applied observation.
    pub applied: Option<Mono>,
}

impl Known {
    /// A tag as it comes from the store.
    pub fn new(record: TagRecord) -> Self {
        Self { record, recent: Vec::new(), pending: None, applied: None }
    }

    /// The lower end of the window of leaving the recorded state: fixed when the first doubt began, else the last sighting.
    fn doubt_since(&self, last_seen: Option<Mark>) -> Option<Mark> {
        match &self.pending {
            Some(Pending::Claim { not_before, .. } | Pending::Bytes { not_before, .. }) => *not_before,
            Some(Pending::Absent(absence)) => absence.not_before,
            None => last_seen,
        }
    }

    /// Whether the tag had this state less than `Delays::stale` ago.
    fn had_recently(&self, state: &TagState, now: Mono, delays: &Delays) -> bool {
        self.recent.iter().any(|former| former.state == *state && now < former.left.after(delays.stale))
    }

    /// Remembers the state that is left now, and forgets those left long ago.
    fn leave(&mut self, now: Mono, delays: &Delays) {
        self.recent.retain(|former| now < former.left.after(delays.stale));
        if self.record.state != TagState::Unread {
            self.recent.push(Former { state: self.record.state.clone(), left: now });
        }
    }
}

/// A state that a tag had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// The state.
    pub state: TagState,
    /// When the observation that ended it was received.
    pub left: Mono,
}

/// A change that is not certain yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pending {
    /// HEAD claims another digest and the bytes could not be had.
    Claim {
        /// What it claims.
        claim: Digest,
        /// When the first such HEAD was sent.
        first: Mono,
        /// Another HEAD repeated it late enough.
        repeated: bool,
        /// Another claim stood before it: it waits for the next pass (2.2).
        instead: bool,
        /// The last sighting of the recorded state.
        not_before: Option<Mark>,
    },
    /// The bytes are others, but may be a stale replica's or the other end of an index and its child.
    Bytes {
        /// Their digest.
        digest: Digest,
        /// When the first such GET was sent.
        first: Mono,
        /// How long after `first` a GET must still give them.
        wait: Millis,
        /// The last sighting of the recorded state.
        not_before: Option<Mark>,
    },
    /// The tag answers 404.
    Absent(Absence),
}

/// Something that happened, with marks that are not yet a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// What.
    pub kind: EventKind,
    /// Digest before.
    pub old: Option<Digest>,
    /// Digest after.
    pub new: Option<Digest>,
    /// `sent` of the last observation of the old state.
    pub not_before: Option<Mark>,
    /// `received` of the observation that showed the new one.
    pub not_after: Mark,
    /// `new` was computed from bytes that the name gave.
    pub verified: bool,
    /// It stood before we watched.
    pub baseline: bool,
    /// For deletions.
    pub deleted_by: Option<DeletedBy>,
}

/// What the machine needs to be asked next for a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// GET the tag at once, if the budget allows.
    Get,
    /// A complete listing, sent from now on.
    Listing,
    /// The tag, not before `at`.
    Again {
        /// When.
        at: Mono,
        /// How.
        method: Method,
    },
}

/// Whether an observation saw the tag in its recorded state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    /// It did.
    Recorded,
    /// It did not, and why: the tag is an exception of its pass.
    Unseen(Unknown),
}

impl Sighting {
    /// Why the tag is an exception of its pass, if it is one.
    pub const fn exception(self) -> Option<Unknown> {
        match self {
            Self::Recorded => None,
            Self::Unseen(reason) => Some(reason),
        }
    }
}

/// Something to tell the operator once; no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Warning {
    /// The digest header differs from the bytes: the tag is asked by GET from now on.
    HeaderUntrusted,
    /// The same bytes came under another Content-Type.
    MediaTypeChanged,
    /// An empty listing was contradicted by a tag that answers.
    EmptyListingWrong,
}
