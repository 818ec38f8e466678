//! Words and rules that Tagwarden's server and page share.
//!
//! Architecture invariant: nothing here does I/O, reads a clock, draws a random number or speaks SQL. What time it is,
//! what a registry answered and which pattern matched comes in as an argument; that is why none of it can fail at run time.

pub mod api;
pub mod change;
pub mod class;
mod coded;
pub mod digest;
pub mod event;
pub mod flag;
pub mod hue;
pub mod instant;
pub mod log;
pub mod name;
pub mod observation;
pub mod order;
pub mod promise;
pub mod proposal;
pub mod record;
pub mod tag;
pub mod target;
pub mod timeline;
pub mod version;
