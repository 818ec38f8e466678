//! Tagwarden's server: polls container registries, keeps the record, serves the dashboard.

pub mod clock;
pub mod demo;
pub mod registry;
pub mod store;
