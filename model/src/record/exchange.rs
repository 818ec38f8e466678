//! What the record machine and its driver say to each other.

use super::sweep::FinishedPass;
use super::{Happened, Listing, Warning};
use crate::digest::Digest;
use crate::name::TagName;
use crate::observation::{Moment, Mono, Observation, Unknown};

/// What the driver shall ask the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What.
    pub kind: RequestKind,
    /// The pass under way that it belongs to; none for a tag that is due by itself.
    pub sweep: Option<u64>,
}

/// What to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestKind {
    /// The repository's tags.
    Listing,
    /// HEAD of a tag, conditional on what HEAD said before.
    Head(TagName, Option<Digest>),
    /// GET of a tag.
    Get(TagName),
}

/// What the registry answered to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To a listing.
    Listing(Listing),
    /// To a listing that says nothing.
    ListingFailed {
        /// When.
        received: Moment,
        /// Why.
        reason: Unknown,
        /// The same in words.
        message: String,
        /// Not to be asked again before.
        retry_at: Option<Mono>,
    },
    /// To HEAD or GET of a tag.
    Tag {
        /// The tag.
        name: TagName,
        /// What was seen.
        observation: Observation,
        /// The observed digest and the recorded one are an index and its child.
        related: bool,
        /// The registry is not to be asked again before.
        retry_at: Option<Mono>,
        /// Why nothing was seen, in words.
        message: Option<String>,
    },
}

/// What the driver shall write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Tags whose rows changed, with what happened to each, in order.
    pub writes: Vec<Write>,
    /// `vanished` or `returned`.
    pub repository: Option<Happened>,
    /// Refused to these credentials only; `false` ends it.
    pub invisible: Option<bool>,
    /// Passes that ended.
    pub passes: Vec<FinishedPass>,
    /// For the operator.
    pub warnings: Vec<(Option<TagName>, Warning)>,
}

/// One tag's row and events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The tag.
    pub name: TagName,
    /// What happened, in order.
    pub happened: Vec<Happened>,
    /// The claim of its newest event was proven.
    pub proven: bool,
    /// Shared by what one pass or one listing found.
    pub group: Option<i64>,
}

impl Write {
    pub(super) fn row(name: TagName) -> Self {
        Self { name, happened: Vec::new(), proven: false, group: None }
    }
}

impl Request {
    /// The tag it is about.
    pub fn tag(&self) -> Option<&TagName> {
        self.kind.tag()
    }
}

impl RequestKind {
    pub(super) fn tag(&self) -> Option<&TagName> {
        match self {
            Self::Listing => None,
            Self::Head(name, _) | Self::Get(name) => Some(name),
        }
    }
}
