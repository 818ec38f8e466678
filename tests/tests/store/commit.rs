//! Events, tag rows, projections, numbers: what one commit writes.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;

use tagwarden::store::StoreError;
use tagwarden::store::record::{Commit, Lease, TagWrite, Written};
use tagwarden::store::watch::Added;
use tagwarden_model::class::Ruling;
use tagwarden_model::digest::{Digest, hex};
use tagwarden_model::event::{DeletedBy, EventKind, NewEvent};
use tagwarden_model::instant::Millis;
use tagwarden_model::log::{Entry, entry_hash, leaf_hash};
use tagwarden_model::tag::{Band, Class, Listed, Prior, TagRecord, TagState};

use crate::db_test;
use crate::world::{START, claimed, digest, event, mark, name, person, present, repository, tag_name, write_of};

db_test! {
    async fn a_tag_row_is_read_as_it_was_written(world: World) {
        let full = TagRecord {
            header_untrusted: true,
            listed: Some(Listed { not_before: None }),
            floor: Some(mark(START + Millis(7))),
            proof_floor: Some(mark(START + Millis(5))),
            band: Band::Pinned,
            ..claimed("b", 0, TagState::Present(digest("a")))
        };
        let long = Digest::Sha512(Box::new([7; 64]));
        let full = TagRecord { claimed: Some(long), ..full };
        let bare = TagRecord { listed: None, ..TagRecord::unread(Band::Cold, Listed { not_before: None }) };
        let moved = event(EventKind::Moved, Some("a"), Some("b"), world.tick());
        world.write(write_of("1.0.0", full.clone(), vec![moved.clone()])).await;
        world.write(write_of("1.1.0", bare.clone(), Vec::new())).await;
        let loaded = world.store.load(world.repository, world.now()).await.unwrap();
        // `prior.seq` 0 stood for the event that was written with it.
        let prior = Some(Box::new(Prior { seq: 1, ..*full.prior.clone().unwrap() }));
        assert_eq!(loaded.tags[0].record, TagRecord { last_seq: 1, prior, ..full });
        assert_eq!(loaded.tags[0].first_seen, Some(moved.not_after));
        assert_eq!(loaded.tags[1].record, bare);
        assert_eq!(loaded.tags[1].first_seen, None);
        assert_eq!((loaded.tags[1].ruling.class, loaded.tags[1].flagged), (Class::Release, false));
    }
}

db_test! {
    async fn an_event_is_read_as_it_was_written_with_a_leaf_of_its_body(world: World) {
        let deleted = NewEvent {
            deleted_by: Some(DeletedBy::Dangling),
            group: Some(42),
            clock_changed: true,
            verified: false,
            not_before: None,
            ..event(EventKind::Deleted, Some("a"), None, world.tick())
        };
        world.create("latest", "a").await;
        let record = TagRecord { state: TagState::Absent, ..present("a", 1) };
        world.write(write_of("latest", record, vec![deleted.clone()])).await;
        let event = world.events().await.remove(1);
        assert_eq!((event.seq, event.at, event.kind), (2, deleted.not_after, EventKind::Deleted));
        assert_eq!((event.repository.as_str(), event.tag.as_deref()), ("registry.example/team/api", Some("latest")));
        assert_eq!((event.old_digest, event.new_digest), (Some(digest("a")), None));
        assert_eq!((event.not_before, event.not_after, event.clock_changed), (None, deleted.not_after, true));
        assert_eq!((event.verified, event.baseline), (false, false));
        assert_eq!((event.deleted_by, event.group_id), (Some(DeletedBy::Dangling), Some(42)));

        let hex_of = match &world.raw {
            crate::world::Raw::Sqlite(_) => "lower(hex(salt))",
            crate::world::Raw::Postgres(_) => "encode(salt, 'hex')",
        };
        let salts = world.texts(format!("SELECT {hex_of} FROM events ORDER BY seq")).await;
        assert_ne!(salts[0], salts[1], "every event has its own salt");
        let mut salt = [0; 16];
        for (at, byte) in salt.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&salts[1][2 * at..2 * at + 2], 16).unwrap();
        }
        let body = Entry {
            seq: 2,
            at: deleted.not_after,
            kind: deleted.kind,
            repository: "registry.example/team/api",
            tag: Some("latest"),
            old: Some(&digest("a")),
            new: None,
            not_before: None,
            not_after: deleted.not_after,
            clock_changed: true,
            source: deleted.source,
            source_name: None,
            verified: false,
            baseline: false,
            deleted_by: deleted.deleted_by,
            group: Some(42),
            actor: "system:poller",
        }
        .body();
        assert_eq!(event.leaf, hex(&leaf_hash(&entry_hash(&salt, &body))));
    }
}

db_test! {
    async fn only_the_tag_that_was_changed_meanwhile_conflicts(world: World) {
        let (seq, _) = world.create("1.0.0", "a").await;
        world.create("1.1.0", "x").await;
        let moved = |from, to| vec![event(EventKind::Moved, Some(from), Some(to), world.tick())];
        let stale = write_of("1.0.0", present("b", seq - 1), moved("a", "b"));
        let good = write_of("1.1.0", present("y", 2), moved("x", "y"));
        let new_twice = write_of("1.2.0", present("n", 0), vec![event(EventKind::Created, None, Some("n"), world.now())]);
        let ghost = write_of("9.9.9", present("n", 5), Vec::new());
        let written = world.try_commit(vec![stale, good, new_twice.clone(), new_twice, ghost]).await.unwrap();
        let ok = |last_seq, flagged| Written::Ok { last_seq, flagged };
        assert_eq!(written, [Written::Conflict, ok(3, true), ok(4, false), Written::Conflict, Written::Conflict]);
        assert_eq!(world.tag("1.0.0").await.digest, Some(digest("a")));
        assert_eq!(world.tag("1.1.0").await.digest, Some(digest("y")));
        let seqs = world.events().await.iter().map(|event| event.seq).collect::<Vec<_>>();
        assert_eq!(seqs, [1, 2, 3, 4], "a conflict takes no number");
    }
}

db_test! {
    async fn nothing_is_written_under_a_lost_lease(world: World) {
        let later = START + Millis::hours(2);
        let until = later + Millis::hours(1);
        assert_eq!(world.store.lease(world.registry, "there", START, until).await.unwrap(), None, "still held");
        let theirs = world.store.lease(world.registry, "there", later, until).await.unwrap().unwrap();
        assert_eq!(theirs.epoch, world.lease.epoch + 1);
        let before = world.row_counts().await;
        let error = world.try_commit(vec![world.created("1.0.0", "a")]).await.unwrap_err();
        assert!(matches!(error, StoreError::LeaseLost));
        let pass = crate::world::pass(later);
        let error = world.store.put_pass(world.repository, world.lease, &pass, None).await.unwrap_err();
        assert!(matches!(error, StoreError::LeaseLost));
        assert_eq!(world.row_counts().await, before);
        let commit = Commit { lease: theirs, ..world.commit_of(vec![world.created("1.0.0", "a")]) };
        world.store.commit(&commit).await.unwrap();
        let nobody = Lease { registry: 77, epoch: 0, period: None };
        let commit = Commit { lease: nobody, ..commit };
        assert!(matches!(world.store.commit(&commit).await, Err(StoreError::LeaseLost)));
    }
}

db_test! {
    async fn numbers_have_no_gap_under_eight_writers_and_ascend_as_committed(world: World) {
        let mut repositories = vec![world.repository];
        for number in 0..7 {
            let name = repository(&format!("team/{number}"));
            let Added::New(id) = world.store.watch(world.registry, &name, &person(), START).await.unwrap() else {
                panic!("watched twice");
            };
            repositories.push(id);
        }
        let writers = repositories.iter().map(|repository| {
            let (store, commit) = (world.store.clone(), world.commit_of(Vec::new()));
            let tags = (0..10).map(|number| world.created(&format!("1.{number}.0"), "a")).collect::<Vec<_>>();
            let repository = *repository;
            tokio::spawn(async move {
                for (at, tag) in tags.into_iter().enumerate() {
                    let commit = Commit { repository, tags: vec![tag], ..commit.clone() };
                    if at % 3 == 2 {
                        // A writer that dies while it waits or writes takes no number with it.
                        tokio::select! { biased;
                            () = tokio::task::yield_now() => {}
                            result = store.commit(&commit) => { result.unwrap(); }
                        }
                    }
                    store.commit(&commit).await.unwrap();
                }
            })
        });
        futures::future::join_all(writers.collect::<Vec<_>>()).await.into_iter().for_each(Result::unwrap);
        let events = world.events().await;
        let seqs = events.iter().map(|event| event.seq).collect::<Vec<_>>();
        assert_eq!(seqs, (1..=80).collect::<Vec<_>>());
        let changes = world.store.changes(tagwarden::store::Scope::All, 0, 10_000).await.unwrap().unwrap();
        let ids = changes.iter().map(|change| change.id).collect::<Vec<_>>();
        assert_eq!(ids, (1..=ids.len() as i64).collect::<Vec<_>>());
        // Both numbers come from one row, so that notices ascend with the events that they tell of.
        let told = changes.iter().filter(|change| change.reference > 0).map(|change| change.reference);
        assert!(told.is_sorted());
        world.assert_projections().await;
    }
}

db_test! {
    async fn a_commit_that_dies_halfway_leaves_nothing(world: World) {
        world.create("1.0.0", "a").await;
        let before = world.row_counts().await;
        let tags = (0..50).map(|number| world.created(&format!("2.{number}.0"), "a")).collect::<Vec<TagWrite>>();
        let commit = world.commit_of(tags);
        let mut whole = before.clone();
        for (table, rows) in [("tags", 50), ("events", 50), ("spans", 50), ("promises", 50), ("changes", 1),
            // A lane for each track, with its five rollups; family and repository have theirs.
            ("lanes", 50), ("rollups", 250)] {
            *whole.get_mut(table).unwrap() += rows;
        }
        // Dropped ever later, by how often it was asked how far it is, so that it dies at many places: all is written, or nothing.
        let mut most = 1_u32;
        loop {
            let (mut committing, mut asked) = (Box::pin(world.store.commit(&commit)), 0);
            let result = poll_fn(|context| {
                asked += 1;
                if asked > most { Poll::Ready(None) } else { committing.as_mut().poll(context).map(Some) }
            })
            .await;
            drop(committing);
            // Its commit may go on without it: that has ended when another may write.
            world.store.ping().await.unwrap();
            let after = world.row_counts().await;
            if result.is_some() || after["events"] > before["events"] {
                assert_eq!(after, whole);
                assert!(most > 1, "fifty tags take longer than that");
                break;
            }
            assert_eq!(after, before, "{most}");
            most += 1 + most / 8;
        }
    }
}

db_test! {
    async fn spans_follow_events_and_a_retraction_gives_the_one_before_back(world: World) {
        use tagwarden::store::Scope;
        world.create("latest", "a").await;
        world.to("latest", "a", "b", 1).await;
        let unproven = NewEvent { verified: false, ..event(EventKind::Moved, Some("b"), Some("c"), world.tick()) };
        world.write(write_of("latest", claimed("c", 2, TagState::Present(digest("b"))), vec![unproven])).await;
        let spans = world.store.timeline(Scope::All, &name()).await.unwrap().unwrap().spans;
        assert_eq!(spans.iter().map(|span| span.digest.clone()).collect::<Vec<_>>(), [digest("c"), digest("b"), digest("a")]);
        assert_eq!(spans[1].ended_by, Some(EventKind::Moved));
        world.assert_projections().await;

        // The claim was wrong, and the bytes are a third digest.
        let retracted = event(EventKind::Retracted, Some("c"), Some("b"), world.tick());
        let moved = event(EventKind::Moved, Some("b"), Some("d"), world.now());
        world.write(write_of("latest", present("d", 3), vec![retracted, moved.clone()])).await;
        let spans = world.store.timeline(Scope::All, &name()).await.unwrap().unwrap().spans;
        assert_eq!(spans.iter().map(|span| span.digest.clone()).collect::<Vec<_>>(), [digest("d"), digest("b"), digest("a")]);
        assert_eq!((spans[1].until, spans[0].from, spans[0].until), (Some(moved.not_after), moved.not_after, None));
        world.assert_projections().await;

        world.delete("latest", "d", 5).await;
        let again = event(EventKind::Recreated, None, Some("d"), world.tick());
        world.write(write_of("latest", present("d", 6), vec![again])).await;
        let spans = world.store.timeline(Scope::All, &name()).await.unwrap().unwrap().spans;
        assert_eq!((spans[1].ended_by, spans[0].began_by), (Some(EventKind::Deleted), EventKind::Recreated));
        world.assert_projections().await;
    }
}

db_test! {
    async fn a_retracted_creation_leaves_a_tag_that_nobody_has_read(world: World) {
        let unproven = NewEvent { verified: false, ..event(EventKind::Created, None, Some("a"), world.tick()) };
        world.write(write_of("1.0.0", claimed("a", 0, TagState::Unread), vec![unproven])).await;
        assert_eq!(world.tag("1.0.0").await.promise, Some(digest("a")));
        let retracted = event(EventKind::Retracted, Some("a"), None, world.tick());
        let unread = TagRecord { last_seq: 1, ..TagRecord::unread(Band::Hot, Listed { not_before: None }) };
        world.write(write_of("1.0.0", unread, vec![retracted])).await;
        let tag = world.tag("1.0.0").await;
        assert_eq!((tag.present, tag.first_seen, tag.promise, tag.digest), (None, None, None, None));
        world.assert_projections().await;
        let created = event(EventKind::Created, None, Some("b"), world.tick());
        world.write(write_of("1.0.0", present("b", 2), vec![created])).await;
        assert_eq!(world.tag("1.0.0").await.promise, Some(digest("b")));
        assert!(world.flags().await.is_empty());
        world.assert_projections().await;
    }
}

db_test! {
    async fn a_proof_is_said_beside_the_event_and_only_once(world: World) {
        let unproven = NewEvent { verified: false, ..event(EventKind::Created, None, Some("a"), world.tick()) };
        world.write(write_of("latest", claimed("a", 0, TagState::Unread), vec![unproven])).await;
        assert!(!world.events().await[0].verified);
        let leaf = world.events().await[0].leaf.clone();
        let proven = TagWrite { proven: true, ..write_of("latest", present("a", 1), Vec::new()) };
        world.write(proven.clone()).await;
        world.write(proven).await;
        let events = world.events().await;
        assert!(events[0].verified);
        assert_eq!((events.len(), &events[0].leaf), (1, &leaf), "events are append-only");
        // The proof of an event that was verified says nothing new.
        world.create("edge", "a").await;
        world.write(TagWrite { proven: true, ..write_of("edge", present("a", 2), Vec::new()) }).await;
        assert_eq!(world.row_counts().await["event_proofs"], 1);
    }
}

db_test! {
    async fn a_claim_and_its_proof_may_come_in_one_write(world: World) {
        let verified = async || world.events().await.iter().map(|event| event.verified).collect::<Vec<_>>();
        let unproven = |kind, old, new| NewEvent { verified: false, ..event(kind, old, new, world.tick()) };
        let proven = |write| TagWrite { proven: true, ..write };
        // The claim that was proven is the last event.
        let created = unproven(EventKind::Created, None, Some("a"));
        world.write(proven(write_of("1.0.0", present("a", 0), vec![created]))).await;
        assert_eq!(verified().await, [true]);
        let promises = world.store.promises(tagwarden::store::Scope::All, &name(), None, 9).await.unwrap().0;
        assert!(!promises[0].provisional);
        // It was proven before the next event.
        let created = unproven(EventKind::Created, None, Some("a"));
        let moved = event(EventKind::Moved, Some("a"), Some("b"), world.tick());
        world.write(proven(write_of("edge", present("b", 0), vec![created, moved]))).await;
        assert_eq!(verified().await, [true, true, true]);
        // The stored claim was proven, then another one came, which is not.
        let moved = unproven(EventKind::Moved, Some("b"), Some("c"));
        world.write(write_of("edge", claimed("c", 3, TagState::Present(digest("b"))), vec![moved])).await;
        assert_eq!(verified().await, [true, true, true, false]);
        let moved = unproven(EventKind::Moved, Some("c"), Some("d"));
        world.write(proven(write_of("edge", claimed("d", 4, TagState::Present(digest("c"))), vec![moved]))).await;
        assert_eq!(verified().await, [true, true, true, true, false]);
        // A claim that was superseded before its proof stays one; the newest is proven.
        let moved = unproven(EventKind::Moved, Some("d"), Some("e"));
        world.write(proven(write_of("edge", present("e", 5), vec![moved]))).await;
        assert_eq!(verified().await, [true, true, true, true, false, true]);
        world.assert_projections().await;
    }
}

db_test! {
    async fn states_that_were_left_lately_are_known(world: World) {
        world.create("latest", "a").await;
        world.to("latest", "a", "b", 1).await;
        let since = world.now();
        world.to("latest", "b", "c", 2).await;
        world.delete("latest", "c", 3).await;
        let again = event(EventKind::Recreated, None, Some("a"), world.tick());
        world.write(write_of("latest", present("a", 4), vec![again])).await;
        // What a retracted claim named was never there, and so never left.
        let never = NewEvent { verified: false, ..event(EventKind::Created, None, Some("x"), world.tick()) };
        world.write(write_of("edge", claimed("x", 0, TagState::Unread), vec![never])).await;
        let retracted = event(EventKind::Retracted, Some("x"), None, world.tick());
        let unread = TagRecord { last_seq: 6, ..TagRecord::unread(Band::Hot, Listed { not_before: None }) };
        world.write(write_of("edge", unread, vec![retracted])).await;
        let recent = world.store.load(world.repository, since).await.unwrap().recent;
        let minute = |n| since + Millis::minutes(n);
        let left = |state, at| (tag_name("latest"), state, at);
        assert_eq!(recent, [
            left(TagState::Present(digest("a")), minute(0)),
            left(TagState::Present(digest("b")), minute(1)),
            left(TagState::Present(digest("c")), minute(2)),
            left(TagState::Absent, minute(3)),
        ]);
    }
}

db_test! {
    async fn counts_follow_every_change_of_a_tag(world: World) {
        for number in 0..4 {
            world.create(&format!("1.{number}.0"), "a").await;
        }
        let baseline = NewEvent { baseline: true, ..event(EventKind::Created, None, Some("a"), world.tick()) };
        world.write(write_of("0.9.0", present("a", 0), vec![baseline])).await;
        world.assert_projections().await;
        // To another band, another class, absent: the row it was counted in is gone when it was the last.
        let moved = TagRecord { band: Band::Cold, ..present("a", 1) };
        let reclassed = TagWrite { ruling: Ruling::new(Class::Rebuilt, "a rule"), ..write_of("1.0.0", moved, Vec::new()) };
        world.write(reclassed).await;
        world.delete("1.1.0", "a", 2).await;
        let told = async || {
            let summary = world.store.summary(tagwarden::store::Scope::All, world.now()).await.unwrap();
            (summary.releases, summary.published_30_days)
        };
        assert_eq!(told().await, (3, 3), "1.2.0, 1.3.0, 0.9.0; without the baseline, with the deleted");
        world.assert_projections().await;
        for table in ["tag_counts", "totals"] {
            assert!(world.dump(table).await.iter().all(|row| !row.ends_with("|0") && !row.ends_with(",0)")), "{table}");
        }
        // What is not watched any more is not told of; its history stays, for when it is watched again.
        world.store.unwatch(&name(), &person(), world.tick()).await.unwrap();
        assert_eq!(told().await, (0, 0));
        world.store.watch(world.registry, &name(), &person(), world.tick()).await.unwrap();
        assert_eq!(told().await, (3, 3));
    }
}

db_test! {
    async fn random_histories_leave_projections_that_a_rebuild_makes_too(world: World) {
        let mut last = BTreeMap::<String, (i64, Option<String>)>::new();
        let mut random = 12_345_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        for _ in 0..150 {
            let tag = ["1.0.0", "1.1.0", "1.0.0-slim", "latest", "edge"][next(5) as usize].to_owned();
            let contents = format!("c{}", next(4));
            let (seq, state) = last.get(&tag).cloned().unwrap_or((0, None));
            let (seq, state) = match (&state, next(3)) {
                (None, _) if seq == 0 => (world.create(&tag, &contents).await.0, Some(contents)),
                (None, _) => {
                    let again = event(EventKind::Recreated, None, Some(&contents), world.tick());
                    (world.write(write_of(&tag, present(&contents, seq), vec![again])).await.0, Some(contents))
                }
                (Some(now), 0) => (world.delete(&tag, now, seq).await.0, None),
                (Some(now), _) if *now == contents => (seq, state),
                (Some(now), 1) => {
                    let unproven = NewEvent { verified: false, ..event(EventKind::Moved, Some(now), Some(&contents), world.tick()) };
                    let claim = claimed(&contents, seq, TagState::Present(digest(now)));
                    let (seq, _) = world.write(write_of(&tag, claim, vec![unproven])).await;
                    let retracted = event(EventKind::Retracted, Some(&contents), Some(now), world.tick());
                    (world.write(write_of(&tag, present(now, seq), vec![retracted])).await.0, state)
                }
                (Some(now), _) => (world.to(&tag, now, &contents, seq).await.0, Some(contents)),
            };
            last.insert(tag, (seq, state));
        }
        world.assert_projections().await;
        let lasting = world.store.timeline(tagwarden::store::Scope::All, &name()).await.unwrap().unwrap();
        for (tag, (_, state)) in last {
            let open = lasting.spans.iter().find(|span| span.tag == tag && span.until.is_none());
            assert_eq!(open.map(|span| span.digest.clone()), state.as_deref().map(digest), "{tag}");
        }
    }
}
