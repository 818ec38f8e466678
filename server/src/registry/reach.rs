//! Which addresses a registry may send us to, by a token realm or a redirect.

use std::net::{IpAddr, Ipv4Addr};

use reqwest::Url;
use url::Host;

/// The rule for one registry. A registry decides where its tokens and blobs come from, and so must not be able to make
/// this server call the machine it runs on, a cloud's metadata service or the network behind it.
#[derive(Debug, Clone)]
pub struct Reach {
    registry: Url,
    allowed: Vec<String>,
}

/// How far away an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Distance {
    ThisMachine,
    LinkLocal,
    Private,
    Public,
}

impl Reach {
    /// The rule for the registry at this URL; `allowed` are hosts that its administrator trusts besides.
    pub fn new(registry: Url, allowed: Vec<String>) -> Self {
        Self { registry, allowed }
    }

    /// Whether a request may go there; the error says why not, and what to do.
    pub fn check(&self, url: &Url) -> Result<(), String> {
        let host = url.host_str().unwrap_or_default();
        let secure = url.scheme() == "https" || url.scheme() == "http" && self.registry.scheme() == "http";
        if !secure {
            return Err(format!("the registry sends us to `{host}` without TLS, although it has TLS itself"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("the registry sends us to `{host}` with a user name in the URL"));
        }
        let distance = distance(url);
        let beside = distance == self::distance(&self.registry) && distance != Distance::LinkLocal;
        let trusted = self.registry.host_str() == Some(host) || self.allowed.iter().any(|allowed| allowed == host);
        if distance == Distance::Public || beside || trusted {
            return Ok(());
        }
        Err(format!(
            "the registry sends us to `{host}`, an internal address, and is not internal itself; if that is right, allow this host in the registry's entry"
        ))
    }
}

fn distance(url: &Url) -> Distance {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let local = name == "localhost" || name.ends_with(".localhost");
            return if local { Distance::ThisMachine } else { Distance::Public };
        }
        None => return Distance::ThisMachine,
    };
    let (link_local, private) = match address {
        IpAddr::V4(address) => (address.is_link_local(), address.is_private() || is_shared(address)),
        IpAddr::V6(address) => (address.is_unicast_link_local(), address.is_unique_local()),
    };
    // The unspecified address connects to this machine.
    if address.is_loopback() || address.is_unspecified() {
        Distance::ThisMachine
    } else if link_local {
        Distance::LinkLocal
    } else if private || address.is_multicast() {
        Distance::Private
    } else {
        Distance::Public
    }
}

/// 100.64.0.0/10, the space behind carriers' NAT (RFC 6598).
fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0xc0 == 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(registry: &str, url: &str) -> bool {
        Reach::new(registry.parse().unwrap(), vec!["10.9.9.9".into()]).check(&url.parse().unwrap()).is_ok()
    }

    #[test]
    fn a_public_registry_leads_to_public_hosts_with_tls_only() {
        let registry = "https://ghcr.io/";
        assert!(allows(registry, "https://auth.example/token"));
        assert!(allows(registry, "https://ghcr.io/token"));
        assert!(allows(registry, "https://10.9.9.9/token"), "its administrator trusts this host");
        for url in [
            "http://auth.example/token",
            "https://user:pw@auth.example/token",
            "https://localhost/token",
            "https://x.localhost./token",
            "https://127.0.0.1/token",
            "https://127.1/token",
            "https://2130706433/token",
            "https://0.0.0.0/token",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.1/token",
            "https://192.168.1.1/token",
            "https://100.64.0.1/token",
            "https://[::1]/token",
            "https://[::]/token",
            "https://[::ffff:127.0.0.1]/token",
            "https://[fe80::1]/token",
            "https://[fd00::1]/token",
            "file:///etc/passwd",
            "ftp://auth.example/token",
        ] {
            assert!(!allows(registry, url), "{url}");
        }
    }

    #[test]
    fn an_internal_registry_may_lead_to_its_own_kind() {
        assert!(allows("http://127.0.0.1:5000/", "http://127.0.0.1:5001/token"));
        assert!(allows("https://10.0.0.1/", "https://10.0.0.2/token"));
        assert!(!allows("https://10.0.0.1/", "https://127.0.0.1/token"));
        assert!(!allows("http://127.0.0.1:5000/", "http://169.254.169.254/"));
        assert!(allows("http://169.254.1.1/", "http://169.254.1.1:81/"));
        assert!(!allows("http://169.254.1.1/", "http://169.254.169.254/"));
    }
}
