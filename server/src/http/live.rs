//! The live stream: server-sent events (WHATWG HTML, 9.2).

use std::collections::VecDeque;
use std::convert::Infallible;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt as _};
use serde::Deserialize;
use tagwarden_model::api::Change;
use tagwarden_model::instant::Millis;
use tagwarden_model::observation::Mono;
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::error::ApiError;
use super::parameters::Query;
use crate::live::{Batch, Reader};

/// Comments do not reach scripts, so a quiet stream shows by this event that it lives.
const TICK: Millis = Millis::seconds(15);

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Begin {
    /// Changes after this id; without it, and without `Last-Event-ID`, from now on.
    #[param(minimum = 0)]
    after: Option<i64>,
}

/// Changes as they are recorded. `event: hello` comes first (`{"build"}`: which build of the page this server has; its id is
/// where the stream begins), then `event: change` for each change, `event: tick` every 15 seconds, and `event: reset` when
/// what was missed is not kept any more: read everything again.
#[utoipa::path(get, path = "/api/v1/live", tag = "overview",
    params(Begin, ("Last-Event-ID" = Option<i64>, Header, description = "The id received last; goes before `after`.")),
    responses((status = 200, body = Change, content_type = "text/event-stream", description = "The data of `change` events.")))]
pub(super) async fn stream(
    State(state): State<AppState>,
    _: Caller,
    headers: HeaderMap,
    Query(asked): Query<Begin>,
) -> Result<Response, ApiError> {
    let after = begin(&headers, &asked)?;
    // Each reader holds a connection, and nothing ends it: some connections stay free for all else.
    if state.metrics.live_readers.get() >= (state.settings.connections * 2 / 3) as i64 {
        return Err(ApiError::Unavailable("too many readers of the live stream: close some pages".into()));
    }
    let mut response = Sse::new(messages(state, after)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that collect an answer before they pass it on would hold the stream back for ever.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// The id to begin after; a browser that reconnects repeats the URL, so its header is the newer of the two.
fn begin(headers: &HeaderMap, asked: &Begin) -> Result<Option<i64>, ApiError> {
    let given = |field: &str, id: Option<i64>| match id {
        Some(id) if id >= 0 => Ok(Some(id)),
        _ => Err(ApiError::invalid(field, "give the id of a change, a whole number from 0")),
    };
    match (headers.get("last-event-id"), asked.after) {
        (Some(value), _) => given("Last-Event-ID", value.to_str().ok().and_then(|text| text.parse().ok())),
        (None, Some(id)) => given("after", Some(id)),
        (None, None) => Ok(None),
    }
}

/// One connection: what is still to be written, and where it stands.
struct Connection {
    state: AppState,
    reader: Reader,
    pending: VecDeque<Event>,
    tick: Mono,
}

fn messages(state: AppState, after: Option<i64>) -> impl Stream<Item = Result<Event, Infallible>> {
    let reader = state.live.reader(after);
    let hello = event("hello", &serde_json::json!({ "build": state.page.build })).id(reader.position().to_string());
    let tick = state.clock.now().mono.after(TICK);
    state.metrics.live_readers.inc();
    let connection = Connection { state, reader, pending: VecDeque::from([hello]), tick };
    let messages = futures::stream::unfold(connection, |mut connection| async move {
        let event = connection.next().await?;
        Some((Ok(event), connection))
    });
    messages.fuse()
}

impl Connection {
    /// The next message; `None` ends the stream: at shutdown, or when the store fails and the reader shall come back later.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            tokio::select! {
                biased;
                () = self.state.shutdown.cancelled() => return None,
                () = self.state.clock.sleep_until(self.tick) => {
                    self.tick = self.state.clock.now().mono.after(TICK);
                    return Some(event("tick", &serde_json::json!({})));
                }
                batch = self.reader.next() => match batch {
                    Ok(Batch::Changes(changes)) => self.pending.extend(changes.iter().map(change)),
                    Ok(Batch::Reset(id)) => return Some(event("reset", &serde_json::json!({})).id(id.to_string())),
                    Err(error) => {
                        tracing::warn!(%error, "a live stream ends: the store could not be read");
                        return None;
                    }
                },
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.state.metrics.live_readers.dec();
    }
}

fn change(change: &Change) -> Event {
    event("change", change).id(change.id.to_string())
}

/// The data is JSON on one line, so it cannot end the message early.
fn event(name: &str, data: &impl serde::Serialize) -> Event {
    // Structures of numbers and strings always serialise.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}
