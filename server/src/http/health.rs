//! What operators and their programs ask for.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::AppState;
use super::error::ApiError;
use crate::metrics::{OfSeverity, Word};
use crate::store::Scope;

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "operation",
    responses((status = 200, body = str, content_type = "text/plain", description = "The process answers.")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The database answers, too.
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses((status = 200, body = str, content_type = "text/plain", description = "The database answers."),
        (status = 503, body = tagwarden_model::api::ErrorBody, description = "It does not.")))]
pub(super) async fn readyz(State(state): State<AppState>) -> Result<&'static str, ApiError> {
    match state.store.ping().await {
        Ok(()) => Ok("ready\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready: the database does not answer");
            Err(ApiError::Unavailable("the database does not answer".into()))
        }
    }
}

/// Metrics of this process, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, body = str, content_type = "application/openmetrics-text", description = "OpenMetrics text.")))]
pub(super) async fn metrics(State(state): State<AppState>) -> Result<impl IntoResponse, ApiError> {
    for (severity, count) in state.store.open_flags(Scope::All).await? {
        state.metrics.open_flags.get_or_create(&OfSeverity { severity: Word(severity) }).set(count);
    }
    let text = state.metrics.text(state.now()).map_err(|error| ApiError::Internal(error.to_string().into()))?;
    let content_type = (header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    Ok((StatusCode::OK, [content_type], text))
}
