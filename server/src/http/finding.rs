//! Finding things, and views of the page that people keep.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use tagwarden_model::api::{DoNotUse, ErrorBody, Found, KeepView, Page, SayDoNotUse, View};
use utoipa::IntoParams;

use super::AppState;
use super::access::Caller;
use super::body::Body;
use super::error::ApiError;
use super::parameters::{self, Nothing, Query};
use super::targets::OfTag;
use crate::config::shown_name;
use crate::store::groups::composed;

/// Words that are looked at.
const MOST_WORDS: usize = 6;
/// Uses of a digest that are given.
const MOST_USES: u32 = 8;
/// The first parts of the page's addresses.
const PAGES: [&str; 11] = [
    "compare",
    "digest",
    "flags",
    "group",
    "notifiers",
    "repositories",
    "repository",
    "settings",
    "tag",
    "targets",
    "timeline",
];

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Looked {
    /// Words of a repository's name, the beginning of a tag, `name:tag`, or 7 and more hex digits of a digest.
    #[param(max_length = 300, example = "payments 2.3")]
    q: String,
}

/// Repositories, tags and digests by what somebody typed.
#[utoipa::path(get, path = "/api/v1/search", tag = "record", params(Looked), responses((status = 200, body = Found)))]
pub(super) async fn search(
    State(state): State<AppState>,
    caller: Caller,
    Query(Looked { q }): Query<Looked>,
) -> Result<Json<Found>, ApiError> {
    parameters::at_most("q", Some(&q), 300)?;
    let (name, hex) = match q.rsplit_once("sha256:") {
        Some((name, hex)) => (name.trim_end_matches('@'), hex.trim().to_lowercase()),
        None => (q.as_str(), q.trim().replace('\u{b7}', "").to_lowercase()),
    };
    let is_hex = (7..=64).contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digests =
        if is_hex { state.store.digest_uses(caller.scope, &hex, None, MOST_USES).await?.0 } else { Vec::new() };
    let split = |letter: char| letter.is_whitespace() || letter == ':';
    let words: Vec<&str> = name.split(split).filter(|word| !word.is_empty()).take(MOST_WORDS).collect();
    let (repositories, tags) = match words.as_slice() {
        [] => Default::default(),
        words => state.store.find(caller.scope, words).await?,
    };
    Ok(Json(Found { repositories, tags, digests }))
}

/// All views that people keep, by name.
#[utoipa::path(get, path = "/api/v1/views", tag = "overview", responses((status = 200, body = Page<View>)))]
pub(super) async fn views(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
) -> Result<Json<Page<View>>, ApiError> {
    Ok(Json(Page { items: state.store.views(caller.scope).await?, next: None }))
}

/// Keeps a view for all who use this server, in place of one of its name.
#[utoipa::path(post, path = "/api/v1/views", tag = "overview", request_body = KeepView, responses((status = 200, body = View)))]
pub(super) async fn keep(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
    Body(asked): Body<KeepView>,
) -> Result<Json<View>, ApiError> {
    let name = composed(asked.name.trim());
    shown_name("a view", &name).map_err(|message| ApiError::invalid("name", message))?;
    if !is_address(&asked.address) {
        let message =
            "give an address of this page without its base, such as `flags?state=open`, of at most 2,000 characters";
        return Err(ApiError::invalid("address", message));
    }
    Ok(Json(state.store.keep_view(&name, &asked.address, &caller.actor, state.now()).await?))
}

/// Whether it leads to a page of ours, wherever it is put: no scheme, no host, no way up, however that is written.
fn is_address(address: &str) -> bool {
    let path = address.split('?').next().unwrap_or_default();
    let mut parts = path.split('/');
    address.len() <= 2000
        && address.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\`#".contains(&byte))
        && !path.contains('%')
        // The page that stands first has no name.
        && (path.is_empty()
            || parts.next().is_some_and(|first| PAGES.contains(&first))
                && parts.all(|part| !["", ".", ".."].contains(&part)))
}

/// The view's name.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Named {
    /// The view.
    name: String,
}

/// Forgets a view.
#[utoipa::path(delete, path = "/api/v1/views", tag = "overview", params(Named),
    responses((status = 204, description = "It is gone."), (status = 404, body = ErrorBody, description = "There is no such view.")))]
pub(super) async fn forget(
    State(state): State<AppState>,
    caller: Caller,
    Query(of): Query<Named>,
) -> Result<StatusCode, ApiError> {
    let forgotten = state.store.forget_view(&composed(&of.name), &caller.actor).await?;
    let missing = || ApiError::not_found("name", "there is no view of this name");
    forgotten.then_some(StatusCode::NO_CONTENT).ok_or_else(missing)
}

/// Says that nobody should use a release or go back to it; with another reason, in place of what was said before.
#[utoipa::path(post, path = "/api/v1/do-not-use", tag = "targets", request_body = SayDoNotUse,
    responses((status = 200, body = DoNotUse), (status = 404, body = ErrorBody, description = "There is no such tag.")))]
pub(super) async fn say_do_not_use(
    State(state): State<AppState>,
    caller: Caller,
    _: Query<Nothing>,
    Body(asked): Body<SayDoNotUse>,
) -> Result<Json<DoNotUse>, ApiError> {
    parameters::reason(&asked.reason)?;
    let repository = parameters::repository("repository", &asked.repository)?;
    let tag = parameters::tag("tag", &asked.tag)?;
    let said = state.store.say_do_not_use(&repository, &tag, asked.reason.trim(), &caller.actor, state.now()).await?;
    Ok(Json(said.ok_or_else(|| ApiError::not_found("tag", "there is no such tag in the record of this repository"))?))
}

/// Takes it back: the release may be used again.
#[utoipa::path(delete, path = "/api/v1/do-not-use", tag = "targets", params(OfTag),
    responses((status = 204, description = "It may be used again."),
        (status = 404, body = ErrorBody, description = "Nobody had said so of it.")))]
pub(super) async fn lift_do_not_use(
    State(state): State<AppState>,
    caller: Caller,
    Query(of): Query<OfTag>,
) -> Result<StatusCode, ApiError> {
    let lifted = state.store.lift_do_not_use(&of.repository.0, &of.tag.0, &caller.actor, state.now()).await?;
    let missing = || ApiError::not_found("tag", "nobody said that it should not be used");
    lifted.then_some(StatusCode::NO_CONTENT).ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn only_addresses_of_this_page_are_kept() {
        for good in [
            "",
            "?group=shop",
            "flags",
            "flags/12",
            "flags?q=a%20b",
            "timeline?group=shop&from=2026-01-01T00:00:00Z",
            "repository?name=a/b",
            "digest/sha256:ab",
            "compare?old=sha256:ab&new=sha256:cd",
        ] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "https://example.com/",
            "//example.com",
            "/flags",
            "/evil.com",
            "/",
            "flags/",
            "flags/./12",
            "flags/%2e%2e/%2e%2e",
            "%66lags",
            "flags/../..",
            "flags//x",
            "api/v1/docs",
            "flags#x",
            "flags?x=<b>",
            "flags?x= y",
            "flags?\u{202e}",
            "data:text/html,x",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
        assert!(!is_address(&format!("flags?{}", "x".repeat(2000))));
    }
}
