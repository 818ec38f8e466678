use std::collections::BTreeMap;

use tagwarden_model::api::RegistryState;
use tagwarden_model::record::entry::{LastListing, entry_state};

use super::slot::Slot;
use super::transition::{Told, transition};
use crate::clock::SharedClock;
use crate::store::record::Lease;
use crate::store::watch::RegistryRow;
use crate::store::{Store, StoreError};

/// The state of the registry entry: as it is stored, and whether a listing may have changed it since.
pub struct EntryState {
    name: String,
    stored: RegistryRow,
    doubted: bool,
}

impl EntryState {
    pub const fn new(name: String, stored: RegistryRow) -> Self {
        Self { name, stored, doubted: true }
    }

    /// A repository was listed, came or went.
    pub const fn doubt(&mut self) {
        self.doubted = true;
    }

    /// Writes the state when it changed.
    pub async fn settle(
        &mut self,
        store: &Store,
        lease: Lease,
        slots: &BTreeMap<i64, Slot>,
        clock: &SharedClock,
    ) -> Result<(), StoreError> {
        if !std::mem::take(&mut self.doubted) {
            return Ok(());
        }
        let newest = || slots.values().map(|slot| slot.last_listing.as_ref());
        let Some(state) = entry_state(newest().map(|listing| listing.map(|(listing, _)| *listing))) else {
            return Ok(());
        };
        if state == self.stored.state {
            return Ok(());
        }
        let now = clock.now().mark.wall;
        let cause = match state {
            RegistryState::Unauthorized => Some(LastListing::Refused),
            RegistryState::Failing => Some(LastListing::Failed),
            RegistryState::New | RegistryState::Ok => None,
        };
        let because = newest().flatten().find(|(listing, _)| Some(*listing) == cause);
        let reason = because.and_then(|(_, reason)| reason.clone());
        let row = RegistryRow { state, reason, since: Some(now) };
        store.put_registry_state(lease, &row, now).await?;
        let (before, after) = (Told::from(&self.stored), Told::from(&row));
        if let Some(words) = transition(&before, &after) {
            let registry = &self.name;
            if after.well { tracing::info!(registry, "{words}") } else { tracing::warn!(registry, "{words}") }
        }
        self.stored = row;
        Ok(())
    }
}
