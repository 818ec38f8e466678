//! A registry in memory, over the real protocol on loopback and by direct calls.

mod answer;
mod blobs;
mod manifests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::DATE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tagwarden_model::digest::Digest;
use tagwarden_model::tag::MediaType;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock::SharedClock;
use answer::{Code, failure, ok_json};

/// The largest body it accepts. Demo and test images are a few kilobytes.
const MAX_BODY: usize = 16 << 20;

/// A registry in memory. Clones share their content.
///
/// It answers as docker-registry 2.8.2 does, status, headers and error bodies included, with these differences: tags are
/// sorted, and `n` and `last` page them by `Link` (distribution-spec 1.1, "Listing Tags"); a Docker manifest asked for
/// without its media type in Accept is refused as 2.8.2 refuses an OCI one, not rewritten into another schema.
#[derive(Clone, Default)]
pub struct DemoRegistry {
    shared: Arc<Mutex<Content>>,
    clock: Option<SharedClock>,
}

/// How many requests of each kind were answered, refused ones included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pages of `tags/list`.
    pub tag_lists: u64,
    /// HEAD of manifests, those answered 304 included.
    pub manifest_heads: u64,
    /// GET of manifests, those answered 304 included.
    pub manifest_gets: u64,
    /// 304 answers.
    pub not_modified: u64,
    /// HEAD and GET of blobs.
    pub blob_reads: u64,
    /// Everything that is neither HEAD nor GET.
    pub writes: u64,
}

#[derive(Clone, Default)]
struct Content {
    repositories: BTreeMap<String, Repository>,
    uploads: BTreeMap<u64, Vec<u8>>,
    last_upload: u64,
    page_size: Option<usize>,
    fails: bool,
    counts: Counts,
}

#[derive(Clone, Default)]
struct Repository {
    tags: BTreeMap<String, Digest>,
    /// From the first tag on it is listed, also without any tag left.
    is_listed: bool,
    manifests: BTreeMap<Digest, Manifest>,
    blobs: BTreeMap<Digest, Bytes>,
}

#[derive(Clone)]
struct Manifest {
    media_type: MediaType,
    bytes: Bytes,
}

impl DemoRegistry {
    /// An empty registry whose `Date` header is the machine's time.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same content, with its `Date` header from `clock`.
    #[must_use]
    pub fn dated_by(self, clock: SharedClock) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Lets `tag` name the manifest `bytes`; makes the repository if it is new. What the manifest names is not asked for.
    pub fn push(&self, repository: &str, tag: &str, bytes: impl Into<Bytes>, media_type: MediaType) -> Digest {
        let digest = self.put_manifest(repository, bytes, media_type);
        self.point(repository, tag, digest.clone());
        digest
    }

    /// Keeps a manifest under its digest alone, as the children of an index are.
    pub fn put_manifest(&self, repository: &str, bytes: impl Into<Bytes>, media_type: MediaType) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.content().repository(repository).manifests.insert(digest.clone(), Manifest { media_type, bytes });
        digest
    }

    /// Keeps a config or a layer.
    pub fn put_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.content().repository(repository).blobs.insert(digest.clone(), bytes);
        digest
    }

    /// Lets `tag` name a digest that may be there or not. Gives what it named before.
    pub fn point(&self, repository: &str, tag: &str, digest: Digest) -> Option<Digest> {
        self.content().repository(repository).point(tag, digest)
    }

    /// Removes the name alone. Gives what it named.
    pub fn delete_tag(&self, repository: &str, tag: &str) -> Option<Digest> {
        self.content().repositories.get_mut(repository)?.tags.remove(tag)
    }

    /// Removes a manifest and every tag that names it, as DELETE by digest does. Gives these tags; `None` if it was not
    /// there.
    pub fn delete_manifest(&self, repository: &str, digest: &Digest) -> Option<BTreeSet<String>> {
        let mut content = self.content();
        let repository = content.repositories.get_mut(repository)?;
        repository.manifests.remove(digest)?;
        let gone: BTreeSet<_> =
            repository.tags.iter().filter(|(_, named)| *named == digest).map(|(tag, _)| tag.clone()).collect();
        repository.tags.retain(|tag, _| !gone.contains(tag));
        Some(gone)
    }

    /// Removes a config or a layer, as a careless garbage collection does. Says whether it was there.
    pub fn delete_blob(&self, repository: &str, digest: &Digest) -> bool {
        let mut content = self.content();
        content.repositories.get_mut(repository).is_some_and(|found| found.blobs.remove(digest).is_some())
    }

    /// Removes a repository with all that is in it. Says whether it was there.
    pub fn delete_repository(&self, repository: &str) -> bool {
        self.content().repositories.remove(repository).is_some()
    }

    /// The tags of a repository with the digests they name; none if there is no such repository.
    pub fn tags(&self, repository: &str) -> BTreeMap<String, Digest> {
        self.content().repositories.get(repository).map(|found| found.tags.clone()).unwrap_or_default()
    }

    /// The largest page of `tags/list`, whatever `n` asks for. Without it a listing without `n` is one page.
    pub fn set_page_size(&self, tags: usize) {
        self.content().page_size = Some(tags.max(1));
    }

    /// Whether it answers everything with 503 from now on.
    pub fn set_failing(&self, fails: bool) {
        self.content().fails = fails;
    }

    /// A registry of its own with this one's content of now: a replica that gets no more news.
    #[must_use]
    pub fn frozen(&self) -> Self {
        let content = self.content().clone();
        Self { shared: Arc::new(Mutex::new(content)), clock: self.clock.clone() }
    }

    /// What was asked of it over HTTP so far.
    pub fn counts(&self) -> Counts {
        self.content().counts
    }

    /// The protocol, to be served or called.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(self.clone())
    }

    /// Serves it on a free port of 127.0.0.1.
    pub async fn serve(&self) -> io::Result<Serving> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let server = axum::serve(listener, self.router());
        tokio::spawn(stop.clone().run_until_cancelled_owned(server.into_future()));
        Ok(Serving { address, _stop: stop.drop_guard() })
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        // Content is whole between any two calls, so what a panicking test left behind can be used.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A registry that listens until this is dropped.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    _stop: DropGuard,
}

impl Serving {
    /// `127.0.0.1:5000`, the host of references.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:5000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Content {
    fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }
}

impl Repository {
    fn point(&mut self, tag: &str, digest: Digest) -> Option<Digest> {
        self.is_listed = true;
        self.tags.insert(tag.to_owned(), digest)
    }
}

/// What a path below `/v2/` names. Repository names hold slashes, so it is read from its end.
enum Endpoint<'a> {
    Tags { repository: &'a str },
    Manifest { repository: &'a str, reference: &'a str },
    Uploads { repository: &'a str },
    Upload { repository: &'a str, id: &'a str },
    Blob { repository: &'a str, digest: &'a str },
}

impl<'a> Endpoint<'a> {
    fn of(path: &'a str) -> Option<Self> {
        if let Some(repository) = path.strip_suffix("/tags/list") {
            return Some(Self::Tags { repository });
        }
        if let Some((repository, id)) = path.rsplit_once("/blobs/uploads/") {
            return Some(if id.is_empty() { Self::Uploads { repository } } else { Self::Upload { repository, id } });
        }
        if let Some((repository, digest)) = path.rsplit_once("/blobs/") {
            return Some(Self::Blob { repository, digest });
        }
        path.rsplit_once("/manifests/").map(|(repository, reference)| Self::Manifest { repository, reference })
    }

    fn repository(&self) -> &'a str {
        match self {
            Self::Tags { repository }
            | Self::Manifest { repository, .. }
            | Self::Uploads { repository }
            | Self::Upload { repository, .. }
            | Self::Blob { repository, .. } => repository,
        }
    }
}

async fn answer(State(registry): State<DemoRegistry>, request: Request) -> Response {
    let mut response = dispatch(&registry, request).await;
    let headers = response.headers_mut();
    headers.insert("docker-distribution-api-version", HeaderValue::from_static("registry/2.0"));
    if let Some(clock) = &registry.clock {
        let millis = u64::try_from(clock.now().mark.wall.0).unwrap_or(0);
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(millis));
        if let Ok(date) = HeaderValue::from_str(&date) {
            headers.insert(DATE, date);
        }
    }
    let mut content = registry.content();
    content.counts.not_modified += u64::from(response.status() == StatusCode::NOT_MODIFIED);
    response
}

async fn dispatch(registry: &DemoRegistry, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if registry.content().fails {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let Some(path) = parts.uri.path().strip_prefix("/v2/") else { return StatusCode::NOT_FOUND.into_response() };
    if path.is_empty() {
        return ok_json(&json!({}));
    }
    if path == "_catalog" {
        return registry.list_repositories(&parts);
    }
    let Some(endpoint) = Endpoint::of(path) else { return StatusCode::NOT_FOUND.into_response() };
    if !is_repository_name(endpoint.repository()) {
        return failure(Code::NameInvalid, &Value::Null);
    }
    registry.content().counts.count(&endpoint, &parts.method);
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match endpoint {
        Endpoint::Tags { repository } => registry.list_tags(&parts, repository),
        Endpoint::Manifest { repository, reference } => registry.answer_manifest(&parts, repository, reference, body),
        Endpoint::Uploads { repository } => registry.begin_upload(&parts, repository),
        Endpoint::Upload { repository, id } => registry.continue_upload(&parts, repository, id, &body),
        Endpoint::Blob { repository, digest } => registry.answer_blob(&parts, repository, digest),
    }
}

impl Counts {
    fn count(&mut self, endpoint: &Endpoint<'_>, method: &Method) {
        let counter = match (endpoint, method) {
            (_, method) if method != Method::GET && method != Method::HEAD => &mut self.writes,
            (Endpoint::Tags { .. }, _) => &mut self.tag_lists,
            (Endpoint::Manifest { .. }, &Method::HEAD) => &mut self.manifest_heads,
            (Endpoint::Manifest { .. }, _) => &mut self.manifest_gets,
            _ => &mut self.blob_reads,
        };
        *counter += 1;
    }
}

/// distribution-spec, "Pulling manifests": the grammar of `<name>`.
fn is_repository_name(name: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_part = |part: &str| {
        // One `.`, one or two `_`, any number of `-` between words.
        let plain = part.replace("__", "_");
        let mut rest = plain.as_str();
        loop {
            let end = rest.find(['.', '_', '-']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if !is_word(word) {
                return false;
            }
            if after.is_empty() {
                return true;
            }
            rest = if after.starts_with('-') { after.trim_start_matches('-') } else { &after[1..] };
        }
    };
    name.len() <= 255 && name.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_names_follow_the_grammar() {
        for name in ["a", "team/api", "a.b/c_d/e__f/g--h", "library/nginx", "0"] {
            assert!(is_repository_name(name), "{name}");
        }
        for name in ["", "/", "a/", "A", "a..b", "a___b", "-a", "a-", "a._b", "a b", "é"] {
            assert!(!is_repository_name(name), "{name}");
        }
    }

    #[test]
    fn a_frozen_copy_gets_no_more_news() {
        let registry = DemoRegistry::new();
        let first = registry.push("team/api", "1.0.0", "{}", MediaType::OciManifest);
        let replica = registry.frozen();
        let second = registry.push("team/api", "1.0.0", "{ }", MediaType::OciManifest);
        assert_eq!(replica.tags("team/api")["1.0.0"], first);
        assert_eq!(registry.tags("team/api")["1.0.0"], second);
        assert_eq!(registry.delete_manifest("team/api", &first), Some(BTreeSet::new()));
        assert_eq!(registry.delete_manifest("team/api", &second), Some(BTreeSet::from(["1.0.0".to_owned()])));
        assert_eq!(registry.delete_manifest("team/api", &second), None);
    }
}
