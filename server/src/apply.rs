//! Brings the record's registry entries, watches and groups in line with the configuration, at the start and whenever it
//! changes.

use std::collections::BTreeSet;

use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;

use crate::config::{Checked, Group};
use crate::store::groups::GroupRow;
use crate::store::{Actor, Store, StoreError};
use crate::watch;

/// Applies all of it. What was watched because the file said so, and is no longer in it, is not watched any more; what a
/// person watches stays. History stays in any case.
pub async fn apply(store: &Store, config: &Checked, now: Instant) -> Result<(), StoreError> {
    let entries: Vec<_> = config.registries.iter().map(crate::config::CheckedRegistry::entry).collect();
    watch::assign(store, &entries).await?;
    let file = Actor::configuration();
    for watched in &config.watches {
        watch::watch(store, &watched.name, &file, now).await?;
    }
    // Without a file, nothing was taken out of it.
    if config.file.is_some() {
        let wanted: BTreeSet<&RepositoryName> = config.watches.iter().map(|watched| &watched.name).collect();
        for name in store.watched_by(&file).await? {
            if !wanted.contains(&name) && store.unwatch(&name, &file, now).await? {
                tracing::info!(repository = %name, "not watched any more: the configuration no longer names it");
            }
        }
    }
    group(store, &config.groups).await
}

/// Puts every watched repository into its groups.
pub async fn group(store: &Store, groups: &[Group]) -> Result<(), StoreError> {
    let served = store.served().await?;
    let row = |group: &Group| {
        let patterns: Vec<_> = group.members.iter().filter_map(|text| watch::pattern(text)).collect();
        let is_member = |name: &RepositoryName| patterns.iter().any(|pattern| pattern.is_match(name.to_string()));
        let members = served.iter().filter(|served| is_member(&served.name)).map(|served| served.id).collect();
        GroupRow { name: group.name.clone(), description: group.description.clone(), members }
    };
    store.put_groups(&groups.iter().map(row).collect::<Vec<_>>()).await
}
