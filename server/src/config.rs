//! `tagwarden.toml` and what goes before it: where the server listens, where it keeps the record, what it watches and how.
//!
//! The command line goes before variables, these before the file, the file before the defaults. Whatever is wrong is said
//! at once: syntax by `document`, unknown keys and kinds of values by the schema of `file`, the rest by `check`.

mod check;
mod document;
mod environment;
mod file;
mod mistake;
mod notifiers;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tagwarden_model::change::visible;
use tagwarden_model::instant::Millis;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::record::Plan;
use url::Url;

use self::check::Check;
use self::document::Document;
pub use self::environment::variables;
pub use self::file::schema;
pub use self::mistake::{ConfigError, Mistake};
use crate::notify::config::NotifierSettings;
use crate::policy::Policy;
use crate::registry::client::RegistrySettings;
use crate::registry::credentials::{Credentials, Secret};
use crate::store::watch::RegistryEntry;

/// Characters of a group's name.
const LONGEST_NAME: usize = 64;
/// Mistakes that are said at once. A file of another kind has one in every line.
const MOST_MISTAKES: usize = 100;

/// A configuration that has been checked. The default is that of an empty file.
#[derive(Default)]
pub struct Checked {
    /// The file it is from; `None` when there is none.
    pub file: Option<PathBuf>,
    /// Where people reach the server and where it keeps the record.
    pub server: ServerConfig,
    /// How often and how patiently.
    pub plan: Plan,
    /// How long this server may be silent before another one polls in its place.
    pub lease: Option<Millis>,
    /// Registry entries in their order.
    pub registries: Vec<CheckedRegistry>,
    /// Repositories to watch, by name.
    pub watches: Vec<Watched>,
    /// Named sets of repositories.
    pub groups: Vec<Group>,
    /// Classes.
    pub policy: Policy,
    /// How long it must be quiet before what belongs together is told, if that is said.
    pub quiet_time: Option<Millis>,
    /// Who is told of flags.
    pub notifiers: Vec<NotifierSettings>,
    /// Credentials of docker, for hosts without an entry or entries without credentials.
    pub credentials: Credentials,
    /// All files that were read or looked for: when one changes, this may be old.
    pub read: Vec<Seen>,
}

impl Checked {
    /// The line of the file that says that a repository is watched.
    pub fn line_of(&self, name: &RepositoryName) -> Option<usize> {
        self.file.as_ref()?;
        let at = self.watches.binary_search_by(|watched| watched.name.cmp(name)).ok()?;
        self.watches.get(at).map(|watched| watched.line)
    }
}

/// What of `[server]` the server is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// `sqlite:///path/to/file`, a path, or `postgres://user@host/database`.
    pub database: Secret,
    /// How people reach it through a proxy: `https://example.org/tagwarden/`.
    pub public_url: Option<Url>,
    /// Where it is below its host, by `public_url`: `/tagwarden/`.
    pub base_path: String,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        Self { listen, database: Secret::new("tagwarden.db"), public_url: None, base_path: "/".to_owned() }
    }
}

/// A registry entry.
#[derive(Clone, PartialEq)]
pub struct CheckedRegistry {
    /// Unique name.
    pub name: String,
    /// Which repositories it serves; empty for all.
    pub repositories: Vec<String>,
    /// How it is reached.
    pub settings: RegistrySettings,
    /// What its `ca_file` held: others in it are a change.
    pub certificates: Vec<u8>,
}

impl CheckedRegistry {
    /// As the store takes it.
    pub fn entry(&self) -> RegistryEntry {
        let (name, host) = (self.name.clone(), self.settings.host.clone());
        RegistryEntry { id: 0, name, host, repositories: self.repositories.clone() }
    }
}

/// A repository that the file watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The repository.
    pub name: RepositoryName,
    /// The line that says so, from 1.
    pub line: usize,
}

/// A named set of repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Unique name.
    pub name: String,
    /// What it is, for people; may be empty.
    pub description: String,
    /// Patterns over full names.
    pub members: Vec<String>,
}

/// A file as it was when it was read; `None` in it when it could not be.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    path: PathBuf,
    version: Option<(SystemTime, u64)>,
}

impl Seen {
    /// Looks at a file.
    fn now(path: &Path) -> Self {
        let metadata = std::fs::metadata(path).ok();
        let version = metadata.and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
        Self { path: path.to_owned(), version }
    }

    /// The same file as it is now.
    pub fn again(&self) -> Self {
        Self::now(&self.path)
    }
}

/// Where a configuration comes from.
#[derive(Debug, Default)]
pub struct Sources {
    /// What the command line says for keys of `[server]`: option, key, value.
    pub options: Vec<(&'static str, &'static str, String)>,
    /// Names and values of variables.
    pub variables: Vec<(String, String)>,
    /// The file.
    pub file: Option<PathBuf>,
}

impl Sources {
    /// A file alone.
    pub fn of_file(file: impl Into<PathBuf>) -> Self {
        Self { file: Some(file.into()), ..Self::default() }
    }

    /// Reads and checks everything anew.
    pub fn load(&self) -> Result<Checked, ConfigError> {
        let mut read: Vec<Seen> = self.file.iter().map(|file| Seen::now(file)).collect();
        self.read(&mut read).map(|checked| Checked { read: read.clone(), ..checked }).map_err(|mistakes| {
            let file = self.file.clone();
            ConfigError { file, mistakes, read }
        })
    }

    fn read(&self, seen: &mut Vec<Seen>) -> Result<Checked, Vec<Mistake>> {
        let text = self.file.as_ref().map_or_else(|| Ok(String::new()), std::fs::read_to_string);
        let text = text.map_err(|error| vec![Mistake::outside(format!("it cannot be read: {error}"), "")])?;
        let path = self.file.as_deref().unwrap_or(Path::new("tagwarden.toml"));
        let mut document = Document::parse(&text).map_err(|problem| {
            let secrets = mistake::guessed_secrets(&text, file::is_harmless);
            vec![Mistake::inside(path, &text, &secrets, problem)]
        })?;
        let mut mistakes = environment::apply(&mut document, &self.variables);
        for (option, key, value) in &self.options {
            document.set("server", key, option, value.clone());
        }
        let read = document.read();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let checked = Check { document: &mut document, line_starts, seen }.run(read);
        let mut problems = std::mem::take(&mut document.problems);
        problems.sort_by_key(|problem| problem.place.start);
        let more = problems.len().saturating_sub(MOST_MISTAKES);
        problems.truncate(MOST_MISTAKES);
        mistakes.extend(problems.into_iter().map(|problem| match document.outside(&problem.place) {
            Some(origin) => Mistake::outside(format!("{origin}: {}", problem.message), problem.advice),
            None => Mistake::inside(path, &text, &document.secrets, problem),
        }));
        if more > 0 {
            mistakes.push(Mistake::outside(format!("and {more} more mistakes"), "correct these first"));
        }
        if mistakes.is_empty() { Ok(Checked { file: self.file.clone(), ..checked }) } else { Err(mistakes) }
    }
}

/// A base path with a slash at both ends. Its parts have letters, digits and `- . _ ~` (RFC 3986, "unreserved"); anything
/// else would be read in two ways by the router and by browsers.
pub fn base_path(text: &str) -> Result<String, String> {
    let inner = text.trim_matches('/');
    let part = |part: &str| {
        let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        plain && !matches!(part, "" | "." | "..")
    };
    match inner {
        "" => Ok("/".into()),
        "healthz" | "readyz" => Err(format!("{text:?} is where probes ask: choose another path")),
        _ if inner.split('/').all(part) => Ok(format!("/{inner}/")),
        _ => {
            Err(format!("{text:?} is no base path: write it as in /tagwarden/, with letters, digits and - . _ ~ only"))
        }
    }
}

/// The name of `what`, as "a group", can be read and typed, and shows what it is.
pub fn shown_name(what: &str, name: &str) -> Result<(), String> {
    let shown = visible(name, LONGEST_NAME);
    let fine = !name.is_empty() && name.trim() == name && shown == name;
    let message =
        || format!("{what}'s name has 1 to {LONGEST_NAME} characters that can be seen, and no space at its ends");
    fine.then_some(()).ok_or_else(message)
}

/// The known word that was probably meant: one with a few letters off, or one that begins alike.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let similarity = |known: &str| {
        let known = known.to_lowercase();
        let (off, length) = (strsim::osa_distance(&word, &known), word.len().max(known.len()));
        let mistyped = if off * 3 <= length + 1 { 1.0 - off as f64 / length as f64 } else { 0.0 };
        Some(strsim::jaro_winkler(&word, &known)).filter(|alike| *alike > 0.85).unwrap_or_default().max(mistyped)
    };
    let rated = known.map(|known| (similarity(known), known));
    rated
        .filter(|(similarity, _)| *similarity > 0.0)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|rated| rated.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_has_a_slash_at_both_ends() {
        for (text, path) in [("", "/"), ("/", "/"), ("tagwarden", "/tagwarden/"), ("/a/b-1/", "/a/b-1/")] {
            assert_eq!(base_path(text).as_deref(), Ok(path));
        }
        for text in ["/a//b/", "/../", "/healthz/", "readyz", "/{x}/", "/a b/", "/\"/", "/ä/", "http://x/"] {
            assert!(base_path(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_nearest_word_is_found_or_none() {
        let keys = ["host", "name", "url", "repositories", "username", "password", "password_file", "tag", "class"];
        for (word, near) in [
            ("usrname", Some("username")),
            ("tga", Some("tag")),
            ("hots", Some("host")),
            ("Password", Some("password")),
            ("pasword_file", Some("password_file")),
            ("repository", Some("repositories")),
            ("pass", Some("password")),
            ("x", None),
            ("interval", None),
            ("token", None),
        ] {
            assert_eq!(nearest(word, keys.into_iter()), near, "{word}");
        }
    }
}
