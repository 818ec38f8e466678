//! JSON bodies of requests: bounded, and an error names line, column and field.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;
use tagwarden_model::instant::Millis;

use super::AppState;
use super::error::ApiError;

/// Bytes of a body; more is no request of ours. The router sets it as its default limit, and a pasted list has its own.
pub const BODY_LIMIT: usize = 64 * 1024;

/// A body of our own making is sent in one piece; this is for slow lines.
const BODY_TIME: Millis = Millis::seconds(20);

/// The request's body, read from JSON.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        if !is_json(&request) {
            return Err(ApiError::MediaType);
        }
        let deadline = state.line.now().mono.after(BODY_TIME);
        let bytes = tokio::select! {
            bytes = Bytes::from_request(request, state) => bytes.map_err(|rejection| unreadable(&rejection))?,
            () = state.line.sleep_until(deadline) => return Err(ApiError::Timeout),
        };
        // serde would also take a list of a structure's values in order.
        if bytes.trim_ascii_start().first().is_some_and(|byte| *byte == b'[') {
            return Err(ApiError::invalid("body", "the body is a JSON object, not a list"));
        }
        let json = &mut serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut *json).map_err(|error| wrong(&error))?;
        json.end().map_err(|error| ApiError::invalid("body", format!("the body is one JSON value: {error}")))?;
        Ok(Self(value))
    }
}

fn is_json(request: &Request) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// Only two things go wrong while a body is read: it is too long, or the client went away.
fn unreadable(rejection: &BytesRejection) -> ApiError {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            ApiError::TooLarge("the body is longer than this route reads".to_owned())
        }
        _ => ApiError::invalid("body", "the body could not be read to its end"),
    }
}

/// The field by its path; a missing one is named only by the message.
fn wrong(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let message = error.inner().to_string();
    let path = error.path().to_string();
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    let field = match (missing, path.as_str()) {
        (Some(name), "." | "") => name.to_owned(),
        (Some(name), path) => format!("{path}.{name}"),
        (None, "." | "") => "body".to_owned(),
        (None, path) => path.chars().take(200).collect(),
    };
    ApiError::invalid(field, message.chars().take(500).collect::<String>())
}
