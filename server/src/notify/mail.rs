//! Messages as mail.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::ContentType;
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncTransport as _, Tokio1Executor};
use tagwarden_model::digest::Digest;

use super::config::{Encryption, SmtpSettings};
use super::reach::Reach;
use super::{Attempt, Failure};

/// For the whole conversation with one address.
const TIME_OUT: Duration = Duration::from_secs(25);
/// Addresses of a mail server that are tried.
const MOST_ADDRESSES: usize = 2;

/// Sends mail by one server.
pub struct Mail {
    reach: Reach,
    settings: SmtpSettings,
    tls: Option<TlsParameters>,
}

impl Mail {
    /// Fails with words where the settings cannot be used.
    pub fn new(settings: SmtpSettings, reach: Reach, ca: Option<&[u8]>) -> Result<Self, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let parameters = || {
            // The certificate is for the name, also where we connect to an address that was looked up before.
            let mut builder = TlsParameters::builder(settings.host.clone());
            if let Some(pem) = ca {
                builder = builder.add_root_certificate(Certificate::from_pem(pem)?);
            }
            builder.build()
        };
        let tls = (settings.tls != Encryption::None).then(parameters).transpose();
        let tls = tls.map_err(|error| format!("no connection can be made: {error}"))?;
        Ok(Self { reach, settings, tls })
    }

    /// One attempt.
    pub async fn send(&self, attempt: &Attempt<'_>) -> Result<(), Failure> {
        let (host, port) = (&self.settings.host, self.settings.port);
        let mail = self.mail(attempt)?;
        let addresses = self.reach.addresses(host, port).await.map_err(|error| Failure::of(error.to_string()))?;
        let mut failure = Failure::of(format!("{host} has no address"));
        for address in addresses.into_iter().take(MOST_ADDRESSES) {
            let sent =
                tokio::time::timeout(TIME_OUT, self.transport(&address.ip().to_string()).send(mail.clone())).await;
            match sent {
                Ok(Ok(_)) => return Ok(()),
                // The server has decided; its other addresses would say the same.
                Ok(Err(error)) if error.status().is_some() => return Err(Failure::of(said(host, &error))),
                Ok(Err(error)) => failure = Failure::of(said(host, &error)),
                // It may have taken the mail: another address would double it.
                Err(_) => return Err(Failure::of(format!("{host} did not answer in time"))),
            }
        }
        Err(failure)
    }

    fn transport(&self, address: &str) -> AsyncSmtpTransport<Tokio1Executor> {
        let encryption = match (&self.tls, self.settings.tls) {
            (Some(parameters), Encryption::Tls) => Tls::Wrapper(parameters.clone()),
            (Some(parameters), _) => Tls::Required(parameters.clone()),
            (None, _) => Tls::None,
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address)
            .port(self.settings.port)
            .tls(encryption)
            .timeout(Some(Duration::from_secs(10)))
            .hello_name(ClientId::Domain(self.settings.from.email.domain().to_owned()));
        let credentials = self.settings.credentials.as_ref();
        let credentials =
            credentials.map(|(name, password)| Credentials::new(name.clone(), password.expose().to_owned()));
        match credentials {
            Some(credentials) => builder.credentials(credentials).build(),
            None => builder.build(),
        }
    }

    fn mail(&self, attempt: &Attempt<'_>) -> Result<lettre::Message, Failure> {
        // The same for every attempt, so that a mail program shows a doubled message once.
        let id: String = Digest::of(attempt.dedupe_key.as_bytes()).hex().chars().take(32).collect();
        let millis = u64::try_from(attempt.message.at.0).unwrap_or_default();
        let mut builder = lettre::Message::builder()
            .from(self.settings.from.clone())
            .subject(format!("[Tagwarden] {}", attempt.message.title()))
            .message_id(Some(format!("<{id}@tagwarden>")))
            .date(UNIX_EPOCH + Duration::from_millis(millis))
            .header(ContentType::TEXT_PLAIN);
        for address in &self.settings.to {
            builder = builder.to(address.clone());
        }
        let text = attempt.own_words()?.unwrap_or_else(|| attempt.message.text());
        builder.body(text).map_err(|error| Failure::of(format!("the mail cannot be written: {error}")))
    }
}

/// What went wrong in one line; servers may say much.
fn said(host: &str, error: &lettre::transport::smtp::Error) -> String {
    let text: String = error.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    format!("{host}: {text}")
}
