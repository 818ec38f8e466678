//! The digests that releases are held to.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tagwarden_model::api::{ErrorBody, MakePromise, Page, Promise};
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::body::Body;
use super::cursor::{Limit, List};
use super::error::ApiError;
use super::parameters::{self, Nothing, Query, Repository};

/// Which promises.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this repository, as docker would name it.
    #[param(inline)]
    repository: Repository,
    /// Rows of a page.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 500, default = 50)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Promises of a repository that stand, by tag.
#[utoipa::path(get, path = "/api/v1/promises", tag = "flags", params(Which), responses((status = 200, body = Page<Promise>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<Json<Page<Promise>>, ApiError> {
    let Repository(repository) = which.repository;
    let list = List::new("promises", &[&repository]);
    let after = list.position(which.cursor.as_deref())?;
    let rows = state.store.promises(caller.scope, &repository, after.as_ref(), which.limit.0).await?;
    Ok(Json(list.page(rows)))
}

/// Says which digest a release is meant to have; opens or restores the flag that this decides.
#[utoipa::path(post, path = "/api/v1/promises", tag = "flags", request_body = MakePromise,
    responses((status = 201, body = Promise), (status = 404, body = ErrorBody, description = "The repository is not watched.")))]
pub(super) async fn make(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
    Body(act): Body<MakePromise>,
) -> Result<(StatusCode, Json<Promise>), ApiError> {
    let repository = parameters::repository("repository", &act.repository)?;
    parameters::tag("tag", &act.tag)?;
    parameters::reason(&act.reason)?;
    let act = MakePromise { repository: repository.to_string(), ..act };
    let promise = state.store.make_promise(&act, &caller.actor, state.now()).await?;
    Ok((StatusCode::CREATED, Json(promise.ok_or_else(|| ApiError::not_watched("repository"))?)))
}
