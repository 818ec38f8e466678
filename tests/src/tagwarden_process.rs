//! The built server as a program of its own: started, killed, started again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::process::{Ending, Process, free_port};
use crate::wait::{START, until};

/// Names the built binary; without it, the first test that needs it builds it.
pub const VARIABLE: &str = "TAGWARDEN_BIN";

/// `tagwarden serve` with a configuration file, a port and a folder of its own.
#[derive(Debug)]
pub struct Tagwarden {
    port: u16,
    /// Where it is below its host: empty, or `/tags`.
    prefix: &'static str,
    process: Option<Process>,
    variables: Vec<(String, String)>,
    folder: TempDir,
}

/// What a configuration is written for.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// A free port of 127.0.0.1.
    pub port: u16,
    /// An empty folder that lives as long as the [`Tagwarden`].
    pub folder: &'a Path,
}

impl Tagwarden {
    /// Starts one with the configuration that `config` writes for its place; `/healthz` answers when this returns.
    pub async fn start(config: impl FnOnce(Place<'_>) -> String) -> Self {
        Self::start_as("", &[], config).await
    }

    /// The same with variables.
    pub async fn start_with(variables: &[(&str, &str)], config: impl FnOnce(Place<'_>) -> String) -> Self {
        Self::start_as("", variables, config).await
    }

    async fn start_as(
        prefix: &'static str,
        variables: &[(&str, &str)],
        config: impl FnOnce(Place<'_>) -> String,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let text = config(Place { port, folder: folder.path() });
        fs::write(folder.path().join("tagwarden.toml"), text).expect("the configuration is written");
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut server = Self { port, prefix, process: None, variables, folder };
        server.restart().await;
        server
    }

    /// Starts one that waits two seconds wherever the rules of the record wait, and between two passes. It watches nothing
    /// yet; `database` is as in the configuration.
    pub async fn quick(database: &str) -> Self {
        Self::quick_below("", database).await
    }

    /// The same below a path, as behind a proxy: `/tags`.
    pub async fn quick_below(prefix: &'static str, database: &str) -> Self {
        Self::start_as(prefix, &[], |place| {
            let docker_config = place.folder.join("config.json");
            fs::write(&docker_config, "{}").expect("docker's configuration is written");
            // A repository counts as gone after a day: two seconds are to ten minutes as five minutes are to a day.
            format!(
                "[server]\nlisten = '127.0.0.1:{0}'\npublic_url = 'http://127.0.0.1:{0}{prefix}/'\n\
                 database = '{database}'\ndocker_config = '{1}'\n\
                 [polling]\nhot = '2s'\nwarm = '2s'\ncold = '2s'\npinned = '2s'\npass_limit = '10s'\nlease = '1s'\n\
                 [polling.delays]\nclaim = '2s'\nstale = '2s'\nabsence_least = '2s'\nabsence_most = '2s'\n\
                 dangling = '2s'\nempty = '2s'\nvanished = '5m'\n",
                place.port,
                docker_config.display()
            )
        })
        .await
    }

    /// `http://127.0.0.1:8080`, and its prefix.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.prefix)
    }

    /// Where its configuration is, and whatever else that put there.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged since its last start.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Changes its configuration: what is `config` of what it was.
    pub fn rewrite(&self, config: impl FnOnce(String) -> String) {
        let path = self.folder.path().join("tagwarden.toml");
        let text = fs::read_to_string(&path).expect("it was written before");
        fs::write(path, config(text)).expect("the configuration is written");
    }

    /// Sends a signal: `HUP`.
    pub fn signal(&self, name: &str) {
        let process = self.process.as_ref().expect("it runs");
        let sent = Command::new("kill").arg(format!("-{name}")).arg(process.id().to_string()).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} was not sent");
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// SIGTERM; panics unless it ends by itself with success.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let status = process.terminate();
            assert!(status.success(), "tagwarden ended with {status}:\n{}", process.output());
        }
    }

    /// Starts it again with the same configuration, after a `kill -9` if it still runs.
    pub async fn restart(&mut self) {
        self.restart_with(&[]).await;
    }

    /// The same with further options.
    pub async fn restart_with(&mut self, options: &[&str]) {
        self.kill();
        let mut command = Command::new(binary().await);
        command.arg("serve").args(options).arg("--config").arg(self.folder.path().join("tagwarden.toml"));
        command.current_dir(self.folder.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let mut process = Process::start(&command, Ending::Kill, &self.log_file())
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let client = crate::http_client();
        let url = format!("{}/healthz", self.url());
        until("tagwarden answers", START, || {
            assert!(process.ended().is_none(), "tagwarden ended:\n{}", process.output());
            let request = client.get(&url);
            async move { request.send().await.ok().filter(|response| response.status().is_success()) }
        })
        .await;
        self.process = Some(process);
    }

    /// Runs another command of the same program, with the same configuration.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = tokio::process::Command::new(binary().await);
        let running = command.args(arguments).current_dir(self.folder.path()).kill_on_drop(true).output();
        running.await.unwrap_or_else(|error| panic!("tagwarden {arguments:?} does not start: {error}"))
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

/// The path of the built binary: what [`VARIABLE`] says, else beside this test's own, brought up to date once.
pub async fn binary() -> &'static Path {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    BUILT
        .get_or_init(|| async {
            if let Some(path) = std::env::var_os(VARIABLE) {
                return PathBuf::from(path);
            }
            let own = std::env::current_exe().expect("this test has a path");
            // target/debug/deps/e2e-0123456789abcdef
            let profile = own.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
            let mut build = tokio::process::Command::new(env!("CARGO"));
            build.args(["build", "--quiet", "--locked", "--package=tagwarden", "--bin=tagwarden"]);
            // With a test beside it cargo chooses the same features as for the test that runs now: else it would compile
            // every crate a second time.
            build.args(["--package=tagwarden-tests", "--test=starters"]);
            build.arg("--manifest-path").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
            build.arg("--target-dir").arg(profile.parent().expect("a profile lies in a target folder"));
            if profile.ends_with("release") {
                build.arg("--release");
            }
            // What cargo told this test of its own package would make ring's build script run again, and with it half of all.
            let own = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
            for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(own)) {
                build.env_remove(name);
            }
            let status = build.status().await.unwrap_or_else(|error| panic!("cargo does not start: {error}"));
            assert!(status.success(), "the server does not build");
            profile.join("tagwarden")
        })
        .await
}
