//! What people find, keep, and say of releases.

use tagwarden::store::record::{Commit, TagWrite};
use tagwarden::store::watch::Added;
use tagwarden::store::{Scope, Store, StoreError};
use tagwarden_model::api::{Close, FoundTag};
use tagwarden_model::class::Ruling;
use tagwarden_model::flag::Resolution;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::Class;

use crate::db_test;
use crate::world::{World, person, repository};

async fn names(store: &Store, words: &[&str]) -> (Vec<String>, Vec<String>) {
    let (repositories, tags) = store.find(Scope::All, words).await.unwrap();
    (repositories, tags.into_iter().map(|FoundTag { name, .. }| name).collect())
}

async fn ways_back(world: &World, tag: &str) -> Vec<String> {
    let name: RepositoryName = "registry.example/team/api".parse().unwrap();
    let targets = world.store.targets(Scope::All, &name, &TagName::new(tag).unwrap()).await.unwrap().unwrap();
    targets.into_iter().map(|target| target.release).collect()
}

db_test! {
    async fn tags_are_found_by_how_they_begin_and_repositories_by_their_words(world: World) {
        for tag in ["2.3.0", "2.3.1", "v2.4.0", "20.1.0", "latest"] {
            world.create(tag, "a").await;
        }
        let api = "registry.example/team/api".to_owned();
        assert_eq!(names(&world.store, &["2.3"]).await, (vec![], vec!["2.3.1".into(), "2.3.0".into()]));
        assert_eq!(names(&world.store, &["2"]).await.1, ["20.1.0", "v2.4.0", "2.3.1", "2.3.0"]);
        assert_eq!(names(&world.store, &["2.3.0"]).await.1, ["2.3.0"]);
        assert_eq!(names(&world.store, &["API", "late"]).await, (vec![], vec!["latest".into()]));
        assert_eq!(names(&world.store, &["2.4", "team"]).await.1, ["v2.4.0"]);
        assert_eq!(names(&world.store, &["example", "api"]).await.0, [api.as_str()]);
        assert_eq!(names(&world.store, &["other", "2.3"]).await, (vec![], vec![]));
        // What SQL would take for a pattern is a letter like any other.
        assert_eq!(names(&world.store, &["%"]).await, (vec![], vec![]));
        assert_eq!(names(&world.store, &["_"]).await, (vec![], vec![]));
    }
}

db_test! {
    async fn of_many_tags_the_newest_are_found(world: World) {
        let tags: Vec<String> = (0..=100).map(|minor| format!("2.{minor}.0")).collect();
        world.try_commit(tags.iter().map(|tag| world.created(tag, "a")).collect()).await.unwrap();
        assert_eq!(names(&world.store, &["api", "2"]).await.1[..3], ["2.100.0", "2.99.0", "2.98.0"]);
    }
}

db_test! {
    async fn a_search_passes_few_tags_of_what_is_not_watched_and_none_that_are_ignored(world: World) {
        let other = repository("team/old");
        let added = world.store.watch(world.registry, &other, &person(), world.tick()).await.unwrap();
        let Added::New(id) = added else { panic!("new") };
        let created = |name: &str, at: i32, class| {
            let write = world.created(&format!("{name}{at:04}"), "a");
            TagWrite { ruling: Ruling::new(class, "test"), ..write }
        };
        let gone = (0..2000).map(|at| created("edge", at, Class::Rolling)).collect();
        world.store.commit(&Commit { repository: id, ..world.commit_of(gone) }).await.unwrap();
        world.try_commit((0..2000).map(|at| created("main", at, Class::Ignored)).collect()).await.unwrap();
        world.store.unwatch(&other, &person(), world.tick()).await.unwrap();
        world.create("edges", "a").await;
        world.create("mains", "a").await;
        assert_eq!(names(&world.store, &["edge"]).await.1, Vec::<String>::new());
        assert_eq!(names(&world.store, &["edges"]).await.1, ["edges"]);
        assert_eq!(names(&world.store, &["main"]).await.1, ["mains"]);
    }
}

db_test! {
    async fn a_release_that_nobody_should_use_is_no_way_back_until_it_is_taken_back(world: World) {
        for (tag, bytes) in [("1.0.0", "a"), ("1.1.0", "b"), ("1.2.0", "c")] {
            world.create(tag, bytes).await;
        }
        // It pointed at the bad release, too.
        let (seq, _) = world.create("latest", "b").await;
        world.to("latest", "b", "a", seq).await;
        assert_eq!(ways_back(&world, "1.2.0").await, ["1.1.0", "1.0.0"]);
        assert_eq!(ways_back(&world, "latest").await, ["1.1.0"]);

        let name: RepositoryName = "registry.example/team/api".parse().unwrap();
        let bad = TagName::new("1.1.0").unwrap();
        for reason in ["loses orders", "loses orders on Sundays"] {
            world.store.say_do_not_use(&name, &bad, reason, &person(), world.tick()).await.unwrap().unwrap();
        }
        assert_eq!(ways_back(&world, "1.2.0").await, ["1.0.0"]);
        assert_eq!(ways_back(&world, "latest").await, Vec::<String>::new());
        let said = world.tag("1.1.0").await.do_not_use.unwrap();
        assert_eq!((said.reason.as_str(), said.actor), ("loses orders on Sundays", person().display));
        assert_eq!(world.tag("1.0.0").await.do_not_use, None);

        assert!(world.store.lift_do_not_use(&name, &bad, &person(), world.tick()).await.unwrap());
        assert!(!world.store.lift_do_not_use(&name, &bad, &person(), world.tick()).await.unwrap());
        assert_eq!(ways_back(&world, "1.2.0").await, ["1.1.0", "1.0.0"]);
        assert_eq!(world.tag("1.1.0").await.do_not_use, None);

        let rolling = TagName::new("latest").unwrap();
        let refused = world.store.say_do_not_use(&name, &rolling, "x", &person(), world.tick()).await;
        assert!(matches!(refused, Err(StoreError::Refused { field: "tag", .. })), "{refused:?}");
        let unknown = TagName::new("9.9.9").unwrap();
        assert_eq!(world.store.say_do_not_use(&name, &unknown, "x", &person(), world.tick()).await.unwrap(), None);
    }
}

db_test! {
    async fn what_nobody_should_use_is_no_way_back_under_another_name_nor_after_it_was_replaced(world: World) {
        for (tag, bytes) in [("1.0.0", "a"), ("v1.1.0", "bad"), ("1.2.0", "c")] {
            world.create(tag, bytes).await;
        }
        let (seq, _) = world.create("1.1.0", "bad").await;
        let (latest, _) = world.create("latest", "bad").await;
        world.to("latest", "bad", "c", latest).await;
        let name: RepositoryName = "registry.example/team/api".parse().unwrap();
        let bad = TagName::new("1.1.0").unwrap();
        assert_eq!(ways_back(&world, "latest").await, ["v1.1.0"]);
        world.store.say_do_not_use(&name, &bad, "loses orders", &person(), world.tick()).await.unwrap().unwrap();
        assert_eq!(ways_back(&world, "1.2.0").await, ["1.0.0"]);
        assert_eq!(ways_back(&world, "latest").await, Vec::<String>::new());

        // Something else is put there, and that is accepted.
        let (seq, _) = world.to("1.1.0", "bad", "good", seq).await;
        let flag = world.flag().await;
        let (resolution, reason) = (Resolution::Accepted, "mended".to_owned());
        let close = Close { version: flag.version, resolution, reason };
        world.store.close(flag.id, &close, &person(), world.tick()).await.unwrap().unwrap();
        assert_eq!(ways_back(&world, "1.1.0").await, ["1.0.0"], "it named the bad one before");
        world.to("1.1.0", "good", "other", seq).await;
        assert_eq!(ways_back(&world, "1.1.0").await, ["1.0.0"], "and the other is not to be used, too");
        assert_eq!(ways_back(&world, "1.2.0").await, ["1.0.0"]);

        assert!(world.store.lift_do_not_use(&name, &bad, &person(), world.tick()).await.unwrap());
        let by = world.texts("SELECT lifted_actor_kind || ' ' || lifted_actor_id || ' ' || lifted_actor_display FROM do_not_use".to_owned());
        assert_eq!(by.await, ["1 ada Ada"]);
        assert_eq!(ways_back(&world, "latest").await, ["v1.1.0"]);
    }
}

db_test! {
    async fn a_view_is_kept_under_its_name_until_it_is_forgotten(world: World) {
        let keep = async |name, address| world.store.keep_view(name, address, &person(), world.tick()).await.unwrap();
        keep("Payments", "flags?state=open").await;
        keep("All", "timeline").await;
        keep("Payments", "flags").await;
        let views = world.store.views(Scope::All).await.unwrap();
        let views: Vec<_> = views.iter().map(|view| (view.name.as_str(), view.address.as_str())).collect();
        assert_eq!(views, [("All", "timeline"), ("Payments", "flags")]);
        assert!(world.store.forget_view("All", &person()).await.unwrap());
        assert!(!world.store.forget_view("All", &person()).await.unwrap());
    }
}
