//! What a tag left is fetched by digest before the registry collects it.

use std::sync::Arc;

use tagwarden::poller::PollerSettings;
use tagwarden::registry::RegistryError;
use tagwarden_model::digest::Digest;
use tagwarden_model::event::EventKind;
use tagwarden_model::instant::Millis;
use tagwarden_tests::double::{Ask, Call, Double, Image, Play};
use tagwarden_tests::polling::{Polling, World, tag};

const PATH: &str = "team/api";

struct Scene {
    world: World,
    double: Arc<Double>,
    polling: Polling,
}

fn fails() -> Play {
    Play::Fail(RegistryError::Server { status: 503, message: "try later".to_owned() })
}

impl Scene {
    /// `latest` named `first`, which was read; now it names `claimed`, which HEAD alone says. `answer` is for requests by
    /// digest.
    async fn with_a_claim(mut answer: impl FnMut(&Digest) -> Play + Send + 'static) -> Self {
        let world = World::in_memory().await;
        let double = Arc::new(Double::new(world.clock.clone()));
        let entry = world.entry("registry.example").await;
        double.push(PATH, &tag("latest"), Image::of("first"));
        world.watch(&entry, PATH).await;
        let polling = world.poll(&entry, double.clone(), PollerSettings::default());
        world.run(Millis::minutes(1)).await;
        double.script(move |call: &Call| match &call.ask {
            Ask::Get(_) => fails(),
            Ask::Manifest(digest) => answer(digest),
            _ => Play::Truth,
        });
        double.push(PATH, &tag("latest"), Image::of("claimed"));
        double.calls();
        world.run(Millis::minutes(15)).await;
        let event = world.events().await.pop().unwrap();
        assert_eq!((event.kind, event.verified), (EventKind::Moved, false));
        assert_eq!(by_digest(&double.calls()), [], "what the bytes named before is held");
        Self { world, double, polling }
    }

    /// Another move: nobody ever read what was claimed before.
    async fn moves_on(&self) {
        self.double.push(PATH, &tag("latest"), Image::of("last"));
        self.world.run(Millis::minutes(20)).await;
        let event = self.world.events().await.pop().unwrap();
        assert_eq!((event.old_digest, event.new_digest), (Some(claimed().digest), Some(Image::of("last").digest)));
    }

    async fn held(&self) -> Option<Vec<u8>> {
        let kept = self.world.store.content(&claimed().digest).await.unwrap();
        kept.map(|content| content.bytes)
    }
}

fn claimed() -> Image {
    Image::of("claimed")
}

fn by_digest(calls: &[Call]) -> Vec<Digest> {
    let digest = |call: &Call| if let Ask::Manifest(digest) = &call.ask { Some(digest.clone()) } else { None };
    calls.iter().filter_map(digest).collect()
}

#[tokio::test]
async fn what_was_only_claimed_is_fetched_by_digest_when_the_tag_leaves_it() {
    let scene = Scene::with_a_claim(|_| Play::Truth).await;
    assert_eq!(scene.held().await, None);
    scene.moves_on().await;
    assert_eq!(by_digest(&scene.double.calls()), [claimed().digest]);
    assert_eq!(scene.held().await.as_deref(), Some(&*claimed().bytes));
    scene.polling.stop().await;
}

#[tokio::test]
async fn a_deletion_leaves_its_digest_too() {
    let scene = Scene::with_a_claim(|_| Play::Truth).await;
    scene.double.remove(PATH, &tag("latest"));
    scene.double.push(PATH, &tag("other"), Image::of("other"));
    scene.world.run(Millis::minutes(30)).await;
    let deleted = scene.world.events().await.into_iter().any(|event| event.kind == EventKind::Deleted);
    assert!(deleted && scene.held().await.is_some());
    scene.polling.stop().await;
}

#[tokio::test]
async fn what_is_collected_already_is_no_error_and_not_asked_for_again() {
    let scene = Scene::with_a_claim(|_| Play::Truth).await;
    scene.double.push(PATH, &tag("latest"), Image::of("last"));
    scene.double.collect();
    scene.moves_on().await;
    assert_eq!(by_digest(&scene.double.calls()), [claimed().digest]);
    assert_eq!(scene.held().await, None);
    // It goes on: when bytes can be had again, the claim is proven.
    scene.double.script(|_| Play::Truth);
    scene.world.run(Millis::minutes(10)).await;
    assert!(scene.world.events().await.pop().unwrap().verified);
    scene.polling.stop().await;
}

#[tokio::test]
async fn an_answer_that_says_nothing_is_asked_for_once_more() {
    for (failures, kept) in [(1, true), (2, false)] {
        let mut asked = 0;
        let scene = Scene::with_a_claim(move |_| {
            asked += 1;
            if asked <= failures { fails() } else { Play::Truth }
        })
        .await;
        scene.moves_on().await;
        let calls = scene.double.calls();
        let sent: Vec<_> = calls.iter().filter(|call| matches!(call.ask, Ask::Manifest(_))).collect();
        assert_eq!(sent.len(), 2, "{failures}");
        let pause = sent[1].sent.mark.wall - sent[0].sent.mark.wall;
        assert!((30_000..31_000).contains(&pause.0), "{pause:?}");
        assert_eq!(scene.held().await.is_some(), kept);
        scene.polling.stop().await;
    }
}

#[tokio::test]
async fn what_is_held_is_not_fetched() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let entry = world.entry("registry.example").await;
    double.push(PATH, &tag("latest"), Image::of("first"));
    double.push(PATH, &tag("1.0.0"), Image::of("first"));
    world.watch(&entry, PATH).await;
    let polling = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(1)).await;
    double.calls();
    double.push(PATH, &tag("latest"), Image::of("second"));
    double.remove(PATH, &tag("1.0.0"));
    world.run(Millis::minutes(30)).await;
    let kinds: Vec<_> = world.events().await.into_iter().skip(2).map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Moved, EventKind::Deleted]);
    assert_eq!(by_digest(&double.calls()), []);
    polling.stop().await;
}
