//! Who we are to a registry: docker's `config.json` and containers' `auth.json` (containers-auth.json(5)).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;
use tagwarden_model::name::RepositoryName;

pub use crate::secret::Secret;

/// How to show who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// User name and password: sent to the registry itself, or to its token service for a token.
    Basic {
        /// User name.
        username: String,
        /// Password or access token.
        password: Secret,
    },
    /// `identitytoken`: exchanged for access tokens by OAuth2 (distribution-spec, "OAuth2 token authentication").
    IdentityToken {
        /// The refresh token.
        token: Secret,
    },
    /// `registrytoken`: sent to the registry as a Bearer token as it is.
    RegistryToken {
        /// The token.
        token: Secret,
    },
}

/// All credentials of a configuration, each for a host or a part of it. The default has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// By `host` or `host/path`.
    entries: BTreeMap<String, Credential>,
    /// Hosts for which the file names a credential helper.
    helpers: BTreeSet<String>,
    /// Whether the file names a credential store for all hosts.
    store: bool,
}

/// Why a credentials file cannot be used. Never holds its content.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Not the JSON that docker writes.
    #[error("the credentials are no docker config.json: wrong JSON at line {line}, column {column}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// `auth` is not what docker writes.
    #[error("the credentials for `{key}` cannot be read: `auth` has to be the base64 form of `user:password`")]
    Auth {
        /// The entry.
        key: String,
    },
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

impl Credentials {
    /// The same credential for everything on the registry it is given to.
    pub fn for_everything(credential: Credential) -> Self {
        Self { entries: BTreeMap::from([(String::new(), credential)]), ..Self::default() }
    }

    /// Reads a docker `config.json` or a containers `auth.json`. Credential helpers are noted, never run.
    pub fn from_docker_config(json: &[u8]) -> Result<Self, CredentialsError> {
        let file: File = serde_json::from_slice(json)
            .map_err(|error| CredentialsError::Json { line: error.line(), column: error.column() })?;
        let mut entries = BTreeMap::new();
        for (key, entry) in file.auths {
            match entry.credential() {
                Ok(Some(credential)) => drop(entries.insert(normalised(&key), credential)),
                Ok(None) => {}
                Err(NotBasic) => return Err(CredentialsError::Auth { key }),
            }
        }
        let helpers = file.helpers.keys().map(|key| normalised(key)).collect();
        Ok(Self { entries, helpers, store: !file.store.is_empty() })
    }

    /// The credential for a repository and the key it stands under: that of the longest matching path, else the host's.
    pub fn find(&self, repository: &RepositoryName) -> Option<(&str, &Credential)> {
        let name = repository.to_string();
        let ends = name.rmatch_indices('/').map(|(at, _)| at);
        let mut keys = std::iter::once(name.len()).chain(ends).map(|end| &name[..end]).chain(std::iter::once(""));
        keys.find_map(|key| self.entries.get_key_value(key)).map(|(key, credential)| (key.as_str(), credential))
    }

    /// Whether the file leaves this repository's credentials to a helper program, which is not run.
    pub fn needs_helper(&self, repository: &RepositoryName) -> bool {
        self.find(repository).is_none() && (self.store || self.helpers.contains(&repository.host))
    }

    /// Everything that must not be shown, in every form in which it is sent.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        for credential in self.entries.values() {
            match credential {
                Credential::Basic { username, password } => {
                    secrets.push(Secret::new(basic(username, password)));
                    secrets.push(password.clone());
                }
                Credential::IdentityToken { token } | Credential::RegistryToken { token } => {
                    secrets.push(token.clone());
                }
            }
        }
        secrets
    }
}

/// `user:password` as it stands after `Basic ` (RFC 7617).
pub fn basic(username: &str, password: &Secret) -> String {
    STANDARD.encode(format!("{username}:{}", password.expose()))
}

/// `auth` is not the base64 form of `user:password`.
struct NotBasic;

impl Entry {
    /// `None` for an empty entry, which docker writes when a store keeps the secret.
    fn credential(self) -> Result<Option<Credential>, NotBasic> {
        if !self.registrytoken.is_empty() {
            return Ok(Some(Credential::RegistryToken { token: Secret::new(self.registrytoken) }));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Some(Credential::IdentityToken { token: Secret::new(self.identitytoken) }));
        }
        if self.auth.is_empty() {
            let basic = Credential::Basic { username: self.username.clone(), password: Secret::new(self.password) };
            return Ok((!self.username.is_empty()).then_some(basic));
        }
        let auth = self.auth.trim();
        let bytes = STANDARD.decode(auth).or_else(|_| STANDARD_NO_PAD.decode(auth)).map_err(|_| NotBasic)?;
        let text = String::from_utf8(bytes).map_err(|_| NotBasic)?;
        let (username, password) = text.split_once(':').ok_or(NotBasic)?;
        // Docker once padded the decoded form with zero bytes (docker/cli, `decodeAuth`).
        let password = Secret::new(password.trim_end_matches('\0'));
        Ok(Some(Credential::Basic { username: username.to_owned(), password }))
    }
}

/// A key of the file as `host` or `host/path`. Docker's own keys are URLs of which only the host counts.
fn normalised(key: &str) -> String {
    let lower = key.to_ascii_lowercase();
    let (name, is_url) = match lower.split_once("://") {
        Some((_, name)) => (name, true),
        None => (lower.as_str(), false),
    };
    let name = name.trim_end_matches('/');
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    let host = host.strip_suffix(":443").unwrap_or(host);
    let host = if matches!(host, "index.docker.io" | "registry-1.docker.io") { "docker.io" } else { host };
    if is_url || matches!(path, "" | "v1" | "v2") { host.to_owned() } else { format!("{host}/{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str, name: &str) -> Option<(String, Credential)> {
        let credentials = Credentials::from_docker_config(json.as_bytes()).unwrap();
        let found = credentials.find(&name.parse().unwrap());
        found.map(|(key, credential)| (key.to_owned(), credential.clone()))
    }

    fn user(json: &str, name: &str) -> Option<String> {
        found(json, name).map(|(_, credential)| match credential {
            Credential::Basic { username, password } => format!("{username}:{}", password.expose()),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn the_longest_path_wins() {
        // YTpi = a:b, YzpkOmU= = c:d:e
        let json = r#"{"auths":{"ghcr.io":{"auth":"YTpi"},"ghcr.io/team":{"auth":"YzpkOmU="},"ghcr.io/team/api":{"username":"u","password":"p"}}}"#;
        assert_eq!(user(json, "ghcr.io/team/api").unwrap(), "u:p");
        assert_eq!(user(json, "ghcr.io/team/api2").unwrap(), "c:d:e");
        assert_eq!(user(json, "ghcr.io/teams/api").unwrap(), "a:b");
        assert_eq!(user(json, "quay.io/team/api"), None);
    }

    #[test]
    fn docker_hubs_key_is_an_old_url() {
        for key in ["https://index.docker.io/v1/", "index.docker.io/v1/", "docker.io", "https://registry-1.docker.io"] {
            let json = format!(r#"{{"auths":{{"{key}":{{"auth":"YTpi"}}}}}}"#);
            assert_eq!(found(&json, "nginx").unwrap().0, "docker.io", "{key}");
        }
        let json = r#"{"auths":{"https://GHCR.io:443/v2/":{"auth":"YTpi"},"http://127.0.0.1:5000":{"auth":"YTpi"}}}"#;
        assert!(found(json, "ghcr.io/a").is_some() && found(json, "127.0.0.1:5000/a").is_some());
    }

    #[test]
    fn tokens_come_before_passwords_and_empty_ones_do_not_count() {
        let json = r#"{"auths":{"a.io":{"auth":"YTpi","identitytoken":"T"},"b.io":{"auth":"YTpi","identitytoken":""},"c.io":{"registrytoken":"R"},"d.io":{}}}"#;
        assert!(
            matches!(found(json, "a.io/x").unwrap().1, Credential::IdentityToken { token } if token.expose() == "T")
        );
        assert_eq!(user(json, "b.io/x").unwrap(), "a:b");
        assert!(
            matches!(found(json, "c.io/x").unwrap().1, Credential::RegistryToken { token } if token.expose() == "R")
        );
        assert_eq!(found(json, "d.io/x"), None);
    }

    #[test]
    fn helpers_are_noted() {
        let json = br#"{"credHelpers":{"ghcr.io":"gh"}}"#;
        let credentials = Credentials::from_docker_config(json).unwrap();
        assert!(credentials.needs_helper(&"ghcr.io/a".parse().unwrap()));
        assert!(!credentials.needs_helper(&"quay.io/a".parse().unwrap()));
    }

    #[test]
    fn errors_and_debug_show_no_secret() {
        let broken = r#"{"auths":{"ghcr.io":{"auth":"hunter2!"}}}"#;
        let error = Credentials::from_docker_config(broken.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("ghcr.io") && !format!("{error:?} {error}").contains("hunter2"));
        let error = Credentials::from_docker_config(br#"{"auths": {"hunter2": 7}}"#).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error}");
        let json = r#"{"auths":{"ghcr.io":{"username":"u","password":"hunter2"},"a.io":{"identitytoken":"hunter2"}}}"#;
        let credentials = Credentials::from_docker_config(json.as_bytes()).unwrap();
        assert!(!format!("{credentials:?} {:?}", credentials.secrets()).contains("hunter2"));
        assert_eq!(credentials.secrets().len(), 3);
    }
}
