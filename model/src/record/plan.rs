use std::collections::BTreeMap;

use super::Delays;
use crate::instant::Millis;
use crate::tag::Band;

/// How often and how patiently a repository is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How long the rules wait.
    pub delays: Delays,
    /// Interval of each band; a band that is missing has its default.
    pub intervals: BTreeMap<Band, Millis>,
    /// The least time that a pass may take before it is cut; longer for slow bands.
    pub pass_limit: Millis,
    /// Interval of proof passes of the hot and the pinned band; seven times as long for the others.
    pub proof_interval: Millis,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            delays: Delays::default(),
            intervals: BTreeMap::new(),
            pass_limit: Millis::minutes(1),
            proof_interval: Millis::days(1),
        }
    }
}

impl Plan {
    /// The time between two passes of a band.
    pub fn interval(&self, band: Band) -> Millis {
        self.intervals.get(&band).copied().unwrap_or(band.default_interval())
    }

    /// How long a pass of a band may take: at least `pass_limit`, a fifth of the interval for slow bands.
    pub fn limit(&self, band: Band) -> Millis {
        self.pass_limit.max(Millis(self.interval(band).0 / 5))
    }

    /// The freshness promised: interval plus the limit of a pass (RECORD.md 4.4).
    pub fn promised(&self, band: Band) -> Millis {
        self.interval(band) + self.limit(band)
    }

    pub(super) fn proof_interval(&self, band: Band) -> Millis {
        match band {
            Band::Hot | Band::Pinned => self.proof_interval,
            Band::Warm | Band::Cold => Millis(self.proof_interval.0.saturating_mul(7)),
        }
    }
}
