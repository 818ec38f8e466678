//! Small images made from a seed: the same seed gives the same bytes, two seeds never do.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Value, json};
use tagwarden_model::digest::Digest;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const OCI_GZIPPED: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const IN_TOTO: &str = "application/vnd.in-toto+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// An image or an index of images: its manifest and everything that the manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The manifest as a registry must keep it.
    pub manifest: Vec<u8>,
    /// The manifest's media type.
    pub media_type: &'static str,
    /// Of the manifest.
    pub digest: Digest,
    /// Config and layer; of an index, those of its children.
    pub blobs: Vec<Vec<u8>>,
    /// The images of an index, in its order.
    pub children: Vec<Image>,
}

impl Image {
    /// An OCI image for linux/amd64 with one layer of one file.
    pub fn single(seed: u64) -> Self {
        Self::labelled(seed, &[])
    }

    /// The same with labels in its config.
    pub fn labelled(seed: u64, labels: &[(&str, &str)]) -> Self {
        Self::of(seed, "amd64", labels, [OCI_MANIFEST, OCI_CONFIG, OCI_LAYER])
    }

    /// The same content with Docker's media types: another manifest, another digest.
    pub fn docker(seed: u64) -> Self {
        Self::of(seed, "amd64", &[], [DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER])
    }

    /// An OCI index of two images, for linux/amd64 and linux/arm64.
    pub fn index(seed: u64) -> Self {
        Self::labelled_index(seed, &[])
    }

    /// The same with labels in both configs.
    pub fn labelled_index(seed: u64, labels: &[(&str, &str)]) -> Self {
        let of = |platform| Self::of(seed, platform, labels, [OCI_MANIFEST, OCI_CONFIG, OCI_LAYER]);
        Self::listing(&["amd64", "arm64"].map(|platform| (platform, of(platform))), None)
    }

    /// An OCI index of these images, each for linux on its architecture, and what the builder attests of the first, as buildx
    /// lists it.
    pub fn listing(images: &[(&str, Self)], attested: Option<&Value>) -> Self {
        let mut children: Vec<Self> = images.iter().map(|(_, image)| image.clone()).collect();
        let mut manifests: Vec<Value> = images
            .iter()
            .map(|(platform, image)| {
                let mut descriptor = descriptor(OCI_MANIFEST, &image.manifest);
                descriptor["platform"] = json!({ "architecture": platform, "os": "linux" });
                descriptor
            })
            .collect();
        if let (Some(provenance), Some((_, subject))) = (attested, images.first()) {
            let attestation = Self::attestation(provenance);
            let mut descriptor = descriptor(OCI_MANIFEST, &attestation.manifest);
            descriptor["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
            descriptor["annotations"] = json!({
                "vnd.docker.reference.digest": subject.digest.to_string(),
                "vnd.docker.reference.type": "attestation-manifest",
            });
            manifests.push(descriptor);
            children.push(attestation);
        }
        let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests });
        let blobs = children.iter().flat_map(|child| child.blobs.clone()).collect();
        Self::new(OCI_INDEX, &manifest, blobs, children)
    }

    /// An OCI image for linux/amd64 of one gzipped layer, its file made from the seed, with these settings.
    pub fn gzipped(seed: u64, level: u8, settings: &Value) -> Self {
        let layer = tar("seed", format!("{seed} for amd64\n").as_bytes());
        let config = config("amd64", settings, &layer);
        Self::of_layer(OCI_MANIFEST, (OCI_CONFIG, &config), (OCI_GZIPPED, gzip(&layer, level)), None)
    }

    /// What buildx lists beside the image that it built: a statement about it.
    fn attestation(provenance: &Value) -> Self {
        let statement = provenance.to_string().into_bytes();
        let config = json!({
            "architecture": "unknown",
            "os": "unknown",
            "config": {},
            "rootfs": { "type": "layers", "diff_ids": [Digest::of(&statement).to_string()] },
        });
        let said = json!({ "in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2" });
        Self::of_layer(OCI_MANIFEST, (OCI_CONFIG, &config), (IN_TOTO, statement), Some(said))
    }

    fn of(seed: u64, platform: &str, labels: &[(&str, &str)], media_types: [&'static str; 3]) -> Self {
        let [manifest_type, config_type, layer_type] = media_types;
        let layer = tar("seed", format!("{seed} for {platform}\n").as_bytes());
        let labels: Value = labels.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        let config = config(platform, &json!({ "Labels": labels }), &layer);
        Self::of_layer(manifest_type, (config_type, &config), (layer_type, layer), None)
    }

    fn of_layer(
        manifest_type: &'static str,
        (config_type, config): (&str, &Value),
        (layer_type, layer): (&str, Vec<u8>),
        annotations: Option<Value>,
    ) -> Self {
        let config = config.to_string().into_bytes();
        let mut described = descriptor(layer_type, &layer);
        if let Some(annotations) = annotations {
            described["annotations"] = annotations;
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": descriptor(config_type, &config),
            "layers": [described],
        });
        Self::new(manifest_type, &manifest, vec![config, layer], Vec::new())
    }

    fn new(media_type: &'static str, manifest: &Value, blobs: Vec<Vec<u8>>, children: Vec<Self>) -> Self {
        let manifest = manifest.to_string().into_bytes();
        let digest = Digest::of(&manifest);
        Self { manifest, media_type, digest, blobs, children }
    }

    /// Writes the folder that skopeo reads as `dir:`. Unlike an OCI layout it holds Docker's media types too.
    pub fn write_folder(&self, folder: &Path) {
        let write = |name: &str, bytes: &[u8]| {
            fs::write(folder.join(name), bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        };
        write("version", b"Directory Transport Version: 1.1\n");
        write("manifest.json", &self.manifest);
        for child in &self.children {
            write(&format!("{}.manifest.json", child.digest.hex()), &child.manifest);
        }
        for blob in &self.blobs {
            write(&Digest::of(blob).hex(), blob);
        }
    }

    /// Pushes by plain HTTP to the registry at `url`: a few milliseconds, where skopeo takes a tenth of a second.
    pub async fn put(&self, client: &reqwest::Client, url: &str, repository: &str, tag: &str) {
        for blob in &self.blobs {
            put_blob(client, url, repository, blob).await;
        }
        for child in &self.children {
            child.put_manifest(client, url, repository, &child.digest.to_string()).await;
        }
        self.put_manifest(client, url, repository, tag).await;
    }

    /// PUTs the manifest alone, under a tag or its digest: all a move needs once the blobs are there.
    pub async fn put_manifest(&self, client: &reqwest::Client, url: &str, repository: &str, reference: &str) {
        let request = client
            .put(format!("{url}/v2/{repository}/manifests/{reference}"))
            .header(CONTENT_TYPE, self.media_type)
            .body(self.manifest.clone());
        expect_created(request, &format!("PUT of the manifest {repository}:{reference}")).await;
    }
}

/// DELETEs a manifest by digest, and so every tag that names it. Panics unless the registry answers 202.
pub async fn delete_digest(client: &reqwest::Client, url: &str, repository: &str, digest: &Digest) {
    let response = client.delete(format!("{url}/v2/{repository}/manifests/{digest}")).send().await.expect("an answer");
    assert_eq!(response.status(), 202, "DELETE of {repository}@{digest}: {:?}", response.text().await);
}

/// DELETEs a blob of a repository, as a registry forgets what it has collected. Panics unless the registry answers 202.
pub async fn delete_blob(client: &reqwest::Client, url: &str, repository: &str, digest: &Digest) {
    let response = client.delete(format!("{url}/v2/{repository}/blobs/{digest}")).send().await.expect("an answer");
    assert_eq!(response.status(), 202, "DELETE of the blob {repository}@{digest}: {:?}", response.text().await);
}

/// Uploads in the two requests of the specification's "POST then PUT".
async fn put_blob(client: &reqwest::Client, url: &str, repository: &str, bytes: &[u8]) {
    let begun = client.post(format!("{url}/v2/{repository}/blobs/uploads/")).send().await.expect("an upload session");
    let location = begun.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location.unwrap_or_else(|| panic!("POST of an upload: {} without Location", begun.status()));
    let mut target = begun.url().join(location).expect("a Location that is an address");
    target.query_pairs_mut().append_pair("digest", &Digest::of(bytes).to_string());
    let request = client.put(target).header(CONTENT_TYPE, "application/octet-stream").body(bytes.to_vec());
    expect_created(request, "PUT of a blob").await;
}

async fn expect_created(request: reqwest::RequestBuilder, what: &str) {
    let response = request.send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_eq!(response.status(), 201, "{what}: {:?}", response.text().await);
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(bytes).to_string(), "size": bytes.len() })
}

/// A config of one layer.
fn config(platform: &str, settings: &Value, layer: &[u8]) -> Value {
    json!({
        "architecture": platform,
        "os": "linux",
        "config": settings,
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(layer).to_string()] },
    })
}

/// Compressed by gzip, without a time in it.
fn gzip(bytes: &[u8], level: u8) -> Vec<u8> {
    let mut command = Command::new("gzip");
    command.args(["--no-name", "--stdout", &format!("-{level}")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().expect("gzip starts");
    // Less than a pipe holds: gzip has read it before its output is.
    process.stdin.take().expect("its input").write_all(bytes).expect("gzip reads");
    let output = process.wait_with_output().expect("gzip ends");
    assert!(output.status.success(), "gzip: {}", output.status);
    output.stdout
}

/// A tar archive (ustar) of one file of at most 512 bytes.
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    assert!(content.len() <= 512, "one block is enough for a seed");
    let mut header = [0_u8; 512];
    let mut field = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    field(0, name.as_bytes());
    field(100, b"0000644\0");
    field(108, b"0000000\0");
    field(116, b"0000000\0");
    field(124, format!("{:011o}\0", content.len()).as_bytes());
    field(136, b"00000000000\0");
    // The checksum is summed with its own field full of spaces.
    field(148, b"        ");
    field(156, b"0");
    field(257, b"ustar\x0000");
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header.to_vec();
    archive.extend(content);
    // The file's block is filled up, then two empty blocks end the archive.
    archive.resize(512 * 4, 0);
    archive
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_gives_the_same_bytes_and_another_seed_others() {
        assert_eq!(Image::index(7), Image::index(7));
        let kinds: [fn(u64) -> Image; 3] = [Image::single, Image::docker, Image::index];
        let digests: BTreeSet<_> = kinds.iter().flat_map(|kind| (0..100).map(|seed| kind(seed).digest)).collect();
        assert_eq!(digests.len(), 300);
        assert_ne!(Image::single(1).digest, Image::labelled(1, &[("a", "b")]).digest);
        let [fast, small] = [1, 9].map(|level| Image::gzipped(1, level, &json!({})));
        assert!(fast.blobs[0] == small.blobs[0] && fast.blobs[1] != small.blobs[1], "the same layer, compressed anew");
    }

    #[test]
    fn the_layer_is_an_archive_that_tar_reads() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("layer.tar");
        fs::write(&file, &Image::single(42).blobs[1]).unwrap();
        let output = Command::new("tar").arg("-xOf").arg(file).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, b"42 for amd64\n");
    }
}
