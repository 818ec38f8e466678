//! Many repositories and several registries: nobody waits for anybody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use tagwarden::poller::PollerSettings;
use tagwarden::registry::RegistryError;
use tagwarden::registry::allowance::Allowance;
use tagwarden_model::api::{RegistryState, RepositoryState};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::record::Plan;
use tagwarden_model::tag::Band;
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

/// How many tags each repository has.
const TAGS: [(&str, usize); 2] = [("team/small", 10), ("team/large", 90)];

/// Every hour, and little else to do: days pass faster.
fn hourly() -> PollerSettings {
    let plan = Plan { intervals: BTreeMap::from([(Band::Hot, Millis::hours(1))]), ..Plan::default() };
    PollerSettings { plan, lease: Millis::days(1), refresh: Millis::minutes(10), ..PollerSettings::default() }
}

/// GETs of tags since the last look, by repository.
fn gets(double: &Double) -> BTreeMap<String, usize> {
    let mut gets = BTreeMap::new();
    for call in double.calls().into_iter().filter(|call| matches!(call.ask, Ask::Get(_))) {
        *gets.entry(call.repository).or_default() += 1;
    }
    gets
}

#[tokio::test]
async fn proofs_take_a_quarter_of_what_the_registry_allows_shared_by_tags() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry("registry.example").await;
    for (path, count) in TAGS {
        for number in 0..count {
            double.push(path, &tag(&format!("branch-{number}")), Image::of(&number.to_string()));
        }
        world.watch(&entry, path).await;
    }
    // 100 a day, of which 25 are for proofs: a hundred tags take four days.
    double.allow(Allowance { limit: 25, window: Millis::hours(6), remaining: 7 });
    double.calls();
    let polling = world.poll(&entry, double.clone(), hourly());
    world.run(Millis::hours(1)).await;
    let read: BTreeMap<String, usize> = TAGS.map(|(path, count)| (path.to_owned(), count)).into();
    assert_eq!(gets(&double), read, "the first reading");
    world.run(Millis::hours(93)).await;
    assert_eq!(gets(&double), BTreeMap::new());
    for (path, _) in TAGS {
        let repository = world.repository(&entry, path).await;
        assert_eq!(repository.freshness[0].proof_promised_ms, Millis::days(4).0.unsigned_abs(), "{repository:?}");
    }
    // A start does not forget it, although the registry says it again only while it is asked.
    polling.stop().await;
    let polling = world.poll(&entry, double.clone(), hourly());
    world.run(Millis::minutes(70)).await;
    assert_eq!(gets(&double), BTreeMap::new());
    world.run(Millis::hours(3)).await;
    assert_eq!(gets(&double), read);
    let (now, repository) = (world.wall(), world.repository(&entry, "team/large").await);
    let last = repository.freshness[0].last_proof.unwrap();
    assert!(now - last < Millis::hours(3), "{repository:?}");
    let text = polling.metrics.text(now).unwrap();
    for line in
        ["rate_limit{registry=\"registry.example\"} 25", "rate_limit_remaining{registry=\"registry.example\"} 7"]
    {
        assert!(text.contains(&format!("tagwarden_registry_{line}\n")), "{line} is missing in\n{text}");
    }
    polling.stop().await;
}

#[tokio::test]
async fn where_a_registry_never_spoke_of_limits_proofs_are_made_every_day() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry("registry.example").await;
    double.push("team/api", &tag("main"), Image::of("a"));
    world.watch(&entry, "team/api").await;
    let polling = world.poll(&entry, double.clone(), hourly());
    world.run(Millis::hours(1)).await;
    double.calls();
    world.run(Millis::hours(24)).await;
    assert_eq!(gets(&double).get("team/api"), Some(&1));
    let repository = world.repository(&entry, "team/api").await;
    assert_eq!(repository.freshness[0].proof_promised_ms, Millis::days(1).0.unsigned_abs());
    assert!(world.wall() - repository.freshness[0].last_proof.unwrap() < Millis::hours(2), "{repository:?}");
    polling.stop().await;
}

#[tokio::test]
async fn a_first_reading_that_takes_its_time_promises_proofs_for_the_tags_it_finds() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry("registry.example").await;
    for path in ["team/read", "team/new"] {
        double.push(path, &tag("main"), Image::of("a"));
    }
    double.allow(Allowance { limit: 100, window: Millis::hours(6), remaining: 100 });
    world.watch(&entry, "team/read").await;
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(1)).await;
    // The allowance is shared while the list of the new one is under way.
    double.take(Millis::seconds(6));
    world.watch(&entry, "team/new").await;
    world.wake();
    world.run(Millis::seconds(5)).await;
    world.wake();
    world.run(Millis::seconds(9)).await;
    let repository = world.repository(&entry, "team/new").await;
    assert!(repository.freshness[0].last_proof.is_some(), "{repository:?}");
    assert_eq!(repository.freshness[0].proof_promised_ms, Millis::days(1).0.unsigned_abs());
    polling.stop().await;
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
