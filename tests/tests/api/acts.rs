//! What people and programs can do.

use std::sync::atomic::Ordering;

use serde_json::json;
use tagwarden::store::Scope;
use tagwarden::store::watch::RegistryEntry;
use tagwarden_model::api::JobKind;
use tagwarden_model::instant::Millis;
use tokio::time::{Duration, timeout};

use tagwarden_tests::api_server::{Server, masked};
use tagwarden_tests::record::{API, digest, usual};

#[tokio::test]
async fn a_repository_is_added_once_and_removed() {
    let server = Server::start().await;
    let added = server.post("/api/v1/repositories", &json!({ "name": "nginx" })).await;
    assert_eq!(added.status, 201, "{}", added.text);
    insta::assert_json_snapshot!("added", masked(added.json()));
    let again = server.post("/api/v1/repositories", &json!({ "name": "docker.io/library/nginx" })).await;
    assert_eq!((again.status.as_u16(), again.json()["name"].as_str()), (200, Some("docker.io/library/nginx")));
    let entries = server.state.store.registries().await.unwrap();
    assert_eq!(
        entries.iter().map(|entry| (entry.name.as_str(), entry.host.as_str())).collect::<Vec<_>>(),
        [("docker.io", "docker.io")]
    );
    assert_eq!(server.delete("/api/v1/repositories?name=nginx").await.status, 204);
    assert_eq!(server.delete("/api/v1/repositories?name=nginx").await.error().0, 404);
    assert_eq!(server.read("/api/v1/repositories").await["items"], json!([]));
    assert_eq!(server.woken.load(Ordering::SeqCst), 2, "the poller hears of an addition and a removal, not of nothing");
}

#[tokio::test]
async fn a_host_whose_entries_do_not_serve_a_repository_is_refused() {
    let server = Server::start().await;
    let entry =
        RegistryEntry { id: 0, name: "acme".into(), host: "ghcr.io".into(), repositories: vec!["acme/**".into()] };
    server.state.store.put_registry(&entry).await.unwrap();
    assert_eq!(server.post("/api/v1/repositories", &json!({ "name": "ghcr.io/acme/a/b" })).await.status, 201);
    let refused = server.post("/api/v1/repositories", &json!({ "name": "ghcr.io/other/a" })).await;
    assert_eq!(refused.error(), (422, "invalid".into(), "name".into()));
    // An entry that is named like another host stays what it is.
    let named = RegistryEntry { name: "quay.io".into(), ..entry };
    server.state.store.put_registry(&named).await.unwrap();
    assert_eq!(server.post("/api/v1/repositories", &json!({ "name": "quay.io/a" })).await.error().0, 422);
    assert_eq!(server.state.store.registries().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_flag_is_acknowledged_and_closed_by_its_version() {
    let server = Server::start().await;
    usual(&server.record).await;
    let version = server.read("/api/v1/flags/1").await["version"].as_i64().unwrap();
    let act = json!({ "version": version, "reason": "rolling back", "until": "2026-11-24T12:00:00Z" });
    let acknowledged = server.post("/api/v1/flags/1/acknowledge", &act).await;
    assert_eq!(acknowledged.status, 200, "{}", acknowledged.text);
    assert_eq!(acknowledged.json()["state"], "acknowledged");
    assert_eq!(acknowledged.json()["acknowledged_until"], "2026-11-24T12:00:00Z");

    let stale = json!({ "version": version, "resolution": "accepted", "reason": "fine" });
    assert_eq!(server.post("/api/v1/flags/1/close", &stale).await.error(), (409, "conflict".into(), String::new()));

    let version = acknowledged.json()["version"].as_i64().unwrap();
    let in_breach = json!({ "version": version, "resolution": "reviewed", "reason": "fine" });
    assert_eq!(
        server.post("/api/v1/flags/1/close", &in_breach).await.error(),
        (422, "invalid".into(), "resolution".into())
    );

    let accepted = json!({ "version": version, "resolution": "accepted", "reason": "the new build is the release" });
    let closed = server.post("/api/v1/flags/1/close", &accepted).await;
    assert_eq!(closed.status, 200, "{}", closed.text);
    insta::assert_json_snapshot!("closed", masked(closed.json()));
    // Whatever version was looked at: what is closed stays so.
    let reason = "too late";
    for version in [version, closed.json()["version"].as_i64().unwrap()] {
        let again = json!({ "version": version, "resolution": "reviewed", "reason": reason });
        let refused = server.post("/api/v1/flags/1/close", &again).await;
        assert_eq!(refused.error(), (409, "closed".into(), String::new()), "{}", refused.text);
        let known = json!({ "version": version, "reason": reason });
        let refused = server.post("/api/v1/flags/1/acknowledge", &known).await;
        assert_eq!(refused.error(), (409, "closed".into(), String::new()), "{}", refused.text);
    }
    let promises = server.read(&format!("/api/v1/promises?repository={API}")).await;
    let promise = promises["items"].as_array().unwrap().iter().find(|promise| promise["tag"] == "2.3.0").unwrap();
    assert_eq!(promise["digest"], digest("something else").to_string());
}

#[tokio::test]
async fn acts_on_what_does_not_exist_are_not_found() {
    let server = Server::start().await;
    let digest = digest("x").to_string();
    for (path, body, field) in [
        ("/api/v1/flags/9/acknowledge", json!({ "version": 1, "reason": "x" }), "id"),
        ("/api/v1/flags/9/close", json!({ "version": 1, "resolution": "reviewed", "reason": "x" }), "id"),
        (
            "/api/v1/promises",
            json!({ "repository": "nginx", "tag": "1.0.0", "digest": digest, "reason": "x" }),
            "repository",
        ),
        ("/api/v1/checks", json!({ "repository": "nginx" }), "repository"),
        ("/api/v1/targets/proofs", json!({ "repository": "nginx", "digest": digest }), "repository"),
        ("/api/v1/targets/proofs", json!({ "repository": "nginx", "tag": "1.0.0" }), "tag"),
    ] {
        let answer = server.post(path, &body).await;
        assert_eq!(answer.error(), (404, "not_found".into(), field.into()), "{path}: {}", answer.text);
    }
    assert_eq!(server.woken.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_acknowledgement_ends_in_the_future() {
    let server = Server::start().await;
    usual(&server.record).await;
    let act = json!({ "version": 1, "reason": "x", "until": "2020-01-01T00:00:00Z" });
    assert_eq!(server.post("/api/v1/flags/1/acknowledge", &act).await.error(), (422, "invalid".into(), "until".into()));
}

#[tokio::test]
async fn a_promise_is_made() {
    let server = Server::start().await;
    usual(&server.record).await;
    let act =
        json!({ "repository": API, "tag": "2.4.0", "digest": digest("two four"), "reason": "pushed by the pipeline" });
    let made = server.post("/api/v1/promises", &act).await;
    assert_eq!(made.status, 201, "{}", made.text);
    insta::assert_json_snapshot!("promise", masked(made.json()));
}

#[tokio::test]
async fn a_check_is_a_job() {
    let server = Server::start().await;
    usual(&server.record).await;
    let answer = server.post("/api/v1/checks", &json!({ "repository": API, "tags": ["2.3.0", "2.3.0"] })).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    insta::assert_json_snapshot!("check", masked(answer.json()));
    assert_eq!(server.read(&format!("/api/v1/jobs/{}", answer.json()["id"])).await, answer.json());
    assert_eq!(server.woken.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn proofs_of_a_tag_are_a_job() {
    let server = Server::start().await;
    usual(&server.record).await;
    let answer = server.post("/api/v1/targets/proofs", &json!({ "repository": API, "tag": "2.3.0" })).await;
    assert_eq!((answer.status.as_u16(), answer.json()["kind"].as_str()), (202, Some("proof")), "{}", answer.text);
}

#[tokio::test]
async fn a_post_that_waits_answers_when_its_job_ends() {
    let server = Server::start().await;
    usual(&server.record).await;
    let store = server.state.store.clone();
    let waiting = async { server.post("/api/v1/checks?wait=10", &json!({ "repository": API })).await };
    let working = async {
        let entry = store.registries().await.unwrap().remove(0).id;
        let job = loop {
            if let Some(job) = store.take_jobs(entry, JobKind::Check, 1).await.unwrap().pop() {
                break job;
            }
            store.changed(store.newest_change().await.unwrap()).await;
        };
        assert!(store.job(Scope::All, job.id).await.unwrap().is_some());
        store.finish_job(job.id, None, tagwarden_tests::step_clock::START).await.unwrap();
    };
    let (answer, ()) = timeout(Duration::from_secs(20), async { tokio::join!(waiting, working) }).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.json()["state"].as_str()), (202, Some("done")), "{}", answer.text);
}

#[tokio::test]
async fn a_post_that_waits_answers_when_its_time_is_over() {
    let server = Server::start().await;
    usual(&server.record).await;
    let clock = server.clock.clone();
    let store = server.state.store.clone();
    let before = store.newest_change().await.unwrap();
    let check = json!({ "repository": API });
    let waiting = server.post("/api/v1/checks?wait=3", &check);
    let stepping = async {
        while store.newest_change().await.unwrap() == before {
            store.changed(before).await;
        }
        // The job exists; the request may not sleep yet, so the clock is stepped until it has answered.
        loop {
            clock.step(Millis::seconds(4));
            tokio::task::yield_now().await;
        }
    };
    let answer = tokio::select! { answer = waiting => answer, () = stepping => unreachable!() };
    assert_eq!((answer.status.as_u16(), answer.json()["state"].as_str()), (202, Some("queued")), "{}", answer.text);
}

#[tokio::test]
async fn a_link_local_host_needs_an_entry_of_the_configuration() {
    let server = Server::start().await;
    let refused = server.post("/api/v1/repositories", &json!({ "name": "169.254.169.254/latest/meta" })).await;
    assert_eq!(refused.error(), (422, "invalid".into(), "name".into()));
    assert_eq!(server.woken.load(Ordering::SeqCst), 0, "nobody asks it");
}
