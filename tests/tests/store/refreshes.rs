//! Rebuilt tags: what a refresh means once it was compared (RECORD.md 7).

use tagwarden::store::record::TagWrite;
use tagwarden_model::api::{Close, Flag};
use tagwarden_model::change::{Change, ChangeLevel, Difference, Field, How, PlatformChange};
use tagwarden_model::class::Ruling;
use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::flag::{FlagState, Resolution};
use tagwarden_model::tag::{Class, TagRecord, TagState};

use crate::db_test;
use crate::world::{World, claimed, digest, event, person, present, write_of};

const TAG: &str = "1.27";

/// One field of the only platform differs.
fn differs(field: Field) -> Change {
    let platform = PlatformChange {
        platform: Some("linux/amd64".to_owned()),
        level: field.level(),
        old: Some(digest("before")),
        new: Some(digest("after")),
        problem: None,
        differences: vec![Difference { field, name: None, how: How::Changed, old: None, new: None }],
        left_out: 0,
        layers: None,
    };
    Change {
        level: ChangeLevel::Content,
        severity: Severity::Critical,
        problem: None,
        whole: Vec::new(),
        platforms: vec![platform],
        more_platforms: 0,
        attestations: None,
        revision: None,
    }
}

fn rebuilt(contents: &str, last_seq: i64, kind: EventKind, old: Option<&str>, world: &World) -> TagWrite {
    let happened = event(kind, old, Some(contents), world.tick());
    TagWrite {
        ruling: Ruling::new(Class::Rebuilt, "a rule"),
        ..write_of(TAG, present(contents, last_seq), vec![happened])
    }
}

async fn created(world: &World) -> i64 {
    world.write(rebuilt("a", 0, EventKind::Created, None, world)).await.0
}

/// The tag moves, and is compared with `with`, in which `field` differs.
async fn refreshed(world: &World, (old, new): (&str, &str), last_seq: i64, with: &str, field: Field) -> i64 {
    let (seq, _) = world.write(rebuilt(new, last_seq, EventKind::Moved, Some(old), world)).await;
    concluded(world, (with, new), field).await;
    seq
}

async fn concluded(world: &World, (old, new): (&str, &str), field: Field) {
    let refresh = world.store.next_refresh(world.registry, 0).await.unwrap().unwrap();
    assert_eq!(refresh.pair, Some((digest(old), digest(new))));
    assert!(!world.store.conclude_refresh(refresh.seq, world.tick()).await.unwrap(), "not compared yet");
    world.store.put_comparison(&digest(old), &digest(new), &differs(field), world.now()).await.unwrap();
    assert!(world.store.conclude_refresh(refresh.seq, world.tick()).await.unwrap());
    assert_eq!(world.store.next_refresh(world.registry, 0).await.unwrap(), None);
}

async fn flag_is(world: &World, state: FlagState, promise: &str, current: &str) -> Flag {
    let flag = world.flag().await;
    assert_eq!((flag.state, &flag.promise, &flag.current), (state, &Some(digest(promise)), &Some(digest(current))));
    flag
}

db_test! {
    async fn a_refresh_is_recorded_and_flagged_only_when_it_starts_otherwise(world: World) {
        let seq = created(&world).await;
        let seq = refreshed(&world, ("a", "b"), seq, "a", Field::Layers).await;
        let seq = refreshed(&world, ("b", "c"), seq, "b", Field::Environment).await;
        assert_eq!(world.flags().await, []);
        let moved = seq + 1;
        let seq = refreshed(&world, ("c", "d"), seq, "c", Field::Entrypoint).await;
        let flag = flag_is(&world, FlagState::Open, "c", "d").await;
        assert_eq!((flag.severity, flag.comparing, flag.version), (Severity::Critical, false, 1));
        assert_eq!(flag.difference.as_deref(), Some("entrypoint differs"));
        let happened = world.events().await.into_iter().find(|event| event.seq == moved).unwrap();
        assert_eq!((happened.flag, flag.not_before, flag.not_after), (Some(flag.id), happened.not_before, happened.not_after));

        // It is held to what it was: the next refresh starts as that did.
        let seq = refreshed(&world, ("d", "e"), seq, "c", Field::User).await;
        flag_is(&world, FlagState::Open, "c", "e").await;
        let seq = refreshed(&world, ("e", "f"), seq, "c", Field::Layers).await;
        flag_is(&world, FlagState::Restored, "f", "f").await;
        let seq = refreshed(&world, ("f", "g"), seq, "f", Field::Layers).await;
        flag_is(&world, FlagState::Restored, "g", "g").await;
        let seq = refreshed(&world, ("g", "h"), seq, "g", Field::Command).await;
        let flag = flag_is(&world, FlagState::Open, "g", "h").await;

        // A person accepts it, and refreshes are compared with what was accepted.
        let act = Close { version: flag.version, resolution: Resolution::Accepted, reason: "we know".to_owned() };
        world.store.close(flag.id, &act, &person(), world.tick()).await.unwrap().unwrap();
        let seq = refreshed(&world, ("h", "i"), seq, "h", Field::Layers).await;
        assert_eq!(world.flags().await.len(), 1);
        refreshed(&world, ("i", "j"), seq, "i", Field::Platform).await;
        assert_eq!(world.flags().await.len(), 2, "another flag");
        world.assert_projections().await;
    }
}

db_test! {
    async fn the_way_back_needs_no_comparison(world: World) {
        let seq = created(&world).await;
        let seq = refreshed(&world, ("a", "b"), seq, "a", Field::Entrypoint).await;
        world.write(rebuilt("a", seq, EventKind::Moved, Some("b"), &world)).await;
        flag_is(&world, FlagState::Restored, "a", "a").await;
        let refresh = world.store.next_refresh(world.registry, 0).await.unwrap().unwrap();
        assert_eq!(refresh.pair, None);
        assert!(world.store.conclude_refresh(refresh.seq, world.tick()).await.unwrap());
        flag_is(&world, FlagState::Restored, "a", "a").await;
    }
}

db_test! {
    async fn what_was_deleted_between_is_compared_all_the_same(world: World) {
        let seq = created(&world).await;
        let gone = event(EventKind::Deleted, Some("a"), None, world.tick());
        let record = TagRecord { state: TagState::Absent, claimed: None, ..present("a", seq) };
        let (seq, _) = world.write(TagWrite { ruling: Ruling::new(Class::Rebuilt, "a rule"), ..write_of(TAG, record, vec![gone]) }).await;
        assert_eq!(world.store.next_refresh(world.registry, 0).await.unwrap(), None);
        world.write(rebuilt("b", seq, EventKind::Recreated, None, &world)).await;
        concluded(&world, ("a", "b"), Field::Entrypoint).await;
        flag_is(&world, FlagState::Open, "a", "b").await;
    }
}

db_test! {
    async fn a_retracted_claim_and_another_class_are_not_compared(world: World) {
        let seq = created(&world).await;
        let happened = tagwarden_model::event::NewEvent {
            verified: false,
            ..event(EventKind::Moved, Some("a"), Some("claim"), world.tick())
        };
        let record = claimed("claim", seq, TagState::Present(digest("a")));
        let (seq, _) = world.write(TagWrite { ruling: Ruling::new(Class::Rebuilt, "a rule"), ..write_of(TAG, record, vec![happened]) }).await;
        assert!(world.store.next_refresh(world.registry, 0).await.unwrap().is_some());
        let back = event(EventKind::Retracted, Some("claim"), None, world.tick());
        let back = TagWrite { ruling: Ruling::new(Class::Rebuilt, "a rule"), ..write_of(TAG, present("a", seq), vec![back]) };
        let (seq, _) = world.write(back).await;
        assert_eq!(world.store.next_refresh(world.registry, 0).await.unwrap(), None);

        let (seq, _) = world.write(rebuilt("b", seq, EventKind::Moved, Some("a"), &world)).await;
        let rolling = TagWrite { ruling: Ruling::new(Class::Rolling, "a rule"), ..write_of(TAG, present("b", seq), Vec::new()) };
        world.write(rolling).await;
        let refresh = world.store.next_refresh(world.registry, 0).await.unwrap().unwrap();
        assert_eq!(refresh.pair, None);
        assert!(world.store.conclude_refresh(refresh.seq, world.tick()).await.unwrap());
        assert_eq!(world.flags().await, []);
    }
}
