//! What happened to tags and repositories.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tagwarden_model::api::{Event, Page};
use utoipa::{IntoParams, ToSchema};

use super::AppState;
use super::access::Caller;
use super::cursor::{Limit, List, Opt};
use super::error::ApiError;
use super::parameters::{self, Query, Repository, Tag};
use crate::store::read::{EventFilter, EventOrder};

/// In which order.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    /// As recorded.
    Seq,
    /// As placed in time.
    #[default]
    At,
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of this repository, as docker would name it.
    #[param(inline)]
    repository: Option<Repository>,
    /// Of this tag; needs `repository`.
    #[param(inline)]
    tag: Option<Tag>,
    /// Of the repositories of this group; not together with `repository`.
    #[param(max_length = 64)]
    group: Option<String>,
    /// `false` leaves out what stood before the watch.
    baseline: Option<bool>,
    /// `true` leaves only what happened to releases since they are watched; alone, and in the order of `at`.
    #[serde(default)]
    releases: bool,
    /// As recorded (`seq`) or as placed in time (`at`).
    #[serde(default)]
    #[param(inline)]
    order: Order,
    /// Rows of a page.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 500, default = 50)]
    limit: Limit,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Events, newest first.
#[utoipa::path(get, path = "/api/v1/events", tag = "record", params(Which), responses((status = 200, body = Page<Event>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<Json<Page<Event>>, ApiError> {
    let repository = which.repository.map(|Repository(name)| name);
    let tag = which.tag.map(|Tag(name)| name);
    if tag.is_some() && repository.is_none() {
        return Err(ApiError::invalid("repository", "a tag is one of a repository: name it, too"));
    }
    parameters::one_of(repository.as_ref(), which.group.as_deref())?;
    let is_alone = repository.is_none() && which.group.is_none() && matches!(which.order, Order::At);
    if which.releases && !is_alone {
        let message = "what happened to releases is listed of all repositories, by time: leave out `repository`, `group` and `order`";
        return Err(ApiError::invalid("releases", message));
    }
    let order = match which.order {
        Order::Seq => EventOrder::Seq,
        Order::At => EventOrder::At,
    };
    let list = List::new(
        "events",
        &[
            &Opt(&repository),
            &Opt(&tag),
            &Opt(&which.group),
            &format_args!("{order:?}"),
            &Opt(&which.baseline),
            &which.releases,
        ],
    );
    let after = list.position(which.cursor.as_deref())?;
    let (group, without_baseline, releases) = (which.group, which.baseline == Some(false), which.releases);
    let filter = EventFilter { repository, tag, group, without_baseline, releases };
    let rows = state.store.events(caller.scope, &filter, order, after.as_ref(), which.limit.0).await?;
    Ok(Json(list.page(rows)))
}
