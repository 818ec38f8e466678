//! What two digests differ in.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tagwarden_model::api::ErrorBody;
use tagwarden_model::change::Change;
use tagwarden_model::digest::Digest;
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::error::ApiError;
use super::parameters::Query;

/// Two digests.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Pair {
    /// The digest before: what a release is held to.
    #[param(value_type = String, pattern = "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$")]
    old: Digest,
    /// The digest after: what the release named instead.
    #[param(value_type = String, pattern = "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$")]
    new: Digest,
}

/// What a release's promise and what it named instead differ in, platform by platform.
#[utoipa::path(get, path = "/api/v1/compare", tag = "record", params(Pair),
    responses((status = 200, body = Change), (status = 404, body = ErrorBody, description = "These two were not compared.")))]
pub(super) async fn compare(
    State(state): State<AppState>,
    _: Caller,
    Query(pair): Query<Pair>,
) -> Result<Json<Change>, ApiError> {
    let change = state.store.comparison(&pair.old, &pair.new).await?;
    let missing = || ApiError::not_found("new", "these two were not compared: no flag is or was about them");
    Ok(Json(change.ok_or_else(missing)?))
}
