//! How often a tag is checked (RECORD.md 4.2 and 4.3).

use crate::instant::{Instant, Millis};
use crate::tag::{Band, Class};

/// The band a tag belongs in. `first_seen` is `at` of its first event; a release that stood before we watched has an
/// unknown age and is not younger than the watch: it starts in the warm band.
pub fn belongs(class: Class, first_seen: Option<Instant>, baseline: bool, flagged: bool, now: Instant) -> Band {
    if flagged {
        return Band::Pinned;
    }
    let age = first_seen.map(|seen| now - seen);
    match (class, age) {
        (Class::Rolling | Class::Rebuilt, _) | (_, None) => Band::Hot,
        (_, Some(age)) if age < Millis::days(7) && !baseline => Band::Hot,
        (_, Some(age)) if age < Millis::days(90) => Band::Warm,
        _ => Band::Cold,
    }
}
