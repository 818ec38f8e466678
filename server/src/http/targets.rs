//! The way back of a tag, and proofs that it can be gone.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tagwarden_model::api::{ErrorBody, Job, JobKind, Page, ProveTargets, Target};
use tagwarden_model::digest::Digest;
use tagwarden_model::name::{RepositoryName, TagName};
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::body::Body;
use super::error::ApiError;
use super::jobs;
use super::parameters::{self, Query, Repository, Tag, Wait};
use crate::store::jobs::JobRequest;

/// So many targets of a tag are proven when no digest is named.
const PROVEN_AT_ONCE: usize = 5;

/// A tag.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfTag {
    /// The repository, as docker would name it.
    #[param(inline)]
    pub repository: Repository,
    /// The tag.
    #[param(inline)]
    pub tag: Tag,
}

/// The way back of a tag, best first, on one page.
#[utoipa::path(get, path = "/api/v1/targets", tag = "targets", params(OfTag),
    responses((status = 200, body = Page<Target>), (status = 404, body = ErrorBody, description = "There is no such tag.")))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(of): Query<OfTag>,
) -> Result<Json<Page<Target>>, ApiError> {
    let items = targets(&state, &caller, &of.repository.0, &of.tag.0).await?;
    Ok(Json(Page { items, next: None }))
}

/// Asks for proofs that targets can be pulled; a job does it.
#[utoipa::path(post, path = "/api/v1/targets/proofs", tag = "targets", params(Wait), request_body = ProveTargets,
    responses((status = 202, body = Job), (status = 404, body = ErrorBody, description = "There is no such repository or tag."),
        (status = 409, body = ErrorBody, description = "The tag has no target.")))]
pub(super) async fn prove(
    State(state): State<AppState>,
    caller: Caller,
    Query(wait): Query<Wait>,
    Body(asked): Body<ProveTargets>,
) -> Result<(StatusCode, Json<Job>), ApiError> {
    let wait = wait.seconds()?;
    let repository = parameters::repository("repository", &asked.repository)?;
    let digests = match (asked.digest, &asked.tag) {
        (Some(digest), _) => vec![digest],
        (None, Some(tag)) => digests_of(&state, &caller, &repository, tag).await?,
        (None, None) => {
            return Err(ApiError::invalid("tag", "name the digest to prove, or the tag whose targets are meant"));
        }
    };
    jobs::create(&state, &caller, &repository, JobKind::Proof, &JobRequest::Proof(digests), wait).await
}

async fn digests_of(
    state: &AppState,
    caller: &Caller,
    repository: &RepositoryName,
    tag: &str,
) -> Result<Vec<Digest>, ApiError> {
    let targets = targets(state, caller, repository, &parameters::tag("tag", tag)?).await?;
    if targets.is_empty() {
        return Err(ApiError::Conflict("this tag has no target to prove: nothing else was released before it".into()));
    }
    Ok(targets.into_iter().map(|target| target.digest).take(PROVEN_AT_ONCE).collect())
}

async fn targets(
    state: &AppState,
    caller: &Caller,
    repository: &RepositoryName,
    tag: &TagName,
) -> Result<Vec<Target>, ApiError> {
    let targets = state.store.targets(caller.scope, repository, tag).await?;
    targets.ok_or_else(|| ApiError::not_found("tag", "there is no such tag in the record of this repository"))
}
