use tagwarden_model::record::Watch;

use super::Worker;
use super::slot::Slot;
use crate::registry::Registry;

/// The part of what a registry allows that goes to proofs. The rest is for reading what is new or moved, for proofs that people ask
/// for, and for all others who pull from the same address or with the same account.
const FOR_PROOFS: f64 = 0.25;

impl<R: Registry> Worker<'_, R> {
    /// Shares what the registry allows among its repositories, by their tags (RECORD.md 2.3). Where it never spoke of limits,
    /// nothing is counted.
    pub(super) fn share_allowance(&mut self) {
        let Some(allowance) = self.poller.registry.allowance() else { return };
        self.poller.metrics.allowance(&self.poller.entry.name, allowance.limit, allowance.remaining);
        let tags = |slot: &Slot| slot.watch().map_or(0, Watch::asked_tags);
        let all = self.slots.values().map(tags).sum::<u64>() as f64;
        // A repository that has not been listed has no share yet: nothing is a budget that would never do.
        for slot in self.slots.values_mut().filter(|slot| tags(slot) > 0) {
            let share = tags(slot) as f64 / all;
            slot.set_get_budget(allowance.a_day() * FOR_PROOFS * share);
        }
    }
}
