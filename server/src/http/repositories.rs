//! Watched repositories: list, add, remove.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tagwarden_model::api::{AddRepository, ErrorBody, NameRepository, Page, Repository, WatchSource};
use tagwarden_model::name::RepositoryName;
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::body::Body;
use super::cursor::{Limit, List, Opt};
use super::error::ApiError;
use super::parameters::{self, Nothing, Query};
use crate::store::watch::Added;
use crate::watch::watch;

/// A page of a list without filters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Rows of a page.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 500, default = 50)]
    pub limit: Limit,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// Which repositories.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this group.
    #[param(max_length = 64)]
    group: Option<String>,
    /// Whose name contains this.
    #[param(max_length = 300)]
    contains: Option<String>,
    /// Rows of a page.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 500, default = 50)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// One repository.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Named {
    /// The repository, as docker would take it.
    #[param(inline)]
    name: parameters::Repository,
}

/// What is deleted for good.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Purged {
    /// The repository, as docker would take it.
    #[param(inline)]
    name: parameters::Repository,
    /// The same name once more.
    #[param(inline)]
    confirm: parameters::Repository,
}

/// Watched repositories by name, those that are paused among them.
#[utoipa::path(get, path = "/api/v1/repositories", tag = "repositories", params(Which),
    responses((status = 200, body = Page<Repository>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<Json<Page<Repository>>, ApiError> {
    parameters::one_of(None, which.group.as_deref())?;
    parameters::at_most("contains", which.contains.as_deref(), 300)?;
    let list = List::new("repositories", &[&Opt(&which.group), &Opt(&which.contains)]);
    let after = list.position(which.cursor.as_deref())?;
    let (group, contains) = (which.group.as_deref(), which.contains.as_deref());
    let rows = state.store.repositories(caller.scope, group, contains, state.now(), after.as_ref(), which.limit.0);
    let (rows, more) = rows.await?;
    let rows = rows.into_iter().map(|repository| with_source(&state, repository)).collect();
    Ok(Json(list.page((rows, more))))
}

/// One watched repository.
#[utoipa::path(get, path = "/api/v1/repositories/one", tag = "repositories", params(Named),
    responses((status = 200, body = Repository), (status = 404, body = ErrorBody, description = "It is not watched.")))]
pub(super) async fn one(
    State(state): State<AppState>,
    caller: Caller,
    Query(of): Query<Named>,
) -> Result<Json<Repository>, ApiError> {
    let parameters::Repository(name) = of.name;
    self::of(&state, &caller, &name).await
}

/// Begins to watch a repository. The answer says what is known of it: nothing yet.
#[utoipa::path(post, path = "/api/v1/repositories", tag = "repositories", request_body = AddRepository,
    responses((status = 201, body = Repository, description = "Watched from now on."),
        (status = 200, body = Repository, description = "It was watched already.")))]
pub(super) async fn add(
    State(state): State<AppState>,
    caller: Caller,
    Body(asked): Body<AddRepository>,
) -> Result<(StatusCode, Json<Repository>), ApiError> {
    let name = parameters::repository("name", &asked.name)?;
    let status = match watch(&state.store, &name, &caller.actor, state.now()).await? {
        Added::New(_) => {
            (state.wake)();
            StatusCode::CREATED
        }
        Added::Already(_) => StatusCode::OK,
    };
    Ok((status, of(&state, &caller, &name).await?))
}

/// Stops checking a repository until it is resumed. It stays among those that are watched.
#[utoipa::path(post, path = "/api/v1/repositories/pause", tag = "repositories", request_body = NameRepository,
    responses((status = 200, body = Repository), (status = 404, body = ErrorBody, description = "It is not watched.")))]
pub(super) async fn pause(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
    Body(asked): Body<NameRepository>,
) -> Result<Json<Repository>, ApiError> {
    let name = parameters::repository("name", &asked.name)?;
    if state.store.pause(&name, &caller.actor, state.now()).await? {
        (state.wake)();
    }
    of(&state, &caller, &name).await
}

/// Checks a paused repository again. What it has by then counts as what stood before.
#[utoipa::path(post, path = "/api/v1/repositories/resume", tag = "repositories", request_body = NameRepository,
    responses((status = 200, body = Repository), (status = 404, body = ErrorBody, description = "It is not watched.")))]
pub(super) async fn resume(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
    Body(asked): Body<NameRepository>,
) -> Result<Json<Repository>, ApiError> {
    let name = parameters::repository("name", &asked.name)?;
    if state.store.resume(&name, &caller.actor, state.now()).await? {
        (state.wake)();
    }
    of(&state, &caller, &name).await
}

/// Deletes for good what was recorded of a repository that is not watched any more: its tags, events, flags and promises.
/// Of its events only number and leaf stay.
#[utoipa::path(delete, path = "/api/v1/repositories/purge", tag = "repositories", params(Purged),
    responses((status = 204, description = "Nothing is left of it."),
        (status = 404, body = ErrorBody, description = "Nothing was recorded of it.")))]
pub(super) async fn purge(
    State(state): State<AppState>,
    caller: Caller,
    Query(purged): Query<Purged>,
) -> Result<StatusCode, ApiError> {
    let parameters::Repository(name) = purged.name;
    if purged.confirm.0 != name {
        return Err(ApiError::invalid("confirm", "repeat the name of the repository: its history is deleted for good"));
    }
    let purged = state.store.purge(&name, &caller.actor, state.now()).await?;
    purged.ok_or_else(|| ApiError::not_found("name", "nothing was ever recorded of this repository"))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn of(state: &AppState, caller: &Caller, name: &RepositoryName) -> Result<Json<Repository>, ApiError> {
    let repository = state.store.repository(caller.scope, name, state.now()).await?;
    Ok(Json(with_source(state, repository.ok_or_else(|| ApiError::not_watched("name"))?)))
}

/// Ends watching a repository. What was recorded stays.
#[utoipa::path(delete, path = "/api/v1/repositories", tag = "repositories", params(Named),
    responses((status = 204, description = "It is not watched any more."),
        (status = 409, body = ErrorBody, description = "The configuration file watches it: its line goes first."),
        (status = 404, body = ErrorBody, description = "It was not watched.")))]
pub(super) async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Query(of): Query<Named>,
) -> Result<StatusCode, ApiError> {
    let parameters::Repository(name) = of.name;
    let in_force = state.configuration.borrow().clone();
    if let (Some(file), Some(line)) = (&in_force.config.file, in_force.config.line_of(&name)) {
        return Err(ApiError::Conflict(format!(
            "line {line} of {} says that {name} is watched: take it out there, and it is not watched any more",
            file.display()
        )));
    }
    if !state.store.unwatch(&name, &caller.actor, state.now()).await? {
        return Err(ApiError::not_watched("name"));
    }
    (state.wake)();
    Ok(StatusCode::NO_CONTENT)
}

/// The record does not know what the file says.
fn with_source(state: &AppState, repository: Repository) -> Repository {
    let name = repository.name.parse();
    let named = name.is_ok_and(|name| state.configuration.borrow().config.line_of(&name).is_some());
    Repository { source: if named { WatchSource::File } else { WatchSource::Person }, ..repository }
}
