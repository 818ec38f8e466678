//! Groups: named sets of repositories.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tagwarden_model::api::{ErrorBody, Group, JoinGroup, NewGroup, Page, RenameGroup};
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::body::Body;
use super::error::ApiError;
use super::parameters::{self, Nothing, Query};
use crate::config::shown_name;
use crate::store::groups::{Joined, composed};

/// One group.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Named {
    /// The group.
    name: String,
}

/// A repository in a group.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Member {
    /// The group.
    group: String,
    /// The repository, as docker would name it.
    #[param(inline)]
    repository: parameters::Repository,
}

/// All groups, by name: those of the configuration file and those that people made.
#[utoipa::path(get, path = "/api/v1/groups", tag = "groups", responses((status = 200, body = Page<Group>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
) -> Result<Json<Page<Group>>, ApiError> {
    Ok(Json(Page { items: state.store.groups(caller.scope, None).await?, next: None }))
}

/// Makes a group.
#[utoipa::path(post, path = "/api/v1/groups", tag = "groups", request_body = NewGroup,
    responses((status = 201, body = Group, description = "It is made."),
        (status = 200, body = Group, description = "There was one of that name already.")))]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
    Body(asked): Body<NewGroup>,
) -> Result<(StatusCode, Json<Group>), ApiError> {
    let name = checked("name", &asked.name)?;
    let status = if state.store.create_group(name).await? { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, one(&state, &caller, name).await?))
}

/// Gives a group another name.
#[utoipa::path(post, path = "/api/v1/groups/rename", tag = "groups", request_body = RenameGroup,
    responses((status = 200, body = Group), (status = 404, body = ErrorBody, description = "There is no such group."),
        (status = 409, body = ErrorBody, description = "The configuration file has this group.")))]
pub(super) async fn rename(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
    Body(asked): Body<RenameGroup>,
) -> Result<Json<Group>, ApiError> {
    let to = checked("to", &asked.to)?;
    changeable(&state, &asked.name)?;
    if !state.store.rename_group(&asked.name, to, state.now()).await? {
        return Err(no_group("name"));
    }
    one(&state, &caller, to).await
}

/// Deletes a group. Its repositories stay as they are.
#[utoipa::path(delete, path = "/api/v1/groups", tag = "groups", params(Named),
    responses((status = 204, description = "It is gone."), (status = 404, body = ErrorBody, description = "There is no such group."),
        (status = 409, body = ErrorBody, description = "The configuration file has this group.")))]
pub(super) async fn delete(
    State(state): State<AppState>,
    _: Caller,
    Query(of): Query<Named>,
) -> Result<StatusCode, ApiError> {
    changeable(&state, &of.name)?;
    if state.store.delete_group(&of.name, state.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_group("name"))
    }
}

/// Puts a watched repository into a group.
#[utoipa::path(post, path = "/api/v1/groups/repositories", tag = "groups", request_body = JoinGroup,
    responses((status = 200, body = Group),
        (status = 404, body = ErrorBody, description = "There is no such group, or the repository is not watched."),
        (status = 409, body = ErrorBody, description = "The configuration file has this group.")))]
pub(super) async fn join(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
    Body(asked): Body<JoinGroup>,
) -> Result<Json<Group>, ApiError> {
    let repository = parameters::repository("repository", &asked.repository)?;
    changeable(&state, &asked.group)?;
    match state.store.join_group(&asked.group, &repository, state.now()).await? {
        Joined::In => one(&state, &caller, &asked.group).await,
        Joined::NoGroup => Err(no_group("group")),
        Joined::NotWatched => Err(ApiError::not_watched("repository")),
    }
}

/// Takes a repository out of a group.
#[utoipa::path(delete, path = "/api/v1/groups/repositories", tag = "groups", params(Member),
    responses((status = 204, description = "It is out."), (status = 404, body = ErrorBody, description = "It was not in it."),
        (status = 409, body = ErrorBody, description = "The configuration file has this group.")))]
pub(super) async fn leave(
    State(state): State<AppState>,
    _: Caller,
    Query(of): Query<Member>,
) -> Result<StatusCode, ApiError> {
    let parameters::Repository(repository) = of.repository;
    changeable(&state, &of.group)?;
    if state.store.leave_group(&of.group, &repository, state.now()).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found("repository", "this repository is not in this group"))
}

/// What the configuration file says of a group is changed there.
fn changeable(state: &AppState, name: &str) -> Result<(), ApiError> {
    let (in_force, name) = (state.configuration.borrow().clone(), composed(name));
    match &in_force.config.file {
        Some(file) if in_force.config.groups.iter().any(|group| group.name == name) => {
            Err(ApiError::Conflict(format!("{} says what is in the group {name}: change it there", file.display())))
        }
        _ => Ok(()),
    }
}

async fn one(state: &AppState, caller: &Caller, name: &str) -> Result<Json<Group>, ApiError> {
    let group = state.store.groups(caller.scope, Some(name)).await?.pop();
    group.map(Json).ok_or_else(|| no_group("name"))
}

fn no_group(field: &str) -> ApiError {
    ApiError::not_found(field, "there is no group of that name; make one with POST /api/v1/groups")
}

fn checked<'a>(field: &str, name: &'a str) -> Result<&'a str, ApiError> {
    shown_name("a group", name).map(|()| name).map_err(|message| ApiError::invalid(field, message))
}
