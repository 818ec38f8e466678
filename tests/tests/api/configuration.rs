//! The configuration by which the server works, as the API shows it.

use std::sync::Arc;

use serde_json::json;
use tagwarden::config::{Checked, Group, Sources, Watched};
use tagwarden::reload::InForce;
use tagwarden_model::instant::Millis;
use tagwarden_tests::api_server::{Server, masked};
use tagwarden_tests::step_clock::START;

/// A server whose file watches `nginx`.
async fn server() -> Server {
    let server = Server::start().await;
    let watches = vec![Watched { name: "nginx".parse().unwrap(), line: 12 }];
    let config = Checked { file: Some("/etc/tagwarden.toml".into()), watches, ..Checked::default() };
    tagwarden::apply::apply(&server.state.store, &config, START).await.unwrap();
    server.configuration.send_replace(Arc::new(InForce::new(config, START)));
    server
}

#[tokio::test]
async fn what_the_file_watches_only_the_file_ends() {
    let server = server().await;
    assert_eq!(server.post("/api/v1/repositories", &json!({ "name": "httpd" })).await.json()["source"], "person");
    let again = server.post("/api/v1/repositories", &json!({ "name": "nginx" })).await;
    assert_eq!((again.status.as_u16(), again.json()["source"].as_str()), (200, Some("file")));
    assert_eq!(server.read("/api/v1/repositories/one?name=nginx").await["source"], "file");
    let list = server.read("/api/v1/repositories").await;
    let sources: Vec<_> = list["items"].as_array().unwrap().iter().map(|row| row["source"].as_str().unwrap()).collect();
    assert_eq!(sources, ["person", "file"]);

    let refused = server.delete("/api/v1/repositories?name=nginx").await;
    assert_eq!(refused.error().0, 409);
    insta::assert_json_snapshot!("watched_by_the_file", masked(refused.json()));
    assert_eq!(server.delete("/api/v1/repositories?name=httpd").await.status, 204);
    let paused = server.post("/api/v1/repositories/pause", &json!({ "name": "nginx" })).await.json();
    assert_eq!((&paused["state"], &paused["source"]), (&json!("paused"), &json!("file")));
    let purge = server.delete("/api/v1/repositories/purge?name=nginx&confirm=nginx").await;
    assert_eq!(purge.error(), (422, "invalid".into(), "name".into()));

    // Taken out of the file, but not by a reload: it is a person's now.
    server.configuration.send_replace(Arc::new(InForce::new(Checked::default(), START)));
    assert_eq!(server.delete("/api/v1/repositories?name=nginx").await.status, 204);
}

#[tokio::test]
async fn what_the_file_groups_only_the_file_changes() {
    let server = Server::start().await;
    let group = Group { name: "shop".to_owned(), description: "what we sell".to_owned(), members: Vec::new() };
    let config = Checked { file: Some("/etc/tagwarden.toml".into()), groups: vec![group], ..Checked::default() };
    tagwarden::apply::apply(&server.state.store, &config, START).await.unwrap();
    server.configuration.send_replace(Arc::new(InForce::new(config, START)));
    let shop = json!({ "name": "shop", "description": "what we sell", "source": "file", "repositories": [] });
    let made = server.post("/api/v1/groups", &json!({ "name": "shop" })).await;
    assert_eq!((made.status.as_u16(), made.json()), (200, shop.clone()));
    server.post("/api/v1/repositories", &json!({ "name": "httpd" })).await;
    let join = json!({ "group": "shop", "repository": "httpd" });
    for refused in [
        server.post("/api/v1/groups/rename", &json!({ "name": "shop", "to": "store" })).await,
        server.post("/api/v1/groups/repositories", &join).await,
        server.delete("/api/v1/groups/repositories?group=shop&repository=httpd").await,
        server.delete("/api/v1/groups?name=shop").await,
    ] {
        assert_eq!(refused.error(), (409, "conflict".into(), String::new()));
        assert!(refused.text.contains("/etc/tagwarden.toml says what is in the group shop"), "{}", refused.text);
    }
    assert_eq!(server.read("/api/v1/groups").await["items"], json!([shop]));
}

#[tokio::test]
async fn a_newer_version_with_mistakes_is_shown() {
    let server = server().await;
    insta::assert_json_snapshot!("configuration", server.read("/api/v1/configuration").await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tagwarden.toml");
    std::fs::write(&file, "[[registry]]\nhost = \"ghcr.io\"\nusrname = \"robot\"\n").unwrap();
    let mut sources = Sources::of_file(file);
    sources.variables.push(("TAGWARDEN_SERVER_LISTNE".to_owned(), "1".to_owned()));
    let docker = folder.path().join("config.json");
    std::fs::write(&docker, "{}").unwrap();
    sources.variables.push(("TAGWARDEN_SERVER_DOCKER_CONFIG".to_owned(), docker.to_str().unwrap().to_owned()));
    let error = sources.load().err();
    server.configuration.send_modify(|in_force| {
        *in_force = Arc::new(InForce { error, loaded_at: START + Millis::minutes(3), ..(**in_force).clone() });
    });
    let shown = server.read("/api/v1/configuration").await;
    assert_eq!((&shown["file"], &shown["loaded_at"]), (&json!("/etc/tagwarden.toml"), &json!("2026-11-23T12:03:00Z")));
    insta::assert_json_snapshot!("configuration_with_mistakes", shown["errors"]);
}
