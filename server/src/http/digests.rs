//! Everything that ever pointed at a digest.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tagwarden_model::api::{DigestUse, Page};
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::cursor::List;
use super::error::ApiError;
use super::parameters::{Path, Query};
use super::repositories::Paging;

/// A digest or its beginning.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Prefix {
    /// 7 to 64 hex digits of a sha256 digest, with or without `sha256:`.
    #[param(pattern = "^(sha256:)?[0-9a-f]{7,64}$", example = "sha256:4a1c3be")]
    digest: String,
}

/// Everything that ever pointed at a digest, newest first.
#[utoipa::path(get, path = "/api/v1/digests/{digest}", tag = "record", params(Prefix, Paging),
    responses((status = 200, body = Page<DigestUse>)))]
pub(super) async fn uses(
    State(state): State<AppState>,
    caller: Caller,
    Path(of): Path<Prefix>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<DigestUse>>, ApiError> {
    let prefix = of.digest.strip_prefix("sha256:").unwrap_or(&of.digest);
    let hex = prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !hex || !(7..=64).contains(&prefix.len()) {
        return Err(ApiError::invalid("digest", "give 7 to 64 of a sha256 digest's lower-case hex digits"));
    }
    let list = List::new("digests", &[&prefix]);
    let after = list.position(paging.cursor.as_deref())?;
    let rows = state.store.digest_uses(caller.scope, prefix, after.as_ref(), paging.limit.0).await?;
    Ok(Json(list.page(rows)))
}
