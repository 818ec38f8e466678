//! A certificate authority of a test's own, made by openssl.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// An authority that nobody trusts but who is given its file.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let authority = Self { folder };
        request(&authority.file("ca"), &["-addext", "basicConstraints=critical,CA:TRUE"]);
        authority
    }

    /// Its own certificate, PEM.
    pub fn ca_file(&self) -> PathBuf {
        self.file("ca").with_extension("pem")
    }

    /// Writes a certificate for these addresses and its key as `<place>.pem` and `<place>.key`.
    pub fn issue(&self, place: &Path, addresses: &[&str]) {
        let (certificate, key) = (self.ca_file(), self.file("ca").with_extension("key"));
        let names: Vec<String> = addresses.iter().map(|address| format!("IP:{address}")).collect();
        let names = format!("subjectAltName={}", names.join(","));
        let (certificate, key) = (certificate.to_str().expect("UTF-8"), key.to_str().expect("UTF-8"));
        let signed = ["-CA", certificate, "-CAkey", key, "-addext", &names];
        // rustls refuses an authority's own certificate as a server's.
        request(place, &[&signed[..], &["-addext", "basicConstraints=critical,CA:FALSE"]].concat());
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn request(place: &Path, options: &[&str]) {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    command.args(["-subj", "/CN=a test of Tagwarden"]).args(options);
    command.arg("-keyout").arg(place.with_extension("key")).arg("-out").arg(place.with_extension("pem"));
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("openssl does not start ({error}): run packaging/tools.sh test"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
