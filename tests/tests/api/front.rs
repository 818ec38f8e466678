//! Who is let in, and the page.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;
use tagwarden::http::HttpSettings;

use tagwarden_tests::api_server::{Answer, Server, json_request, request};

fn behind_proxy() -> HttpSettings {
    HttpSettings {
        base_path: "/tagwarden/".into(),
        public_url: Some("https://tags.acme.example/tagwarden/".parse().unwrap()),
        ..HttpSettings::default()
    }
}

async fn ask(server: &Server, host: Option<&str>, path: &str) -> Answer {
    let request = Request::builder().uri(path);
    let request = host.map_or(request, |host| Request::builder().uri(path).header("host", host));
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_foreign_host_is_refused_everywhere() {
    let server = Server::start().await;
    for path in ["/", "/api/v1/summary", "/healthz", "/metrics", "/nonsense"] {
        for host in [None, Some("evil.example"), Some("localhost.evil.example:8080"), Some("192.0.2.7")] {
            let answer = ask(&server, host, path).await;
            assert_eq!(answer.error(), (403, "forbidden".into(), String::new()), "{host:?} {path}");
            assert!(answer.text.contains("--no-auth"), "{}", answer.text);
        }
        let ours = ask(&server, Some("127.0.0.1:8080"), path).await;
        assert_ne!(ours.status, 403, "{path}");
    }
}

#[tokio::test]
async fn the_public_name_is_taken_and_with_no_auth_any() {
    let server = Server::with(behind_proxy()).await;
    assert_eq!(ask(&server, Some("tags.acme.example"), "/tagwarden/api/v1/summary").await.status, 200);
    assert_eq!(ask(&server, Some("evil.example"), "/tagwarden/api/v1/summary").await.status, 403);
    let open = Server::with(HttpSettings { no_auth: true, ..HttpSettings::default() }).await;
    assert_eq!(ask(&open, Some("evil.example"), "/api/v1/summary").await.status, 200);
}

#[tokio::test]
async fn another_sites_page_cannot_post() {
    let server = Server::with(behind_proxy()).await;
    let path = "/tagwarden/api/v1/repositories";
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", "https://tags.acme.example", 400),
        ("origin", "http://localhost:8080", 400),
        ("sec-fetch-site", "same-origin", 400),
    ] {
        let mut request = json_request(Method::POST, path, json!({}).to_string());
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = server.send(request).await;
        assert_eq!(answer.error().0, status, "{name}: {value}: {}", answer.text);
    }
}

#[tokio::test]
async fn everything_is_below_the_base_path() {
    let server = Server::with(behind_proxy()).await;
    for path in [
        "",
        "flags",
        "flags/3",
        "repository",
        "api/v1/docs",
        "api/v1/openapi.json",
        "healthz",
        "app-1234567890abcdef.js",
    ] {
        assert_eq!(server.get(&format!("/tagwarden/{path}")).await.status, 200, "{path}");
    }
    assert!(server.get("/tagwarden/").await.text.contains(r#"<base href="/tagwarden/">"#));
    let home = server.get("/tagwarden").await;
    assert_eq!((home.status.as_u16(), home.header("location")), (308, "/tagwarden/"));
    for path in ["/", "/api/v1/summary", "/metrics", "/tagwarden/nonsense", "/tagwardenx"] {
        assert_eq!(server.get(path).await.error().0, 404, "{path}");
    }
    let document = server.read("/tagwarden/api/v1/openapi.json").await;
    assert_eq!(document["servers"], json!([{ "url": "/tagwarden" }]));
}

#[tokio::test]
async fn probes_are_answered_at_the_root_whatever_the_base_path_is() {
    for base_path in ["/", "/tagwarden/", "/healthz/deep/"] {
        let server = Server::with(HttpSettings { base_path: base_path.into(), ..HttpSettings::default() }).await;
        for probe in ["healthz", "readyz"] {
            for path in [format!("/{probe}"), format!("{base_path}{probe}")] {
                assert_eq!(server.get(&path).await.status, 200, "{path}");
                assert_eq!(ask(&server, Some("evil.example"), &path).await.status, 403, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let server = Server::start().await;
    for path in ["/", "/flags", "/api/v1/summary", "/api/v1/docs", "/nonsense", "/app-1234567890abcdef.js"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("x-request-id").len(), 16, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(
            answer.header("content-security-policy").contains("wasm-unsafe-eval"),
            ["/", "/flags"].contains(&path),
            "{path}"
        );
    }
    assert_eq!(server.get("/api/v1/summary").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn the_page_is_sent_compressed_and_once() {
    let server = Server::start().await;
    let first = server.get("/").await;
    let again = request(Method::GET, "/flags").header("if-none-match", first.header("etag"));
    assert_eq!(server.send(again.body(Body::empty()).unwrap()).await.status, 304);
    let document = request(Method::HEAD, "/api/v1/openapi.json").header("accept-encoding", "gzip, br");
    assert_eq!(server.send(document.body(Body::empty()).unwrap()).await.header("content-encoding"), "br");
    let posted = server.send(request(Method::POST, "/").body(Body::empty()).unwrap()).await;
    assert_eq!(posted.error().0, 404);
}

#[tokio::test]
async fn the_documentation_is_a_plain_page() {
    let server = Server::start().await;
    let docs = server.get("/api/v1/docs").await;
    assert_eq!(docs.header("content-type"), "text/html; charset=utf-8");
    assert!(!docs.text.contains("<script") && !docs.text.contains("://"), "no script, nothing from elsewhere");
    for part in [
        "<code>POST /api/v1/flags/{id}/acknowledge</code>",
        "<h3 id=\"Flag\">",
        "<a href=\"#FlagDetail\">",
        "openapi.json",
    ] {
        assert!(docs.text.contains(part), "{part}");
    }
}

#[tokio::test]
async fn a_server_that_only_shows_changes_nothing() {
    let server = Server::with(HttpSettings { read_only: true, ..HttpSettings::default() }).await;
    tagwarden_tests::record::usual(&server.record).await;
    assert_eq!(server.read("/api/v1/summary").await["read_only"], true);
    for path in ["/", "/api/v1/flags/1", "/api/v1/events", "/api/v1/docs", "/readyz", "/metrics"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    let before = server.read("/api/v1/flags/1").await;
    let reason = json!({ "version": 1, "reason": "x" });
    for (path, body) in [
        ("/api/v1/flags/1/acknowledge", &reason),
        ("/api/v1/repositories", &json!({ "name": "nginx" })),
        ("/api/v1/checks", &json!({ "repository": "registry.example/team/api" })),
        ("/api/v1/nonsense", &json!({})),
    ] {
        let answer = server.post(path, body).await;
        assert_eq!(answer.error(), (403, "forbidden".into(), String::new()), "{path}");
        assert!(answer.text.contains("serve --read-only"), "{}", answer.text);
    }
    let removed = server.delete("/api/v1/repositories?name=registry.example/team/api").await;
    assert_eq!(removed.error().0, 403);
    assert_eq!(server.read("/api/v1/flags/1").await, before);
    assert_eq!(server.read("/api/v1/summary").await["repositories"], 2);
    assert_eq!(server.woken.load(std::sync::atomic::Ordering::SeqCst), 0);
}
