//! The client: the distribution API over HTTP.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH,
};
use reqwest::{Method, Request, StatusCode, Url};
use serde::de::IgnoredAny;
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::{Instant, Millis};
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::tag::MediaType;

use super::allowance::Allowance;
use super::auth::{Auth, Subject};
use super::credentials::Credentials;
use super::gate::{Gate, HostLimits, Limits};
use super::link::next_query;
use super::reach::Reach;
use super::retry::{Fault, Retry, date};
use super::scope::Right;
use super::tags_page::page_of_tags;
use super::transport::{Mask, Recorder, Reply, TimeOuts, To, Transport};
use super::{Answer, By, Head, Manifest, Names, Registry, RegistryError};
use crate::clock::SharedClock;

/// A registry reached over HTTP.
pub struct HttpRegistry {
    base: Url,
    host: String,
    transport: Transport,
    auth: Auth,
    gate: Gate,
    retry: Retry,
    clock: SharedClock,
}

/// How one registry is reached.
#[derive(Clone, PartialEq)]
pub struct RegistrySettings {
    /// The host as it stands in names: `docker.io`, `127.0.0.1:5055`.
    pub host: String,
    /// Where its API is, if not at the host: `https://mirror.example/proxy`; a path stands before `/v2/`.
    pub url: Option<Url>,
    /// Whether to speak HTTP without TLS; a loopback host is spoken to so in any case, as by docker.
    pub plain_http: bool,
    /// Whether to accept any certificate. Whoever is on the way can then read the credentials.
    pub accept_invalid_certificates: bool,
    /// Certificates to trust besides the system's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// Internal hosts that the registry may send us to for tokens and blobs although it is not internal itself.
    pub allowed_hosts: Vec<String>,
    /// Who we are.
    pub credentials: Credentials,
    /// Concurrency, budget, pause and circuit.
    pub limits: Limits,
    /// What the host says of its limits; the entries of one host share it.
    pub host_limits: Arc<HostLimits>,
    /// What is tried again when.
    pub retry: Retry,
    /// How long a request may take.
    pub time_outs: TimeOuts,
    /// The `User-Agent`.
    pub user_agent: String,
}

/// Why a registry cannot be reached as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Host or URL.
    #[error("`{url}` is no URL of a registry; it begins with http:// or https:// and has a host")]
    Url {
        /// The URL.
        url: String,
    },
    /// The file of certificates.
    #[error("the certificates in {} cannot be read", path.display())]
    CaFile {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its content.
    #[error("{} has no certificates in PEM form", path.display())]
    Certificates {
        /// Where it is.
        path: PathBuf,
    },
    /// TLS, proxies or the user agent.
    #[error("the HTTP client cannot be made")]
    Client(#[from] reqwest::Error),
}

/// A manifest or an image's config is at most this long (distribution-spec, "Pushing Manifests": at least 4 MiB).
const MAX_MANIFEST: usize = 4 * 1024 * 1024;
const MAX_TAGS_PAGE: usize = 8 * 1024 * 1024;
const MAX_PAGES: usize = 1000;
const MAX_TAGS: usize = 200_000;
/// After so long no further page of a listing is asked for. A thousand pages would each have their own time-outs, and whoever
/// waits for the listing would wait for hours; a pass of a slow band may last longer, one of a fast band is over by then.
const LONGEST_LISTING: Millis = Millis::minutes(5);
const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

impl RegistrySettings {
    /// The defaults for a host.
    pub fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            url: None,
            plain_http: false,
            accept_invalid_certificates: false,
            ca_file: None,
            allowed_hosts: Vec::new(),
            credentials: Credentials::default(),
            limits: Limits::of_host(host),
            host_limits: Arc::default(),
            retry: Retry::default(),
            time_outs: TimeOuts::default(),
            user_agent: concat!("tagwarden/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// Where the API is.
    pub fn base(&self) -> Result<Url, SettingsError> {
        let name = RepositoryName { host: self.host.clone(), path: String::new() };
        let scheme = if self.plain_http || name.is_loopback() { "http" } else { "https" };
        let text = self.url.as_ref().map_or_else(|| format!("{scheme}://{}", name.api_host()), Url::to_string);
        let base = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        base.ok_or(SettingsError::Url { url: text })
    }
}

/// One request, before it is authorised.
pub(super) struct Ask<'a> {
    method: Method,
    pub(super) subject: Subject<'a>,
    /// What follows `/v2/`.
    path: String,
    pub(super) query: Option<&'a str>,
    headers: HeaderMap,
    cap: usize,
}

impl HttpRegistry {
    /// A client; nothing is sent yet.
    pub fn new(settings: RegistrySettings, clock: SharedClock) -> Result<Self, SettingsError> {
        Self::recorded(settings, clock, None)
    }

    /// A client that keeps what it sends, for `tagwarden check`.
    pub fn recorded(
        settings: RegistrySettings,
        clock: SharedClock,
        recorder: Option<Recorder>,
    ) -> Result<Self, SettingsError> {
        // The first one installed counts; that another part of the process was faster is no error.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = settings.base()?;
        let mut certificates = Vec::new();
        if let Some(path) = &settings.ca_file {
            let pem = std::fs::read(path).map_err(|source| SettingsError::CaFile { path: path.clone(), source })?;
            certificates = reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if certificates.is_empty() {
                return Err(SettingsError::Certificates { path: path.clone() });
            }
        }
        let local = base
            .host_str()
            .is_some_and(|host| RepositoryName { host: host.to_owned(), path: String::new() }.is_loopback());
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(&settings.user_agent)
                .connect_timeout(settings.time_outs.connect)
                .read_timeout(settings.time_outs.read)
                .timeout(settings.time_outs.total)
                .retry(reqwest::retry::never())
                .referer(false)
                .tls_danger_accept_invalid_certs(settings.accept_invalid_certificates)
                .tls_certs_merge(certificates.clone());
            // No proxy can reach this machine's own loopback.
            if local { builder.no_proxy() } else { builder }
        };
        let mask = Arc::new(Mask::new(&settings.credentials.secrets()));
        let reach = Reach::new(base.clone(), settings.allowed_hosts);
        let transport = Transport::new(builder, reach.clone(), clock.clone(), mask, recorder)?;
        Ok(Self {
            auth: Auth::new(base.clone(), settings.credentials, reach, clock.clone()),
            gate: Gate::new(settings.limits, settings.host_limits, clock.clone()),
            retry: settings.retry,
            host: settings.host,
            base,
            transport,
            clock,
        })
    }

    /// Whether there is a registry that lets us in (distribution-spec end-1). The repository picks the credentials.
    pub async fn probe(&self, repository: &RepositoryName) -> Answer<()> {
        let mut ask = Ask::new(Method::GET, repository, String::new(), MAX_MANIFEST);
        ask.subject.right = Right::Nothing;
        self.call(&ask).await.then(|reply| expect_ok(&reply))
    }

    /// Sends a request, again where that may help.
    pub(super) async fn call(&self, ask: &Ask<'_>) -> Answer<Reply> {
        let counted = ask.method == Method::GET && ask.path.contains("/manifests/");
        let mut tried = 0;
        loop {
            let entered = match self.gate.may_get() {
                Err(error) if counted => Err(error),
                _ => self.gate.enter().await,
            };
            let pass = match entered {
                Ok(pass) => pass,
                Err(error) => {
                    let (sent, received) = (self.clock.now(), self.clock.now());
                    return Answer { sent, received, date: None, result: Err(error) };
                }
            };
            let sent = self.clock.now();
            let mut date = None;
            let result = self.authorised(ask, &mut date).await;
            let received = self.clock.now();
            tried += 1;
            let result = match result {
                Ok(reply) => Ok(reply),
                Err(Fault::Final(error)) => Err(error),
                Err(Fault::Limited { by, after, message }) => {
                    let by_count = (counted && by == To::Registry).then(|| self.gate.spend(after, &message)).flatten();
                    let error = by_count.unwrap_or_else(|| self.gate.pause(by, after, message));
                    return Answer { sent, received, date, result: Err(error) };
                }
                Err(Fault::Again { error, after }) => {
                    if let Some(delay) = self.retry.delay(tried, after) {
                        // Others may use the place in the meantime.
                        drop(pass);
                        self.clock.sleep_until(received.mono.after(delay)).await;
                        continue;
                    }
                    Err(error)
                }
            };
            self.gate.record(result.as_ref().err());
            return Answer { sent, received, date, result };
        }
    }

    /// One try: the request with what we are known by, and again after a 401 that can be answered.
    async fn authorised(&self, ask: &Ask<'_>, seen: &mut Option<Instant>) -> Result<Reply, Fault> {
        let mut grant = self.auth.before(&self.transport, ask.subject).await?;
        let mut round = 0;
        loop {
            let mut request = Request::new(ask.method.clone(), self.url(&ask.path, ask.query));
            *request.headers_mut() = ask.headers.clone();
            if let Some(grant) = &grant {
                request.headers_mut().insert(AUTHORIZATION, grant.header.clone());
            }
            let reply = self.transport.send(To::Registry, request, ask.cap).await?;
            *seen = date(&reply.headers);
            // Blobs may come from elsewhere, where other limits hold.
            if let Some(allowance) = Allowance::of(&reply.headers).filter(|_| ask.path.contains("/manifests/")) {
                self.gate.allow(allowance);
            }
            if reply.status != StatusCode::UNAUTHORIZED {
                let now = self.clock.now().mark.wall;
                return Fault::of(&reply, now).map_or(Ok(reply), Err);
            }
            round += 1;
            grant = Some(self.auth.after(&self.transport, ask.subject, &reply, grant.as_ref(), round).await?);
        }
    }

    fn url(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/v2/{path}", self.base.path().trim_end_matches('/')));
        url.set_query(query.filter(|query| !query.is_empty()));
        url
    }

    /// The query of the first page. Without `n`, most registries send everything or their own page size, and none gets
    /// its `Link` wrong; these hosts are known to be safe and faster with it.
    fn first_query(&self) -> &'static str {
        match self.host.as_str() {
            "ghcr.io" => "n=1000",
            "quay.io" => "n=100",
            host if host.contains(".dkr.ecr.") => "n=1000",
            _ => "",
        }
    }

    async fn exists(&self, repository: &RepositoryName, path: String, accept: &'static str) -> Answer<Option<Reply>> {
        let mut ask = Ask::new(Method::HEAD, repository, path, 0);
        ask.headers.insert(ACCEPT, HeaderValue::from_static(accept));
        let mut answer = self.call(&ask).await.then(|reply| expect_ok(&reply).map(|()| Some(reply)));
        if matches!(answer.result, Err(RegistryError::NotFound { .. })) {
            answer.result = Ok(None);
        }
        answer
    }
}

impl Registry for HttpRegistry {
    fn allowance(&self) -> Option<Allowance> {
        self.gate.allowance()
    }

    async fn catalogue(&self, host: &str) -> Result<Names, RegistryError> {
        self.read_catalogue(host).await
    }

    async fn list_tags(&self, repository: &RepositoryName) -> Answer<Vec<TagName>> {
        let mut query = self.first_query().to_owned();
        let (mut seen, mut tags, mut first_sent) = (HashSet::new(), BTreeSet::new(), None);
        let mut page = 0;
        loop {
            page += 1;
            let mut ask = Ask::new(Method::GET, repository, format!("{}/tags/list", repository.path), MAX_TAGS_PAGE);
            ask.query = Some(&query);
            let answer = self.call(&ask).await;
            let sent = *first_sent.get_or_insert(answer.sent);
            let next = answer.result.and_then(|reply| {
                expect_ok(&reply)?;
                tags.extend(page_of_tags(&reply)?);
                Ok(next_query(&reply.headers))
            });
            let (received, date) = (answer.received, answer.date);
            let end = |result| Answer { sent, received, date, result };
            let wrong = |message| end(Err(RegistryError::Unintelligible { message }));
            match next {
                Ok(None) => return end(Ok(std::mem::take(&mut tags).into_iter().collect())),
                Ok(Some(next)) => {
                    seen.insert(std::mem::replace(&mut query, next));
                }
                // zot answers so when the tag that the next page begins after was deleted meanwhile: the repository is
                // not missing.
                Err(RegistryError::NotFound { .. }) if page > 1 => {
                    return wrong(format!("page {page} of the tags is missing"));
                }
                Err(error) => return end(Err(error)),
            }
            if seen.contains(&query) {
                return wrong(format!("the tags' pages go in a circle after page {page}"));
            }
            if page >= MAX_PAGES || tags.len() > MAX_TAGS {
                return wrong(format!("more than {MAX_PAGES} pages or {MAX_TAGS} tags"));
            }
            if received.mono >= sent.mono.after(LONGEST_LISTING) {
                let (host, minutes, tags) = (&self.host, LONGEST_LISTING.0 / 60_000, tags.len());
                let message = format!(
                    "{host} is too slow: after {minutes} minutes its list of tags was not at its end (page {page}, {tags} tags)"
                );
                return end(Err(RegistryError::Unreachable { message }));
            }
        }
    }

    async fn head(&self, repository: &RepositoryName, tag: &TagName, known: Option<&Digest>) -> Answer<Head> {
        let mut ask = Ask::new(Method::HEAD, repository, format!("{}/manifests/{tag}", repository.path), 0);
        ask.headers.insert(ACCEPT, HeaderValue::from_static(MANIFESTS));
        if let Some(etag) = known.and_then(|known| HeaderValue::from_str(&format!("\"{known}\"")).ok()) {
            ask.headers.insert(IF_NONE_MATCH, etag);
        }
        self.call(&ask).await.then(|reply| {
            if reply.status == StatusCode::NOT_MODIFIED && known.is_some() {
                return Ok(Head::NotModified);
            }
            if matches!(reply.status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) {
                return Ok(Head::Unsupported);
            }
            expect_ok(&reply)?;
            Ok(Head::Present { claim: claim(&reply), media_type: media_type(&reply)? })
        })
    }

    async fn manifest(&self, repository: &RepositoryName, by: By<'_>) -> Answer<Manifest> {
        let name = match by {
            By::Tag(tag) => tag.to_string(),
            By::Digest(digest) => digest.to_string(),
        };
        let mut ask = Ask::new(Method::GET, repository, format!("{}/manifests/{name}", repository.path), MAX_MANIFEST);
        ask.headers.insert(ACCEPT, HeaderValue::from_static(MANIFESTS));
        self.call(&ask).await.then(|reply| {
            expect_ok(&reply)?;
            let (media_type, claim) = (media_type(&reply)?, claim(&reply));
            // A connection that ends an answer by closing can cut it unnoticed; half a manifest must not get a digest.
            if serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(&reply.body).is_err() {
                return Err(unintelligible("the manifest is no JSON object"));
            }
            if let By::Digest(asked) = by
                && !asked.matches(&reply.body)
            {
                return Err(unintelligible("the bytes do not have the digest that was asked for"));
            }
            let digest = Digest::of(&reply.body);
            Ok(Manifest { bytes: reply.body, digest, claim, media_type })
        })
    }

    async fn blob(&self, repository: &RepositoryName, digest: &Digest) -> Answer<Vec<u8>> {
        let ask = Ask::new(Method::GET, repository, format!("{}/blobs/{digest}", repository.path), MAX_MANIFEST);
        self.call(&ask).await.then(|reply| {
            expect_ok(&reply)?;
            if digest.matches(&reply.body) {
                Ok(reply.body)
            } else {
                Err(unintelligible("the bytes do not have the digest that was asked for"))
            }
        })
    }

    async fn has_blob(&self, repository: &RepositoryName, digest: &Digest) -> Answer<bool> {
        let answer = self.exists(repository, format!("{}/blobs/{digest}", repository.path), "*/*").await;
        answer.then(|reply| match reply {
            Some(reply) if reply.is_html() => Err(unintelligible("an HTML page instead of a blob")),
            reply => Ok(reply.is_some()),
        })
    }

    async fn has_manifest(&self, repository: &RepositoryName, digest: &Digest) -> Answer<bool> {
        let answer = self.exists(repository, format!("{}/manifests/{digest}", repository.path), MANIFESTS).await;
        answer.then(|reply| {
            let Some(reply) = reply else { return Ok(false) };
            media_type(&reply)?;
            match claim(&reply) {
                Some(claim) if claim.algorithm() == digest.algorithm() && claim != *digest => {
                    Err(unintelligible("the registry names another digest than was asked for"))
                }
                _ => Ok(true),
            }
        })
    }
}

/// All four types in one line: without its type in it, a manifest may be "not found" or be another one,
/// and some servers read only the first line.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

impl<'a> Ask<'a> {
    pub(super) fn new(method: Method, repository: &'a RepositoryName, path: String, cap: usize) -> Self {
        let mut headers = HeaderMap::new();
        // Digests are computed over the bytes as they were stored, and a cache in between must not answer.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        Self { method, subject: Subject { repository, right: Right::Pull }, path, query: None, headers, cap }
    }
}

impl<T> Answer<T> {
    /// The same answer, understood further.
    pub(super) fn then<U>(self, understand: impl FnOnce(T) -> Result<U, RegistryError>) -> Answer<U> {
        let Self { sent, received, date, result } = self;
        Answer { sent, received, date, result: result.and_then(understand) }
    }
}

pub(super) fn expect_ok(reply: &Reply) -> Result<(), RegistryError> {
    if reply.status == StatusCode::OK {
        Ok(())
    } else {
        Err(unintelligible(&format!("answered with {}", reply.said())))
    }
}

/// The Content-Type without its parameters.
fn media_type(reply: &Reply) -> Result<MediaType, RegistryError> {
    let text = reply.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    MediaType::from_word(&essence)
        .ok_or_else(|| unintelligible(&format!("the media type `{}` is no image's", reply.covered(text))))
}

/// `Docker-Content-Digest`, if it is a digest.
fn claim(reply: &Reply) -> Option<Digest> {
    reply.headers.get(DOCKER_CONTENT_DIGEST)?.to_str().ok()?.trim().parse().ok()
}

/// An answer that no registry should give.
pub(super) fn unintelligible(message: &str) -> RegistryError {
    RegistryError::Unintelligible { message: message.to_owned() }
}
