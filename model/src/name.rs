//! Names of registries, repositories and tags (OCI distribution-spec, "Pulling manifests"), and references as docker
//! reads them.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestError};

/// A repository on a registry, in its canonical form: `docker.io/library/nginx`, `127.0.0.1:5000/team/api`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "UncheckedName")]
pub struct RepositoryName {
    /// Host, lower case, with the port where it is not the default: `ghcr.io`, `[::1]:5000`.
    pub host: String,
    /// The `<name>` of the specification: `library/nginx`.
    pub path: String,
}

/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TagName(#[serde(deserialize_with = "checked_tag")] Box<str>);

/// What a person types to name an image: a repository, and a tag, a digest, both or neither. A missing tag stays missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The repository in its canonical form.
    pub repository: RepositoryName,
    /// What stood after the colon.
    pub tag: Option<TagName>,
    /// What stood after the `@`.
    pub digest: Option<Digest>,
}

/// Why a text is no reference; positions count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing there.
    #[error("the name is empty; write one such as ghcr.io/team/api:1.2.3")]
    Empty,
    /// Longer than any registry accepts.
    #[error("host and repository have {length} characters together; at most {MAX_LENGTH} are allowed")]
    TooLong {
        /// How many there are.
        length: usize,
    },
    /// A URL was given.
    #[error("a name has no scheme; leave out everything up to and including `://`")]
    Scheme,
    /// The host is none.
    #[error("the host `{host}` is not valid: {reason}")]
    Host {
        /// What stood before the first slash, cut to 80 characters.
        host: String,
        /// What is wrong with it, and what to do.
        reason: &'static str,
    },
    /// The repository is none.
    #[error("the repository name is not valid at character {at}: {reason}")]
    Path {
        /// Where it goes wrong.
        at: usize,
        /// What is wrong there, and what to do.
        reason: &'static str,
    },
    /// The tag is none.
    #[error(
        "the tag after character {at} is not valid; it has 1 to 128 of `a-z A-Z 0-9 _ . -` and begins with none of `. -`"
    )]
    Tag {
        /// The position of the colon.
        at: usize,
    },
    /// The digest is none.
    #[error("the digest after the `@` is not valid: {0}")]
    Digest(#[source] DigestError),
    /// A tag or digest where only a repository belongs.
    #[error("only the repository belongs here; leave out the tag and the digest")]
    NotOnlyRepository,
    /// A stored or sent name is not as this parser would write it.
    #[error("the name is not in its canonical form, which is `{canonical}`")]
    NotCanonical {
        /// The canonical form.
        canonical: String,
    },
}

/// The longest `host/path` (distribution-spec, "Pulling manifests": many clients limit it to 255 characters).
const MAX_LENGTH: usize = 255;
/// The host that docker's short names stand for.
const DOCKER_HUB: &str = "docker.io";

impl TagName {
    /// The tag, if `text` is one.
    pub fn new(text: &str) -> Option<Self> {
        let valid = |(at, byte): (usize, u8)| {
            byte.is_ascii_alphanumeric() || byte == b'_' || at > 0 && matches!(byte, b'.' | b'-')
        };
        let ok = (1..=128).contains(&text.len()) && text.bytes().enumerate().all(valid);
        ok.then(|| Self(text.into()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RepositoryName {
    /// The host that speaks the distribution API for this name, with its port if it has one.
    pub fn api_host(&self) -> &str {
        if self.host == DOCKER_HUB { "registry-1.docker.io" } else { &self.host }
    }

    /// Whether the host is this machine: `localhost`, 127.0.0.0/8 or `::1`. Docker speaks plain HTTP to it by default.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// Reads a reference as docker does (github.com/distribution/reference, `ParseNormalizedNamed`), with two
    /// differences: hosts become lower case, and what only upper case makes a host (`Acme/api`) is refused, because its
    /// lower-case form would name a repository of Docker Hub.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.contains("://") {
            return Err(ReferenceError::Scheme);
        }
        let (text, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse().map_err(ReferenceError::Digest)?)),
            None => (text, None),
        };
        let last_component = text.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match text[last_component..].find(':').map(|colon| last_component + colon) {
            Some(colon) => {
                let tag = TagName::new(&text[colon + 1..]);
                (&text[..colon], Some(tag.ok_or_else(|| ReferenceError::Tag { at: position(text, colon) })?))
            }
            None => (text, None),
        };
        Ok(Self { repository: repository(name)?, tag, digest })
    }
}

impl FromStr for RepositoryName {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let reference: Reference = text.parse()?;
        if reference.tag.is_some() || reference.digest.is_some() {
            return Err(ReferenceError::NotOnlyRepository);
        }
        Ok(reference.repository)
    }
}

/// Resolves a name without tag and digest.
fn repository(name: &str) -> Result<RepositoryName, ReferenceError> {
    let (host, path_at) = match name.split_once('/') {
        Some((first, _)) if names_a_host(first) => (canonical_host(first)?, first.len() + 1),
        _ => (DOCKER_HUB.to_owned(), 0),
    };
    let path = &name[path_at..];
    if path.len() == 64 && path.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) && path_at == 0 {
        let reason = "docker reads 64 hex digits as an image's identity; write the repository's name";
        return Err(ReferenceError::Path { at: 1, reason });
    }
    if let Err((at, reason)) = check_path(path) {
        return Err(ReferenceError::Path { at: position(name, path_at + at), reason });
    }
    let path = if host == DOCKER_HUB && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
    let length = host.len() + 1 + path.len();
    if length > MAX_LENGTH {
        return Err(ReferenceError::TooLong { length });
    }
    Ok(RepositoryName { host, path })
}

/// Whether the first component of a name is a host (`splitDockerDomain`).
fn names_a_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':', '[']) || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn canonical_host(text: &str) -> Result<String, ReferenceError> {
    let invalid = |reason| ReferenceError::Host { host: text.chars().take(80).collect(), reason };
    let (name, port) = if text.starts_with('[') {
        let end = text.find(']').ok_or_else(|| invalid("the closing bracket is missing"))?;
        (&text[..=end], &text[end + 1..])
    } else {
        text.split_at(text.find(':').unwrap_or(text.len()))
    };
    let port = match port.strip_prefix(':') {
        Some(digits) => Some(parse_port(digits).ok_or_else(|| invalid("a port is a number from 1 to 65535"))?),
        None if port.is_empty() => None,
        None => return Err(invalid("only a colon and a port may follow the bracket")),
    };
    let name = name.to_ascii_lowercase();
    let name = if let Some(inside) = name.strip_prefix('[') {
        let address = inside.trim_end_matches(']').parse::<Ipv6Addr>();
        format!("[{}]", address.map_err(|_| invalid("there is no IPv6 address between the brackets"))?)
    } else {
        check_domain(&name).map_err(invalid)?;
        name
    };
    if port.is_none() && name != "localhost" && !name.contains(['.', '[']) {
        return Err(invalid("names are lower case; a host without a dot needs its port, as in registry:5000"));
    }
    Ok(match port {
        // `ghcr.io:443` is `ghcr.io`; a loopback registry speaks plain HTTP by default, where 443 is no default.
        Some(443) if !is_loopback(&name) && name.contains(['.', '[']) => hub_or(name),
        Some(port) => format!("{name}:{port}"),
        None => hub_or(name),
    })
}

/// All names of Docker Hub's registry are `docker.io`.
fn hub_or(name: String) -> String {
    if matches!(name.as_str(), "index.docker.io" | "registry-1.docker.io") { DOCKER_HUB.to_owned() } else { name }
}

/// A port without sign or leading zeros.
fn parse_port(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain)
}

/// Checks a lower-case domain name or IPv4 address.
fn check_domain(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("there is nothing before the port");
    }
    if name.len() > 253 {
        return Err("it has more than 253 characters");
    }
    for label in name.split('.') {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if label.is_empty() || label.len() > 63 {
            return Err("each part between the dots has 1 to 63 characters");
        }
        if !label.bytes().all(inner) || label.starts_with('-') || label.ends_with('-') {
            return Err("its parts have letters, digits and hyphens, and neither begin nor end with a hyphen");
        }
    }
    // A URL parser takes a name that ends in a number for an IPv4 address (WHATWG URL, "ends in a number checker").
    let last = name.rsplit('.').next().unwrap_or(name);
    let hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.strip_prefix("0x").is_some_and(hexadecimal);
    if number && name.parse::<Ipv4Addr>().is_err() {
        return Err("it ends in a number, but is no IPv4 address");
    }
    Ok(())
}

/// Checks `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/…)*`; the error is the byte where it goes wrong, and why.
fn check_path(path: &str) -> Result<(), (usize, &'static str)> {
    const SEPARATORS: &str = "only one `.`, one or two `_`, or hyphens may stand between letters or digits";
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = path.as_bytes();
    let mut at = 0;
    loop {
        // Here a run of letters and digits has to begin.
        let run = bytes[at..].iter().take_while(|byte| alphanumeric(byte)).count();
        if run == 0 {
            return Err((
                at,
                match bytes.get(at) {
                    None => "a part is missing at the end; each part has at least one letter or digit",
                    Some(b'A'..=b'Z') => "upper case is not allowed; write it in lower case",
                    Some(b'/') => "a part is missing between two slashes",
                    Some(b'.' | b'_' | b'-') => "each part begins with a letter or digit",
                    Some(_) => "only `a-z 0-9 . _ - /` are allowed",
                },
            ));
        }
        at += run;
        let separator = bytes[at..].iter().take_while(|byte| matches!(byte, b'.' | b'_' | b'-')).count();
        match &bytes[at..at + separator] {
            [] => match bytes.get(at) {
                None => return Ok(()),
                Some(b'/') => at += 1,
                Some(b'A'..=b'Z') => return Err((at, "upper case is not allowed; write it in lower case")),
                Some(_) => return Err((at, "only `a-z 0-9 . _ - /` are allowed")),
            },
            b"." | b"_" | b"__" => at += separator,
            hyphens if hyphens.iter().all(|byte| *byte == b'-') => at += separator,
            _ => return Err((at, SEPARATORS)),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let name =
        if host.starts_with('[') { host.split(']').next().map(|name| &name[1..]) } else { host.split(':').next() };
    let name = name.unwrap_or_default();
    name == "localhost"
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || name.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// The position a person counts to: characters, from 1.
fn position(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < byte).count() + 1
}

/// A name as it came, before it is checked.
#[derive(Deserialize)]
struct UncheckedName {
    host: String,
    path: String,
}

impl TryFrom<UncheckedName> for RepositoryName {
    type Error = ReferenceError;

    fn try_from(name: UncheckedName) -> Result<Self, ReferenceError> {
        let canonical: Self = format!("{}/{}", name.host, name.path).parse()?;
        if canonical.host != name.host || canonical.path != name.path {
            return Err(ReferenceError::NotCanonical { canonical: canonical.to_string() });
        }
        Ok(canonical)
    }
}

fn checked_tag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Box<str>, D::Error> {
    let text = <Box<str>>::deserialize(deserializer)?;
    let tag = TagName::new(&text).ok_or_else(|| serde::de::Error::custom(ReferenceError::Tag { at: 0 }))?;
    Ok(tag.0)
}

impl fmt::Display for TagName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> String {
        text.parse::<Reference>().map_or_else(|error| format!("error: {error}"), |reference| reference.to_string())
    }

    #[test]
    fn names_resolve_as_docker_resolves_them() {
        for (text, canonical) in [
            ("nginx", "docker.io/library/nginx"),
            ("nginx:1.27", "docker.io/library/nginx:1.27"),
            ("team/api", "docker.io/team/api"),
            ("docker.io/nginx", "docker.io/library/nginx"),
            ("index.docker.io/nginx", "docker.io/library/nginx"),
            ("registry-1.docker.io/team/api", "docker.io/team/api"),
            ("INDEX.docker.io:443/nginx", "docker.io/library/nginx"),
            ("localhost/api", "localhost/api"),
            ("localhost:5000/api:x", "localhost:5000/api:x"),
            ("LocalHost:5000/api", "localhost:5000/api"),
            ("localhost:443/api", "localhost:443/api"),
            ("registry:5000/api", "registry:5000/api"),
            ("registry:443/api", "registry:443/api"),
            ("GHCR.io:443/team/api", "ghcr.io/team/api"),
            ("[::1]:5000/api", "[::1]:5000/api"),
            ("[2001:DB8:0::1]/api", "[2001:db8::1]/api"),
            ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c"),
            ("a__b/c--d.e_f", "docker.io/a__b/c--d.e_f"),
        ] {
            assert_eq!(read(text), canonical, "{text}");
        }
    }

    #[test]
    fn an_error_says_what_is_wrong_where() {
        for (text, part) in [
            ("", "empty"),
            ("https://ghcr.io/team/api", "scheme"),
            ("Acme/api", "host `Acme`"),
            ("team/Api", "character 6: upper case"),
            ("Nginx", "character 1: upper case"),
            ("ghcr.io/te am/api", "character 11: only"),
            ("ghcr.io/é", "character 9: only"),
            ("ghcr.io//api", "character 9: a part is missing between"),
            ("ghcr.io/", "character 9: a part is missing at the end"),
            ("ghcr.io/a..b", "character 10: only one"),
            ("ghcr.io/a/../b", "character 11: each part begins"),
            ("ghcr.io/a/-b", "character 11: each part begins"),
            ("ghcr.io/a___b", "character 10: only one"),
            ("ghcr.io/a-", "character 11: a part is missing at the end"),
            ("ghcr.io/a%2fb", "character 10: only"),
            ("ghcr.io:0/api", "a port is a number"),
            ("ghcr.io:65536/api", "a port is a number"),
            ("ghcr.io:+80/api", "a port is a number"),
            ("ghcr.io:/api", "a port is a number"),
            (":5000/api", "nothing before the port"),
            ("-a.io/api", "hyphen"),
            ("user:pw@ghcr.io/api", "the digest after the `@`"),
            ("[::1/api", "bracket is missing"),
            ("[::1]x/api", "may follow the bracket"),
            ("[::1%eth0]/api", "no IPv6 address"),
            ("1.2.3/api", "no IPv4 address"),
            ("a.0x1f/api", "no IPv4 address"),
            ("nginx:", "the tag after character 6"),
            ("nginx:é", "the tag after character 6"),
            ("nginx:-x", "the tag after character 6"),
            ("nginx@sha256:zz", "sha256 digest has 64"),
            ("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "identity"),
        ] {
            let error = read(text);
            assert!(error.starts_with("error: ") && error.contains(part), "{text}: {error}");
        }
        let long = format!("ghcr.io/{}", "a".repeat(248));
        assert_eq!(read(&long), "error: host and repository have 256 characters together; at most 255 are allowed");
        assert_eq!(read(&long[..255]), long[..255]);
    }

    #[test]
    fn a_repository_name_has_neither_tag_nor_digest() {
        assert_eq!("nginx:1".parse::<RepositoryName>(), Err(ReferenceError::NotOnlyRepository));
        assert_eq!("nginx".parse::<RepositoryName>().unwrap().api_host(), "registry-1.docker.io");
    }

    #[test]
    fn what_is_read_from_json_is_checked() {
        let name: RepositoryName = serde_json::from_str(r#"{"host":"ghcr.io","path":"team/api"}"#).unwrap();
        assert_eq!(name.to_string(), "ghcr.io/team/api");
        for json in [
            r#"{"host":"ghcr.io","path":"../api"}"#,
            r#"{"host":"GHCR.io","path":"team/api"}"#,
            r#"{"host":"team","path":"api"}"#,
            r#"{"host":"ghcr.io/team","path":"api"}"#,
            r#"{"host":"docker.io","path":"nginx"}"#,
            r#"{"host":"ghcr.io","path":"team/api:1"}"#,
        ] {
            assert!(serde_json::from_str::<RepositoryName>(json).is_err(), "{json}");
        }
        assert_eq!(serde_json::from_str::<TagName>(r#""1.0""#).unwrap().as_str(), "1.0");
        assert!(serde_json::from_str::<TagName>(r#""a/b""#).is_err());
        assert_eq!(serde_json::to_string(&TagName::new("1.0").unwrap()).unwrap(), r#""1.0""#);
    }

    /// Texts that come close to references, so that the parser's inner branches are reached.
    const CLOSE_TO_A_REFERENCE: &str = concat!(
        r"(|localhost/|[a-zA-Z0-9.-]{0,9}(:[0-9]{0,6})?/|\[[0-9a-f:]{0,9}\](:[0-9]{1,5})?/|(index\.)?docker\.io/)",
        r"[a-z0-9._/-]{0,12}(:[a-zA-Z0-9._-]{0,9})?",
    );

    fn check(text: &str) -> Result<(), TestCaseError> {
        let Ok(reference) = text.parse::<Reference>() else { return Ok(()) };
        prop_assert_eq!(&reference.to_string().parse::<Reference>().unwrap(), &reference);
        let name = &reference.repository;
        prop_assert_eq!(&serde_json::from_str::<RepositoryName>(&serde_json::to_string(name).unwrap()).unwrap(), name);
        let safe = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-/".contains(&byte);
        prop_assert!(name.path.bytes().all(safe), "{}", name.path);
        prop_assert!(name.path.split('/').all(|part| !part.is_empty() && part.trim_matches('.') == part));
        prop_assert!(
            name.host.bytes().all(|byte| safe(byte) && byte != b'/' || b":[]".contains(&byte)),
            "{}",
            name.host
        );
        prop_assert!(name.to_string().len() <= MAX_LENGTH);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_text_is_refused_or_safe_in_a_url(text: String) {
            check(&text)?;
        }

        #[test]
        fn what_is_accepted_round_trips_and_is_safe_in_a_url(text in CLOSE_TO_A_REFERENCE) {
            check(&text)?;
        }

        #[test]
        fn every_name_of_the_specification_is_accepted(
            path in r"[a-z0-9]{1,4}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,4}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}){0,2}",
            tag in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}",
        ) {
            let reference: Reference = format!("ghcr.io/{path}:{tag}").parse().unwrap();
            prop_assert_eq!(reference.repository.path, path);
            prop_assert_eq!(reference.tag, TagName::new(&tag));
        }
    }
}
