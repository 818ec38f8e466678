//! Tagwarden's server: polls container registries, keeps the record, serves the dashboard.

pub mod check;
pub mod clock;
pub mod config;
pub mod demo;
pub mod http;
pub mod jobs;
pub mod live;
pub mod metrics;
pub mod page;
pub mod paste;
pub mod policy;
pub mod poller;
pub mod preview;
pub mod registry;
pub mod serve;
pub mod store;
pub mod watch;
