//! Names of registries, repositories and tags (OCI distribution-spec, "Pulling manifests"), and references as docker
//! reads them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A repository on a registry, in its canonical form: `docker.io/library/nginx`, `127.0.0.1:5000/team/api`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RepositoryName {
    /// Host, lower case, with the port where it is not the default: `ghcr.io`, `[::1]:5000`.
    pub host: String,
    /// The `<name>` of the specification: `library/nginx`.
    pub path: String,
}

/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TagName(Box<str>);

impl TagName {
    /// The tag, if `text` is one.
    pub fn new(text: &str) -> Option<Self> {
        let valid = |(at, byte): (usize, u8)| {
            byte.is_ascii_alphanumeric() || byte == b'_' || at > 0 && matches!(byte, b'.' | b'-')
        };
        let ok = (1..=128).contains(&text.len()) && text.bytes().enumerate().all(valid);
        ok.then(|| Self(text.into()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TagName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}
