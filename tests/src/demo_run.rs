//! The demo in this process, and its API.

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A demo that runs until it is stopped.
pub struct Demo {
    /// `http://127.0.0.1:8080`.
    pub url: String,
    client: reqwest::Client,
    stop: CancellationToken,
    task: JoinHandle<Result<(), tagwarden::serve::ServeError>>,
}

impl Demo {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let stop = CancellationToken::new();
        let task = tokio::spawn(tagwarden::demo::run(false, listener, stop.clone()));
        Self { url, client: crate::http_client(), stop, task }
    }

    /// What the API answers to a GET.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}/api/v1/{path}", self.url)).send().await.expect("the demo answers");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    /// All items of a list, page by page; `path` has a query.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}&limit=500{cursor}")).await;
            items.extend(page["items"].as_array().expect("a list").iter().cloned());
            let Some(next) = page["next"].as_str() else { return items };
            cursor = format!("&cursor={next}");
        }
    }

    /// Follows the stream until everything is told and read: every commit wakes it.
    pub async fn until_told(&self) {
        let open =
            || async { self.client.get(format!("{}/api/v1/live", self.url)).send().await.expect("the stream opens") };
        let mut stream = open().await;
        loop {
            let summary = self.get("summary").await;
            let repositories = self.all("repositories?").await;
            let read = |of: &Value| of["name"] == "builds.acme.example/ci/builds" && of["state"] == "ok";
            let compared = self.all("flags?").await.iter().all(|flag| flag["comparing"] == false);
            if summary["demo_percent"] == 100 && repositories.iter().any(read) && compared {
                return;
            }
            if stream.chunk().await.is_err() {
                // The client's time for one request is over.
                stream = open().await;
            }
        }
    }

    /// Ends it as the server's shutdown does.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("it does not panic").expect("it ends well");
    }
}
