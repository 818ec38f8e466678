//! Platforms, and how runtimes spell them.

use std::fmt;

use super::words::visible;

/// So many characters of a platform are shown.
const SHOWN: usize = 64;

/// What an image runs on, as an index or a config says (OCI image-spec, "Image Index" and "Image Configuration").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`.
    pub architecture: String,
    /// `v7`; mostly empty.
    pub variant: String,
    /// Of Windows: `10.0.20348.2700`.
    pub os_version: String,
    /// Of Windows: `win32k`.
    pub os_features: Vec<String>,
}

impl Platform {
    /// Whether it names a system and an architecture: without one of them runtimes guess.
    pub fn is_named(&self) -> bool {
        !self.os.is_empty() && !self.architecture.is_empty()
    }

    /// What attestations are listed under, so that no machine pulls them.
    pub(super) fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }

    /// As people read it.
    pub(super) fn shown(&self) -> String {
        visible(&self.to_string(), SHOWN)
    }

    /// In the one spelling that runtimes compare by (containerd, `platforms.Normalize`): two that are the same to a machine
    /// must be the same here, or a pushed image could replace another one under a different spelling.
    pub(super) fn normalised(&self) -> Self {
        let (os, architecture, variant) =
            (self.os.to_lowercase(), self.architecture.to_lowercase(), self.variant.to_lowercase());
        let os = if os == "macos" { "darwin".to_owned() } else { os };
        let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
            ("i386", _) => ("386", ""),
            ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
            ("x86_64" | "x86-64", _) => ("amd64", variant.as_str()),
            ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
            ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
            ("aarch64", _) => ("arm64", variant.as_str()),
            ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
            ("armel", _) | ("arm", "6") => ("arm", "v6"),
            ("arm", "5") => ("arm", "v5"),
            ("arm", "8") => ("arm", "v8"),
            (architecture, variant) => (architecture, variant),
        };
        let mut os_features = self.os_features.clone();
        os_features.sort_unstable();
        Self {
            os,
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
            os_version: self.os_version.clone(),
            os_features,
        }
    }
}

/// `os/architecture[/variant][ version][ +feature]`; not bounded, and with whatever was pushed.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        if !self.os_version.is_empty() {
            write!(f, " {}", self.os_version)?;
        }
        self.os_features.iter().try_for_each(|feature| write!(f, " +{feature}"))
    }
}
