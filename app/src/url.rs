//! Addresses: of pages, relative to the document's base, and of the API.
//!
//! Every link is relative, so the browser resolves it against `<base href>` and a path prefix needs no care.

use std::fmt::Write as _;

/// The first page.
pub const OVERVIEW: &str = "./";

/// Percent-encodes everything but RFC 3986's unreserved characters, and `/` and `:`, which queries may hold and people
/// want to read.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// `path?key=value&…`, without the keys that have no value.
pub fn with_query(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let mut out = path.to_owned();
    let mut sign = '?';
    for (key, value) in query {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let _ = write!(out, "{sign}{key}={}", encode(value));
            sign = '&';
        }
    }
    out
}

/// The page of a repository.
pub fn repository(name: &str) -> String {
    with_query("repository", &[("name", Some(name))])
}

/// The page of a group.
pub fn group(name: &str) -> String {
    with_query("group", &[("name", Some(name))])
}

/// The page of a tag.
pub fn tag(repository: &str, tag: &str) -> String {
    with_query("tag", &[("repository", Some(repository)), ("name", Some(tag))])
}

/// The page with everything a tag can go back to.
pub fn targets(repository: &str, tag: Option<&str>) -> String {
    with_query("targets", &[("repository", Some(repository)), ("tag", tag)])
}

/// The page of a flag.
pub fn flag(id: i64) -> String {
    format!("flags/{id}")
}

/// The page of a digest: the whole one, or its first hex digits.
pub fn digest(digest: &str) -> String {
    format!("digest/{}", encode(digest))
}

/// The path before the routes: `/tags` for the base `https://host/tags/`, nothing for `https://host/`.
pub fn prefix(base_uri: &str) -> &str {
    let after_scheme = base_uri.find("://").map_or(0, |at| at + 3);
    let path = base_uri[after_scheme..].find('/').map_or("", |at| &base_uri[after_scheme + at..]);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.rfind('/').map_or("", |last| &path[..last])
}

/// What a person typed into the search field leads to.
pub fn find(typed: &str) -> String {
    let typed = typed.trim();
    let hex = typed.rsplit_once("sha256:").map_or(typed, |(_, hex)| hex).replace('·', "");
    let is_digest = (7..=64).contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest { digest(&hex.to_ascii_lowercase()) } else { with_query("repositories", &[("find", Some(typed))]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_holds_cannot_leave_its_parameter() {
        assert_eq!(repository("ghcr.io/a/b&name=c#d"), "repository?name=ghcr.io/a/b%26name%3Dc%23d");
        assert_eq!(encode("ö \u{202e}%"), "%C3%B6%20%E2%80%AE%25");
        assert_eq!(with_query("flags", &[("state", None), ("repository", Some(""))]), "flags");
    }

    #[test]
    fn the_prefix_is_the_base_without_its_last_slash() {
        for (base, expected) in [
            ("http://127.0.0.1:8080/", ""),
            ("https://host/tags/", "/tags"),
            ("https://host/a/b/?x=/y", "/a/b"),
            ("https://host", ""),
            ("", ""),
        ] {
            assert_eq!(prefix(base), expected, "{base}");
        }
    }

    #[test]
    fn hex_digits_are_taken_for_a_digest_and_everything_else_for_a_name() {
        assert_eq!(find(" A41B09CE "), "digest/a41b09ce");
        assert_eq!(find("a41b·09ce"), "digest/a41b09ce");
        assert_eq!(find("ghcr.io/acme/api@sha256:a41b09ce"), "digest/a41b09ce");
        assert_eq!(find("decade"), "repositories?find=decade");
        assert_eq!(find("payments api"), "repositories?find=payments%20api");
    }
}
