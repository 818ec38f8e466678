//! Ways back of open flags are proven without being asked for.

use std::sync::Arc;

use tagwarden::compare::Comparer;
use tagwarden::poller::PollerSettings;
use tagwarden::store::Scope;
use tagwarden_model::api::{MakePromise, Readiness};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Millis;
use tagwarden_tests::double::{Ask, Call, Double, Image, Play};
use tagwarden_tests::polling::{World, name, tag};
use tagwarden_tests::record::somebody;

const PATH: &str = "team/api";
/// Nobody needs so many requests.
const MOST: usize = 200;

fn by_digest(calls: &[Call]) -> Vec<Digest> {
    calls
        .iter()
        .filter_map(|call| if let Ask::Manifest(digest) = &call.ask { Some(digest.clone()) } else { None })
        .collect()
}

#[tokio::test]
async fn each_is_proven_once_a_day_whatever_people_said_of_the_release() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry("registry.example").await;
    for release in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        double.push(PATH, &tag(release), Image::of(release));
    }
    world.watch(&entry, PATH).await;
    let poller = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(5)).await;
    for release in ["1.1.0", "1.2.0", "1.3.0"] {
        double.push(PATH, &tag(release), Image::of(&format!("another {release}")));
    }
    world.run(Millis::hours(6)).await;
    assert_eq!(world.flags().await.len(), 3);
    // What they are held to is no way back any more.
    let (repository, now) = (name(&entry, PATH), world.wall());
    world.store.say_do_not_use(&repository, &tag("1.1.0"), "bad", &somebody(), now).await.unwrap().unwrap();
    let (of, retired, reason) = (repository.to_string(), "1.2.0".to_owned(), "retired".to_owned());
    let act = MakePromise { repository: of, tag: retired, digest: None, reason };
    world.store.make_promise(&act, &somebody(), now).await.unwrap().unwrap();

    let mut asked = 0;
    double.script(move |call| {
        asked += usize::from(matches!(call.ask, Ask::Manifest(_)));
        assert!(asked < MOST, "it asks without end");
        Play::Truth
    });
    double.calls();
    let comparer = Comparer {
        store: world.store.clone(),
        clock: world.clock.clone(),
        registry: double.clone(),
        entry: entry.clone(),
    };
    let comparer = world.start(|stop| async move { comparer.run(stop).await });
    world.run(Millis::hours(1)).await;
    let proven = by_digest(&double.calls());
    for (of, count) in [("1.0.0", 1), ("1.1.0", 0), ("1.2.0", 1), ("1.3.0", 1)] {
        let times = proven.iter().filter(|digest| **digest == Image::of(of).digest).count();
        assert_eq!(times, count, "{of} of {}", proven.len());
    }
    let targets = world.store.targets(Scope::All, &repository, &tag("1.1.0")).await.unwrap().unwrap();
    assert!(targets.iter().all(|target| target.readiness != Readiness::Unproven), "{targets:?}");
    world.run(Millis::days(1)).await;
    assert_eq!(by_digest(&double.calls()).len(), 3, "once more");
    comparer.stop().await;
    poller.stop().await;
}
