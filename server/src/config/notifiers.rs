//! What is wrong with `[notifications]` and `[[notifier]]`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use globset::GlobMatcher;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use lettre::message::Mailbox;
use tagwarden_model::event::Severity;
use tagwarden_model::instant::Millis;
use tagwarden_model::proposal::PATTERN_LIMIT;
use url::Url;

use super::check::Check;
use super::file::{self, Critical, SinkKind};
use super::{Group, nearest};
use crate::notify::LONGEST_HOLD;
use crate::notify::config::{Encryption, Format, NotifierSettings, SinkSettings, SmtpSettings};
use crate::notify::filter::{Filter, Kind};
use crate::notify::quiet::QuietHours;
use crate::notify::template::Template;
use crate::secret::Secret;
use crate::store::groups::composed;
use crate::watch;

/// Addresses of one mail.
const MOST_ADDRESSES: usize = 50;

impl Check<'_, '_> {
    /// How long it must be quiet before what belongs together is told.
    pub(super) fn quiet_time(&mut self, notifications: &file::Notifications) -> Option<Millis> {
        let length = notifications.quiet_time?.0;
        if length > LONGEST_HOLD {
            self.document.wrong("notifications.quiet_time", "nothing waits so long", "choose at most 2m");
        }
        Some(length)
    }

    /// All notifiers that have nothing wrong in them.
    pub(super) fn notifiers(&mut self, notifiers: Vec<file::Notifier>, groups: &[Group]) -> Vec<NotifierSettings> {
        let mut names = BTreeSet::new();
        let mut checked = Vec::new();
        for (at, notifier) in notifiers.into_iter().enumerate() {
            let path = format!("notifier.{at}");
            if let Some(name) = &notifier.name
                && !names.insert(name.clone())
            {
                let message = format!("another [[notifier]] is named `{name}`, too");
                self.document.wrong(&format!("{path}.name"), message, "give it another name");
            }
            checked.extend(self.notifier(&path, notifier, groups));
        }
        checked
    }

    fn notifier(&mut self, path: &str, notifier: file::Notifier, groups: &[Group]) -> Option<NotifierSettings> {
        let key = |key: &str| format!("{path}.{key}");
        let name = notifier.name.clone().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.len() > 64 || !name.bytes().all(plain) {
            self.document.wrong(
                &key("name"),
                "this is no name of a notifier",
                "use up to 64 letters, digits and `-_.`",
            );
        }
        let kind = notifier.kind?;
        self.useless_keys(path, kind, &notifier);
        let certificates = notifier
            .ca_file
            .as_ref()
            .map(|file| self.certificates(&key("ca_file"), file))
            .filter(|pem| !pem.is_empty());
        let filter = self.filter(path, &notifier, groups);
        let quiet_hours = self.quiet_hours(&key("quiet_hours"), &notifier.quiet_hours);
        let template = notifier.template.clone().map(Template::new).transpose().unwrap_or_else(|reason| {
            self.document.wrong(&key("template"), format!("this is no template: {reason}"), "correct it");
            None
        });
        let allow_private = notifier.allow_private;
        let sink = match kind {
            SinkKind::Webhook => self.webhook(path, notifier)?,
            SinkKind::Slack => self.webhook(path, file::Notifier { format: Some(Format::Slack), ..notifier })?,
            SinkKind::Smtp => self.smtp(path, notifier)?,
        };
        Some(NotifierSettings { name, sink, allow_private, ca: certificates, filter, quiet_hours, template })
    }

    /// Keys that its kind has no use for would be silently without effect.
    fn useless_keys(&mut self, path: &str, kind: SinkKind, notifier: &file::Notifier) {
        let of_http = [("url", notifier.url.is_some()), ("url_file", notifier.url_file.is_some())];
        let of_webhook = [
            ("secret", notifier.secret.is_some()),
            ("secret_file", notifier.secret_file.is_some()),
            ("format", notifier.format.is_some()),
        ];
        let of_smtp = [
            ("host", notifier.host.is_some()),
            ("port", notifier.port.is_some()),
            ("tls", notifier.tls.is_some()),
            ("username", notifier.username.is_some()),
            ("password", notifier.password.is_some()),
            ("password_file", notifier.password_file.is_some()),
            ("from", notifier.from.is_some()),
            ("to", !notifier.to.is_empty()),
        ];
        let smtp = kind == SinkKind::Smtp;
        let useless = of_http.iter().filter(|_| smtp);
        let useless = useless.chain(of_webhook.iter().filter(|_| kind != SinkKind::Webhook));
        for (key, _) in useless.chain(of_smtp.iter().filter(|_| !smtp)).filter(|(_, given)| *given) {
            self.document.wrong(&format!("{path}.{key}"), "this kind of notifier has no use for it", "leave it out");
        }
    }

    fn filter(&mut self, path: &str, notifier: &file::Notifier, groups: &[Group]) -> Filter {
        let mut repositories: Vec<GlobMatcher> = Vec::new();
        for (at, pattern) in notifier.repositories.iter().enumerate() {
            let path = format!("{path}.repositories.{at}");
            if let Some(text) = self.pattern(&path, pattern) {
                let glob = watch::pattern(&text).filter(|_| text.chars().count() <= PATTERN_LIMIT);
                if glob.is_none() {
                    self.document.wrong(&path, "this is no pattern", "write it as in ghcr.io/acme/**");
                }
                repositories.extend(glob);
            }
        }
        for (at, name) in notifier.groups.iter().enumerate() {
            if let Some(group) = groups.iter().find(|group| group.name == composed(name)) {
                repositories.extend(group.members.iter().filter_map(|text| watch::pattern(text)));
            } else {
                let near = nearest(name, groups.iter().map(|group| group.name.as_str()));
                let advice = near.map_or_else(|| "add one".to_owned(), |near| format!("did you mean `{near}`?"));
                self.document.wrong(&format!("{path}.groups.{at}"), "there is no [[group]] of this name", advice);
            }
        }
        let kinds = notifier.events.clone().unwrap_or_else(|| vec![Kind::Flag, Kind::Restored]);
        if kinds.is_empty() {
            let message = "a notifier that hears of nothing";
            self.document.wrong(&format!("{path}.events"), message, "name flag, restored or failing");
        }
        Filter {
            only: !notifier.repositories.is_empty() || !notifier.groups.is_empty(),
            repositories,
            classes: notifier.classes.clone(),
            severity: notifier.severity.unwrap_or(Severity::Info),
            kinds,
        }
    }

    fn webhook(&mut self, path: &str, notifier: file::Notifier) -> Option<SinkSettings> {
        let key = format!("{path}.url");
        let named = notifier.url_file.is_some();
        let Some(text) = self.one_of(path, "url", notifier.url, notifier.url_file) else {
            if !named && self.document.is_whole(path) {
                self.document.wrong(path, "nothing says where messages go", "add `url` or `url_file`");
            }
            return None;
        };
        let url = text.expose().parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(host) = url.as_ref().and_then(Url::host_str).map(str::to_owned) else {
            self.document.wrong(&key, "this is no address of a webhook", "it begins with https:// or http://");
            return None;
        };
        let secret = self.one_of(path, "secret", notifier.secret, notifier.secret_file);
        if secret.as_ref().is_some_and(|secret| secret.expose().is_empty()) {
            self.document.wrong(&format!("{path}.secret"), "it is empty", "leave it out, or say something");
        }
        let format = notifier.format.unwrap_or(Format::CloudEvents);
        Some(SinkSettings::Webhook { url: text, host, secret, format })
    }

    fn smtp(&mut self, path: &str, notifier: file::Notifier) -> Option<SinkSettings> {
        let key = |key: &str| format!("{path}.{key}");
        let whole = self.document.is_whole(path);
        let tls = notifier.tls.unwrap_or(Encryption::StartTls);
        let password = self.one_of(path, "password", notifier.password, notifier.password_file);
        let credentials = match (notifier.username, password) {
            (Some(username), Some(password)) => Some((username, password)),
            (None, None) => None,
            (username, _) => {
                if whole {
                    let at = username.map_or_else(|| path.to_owned(), |_| key("username"));
                    self.document.wrong(&at, "`username` and a password belong together", "say both or none");
                }
                None
            }
        };
        if credentials.is_some() && tls == Encryption::None {
            self.document.wrong(&key("tls"), "a password is sent over TLS only", "choose starttls or tls");
        }
        if whole && !(1..=MOST_ADDRESSES).contains(&notifier.to.len()) {
            self.document.wrong(
                &key("to"),
                "somebody must get the mail",
                format!("name 1 to {MOST_ADDRESSES} addresses"),
            );
        }
        let to = notifier.to.iter().enumerate();
        let to = to.filter_map(|(at, address)| self.mailbox(&format!("{path}.to.{at}"), address)).collect();
        let host = notifier.host.filter(|host| url::Host::parse(host).is_ok());
        if host.is_none() && whole {
            self.document.wrong(&key("host"), "no mail server is named", "write it as in mail.example.org");
        }
        if notifier.from.is_none() && whole {
            self.document.wrong(path, "nobody is said to send the mail", "add `from`");
        }
        let from = notifier.from.and_then(|address| self.mailbox(&key("from"), &address));
        let port = notifier.port.unwrap_or(match tls {
            Encryption::StartTls => 587,
            Encryption::Tls => 465,
            Encryption::None => 25,
        });
        Some(SinkSettings::Smtp(Box::new(SmtpSettings { host: host?, port, tls, credentials, from: from?, to })))
    }

    fn quiet_hours(&mut self, path: &str, quiet: &file::QuietHours) -> Option<QuietHours> {
        let mut time = |key: &str, text: &Option<String>| {
            let time = Time::strptime("%H:%M", text.as_ref()?).ok();
            if time.is_none() {
                self.document.wrong(&format!("{path}.{key}"), "this is no time of the day", "write it as in 22:00");
            }
            time
        };
        let (from, to) = (time("from", &quiet.from), time("to", &quiet.to));
        let zone = quiet.zone.as_ref().and_then(|name| {
            let zone = TimeZone::get(name).ok();
            if zone.is_none() {
                self.document.wrong(&format!("{path}.zone"), "this is no time zone", "write it as in Europe/Berlin");
            }
            zone
        });
        let (from, to, zone) = (from?, to?, zone?);
        if from == to {
            self.document.wrong(&format!("{path}.to"), "they end when they begin", "choose another time");
        }
        Some(QuietHours { from, to, zone, critical_waits: quiet.critical == Some(Critical::Wait) })
    }

    /// A secret that stands in the configuration or in a file of its own.
    fn one_of(&mut self, path: &str, key: &str, text: Option<Secret>, file: Option<PathBuf>) -> Option<Secret> {
        let of_file = format!("{path}.{key}_file");
        if text.is_some() && file.is_some() {
            self.document.wrong(&of_file, format!("both `{key}` and `{key}_file`"), "leave one of them out");
        }
        text.or_else(|| self.secret(&of_file, &file?))
    }

    fn mailbox(&mut self, path: &str, address: &str) -> Option<Mailbox> {
        let mailbox = address.parse::<Mailbox>().ok().filter(|_| !address.chars().any(char::is_control));
        if mailbox.is_none() {
            self.document.wrong(path, "this is no mail address", "write it as in Ann <ann@example.org>");
        }
        mailbox
    }
}
