//! What a notifier is told by, as it was checked.

use lettre::message::Mailbox;
use serde::Deserialize;
use tagwarden_model::api;

use super::filter::Filter;
use super::quiet::QuietHours;
use super::template::Template;
use crate::secret::Secret;

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

/// A notifier that has been checked.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq)]
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
