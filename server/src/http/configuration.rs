//! The configuration by which the server works, and what is wrong with a newer one.

use axum::Json;
use axum::extract::State;
use tagwarden_model::api::{Configuration, ConfigurationError};

use super::AppState;
use super::access::Caller;
use super::error::ApiError;
use super::parameters::{Nothing, Query};
use crate::config::Mistake;

/// Which configuration is in force. A version of its file that has mistakes is not: it is said here what is wrong with it.
#[utoipa::path(get, path = "/api/v1/configuration", tag = "operation",
    responses((status = 200, body = Configuration)))]
pub(super) async fn configuration(
    State(state): State<AppState>,
    _: Caller,
    _: Query<Nothing>,
) -> Result<Json<Configuration>, ApiError> {
    let in_force = state.configuration.borrow().clone();
    let mistakes = in_force.error.iter().flat_map(|error| &error.mistakes);
    Ok(Json(Configuration {
        file: in_force.config.file.as_ref().map(|file| file.display().to_string()),
        loaded_at: in_force.loaded_at,
        errors: mistakes.map(error).collect(),
    }))
}

fn error(mistake: &Mistake) -> ConfigurationError {
    let (line, column) = mistake.at.unzip();
    ConfigurationError {
        line: line.map(|line| line as u64),
        column: column.map(|column| column as u64),
        message: mistake.message.clone(),
        advice: mistake.advice.clone(),
    }
}
