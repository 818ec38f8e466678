//! What `tagwarden.toml` may hold. Its JSON Schema is made of these types, and a file is checked against that schema, so that
//! an editor and the server say the same.
//!
//! Everything is optional here: what is missing or wrong is said in our words, all of it at once.

use std::path::PathBuf;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;
use tagwarden_model::event::Severity;
use tagwarden_model::instant::Millis;
use tagwarden_model::tag::Class;
use url::Url;

use crate::notify::config::{Encryption, Format};
use crate::notify::filter::Kind;
use crate::secret::Secret;

/// The configuration of Tagwarden.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "tagwarden.toml")]
pub struct File {
    /// Where people reach the server and where it keeps the record. Each key can also be set by a variable, such as
    /// `TAGWARDEN_SERVER_LISTEN`, which goes before the file.
    pub server: Server,
    /// How often and how patiently registries are asked.
    pub polling: Polling,
    /// Registries that need more than their name: credentials, another address, certificates. Several for one host serve
    /// different `repositories`; the first that matches is asked.
    pub registry: Vec<Registry>,
    /// Repositories to watch.
    pub watch: Vec<Watch>,
    /// Named sets of repositories.
    pub group: Vec<Group>,
    /// Classes of tags; the first rule that matches wins, then the built-in table.
    pub policy: Vec<Policy>,
    /// How notifiers are told.
    pub notifications: Notifications,
    /// Who is told of flags.
    pub notifier: Vec<Notifier>,
}

/// `[server]`
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port, by default `127.0.0.1:8080`.
    #[schemars(with = "Option<String>", example = "127.0.0.1:8080")]
    pub listen: Option<std::net::SocketAddr>,
    /// Where the record is kept: a path, `sqlite:///path/to/file` or `postgres://user@host/database`; by default
    /// `tagwarden.db`.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub database: Option<Secret>,
    /// A file with what `database` would say, for an address with a password in it.
    pub database_file: Option<PathBuf>,
    /// How people reach the server through a proxy: `https://example.org/tagwarden/`.
    #[schemars(example = "https://example.org/tagwarden/")]
    pub public_url: Option<Url>,
    /// Docker's `config.json` with credentials; by default the one that docker would use.
    pub docker_config: Option<PathBuf>,
}

/// `[polling]`
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Polling {
    /// How often rolling tags and releases of the last week are looked at.
    pub hot: Option<Length>,
    /// How often releases of the last 90 days are.
    pub warm: Option<Length>,
    /// How often older releases are.
    pub cold: Option<Length>,
    /// How often flagged tags are.
    pub pinned: Option<Length>,
    /// How long one pass over a repository's tags may take.
    pub pass_limit: Option<Length>,
    /// How often the bytes of every tag are read and hashed.
    pub proof: Option<Length>,
    /// After so long without a sign of life another server of the same database, or this one started anew, polls instead.
    pub lease: Option<Length>,
    /// How long the rules of the record wait.
    pub delays: Delays,
}

/// `[polling.delays]`
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Delays {
    /// Between two looks at a digest whose bytes cannot be had.
    pub claim: Option<Length>,
    /// How long an answer that was true before may come from a replica that lags.
    pub stale: Option<Length>,
    /// Before an absence is confirmed, at least.
    pub absence_least: Option<Length>,
    /// Before an absence is confirmed, at most.
    pub absence_most: Option<Length>,
    /// Before a tag that is listed and cannot be read counts as deleted.
    pub dangling: Option<Length>,
    /// Before tags of a list that became empty count as deleted.
    pub empty: Option<Length>,
    /// Before a repository that is missing counts as vanished.
    pub vanished: Option<Length>,
}

/// `[[registry]]`
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["host"]))]
pub struct Registry {
    /// Unique name; the host by default.
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// The host as in image names: `ghcr.io`, `127.0.0.1:5000`.
    pub host: Option<String>,
    /// Where its API is, when not at the host.
    #[schemars(example = "https://mirror.example/proxy")]
    pub url: Option<Url>,
    /// Which repositories this entry serves, without the host: `team/api`, `org-a/**`; all by default.
    pub repositories: Vec<String>,
    /// User name; for a token, what the registry says to use with it.
    pub username: Option<String>,
    /// Password or token.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub password: Option<Secret>,
    /// A file with the password.
    pub password_file: Option<PathBuf>,
    /// Certificates to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Speak HTTP without TLS.
    pub plain_http: bool,
    /// Requests under way at once.
    #[schemars(range(min = 1, max = 64))]
    pub concurrency: Option<usize>,
    /// Request budget.
    #[schemars(range(min = 0.01, max = 10_000.0))]
    pub requests_per_second: Option<f64>,
    /// Internal hosts that the registry may send us to.
    pub allowed_hosts: Vec<String>,
}

/// `[[watch]]`
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["repository"]))]
pub struct Watch {
    /// As docker would take it: `nginx`, `ghcr.io/acme/api`.
    pub repository: Option<String>,
    /// The `[[group]]` it belongs to.
    pub group: Option<String>,
}

/// `[[group]]`
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["name"]))]
pub struct Group {
    /// Unique name.
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// What it is, for people.
    pub description: Option<String>,
    /// Repositories as docker would take them, or patterns over their full names: `ghcr.io/acme/**`.
    pub repositories: Vec<String>,
}

/// `[[policy]]`
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["tag", "class"]))]
pub struct Policy {
    /// A repository as docker would take it, or a pattern over full names: `ghcr.io/acme/**`; all by default.
    pub repository: Option<String>,
    /// Pattern over tags: `stable-*`.
    pub tag: Option<String>,
    /// The class of the tags that match.
    #[schemars(schema_with = "class")]
    pub class: Option<Class>,
    /// Their flags are never more severe than `info` or `warning`.
    #[schemars(schema_with = "cap")]
    pub severity: Option<Severity>,
    /// They are deleted on purpose: a deletion is `info`. Off by default.
    pub retention: bool,
}

/// `[notifications]`
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Notifications {
    /// How long it must be quiet before what belongs together is told in one message; 10 s by default, 2 m at most.
    pub quiet_time: Option<Length>,
}

/// `[[notifier]]`
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["name", "kind"]))]
pub struct Notifier {
    /// Unique name: letters, digits, `-`, `_` and `.`.
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// A `webhook`, an incoming webhook of `slack` or something that takes the same, or mail by `smtp`.
    #[schemars(schema_with = "words::<SinkKind>")]
    pub kind: Option<SinkKind>,
    /// Where a webhook's messages go; often a secret itself.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub url: Option<Secret>,
    /// A file with the address.
    pub url_file: Option<PathBuf>,
    /// What a webhook's signature is made with.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub secret: Option<Secret>,
    /// A file with the secret.
    pub secret_file: Option<PathBuf>,
    /// What the body of a webhook is: `cloudevents` by default, or as Diun sends it.
    #[schemars(schema_with = "words::<Format>")]
    pub format: Option<Format>,
    /// The mail server.
    pub host: Option<String>,
    /// Its port; 587, 465 or 25 by default, as `tls` says.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: Option<u16>,
    /// How the connection to the mail server is protected: `starttls` by default.
    #[schemars(schema_with = "words::<Encryption>")]
    pub tls: Option<Encryption>,
    /// Who we are to the mail server.
    pub username: Option<String>,
    /// The password that goes with it.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    pub password: Option<Secret>,
    /// A file with the password.
    pub password_file: Option<PathBuf>,
    /// Who the mail is from.
    #[schemars(example = "Tagwarden <tagwarden@example.org>")]
    pub from: Option<String>,
    /// Who it is for.
    pub to: Vec<String>,
    /// Certificates to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// It may be on this machine or in a private network.
    pub allow_private: bool,
    /// Only of these repositories, written as docker would take them or as patterns over their full names.
    pub repositories: Vec<String>,
    /// Only of repositories in these groups.
    pub groups: Vec<String>,
    /// Only of tags of these classes.
    #[schemars(schema_with = "classes")]
    pub classes: Vec<Class>,
    /// Only of flags that are at least so severe.
    #[schemars(schema_with = "severity")]
    pub severity: Option<Severity>,
    /// What it hears of: `flag` and `restored` by default; `failing` tells of repositories that cannot be checked, or late.
    #[schemars(schema_with = "kinds")]
    pub events: Option<Vec<Kind>>,
    /// When messages wait.
    pub quiet_hours: QuietHours,
    /// The words of a message, in minijinja.
    pub template: Option<String>,
}

/// `[notifier.quiet_hours]`
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["from", "to", "zone"]))]
pub struct QuietHours {
    /// When they begin: `22:00`.
    pub from: Option<String>,
    /// When they end, the next day if that is earlier: `07:00`.
    pub to: Option<String>,
    /// By the clock of this place: `Europe/Berlin`.
    pub zone: Option<String>,
    /// What becomes of critical messages in them: they `pass` by default, or `wait`.
    #[schemars(schema_with = "words::<Critical>")]
    pub critical: Option<Critical>,
}

/// What of a table is one of few words.
trait Words {
    const WORDS: &[&str];
}

/// What takes a notifier's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SinkKind {
    /// Something that takes JSON.
    Webhook,
    /// Slack, or what takes the same.
    Slack,
    /// A mail server.
    Smtp,
}

/// What becomes of critical messages in quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Critical {
    /// They are sent.
    Pass,
    /// They wait as the others do.
    Wait,
}

impl Words for SinkKind {
    const WORDS: &[&str] = &["webhook", "slack", "smtp"];
}

impl Words for Critical {
    const WORDS: &[&str] = &["pass", "wait"];
}

impl Words for Format {
    const WORDS: &[&str] = &["cloudevents", "diun"];
}

impl Words for Encryption {
    const WORDS: &[&str] = &["starttls", "tls", "none"];
}

fn words<T: Words>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": T::WORDS })
}

fn severity(_: &mut SchemaGenerator) -> Schema {
    let words: Vec<&str> = Severity::ALL.iter().map(|severity| severity.word()).collect();
    json_schema!({ "type": "string", "enum": words })
}

/// `critical` would lower nothing.
fn cap(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": [Severity::Info.word(), Severity::Warning.word()] })
}

fn kinds(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string", "enum": ["flag", "restored", "failing"] } })
}

fn classes(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": class(generator) })
}

/// A length of time as people write it: `30s`, `5m`, `1h 30m`.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(extend("examples" = ["30s", "5m", "1h 30m"]))]
pub struct Length(#[schemars(with = "String")] pub Millis);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let length: jiff::SignedDuration =
            text.parse().map_err(|_| serde::de::Error::custom("this is no length of time"))?;
        let longest = Millis::days(3650).0;
        let millis = i64::try_from(length.as_millis()).ok().filter(|millis| (1..=longest).contains(millis));
        millis
            .map(|millis| Self(Millis(millis)))
            .ok_or_else(|| serde::de::Error::custom("a length of time is more than nothing and at most 3650 days"))
    }
}

fn class(_: &mut SchemaGenerator) -> Schema {
    let words: Vec<&str> = Class::ALL.iter().map(|class| class.word()).collect();
    json_schema!({ "type": "string", "enum": words })
}

/// The JSON Schema of the file.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize().with(|settings| settings.inline_subschemas = true);
    let generator = settings.with_transform(RecursiveTransform(without_null)).into_generator();
    generator.into_root_schema_for::<File>().to_value()
}

/// TOML knows no null: what is optional may be left out.
fn without_null(schema: &mut Schema) {
    if schema.get("default").is_some_and(|default| !default.is_boolean()) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_mut_slice() {
            let only = only.take();
            schema.insert("type".to_owned(), only);
        }
    }
}

/// The keys of a table of the file.
pub fn keys(table: &str) -> Vec<String> {
    let schema = schema();
    let keys = schema.pointer(&format!("/properties/{table}/properties")).and_then(Value::as_object);
    keys.map(|keys| keys.keys().cloned().collect()).unwrap_or_default()
}

/// Whether a key's value may be shown even where the file cannot be parsed.
pub fn is_harmless(key: &str) -> bool {
    fn look(schema: &Value, key: &str) -> Option<bool> {
        let properties = schema.get("properties").or_else(|| schema.get("items")?.get("properties"))?.as_object()?;
        properties.iter().find_map(|(name, property)| {
            let kind = property.get("type").and_then(Value::as_str)?;
            let is_url = property.get("format").is_some_and(|format| format == "uri");
            let secret = property.get("writeOnly").is_some() || is_url || matches!(kind, "array" | "object");
            if name == key { Some(!secret) } else { look(property, key) }
        })
    }
    look(&schema(), key).unwrap_or(false)
}
