//! What differs between the contents of two digests, and how bad that is: RECORD.md 9.
//!
//! [`compare`] is a pure function of two [`Content`]s, which somebody else has read and parsed; [`wanted`] says what to
//! read for it. Where RECORD.md leaves room:
//! - Two indexes are compared platform by platform, each named as runtimes spell it: `x86_64` is `amd64`. An entry
//!   without a platform has the one of its config. Of several entries of one platform machines take the first, so they
//!   are paired in their order. What is left is paired by system and architecture alone.
//! - Two single manifests are compared whatever platform they name: whoever pulls the tag gets them.
//! - A single manifest is not compared with an index: the tag names another kind of thing, at least a warning. It stands
//!   beside the entry of its own platform, if its config says which that is; else nothing can be compared.
//! - An attestation is marked as one *and* of the platform `unknown/unknown`, which no machine pulls. A mark alone would
//!   let a pushed image pass for one.
//! - A field of a config that is named nowhere here is critical when it differs; the rules would else depend on what has
//!   been invented since.
//! - A platform that is added beside another of its architecture (`arm/v7` beside `arm/v6`) is a warning: some machines
//!   that pulled the other one pull it now.

mod attestations;
mod compare;
mod content;
mod manifests;
mod pairs;
mod platform;
mod refresh;
mod rows;
mod source;
mod table;
mod words;

use serde::{Deserialize, Serialize};

pub use self::compare::compare;
pub use self::content::{Body, Config, Content, Entry, History, Index, Manifest, Part, Unread, Wanted, wanted};
pub use self::platform::Platform;
pub use self::source::{SourceCommit, source};
pub use self::table::ChangeRow;
pub use self::words::{is_trick, visible};
use crate::coded::coded;
use crate::digest::Digest;
use crate::event::Severity;

/// What differs between the contents of two digests. All texts in it are bounded, and of what was pushed without
/// characters that hide or turn what follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ContentChange))]
pub struct Change {
    /// The worst over all platforms.
    pub level: ChangeLevel,
    /// How bad that is, before anything else is known: an environment that runs the tag raises it by one.
    pub severity: Severity,
    /// Why nothing could be compared, in words.
    pub problem: Option<String>,
    /// Where the named index or manifest itself differs, apart from its platforms.
    pub whole: Vec<Difference>,
    /// By platform, those of the old content first; those that are the same too.
    pub platforms: Vec<PlatformChange>,
    /// Platforms that were left out of `platforms`, never a worse one than those in it.
    pub more_platforms: u64,
    /// How the attestations inside the index differ; `None` where they do not.
    pub attestations: Option<AttestationChange>,
    /// What both claim to be built from; `None` where neither claims anything.
    pub revision: Option<Revision>,
}

/// How one platform differs. With one digest only it was added or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlatformChange {
    /// `linux/arm/v7`; `None` where nothing says it, as of artifacts that are no images.
    pub platform: Option<String>,
    /// The worst of its differences.
    pub level: ChangeLevel,
    /// Its manifest before.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub old: Option<Digest>,
    /// Its manifest after.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub new: Option<Digest>,
    /// Why it could not be compared, or not wholly, in words.
    pub problem: Option<String>,
    /// What differs, by field; of one field with names at most 8.
    pub differences: Vec<Difference>,
    /// Named differences that were left out of `differences`.
    pub left_out: u64,
    /// Its layers; `None` where both manifests were not needed or could not be read.
    pub layers: Option<Layers>,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Difference {
    /// What.
    pub field: Field,
    /// Which one: of a label, an annotation, an environment variable, a setting.
    pub name: Option<String>,
    /// In which way.
    pub how: How,
    /// The value before, cut around where it differs. Values of environment variables may be secrets and are never shown.
    pub old: Option<String>,
    /// The value after.
    pub new: Option<String>,
}

/// The layers of one platform: of an image by what they unpack to, where its config says so, else by their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Layers {
    /// How many before.
    pub old: u64,
    /// How many after.
    pub new: u64,
    /// How many are in both, wherever they stand.
    pub kept: u64,
    /// Bytes to pull before, as the manifest says.
    pub old_size: u64,
    /// Bytes to pull after, as the manifest says.
    pub new_size: u64,
}

/// How the attestations that an index lists differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttestationChange {
    /// How many before.
    pub old: u64,
    /// How many after.
    pub new: u64,
    /// What a platform had and has no more; at most 32.
    pub lost: Vec<LostAttestation>,
    /// Some could not be read: they may have been signatures.
    pub unread: bool,
}

/// An attestation that is there no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LostAttestation {
    /// The platform it was about, if it said so.
    pub platform: Option<String>,
    /// What it was.
    pub kind: AttestationKind,
}

/// The label that says what an image was built from (OCI image specification, annotations).
const REVISION: &str = "org.opencontainers.image.revision";

/// What both contents claim to be built from, by the label `org.opencontainers.image.revision`. Whoever pushed wrote it:
/// it explains and never lowers anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Revision {
    /// The one claim of all that was read of the old content.
    pub old: Option<String>,
    /// The one claim of all that was read of the new content.
    pub new: Option<String>,
    /// Whether both claim the same.
    pub same: bool,
}

coded! {
    /// Where two contents differ; ordered, and each has its severity.
    pub enum ChangeLevel {
        /// Nowhere.
        Same = 0 "same",
        /// In the index's own bytes: annotations, media type, order. Every platform's manifest is the same.
        Index = 1 "index",
        /// In attestations.
        Attestations = 2 "attestations",
        /// By platforms that were added.
        PlatformAdded = 3 "platform_added",
        /// In attestations, and a known signature or provenance is lost.
        AttestationLost = 4 "attestation_lost",
        /// In what describes: labels, creation time, history, or layers that were only compressed anew.
        Description = 5 "description",
        /// By platforms that were removed.
        PlatformRemoved = 6 "platform_removed",
        /// In which manifest a machine chooses: an image became an index, or a platform stands beside one like it.
        Selection = 7 "selection",
        /// In what runs: files, entrypoint, command, environment, user, working directory, ports, volumes.
        Content = 8 "content",
        /// Nobody can say: the old content was never read and is gone, or one of both is unreadable.
        NotComparable = 9 "not_comparable",
    }
}

impl ChangeLevel {
    /// The table of RECORD.md 9.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Same | Self::Index | Self::Attestations | Self::PlatformAdded => Severity::Info,
            Self::AttestationLost | Self::Description | Self::PlatformRemoved | Self::Selection => Severity::Warning,
            Self::Content | Self::NotComparable => Severity::Critical,
        }
    }
}

coded! {
    /// What can differ, in the order it is told.
    pub enum Field {
        /// An index, an image or another artifact.
        Kind = 1 "kind",
        /// The platform that a config says.
        Platform = 2 "platform",
        /// The type of an artifact that is no image.
        ArtifactType = 3 "artifact_type",
        /// The entrypoint.
        Entrypoint = 4 "entrypoint",
        /// The default command.
        Command = 5 "command",
        /// Environment variables.
        Environment = 6 "environment",
        /// The user.
        User = 7 "user",
        /// The working directory.
        WorkingDirectory = 8 "working_directory",
        /// Exposed ports.
        Ports = 9 "ports",
        /// Volumes.
        Volumes = 10 "volumes",
        /// Other settings of the config, such as its health check.
        Settings = 11 "settings",
        /// The config of an artifact that is no image.
        Config = 12 "config",
        /// What the layers hold.
        Layers = 13 "layers",
        /// The platform by which an index lists the same manifest.
        Listing = 14 "listing",
        /// How the same layers are compressed.
        Compression = 15 "compression",
        /// Labels.
        Labels = 16 "labels",
        /// When it says it was built.
        Created = 17 "created",
        /// The steps it says it was built by.
        History = 18 "history",
        /// What the builder left behind: author, names of containers, versions, caches.
        Build = 19 "build",
        /// Annotations of a manifest or an index.
        Annotations = 20 "annotations",
        /// Media types.
        MediaType = 21 "media_type",
        /// The manifest that it says it belongs to.
        Subject = 22 "subject",
        /// How the same is written.
        Bytes = 23 "bytes",
    }
}

impl Field {
    /// What it means when this differs on a platform: the table of RECORD.md 9.
    pub const fn level(self) -> ChangeLevel {
        match self {
            Self::Kind
            | Self::Platform
            | Self::ArtifactType
            | Self::Entrypoint
            | Self::Command
            | Self::Environment
            | Self::User
            | Self::WorkingDirectory
            | Self::Ports
            | Self::Volumes
            | Self::Settings
            | Self::Config
            | Self::Layers => ChangeLevel::Content,
            Self::Listing => ChangeLevel::Selection,
            Self::Compression
            | Self::Labels
            | Self::Created
            | Self::History
            | Self::Build
            | Self::Annotations
            | Self::MediaType
            | Self::Subject
            | Self::Bytes => ChangeLevel::Description,
        }
    }
}

coded! {
    /// In which way something differs.
    pub enum How {
        /// It was not there before.
        Added = 1 "added",
        /// It is not there any more.
        Removed = 2 "removed",
        /// It is another.
        Changed = 3 "changed",
    }
}

coded! {
    /// What an attestation says it is; nobody has verified it.
    pub enum AttestationKind {
        /// A signature.
        Signature = 1 "signature",
        /// How it was built.
        Provenance = 2 "provenance",
        /// What is inside.
        Sbom = 3 "sbom",
    }
}

#[cfg(test)]
mod tests;
