//! Checks that a person asks for: jobs with progress.

use std::sync::Arc;

use tagwarden::clock::Clock as _;
use tagwarden::poller::PollerSettings;
use tagwarden::registry::RegistryError;
use tagwarden::store::Scope;
use tagwarden::store::jobs::JobRequest;
use tagwarden::store::watch::RegistryEntry;
use tagwarden_model::api::{Job, JobKind, JobState};
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::Millis;
use tagwarden_model::name::TagName;
use tagwarden_tests::double::{Ask, Double, Image, Play};
use tagwarden_tests::polling::{Polling, World, name, tag};
use tagwarden_tests::record::somebody;

const PATH: &str = "team/api";

struct Scene {
    world: World,
    double: Arc<Double>,
    entry: RegistryEntry,
    polling: Polling,
}

impl Scene {
    /// A repository of so many tags that was read a minute ago.
    async fn new(tags: usize) -> Self {
        let world = World::in_memory().await;
        let double = Arc::new(Double::new(world.clock.clone()));
        let entry = world.entry("registry.example").await;
        for number in 0..tags {
            double.push(PATH, &tag(&format!("branch-{number}")), Image::of(&number.to_string()));
        }
        world.watch(&entry, PATH).await;
        let polling = world.poll(&entry, double.clone(), PollerSettings::default());
        world.run(Millis::minutes(1)).await;
        assert_eq!(world.events().await.len(), tags);
        Self { world, double, entry, polling }
    }

    async fn ask(&self, tags: &[TagName]) -> i64 {
        let now = self.world.clock.now().mark.wall;
        let (name, request) = (name(&self.entry, PATH), JobRequest::Check(tags.to_vec()));
        let job =
            self.world.store.create_job(&name, JobKind::Check, &request, &somebody(), now).await.unwrap().unwrap();
        assert_eq!(job.state, JobState::Queued);
        self.world.wake();
        job.id
    }

    async fn job(&self, id: i64) -> Job {
        self.world.store.job(Scope::All, id).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_check_of_a_repository_reports_how_far_it_is() {
    let scene = Scene::new(400).await;
    // Four at once: ten seconds in all.
    scene.double.take(Millis(100));
    let id = scene.ask(&[]).await;
    let mut steps = Vec::new();
    for _ in 0..12 {
        scene.world.run(Millis::seconds(1)).await;
        let job = scene.job(id).await;
        if job.state == JobState::Running {
            steps.push((job.done, job.total));
        }
    }
    assert!(steps.len() >= 8, "{steps:?}");
    assert!(steps.is_sorted() && steps.windows(2).skip(1).all(|pair| pair[0] < pair[1]), "{steps:?}");
    assert!(steps.iter().skip(1).all(|(_, total)| *total == 400), "{steps:?}");
    let job = scene.job(id).await;
    assert_eq!((job.state, job.error), (JobState::Done, None));
    assert!(job.finished.is_some());
    scene.polling.stop().await;
}

#[tokio::test]
async fn a_check_of_one_tag_asks_for_it_at_once_and_for_nothing_else() {
    let scene = Scene::new(50).await;
    scene.double.push(PATH, &tag("branch-7"), Image::of("moved"));
    scene.double.calls();
    let id = scene.ask(&[tag("branch-7")]).await;
    scene.world.run(Millis::seconds(1)).await;
    assert_eq!(scene.job(id).await.state, JobState::Done);
    let asked: Vec<Ask> = scene.double.calls().into_iter().map(|call| call.ask).collect();
    assert_eq!(asked, [Ask::Head(tag("branch-7")), Ask::Get(tag("branch-7"))]);
    let event = scene.world.events().await.pop().unwrap();
    assert_eq!((event.kind, event.new_digest), (EventKind::Moved, Some(Image::of("moved").digest)));
    scene.polling.stop().await;
}

#[tokio::test]
async fn a_check_that_fails_says_why() {
    let scene = Scene::new(5).await;
    scene.double.script(|_| Play::Fail(RegistryError::Unreachable { message: "connection refused".to_owned() }));
    let id = scene.ask(&[]).await;
    scene.world.run(Millis::seconds(5)).await;
    let job = scene.job(id).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(job.error.as_deref().unwrap_or_default().contains("connection refused"), "{job:?}");
    assert_eq!(scene.world.events().await.len(), 5);
    scene.polling.stop().await;
}

#[tokio::test]
async fn a_check_of_one_tag_that_fails_says_why() {
    let scene = Scene::new(5).await;
    scene.double.script(|_| Play::Fail(RegistryError::Unreachable { message: "connection refused".to_owned() }));
    let id = scene.ask(&[tag("branch-1")]).await;
    scene.world.run(Millis::seconds(5)).await;
    let job = scene.job(id).await;
    assert_eq!(job.state, JobState::Failed, "{job:?}");
    scene.polling.stop().await;
}

#[tokio::test]
async fn a_check_of_a_tag_that_is_gone_asks_for_a_listing_at_once() {
    let scene = Scene::new(3).await;
    let gone = tag("branch-1");
    scene.double.remove(PATH, &gone);
    let id = scene.ask(std::slice::from_ref(&gone)).await;
    scene.world.run(Millis::seconds(1)).await;
    assert_eq!(scene.job(id).await.state, JobState::Done, "it waits for no pass");
    // Asked again a minute after the first 404, not at the pace of its band.
    scene.world.run(Millis::seconds(70)).await;
    let kinds: Vec<_> = scene.world.events().await.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::Deleted).count(), 0, "the delay is five minutes here");
    scene.world.run(Millis::minutes(5)).await;
    let events = scene.world.events().await;
    assert_eq!(events.iter().filter(|event| event.kind == EventKind::Deleted).count(), 1);
    scene.polling.stop().await;
}
