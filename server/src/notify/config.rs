//! `[[notifier]]` and `[notifications]` of the configuration.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use lettre::message::Mailbox;
use serde::Deserialize;
use tagwarden_model::api;
use tagwarden_model::event::Severity;
use tagwarden_model::instant::Millis;
use tagwarden_model::proposal::PATTERN_LIMIT;
use tagwarden_model::tag::Class;
use url::Url;

use super::filter::{Filter, Kind};
use super::quiet::QuietHours;
use super::template::Template;
use crate::secret::Secret;

/// `[notifications]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotificationsConfig {
    /// How long it must be quiet before what belongs together is told in one message; 10 s by default.
    quiet_time: Option<jiff::SignedDuration>,
}

/// `[[notifier]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifierConfig {
    /// Unique name.
    name: String,
    kind: SinkKind,
    /// Of a webhook; often a secret itself.
    url: Option<String>,
    url_file: Option<PathBuf>,
    /// What a webhook's signature is made with.
    secret: Option<String>,
    secret_file: Option<PathBuf>,
    format: Option<Format>,
    /// Of the mail server.
    host: Option<String>,
    port: Option<u16>,
    tls: Option<Encryption>,
    username: Option<String>,
    password: Option<String>,
    password_file: Option<PathBuf>,
    from: Option<String>,
    #[serde(default)]
    to: Vec<String>,
    /// Certificates to trust besides the system's, PEM.
    ca_file: Option<PathBuf>,
    /// It may be on this machine or in a private network.
    #[serde(default)]
    allow_private: bool,
    #[serde(default)]
    repositories: Vec<String>,
    #[serde(default)]
    classes: Vec<Class>,
    severity: Option<Severity>,
    events: Option<Vec<Kind>>,
    quiet_hours: Option<QuietHoursConfig>,
    template: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SinkKind {
    Webhook,
    Slack,
    Smtp,
}

/// What the body of a webhook is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// CloudEvents 1.0, structured JSON.
    CloudEvents,
    /// As the program Diun sends it.
    Diun,
    /// As Slack's incoming webhooks take it.
    #[serde(skip)]
    Slack,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// Plain at first; refused when the server cannot go on with TLS.
    StartTls,
    /// From the first byte.
    Tls,
    /// Not at all.
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuietHoursConfig {
    from: String,
    to: String,
    zone: String,
    critical: Option<Critical>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Critical {
    Pass,
    Wait,
}

/// A notifier that has been checked.
#[derive(Debug)]
pub struct NotifierSettings {
    /// Unique name.
    pub name: String,
    /// Where messages go.
    pub sink: SinkSettings,
    /// It may be on this machine or in a private network.
    pub allow_private: bool,
    /// Certificates to trust besides the system's, PEM.
    pub ca: Option<Vec<u8>>,
    /// What it wants to hear.
    pub filter: Filter,
    /// When it does not want to hear it.
    pub quiet_hours: Option<QuietHours>,
    /// What it says in its own words.
    pub template: Option<Template>,
}

/// Where messages go.
#[derive(Debug)]
pub enum SinkSettings {
    /// A POST of JSON.
    Webhook {
        /// Where to; its path may be a secret.
        url: Secret,
        /// The URL's host.
        host: String,
        /// What the signature is made with.
        secret: Option<Secret>,
        /// What the body is.
        format: Format,
    },
    /// A mail.
    Smtp(Box<SmtpSettings>),
}

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// The mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Encryption,
    /// Who we are to it.
    pub credentials: Option<(String, Secret)>,
    /// Who the mail is from.
    pub from: Mailbox,
    /// Who it is for.
    pub to: Vec<Mailbox>,
}

/// Something wrong: the key, and what and what to do.
pub type Wrong = (String, String);

impl NotificationsConfig {
    /// How long it must be quiet before what belongs together is told.
    pub fn check(&self) -> Result<Millis, Wrong> {
        let Some(length) = self.quiet_time else { return Ok(super::QUIET_TIME) };
        let millis =
            i64::try_from(length.as_millis()).ok().filter(|millis| (0..=super::LONGEST_HOLD.0).contains(millis));
        millis
            .map(Millis)
            .ok_or_else(|| ("notifications.quiet_time".to_owned(), "at least 0s and at most 2m".to_owned()))
    }
}

/// Checks all notifiers; gives everything that is wrong at once.
pub fn check(notifiers: Vec<NotifierConfig>) -> Result<Vec<NotifierSettings>, Vec<Wrong>> {
    let (mut checked, mut wrong) = (Vec::<NotifierSettings>::new(), Vec::new());
    for (at, notifier) in notifiers.into_iter().enumerate() {
        let place = format!("notifier number {} ({})", at + 1, notifier.name);
        let mut reasons = Vec::new();
        if checked.iter().any(|other| other.name == notifier.name) {
            reasons.push(("name".to_owned(), "another notifier has this name".to_owned()));
        }
        if let Some(settings) = notifier.check(&mut reasons) {
            checked.push(settings);
        }
        wrong.extend(reasons.into_iter().map(|(key, reason)| (format!("{place}: {key}"), reason)));
    }
    if wrong.is_empty() { Ok(checked) } else { Err(wrong) }
}

impl NotifierConfig {
    /// Says what is wrong; gives the settings if nothing is.
    fn check(self, wrong: &mut Vec<Wrong>) -> Option<NotifierSettings> {
        let before = wrong.len();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=64).contains(&self.name.len()) || !self.name.bytes().all(plain) {
            say(wrong, "name", "1 to 64 letters, digits and `-_.`");
        }
        self.check_keys(wrong);
        let sink = match self.kind {
            SinkKind::Webhook | SinkKind::Slack => self.webhook(wrong),
            SinkKind::Smtp => self.smtp(wrong),
        };
        let ca = self.ca_file.as_deref().and_then(|path| file(wrong, "ca_file", path));
        let ca = ca.map(String::into_bytes);
        if ca.as_ref().is_some_and(|pem| reqwest::Certificate::from_pem_bundle(pem).is_ok_and(|found| found.is_empty()))
        {
            say(wrong, "ca_file", "there is no certificate in it (PEM)");
        }
        let repositories = self.repositories.iter().filter_map(|pattern| glob(wrong, pattern)).collect();
        let filter = Filter {
            repositories,
            classes: self.classes.clone(),
            severity: self.severity.unwrap_or(Severity::Info),
            kinds: self.events.clone().unwrap_or_else(|| vec![Kind::Flag, Kind::Restored]),
        };
        if filter.kinds.is_empty() {
            say(wrong, "events", "name at least one of flag, restored, failing");
        }
        let quiet_hours = self.quiet_hours.as_ref().and_then(|quiet| quiet.check(wrong));
        let template = match self.template.map(Template::new).transpose() {
            Ok(template) => template,
            Err(reason) => {
                say(wrong, "template", &reason);
                None
            }
        };
        let sink = sink.filter(|_| wrong.len() == before)?;
        let (name, allow_private) = (self.name, self.allow_private);
        Some(NotifierSettings { name, sink, allow_private, ca, filter, quiet_hours, template })
    }

    /// Keys that its kind has no use for would be silently without effect.
    fn check_keys(&self, wrong: &mut Vec<Wrong>) {
        let smtp = self.kind == SinkKind::Smtp;
        let of_http = [("url", self.url.is_some()), ("url_file", self.url_file.is_some())];
        let of_webhook = [
            ("secret", self.secret.is_some()),
            ("secret_file", self.secret_file.is_some()),
            ("format", self.format.is_some()),
        ];
        let of_smtp = [
            ("host", self.host.is_some()),
            ("port", self.port.is_some()),
            ("tls", self.tls.is_some()),
            ("username", self.username.is_some()),
            ("password", self.password.is_some()),
            ("password_file", self.password_file.is_some()),
            ("from", self.from.is_some()),
            ("to", !self.to.is_empty()),
        ];
        let useless = of_http.iter().filter(|_| smtp);
        let useless = useless.chain(of_webhook.iter().filter(|_| self.kind != SinkKind::Webhook));
        for (key, _) in useless.chain(of_smtp.iter().filter(|_| !smtp)).filter(|(_, given)| *given) {
            say(wrong, key, "this kind of notifier has no use for it");
        }
    }

    fn webhook(&self, wrong: &mut Vec<Wrong>) -> Option<SinkSettings> {
        let text = one_of(wrong, "url", self.url.as_deref(), self.url_file.as_deref());
        let Some(text) = text else {
            say(wrong, "url", "say where messages go, with `url` or `url_file`");
            return None;
        };
        let url = text.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(host) = url.as_ref().and_then(Url::host_str).map(str::to_owned) else {
            say(wrong, "url", "it is no http or https address");
            return None;
        };
        let secret = one_of(wrong, "secret", self.secret.as_deref(), self.secret_file.as_deref());
        if secret.as_deref().is_some_and(str::is_empty) {
            say(wrong, "secret", "it is empty");
        }
        let format = self.format.unwrap_or(Format::CloudEvents);
        let format = if self.kind == SinkKind::Slack { Format::Slack } else { format };
        Some(SinkSettings::Webhook { url: Secret::new(text), host, secret: secret.map(Secret::new), format })
    }

    fn smtp(&self, wrong: &mut Vec<Wrong>) -> Option<SinkSettings> {
        let tls = self.tls.unwrap_or(Encryption::StartTls);
        let password = one_of(wrong, "password", self.password.as_deref(), self.password_file.as_deref());
        let credentials = match (&self.username, password) {
            (Some(username), Some(password)) => Some((username.clone(), Secret::new(password))),
            (None, None) => None,
            _ => {
                say(wrong, "username", "`username` and a password belong together");
                None
            }
        };
        if credentials.is_some() && tls == Encryption::None {
            say(wrong, "tls", "a password is sent over TLS only");
        }
        if self.to.is_empty() || self.to.len() > 50 {
            say(wrong, "to", "name 1 to 50 addresses");
        }
        let to = self.to.iter().filter_map(|address| mailbox(wrong, "to", address)).collect();
        let host = self.host.clone().filter(|host| url::Host::parse(host).is_ok());
        if host.is_none() {
            say(wrong, "host", "name the mail server, such as mail.example.com");
        }
        if self.from.is_none() {
            say(wrong, "from", "say who the mail is from");
        }
        let from = self.from.as_deref().and_then(|address| mailbox(wrong, "from", address));
        let port = self.port.unwrap_or(match tls {
            Encryption::StartTls => 587,
            Encryption::Tls => 465,
            Encryption::None => 25,
        });
        Some(SinkSettings::Smtp(Box::new(SmtpSettings { host: host?, port, tls, credentials, from: from?, to })))
    }
}

impl QuietHoursConfig {
    fn check(&self, wrong: &mut Vec<Wrong>) -> Option<QuietHours> {
        let mut time = |key: &str, text: &str| {
            let time = Time::strptime("%H:%M", text).ok();
            if time.is_none() {
                say(wrong, key, &format!("`{text}` is no time such as 22:00"));
            }
            time
        };
        let (from, to) = (time("quiet_hours.from", &self.from), time("quiet_hours.to", &self.to));
        let zone = TimeZone::get(&self.zone).ok();
        if zone.is_none() {
            say(wrong, "quiet_hours.zone", &format!("`{}` is no time zone such as Europe/Berlin", self.zone));
        }
        let (from, to, zone) = (from?, to?, zone?);
        if from == to {
            say(wrong, "quiet_hours.to", "it is the same as `from`");
        }
        Some(QuietHours { from, to, zone, critical_waits: self.critical == Some(Critical::Wait) })
    }
}

impl NotifierSettings {
    /// What the API says of it before anything was sent.
    pub fn described(&self) -> api::Notifier {
        let (kind, host) = match &self.sink {
            SinkSettings::Webhook { host, format: Format::Slack, .. } => ("slack", host),
            SinkSettings::Webhook { host, .. } => ("webhook", host),
            SinkSettings::Smtp(settings) => ("smtp", &settings.host),
        };
        api::Notifier {
            name: self.name.clone(),
            kind: kind.to_owned(),
            host: host.clone(),
            waiting: 0,
            dead: 0,
            last_success: None,
            last_failure: None,
            error: None,
            next: None,
        }
    }
}

fn say(wrong: &mut Vec<Wrong>, key: &str, reason: &str) {
    wrong.push((key.to_owned(), reason.to_owned()));
}

/// A text that stands in the configuration or in a file of its own.
fn one_of(wrong: &mut Vec<Wrong>, key: &str, text: Option<&str>, path: Option<&Path>) -> Option<String> {
    match (text, path) {
        (Some(_), Some(_)) => {
            say(wrong, key, &format!("both `{key}` and `{key}_file`; leave one out"));
            None
        }
        (None, Some(path)) => file(wrong, &format!("{key}_file"), path).map(|text| text.trim_end().to_owned()),
        (text, None) => text.map(str::to_owned),
    }
}

fn file(wrong: &mut Vec<Wrong>, key: &str, path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path);
    text.map_err(|error| say(wrong, key, &format!("{} cannot be read: {error}", path.display()))).ok()
}

fn glob(wrong: &mut Vec<Wrong>, pattern: &str) -> Option<GlobMatcher> {
    let short = pattern.chars().count() <= PATTERN_LIMIT;
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().ok().filter(|_| short);
    if glob.is_none() {
        let shown: String = pattern.chars().take(80).collect();
        say(wrong, "repositories", &format!("`{shown}` is no pattern such as ghcr.io/acme/**"));
    }
    glob.map(|glob| glob.compile_matcher())
}

fn mailbox(wrong: &mut Vec<Wrong>, key: &str, address: &str) -> Option<Mailbox> {
    let mailbox = address.parse::<Mailbox>().ok().filter(|_| !address.chars().any(char::is_control));
    if mailbox.is_none() {
        say(wrong, key, &format!("`{}` is no mail address", address.escape_debug()));
    }
    mailbox
}
