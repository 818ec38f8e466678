//! What is done around every request: an id, the error's body, security headers, the count.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::{AppState, error};
use crate::metrics::{OfRequest, OfRoute};

/// The outermost of our layers.
pub(super) async fn around(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let request_id = format!("{:016x}", rand::random::<u64>());
    let route = request.extensions().get::<MatchedPath>().map_or("page", |path| path.as_str()).to_owned();
    let method = known(request.method());
    let began = state.clock.now().mono;
    let mut response = error::answer(next.run(request).await, &request_id);
    let status = response.status().as_u16();
    let micros = state.clock.now().mono.0.saturating_sub(began.0);
    tracing::debug!(request_id, method, route, status, micros, "answered");
    state.metrics.durations.get_or_create(&OfRoute { route: route.clone() }).observe(micros as f64 / 1e6);
    state.metrics.requests.get_or_create(&OfRequest { method, route, status }).inc();
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    // The page brings its own; nothing else is to be shown or run by a browser.
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(nothing);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Clients may invent methods, and every label value is kept for ever.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
