//! What the tests start and drive: real registries, databases, browsers, the built server, and the scripted registry.
//!
//! Every starter takes free ports and a folder of its own, is ready when it returns, and ends what it started when it
//! is dropped, also when the test's process dies.

pub mod api_server;
pub mod browser;
pub mod certificates;
pub mod demo_run;
pub mod docker_registry;
pub mod double;
pub mod fake_clock;
pub mod fault_run;
pub mod faults;
pub mod images;
pub mod mail_server;
pub mod polling;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod queued;
pub mod receiver;
pub mod record;
pub mod scripted;
pub mod skopeo;
pub mod socket_run;
pub mod static_registry;
pub mod step_clock;
pub mod tagwarden_process;
pub mod truth_run;
pub mod wait;

use std::time::Duration;

/// An HTTP client for loopback: no proxy, no redirects followed, 30 s at most.
pub fn http_client() -> reqwest::Client {
    install_tls();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()
        .expect("an HTTP client")
}

/// Gives rustls its provider, once for each process; without it the first client panics.
pub fn install_tls() {
    // An error means that another test of this process was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
