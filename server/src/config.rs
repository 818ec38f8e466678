//! `tagwarden.toml`: where the server listens, where it keeps the record, what it watches and how.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tagwarden_model::instant::Millis;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::record::{Delays, Plan};
use tagwarden_model::tag::{Band, Class};
use url::Url;

use crate::notify::config::{NotificationsConfig, NotifierConfig, NotifierSettings};
use crate::policy::{EVERYTHING, Policy, Rule};
use crate::registry::client::RegistrySettings;
use crate::registry::credentials::{Credential, Credentials, Secret};

/// The whole configuration; everything has a default.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where people reach the server and where it keeps the record.
    pub server: ServerConfig,
    /// How often and how patiently registries are asked.
    pub polling: PollingConfig,
    /// Registries that need more than their name: credentials, another address, certificates.
    pub registry: Vec<RegistryConfig>,
    /// Repositories to watch.
    pub watch: Vec<WatchConfig>,
    /// Classes of tags; the first rule that matches wins, then the built-in table.
    pub policy: Vec<PolicyConfig>,
    /// How notifiers are told.
    pub notifications: NotificationsConfig,
    /// Who is told of flags.
    pub notifier: Vec<NotifierConfig>,
}

/// `[server]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// `sqlite:///path/to/file`, a path, or `postgres://user@host/database`.
    pub database: String,
    /// How people reach it through a proxy: `https://example.org/tagwarden/`.
    pub public_url: Option<Url>,
    /// Docker's `config.json` with credentials; by default the one that docker would use.
    pub docker_config: Option<PathBuf>,
}

/// `[polling]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PollingConfig {
    hot: Option<Length>,
    warm: Option<Length>,
    cold: Option<Length>,
    pinned: Option<Length>,
    pass_limit: Option<Length>,
    proof: Option<Length>,
    /// After so long without a sign of life another server of the same database, or this one started anew, polls instead.
    lease: Option<Length>,
    delays: DelaysConfig,
}

/// `[polling.delays]`: how long the rules of the record wait.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DelaysConfig {
    claim: Option<Length>,
    stale: Option<Length>,
    absence_least: Option<Length>,
    absence_most: Option<Length>,
    dangling: Option<Length>,
    empty: Option<Length>,
    vanished: Option<Length>,
}

/// `[[registry]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// Unique name; the host by default.
    name: Option<String>,
    /// The host as in image names.
    host: String,
    /// Where its API is, when not at the host.
    url: Option<Url>,
    /// Which repositories this entry serves: `org-a/**`; all by default.
    #[serde(default)]
    repositories: Vec<String>,
    username: Option<String>,
    password: Option<String>,
    password_file: Option<PathBuf>,
    /// Certificates to trust besides the system's, PEM.
    ca_file: Option<PathBuf>,
    /// Speak HTTP without TLS.
    #[serde(default)]
    plain_http: bool,
    /// Requests under way at once.
    concurrency: Option<usize>,
    /// Request budget.
    requests_per_second: Option<f64>,
    /// Internal hosts that the registry may send us to.
    #[serde(default)]
    allowed_hosts: Vec<String>,
}

/// `[[watch]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchConfig {
    /// As docker would take it.
    repository: String,
}

/// `[[policy]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    /// Pattern over canonical names: `ghcr.io/acme/**`.
    #[serde(default = "everything")]
    repository: String,
    /// Pattern over tags.
    tag: String,
    /// The class.
    class: Class,
}

fn everything() -> String {
    EVERYTHING.to_owned()
}

/// A length of time as people write it: `30s`, `5m`, `1h 30m`.
#[derive(Debug, Clone, Copy)]
struct Length(Millis);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let length: jiff::SignedDuration = text
            .parse()
            .map_err(|_| serde::de::Error::custom(format!("`{text}` is no length of time such as 30s, 5m or 1h")))?;
        let longest = Millis::days(3650).0;
        let millis = i64::try_from(length.as_millis()).ok().filter(|millis| (1..=longest).contains(millis));
        millis
            .map(|millis| Self(Millis(millis)))
            .ok_or_else(|| serde::de::Error::custom("a length of time is more than nothing and at most 3650 days"))
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database: "tagwarden.db".to_owned(),
            public_url: None,
            docker_config: None,
        }
    }
}

/// What is wrong with a configuration: where, what, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that the configuration names, or itself, cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Syntax, or a key that does not exist.
    #[error("{}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// With line, column and the source line.
        message: String,
    },
    /// Everything that is wrong beyond syntax.
    #[error("the configuration is wrong:\n  {}", .0.join("\n  "))]
    Meaning(Vec<String>),
}

/// A configuration that has been checked.
pub struct Checked {
    /// Where people reach the server and where it keeps the record.
    pub server: ServerConfig,
    /// How often and how patiently.
    pub plan: Plan,
    /// How long this server may be silent before another one polls in its place.
    pub lease: Option<Millis>,
    /// Registry entries in their order: name, patterns, settings.
    pub registries: Vec<(String, Vec<String>, RegistrySettings)>,
    /// Repositories to watch.
    pub watches: Vec<RepositoryName>,
    /// Classes.
    pub policy: Policy,
    /// How long it must be quiet before what belongs together is told.
    pub quiet_time: Millis,
    /// Who is told of flags.
    pub notifiers: Vec<NotifierSettings>,
    /// Credentials of docker, for hosts without an entry or entries without credentials.
    pub credentials: Credentials,
}

impl Config {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        toml::from_str(&text).map_err(|error| ConfigError::Syntax { path: path.to_owned(), message: error.to_string() })
    }

    /// Checks what a parser cannot, all of it at once.
    pub fn check(self) -> Result<Checked, ConfigError> {
        let mut wrong = Vec::new();
        let credentials = docker_credentials(self.server.docker_config.as_deref())?;
        let mut registries: Vec<(String, Vec<String>, RegistrySettings)> = Vec::new();
        for (at, entry) in self.registry.into_iter().enumerate() {
            let place = format!("[[registry]] number {} ({})", at + 1, entry.host);
            let name = entry.name.clone().unwrap_or_else(|| entry.host.clone());
            if registries.iter().any(|(other, ..)| *other == name) {
                wrong.push(format!("{place}: there is another entry named `{name}`; give one of them a `name`"));
            }
            let patterns = entry.repositories.clone();
            for pattern in &patterns {
                if let Err(error) = globset::Glob::new(pattern) {
                    wrong.push(format!("{place}: repositories: `{pattern}` is no pattern: {}", error.kind()));
                }
            }
            match entry.settings(&place, &credentials) {
                Ok(settings) => registries.push((name, patterns, settings)),
                Err(reason) => wrong.push(reason),
            }
        }
        let mut watches = Vec::new();
        for (at, watch) in self.watch.iter().enumerate() {
            match watch.repository.parse::<RepositoryName>() {
                Ok(name) => watches.push(name),
                Err(error) => wrong.push(format!("[[watch]] number {}: repository: {error}", at + 1)),
            }
        }
        let mut rules = Vec::new();
        for (at, rule) in self.policy.iter().enumerate() {
            match Rule::new(&rule.repository, &rule.tag, rule.class) {
                Ok(rule) => rules.push(rule),
                Err(error) => wrong.push(format!("[[policy]] number {}: {error}", at + 1)),
            }
        }
        let notifiers = crate::notify::config::check(self.notifier);
        let notifiers = notifiers.map_err(|reasons| wrong.extend(reasons.into_iter().map(said))).unwrap_or_default();
        let quiet_time = self.notifications.check().map_err(|reason| wrong.push(said(reason))).unwrap_or_default();
        if !wrong.is_empty() {
            return Err(ConfigError::Meaning(wrong));
        }
        let policy = Policy::new(rules);
        let lease = self.polling.lease.map(|length| length.0);
        Ok(Checked {
            server: self.server,
            plan: self.polling.plan(),
            lease,
            registries,
            watches,
            policy,
            quiet_time,
            notifiers,
            credentials,
        })
    }
}

impl PollingConfig {
    fn plan(&self) -> Plan {
        let or = |own: Option<Length>, default: Millis| own.map_or(default, |length| length.0);
        let bands =
            [(Band::Hot, self.hot), (Band::Warm, self.warm), (Band::Cold, self.cold), (Band::Pinned, self.pinned)];
        let intervals: BTreeMap<Band, Millis> =
            bands.into_iter().filter_map(|(band, own)| Some((band, own?.0))).collect();
        let (plan, delays, own) = (Plan::default(), Delays::default(), &self.delays);
        Plan {
            intervals,
            pass_limit: or(self.pass_limit, plan.pass_limit),
            proof_interval: or(self.proof, plan.proof_interval),
            delays: Delays {
                claim: or(own.claim, delays.claim),
                stale: or(own.stale, delays.stale),
                absence_least: or(own.absence_least, delays.absence_least),
                absence_most: or(own.absence_most, delays.absence_most),
                dangling: or(own.dangling, delays.dangling),
                empty: or(own.empty, delays.empty),
                vanished: or(own.vanished, delays.vanished),
            },
        }
    }
}

impl RegistryConfig {
    fn settings(self, place: &str, docker: &Credentials) -> Result<RegistrySettings, String> {
        // The host is checked as part of a name, because that is what it must be.
        let probe = format!("{}/x", self.host).parse::<RepositoryName>();
        let host = probe.ok().filter(|name| name.path == "x" || name.path == "library/x").map(|name| name.host);
        let host =
            host.ok_or_else(|| format!("{place}: host: `{}` is no host such as ghcr.io or 127.0.0.1:5000", self.host))?;
        let password = match (self.password, self.password_file) {
            (Some(_), Some(_)) => return Err(format!("{place}: both `password` and `password_file`; leave one out")),
            (None, Some(path)) => {
                let text = read(&path).map_err(|error| format!("{place}: password_file: {error}"))?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            (password, None) => password,
        };
        let credentials = match (self.username, password) {
            (Some(username), Some(password)) => {
                Credentials::for_everything(Credential::Basic { username, password: Secret::new(password) })
            }
            (None, None) => docker.clone(),
            _ => return Err(format!("{place}: `username` and a password belong together")),
        };
        let mut settings = RegistrySettings::new(&host);
        settings.url = self.url;
        settings.plain_http = self.plain_http;
        settings.ca_file = self.ca_file;
        settings.allowed_hosts = self.allowed_hosts;
        settings.credentials = credentials;
        if let Some(concurrency) = self.concurrency {
            if !(1..=64).contains(&concurrency) {
                return Err(format!("{place}: concurrency: {concurrency} is not between 1 and 64"));
            }
            settings.limits.concurrency = concurrency;
        }
        if let Some(rate) = self.requests_per_second.filter(|rate| !(0.01..=10_000.0).contains(rate)) {
            return Err(format!("{place}: requests_per_second: {rate} is not between 0.01 and 10000"));
        }
        settings.limits.requests_per_second = self.requests_per_second;
        settings.base().map_err(|error| format!("{place}: {error}"))?;
        Ok(settings)
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })
}

fn said((key, reason): (String, String)) -> String {
    format!("{key}: {reason}")
}

/// Credentials as docker keeps them. A file that was named must be there; docker's own place may be empty.
pub fn docker_credentials(named: Option<&Path>) -> Result<Credentials, ConfigError> {
    let own = || {
        let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker"));
        folder.or_else(home).map(|folder| folder.join("config.json")).filter(|path| path.exists())
    };
    let Some(path) = named.map(Path::to_owned).or_else(own) else { return Ok(Credentials::default()) };
    let text = read(&path)?;
    Credentials::from_docker_config(text.as_bytes())
        .map_err(|error| ConfigError::Syntax { path, message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Checked, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_is_a_configuration() {
        let checked = check("").unwrap();
        assert_eq!(checked.plan, Plan::default());
        assert_eq!(checked.server.listen.to_string(), "127.0.0.1:8080");
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once_with_its_place() {
        let error = check(
            r#"
            [[registry]]
            host = "not a host"
            [[registry]]
            host = "ghcr.io"
            username = "robot"
            [[watch]]
            repository = "UPPER/case"
            [[policy]]
            tag = "[broken"
            class = "release"
            "#,
        )
        .err()
        .unwrap();
        for part in [
            "number 1 (not a host): host",
            "number 2 (ghcr.io): `username`",
            "[[watch]] number 1",
            "[[policy]] number 1",
        ] {
            assert!(error.contains(part), "{part} is not in {error}");
        }
    }

    #[test]
    fn an_unknown_key_and_a_wrong_length_are_shown_with_their_line() {
        let error = check("[server]\nlistne = \"127.0.0.1:1\"\n").err().unwrap();
        assert!(error.contains("line 2") && error.contains("listne"), "{error}");
        let error = check("[polling]\nhot = \"soon\"\n").err().unwrap();
        assert!(error.contains("`soon` is no length of time"), "{error}");
    }

    #[test]
    fn a_password_is_in_no_debug_output() {
        let checked =
            check("[[registry]]\nhost = \"ghcr.io\"\nusername = \"robot\"\npassword = \"hunter2\"\n").unwrap();
        assert!(!format!("{:?}", checked.credentials).contains("hunter2"));
        assert!(!format!("{:?}", checked.registries[0].2.credentials).contains("hunter2"));
    }

    #[test]
    fn delays_are_read() {
        let checked = check("[polling]\nhot = \"2s\"\n[polling.delays]\nstale = \"1m 30s\"\n").unwrap();
        assert_eq!(checked.plan.interval(Band::Hot), Millis::seconds(2));
        assert_eq!(checked.plan.delays.stale, Millis::seconds(90));
    }
}
