//! How the server is reached and by whom.

use std::net::SocketAddr;

use tokio::sync::watch;
use url::Url;

use crate::demo::Told;

/// A process may open 1,024 files where nobody raised the limit; the others are for the database and the registries.
const CONNECTIONS: usize = 768;

/// How the server is reached and by whom.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Where the server is below its host: `/`, or `/tagwarden/` behind a proxy; as [`HttpSettings::below`] makes it.
    pub base_path: String,
    /// How people reach the server, when that is not its loopback address: its host is taken in `Host`, its origin in POSTs.
    pub public_url: Option<Url>,
    /// Anybody who reaches the server may use it, under any name: `--no-auth`.
    pub no_auth: bool,
    /// The record is looked at only: whatever would change something is refused.
    pub read_only: bool,
    /// How far the story is, in the demo.
    pub demo: Option<watch::Receiver<Told>>,
    /// Connections at once; more of them wait to be accepted. Readers of the live stream may take two thirds.
    pub connections: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            base_path: "/".into(),
            public_url: None,
            no_auth: false,
            read_only: false,
            demo: None,
            connections: CONNECTIONS,
        }
    }
}

impl HttpSettings {
    /// Of a server that people reach by this URL: it is below its path.
    pub fn below(public_url: Option<Url>) -> Result<Self, BasePathError> {
        let base_path = base_path(public_url.as_ref().map_or("/", Url::path))?;
        Ok(Self { base_path, public_url, ..Self::default() })
    }
}

/// A path that cannot be the server's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no base path: write it as in /tagwarden/, with letters, digits and - . _ ~ only")]
pub struct BasePathError(String);

/// A base path with a slash at both ends. Its parts have letters, digits and `- . _ ~` (RFC 3986, "unreserved"); anything
/// else would be read in two ways by the router and by browsers.
fn base_path(text: &str) -> Result<String, BasePathError> {
    let inner = text.trim_matches('/');
    let part = |part: &str| {
        let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        plain && !matches!(part, "" | "." | "..")
    };
    match inner {
        "" => Ok("/".into()),
        _ if inner.split('/').all(part) => Ok(format!("/{inner}/")),
        _ => Err(BasePathError(text.to_owned())),
    }
}

/// Refuses to listen on an address that others can reach, unless `no_auth` was said aloud.
pub fn check_listen(address: &SocketAddr, no_auth: bool) -> Result<(), String> {
    if no_auth || address.ip().is_loopback() {
        return Ok(());
    }
    Err(format!(
        "{address} can be reached from other machines, and there is no sign-in: everybody who reaches it could read \
         everything and close flags. Listen on 127.0.0.1:{port} (and put a proxy with sign-in in front), or say --no-auth \
         if the network is trusted.",
        port = address.port()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_address_than_loopback_must_be_said_aloud() {
        for address in ["127.0.0.1:8080", "127.9.9.9:1", "[::1]:8080"] {
            assert_eq!(check_listen(&address.parse().unwrap(), false), Ok(()));
        }
        for address in ["0.0.0.0:8080", "192.0.2.1:8080", "[::]:8080"] {
            let message = check_listen(&address.parse().unwrap(), false).unwrap_err();
            assert!(message.contains("--no-auth") && message.contains("127.0.0.1:8080"), "{message}");
            assert_eq!(check_listen(&address.parse().unwrap(), true), Ok(()));
        }
    }

    #[test]
    fn a_base_path_has_a_slash_at_both_ends() {
        for (text, path) in [("", "/"), ("/", "/"), ("tagwarden", "/tagwarden/"), ("/a/b-1/", "/a/b-1/")] {
            assert_eq!(base_path(text).as_deref(), Ok(path));
        }
        for text in ["/a//b/", "/../", "/{x}/", "/a b/", "/\"/", "/ä/", "http://x/"] {
            assert!(base_path(text).is_err(), "{text}");
        }
    }
}
