//! Who may reach a server that knows no sign-in: programs on its own machine, under its own names.
//!
//! A site that somebody visits can point its own name at 127.0.0.1 (DNS rebinding) and would then be "same origin" with this
//! server; its name in `Host` gives it away.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::{AppState, HttpSettings};

/// The layer that checks `Host`.
pub(super) async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    // RFC 9112, 3.2.2: the request target's authority overrides the header.
    let of_target = request.uri().authority().cloned();
    let of_header = || request.headers().get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok();
    let host = of_target.or_else(of_header);
    if state.settings.no_auth || host.as_ref().is_some_and(|host| is_ours(host, &state.settings)) {
        return next.run(request).await;
    }
    let name = host.map_or_else(|| "no name".to_owned(), |host| format!("{:?}", host.as_str()));
    let message = format!(
        "the request asks for {name}; without sign-in this server answers to localhost, 127.0.0.1 and [::1] only. \
         Set public_url to the address people use, or start with --no-auth"
    );
    ApiError::Forbidden(message).into_response()
}

fn is_ours(host: &Authority, settings: &HttpSettings) -> bool {
    let name = host.host();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name).parse::<IpAddr>();
    let public = settings.public_url.as_ref().and_then(url::Url::host_str);
    name.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.is_loopback())
        || public.is_some_and(|public| public.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(host: &str, public_url: Option<&str>) -> bool {
        let public_url = public_url.map(|url| url.parse().unwrap());
        let settings = HttpSettings { public_url, ..HttpSettings::default() };
        host.parse().is_ok_and(|host| is_ours(&host, &settings))
    }

    #[test]
    fn only_loopback_names_and_the_public_one_are_ours() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.3.2.1", "[::1]:8080", "[::1]"] {
            assert!(taken(host, None), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]:80", "0.0.0.0"]
        {
            assert!(!taken(host, None), "{host}");
        }
        assert!(taken("tags.acme.example", Some("https://tags.acme.example/")));
        assert!(taken("Tags.acme.example:443", Some("https://tags.acme.example/tagwarden/")));
        assert!(!taken("acme.example", Some("https://tags.acme.example/")));
    }
}
