//! `check-config`, `config-schema`, and a start with mistakes.

use std::fs;

use crate::{printed, run};

const GOOD: &str = r#"
[[registry]]
host = "ghcr.io"
[[watch]]
repository = "ghcr.io/acme/api"
[[watch]]
repository = "nginx"
[[policy]]
tag = "stable-*"
class = "release"
"#;

#[tokio::test]
async fn a_good_configuration_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tagwarden.toml"), GOOD).unwrap();
    fs::write(folder.path().join("other.toml"), "").unwrap();
    for (arguments, counts) in [
        (&["check-config"][..], "1 registry, 2 repositories, 1 rule\n"),
        (&["check-config", "other.toml"], "0 registries, 0 repositories, 0 rules\n"),
    ] {
        let output = run(folder.path(), arguments, &[]).await;
        assert!(output.status.success(), "{output:?}");
        assert_eq!(printed(&output), (counts.to_owned(), String::new()));
    }
}

#[tokio::test]
async fn every_mistake_is_printed_and_nothing_is_started() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tagwarden.toml"), GOOD.replace("tag =", "tga =")).unwrap();
    for command in ["check-config", "serve"] {
        let output = run(folder.path(), &[command], &[("TAGWARDEN_SERVER_LISTEN", "nowhere")]).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let (out, error) = printed(&output);
        assert_eq!(out, "");
        for part in ["has 2 mistakes", "tagwarden.toml:9:1", "did you mean `tag`?", "TAGWARDEN_SERVER_LISTEN: invalid"]
        {
            assert!(error.contains(part), "{part} is not in {error}");
        }
        assert!(!folder.path().join("tagwarden.db").exists());
    }
    let output = run(folder.path(), &["check-config", "nowhere.toml"], &[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[tokio::test]
async fn the_schema_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["config-schema"], &[]).await;
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(schema == tagwarden::config::schema());
}
