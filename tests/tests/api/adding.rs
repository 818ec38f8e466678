//! What can be known before a repository is watched.

use std::sync::Arc;

use serde_json::{Value, json};
use tagwarden::clock::Clock as _;
use tagwarden::demo::registry::DemoRegistry;
use tagwarden::jobs::Jobs;
use tagwarden::registry::client::{HttpRegistry, RegistrySettings};
use tagwarden::store::jobs::NO_ENTRY;
use tagwarden::store::watch::RegistryEntry;
use tagwarden_model::instant::Millis;
use tagwarden_model::tag::MediaType;
use tokio::sync::watch;

use tagwarden_tests::api_server::Server;
use tagwarden_tests::record::{API, somebody, usual};
use tagwarden_tests::scripted::{Scripted, answer, closed_host};

/// A server that does the jobs about hosts without an entry.
async fn looking() -> Server {
    let mut server = Server::start().await;
    let (wake, woken) = watch::channel(());
    server.rewire(|state| state.wake = Arc::new(move || wake.send_modify(|()| {})));
    let clock = server.clock.clone();
    let reach = move |host: &str| {
        let mut settings = RegistrySettings::new(host);
        settings.retry.delays = Vec::new();
        Ok(Arc::new(HttpRegistry::new(settings, clock.clone()).unwrap()))
    };
    let jobs = Jobs {
        store: server.state.store.clone(),
        clock: server.clock.clone(),
        reach: Box::new(reach),
        entry: NO_ENTRY,
        policy: Arc::default(),
        wake: woken,
    };
    let stop = server.state.shutdown.clone();
    tokio::spawn(async move { jobs.run(stop).await });
    server
}

/// Asks and waits; gives what was found.
async fn preview(server: &Server, name: &str) -> Value {
    let answer = server.post("/api/v1/repositories/preview?wait=10", &json!({ "name": name })).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let job = answer.json();
    assert_eq!((&job["kind"], &job["state"]), (&json!("preview"), &json!("done")), "{job}");
    job["result"]["preview"].clone()
}

async fn catalogue(server: &Server, registry: &str, pattern: &str) -> Value {
    let body = json!({ "registry": registry, "pattern": pattern });
    let answer = server.post("/api/v1/catalogues?wait=10", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.json()["result"]["catalogue"].clone()
}

fn registry(repositories: &[(&str, &[&str])]) -> DemoRegistry {
    let registry = DemoRegistry::new();
    for (repository, tags) in repositories {
        for tag in *tags {
            registry.push(repository, tag, "{}", MediaType::OciManifest);
        }
    }
    registry
}

#[tokio::test]
async fn a_preview_says_what_a_repository_has_and_leaves_nothing_behind() {
    let server = looking().await;
    let serving = registry(&[("team/api", &["1.25", "1.26", "1.27", "1.27.3", "1.26.0", "latest"])]);
    let serving = serving.serve().await.unwrap();
    let name = format!("{}/team/api", serving.host());
    let found = preview(&server, &name).await;
    assert_eq!((&found["found"], &found["watched"], &found["tags"]), (&json!(true), &json!(false), &json!(6)));
    assert_eq!(
        found["classes"],
        json!([
            { "class": "release", "tags": 2, "examples": ["1.27.3", "1.26.0"] },
            { "class": "rolling", "tags": 4, "examples": ["1.27", "1.26", "1.25", "latest"] },
        ])
    );
    let proposal = &found["proposals"][0];
    assert_eq!(
        (&proposal["pattern"], &proposal["class"], &proposal["tags"], proposal.get("never_moved_since")),
        (&json!("[0-9].[0-9][0-9]"), &json!("release"), &json!(3), None)
    );
    assert_eq!(server.read("/api/v1/repositories").await["items"], json!([]));
    assert_eq!(server.state.store.registries().await.unwrap(), [], "a host that is only looked at gets no entry");
}

#[tokio::test]
async fn a_preview_says_why_there_is_nothing() {
    let server = looking().await;
    let serving = registry(&[]).serve().await.unwrap();
    let closed = Scripted::start(|_| answer(401, &[("www-authenticate", "Basic realm=\"x\"")], "")).await;
    let site = Scripted::start(|_| answer(200, &[("content-type", "text/html")], "<html>")).await;
    for (host, expected) in [
        (serving.host(), "has no repository team/api: look at the spelling"),
        (closed.host().to_owned(), "put credentials for"),
        (site.host().to_owned(), "does not answer as a registry does"),
        (closed_host().await, "does not answer:"),
    ] {
        let found = preview(&server, &format!("{host}/team/api")).await;
        assert_eq!(found["found"], false);
        let reason = found["reason"].as_str().unwrap();
        assert!(reason.contains(expected) && reason.contains(&host), "{reason}");
    }
    let refused = server.post("/api/v1/repositories/preview", &json!({ "name": "169.254.169.254/latest/meta" })).await;
    assert_eq!(refused.error(), (422, "invalid".into(), "name".into()));
}

#[tokio::test]
async fn what_was_found_is_forgotten_after_an_hour() {
    let server = looking().await;
    let serving = registry(&[("team/api", &["1.0.0"])]).serve().await.unwrap();
    let body = json!({ "name": format!("{}/team/api", serving.host()) });
    let id = server.post("/api/v1/repositories/preview?wait=10", &body).await.json()["id"].clone();
    let path = format!("/api/v1/jobs/{id}");
    for (minutes, status) in [(60, 200), (1, 404)] {
        server.clock.step(Millis::minutes(minutes));
        let now = server.clock.now().mark.wall;
        server.state.store.prune_jobs(now - Millis(1)).await.unwrap();
        assert_eq!(server.get(&path).await.status, status, "after {minutes} minutes");
    }
}

#[tokio::test]
async fn a_catalogue_is_read_by_pattern_through_all_its_pages() {
    let server = looking().await;
    let repositories = ["other/x", "team/api", "team/deep/er", "team/web", "teams"];
    let content = registry(&repositories.map(|name| (name, &["1.0.0"][..])));
    content.set_page_size(2);
    let serving = content.serve().await.unwrap();
    let host = serving.host();
    // Through an entry for something else, so that the host has none, whose worker would not run here.
    let (store, clock) = (&server.state.store, &server.clock);
    let entry =
        RegistryEntry { id: 0, name: "other".to_owned(), host: "other.example".to_owned(), repositories: Vec::new() };
    let entry = store.put_registry(&entry).await.unwrap();
    let watched = format!("{host}/team/web").parse().unwrap();
    store.watch(entry.id, &watched, &somebody(), clock.now().mark.wall).await.unwrap();
    let found = catalogue(&server, &host, "team/*").await;
    let item = |name: &str| json!({ "name": format!("{host}/{name}"), "watched": name == "team/web" });
    assert_eq!(
        found,
        json!({ "found": true, "reason": null, "read": 5, "items": [item("team/api"), item("team/web")],
            "truncated": false })
    );
    let found = catalogue(&server, &host, "**/er").await;
    assert_eq!(found["items"], json!([item("team/deep/er")]));
}

#[tokio::test]
async fn a_registry_without_a_catalogue_says_so() {
    let server = looking().await;
    let missing = Scripted::start(|_| answer(404, &[], "")).await;
    let refusing = Scripted::start(|_| answer(403, &[], "")).await;
    for (host, expected) in [(missing.host(), "has no catalogue"), (refusing.host(), "does not show its catalogue")] {
        let found = catalogue(&server, host, "**").await;
        let reason = found["reason"].as_str().unwrap();
        assert!(found["found"] == false && reason.contains(expected), "{found}");
        assert!(reason.contains("name its repositories instead"), "{reason}");
    }
}

#[tokio::test]
async fn what_is_no_registry_and_no_pattern_is_refused() {
    let server = Server::start().await;
    for (registry, pattern, expected) in [
        ("", "**", "registry"),
        ("ghcr.io/acme", "**", "registry"),
        ("http://ghcr.io", "**", "registry"),
        ("acme", "**", "registry"),
        ("ghcr.io", "{a", "pattern"),
    ] {
        let answer = server.post("/api/v1/catalogues", &json!({ "registry": registry, "pattern": pattern })).await;
        assert_eq!(answer.error(), (400, "invalid".into(), expected.into()), "{registry}");
    }
    let refused = server.post("/api/v1/catalogues", &json!({ "registry": "169.254.169.254", "pattern": "**" })).await;
    assert_eq!(refused.error(), (422, "invalid".into(), "registry".into()));
}

#[tokio::test]
async fn a_pasted_text_is_read_and_nothing_is_watched() {
    let server = Server::start().await;
    server.post("/api/v1/repositories", &json!({ "name": "nginx" })).await;
    let text = "nginx:1.27\nghcr.io/acme/api\nno name";
    let answer = server.post("/api/v1/repositories/bulk", &json!({ "text": text })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    insta::assert_json_snapshot!("pasted", answer.json());
    assert_eq!(server.read("/api/v1/repositories").await["items"].as_array().unwrap().len(), 1);
    // As JSON, line breaks and quotes are longer.
    let longest = json!({ "text": "\n".repeat(1 << 20) });
    assert_eq!(server.post("/api/v1/repositories/bulk", &longest).await.status, 200);
    let longer = json!({ "text": "\n".repeat((1 << 20) + 1) });
    assert_eq!(server.post("/api/v1/repositories/bulk", &longer).await.error().0, 413);
    let body = json!({ "name": "x".repeat(100_000) });
    assert_eq!(server.post("/api/v1/repositories", &body).await.error().0, 413, "other bodies are short");
}

#[tokio::test]
async fn a_repository_is_paused_resumed_and_purged() {
    let server = Server::start().await;
    usual(&server.record).await;
    let named = json!({ "name": API });
    let paused = server.post("/api/v1/repositories/pause", &named).await;
    assert_eq!((paused.status.as_u16(), &paused.json()["state"]), (200, &json!("paused")), "{}", paused.text);
    let check = server.post("/api/v1/checks", &json!({ "repository": API })).await;
    assert!(check.error().0 == 404 && check.text.contains("resume it if it is paused"));
    let resumed = server.post("/api/v1/repositories/resume", &named).await;
    assert_eq!((resumed.status.as_u16(), &resumed.json()["state"]), (200, &json!("new")));
    let purge = format!("/api/v1/repositories/purge?name={API}&confirm=");
    assert_eq!(server.delete(&format!("{purge}nginx")).await.error(), (400, "invalid".into(), "confirm".into()));
    assert_eq!(server.delete(&format!("{purge}{API}")).await.error(), (422, "invalid".into(), "name".into()));
    server.delete(&format!("/api/v1/repositories?name={API}")).await;
    assert_eq!(server.delete(&format!("{purge}{API}")).await.status, 204);
    assert_eq!(server.delete(&format!("{purge}{API}")).await.error().0, 404);
    assert_eq!(server.read("/api/v1/flags").await["items"], json!([]));
    for act in ["pause", "resume"] {
        assert_eq!(server.post(&format!("/api/v1/repositories/{act}"), &named).await.error().0, 404);
    }
}

#[tokio::test]
async fn groups_are_made_filled_and_asked_for() {
    let server = Server::start().await;
    usual(&server.record).await;
    let made = server.post("/api/v1/groups", &json!({ "name": "Shop" })).await;
    assert_eq!(
        (made.status.as_u16(), made.json()),
        (201, json!({ "name": "Shop", "description": "", "source": "person", "repositories": [] }))
    );
    assert_eq!(server.post("/api/v1/groups", &json!({ "name": "Shop" })).await.status, 200);
    for name in ["", " x", "a\nb", &"x".repeat(65)] {
        assert_eq!(server.post("/api/v1/groups", &json!({ "name": name })).await.error().2, "name");
    }
    let join = json!({ "group": "Shop", "repository": API });
    let joined = server.post("/api/v1/groups/repositories", &join).await;
    assert_eq!(joined.json()["repositories"], json!([API]), "{}", joined.text);
    let renamed = server.post("/api/v1/groups/rename", &json!({ "name": "Shop", "to": "Store" })).await;
    assert_eq!((renamed.status.as_u16(), &renamed.json()["name"]), (200, &json!("Store")));
    for list in ["repositories", "flags", "events"] {
        let count = async |group: &str| {
            server.read(&format!("/api/v1/{list}?group={group}")).await["items"].as_array().unwrap().len()
        };
        assert!(count("Store").await > 0 && count("Shop").await == 0, "{list}");
    }
    assert_eq!(server.read("/api/v1/groups").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get(&format!("/api/v1/flags?group=Store&repository={API}")).await.error().2, "group");
    assert_eq!(server.delete(&format!("/api/v1/groups/repositories?group=Store&repository={API}")).await.status, 204);
    assert_eq!(server.delete("/api/v1/groups?name=Store").await.status, 204);
    assert_eq!(server.delete("/api/v1/groups?name=Store").await.error().0, 404);
}

#[tokio::test]
async fn letters_of_a_groups_name_may_be_typed_in_parts() {
    let (whole, parts) = ("Stra\u{df}e K\u{f6}ln", "Stra\u{df}e Ko\u{308}ln");
    let server = Server::start().await;
    usual(&server.record).await;
    let made = server.post("/api/v1/groups", &json!({ "name": parts })).await;
    assert_eq!((made.status.as_u16(), &made.json()["name"]), (201, &json!(whole)));
    assert_eq!(server.post("/api/v1/groups", &json!({ "name": whole })).await.status, 200);
    let joined = server.post("/api/v1/groups/repositories", &json!({ "group": parts, "repository": API })).await;
    assert_eq!(joined.json()["repositories"], json!([API]), "{}", joined.text);
    let other = server.post("/api/v1/groups", &json!({ "name": "other" })).await;
    assert_eq!(other.status, 201);
    let taken = server.post("/api/v1/groups/rename", &json!({ "name": "other", "to": parts })).await;
    assert_eq!(taken.error().2, "to");
    let renamed = server.post("/api/v1/groups/rename", &json!({ "name": whole, "to": parts })).await;
    assert_eq!((renamed.status.as_u16(), &renamed.json()["name"]), (200, &json!(whole)));
    assert_eq!(server.delete("/api/v1/groups?name=Stra%C3%9Fe%20Ko%CC%88ln").await.status, 204);
}
