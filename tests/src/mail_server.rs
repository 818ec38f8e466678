//! A mail server on loopback that takes one mail after the other, over STARTTLS if it has a certificate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::sync::mpsc;

/// The server. Its thread ends with the test's process.
pub struct MailServer {
    /// Of 127.0.0.1.
    pub port: u16,
    received: mpsc::UnboundedReceiver<Mail>,
}

/// What came.
#[derive(Debug, Clone, Default)]
pub struct Mail {
    /// Commands of the conversation that took it, without the password.
    pub commands: Vec<String>,
    /// The mail as it was sent.
    pub text: String,
    /// It came over TLS.
    pub encrypted: bool,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl MailServer {
    /// With `<place>.pem` and `<place>.key` it speaks STARTTLS. Refuses the first `refused` mails.
    pub fn start(place: Option<&Path>, refused: usize) -> Self {
        crate::install_tls();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, received) = mpsc::unbounded_channel();
        let tls = place.map(tls);
        let mut refused = refused;
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                // A client that goes away is none of our business.
                let _ = talk(stream, tls.as_ref(), &mut refused, &sender);
            }
        });
        Self { port, received }
    }

    /// Never ends the line in which it answers the first command; with `place`, over TLS from the first byte.
    pub fn endless(place: Option<&Path>) -> Self {
        crate::install_tls();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = place.map(tls);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = say_for_ever(stream.unwrap(), tls.as_ref());
            }
        });
        Self { port, received: mpsc::unbounded_channel().1 }
    }

    /// The next mail that is taken.
    pub async fn next(&mut self) -> Mail {
        let next = tokio::time::timeout(Duration::from_secs(20), self.received.recv()).await;
        next.expect("no mail came for 20 seconds").unwrap()
    }
}

fn tls(place: &Path) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(place.with_extension("pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(place.with_extension("key")).unwrap();
    Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
}

fn say_for_ever(stream: TcpStream, tls: Option<&Arc<ServerConfig>>) -> std::io::Result<()> {
    let mut stream: BufReader<Box<dyn Stream>> = BufReader::new(match tls {
        Some(tls) => {
            let connection = ServerConnection::new(tls.clone()).map_err(std::io::Error::other)?;
            Box::new(StreamOwned::new(connection, stream))
        }
        None => Box::new(stream),
    });
    say(&mut stream, "220 mail.test ESMTP")?;
    stream.read_line(&mut String::new())?;
    stream.get_mut().write_all(b"250 ")?;
    // Much, but not what would fill the memory of a machine whose test fails.
    for _ in 0..1024 {
        stream.get_mut().write_all(&[b'x'; 16 * 1024])?;
    }
    Ok(())
}

fn talk(
    stream: TcpStream,
    tls: Option<&Arc<ServerConfig>>,
    refused: &mut usize,
    sender: &mpsc::UnboundedSender<Mail>,
) -> std::io::Result<()> {
    let mut mail = Mail::default();
    let mut stream: BufReader<Box<dyn Stream>> = BufReader::new(Box::new(stream));
    say(&mut stream, "220 mail.test ESMTP")?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        mail.commands.push(if word == "AUTH" { "AUTH".to_owned() } else { line.to_owned() });
        match word.as_str() {
            "EHLO" if tls.is_some() && !mail.encrypted => say(&mut stream, "250-mail.test\r\n250 STARTTLS")?,
            "EHLO" => say(&mut stream, "250-mail.test\r\n250 AUTH PLAIN LOGIN")?,
            "STARTTLS" => {
                say(&mut stream, "220 go on")?;
                let connection = ServerConnection::new(tls.unwrap().clone()).map_err(std::io::Error::other)?;
                stream = BufReader::new(Box::new(StreamOwned::new(connection, stream.into_inner())));
                mail.encrypted = true;
            }
            "AUTH" => say(&mut stream, "235 welcome")?,
            "DATA" => {
                say(&mut stream, "354 go on")?;
                mail.text = data(&mut stream)?;
                if *refused > 0 {
                    *refused -= 1;
                    say(&mut stream, "451 try again later")?;
                } else {
                    say(&mut stream, "250 taken")?;
                    let _ = sender.send(mail.clone());
                }
            }
            "QUIT" => return say(&mut stream, "221 bye"),
            _ => say(&mut stream, "250 ok")?,
        }
    }
}

fn data(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<String> {
    let mut text = String::new();
    while !text.ends_with("\r\n.\r\n") {
        if stream.read_line(&mut text)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(text)
}

fn say(stream: &mut BufReader<Box<dyn Stream>>, text: &str) -> std::io::Result<()> {
    stream.get_mut().write_all(format!("{text}\r\n").as_bytes())?;
    stream.get_mut().flush()
}
