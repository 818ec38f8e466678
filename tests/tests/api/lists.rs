//! What can be read.

use tagwarden_tests::api_server::{Server, masked};
use tagwarden_tests::record::{API, digest, usual};
use tagwarden_tests::step_clock::START;

#[tokio::test]
async fn every_read_of_a_filled_record() {
    let server = Server::start().await;
    usual(&server.record).await;
    for (name, path) in [
        ("summary", "/api/v1/summary".to_owned()),
        ("registries", "/api/v1/registries".to_owned()),
        ("repositories", "/api/v1/repositories".to_owned()),
        ("repository", format!("/api/v1/repositories/one?name={API}")),
        ("tags", format!("/api/v1/tags?repository={API}")),
        ("events", "/api/v1/events".to_owned()),
        ("timeline", format!("/api/v1/timeline?repository={API}")),
        ("lanes", format!("/api/v1/timeline/lanes?repository={API}")),
        ("tile", format!("/api/v1/timeline/tile?level=28&number={}&lanes=11,6,99", (START.0 >> 28).div_euclid(256))),
        ("flags", "/api/v1/flags?state=open".to_owned()),
        ("flag", "/api/v1/flags/1".to_owned()),
        ("digest", format!("/api/v1/digests/{}", digest("two two"))),
        ("targets", format!("/api/v1/targets?repository={API}&tag=2.3.0")),
        ("promises", format!("/api/v1/promises?repository={API}")),
    ] {
        insta::assert_json_snapshot!(name, masked(server.read(&path).await));
    }
}

#[tokio::test]
async fn pages_give_every_row_once_and_in_order() {
    let server = Server::start().await;
    usual(&server.record).await;
    server.record.watch("other.example/team/api").await;
    for list in [
        "/api/v1/registries?".to_owned(),
        "/api/v1/repositories?".to_owned(),
        "/api/v1/events?order=seq&".to_owned(),
        "/api/v1/events?order=at&".to_owned(),
        format!("/api/v1/tags?repository={API}&"),
        format!("/api/v1/promises?repository={API}&"),
        format!("/api/v1/digests/{}?", digest("two two").hex()),
    ] {
        let whole = server.read(&format!("{list}limit=500")).await;
        assert!(whole["items"].as_array().unwrap().len() >= 2, "{list} {whole}");
        assert!(whole.get("next").is_none(), "{list}");
        let mut rows = Vec::new();
        let mut path = format!("{list}limit=1");
        loop {
            let page = server.read(&path).await;
            rows.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            path = format!("{list}limit=1&cursor={next}");
        }
        assert_eq!(whole["items"].as_array().unwrap(), &rows, "{list}");
    }
}

#[tokio::test]
async fn pages_of_lanes_give_every_lane_once_and_in_order() {
    let server = Server::start().await;
    usual(&server.record).await;
    let names = |head: &serde_json::Value| -> Vec<String> {
        head["lanes"].as_array().unwrap().iter().map(|lane| lane["name"].as_str().unwrap().to_owned()).collect()
    };
    for (filter, expected) in [
        ("", vec!["2.3", "2.2", "latest"]),
        ("by=family&", vec!["", "latest"]),
        ("class=release&", vec!["2.3", "2.2"]),
        ("flagged=true&", vec!["2.3"]),
        ("q=LAT&", vec!["latest"]),
        ("versions=2.3..&", vec!["2.3"]),
        ("versions=..2.2&", vec!["2.2"]),
        ("versions=2.3&", vec!["2.3"]),
        ("versions=2&", vec!["2.3", "2.2"]),
        ("versions=..2.2.7&", vec!["2.2"]),
        ("versions=3..&", vec![]),
        ("by=family&versions=2.3&", vec!["2.3"]),
        ("q=2.3.0&", vec!["2.3"]),
        ("q=2.2.X&", vec!["2.2"]),
        ("q=x.y.z&by=family&", vec![""]),
        ("q=2.3.0&by=family&", vec![""]),
        ("state=present&class=rolling&", vec!["latest"]),
        ("state=gone&", vec![]),
        ("pinned=x,,-1,99999&q=LAT&", vec!["latest"]),
        ("repository=registry.example/team/api&family=&", vec!["2.3", "2.2"]),
        ("repository=registry.example/team/empty&", vec![]),
        ("group=none&", vec![]),
    ] {
        let list = format!("/api/v1/timeline/lanes?{filter}limit=");
        let whole = server.read(&format!("{list}40")).await;
        assert_eq!(names(&whole), expected, "{filter}");
        assert_eq!(whole["total"], expected.len(), "{filter}");
        let (mut found, mut path) = (Vec::new(), format!("{list}1"));
        loop {
            let page = server.read(&path).await;
            found.extend(names(&page));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("{list}1&cursor={next}");
        }
        assert_eq!(found, names(&whole), "{filter}");
    }
}

#[tokio::test]
async fn filters_narrow_lists() {
    let server = Server::start().await;
    usual(&server.record).await;
    for (path, field, expected) in [
        (format!("/api/v1/tags?repository={API}&class=rolling"), "name", vec!["latest"]),
        (format!("/api/v1/tags?repository={API}&contains=2.0"), "name", vec!["2.2.0"]),
        (format!("/api/v1/tags?repository={API}&family=none"), "name", vec![]),
        (format!("/api/v1/events?repository={API}&tag=2.3.0&order=seq"), "kind", vec!["moved", "created"]),
        ("/api/v1/events?repository=registry.example/team/empty".to_owned(), "kind", vec![]),
        ("/api/v1/flags?state=active".to_owned(), "tag", vec!["2.3.0"]),
        ("/api/v1/flags?state=closed".to_owned(), "tag", vec![]),
        ("/api/v1/flags?repository=registry.example/team/empty".to_owned(), "tag", vec![]),
        (format!("/api/v1/digests/sha256:{}", &digest("something else").hex()[..7]), "tag", vec!["2.3.0"]),
        ("/api/v1/digests/0000000".to_owned(), "tag", vec![]),
    ] {
        let page = server.read(&path).await;
        let found: Vec<_> = page["items"].as_array().unwrap().iter().map(|row| row[field].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{path}");
    }
}

#[tokio::test]
async fn events_of_what_stood_before_the_watch_can_be_left_out() {
    let server = Server::start().await;
    usual(&server.record).await;
    for order in ["seq", "at"] {
        let all = server.read(&format!("/api/v1/events?order={order}&limit=500")).await;
        let without = server.read(&format!("/api/v1/events?order={order}&limit=500&baseline=false")).await;
        let (all, without) = (all["items"].as_array().unwrap(), without["items"].as_array().unwrap());
        let expected: Vec<_> = all.iter().filter(|event| event["baseline"] == false).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "both kinds are there");
        assert_eq!(*without, expected);
    }
}

#[tokio::test]
async fn operators_see_that_it_lives_and_what_it_counts() {
    let server = Server::start().await;
    assert_eq!(server.get("/healthz").await.text, "ok\n");
    assert_eq!(server.get("/readyz").await.text, "ready\n");
    server.get("/api/v1/repositories?limit=0").await;
    server.get("/app-0000000000000000.js").await;
    let metrics = server.get("/metrics").await;
    assert_eq!(metrics.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    for line in [
        "tagwarden_http_requests_total{method=\"GET\",route=\"/api/v1/repositories\",status=\"400\"} 1",
        "tagwarden_http_requests_total{method=\"GET\",route=\"page\",status=\"404\"} 1",
        "tagwarden_http_request_duration_seconds_count{route=\"/healthz\"} 1",
        "tagwarden_live_readers 0",
    ] {
        assert!(metrics.text.lines().any(|is| is == line), "{line} is missing in\n{}", metrics.text);
    }
}
