//! What the first page says before its lists.

use axum::Json;
use axum::extract::State;
use tagwarden_model::api::Summary;

use super::AppState;
use super::access::Caller;
use super::error::ApiError;
use super::parameters::{Nothing, Query};

/// What the first page says before its lists.
#[utoipa::path(get, path = "/api/v1/summary", tag = "overview", responses((status = 200, body = Summary)))]
pub(super) async fn summary(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
) -> Result<Json<Summary>, ApiError> {
    let mut summary = state.store.summary(caller.scope, state.now()).await?;
    summary.read_only = state.settings.read_only;
    summary.demo_percent = state.settings.demo.as_ref().map(|told| told.borrow().percent);
    Ok(Json(summary))
}
