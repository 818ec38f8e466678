//! Notifiers: who is told, and how that goes.

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::instant::Instant;

coded! {
    /// What somebody is told of.
    pub enum Occasion {
        /// A flag was opened.
        Opened = 1 "opened",
        /// A flag that was acknowledged or restored is open again.
        Reopened = 2 "reopened",
        /// An open flag became more severe.
        Worsened = 3 "worsened",
        /// What a flag is about is as promised again.
        Restored = 4 "restored",
        /// A repository cannot be checked.
        Failing = 5 "failing",
        /// It can be checked again.
        Recovered = 6 "recovered",
        /// A person tries the notifier.
        Test = 7 "test",
    }
}

coded! {
    /// Where a delivery stands.
    pub enum DeliveryState {
        /// To be tried, for the first time or again.
        Waiting = 1 "waiting",
        /// The notifier's other end took it.
        Delivered = 2 "delivered",
        /// Tried often enough; a person may retry it.
        Dead = 3 "dead",
        /// A test that failed; tests are tried once.
        Failed = 4 "failed",
    }
}

/// A notifier of the configuration and how its deliveries went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notifier {
    /// Its unique name.
    pub name: String,
    /// `webhook`, `slack` or `smtp`.
    pub kind: String,
    /// The host it sends to; the rest of an address may be a secret.
    pub host: String,
    /// Messages to be tried, for the first time or again.
    pub waiting: u64,
    /// Messages that were tried often enough.
    pub dead: u64,
    /// When a message was taken last.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_success: Option<Instant>,
    /// When an attempt failed last.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_failure: Option<Instant>,
    /// Why that one failed, in words.
    pub error: Option<String>,
    /// When the next message is tried.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub next: Option<Instant>,
}

/// One message for one notifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// Number of the delivery.
    pub id: i64,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u64,
    /// Why the last attempt failed, in words.
    pub error: Option<String>,
}

/// What a retry of dead messages did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Retried {
    /// Messages that wait to be tried again.
    pub messages: u64,
}
