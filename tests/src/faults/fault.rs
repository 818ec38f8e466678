//! What can go wrong with one answer.

use std::fmt;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, ETAG, LINK, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde_json::json;
use tagwarden::demo::registry::DemoRegistry;
use tagwarden_model::digest::Digest;
use tower::ServiceExt;

use super::wire::Wire;
use crate::wait::pause;

/// A fault. The first group answers something else, the second spoils the true answer.
#[derive(Clone)]
pub enum Fault {
    /// 429 with this header or none: see [`Fault::retry_after`] and its shapes.
    RateLimited(Option<(HeaderName, HeaderValue)>),
    /// A status with an error body of the specification's form.
    Status(StatusCode),
    /// 200 with a page for people, as a login proxy gives.
    Html,
    /// 307 to this address.
    Redirect(String),
    /// 401 with this `WWW-Authenticate`.
    Unauthorized(String),
    /// 404 `NAME_UNKNOWN`: the repository is gone, or hidden from us.
    NotFound,
    /// A listing whose `tags` is null.
    NullTags,
    /// A listing without tags.
    NoTags,
    /// The true answer of another registry: a replica that has no news yet, when it is a [`DemoRegistry::frozen`] one.
    Stale(DemoRegistry),
    /// 200 and so many bytes of an endless JSON text.
    HugeBody(u64),
    /// The connection is reset (RST) before any answer.
    Reset,

    /// The true answer, after this time.
    Delay(Duration),
    /// The true headers and half of the body, then the connection closes.
    CutBody,
    /// The true answer in two halves with this time between them.
    SlowBody(Duration),
    /// The true headers over another manifest of the same length: the first digest inside is another one.
    OtherBody,
    /// One header of the true answer replaced, or with `None` removed.
    Header(HeaderName, Option<HeaderValue>),
}

impl Fault {
    /// 429 with `Retry-After`; the bytes need not be text: `b"120"`, an HTTP date, `"880.092µs".as_bytes()`.
    pub fn retry_after(value: &[u8]) -> Self {
        Self::RateLimited(Some((RETRY_AFTER, header_value(value))))
    }

    /// 429 with Docker Hub's `X-Retry-After`, a Unix time in seconds.
    pub fn x_retry_after(unix_seconds: i64) -> Self {
        Self::RateLimited(Some((HeaderName::from_static("x-retry-after"), HeaderValue::from(unix_seconds))))
    }

    /// `Docker-Content-Digest` claims another digest than the bytes have; `ETag` stays true.
    pub fn lying_digest(digest: &Digest) -> Self {
        Self::Header(DIGEST, Some(header_value(digest.to_string().as_bytes())))
    }

    /// Without `Docker-Content-Digest`.
    pub fn no_digest() -> Self {
        Self::Header(DIGEST, None)
    }

    /// Without `ETag`.
    pub fn no_etag() -> Self {
        Self::Header(ETAG, None)
    }

    /// With this `Link`: `</v2/other/tags/list?last=x>; rel="next"`.
    pub fn link(value: &str) -> Self {
        Self::Header(LINK, Some(header_value(value.as_bytes())))
    }

    /// With this `Date`, or none.
    pub fn date(value: Option<&str>) -> Self {
        Self::Header(DATE, value.map(|value| header_value(value.as_bytes())))
    }

    /// With this `Content-Type`.
    pub fn content_type(value: &str) -> Self {
        Self::Header(CONTENT_TYPE, Some(header_value(value.as_bytes())))
    }

    pub(super) async fn play(self, request: Request, next: Next, wire: &Wire) -> Response {
        let repository = request.uri().path().trim_start_matches("/v2/").split("/tags/").next().unwrap_or_default();
        let repository = repository.to_owned();
        match self {
            Self::RateLimited(header) => {
                let mut response = error(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS");
                response.headers_mut().extend(header);
                response
            }
            Self::Status(status) => error(status, "UNKNOWN"),
            Self::Html => (
                [(CONTENT_TYPE, "text/html; charset=utf-8")],
                "<!doctype html><title>Sign in</title><h1>Sign in to continue</h1>",
            )
                .into_response(),
            Self::Redirect(target) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, target)]).into_response(),
            Self::Unauthorized(challenge) => {
                let mut response = error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
                response.headers_mut().insert(WWW_AUTHENTICATE, header_value(challenge.as_bytes()));
                response
            }
            Self::NotFound => error(StatusCode::NOT_FOUND, "NAME_UNKNOWN"),
            Self::NullTags => axum::Json(json!({ "name": repository, "tags": null })).into_response(),
            Self::NoTags => axum::Json(json!({ "name": repository, "tags": [] })).into_response(),
            Self::Stale(registry) => registry.router().oneshot(request).await.into_response(),
            Self::HugeBody(length) => huge(length),
            Self::Reset => {
                wire.reset();
                // Never sent: the connection fails as soon as this is written.
                StatusCode::OK.into_response()
            }
            spoiled => spoiled.spoil(next.run(request).await).await,
        }
    }

    async fn spoil(self, response: Response) -> Response {
        match self {
            Self::Delay(time) => {
                pause(time).await;
                response
            }
            Self::CutBody => {
                let (head, [first, _]) = halves(response).await;
                // Headers and the first half leave while this waits, and only then it fails.
                let cut = stream::once(async {
                    tokio::task::yield_now().await;
                    Err(io::Error::from(io::ErrorKind::ConnectionAborted))
                });
                let body = stream::iter([Ok(first)]).chain(cut);
                Response::from_parts(head, Body::from_stream(body))
            }
            Self::SlowBody(time) => {
                let (head, [first, second]) = halves(response).await;
                let rest = stream::once(async move {
                    pause(time).await;
                    Ok::<_, io::Error>(second)
                });
                Response::from_parts(head, Body::from_stream(stream::iter([Ok(first)]).chain(rest)))
            }
            Self::OtherBody => {
                let (head, halves) = halves(response).await;
                Response::from_parts(head, Body::from(with_another_digest(halves.concat())))
            }
            Self::Header(name, value) => {
                let mut response = response;
                match value {
                    Some(value) => response.headers_mut().insert(name, value),
                    None => response.headers_mut().remove(name),
                };
                response
            }
            _ => response,
        }
    }
}

const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

fn header_value(bytes: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(bytes).unwrap_or_else(|error| panic!("{bytes:?} is no header value: {error}"))
}

fn error(status: StatusCode, code: &str) -> Response {
    let body = json!({ "errors": [{ "code": code, "message": "scripted fault" }] });
    (status, axum::Json(body)).into_response()
}

/// The true answer's head with its true Content-Length, and its body in two halves.
async fn halves(response: Response) -> (axum::http::response::Parts, [Bytes; 2]) {
    let (mut head, body) = response.into_parts();
    let mut first = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if !first.is_empty() {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(first.len()));
    }
    let second = first.split_off(first.len() / 2);
    (head, [first, second])
}

fn with_another_digest(mut bytes: Vec<u8>) -> Vec<u8> {
    const START: &[u8] = b"sha256:";
    let at = bytes.windows(START.len()).position(|piece| piece == START);
    if let Some(digit) = at.and_then(|at| bytes.get_mut(at + START.len())) {
        *digit = if *digit == b'0' { b'1' } else { b'0' };
    }
    bytes
}

fn huge(length: u64) -> Response {
    const PIECE: &[u8] = &[b' '; 1 << 16];
    let body = stream::unfold(length, |left| async move {
        let piece = PIECE.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        (piece > 0).then(|| (Ok::<_, io::Error>(Bytes::from_static(&PIECE[..piece])), left - piece as u64))
    });
    let start = stream::iter([Ok(Bytes::from_static(b"{"))]);
    ([(CONTENT_TYPE, "application/json")], Body::from_stream(start.chain(body))).into_response()
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RateLimited(header) => write!(f, "RateLimited({header:?})"),
            Self::Status(status) => write!(f, "Status({})", status.as_u16()),
            Self::Html => f.write_str("Html"),
            Self::Redirect(target) => write!(f, "Redirect({target})"),
            Self::Unauthorized(challenge) => write!(f, "Unauthorized({challenge})"),
            Self::NotFound => f.write_str("NotFound"),
            Self::NullTags => f.write_str("NullTags"),
            Self::NoTags => f.write_str("NoTags"),
            Self::Stale(_) => f.write_str("Stale"),
            Self::HugeBody(length) => write!(f, "HugeBody({length})"),
            Self::Reset => f.write_str("Reset"),
            Self::Delay(time) => write!(f, "Delay({time:?})"),
            Self::CutBody => f.write_str("CutBody"),
            Self::SlowBody(time) => write!(f, "SlowBody({time:?})"),
            Self::OtherBody => f.write_str("OtherBody"),
            Self::Header(name, value) => write!(f, "Header({name}: {value:?})"),
        }
    }
}
