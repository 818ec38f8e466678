//! The built program: its commands, a configuration that changes under it, and what it must never say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "program/commands.rs"]
mod commands;
#[path = "program/reload.rs"]
mod reload;
#[path = "program/secrets.rs"]
mod secrets;

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tagwarden_tests::tagwarden_process::{Tagwarden, binary};
use tagwarden_tests::wait;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs a command to its end, with the files of `folder`.
async fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary().await);
    command.args(arguments).current_dir(folder).env("DOCKER_CONFIG", folder).env("NO_COLOR", "1");
    command.envs(variables.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// What a command printed, first to standard output.
fn printed(output: &Output) -> (String, String) {
    (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// The API of a running server.
struct Api {
    client: reqwest::Client,
    url: String,
}

impl Api {
    fn of(server: &Tagwarden) -> Self {
        Self { client: tagwarden_tests::http_client(), url: server.url() }
    }

    /// Status and body.
    async fn ask(&self, method: Method, path: &str) -> (u16, Value) {
        let answer = self.client.request(method, format!("{}/api/v1/{path}", self.url)).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path).await.1
    }

    /// A watched repository, once it is as it should be.
    async fn repository_until(&self, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        wait::until(format!("{name}: {what}"), PATIENCE, || async {
            Some(self.get(&format!("repositories/one?name={name}")).await).filter(|found| is(found))
        })
        .await
    }

    /// Waits until a repository was read.
    async fn read(&self, name: &str) -> Value {
        self.repository_until(name, "it was read", |found| found["state"] == "ok").await
    }
}
