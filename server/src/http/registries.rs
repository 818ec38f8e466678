//! Registry entries and whether they can be asked.

use axum::Json;
use axum::extract::State;
use tagwarden_model::api::{Page, Registry};

use super::AppState;
use super::access::Caller;
use super::cursor::List;
use super::error::ApiError;
use super::parameters::Query;
use super::repositories::Paging;

/// Registry entries by name, with the state that the newest listings of their repositories show.
#[utoipa::path(get, path = "/api/v1/registries", tag = "registries", params(Paging),
    responses((status = 200, body = Page<Registry>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Registry>>, ApiError> {
    let list = List::new("registries", &[]);
    let after = list.position(paging.cursor.as_deref())?;
    let rows = state.store.registry_states(caller.scope, state.now(), after.as_ref(), paging.limit.0).await?;
    Ok(Json(list.page(rows)))
}
