//! Flags: list, read, acknowledge, close.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tagwarden_model::api::{Acknowledge, Close, ErrorBody, Flag, FlagDetail, Page};
use tagwarden_model::event::Severity;
use tagwarden_model::flag::FlagState;
use utoipa::{IntoParams, ToSchema};

use super::AppState;
use super::access::Caller;
use super::body::Body;
use super::cursor::{Limit, List, Opt};
use super::error::ApiError;
use super::parameters::{self, Nothing, Path, Query, Repository};
use crate::store::read::FlagFilter;

/// Flags in which states.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Standing {
    /// Needs a person.
    Open,
    /// A person knows.
    Acknowledged,
    /// As promised again; needs a review.
    Restored,
    /// A person decided.
    Closed,
    /// All that are not closed.
    Active,
}

impl Standing {
    pub(super) fn states(self) -> Vec<FlagState> {
        match self {
            Self::Open => vec![FlagState::Open],
            Self::Acknowledged => vec![FlagState::Acknowledged],
            Self::Restored => vec![FlagState::Restored],
            Self::Closed => vec![FlagState::Closed],
            Self::Active => vec![FlagState::Open, FlagState::Acknowledged, FlagState::Restored],
        }
    }
}

/// Which flags.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Where they stand; `active` is all that are not closed.
    #[param(inline)]
    state: Option<Standing>,
    /// Of this repository, as docker would name it.
    #[param(inline)]
    repository: Option<Repository>,
    /// Of the repositories of this group; not together with `repository`.
    #[param(max_length = 64)]
    group: Option<String>,
    /// At least as severe.
    #[param(inline)]
    severity: Option<Severity>,
    /// Whose `repository:tag` contains this.
    #[param(max_length = 300)]
    contains: Option<String>,
    /// Rows of a page.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 500, default = 50)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// One flag.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Numbered {
    /// Number of the flag.
    id: i64,
}

/// Flags: worst first, then newest.
#[utoipa::path(get, path = "/api/v1/flags", tag = "flags", params(Which), responses((status = 200, body = Page<Flag>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<Json<Page<Flag>>, ApiError> {
    let repository = which.repository.map(|Repository(name)| name);
    let states = which.state.map(Standing::states).unwrap_or_default();
    parameters::one_of(repository.as_ref(), which.group.as_deref())?;
    parameters::at_most("contains", which.contains.as_deref(), 300)?;
    let list = List::new(
        "flags",
        &[
            &format_args!("{states:?}"),
            &Opt(&repository),
            &Opt(&which.group),
            &format_args!("{:?}", which.severity),
            &Opt(&which.contains),
        ],
    );
    let after = list.position(which.cursor.as_deref())?;
    let Which { group, severity, contains, limit, .. } = which;
    let filter = FlagFilter { states, repository, group, severity, contains };
    let rows = state.store.flags(caller.scope, &filter, after.as_ref(), limit.0).await?;
    Ok(Json(list.page(rows)))
}

/// One flag with its story and the way back.
#[utoipa::path(get, path = "/api/v1/flags/{id}", tag = "flags", params(Numbered),
    responses((status = 200, body = FlagDetail), (status = 404, body = ErrorBody, description = "There is no such flag.")))]
pub(super) async fn one(
    State(state): State<AppState>,
    caller: Caller,
    Path(of): Path<Numbered>,
    _: Query<Nothing>,
) -> Result<Json<FlagDetail>, ApiError> {
    detail(&state, &caller, of.id).await
}

/// Takes note of a flag; it opens again at `until`, or when anything new happens.
#[utoipa::path(post, path = "/api/v1/flags/{id}/acknowledge", tag = "flags", params(Numbered), request_body = Acknowledge,
    responses((status = 200, body = FlagDetail), (status = 404, body = ErrorBody, description = "There is no such flag."),
        (status = 409, body = ErrorBody, description = "The flag changed since `version` (`conflict`), or is closed (`closed`).")))]
pub(super) async fn acknowledge(
    State(state): State<AppState>,
    caller: Caller,
    Path(of): Path<Numbered>,
    _: Query<Nothing>,
    Body(act): Body<Acknowledge>,
) -> Result<Json<FlagDetail>, ApiError> {
    parameters::reason(&act.reason)?;
    if act.until.is_some_and(|until| until <= state.now()) {
        return Err(ApiError::Refused { field: "until".into(), message: "give a time in the future".into() });
    }
    let done = state.store.acknowledge(of.id, &act, &caller.actor, state.now()).await?;
    done.ok_or_else(no_flag)?;
    detail(&state, &caller, of.id).await
}

/// Closes a flag. Closing in breach needs `accepted`: the promise becomes what the tag is now.
#[utoipa::path(post, path = "/api/v1/flags/{id}/close", tag = "flags", params(Numbered), request_body = Close,
    responses((status = 200, body = FlagDetail), (status = 404, body = ErrorBody, description = "There is no such flag."),
        (status = 409, body = ErrorBody, description = "The flag changed since `version` (`conflict`), or is closed (`closed`).")))]
pub(super) async fn close(
    State(state): State<AppState>,
    caller: Caller,
    Path(of): Path<Numbered>,
    _: Query<Nothing>,
    Body(act): Body<Close>,
) -> Result<Json<FlagDetail>, ApiError> {
    parameters::reason(&act.reason)?;
    let done = state.store.close(of.id, &act, &caller.actor, state.now()).await?;
    done.ok_or_else(no_flag)?;
    detail(&state, &caller, of.id).await
}

async fn detail(state: &AppState, caller: &Caller, id: i64) -> Result<Json<FlagDetail>, ApiError> {
    Ok(Json(state.store.flag(caller.scope, id).await?.ok_or_else(no_flag)?))
}

fn no_flag() -> ApiError {
    ApiError::not_found("id", "there is no flag with this number")
}
