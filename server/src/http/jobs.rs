//! Work that needs a registry and was asked for.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tagwarden_model::api::{ChangeKind, ErrorBody, Job, JobKind, JobState};
use tagwarden_model::instant::Millis;
use tagwarden_model::name::RepositoryName;
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::error::ApiError;
use super::parameters::{Nothing, Path, Query};
use crate::live::{Batch, Reader};
use crate::store::StoreError;
use crate::store::jobs::JobRequest;

/// One job.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Numbered {
    /// Number of the job.
    id: i64,
}

/// How far a job has come.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs", params(Numbered),
    responses((status = 200, body = Job), (status = 404, body = ErrorBody, description = "There is no such job.")))]
pub(super) async fn one(
    State(state): State<AppState>,
    caller: Caller,
    Path(of): Path<Numbered>,
    _: Query<Nothing>,
) -> Result<Json<Job>, ApiError> {
    Ok(Json(read(&state, &caller, of.id).await?))
}

/// Creates a job, wakes the poller, and waits up to `wait` seconds for the job's end. The answer is 202 either way.
pub(super) async fn create(
    state: &AppState,
    caller: &Caller,
    repository: &RepositoryName,
    kind: JobKind,
    request: &JobRequest,
    wait: i64,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let changes = state.live.reader(None);
    let job = state.store.create_job(repository, kind, request, &caller.actor, state.now()).await?;
    let job = job.ok_or_else(|| ApiError::not_watched("repository"))?;
    wait_for(state, caller, job.id, changes, wait).await
}

/// Does the same for a look at something that need not be watched.
pub(super) async fn create_look(
    state: &AppState,
    caller: &Caller,
    entry: i64,
    request: &JobRequest,
    wait: i64,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let changes = state.live.reader(None);
    let job = state.store.create_look(entry, request, &caller.actor, state.now()).await?;
    wait_for(state, caller, job.id, changes, wait).await
}

async fn wait_for(
    state: &AppState,
    caller: &Caller,
    job: i64,
    changes: Reader,
    wait: i64,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    (state.wake)();
    if wait > 0 {
        let until = state.clock.now().mono.after(Millis::seconds(wait));
        tokio::select! {
            ended = end_of(state, caller, job, changes) => ended?,
            () = state.clock.sleep_until(until) => {}
            () = state.shutdown.cancelled() => {}
        }
    }
    Ok((StatusCode::ACCEPTED, Json(read(state, caller, job).await?)))
}

async fn end_of(state: &AppState, caller: &Caller, id: i64, mut changes: Reader) -> Result<(), ApiError> {
    loop {
        if matches!(read(state, caller, id).await?.state, JobState::Done | JobState::Failed) {
            return Ok(());
        }
        until_it_goes_on(id, &mut changes).await?;
    }
}

/// Follows the change notices, which every waiting request shares, instead of asking the store again and again.
async fn until_it_goes_on(id: i64, changes: &mut Reader) -> Result<(), StoreError> {
    loop {
        let Batch::Changes(changes) = changes.next().await? else { return Ok(()) };
        if changes.iter().any(|change| change.kind == ChangeKind::Job && change.reference == id) {
            return Ok(());
        }
    }
}

async fn read(state: &AppState, caller: &Caller, id: i64) -> Result<Job, ApiError> {
    let job = state.store.job(caller.scope, id).await?;
    job.ok_or_else(|| ApiError::not_found("id", "there is no job with this number"))
}
