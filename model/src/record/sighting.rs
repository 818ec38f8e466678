//! When a tag was last seen in its recorded state, without a write per tag (RECORD.md 4.2).

use std::collections::BTreeSet;

use crate::name::TagName;
use crate::tag::{Band, Mark, TagRecord};

/// One pass over a band, as far as sightings need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// The band.
    pub band: Band,
    /// Before its first request.
    pub started: Mark,
    /// Every tag of the band was seen in its recorded state, or is named.
    pub complete: bool,
    /// Done by GET throughout.
    pub proof: bool,
    /// Tags that were not seen in their recorded state.
    pub exceptions: BTreeSet<TagName>,
}

/// `max(floor, started of the newest complete pass of the tag's band that began after it joined and does not name it)`.
/// `passes` in any order. The bound may be earlier than the truth, never later.
pub fn last_seen(name: &TagName, record: &TagRecord, passes: &[Pass]) -> Option<Mark> {
    record.floor.max(newest(name, record, passes, |_| true))
}

/// The same for sightings by bytes. A tag whose header is untrusted is asked by GET in every pass.
pub fn last_proof(name: &TagName, record: &TagRecord, passes: &[Pass]) -> Option<Mark> {
    record.proof_floor.max(newest(name, record, passes, |pass| pass.proof))
}

fn newest(name: &TagName, record: &TagRecord, passes: &[Pass], fits: impl Fn(&Pass) -> bool) -> Option<Mark> {
    passes
        .iter()
        .filter(|pass| {
            pass.complete && pass.band == record.band && record.band_since.is_none_or(|since| pass.started >= since)
        })
        .filter(|pass| fits(pass) && !pass.exceptions.contains(name))
        .map(|pass| pass.started)
        .max()
}

/// Drops passes that are no tag's last sighting any more: those before the newest complete one without exceptions
/// (of each band, with and without proof), and beyond `limit` the oldest. Dropping a pass can only widen windows.
pub fn prune(passes: &mut Vec<Pass>, limit: usize) {
    passes.sort_by_key(|pass| std::cmp::Reverse(pass.started));
    let clean = |band: Band, proof: bool| {
        passes
            .iter()
            .filter(|pass| pass.band == band && pass.complete && pass.exceptions.is_empty() && (pass.proof || !proof))
            .map(|pass| pass.started)
            .max()
    };
    let bounds: Vec<_> = Band::ALL.iter().map(|band| (*band, clean(*band, false), clean(*band, true))).collect();
    passes.retain(|pass| {
        bounds.iter().any(|(band, any, proof)| {
            *band == pass.band
                && (any.is_none_or(|bound| pass.started >= bound)
                    || pass.proof && proof.is_none_or(|bound| pass.started >= bound))
        })
    });
    passes.truncate(limit);
}
