//! Messages as POSTs of JSON: CloudEvents, Diun's body, Slack's.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use serde_json::{Value, json};
use sha2::Sha256;
use tagwarden_model::digest::hex;
use tagwarden_model::instant::{Instant, Millis};

use super::config::{Format, NotifierSettings};
use super::message::{Message, image};
use super::reach::{Reach, Refused};
use super::{Attempt, Failure};
use crate::secret::Secret;

/// Signs a body: `t=<Unix seconds>,v1=<hex of HMAC-SHA-256 of t, a dot and the body>`.
const SIGNATURE: &str = "x-tagwarden-signature";
/// Longer waits that the other end asks for are cut.
const LONGEST_WAIT: Millis = Millis::hours(24);
/// Slack cuts longer texts anyway.
const LONGEST_TEXT: usize = 30_000;

/// Sends to one address.
pub struct Webhook {
    client: Client,
    reach: Reach,
    url: Url,
    host: String,
    secret: Option<Secret>,
    format: Format,
}

impl Webhook {
    /// Fails with words where the settings cannot be used.
    pub fn new(
        settings: &NotifierSettings,
        url: &Secret,
        secret: Option<Secret>,
        format: Format,
    ) -> Result<Self, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let reach = Reach { allow_private: settings.allow_private };
        let url: Url = url.expose().parse().map_err(|_| "its address cannot be read".to_owned())?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let certificates = settings.ca.as_deref().map(reqwest::Certificate::from_pem_bundle).transpose();
        let certificates = certificates.map_err(|_| "its ca_file cannot be read".to_owned())?.unwrap_or_default();
        // A proxy would look the name up itself, and redirects would lead past the check.
        let client = Client::builder()
            .user_agent(concat!("tagwarden/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(20))
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(reach)
            .tls_certs_merge(certificates)
            .build()
            .map_err(|error| format!("no connection can be made: {}", error.without_url()))?;
        Ok(Self { client, reach, url, host, secret, format })
    }

    /// One attempt.
    pub async fn send(&self, attempt: &Attempt<'_>) -> Result<(), Failure> {
        // Addresses are not looked up, so that the client's resolver never sees them.
        let literal = match self.url.host() {
            Some(url::Host::Ipv4(address)) => Some(address.into()),
            Some(url::Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        };
        if literal.is_some_and(|address| !self.reach.allows(address)) {
            return Err(Failure::of(Refused(self.host.clone()).to_string()));
        }
        let (content_type, body) = self.body(attempt)?;
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, content_type);
        if let Some(secret) = &self.secret {
            request = request.header(SIGNATURE, signature(secret, attempt.now, &body)?);
        }
        match request.body(body).send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(self.refusal(&response, attempt.now)),
            Err(error) => Err(self.failure(&error)),
        }
    }

    fn body(&self, attempt: &Attempt<'_>) -> Result<(&'static str, String), Failure> {
        let json = |value: Value| ("application/json", value.to_string());
        let own = attempt.own_words()?;
        Ok(match (self.format, own) {
            (Format::Slack, own) => {
                let text = own.unwrap_or_else(|| slack_escaped(&attempt.message.text()));
                json(json!({ "text": text.chars().take(LONGEST_TEXT).collect::<String>(), "mrkdwn": false }))
            }
            (_, Some(own)) if serde_json::from_str::<serde::de::IgnoredAny>(&own).is_ok() => ("application/json", own),
            (_, Some(own)) => ("text/plain; charset=utf-8", own),
            (Format::CloudEvents, None) => ("application/cloudevents+json", cloud_event(attempt).to_string()),
            (Format::Diun, None) => json(diun(attempt.message)),
        })
    }

    fn refusal(&self, response: &Response, now: Instant) -> Failure {
        let status = response.status();
        let also = if status.is_redirection() { "; redirects are not followed" } else { "" };
        let words = format!("{} answered {status}{also}", self.host);
        let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Failure { words, retry_after: header.and_then(|text| retry_after(text, now)) }
    }

    /// The innermost cause: the outer ones say the URL, or only that a request failed.
    fn failure(&self, error: &reqwest::Error) -> Failure {
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Failure::of(match cause.downcast_ref::<Refused>() {
            Some(refused) => refused.to_string(),
            None if error.is_timeout() => format!("{} did not answer in time", self.host),
            None if std::error::Error::source(error).is_none() => format!("no connection to {}", self.host),
            None => format!("no connection to {} ({cause})", self.host),
        })
    }
}

/// What the receiver computes again to know that it was us, and when.
fn signature(secret: &Secret, now: Instant, body: &str) -> Result<String, Failure> {
    let seconds = now.0.div_euclid(1000);
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes());
    let mut mac = mac.map_err(|_| Failure::of("the secret cannot be used".to_owned()))?;
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    Ok(format!("t={seconds},v1={}", hex(&mac.finalize().into_bytes())))
}

/// CloudEvents 1.0, JSON event format, structured mode.
fn cloud_event(attempt: &Attempt<'_>) -> Value {
    let message = attempt.message;
    let mut event = json!({
        "specversion": "1.0",
        "id": attempt.dedupe_key,
        "source": attempt.source,
        "type": message.event_type(),
        "time": message.at,
        "datacontenttype": "application/json",
        "data": message.described(),
    });
    if let Some(event) = event.as_object_mut().filter(|_| !message.subject.is_empty()) {
        event.insert("subject".to_owned(), message.subject.clone().into());
    }
    event
}

/// Diun knows one image and whether it is new or updated; what it has no word for is in `metadata`.
fn diun(message: &Message) -> Value {
    let flag = message.flags.first();
    let image = flag.map_or_else(|| message.subject.clone(), |told| image(&told.flag));
    json!({
        "diun_version": concat!("tagwarden/", env!("CARGO_PKG_VERSION")),
        "hostname": "tagwarden",
        "status": "update",
        "provider": "tagwarden",
        "image": image,
        "hub_link": flag.and_then(|told| told.link.as_deref()).unwrap_or_default(),
        "mime_type": "",
        "digest": message.digest().map(ToString::to_string).unwrap_or_default(),
        "created": flag.map_or(message.at, |told| told.flag.not_after),
        "platform": "",
        "metadata": {
            "occasion": message.occasion,
            "severity": message.severity,
            "count": message.count.to_string(),
            "title": message.title(),
        },
    })
}

/// `&`, `<` and `>` begin mentions and links.
pub fn slack_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `Retry-After`: seconds, or a date.
fn retry_after(text: &str, now: Instant) -> Option<Millis> {
    let text = text.trim();
    let wait = if let Ok(seconds) = text.parse::<u32>() {
        Millis::seconds(seconds.into())
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
        Instant(i64::try_from(since.as_millis()).ok()?) - now
    };
    Some(wait.clamp(Millis(0), LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_from_seconds_and_dates_and_has_an_end() {
        let now = Instant(784_111_777_000);
        assert_eq!(retry_after(" 120 ", now), Some(Millis::seconds(120)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(Millis::minutes(1)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:48:37 GMT", now), Some(Millis(0)));
        assert_eq!(retry_after("4000000000", now), Some(LONGEST_WAIT));
        assert_eq!(retry_after("soon", now), None);
    }

    #[test]
    fn slack_reads_no_mention_into_a_text() {
        assert_eq!(slack_escaped("<!channel> a & b"), "&lt;!channel&gt; a &amp; b");
    }
}
