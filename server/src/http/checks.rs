//! Asks for a check now.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tagwarden_model::api::{Check, ErrorBody, Job, JobKind};
use tagwarden_model::name::TagName;

use super::AppState;
use super::access::Caller;
use super::body::Body;
use super::error::ApiError;
use super::jobs;
use super::parameters::{self, Query, Wait};
use crate::store::jobs::JobRequest;

/// Asks for a check of a repository, or of some of its tags, now; a job does it.
#[utoipa::path(post, path = "/api/v1/checks", tag = "repositories", params(Wait), request_body = Check,
    responses((status = 202, body = Job), (status = 404, body = ErrorBody, description = "The repository is not watched.")))]
pub(super) async fn check(
    State(state): State<AppState>,
    caller: Caller,
    Query(wait): Query<Wait>,
    Body(asked): Body<Check>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let wait = wait.seconds()?;
    let repository = parameters::repository("repository", &asked.repository)?;
    if asked.tags.len() > 100 {
        return Err(ApiError::invalid("tags", "name at most 100 tags, or none for the whole repository"));
    }
    let named = asked.tags.iter().enumerate();
    let tags = named
        .map(|(at, tag)| parameters::tag(&format!("tags[{at}]"), tag))
        .collect::<Result<BTreeSet<TagName>, _>>()?;
    let request = JobRequest::Check(tags.into_iter().collect());
    jobs::create(&state, &caller, &repository, JobKind::Check, &request, wait).await
}
