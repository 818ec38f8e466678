//! Registries, watch periods, leases, clock offsets.

use std::collections::BTreeMap;

use tagwarden::store::content::Content;
use tagwarden::store::deliveries::NewDelivery;
use tagwarden::store::groups::Joined;
use tagwarden::store::read::{EventFilter, EventOrder, FlagFilter};
use tagwarden::store::record::{Commit, Lease, Offset, PassRow, TagWrite, Written};
use tagwarden::store::tellings::{Planned, Telling};
use tagwarden::store::watch::{Added, RegistryEntry, RegistryRow};
use tagwarden::store::{Scope, StoreError};
use tagwarden_model::api::{ChangeKind, JobKind, JobState, Registry, RegistryState, RepositoryState};
use tagwarden_model::change;
use tagwarden_model::class::Ruling;
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::Millis;
use tagwarden_model::tag::{Band, Class};

use crate::db_test;
use crate::world::{START, digest, entry, event, filter, name, person, present, repository, write_of};

db_test! {
    async fn a_registry_entry_is_updated_by_its_name_and_host(world: World) {
        let parted = RegistryEntry { name: "a".to_owned(), repositories: vec!["org-a/**".to_owned()], ..entry("ghcr.io") };
        let first = world.store.put_registry(&parted).await.unwrap();
        let second = world.store.put_registry(&RegistryEntry { repositories: Vec::new(), ..parted.clone() }).await.unwrap();
        assert_eq!(first.id, second.id);
        let entries = world.store.registries().await.unwrap();
        assert_eq!(entries.iter().map(|entry| entry.host.as_str()).collect::<Vec<_>>(), ["registry.example", "ghcr.io"]);
        assert_eq!(entries[1], second);
        let elsewhere = world.store.put_registry(&RegistryEntry { host: "quay.io".to_owned(), ..parted }).await.unwrap();
        assert_ne!(elsewhere.id, first.id);
    }
}

db_test! {
    async fn watching_again_begins_a_new_period_and_keeps_history(world: World) {
        world.create("1.0.0", "a").await;
        world.store.put_pass(world.repository, world.lease, &crate::world::pass(world.tick()), None).await.unwrap();
        let before = world.store.watched(world.registry).await.unwrap().remove(0);
        assert_eq!(world.store.watch(world.registry, &name(), &person(), world.tick()).await.unwrap(), Added::Already(world.repository));
        let check = tagwarden::store::jobs::JobRequest::Check(Vec::new());
        let job = world.store.create_job(&name(), JobKind::Check, &check, &person(), world.now()).await.unwrap().unwrap();

        assert!(world.store.unwatch(&name(), &person(), world.tick()).await.unwrap());
        assert!(!world.store.unwatch(&name(), &person(), world.tick()).await.unwrap());
        assert!(!world.store.unwatch(&repository("never"), &person(), world.tick()).await.unwrap());
        assert!(world.store.watched(world.registry).await.unwrap().is_empty());
        assert_eq!(world.store.repository(Scope::All, &name(), world.now()).await.unwrap(), None);
        assert!(world.store.tags(Scope::All, &filter(), None, 10).await.unwrap().is_some(), "history stays");
        assert_eq!(world.store.job(Scope::All, job.id).await.unwrap().unwrap().state, JobState::Failed);

        let again = world.tick();
        assert_eq!(world.store.watch(world.registry, &name(), &person(), again).await.unwrap(), Added::New(world.repository));
        let after = world.store.watched(world.registry).await.unwrap().remove(0);
        assert!(after.period > before.period);
        assert_eq!(world.store.periods(world.registry).await.unwrap(), BTreeMap::from([(world.repository, after.period)]));
        assert_eq!((after.watched_since, after.state.state), (again, RepositoryState::New));
        assert_eq!((before.passes.len(), after.passes.len()), (1, 0), "passes of an earlier period promise nothing");
        let loaded = world.store.load(world.repository, START).await.unwrap();
        assert_eq!((loaded.tags.len(), loaded.listings.len()), (1, 0), "listings count within their period");
        assert_eq!(world.row_counts().await["watch_periods"], 2);
    }
}

db_test! {
    async fn what_is_paused_is_listed_and_not_checked_and_resuming_begins_a_new_period(world: World) {
        world.create("1.0.0", "a").await;
        let shown = async || world.store.repository(Scope::All, &name(), world.now()).await.unwrap().unwrap();
        let before = world.store.watched(world.registry).await.unwrap().remove(0);
        for _ in 0..2 {
            assert!(world.store.pause(&name(), &person(), world.tick()).await.unwrap());
        }
        assert!(!world.store.pause(&repository("never"), &person(), world.now()).await.unwrap());
        let paused = shown().await;
        assert_eq!((paused.state, paused.freshness.len()), (RepositoryState::Paused, 0));
        assert_eq!(paused.state_reason.as_deref(), Some("paused by Ada"));
        assert_eq!(world.store.repositories(Scope::All, None, None, world.now(), None, 9).await.unwrap().0, [paused]);
        assert!(world.store.watched(world.registry).await.unwrap().is_empty());
        assert_eq!(world.store.summary(Scope::All, world.now()).await.unwrap().repositories, 0);
        // The configuration names it at every start.
        let named = world.store.watch(world.registry, &name(), &person(), world.tick()).await.unwrap();
        assert_eq!(named, Added::Already(world.repository));
        assert_eq!(shown().await.state, RepositoryState::Paused);
        // What was under way is not recorded any more.
        let written = world.try_commit(vec![world.created("1.1.0", "b")]).await.unwrap();
        assert_eq!(written, [Written::Conflict]);

        for _ in 0..2 {
            assert!(world.store.resume(&name(), &person(), world.tick()).await.unwrap());
        }
        let after = world.store.watched(world.registry).await.unwrap().remove(0);
        assert!(after.period > before.period);
        assert_eq!(shown().await.state, RepositoryState::New);
        assert_eq!(world.row_counts().await["watch_periods"], 2);

        world.store.pause(&name(), &person(), world.tick()).await.unwrap();
        assert!(world.store.unwatch(&name(), &person(), world.tick()).await.unwrap());
        assert!(!world.store.resume(&name(), &person(), world.tick()).await.unwrap());
        assert_eq!(world.store.repository(Scope::All, &name(), world.now()).await.unwrap(), None);
    }
}

db_test! {
    async fn one_repository_is_read_as_all_are(world: World) {
        let other = world.store.put_registry(&entry("other.example")).await.unwrap().id;
        let Added::New(second) = world.store.watch(world.registry, &repository("b"), &person(), world.tick()).await.unwrap()
        else { panic!("it is new") };
        for band in [Band::Hot, Band::Cold, Band::Hot] {
            let row = PassRow { band, ..crate::world::pass(world.tick()) };
            world.store.put_pass(world.repository, world.lease, &row, None).await.unwrap();
        }
        let all = world.store.watched(world.registry).await.unwrap();
        let periods: BTreeMap<i64, i64> = all.iter().map(|watched| (watched.id, watched.period)).collect();
        assert_eq!(world.store.periods(world.registry).await.unwrap(), periods);
        assert_eq!(world.store.periods(other).await.unwrap(), BTreeMap::new());
        for watched in all {
            let one = world.store.watched_one(watched.id).await.unwrap().unwrap();
            assert_eq!(format!("{one:?}"), format!("{watched:?}"));
            assert_eq!(one.passes.len(), if one.id == second { 0 } else { 2 });
        }
        assert!(world.store.unwatch(&repository("b"), &person(), world.tick()).await.unwrap());
        assert!(world.store.watched_one(second).await.unwrap().is_none());
    }
}

db_test! {
    async fn a_purge_leaves_numbers_and_leaves_of_events_and_nothing_else(world: World) {
        let other = repository("other");
        world.store.watch(world.registry, &other, &person(), world.now()).await.unwrap();
        world.create("1.0.0", "a").await;
        world.to("1.0.0", "a", "b", 1).await;
        let rebuilt = |kind, old, new: &str, last_seq| {
            let happened = event(kind, old, Some(new), world.tick());
            TagWrite { ruling: Ruling::new(Class::Rebuilt, "a rule"), ..write_of("1.27", present(new, last_seq), vec![happened]) }
        };
        let (created, _) = world.write(rebuilt(EventKind::Created, None, "e", 0)).await;
        world.write(rebuilt(EventKind::Moved, Some("e"), "f", created)).await;
        assert_eq!(world.row_counts().await["refreshes"], 1, "it waits for its comparison");
        let content = |text: &str| Content { media_type: "application/json".to_owned(), bytes: text.as_bytes().to_vec() };
        world.store.put_contents(&[(digest("a"), content("a")), (digest("c"), content("c"))], world.now()).await.unwrap();
        world.store.put_pass(world.repository, world.lease, &crate::world::pass(world.tick()), None).await.unwrap();
        world.store.create_group("shop").await.unwrap();
        world.store.join_group("shop", &name(), world.now()).await.unwrap();
        let unread = |text: &str| change::Content { digest: digest(text), body: Err(change::Unread::Missing) };
        let compared = change::compare(&unread("a"), &unread("b"));
        world.store.put_comparison(&digest("a"), &digest("b"), &compared, world.now()).await.unwrap();
        let flag = world.flag().await.id;
        let deliveries = |tellings: &[Telling]| {
            assert_eq!(tellings.len(), 1);
            let delivery = |notifier: &str, subject: &str| NewDelivery {
                dedupe_key: format!("{notifier}/{subject}"),
                notifier: notifier.to_owned(),
                payload: format!(r#"{{"subject":"{subject}","flags":[{{"repository":"{}"}}]}}"#, name()),
                next: START,
            };
            let (one, all, host) = (format!("{}:1.0.0", name()), name().to_string(), "registry.example");
            let deliveries = vec![delivery("a", &one), delivery("a", &all), delivery("a", host), delivery("b", host)];
            Planned { deliveries, done: vec![0], again: None }
        };
        world.store.plan_deliveries(world.now(), deliveries).await.unwrap();
        let delivered = world.store.take_delivery("b", world.now(), world.now()).await.unwrap().unwrap();
        world.store.delivered(delivered.id, world.now()).await.unwrap();

        let refused = world.store.purge(&name(), &person(), world.tick()).await;
        assert!(matches!(refused, Err(StoreError::Refused { field: "name", .. })), "it is watched");
        world.store.pause(&name(), &person(), world.tick()).await.unwrap();
        assert!(world.store.purge(&name(), &person(), world.tick()).await.is_err(), "it is only paused");
        world.store.unwatch(&name(), &person(), world.tick()).await.unwrap();
        assert_eq!(world.store.purge(&repository("never"), &person(), world.tick()).await.unwrap(), None);
        assert_eq!(world.store.purge(&name(), &person(), world.tick()).await.unwrap(), Some(4));
        assert_eq!(world.store.purge(&name(), &person(), world.tick()).await.unwrap(), None);

        let rows = world.row_counts().await;
        for table in ["tags", "events", "flags", "flag_events", "flag_transitions", "spans", "promises", "passes", "jobs", "rollups",
            "lanes", "first_releases", "hints", "tag_counts", "releases_by_day", "totals", "group_repositories", "gaps", "proofs", "event_proofs", "tellings", "comparisons",
            "refreshes"] {
            assert_eq!(rows[table], 0, "{table}");
        }
        assert_eq!((rows["purged_events"], rows["purges"], rows["watch_periods"], rows["repositories"]), (4, 1, 1, 2));
        assert_eq!(rows["deliveries"], 1, "one that waits tells of others, too");
        assert_eq!(world.store.content(&digest("a")).await.unwrap(), None);
        assert!(world.store.content(&digest("c")).await.unwrap().is_some(), "no tag of it had that one");
        assert!(world.store.tags(Scope::All, &filter(), None, 10).await.unwrap().is_none());
        assert!(world.store.repository(Scope::All, &other, world.now()).await.unwrap().is_some());
        // Numbers go on, and it can be watched anew.
        let again = world.store.watch(world.registry, &name(), &person(), world.tick()).await.unwrap();
        let Added::New(again) = again else { panic!("it was forgotten") };
        assert_ne!(again, world.repository);
        let tags = vec![world.created("1.0.0", "a")];
        let commit = Commit { repository: again, ..world.commit_of(tags) };
        assert!(matches!(world.store.commit(&commit).await.unwrap()[..], [Written::Ok { last_seq: 5, .. }]));
        let moved = event(EventKind::Moved, Some("a"), Some("c"), world.tick());
        let commit = Commit { tags: vec![write_of("1.0.0", present("c", 5), vec![moved])], ..commit };
        world.store.commit(&commit).await.unwrap();
        assert!(world.flag().await.id > flag, "a number is never given twice");
    }
}

db_test! {
    async fn the_state_of_an_entry_is_kept_and_told_once(world: World) {
        let states = async || world.store.registry_states(Scope::All, world.now(), None, 10).await.unwrap().0;
        world.store.put_registry(&entry("a.example")).await.unwrap();
        let new = |name: &str, repositories| Registry {
            name: name.to_owned(),
            host: name.to_owned(),
            repositories,
            state: RegistryState::New,
            state_reason: None,
            state_since: None,
            checked: None,
            standings: Vec::new(),
        };
        let bare = |registry: Registry| Registry { standings: Vec::new(), ..registry };
        let states = async || states().await.into_iter().map(bare).collect::<Vec<_>>();
        assert_eq!(states().await, [new("a.example", 0), new("registry.example", 1)]);
        let row = RegistryRow {
            state: RegistryState::Unauthorized,
            reason: Some("refused: denied".to_owned()),
            since: Some(world.tick()),
        };
        let before = world.store.newest_change().await.unwrap();
        world.store.put_registry_state(world.lease, &row, world.now()).await.unwrap();
        assert_eq!(world.store.registry_state(world.registry).await.unwrap(), row);
        let kept = &states().await[1];
        assert_eq!((kept.state, kept.state_reason.as_deref()), (RegistryState::Unauthorized, Some("refused: denied")));
        assert_eq!(kept.state_since, Some(world.now()));
        let changes = world.store.changes(Scope::All, before, 10).await.unwrap().unwrap();
        let changes = changes.into_iter().map(|change| (change.kind, change.reference, change.repository)).collect::<Vec<_>>();
        assert_eq!(changes, [(ChangeKind::Registry, 0, None)]);
        // Configuring it anew changes nothing of it, and who lost the lease writes nothing.
        world.store.put_registry(&entry("registry.example")).await.unwrap();
        let lost = Lease { epoch: world.lease.epoch + 1, ..world.lease };
        let ok = RegistryRow { state: RegistryState::Ok, reason: None, since: Some(world.tick()) };
        let refused = world.store.put_registry_state(lost, &ok, world.now()).await;
        assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
        assert_eq!(world.store.registry_state(world.registry).await.unwrap(), row);
    }
}

db_test! {
    async fn groups_hold_repositories_and_narrow_lists(world: World) {
        let store = &world.store;
        world.create("1.0.0", "a").await;
        world.to("1.0.0", "a", "b", 1).await;
        assert!(store.create_group("shop").await.unwrap());
        assert!(!store.create_group("shop").await.unwrap());
        store.create_group("empty").await.unwrap();
        assert_eq!(store.join_group("none", &name(), world.now()).await.unwrap(), Joined::NoGroup);
        assert_eq!(store.join_group("shop", &repository("never"), world.now()).await.unwrap(), Joined::NotWatched);
        for _ in 0..2 {
            assert_eq!(store.join_group("shop", &name(), world.now()).await.unwrap(), Joined::In);
        }
        let groups = store.groups(Scope::All, None).await.unwrap();
        let told: Vec<_> = groups.iter().map(|group| (group.name.as_str(), group.repositories.len())).collect();
        assert_eq!(told, [("empty", 0), ("shop", 1)]);
        for (group, rows) in [(None, 1), (Some("shop"), 1), (Some("empty"), 0), (Some("none"), 0)] {
            let repositories = store.repositories(Scope::All, group, None, world.now(), None, 9).await.unwrap().0;
            assert_eq!(repositories.len(), rows, "{group:?}");
            assert!(repositories.iter().all(|repository| repository.groups == ["shop"]));
            let of_group = FlagFilter { group: group.map(str::to_owned), ..FlagFilter::default() };
            assert_eq!(store.flags(Scope::All, &of_group, None, 9).await.unwrap().0.len(), rows, "{group:?}");
            let of_group = EventFilter { group: group.map(str::to_owned), ..EventFilter::default() };
            for order in [EventOrder::Seq, EventOrder::At] {
                let events = store.events(Scope::All, &of_group, order, None, 9).await.unwrap().0;
                assert_eq!(events.len(), 2 * rows, "{group:?} {order:?}");
            }
        }
        assert!(matches!(store.rename_group("shop", "empty", world.now()).await, Err(StoreError::Refused { field: "to", .. })));
        assert!(store.rename_group("shop", "store", world.now()).await.unwrap());
        assert!(!store.rename_group("shop", "x", world.now()).await.unwrap());
        assert!(store.leave_group("store", &name(), world.now()).await.unwrap());
        assert!(!store.leave_group("store", &name(), world.now()).await.unwrap());
        store.join_group("store", &name(), world.now()).await.unwrap();
        assert!(store.delete_group("store", world.now()).await.unwrap());
        assert!(!store.delete_group("store", world.now()).await.unwrap());
        assert!(store.repository(Scope::All, &name(), world.now()).await.unwrap().unwrap().groups.is_empty());
    }
}

db_test! {
    async fn what_was_seen_in_a_watch_period_that_ended_is_not_written(world: World) {
        let period = world.store.watched(world.registry).await.unwrap().remove(0).period;
        let lease = Lease { period: Some(period), ..world.lease };
        let now = world.tick();
        assert!(world.store.unwatch(&name(), &person(), now).await.unwrap());
        let commit = Commit { lease, ..world.commit_of(vec![world.created("1.0.0", "a")]) };
        assert_eq!(world.store.commit(&commit).await.unwrap(), [Written::Conflict], "watched no more");
        world.store.watch(world.registry, &name(), &person(), world.tick()).await.unwrap();
        assert_eq!(world.store.commit(&commit).await.unwrap(), [Written::Conflict], "watched anew");
        world.store.put_pass(world.repository, lease, &crate::world::pass(world.tick()), None).await.unwrap();
        let anew = world.store.watched(world.registry).await.unwrap().remove(0);
        assert!(anew.passes.is_empty(), "a listing of before says nothing of the new period");
        let lease = Lease { period: Some(anew.period), ..world.lease };
        let commit = Commit { lease, ..commit };
        assert!(matches!(world.store.commit(&commit).await.unwrap()[..], [Written::Ok { .. }]));
    }
}

db_test! {
    async fn a_lease_is_renewed_by_its_owner_and_taken_when_it_ended(world: World) {
        let hour = |n| START + Millis::hours(n);
        let renewed = world.store.lease(world.registry, "here", hour(0), hour(2)).await.unwrap();
        assert_eq!(renewed, Some(world.lease));
        assert_eq!(world.store.lease(world.registry, "there", hour(1), hour(3)).await.unwrap(), None);
        let theirs = world.store.lease(world.registry, "there", hour(2), hour(3)).await.unwrap().unwrap();
        assert_eq!(theirs.epoch, world.lease.epoch + 1);
        assert_eq!(world.store.lease(world.registry, "here", hour(2), hour(4)).await.unwrap(), None);
    }
}

db_test! {
    async fn of_ten_that_want_a_lease_one_has_it(world: World) {
        let registry = world.store.put_registry(&entry("other.example")).await.unwrap().id;
        let tries = (0..10).map(|number| {
            let store = world.store.clone();
            tokio::spawn(async move {
                store.lease(registry, &format!("replica {number}"), START, START + Millis::hours(1)).await.unwrap()
            })
        });
        let won = futures::future::join_all(tries.collect::<Vec<_>>()).await;
        assert_eq!(won.into_iter().filter_map(Result::unwrap).count(), 1);
    }
}

db_test! {
    async fn offsets_are_widened_never_narrowed(world: World) {
        let one = world.store.new_generation(START).await.unwrap();
        let two = world.store.new_generation(START).await.unwrap();
        assert!(two > one);
        let offset = |generation, low, high| Offset { generation, low: Millis(low), high: Millis(high) };
        for put in [offset(one, -10, 500), offset(one, -400, 100), offset(one, 0, 0), offset(two, 1, 2)] {
            world.store.put_offset(world.registry, put).await.unwrap();
        }
        assert_eq!(world.store.offsets(world.registry).await.unwrap(), [offset(one, -400, 500), offset(two, 1, 2)]);
    }
}

db_test! {
    async fn what_the_database_refuses_is_an_error(world: World) {
        let error = world.store.watch(4711, &repository("x"), &person(), START).await.unwrap_err();
        assert!(matches!(error, StoreError::Database(_)), "{error:?}");
        assert_eq!(error.to_string(), "the database failed", "causes are not sent");
        assert_eq!(world.row_counts().await["repositories"], 1);
    }
}
