//! The configuration: what a file, variables and the command line say together, and how mistakes are shown.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "config/mistakes.rs"]
mod mistakes;
#[path = "config/reload.rs"]
mod reload;
#[path = "config/schema.rs"]
mod schema;
#[path = "config/sources.rs"]
mod sources;

use std::fs;

use tagwarden::config::{Checked, ConfigError, Sources};
use tempfile::TempDir;

/// A configuration in a folder of its own.
struct Written {
    folder: TempDir,
    sources: Sources,
}

impl Written {
    /// A file with this text, and a docker configuration without credentials beside it.
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tagwarden.toml"), text).unwrap();
        fs::write(folder.path().join("config.json"), "{}").unwrap();
        let mut sources = Sources::of_file(folder.path().join("tagwarden.toml"));
        let docker = folder.path().join("config.json").to_str().unwrap().to_owned();
        sources.variables.push(("TAGWARDEN_SERVER_DOCKER_CONFIG".to_owned(), docker));
        Self { folder, sources }
    }

    /// The same with a variable.
    fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with another file beside it.
    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    fn load(&self) -> Result<Checked, ConfigError> {
        self.sources.load()
    }

    /// What is wrong, as a terminal shows it, without the folder's name.
    fn shown(&self) -> String {
        let error = self.load().err().expect("it is wrong").to_string();
        error.replace(&format!("{}/", self.folder.path().display()), "")
    }
}
