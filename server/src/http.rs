//! The HTTP server: the API under `api/v1`, the page, and what operators ask for.
//!
//! Architecture invariant: no GET waits for a registry, and nothing here calls the poller; the two meet in the store.

#![expect(unused_qualifications, reason = "utoipa repeats the handlers' parameter types in its own code")]

mod access;
mod adding;
mod around;
mod body;
mod checks;
mod compare;
mod configuration;
mod connections;
mod cursor;
mod digests;
mod docs;
mod error;
mod events;
mod export;
mod finding;
mod flags;
mod groups;
mod health;
mod host;
mod jobs;
mod live;
mod notifiers;
mod parameters;
mod policies;
mod promises;
mod read_only;
mod registries;
mod repositories;
mod routes;
mod settings;
mod summary;
mod tags;
mod targets;
mod timeline;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, OriginalUri, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tagwarden_model::instant::Instant;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::{ConfigError, CsrfLayer};

pub use self::settings::{HttpSettings, check_listen};
use crate::clock::SharedClock;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::page::Page;
use crate::reload::InForce;
use crate::store::{Store, StoreError};
use error::ApiError;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The record.
    pub store: Store,
    /// The clock.
    pub clock: SharedClock,
    /// Previews of policies take turns: each tries many patterns on many tags.
    pub previews: Arc<Semaphore>,
    /// The clock of connections and bodies: how long the other side may take.
    pub line: SharedClock,
    /// The configuration by which the server works.
    pub configuration: watch::Receiver<Arc<InForce>>,
    /// How the server is reached.
    pub settings: Arc<HttpSettings>,
    /// The page.
    pub page: Arc<Page>,
    /// The live stream's source.
    pub live: Live,
    /// What this process counts.
    pub metrics: Metrics,
    /// Called after a job was created or a repository was added or removed: the poller looks at the store then.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    /// Ends streams and the server.
    pub shutdown: CancellationToken,
}

impl AppState {
    /// The state of a server with the page of this binary; starts following the store for the live stream. `policy`,
    /// `metrics` and `wake` are shared with the poller. Call it within a Tokio runtime.
    pub async fn new(
        store: Store,
        clock: SharedClock,
        configuration: watch::Receiver<Arc<InForce>>,
        settings: HttpSettings,
        metrics: Metrics,
        wake: Arc<dyn Fn() + Send + Sync>,
        shutdown: CancellationToken,
    ) -> Result<Self, StoreError> {
        let live = Live::start(store.clone(), clock.clone(), shutdown.clone()).await?;
        let page = Arc::new(Page::embedded(&settings.base_path));
        let previews = Arc::new(Semaphore::new(1));
        Ok(Self {
            store,
            line: clock.clone(),
            clock,
            configuration,
            previews,
            settings: Arc::new(settings),
            page,
            live,
            metrics,
            wake,
            shutdown,
        })
    }

    /// Now, for the record.
    fn now(&self) -> Instant {
        self.clock.now().mark.wall
    }
}

/// All routes and layers. Fails when the public URL is no origin that browsers send.
pub fn router(state: AppState) -> Result<Router, ConfigError> {
    let csrf = CsrfLayer::new().with_rejection_response(cross_site);
    let csrf = match &state.settings.public_url {
        Some(url) => csrf.add_trusted_origin(url.origin().ascii_serialization())?,
        None => csrf,
    };
    let base = state.settings.base_path.clone();
    let routes = routes::all(&base);
    let routes = if base == "/" {
        routes
    } else {
        let home = base.clone();
        let to_home = get(move || async move { Redirect::permanent(&home) });
        Router::from(routes::probes()).nest(&base, routes).route(base.trim_end_matches('/'), to_home)
    };
    // The last layer is the outermost: it gives every answer its id, its body when it is an error, and its headers.
    Ok(routes
        .fallback(page_or_nothing)
        .layer(from_fn_with_state(state.clone(), read_only::check))
        .layer(csrf)
        .layer(from_fn_with_state(state.clone(), host::check))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), around::around))
        .layer(CompressionLayer::new())
        .layer(DefaultBodyLimit::max(body::BODY_LIMIT))
        .with_state(state))
}

/// Serves until the state's `shutdown`; streams end at once, other requests within ten seconds.
pub async fn serve(listener: TcpListener, state: AppState) -> std::io::Result<()> {
    let router = router(state.clone()).map_err(std::io::Error::other)?;
    connections::serve(listener, &router, &state).await;
    Ok(())
}

/// Whatever is no route: the page, one of its files, or an error.
async fn page_or_nothing(
    State(state): State<AppState>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let path = uri.path();
    let inside = path.strip_prefix(&*state.settings.base_path);
    let page = inside
        .filter(|path| matches!(method, Method::GET | Method::HEAD) && !path.starts_with("api/"))
        .and_then(|path| state.page.get(path, &headers));
    page.unwrap_or_else(|| {
        let base = &state.settings.base_path;
        let message = format!(
            "there is nothing at this path; the page is at {base}, the API's documentation at {base}api/v1/docs"
        );
        ApiError::NotFound { field: None, message }.into_response()
    })
}

fn cross_site<B: Default>(_: tower_http::csrf::ProtectionError) -> axum::http::Response<B> {
    let message = "another site's page sent this request; a proxy in front must keep Host and Origin as they are, \
                   or public_url must say how people reach the server";
    ApiError::Forbidden(message.into()).into_response().map(|_| B::default())
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    // The panic hook has logged what and where.
    ApiError::Internal("a handler panicked".into()).into_response()
}
