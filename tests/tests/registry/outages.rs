//! Registries that do not answer, and repositories that seem to be gone.

use std::fs;

use tagwarden_model::event::EventKind;
use tagwarden_tests::images::Image;
use tagwarden_tests::skopeo;

use super::world::{World, step};
use crate::scenario;

scenario! {
    async fn outages(world: World) {
        let mut world = world;
        hidden(&world).await;
        stopped(&mut world).await;
    }
}

/// Stop the registry: failing, no event. Start it: ok, no event.
async fn stopped(world: &mut World) {
    const REPOSITORY: &str = "team/api";
    let host = world.registry.host();
    skopeo::push(&Image::index(51), &host, REPOSITORY, "1.0.0").await;
    skopeo::push(&Image::single(52), &host, REPOSITORY, "1.1.0").await;
    world.watch(REPOSITORY, 2).await;

    world.registry.stop();
    let failing = world.api.repository_until(REPOSITORY, "failing", |found| found.state.word() == "failing").await;
    assert!(failing.state_reason.is_some_and(|reason| !reason.is_empty()));
    let late = |band: &tagwarden_model::api::Freshness| band.late_since.is_some() && band.late_reason.is_some();
    world.api.repository_until(REPOSITORY, "late, with its reason", |found| found.freshness.iter().all(late)).await;
    assert_eq!(world.api.events(REPOSITORY).await.len(), 2);

    world.registry.restart().await;
    let fresh = |band: &tagwarden_model::api::Freshness| band.late_since.is_none();
    world
        .api
        .repository_until(REPOSITORY, "ok and fresh again", |found| {
            found.state.word() == "ok" && found.state_reason.is_none() && found.freshness.iter().all(fresh)
        })
        .await;
    still_true_and_awake(world, REPOSITORY, 2).await;

    // The log told each change once, of the repository and of its registry, however many passes found it so.
    let log = world.tagwarden.log();
    let told =
        |subject: &str, words: &str| log.lines().filter(|line| line.contains(words) && line.contains(subject)).count();
    for subject in [format!("repository={host}/{REPOSITORY}"), format!("registry=\"{host}\"")] {
        assert_eq!(told(&subject, " failing: "), 1, "{subject}\n{log}");
        assert_eq!(told(&subject, " ok again after "), 1, "{subject}\n{log}");
    }
}

/// The repository is replaced by 404s for a while: hidden, no deletions.
async fn hidden(world: &World) {
    const REPOSITORY: &str = "team/hidden";
    let (api, host) = (&world.api, world.registry.host());
    skopeo::push(&Image::index(61), &host, REPOSITORY, "1.0.0").await;
    skopeo::push(&Image::single(62), &host, REPOSITORY, "1.1.0").await;
    world.watch(REPOSITORY, 2).await;

    let place = world.registry.data().join("data/docker/registry/v2/repositories").join(REPOSITORY);
    let aside = world.registry.data().join("aside");
    fs::rename(&place, &aside).unwrap();
    skopeo::list_tags(&host, REPOSITORY).await.expect_err("404");
    let hidden = api.repository_until(REPOSITORY, "hidden", |found| found.state.word() == "hidden").await;
    assert!(hidden.state_reason.is_some_and(|reason| reason.contains("404")));
    // Long enough for every deletion to be confirmed, if these 404s counted.
    for _ in 0..5 {
        let last = api.repository_until(REPOSITORY, "a pass", |found| found.last_pass.is_some()).await.last_pass;
        api.repository_until(REPOSITORY, "the next pass", |found| found.last_pass > last).await;
    }
    assert_eq!(api.repository_until(REPOSITORY, "its state", |_| true).await.state.word(), "hidden");
    assert_eq!(api.events(REPOSITORY).await.len(), 2);

    fs::rename(&aside, &place).unwrap();
    api.repository_until(REPOSITORY, "ok again", |found| found.state.word() == "ok").await;
    still_true_and_awake(world, REPOSITORY, 2).await;
}

/// Two more passes add nothing to the `known` events and no flag; the next move of `1.0.0` is found.
async fn still_true_and_awake(world: &World, repository: &str, known: usize) {
    let api = &world.api;
    for _ in 0..2 {
        assert_eq!(api.check(repository).await.error, None);
    }
    let events = api.events(repository).await;
    assert_eq!(events.len(), known, "{events:#?}");
    assert_eq!(api.flags(repository).await, []);
    let digest = skopeo::push(&Image::single(99), &world.registry.host(), repository, "1.0.0").await;
    let moved = api.recorded(repository, known + 1).await.remove(known);
    assert_eq!(step(&moved), (EventKind::Moved, events_digest(&events, "1.0.0"), Some(digest)));
}

fn events_digest(events: &[tagwarden_model::api::Event], tag: &str) -> Option<tagwarden_model::digest::Digest> {
    events.iter().find(|event| event.tag.as_deref() == Some(tag)).and_then(|event| event.new_digest.clone())
}
