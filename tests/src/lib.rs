//! Support for tests.

pub mod fake_clock;
pub mod scripted;
