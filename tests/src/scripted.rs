//! A server on loopback that answers as a test scripts it and remembers what it was asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The server; it ends when this is dropped.
pub struct Scripted {
    host: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _stop: DropGuard,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// How many requests came before it.
    pub number: usize,
    /// Its method.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Seen {
    /// A header as text; empty without one.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Method, path and query.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.uri)
    }
}

impl Scripted {
    /// Answers every request with what `answer` says.
    pub async fn start(answer: impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static) -> Self {
        let (listener, host) = listen().await;
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let log = seen.clone();
        let handle = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let seen = {
                let mut log = lock(&log);
                let seen = Seen { number: log.len(), method, uri, headers, body };
                log.push(seen.clone());
                seen
            };
            answer(&seen)
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let router = axum::Router::new().fallback(handle);
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                result = async { axum::serve(listener, router).await } => result.expect("the scripted server runs"),
            }
        });
        Self { host, seen, _stop: stop.drop_guard() }
    }

    /// Answers every connection with these bytes and closes it.
    pub async fn start_raw(bytes: &'static [u8]) -> Self {
        let (listener, host) = listen().await;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            let serve = async {
                while let Ok((mut stream, _)) = listener.accept().await {
                    let mut head = [0; 4096];
                    // Requests here have no body and fit: one read takes them.
                    let _ = stream.read(&mut head).await;
                    let _ = stream.write_all(bytes).await;
                    let _ = stream.shutdown().await;
                }
            };
            tokio::select! { () = stopped.cancelled() => {}, () = serve => {} }
        });
        Self { host, seen: Arc::default(), _stop: stop.drop_guard() }
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// `http://127.0.0.1:port` and this path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }

    /// Method, path and query of all requests so far.
    pub fn lines(&self) -> Vec<String> {
        lock(&self.seen).iter().map(Seen::line).collect()
    }
}

/// An answer with a status, headers and a body.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, value.as_bytes());
    }
    response.body(body.into()).expect("a scripted answer is valid")
}

/// A host on loopback where nothing listens.
pub async fn closed_host() -> String {
    listen().await.1
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let host = listener.local_addr().expect("a bound socket has an address").to_string();
    (listener, host)
}

fn lock(log: &Mutex<Vec<Seen>>) -> MutexGuard<'_, Vec<Seen>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}
