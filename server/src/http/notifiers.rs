//! Who is told of flags, and how that goes. Addresses beyond the host are in no answer: they may be secrets.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tagwarden_model::api::{Delivery, DeliveryState, ErrorBody, Notifier, Page, Retried};
use tagwarden_model::instant::Millis;
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::error::ApiError;
use super::parameters::{Nothing, Path, Query, Wait};

/// One notifier.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Named {
    /// The notifier's name.
    name: String,
}

/// All notifiers of the configuration, in its order, on one page.
#[utoipa::path(get, path = "/api/v1/notifiers", tag = "notifiers", responses((status = 200, body = Page<Notifier>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    _: Caller,
    _: Query<Nothing>,
) -> Result<Json<Page<Notifier>>, ApiError> {
    let mut items = Vec::new();
    let config = state.configuration.borrow().config.clone();
    for notifier in &config.notifiers {
        items.push(state.store.notifier(&notifier.described()).await?);
    }
    Ok(Json(Page { items, next: None }))
}

/// Sends a test message, once, whatever the notifier's filters and quiet hours are.
#[utoipa::path(post, path = "/api/v1/notifiers/{name}/test", tag = "notifiers", params(Named, Wait),
    responses((status = 202, body = Delivery), (status = 404, body = ErrorBody, description = "There is no such notifier.")))]
pub(super) async fn test(
    State(state): State<AppState>,
    _: Caller,
    Path(of): Path<Named>,
    Query(wait): Query<Wait>,
) -> Result<(StatusCode, Json<Delivery>), ApiError> {
    let wait = wait.seconds()?;
    check(&state, &of)?;
    let mut outbox = state.store.outbox();
    let sent = state.store.test_notifier(&of.name, state.now()).await?;
    let until = state.clock.now().mono.after(Millis::seconds(wait));
    loop {
        let now = state.store.delivery(sent.id).await?.unwrap_or_else(|| sent.clone());
        if wait == 0 || now.state != DeliveryState::Waiting {
            return Ok((StatusCode::ACCEPTED, Json(now)));
        }
        tokio::select! {
            // What another server delivers is not seen at once; the wait has an end.
            _ = outbox.changed() => {}
            () = state.clock.sleep_until(until) => return Ok((StatusCode::ACCEPTED, Json(now))),
            () = state.shutdown.cancelled() => return Ok((StatusCode::ACCEPTED, Json(now))),
        }
    }
}

/// Lets messages that were tried often enough be tried again.
#[utoipa::path(post, path = "/api/v1/notifiers/{name}/retry", tag = "notifiers", params(Named),
    responses((status = 202, body = Retried), (status = 404, body = ErrorBody, description = "There is no such notifier.")))]
pub(super) async fn retry(
    State(state): State<AppState>,
    _: Caller,
    Path(of): Path<Named>,
    _: Query<Nothing>,
) -> Result<(StatusCode, Json<Retried>), ApiError> {
    check(&state, &of)?;
    let messages = state.store.retry_deliveries(&of.name, state.now()).await?;
    Ok((StatusCode::ACCEPTED, Json(Retried { messages })))
}

fn check(state: &AppState, of: &Named) -> Result<(), ApiError> {
    let known = state.configuration.borrow().config.notifiers.iter().any(|notifier| notifier.name == of.name);
    if known { Ok(()) } else { Err(ApiError::not_found("name", "there is no notifier with this name")) }
}
