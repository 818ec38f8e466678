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

/// Percent-decodes. What is no encoding stays as it is.
pub fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = |digit: &u8| char::from(*digit).to_digit(16);
        let decoded = match after {
            [high, low, ..] if *first == b'%' => hex(high).zip(hex(low)),
            _ => None,
        };
        let byte = decoded.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        out.push(byte.unwrap_or(*first));
        rest = after.get(if byte.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    String::from_utf8_lossy(&out).into_owned()
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

/// The page that compares two digests.
pub fn compare(old: &str, new: &str) -> String {
    with_query("compare", &[("old", Some(old)), ("new", Some(new))])
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
    fn what_was_encoded_is_decoded() {
        for text in ["ghcr.io/a/b&name=c#d", "ö \u{202e}%", "+", ""] {
            assert_eq!(decode(&encode(text)), text);
        }
        assert_eq!(decode("%"), "%");
        assert_eq!(decode("%4"), "%4");
        assert_eq!(decode("%+1%c3%B6"), "%+1ö");
        assert_eq!(decode("%ff"), "\u{fffd}");
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
