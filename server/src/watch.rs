//! Which registry entry serves which repository: for the API, for what the configuration names, and at every start for all
//! that is watched.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};
use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;

use crate::store::watch::{Added, RegistryEntry, Served};
use crate::store::{Actor, Store, StoreError};

/// Watches `name` through the first entry that serves it. A host without an entry gets one that asks anonymously.
pub async fn watch(store: &Store, name: &RepositoryName, actor: &Actor, now: Instant) -> Result<Added, StoreError> {
    let entry = match entry_of(store, name).await? {
        Some(entry) => entry,
        None => store.put_registry(&made_for(&name.host, &[])).await?,
    };
    store.watch(entry.id, name, actor, now).await
}

/// The entry that serves a repository; `None` for a host without one, which may be asked anonymously. `Refused` if it may not
/// be asked at all.
pub async fn entry_of(store: &Store, name: &RepositoryName) -> Result<Option<RegistryEntry>, StoreError> {
    let entries = store.registries().await?;
    if let Some(entry) = entry_for(&entries, name) {
        return Ok(Some(entry.clone()));
    }
    refusal(&entries, name).map_or(Ok(None), |refusal| Err(refused(refusal)))
}

/// Why a repository cannot be watched with these entries, and what to do.
pub fn refusal(entries: &[RegistryEntry], name: &RepositoryName) -> Option<(String, String)> {
    if entry_for(entries, name).is_some() {
        return None;
    }
    // An entry of its own is named for the host; it must not replace one that the configuration named so.
    if let Some(entry) = entries.iter().find(|entry| entry.host == name.host || entry.name == name.host) {
        return Some((
            format!("no registry entry serves {name}"),
            format!(
                "add `{}` to the `repositories` of an entry for {} in the configuration, beside \"{}\"",
                name.path, name.host, entry.name
            ),
        ));
    }
    refusal_of_host(&name.host)
}

/// The entry through which a host as a whole is asked, as [`entry_of`] for one repository.
pub async fn asked_through(store: &Store, host: &str) -> Result<Option<RegistryEntry>, StoreError> {
    match store.registries().await?.into_iter().find(|entry| entry.host == host) {
        Some(entry) => Ok(Some(entry)),
        None => refusal_of_host(host).map_or(Ok(None), |refusal| Err(refused(refusal))),
    }
}

/// Why a host without an entry may not be asked, and what to do.
fn refusal_of_host(host: &str) -> Option<(String, String)> {
    is_link_local(host).then(|| {
        (
            format!("{host} is a link-local address, where machines keep services of their own"),
            "give it a registry entry in the configuration if it is a registry".to_owned(),
        )
    })
}

fn refused((message, advice): (String, String)) -> StoreError {
    StoreError::Refused { message: format!("{message}: {advice}"), field: "name" }
}

/// Makes these the configured entries and gives every watched repository to the one that serves it by now; where none does,
/// to one that was made for its host. Entries may have been renamed, moved, added or removed since the last start.
pub async fn assign(store: &Store, configured: &[RegistryEntry]) -> Result<(), StoreError> {
    let mut made: BTreeMap<String, RegistryEntry> = BTreeMap::new();
    for Served { name, .. } in store.served().await? {
        if entry_for(configured, &name).is_none() && !is_link_local(&name.host) {
            made.entry(name.host.clone()).or_insert_with(|| made_for(&name.host, configured));
        }
    }
    let made: Vec<RegistryEntry> = made.into_values().collect();
    // Those of the file come first: they are asked first whether they serve a repository.
    let entries = store.configure(configured, &made).await?;
    for served in store.served().await? {
        let registry = match entry_for(&entries, &served.name) {
            Some(entry) => entry.id,
            None if is_link_local(&served.name.host) => {
                tracing::warn!(repository = %served.name, "not polled any more: no registry entry names this link-local host");
                continue;
            }
            // Added in this moment.
            None => store.put_registry(&made_for(&served.name.host, configured)).await?.id,
        };
        if registry != served.registry {
            store.assign(&served, registry).await?;
        }
    }
    Ok(())
}

/// An entry for a host that none serves: it asks with docker's credentials, or none. It must not be taken for a configured one.
fn made_for(host: &str, configured: &[RegistryEntry]) -> RegistryEntry {
    let taken = configured.iter().any(|entry| entry.name == host);
    let name = if taken { format!("{host} (default)") } else { host.to_owned() };
    RegistryEntry { id: 0, name, host: host.to_owned(), repositories: Vec::new() }
}

/// The first entry whose host is the repository's and whose patterns, if it has any, match its path.
pub fn entry_for<'a>(entries: &'a [RegistryEntry], name: &RepositoryName) -> Option<&'a RegistryEntry> {
    let serves = |entry: &RegistryEntry| {
        entry.repositories.is_empty()
            || entry.repositories.iter().filter_map(|text| pattern(text)).any(|p| p.is_match(&name.path))
    };
    entries.iter().find(|entry| entry.host == name.host && serves(entry))
}

/// Whether a host is an address that only the machine's own network segment has, such as a cloud's metadata service.
fn is_link_local(host: &str) -> bool {
    let url = url::Url::parse(&format!("http://{host}"));
    match url.ok().as_ref().and_then(url::Url::host) {
        Some(url::Host::Ipv4(address)) => address.is_link_local() || address.is_unspecified(),
        Some(url::Host::Ipv6(address)) => address.is_unicast_link_local() || address.is_unspecified(),
        Some(url::Host::Domain(_)) | None => false,
    }
}

/// `*` matches within a segment, `**` across. A pattern that is none matches nothing; reading the configuration refuses it.
pub fn pattern(text: &str) -> Option<GlobMatcher> {
    GlobBuilder::new(text).literal_separator(true).build().ok().map(|glob| glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: i64, host: &str, repositories: &[&str]) -> RegistryEntry {
        let repositories = repositories.iter().map(ToString::to_string).collect();
        RegistryEntry { id, name: format!("{host} {id}"), host: host.into(), repositories }
    }

    #[test]
    fn link_local_addresses_are_known() {
        for (host, expected) in [
            ("169.254.169.254", true),
            ("169.254.1.1:5000", true),
            ("[fe80::1]:5000", true),
            ("0.0.0.0:5000", true),
            ("127.0.0.1:5000", false),
            ("10.0.0.1", false),
            ("ghcr.io", false),
            ("[::1]:5000", false),
        ] {
            assert_eq!(is_link_local(host), expected, "{host}");
        }
    }

    #[test]
    fn the_first_entry_that_serves_a_repository_is_taken() {
        let entries = [
            entry(1, "ghcr.io", &["org-a/**", "org-b/*"]),
            entry(2, "ghcr.io", &[]),
            entry(3, "quay.io", &["team/api"]),
        ];
        for (host, path, expected) in [
            ("ghcr.io", "org-a/x/y", Some(1)),
            ("ghcr.io", "org-b/x", Some(1)),
            ("ghcr.io", "org-b/x/y", Some(2)),
            ("ghcr.io", "org-ab/x", Some(2)),
            ("quay.io", "team/api", Some(3)),
            ("quay.io", "team/apis", None),
            ("docker.io", "library/nginx", None),
        ] {
            let name = RepositoryName { host: host.into(), path: path.into() };
            assert_eq!(entry_for(&entries, &name).map(|entry| entry.id), expected, "{name}");
        }
    }
}
