//! Deletions by digest, which take every tag that shares it.

use tagwarden_model::event::{DeletedBy, EventKind};
use tagwarden_model::flag::FlagState;
use tagwarden_tests::images::Image;
use tagwarden_tests::skopeo;

use super::world::{DELAY, During, World, during, step};
use crate::scenario;

scenario! {
    async fn deletions(world: World) {
        tokio::join!(shared(&world), last(&world));
    }
}

/// Delete by digest with a shared tag: two deletions in one group, after confirmation. The other release stays.
async fn shared(world: &World) {
    const REPOSITORY: &str = "team/shared";
    let host = world.registry.host();
    let image = Image::index(31);
    skopeo::push(&image, &host, REPOSITORY, "1.0.0").await;
    skopeo::push(&Image::single(32), &host, REPOSITORY, "1.0.1").await;
    skopeo::move_tag(&host, REPOSITORY, "1.0.0", "1.0").await;
    skopeo::move_tag(&host, REPOSITORY, "1.0.0", "1.0.0-amd64").await;
    world.watch(REPOSITORY, 4).await;

    // `1.0` is a rolling tag that shares the digest until it goes on.
    skopeo::move_tag(&host, REPOSITORY, "1.0.1", "1.0").await;
    world.api.recorded(REPOSITORY, 5).await;
    let ((), deletion) = during(skopeo::delete(&host, REPOSITORY, "1.0.0")).await;
    two_are_gone(world, REPOSITORY, &image, deletion, 5, DeletedBy::Unlisted).await;
}

/// The same when they were the last tags of the repository; and when they come back.
async fn last(world: &World) {
    const REPOSITORY: &str = "team/last";
    let (api, host) = (&world.api, world.registry.host());
    let image = Image::single(41);
    skopeo::push(&image, &host, REPOSITORY, "1.0.0").await;
    skopeo::move_tag(&host, REPOSITORY, "1.0.0", "1.0.0-amd64").await;
    world.watch(REPOSITORY, 2).await;

    let ((), deletion) = during(skopeo::delete(&host, REPOSITORY, "1.0.0")).await;
    let empty = api.repository_until(REPOSITORY, "its list is empty", |found| found.state.word() == "empty").await;
    assert!(empty.state_reason.is_some(), "{empty:#?}");
    two_are_gone(world, REPOSITORY, &image, deletion, 2, DeletedBy::EmptyListing).await;

    let (_, push) = during(skopeo::push(&image, &host, REPOSITORY, "1.0.0")).await;
    let recreated = api.recorded(REPOSITORY, 5).await.remove(4);
    assert_eq!(step(&recreated), (EventKind::Recreated, None, Some(image.digest)));
    assert!(push.is_enclosed_by(&recreated), "{push:?} {recreated:#?}");
    let mut flags = api.flags(REPOSITORY).await;
    flags.sort_by(|one, other| one.tag.cmp(&other.tag));
    assert_eq!(flags.iter().map(|flag| flag.state).collect::<Vec<_>>(), [FlagState::Restored, FlagState::Open]);
}

/// After `known` events come the deletions of `1.0.0` and `1.0.0-amd64`, which were `image`, and nothing else.
async fn two_are_gone(
    world: &World,
    repository: &str,
    image: &Image,
    deletion: During,
    known: usize,
    deleted_by: DeletedBy,
) {
    let api = &world.api;
    let mut gone = api.recorded(repository, known + 2).await.split_off(known);
    gone.sort_by(|one, other| one.tag.cmp(&other.tag));
    assert_eq!(gone.iter().map(|event| event.tag.as_deref()).collect::<Vec<_>>(), [Some("1.0.0"), Some("1.0.0-amd64")]);
    for event in &gone {
        assert_eq!(step(event), (EventKind::Deleted, Some(image.digest.clone()), None));
        assert!(deletion.is_enclosed_by(event), "{deletion:?} {event:#?}");
        assert!(event.not_after - deletion.before >= DELAY, "unconfirmed: {deletion:?} {event:#?}");
        assert_eq!(event.deleted_by, Some(deleted_by));
        assert_eq!((event.group_id.is_some(), event.group_id), (true, gone[0].group_id), "{gone:#?}");
    }
    let mut flags = api.flags(repository).await;
    flags.sort_by(|one, other| one.tag.cmp(&other.tag));
    let [one, other] = flags.as_slice() else { panic!("two flags: {flags:#?}") };
    assert_eq!((one.group_id, other.group_id), (gone[0].group_id, gone[0].group_id));
    for (flag, event) in flags.iter().zip(&gone) {
        assert_eq!((flag.state, &flag.tag, &flag.current), (FlagState::Open, &event.tag, &None));
        assert_eq!((event.flag, &flag.promise), (Some(flag.id), &Some(image.digest.clone())));
    }
}
