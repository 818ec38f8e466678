//! What is to be told, and the outbox.

use tagwarden::store::deliveries::{NewDelivery, Then};
use tagwarden::store::record::{RepositoryRow, RepositoryWrite};
use tagwarden::store::tellings::{Planned, Telling};
use tagwarden_model::api::{Acknowledge, DeliveryState, Notifier, Occasion, RepositoryState};
use tagwarden_model::event::Severity;
use tagwarden_model::instant::Millis;

use crate::db_test;
use crate::world::{World, person};

fn delivery(key: &str, next: tagwarden_model::instant::Instant) -> NewDelivery {
    NewDelivery { dedupe_key: key.into(), notifier: "hook".into(), payload: "{}".into(), next }
}

fn one_each(tellings: &[Telling], world: &World) -> Planned {
    let key = |telling: &Telling| format!("{}/{}/{}", telling.occasion, telling.repository, telling.version);
    Planned {
        deliveries: tellings.iter().map(|telling| delivery(&key(telling), world.now())).collect(),
        done: tellings.iter().map(|telling| telling.id).collect(),
        again: None,
    }
}

async fn told(world: &World) -> Vec<(Occasion, Option<Severity>)> {
    let seen = std::sync::Mutex::new(Vec::new());
    let plan = |tellings: &[Telling]| {
        *seen.lock().unwrap() = tellings
            .iter()
            .map(|telling| (telling.occasion, telling.flag.as_ref().map(|flag| flag.severity)))
            .collect();
        Planned::default()
    };
    world.store.plan_deliveries(world.now(), plan).await.unwrap();
    seen.into_inner().unwrap()
}

fn hook() -> Notifier {
    Notifier {
        name: "hook".into(),
        kind: "webhook".into(),
        host: "hook.example".into(),
        waiting: 0,
        dead: 0,
        last_success: None,
        last_failure: None,
        error: None,
        next: None,
    }
}

db_test! {
    async fn each_step_of_a_flag_that_matters_is_told_of(world: World) {
        let (seq, _) = world.create("1.0.0", "a").await;
        assert_eq!(told(&world).await, [], "a release is no news");
        let (seq, _) = world.delete("1.0.0", "a", seq).await;
        let gone = (Occasion::Opened, Some(Severity::Warning));
        assert_eq!(told(&world).await, [gone]);
        let act = Acknowledge { version: 1, reason: "known".into(), until: Some(world.now() + Millis::minutes(5)) };
        world.store.acknowledge(world.flag().await.id, &act, &person(), world.now()).await.unwrap().unwrap();
        assert_eq!(told(&world).await, [gone], "people know what they did");
        world.pass(Millis::minutes(10));
        world.store.expire_acknowledgements(world.now()).await.unwrap();
        assert_eq!(told(&world).await[1].0, Occasion::Reopened);
        let event = crate::world::event(tagwarden_model::event::EventKind::Recreated, None, Some("b"), world.tick());
        let (seq, _) = world.write(crate::world::write_of("1.0.0", crate::world::present("b", seq), vec![event])).await;
        let now = told(&world).await;
        assert_eq!(now[2], (Occasion::Worsened, Some(Severity::Critical)), "{now:?}");
        let (seq, _) = world.to("1.0.0", "b", "c", seq).await;
        assert_eq!(told(&world).await.len(), 3, "another move of an open critical flag is no further message");
        world.to("1.0.0", "c", "a", seq).await;
        assert_eq!(told(&world).await[3].0, Occasion::Restored);
    }
}

db_test! {
    async fn a_repository_that_fails_is_told_of_once_and_when_it_is_over(world: World) {
        let put = async |state, reason: Option<&str>| {
            let now = world.tick();
            let state = RepositoryRow { state, reason: reason.map(Into::into), since: now, refused_since: None };
            let (repository, lease) = (world.repository, world.lease);
            let write = RepositoryWrite { repository, lease, now, state, event: None, invisible: None };
            world.store.put_repository(&write).await.unwrap();
        };
        put(RepositoryState::Ok, None).await;
        put(RepositoryState::Failing, Some("no answer")).await;
        put(RepositoryState::Hidden, Some("refused")).await;
        put(RepositoryState::Empty, None).await;
        put(RepositoryState::Ok, None).await;
        assert_eq!(told(&world).await, [(Occasion::Failing, None), (Occasion::Recovered, None)]);
    }
}

db_test! {
    async fn a_telling_becomes_one_delivery_however_often_and_by_whom_it_is_planned(world: World) {
        let (seq, _) = world.create("1.0.0", "a").await;
        world.delete("1.0.0", "a", seq).await;
        let other = tagwarden::store::Store::open(&world.url).await.unwrap();
        let plan = |tellings: &[Telling]| one_each(tellings, &world);
        let (ours, theirs) = tokio::join!(
            world.store.plan_deliveries(world.now(), plan),
            other.plan_deliveries(world.now(), plan)
        );
        ours.unwrap();
        theirs.unwrap();
        assert_eq!(world.row_counts().await["deliveries"], 1);
        assert_eq!(told(&world).await, []);
        // A key is written once, whoever writes it.
        world.to("1.0.0", "a", "b", 2).await;
        let again = |tellings: &[Telling]| {
            let mut planned = one_each(tellings, &world);
            planned.deliveries = vec![delivery("opened/registry.example/team/api/1", world.now())];
            planned
        };
        world.store.plan_deliveries(world.now(), again).await.unwrap();
        assert_eq!(world.row_counts().await["deliveries"], 1);
        other.shut().await;
    }
}

db_test! {
    async fn a_delivery_is_taken_by_one_tried_again_dies_and_is_retried(world: World) {
        let store = &world.store;
        let test = store.test_notifier("hook", world.now()).await.unwrap();
        let until = world.now() + Millis::minutes(1);
        assert_eq!(store.take_delivery("other", world.now(), until).await.unwrap(), None);
        let taken = store.take_delivery("hook", world.now(), until).await.unwrap().unwrap();
        assert_eq!((taken.id, taken.attempts), (test.id, 1));
        assert_eq!(store.take_delivery("hook", world.now(), until).await.unwrap(), None, "somebody has it");
        // Who took it died.
        world.pass(Millis::minutes(1));
        let until = world.now() + Millis::minutes(1);
        let taken = store.take_delivery("hook", world.now(), until).await.unwrap().unwrap();
        assert_eq!(taken.attempts, 2);
        let again = world.now() + Millis::minutes(5);
        store.delivery_failed(taken.id, "503", Then::Again(again), world.now()).await.unwrap();
        assert_eq!(store.next_delivery("hook").await.unwrap(), Some(again));
        let state = store.notifier(&hook()).await.unwrap();
        assert_eq!((state.waiting, state.dead, state.error.as_deref()), (1, 0, Some("503")));
        store.delivery_failed(taken.id, "gone", Then::End(DeliveryState::Dead), world.now()).await.unwrap();
        let state = store.notifier(&hook()).await.unwrap();
        assert_eq!((state.waiting, state.dead, state.next), (0, 1, None));
        assert_eq!(store.retry_deliveries("hook", world.now()).await.unwrap(), 1);
        let taken = store.take_delivery("hook", world.now(), until).await.unwrap().unwrap();
        assert_eq!(taken.attempts, 1);
        store.delivered(taken.id, world.now()).await.unwrap();
        let state = store.notifier(&hook()).await.unwrap();
        assert_eq!((state.waiting, state.dead, state.last_success), (0, 0, Some(world.now())));
        assert_eq!(store.delivery(test.id).await.unwrap().unwrap().state, DeliveryState::Delivered);
        assert_eq!(store.prune_deliveries(world.now()).await.unwrap(), 0);
        assert_eq!(store.prune_deliveries(world.now() + Millis(1)).await.unwrap(), 1);
    }
}
