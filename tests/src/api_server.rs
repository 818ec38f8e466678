//! A server on an empty record in memory, asked without a socket.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use tagwarden::config::Checked;
use tagwarden::http::{AppState, HttpSettings, router};
use tagwarden::metrics::Metrics;
use tagwarden::page::Page;
use tagwarden::reload::InForce;
use tagwarden::store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::record::Record;
use crate::step_clock::{START, StepClock};

/// The server.
pub struct Server {
    /// Its clock.
    pub clock: Arc<StepClock>,
    /// What its handlers share.
    pub state: AppState,
    /// Fills its record.
    pub record: Record,
    /// By what it works.
    pub configuration: watch::Sender<Arc<InForce>>,
    /// How often the poller was woken.
    pub woken: Arc<AtomicUsize>,
    router: Router,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Server {
    /// A server at `/`.
    pub async fn start() -> Self {
        Self::with(HttpSettings::default()).await
    }

    /// A server with these settings.
    pub async fn with(settings: HttpSettings) -> Self {
        let store = Store::open("sqlite::memory:").await.unwrap();
        let clock = Arc::new(StepClock::new());
        let shutdown = CancellationToken::new();
        let woken = Arc::new(AtomicUsize::new(0));
        let count = woken.clone();
        let index = "<html><head><script type=\"module\">start()</script></head></html>";
        let files = [("index.html", index), ("app-1234567890abcdef.js", "export {}")];
        let files = files.map(|(name, text)| (name.to_owned(), Cow::Borrowed(text.as_bytes())));
        let page = Arc::new(Page::new(files, &settings.base_path));
        let wake = Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let configuration = watch::Sender::new(Arc::new(InForce::new(Checked::default(), START)));
        let in_force = configuration.subscribe();
        let state = AppState::new(store.clone(), clock.clone(), in_force, settings, Metrics::new(), wake, shutdown);
        let state = state.await.unwrap();
        let state = AppState { page, ..state };
        let record = Record::new(store, clock.clone());
        Self { clock, router: router(state.clone()).unwrap(), state, record, configuration, woken }
    }

    /// Changes what the handlers share.
    pub fn rewire(&mut self, change: impl FnOnce(&mut AppState)) {
        change(&mut self.state);
        self.router = router(self.state.clone()).unwrap();
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 16 << 20).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.into()).unwrap() }
    }

    /// A GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// A GET that must succeed.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.json()
    }

    /// A POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(json_request(Method::POST, path, body.to_string())).await
    }

    /// A DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(request(Method::DELETE, path).body(Body::empty()).unwrap()).await
    }
}

/// A request to this machine.
pub fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost:8080")
}

/// A request with a JSON body.
pub fn json_request(method: Method, path: &str, body: impl Into<Body>) -> Request<Body> {
    request(method, path).header("content-type", "application/json").body(body.into()).unwrap()
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A header, empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status, code and field of an error, whose body must be whole.
    pub fn error(&self) -> (u16, String, String) {
        let body: tagwarden_model::api::ErrorBody = serde_json::from_str(&self.text).unwrap();
        let error = body.error;
        assert!(!error.message.is_empty());
        assert_eq!(error.request_id, self.header("x-request-id"));
        (self.status.as_u16(), error.code, error.field.unwrap_or_default())
    }
}

/// The same JSON with what is random replaced.
pub fn masked(mut value: Value) -> Value {
    mask(&mut value);
    value
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match name.as_str() {
                    "leaf" | "request_id" | "next" if value.is_string() => *value = format!("[{name}]").into(),
                    _ => mask(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask),
        _ => {}
    }
}
