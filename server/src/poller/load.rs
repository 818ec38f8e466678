use std::collections::BTreeMap;

use tagwarden_model::api::RepositoryState;
use tagwarden_model::instant::Millis;
use tagwarden_model::name::TagName;
use tagwarden_model::observation::{Moment, Mono};
use tagwarden_model::record::entry::LastListing;
use tagwarden_model::record::sighting::Pass;
use tagwarden_model::record::{Former, Known, Plan, Repository, Standing, Tag, Watch};
use tagwarden_model::tag::Band;

use crate::policy::Policy;
use crate::store::record::{LoadedRepository, PassRow, PassSummary, RepositoryRow, StoredTag, WatchedRepository};

/// The watch over a repository as the store knows it.
pub fn watch(
    watched: &WatchedRepository,
    loaded: LoadedRepository,
    plan: &Plan,
    policy: &Policy,
    now: Moment,
) -> Watch {
    let mut recent: BTreeMap<&TagName, Vec<_>> = BTreeMap::new();
    for (name, state, left) in &loaded.recent {
        recent.entry(name).or_default().push((state, left));
    }
    let mut ruled_anew = Vec::new();
    let tag = |stored: StoredTag| {
        let ruling = policy.classify(&watched.name, &stored.name);
        if ruling != stored.ruling {
            ruled_anew.push(stored.name.clone());
        }
        let mut known = Known::new(stored.record);
        for (state, left) in recent.get(&stored.name).into_iter().flatten() {
            // Before this process began, by our clock; a clock that was set back makes it "just now", which waits longer.
            let ago = (now.mark.wall - **left).0.max(0).unsigned_abs().saturating_mul(1000);
            known.recent.push(Former::new((*state).clone(), Mono(now.mono.0.saturating_sub(ago))));
        }
        let (first_seen, baseline, flagged) = (stored.first_seen, stored.baseline, stored.flagged);
        (stored.name, Tag { known, ruling, first_seen, baseline, flagged })
    };
    // Collected: a map that grows name by name in their order leaves its nodes half empty.
    let tags = loaded.tags.into_iter().map(tag).collect();
    let mut listings = loaded.listings.into_iter();
    let repository = Repository {
        standing: standing(&watched.state),
        refused_since: watched.state.refused_since,
        listings: [listings.next(), listings.next()],
        last_listed: loaded.passes.iter().filter_map(|pass| pass.listed).map(|(sent, _)| sent).max(),
        refused_in: None,
        empty_since: None,
        answered: false,
    };
    // Never later than an interval from now: the clock may have been set back, or the configuration have become quicker.
    let wait = |pass: &PassSummary| (pass.next - now.mark.wall).min(plan.interval(pass.band));
    let next = watched.passes.iter().map(|pass| (pass.band, later(now, wait(pass)))).collect::<BTreeMap<Band, Mono>>();
    // Newest first: what the newest pass of a band promised is what counts.
    let promised: BTreeMap<Band, Millis> =
        loaded.passes.iter().rev().map(|pass| (pass.band, pass.proof_promised)).collect();
    let passes = loaded.passes.into_iter().map(pass).collect();
    let mut watch = Watch::new(plan.clone(), repository, tags, passes, &next, now, watched.id.unsigned_abs());
    for (band, promised) in promised {
        watch.keep_proof_interval(band, promised);
    }
    watch.rewrite(ruled_anew);
    watch
}

/// When a repository is looked at first after a start. Those that are overdue are spread, so that a start with thousands
/// of them is no herd: 50 ms for each, but never longer than half the interval.
pub fn first_due(watched: &WatchedRepository, plan: &Plan, now: Moment, late: usize) -> Mono {
    let next = watched.passes.iter().map(|pass| (pass.next - now.mark.wall).min(plan.interval(pass.band))).min();
    let Some(next) = next else { return now.mono };
    if next.0 > 0 {
        return later(now, next);
    }
    let room = Millis((late as i64).saturating_mul(50)).min(Millis(plan.interval(Band::Hot).0 / 2)).0.max(1);
    let place = watched.id.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    later(now, Millis((place % room.unsigned_abs()) as i64))
}

fn later(now: Moment, wait: Millis) -> Mono {
    now.mono.after(Millis(wait.0.max(0)))
}

fn standing(row: &RepositoryRow) -> Standing {
    match (row.state, row.refused_since) {
        (RepositoryState::Vanished, _) => Standing::Vanished,
        (RepositoryState::Hidden, _) | (RepositoryState::Failing, Some(_)) => Standing::Hidden,
        (RepositoryState::Empty, _) => Standing::Empty,
        (RepositoryState::New | RepositoryState::Paused, _) => Standing::New,
        (RepositoryState::Ok | RepositoryState::Failing, _) => Standing::Ok,
    }
}

/// What the newest listing gave by the stored state.
pub fn last_listing(row: &RepositoryRow) -> Option<(LastListing, Option<String>)> {
    let listing = match (row.state, row.refused_since) {
        (RepositoryState::New | RepositoryState::Paused, _) => return None,
        (RepositoryState::Failing, _) => LastListing::Failed,
        (RepositoryState::Hidden, Some((false, _))) => LastListing::Refused,
        (RepositoryState::Hidden | RepositoryState::Ok | RepositoryState::Empty | RepositoryState::Vanished, _) => {
            LastListing::Answered
        }
    };
    Some((listing, row.reason.clone()))
}

fn pass(row: PassRow) -> Pass {
    Pass {
        band: row.band,
        started: row.started,
        complete: row.complete,
        proof: row.proof,
        exceptions: row.exceptions.into_iter().collect(),
    }
}
