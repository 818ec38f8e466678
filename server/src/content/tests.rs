use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use tagwarden_model::change::{Change, ChangeLevel, Platform, Wanted, compare, wanted};
use tagwarden_model::event::Severity;

use super::*;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// What a registry holds.
#[derive(Default)]
struct Pushed(BTreeMap<Digest, Vec<u8>>);

impl Pushed {
    fn put(&mut self, value: &Value) -> Digest {
        let bytes = serde_json::to_vec_pretty(value).unwrap();
        let digest = Digest::of(&bytes);
        self.0.insert(digest.clone(), bytes);
        digest
    }

    /// An image as BuildKit pushes one; its layers are named after what they hold.
    fn image(&mut self, architecture: &str, layers: &[&str], edit: impl FnOnce(&mut Value)) -> Value {
        let mut config = json!({
            "architecture": architecture,
            "os": "linux",
            "config": {
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin", "LOG=info"],
                "Entrypoint": ["/app/server"],
                "Cmd": null,
                "WorkingDir": "/app",
                "ExposedPorts": { "8080/tcp": {} },
                "Volumes": null,
                "Labels": { "org.opencontainers.image.revision": "3f91c0e", "org.opencontainers.image.version": "2.3.0" },
                "ArgsEscaped": false,
                "OnBuild": null
            },
            "created": "2026-11-04T14:20:00.000000001Z",
            "history": [
                { "created": "2026-11-04T14:19:00Z", "created_by": "COPY /server /app/server # buildkit", "comment": "buildkit.dockerfile.v0" },
                { "created": "2026-11-04T14:20:00Z", "created_by": "ENTRYPOINT [\"/app/server\"]", "empty_layer": true }
            ],
            "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|name| named(name)).collect::<Vec<_>>() }
        });
        edit(&mut config);
        let descriptor = descriptor(OCI_CONFIG, &self.put(&config));
        let layers = layers.iter().map(|name| {
            descriptor_of("application/vnd.oci.image.layer.v1.tar+gzip", &named(&format!("{name} packed")))
        });
        json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor, "layers": layers.collect::<Vec<_>>() })
    }

    /// An index of images for linux with an attestation of each, as BuildKit pushes it.
    fn index(&mut self, images: &[(&str, Value)], predicates: &[&str]) -> Digest {
        let mut entries = Vec::new();
        let mut attestations = Vec::new();
        for (architecture, manifest) in images {
            let image = self.put(manifest);
            let mut entry = descriptor(OCI_MANIFEST, &image);
            entry["platform"] = json!({ "architecture": architecture, "os": "linux" });
            entries.push(entry);
            let layers = predicates.iter().map(|predicate| {
                let mut layer =
                    descriptor_of("application/vnd.in-toto+json", &named(&format!("{predicate} of {image}")));
                layer["annotations"] = json!({ "in-toto.io/predicate-type": predicate });
                layer
            });
            let statement = json!({
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": descriptor_of(OCI_CONFIG, &named("attestation config")),
                "layers": layers.collect::<Vec<_>>(),
            });
            let mut entry = descriptor(OCI_MANIFEST, &self.put(&statement));
            entry["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
            entry["annotations"] = json!({
                "vnd.docker.reference.digest": image,
                "vnd.docker.reference.type": "attestation-manifest",
            });
            attestations.push(entry);
        }
        if !predicates.is_empty() {
            entries.extend(attestations);
        }
        self.put(&json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries }))
    }

    /// Loads in rounds only what is wanted, as whoever compares does.
    fn compare(&self, old: &Digest, new: &Digest) -> (Change, usize) {
        let (mut held, mut tried) = (BTreeMap::new(), BTreeSet::new());
        loop {
            let contents = [read(old, &held), read(new, &held)];
            let missing: Vec<_> =
                wanted(&contents[0], &contents[1]).into_iter().filter(|part| tried.insert(part.clone())).collect();
            if missing.is_empty() {
                return (compare(&contents[0], &contents[1]), held.len());
            }
            for Wanted::Manifest(digest) | Wanted::Config(digest) in missing {
                held.extend(self.0.get(&digest).map(|bytes| (digest, bytes.clone())));
            }
        }
    }
}

fn named(name: &str) -> String {
    Digest::of(name.as_bytes()).to_string()
}

fn descriptor(media_type: &str, digest: &Digest) -> Value {
    descriptor_of(media_type, &digest.to_string())
}

fn descriptor_of(media_type: &str, digest: &str) -> Value {
    json!({ "mediaType": media_type, "digest": digest, "size": 1234 })
}

const LAYERS: &[&str] = &["base", "tools", "app"];

#[track_caller]
fn assert_change(pushed: &Pushed, old: &Digest, new: &Digest, level: ChangeLevel, sentence: &str) -> Change {
    let (change, _) = pushed.compare(old, new);
    assert_eq!(change.sentence(), sentence);
    assert_eq!(change.level, level, "{change:#?}");
    change
}

#[test]
fn an_index_of_buildkit_is_read_whole_and_compared() {
    let mut pushed = Pushed::default();
    let provenance = &["https://slsa.dev/provenance/v0.2", "https://spdx.dev/Document"];
    let build = |pushed: &mut Pushed, layers: &[&str], debug: bool| {
        let images = ["amd64", "arm64"].map(|architecture| {
            let edit = |config: &mut Value| {
                if debug {
                    config["config"]["Entrypoint"] = json!(["/app/server", "--debug"]);
                    config["config"]["Env"][1] = json!("LOG=trace");
                }
            };
            (architecture, pushed.image(architecture, layers, edit))
        });
        pushed.index(&images, provenance)
    };
    let old = build(&mut pushed, LAYERS, false);
    let new = build(&mut pushed, &["base", "tools", "other"], true);
    let words = "entrypoint, environment and 1 of 3 layers differ on both platforms";
    let change = assert_change(&pushed, &old, &new, ChangeLevel::Content, words);
    assert_eq!(change.revision.unwrap().sentence(), "claims the same source revision: a label, not proof");
    let platform = &change.platforms[0];
    assert_eq!(platform.platform.as_deref(), Some("linux/amd64"));
    let rows: Vec<_> = platform.differences.iter().map(|row| (row.line(), row.old.clone(), row.new.clone())).collect();
    assert_eq!(
        rows,
        [
            ("entrypoint changed".to_owned(), Some("/app/server".to_owned()), Some("/app/server --debug".to_owned())),
            ("LOG changed".to_owned(), None, None),
            ("layers changed".to_owned(), None, None),
        ]
    );
    assert_eq!(
        platform.layers.map(|layers| (layers.old, layers.new, layers.kept, layers.new_size)),
        Some((3, 3, 2, 3702))
    );

    // Two indexes, four children with their configs, and four attestations without.
    assert_eq!(pushed.compare(&old, &new).1, 2 + 4 + 4 + 4);

    let without = {
        let images = ["amd64", "arm64"].map(|architecture| (architecture, pushed.image(architecture, LAYERS, |_| {})));
        pushed.index(&images, &[])
    };
    let words =
        "only attestations differ: provenance lost on both platforms and bill of materials lost on both platforms";
    let change = assert_change(&pushed, &old, &without, ChangeLevel::AttestationLost, words);
    assert_eq!(change.severity, Severity::Warning);
    // Neither the children, which are the same, nor their configs were needed.
    assert_eq!(pushed.compare(&old, &without).1, 2 + 2);
}

#[test]
fn an_image_of_dockers_schema_2_is_read_whole() {
    let mut pushed = Pushed::default();
    let push = |pushed: &mut Pushed, hostname: &str, labels: Value| {
        let config = pushed.put(&json!({
            "architecture": "amd64",
            "config": {
                "Hostname": hostname, "Domainname": "", "User": "nobody", "AttachStdin": false, "Tty": false,
                "Env": ["PATH=/bin"], "Cmd": ["/bin/sh", "-c", "echo \"hello\""], "Image": named(hostname),
                "Volumes": { "/data": {} }, "WorkingDir": "", "Entrypoint": null, "OnBuild": [], "Labels": labels
            },
            "container": named(hostname).trim_start_matches("sha256:"),
            "container_config": { "Hostname": hostname, "Cmd": ["/bin/sh", "-c", "#(nop) ", "CMD"] },
            "created": "2023-05-04T17:37:03.872958712Z",
            "docker_version": "20.10.23",
            "history": [{ "created": "2023-05-04T17:37:03Z", "created_by": "/bin/sh -c #(nop) ADD file:7625 in / " }],
            "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": [named("busybox")] }
        }));
        pushed.put(&json!({
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": descriptor("application/vnd.docker.container.image.v1+json", &config),
            "layers": [descriptor_of("application/vnd.docker.image.rootfs.diff.tar.gzip", &named("busybox packed"))]
        }))
    };
    let old = push(&mut pushed, "b3d7d4c6a1f0", Value::Null);
    let Ok(Body::Manifest(manifest)) = read(&old, &pushed.0).body else { panic!("no manifest") };
    assert_eq!(manifest.media_type.as_deref(), Some(DOCKER_MANIFEST));
    let Some(Ok(config)) = &manifest.image else { panic!("no image") };
    assert_eq!((config.platform.to_string().as_str(), config.user.as_str()), ("linux/amd64", "nobody"));
    assert_eq!(config.command, ["/bin/sh", "-c", "echo \"hello\""]);
    assert_eq!((config.entrypoint.len(), config.history.steps, config.diff_ids.len()), (0, 1, 1));
    assert!(config.volumes.contains("/data"));
    let settings: Vec<_> = config.settings.keys().map(String::as_str).collect();
    let expected =
        ["config.Hostname", "config.Image", "container", "container_config", "docker_version", "rootfs.type"];
    assert_eq!(settings, expected);

    // A build of the same, elsewhere.
    let new = push(&mut pushed, "0f1a6c4d7d3b", json!({ "maintainer": "a", "MAINTAINER": "b" }));
    assert_change(&pushed, &old, &new, ChangeLevel::Description, "labels and traces of the build differ");
}

#[test]
fn a_helm_chart_is_compared_by_its_bytes() {
    let mut pushed = Pushed::default();
    let push = |pushed: &mut Pushed, version: &str| {
        // The config of a chart is no image's and is never read.
        pushed.put(&json!({
            "schemaVersion": 2,
            "config": descriptor_of("application/vnd.cncf.helm.config.v1+json", &named(version)),
            "layers": [
                descriptor_of("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &named(&format!("chart {version}"))),
                descriptor_of("application/vnd.cncf.helm.chart.provenance.v1.prov", &named("provenance")),
            ],
            "annotations": { "org.opencontainers.image.title": "api", "org.opencontainers.image.version": version }
        }))
    };
    let (old, new) = (push(&mut pushed, "1.0.0"), push(&mut pushed, "1.0.1"));
    let change = assert_change(&pushed, &old, &new, ChangeLevel::Content, "config and 1 of 2 layers differ");
    assert_eq!(change.platforms[0].platform, None);
    assert_eq!(pushed.compare(&old, &new).1, 2);
}

#[test]
fn a_signature_of_cosign_is_an_artifact() {
    let mut pushed = Pushed::default();
    let push = |pushed: &mut Pushed, signature: &str| {
        let mut layer = descriptor_of("application/vnd.dev.cosign.simplesigning.v1+json", &named("payload"));
        layer["annotations"] = json!({ "dev.cosignproject.cosign/signature": signature });
        // Cosign gives its signatures the config of an image, with a difference for each payload.
        let config = pushed.put(&json!({
            "architecture": "", "created": "0001-01-01T00:00:00Z", "history": [{ "created": "0001-01-01T00:00:00Z" }],
            "os": "", "rootfs": { "type": "layers", "diff_ids": [named("payload")] }, "config": {}
        }));
        let config = descriptor(OCI_CONFIG, &config);
        pushed.put(&json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] }))
    };
    let (old, new) = (push(&mut pushed, "MEUCIQ"), push(&mut pushed, "MEQCIA"));
    assert_change(&pushed, &old, &new, ChangeLevel::Description, "annotations differ");
    let bundle = pushed.put(&json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": named("{}"), "size": 2, "data": "e30=" },
        "layers": [descriptor_of("application/vnd.dev.sigstore.bundle.v0.3+json", &named("bundle"))],
        "subject": descriptor_of(OCI_MANIFEST, &named("image")),
        "annotations": { "dev.sigstore.bundle.content": "dsse-envelope" }
    }));
    assert_change(&pushed, &old, &bundle, ChangeLevel::Content, "an image became an artifact");
}

#[test]
fn what_was_never_read_and_is_gone_is_said() {
    let mut pushed = Pushed::default();
    let manifest = pushed.image("amd64", LAYERS, |_| {});
    let new = pushed.put(&manifest);
    let gone = Digest::of(b"gone");
    let words = "what changed cannot be told: the old content was never read and cannot be had";
    assert_change(&pushed, &gone, &new, ChangeLevel::NotComparable, words);
    let config = manifest["config"]["digest"].as_str().unwrap().parse().unwrap();
    let other = pushed.image("amd64", LAYERS, |config| config["config"]["User"] = json!("root"));
    let other = pushed.put(&other);
    pushed.0.remove::<Digest>(&config);
    let words = "what changed cannot be told: the old config was never read and cannot be had";
    assert_change(&pushed, &new, &other, ChangeLevel::NotComparable, words);
}

/// Parts of manifests that are wrong, each put into one that is not.
#[test]
fn what_is_wrong_with_a_manifest_is_said() {
    let digest = named("x");
    let manifest = |rest: &str| format!(r#"{{"schemaVersion":2,"config":{{"digest":"{digest}"}},"layers":[]{rest}}}"#);
    let index = |entry: &str| format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#);
    let many = |item: &str, count: usize| vec![item; count].join(",");
    let layer = format!(r#"{{"digest":"{digest}"}}"#);
    let labels = |count: usize| (0..count).map(|at| format!(r#""{at}":"""#)).collect::<Vec<_>>().join(",");
    for (json, words) in [
        (String::new(), "it is no JSON that can be read: EOF while parsing"),
        ("<!doctype html><title>502</title>".to_owned(), "it is no JSON that can be read: expected value at line 1"),
        (manifest("")[..40].to_owned(), "it is no JSON that can be read: EOF while parsing"),
        (format!("{} x", manifest("")), "it is no JSON that can be read: trailing characters"),
        ("[".repeat(100_000), "at `.`: invalid type: sequence, expected an object"),
        (
            manifest(&format!(r#","x":{}"#, "[".repeat(100_000))),
            "it is no JSON that can be read: expected value at line 1",
        ),
        ("null".to_owned(), "at `.`: invalid type: null, expected an object"),
        ("{}".to_owned(), "it is neither an index nor a manifest"),
        (r#"{"layers":[]}"#.to_owned(), "it is neither an index nor a manifest"),
        (manifest(r#","manifests":[]"#), "it is an index and a manifest at once"),
        (manifest(r#","manifests":null"#), "it is an index and a manifest at once"),
        (
            manifest(&format!(r#","mediaType":"{OCI_INDEX}""#)),
            &format!("it says that it is `{OCI_INDEX}`, which it is not"),
        ),
        (manifest(r#","mediaType":"text/html""#), "it says that it is `text/html`, which it is not"),
        (r#"{"schemaVersion":1,"fsLayers":[]}"#.to_owned(), "its schema version is 1; only 2 is read"),
        (r#"{"schemaVersion":-2}"#.to_owned(), "at `schemaVersion`: invalid value: integer `-2`, expected u64"),
        (r#"{"schemaVersion":1e999}"#.to_owned(), "it is no JSON that can be read: number out of range"),
        (manifest(r#","config":null"#), "at `.`: `config` is there twice"),
        (manifest(r#","Layers":[]"#), "at `.`: `Layers` would be read as `layers` by some and not by others"),
        (manifest(",\"layer\u{17f}\":[]"), "at `.`: `layer\u{17f}` would be read as `layers` by some"),
        (index(r#"{"Digest":"x"}"#), "at `manifests[0]`: `Digest` would be read as `digest`"),
        (index(r#"{"size":1}"#), "at `manifests[0]`: `digest` is missing"),
        (index(r#"{"digest":"sha256:0"}"#), "at `manifests[0].digest`: a sha256 digest has 64 lower-case hex digits"),
        (index(r#"{"digest":7}"#), "at `manifests[0].digest`: invalid type: integer `7`, expected a string"),
        (
            index(&format!(r#"{{"digest":"{digest}","size":-1}}"#)),
            "at `manifests[0].size`: invalid value: integer `-1`",
        ),
        (
            index(&format!(r#"{{"digest":"{digest}","size":1.5}}"#)),
            "at `manifests[0].size`: invalid type: floating point",
        ),
        (
            index(&format!(r#"{{"digest":"{digest}","platform":[]}}"#)),
            "at `manifests[0].platform`: invalid type: sequence",
        ),
        (index(&many(&layer, 257)), "at `manifests`: more than 256 items"),
        (format!(r#"{{"config":{layer},"layers":[{}]}}"#, many(&layer, 2_001)), "at `layers`: more than 2000 items"),
        (manifest(&format!(r#","annotations":{{{}}}"#, labels(2_001))), "at `annotations`: more than 2000 names"),
        (manifest(r#","annotations":{"a":"b","\u0061":"c"}"#), "at `annotations`: `a` is there twice"),
        (manifest(r#","annotations":{"a":7}"#), "at `annotations.a`: invalid type: integer `7`, expected a string"),
        (manifest(r#","artifactType":"\ud800""#), "it is no JSON that can be read:"),
        (" ".repeat(5 << 20), "it has 5242880 bytes; at most 4194304 are read"),
    ] {
        let error = manifest::parse(json.as_bytes()).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(words), "{json:.80}: {error}");
    }
    for fine in [
        manifest(""),
        // What is skipped may be as deep as it likes.
        manifest(&format!(r#","x":{}{}"#, "[".repeat(100_000), "]".repeat(100_000))),
        index(&layer),
        index(&many(&layer, 256)),
        manifest(&format!(r#","annotations":{{{}}}"#, labels(2_000))),
    ] {
        manifest::parse(fine.as_bytes()).unwrap();
    }
}

#[test]
fn what_is_wrong_with_a_config_is_said() {
    for (json, words) in [
        ("[]", "at `.`: invalid type: sequence, expected an object"),
        (r#"{"config":{"Env":"PATH=/bin"}}"#, "at `config.Env`: invalid type: string \"PATH=/bin\", expected a list"),
        (
            r#"{"config":{"Entrypoint":[["x"]]}}"#,
            "at `config.Entrypoint[0]`: invalid type: sequence, expected a string",
        ),
        (r#"{"config":{"Cmd":["a"],"Cmd":["b"]}}"#, "at `config`: `Cmd` is there twice"),
        (r#"{"config":{"cmd":["a"]}}"#, "at `config`: `cmd` would be read as `Cmd` by some and not by others"),
        (r#"{"config":{"Healthcheck":1,"Healthcheck":2}}"#, "at `config`: `Healthcheck` is there twice"),
        (
            r#"{"rootfs":{"diff_ids":["md5:1"]}}"#,
            "at `rootfs.diff_ids[0]`: the digest algorithm is neither sha256 nor sha512",
        ),
        (r#"{"rootfs":[]}"#, "at `rootfs`: invalid type: sequence, expected an object"),
        (r#"{"history":{}}"#, "at `history`: invalid type: map, expected a list"),
        (r#"{"created":1}"#, "at `created`: invalid type: integer `1`, expected a string"),
        ("{\"config\":{\"User\":\"\u{202e}x\",\"User\":\"\"}}", "at `config`: `User` is there twice"),
        (
            "{\"config\":{\"Labels\":{\"\u{202e}<b>\":{}}}}",
            "at `config.Labels.\u{fffd}<b>`: invalid type: map, expected a string",
        ),
    ] {
        let error = config::parse(json.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{json}: {error}");
    }
    let long = format!(r#"{{"config":{{"Env":"{}"}}}}"#, "x".repeat(1 << 20));
    assert!(config::parse(long.as_bytes()).unwrap_err().to_string().len() < 600);
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let error = config::parse(deep.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("recursion limit exceeded"), "{error}");
}

#[test]
fn null_false_and_empty_settings_are_none_and_others_are_told_apart() {
    let settings = |json: &str| config::parse(format!(r#"{{"config":{json}}}"#).as_bytes()).unwrap().settings;
    for none in ["null", "{}", r#"{"A":null}"#, r#"{"A":false}"#, r#"{"A":""}"#, r#"{"A":[]}"#, r#"{"A":{}}"#] {
        assert_eq!(settings(none), BTreeMap::new(), "{none}");
    }
    let different = [
        "true",
        "0",
        "1",
        "-1",
        "1.0",
        r#""1""#,
        "[1]",
        "[[1]]",
        "[1,1]",
        r#"["1"]"#,
        r#"["a","b"]"#,
        r#"["ab"]"#,
        r#"["atb"]"#,
        r#"{"a":"b"}"#,
        r#"["a:b"]"#,
        r#"{"a":{"b":1}}"#,
        r#"{"a":[],"b":1}"#,
    ];
    let hashes: BTreeSet<_> =
        different.iter().map(|value| settings(&format!(r#"{{"A":{value}}}"#))["config.A"].clone()).collect();
    assert_eq!(hashes.len(), different.len());
    assert_eq!(settings(r#"{"A":"\u0061"}"#), settings("{ \"A\" : \"a\" }"));
}

#[test]
fn an_index_that_lists_one_manifest_often_is_read_once() {
    let mut pushed = Pushed::default();
    let manifest = pushed.image("amd64", LAYERS, |_| {});
    let manifest = pushed.put(&manifest);
    let entries = vec![descriptor(OCI_MANIFEST, &manifest); 200];
    let index = pushed.put(&json!({ "manifests": entries }));
    let Ok(Body::Index(index)) = read(&index, &pushed.0).body else { panic!("no index") };
    let manifests: Vec<_> = index.entries.iter().map(|entry| entry.content.body.clone()).collect();
    let Ok(Body::Manifest(first)) = &manifests[0] else { panic!("no manifest") };
    assert!(manifests.iter().all(|body| matches!(body, Ok(Body::Manifest(other)) if Arc::ptr_eq(first, other))));
}

#[test]
fn an_index_inside_an_index_is_not_followed() {
    let mut pushed = Pushed::default();
    let inner = pushed.index(&[], &[]);
    for media_type in [OCI_INDEX, OCI_MANIFEST] {
        let outer = pushed.put(&json!({ "manifests": [descriptor(media_type, &inner)] }));
        let Ok(Body::Index(index)) = read(&outer, &pushed.0).body else { panic!("no index") };
        assert_eq!(index.entries[0].content.body, Err(nested()));
    }
}

#[test]
fn a_platform_is_read_with_all_that_it_says() {
    let windows = json!({
        "architecture": "amd64", "os": "windows", "os.version": "10.0.20348.2700", "os.features": ["win32k"], "variant": null, "features": ["x"]
    });
    let mut entry = descriptor_of(OCI_MANIFEST, &named("x"));
    entry["platform"] = windows;
    let mut pushed = Pushed::default();
    let index = pushed.put(&json!({ "manifests": [entry] }));
    let Ok(Body::Index(index)) = read(&index, &pushed.0).body else { panic!("no index") };
    let platform = Platform {
        os: "windows".to_owned(),
        architecture: "amd64".to_owned(),
        variant: String::new(),
        os_version: "10.0.20348.2700".to_owned(),
        os_features: vec!["win32k".to_owned()],
    };
    assert_eq!(index.entries[0].platform.as_ref(), Some(&platform));
    assert_eq!(platform.to_string(), "windows/amd64 10.0.20348.2700 +win32k");
}

/// What every reading of pushed bytes holds to.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    for error in [manifest::parse(bytes).err(), config::parse(bytes).err()].into_iter().flatten() {
        let words = error.to_string();
        prop_assert!(words.chars().count() < 500, "{words}");
        prop_assert!(!words.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)), "{words:?}");
    }
    // As root, as child, as config, on either side.
    let digest = Digest::of(bytes);
    let mut pushed = Pushed(BTreeMap::from([(digest.clone(), bytes.to_vec())]));
    let good = pushed.image("amd64", LAYERS, |_| {});
    let mut bad = good.clone();
    bad["config"]["digest"] = json!(digest);
    let roots = [
        digest.clone(),
        pushed.put(&good),
        pushed.put(&bad),
        pushed.put(&json!({ "manifests": [descriptor(OCI_MANIFEST, &digest)] })),
    ];
    for old in &roots {
        for new in &roots {
            let (change, _) = pushed.compare(old, new);
            prop_assert!(change.sentence().chars().count() < 1500);
            prop_assert_eq!(change.level == ChangeLevel::Same, old == new, "{}", change.sentence());
        }
    }
    Ok(())
}

fn any_json() -> impl Strategy<Value = Value> {
    let keys = "(schemaVersion|mediaType|config|layers|manifests|digest|platform|os|annotations|Env|rootfs|diff_ids|Labels|history|[a-z]?)";
    let text = proptest::sample::select(vec![
        OCI_INDEX.to_owned(),
        OCI_MANIFEST.to_owned(),
        OCI_CONFIG.to_owned(),
        named("a"),
        named("b"),
        "\u{202e}\u{0}".to_owned(),
        "linux".to_owned(),
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(2)),
        text.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(keys, inner, 0..8).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes)?;
    }

    #[test]
    fn any_json_is_refused_or_read(value in any_json()) {
        check(&serde_json::to_vec(&value).unwrap())?;
    }

    /// Manifests and configs with a piece cut out, doubled or replaced.
    #[test]
    fn what_is_almost_right_is_refused_or_read(
        which in 0_usize..3,
        (at, length) in (any::<prop::sample::Index>(), 0_usize..60),
        piece in prop_oneof![Just(None), "[\\[\\]{}\":,0-9a-z\u{202e}-]{0,12}".prop_map(Some)],
    ) {
        let mut pushed = Pushed::default();
        let image = pushed.image("amd64", LAYERS, |_| {});
        let config = image["config"]["digest"].as_str().unwrap().parse().unwrap();
        let images = [("amd64", image.clone())];
        let digests = [config, pushed.put(&image), pushed.index(&images, &["https://slsa.dev/provenance/v1"])];
        let bytes = &pushed.0[&digests[which]];
        let start = at.index(bytes.len());
        let end = (start + length).min(bytes.len());
        let piece = piece.map_or_else(|| bytes[start..end].repeat(2), String::into_bytes);
        check(&[&bytes[..start], &piece, &bytes[end..]].concat())?;
    }
}
