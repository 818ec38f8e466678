//! The page in a real browser, with the real registry behind the server: `make page` builds it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod e2e {
    mod accessibility;
    mod canvas;
    mod history;
    mod journeys;
    mod jumps;
    mod keyboard;
    mod lanes;
    mod leaks;
    mod phone;
    mod print;
    mod reconnect;
    mod site;
    mod states;
    mod timeline;
    mod walks;
    mod world;
}
