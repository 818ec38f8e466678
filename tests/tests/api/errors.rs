//! Bad input gets a 4xx that names field and reason, in one shape.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use tagwarden_model::instant::Millis;

use tagwarden_tests::api_server::{Server, json_request, masked, request};

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let server = Server::start().await;
    for (path, field) in [
        ("/api/v1/summary?verbose=1", "verbose"),
        ("/api/v1/repositories?limit=0", "limit"),
        ("/api/v1/repositories?limit=501", "limit"),
        ("/api/v1/repositories?limit=-1", "limit"),
        ("/api/v1/repositories?limit=ten", "limit"),
        ("/api/v1/repositories?limit=5&limit=6", "limit"),
        ("/api/v1/repositories?Limit=5", "Limit"),
        ("/api/v1/repositories?cursor=x", "cursor"),
        ("/api/v1/repositories/one", "name"),
        ("/api/v1/repositories/one?name=UPPER/case", "name"),
        ("/api/v1/repositories/one?name=nginx:latest", "name"),
        ("/api/v1/tags", "repository"),
        ("/api/v1/tags?repository=nginx&class=stable", "class"),
        ("/api/v1/tags?repository=", "repository"),
        ("/api/v1/events?order=time", "order"),
        ("/api/v1/events?tag=latest", "repository"),
        ("/api/v1/events?repository=nginx&tag=.x", "tag"),
        ("/api/v1/timeline?repository=a//b", "repository"),
        ("/api/v1/timeline/lanes?repository=nginx&group=x", "group"),
        ("/api/v1/timeline/lanes?by=day", "by"),
        ("/api/v1/timeline/lanes?family=alpine", "repository"),
        ("/api/v1/timeline/lanes?class=ignored", "class"),
        ("/api/v1/timeline/lanes?flagged=yes", "flagged"),
        ("/api/v1/timeline/lanes?state=absent", "state"),
        ("/api/v1/timeline/lanes?versions=..", "versions"),
        ("/api/v1/timeline/lanes?versions=latest", "versions"),
        ("/api/v1/timeline/lanes?versions=2.1..x", "versions"),
        ("/api/v1/timeline/lanes?limit=0", "limit"),
        ("/api/v1/timeline/lanes?limit=41", "limit"),
        ("/api/v1/timeline/lanes?cursor=x", "cursor"),
        ("/api/v1/timeline/tile?number=0&lanes=1", "level"),
        ("/api/v1/timeline/tile?level=3&number=0&lanes=1", "level"),
        ("/api/v1/timeline/tile?level=41&number=0&lanes=1", "level"),
        ("/api/v1/timeline/tile?level=24&number=1.5&lanes=1", "number"),
        ("/api/v1/timeline/tile?level=24&number=9223372036854775807&lanes=1", "number"),
        ("/api/v1/timeline/tile?level=24&number=0", "lanes"),
        ("/api/v1/timeline/tile?level=24&number=0&lanes=", "lanes"),
        ("/api/v1/timeline/tile?level=24&number=0&lanes=latest", "lanes"),
        ("/api/v1/timeline/tile?level=24&number=0&lanes=-1", "lanes"),
        ("/api/v1/timeline/tile?level=24&number=0&lanes=01", "lanes"),
        ("/api/v1/timeline/tile?level=24&number=0&lanes=1,1", "lanes"),
        ("/api/v1/flags?state=broken", "state"),
        ("/api/v1/flags/one", "id"),
        ("/api/v1/flags/1?x=", "x"),
        ("/api/v1/flags/99999999999999999999", "id"),
        ("/api/v1/digests/abcdef", "digest"),
        ("/api/v1/digests/sha512:abcdefab", "digest"),
        ("/api/v1/digests/ABCDEFAB", "digest"),
        ("/api/v1/targets?repository=nginx", "tag"),
        ("/api/v1/promises?repository=%00", "repository"),
        ("/api/v1/jobs/x", "id"),
        ("/api/v1/live?after=-1", "after"),
        ("/api/v1/openapi.json?pretty", "pretty"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.error(), (400, "invalid".into(), field.into()), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_tile_has_at_most_40_lanes() {
    let server = Server::start().await;
    let path = |lanes: i32| {
        let ids: Vec<_> = (1..=lanes).map(|id| id.to_string()).collect();
        format!("/api/v1/timeline/tile?level=24&number=0&lanes={}", ids.join(","))
    };
    assert_eq!(server.read(&path(40)).await["lanes"].as_array().unwrap().len(), 40, "none of which is there");
    assert_eq!(server.get(&path(41)).await.error(), (400, "invalid".into(), "lanes".into()));
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let server = Server::start().await;
    server.record.watch("nginx").await;
    for (path, field) in [
        ("/api/v1/repositories/one?name=redis", "name"),
        ("/api/v1/tags?repository=redis", "repository"),
        ("/api/v1/timeline?repository=redis", "repository"),
        ("/api/v1/timeline/lanes?repository=redis", "repository"),
        ("/api/v1/flags/1", "id"),
        ("/api/v1/targets?repository=nginx&tag=1.0.0", "tag"),
        ("/api/v1/jobs/1", "id"),
        ("/api/v1/nonsense", ""),
        ("/api/v1", ""),
        ("/api/v1/summary/", ""),
        ("/app-0000000000000000.js", ""),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.error(), (404, "not_found".into(), field.into()), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn another_method_is_told_which_there_are() {
    let server = Server::start().await;
    let answer = server.send(request(Method::PUT, "/api/v1/repositories").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.error(), (405, "invalid".into(), String::new()));
    let mut allowed: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["DELETE", "GET", "HEAD", "POST"]);
}

#[tokio::test]
async fn a_wrong_body_is_named() {
    let server = Server::start().await;
    let digest = format!("sha256:{}", "a".repeat(64));
    let long = "x".repeat(2001);
    let many: Vec<_> = (0..101).map(|at| format!("t{at}")).collect();
    for (path, body, field) in [
        ("/api/v1/repositories", json!({}), "name"),
        ("/api/v1/repositories", json!([]), "body"),
        ("/api/v1/repositories", json!(["nginx"]), "body"),
        ("/api/v1/repositories", json!("nginx"), "body"),
        ("/api/v1/repositories", json!({ "name": 1 }), "name"),
        ("/api/v1/repositories", json!({ "name": "a/b", "color": "red" }), "color"),
        ("/api/v1/repositories", json!({ "name": "https://ghcr.io/a" }), "name"),
        ("/api/v1/flags/1/close", json!({ "version": 1, "resolution": "wontfix", "reason": "x" }), "resolution"),
        ("/api/v1/flags/1/close", json!({ "version": 1, "resolution": "reviewed", "reason": " " }), "reason"),
        ("/api/v1/flags/1/close", json!({ "version": "1", "resolution": "reviewed", "reason": "x" }), "version"),
        ("/api/v1/flags/1/acknowledge", json!({ "version": 1, "reason": long }), "reason"),
        ("/api/v1/flags/1/acknowledge", json!({ "version": 1, "reason": "x", "until": "tomorrow" }), "until"),
        ("/api/v1/promises", json!({ "repository": "nginx", "tag": "-", "digest": digest, "reason": "x" }), "tag"),
        (
            "/api/v1/promises",
            json!({ "repository": "nginx", "tag": "1", "digest": "sha256:x", "reason": "x" }),
            "digest",
        ),
        ("/api/v1/checks", json!({ "repository": "nginx", "tags": ["ok", "not ok"] }), "tags[1]"),
        ("/api/v1/checks", json!({ "repository": "nginx", "tags": many }), "tags"),
        ("/api/v1/checks?wait=11", json!({ "repository": "nginx" }), "wait"),
        ("/api/v1/checks?wait=300", json!({ "repository": "nginx" }), "wait"),
        ("/api/v1/targets/proofs", json!({ "repository": "nginx" }), "tag"),
    ] {
        let answer = server.post(path, &body).await;
        assert_eq!(answer.error(), (400, "invalid".into(), field.into()), "{path} {body}: {}", answer.text);
    }
}

#[tokio::test]
async fn json_that_is_none_is_shown_by_line_and_column() {
    let server = Server::start().await;
    for (body, place) in [
        ("{\n  \"name\": nginx\n}", "line 2 column 12"),
        ("", "line 1 column 0"),
        ("{\"name\":\"a\"} x", "line 1 column 14"),
    ] {
        let answer = server.send(json_request(Method::POST, "/api/v1/repositories", body.to_owned())).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains(place), "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_body_must_say_that_it_is_json_and_be_short() {
    let server = Server::start().await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        let request = request(Method::POST, "/api/v1/repositories").header("content-type", content_type);
        let answer = server.send(request.body(Body::from("{\"name\":\"nginx\"}")).unwrap()).await;
        assert_eq!(answer.error(), (415, "invalid".into(), "Content-Type".into()), "{content_type}");
    }
    let body = json!({ "name": "x".repeat(70_000) });
    assert_eq!(server.post("/api/v1/repositories", &body).await.error(), (413, "too_large".into(), String::new()));
    // The same length without Content-Length.
    let chunks = futures::stream::iter((0..10).map(|_| Ok::<_, std::io::Error>("x".repeat(7_000))));
    let answer = server.send(json_request(Method::POST, "/api/v1/repositories", Body::from_stream(chunks))).await;
    assert_eq!(answer.error(), (413, "too_large".into(), String::new()));
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let server = Server::start().await;
    let body = Body::from_stream(futures::stream::pending::<Result<String, std::io::Error>>());
    let asked = server.send(json_request(Method::POST, "/api/v1/repositories", body));
    let stepping = async {
        loop {
            server.clock.step(Millis::seconds(21));
            tokio::task::yield_now().await;
        }
    };
    let answer = tokio::select! { answer = asked => answer, () = stepping => unreachable!() };
    assert_eq!(answer.error(), (408, "invalid".into(), String::new()));
}

#[tokio::test]
async fn an_error_has_one_shape() {
    let server = Server::start().await;
    insta::assert_json_snapshot!(masked(server.get("/api/v1/tags?repository=nginx&limit=0").await.json()));
    insta::assert_json_snapshot!(masked(server.get("/api/v1/nonsense").await.json()));
}

#[tokio::test]
async fn a_failure_is_told_without_its_cause() {
    let server = Server::start().await;
    server.state.store.shut().await;
    for path in ["/api/v1/summary", "/api/v1/flags/1"] {
        let answer = server.get(path).await;
        assert_eq!(answer.error(), (500, "internal".into(), String::new()), "{path}");
        for word in ["sql", "pool", "database", "closed"] {
            assert!(!answer.text.to_lowercase().contains(word), "{path}: {}", answer.text);
        }
    }
    assert_eq!(server.get("/readyz").await.error().0, 503);
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_panic_is_a_failure_of_its_request_only() {
    let mut server = Server::start().await;
    server.rewire(|state| state.wake = std::sync::Arc::new(|| panic!("the panic of this test")));
    server.record.watch("docker.io/library/nginx").await;
    let answer = server.post("/api/v1/checks", &json!({ "repository": "nginx" })).await;
    assert_eq!(answer.error(), (500, "internal".into(), String::new()));
    assert!(!answer.text.contains("panic"), "{}", answer.text);
    server.read("/api/v1/jobs/1").await;
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list() {
    let server = Server::start().await;
    tagwarden_tests::record::usual(&server.record).await;
    let page = server.read("/api/v1/events?limit=1").await;
    let cursor = page["next"].as_str().expect("there are more events");
    server.read(&format!("/api/v1/events?limit=2&cursor={cursor}")).await;
    for path in [
        format!("/api/v1/events?order=seq&cursor={cursor}"),
        format!("/api/v1/events?repository=registry.example/team/api&cursor={cursor}"),
        format!("/api/v1/flags?cursor={cursor}"),
        format!("/api/v1/events?cursor={cursor}x"),
        "/api/v1/events?cursor=".to_owned(),
    ] {
        assert_eq!(server.get(&path).await.error(), (400, "invalid".into(), "cursor".into()), "{path}");
    }
}

/// Positions that were never given out, sealed as if they were: the store must not take them for rows.
#[tokio::test]
async fn a_forged_cursor_is_bad_input() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use sha2::Digest as _;

    let server = Server::start().await;
    tagwarden_tests::record::usual(&server.record).await;
    for (path, bound_to) in [
        ("/api/v1/events?", r#"events ["-", "-", "At"]"#),
        ("/api/v1/flags?", r#"flags ["[]", "-"]"#),
        ("/api/v1/repositories?", "repositories []"),
        ("/api/v1/timeline/lanes?", r#"lanes ["-", "-", "Auto", "-", "-", "false", "None", "-", "-"]"#),
        ("/api/v1/promises?repository=registry.example/team/api&", r#"promises ["registry.example/team/api"]"#),
        ("/api/v1/tags?repository=registry.example/team/api&", r#"tags ["registry.example/team/api", "-", "-", "-"]"#),
        ("/api/v1/digests/abcdefa?", r#"digests ["abcdefa"]"#),
    ] {
        for position in ["[]", "[\"x\"]", "[null,{}]", "[1e300,-1,true,\"\"]", "[\"x\",\"y\",\"z\",\"w\",1]"] {
            let seal = URL_SAFE_NO_PAD.encode(&sha2::Sha256::digest(format!("1 {bound_to} {position}"))[..9]);
            let cursor = URL_SAFE_NO_PAD.encode(format!(r#"{{"s":"{seal}","p":{position}}}"#));
            let answer = server.get(&format!("{path}cursor={cursor}")).await;
            assert!(
                answer.status.is_success() || answer.status.is_client_error(),
                "{path} {position}: {}",
                answer.text
            );
        }
    }
}
