//! The images of the story: small, but with everything a real one has, so that what changes in them can be told.

use serde_json::{Map, Value, json};
use tagwarden_model::digest::Digest;
use tagwarden_model::instant::Instant;
use tagwarden_model::tag::MediaType;

use super::registry::DemoRegistry;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What an image is built from; equal builds give equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Build {
    /// An index of images, one a platform.
    Image(ImageBuild),
    /// A Helm chart: an OCI artifact that is no image.
    Chart {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// What its templates are made from.
        content: String,
    },
}

/// What an index of images is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageBuild {
    /// `linux/amd64` and the like.
    pub platforms: Vec<&'static str>,
    /// The command it starts.
    pub entrypoint: Vec<String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// `org.opencontainers.image.*` and others.
    pub labels: Vec<(String, String)>,
    /// What each layer holds.
    pub layers: Vec<String>,
    /// The level that the layers are compressed with: other bytes, the same files.
    pub compression: u32,
    /// When it was built, as its config says.
    pub created: Instant,
    /// The run of the builder that attested to it, if one did.
    pub attested_by: Option<u32>,
}

impl Build {
    /// Puts it into a repository and lets `tags` name it.
    pub fn push(&self, registry: &DemoRegistry, repository: &str, tags: &[String]) -> Digest {
        let digest = match self {
            Self::Image(image) => image.put(registry, repository),
            Self::Chart { name, version, content } => {
                let config = json!({ "apiVersion": "v2", "name": name, "version": version }).to_string();
                let archive = format!("chart {name} {version}\n{content}\n");
                let manifest = json!({
                    "schemaVersion": 2,
                    "mediaType": MANIFEST,
                    "config": blob(registry, repository, "application/vnd.cncf.helm.config.v1+json", config),
                    "layers": [blob(registry, repository, "application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive)],
                });
                registry.put_manifest(repository, manifest.to_string(), MediaType::OciManifest)
            }
        };
        for tag in tags {
            registry.point(repository, tag, digest.clone());
        }
        digest
    }
}

impl ImageBuild {
    fn put(&self, registry: &DemoRegistry, repository: &str) -> Digest {
        let mut manifests = Vec::new();
        for platform in &self.platforms {
            let (os, architecture) = platform.split_once('/').unwrap_or(("linux", platform));
            let manifest = self.manifest(registry, repository, os, architecture).to_string();
            let (size, digest) = (manifest.len(), registry.put_manifest(repository, manifest, MediaType::OciManifest));
            manifests.push(json!({
                "mediaType": MANIFEST,
                "digest": digest.to_string(),
                "size": size,
                "platform": { "os": os, "architecture": architecture },
            }));
        }
        if let Some(run) = self.attested_by {
            let attestations: Vec<Value> =
                manifests.iter().map(|image| attestation(registry, repository, image, run)).collect();
            manifests.extend(attestations);
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        registry.put_manifest(repository, index.to_string(), MediaType::OciIndex)
    }

    fn manifest(&self, registry: &DemoRegistry, repository: &str, os: &str, architecture: &str) -> Value {
        let files: Vec<String> =
            self.layers.iter().map(|layer| format!("{layer} for {architecture}\n").repeat(20)).collect();
        let created = self.created.to_string();
        let labels: Map<String, Value> =
            self.labels.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        let history: Vec<Value> = self
            .layers
            .iter()
            .map(|layer| json!({ "created": created, "created_by": format!("COPY {layer}") }))
            .collect();
        let config = json!({
            "os": os,
            "architecture": architecture,
            "created": created,
            "config": { "Entrypoint": self.entrypoint, "Env": self.env, "User": "65532", "WorkingDir": "/app", "Labels": labels },
            "rootfs": { "type": "layers", "diff_ids": files.iter().map(|text| Digest::of(text.as_bytes()).to_string()).collect::<Vec<_>>() },
            "history": history,
        });
        let layers: Vec<Value> = files
            .into_iter()
            .map(|text| blob(registry, repository, LAYER, format!("compressed at level {}\n{text}", self.compression)))
            .collect();
        json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": blob(registry, repository, CONFIG, config.to_string()),
            "layers": layers,
        })
    }
}

/// As buildx attests: a manifest for the platform `unknown/unknown` that names what it is about.
fn attestation(registry: &DemoRegistry, repository: &str, image: &Value, run: u32) -> Value {
    let about = image.get("digest").cloned().unwrap_or_default();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://slsa.dev/provenance/v1",
        "subject": [{ "digest": about }],
        "predicate": { "runDetails": { "metadata": { "invocationId": run.to_string() } } },
    });
    let mut layer = blob(registry, repository, "application/vnd.in-toto+json", statement.to_string());
    layer["annotations"] = json!({ "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1" });
    let config = json!({ "os": "unknown", "architecture": "unknown", "rootfs": { "type": "layers", "diff_ids": [] } });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blob(registry, repository, CONFIG, config.to_string()),
        "layers": [layer],
    })
    .to_string();
    let (size, digest) = (manifest.len(), registry.put_manifest(repository, manifest, MediaType::OciManifest));
    json!({
        "mediaType": MANIFEST,
        "digest": digest.to_string(),
        "size": size,
        "annotations": { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about },
        "platform": { "os": "unknown", "architecture": "unknown" },
    })
}

/// Keeps a blob; gives its descriptor.
fn blob(registry: &DemoRegistry, repository: &str, media_type: &str, content: String) -> Value {
    let size = content.len();
    json!({ "mediaType": media_type, "digest": registry.put_blob(repository, content).to_string(), "size": size })
}
