use std::borrow::Cow;

use super::{Known, band};
use crate::instant::Instant;
use crate::tag::{Band, Class, Listed, TagRecord, TagState};

/// A tag with what decides its band.
#[derive(Debug, Clone)]
pub struct Tag {
    /// What is known.
    pub known: Known,
    /// What its name promises.
    pub class: Class,
    /// The rule that says so.
    pub rule: Cow<'static, str>,
    /// `at` of its first event.
    pub first_seen: Option<Instant>,
    /// It stood before we watched.
    pub baseline: bool,
    /// It has a flag that is not closed.
    pub flagged: bool,
}

impl Tag {
    /// A tag that a listing named and nobody has read.
    pub(super) fn unread(class: Class, rule: Cow<'static, str>, listed: Listed, now: Instant) -> Self {
        let band = band::belongs(class, None, false, false, now);
        let known = Known::new(TagRecord::unread(band, listed));
        Self { known, class, rule, first_seen: None, baseline: false, flagged: false }
    }

    pub(super) fn belongs(&self, now: Instant) -> Band {
        band::belongs(self.class, self.first_seen, self.baseline, self.flagged, now)
    }

    /// Passes ask what is present, and what is listed but has no state yet.
    pub(super) const fn asked_in_passes(&self) -> bool {
        match self.known.record.state {
            TagState::Present(_) => true,
            TagState::Unread | TagState::Absent => self.known.record.listed.is_some(),
        }
    }
}
