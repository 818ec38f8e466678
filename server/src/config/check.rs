//! What a schema cannot say of a configuration: names that must exist, files that must be there, keys that belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tagwarden_model::flag::Lowering;
use tagwarden_model::instant::Millis;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::record::{Delays, Plan};
use tagwarden_model::tag::{Band, Class};
use url::Url;

use super::document::Document;
use super::file::{self, Length};
use super::{Checked, CheckedRegistry, Group, Seen, ServerConfig, Watched, nearest};
use crate::policy::{Policy, Rule};
use crate::registry::client::RegistrySettings;
use crate::registry::credentials::{Credential, Credentials, Secret};
use crate::store::groups::composed;
use crate::store::watch::RegistryEntry;
use crate::watch;

/// Checks what was read; what is wrong goes to the document.
pub struct Check<'a, 't> {
    pub document: &'a mut Document<'t>,
    /// Where each line begins.
    pub line_starts: Vec<usize>,
    /// Files that were looked at, for whoever wants to know when they change.
    pub seen: &'a mut Vec<Seen>,
}

impl Check<'_, '_> {
    pub fn run(&mut self, file: file::File) -> Checked {
        let lease = file.polling.lease.map(|length| length.0);
        let plan = plan(&file.polling);
        let docker = self.docker(file.server.docker_config.as_deref());
        let server = self.server(file.server);
        let registries = self.registries(file.registry, &docker);
        let mut groups = self.groups(file.group);
        let watches = self.watches(&file.watch, &registries, &mut groups);
        let policy = self.policy(&file.policy);
        let quiet_time = self.quiet_time(&file.notifications);
        let notifiers = self.notifiers(file.notifier, &groups);
        Checked {
            file: None,
            server,
            plan,
            lease,
            registries,
            watches,
            groups,
            policy,
            quiet_time,
            notifiers,
            credentials: docker,
            read: Vec::new(),
        }
    }

    fn server(&mut self, server: file::Server) -> ServerConfig {
        let mut base_path = "/".to_owned();
        if let Some(url) = &server.public_url {
            self.no_user("server.public_url", url, "leave them out");
            match super::base_path(url.path()) {
                Ok(path) => base_path = path,
                Err(message) => self.document.wrong("server.public_url", message, "correct the path"),
            }
            if url.query().is_some() || url.fragment().is_some() {
                let message = "links are made by adding to it: it ends with its path";
                self.document.wrong("server.public_url", message, "leave out what begins with `?` or `#`");
            }
            if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
                self.document.wrong(
                    "server.public_url",
                    "this is no address of a site",
                    "write it as in https://example.org/",
                );
            }
        }
        if server.database.is_some() && server.database_file.is_some() {
            self.document.wrong("server.database_file", "both `database` and `database_file`", "leave one of them out");
        }
        let from_file = server.database_file.and_then(|path| self.secret("server.database_file", &path));
        let database = server.database.or(from_file).unwrap_or_else(|| ServerConfig::default().database);
        let text = database.expose();
        if let Some(scheme) =
            ["postgres", "postgresql"].into_iter().find(|scheme| text.starts_with(&format!("{scheme}:")))
            && !text.starts_with(&format!("{scheme}://"))
        {
            self.document.wrong(
                "server.database",
                format!("`{scheme}:` is not followed by `//`"),
                "write postgres://user@host/database",
            );
        }
        let listen = server.listen.unwrap_or(ServerConfig::default().listen);
        ServerConfig { listen, database, public_url: server.public_url, base_path }
    }

    fn no_user(&mut self, path: &str, url: &Url, advice: &str) {
        if !url.username().is_empty() || url.password().is_some() {
            self.document.wrong(path, "user name and password do not belong into an address", advice);
        }
    }

    /// Reads a file that the configuration names.
    fn read(&mut self, path: &str, file: &Path) -> Option<Vec<u8>> {
        self.seen.push(Seen::now(file));
        match std::fs::read(file) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let message = format!("{} cannot be read: {error}", file.display());
                self.document.wrong(path, message, "correct the path, or let the server's account read it");
                None
            }
        }
    }

    /// A secret in a file of its own, without the line break at its end.
    pub(super) fn secret(&mut self, path: &str, file: &Path) -> Option<Secret> {
        let bytes = self.read(path, file)?;
        let Ok(text) = String::from_utf8(bytes) else {
            let message = format!("{} is no text", file.display());
            self.document.wrong(path, message, "put the secret alone into the file, as text");
            return None;
        };
        Some(Secret::new(text.trim_end_matches(['\r', '\n'])))
    }

    /// Credentials as docker keeps them. A file that was named must be there; docker's own place may be empty.
    fn docker(&mut self, named: Option<&Path>) -> Credentials {
        let path = "server.docker_config";
        let Some(file) = named.map(Path::to_owned).or_else(docker_config) else { return Credentials::default() };
        self.seen.push(Seen::now(&file));
        if named.is_none() && !file.exists() {
            return Credentials::default();
        }
        let Some(bytes) = self.read(path, &file) else { return Credentials::default() };
        Credentials::from_docker_config(&bytes).unwrap_or_else(|error| {
            self.document.wrong(
                path,
                format!("{}: {error}", file.display()),
                "log in with docker login again, or correct it",
            );
            Credentials::default()
        })
    }

    fn registries(&mut self, entries: Vec<file::Registry>, docker: &Credentials) -> Vec<CheckedRegistry> {
        let mut checked: Vec<CheckedRegistry> = Vec::new();
        let mut names = BTreeSet::new();
        for (at, entry) in entries.into_iter().enumerate() {
            let path = format!("registry.{at}");
            let Some(name) = entry.name.clone().or_else(|| entry.host.clone()) else { continue };
            if !names.insert(name.clone()) {
                self.document.wrong(
                    &path,
                    format!("another [[registry]] is named `{name}`, too"),
                    "give one of them another `name`",
                );
            }
            for (pattern_at, pattern) in entry.repositories.iter().enumerate() {
                if let Err(error) = globset::Glob::new(pattern) {
                    let message = format!("this is no pattern: {}", error.kind());
                    self.document.wrong(
                        &format!("{path}.repositories.{pattern_at}"),
                        message,
                        "write it as in org-a/**",
                    );
                }
            }
            let repositories = entry.repositories.clone();
            if let Some((settings, certificates)) = self.settings(&path, entry, docker) {
                checked.push(CheckedRegistry { name, repositories, settings, certificates });
            }
        }
        checked
    }

    fn settings(
        &mut self,
        path: &str,
        entry: file::Registry,
        docker: &Credentials,
    ) -> Option<(RegistrySettings, Vec<u8>)> {
        let key = |key: &str| format!("{path}.{key}");
        // The host is checked as part of a name, because that is what it must be.
        let host = entry.host.and_then(|host| {
            let probe = format!("{host}/x").parse::<RepositoryName>();
            let host = probe.ok().filter(|name| name.path == "x" || name.path == "library/x").map(|name| name.host);
            if host.is_none() {
                self.document.wrong(
                    &key("host"),
                    "this is no host",
                    "write it as in image names: ghcr.io, 127.0.0.1:5000",
                );
            }
            host
        });
        if let Some(url) = &entry.url {
            self.no_user(&key("url"), url, "put them into `username` and `password`");
            if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
                self.document.wrong(
                    &key("url"),
                    "this is no address of a registry",
                    "it begins with http:// or https:// and has a host",
                );
            }
        }
        if entry.password.is_some() && entry.password_file.is_some() {
            self.document.wrong(&key("password_file"), "both `password` and `password_file`", "leave one of them out");
        }
        let in_file = entry.password_file.is_some();
        let from_file = entry.password_file.and_then(|file| self.secret(&key("password_file"), &file));
        let given = entry.password.or(from_file);
        let credentials = match (entry.username, given) {
            (Some(username), Some(password)) => Credentials::for_everything(Credential::Basic { username, password }),
            (None, None) => docker.clone(),
            (Some(_), None) => {
                if !in_file && self.document.is_whole(path) {
                    self.document.wrong(
                        &key("username"),
                        "`username` needs a password",
                        "add `password_file` or `password`",
                    );
                }
                docker.clone()
            }
            (None, Some(_)) => {
                if self.document.is_whole(path) {
                    self.document.wrong(
                        path,
                        "a password needs a `username`",
                        "add it; for a token the registry says which",
                    );
                }
                docker.clone()
            }
        };
        let certificates =
            entry.ca_file.as_ref().map(|file| self.certificates(&key("ca_file"), file)).unwrap_or_default();
        let mut settings = RegistrySettings::new(&host?);
        settings.url = entry.url;
        settings.plain_http = entry.plain_http;
        settings.ca_file = entry.ca_file;
        settings.allowed_hosts = entry.allowed_hosts;
        settings.credentials = credentials;
        settings.limits.concurrency = entry.concurrency.unwrap_or(settings.limits.concurrency);
        settings.limits.requests_per_second = entry.requests_per_second;
        Some((settings, certificates))
    }

    pub(super) fn certificates(&mut self, path: &str, file: &Path) -> Vec<u8> {
        let Some(pem) = self.read(path, file) else { return Vec::new() };
        if reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default().is_empty() {
            let message = format!("{} has no certificates in PEM form", file.display());
            self.document.wrong(path, message, "they begin with -----BEGIN CERTIFICATE-----");
        }
        pem
    }

    fn groups(&mut self, groups: Vec<file::Group>) -> Vec<Group> {
        let mut checked: Vec<Group> = Vec::new();
        for (at, group) in groups.into_iter().enumerate() {
            let path = format!("group.{at}");
            let Some(name) = group.name.as_deref().map(composed) else { continue };
            if let Err(message) = super::shown_name("a group", &name) {
                self.document.wrong(&format!("{path}.name"), message, "give it another name");
            }
            if checked.iter().any(|other| other.name == name) {
                self.document.wrong(
                    &format!("{path}.name"),
                    format!("another [[group]] is named `{name}`, too"),
                    "give it another name, or make them one",
                );
            }
            let patterns = group.repositories.iter().enumerate();
            let members =
                patterns.filter_map(|(at, text)| self.pattern(&format!("{path}.repositories.{at}"), text)).collect();
            checked.push(Group { name, description: group.description.unwrap_or_default(), members });
        }
        checked
    }

    /// A pattern over full names: what has no wildcard is a name as docker takes it.
    pub(super) fn pattern(&mut self, path: &str, text: &str) -> Option<String> {
        if text.contains(['*', '?', '[', '{']) {
            if let Err(error) = globset::Glob::new(text) {
                self.document.wrong(
                    path,
                    format!("this is no pattern: {}", error.kind()),
                    "write it as in ghcr.io/acme/**",
                );
                return None;
            }
            return Some(text.to_owned());
        }
        match text.parse::<RepositoryName>() {
            Ok(name) => Some(name.to_string()),
            Err(error) => {
                self.document.wrong(path, error.to_string(), "write a repository as docker takes it, or a pattern");
                None
            }
        }
    }

    fn watches(
        &mut self,
        watches: &[file::Watch],
        registries: &[CheckedRegistry],
        groups: &mut [Group],
    ) -> Vec<Watched> {
        let entries: Vec<RegistryEntry> = registries.iter().map(CheckedRegistry::entry).collect();
        let mut checked = BTreeMap::<RepositoryName, usize>::new();
        for (at, watch) in watches.iter().enumerate() {
            let path = format!("watch.{at}.repository");
            let Some(text) = &watch.repository else { continue };
            let name = match text.parse::<RepositoryName>() {
                Ok(name) => name,
                Err(error) => {
                    self.document.wrong(
                        &path,
                        error.to_string(),
                        "write it as docker takes it: nginx, ghcr.io/acme/api",
                    );
                    continue;
                }
            };
            if let Some(group) = watch.group.as_deref().map(composed) {
                if let Some(own) = groups.iter_mut().find(|own| own.name == group) {
                    own.members.push(name.to_string());
                } else {
                    let near = nearest(&group, groups.iter().map(|group| group.name.as_str()));
                    let advice = near.map_or_else(|| "add one".to_owned(), |near| format!("did you mean `{near}`?"));
                    self.document.wrong(&format!("watch.{at}.group"), "there is no [[group]] of this name", advice);
                }
            }
            if let Some((message, advice)) = watch::refusal(&entries, &name) {
                self.document.wrong(&path, message, advice);
            }
            let line = self.line(&path);
            if let Some(other) = checked.insert(name, line) {
                self.document.wrong(
                    &path,
                    format!("line {other} watches this repository, too"),
                    "leave one of them out",
                );
            }
        }
        checked.into_iter().map(|(name, line)| Watched { name, line }).collect()
    }

    /// The line of a value in the file, from 1.
    fn line(&self, path: &str) -> usize {
        let start = self.document.place(path).start;
        self.line_starts.partition_point(|line| *line <= start).max(1)
    }

    fn policy(&mut self, rules: &[file::Policy]) -> Policy {
        let mut checked = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            let repository = match &rule.repository {
                Some(text) => self.pattern(&format!("policy.{at}.repository"), text),
                None => Some("**".to_owned()),
            };
            let Some(tag) = &rule.tag else { continue };
            let lowering = Lowering { cap: rule.severity, retention: rule.retention };
            for (key, message) in rule.class.into_iter().flat_map(|class| lowering.mistakes(class)) {
                let advice = format!("leave `{key}` out, or give the tags another class");
                self.document.wrong(&format!("policy.{at}.{key}"), message, advice);
            }
            // Without a class only the pattern is checked.
            match Rule::new(repository.as_deref().unwrap_or("**"), tag, rule.class.unwrap_or(Class::Ignored)) {
                Ok(rule) => checked.push(rule.lowered(lowering)),
                Err(error) => {
                    let message = error.reason;
                    self.document.wrong(&format!("policy.{at}.{}", error.field), message, "write it as in stable-*");
                }
            }
        }
        Policy::new(checked)
    }
}

fn plan(polling: &file::Polling) -> Plan {
    let or = |own: Option<Length>, default: Millis| own.map_or(default, |length| length.0);
    let bands = [
        (Band::Hot, polling.hot),
        (Band::Warm, polling.warm),
        (Band::Cold, polling.cold),
        (Band::Pinned, polling.pinned),
    ];
    let (plan, delays, own) = (Plan::default(), Delays::default(), &polling.delays);
    Plan {
        intervals: bands.into_iter().filter_map(|(band, own)| Some((band, own?.0))).collect(),
        pass_limit: or(polling.pass_limit, plan.pass_limit),
        proof_interval: or(polling.proof, plan.proof_interval),
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

/// Where docker keeps its credentials.
fn docker_config() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker"));
    folder.or_else(home).map(|folder| folder.join("config.json"))
}
