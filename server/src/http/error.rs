//! The one error answer: what a handler returns, and how it becomes an [`ErrorBody`].

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tagwarden_model::api::{ErrorBody, ErrorDetail};

use crate::store::{StoreError, with_causes};

/// Why a request was not done, by what the caller can do about it.
///
/// It becomes a body only in [`answer`], which knows the request's id; until then it travels in the response's extensions.
#[derive(Debug, Clone)]
pub enum ApiError {
    /// A parameter, header or body field is not what the route takes.
    Invalid {
        /// Which one.
        field: String,
        /// What, where and what to do.
        message: String,
    },
    /// The rules refuse what was asked for, as things stand.
    Refused {
        /// The parameter or body field at fault.
        field: String,
        /// What, where and what to do.
        message: String,
    },
    /// There is no such thing.
    NotFound {
        /// The parameter that named it; `None` for a path that is no route.
        field: Option<String>,
        /// What was not found.
        message: String,
    },
    /// It was changed since the caller looked at it.
    Conflict(String),
    /// It is over, and reading it again would not help.
    Closed(String),
    /// The caller may not.
    Forbidden(String),
    /// The route takes another method.
    Method,
    /// The body is no JSON by its Content-Type.
    MediaType,
    /// The body or the path is longer than what is read.
    TooLarge(String),
    /// The client did not send its body in time.
    Timeout,
    /// It can be tried again later.
    Unavailable(String),
    /// Our fault. The cause is logged under the request's id and never sent.
    Internal(Arc<str>),
}

impl ApiError {
    /// A parameter, header or body field that is not what the route takes.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }

    /// The thing that `field` names does not exist.
    pub fn not_found(field: &str, message: impl Into<String>) -> Self {
        Self::NotFound { field: Some(field.to_owned()), message: message.into() }
    }

    /// A repository that nobody watches, named by `field`.
    pub fn not_watched(field: &str) -> Self {
        Self::not_found(field, "this repository is not watched: watch it, or resume it if it is paused")
    }

    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Invalid { .. } => (StatusCode::BAD_REQUEST, "invalid"),
            Self::Refused { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Self::NotFound { .. } => (StatusCode::NOT_FOUND, "not_found"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Self::Closed(_) => (StatusCode::CONFLICT, "closed"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "invalid"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "invalid"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    fn into_detail(self, request_id: &str) -> ErrorDetail {
        let (_, code) = self.status_and_code();
        let (field, message) = match self {
            Self::Invalid { field, message } | Self::Refused { field, message } => (Some(field), message),
            Self::NotFound { field, message } => (field, message),
            Self::Conflict(message)
            | Self::Closed(message)
            | Self::Forbidden(message)
            | Self::TooLarge(message)
            | Self::Unavailable(message) => (None, message),
            Self::Method => (None, "this route takes other methods; the Allow header names them".into()),
            Self::MediaType => (Some("Content-Type".into()), "send the body as Content-Type: application/json".into()),
            Self::Timeout => (None, "the body did not arrive in time".into()),
            Self::Internal(_) => (None, "the server failed; its log has the cause under this request_id".into()),
        };
        ErrorDetail { code: code.into(), message, field, request_id: request_id.into() }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status_and_code().0.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => {
                Self::Conflict("it was changed since you looked at it: read it again and decide again".into())
            }
            StoreError::Closed(message) => Self::Closed(message),
            StoreError::Refused { message, field } => Self::Refused { field: field.into(), message },
            error if error.is_busy() => Self::Unavailable("too much is being asked at once: try again".into()),
            StoreError::LeaseLost => Self::Unavailable("another process took over: try again".into()),
            error => Self::Internal(with_causes(&error).into()),
        }
    }
}

/// Gives every error answer its body and logs the cause of a failure, once.
pub(super) fn answer(response: Response, request_id: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let error = match parts.extensions.remove::<ApiError>() {
        Some(error) => error,
        // An answer of axum or a layer, made before or beside our handlers.
        None => match status {
            StatusCode::METHOD_NOT_ALLOWED => ApiError::Method,
            StatusCode::INTERNAL_SERVER_ERROR => ApiError::Internal("a handler panicked; the panic is logged".into()),
            _ => return Response::from_parts(parts, body),
        },
    };
    if let ApiError::Internal(cause) = &error {
        tracing::error!(request_id, cause = &**cause, "a request failed");
    }
    let mut answer = (status, Json(ErrorBody { error: error.into_detail(request_id) })).into_response();
    keep(&parts.headers, answer.headers_mut(), header::ALLOW);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn keep(from: &HeaderMap, to: &mut HeaderMap, name: header::HeaderName) {
    if let Some(value) = from.get(&name) {
        to.insert(name, value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_has_no_connection_left_is_no_failure() {
        let error = ApiError::from(StoreError::Database(sqlx::Error::PoolTimedOut));
        assert_eq!(error.status_and_code(), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
        let error = ApiError::from(StoreError::Database(sqlx::Error::PoolClosed));
        assert_eq!(error.status_and_code(), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
    }
}
