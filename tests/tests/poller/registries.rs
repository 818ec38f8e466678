//! Many repositories and several registries: nobody waits for anybody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use tagwarden::poller::PollerSettings;
use tagwarden::registry::RegistryError;
use tagwarden_model::api::{RegistryState, RepositoryState};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_tests::double::{Ask, Call, Double, Image, Play};
use tagwarden_tests::polling::{World, tag};

/// When the listings were sent since the last look.
fn listings(double: &Double) -> Vec<Instant> {
    let calls = double.calls().into_iter();
    calls.filter(|call| call.ask == Ask::Listing).map(|call| call.sent.mark.wall).collect()
}

#[tokio::test]
async fn a_start_with_2000_repositories_is_no_herd() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry("registry.example").await;
    for number in 0..2000 {
        let path = format!("team/{number}");
        double.push(&path, &tag("main"), Image::of(&path));
        world.watch(&entry, &path).await;
    }
    // Four at once could list 400 repositories a second.
    double.take(Millis(5));
    double.calls();
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(4)).await;
    assert_eq!(listings(&double).len(), 2000);
    assert_eq!(world.events().await.len(), 2000);
    polling.stop().await;

    // All of them are overdue.
    world.run(Millis::minutes(20)).await;
    let start = world.wall();
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(4)).await;
    let sent = listings(&double);
    assert_eq!(sent.len(), 2000);
    let mut seconds: BTreeMap<i64, usize> = BTreeMap::new();
    for at in &sent {
        *seconds.entry((*at - start).0 / 1000).or_default() += 1;
    }
    assert!(seconds.values().all(|count| *count <= 60), "{seconds:?}");
    assert!(sent.iter().all(|at| *at - start <= Millis::seconds(150)), "{seconds:?}");
    assert_eq!(double.most_flying(), 4);
    polling.stop().await;
}

#[tokio::test]
async fn a_dead_slow_or_failing_registry_delays_no_other() {
    let unreachable = || Play::Fail(RegistryError::Unreachable { message: "no route to host".to_owned() });
    for illness in ["dead", "slow", "failing"] {
        let world = World::in_memory().await;
        let (ill, well) = (Double::new(world.clock.clone()), Double::new(world.clock.clone()));
        let (ill, well) = (Arc::new(ill), Arc::new(well));
        let (ill_entry, well_entry) = (world.entry("ill.example").await, world.entry("well.example").await);
        for number in 0..20 {
            let path = format!("team/{number}");
            for (double, entry) in [(&ill, &ill_entry), (&well, &well_entry)] {
                double.push(&path, &tag("main"), Image::of(&path));
                world.watch(entry, &path).await;
            }
        }
        match illness {
            "dead" => ill.script(|_| Play::Hang),
            "slow" => ill.take(Millis::seconds(50)),
            _ => ill.script(move |_| unreachable()),
        }
        well.calls();
        let of_ill = world.poll(&ill_entry, ill.clone(), PollerSettings::default());
        let of_well = world.poll(&well_entry, well.clone(), PollerSettings::default());
        world.run(Millis::hours(2)).await;
        let mut by_repository: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
        for call in well.calls().into_iter().filter(|call| call.ask == Ask::Listing) {
            by_repository.entry(call.repository).or_default().push(call.sent.mark.wall);
        }
        assert_eq!(by_repository.len(), 20);
        for (path, sent) in by_repository {
            assert!(sent.len() >= 24, "{illness}: {path} was listed {} times", sent.len());
            let late = sent.windows(2).find(|pair| pair[1] - pair[0] > Millis::seconds(301));
            assert_eq!(late, None, "{illness}: {path}");
        }
        if illness != "slow" {
            assert_eq!(world.repository(&ill_entry, "team/7").await.tags, 0, "{illness}");
        }
        // And when it is back, it is as if nothing had been.
        ill.script(|_| Play::Truth);
        ill.take(Millis(0));
        ill.tell();
        world.run(Millis::minutes(20)).await;
        for number in 0..20 {
            let repository = world.repository(&ill_entry, &format!("team/{number}")).await;
            assert_eq!((repository.state, repository.tags), (RepositoryState::Ok, 1), "{illness}: {repository:?}");
        }
        assert_eq!(world.events().await.len(), 40, "{illness}");
        of_ill.stop().await;
        of_well.stop().await;
    }
}

#[tokio::test]
async fn an_entry_that_refuses_everything_is_unauthorized_and_flags_nothing() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry("registry.example").await;
    for path in ["team/a", "team/b"] {
        double.push(path, &tag("1.0.0"), Image::of(path));
        world.watch(&entry, path).await;
    }
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(5)).await;
    assert_eq!(world.registry(&entry).await.state, RegistryState::Ok);

    let refuse = |path: &'static str| {
        move |call: &Call| match &call.repository {
            repository if repository.starts_with(path) => {
                Play::Fail(RegistryError::Refused { message: "the token was revoked".to_owned() })
            }
            _ => Play::Truth,
        }
    };
    double.script(refuse("team/a"));
    world.run(Millis::minutes(10)).await;
    assert_eq!(world.registry(&entry).await.state, RegistryState::Ok, "one is let in");
    double.script(refuse("team"));
    let revoked = world.wall();
    world.run(Millis::hours(23)).await;
    // A repository that was added to it is refused as well, and so is everything after a new start.
    world.watch(&entry, "team/c").await;
    polling.stop().await;
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::hours(3)).await;
    let registry = world.registry(&entry).await;
    assert_eq!((registry.state, registry.repositories), (RegistryState::Unauthorized, 3));
    assert_eq!(registry.state_reason.as_deref(), Some("refused: the token was revoked"));
    assert!(registry.state_since.is_some_and(|since| since - revoked <= Millis::minutes(6)), "{registry:?}");
    assert_eq!(world.flags().await, [], "what nobody may see is not what one repository lost");

    double.script(refuse("team/a"));
    world.run(Millis::minutes(10)).await;
    let registry = world.registry(&entry).await;
    assert_eq!((registry.state, registry.state_reason), (RegistryState::Ok, None));
    assert_eq!(world.flags().await.len(), 1, "team/a alone is refused now, and was for a day");

    double.script(|_| Play::Fail(RegistryError::Unreachable { message: "no route to host".to_owned() }));
    world.run(Millis::minutes(10)).await;
    let registry = world.registry(&entry).await;
    assert_eq!(registry.state, RegistryState::Failing);
    assert_eq!(registry.state_reason.as_deref(), Some("unreachable: no route to host"));
    polling.stop().await;
}
