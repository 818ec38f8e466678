//! How bad a change is, and who is told of it: each kind pushed, compared, flagged and told by webhooks.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::{Value, json};
use tagwarden_model::api::Readiness;
use tagwarden_model::digest::Digest;
use tagwarden_model::event::{EventKind, Severity};
use tagwarden_model::flag::FlagState;
use tagwarden_tests::images::{Image, delete_blob, delete_digest};
use tagwarden_tests::receiver::Receiver;
use tagwarden_tests::{http_client, skopeo};

use super::world::{Database, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn severities_on_sqlite() {
    severities(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn severities_on_postgres() {
    severities(Database::Postgres).await;
}

/// A release that is pushed again, and what is to be said of it.
struct Case {
    repository: &'static str,
    old: Image,
    new: Image,
    /// A blob that the registry has forgotten by then.
    forgotten: Option<Digest>,
    severity: Severity,
    words: &'static str,
}

async fn severities(database: Database) {
    let (mut everybody, mut on_call) = (Receiver::start([]).await, Receiver::start([]).await);
    let notifier = |name: &str, url: &str, more: &str| {
        format!("[[notifier]]\nname = '{name}'\nkind = 'webhook'\nurl = '{url}'\nallow_private = true\n{more}\n")
    };
    let config = [
        // Long enough for fifty deletions to be written on a busy machine.
        "[notifications]\nquiet_time = '4s'\n[[policy]]\nrepository = '**/rebuilt'\ntag = '*'\nclass = 'rebuilt'\n",
        &notifier("everybody", &everybody.url, ""),
        &notifier("on-call", &on_call.url, "severity = 'critical'"),
    ];
    let world = World::start_with(database, &config.concat()).await;
    let [one, two, three, four, five] = cases();
    let moves = [&one, &two, &three, &four, &five].map(|case| pushed_again(&world, case));
    tokio::join!(join_all(moves), fifty_deleted(&world), refreshed(&world));

    let heard = messages(&world, "everybody", &mut everybody, 7).await;
    let mut subjects: Vec<_> = [&one, &two, &three, &four, &five].map(|case| case.subject(&world)).into();
    subjects.extend([world.api.name(FIFTY), format!("{}:1.27", world.api.name(REBUILT))]);
    subjects.sort();
    assert_eq!(heard.keys().cloned().collect::<Vec<_>>(), subjects, "each once");
    for case in [&one, &two, &three, &four, &five] {
        case.was_told(&heard[&case.subject(&world)], &world);
    }
    fifty_were_told(&heard[&world.api.name(FIFTY)], &world);

    // The messages of one telling are written together: what the other one shall hear was to be had before this.
    let heard = messages(&world, "on-call", &mut on_call, 3).await;
    let mut subjects = [four.subject(&world), five.subject(&world), format!("{}:1.27", world.api.name(REBUILT))];
    subjects.sort();
    assert_eq!(heard.keys().cloned().collect::<Vec<_>>(), subjects, "only the worst");
    for case in [&four, &five] {
        case.was_told(&heard[&case.subject(&world)], &world);
    }
}

fn cases() -> [Case; 5] {
    let index = Image::index(1);
    let [amd64, arm64] = <[Image; 2]>::try_from(index.children.clone()).unwrap();
    let platforms = [("amd64", amd64), ("arm64", arm64)];
    let attested = |builder: &str| Image::listing(&platforms, Some(&json!({ "builder": builder })));
    let serve = json!({ "Entrypoint": ["/serve"] });
    let entrypoint = |seed, path: &str| Image::gzipped(seed, 6, &json!({ "Entrypoint": [path] }));
    let forgetful = entrypoint(5, "/serve");
    let labels = json!({ "severity": "info", "retention": "true", "io.tagwarden.severity": "info",
        "org.opencontainers.image.revision": "0123456789abcdef0123456789abcdef01234567" });
    [
        Case {
            repository: "team/attested",
            old: attested("one"),
            new: attested("two"),
            forgotten: None,
            severity: Severity::Info,
            words: "only attestations differ",
        },
        Case {
            repository: "team/platforms",
            new: Image::listing(&platforms[..1], None),
            old: index,
            forgotten: None,
            severity: Severity::Warning,
            words: "linux/arm64 was removed",
        },
        Case {
            repository: "team/recompressed",
            old: Image::gzipped(3, 1, &serve),
            new: Image::gzipped(3, 9, &serve),
            forgotten: None,
            severity: Severity::Warning,
            words: "same layers, compressed anew",
        },
        Case {
            repository: "team/content",
            old: entrypoint(4, "/serve"),
            // Whoever pushes may say what he likes: it lowers nothing.
            new: Image::gzipped(44, 6, &json!({ "Entrypoint": ["/other"], "Labels": labels })),
            forgotten: None,
            severity: Severity::Critical,
            words: "entrypoint and the only layer differ",
        },
        Case {
            repository: "team/forgotten",
            forgotten: Some(Digest::of(&forgetful.blobs[0])),
            old: forgetful,
            new: entrypoint(55, "/serve"),
            severity: Severity::Critical,
            words: "what changed cannot be told: ",
        },
    ]
}

/// Pushed, watched, pushed again: one flag, which says what differs and how bad that is.
async fn pushed_again(world: &World, case: &Case) {
    let (api, host, repository) = (&world.api, world.registry.host(), case.repository);
    skopeo::push(&case.old, &host, repository, "1.0.0").await;
    // What the registry has is read as soon as it is watched, and kept.
    if let Some(blob) = &case.forgotten {
        delete_blob(&http_client(), &world.registry.url(), repository, blob).await;
    }
    world.watch(repository, 1).await;
    skopeo::push(&case.new, &host, repository, "1.0.0").await;
    let moved = api.recorded(repository, 2).await.remove(1);
    assert_eq!((moved.kind, moved.verified), (EventKind::Moved, true), "{moved:#?}");
    let detail = api.compared(repository).await;
    let flag = &detail.flag;
    assert_eq!((flag.severity, flag.state), (case.severity, FlagState::Open), "{detail:#?}");
    assert_eq!((&flag.promise, &flag.current), (&Some(case.old.digest.clone()), &Some(case.new.digest.clone())));
    let words = flag.difference.as_deref().unwrap();
    assert!(words.starts_with(case.words), "{repository}: {words}");
    // Nobody had to ask for it.
    let ready = if case.forgotten.is_some() { Readiness::Incomplete } else { Readiness::Ready };
    let way = api.proven(flag.id).await;
    assert_eq!((&way.digest, way.readiness), (&case.old.digest, ready), "{way:#?}");
    let steps: Vec<_> = detail.transitions.iter().filter_map(|step| step.reason.as_deref()).collect();
    assert_eq!(steps, ["differs from its promise", &format!("compared: {words}")]);
}

impl Case {
    fn subject(&self, world: &World) -> String {
        format!("{}:1.0.0", world.api.name(self.repository))
    }

    /// The message waited for the comparison.
    fn was_told(&self, event: &Value, world: &World) {
        assert_eq!(event["type"], "dev.tagwarden.flag.opened");
        let (data, severity) = (&event["data"], self.severity.word());
        assert_eq!(data["title"], format!("[{severity}] {} was reassigned", self.subject(world)));
        assert_eq!((&data["severity"], &data["count"]), (&json!(severity), &json!(1)));
        let flag = &data["flags"][0];
        assert_eq!((&flag["severity"], &flag["comparing"]), (&json!(severity), &json!(false)));
        let words = flag["difference"].as_str().unwrap();
        assert!(words.starts_with(self.words), "{words}");
        assert!(data["text"].as_str().unwrap().contains(words), "{data:#}");
    }
}

const REBUILT: &str = "team/rebuilt";

/// A version that is refreshed on purpose: other files are none of anybody's business, another entrypoint is.
async fn refreshed(world: &World) {
    let (api, host) = (&world.api, world.registry.host());
    let of = |seed, path: &str| Image::gzipped(seed, 6, &json!({ "Entrypoint": [path] }));
    let (refreshed, other) = (of(9, "/serve"), of(10, "/other"));
    skopeo::push(&of(8, "/serve"), &host, REBUILT, "1.27").await;
    world.watch(REBUILT, 1).await;
    skopeo::push(&refreshed, &host, REBUILT, "1.27").await;
    api.recorded(REBUILT, 2).await;
    skopeo::push(&other, &host, REBUILT, "1.27").await;
    api.recorded(REBUILT, 3).await;
    let detail = api.compared(REBUILT).await;
    let flag = &detail.flag;
    assert_eq!((flag.severity, flag.state), (Severity::Critical, FlagState::Open), "{detail:#?}");
    assert_eq!((&flag.promise, &flag.current), (&Some(refreshed.digest), &Some(other.digest)), "not of the first push");
    assert_eq!(flag.difference.as_deref(), Some("entrypoint and the only layer differ"));
    assert_eq!(detail.events.len(), 1);
}

const FIFTY: &str = "team/fifty";

/// One digest under fifty releases is deleted, and they with it.
async fn fifty_deleted(world: &World) {
    let (api, url, client) = (&world.api, world.registry.url(), http_client());
    let image = Image::index(6);
    image.put(&client, &url, FIFTY, "1.0.0").await;
    for minor in 1..50 {
        image.put_manifest(&client, &url, FIFTY, &format!("1.{minor}.0")).await;
    }
    Image::single(7).put(&client, &url, FIFTY, "2.0.0").await;
    world.watch(FIFTY, 51).await;
    delete_digest(&client, &url, FIFTY, &image.digest).await;
    let gone = api.recorded(FIFTY, 101).await.split_off(51);
    assert!(gone.iter().all(|event| event.kind == EventKind::Deleted), "{gone:#?}");
    let flags = api.flags(FIFTY).await;
    assert_eq!(flags.len(), 50);
    for flag in flags {
        assert_eq!((flag.severity, flag.state), (Severity::Warning, FlagState::Open), "{flag:#?}");
        assert_eq!((flag.group_id.is_some(), flag.group_id), (true, gone[0].group_id), "{flag:#?}");
    }
}

fn fifty_were_told(event: &Value, world: &World) {
    let data = &event["data"];
    assert_eq!(data["title"], format!("[warning] 50 releases of {} are gone", world.api.name(FIFTY)));
    assert_eq!((&data["count"], data["flags"].as_array().unwrap().len()), (&json!(50), 50));
}

/// The next messages by their subject, and then nothing but the test that is sent after them.
async fn messages(world: &World, name: &str, receiver: &mut Receiver, count: usize) -> BTreeMap<String, Value> {
    let mut heard = BTreeMap::new();
    for _ in 0..count {
        let event = receiver.next().await.json();
        heard.insert(event["subject"].as_str().unwrap().to_owned(), event);
    }
    let (status, answer) = world.api.post(&format!("notifiers/{name}/test"), &json!({})).await;
    assert_eq!(status, 202, "{answer}");
    let last = receiver.next().await.json();
    assert_eq!(last["type"], "dev.tagwarden.notifier.test", "one more: {last:#}");
    heard
}
