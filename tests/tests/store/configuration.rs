//! What the configuration says is watched and grouped, from one version to the next.

use std::collections::BTreeMap;

use tagwarden::apply::{apply, group};
use tagwarden::config::{Checked, CheckedRegistry, Group, Watched};
use tagwarden::registry::client::RegistrySettings;
use tagwarden::store::groups::GroupRow;
use tagwarden::store::{Actor, Scope};
use tagwarden_model::api::{Repository, RepositoryState, WatchSource};
use tagwarden_model::name::RepositoryName;

use crate::db_test;
use crate::world::{World, name, person};

fn of(path: &str) -> RepositoryName {
    RepositoryName { host: "ghcr.io".to_owned(), path: path.to_owned() }
}

/// A file that watches these repositories.
fn file(paths: &[&str]) -> Checked {
    let watches = paths.iter().map(|path| Watched { name: of(path), line: 1 }).collect();
    Checked { file: Some("tagwarden.toml".into()), watches, ..Checked::default() }
}

async fn watched(world: &World) -> BTreeMap<String, Repository> {
    let rows = world.store.repositories(Scope::All, None, None, world.now(), None, 100).await.unwrap().0;
    rows.into_iter().map(|repository| (repository.name.clone(), repository)).collect()
}

async fn names(world: &World) -> Vec<String> {
    watched(world).await.into_keys().collect()
}

db_test! {
    async fn what_only_the_file_watched_ends_with_its_line(world: World) {
        apply(&world.store, &file(&["a/b", "a/c"]), world.tick()).await.unwrap();
        tagwarden::watch::watch(&world.store, &of("a/d"), &person(), world.tick()).await.unwrap();
        let before = watched(&world).await["ghcr.io/a/c"].watched_since;
        assert_eq!(names(&world).await, ["ghcr.io/a/b", "ghcr.io/a/c", "ghcr.io/a/d", "registry.example/team/api"]);
        // A person began to watch a/d: that the file names it, too, and then no longer, is no reason to end.
        apply(&world.store, &file(&["a/c", "a/d"]), world.tick()).await.unwrap();
        assert_eq!(names(&world).await, ["ghcr.io/a/c", "ghcr.io/a/d", "registry.example/team/api"]);
        apply(&world.store, &file(&["a/c"]), world.tick()).await.unwrap();
        assert_eq!(names(&world).await, ["ghcr.io/a/c", "ghcr.io/a/d", "registry.example/team/api"]);
        assert_eq!(watched(&world).await["ghcr.io/a/c"].watched_since, before, "it was watched all the time");
        assert_eq!(world.store.watched_by(&Actor::configuration()).await.unwrap(), [of("a/c")]);
        assert_eq!(world.row_counts().await["repositories"], 4, "history stays");
    }
}

db_test! {
    async fn what_a_person_paused_stays_so_and_ends_with_its_line(world: World) {
        apply(&world.store, &file(&["a/b", "a/c"]), world.tick()).await.unwrap();
        for path in ["a/b", "a/c"] {
            assert!(world.store.pause(&of(path), &person(), world.tick()).await.unwrap());
        }
        apply(&world.store, &file(&["a/b", "a/c"]), world.tick()).await.unwrap();
        assert_eq!(watched(&world).await["ghcr.io/a/b"].state, RepositoryState::Paused);
        // What a person resumed, a person watches.
        assert!(world.store.resume(&of("a/c"), &person(), world.tick()).await.unwrap());
        apply(&world.store, &file(&[]), world.tick()).await.unwrap();
        assert_eq!(names(&world).await, ["ghcr.io/a/c", "registry.example/team/api"]);
    }
}

db_test! {
    async fn a_start_without_a_file_ends_nothing(world: World) {
        apply(&world.store, &file(&["a/b"]), world.tick()).await.unwrap();
        apply(&world.store, &Checked::default(), world.tick()).await.unwrap();
        assert_eq!(names(&world).await, ["ghcr.io/a/b", "registry.example/team/api"]);
        apply(&world.store, &file(&[]), world.tick()).await.unwrap();
        assert_eq!(names(&world).await, ["registry.example/team/api"]);
    }
}

db_test! {
    async fn an_entry_that_goes_and_comes_back_serves_what_it_served(world: World) {
        let with_entry = || {
            let settings = RegistrySettings::new("ghcr.io");
            let entry = CheckedRegistry { name: "acme".to_owned(), repositories: Vec::new(), settings, certificates: Vec::new() };
            Checked { registries: vec![entry], ..file(&["a/b"]) }
        };
        let polled = async || {
            let entries = world.store.registries().await.unwrap();
            let served = world.store.served().await.unwrap().into_iter().find(|served| served.name == of("a/b")).unwrap();
            entries.into_iter().find(|entry| entry.id == served.registry).map(|entry| entry.name)
        };
        for (config, expected) in [(file(&["a/b"]), "ghcr.io"), (with_entry(), "acme"), (file(&["a/b"]), "ghcr.io")] {
            apply(&world.store, &config, world.tick()).await.unwrap();
            assert_eq!(polled().await.as_deref(), Some(expected));
        }
        assert_eq!(world.store.registries().await.unwrap().len(), 2, "an entry without use is not polled");
    }
}

db_test! {
    async fn groups_are_what_the_configuration_says(world: World) {
        let named = |name: &str, members: &[&str]| Group {
            name: name.to_owned(),
            description: format!("what {name} is"),
            members: members.iter().map(ToString::to_string).collect(),
        };
        let config = Checked {
            groups: vec![named("shop", &["ghcr.io/a/*"]), named("all", &["**"]), named("none", &["ghcr.io/x"])],
            ..file(&["a/b", "a/b/c"])
        };
        apply(&world.store, &config, world.tick()).await.unwrap();
        let groups = |watched: &BTreeMap<String, Repository>, path: &str| watched[&of(path).to_string()].groups.clone();
        let now = watched(&world).await;
        assert_eq!(groups(&now, "a/b"), ["all", "shop"]);
        assert_eq!(groups(&now, "a/b/c"), ["all"]);
        assert_eq!(now[&name().to_string()].groups, ["all"]);
        let members: Vec<_> = world.store.file_groups().await.unwrap().iter().map(|group| group.members.len()).collect();
        assert_eq!(members, [1, 3, 0]);

        // What a person adds belongs to groups as well.
        tagwarden::watch::watch(&world.store, &of("a/new"), &person(), world.tick()).await.unwrap();
        group(&world.store, &config.groups).await.unwrap();
        assert_eq!(groups(&watched(&world).await, "a/new"), ["all", "shop"]);

        let other = Group { description: "other words".to_owned(), ..named("all", &["ghcr.io/a/b"]) };
        apply(&world.store, &Checked { groups: vec![other], ..file(&["a/b"]) }, world.tick()).await.unwrap();
        let [GroupRow { name, description, members }] = &world.store.file_groups().await.unwrap()[..] else { panic!() };
        assert_eq!((name.as_str(), description.as_str(), members.len()), ("all", "other words", 1));
        assert_eq!(groups(&watched(&world).await, "a/b"), ["all"]);
        assert_eq!(world.row_counts().await["group_repositories"], 1);
    }
}

db_test! {
    async fn the_groups_of_people_stay_beside_those_of_the_file(world: World) {
        let in_file = |names: &[&str]| {
            let group = |name: &&str| Group { name: (*name).to_owned(), description: String::new(), members: Vec::new() };
            Checked { groups: names.iter().map(group).collect(), ..file(&[]) }
        };
        let groups = async || {
            let groups = world.store.groups(Scope::All, None).await.unwrap();
            groups.into_iter().map(|group| (group.name, group.source, group.repositories.len())).collect::<Vec<_>>()
        };
        for group in ["ours", "shop"] {
            assert!(world.store.create_group(group).await.unwrap());
            world.store.join_group(group, &name(), world.now()).await.unwrap();
        }
        apply(&world.store, &in_file(&["all"]), world.tick()).await.unwrap();
        let (ours, shop) = (("ours".to_owned(), WatchSource::Person, 1), ("shop".to_owned(), WatchSource::Person, 1));
        assert_eq!(groups().await, [("all".to_owned(), WatchSource::File, 0), ours.clone(), shop]);
        assert_eq!(watched(&world).await[&name().to_string()].groups, ["ours", "shop"]);
        // A name that the file has is the file's, and only what it says is in there.
        apply(&world.store, &in_file(&["all", "shop"]), world.tick()).await.unwrap();
        assert_eq!(groups().await[1..], [ours.clone(), ("shop".to_owned(), WatchSource::File, 0)]);
        assert!(!world.store.create_group("shop").await.unwrap());
        apply(&world.store, &in_file(&[]), world.tick()).await.unwrap();
        assert_eq!(groups().await, [ours]);
    }
}
