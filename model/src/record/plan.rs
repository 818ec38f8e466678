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
    /// Interval of proof passes of the hot and the pinned band; seven times as long for the others. Both are stretched where
    /// GETs are counted: see [`Plan::proof_interval`].
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

    /// The time between two proof passes of a band (RECORD.md 2.3). Where GETs are counted, `get_budget` of them may be spent a
    /// day on the proofs of a repository with so many `tags`: if those would need more, all its bands are stretched alike.
    pub fn proof_interval(&self, band: Band, tags: &BTreeMap<Band, u64>, get_budget: Option<f64>) -> Millis {
        let own = self.unstretched(band);
        let Some(budget) = get_budget else { return own };
        let a_day = |(band, tags): (&Band, &u64)| *tags as f64 * DAY / self.unstretched(*band).0.max(1) as f64;
        let stretch = (tags.iter().map(a_day).sum::<f64>() / budget).max(1.0);
        length(own.0 as f64 * stretch)
    }

    const fn unstretched(&self, band: Band) -> Millis {
        match band {
            Band::Hot | Band::Pinned => self.proof_interval,
            Band::Warm | Band::Cold => Millis(self.proof_interval.0.saturating_mul(7)),
        }
    }
}

const DAY: f64 = Millis::days(1).0 as f64;

/// How long the budget takes to allow so many GETs again; no time where they are not counted.
pub(super) fn earned(gets: u64, get_budget: Option<f64>) -> Millis {
    get_budget.map_or(Millis(0), |budget| if gets == 0 { Millis(0) } else { length(gets as f64 / budget * DAY) })
}

/// Ten years at most: a budget of almost nothing is no reason to leave what instants can count.
fn length(millis: f64) -> Millis {
    Millis((millis as i64).min(Millis::days(3650).0))
}
