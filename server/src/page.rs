//! The built page: which files there are, with what headers each is served, and how index.html is made to fit this server.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rust_embed::Embed;
use sha2::{Digest as _, Sha256};
use tagwarden_model::digest::hex;

/// What Trunk built, inside the binary; nothing when the server was built without it (see build.rs).
#[derive(Embed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

/// The same files compressed with brotli, in a release (see build.rs).
#[derive(Embed)]
#[folder = "$OUT_DIR/compressed"]
#[allow_missing = true]
struct Compressed;

/// The page as this server serves it.
pub struct Page {
    files: BTreeMap<String, File>,
    index: File,
    /// Changes with every build of the page: open pages compare it with the live stream's and offer a reload.
    pub build: String,
}

/// One file with its headers.
struct File {
    bytes: Bytes,
    /// In brotli's best quality. Without it, the server compresses quickly while it answers.
    compressed: Option<Bytes>,
    etag: HeaderValue,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Page {
    /// The page in this binary. `base_path` begins and ends with a slash.
    pub fn embedded(base_path: &str) -> Self {
        // Trunk works in `.stage` and leaves it behind when it is interrupted.
        let names = Dist::iter().filter(|name| !name.starts_with('.'));
        Self::new(names.filter_map(|name| Dist::get(&name).map(|file| (name.into_owned(), file.data))), base_path)
    }

    /// A page of these files; without an `index.html` it says how to build one.
    pub fn new(files: impl IntoIterator<Item = (String, Cow<'static, [u8]>)>, base_path: &str) -> Self {
        let mut files: BTreeMap<String, Cow<'static, [u8]>> = files.into_iter().collect();
        let index = files.remove("index.html");
        let html = index.as_deref().map_or(Cow::Borrowed(MISSING), String::from_utf8_lossy);
        let build = hex(&Sha256::digest(html.as_bytes())[..8]);
        let index = with_base(&html, base_path, &build);
        let policy = page_policy(&index);
        let index = File::new(Bytes::from(index), "text/html; charset=utf-8", "no-cache", Some(&policy));
        let files = files.into_iter().map(|(name, bytes)| {
            let caching = if is_hashed(&name) { "public, max-age=31536000, immutable" } else { "no-cache" };
            let bytes = match bytes {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            };
            let file = File::new(bytes, content_type(&name), caching, None);
            let compressed = Compressed::get(&name).map(|compressed| Bytes::from(compressed.data.into_owned()));
            (name, File { compressed, ..file })
        });
        Self { files: files.collect(), index, build }
    }

    /// The answer to a GET of `path`, without the leading slash and the base path: the page for its routes, else a file.
    /// `None` when there is neither: an old tab that asks for a file of an older build must not get HTML as a module.
    pub fn get(&self, path: &str, request: &HeaderMap) -> Option<Response> {
        let file = if is_page_route(path) { &self.index } else { self.files.get(path)? };
        Some(file.answer(request))
    }
}

/// The page's own routes; its router shows them.
fn is_page_route(path: &str) -> bool {
    const PAGES: [&str; 12] = [
        "",
        "compare",
        "flags",
        "group",
        "notifiers",
        "repositories",
        "repository",
        "settings",
        "styleguide",
        "tag",
        "targets",
        "timeline",
    ];
    let path = path.strip_suffix('/').unwrap_or(path);
    PAGES.contains(&path)
        || ["flags/", "digest/"].iter().any(|prefix| path.len() > prefix.len() && path.starts_with(prefix))
}

impl File {
    fn new(bytes: Bytes, content_type: &'static str, caching: &'static str, policy: Option<&str>) -> Self {
        // Weak: what goes over the line may be compressed.
        let etag = format!("W/\"{}\"", hex(&Sha256::digest(&bytes)[..16]));
        let mut headers = vec![
            (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
            (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        ];
        let policy = policy.and_then(|policy| HeaderValue::from_str(policy).ok());
        headers.extend(policy.map(|policy| (header::CONTENT_SECURITY_POLICY, policy)));
        let etag = HeaderValue::from_str(&etag).unwrap_or_else(|_| HeaderValue::from_static("W/\"\""));
        Self { bytes, compressed: None, etag, headers }
    }

    fn answer(&self, request: &HeaderMap) -> Response {
        let mut response = if self.is_held(request) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            match self.compressed.as_ref().filter(|_| takes_brotli(request)) {
                Some(compressed) => {
                    ([(header::CONTENT_ENCODING, HeaderValue::from_static("br"))], compressed.clone()).into_response()
                }
                None => self.bytes.clone().into_response(),
            }
        };
        let headers = response.headers_mut();
        if self.compressed.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        headers.insert(header::ETAG, self.etag.clone());
        response
    }

    /// RFC 9110, 13.1.2: the weak comparison, over a list of tags.
    fn is_held(&self, request: &HeaderMap) -> bool {
        let ours = self.etag.as_bytes();
        request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
            value
                .split(',')
                .map(str::trim)
                .any(|tag| tag == "*" || tag.as_bytes() == ours || format!("W/{tag}").as_bytes() == ours)
        })
    }
}

/// Whether `br` is named, and not with a weight of zero (RFC 9110, 12.5.3).
fn takes_brotli(request: &HeaderMap) -> bool {
    let values = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map(|weight| weight.trim_end_matches(['0', '.']));
        name.trim().eq_ignore_ascii_case("br") && weight != Some("")
    })
}

/// Trunk puts 12 to 16 hex digits of a file's hash behind the last dash of its name: `app-4d6f0c3a1b2e9f87_bg.wasm`.
fn is_hashed(name: &str) -> bool {
    let Some((_, rest)) = name.rsplit_once('/').map_or(name, |(_, file)| file).rsplit_once('-') else { return false };
    let end = rest.find(['.', '_']).unwrap_or(rest.len());
    (12..=16).contains(&end) && rest.bytes().take(end).all(|byte| byte.is_ascii_hexdigit())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// Writes where the server is and which build this is; relative links and the page's router start from `<base>`.
fn with_base(html: &str, base_path: &str, build: &str) -> String {
    let html = without_tag(html, "<base");
    let ours = format!(r#"<base href="{base_path}"><meta name="tagwarden-build" content="{build}">"#);
    match html.find("<head>") {
        Some(at) => format!("{}{ours}{}", &html[..at + "<head>".len()], &html[at + "<head>".len()..]),
        None => format!("{ours}{html}"),
    }
}

fn without_tag(html: &str, tag: &str) -> String {
    let Some(start) = html.find(tag) else { return html.to_owned() };
    let end = html[start..].find('>').map_or(html.len(), |at| start + at + 1);
    format!("{}{}", &html[..start], &html[end..])
}

/// The page's Content-Security-Policy. Inline scripts run by their hash, never by a nonce: after a revalidation browsers keep
/// the old body under the new header, and a new nonce would block its script.
fn page_policy(html: &str) -> String {
    let sources = |element| std::iter::once("'self'".to_owned()).chain(inline(html, element).map(source_hash));
    let scripts = sources("script").collect::<Vec<_>>().join(" ");
    let styles = sources("style").collect::<Vec<_>>().join(" ");
    format!(
        "default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; style-src {styles}; img-src 'self' data:; \
         connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
}

/// The source expression of an inline element (CSP3, 6.7.2).
pub fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// The texts of inline `<script>` or `<style>` elements.
fn inline<'a>(html: &'a str, element: &'a str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{element}"), format!("</{element}"));
    let mut rest = html;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once(open.as_str())?;
            let (attributes, text) = after.split_once('>')?;
            let (text, after) = text.split_once(close.as_str())?;
            rest = after;
            if !attributes.contains("src=") {
                return Some(text);
            }
        }
    })
}

/// Served in the page's place by a server that was built without it.
const MISSING: &str = include_str!("page/missing.html");

#[cfg(test)]
mod tests;
