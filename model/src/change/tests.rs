use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const REVISION: &str = "org.opencontainers.image.revision";

type Edit = fn(&mut Config);

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn part(media_type: &str, digest: Digest) -> Part {
    Part { media_type: media_type.to_owned(), digest, size: 1000, annotations: BTreeMap::new() }
}

/// `linux/arm/v7`.
fn platform(name: &str) -> Platform {
    let mut parts = name.split('/').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    Platform { os: next(), architecture: next(), variant: next(), ..Platform::default() }
}

fn config(platform_name: &str) -> Config {
    Config {
        platform: platform(platform_name),
        entrypoint: words(&["/app/server"]),
        command: words(&["--port", "80"]),
        environment: words(&["PATH=/bin", "LOG=info"]),
        user: "app".to_owned(),
        working_directory: "/app".to_owned(),
        ports: words(&["80/tcp"]).into_iter().collect(),
        volumes: words(&["/data"]).into_iter().collect(),
        labels: texts(&[("version", "2.3.0")]),
        created: Some("2026-11-04T14:20:00Z".to_owned()),
        history: History { steps: 4, hash: Some(digest("history")) },
        diff_ids: ["one", "two", "three"].map(digest).to_vec(),
        settings: BTreeMap::new(),
    }
}

/// A body whose digest follows from what it says.
fn content(body: Body) -> Content {
    Content { digest: digest(&format!("{body:?}")), body: Ok(body) }
}

fn of_manifest(manifest: Manifest) -> Content {
    content(Body::Manifest(Arc::new(manifest)))
}

/// The manifest of an image whose layers are named after what they hold.
fn manifest(config: Config) -> Manifest {
    Manifest {
        media_type: Some(OCI_MANIFEST.to_owned()),
        artifact_type: None,
        subject: None,
        annotations: BTreeMap::new(),
        config: part(OCI_CONFIG, digest(&format!("{config:?}"))),
        layers: config.diff_ids.iter().map(|id| part(OCI_LAYER, digest(&format!("packed {id}")))).collect(),
        image: Some(Ok(Arc::new(config))),
    }
}

fn image(platform: &str) -> Content {
    image_with(platform, |_| {})
}

fn image_with(platform: &str, edit: impl FnOnce(&mut Config)) -> Content {
    let mut config = config(platform);
    edit(&mut config);
    of_manifest(manifest(config))
}

fn manifest_with(platform: &str, edit: impl FnOnce(&mut Manifest)) -> Content {
    let mut manifest = manifest(config(platform));
    edit(&mut manifest);
    of_manifest(manifest)
}

fn entry(name: &str, content: Content) -> Entry {
    Entry { platform: Some(platform(name)), annotations: BTreeMap::new(), content }
}

fn attestation(subject: &Content, predicate: &str, seed: &str) -> Entry {
    let mut statement = part("application/vnd.in-toto+json", digest(seed));
    statement.annotations = texts(&[("in-toto.io/predicate-type", predicate)]);
    let manifest = Manifest { layers: vec![statement], ..manifest(Config::default()) };
    let marks = [
        ("vnd.docker.reference.type", "attestation-manifest"),
        ("vnd.docker.reference.digest", &subject.digest.to_string()),
    ];
    Entry { platform: Some(platform("unknown/unknown")), annotations: texts(&marks), content: of_manifest(manifest) }
}

fn index(entries: Vec<Entry>) -> Content {
    index_with(entries, |_| {})
}

fn index_with(entries: Vec<Entry>, edit: impl FnOnce(&mut Index)) -> Content {
    let mut index = Index { media_type: Some(OCI_INDEX.to_owned()), annotations: BTreeMap::new(), entries };
    edit(&mut index);
    content(Body::Index(index))
}

/// An index of images, each named by its platform.
fn images(contents: Vec<(&str, Content)>) -> Content {
    index(contents.into_iter().map(|(name, content)| entry(name, content)).collect())
}

fn artifact(layers: &[&str]) -> Manifest {
    Manifest {
        config: part("application/vnd.cncf.helm.config.v1+json", digest("chart")),
        layers: layers
            .iter()
            .map(|name| part("application/vnd.cncf.helm.chart.content.v1.tar+gzip", digest(name)))
            .collect(),
        image: None,
        ..manifest(Config::default())
    }
}

fn unread(content: &Content) -> Content {
    Content { digest: content.digest.clone(), body: Err(Unread::Missing) }
}

fn without_config(platform: &str, edit: impl FnOnce(&mut Config)) -> Content {
    let mut config = config(platform);
    edit(&mut config);
    of_manifest(Manifest { image: Some(Err(Unread::Missing)), ..manifest(config) })
}

#[track_caller]
fn assert_level(old: &Content, new: &Content, level: ChangeLevel, severity: Severity, sentence: &str) -> Change {
    let change = compare(old, new);
    assert_eq!(change.sentence(), sentence);
    assert_eq!((change.level, change.severity), (level, severity), "{change:#?}");
    change
}

const BOTH: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// An index of the same change on each platform.
fn each(edit: impl Fn(&mut Config)) -> Content {
    images(BOTH.iter().map(|name| (*name, image_with(name, &edit))).collect())
}

// The table, row by row.

#[test]
fn section_9_the_index_alone_is_info() {
    let entries = || BOTH.iter().map(|name| entry(name, image(name))).collect::<Vec<_>>();
    let old = index(entries());
    let reordered = index(entries().into_iter().rev().collect());
    let annotated = index_with(entries(), |index| index.annotations = texts(&[("note", "x")]));
    let converted = index_with(entries(), |index| index.media_type = Some("docker".to_owned()));
    for new in [reordered, annotated, converted] {
        let words = "only the index differs, every platform is the same";
        let change = assert_level(&old, &new, ChangeLevel::Index, Severity::Info, words);
        assert_eq!(change.whole.len(), 1, "{change:#?}");
        assert!(change.platforms.iter().all(|platform| platform.level == ChangeLevel::Same));
    }
}

#[test]
fn section_9_attestations_alone_are_info() {
    let (amd, provenance) = (image("linux/amd64"), "https://slsa.dev/provenance/v1");
    let old = index(vec![entry("linux/amd64", amd.clone()), attestation(&amd, provenance, "old")]);
    let new = index(vec![entry("linux/amd64", amd.clone()), attestation(&amd, provenance, "new")]);
    assert_level(&old, &new, ChangeLevel::Attestations, Severity::Info, "only attestations differ");
    let without = index(vec![entry("linux/amd64", amd.clone())]);
    assert_level(&without, &new, ChangeLevel::Attestations, Severity::Info, "only attestations differ");
    let sbom = index(vec![entry("linux/amd64", amd.clone()), attestation(&amd, "https://spdx.dev/Document", "sbom")]);
    let words = "only attestations differ: bill of materials lost";
    assert_level(&sbom, &without, ChangeLevel::Attestations, Severity::Info, words);
}

#[test]
fn section_9_a_lost_signature_or_provenance_is_a_warning() {
    let contents = BOTH.map(image);
    let of = |predicate: &str| {
        let mut entries: Vec<_> = BOTH.iter().zip(&contents).map(|(name, image)| entry(name, image.clone())).collect();
        entries.extend(contents.iter().map(|image| attestation(image, predicate, predicate)));
        index(entries)
    };
    let (plain, warning) = (of("https://example.com/other"), Severity::Warning);
    let lost = ChangeLevel::AttestationLost;
    let provenance = of("https://slsa.dev/provenance/v0.2");
    let words = "only attestations differ: provenance lost on both platforms";
    let change = assert_level(&provenance, &plain, lost, warning, words);
    assert_eq!(change.attestations.unwrap().lost.len(), 2);
    let signed = of("https://sigstore.dev/cosign/sign/v1");
    assert_level(&signed, &plain, lost, warning, "only attestations differ: signature lost on both platforms");

    // On one platform only, and by a layer's media type.
    let signature = |image: &Content| {
        let layer = part("application/vnd.dev.cosign.simplesigning.v1+json", digest("signature"));
        let content = of_manifest(Manifest { layers: vec![layer], ..artifact(&[]) });
        Entry { content, ..attestation(image, "", "") }
    };
    let signed =
        index(vec![entry(BOTH[0], contents[0].clone()), entry(BOTH[1], contents[1].clone()), signature(&contents[1])]);
    let unsigned = index(vec![entry(BOTH[0], contents[0].clone()), entry(BOTH[1], contents[1].clone())]);
    assert_level(&signed, &unsigned, lost, warning, "only attestations differ: signature lost on linux/arm64");

    // What was never read may have been a signature; what cannot be read now may be one.
    let unreadable = |image: &Content| {
        let attestation = attestation(image, "https://slsa.dev/provenance/v1", "");
        Entry { content: unread(&attestation.content), ..attestation }
    };
    let old = index(vec![entry(BOTH[0], contents[0].clone()), unreadable(&contents[0])]);
    let new = index(vec![entry(BOTH[0], contents[0].clone())]);
    assert_level(&old, &new, lost, warning, "only attestations differ: an attestation could not be read");
    assert_level(&new, &old, ChangeLevel::Attestations, Severity::Info, "only attestations differ");
}

#[test]
fn section_9_an_added_platform_is_info() {
    let old = images(vec![("linux/amd64", image("linux/amd64"))]);
    let new = images(vec![("linux/amd64", image("linux/amd64")), ("linux/arm64", image("linux/arm64"))]);
    let change = assert_level(&old, &new, ChangeLevel::PlatformAdded, Severity::Info, "linux/arm64 was added");
    assert_eq!(change.platforms[1].line(), "linux/arm64 was added");
    assert_eq!(change.platforms[0].line(), "linux/amd64 is the same");
}

#[test]
fn section_9_a_removed_platform_is_a_warning() {
    let old = images(["linux/amd64", "linux/arm64", "linux/386"].map(|name| (name, image(name))).to_vec());
    let new = images(vec![("linux/amd64", image("linux/amd64"))]);
    let words = "linux/arm64 and linux/386 were removed";
    let change = assert_level(&old, &new, ChangeLevel::PlatformRemoved, Severity::Warning, words);
    assert_eq!(change.platforms[1].line(), "linux/arm64 was removed");
}

#[test]
fn section_9_what_describes_is_a_warning() {
    let old = each(|_| {});
    let (level, warning) = (ChangeLevel::Description, Severity::Warning);
    let edits: [(Edit, &str); 5] = [
        (|config| config.labels = texts(&[("version", "2.3.1")]), "labels differ on both platforms"),
        (|config| config.created = None, "creation time differs on both platforms"),
        (|config| config.history.steps = 5, "history differs on both platforms"),
        (|config| config.history.hash = None, "history differs on both platforms"),
        (
            |config| {
                config.settings.insert("docker_version".to_owned(), digest("27"));
            },
            "traces of the build differ on both platforms",
        ),
    ];
    for (edit, words) in edits {
        assert_level(&old, &each(edit), level, warning, words);
    }

    // Of a manifest that stands alone: its annotations and media types describe it, too.
    let old = image("linux/amd64");
    for (new, words) in [
        (manifest_with("linux/amd64", |manifest| manifest.annotations = texts(&[("a", "b")])), "annotations differ"),
        (manifest_with("linux/amd64", |manifest| manifest.media_type = None), "media type differs"),
        (
            manifest_with("linux/amd64", |manifest| manifest.layers[0].media_type = "tar".to_owned()),
            "media type differs",
        ),
        (manifest_with("linux/amd64", |manifest| manifest.subject = Some(digest("other"))), "subject differs"),
        (Content { digest: digest("spaces"), ..old.clone() }, "only how it is written differs"),
    ] {
        assert_level(&old, &new, level, warning, words);
    }
}

#[test]
fn section_9_layers_compressed_anew_are_a_warning() {
    let (level, warning) = (ChangeLevel::Description, Severity::Warning);
    let anew = |manifest: &mut Manifest| manifest.layers[1].digest = digest("packed with zstd");
    let (old, new) = (image("linux/amd64"), manifest_with("linux/amd64", anew));
    let change = assert_level(&old, &new, level, warning, "same layers, compressed anew");
    assert_eq!(change.platforms[0].layers.unwrap().kept, 3);
    let old = images(BOTH.iter().map(|name| (*name, image(name))).collect());
    let new = images(vec![("linux/amd64", image("linux/amd64")), ("linux/arm64", manifest_with("linux/arm64", anew))]);
    assert_level(&old, &new, level, warning, "same layers, compressed anew on linux/arm64");

    // The config must vouch for each layer, and must have been read.
    let more = manifest_with("linux/amd64", |manifest| manifest.layers.push(part(OCI_LAYER, digest("hidden"))));
    let words = "what changed cannot be told: its layers differ, and its config does not say of each what it holds";
    assert_level(&image("linux/amd64"), &more, ChangeLevel::NotComparable, Severity::Critical, words);
    let other = |content: Content, edit: fn(&mut Manifest)| match content.body {
        Ok(Body::Manifest(mut manifest)) => {
            edit(Arc::make_mut(&mut manifest));
            of_manifest(Arc::unwrap_or_clone(manifest))
        }
        _ => content,
    };
    let (old, new) = (without_config("linux/amd64", |_| {}), other(without_config("linux/amd64", |_| {}), anew));
    let words = "what changed cannot be told: the old config was never read and cannot be had";
    assert_level(&old, &new, ChangeLevel::NotComparable, Severity::Critical, words);
}

#[test]
fn section_9_what_runs_is_critical() {
    let old = each(|_| {});
    let edits: [(Edit, &str); 16] = [
        (|config| config.diff_ids[1] = digest("other"), "1 of 3 layers differs on both platforms"),
        (|config| config.diff_ids.swap(0, 1), "order of the layers differs on both platforms"),
        (|config| config.diff_ids.push(digest("four")), "1 of 4 layers differs on both platforms"),
        (
            |config| {
                config.entrypoint.push("--debug".to_owned());
                config.diff_ids[1..].fill(digest("other"));
            },
            "entrypoint and 2 of 3 layers differ on both platforms",
        ),
        (|config| config.entrypoint = words(&["/app", "server"]), "entrypoint differs on both platforms"),
        (|config| config.command.clear(), "command differs on both platforms"),
        (|config| config.environment[1] = "LOG=trace".to_owned(), "environment differs on both platforms"),
        (|config| config.environment.reverse(), "environment differs on both platforms"),
        (|config| config.user.clear(), "user differs on both platforms"),
        (|config| config.working_directory = "/".to_owned(), "working directory differs on both platforms"),
        (|config| config.ports.clear(), "ports differ on both platforms"),
        (|config| config.volumes.clear(), "volumes differ on both platforms"),
        (|config| config.platform.variant = "v9".to_owned(), "platform differs on both platforms"),
        (
            // Nobody has decided that it describes only.
            |config| {
                config.settings.insert("config.Healthcheck".to_owned(), digest("rm -rf /"));
            },
            "settings differ on both platforms",
        ),
        (
            |config| {
                config.entrypoint.clear();
                config.user.clear();
                config.diff_ids = vec![digest("other")];
            },
            "entrypoint, user and all 3 layers differ on both platforms",
        ),
        (
            |config| {
                config.labels.clear();
                config.created = None;
                config.user.clear();
            },
            "user differs on both platforms",
        ),
    ];
    for (edit, words) in edits {
        let change = assert_level(&old, &each(edit), ChangeLevel::Content, Severity::Critical, words);
        assert_eq!(change.platforms.len(), 2);
    }
}

#[test]
fn section_9_what_cannot_be_compared_is_critical_and_says_so() {
    let (level, critical) = (ChangeLevel::NotComparable, Severity::Critical);
    let (old, new) = (image("linux/amd64"), image_with("linux/amd64", |config| config.labels.clear()));
    let words = "what changed cannot be told: the old content was never read and cannot be had";
    assert_level(&unread(&old), &new, level, critical, words);
    let damaged = Content { body: Err(Unread::Unreadable("at `layers[3]`: no digest".to_owned())), ..new.clone() };
    let words = "what changed cannot be told: the new content cannot be read: at `layers[3]`: no digest";
    assert_level(&old, &damaged, level, critical, words);

    // One platform, while the other one is compared.
    let with = |arm: Content, amd: Content| images(vec![("linux/amd64", amd), ("linux/arm64", arm)]);
    let arm = || image("linux/arm64");
    let words = "what changed on linux/amd64 cannot be told: the old manifest was never read and cannot be had";
    assert_level(&with(arm(), unread(&old)), &with(arm(), new.clone()), level, critical, words);
    let unread_config = without_config("linux/amd64", |config| config.labels.clear());
    let words = "what changed on linux/amd64 cannot be told: the new config was never read and cannot be had; \
                 user differs on linux/arm64";
    let other_arm = image_with("linux/arm64", |config| config.user.clear());
    assert_level(&with(arm(), old), &with(other_arm, unread_config), level, critical, words);

    // A nested index is not followed.
    let nested = images(vec![("linux/amd64", new.clone())]);
    let words = "what changed cannot be told: the new manifest cannot be read: it is an index inside an index";
    assert_level(&images(vec![("linux/amd64", new)]), &images(vec![("linux/amd64", nested)]), level, critical, words);
}

#[test]
fn section_9_the_worst_of_all_platforms_counts() {
    let names = ["linux/amd64", "linux/arm64", "linux/386", "linux/s390x", "linux/riscv64"];
    let old = images(names.map(|name| (name, image(name))).to_vec());
    let new = images(vec![
        ("linux/amd64", image_with("linux/amd64", |config| config.labels.clear())),
        ("linux/arm64", image_with("linux/arm64", |config| config.user.clear())),
        ("linux/386", image("linux/386")),
        ("linux/riscv64", image_with("linux/riscv64", |config| config.labels.clear())),
        ("linux/ppc64le", image("linux/ppc64le")),
    ]);
    let words = "user differs on linux/arm64; labels differ on linux/amd64 and linux/riscv64; linux/s390x was removed; \
                 linux/ppc64le was added";
    let change = assert_level(&old, &new, ChangeLevel::Content, Severity::Critical, words);
    let levels: Vec<_> = change.platforms.iter().map(|platform| platform.level.word()).collect();
    assert_eq!(levels, ["description", "content", "same", "platform_removed", "description", "platform_added"]);
    assert_eq!(change.platforms[0].line(), "linux/amd64: labels differ");
}

#[test]
fn section_9_the_same_digest_differs_nowhere() {
    assert_level(&each(|_| {}), &each(|_| {}), ChangeLevel::Same, Severity::Info, "nothing differs");
    let unread = unread(&image("linux/amd64"));
    assert_level(&unread, &unread, ChangeLevel::Same, Severity::Info, "nothing differs");
}

#[test]
fn section_9_a_claimed_revision_explains() {
    let of = |revision: &str, user: &str| {
        each(|config| {
            config.labels.insert(REVISION.to_owned(), revision.to_owned());
            config.user = user.to_owned();
        })
    };
    let change = compare(&of("3f91c0e", "app"), &of("3f91c0e", "root"));
    assert_eq!(change.level, ChangeLevel::Content);
    assert_eq!(change.revision.unwrap().sentence(), "claims the same source revision: a label, not proof");
    let revision = compare(&of("3f91c0e", "app"), &of("8b02d77", "app")).revision.unwrap();
    assert_eq!(revision.sentence(), "claims source revision 8b02d77, before 3f91c0e: a label, not proof");
    assert_eq!(compare(&each(|_| {}), &each(|config| config.user.clear())).revision, None);
    // Platforms that claim different ones claim none together.
    let mixed = index(vec![
        entry("linux/amd64", image_with("linux/amd64", |config| config.labels = texts(&[(REVISION, "a")]))),
        entry("linux/arm64", image_with("linux/arm64", |config| config.labels = texts(&[(REVISION, "b")]))),
    ]);
    let revision = compare(&of("3f91c0e", "app"), &mixed).revision.unwrap();
    assert_eq!(revision.sentence(), "no longer claims source revision 3f91c0e");
}

// Like with like.

#[test]
fn section_9_a_single_manifest_is_not_compared_with_an_index_but_with_the_entry_of_its_platform() {
    let (amd, arm) = (image("linux/amd64"), image("linux/arm64"));
    let index = images(vec![("linux/amd64", amd.clone()), ("linux/arm64", arm.clone())]);
    let words = "an image became an index; linux/amd64 is the same; linux/arm64 was added";
    assert_level(&amd, &index, ChangeLevel::Selection, Severity::Warning, words);
    let words = "an index became an image; linux/amd64 is the same; linux/arm64 was removed";
    assert_level(&index, &amd, ChangeLevel::Selection, Severity::Warning, words);
    let other = image_with("linux/amd64", |config| config.user.clear());
    let words = "an image became an index; user differs on linux/amd64; linux/arm64 was added";
    assert_level(&other, &index, ChangeLevel::Content, Severity::Critical, words);

    let level = ChangeLevel::NotComparable;
    let words =
        "an image became an index; what changed cannot be told: the index has nothing that stands for the image";
    let only_arm = images(vec![("linux/arm64", arm)]);
    assert_level(&amd, &only_arm, level, Severity::Critical, words);
    let words =
        "an artifact became an index; what changed cannot be told: the index has nothing that stands for the artifact";
    assert_level(&of_manifest(artifact(&["a"])), &index, level, Severity::Critical, words);
    // Without its config nobody knows which platform it was for.
    let change = compare(&without_config("linux/amd64", |config| config.user.clear()), &index);
    assert_eq!((change.level, change.severity), (level, Severity::Critical));
    assert!(change.sentence().contains("the old config was never read"), "{}", change.sentence());
}

#[test]
fn section_9_single_manifests_are_compared_whatever_platform_they_name() {
    let words = "platform differs";
    assert_level(&image("linux/amd64"), &image("linux/arm64"), ChangeLevel::Content, Severity::Critical, words);
    let artifact = of_manifest(artifact(&["chart"]));
    assert_level(
        &image("linux/amd64"),
        &artifact,
        ChangeLevel::Content,
        Severity::Critical,
        "an image became an artifact",
    );
}

#[test]
fn section_9_artifacts_are_compared_by_their_bytes() {
    let (level, critical) = (ChangeLevel::Content, Severity::Critical);
    let old = of_manifest(artifact(&["chart", "provenance"]));
    assert_level(&old, &of_manifest(artifact(&["chart", "x"])), level, critical, "1 of 2 layers differs");
    let config = Manifest {
        config: part("application/vnd.cncf.helm.config.v1+json", digest("x")),
        ..artifact(&["chart", "provenance"])
    };
    assert_level(&old, &of_manifest(config), level, critical, "config differs");
    let other_type =
        Manifest { artifact_type: Some("application/wasm".to_owned()), ..artifact(&["chart", "provenance"]) };
    assert_level(&old, &of_manifest(other_type), level, critical, "artifact type differs");
    let annotated = Manifest { annotations: texts(&[("a", "b")]), ..artifact(&["chart", "provenance"]) };
    let words = "annotations differ";
    assert_level(&old, &of_manifest(annotated), ChangeLevel::Description, Severity::Warning, words);

    // In an index without platforms they are found by their digest, wherever they stand.
    let entry =
        |name: &str| Entry { platform: None, annotations: BTreeMap::new(), content: of_manifest(artifact(&[name])) };
    let (old, new) = (index(vec![entry("a"), entry("b")]), index(vec![entry("c"), entry("b"), entry("a")]));
    let words = "an entry without a platform was added";
    assert_level(&old, &new, ChangeLevel::PlatformAdded, Severity::Info, words);
    let new = index(vec![entry("c"), entry("b")]);
    assert_level(&old, &new, level, critical, "the only layer differs in an entry without a platform");
}

// What a pusher may try.

#[test]
fn a_platform_in_another_spelling_is_the_same_platform() {
    for (old, new) in [
        ("linux/amd64", "Linux/x86_64"),
        ("linux/amd64", "linux/amd64/v1"),
        ("linux/arm64", "linux/aarch64/v8"),
        ("linux/arm", "linux/armhf"),
        ("linux/arm/v7", "linux/arm/7"),
        ("linux/arm/v6", "linux/armel"),
        ("linux/386", "linux/i386"),
        ("darwin/arm64", "macOS/arm64"),
    ] {
        let evil = image_with(old, |config| config.user.clear());
        // The first entry of a platform is the one that machines take.
        let new = images(vec![(new, evil), (old, image(old))]);
        let change = compare(&images(vec![(old, image(old))]), &new);
        assert_eq!(change.level, ChangeLevel::Content, "{}", change.sentence());
    }
    for (one, other) in
        [("linux/arm/v6", "linux/arm/v7"), ("linux/amd64", "linux/amd64/v3"), ("linux/386", "linux/amd64")]
    {
        assert_ne!(platform(one).normalised(), platform(other).normalised());
    }
}

#[test]
fn a_platform_beside_another_of_its_architecture_is_a_warning() {
    let old = images(vec![("linux/arm/v6", image("linux/arm/v6"))]);
    let new = images(vec![("linux/arm/v6", image("linux/arm/v6")), ("linux/arm/v7", image("linux/arm/v7"))]);
    let words = "linux/arm/v7 was added, and some machines may now choose it";
    let change = assert_level(&old, &new, ChangeLevel::Selection, Severity::Warning, words);
    assert_eq!(change.platforms[1].line(), words);
    // In its place it is compared.
    let (old, new) = (image("linux/arm/v6"), image("linux/arm/v7"));
    let change = compare(&images(vec![("linux/arm/v6", old.clone())]), &images(vec![("linux/arm/v7", new)]));
    assert_eq!((change.level, change.platforms.len()), (ChangeLevel::Content, 1));
    let change = compare(&images(vec![("linux/arm/v6", old.clone())]), &images(vec![("linux/arm/v7", old)]));
    assert_eq!((change.level, change.sentence().as_str()), (ChangeLevel::Selection, "listed platform differs"));
}

#[test]
fn an_image_that_is_marked_as_an_attestation_is_still_an_image() {
    let marked = |image: Content| Entry {
        platform: Some(platform("linux/amd64")),
        ..Entry { content: image.clone(), ..attestation(&image, "", "") }
    };
    let old = index(vec![marked(image("linux/amd64"))]);
    let new = index(vec![marked(image_with("linux/amd64", |config| config.user.clear()))]);
    assert_level(&old, &new, ChangeLevel::Content, Severity::Critical, "user differs");
    // Nor is it enough to be of an unknown platform.
    let unknown = |image: Content| index(vec![entry("unknown/unknown", image)]);
    let (old, new) = (image("linux/amd64"), image_with("linux/amd64", |config| config.user.clear()));
    assert_level(&unknown(old), &unknown(new), ChangeLevel::Content, Severity::Critical, "user differs");
}

#[test]
fn an_entry_without_a_platform_has_that_of_its_config() {
    let amd = image("linux/amd64");
    let nameless = |content: Content| Entry { platform: None, annotations: BTreeMap::new(), content };
    let old = index(vec![entry("linux/amd64", amd.clone())]);
    assert_level(
        &old,
        &index(vec![nameless(amd.clone())]),
        ChangeLevel::Index,
        Severity::Info,
        "only the index differs, every platform is the same",
    );
    let evil = image_with("linux/amd64", |config| config.user.clear());
    let new = index(vec![nameless(evil), entry("linux/amd64", amd.clone())]);
    assert_eq!(compare(&old, &new).level, ChangeLevel::Content);

    // One that names half a platform, or none and cannot be read, may be taken by any machine.
    let half = entry("/amd64", image("linux/s390x"));
    let new = index(vec![half, entry("linux/amd64", amd.clone())]);
    let words = "what changed in an entry without a platform cannot be told: nothing says for which platform the new manifest is";
    assert_level(&old, &new, ChangeLevel::NotComparable, Severity::Critical, words);
    assert_eq!(compare(&new, &old).severity, Severity::Critical);
    let new = index(vec![nameless(unread(&image("linux/s390x"))), entry("linux/amd64", amd)]);
    assert_eq!(compare(&old, &new).severity, Severity::Critical);
}

proptest! {
    /// Neither the claim of a revision nor any other label lowers a level.
    #[test]
    fn section_9_labels_lower_nothing(
        (old, new) in (any_config(), any_config()),
        (on_old, on_new) in (proptest::option::of("[ab]"), proptest::option::of("[ab]")),
    ) {
        let before = compare(&of_manifest(manifest(old.clone())), &of_manifest(manifest(new.clone())));
        let label = |mut config: Config, revision: Option<String>| {
            config.labels.extend(revision.map(|revision| (REVISION.to_owned(), revision)));
            of_manifest(manifest(config))
        };
        let after = compare(&label(old, on_old), &label(new, on_new));
        prop_assert!(after.level >= before.level, "{} became {}", before.sentence(), after.sentence());
    }

    /// To go back is as bad as to go there, where both were compared.
    #[test]
    fn the_other_way_round_as_much_differs((old, new) in (any_index(), any_index())) {
        let (there, back) = (compare(&old, &new), compare(&new, &old));
        prop_assert_eq!(there.level == ChangeLevel::Content, back.level == ChangeLevel::Content, "{} | {}", there.sentence(), back.sentence());
        prop_assert_eq!(there.level == ChangeLevel::Same, old.digest == new.digest);
        prop_assert!(there.level >= there.platforms.iter().map(|platform| platform.level).max().unwrap_or(ChangeLevel::Same));
        let read: Change = serde_json::from_str(&serde_json::to_string(&there).unwrap()).unwrap();
        prop_assert_eq!(read, there);
    }

    /// Whatever is pushed, a change stays small and shows no character that hides or turns another one.
    #[test]
    fn pushed_texts_are_bounded_and_visible(
        texts in proptest::collection::vec("[a\u{202e}\u{0}\n\u{2066}é \u{feff}]{0,300}", 4),
        many in 0_usize..40,
    ) {
        let text = |at: usize| texts[at].clone();
        let name = format!("{}/{}", text(0), text(1)).replace('/', "-");
        let new = image_with(&format!("{name}/x/{name}"), |config| {
            config.entrypoint = vec![text(2), text(3)];
            config.user = text(1);
            config.created = Some(text(3));
            config.environment = (0..many).map(|at| format!("{at}{}={}", text(0), text(1))).collect();
            config.labels = (0..many).map(|at| (format!("{at}{}", text(2)), text(3))).collect();
        });
        let old = image("linux/amd64");
        for change in [compare(&old, &new), compare(&new, &old), compare(&images(vec![(&name, old)]), &images(vec![(&name, new)]))] {
            let mut shown = vec![change.sentence()];
            shown.extend(change.problem.clone());
            for platform in &change.platforms {
                shown.push(platform.line());
                prop_assert!(platform.differences.len() <= 60);
                shown.extend(platform.differences.iter().flat_map(|row| [row.name.clone(), row.old.clone(), row.new.clone()]).flatten());
            }
            for text in shown {
                prop_assert!(text.chars().count() <= 600, "{text}");
                prop_assert!(!text.contains(['\u{202e}', '\u{0}', '\n', '\u{2066}', '\u{feff}']), "{text:?}");
            }
        }
    }

    /// Values of environment variables and steps of the history may be secrets, and what an unknown setting holds, too.
    #[test]
    fn values_of_environment_variables_are_shown_nowhere(value in "[a-z]{8}") {
        let secret = format!("hidden-{value}");
        let new = image_with("linux/amd64", |config| {
            config.environment = vec![format!("TOKEN={secret}"), format!("LOG={secret}=x"), "PATH=/bin".to_owned()];
        });
        let change = compare(&image("linux/amd64"), &new);
        let json = serde_json::to_string(&change).unwrap();
        prop_assert!(!json.contains(&secret), "{json}");
        let rows: Vec<_> = change.platforms[0].differences.iter().map(Difference::line).collect();
        prop_assert_eq!(rows, ["LOG changed", "TOKEN added"]);
    }
}

fn any_config() -> impl Strategy<Value = Config> {
    let small = "[ab]?";
    let texts = (small, small, small, small);
    (texts, proptest::collection::vec("[ab]", 0..4), proptest::collection::vec("[ab]", 0..3), 0_u64..2).prop_map(
        |((user, created, label, setting), diff_ids, environment, steps)| Config {
            user,
            created: Some(created),
            labels: BTreeMap::from([("label".to_owned(), label)]),
            diff_ids: diff_ids.iter().map(|name| digest(name)).collect(),
            environment,
            history: History { steps, hash: None },
            settings: BTreeMap::from([("setting".to_owned(), digest(&setting))]),
            ..config("linux/amd64")
        },
    )
}

/// An index of platforms of which some are spelled in two ways or listed twice.
fn any_index() -> impl Strategy<Value = Content> {
    let name = proptest::sample::select(vec!["linux/amd64", "linux/x86_64", "linux/arm64", "linux/arm/v6"]);
    let user = proptest::sample::select(vec!["a", "b"]);
    proptest::collection::vec((name, user), 0..5).prop_map(|entries| {
        let image = |user: &str| image_with("linux/amd64", |config| config.user = user.to_owned());
        index(entries.into_iter().map(|(name, user)| entry(name, image(user))).collect())
    })
}

// Words.

#[test]
fn of_many_platforms_the_sentence_says_how_many() {
    let names: Vec<String> = (0..40).map(|at| format!("linux/arch{at}")).collect();
    let of = |changed: usize| {
        let entries = names.iter().enumerate().map(|(at, name)| {
            entry(name, image_with(name, |config| config.user = if at < changed { "root" } else { "app" }.to_owned()))
        });
        index(entries.collect())
    };
    let sentence = |changed| compare(&of(0), &of(changed)).sentence();
    assert_eq!(
        sentence(3),
        "user differs on linux/arch0, linux/arch1 and linux/arch2; 8 more platforms are not listed"
    );
    assert_eq!(sentence(5), "user differs on 5 of 32 listed platforms; 8 more platforms are not listed");
    assert_eq!(sentence(40), "user differs on all 32 listed platforms; 8 more platforms are not listed");
    // The worst are listed.
    let mut reversed = of(5);
    if let Ok(Body::Index(index)) = &mut reversed.body {
        index.entries.reverse();
    }
    let change = compare(&of(0), &Content { digest: digest("reversed"), ..reversed });
    assert_eq!((change.platforms.len(), change.more_platforms), (32, 8));
    assert_eq!(change.platforms.iter().filter(|platform| platform.level == ChangeLevel::Content).count(), 5);
    let removed = compare(&of(0), &images(vec![("linux/arch0", image("linux/arch0"))]));
    assert_eq!(
        removed.sentence(),
        "linux/arch1, linux/arch2, linux/arch3 and 29 more were removed; 8 more platforms are not listed"
    );
}

#[test]
fn values_are_cut_around_what_differs() {
    let long = "x".repeat(500);
    let with =
        |end: &str| image_with("linux/amd64", |config| config.command = vec![format!("{long}{end}"), "a b".to_owned()]);
    let change = compare(&with("old"), &with("new"));
    let row = &change.platforms[0].differences[0];
    assert_eq!((row.field, row.how, row.line().as_str()), (Field::Command, How::Changed, "command changed"));
    let before = "x".repeat(24);
    assert_eq!(row.old.as_deref(), Some(format!("…{before}old \"a b\"").as_str()));
    assert_eq!(row.new.as_deref(), Some(format!("…{before}new \"a b\"").as_str()));
    let change = compare(&image("linux/amd64"), &image_with("linux/amd64", |config| config.user = long.clone()));
    let row = &change.platforms[0].differences[0];
    assert_eq!(row.old.as_deref(), Some("app"));
    assert_eq!(row.new.as_ref().map(|value| value.chars().count()), Some(120));
    // What is gone has no value any more.
    let change = compare(&image("linux/amd64"), &image_with("linux/amd64", |config| config.labels.clear()));
    let row = &change.platforms[0].differences[0];
    assert_eq!((row.line().as_str(), row.old.as_deref(), row.new.as_deref()), ("version removed", Some("2.3.0"), None));
}

#[test]
fn of_many_names_the_first_are_listed_and_the_others_counted() {
    let new = image_with("linux/amd64", |config| config.environment.extend((0..20).map(|at| format!("V{at}=x"))));
    let platform = &compare(&image("linux/amd64"), &new).platforms[0];
    assert_eq!((platform.differences.len(), platform.left_out), (8, 12));
}

// What is to be read.

#[test]
fn only_what_differs_is_wanted_round_by_round() {
    let arm = image("linux/arm64");
    let amd = |user: &str| manifest(Config { user: user.to_owned(), ..config("linux/amd64") });
    let with = |content: Content, seed: &str| {
        let attestation = attestation(&content, "https://slsa.dev/provenance/v1", seed);
        let attestation = Entry { content: unread(&attestation.content), ..attestation };
        index(vec![entry("linux/amd64", content), entry("linux/arm64", unread(&arm)), attestation])
    };
    let (old, new) = (of_manifest(amd("a")), of_manifest(amd("b")));
    let roots = [with(unread(&old), "old"), with(unread(&new), "new")];
    let wanted_of = |old: &Content, new: &Content| -> Vec<Wanted> { wanted(old, new) };
    let mut expected = roots.each_ref().map(|root| Wanted::Manifest(root.digest.clone()));
    expected.sort();
    assert_eq!(wanted_of(&unread(&roots[0]), &unread(&roots[1])), expected);

    // The children that differ and their attestations, but not the child that both have.
    let attestations =
        ["old", "new"].map(|seed| attestation(&old, "https://slsa.dev/provenance/v1", seed).content.digest);
    let mut expected: Vec<_> =
        [old.digest.clone(), new.digest.clone()].into_iter().chain(attestations).map(Wanted::Manifest).collect();
    expected.sort();
    assert_eq!(wanted_of(&roots[0], &roots[1]), expected);

    // Attestations that are the same say nothing.
    let annotated = |content: &Content| match content.body.clone() {
        Ok(Body::Index(index)) => index_with(index.entries, |index| index.annotations = texts(&[("a", "b")])),
        _ => content.clone(),
    };
    assert_eq!(wanted_of(&roots[0], &annotated(&roots[0])), []);

    // Then their configs; that of an attestation says nothing.
    let bare = |manifest: Manifest| of_manifest(Manifest { image: Some(Err(Unread::Missing)), ..manifest });
    let read = index(vec![entry("linux/amd64", bare(amd("a")))]);
    let other = index(vec![entry("linux/amd64", bare(amd("b")))]);
    let mut expected = [amd("a"), amd("b")].map(|manifest| Wanted::Config(manifest.config.digest));
    expected.sort();
    assert_eq!(wanted_of(&read, &other), expected);
    assert_eq!(wanted_of(&read, &read), []);
    assert_eq!(wanted_of(&images(vec![("linux/amd64", image("linux/amd64"))]), &image("linux/amd64")), []);
}
