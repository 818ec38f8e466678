//! Configs and layers, and their uploads: POST, any number of PATCH, PUT.

use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, LOCATION, RANGE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tagwarden_model::digest::Digest;

use super::answer::{Code, bytes_of, digest_headers, failure, insert, location, query};
use super::{DemoRegistry, MAX_BODY};

/// Uploads that were begun and never ended; the oldest gives way to a new one.
const MAX_UPLOADS: usize = 256;

impl DemoRegistry {
    /// GET, HEAD and DELETE of `blobs/<digest>`.
    pub(super) fn answer_blob(&self, parts: &Parts, repository: &str, digest: &str) -> Response {
        let Ok(digest) = digest.parse::<Digest>() else { return failure(Code::DigestInvalid, &Value::Null) };
        match parts.method {
            Method::GET | Method::HEAD => {
                let content = self.content();
                let Some(bytes) = content.repositories.get(repository).and_then(|found| found.blobs.get(&digest))
                else {
                    return failure(Code::BlobUnknown, &json!(digest));
                };
                let mut response = bytes_of(&parts.method, "application/octet-stream", &digest, bytes);
                response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("max-age=31536000"));
                response
            }
            Method::DELETE if self.delete_blob(repository, &digest) => {
                (StatusCode::ACCEPTED, digest_headers(&digest)).into_response()
            }
            Method::DELETE => failure(Code::BlobUnknown, &Value::Null),
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        }
    }

    /// POST of `blobs/uploads/`, also as a mount (distribution-spec, "Mounting a blob from another repository").
    pub(super) fn begin_upload(&self, parts: &Parts, repository: &str) -> Response {
        if parts.method != Method::POST {
            return failure(Code::Unsupported, &Value::Null);
        }
        let mounted = query(parts, "mount").and_then(|digest| digest.parse::<Digest>().ok()).and_then(|digest| {
            let content = self.content();
            let from = content.repositories.get(&query(parts, "from")?)?;
            from.blobs.get(&digest).cloned()
        });
        if let Some(bytes) = mounted {
            return created(parts, repository, &self.put_blob(repository, bytes));
        }
        let mut content = self.content();
        if content.uploads.len() >= MAX_UPLOADS {
            content.uploads.pop_first();
        }
        content.last_upload += 1;
        let id = content.last_upload;
        content.uploads.insert(id, Vec::new());
        in_progress(parts, repository, id, 0)
    }

    /// PATCH adds bytes; PUT adds bytes, checks the digest and keeps the blob; DELETE gives up.
    pub(super) fn continue_upload(&self, parts: &Parts, repository: &str, id: &str, body: &Bytes) -> Response {
        let mut content = self.content();
        let known = id.parse::<u64>().ok().and_then(|id| Some((id, content.uploads.get_mut(&id)?)));
        let Some((id, upload)) = known else { return failure(Code::BlobUploadUnknown, &Value::Null) };
        if upload.len() + body.len() > MAX_BODY {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        }
        match parts.method {
            Method::PATCH => {
                upload.extend_from_slice(body);
                in_progress(parts, repository, id, upload.len())
            }
            Method::PUT => {
                let named = query(parts, "digest").and_then(|digest| digest.parse::<Digest>().ok());
                let mut bytes = content.uploads.remove(&id).unwrap_or_default();
                bytes.extend_from_slice(body);
                let Some(digest) = named.filter(|digest| digest.matches(&bytes)) else {
                    return failure(Code::DigestInvalid, &Value::Null);
                };
                content.repository(repository).blobs.insert(digest.clone(), bytes.into());
                created(parts, repository, &digest)
            }
            Method::DELETE => {
                content.uploads.remove(&id);
                StatusCode::NO_CONTENT.into_response()
            }
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        }
    }
}

fn created(parts: &Parts, repository: &str, digest: &Digest) -> Response {
    let mut headers = digest_headers(digest);
    insert(&mut headers, LOCATION.as_str(), &location(parts, &format!("/v2/{repository}/blobs/{digest}")));
    (StatusCode::CREATED, headers).into_response()
}

fn in_progress(parts: &Parts, repository: &str, id: u64, length: usize) -> Response {
    let mut headers = HeaderMap::new();
    insert(&mut headers, LOCATION.as_str(), &location(parts, &format!("/v2/{repository}/blobs/uploads/{id}")));
    insert(&mut headers, RANGE.as_str(), &format!("0-{}", length.saturating_sub(1)));
    insert(&mut headers, "docker-upload-uuid", &id.to_string());
    (StatusCode::ACCEPTED, headers).into_response()
}
