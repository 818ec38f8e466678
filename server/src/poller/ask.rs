use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_model::observation::{Bytes, Method, Moment, Mono, Observation, Seen, Unknown};
use tagwarden_model::record::entry::LastListing;
use tagwarden_model::record::{Listing, ListingSeen, Reply, RequestKind};

use crate::registry::{Answer, By, Head, Manifest, Registry, RegistryError};

/// What a request of the record machine gave.
#[derive(Debug)]
pub enum Answered {
    /// Tags of the repository.
    Listing(Answer<Vec<TagName>>),
    /// HEAD of a tag.
    Head(TagName, Answer<Head>),
    /// GET of a tag.
    Get(TagName, Answer<Manifest>),
}

/// Sends a request of the record machine.
pub async fn ask<R: Registry>(registry: &R, repository: &RepositoryName, request: RequestKind) -> Answered {
    match request {
        RequestKind::Listing => Answered::Listing(registry.list_tags(repository).await),
        RequestKind::Head(tag, known) => {
            let answer = registry.head(repository, &tag, known.as_ref()).await;
            Answered::Head(tag, answer)
        }
        RequestKind::Get(tag) => {
            let answer = registry.manifest(repository, By::Tag(&tag)).await;
            Answered::Get(tag, answer)
        }
    }
}

impl Answered {
    /// What our clock and the registry's said.
    pub fn clocks(&self) -> (Moment, Moment, Option<Instant>) {
        match self {
            Self::Listing(answer) => (answer.sent, answer.received, answer.date),
            Self::Head(_, answer) => (answer.sent, answer.received, answer.date),
            Self::Get(_, answer) => (answer.sent, answer.received, answer.date),
        }
    }

    /// What a check of a tag gave, for the metrics; `None` for listings.
    pub fn result(&self) -> Option<&'static str> {
        let failed = |error: &RegistryError| match error {
            RegistryError::NotFound { .. } => "absent",
            error => reason(error).word(),
        };
        Some(match self {
            Self::Listing(_) => return None,
            Self::Head(_, answer) => match &answer.result {
                Ok(Head::NotModified) => "not_modified",
                Ok(Head::Present { .. }) => "present",
                Ok(Head::Unsupported) => "unsupported",
                Err(error) => failed(error),
            },
            Self::Get(_, answer) => answer.result.as_ref().map_or_else(failed, |_| "present"),
        })
    }

    /// What HEAD claims, if it does.
    pub fn claim(&self) -> Option<&Digest> {
        match self {
            Self::Head(_, Answer { result: Ok(Head::Present { claim, .. }), .. }) => claim.as_ref(),
            _ => None,
        }
    }

    /// The manifest, if there is one.
    pub fn manifest(&self) -> Option<(&TagName, &Manifest)> {
        match self {
            Self::Get(tag, Answer { result: Ok(manifest), .. }) => Some((tag, manifest)),
            _ => None,
        }
    }

    /// What a listing says of the registry entry, and why it is none, in words.
    pub fn listing(&self) -> Option<(LastListing, Option<String>)> {
        let Self::Listing(answer) = self else { return None };
        Some(match &answer.result {
            Ok(_) | Err(RegistryError::NotFound { .. }) => (LastListing::Answered, None),
            Err(error @ RegistryError::Refused { .. }) => (LastListing::Refused, Some(error.to_string())),
            Err(error) => (LastListing::Failed, Some(error.to_string())),
        })
    }

    /// The reply that the record machine understands.
    pub fn reply(self, related: bool) -> Reply {
        match self {
            Self::Listing(Answer { sent, received, result, .. }) => match result {
                Ok(names) => Reply::Listing(Listing { sent, received, seen: ListingSeen::Names(names) }),
                Err(RegistryError::NotFound { .. }) => {
                    Reply::Listing(Listing { sent, received, seen: ListingSeen::Missing })
                }
                Err(RegistryError::Refused { .. }) => {
                    Reply::Listing(Listing { sent, received, seen: ListingSeen::Refused })
                }
                Err(error) => Reply::ListingFailed {
                    received,
                    reason: reason(&error),
                    message: error.to_string(),
                    retry_at: retry_at(&error),
                },
            },
            Self::Head(name, Answer { sent, received, result, .. }) => {
                let seen = result.map(|head| match head {
                    Head::NotModified => Seen::NotModified,
                    Head::Unsupported => Seen::Claim(None),
                    Head::Present { claim, .. } => Seen::Claim(claim),
                });
                tag(name, sent, received, seen, Method::Head, related)
            }
            Self::Get(name, Answer { sent, received, result, .. }) => {
                let seen = result.map(|manifest| {
                    let claim_holds = manifest.claim.as_ref().is_none_or(|claim| claim.matches(&manifest.bytes));
                    Seen::Bytes(Bytes {
                        digest: manifest.digest,
                        claim: manifest.claim,
                        claim_holds,
                        media_type: manifest.media_type,
                    })
                });
                tag(name, sent, received, seen, Method::Get, related)
            }
        }
    }
}

fn tag(
    name: TagName,
    sent: Moment,
    received: Moment,
    seen: Result<Seen, RegistryError>,
    method: Method,
    related: bool,
) -> Reply {
    let (mut retry, mut message) = (None, None);
    let seen = seen.unwrap_or_else(|error| {
        retry = retry_at(&error);
        match &error {
            // Other codes (a missing repository, a refusal in disguise) say nothing about the tag; HEAD carries none at all.
            RegistryError::NotFound { code }
                if matches!(code.as_deref(), None | Some("MANIFEST_UNKNOWN" | "TAG_EXPIRED")) =>
            {
                Seen::NotFound(method)
            }
            error => {
                message = Some(error.to_string());
                Seen::Unknown(method, reason(error))
            }
        }
    });
    Reply::Tag { name, observation: Observation { sent, received, seen }, related, retry_at: retry, message }
}

const fn reason(error: &RegistryError) -> Unknown {
    match error {
        RegistryError::NotFound { .. } => Unknown::Hidden,
        RegistryError::Refused { .. } => Unknown::Refused,
        RegistryError::RateLimited { .. } | RegistryError::Spent { .. } => Unknown::RateLimited,
        RegistryError::Unreachable { .. } => Unknown::Unreachable,
        RegistryError::Server { .. } => Unknown::ServerError,
        RegistryError::Unintelligible { .. } => Unknown::Unintelligible,
    }
}

const fn retry_at(error: &RegistryError) -> Option<Mono> {
    match error {
        RegistryError::RateLimited { retry_at, .. } => Some(*retry_at),
        _ => None,
    }
}

/// The digests that an index lists; empty for anything else. Bytes that are no JSON list nothing.
pub fn children(bytes: &[u8]) -> Vec<Digest> {
    #[derive(serde::Deserialize)]
    struct Index {
        #[serde(default)]
        manifests: Vec<Descriptor>,
    }
    #[derive(serde::Deserialize)]
    struct Descriptor {
        digest: Digest,
    }
    serde_json::from_slice::<Index>(bytes)
        .map_or_else(|_| Vec::new(), |index| index.manifests.into_iter().map(|descriptor| descriptor.digest).collect())
}
