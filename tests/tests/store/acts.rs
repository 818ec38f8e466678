//! What people decide.

use tagwarden::store::{Scope, StoreError};
use tagwarden_model::api::{Acknowledge, Close, MakePromise, Promise};
use tagwarden_model::digest::Digest;
use tagwarden_model::event::{EventKind, NewEvent, Severity};
use tagwarden_model::flag::{FlagState, Resolution};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::tag::TagState;

use crate::db_test;
use crate::world::{World, claimed, digest, event, person, present, write_of};

/// A release that was moved from `a` to `b`; gives its flag.
async fn breach(world: &World, tag: &str) -> i64 {
    let (seq, _) = world.create(tag, "a").await;
    world.to(tag, "a", "b", seq).await;
    world.tag(tag).await.flag.unwrap()
}

async fn acknowledge(world: &World, flag: i64, version: i64, until: Option<Instant>) -> Result<Option<()>, StoreError> {
    let act = Acknowledge { version, reason: "known".to_owned(), until };
    world.store.acknowledge(flag, &act, &person(), world.tick()).await
}

async fn close(world: &World, flag: i64, version: i64, resolution: Resolution) -> Result<Option<()>, StoreError> {
    let act = Close { version, resolution, reason: "decided".to_owned() };
    world.store.close(flag, &act, &person(), world.tick()).await
}

async fn promise(world: &World, tag: &str, digest: Option<Digest>) -> Result<Option<Promise>, StoreError> {
    let repository = "registry.example/team/api".to_owned();
    let act = MakePromise { repository, tag: tag.to_owned(), digest, reason: "said so".to_owned() };
    world.store.make_promise(&act, &person(), world.tick()).await
}

fn field(result: Result<impl std::fmt::Debug, StoreError>) -> &'static str {
    match result {
        Err(StoreError::Refused { field, .. }) => field,
        other => panic!("not refused: {other:?}"),
    }
}

db_test! {
    async fn an_acknowledged_flag_opens_again_when_its_time_has_passed_or_more_happens(world: World) {
        let flag = breach(&world, "1.0.0").await;
        let until = world.now() + Millis::hours(1);
        acknowledge(&world, flag, 1, Some(until)).await.unwrap().unwrap();
        let acknowledged = world.flag().await;
        assert_eq!((acknowledged.state, acknowledged.acknowledged_until), (FlagState::Acknowledged, Some(until)));
        assert_eq!(world.store.expire_acknowledgements(until - Millis(1)).await.unwrap(), 0);
        assert_eq!(world.store.expire_acknowledgements(until).await.unwrap(), 1);
        assert_eq!(world.store.expire_acknowledgements(until).await.unwrap(), 0);
        let opened = world.flag().await;
        assert_eq!((opened.state, opened.acknowledged_until, opened.version), (FlagState::Open, None, 3));

        acknowledge(&world, flag, 3, None).await.unwrap().unwrap();
        world.to("1.0.0", "b", "c", 2).await;
        assert_eq!(world.flag().await.state, FlagState::Open);
        let detail = world.store.flag(Scope::All, flag).await.unwrap().unwrap();
        let actors = detail.transitions.iter().map(|step| step.actor.as_str()).collect::<Vec<_>>();
        assert_eq!(actors, ["Tagwarden", "Ada", "Tagwarden", "Ada", "Tagwarden"]);
        assert_eq!(detail.transitions[1].reason.as_deref(), Some("known"));
    }
}

db_test! {
    async fn an_act_on_another_version_than_was_looked_at_changes_nothing(world: World) {
        let flag = breach(&world, "1.0.0").await;
        acknowledge(&world, flag, 1, None).await.unwrap().unwrap();
        let before = world.dump("flags").await;
        assert!(matches!(acknowledge(&world, flag, 1, None).await, Err(StoreError::Conflict)));
        assert!(matches!(close(&world, flag, 1, Resolution::Accepted).await, Err(StoreError::Conflict)));
        assert_eq!(world.dump("flags").await, before);
        assert!(acknowledge(&world, 4711, 1, None).await.unwrap().is_none());
        assert!(close(&world, 4711, 1, Resolution::Accepted).await.unwrap().is_none());
    }
}

db_test! {
    async fn of_ten_who_decide_at_once_one_succeeds(world: World) {
        let flag = breach(&world, "1.0.0").await;
        let tries = (0..10).map(|_| acknowledge(&world, flag, 1, None));
        let results = futures::future::join_all(tries).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert!(results.iter().all(|result| matches!(result, Ok(Some(())) | Err(StoreError::Conflict))));
    }
}

db_test! {
    async fn the_rules_refuse_with_the_field_at_fault(world: World) {
        let flag = breach(&world, "1.0.0").await;
        assert_eq!(field(acknowledge(&world, flag, 1, Some(world.now())).await), "until");
        assert_eq!(field(close(&world, flag, 1, Resolution::Reviewed).await), "resolution");
        assert_eq!(field(close(&world, flag, 1, Resolution::NotAnIssue).await), "resolution");
        let act = Acknowledge { version: 1, reason: " ".to_owned(), until: None };
        assert_eq!(field(world.store.acknowledge(flag, &act, &person(), world.now()).await), "reason");
        let act = Close { version: 1, resolution: Resolution::Accepted, reason: "x".repeat(2001) };
        assert_eq!(field(world.store.close(flag, &act, &person(), world.now()).await), "reason");
        assert_eq!(world.flag().await.version, 1);
    }
}

db_test! {
    async fn accepting_makes_what_is_there_the_promise(world: World) {
        let flag = breach(&world, "1.0.0").await;
        close(&world, flag, 1, Resolution::Accepted).await.unwrap().unwrap();
        let tag = world.tag("1.0.0").await;
        assert_eq!((tag.promise, tag.in_breach, tag.flag), (Some(digest("b")), false, None));
        let promises = world.store.promises(Scope::All, &crate::world::name(), None, 10).await.unwrap().0;
        assert_eq!((promises[0].actor.as_str(), promises[0].reason.as_str()), ("Ada", "decided"));
        let again = close(&world, flag, 2, Resolution::Reviewed).await;
        assert!(matches!(again, Err(StoreError::Closed(_))), "closed flags stay as they are: {again:?}");
        // Back to the first bytes: a new breach, a new flag.
        world.to("1.0.0", "b", "a", 2).await;
        let flags = world.flags().await;
        assert_eq!(flags.len(), 2);
        assert_ne!(world.tag("1.0.0").await.flag, Some(flag));
    }
}

db_test! {
    async fn accepting_an_absence_retires_and_its_return_is_a_breach(world: World) {
        world.create("1.0.0", "a").await;
        let (seq, _) = world.delete("1.0.0", "a", 1).await;
        close(&world, world.flag().await.id, 1, Resolution::Accepted).await.unwrap().unwrap();
        let tag = world.tag("1.0.0").await;
        assert_eq!((tag.promise, tag.in_breach), (None, false));
        let again = event(EventKind::Recreated, None, Some("a"), world.tick());
        world.write(write_of("1.0.0", present("a", seq), vec![again])).await;
        let flag = world.tag("1.0.0").await.flag.unwrap();
        let flag = world.store.flag(Scope::All, flag).await.unwrap().unwrap().flag;
        assert_eq!((flag.severity, flag.state), (Severity::Info, FlagState::Open), "it has the former promise's digest");
    }
}

db_test! {
    async fn a_restored_flag_is_closed_as_reviewed(world: World) {
        let flag = breach(&world, "1.0.0").await;
        world.to("1.0.0", "b", "a", 2).await;
        assert_eq!(field(acknowledge(&world, flag, 2, None).await), "version");
        assert_eq!(field(close(&world, flag, 2, Resolution::Accepted).await), "resolution");
        close(&world, flag, 2, Resolution::Reviewed).await.unwrap().unwrap();
        let detail = world.store.flag(Scope::All, flag).await.unwrap().unwrap();
        assert_eq!(detail.flag.state, FlagState::Closed);
        assert_eq!(detail.transitions.last().unwrap().resolution, Some(Resolution::Reviewed));
        assert!(detail.events.iter().all(|event| event.flag == Some(flag)));
    }
}

db_test! {
    async fn a_promise_made_before_the_release_holds_it(world: World) {
        let made = promise(&world, "1.0.0", Some(digest("meant"))).await.unwrap().unwrap();
        assert_eq!((made.actor.as_str(), made.provisional), ("Ada", false));
        let again = promise(&world, "1.0.0", Some(digest("meant"))).await.unwrap().unwrap();
        assert_eq!(again, made, "saying it again changes nothing");
        assert_eq!(world.row_counts().await["promises"], 1);
        assert!(world.create("1.0.0", "other").await.1);
        let flag = world.flag().await;
        assert_eq!((flag.promise, flag.current), (Some(digest("meant")), Some(digest("other"))));
    }
}

db_test! {
    async fn a_promise_opens_and_restores_the_flag_that_it_decides(world: World) {
        world.create("1.0.0", "a").await;
        let window = world.events().await.remove(0);
        promise(&world, "1.0.0", Some(digest("b"))).await.unwrap().unwrap();
        let flag = world.flag().await;
        assert_eq!((flag.state, flag.not_before, flag.not_after), (FlagState::Open, window.not_before, window.not_after));
        assert_eq!(world.events().await[0].flag, Some(flag.id));
        promise(&world, "1.0.0", Some(digest("a"))).await.unwrap().unwrap();
        assert_eq!((world.flag().await.id, world.flag().await.state), (flag.id, FlagState::Restored));
        promise(&world, "1.0.0", None).await.unwrap().unwrap();
        assert_eq!(world.flag().await.state, FlagState::Open, "retired but there");
    }
}

db_test! {
    async fn promises_that_cannot_be_are_refused(world: World) {
        world.create("latest", "a").await;
        assert_eq!(field(promise(&world, "latest", Some(digest("a"))).await), "tag");
        assert_eq!(field(promise(&world, "-no-tag", Some(digest("a"))).await), "tag");
        assert_eq!(field(promise(&world, "1.0.0", Some(Digest::Sha512(Box::new([1; 64])))).await), "digest");
        let act = MakePromise {
            repository: "registry.example/never/watched".to_owned(),
            tag: "1.0.0".to_owned(),
            digest: None,
            reason: "x".to_owned(),
        };
        assert_eq!(world.store.make_promise(&act, &person(), world.now()).await.unwrap(), None);
        assert_eq!(world.row_counts().await["promises"], 0);
    }
}

db_test! {
    async fn a_retraction_fells_an_acceptance_of_what_never_was(world: World) {
        world.create("1.0.0", "a").await;
        let unproven = NewEvent { verified: false, ..event(EventKind::Moved, Some("a"), Some("b"), world.tick()) };
        world.write(write_of("1.0.0", claimed("b", 1, TagState::Present(digest("a"))), vec![unproven])).await;
        close(&world, world.flag().await.id, 1, Resolution::Accepted).await.unwrap().unwrap();
        assert_eq!(world.tag("1.0.0").await.promise, Some(digest("b")));
        let retracted = event(EventKind::Retracted, Some("b"), Some("a"), world.tick());
        world.write(write_of("1.0.0", present("a", 2), vec![retracted])).await;
        let tag = world.tag("1.0.0").await;
        assert_eq!((tag.promise, tag.in_breach, tag.flag), (Some(digest("a")), false, None));
    }
}
