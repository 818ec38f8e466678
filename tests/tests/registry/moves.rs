//! Releases that are pushed again with other bytes.

use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::flag::FlagState;
use tagwarden_tests::images::Image;
use tagwarden_tests::skopeo;

use super::world::{World, during, step};
use crate::scenario;

scenario! {
    async fn moves(world: World) {
        tokio::join!(reassigned_and_restored(&world), wandering(&world), published(&world));
    }
}

/// Push `2.3.0`, watch; push other bytes: one open flag, whose window encloses the push. Push the old bytes: restored, not
/// closed.
async fn reassigned_and_restored(world: &World) {
    const REPOSITORY: &str = "team/api";
    let (api, host) = (&world.api, world.registry.host());
    // Of two platforms: what is watched is the index, never a child.
    let (old, new) = (Image::index(1), Image::index(2));
    skopeo::push(&old, &host, REPOSITORY, "2.3.0").await;
    world.watch(REPOSITORY, 1).await;
    assert_eq!(api.flags(REPOSITORY).await, []);

    let (_, push) = during(skopeo::push(&new, &host, REPOSITORY, "2.3.0")).await;
    let moved = api.recorded(REPOSITORY, 2).await.remove(1);
    assert_eq!(step(&moved), (EventKind::Moved, Some(old.digest.clone()), Some(new.digest.clone())));
    assert!(moved.verified && !moved.baseline && push.is_enclosed_by(&moved), "{push:?} {moved:#?}");
    let flags = api.flags(REPOSITORY).await;
    let [flag] = flags.as_slice() else { panic!("one flag: {flags:#?}") };
    // Before it is compared, and then because of its files.
    assert_eq!((flag.state, flag.severity), (FlagState::Open, Severity::Critical));
    assert_eq!((flag.tag.as_deref(), moved.flag), (Some("2.3.0"), Some(flag.id)));
    assert_eq!((&flag.promise, &flag.current), (&Some(old.digest.clone()), &Some(new.digest.clone())));
    assert_eq!((flag.not_before, flag.not_after), (moved.not_before, moved.not_after));
    let way_back = api.flag(flag.id).await.targets.remove(0);
    assert_eq!(way_back.pinned, format!("{}@{}", api.name(REPOSITORY), old.digest));

    let (_, push) = during(skopeo::push(&old, &host, REPOSITORY, "2.3.0")).await;
    let restored = api.recorded(REPOSITORY, 3).await.remove(2);
    assert_eq!(step(&restored), (EventKind::Moved, Some(new.digest), Some(old.digest.clone())));
    assert!(push.is_enclosed_by(&restored), "{push:?} {restored:#?}");
    let flags = api.flags(REPOSITORY).await;
    let [flag] = flags.as_slice() else { panic!("still one flag: {flags:#?}") };
    assert_eq!((flag.state, &flag.current), (FlagState::Restored, &Some(old.digest)));
}

/// A -> B -> C -> B: still one open flag; only A ends the breach.
async fn wandering(world: &World) {
    const REPOSITORY: &str = "team/wanderer";
    let (api, host) = (&world.api, world.registry.host());
    let [a, b, c] = [11, 12, 13].map(Image::single);
    skopeo::push(&a, &host, REPOSITORY, "1.0.0").await;
    // Another name for B: a tag is moved from one to the other as pipelines "promote".
    skopeo::push(&b, &host, REPOSITORY, "2.0.0").await;
    world.watch(REPOSITORY, 2).await;

    let mut known = 2;
    let mut old = &a;
    for new in [&b, &c, &b] {
        let ((), push) = during(async {
            if new == &b {
                skopeo::move_tag(&host, REPOSITORY, "2.0.0", "1.0.0").await;
            } else {
                skopeo::push(new, &host, REPOSITORY, "1.0.0").await;
            }
        })
        .await;
        known += 1;
        let moved = api.recorded(REPOSITORY, known).await.remove(known - 1);
        assert_eq!(step(&moved), (EventKind::Moved, Some(old.digest.clone()), Some(new.digest.clone())));
        assert!(push.is_enclosed_by(&moved), "{push:?} {moved:#?}");
        let flags = api.flags(REPOSITORY).await;
        let [flag] = flags.as_slice() else { panic!("one flag: {flags:#?}") };
        assert_eq!((flag.state, &flag.promise, moved.flag), (FlagState::Open, &Some(a.digest.clone()), Some(flag.id)));
        old = new;
    }
    let flag = api.flags(REPOSITORY).await.remove(0);
    assert!(flag.flapping, "three moves within a day: {flag:#?}");
    assert_eq!(api.flag(flag.id).await.events.len(), 3);

    skopeo::push(&a, &host, REPOSITORY, "1.0.0").await;
    api.recorded(REPOSITORY, known + 1).await;
    let flags = api.flags(REPOSITORY).await;
    assert_eq!(flags.iter().map(|flag| flag.state).collect::<Vec<_>>(), [FlagState::Restored]);
}

/// A release that appears while we watch has a window and no flag.
async fn published(world: &World) {
    const REPOSITORY: &str = "team/publisher";
    let (api, host) = (&world.api, world.registry.host());
    let (first, second) = (Image::single(21), Image::index(22));
    skopeo::push(&first, &host, REPOSITORY, "1.0.0").await;
    world.watch(REPOSITORY, 1).await;
    // Two listings without a tag make its creation more than a baseline.
    for _ in 0..2 {
        assert_eq!(api.check(REPOSITORY).await.error, None);
    }
    let (_, push) = during(skopeo::push(&second, &host, REPOSITORY, "1.1.0")).await;
    let created = api.recorded(REPOSITORY, 2).await.remove(1);
    assert_eq!(step(&created), (EventKind::Created, None, Some(second.digest)));
    assert!(!created.baseline && push.is_enclosed_by(&created), "{push:?} {created:#?}");
    assert_eq!(api.flags(REPOSITORY).await, []);
}
