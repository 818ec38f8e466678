//! The one route table: every route with its access.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tagwarden_model::api::ErrorBody;
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder, Server};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::AppState;
use super::access::Access::{Act, Public, Read};
use super::{
    adding, checks, compare, configuration, digests, docs, events, flags, groups, health, jobs, live, notifiers,
    policies, promises, registries, repositories, summary, tags, targets, timeline,
};

/// The API's own description.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Tagwarden",
        description = "The record of which digest each tag had, and the flags of releases that were reassigned or removed.\n\n\
            Instants are RFC 3339 in UTC, durations whole milliseconds in fields that end in `_ms`. Lists are paged: pass `next` of \
            a page as `cursor`, with the same parameters, to get the following one. Unknown parameters are errors. Every error \
            has the same body, with the parameter or field at fault.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ErrorBody))
)]
struct Described;

/// All routes with their description. `base_path` is where the server is below its host.
pub(super) fn all(base_path: &str) -> Router<AppState> {
    let (router, document) = table(described(base_path)).split_for_parts();
    router.merge(docs::routes(&completed(document)))
}

/// The table. The description of the API itself, which anybody may read, is in `docs`: it is made from this.
fn table(document: OpenApi) -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(document)
        .routes(Read.guard(routes!(summary::summary)))
        .routes(Read.guard(routes!(registries::list)))
        .routes(Read.guard(routes!(repositories::list)))
        .routes(Act.guard(routes!(repositories::add)))
        .routes(Act.guard(routes!(repositories::remove)))
        .routes(Read.guard(routes!(repositories::one)))
        .routes(Act.guard(routes!(adding::preview)))
        .routes(Act.guard(routes!(adding::catalogue)))
        .routes(Read.guard(routes!(adding::bulk)).layer(DefaultBodyLimit::max(adding::PASTE_LIMIT)))
        .routes(Act.guard(routes!(repositories::pause)))
        .routes(Act.guard(routes!(repositories::resume)))
        .routes(Act.guard(routes!(repositories::purge)))
        .routes(Read.guard(routes!(groups::list)))
        .routes(Act.guard(routes!(groups::create)))
        .routes(Act.guard(routes!(groups::delete)))
        .routes(Act.guard(routes!(groups::rename)))
        .routes(Act.guard(routes!(groups::join)))
        .routes(Act.guard(routes!(groups::leave)))
        .routes(Read.guard(routes!(tags::list)))
        .routes(Read.guard(routes!(tags::one)))
        .routes(Read.guard(routes!(events::list)))
        .routes(Read.guard(routes!(timeline::timeline)))
        .routes(Read.guard(routes!(timeline::lanes)))
        .routes(Read.guard(routes!(timeline::tile)))
        .routes(Read.guard(routes!(flags::list)))
        .routes(Read.guard(routes!(flags::one)))
        .routes(Act.guard(routes!(flags::acknowledge)))
        .routes(Act.guard(routes!(flags::close)))
        .routes(Read.guard(routes!(digests::uses)))
        .routes(Read.guard(routes!(compare::compare)))
        .routes(Read.guard(routes!(targets::list)))
        .routes(Act.guard(routes!(targets::prove)))
        .routes(Act.guard(routes!(checks::check)))
        .routes(Read.guard(routes!(promises::list)))
        .routes(Act.guard(routes!(promises::make)))
        .routes(Read.guard(routes!(policies::list)))
        .routes(Read.guard(routes!(policies::preview)))
        .routes(Read.guard(routes!(jobs::one)))
        .routes(Read.guard(routes!(notifiers::list)))
        .routes(Act.guard(routes!(notifiers::test)))
        .routes(Act.guard(routes!(notifiers::retry)))
        .routes(Read.guard(routes!(live::stream)))
        .routes(Read.guard(routes!(configuration::configuration)))
        .merge(probes())
        .routes(Read.guard(routes!(health::metrics)))
}

/// What probes ask for. They know the port but no base path, and so find it at the root, too.
pub(super) fn probes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(Public.guard(routes!(health::healthz))).routes(Public.guard(routes!(health::readyz)))
}

fn described(base_path: &str) -> OpenApi {
    let mut document = Described::openapi();
    document.servers = (base_path != "/").then(|| vec![Server::new(base_path.trim_end_matches('/'))]);
    document
}

/// What the handlers' attributes leave out: names that are unique, words for plain success, and the errors that every
/// operation may answer.
fn completed(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in [("get", &mut item.get), ("post", &mut item.post), ("delete", &mut item.delete)] {
            let Some(operation) = operation else { continue };
            operation.operation_id = Some(operation_id(method, path));
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response
                    && response.description.is_empty()
                {
                    response.description = "What was asked for.".into();
                }
            }
            if path.starts_with("/api/") {
                add_errors(operation, method);
            }
        }
    }
    document
}

/// `post_flags_id_close` for `POST /api/v1/flags/{id}/close`.
fn operation_id(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    format!("{method}{}", path.replace(['{', '}'], "").replace('/', "_"))
}

fn add_errors(operation: &mut Operation, method: &str) {
    let mut errors = vec![
        ("400", "A parameter or body field is wrong."),
        ("403", "The `Host` is not this server's, or another site's page sent this."),
        ("500", "The server failed."),
        ("503", "Try again later."),
    ];
    if method != "get" {
        errors.push(("422", "The rules refuse it, as things stand."));
    }
    if operation.request_body.is_some() {
        errors.push(("408", "The body did not arrive in time."));
        errors.push(("413", "The body is over 64 KiB, or of a pasted text over 4 MiB."));
        errors.push(("415", "The body is not `application/json`."));
    }
    for (status, description) in errors {
        let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
        let response = ResponseBuilder::new().description(description).content("application/json", body).build();
        operation.responses.responses.entry(status.into()).or_insert(response.into());
    }
}
