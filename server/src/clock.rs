//! The one clock: every instant and every wait of the server comes from here.

use std::sync::Arc;

use futures::future::BoxFuture;
use tagwarden_model::observation::{Moment, Mono};

/// Tells the time and waits. Real in the server, stepped in tests and in the demo.
pub trait Clock: Send + Sync + 'static {
    /// Now. Two readings are never equal: the later one has the larger `mono`.
    fn now(&self) -> Moment;

    /// Returns when `now().mono` has reached `at`.
    fn sleep_until(&self, at: Mono) -> BoxFuture<'_, ()>;
}

/// A clock that many tasks share.
pub type SharedClock = Arc<dyn Clock>;
