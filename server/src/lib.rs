//! Tagwarden's server: polls container registries, keeps the record, serves the dashboard.

pub mod apply;
pub mod check;
pub mod clock;
pub mod compare;
pub mod config;
pub mod content;
pub mod demo;
pub mod http;
pub mod jobs;
pub mod keep;
pub mod live;
pub mod metrics;
pub mod notify;
pub mod page;
pub mod paste;
pub mod policy;
pub mod poller;
pub mod preview;
pub mod registries;
pub mod registry;
pub mod reload;
pub mod secret;
pub mod serve;
pub mod store;
pub mod watch;
