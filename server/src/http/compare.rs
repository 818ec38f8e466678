//! What two digests differ in.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tagwarden_model::api::{Comparison, ErrorBody};
use tagwarden_model::change;
use tagwarden_model::digest::Digest;
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::error::ApiError;
use super::parameters::Query;
use crate::store::StoreError;

/// Two digests.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Pair {
    /// The digest before, such as what a release is held to.
    #[param(value_type = String, pattern = "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$")]
    old: Digest,
    /// The digest after, such as what the release named instead; both may be the same.
    #[param(value_type = String, pattern = "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$")]
    new: Digest,
}

/// What two digests differ in, platform by platform: as it was found when a release named one instead of the other, else as the
/// record has both. It keeps what releases consist of, but for their layers.
#[utoipa::path(get, path = "/api/v1/compare", tag = "record", params(Pair),
    responses((status = 200, body = Comparison), (status = 404, body = ErrorBody, description = "The record does not have both.")))]
pub(super) async fn compare(
    State(state): State<AppState>,
    _: Caller,
    Query(pair): Query<Pair>,
) -> Result<Json<Comparison>, ApiError> {
    let Pair { old, new } = pair;
    let [before, after] = crate::compare::of_record(&state.store, [&old, &new]).await?;
    let [old_source, new_source] = [&before, &after].map(change::source);
    let change = match state.store.comparison(&old, &new).await? {
        Some(change) => change,
        None if old == new || before.body.is_ok() && after.body.is_ok() => {
            // Hostile contents take a while: no other request waits for that.
            let compared = tokio::task::spawn_blocking(move || change::compare(&before, &after)).await;
            compared.map_err(|error| StoreError::Inconsistent(format!("comparing {old} and {new}: {error}")))?
        }
        None => {
            let field = if before.body.is_ok() { "new" } else { "old" };
            return Err(ApiError::not_found(
                field,
                "the record does not keep what it consists of: it was no release here",
            ));
        }
    };
    let (sentence, rows) = (change.sentence(), change.table());
    Ok(Json(Comparison { change, sentence, rows, old_source, new_source }))
}
