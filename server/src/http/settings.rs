//! How the server is reached and by whom.

use std::net::SocketAddr;

use tokio::sync::watch;
use url::Url;

use crate::demo::Told;

/// What a process may open where nobody raised the limit.
const FILES: usize = 1024;
/// Beyond that, more files make no more connections: their memory is bounded too.
const MOST_FILES: usize = 4096;

/// Three quarters of the files that the process may open (proc(5), `limits`); the others are for the database and the registries.
fn connections(limits: &str) -> usize {
    let limit = |line: &str| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok();
    limits.lines().find_map(limit).unwrap_or(FILES).min(MOST_FILES) / 4 * 3
}

/// How the server is reached and by whom.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Where the server is below its host: `/`, or `/tagwarden/` behind a proxy; see [`base_path`](crate::config::base_path).
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
            connections: connections(&std::fs::read_to_string("/proc/self/limits").unwrap_or_default()),
        }
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
    fn connections_are_as_many_as_the_files_allow() {
        let limits = |files: &str| {
            format!(
                "Max processes             31842   31842    processes\nMax open files            {files}   524288   files\n"
            )
        };
        assert_eq!(connections(""), 768, "elsewhere than on Linux");
        for (files, expected) in [("1024", 768), ("256", 192), ("2048", 1536), ("1048576", 3072), ("unlimited", 768)] {
            assert_eq!(connections(&limits(files)), expected, "{files}");
        }
    }

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
}
