//! Who may use a route, and who the caller is. Every route in the table has one of these.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use super::AppState;
use super::error::ApiError;
use crate::store::{Actor, ActorKind, Scope};

/// What a route lets its caller do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Learn nothing of the record: for probes and documentation.
    Public,
    /// Read the record.
    Read,
    /// Decide, add, ask for work.
    Act,
}

/// Who called, as far as the handler needs to know. Routes that are `Public` have none.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// What the caller may see.
    pub scope: Scope,
    /// Who acts.
    pub actor: Actor,
}

impl Access {
    /// Puts this access before the handlers of a route.
    pub fn guard(self, routes: UtoipaMethodRouter<AppState>) -> UtoipaMethodRouter<AppState> {
        routes.layer(from_fn(move |request, next| self.check(request, next)))
    }

    /// Without sign-in whoever gets here may do everything (`Host` was checked); `Read` and `Act` differ when roles come.
    async fn check(self, mut request: Request, next: Next) -> Response {
        match self {
            Self::Public => {}
            Self::Read | Self::Act => {
                let actor = Actor { kind: ActorKind::Person, id: "local".into(), display: "local user".into() };
                request.extensions_mut().insert(Caller { scope: Scope::All, actor });
            }
        }
        next.run(request).await
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| ApiError::Internal("a public route asked who calls".into()))
    }
}
