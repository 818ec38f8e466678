//! What can be known before a repository is watched: one that is named, those of a registry, those of a pasted text.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tagwarden_model::api::{Job, Paste, Pasted, PreviewRepository, ReadCatalogue};
use tagwarden_model::name::RepositoryName;

use super::AppState;
use super::access::Caller;
use super::body::Body;
use super::error::ApiError;
use super::jobs;
use super::parameters::{self, Nothing, Query, Wait};
use crate::paste;
use crate::policy::matcher;
use crate::store::StoreError;
use crate::store::jobs::{JobRequest, NO_ENTRY};
use crate::watch::{asked_through, entry_of};

/// Bytes of a body with a pasted text: as JSON its megabyte may be several times as long.
pub(super) const PASTE_LIMIT: usize = 4 * paste::LONGEST;

/// Finds the repositories that a pasted text names. Nothing of it is watched: add the chosen ones one by one.
#[utoipa::path(post, path = "/api/v1/repositories/bulk", tag = "repositories", request_body = Paste,
    responses((status = 200, body = Pasted)))]
pub(super) async fn bulk(
    State(state): State<AppState>,
    _: Caller,
    _: Query<Nothing>,
    Body(asked): Body<Paste>,
) -> Result<Json<Pasted>, ApiError> {
    if asked.text.len() > paste::LONGEST {
        return Err(ApiError::TooLarge("paste at most 1 MiB at once".to_owned()));
    }
    // Nobody closes it.
    let turn = state.previews.clone().acquire_owned().await;
    let pasted = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        paste::parse(&asked.text)
    });
    let mut pasted = pasted.await.map_err(|error| ApiError::Internal(error.to_string().into()))?;
    let watched = state.store.watched_names().await?;
    pasted.items.iter_mut().for_each(|item| item.watched = watched.contains(&item.name));
    Ok(Json(pasted))
}

/// Asks what a repository has, watched or not; a job looks. Nothing of it is recorded.
#[utoipa::path(post, path = "/api/v1/repositories/preview", tag = "repositories", params(Wait), request_body = PreviewRepository,
    responses((status = 202, body = Job)))]
pub(super) async fn preview(
    State(state): State<AppState>,
    caller: Caller,
    Query(wait): Query<Wait>,
    Body(asked): Body<PreviewRepository>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let wait = wait.seconds()?;
    let name = parameters::repository("name", &asked.name)?;
    let entry = entry_of(&state.store, &name).await?.map_or(NO_ENTRY, |entry| entry.id);
    jobs::create_look(&state, &caller, entry, &JobRequest::Preview(name), wait).await
}

/// Asks a registry for its repositories whose names match a pattern; a job reads its catalogue. Many registries have none.
#[utoipa::path(post, path = "/api/v1/catalogues", tag = "repositories", params(Wait), request_body = ReadCatalogue,
    responses((status = 202, body = Job)))]
pub(super) async fn catalogue(
    State(state): State<AppState>,
    caller: Caller,
    Query(wait): Query<Wait>,
    Body(asked): Body<ReadCatalogue>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let wait = wait.seconds()?;
    let host = host(&asked.registry).ok_or_else(|| {
        let message = "name the host that stands before the first / of its images: ghcr.io, 127.0.0.1:5000";
        ApiError::invalid("registry", message)
    })?;
    matcher("pattern", &asked.pattern).map_err(|error| ApiError::invalid("pattern", error.reason))?;
    let entry = asked_through(&state.store, &host).await.map_err(|error| match error {
        StoreError::Refused { message, .. } => ApiError::Refused { field: "registry".into(), message },
        error => error.into(),
    })?;
    let request = JobRequest::Catalogue { host, pattern: asked.pattern };
    jobs::create_look(&state, &caller, entry.map_or(NO_ENTRY, |entry| entry.id), &request, wait).await
}

/// A registry's host as it stands in names.
fn host(text: &str) -> Option<String> {
    // Behind a host, two parts of a path are read as they are.
    let name: RepositoryName = format!("{text}/a/b").parse().ok()?;
    (name.path == "a/b").then_some(name.host)
}
