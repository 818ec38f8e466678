//! A webhook's other end on loopback: answers as told, keeps what it got, and checks signatures by its own arithmetic.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// The server.
pub struct Receiver {
    /// `http://127.0.0.1:1234/secret-path`.
    pub url: String,
    received: mpsc::UnboundedReceiver<Received>,
    _task: AbortOnDropHandle<()>,
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With this status and these headers.
    Status(u16, Vec<(&'static str, String)>),
    /// Never.
    Silence,
}

/// What came.
#[derive(Debug)]
pub struct Received {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

#[derive(Clone)]
struct Shared {
    script: Arc<Mutex<VecDeque<Answer>>>,
    sender: mpsc::UnboundedSender<Received>,
}

impl Receiver {
    /// Answers the first requests with these, all later ones with 204.
    pub async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
        let (sender, received) = mpsc::unbounded_channel();
        let script = Arc::new(Mutex::new(script.into_iter().collect()));
        let shared = Shared { script, sender };
        let router = Router::new().fallback(receive).with_state(shared);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received, _task: AbortOnDropHandle::new(task) }
    }

    /// The next request that comes.
    pub async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(Duration::from_secs(20), self.received.recv()).await;
        next.expect("nothing came for 20 seconds").unwrap()
    }
}

impl Received {
    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A header, empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The time of the signature, in seconds; panics unless it fits body and secret.
    pub fn signed(&self, secret: &str) -> i64 {
        let (time, hex) = self.header("x-tagwarden-signature").split_once(",v1=").expect("it is signed");
        let time = time.strip_prefix("t=").unwrap();
        let text = [time.as_bytes(), b".", &self.body].concat();
        assert_eq!(hex, hmac(secret.as_bytes(), &text), "the signature is another");
        time.parse().unwrap()
    }
}

async fn receive(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = shared.script.lock().unwrap().pop_front();
    let _ = shared.sender.send(Received { headers, body });
    match answer {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Answer::Silence) => std::future::pending().await,
        Some(Answer::Status(status, headers)) => {
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
    }
}

/// HMAC-SHA-256 by the letter of RFC 2104, in hex; keys of at most 64 bytes.
fn hmac(key: &[u8], text: &[u8]) -> String {
    let padded = |pad: u8| {
        let mut block = [pad; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    tagwarden_model::digest::hex(&outer)
}

#[cfg(test)]
mod tests {
    /// RFC 4231, test case 2.
    #[test]
    fn our_own_arithmetic_is_right() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(super::hmac(b"Jefe", b"what do ya want for nothing?"), expected);
    }
}
