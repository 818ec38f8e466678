//! What one check of one tag, or one listing of one repository, saw.

use crate::coded::coded;
use crate::digest::Digest;
use crate::tag::{Mark, MediaType};

/// Microseconds on the process's monotonic clock. Observations are ordered by it, never by the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mono(pub u64);

impl Mono {
    /// This many milliseconds later.
    #[must_use]
    pub const fn after(self, length: crate::instant::Millis) -> Self {
        let micros = if length.0 < 0 { 0 } else { (length.0 as u64).saturating_mul(1000) };
        Self(self.0.saturating_add(micros))
    }
}

/// One reading of the clock: for ordering and for the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// For ordering and waiting.
    pub mono: Mono,
    /// For the record.
    pub mark: Mark,
}

coded! {
    /// Why a check could say nothing about a tag.
    pub enum Unknown {
        /// Connection, time-out, TLS.
        Unreachable = 1 "unreachable",
        /// 401 or 403.
        Refused = 2 "refused",
        /// 429, or the pause that follows it.
        RateLimited = 3 "rate_limited",
        /// 5xx.
        ServerError = 4 "server_error",
        /// An answer that is no registry's: HTML, cut or wrong JSON, a lying digest, an unknown media type.
        Unintelligible = 5 "unintelligible",
        /// The repository's listing is refused or missing: 404s say nothing.
        Hidden = 6 "hidden",
        /// The request budget is used up.
        Budget = 7 "budget",
        /// The pass ended before the tag's turn.
        NotAsked = 8 "not_asked",
        /// Overtaken by a newer observation.
        Discarded = 9 "discarded",
        /// A change waits for its confirmation.
        Pending = 10 "pending",
    }
}

/// How the tag was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The header's claim only.
    Head,
    /// The bytes.
    Get,
}

/// What a direct request for a tag showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// 304: the claim is the one we sent.
    NotModified,
    /// 200 to HEAD; `None` when the registry sent no usable digest header.
    Claim(Option<Digest>),
    /// 200 to GET.
    Bytes(Bytes),
    /// 404: no such manifest, or none any more.
    NotFound(Method),
    /// Nothing can be said.
    Unknown(Method, Unknown),
}

/// Hashed bytes of a manifest that the tag's name gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes {
    /// sha256 of the bytes.
    pub digest: Digest,
    /// The digest header of this very answer.
    pub claim: Option<Digest>,
    /// Whether `claim` is a digest of the bytes by its own algorithm; true without a claim.
    pub claim_holds: bool,
    /// What it says it is.
    pub media_type: MediaType,
}

/// `(sent, received, result)` of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Before the request left.
    pub sent: Moment,
    /// After the answer was read whole.
    pub received: Moment,
    /// What it showed.
    pub seen: Seen,
}
