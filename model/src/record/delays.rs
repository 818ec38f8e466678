use crate::instant::Millis;

/// How long the rules wait (RECORD.md). Configuration; tests set them to seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delays {
    /// 2.2: a second HEAD that repeats an unproven claim comes at least this much later.
    pub claim: Millis,
    /// 2.5: an answer that the tag had less than this ago may be a stale replica's.
    pub stale: Millis,
    /// 3.1: least delay between the two 404s of a deletion.
    pub absence_least: Millis,
    /// 3.1: the delay is the band's interval, but not more than this.
    pub absence_most: Millis,
    /// 3.2: so much longer when the tag is still listed.
    pub dangling: Millis,
    /// 3.3 and 5: two 404s under an empty listing are so far apart; emptiness counts after it.
    pub empty: Millis,
    /// 3.5: two refused or missing listings are so far apart before the repository counts as gone.
    pub vanished: Millis,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            claim: Millis::seconds(30),
            stale: Millis::minutes(10),
            absence_least: Millis::seconds(60),
            absence_most: Millis::minutes(10),
            dangling: Millis::minutes(10),
            empty: Millis::minutes(15),
            vanished: Millis::hours(24),
        }
    }
}

impl Delays {
    /// Every delay set to `length`: for tests that cannot wait.
    pub const fn all(length: Millis) -> Self {
        Self {
            claim: length,
            stale: length,
            absence_least: length,
            absence_most: length,
            dangling: length,
            empty: length,
            vanished: length,
        }
    }

    /// 3.1: `max(60 s, min(interval, 10 min))`.
    pub fn absence(&self, interval: Millis) -> Millis {
        self.absence_least.max(interval.min(self.absence_most))
    }
}
