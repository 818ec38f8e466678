//! Messages as mail.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tagwarden_model::digest::Digest;
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt as _};

use super::bounded::Bounded;
use super::config::{Encryption, SmtpSettings};
use super::reach::Reach;
use super::{Attempt, Failure};

/// For the whole conversation with one address.
const TIME_OUT: Duration = Duration::from_secs(25);
/// Until there is a connection.
const CONNECT_TIME_OUT: Duration = Duration::from_secs(10);
/// Addresses of a mail server that are tried.
const MOST_ADDRESSES: usize = 2;

/// Why a conversation failed.
#[derive(Debug, thiserror::Error)]
enum Unsent {
    #[error("connection error: {0}")]
    Connect(#[from] io::Error),
    #[error(transparent)]
    Smtp(#[from] lettre::transport::smtp::Error),
}

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
            match tokio::time::timeout(TIME_OUT, self.converse(address, &mail)).await {
                Ok(Ok(())) => return Ok(()),
                // The server has decided; its other addresses would say the same.
                Ok(Err(Unsent::Smtp(error))) if error.status().is_some() => {
                    return Err(Failure::of(said(host, &error)));
                }
                Ok(Err(error)) => failure = Failure::of(said(host, &error)),
                // It may have taken the mail: another address would double it.
                Err(_) => return Err(Failure::of(format!("{host} did not answer in time"))),
            }
        }
        Err(failure)
    }

    /// Sends it by the server at this address.
    async fn converse(&self, address: SocketAddr, mail: &lettre::Message) -> Result<(), Unsent> {
        let connected = tokio::time::timeout(CONNECT_TIME_OUT, TcpStream::connect(address)).await;
        let stream = connected.map_err(|_| io::Error::other("it cannot be reached in time"))??;
        let name = ClientId::Domain(self.settings.from.email.domain().to_owned());
        let mut connection = match (&self.tls, self.settings.tls) {
            (Some(parameters), Encryption::Tls) => {
                let stream = Box::new(Bounded::new(encrypted(stream, parameters.clone()).await?, address));
                AsyncSmtpConnection::connect_with_transport(stream, &name).await?
            }
            (parameters, _) => {
                let stream = Box::new(Bounded::new(stream, address));
                let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &name).await?;
                if let Some(parameters) = parameters {
                    connection.starttls(parameters.clone(), &name).await?;
                }
                connection
            }
        };
        if let Some((name, password)) = &self.settings.credentials {
            let credentials = Credentials::new(name.clone(), password.expose().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        connection.send(mail.envelope(), &mail.formatted()).await?;
        connection.abort().await;
        Ok(())
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

/// With TLS from the first byte; the library connects so by itself only, and then reads without an end.
#[expect(deprecated, reason = "nothing else upgrades a stream by the library's parameters")]
async fn encrypted(
    stream: TcpStream,
    parameters: TlsParameters,
) -> Result<Compat<lettre::transport::smtp::client::AsyncNetworkStream>, lettre::transport::smtp::Error> {
    let mut stream = lettre::transport::smtp::client::AsyncNetworkStream::use_existing_tokio1(Box::new(stream));
    stream.upgrade_tls(parameters).await?;
    Ok(stream.compat())
}

/// What went wrong in one line; servers may say much.
fn said(host: &str, error: &impl std::fmt::Display) -> String {
    let text: String = error.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    format!("{host}: {text}")
}
