//! A server that only shows its record.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::AppState;
use super::error::ApiError;

/// The layer that refuses whatever is not a question. The store would refuse it too, less politely.
pub(super) async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if state.settings.read_only && !request.method().is_safe() {
        let message =
            "this server only shows its record (serve --read-only): nothing is checked, decided or changed here";
        return ApiError::Forbidden(message.into()).into_response();
    }
    next.run(request).await
}
