//! Which registry entry serves which repository, from one start to the next.

use tagwarden::store::jobs::JobRequest;
use tagwarden::store::record::{Lease, Offset, RepositoryRow, RepositoryWrite};
use tagwarden::store::watch::RegistryEntry;
use tagwarden::store::{Scope, record::Written};
use tagwarden::watch::{assign, watch};
use tagwarden_model::api::{JobKind, JobState, RepositoryState};
use tagwarden_model::instant::Millis;
use tagwarden_model::name::RepositoryName;

use crate::db_test;
use crate::world::{START, World, name, pass, person};

const HOST: &str = "ghcr.io";

fn named(name: &str, repositories: &[&str]) -> RegistryEntry {
    let repositories = repositories.iter().map(ToString::to_string).collect();
    RegistryEntry { id: 0, name: name.to_owned(), host: HOST.to_owned(), repositories }
}

/// Who serves each repository of the host.
async fn served(world: &World) -> Vec<(String, String)> {
    let entries = world.store.registries().await.unwrap();
    let served = world.store.served().await.unwrap().into_iter().filter(|served| served.name.host == HOST);
    let name = |registry| entries.iter().find(|entry| entry.id == registry).map_or("nobody", |entry| &entry.name);
    served.map(|served| (served.name.path.clone(), name(served.registry).to_owned())).collect()
}

/// A start with these entries, then what is watched through them.
async fn start(world: &World, entries: &[RegistryEntry], paths: &[&str]) {
    assign(&world.store, entries).await.unwrap();
    for path in paths {
        let name = RepositoryName { host: HOST.to_owned(), path: (*path).to_owned() };
        watch(&world.store, &name, &person(), world.tick()).await.unwrap();
    }
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(path, entry)| (path.to_owned(), entry.to_owned())).into()
}

async fn polled(world: &World) -> Vec<String> {
    world.store.registries().await.unwrap().into_iter().map(|entry| entry.name).collect()
}

db_test! {
    async fn a_renamed_entry_takes_its_repositories_along(world: World) {
        start(&world, &[named("old", &["acme/**"])], &["acme/a", "acme/b"]).await;
        let old = world.store.registries().await.unwrap()[0].id;
        let offset = Offset { generation: 1, low: Millis(-5), high: Millis(5) };
        world.store.put_offset(old, offset).await.unwrap();
        start(&world, &[named("new", &["acme/**"])], &[]).await;
        assert_eq!(served(&world).await, pairs([("acme/a", "new"), ("acme/b", "new")]));
        // What serves nothing and is not configured is not polled and not shown; its row stays.
        assert_eq!(polled(&world).await, ["new", "registry.example"]);
        let shown = world.store.registry_states(Scope::All, world.now(), None, 10).await.unwrap().0;
        assert_eq!(shown.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["new", "registry.example"]);
        assert_eq!(world.row_counts().await["registries"], 3);
        // Windows that began before need the offsets of the host's clock.
        let new = world.store.registries().await.unwrap()[0].id;
        assert_eq!(world.store.offsets(new).await.unwrap(), [offset]);
        // And back: the same row as before.
        start(&world, &[named("old", &["acme/**"])], &[]).await;
        assert_eq!(world.store.registries().await.unwrap()[0].id, old);
        assert_eq!(served(&world).await, pairs([("acme/a", "old"), ("acme/b", "old")]));
        assert_eq!(world.row_counts().await["registries"], 3);
    }
}

db_test! {
    async fn the_first_entry_of_the_file_that_matches_serves(world: World) {
        let (all, part) = (named("all", &[]), named("part", &["acme/**"]));
        start(&world, &[all.clone(), part.clone()], &["acme/a", "other/b"]).await;
        assert_eq!(served(&world).await, pairs([("acme/a", "all"), ("other/b", "all")]));
        assert_eq!(polled(&world).await, ["all", "part", "registry.example"]);
        start(&world, &[part, all], &["acme/c"]).await;
        assert_eq!(served(&world).await, pairs([("acme/a", "part"), ("other/b", "all"), ("acme/c", "part")]));
        assert_eq!(polled(&world).await, ["part", "all", "registry.example"], "those of the file first, in its order");
    }
}

db_test! {
    async fn a_new_entry_takes_its_part(world: World) {
        start(&world, &[], &["acme/a", "other/b"]).await;
        assert_eq!(served(&world).await, pairs([("acme/a", HOST), ("other/b", HOST)]), "made for the host");
        start(&world, &[named("acme", &["acme/**"])], &[]).await;
        assert_eq!(served(&world).await, pairs([("acme/a", "acme"), ("other/b", HOST)]));
        // One that is named for the host, as an entry without a name is, does not serve what its patterns leave out.
        start(&world, &[named(HOST, &["acme/**"])], &[]).await;
        assert_eq!(served(&world).await, pairs([("acme/a", HOST), ("other/b", "ghcr.io (default)")]));
        let made = world.store.registries().await.unwrap().into_iter().find(|entry| entry.name.ends_with("(default)"));
        assert_eq!(made.unwrap().repositories, [""; 0]);
    }
}

db_test! {
    async fn what_a_removed_entry_served_falls_to_the_next_or_to_one_made_for_the_host(world: World) {
        let (part, all) = (named("part", &["acme/**"]), named("all", &[]));
        start(&world, &[part, all.clone()], &["acme/a"]).await;
        start(&world, std::slice::from_ref(&all), &[]).await;
        assert_eq!(served(&world).await, pairs([("acme/a", "all")]));
        start(&world, &[], &[]).await;
        assert_eq!(served(&world).await, pairs([("acme/a", HOST)]));
        assert_eq!(polled(&world).await, ["registry.example", HOST]);
        // Nothing of the history moved: it belongs to the repository.
        assert_eq!(world.store.served().await.unwrap().len(), 2);
        // A link-local host is polled only while the configuration says so.
        let metadata = "169.254.169.254";
        let entry = RegistryEntry { host: metadata.to_owned(), ..named("link", &[]) };
        assign(&world.store, &[entry]).await.unwrap();
        let link = RepositoryName { host: metadata.to_owned(), path: "a/b".to_owned() };
        watch(&world.store, &link, &person(), world.tick()).await.unwrap();
        start(&world, &[], &[]).await;
        assert!(!polled(&world).await.iter().any(|name| name == "link" || name == metadata));
    }
}

db_test! {
    async fn jobs_go_along_and_looks_through_an_entry_that_is_gone_end(world: World) {
        start(&world, &[named("old", &[])], &["acme/a"]).await;
        let of = RepositoryName { host: HOST.to_owned(), path: "acme/a".to_owned() };
        let check = JobRequest::Check(Vec::new());
        let check = world.store.create_job(&of, JobKind::Check, &check, &person(), world.now()).await.unwrap().unwrap();
        let old = world.store.registries().await.unwrap()[0].id;
        let preview = JobRequest::Preview(of);
        let preview = world.store.create_look(old, &preview, &person(), world.now()).await.unwrap();
        world.store.prune_jobs(world.now()).await.unwrap();
        start(&world, &[named("new", &[])], &[]).await;
        let new = world.store.registries().await.unwrap()[0].id;
        assert_eq!(world.store.take_jobs(old, JobKind::Check, 9).await.unwrap(), []);
        assert_eq!(world.store.take_jobs(new, JobKind::Check, 9).await.unwrap()[0].id, check.id);
        let state = async || world.store.job(Scope::All, preview.id).await.unwrap().unwrap().state;
        assert_eq!(state().await, JobState::Queued);
        world.store.prune_jobs(world.tick()).await.unwrap();
        assert_eq!(state().await, JobState::Failed, "nobody would take it");
    }
}

db_test! {
    async fn another_host_under_the_same_name_is_another_entry(world: World) {
        start(&world, &[named("acme", &[])], &["acme/a"]).await;
        let before = world.store.registries().await.unwrap()[0].id;
        let moved = RegistryEntry { host: "quay.io".to_owned(), ..named("acme", &[]) };
        assign(&world.store, std::slice::from_ref(&moved)).await.unwrap();
        let entries = world.store.registries().await.unwrap();
        assert_eq!((entries[0].name.as_str(), entries[0].host.as_str()), ("acme", "quay.io"));
        assert_ne!(entries[0].id, before, "lease, offsets and state are of one host");
        assert_eq!(served(&world).await, pairs([("acme/a", HOST)]));
    }
}

db_test! {
    async fn who_served_a_repository_before_writes_nothing_to_it(world: World) {
        world.create("1.0.0", "a").await;
        let taken = RegistryEntry { host: "registry.example".to_owned(), ..named("taken", &[]) };
        assign(&world.store, &[taken]).await.unwrap();
        let before = world.row_counts().await;
        let written = world.try_commit(vec![world.created("1.1.0", "b")]).await.unwrap();
        assert_eq!(written, [Written::Conflict]);
        world.store.put_pass(world.repository, world.lease, &pass(world.tick()), None).await.unwrap();
        let state = RepositoryRow { state: RepositoryState::Ok, reason: None, since: START, refused_since: None };
        let (repository, lease, now) = (world.repository, world.lease, world.now());
        let write = RepositoryWrite { repository, lease, now, state, event: None, invisible: None };
        world.store.put_repository(&write).await.unwrap();
        assert_eq!(world.row_counts().await, before);
        // The new one does, under a lease of its own.
        let registry = world.store.registries().await.unwrap()[0].id;
        let lease: Lease = world.store.lease(registry, "here", START, START + Millis::hours(1)).await.unwrap().unwrap();
        let write = RepositoryWrite { lease, ..write };
        world.store.put_repository(&write).await.unwrap();
        let read = world.store.repository(Scope::All, &name(), world.now()).await.unwrap().unwrap();
        assert_eq!(read.state, RepositoryState::Ok);
    }
}
