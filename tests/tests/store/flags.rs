//! What events do to promises and flags (RECORD.md 8).

use tagwarden::store::Scope;
use tagwarden::store::content::Proof;
use tagwarden::store::record::{RepositoryRow, RepositoryWrite, TagWrite};
use tagwarden_model::api::{MakePromise, Readiness, RepositoryState};
use tagwarden_model::class::Ruling;
use tagwarden_model::event::{EventKind, NewEvent, Severity};
use tagwarden_model::flag::{FlagKind, FlagState};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::tag::{Class, TagRecord, TagState};

use crate::db_test;
use crate::world::{World, claimed, digest, event, name, person, present, write_of};

async fn promised(world: &World) -> Vec<(String, Option<tagwarden_model::digest::Digest>, bool)> {
    let promises = world.store.promises(Scope::All, &name(), None, 100).await.unwrap().0;
    promises.into_iter().map(|promise| (promise.tag, promise.digest, promise.provisional)).collect()
}

db_test! {
    async fn the_first_digest_of_a_release_is_its_promise_and_of_nothing_else(world: World) {
        for tag in ["1.0.0", "latest", "sha256-0123456789012345678901234567890123456789012345678901234567890123.sig"] {
            assert!(!world.create(tag, "a").await.1);
        }
        assert_eq!(promised(&world).await, [("1.0.0".to_owned(), Some(digest("a")), false)]);
    }
}

db_test! {
    async fn moves_of_a_release_are_one_flag_until_it_is_closed(world: World) {
        world.create("1.0.0", "a").await;
        let grouped = NewEvent { group: Some(7), ..event(EventKind::Moved, Some("a"), Some("b"), world.tick()) };
        let (seq, flagged) = world.write(write_of("1.0.0", present("b", 1), vec![grouped.clone()])).await;
        assert!(flagged);
        let flag = world.flag().await;
        assert_eq!((flag.kind, flag.state, flag.severity), (FlagKind::Breach, FlagState::Open, Severity::Critical));
        assert_eq!((flag.promise.clone(), flag.current.clone()), (Some(digest("a")), Some(digest("b"))));
        assert_eq!((flag.not_before, flag.not_after), (grouped.not_before, grouped.not_after));
        assert_eq!((flag.opened, flag.group_id, flag.version), (grouped.not_after, Some(7), 1));

        // B -> C joins; C -> B is still no way back.
        world.to("1.0.0", "b", "c", seq).await;
        world.to("1.0.0", "c", "b", seq + 1).await;
        let joined = world.flag().await;
        assert_eq!((joined.id, joined.state, joined.version, joined.group_id), (flag.id, FlagState::Open, 3, Some(7)));
        assert!(joined.flapping, "three moves in a day");

        // Only A ends the breach, and the machine closes nothing.
        let (_, flagged) = world.to("1.0.0", "b", "a", seq + 2).await;
        assert!(flagged);
        assert_eq!(world.flag().await.state, FlagState::Restored);
        let tag = world.tag("1.0.0").await;
        assert_eq!((tag.in_breach, tag.flag), (false, Some(flag.id)));

        // A new breach while restored re-opens it.
        world.to("1.0.0", "a", "c", seq + 3).await;
        assert_eq!((world.flag().await.id, world.flag().await.state), (flag.id, FlagState::Open));

        let detail = world.store.flag(Scope::All, flag.id).await.unwrap().unwrap();
        assert_eq!(detail.events.iter().map(|event| event.seq).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
        assert!(world.events().await.iter().skip(1).all(|event| event.flag == Some(flag.id)));
        let steps = detail.transitions.iter().map(|step| step.to).collect::<Vec<_>>();
        assert_eq!(steps, [FlagState::Open, FlagState::Open, FlagState::Open, FlagState::Restored, FlagState::Open]);
        assert_eq!(detail.transitions[0].actor, "Tagwarden");
        assert_eq!(detail.targets[0].digest, digest("a"), "back to the promise");
    }
}

db_test! {
    async fn a_deleted_release_is_in_breach_and_its_return_restores(world: World) {
        world.create("1.0.0", "a").await;
        world.delete("1.0.0", "a", 1).await;
        let flag = world.flag().await;
        assert_eq!((flag.severity, flag.current), (Severity::Warning, None));
        let tag = world.tag("1.0.0").await;
        assert_eq!((tag.present, tag.digest, tag.in_breach), (Some(false), Some(digest("a")), true));
        let again = event(EventKind::Recreated, None, Some("a"), world.tick());
        world.write(write_of("1.0.0", present("a", 2), vec![again])).await;
        assert_eq!(world.flag().await.state, FlagState::Restored);
        world.delete("1.0.0", "a", 3).await;
        assert_eq!((world.flag().await.state, world.flag().await.version), (FlagState::Open, 3));
    }
}

db_test! {
    async fn a_third_breach_in_seven_days_is_flapping(world: World) {
        // Deletions and returns; no moves.
        for (tag, days_between, flapping) in [("1.0.0", 1, true), ("2.0.0", 4, false)] {
            let (mut seq, _) = world.create(tag, "a").await;
            for breach in 1..=3 {
                (seq, _) = world.delete(tag, "a", seq).await;
                let flag = world.flags().await.into_iter().find(|flag| flag.tag.as_deref() == Some(tag)).unwrap();
                assert_eq!(flag.flapping, flapping && breach == 3, "{tag}, breach {breach}");
                let again = event(EventKind::Recreated, None, Some("a"), world.tick());
                (seq, _) = world.write(write_of(tag, present("a", seq), vec![again])).await;
                world.pass(Millis::days(days_between));
            }
        }
    }
}

db_test! {
    async fn other_classes_move_without_flags(world: World) {
        for (tag, class) in [("latest", Class::Rolling), ("1.0.0-x", Class::Ignored), ("1.0.0", Class::Rebuilt)] {
            let created = TagWrite { ruling: Ruling::new(class, "a rule"), ..world.created(tag, "a") };
            let (seq, _) = world.write(created).await;
            let moved = event(EventKind::Moved, Some("a"), Some("b"), world.tick());
            let moved = TagWrite { ruling: Ruling::new(class, "a rule"), ..write_of(tag, present("b", seq), vec![moved]) };
            assert!(!world.write(moved).await.1, "{tag}");
        }
        assert!(world.flags().await.is_empty());
        assert!(promised(&world).await.is_empty());
    }
}

db_test! {
    async fn a_provisional_promise_is_replaced_by_proof_without_a_flag(world: World) {
        let unproven = NewEvent { verified: false, ..event(EventKind::Created, None, Some("a"), world.tick()) };
        world.write(write_of("1.0.0", claimed("a", 0, TagState::Unread), vec![unproven])).await;
        assert_eq!(promised(&world).await, [("1.0.0".to_owned(), Some(digest("a")), true)]);
        // The claim was in another algorithm than the proof.
        let proven = TagWrite { proven: true, ..write_of("1.0.0", present("bytes of a", 1), Vec::new()) };
        assert!(!world.write(proven).await.1);
        assert_eq!(promised(&world).await, [("1.0.0".to_owned(), Some(digest("bytes of a")), false)]);
        assert!(world.flags().await.is_empty());
    }
}

db_test! {
    async fn a_retracted_move_restores_what_it_flagged(world: World) {
        world.create("1.0.0", "a").await;
        let unproven = NewEvent { verified: false, ..event(EventKind::Moved, Some("a"), Some("b"), world.tick()) };
        let claim = claimed("b", 1, TagState::Present(digest("a")));
        assert!(world.write(write_of("1.0.0", claim, vec![unproven])).await.1);
        let retracted = event(EventKind::Retracted, Some("b"), Some("a"), world.tick());
        world.write(write_of("1.0.0", present("a", 2), vec![retracted])).await;
        assert_eq!(world.flag().await.state, FlagState::Restored);
        assert_eq!(promised(&world).await, [("1.0.0".to_owned(), Some(digest("a")), false)]);
    }
}

db_test! {
    async fn a_tag_that_becomes_a_release_is_held_to_what_it_is(world: World) {
        world.create("stable", "a").await;
        let release = |record| TagWrite { ruling: Ruling::new(Class::Release, "a rule"), ..write_of("stable", record, Vec::new()) };
        world.write(release(present("a", 1))).await;
        assert_eq!(promised(&world).await, [("stable".to_owned(), Some(digest("a")), false)]);
        let moved = event(EventKind::Moved, Some("a"), Some("b"), world.tick());
        let moved = TagWrite { ruling: Ruling::new(Class::Release, "a rule"), ..write_of("stable", present("b", 1), vec![moved]) };
        assert!(world.write(moved).await.1);
        // No longer a release: the flag waits for a person.
        let back = write_of("stable", present("b", 2), Vec::new());
        assert!(world.write(back).await.1);
        assert_eq!(world.flag().await.state, FlagState::Open);
    }
}

db_test! {
    async fn a_release_again_is_held_to_what_it_is_unless_somebody_said_otherwise(world: World) {
        for (tag, said, left, after) in [
            ("1.0.0", false, Some("b"), Some(digest("b"))),
            ("1.1.0", true, Some("b"), Some(digest("a"))),
            ("1.2.0", false, Some("a"), Some(digest("a"))),
            ("1.3.0", false, None, None),
        ] {
            if said {
                let (repository, reason) = (name().to_string(), "the pipeline built it".to_owned());
                let act = MakePromise { repository, tag: tag.to_owned(), digest: Some(digest("a")), reason };
                world.store.make_promise(&act, &person(), world.tick()).await.unwrap();
            }
            let (mut seq, _) = world.create(tag, "a").await;
            let rolling = |record, events| TagWrite { ruling: Ruling::new(Class::Rolling, "a rule"), ..write_of(tag, record, events) };
            world.write(rolling(present("a", seq), Vec::new())).await;
            let kind = if left.is_some() { EventKind::Moved } else { EventKind::Deleted };
            let state = left.map_or(TagState::Absent, |left| TagState::Present(digest(left)));
            let record = |seq| TagRecord { state: state.clone(), ..present("a", seq) };
            if left != Some("a") {
                let happened = event(kind, Some("a"), left, world.tick());
                (seq, _) = world.write(rolling(record(seq), vec![happened])).await;
            }
            assert!(!world.write(write_of(tag, record(seq), Vec::new())).await.1, "{tag}: a flag");
            let promised = promised(&world).await.into_iter().find(|promise| promise.0 == tag).unwrap();
            assert_eq!(promised.1, after, "{tag}");
        }
    }
}

fn state_write(world: &World, state: RepositoryState, event: Option<EventKind>) -> RepositoryWrite {
    let now: Instant = world.tick();
    let event = event.map(|kind| crate::world::event(kind, None, None, now));
    let refused_since = (state != RepositoryState::Ok).then_some((true, crate::world::mark(now)));
    let state = RepositoryRow { state, reason: Some("404".to_owned()), since: now, refused_since };
    RepositoryWrite { repository: world.repository, lease: world.lease, now, state, event, invisible: None }
}

db_test! {
    async fn a_vanished_repository_is_one_event_and_one_flag(world: World) {
        world.create("1.0.0", "a").await;
        let vanished = state_write(&world, RepositoryState::Vanished, Some(EventKind::Vanished));
        world.store.put_repository(&vanished).await.unwrap();
        let flag = world.flag().await;
        assert_eq!((flag.kind, flag.tag, flag.state), (FlagKind::Vanished, None, FlagState::Open));
        let events = world.events().await;
        assert_eq!((events[1].kind, events[1].seq, events[1].flag), (EventKind::Vanished, 2, Some(flag.id)));
        let watched = world.store.watched(world.registry).await.unwrap().remove(0);
        assert_eq!(watched.state, vanished.state);
        world.store.put_repository(&state_write(&world, RepositoryState::Ok, Some(EventKind::Returned))).await.unwrap();
        assert_eq!(world.flag().await.state, FlagState::Restored);
        assert_eq!(world.store.watched(world.registry).await.unwrap()[0].state.refused_since, None);
        world.assert_projections().await;
    }
}

db_test! {
    async fn an_invisible_repository_is_flagged_once_and_without_an_event(world: World) {
        let said = |invisible| RepositoryWrite { invisible: Some(invisible), ..state_write(&world, RepositoryState::Hidden, None) };
        world.store.put_repository(&said(true)).await.unwrap();
        world.store.put_repository(&said(true)).await.unwrap();
        let flag = world.flag().await;
        assert_eq!((flag.kind, flag.version), (FlagKind::Invisible, 1));
        world.store.put_repository(&said(false)).await.unwrap();
        assert_eq!(world.flag().await.state, FlagState::Restored);
        world.store.put_repository(&said(true)).await.unwrap();
        assert_eq!((world.flag().await.id, world.flag().await.state), (flag.id, FlagState::Open));
        assert!(world.events().await.is_empty());
    }
}

db_test! {
    async fn a_way_back_is_to_be_proven_while_its_own_proof_is_old_and_takes_no_other_ones_place(world: World) {
        for (tag, bytes) in [("1.0.0", "a"), ("1.1.0", "b"), ("1.2.0", "c"), ("1.3.0", "d")] {
            world.create(tag, bytes).await;
        }
        for (tag, bytes, seq) in [("1.3.0", "d", 4), ("1.1.0", "b", 2), ("1.2.0", "c", 3)] {
            world.to(tag, bytes, "x", seq).await;
        }
        // Of two the promise is no target.
        let marked = crate::world::tag_name("1.1.0");
        world.store.say_do_not_use(&name(), &marked, "bad", &person(), world.tick()).await.unwrap().unwrap();
        let (repository, tag, reason) = (name().to_string(), "1.2.0".to_owned(), "retired".to_owned());
        let retire = MakePromise { repository, tag, digest: None, reason };
        world.store.make_promise(&retire, &person(), world.tick()).await.unwrap().unwrap();

        let stale = async |limit| {
            let now = world.now();
            let (proven, asked) = (now - Millis::days(1), now - Millis::minutes(10));
            let ways = world.store.stale_ways_back(world.registry, proven, asked, 2, limit).await.unwrap();
            ways.into_iter().flat_map(|way| way.digests).collect::<Vec<_>>()
        };
        let prove = async |contents, readiness| {
            let proof = Proof { digest: digest(contents), readiness, detail: String::new(), at: world.now() };
            world.store.put_proof(world.repository, &proof).await.unwrap();
        };
        // The retired one goes back to what it was, at last.
        assert_eq!(stale(9).await, [digest("a"), digest("c"), digest("d")], "each once");
        prove("c", Readiness::Ready).await;
        prove("a", Readiness::Ready).await;
        assert_eq!((stale(9).await, stale(1).await), (vec![digest("d")], vec![digest("d")]));
        prove("d", Readiness::Unproven).await;
        assert_eq!((stale(9).await, stale(1).await), (vec![], vec![]));
        world.pass(Millis::minutes(11));
        assert_eq!(stale(1).await, [digest("d")], "the registry may answer by now");
        prove("d", Readiness::Gone).await;
        world.pass(Millis::hours(25));
        assert_eq!(stale(9).await, [digest("a"), digest("c"), digest("d")]);
        // One that rolls by now goes back to the releases that it pointed at.
        let ruling = Ruling::new(Class::Rolling, "test");
        world.write(TagWrite { ruling, ..write_of("1.3.0", present("x", 5), Vec::new()) }).await;
        for contents in ["a", "c"] {
            prove(contents, Readiness::Ready).await;
        }
        assert_eq!(stale(9).await, []);
    }
}
