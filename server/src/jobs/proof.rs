use std::collections::BTreeSet;

use serde::Deserialize;
use tagwarden_model::api::Readiness;
use tagwarden_model::digest::Digest;
use tagwarden_model::name::RepositoryName;

use crate::registry::{By, Manifest, Registry, RegistryError};
use crate::store::content::Content;

/// An index or an image may name at most so many parts; more is no image that anybody pulls.
const PARTS: usize = 2_000;

/// So many bytes of manifests are kept for the record; a proof that reads more keeps the first.
const KEPT: usize = 64 << 20;

/// What a proof found, and the manifests that it read: they are kept.
#[derive(Debug)]
pub struct Proven {
    /// Whether the digest can be pulled.
    pub readiness: Readiness,
    /// What was found or is missing, in words.
    pub detail: String,
    /// Manifests that were read on the way.
    pub contents: Vec<(Digest, Content)>,
}

/// Proves that a digest can be pulled: its manifest is read and hashed, and so is every manifest that it lists; every
/// config and layer is asked for. A manifest that answers says nothing of its parts: registries collect them apart.
pub async fn prove<R: Registry>(registry: &R, repository: &RepositoryName, digest: &Digest) -> Proven {
    let mut proof = Proof { registry, repository, blobs: BTreeSet::new(), manifests: 0, kept: 0, contents: Vec::new() };
    let (readiness, detail) = match proof.walk(digest).await {
        Ok(detail) => (Readiness::Ready, detail),
        Err(Missing::Gone) => (Readiness::Gone, "the registry no longer has its manifest".to_owned()),
        Err(Missing::Unproven(error)) => (Readiness::Unproven, format!("the registry could not be asked: {error}")),
        Err(Missing::Part(what)) => (Readiness::Incomplete, what),
    };
    Proven { readiness, detail, contents: proof.contents }
}

struct Proof<'a, R> {
    registry: &'a R,
    repository: &'a RepositoryName,
    blobs: BTreeSet<Digest>,
    manifests: usize,
    kept: usize,
    contents: Vec<(Digest, Content)>,
}

enum Missing {
    Gone,
    Part(String),
    Unproven(RegistryError),
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    manifests: Vec<Part>,
    config: Option<Part>,
    #[serde(default)]
    layers: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    digest: Digest,
    platform: Option<Platform>,
    /// Layers with addresses of their own need not be in the registry (OCI image-spec, "Descriptors").
    #[serde(default)]
    urls: Vec<String>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
}

impl<R: Registry> Proof<'_, R> {
    async fn walk(&mut self, digest: &Digest) -> Result<String, Missing> {
        let manifest = self.read(digest).await?.ok_or(Missing::Gone)?;
        let body = parse(digest, &manifest)?;
        if body.manifests.len() + body.layers.len() > PARTS {
            return Err(Missing::Part(format!("{} names more than {PARTS} parts", digest.short())));
        }
        let mut platforms = Vec::new();
        for child in &body.manifests {
            let of = child
                .platform
                .as_ref()
                .map_or_else(|| child.digest.short(), |of| format!("{}/{}", of.os, of.architecture));
            let missing = || Missing::Part(format!("the manifest of {of} ({}) is missing", child.digest.short()));
            let manifest = self.read(&child.digest).await?.ok_or_else(missing)?;
            let body = parse(&child.digest, &manifest)?;
            self.parts(&body).await?;
            if of != "unknown/unknown" {
                platforms.push(of);
            }
        }
        self.parts(&body).await?;
        let blobs = self.blobs.len();
        Ok(match platforms.len() {
            0 => format!("manifest and {blobs} blobs present"),
            1 => format!("{}, {blobs} blobs present", platforms.join(", ")),
            count => format!("{count} platforms ({}), {blobs} blobs present", platforms.join(", ")),
        })
    }

    async fn read(&mut self, digest: &Digest) -> Result<Option<Manifest>, Missing> {
        self.manifests += 1;
        if self.manifests > PARTS {
            return Err(Missing::Part(format!("it names more than {PARTS} manifests")));
        }
        match self.registry.manifest(self.repository, By::Digest(digest)).await.result {
            Ok(manifest) => {
                let content =
                    Content { media_type: manifest.media_type.word().to_owned(), bytes: manifest.bytes.clone() };
                self.kept += content.bytes.len();
                if self.kept <= KEPT {
                    self.contents.push((digest.clone(), content));
                }
                Ok(Some(manifest))
            }
            Err(RegistryError::NotFound { .. }) => Ok(None),
            Err(RegistryError::Unintelligible { message }) => Err(Missing::Part(message)),
            Err(error) => Err(Missing::Unproven(error)),
        }
    }

    async fn parts(&mut self, body: &Body) -> Result<(), Missing> {
        let config = body.config.iter().map(|part| ("config", part));
        let layers = body.layers.iter().map(|part| ("layer", part));
        for (what, part) in config.chain(layers) {
            if !part.urls.is_empty() || !self.blobs.insert(part.digest.clone()) {
                continue;
            }
            if self.blobs.len() > PARTS {
                return Err(Missing::Part(format!("it names more than {PARTS} blobs")));
            }
            match self.registry.has_blob(self.repository, &part.digest).await.result {
                Ok(true) => {}
                Ok(false) => return Err(Missing::Part(format!("the {what} {} is missing", part.digest.short()))),
                Err(error) => return Err(Missing::Unproven(error)),
            }
        }
        Ok(())
    }
}

fn parse(digest: &Digest, manifest: &Manifest) -> Result<Body, Missing> {
    serde_json::from_slice(&manifest.bytes)
        .map_err(|error| Missing::Part(format!("the manifest {} cannot be read: {error}", digest.short())))
}
