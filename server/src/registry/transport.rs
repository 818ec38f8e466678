//! One HTTP request to a registry or its token service: time-outs, redirects, size limits, and errors in our words.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, ClientBuilder, Method, Request, StatusCode, Url};
use serde::Deserialize;
use tagwarden_model::instant::Millis;

use super::RegistryError;
use super::credentials::Secret;
use super::reach::Reach;
use super::retry::Fault;
use crate::clock::SharedClock;

/// How long a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOuts {
    /// Until the connection stands.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub read: Duration,
    /// Until the answer is read whole.
    pub total: Duration,
}

impl Default for TimeOuts {
    fn default() -> Self {
        let [connect, read, total] = [5, 15, 30].map(Duration::from_secs);
        Self { connect, read, total }
    }
}

/// Sends requests. Secrets leave it in headers and bodies only, never in a message.
pub struct Transport {
    /// For the registry; follows redirects within [`Reach`].
    client: Client,
    /// For token services; follows no redirect, because requests carry secrets in their bodies too.
    token_client: Client,
    clock: SharedClock,
    mask: Arc<Mask>,
    recorder: Option<Recorder>,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, at most as long as was asked for; cut at 64 KiB where the status is an error.
    pub body: Vec<u8>,
    mask: Arc<Mask>,
    /// What follows the `?` of the address to which a redirect led: it may be a signature.
    signed: Vec<String>,
}

/// What one request did, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// `HEAD`, `GET`, `POST`.
    pub method: Method,
    /// Where it went, secrets masked.
    pub url: String,
    /// Where redirects led, if elsewhere; without the query, which may be a signature.
    pub redirected_to: Option<String>,
    /// The answer's status, if there was one.
    pub status: Option<u16>,
    /// How long it took.
    pub took: Millis,
    /// Whether the request had an `Authorization` header.
    pub authorized: bool,
    /// The `WWW-Authenticate` lines of the answer.
    pub challenges: Vec<String>,
    /// What went wrong, if something did.
    pub error: Option<String>,
}

/// Keeps what was sent, when somebody wants to see it.
pub type Recorder = Arc<Mutex<Vec<Exchange>>>;

/// Error bodies are read to here.
const ERROR_BODY: usize = 64 * 1024;
/// A text that a server supplies is cut to this many characters.
const MAX_TEXT: usize = 300;
const MAX_REDIRECTS: usize = 5;

/// Which client sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// The registry.
    Registry,
    /// The token service.
    TokenService,
}

impl Transport {
    /// Two clients made from what `builder` returns.
    pub fn new(
        builder: impl Fn() -> ClientBuilder,
        reach: Reach,
        clock: SharedClock,
        mask: Arc<Mask>,
        recorder: Option<Recorder>,
    ) -> Result<Self, reqwest::Error> {
        let policy = Policy::custom(move |attempt| redirect(&reach, attempt));
        let client = builder().redirect(policy).build()?;
        let token_client = builder().redirect(Policy::none()).build()?;
        Ok(Self { client, token_client, clock, mask, recorder })
    }

    /// Sends one request. An answer longer than `cap` bytes, and one that was not read whole, is a fault.
    pub async fn send(&self, to: To, request: Request, cap: usize) -> Result<Reply, Fault> {
        let url = request.url().clone();
        let sent = self.clock.now().mono;
        let mut exchange = self.recorder.is_some().then(|| Exchange {
            method: request.method().clone(),
            url: self.mask.cover(url.as_str()),
            redirected_to: None,
            status: None,
            took: Millis(0),
            authorized: request.headers().contains_key(reqwest::header::AUTHORIZATION),
            challenges: Vec::new(),
            error: None,
        });
        let client = if to == To::Registry { &self.client } else { &self.token_client };
        let result =
            self.exchange(client, request, cap, exchange.as_mut()).await.map_err(|fault| fault.into_fault(&url));
        if let (Some(recorder), Some(mut exchange)) = (&self.recorder, exchange) {
            exchange.took = Millis(((self.clock.now().mono.0 - sent.0) / 1000) as i64);
            exchange.error = match &result {
                Err(Fault::Final(error) | Fault::Again { error, .. }) => Some(error.to_string()),
                Err(Fault::Limited { message, .. }) => Some(message.clone()),
                Ok(_) => None,
            };
            recorder.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
        }
        result
    }

    async fn exchange(
        &self,
        client: &Client,
        request: Request,
        cap: usize,
        exchange: Option<&mut Exchange>,
    ) -> Result<Reply, Broken> {
        let url = request.url().clone();
        let mut response = client.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let signed = if *response.url() == url { Vec::new() } else { parts_of_query(response.url()) };
        if let Some(exchange) = exchange {
            exchange.status = Some(status.as_u16());
            let lines = headers.get_all(reqwest::header::WWW_AUTHENTICATE).iter();
            let line = |line: &HeaderValue| without(&signed, &String::from_utf8_lossy(line.as_bytes()));
            exchange.challenges = lines.map(|value| self.mask.text(&line(value))).collect();
            if *response.url() != url {
                let mut end = response.url().clone();
                end.set_query(None);
                exchange.redirected_to = Some(self.mask.cover(end.as_str()));
            }
        }
        let success = status.is_success();
        let cap = if success { cap } else { ERROR_BODY };
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            let room = cap - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                if success {
                    return Err(Broken::TooLong(cap));
                }
                break;
            }
        }
        Ok(Reply { status, headers, body, mask: self.mask.clone(), signed })
    }

    /// Covers secrets in everything said from now on.
    pub fn mask(&self) -> &Mask {
        &self.mask
    }
}

/// The rule for redirects. reqwest itself drops `Authorization` when host, port or scheme change.
fn redirect(reach: &Reach, attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error(format!("more than {MAX_REDIRECTS} redirects"));
    }
    let downgrade = attempt.url().scheme() == "http" && attempt.previous().iter().any(|url| url.scheme() == "https");
    if downgrade {
        return attempt.error("a redirect leads from https to http");
    }
    match reach.check(attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(reason) => attempt.error(reason),
    }
}

enum Broken {
    Http(reqwest::Error),
    TooLong(usize),
}

impl From<reqwest::Error> for Broken {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error)
    }
}

impl Broken {
    fn into_fault(self, url: &Url) -> Fault {
        let host = url.host_str().unwrap_or_default();
        let error = match self {
            Self::TooLong(cap) => {
                let message = format!("{host} sent more than {cap} bytes");
                return Fault::Final(RegistryError::Unintelligible { message });
            }
            Self::Http(error) => error.without_url(),
        };
        let cause = text(&root_cause(&error));
        if error.is_redirect() {
            return Fault::Final(RegistryError::Unintelligible { message: cause });
        }
        if error.is_builder() {
            return Fault::Final(RegistryError::Unintelligible { message: format!("{host}: {cause}") });
        }
        let port = url.port_or_known_default().unwrap_or_default();
        let message = match () {
            () if error.is_timeout() && error.is_connect() => {
                format!("{host}:{port} did not accept a connection in time")
            }
            () if error.is_timeout() => format!("{host}:{port} did not answer in time"),
            () if error.is_body() || error.is_decode() => format!("{host}:{port} broke off its answer ({cause})"),
            () => format!("no connection to {host}:{port} ({cause})"),
        };
        // All our requests can be repeated. Where an answer had begun or a time-out passed, the next pass will ask again.
        let again = error.is_connect() || error.is_request() && !error.is_timeout();
        let error = RegistryError::Unreachable { message };
        if again { Fault::Again { error, after: None } } else { Fault::Final(error) }
    }
}

/// The innermost cause: the outer ones only say that a request failed.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[derive(Deserialize)]
struct ErrorBody {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
}

impl Reply {
    /// A part of this answer made fit to be shown; what decides something is read as it came.
    pub fn covered(&self, text: &str) -> String {
        self.mask.text(&without(&self.signed, text))
    }

    /// The first error code of the body, such as `MANIFEST_UNKNOWN`.
    pub fn error_code(&self) -> Option<String> {
        let body: ErrorBody = serde_json::from_slice(&self.body).ok()?;
        let code = body.errors.into_iter().next()?.code;
        // Codes decide what a 404 means; only what does not look like one is masked.
        let looks_right = code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        let code = if looks_right { code } else { self.covered(&code) };
        (!code.is_empty()).then(|| code.chars().take(64).collect())
    }

    /// Status and what the body says of it, for a person.
    pub fn said(&self) -> String {
        let reason = self.reason();
        let detail = self.detail();
        let status = format!("{} {reason}", self.status.as_u16());
        if detail == reason { status } else { format!("{status}: {detail}") }
    }

    /// What the body says, else what the status means.
    pub fn detail(&self) -> String {
        let said = match serde_json::from_slice::<ErrorBody>(&self.body) {
            Ok(body) => body.errors.first().map(|error| match &error.message {
                Some(message) if !message.is_empty() => format!("{}: {message}", error.code),
                _ => error.code.clone(),
            }),
            Err(_) if self.is_html() => Some("an HTML page".to_owned()),
            Err(_) => Some(String::from_utf8_lossy(&self.body).into_owned()),
        };
        let said = said.map(|said| self.covered(&said)).filter(|said| !said.is_empty());
        said.unwrap_or_else(|| self.reason().to_owned())
    }

    fn reason(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("unknown status")
    }

    /// Whether the body is a web page, as sign-in pages and proxies send it.
    pub fn is_html(&self) -> bool {
        let start = self.body.trim_ascii_start();
        let starts = |tag: &[u8]| start.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
        let declared = self.headers.get(reqwest::header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        starts(b"<!doctype html") || starts(b"<html") || declared.is_some_and(|value| value.starts_with(b"text/html"))
    }
}

/// The query of an address, and each value in it, the longest first. Short ones are no signatures, and stand in any text.
fn parts_of_query(url: &Url) -> Vec<String> {
    let query = url.query().unwrap_or_default();
    let raw = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.1.to_owned()));
    let values = raw.chain(url.query_pairs().map(|(_, value)| value.into_owned()));
    let mut parts: Vec<String> = values.chain([query.to_owned()]).filter(|part| part.len() > 7).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts
}

fn without(parts: &[String], text: &str) -> String {
    parts.iter().fold(text.to_owned(), |text, part| text.replace(part.as_str(), "***"))
}

/// Takes secrets out of texts: servers like to quote what they were sent.
#[derive(Debug, Default)]
pub struct Mask {
    /// Of the credentials; these stay.
    fixed: Vec<Secret>,
    /// Tokens, the newest last.
    tokens: Mutex<VecDeque<Secret>>,
}

impl Mask {
    /// Covers these, and what is added later.
    pub fn new(secrets: &[Secret]) -> Self {
        let encoded = |secret: &Secret| {
            let form: String = url::form_urlencoded::byte_serialize(secret.expose().as_bytes()).collect();
            [secret.clone(), Secret::new(form)]
        };
        let mut fixed: Vec<_> = secrets.iter().flat_map(encoded).filter(|secret| !secret.expose().is_empty()).collect();
        // A secret that contains another has to be found first.
        fixed.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self { fixed, tokens: Mutex::default() }
    }

    /// Covers this token too; of many, the newest 256.
    pub fn add(&self, token: Secret) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if !tokens.contains(&token) {
            tokens.push_back(token);
        }
        if tokens.len() > 256 {
            tokens.pop_front();
        }
    }

    /// The text with `***` for every secret.
    pub fn cover(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in tokens.iter().chain(&self.fixed) {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), "***");
            }
        }
        text
    }

    /// A server's text made fit to be shown: secrets covered, one line, at most 300 characters.
    pub fn text(&self, text: &str) -> String {
        self::text(&self.cover(text))
    }
}

/// One line of at most 300 characters, without control characters.
fn text(text: &str) -> String {
    let clean = text.trim().chars().map(|char| if char.is_control() { ' ' } else { char });
    clean.take(MAX_TEXT).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_covered_before_a_text_is_cut() {
        let mask = Mask::new(&[Secret::new("hunter2"), Secret::new("a b/c"), Secret::new("")]);
        mask.add(Secret::new("tok-hunter2-en"));
        assert_eq!(mask.text("x hunter2 tok-hunter2-en a+b%2Fc\r\n\u{1b}[31mred"), "x *** *** ***   [31mred");
        let long = format!("{}hunter2", "x".repeat(MAX_TEXT - 3));
        assert_eq!(mask.text(&long), format!("{}***", "x".repeat(MAX_TEXT - 3)));
    }

    #[test]
    fn the_signature_of_an_address_is_not_quoted() {
        let url = "https://cdn.example/blob?sig=abc%2Fdefgh%3D&sv=1&token=0123456789".parse().unwrap();
        let said = without(&parts_of_query(&url), "no: abc/defgh= abc%2Fdefgh%3D 0123456789 1");
        assert_eq!(said, "no: *** *** *** 1");
        assert_eq!(without(&parts_of_query(&url), url.as_str()), "https://cdn.example/blob?***");
    }

    #[test]
    fn what_a_registry_says_of_an_error_is_found() {
        let reply = |body: &[u8]| Reply {
            status: StatusCode::NOT_FOUND,
            headers: HeaderMap::new(),
            body: body.to_vec(),
            mask: Arc::default(),
            signed: Vec::new(),
        };
        let known = reply(br#"{"errors":[{"code":"TAG_EXPIRED","message":"gone","detail":{"a":1}}]}"#);
        assert_eq!(known.error_code().as_deref(), Some("TAG_EXPIRED"));
        assert_eq!(known.said(), "404 Not Found: TAG_EXPIRED: gone");
        assert_eq!(reply(b" <!DOCTYPE HTML><p>x").said(), "404 Not Found: an HTML page");
        assert_eq!(reply(b"404 page not found\n").said(), "404 Not Found: 404 page not found");
        for body in [&b"{}"[..], b"", b"[]", br#"{"errors":null}"#, br#"{"errors":[]}"#, b"\xff\xfe"] {
            assert_eq!(reply(body).error_code(), None);
            assert!(reply(body).said().starts_with("404 Not Found"));
        }
    }
}
