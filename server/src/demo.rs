//! What the demo is made of: a registry in memory that speaks the real protocol. The tests wrap the same one.

pub mod registry;
