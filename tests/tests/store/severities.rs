//! What a rule of the policy makes of severities (RECORD.md 9).

use tagwarden::store::Scope;
use tagwarden::store::record::TagWrite;
use tagwarden_model::api::{Close, FlagDetail, MakePromise};
use tagwarden_model::change::{Change, ChangeLevel};
use tagwarden_model::class::Ruling;
use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::flag::{FlagState, Lowering, Resolution};
use tagwarden_model::tag::{Class, TagRecord, TagState};

use crate::db_test;
use crate::world::{World, digest, event, name, person, present, write_of};

const TAG: &str = "1.0.0";
const NONE: Lowering = Lowering { cap: None, retention: false };
const WARNING: Lowering = Lowering { cap: Some(Severity::Warning), retention: false };
const INFO: Lowering = Lowering { cap: Some(Severity::Info), retention: false };
const RETENTION: Lowering = Lowering { cap: None, retention: true };

fn ruled(lowering: Lowering, write: TagWrite) -> TagWrite {
    let rule = if lowering == NONE { "default:version" } else { "policy:**:*" };
    TagWrite { ruling: Ruling { lowering, ..Ruling::new(Class::Release, rule) }, ..write }
}

/// A release that was first seen as "a", and then happened something.
async fn breached(world: &World, lowering: Lowering, kind: EventKind) -> i64 {
    let (seq, _) = world.write(ruled(lowering, world.created(TAG, "a"))).await;
    happens(world, lowering, kind, Some("a"), seq).await
}

/// It is "b" then, or gone.
async fn happens(world: &World, lowering: Lowering, kind: EventKind, old: Option<&str>, last_seq: i64) -> i64 {
    let new = (kind != EventKind::Deleted).then_some("b");
    let happened = event(kind, old, new, world.tick());
    let gone = || TagRecord { state: TagState::Absent, claimed: None, ..present("a", last_seq) };
    let record = new.map_or_else(gone, |new| present(new, last_seq));
    world.write(ruled(lowering, write_of(TAG, record, vec![happened]))).await.0
}

/// The policy says something else of the tag, to which nothing happens.
async fn reloaded(world: &World, lowering: Lowering, record: TagRecord) {
    world.tick();
    world.write(ruled(lowering, write_of(TAG, record, Vec::new()))).await;
}

fn change(severity: Severity) -> Change {
    Change {
        level: ChangeLevel::Content,
        severity,
        problem: None,
        whole: Vec::new(),
        platforms: Vec::new(),
        more_platforms: 0,
        attestations: None,
        revision: None,
    }
}

async fn compared(world: &World, severity: Severity) {
    let [comparing] = &world.store.comparing(world.registry, 9).await.unwrap()[..] else { panic!("none or many wait") };
    for (old, new) in &comparing.pairs {
        world.store.put_comparison(old, new, &change(severity), world.now()).await.unwrap();
    }
    assert!(world.store.conclude_comparison(comparing.flag, world.tick()).await.unwrap());
}

async fn detail(world: &World) -> FlagDetail {
    world.store.flag(Scope::All, world.flag().await.id).await.unwrap().unwrap()
}

/// Severity, and the rule that lowers it.
async fn severity(world: &World) -> (Severity, Option<String>) {
    let flag = world.flag().await;
    (flag.severity, flag.lowered_by)
}

fn by_rule(severity: Severity) -> (Severity, Option<String>) {
    (severity, Some("policy:**:*".to_owned()))
}

db_test! {
    async fn a_cap_holds_before_and_after_the_comparison(world: World) {
        let seq = breached(&world, WARNING, EventKind::Moved).await;
        assert!(world.flag().await.comparing);
        assert_eq!(severity(&world).await, by_rule(Severity::Warning));
        compared(&world, Severity::Critical).await;
        assert!(!world.flag().await.comparing);
        assert_eq!(severity(&world).await, by_rule(Severity::Warning));
        // What joins is capped as well.
        let moved = event(EventKind::Moved, Some("b"), Some("c"), world.tick());
        world.write(ruled(WARNING, write_of(TAG, present("c", seq), vec![moved]))).await;
        assert_eq!(severity(&world).await, by_rule(Severity::Warning));
        compared(&world, Severity::Critical).await;
        assert_eq!(severity(&world).await, by_rule(Severity::Warning));
    }
}

db_test! {
    async fn a_cap_raises_nothing(world: World) {
        breached(&world, WARNING, EventKind::Moved).await;
        compared(&world, Severity::Info).await;
        assert_eq!(severity(&world).await, (Severity::Info, None));
    }
}

db_test! {
    async fn a_deletion_that_retention_expects_is_info_and_another_content_is_not(world: World) {
        let seq = breached(&world, RETENTION, EventKind::Deleted).await;
        assert_eq!(severity(&world).await, by_rule(Severity::Info));
        happens(&world, RETENTION, EventKind::Recreated, None, seq).await;
        assert_eq!(severity(&world).await, (Severity::Critical, None));
        // The deletion is among what was compared, and still expected.
        compared(&world, Severity::Info).await;
        assert_eq!(severity(&world).await, by_rule(Severity::Info));
    }
}

db_test! {
    async fn a_policy_that_changes_reaches_the_flags_that_stand(world: World) {
        let seq = breached(&world, NONE, EventKind::Moved).await;
        compared(&world, Severity::Critical).await;
        let (flag, opened) = (world.flag().await, world.now());
        for (lowering, expected, said) in [
            (INFO, by_rule(Severity::Info), "lowered to info by policy:**:*"),
            (WARNING, by_rule(Severity::Warning), "raised to warning by policy:**:*"),
            (NONE, (Severity::Critical, None), "raised to critical by default:version"),
        ] {
            reloaded(&world, lowering, present("b", seq)).await;
            assert_eq!(severity(&world).await, expected);
            let newest = detail(&world).await.transitions.pop().unwrap();
            assert_eq!((newest.reason.as_deref(), newest.actor.as_str()), (Some(said), "Tagwarden"));
            assert_eq!((newest.from, newest.to), (Some(FlagState::Open), FlagState::Open));
        }
        assert_eq!(world.flag().await.version, flag.version + 3);
        assert!(world.flag().await.changed > opened);
        // Retention says nothing of what moved, and the same again is no step.
        reloaded(&world, RETENTION, present("b", seq)).await;
        reloaded(&world, NONE, present("b", seq)).await;
        assert_eq!(world.flag().await.version, flag.version + 3);
    }
}

db_test! {
    async fn retention_that_comes_later_lowers_and_that_ends_raises(world: World) {
        let seq = breached(&world, NONE, EventKind::Deleted).await;
        assert_eq!(severity(&world).await, (Severity::Warning, None));
        let gone = || TagRecord { state: TagState::Absent, claimed: None, ..present("a", seq) };
        reloaded(&world, RETENTION, gone()).await;
        assert_eq!(severity(&world).await, by_rule(Severity::Info));
        reloaded(&world, NONE, gone()).await;
        assert_eq!(severity(&world).await, (Severity::Warning, None));
    }
}

/// What was pushed last is compared: it and all before differ in annotations, but for "bad".
async fn all_compared(world: &World) -> Severity {
    for comparing in world.store.comparing(world.registry, 9).await.unwrap() {
        for (old, new) in &comparing.pairs {
            let severity = if *new == digest("bad") { Severity::Critical } else { Severity::Info };
            world.store.put_comparison(old, new, &change(severity), world.now()).await.unwrap();
        }
        assert!(world.store.conclude_comparison(comparing.flag, world.tick()).await.unwrap());
    }
    world.flag().await.severity
}

db_test! {
    async fn pushing_two_harmless_contents_by_turns_does_not_hide_the_bad_one(world: World) {
        let (seq, _) = world.create(TAG, "a").await;
        let (mut seq, _) = world.to(TAG, "a", "bad", seq).await;
        let mut was = "bad";
        for turn in 0..201 {
            let is = ["b", "c"][turn % 2];
            (seq, _) = world.to(TAG, was, is, seq).await;
            was = is;
        }
        assert_eq!(all_compared(&world).await, Severity::Critical);
        // Nor do more contents than are looked at.
        for turn in 0..201 {
            let is = format!("harmless {turn}");
            (seq, _) = world.to(TAG, was, &is, seq).await;
            was = is.leak();
        }
        assert_eq!(all_compared(&world).await, Severity::Critical);
    }
}

db_test! {
    async fn a_closed_flag_stays_as_it_was_closed(world: World) {
        let seq = breached(&world, NONE, EventKind::Moved).await;
        let flag = world.flag().await;
        let close = Close { version: flag.version, resolution: Resolution::Accepted, reason: "fine".to_owned() };
        world.store.close(flag.id, &close, &person(), world.tick()).await.unwrap().unwrap();
        let closed = world.flag().await;
        reloaded(&world, INFO, present("b", seq)).await;
        assert_eq!(world.flag().await, closed);
    }
}

db_test! {
    async fn a_promise_that_a_person_makes_is_judged_under_the_rule(world: World) {
        world.write(ruled(WARNING, world.created(TAG, "a"))).await;
        let (repository, tag, reason) = (name().to_string(), TAG.to_owned(), "meant".to_owned());
        let act = MakePromise { repository, tag, digest: Some(digest("b")), reason };
        world.store.make_promise(&act, &person(), world.tick()).await.unwrap().unwrap();
        assert_eq!(severity(&world).await, by_rule(Severity::Warning));
    }
}
