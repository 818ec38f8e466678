//! The bodies and headers that all endpoints share.

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tagwarden_model::digest::Digest;
use tagwarden_model::tag::MediaType;

/// An error of the specification ("Error Codes") with the words of docker-registry 2.8.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    BlobUnknown,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    /// The manifest is there, but Accept does not name its media type.
    ManifestNotAccepted(MediaType),
    NameInvalid,
    NameUnknown,
    TagInvalid,
    Unsupported,
}

impl Code {
    fn words(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BlobUnknown => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry"),
            Self::BlobUploadUnknown => {
                (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
            }
            Self::DigestInvalid => {
                (StatusCode::BAD_REQUEST, "DIGEST_INVALID", "provided digest did not match uploaded content")
            }
            Self::ManifestBlobUnknown => (StatusCode::BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry"),
            Self::ManifestInvalid => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID", "manifest invalid"),
            Self::ManifestUnknown => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown"),
            Self::ManifestNotAccepted(media_type) => {
                let message = match media_type {
                    MediaType::OciManifest => "OCI manifest found, but accept header does not support OCI manifests",
                    MediaType::OciIndex => "OCI index found, but accept header does not support OCI indexes",
                    _ => "manifest found, but accept header does not support its media type",
                };
                (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", message)
            }
            Self::NameInvalid => (StatusCode::BAD_REQUEST, "NAME_INVALID", "invalid repository name"),
            Self::NameUnknown => (StatusCode::NOT_FOUND, "NAME_UNKNOWN", "repository name not known to registry"),
            Self::TagInvalid => (StatusCode::BAD_REQUEST, "TAG_INVALID", "manifest tag did not match URI"),
            Self::Unsupported => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported."),
        }
    }
}

/// An error body; `detail` may be null.
pub fn failure(code: Code, detail: &Value) -> Response {
    failures(code, std::slice::from_ref(detail))
}

/// The same error with several details.
pub fn failures(code: Code, details: &[Value]) -> Response {
    let (status, code, message) = code.words();
    let errors: Vec<Value> = details
        .iter()
        .map(|detail| {
            let mut error = json!({ "code": code, "message": message });
            if !detail.is_null() {
                error["detail"] = detail.clone();
            }
            error
        })
        .collect();
    json_body(status, &json!({ "errors": errors }))
}

/// 200 with a JSON body.
pub fn ok_json(body: &Value) -> Response {
    json_body(StatusCode::OK, body)
}

fn json_body(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], format!("{body}\n")).into_response()
}

/// 200 with content-addressed bytes; for HEAD the same headers without the body.
pub fn bytes_of(method: &Method, media_type: &str, digest: &Digest, bytes: &Bytes) -> Response {
    let mut headers = digest_headers(digest);
    insert(&mut headers, CONTENT_TYPE.as_str(), media_type);
    insert(&mut headers, ETAG.as_str(), &format!("\"{digest}\""));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let body = if method == Method::HEAD { Body::empty() } else { Body::from(bytes.clone()) };
    (StatusCode::OK, headers, body).into_response()
}

/// `Docker-Content-Digest` alone.
pub fn digest_headers(digest: &Digest) -> HeaderMap {
    let mut headers = HeaderMap::new();
    insert(&mut headers, "docker-content-digest", &digest.to_string());
    headers
}

/// Adds a header; what cannot be a header's value is left out.
pub fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Whether `If-None-Match` is exactly this digest, quoted or not. Lists and weak tags do not match, as in 2.8.2.
pub fn is_known(parts: &Parts, digest: &Digest) -> bool {
    let digest = digest.to_string();
    let values = parts.headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.into_iter().any(|value| value == digest || value == format!("\"{digest}\""))
}

/// Whether some Accept header names `media_type`. `*/*` does not: to 2.8.2 it names nothing.
pub fn is_accepted(parts: &Parts, media_type: MediaType) -> bool {
    let values = parts.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|range| range.split(';').next().is_some_and(|name| name.trim() == media_type.word()))
}

/// An absolute address below the host that was asked, as 2.8.2 gives them.
pub fn location(parts: &Parts, path: &str) -> String {
    let host = parts.headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}{path}")
}

/// The value of a query parameter, percent-decoded.
pub fn query(parts: &Parts, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    pairs.into_iter().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}
