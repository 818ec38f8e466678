//! A task that panics is started again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;
use tagwarden::clock::Clock;
use tagwarden::jobs::Jobs;
use tagwarden::keep::keep;
use tagwarden::metrics::{Metrics, OfTask};
use tagwarden::poller::PollerSettings;
use tagwarden::store::Scope;
use tagwarden::store::jobs::JobRequest;
use tagwarden_model::api::{JobKind, JobState};
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::observation::{Moment, Mono};
use tagwarden_tests::double::{Ask, Double, Image, Play};
use tagwarden_tests::fake_clock::FakeClock;
use tagwarden_tests::polling::{World, name, tag};
use tagwarden_tests::record::somebody;
use tagwarden_tests::wait;
use tokio::sync::watch;

const PATH: &str = "team/api";

fn of(task: &'static str) -> OfTask {
    OfTask { registry: "registry.example".to_owned(), task }
}

fn panics(metrics: &Metrics, task: &'static str) -> u64 {
    metrics.panics.get_or_create(&of(task)).get()
}

/// A clock that panics once when it is told to.
struct Trap {
    clock: Arc<FakeClock>,
    set: AtomicBool,
}

impl Clock for Trap {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    fn sleep_until(&self, at: Mono) -> BoxFuture<'_, ()> {
        self.clock.sleep_until(at)
    }

    fn anchors(&self) -> Vec<(i64, Instant)> {
        assert!(!self.set.swap(false, Ordering::SeqCst), "the trap was set");
        self.clock.anchors()
    }
}

#[tokio::test]
async fn a_poller_that_panics_is_started_again_after_a_pause() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry("registry.example").await;
    double.push(PATH, &tag("main"), Image::of("first"));
    world.watch(&entry, PATH).await;
    let trap = Arc::new(Trap { clock: world.clock.clone(), set: AtomicBool::new(false) });
    let mut poller = world.poller(&entry, double.clone(), PollerSettings::default());
    poller.clock = trap.clone();
    let (poller, metrics) = (Arc::new(poller), Metrics::new());
    let start = move |stop| {
        let poller = poller.clone();
        async move { poller.run(stop).await }
    };
    let kept = world.start(|stop| keep(of("poller"), start, world.clock.clone(), metrics.clone(), stop));
    world.run(Millis::minutes(1)).await;
    assert_eq!((world.events().await.len(), panics(&metrics, "poller")), (1, 0));

    trap.set.store(true, Ordering::SeqCst);
    world.wake();
    world.run(Millis::seconds(5)).await;
    assert_eq!(panics(&metrics, "poller"), 1);
    double.push(PATH, &tag("main"), Image::of("second"));
    world.run(Millis::minutes(10)).await;
    assert_eq!((world.events().await.len(), panics(&metrics, "poller")), (2, 1), "it polls as before");
    kept.stop().await;
}

#[tokio::test]
async fn a_job_that_panics_fails_and_the_next_one_is_done() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry("registry.example").await;
    double.push(PATH, &tag("main"), Image::of("first"));
    world.watch(&entry, PATH).await;
    double.script(|call| match &call.ask {
        Ask::Manifest(digest) if *digest == Image::of("trap").digest => panic!("the trap was asked for"),
        Ask::Listing if call.repository == "team/trap" => panic!("the trap was listed"),
        _ => Play::Truth,
    });
    let (wake, woken) = watch::channel(());
    let jobs = Arc::new(Jobs {
        store: world.store.clone(),
        clock: world.clock.clone(),
        reach: Box::new(move |_| Ok(double.clone())),
        entry: entry.id,
        policy: Arc::default(),
        wake: woken,
    });
    let metrics = Metrics::new();
    let start = move |stop| {
        let jobs = jobs.clone();
        async move { jobs.run(stop).await }
    };
    let kept = world.start(|stop| keep(of("jobs"), start, world.clock.clone(), metrics.clone(), stop));
    let mut asked = Vec::new();
    for image in ["trap", "first"] {
        let request = JobRequest::Proof(vec![Image::of(image).digest]);
        let (name, now) = (name(&entry, PATH), world.wall());
        let job = world.store.create_job(&name, JobKind::Proof, &request, &somebody(), now).await.unwrap().unwrap();
        asked.push(job.id);
    }
    wake.send_replace(());
    let job = async |id| world.store.job(Scope::All, id).await.unwrap().unwrap();
    // Those who have nothing to do sleep while others work: time passes until then.
    let ended = async |id, times| {
        wait::until("the job ends", wait::START, || async {
            world.run(Millis::seconds(1)).await;
            Some(job(id).await).filter(|job| job.finished.is_some() && panics(&metrics, "jobs") == times)
        })
        .await
    };
    let failed = ended(asked[0], 1).await;
    assert_eq!(failed.state, JobState::Failed, "{failed:?}");
    assert_eq!(job(asked[1]).await.state, JobState::Queued, "it pauses");
    assert_eq!(ended(asked[1], 1).await.state, JobState::Done);
    // So it is with looks, at which others work meanwhile.
    let trap = JobRequest::Preview(name(&entry, "team/trap"));
    let trap = world.store.create_look(entry.id, &trap, &somebody(), world.wall()).await.unwrap().id;
    wake.send_replace(());
    assert_eq!(ended(trap, 2).await.state, JobState::Failed);
    kept.stop().await;
}
