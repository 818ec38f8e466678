//! The reference implementation, Debian's docker-registry 2.8, on loopback.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::certificates::Authority;
use crate::process::{Ending, Process, free_port};
use crate::wait::{START, until};

/// A running docker-registry with an empty folder of its own; deletion is allowed.
#[derive(Debug)]
pub struct DockerRegistry {
    port: u16,
    tls: bool,
    // Before the folder: it is dropped first.
    process: Option<Process>,
    folder: TempDir,
}

impl DockerRegistry {
    /// Starts one; it answers when this returns.
    pub async fn start() -> Self {
        Self::with(None).await
    }

    /// Starts one with TLS, with a certificate of this authority for 127.0.0.1 and 0.0.0.0, by which this machine reaches itself
    /// too.
    pub async fn start_with_tls(authority: &Authority) -> Self {
        Self::with(Some(authority)).await
    }

    async fn with(authority: Option<&Authority>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if let Some(authority) = authority {
            authority.issue(&folder.path().join("tls"), &["127.0.0.1", "0.0.0.0"]);
        }
        let mut registry = Self { port: free_port(), tls: authority.is_some(), process: None, folder };
        registry.restart().await;
        registry
    }

    /// `127.0.0.1:5000`, the host of references.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:5000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.host())
    }

    /// Where it keeps its data, to be broken by a test.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it at once. Its port refuses connections from now on; its data stay.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it again, on the same port with the same data.
    pub async fn restart(&mut self) {
        self.stop();
        let config = self.folder.path().join("config.yml");
        fs::write(&config, self.config()).expect("docker-registry's configuration is written");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config);
        let mut process = Process::start(&command, Ending::Kill, &self.folder.path().join("log"))
            .unwrap_or_else(|error| panic!("docker-registry does not start ({error}): run packaging/tools.sh test"));
        let client = crate::http_client();
        let url = format!("{}/v2/", self.url());
        until("docker-registry answers", START, || {
            assert!(process.ended().is_none(), "docker-registry ended:\n{}", process.output());
            let request = client.get(&url);
            // With TLS it answers that this is no TLS.
            let ready = if self.tls { 400 } else { 200 };
            async move { request.send().await.ok().filter(|response| response.status() == ready) }
        })
        .await;
        self.process = Some(process);
    }

    fn config(&self) -> String {
        let folder = self.folder.path().display();
        let tls = format!(", tls: {{certificate: '{folder}/tls.pem', key: '{folder}/tls.key'}}");
        let tls = if self.tls { tls.as_str() } else { "" };
        format!(
            "version: 0.1
log: {{accesslog: {{disabled: true}}, level: warn}}
storage:
  filesystem: {{rootdirectory: '{folder}/data'}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http: {{addr: '{}', secret: not-a-secret{tls}}}
",
            self.host()
        )
    }
}
