//! Indexes and manifests.

use std::collections::BTreeMap;

use serde::de::MapAccess;
use tagwarden_model::change::{Manifest, Part, Platform, Unread};
use tagwarden_model::digest::Digest;
use tagwarden_model::tag::MediaType;

use super::json::{self, ContentError, List, Map, Object, Strict};

/// What an index may list: ten times what the largest ones do.
const MAX_ENTRIES: usize = 256;

/// The media types of configs that make a manifest an image.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// A manifest or an index, without what it names.
#[derive(Debug)]
pub(super) enum Parsed {
    Index {
        media_type: Option<String>,
        annotations: BTreeMap<String, String>,
        entries: Vec<Descriptor>,
    },
    /// Of an image whose config is `Missing`.
    Manifest(Manifest),
}

/// Whether a media type is that of an index.
pub(super) fn is_index(media_type: &str) -> bool {
    MediaType::from_word(media_type).is_some_and(MediaType::is_index)
}

/// Reads an index or a manifest. Which of both it is follows from what it holds, never from what it is called.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, ContentError> {
    let body = json::parse::<Strict<Body>>(bytes)?.0;
    if let Some(version) = body.schema_version.filter(|version| *version != 2) {
        return Err(ContentError::Schema { version });
    }
    let is_manifest = body.config.is_some() || body.layers.is_some();
    if let Some(media_type) = body.media_type.as_deref() {
        let says_index = MediaType::from_word(media_type).map(MediaType::is_index);
        if says_index != Some(body.manifests.is_some()) {
            return Err(ContentError::MediaType { media_type: tagwarden_model::change::visible(media_type, 100) });
        }
    }
    match (body.manifests, body.config) {
        (Some(_), _) if is_manifest => Err(ContentError::Ambiguous),
        (Some(entries), _) => Ok(Parsed::Index { media_type: body.media_type, annotations: body.annotations, entries }),
        (None, Some(config)) => {
            let image = IMAGE_CONFIGS.contains(&config.media_type.as_str()).then_some(Err(Unread::Missing));
            Ok(Parsed::Manifest(Manifest {
                media_type: body.media_type,
                artifact_type: body.artifact_type,
                subject: body.subject,
                annotations: body.annotations,
                config,
                layers: body.layers.unwrap_or_default(),
                image,
            }))
        }
        (None, None) => Err(ContentError::NoManifest),
    }
}

#[derive(Default)]
struct Body {
    schema_version: Option<u64>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    subject: Option<Digest>,
    annotations: BTreeMap<String, String>,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Part>,
    layers: Option<Vec<Part>>,
}

impl Object for Body {
    type Value = Self;

    const KEYS: &'static [&'static str] =
        &["schemaVersion", "mediaType", "artifactType", "subject", "annotations", "manifests", "config", "layers"];

    fn known<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "schemaVersion" => self.schema_version = map.next_value()?,
            "mediaType" => self.media_type = map.next_value()?,
            "artifactType" => self.artifact_type = map.next_value()?,
            "subject" => self.subject = json::object::<Link, A>(map)?.map(|link| link.part.digest),
            "annotations" => self.annotations = map.next_value::<Map<String>>()?.0,
            "manifests" => {
                let entries = map.next_value::<List<Strict<Link>, MAX_ENTRIES>>()?.0;
                self.manifests = Some(entries.into_iter().map(|entry| entry.0).collect());
            }
            "config" => self.config = json::object::<Link, A>(map)?.map(|link| link.part),
            _ => {
                let layers = map.next_value::<List<Strict<Link>>>()?.0;
                self.layers = Some(layers.into_iter().map(|layer| layer.0.part).collect());
            }
        }
        Ok(())
    }

    fn value(self) -> Result<Self, &'static str> {
        Ok(self)
    }
}

/// What an index lists (OCI image-spec, "Descriptors").
#[derive(Debug)]
pub(super) struct Descriptor {
    pub part: Part,
    pub platform: Option<Platform>,
}

#[derive(Default)]
struct Link {
    media_type: String,
    digest: Option<Digest>,
    size: u64,
    annotations: BTreeMap<String, String>,
    platform: Option<Platform>,
}

impl Object for Link {
    type Value = Descriptor;

    const KEYS: &'static [&'static str] = &["mediaType", "digest", "size", "annotations", "platform"];

    fn known<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "mediaType" => self.media_type = json::text(map)?,
            "digest" => self.digest = Some(map.next_value()?),
            "size" => self.size = map.next_value()?,
            "annotations" => self.annotations = map.next_value::<Map<String>>()?.0,
            _ => self.platform = json::object::<Runs, A>(map)?,
        }
        Ok(())
    }

    fn value(self) -> Result<Descriptor, &'static str> {
        let digest = self.digest.ok_or("`digest` is missing")?;
        let part = Part { media_type: self.media_type, digest, size: self.size, annotations: self.annotations };
        Ok(Descriptor { part, platform: self.platform })
    }
}

/// A platform, as in descriptors and configs.
#[derive(Default)]
pub(super) struct Runs(Platform);

impl Object for Runs {
    type Value = Platform;

    const KEYS: &'static [&'static str] = &["os", "architecture", "variant", "os.version", "os.features"];

    fn known<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "os" => self.0.os = json::text(map)?,
            "architecture" => self.0.architecture = json::text(map)?,
            "variant" => self.0.variant = json::text(map)?,
            "os.version" => self.0.os_version = json::text(map)?,
            _ => self.0.os_features = map.next_value::<List<String>>()?.0,
        }
        Ok(())
    }

    fn value(self) -> Result<Platform, &'static str> {
        Ok(self.0)
    }
}
