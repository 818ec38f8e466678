//! A registry on loopback that says the same for ever and costs little: every tag has a manifest of its own, made when it is
//! asked for. It counts what it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, Bytes};
use axum::http::{Method, Uri};
use axum::response::Response;
use serde_json::json;
use tagwarden_model::digest::Digest;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::images::OCI_MANIFEST;

/// The registry; it ends when this is dropped.
pub struct StaticRegistry {
    host: String,
    heads: Arc<AtomicU64>,
    _stop: DropGuard,
}

impl StaticRegistry {
    /// Starts one in which every repository has `tags` releases. It never answers 304, as many registries.
    pub async fn start(tags: usize) -> Self {
        let names: Vec<String> = (0..tags).map(|at| format!("{}.{}.{}", at / 100, at / 10 % 10, at % 10)).collect();
        let names: Arc<str> = json!(names).to_string().into();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let host = listener.local_addr().expect("a bound socket has an address").to_string();
        let heads: Arc<AtomicU64> = Arc::default();
        let count = heads.clone();
        let router = axum::Router::new().fallback(move |method: Method, uri: Uri| async move {
            count.fetch_add(u64::from(method == Method::HEAD), Ordering::Relaxed);
            answer(uri.path(), &names)
        });
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                result = async { axum::serve(listener, router).await } => result.expect("the static registry runs"),
            }
        });
        Self { host, heads, _stop: stop.drop_guard() }
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// HEAD requests so far.
    pub fn heads(&self) -> u64 {
        self.heads.load(Ordering::Relaxed)
    }
}

fn answer(path: &str, names: &str) -> Response {
    let response = Response::builder();
    let answer = if let Some((name, _)) = path.strip_prefix("/v2/").and_then(|rest| rest.split_once("/tags/list")) {
        response.body(Body::from(format!(r#"{{"name":"{name}","tags":{names}}}"#)))
    } else if path.contains("/manifests/") {
        let layer = json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": Digest::of(path.as_bytes()), "size": 1 });
        let bytes =
            Bytes::from(json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [layer] }).to_string());
        let digest = Digest::of(&bytes).to_string();
        // The HTTP server leaves the body out of the answer to HEAD.
        response.header("content-type", OCI_MANIFEST).header("docker-content-digest", digest).body(Body::from(bytes))
    } else {
        response.status(404).body(Body::empty())
    };
    answer.expect("an answer of valid parts")
}
