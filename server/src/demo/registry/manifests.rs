//! Tags and manifests.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, LINK, LOCATION};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tagwarden_model::digest::Digest;
use tagwarden_model::name::TagName;
use tagwarden_model::tag::MediaType;

use super::answer::{
    Code, bytes_of, digest_headers, failure, failures, insert, is_accepted, is_known, location, ok_json, query,
};
use super::{DemoRegistry, Manifest, Repository};

impl DemoRegistry {
    /// distribution-spec, "Listing Tags".
    pub(super) fn list_tags(&self, parts: &Parts, repository: &str) -> Response {
        if parts.method != Method::GET {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let content = self.content();
        let Some(found) = content.repositories.get(repository).filter(|found| found.is_listed) else {
            return failure(Code::NameUnknown, &json!({ "name": repository }));
        };
        let (page, next) = page(parts, content.page_size, found.tags.keys());
        // Go's empty list is null, and clients must live with it.
        let tags = if found.tags.is_empty() { Value::Null } else { json!(page) };
        linked(ok_json(&json!({ "name": repository, "tags": tags })), &format!("{repository}/tags/list"), next)
    }

    /// `_catalog` (distribution 2.8, "Catalog").
    pub(super) fn list_repositories(&self, parts: &Parts) -> Response {
        let content = self.content();
        let listed = content.repositories.iter().filter(|(_, found)| found.is_listed).map(|(name, _)| name);
        let (page, next) = page(parts, content.page_size, listed);
        linked(ok_json(&json!({ "repositories": page })), "_catalog", next)
    }

    /// GET, HEAD, PUT and DELETE of `manifests/<reference>`.
    pub(super) fn answer_manifest(&self, parts: &Parts, repository: &str, reference: &str, body: Bytes) -> Response {
        let reference = match Reference::of(reference) {
            Ok(reference) => reference,
            Err(code) => return failure(code, &Value::Null),
        };
        match parts.method {
            Method::GET | Method::HEAD => self.read_manifest(parts, repository, &reference),
            Method::PUT => self.write_manifest(parts, repository, reference, body),
            Method::DELETE => {
                let Reference::Digest(digest) = reference else {
                    return failure(Code::DigestInvalid, &Value::Null);
                };
                match self.delete_manifest(repository, &digest) {
                    Some(_) => StatusCode::ACCEPTED.into_response(),
                    None => failure(Code::ManifestUnknown, &Value::Null),
                }
            }
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        }
    }

    fn read_manifest(&self, parts: &Parts, repository: &str, reference: &Reference) -> Response {
        let content = self.content();
        let found = content.repositories.get(repository);
        let digest = match reference {
            Reference::Digest(digest) => Some(digest),
            Reference::Tag(tag) => found.and_then(|found| found.tags.get(tag.as_str())),
        };
        let Some(digest) = digest else {
            return failure(Code::ManifestUnknown, &reference.detail(repository));
        };
        // Before it looks whether the manifest is there, and before Accept.
        if is_known(parts, digest) {
            return not_modified();
        }
        let Some(manifest) = found.and_then(|found| found.manifests.get(digest)) else {
            return failure(Code::ManifestUnknown, &Reference::Digest(digest.clone()).detail(repository));
        };
        if !is_accepted(parts, manifest.media_type) {
            return failure(Code::ManifestNotAccepted(manifest.media_type), &Value::Null);
        }
        bytes_of(&parts.method, manifest.media_type.word(), digest, &manifest.bytes)
    }

    fn write_manifest(&self, parts: &Parts, repository: &str, reference: Reference, bytes: Bytes) -> Response {
        let media_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let parsed = serde_json::from_slice::<Value>(&bytes).ok();
        let (Some(media_type), Some(parsed)) = (MediaType::from_word(media_type), parsed) else {
            return failure(Code::ManifestInvalid, &json!({}));
        };
        if parsed.get("mediaType").is_some_and(|inside| *inside != media_type.word()) {
            return failure(Code::ManifestInvalid, &json!({}));
        }
        let digest = Digest::of(&bytes);
        let mut content = self.content();
        let found = content.repository(repository);
        let missing = missing_parts(found, &parsed);
        if !missing.is_empty() {
            return failures(Code::ManifestBlobUnknown, &missing);
        }
        match reference {
            Reference::Digest(named) if named != digest => return failure(Code::DigestInvalid, &Value::Null),
            Reference::Digest(_) => {}
            Reference::Tag(tag) => {
                found.point(tag.as_str(), digest.clone());
            }
        }
        found.manifests.insert(digest.clone(), Manifest { media_type, bytes });
        let mut headers = digest_headers(&digest);
        insert(&mut headers, LOCATION.as_str(), &location(parts, &format!("/v2/{repository}/manifests/{digest}")));
        (StatusCode::CREATED, headers).into_response()
    }
}

/// The names that a listing's `n` and `last` ask for, and the query of the page behind them.
fn page<'a>(
    parts: &Parts,
    page_size: Option<usize>,
    names: impl Iterator<Item = &'a String>,
) -> (Vec<&'a String>, Option<String>) {
    let asked = query(parts, "n").and_then(|n| n.parse().ok());
    let limit = asked.into_iter().chain(page_size).min().unwrap_or(usize::MAX);
    let last = query(parts, "last").unwrap_or_default();
    let mut rest = names.filter(|name| **name > last);
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let next = rest.next().and(page.last()).map(|last| format!("last={last}&n={limit}"));
    (page, next)
}

fn linked(mut response: Response, path: &str, next: Option<String>) -> Response {
    if let Some(next) = next {
        insert(response.headers_mut(), LINK.as_str(), &format!("</v2/{path}?{next}>; rel=\"next\""));
    }
    response
}

fn not_modified() -> Response {
    // A body of unknown length, or HEAD would be told `Content-Length: 0`.
    let body = Body::from_stream(futures::stream::empty::<Result<Bytes, Infallible>>());
    (StatusCode::NOT_MODIFIED, body).into_response()
}

/// The digests of config, layers and children that a manifest names and the repository lacks.
fn missing_parts(repository: &Repository, manifest: &Value) -> Vec<Value> {
    let digests = |descriptors: &Value| -> Vec<String> {
        let listed = descriptors.as_array().map_or(std::slice::from_ref(descriptors), Vec::as_slice);
        listed.iter().filter_map(|descriptor| descriptor.get("digest")?.as_str().map(str::to_owned)).collect()
    };
    let is_there = |digest: &str, of_manifests: bool| {
        digest.parse().is_ok_and(|digest| {
            if of_manifests {
                repository.manifests.contains_key(&digest)
            } else {
                repository.blobs.contains_key(&digest)
            }
        })
    };
    ["config", "layers", "manifests"]
        .into_iter()
        .flat_map(|field| digests(&manifest[field]).into_iter().map(move |digest| (field, digest)))
        .filter(|(field, digest)| !is_there(digest, *field == "manifests"))
        .map(|(_, digest)| Value::String(digest))
        .collect()
}

/// The last part of a manifest's address.
enum Reference {
    Tag(TagName),
    Digest(Digest),
}

impl Reference {
    fn of(text: &str) -> Result<Self, Code> {
        if text.contains(':') {
            return text.parse().map(Self::Digest).map_err(|_| Code::DigestInvalid);
        }
        TagName::new(text).map(Self::Tag).ok_or(Code::TagInvalid)
    }

    fn detail(&self, repository: &str) -> Value {
        match self {
            Self::Tag(tag) => json!({ "Tag": tag.as_str() }),
            Self::Digest(digest) => json!({ "Name": repository, "Revision": digest }),
        }
    }
}
