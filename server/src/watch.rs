//! Begins to watch a repository: finds the registry entry that serves it. For the API and for what the configuration names.

use globset::{GlobBuilder, GlobMatcher};
use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;

use crate::store::watch::{Added, RegistryEntry};
use crate::store::{Actor, Store, StoreError};

/// Watches `name` through the first entry that serves it. A host without an entry gets one that asks anonymously.
pub async fn watch(store: &Store, name: &RepositoryName, actor: &Actor, now: Instant) -> Result<Added, StoreError> {
    if let Some(entry) = entry_of(store, name).await? {
        return store.watch(entry.id, name, actor, now).await;
    }
    let host = name.host.clone();
    let entry =
        store.put_registry(&RegistryEntry { id: 0, name: host.clone(), host, repositories: Vec::new() }).await?;
    store.watch(entry.id, name, actor, now).await
}

/// The entry that serves a repository; `None` for a host without one, which may be asked anonymously. `Refused` if it may not
/// be asked at all.
pub async fn entry_of(store: &Store, name: &RepositoryName) -> Result<Option<RegistryEntry>, StoreError> {
    let entries = store.registries().await?;
    if let Some(entry) = entry_for(&entries, name) {
        return Ok(Some(entry.clone()));
    }
    // An entry of its own is named for the host; it must not replace one that the configuration named so.
    if let Some(entry) = entries.iter().find(|entry| entry.host == name.host || entry.name == name.host) {
        return Err(StoreError::Refused {
            message: format!(
                "no registry entry serves {name}: add `{}` to the `repositories` of an entry for {} in the configuration, \
                 beside \"{}\"",
                name.path, name.host, entry.name
            ),
            field: "name",
        });
    }
    may_be_asked(&name.host).map(|()| None)
}

/// The entry through which a host as a whole is asked, as [`entry_of`] for one repository.
pub async fn asked_through(store: &Store, host: &str) -> Result<Option<RegistryEntry>, StoreError> {
    match store.registries().await?.into_iter().find(|entry| entry.host == host) {
        Some(entry) => Ok(Some(entry)),
        None => may_be_asked(host).map(|()| None),
    }
}

/// Whether a host without an entry may be asked.
fn may_be_asked(host: &str) -> Result<(), StoreError> {
    if !is_link_local(host) {
        return Ok(());
    }
    let message = format!(
        "{host} is a link-local address, where machines keep services of their own: give it a registry entry in the \
         configuration if it is a registry"
    );
    Err(StoreError::Refused { message, field: "name" })
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
fn pattern(text: &str) -> Option<GlobMatcher> {
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
