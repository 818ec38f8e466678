//! When images of releases that stood before the watch claim to be made.

use std::sync::Arc;

use serde_json::json;
use tagwarden::compare::Comparer;
use tagwarden::poller::PollerSettings;
use tagwarden::registry::RegistryError;
use tagwarden::registry::allowance::Allowance;
use tagwarden::store::Scope;
use tagwarden::store::read::timeline::LaneFilter;
use tagwarden::store::read::timeline::tile::TileAt;
use tagwarden::store::watch::RegistryEntry;
use tagwarden_model::api::TimelineHead;
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_tests::double::{Ask, Double, Image, Play};
use tagwarden_tests::polling::{Polling, START, World, tag};

const HOST: &str = "registry.example";
const PATH: &str = "team/api";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// The manifest of an image whose config says this; it is kept.
fn image(double: &Double, created: Option<&str>) -> Vec<u8> {
    let mut config =
        json!({ "architecture": "amd64", "os": "linux", "config": {}, "rootfs": { "type": "layers", "diff_ids": [] } });
    if let Some(created) = created {
        config["created"] = created.into();
    }
    let config = config.to_string().into_bytes();
    let digest = double.keep(&config);
    let config = json!({ "mediaType": CONFIG, "digest": digest.to_string(), "size": config.len() });
    let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [] });
    manifest.to_string().into_bytes()
}

/// An index of some images for two platforms, of which the first speaks.
fn index(double: &Double, created: &str) -> Vec<u8> {
    let entry = |bytes: Vec<u8>, platform: &str| {
        let digest = double.keep(&bytes).to_string();
        let platform = json!({ "os": "linux", "architecture": platform });
        json!({ "mediaType": MANIFEST, "digest": digest, "size": bytes.len(), "platform": platform })
    };
    let manifests =
        [entry(image(double, Some(created)), "amd64"), entry(image(double, Some("2020-02-02T02:02:02Z")), "arm64")];
    let media_type = "application/vnd.oci.image.index.v1+json";
    json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests }).to_string().into_bytes()
}

fn push(double: &Double, name: &str, manifest: &[u8]) {
    let digest = Digest::of(manifest);
    double.push(PATH, &tag(name), Image { bytes: manifest.into(), digest });
}

async fn head(world: &World) -> TimelineHead {
    world.store.lanes(Scope::All, &LaneFilter::default(), None, 40).await.unwrap().unwrap().0
}

async fn progress(world: &World) -> (u64, u64) {
    let head = head(world).await;
    (head.repositories[0].hints, head.repositories[0].hints_to_come)
}

/// Tags and the instants of their hints.
async fn hints(world: &World) -> Vec<(String, Instant)> {
    let lanes: Vec<i64> = head(world).await.lanes.iter().map(|lane| lane.id.parse().unwrap()).collect();
    let mut found = Vec::new();
    for number in 0..=1 {
        let tile = world.store.tile(Scope::All, TileAt::new(32, number).unwrap(), &lanes).await.unwrap();
        let hint = |hint: &tagwarden_model::api::Hint| (tile.tags[hint.tag as usize].clone(), Instant(hint.created_ms));
        found.extend(tile.hints.iter().map(hint));
    }
    found
}

fn compare(world: &World, entry: &RegistryEntry, double: &Arc<Double>) -> Polling {
    let comparer = Comparer {
        store: world.store.clone(),
        clock: world.clock.clone(),
        registry: double.clone(),
        entry: entry.clone(),
    };
    world.start(|stop| async move { comparer.run(stop).await })
}

#[tokio::test]
async fn what_stood_before_the_watch_stands_where_its_image_claims_to_be_made() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    push(&double, "1.0.0", &image(&double, Some("2026-01-02T03:04:05Z")));
    push(&double, "1.1.0", &index(&double, "2026-02-03T04:05:06.789+02:00"));
    let later = START + Millis::days(300);
    for (name, created) in [
        ("1.2.0", Some("1970-01-01T00:00:00Z")),
        ("1.3.0", Some("1980-01-01T00:00:01Z")),
        ("1.4.0", Some("yesterday")),
        ("1.5.0", Some(&later.to_string()[..])),
        ("1.6.0", None),
    ] {
        push(&double, name, &image(&double, created));
    }
    push(&double, "1.7.0", Image::of("no image at all").bytes.as_ref());
    push(&double, "latest", &image(&double, Some("2026-03-03T00:00:00Z")));
    let entry = world.entry(HOST).await;
    world.watch(&entry, PATH).await;
    let poller = world.poll(&entry, double.clone(), PollerSettings::default());
    let comparer = compare(&world, &entry, &double);
    world.run(Millis::minutes(10)).await;
    assert_eq!(progress(&world).await, (2, 0), "no GET is repeated for those that claim nothing");
    let expected = [("1.0.0", "2026-01-02T03:04:05Z"), ("1.1.0", "2026-02-03T02:05:06.789Z")];
    assert_eq!(hints(&world).await, expected.map(|(tag, at)| (tag.to_owned(), at.parse().unwrap())));
    // What is pushed from now on was seen: it needs no hint.
    push(&double, "1.8.0", &image(&double, Some("2026-04-04T00:00:00Z")));
    world.run(Millis::minutes(20)).await;
    assert_eq!((progress(&world).await, hints(&world).await.len()), ((2, 0), 2));
    comparer.stop().await;
    poller.stop().await;
}

#[tokio::test]
async fn the_newest_versions_are_looked_into_first_while_half_of_what_is_allowed_is_left() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let configs: Vec<Digest> = (0..45)
        .map(|minor| {
            let manifest = image(&double, Some(&format!("2026-01-01T00:00:{minor:02}Z")));
            push(&double, &format!("1.{minor}.0"), &manifest);
            let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
            manifest["config"]["digest"].as_str().unwrap().parse().unwrap()
        })
        .collect();
    let entry = world.entry(HOST).await;
    world.watch(&entry, PATH).await;
    let poller = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(10)).await;
    let allowance = |remaining| Allowance { limit: 100, window: Millis::hours(6), remaining };
    double.allow(allowance(49));
    let comparer = compare(&world, &entry, &double);
    world.run(Millis::minutes(10)).await;
    assert_eq!(progress(&world).await, (0, 45));
    double.calls();
    double.allow(allowance(50));
    world.run(Millis::minutes(10)).await;
    assert_eq!(progress(&world).await, (45, 0));
    // The manifests were kept when they were read first.
    let read = double.calls().into_iter().filter_map(|call| match call.ask {
        Ask::Blob(digest) => Some(digest),
        _ => None,
    });
    assert_eq!(read.collect::<Vec<_>>(), configs.into_iter().rev().collect::<Vec<_>>(), "each once");
    comparer.stop().await;
    poller.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_holds_up_nothing_behind_it() {
    let world = World::in_memory().await;
    let double = Arc::new(Double::new(world.clock.clone()));
    let mut configs = Vec::new();
    for minor in 0..12 {
        let manifest = image(&double, Some(&format!("2026-01-01T00:00:{minor:02}Z")));
        push(&double, &format!("1.{minor}.0"), &manifest);
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        configs.push(manifest["config"]["digest"].as_str().unwrap().parse::<Digest>().unwrap());
    }
    // The newest and the five before the last two, which are more than are borne in a row.
    let refused: Vec<Digest> = configs
        .iter()
        .enumerate()
        .filter(|(at, _)| *at == 11 || (2..7).contains(at))
        .map(|(_, of)| of.clone())
        .collect();
    let entry = world.entry(HOST).await;
    world.watch(&entry, PATH).await;
    let poller = world.poll(&entry, double.clone(), PollerSettings::default());
    world.run(Millis::minutes(10)).await;
    double.script(move |call| match &call.ask {
        Ask::Blob(digest) if refused.contains(digest) => {
            Play::Fail(RegistryError::Refused { message: "no".to_owned() })
        }
        _ => Play::Truth,
    });
    let comparer = compare(&world, &entry, &double);
    world.run(Millis::minutes(10)).await;
    assert_eq!(progress(&world).await, (6, 6), "only what is refused is left");
    double.script(|_| Play::Truth);
    world.run(Millis::minutes(10)).await;
    assert_eq!(progress(&world).await, (12, 0));
    comparer.stop().await;
    poller.stop().await;
}
