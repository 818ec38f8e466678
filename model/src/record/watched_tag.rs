use super::{Known, band};
use crate::class::Ruling;
use crate::instant::Instant;
use crate::tag::{Band, Listed, TagRecord, TagState};

/// A tag with what decides its band.
#[derive(Debug, Clone)]
pub struct Tag {
    /// What is known.
    pub known: Known,
    /// What its name promises, and the rule that says so.
    pub ruling: Ruling,
    /// `at` of its first event.
    pub first_seen: Option<Instant>,
    /// It stood before we watched.
    pub baseline: bool,
    /// It has a flag that is not closed.
    pub flagged: bool,
}

impl Tag {
    /// A tag that a listing named and nobody has read.
    pub(super) fn unread(ruling: Ruling, listed: Listed, now: Instant) -> Self {
        let band = band::belongs(ruling.class, None, false, false, now);
        let known = Known::new(TagRecord::unread(band, listed));
        Self { known, ruling, first_seen: None, baseline: false, flagged: false }
    }

    pub(super) fn belongs(&self, now: Instant) -> Band {
        band::belongs(self.ruling.class, self.first_seen, self.baseline, self.flagged, now)
    }

    /// Passes ask what is present, and what is listed but has no state yet.
    pub(super) const fn asked_in_passes(&self) -> bool {
        match self.known.record.state {
            TagState::Present(_) => true,
            TagState::Unread | TagState::Absent => self.known.record.listed.is_some(),
        }
    }
}
