//! Lists, pages, digests, targets, hostile texts.

use tagwarden::store::read::{EventFilter, EventOrder, FlagFilter, Position, TagFilter};
use tagwarden::store::record::TagWrite;
use tagwarden::store::watch::{Added, RegistryEntry};
use tagwarden::store::{Actor, Scope, StoreError};
use tagwarden_model::api::{Acknowledge, MakePromise};
use tagwarden_model::class::Ruling;
use tagwarden_model::event::{EventKind, NewEvent, Severity};
use tagwarden_model::flag::FlagState;
use tagwarden_model::instant::Millis;
use tagwarden_model::tag::{Band, Class, TagRecord};

use crate::db_test;
use crate::world::{START, digest, event, filter, name, person, present, repository, tag_name, write_of};

/// A position goes through a cursor as JSON.
fn through_json(position: Option<Position>) -> Option<Position> {
    position.map(|position| serde_json::from_str(&serde_json::to_string(&position).unwrap()).unwrap())
}

db_test! {
    async fn tags_stand_newest_version_first_within_their_family(world: World) {
        let tags = ["1.9.0", "1.10.0", "1.10.0-rc.1", "1.10.0-alpine", "1.2.0-alpine", "latest"];
        let writes = tags.iter().map(|tag| world.created(tag, "a")).collect();
        world.try_commit(writes).await.unwrap();
        let expected = ["1.10.0", "1.10.0-rc.1", "1.9.0", "1.10.0-alpine", "1.2.0-alpine", "latest"];
        for limit in 1..=7 {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let (page, next) = world.store.tags(Scope::All, &filter(), after.as_ref(), limit).await.unwrap().unwrap();
                assert!(page.len() <= limit as usize && !page.is_empty());
                found.extend(page.into_iter().map(|tag| tag.name));
                after = through_json(next);
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "pages of {limit}");
        }
        let names = async |filter: TagFilter| {
            let tags = world.store.tags(Scope::All, &filter, None, 100).await.unwrap().unwrap().0;
            tags.into_iter().map(|tag| tag.name).collect::<Vec<_>>()
        };
        let alpine = TagFilter { family: Some("alpine".to_owned()), ..filter() };
        assert_eq!(names(alpine).await, ["1.10.0-alpine", "1.2.0-alpine"]);
        let no_family = TagFilter { family: Some(String::new()), class: Some(Class::Release), ..filter() };
        assert_eq!(names(no_family).await, ["1.10.0", "1.10.0-rc.1", "1.9.0"]);
        let contains = TagFilter { contains: Some("ALPINE".to_owned()), ..filter() };
        assert_eq!(names(contains).await.len(), 2);
        for text in ["%", "_", "'", "\\"] {
            assert!(names(TagFilter { contains: Some(text.to_owned()), ..filter() }).await.is_empty(), "{text}");
        }
        let other = TagFilter { repository: repository("never"), ..filter() };
        assert!(world.store.tags(Scope::All, &other, None, 10).await.unwrap().is_none());
    }
}

db_test! {
    async fn pages_stay_whole_while_rows_come_in(world: World) {
        for number in 0..20 {
            world.create(&format!("1.{number}.0"), "a").await;
        }
        for order in [EventOrder::Seq, EventOrder::At] {
            let before = world.events().await.iter().rev().map(|event| event.seq).collect::<Vec<_>>();
            let (mut found, mut after) = (Vec::new(), None);
            for number in 0.. {
                let all = EventFilter { repository: Some(name()), tag: None, ..EventFilter::default() };
                let (page, next) = world.store.events(Scope::All, &all, order, after.as_ref(), 3).await.unwrap();
                found.extend(page.into_iter().map(|event| event.seq));
                after = through_json(next);
                if after.is_none() {
                    break;
                }
                let tag = format!("2.{number}.{}", i32::from(order == EventOrder::At));
                world.create(&tag, "a").await;
            }
            assert_eq!(found, before);
        }
    }
}

db_test! {
    async fn events_are_ordered_by_number_or_by_time(world: World) {
        // Concluded late: the window of the second ended before that of the first.
        let early = event(EventKind::Created, None, Some("x"), START);
        world.create("1.0.0", "a").await;
        world.write(write_of("latest", present("x", 0), vec![early])).await;
        let seqs = async |filter: EventFilter, order| {
            let events = world.store.events(Scope::All, &filter, order, None, 10).await.unwrap().0;
            events.into_iter().map(|event| event.seq).collect::<Vec<_>>()
        };
        let tag = |tag: &str| EventFilter { repository: Some(name()), tag: Some(tag_name(tag)), ..EventFilter::default() };
        assert_eq!(seqs(EventFilter::default(), EventOrder::Seq).await, [2, 1]);
        assert_eq!(seqs(EventFilter::default(), EventOrder::At).await, [1, 2]);
        assert_eq!(seqs(tag("latest"), EventOrder::Seq).await, [2]);
        assert_eq!(seqs(tag("1.0.0"), EventOrder::At).await, [1]);
        assert!(seqs(tag("none"), EventOrder::At).await.is_empty());
        let never = EventFilter { repository: Some(repository("never")), tag: None, ..EventFilter::default() };
        assert!(seqs(never, EventOrder::Seq).await.is_empty());
    }
}

db_test! {
    async fn what_happened_to_releases_is_found_among_all_else(world: World) {
        let stood = NewEvent { baseline: true, ..event(EventKind::Created, None, Some("a"), START) };
        world.write(write_of("1.0.0", present("a", 0), vec![stood])).await;
        let (mut seq, _) = world.create("latest", "a").await;
        for contents in ["b", "c", "d"] {
            (seq, _) = world.to("latest", if contents == "b" { "a" } else { "x" }, contents, seq).await;
        }
        let (release, _) = world.create("1.1.0", "b").await;
        world.to("1.1.0", "b", "c", release).await;
        let releases = EventFilter { releases: true, ..EventFilter::default() };
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = world.store.events(Scope::All, &releases, EventOrder::At, after.as_ref(), 1).await.unwrap();
            found.extend(page.into_iter().map(|event| (event.tag.unwrap(), event.kind)));
            after = through_json(next);
            if after.is_none() {
                break;
            }
        }
        let expected = [EventKind::Moved, EventKind::Created].map(|kind| ("1.1.0".to_owned(), kind));
        assert_eq!(found, expected);
    }
}

db_test! {
    async fn flags_stand_worst_first_then_newest(world: World) {
        for (tag, deleted) in [("1.0.0", false), ("1.1.0", true), ("1.2.0-rc.1", true), ("1.3.0", false)] {
            let (seq, _) = world.create(tag, "a").await;
            if deleted { world.delete(tag, "a", seq).await } else { world.to(tag, "a", "b", seq).await };
        }
        let expected = [
            ("1.3.0", Severity::Critical), ("1.0.0", Severity::Critical),
            ("1.1.0", Severity::Warning), ("1.2.0-rc.1", Severity::Info),
        ];
        let newest = world.flags().await.remove(0);
        let act = Acknowledge { version: 1, reason: "known".to_owned(), until: None };
        world.store.acknowledge(newest.id, &act, &person(), world.tick()).await.unwrap().unwrap();
        for repository in [None, Some(name())] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let filter = FlagFilter { repository: repository.clone(), ..FlagFilter::default() };
                let (page, next) = world.store.flags(Scope::All, &filter, after.as_ref(), 1).await.unwrap();
                found.extend(page.into_iter().map(|flag| (flag.tag.unwrap(), flag.severity)));
                after = through_json(next);
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found.iter().map(|(tag, severity)| (tag.as_str(), *severity)).collect::<Vec<_>>(), expected);
        }
        let states = async |states| {
            let filter = FlagFilter { states, ..FlagFilter::default() };
            world.store.flags(Scope::All, &filter, None, 10).await.unwrap().0.len()
        };
        assert_eq!(states(vec![FlagState::Open]).await, 3);
        assert_eq!(states(vec![FlagState::Acknowledged, FlagState::Closed]).await, 1);
        assert_eq!(states(vec![FlagState::Restored]).await, 0);
        let summary = world.store.summary(Scope::All, world.now()).await.unwrap();
        assert_eq!((summary.needs_attention, summary.needs_review), (2, 0), "info and what is acknowledged do not count");
        let read = world.store.repository(Scope::All, &name(), world.now()).await.unwrap().unwrap();
        assert_eq!(read.open_flags, 4, "open or acknowledged");
    }
}

db_test! {
    async fn everything_that_ever_pointed_at_a_digest(world: World) {
        world.create("1.0.0", "a").await;
        world.create("latest", "a").await;
        world.to("latest", "a", "b", 2).await;
        let hex = digest("a").hex();
        for length in [7, 8, 63, 64] {
            let uses = world.store.digest_uses(Scope::All, &hex[..length], None, 10).await.unwrap().0;
            let uses = uses.iter().map(|used| (used.tag.as_str(), used.until.is_some())).collect::<Vec<_>>();
            assert_eq!(uses, [("latest", true), ("1.0.0", false)], "{length} digits");
        }
        let (page, next) = world.store.digest_uses(Scope::All, &hex, None, 1).await.unwrap();
        assert_eq!(page[0].tag, "latest");
        let (page, next) = world.store.digest_uses(Scope::All, &hex, through_json(next).as_ref(), 1).await.unwrap();
        assert_eq!((page[0].tag.as_str(), next), ("1.0.0", None));
        let mut other = hex.clone().into_bytes();
        other[6] ^= 1;
        let other = String::from_utf8(other).unwrap();
        assert!(world.store.digest_uses(Scope::All, &other[..7], None, 10).await.unwrap().0.is_empty());
        for wrong in ["", "abc", "sha256:0", "ABCDEF0", "0123456g", &"0".repeat(65)] {
            let result = world.store.digest_uses(Scope::All, wrong, None, 10).await;
            assert!(matches!(result, Err(StoreError::Refused { field: "digest", .. })), "{wrong}");
        }
    }
}

db_test! {
    async fn the_way_back_is_the_promise_then_earlier_releases(world: World) {
        let tags = ["1.0.0", "1.1.0", "1.2.0-rc.1", "1.2.0", "1.3.0", "1.1.0-alpine", "latest"];
        let writes = tags.iter().map(|tag| world.created(tag, tag)).collect();
        world.try_commit(writes).await.unwrap();
        world.to("1.2.0", "1.2.0", "bad", 4).await;
        let targets = async |tag: &str| {
            let targets = world.store.targets(Scope::All, &name(), &tag_name(tag)).await.unwrap().unwrap();
            targets.into_iter().map(|target| (target.release, target.digest)).collect::<Vec<_>>()
        };
        let expected = ["1.2.0", "1.1.0", "1.0.0", "1.2.0-rc.1"].map(|tag| (tag.to_owned(), digest(tag)));
        assert_eq!(targets("1.2.0").await, expected);
        assert!(targets("1.1.0-alpine").await.is_empty(), "it is as promised and the first of its family");
        let none = world.store.targets(Scope::All, &name(), &tag_name("none")).await.unwrap();
        assert!(none.is_none());
        // Bounded, however many releases there were.
        let many = (0..80).map(|number| world.created(&format!("0.{number}.0"), &format!("c{number}"))).collect();
        world.try_commit(many).await.unwrap();
        assert_eq!(targets("1.2.0").await.len(), 20);
    }
}

db_test! {
    async fn commits_are_older_by_when_they_were_seen(world: World) {
        for (tag, contents) in [("sha-aaaaaa1", "one"), ("sha-0000002", "two"), ("sha-ffffff3", "three")] {
            world.create(tag, contents).await;
        }
        let targets = world.store.targets(Scope::All, &name(), &tag_name("sha-ffffff3")).await.unwrap().unwrap();
        let releases = targets.iter().map(|target| target.release.as_str()).collect::<Vec<_>>();
        assert_eq!(releases, ["sha-0000002", "sha-aaaaaa1"]);
    }
}

db_test! {
    async fn repositories_are_paged_by_name(world: World) {
        for path in ["b", "a", "Z", "team/ap", "team/apj"] {
            world.store.watch(world.registry, &repository(path), &person(), START).await.unwrap();
        }
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = world.store.repositories(Scope::All, None, None, START, after.as_ref(), 2).await.unwrap();
            found.extend(page.into_iter().map(|repository| repository.name.replace("registry.example/", "")));
            after = through_json(next);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, ["Z", "a", "b", "team/ap", "team/api", "team/apj"], "by bytes, on both databases");
        for (text, expected) in [("AP", vec!["team/ap", "team/api", "team/apj"]), ("z", vec!["Z"]), ("%", vec![]), ("", found.iter().map(String::as_str).collect())] {
            let list = world.store.repositories(Scope::All, None, Some(text), START, None, 9).await.unwrap().0;
            let names = list.iter().map(|found| found.name.trim_start_matches("registry.example/")).collect::<Vec<_>>();
            assert_eq!(names, expected, "{text}");
        }
        let summary = world.store.summary(Scope::All, START).await.unwrap();
        assert_eq!((summary.repositories, summary.registries, summary.releases), (6, 1, 0));
        assert_eq!((summary.promised_ms, summary.watched_since), (None, Some(START)));
    }
}

db_test! {
    async fn promises_are_paged_by_tag(world: World) {
        let tags = ["1.0.0", "v1.0.0", "1.0.0-RC1"];
        let writes = tags.iter().map(|tag| world.created(tag, tag)).collect();
        world.try_commit(writes).await.unwrap();
        let (first, next) = world.store.promises(Scope::All, &name(), None, 2).await.unwrap();
        let (second, end) = world.store.promises(Scope::All, &name(), through_json(next).as_ref(), 2).await.unwrap();
        let found = first.iter().chain(&second).map(|promise| promise.tag.as_str()).collect::<Vec<_>>();
        assert_eq!((found, end), (vec!["1.0.0", "1.0.0-RC1", "v1.0.0"], None));
    }
}

db_test! {
    async fn a_cursor_of_another_list_is_refused(world: World) {
        world.create("1.0.0", "a").await;
        for position in [Position(vec![]), Position(vec!["x".into()]), Position(vec!["x".into(), "zz".into()])] {
            let events = world.store.events(Scope::All, &EventFilter::default(), EventOrder::At, Some(&position), 10).await;
            assert!(matches!(events, Err(StoreError::Refused { field: "cursor", .. })), "{position:?}");
            let tags = world.store.tags(Scope::All, &filter(), Some(&position), 10).await;
            assert!(matches!(tags, Err(StoreError::Refused { field: "cursor", .. })), "{position:?}");
        }
    }
}

db_test! {
    async fn hostile_texts_are_kept_as_texts(world: World) {
        let hostile = "'; DROP TABLE tags; --\u{0}\u{202e}\u{1f980} \\ \" % _ $1 ?\n";
        let kept = hostile.replace('\0', "\u{fffd}");
        let actor = Actor { id: hostile.to_owned(), display: hostile.to_owned(), ..person() };
        let entry = RegistryEntry { id: 0, name: hostile.to_owned(), host: hostile.to_owned(), repositories: vec![hostile.to_owned()] };
        let registry = world.store.put_registry(&entry).await.unwrap().id;
        let stored = world.store.registries().await.unwrap().pop().unwrap();
        assert_eq!((stored.name.as_str(), stored.host.as_str()), (kept.as_str(), kept.as_str()));
        assert_eq!(stored.repositories, [hostile], "JSON writes NUL as an escape");
        let named = tagwarden_model::name::RepositoryName { host: "h".to_owned(), path: hostile.to_owned() };
        let Added::New(_) = world.store.watch(registry, &named, &actor, START).await.unwrap() else { panic!("new") };
        assert!(world.store.repository(Scope::All, &named, START).await.unwrap().is_some());
        let write = TagWrite { ruling: Ruling::new(Class::Release, hostile.to_owned()), ..world.created("1.0.0", "a") };
        world.write(write).await;
        assert_eq!(world.tag("1.0.0").await.rule, kept);
        world.to("1.0.0", "a", "b", 1).await;
        let act = Acknowledge { version: 1, reason: hostile.to_owned(), until: None };
        world.store.acknowledge(world.flag().await.id, &act, &actor, world.now()).await.unwrap().unwrap();
        let detail = world.store.flag(Scope::All, world.flag().await.id).await.unwrap().unwrap();
        assert_eq!((detail.transitions[1].reason.as_deref(), detail.transitions[1].actor.as_str()), (Some(kept.as_str()), kept.as_str()));
        let act = MakePromise { repository: name().to_string(), tag: "9.0.0".to_owned(), digest: None, reason: hostile.to_owned() };
        assert_eq!(world.store.make_promise(&act, &actor, world.now()).await.unwrap().unwrap().reason, kept);
        let never = MakePromise { repository: hostile.to_owned(), ..act };
        assert_eq!(world.store.make_promise(&never, &actor, world.now()).await.unwrap(), None);
        let filter = TagFilter { contains: Some(hostile.to_owned()), family: Some(hostile.to_owned()), ..filter() };
        assert!(world.store.tags(Scope::All, &filter, None, 10).await.unwrap().unwrap().0.is_empty());
    }
}

db_test! {
    async fn the_summary_counts_what_was_published_in_thirty_days(world: World) {
        let days = |n: i64| START + Millis::days(n);
        for (tag, day, baseline) in [("1.0.0", 0, true), ("1.1.0", 0, false), ("1.2.0", 20, false), ("latest", 20, false)] {
            let created = NewEvent { baseline, ..event(EventKind::Created, None, Some("a"), days(day)) };
            world.write(write_of(tag, present("a", 0), vec![created])).await;
        }
        let published = async |day| world.store.summary(Scope::All, days(day)).await.unwrap().published_30_days;
        assert_eq!((published(20).await, published(29).await, published(30).await, published(50).await), (2, 2, 1, 0));
        let seen = world.tag("1.0.0").await.first_seen;
        assert_eq!(seen, Some(days(0)));
        let cold = TagRecord { band: Band::Cold, ..present("a", 1) };
        world.write(write_of("1.0.0", cold, Vec::new())).await;
        assert_eq!(world.tag("1.0.0").await.first_seen, seen, "a later write without events keeps it");
        let stored = world.store.load(world.repository, START).await.unwrap().tags.remove(0);
        assert!(stored.baseline);
    }
}
