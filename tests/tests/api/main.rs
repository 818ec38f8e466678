//! The HTTP API through its front door: the router without a socket, and over loopback where a connection matters.

mod acts;
mod clock;
mod errors;
mod front;
mod lists;
mod openapi;
mod record;
mod schemathesis;
mod server;
mod stream;
