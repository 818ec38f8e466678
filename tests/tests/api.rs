//! The HTTP API through its front door: the router without a socket, and over loopback where a connection matters.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api {
    mod acts;
    mod adding;
    mod configuration;
    mod connections;
    mod errors;
    mod finding;
    mod front;
    mod lists;
    mod notifiers;
    mod openapi;
    mod policies;
    mod stream;
}
