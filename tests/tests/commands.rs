//! The commands beside `serve` and `demo`, as programs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::Output;

use serde_json::{Value, json};
use tagwarden_tests::docker_registry::DockerRegistry;
use tagwarden_tests::http_client;
use tagwarden_tests::images::Image;
use tagwarden_tests::tagwarden_process::{Tagwarden, binary};
use tagwarden_tests::wait::{START, until};

/// What `tagwarden ARGUMENTS` prints.
async fn printed(arguments: &[&str]) -> String {
    let output = tokio::process::Command::new(binary().await).args(arguments).output().await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

async fn get(server: &Tagwarden, path: &str) -> Value {
    let answer = http_client().get(format!("{}/api/v1/{path}", server.url())).send().await.unwrap();
    answer.error_for_status().unwrap().json().await.unwrap()
}

/// The subcommands that `--help` lists.
async fn subcommands() -> Vec<String> {
    let help = printed(&["--help"]).await;
    let list = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[tokio::test]
async fn completions_and_manual_name_every_command() {
    let commands = subcommands().await;
    assert!(commands.len() >= 8 && commands.contains(&"restore".to_owned()), "{commands:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(&["completions", shell]).await;
        for command in &commands {
            assert!(script.contains(command), "{shell} does not know {command}");
        }
        assert!(script.contains("read-only"), "{shell} does not know the options");
    }
    let page = printed(&["man"]).await;
    for command in &commands {
        let name = format!("tagwarden-{command}(1)").replace('-', "\\-");
        assert!(page.contains(&name), "{name} is not in {page}");
        let of_command = printed(&["man", command]).await;
        assert!(of_command.contains(&format!(".TH tagwarden-{command} 1")), "{of_command}");
    }
    assert!(printed(&["man", "serve"]).await.contains("TAGWARDEN_SERVER_DATABASE"));
}

#[tokio::test]
async fn healthcheck_asks_the_server_of_the_same_configuration() {
    let mut server = Tagwarden::quick_below("/tags", "record.db").await;
    let well = server.run(&["healthcheck"]).await;
    assert!(well.status.success(), "{well:?}");
    // As in a container, where it listens on every address.
    let port = server.url().rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    for everywhere in [format!("0.0.0.0:{port}"), format!("[::]:{port}")] {
        let answer = server.run(&["healthcheck", "--listen", &everywhere]).await;
        assert_eq!(answer.status.success(), everywhere.starts_with('0'), "IPv4 only: {answer:?}");
    }
    server.stop();
    let words = refusal(&server.run(&["healthcheck"]).await);
    assert!(words.contains("/tags/healthz") && words.contains("refused"), "{words}");
}

#[tokio::test]
async fn a_backup_is_taken_beside_the_server_restored_and_looked_at() {
    let registry = DockerRegistry::start().await;
    Image::single(1).put(&http_client(), &registry.url(), "team/api", "1.0.0").await;
    let mut server = Tagwarden::quick("record.db").await;
    let repository = json!({ "name": format!("{}/team/api", registry.host()) });
    let added = http_client().post(format!("{}/api/v1/repositories", server.url())).json(&repository).send().await;
    assert!(added.unwrap().status().is_success());
    let baseline = until("the tag is read", START, || async {
        let events = get(&server, "events").await;
        (!events["items"].as_array().unwrap().is_empty()).then_some(events)
    })
    .await;

    let done = server.run(&["backup", "copy"]).await;
    assert!(done.status.success(), "{done:?}");
    let words = String::from_utf8(done.stdout).unwrap();
    assert!(words.starts_with("copy holds 1 events"), "{words}");
    let below_it = refusal(&server.run(&["restore", "--force", "copy"]).await);
    assert!(below_it.contains("another server uses"), "{below_it}");
    server.stop();
    assert!(refusal(&server.run(&["restore", "copy"]).await).contains("--force"));
    let done = server.run(&["restore", "copy", "--database", "restored.db"]).await;
    assert!(done.status.success(), "{done:?}");

    let before = fs::read(server.folder().join("restored.db")).unwrap();
    server.restart_with(&["--read-only", "--database", "restored.db"]).await;
    assert_eq!(get(&server, "summary").await["read_only"], true);
    assert_eq!(get(&server, "events").await, baseline);
    let refused = http_client().post(format!("{}/api/v1/checks", server.url())).json(&json!({})).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    server.stop();
    assert_eq!(fs::read(server.folder().join("restored.db")).unwrap(), before);
    for beside in ["restored.db-wal", "restored.db-shm"] {
        assert!(!server.folder().join(beside).exists(), "{beside}");
    }
}
