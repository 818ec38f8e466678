//! Tags of a repository.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tagwarden_model::api::{ErrorBody, Page, Tag};
use tagwarden_model::tag::Class;
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::cursor::{Limit, List, Opt};
use super::error::ApiError;
use super::parameters::{self, Query, Repository};
use super::targets::OfTag;
use crate::store::read::TagFilter;

/// Which tags.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this repository, as docker would name it.
    #[param(inline)]
    repository: Repository,
    /// Of this class.
    #[param(inline)]
    class: Option<Class>,
    /// Of this family: the tag without its numbers.
    #[param(max_length = 128)]
    family: Option<String>,
    /// Only tags whose name contains this.
    #[param(max_length = 128)]
    contains: Option<String>,
    /// Rows of a page.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 500, default = 50)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Tags of a repository: newest version first within a family.
#[utoipa::path(get, path = "/api/v1/tags", tag = "record", params(Which),
    responses((status = 200, body = Page<Tag>), (status = 404, body = ErrorBody, description = "The repository was never watched.")))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<Json<Page<Tag>>, ApiError> {
    let Repository(repository) = which.repository;
    for (field, text) in [("family", &which.family), ("contains", &which.contains)] {
        parameters::at_most(field, text.as_deref(), 128)?;
    }
    let list = List::new("tags", &[&repository, &Opt(&which.class), &Opt(&which.family), &Opt(&which.contains)]);
    let after = list.position(which.cursor.as_deref())?;
    let filter = TagFilter { repository, class: which.class, family: which.family, contains: which.contains };
    let rows = state.store.tags(caller.scope, &filter, after.as_ref(), which.limit.0).await?;
    Ok(Json(list.page(rows.ok_or_else(|| ApiError::not_watched("repository"))?)))
}

/// One tag.
#[utoipa::path(get, path = "/api/v1/tags/one", tag = "record", params(OfTag),
    responses((status = 200, body = Tag), (status = 404, body = ErrorBody, description = "There is no such tag.")))]
pub(super) async fn one(
    State(state): State<AppState>,
    caller: Caller,
    Query(of): Query<OfTag>,
) -> Result<Json<Tag>, ApiError> {
    let tag = state.store.tag(caller.scope, &of.repository.0, &of.tag.0).await?;
    let missing = || ApiError::not_found("tag", "there is no such tag in the record of this repository");
    Ok(Json(tag.ok_or_else(missing)?))
}
