//! The demo tells its year through the ordinary server.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::Value;
use tagwarden_model::instant::{Instant, Millis};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

struct Api {
    client: reqwest::Client,
    base: String,
}

impl Api {
    async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}/api/v1/{path}", self.base)).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}&limit=500{cursor}")).await;
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next"].as_str() else { return items };
            cursor = format!("&cursor={next}");
        }
    }

    /// Follows the stream until everything is told and read: every commit wakes it.
    async fn until_told(&self) {
        let open = || self.client.get(format!("{}/api/v1/live", self.base)).send();
        let mut stream = open().await.unwrap();
        loop {
            let summary = self.get("summary").await;
            let many = self.all("repositories?").await;
            let read = |of: &Value| of["name"] == "builds.acme.example/ci/builds" && of["state"] == "ok";
            if summary["demo_percent"] == 100 && many.iter().any(read) {
                return;
            }
            if stream.chunk().await.is_err() {
                // The client's time for one request is over.
                stream = open().await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_is_told_and_every_incident_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let demo = tokio::spawn(tagwarden::demo::run(false, listener, stop.clone()));
    let api = Api { client: tagwarden_tests::http_client(), base };
    tokio::time::timeout(Duration::from_mins(4), api.until_told()).await.expect("told in time");

    let flags = api.all("flags?").await;
    let of = |repository: &str, tag: &str| {
        let name = format!("registry.acme.example/{repository}");
        let found = flags.iter().filter(|flag| flag["repository"] == name && flag["tag"] == tag);
        found.cloned().collect::<Vec<_>>()
    };
    let [main] = of("acme/payments-api", "2.3.0").try_into().unwrap();
    assert_eq!((&main["state"], &main["flapping"]), (&"open".into(), &false.into()));
    let states = |wanted: &str| flags.iter().filter(|flag| flag["state"] == wanted).count();
    // One moved and put back, one compressed anew, three deleted together.
    assert_eq!((states("closed"), states("acknowledged"), states("open"), states("restored")), (5, 1, 4, 0));
    let groups: Vec<_> = flags.iter().filter(|flag| !flag["group_id"].is_null() && flag["state"] == "closed").collect();
    assert_eq!(groups.len(), 3);
    assert!(groups.iter().all(|flag| flag["group_id"] == groups[0]["group_id"]));

    let events = api.all("events?order=seq&baseline=false").await;
    assert!(events.len() > 500, "{} events", events.len());
    assert!(events.iter().all(|event| event["verified"] == true));
    // The server looked seconds before and after each, although a year passed.
    let width = |event: &Value| {
        let at = |name: &str| event[name].as_str()?.parse::<Instant>().ok();
        Some(at("not_after")? - at("not_before")?)
    };
    let wide: Vec<_> =
        events.iter().filter(|event| width(event).is_none_or(|width| width > Millis::minutes(1))).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    stop.cancel();
    demo.await.unwrap().unwrap();
}
