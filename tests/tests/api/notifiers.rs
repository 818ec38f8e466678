//! Notifiers: their state, a test, a retry.

use std::sync::Arc;

use serde_json::json;
use tagwarden::config::Sources;
use tagwarden::reload::InForce;
use tagwarden::store::deliveries::Then;
use tagwarden_model::api::DeliveryState;
use tagwarden_model::instant::Millis;
use tagwarden_tests::api_server::Server;
use tagwarden_tests::step_clock::START;

const LIST: &str = "/api/v1/notifiers";

async fn server() -> Server {
    let server = Server::start().await;
    let url = "https://hooks.example/token";
    let folder = tempfile::tempdir().unwrap();
    let (file, docker) = (folder.path().join("tagwarden.toml"), folder.path().join("config.json"));
    std::fs::write(&docker, "{}").unwrap();
    let text = format!(
        "[server]\ndocker_config = '{}'\n[[notifier]]\nname = 'hook'\nkind = 'webhook'\nurl = '{url}'\n",
        docker.display()
    );
    std::fs::write(&file, text).unwrap();
    let config = Sources::of_file(file).load().unwrap();
    server.configuration.send_replace(Arc::new(InForce::new(config, START)));
    server
}

#[tokio::test]
async fn a_test_is_told_how_it_went_and_shown_in_the_list() {
    let server = server().await;
    let (store, until) = (&server.state.store, START + Millis::minutes(1));
    // Without a wait the answer is there at once.
    let answer = server.post("/api/v1/notifiers/hook/test", &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.json()["state"].as_str()), (202, Some("waiting")));
    let taken = store.take_delivery("hook", until, until).await.unwrap().unwrap();
    store.delivered(taken.id, START).await.unwrap();
    // The second one is answered when it has failed.
    let nothing = json!({});
    let answering = server.post("/api/v1/notifiers/hook/test?wait=10", &nothing);
    let failing = async {
        let mut outbox = store.outbox();
        loop {
            if let Some(taken) = store.take_delivery("hook", until, until + Millis(1)).await.unwrap() {
                let failed = Then::End(DeliveryState::Failed);
                return store.delivery_failed(taken.id, "hooks.example answered 500", failed, START).await.unwrap();
            }
            outbox.changed().await.unwrap();
        }
    };
    let (answer, ()) = tokio::join!(answering, failing);
    let body = answer.json();
    assert_eq!((body["state"].as_str(), body["error"].as_str()), (Some("failed"), Some("hooks.example answered 500")));
    let notifier = server.read(LIST).await["items"][0].clone();
    assert_eq!(notifier["host"], "hooks.example");
    assert_eq!(notifier["error"], "hooks.example answered 500");
    assert_eq!(notifier["dead"], 0, "a test that failed is not to be retried");
    assert!(notifier["last_success"].is_string() && notifier["last_failure"].is_string());
}

#[tokio::test]
async fn dead_messages_are_retried_and_an_unknown_notifier_is_not_found() {
    let server = server().await;
    let store = &server.state.store;
    store.test_notifier("hook", START).await.unwrap();
    let taken = store.take_delivery("hook", START, START).await.unwrap().unwrap();
    store.delivery_failed(taken.id, "no", Then::End(DeliveryState::Dead), START).await.unwrap();
    assert_eq!(server.read(LIST).await["items"][0]["dead"], 1);
    let answer = server.post("/api/v1/notifiers/hook/retry", &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (202, json!({ "messages": 1 })));
    assert_eq!(server.read(LIST).await["items"][0]["waiting"], 1);
    for act in ["test", "retry"] {
        let answer = server.post(&format!("/api/v1/notifiers/other/{act}"), &json!({})).await;
        assert_eq!(answer.error(), (404, "not_found".into(), "name".into()));
    }
}
