//! What a digest names: parsed, and only as far as it could be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::Platform;
use crate::digest::Digest;

/// What a digest names, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The digest.
    pub digest: Digest,
    /// Its bytes, parsed.
    pub body: Result<Body, Unread>,
}

/// A manifest or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A list of manifests.
    Index(Index),
    /// An image for one platform, or an artifact that is none. Shared, as an index may list one many times.
    Manifest(Arc<Manifest>),
}

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// Its bytes are not here.
    Missing,
    /// Its bytes are here, and are not what they should be: why, in words.
    Unreadable(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("was never read and cannot be had"),
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}

/// A list of manifests (OCI image-spec, "Image Index"; Docker's manifest list).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Index {
    /// What it says it is.
    pub media_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// What it lists, in its order.
    pub entries: Vec<Entry>,
}

/// What an index lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The platform as written; `None` where there is none.
    pub platform: Option<Platform>,
    /// The annotations of the entry.
    pub annotations: BTreeMap<String, String>,
    /// What it names. An index inside an index is not followed, but `Unreadable`.
    pub content: Content,
}

impl Entry {
    /// Whether it is about another entry, and no machine pulls it (BuildKit, "Image Attestation Storage").
    pub fn is_attestation(&self) -> bool {
        self.annotations.get("vnd.docker.reference.type").is_some_and(|kind| kind == "attestation-manifest")
            && self.platform.as_ref().is_some_and(Platform::is_unknown)
    }

    /// The entry that an attestation is about.
    pub(super) fn subject(&self) -> Option<Digest> {
        self.annotations.get("vnd.docker.reference.digest")?.parse().ok()
    }
}

/// An image for one platform, or an artifact that is none (OCI image-spec, "Image Manifest"; Docker's schema 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What it says it is.
    pub media_type: Option<String>,
    /// What it says it is, if it is no image.
    pub artifact_type: Option<String>,
    /// The manifest that it says it belongs to.
    pub subject: Option<Digest>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its config's descriptor.
    pub config: Part,
    /// Its layers' descriptors, in their order.
    pub layers: Vec<Part>,
    /// The config of an image; `None` for what is none (a chart, a module, a signature).
    pub image: Option<Result<Arc<Config>, Unread>>,
}

/// What names a config or a layer (OCI image-spec, "Descriptors").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub media_type: String,
    /// Its bytes.
    pub digest: Digest,
    /// How many bytes, as the manifest says.
    pub size: u64,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// What an image's config says (OCI image-spec, "Image Configuration"). What is missing, null or empty is the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// What it runs on.
    pub platform: Platform,
    /// What is run.
    pub entrypoint: Vec<String>,
    /// With which arguments, or what is run if there is no entrypoint.
    pub command: Vec<String>,
    /// `NAME=value`, in its order. Values may be secrets.
    pub environment: Vec<String>,
    /// As whom.
    pub user: String,
    /// Where.
    pub working_directory: String,
    /// Ports such as `80/tcp`.
    pub ports: BTreeSet<String>,
    /// Paths.
    pub volumes: BTreeSet<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// When it says it was built, as written.
    pub created: Option<String>,
    /// How it says it was built.
    pub history: History,
    /// What the layers unpack to, in their order; runtimes check it.
    pub diff_ids: Vec<Digest>,
    /// All other fields, with a hash of what they hold.
    pub settings: BTreeMap<String, Digest>,
}

/// The steps an image says it was built by: they may hold secrets, so that only a hash of them is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// How many.
    pub steps: u64,
    /// A hash of all.
    pub hash: Option<Digest>,
}

/// Bytes without which something cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// A manifest or an index.
    Manifest(Digest),
    /// The config of an image.
    Config(Digest),
}

/// What is missing of two contents for [`compare`](super::compare) to say all it could, and no more: a platform whose
/// manifest is in both need not be read. Once it is loaded and parsed, more may be wanted: an index, its manifests, their configs.
pub fn wanted(old: &Content, new: &Content) -> Vec<Wanted> {
    let mut wanted = BTreeSet::new();
    if old.digest != new.digest {
        let attested = attestations(old) != attestations(new);
        for (side, other) in [(old, new), (new, old)] {
            let common = entries(other).iter().map(|entry| &entry.content.digest).collect();
            of_root(side, &common, attested, &mut wanted);
        }
    }
    wanted.into_iter().collect()
}

fn of_root(root: &Content, common: &BTreeSet<&Digest>, attested: bool, wanted: &mut BTreeSet<Wanted>) {
    of_manifest(root, true, wanted);
    for entry in entries(root) {
        if entry.is_attestation() {
            if attested {
                of_manifest(&entry.content, false, wanted);
            }
        } else if entry.platform.is_none() || !common.contains(&entry.content.digest) {
            // Without a platform its config is needed to know what it stands beside.
            of_manifest(&entry.content, true, wanted);
        }
    }
}

fn of_manifest(content: &Content, with_config: bool, wanted: &mut BTreeSet<Wanted>) {
    match &content.body {
        Err(Unread::Missing) => {
            wanted.insert(Wanted::Manifest(content.digest.clone()));
        }
        Ok(Body::Manifest(manifest)) if with_config && manifest.image == Some(Err(Unread::Missing)) => {
            wanted.insert(Wanted::Config(manifest.config.digest.clone()));
        }
        _ => {}
    }
}

/// The entries of an index; none of anything else.
pub(super) fn entries(content: &Content) -> &[Entry] {
    match &content.body {
        Ok(Body::Index(index)) => &index.entries,
        _ => &[],
    }
}

/// The digests of what an index lists as attestations.
pub(super) fn attestations(content: &Content) -> BTreeSet<&Digest> {
    entries(content).iter().filter(|entry| entry.is_attestation()).map(|entry| &entry.content.digest).collect()
}
