//! Search, views, what should not be used, and exports.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tagwarden_model::tag::Class;

use tagwarden_tests::api_server::{Server, masked};
use tagwarden_tests::record::{API, digest, usual};

#[tokio::test]
async fn repositories_tags_and_digests_are_found() {
    let server = Server::start().await;
    usual(&server.record).await;
    let found = async |q: &str| server.read(&format!("/api/v1/search?q={q}")).await;
    insta::assert_json_snapshot!("found", masked(found("api%202.3").await));
    let moved = digest("something else").to_string();
    for q in [moved.as_str(), &moved["sha256:".len()..][..9], &format!("{API}@{moved}")] {
        let digests = found(q).await["digests"].clone();
        assert_eq!(digests.as_array().unwrap().len(), 1, "{q}");
        assert_eq!(digests[0]["tag"], "2.3.0", "{q}");
    }
    assert_eq!(found("api:2.2.0").await["tags"][0]["name"], "2.2.0");
    assert_eq!(found("%20").await, json!({ "repositories": [], "tags": [], "digests": [] }));
    let long = "x".repeat(301);
    assert_eq!(server.get(&format!("/api/v1/search?q={long}")).await.error(), (400, "invalid".into(), "q".into()));
    assert_eq!(server.get("/api/v1/search").await.error(), (400, "invalid".into(), "q".into()));
}

#[tokio::test]
async fn a_view_is_an_address_of_this_page() {
    let server = Server::start().await;
    let kept = server.post("/api/v1/views", &json!({ "name": " Mine ", "address": "flags?state=open" })).await;
    assert_eq!((kept.status.as_u16(), kept.json()["name"].as_str()), (200, Some("Mine")), "{}", kept.text);
    assert_eq!(server.read("/api/v1/views").await["items"][0]["address"], "flags?state=open");
    for (body, field) in [
        (json!({ "name": "x", "address": "javascript:alert(1)" }), "address"),
        (json!({ "name": "x", "address": "//example.com" }), "address"),
        (json!({ "name": " ", "address": "flags" }), "name"),
        (json!({ "name": "x".repeat(65), "address": "flags" }), "name"),
        (json!({ "name": "x\u{202e}y", "address": "flags" }), "name"),
    ] {
        assert_eq!(server.post("/api/v1/views", &body).await.error(), (400, "invalid".into(), field.into()), "{body}");
    }
    // However its letters were typed, it is one name.
    for name in ["Cafe\u{301}", "Caf\u{e9}"] {
        let kept = server.post("/api/v1/views", &json!({ "name": name, "address": "flags" })).await;
        assert_eq!(kept.json()["name"], "Caf\u{e9}", "{}", kept.text);
    }
    assert_eq!(server.read("/api/v1/views").await["items"].as_array().unwrap().len(), 2);
    assert_eq!(server.delete("/api/v1/views?name=Cafe%CC%81").await.status, 204);
    assert_eq!(server.delete("/api/v1/views?name=Mine").await.status, 204);
    assert_eq!(server.delete("/api/v1/views?name=Mine").await.error(), (404, "not_found".into(), "name".into()));
}

#[tokio::test]
async fn a_release_is_kept_from_use_with_a_reason() {
    let server = Server::start().await;
    usual(&server.record).await;
    let say = async |tag: &str, reason: &str| {
        server.post("/api/v1/do-not-use", &json!({ "repository": API, "tag": tag, "reason": reason })).await
    };
    let targets = async || {
        let answer = server.read(&format!("/api/v1/targets?repository={API}&tag=2.3.0")).await;
        let items = answer["items"].as_array().unwrap().iter();
        items.map(|target| target["release"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = targets().await;
    assert!(before.contains(&"2.2.0".to_owned()) && before.len() > 1, "{before:?}");
    let others: Vec<String> = before.into_iter().filter(|release| release != "2.2.0").collect();
    let said = say("2.2.0", " loses orders ").await;
    assert_eq!((said.status.as_u16(), said.json()["reason"].as_str()), (200, Some("loses orders")), "{}", said.text);
    assert_eq!(targets().await, others, "it alone is no target any more");
    let tag = server.read(&format!("/api/v1/tags/one?repository={API}&tag=2.2.0")).await;
    assert_eq!(tag["do_not_use"], said.json());
    assert_eq!(say("2.2.0", " ").await.error(), (400, "invalid".into(), "reason".into()));
    assert_eq!(say("latest", "x").await.error(), (422, "invalid".into(), "tag".into()));
    assert_eq!(say("9.9.9", "x").await.error(), (404, "not_found".into(), "tag".into()));
    let path = format!("/api/v1/do-not-use?repository={API}&tag=2.2.0");
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.delete(&path).await.error().0, 404);
}

#[tokio::test]
async fn an_export_has_every_row_once_whatever_the_names_are() {
    let server = Server::start().await;
    let watched = usual(&server.record).await;
    // More than are read at once.
    let tags: Vec<String> = (0..600).map(|at| format!("9.{}.{}", at / 100, at % 100)).collect();
    for tag in &tags {
        server.record.tag(&watched, tag, Class::Release, &["many"]).await;
    }
    let events = server.get("/api/v1/events/export?format=csv").await;
    assert_eq!(events.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(events.header("content-disposition"), "attachment; filename=\"tagwarden-events.csv\"");
    let lines: Vec<&str> = events.text.split_terminator("\r\n").collect();
    let json: Value = server.get("/api/v1/events/export?format=json").await.json();
    let rows = json.as_array().unwrap();
    assert_eq!(lines.len(), rows.len() + 1);
    assert_eq!(rows.len() as i64, server.read("/api/v1/events?order=seq").await["items"][0]["seq"].as_i64().unwrap());
    let of_csv: Vec<&str> = lines[1..].iter().map(|line| line.split(',').next().unwrap()).collect();
    let of_json: Vec<String> = rows.iter().map(|row| row["seq"].to_string()).collect();
    assert_eq!(of_csv, of_json);
    insta::assert_snapshot!("export", lines[0]);

    let flags = server.get("/api/v1/flags/export?format=csv&repository=registry.example/team/api").await.text;
    assert_eq!(flags.lines().count(), 2, "{flags}");
    // One that is less severe, and newer.
    server.record.delete(&watched, &["2.2.0"], 1).await;
    let listed = server.read("/api/v1/flags").await["items"].clone();
    assert_eq!((&listed[0]["id"], &listed[1]["id"]), (&json!(1), &json!(2)), "the worst first");
    let exported: Value = server.get("/api/v1/flags/export?format=json").await.json();
    assert_eq!((&exported[0]["id"], &exported[1]["id"]), (&json!(2), &json!(1)), "in an order that lasts");
    assert_eq!(server.get("/api/v1/flags/export?format=json&group=none").await.json(), json!([]));
    // As the list of them has filters.
    for (filter, is_there) in [
        ("state=active&severity=warning&contains=API:2", true),
        ("state=open", true),
        ("state=closed", false),
        ("contains=api:9", false),
    ] {
        let ids = |flags: &Value| -> BTreeSet<i64> {
            flags.as_array().unwrap().iter().map(|flag| flag["id"].as_i64().unwrap()).collect()
        };
        let some = ids(&server.get(&format!("/api/v1/flags/export?format=json&{filter}")).await.json());
        let listed = ids(&server.read(&format!("/api/v1/flags?{filter}")).await["items"]);
        assert_eq!((&some, !some.is_empty()), (&listed, is_there), "{filter}");
    }
    assert_eq!(server.get("/api/v1/flags/export").await.error(), (400, "invalid".into(), "format".into()));
    let both = format!("/api/v1/events/export?format=csv&group=x&repository={API}");
    assert_eq!(server.get(&both).await.error().0, 400);
}
