//! What the timeline of one repository draws.

use axum::Json;
use axum::extract::State;
use tagwarden_model::api::{ErrorBody, Timeline};

use super::AppState;
use super::access::Caller;
use super::error::ApiError;
use super::parameters::{OfRepository, Query, Repository};

/// What the timeline of one repository draws.
#[utoipa::path(get, path = "/api/v1/timeline", tag = "record", params(OfRepository),
    responses((status = 200, body = Timeline), (status = 404, body = ErrorBody, description = "The repository was never watched.")))]
pub(super) async fn timeline(
    State(state): State<AppState>,
    caller: Caller,
    Query(of): Query<OfRepository>,
) -> Result<Json<Timeline>, ApiError> {
    let Repository(repository) = of.repository;
    let timeline = state.store.timeline(caller.scope, &repository).await?;
    Ok(Json(timeline.ok_or_else(|| ApiError::not_watched("repository"))?))
}
