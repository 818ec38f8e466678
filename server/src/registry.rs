//! The port to a registry: the few calls of the OCI distribution specification that Tagwarden makes.

pub mod allowance;
mod auth;
mod catalogue;
mod challenge;
pub mod client;
pub mod credentials;
pub mod gate;
mod link;
mod reach;
pub mod retry;
mod scope;
mod tags_page;
pub mod transport;

use std::future::Future;

use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::observation::{Moment, Mono};
use tagwarden_model::tag::MediaType;

use self::allowance::Allowance;

/// What came back, and when. For a call of several requests: `sent` of the first and `received` of the last,
/// of the try that succeeded or failed last.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// Before the request left.
    pub sent: Moment,
    /// After the answer was read whole.
    pub received: Moment,
    /// The registry's own clock: its `Date` header, in whole seconds.
    pub date: Option<Instant>,
    /// The answer.
    pub result: Result<T, RegistryError>,
}

/// What HEAD said of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// 304 to our `If-None-Match`.
    NotModified,
    /// 405 or 501: this registry answers GET only.
    Unsupported,
    /// 200.
    Present {
        /// `Docker-Content-Digest`, if it is a digest.
        claim: Option<Digest>,
        /// One of the four.
        media_type: MediaType,
    },
}

/// A manifest as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The raw bytes.
    pub bytes: Vec<u8>,
    /// sha256 of `bytes`.
    pub digest: Digest,
    /// `Docker-Content-Digest`, if it is a digest.
    pub claim: Option<Digest>,
    /// From the Content-Type header.
    pub media_type: MediaType,
}

/// Names of a registry's repositories, without the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// In order.
    pub names: Vec<String>,
    /// Whether these are all.
    pub whole: bool,
}

/// How a manifest is asked for.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// Proves that the name gives these bytes.
    Tag(&'a TagName),
    /// Asked by digest, an answer with other bytes is `Unintelligible`.
    Digest(&'a Digest),
}

/// What a registry can do wrong, by what the caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// 404. `code` is the registry's own word (`MANIFEST_UNKNOWN`, `NAME_UNKNOWN`, `TAG_EXPIRED`), if it sent one.
    #[error("not found{}", .code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default())]
    NotFound {
        /// The registry's error code.
        code: Option<String>,
    },
    /// 401 or 403 after the one retry: credentials are wrong, missing or too weak.
    #[error("refused: {message}")]
    Refused {
        /// What the registry said, cut to 300 characters, without secrets.
        message: String,
    },
    /// 429, or a pause that an earlier 429 began: ask again then, not before.
    #[error("rate limited: {message}")]
    RateLimited {
        /// When the pause ends.
        retry_at: Mono,
        /// What the registry said.
        message: String,
    },
    /// The registry counts GETs of manifests, and few or none are left: they go on then, everything else may be asked.
    #[error("no more manifests are read for now: {message}")]
    Spent {
        /// When the next one may be sent.
        retry_at: Mono,
        /// What is left, or what the registry said.
        message: String,
    },
    /// No connection, TLS failure, time-out, reset. Ask again later.
    #[error("unreachable: {message}")]
    Unreachable {
        /// What happened, with the host.
        message: String,
    },
    /// 5xx after the retries. Ask again later.
    #[error("the registry failed with status {status}: {message}")]
    Server {
        /// The status code.
        status: u16,
        /// What the registry said.
        message: String,
    },
    /// An answer that no registry should give: HTML, an unknown media type, cut JSON, wrong bytes, endless pages.
    #[error("not understood: {message}")]
    Unintelligible {
        /// What was wrong with it.
        message: String,
    },
}

/// A registry as one registry entry reaches it.
pub trait Registry: Send + Sync + 'static {
    /// All tags, following `Link` to the end. A listing that could not be read to its end is an error.
    /// Names that are no valid tags are left out.
    fn list_tags(&self, repository: &RepositoryName) -> impl Future<Output = Answer<Vec<TagName>>> + Send;

    /// HEAD of a tag with the four media types, conditional when `known` is what HEAD said before.
    fn head(
        &self,
        repository: &RepositoryName,
        tag: &TagName,
        known: Option<&Digest>,
    ) -> impl Future<Output = Answer<Head>> + Send;

    /// GET of a manifest, hashed.
    fn manifest(&self, repository: &RepositoryName, by: By<'_>) -> impl Future<Output = Answer<Manifest>> + Send;

    /// A small blob (an image's config), hashed; larger than 4 MiB is `Unintelligible`.
    fn blob(&self, repository: &RepositoryName, digest: &Digest) -> impl Future<Output = Answer<Vec<u8>>> + Send;

    /// Whether a blob is there (HEAD).
    fn has_blob(&self, repository: &RepositoryName, digest: &Digest) -> impl Future<Output = Answer<bool>> + Send;

    /// Whether a manifest is there (HEAD by digest).
    fn has_manifest(&self, repository: &RepositoryName, digest: &Digest) -> impl Future<Output = Answer<bool>> + Send;

    /// The repositories that the registry has, as far as it says and we read. Most registries refuse, or have no such list.
    fn catalogue(&self, host: &str) -> impl Future<Output = Result<Names, RegistryError>> + Send {
        let _ = host;
        std::future::ready(Err(RegistryError::NotFound { code: None }))
    }

    /// How many counted requests the registry allows, as it said last; `None` if it never spoke of that.
    fn allowance(&self) -> Option<Allowance> {
        None
    }
}
