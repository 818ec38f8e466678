//! The rules in force, and the preview of others.

use std::sync::Arc;

use serde_json::{Value, json};
use tagwarden::config::Checked;
use tagwarden::policy::{Policy, Rule};
use tagwarden::reload::InForce;
use tagwarden_model::api::RepositoryState;
use tagwarden_model::event::Severity;
use tagwarden_model::flag::Lowering;
use tagwarden_model::instant::Millis;
use tagwarden_model::tag::Class;

use tagwarden_tests::api_server::{Server, masked};
use tagwarden_tests::record::{API, usual};
use tagwarden_tests::step_clock::START;

const PREVIEW: &str = "/api/v1/policies/preview";

/// A server with these rules in its configuration.
async fn server(rules: &[(&str, &str, Class)]) -> Server {
    let rules = rules.iter().map(|(repository, tag, class)| Rule::new(repository, tag, *class).unwrap()).collect();
    let server = Server::start().await;
    let config = Checked { policy: Policy::new(rules), ..Checked::default() };
    server.configuration.send_replace(Arc::new(InForce::new(config, START)));
    server
}

async fn preview(server: &Server, body: Value) -> Value {
    let answer = server.post(PREVIEW, &body).await;
    assert_eq!(answer.status, 200, "{body}: {}", answer.text);
    answer.json()
}

#[tokio::test]
async fn the_rules_in_force_are_listed_in_their_order_and_the_table_last() {
    let server = server(&[("ghcr.io/acme/*", "stable-*", Class::Release), ("**", "stable-*", Class::Ignored)]).await;
    insta::assert_json_snapshot!("policies", server.read("/api/v1/policies").await);
}

#[tokio::test]
async fn a_rule_says_how_it_lowers_severities_and_a_preview_which_flags_it_would_lower() {
    let server = Server::start().await;
    usual(&server.record).await;
    let flag = &server.read("/api/v1/flags").await["items"][0];
    assert_eq!((&flag["severity"], &flag["lowered_by"]), (&json!("critical"), &Value::Null));
    let lowers = json!({ "tag": "2.3.*", "class": "release", "severity": "warning", "retention": true });
    let found = preview(&server, json!({ "rules": [lowers] })).await;
    let change = json!({ "flag": flag["id"], "repository": API, "tag": "2.3.0", "from": "critical", "to": "warning" });
    assert_eq!((&found["severities"], &found["changed"]), (&json!([change]), &json!(0)));
    let none = preview(&server, json!({ "rules": [{ "tag": "2.2.*", "class": "release", "severity": "info" }] })).await;
    assert_eq!(none["severities"], json!([]));

    let lowering = Lowering { cap: Some(Severity::Info), retention: true };
    let rule = Rule::new("**", "2.*", Class::Release).unwrap().lowered(lowering);
    let config = Checked { policy: Policy::new(vec![rule]), ..Checked::default() };
    server.configuration.send_replace(Arc::new(InForce::new(config, START)));
    let rules = server.read("/api/v1/policies").await;
    assert_eq!((&rules["items"][0]["severity"], &rules["items"][0]["retention"]), (&json!("info"), &json!(true)));
    assert_eq!((&rules["items"][1]["severity"], &rules["items"][1]["retention"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn a_preview_counts_what_would_get_another_class() {
    let server = server(&[("**", "2.2.*", Class::Ignored)]).await;
    usual(&server.record).await;
    let rules = json!([{ "tag": "2.3.*", "class": "rebuilt" }, { "repository": "**/api", "tag": "latest", "class": "release" },
        { "tag": "*", "class": "ignored", "repository": "ghcr.io/**" }]);
    let before = server.state.store.newest_change().await.unwrap();
    let found = preview(&server, json!({ "rules": rules })).await;
    insta::assert_json_snapshot!("preview", masked(found.clone()));
    assert_eq!(preview(&server, json!({ "rules": rules, "repository": API })).await, found);
    let none = preview(&server, json!({ "rules": rules, "repository": "registry.example/team/empty" })).await;
    assert_eq!((&none["tags"], &none["changes"]), (&json!(0), &json!([])));
    // What is in force changes nothing, and nothing was written.
    let same = preview(&server, json!({ "rules": [{ "tag": "2.2.*", "class": "ignored" }] })).await;
    assert_eq!((&same["tags"], &same["changed"]), (&json!(3), &json!(0)));
    assert_eq!(server.state.store.newest_change().await.unwrap(), before);
}

#[tokio::test]
async fn a_preview_proposes_what_the_record_shows() {
    let server = Server::start().await;
    let api = server.record.watch(API).await;
    server.record.state(&api, RepositoryState::Ok).await;
    for tag in ["3.9", "3.10", "3.11", "v3.11", "3.11-slim", "3"] {
        server.record.tag(&api, tag, Class::Rolling, &[tag]).await;
    }
    server.clock.step(Millis::days(91));
    server.record.tag(&api, "1.2.3", Class::Release, &["a", "b", "c", "d"]).await;
    let proposals = preview(&server, json!({ "rules": [] })).await["proposals"].clone();
    insta::assert_json_snapshot!("proposals", proposals);
    // What is proposed can be taken over as it is, and is then proposed no more.
    let rules: Vec<_> = proposals.as_array().unwrap().iter().map(rule_of).collect();
    let found = preview(&server, json!({ "rules": rules })).await;
    assert_eq!((&found["changed"], &found["proposals"]), (&json!(4), &json!([])));
}

#[tokio::test]
async fn previews_take_turns() {
    let server = Server::start().await;
    let turn = server.state.previews.clone().acquire_owned().await.unwrap();
    let waiting = preview(&server, json!({ "rules": [] }));
    let mut waiting = std::pin::pin!(waiting);
    let others = async {
        for _ in 0..20 {
            server.read("/api/v1/policies").await;
        }
    };
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("it did not wait"),
        () = others => {}
    }
    drop(turn);
    assert_eq!(waiting.await["tags"], 0);
}

fn rule_of(proposal: &Value) -> Value {
    json!({ "repository": proposal["repository"], "tag": proposal["pattern"], "class": proposal["class"] })
}

#[tokio::test]
async fn a_wrong_rule_is_named_by_its_place() {
    let server = Server::start().await;
    server.record.watch(API).await;
    let good = json!({ "tag": "*", "class": "release" });
    let many = vec![good.clone(); 51];
    for (body, field, reason) in [
        (json!({}), "rules", "missing"),
        (json!({ "rules": "*" }), "rules", "sequence"),
        (json!({ "rules": many }), "rules", "at most 50"),
        (json!({ "rules": [good, { "class": "release" }] }), "rules[1].tag", "missing"),
        (
            json!({ "rules": [good, good, { "tag": "[a", "class": "release" }] }),
            "rules[2].tag",
            "unclosed character class",
        ),
        (
            json!({ "rules": [{ "repository": "{a", "tag": "*", "class": "rolling" }] }),
            "rules[0].repository",
            "alternate",
        ),
        (json!({ "rules": [{ "tag": "[9-0]", "class": "rolling" }] }), "rules[0].tag", "range"),
        (json!({ "rules": [{ "tag": "x\\", "class": "rolling" }] }), "rules[0].tag", "dangling"),
        (json!({ "rules": [{ "tag": "x".repeat(401), "class": "rolling" }] }), "rules[0].tag", "at most 400"),
        (json!({ "rules": [good, { "tag": "*", "class": "stable" }] }), "rules[1].class", "unknown variant"),
        (
            json!({ "rules": [{ "tag": "*", "class": "release", "severity": "critical" }] }),
            "rules[0].severity",
            "nothing is more severe",
        ),
        (
            json!({ "rules": [{ "tag": "*", "class": "rolling", "severity": "info" }] }),
            "rules[0].severity",
            "never flagged",
        ),
        (json!({ "rules": [{ "tag": "*", "class": "rebuilt", "retention": true }] }), "rules[0].retention", "releases"),
        (json!({ "rules": [{ "tag": "*", "class": "release", "tags": 1 }] }), "rules[0].tags", "unknown field"),
        (json!({ "rules": [], "repository": "a//b" }), "repository", "slashes"),
        (json!({ "rules": [], "rule": [] }), "rule", "unknown field"),
    ] {
        let answer = server.post(PREVIEW, &body).await;
        assert_eq!(answer.error(), (400, "invalid".into(), field.into()), "{body}: {}", answer.text);
        let message = answer.json()["error"]["message"].to_string().to_lowercase();
        assert!(message.contains(reason), "{reason} is not in {message}");
    }
    let unknown = server.post(PREVIEW, &json!({ "rules": [], "repository": "nginx" })).await;
    assert_eq!(unknown.error(), (404, "not_found".into(), "repository".into()));
}
