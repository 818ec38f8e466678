//! compose.yaml and kubernetes/: that they are YAML, fit the program and each other, and give it no more than it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tagwarden::config::Sources;
use tagwarden::http::HttpSettings;
use tagwarden_tests::api_server::Server;

use crate::image::Containerfile;
use crate::{VERSION, packaging, read};

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&read(name)).unwrap_or_else(|error| panic!("packaging/{name}: {error}"))
}

/// The objects of kubernetes/ by kind, all of them named by the kustomization.
fn objects() -> BTreeMap<String, Value> {
    let kustomization = yaml("kubernetes/kustomization.yaml");
    let named: BTreeSet<_> =
        kustomization["resources"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    let files = fs::read_dir(packaging("kubernetes")).unwrap();
    let there: BTreeSet<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(&there - &named, BTreeSet::from(["kustomization.yaml".to_owned()]));
    assert_eq!(&named - &there, BTreeSet::new());
    let objects = named.iter().map(|file| yaml(&format!("kubernetes/{file}")));
    let by_kind: BTreeMap<_, _> = objects.map(|object| (object["kind"].as_str().unwrap().to_owned(), object)).collect();
    assert_eq!(by_kind.len(), named.len(), "one object of a kind");
    by_kind
}

#[test]
fn compose_gives_the_image_what_it_needs_and_no_more() {
    let compose = yaml("compose.yaml");
    let service = &compose["services"]["tagwarden"];
    let image = Containerfile::read();
    assert_eq!(service["image"], format!("tagwarden:{VERSION}"));
    assert_eq!(service["read_only"], true);
    assert_eq!(service["cap_drop"], json!(["ALL"]));
    assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]));
    assert_eq!(service["tmpfs"], json!(["/tmp"]));
    assert_eq!(service["ports"], json!(["127.0.0.1:8080:8080"]), "nobody else reaches a server without sign-in");
    assert_eq!(service["command"], json!(["serve", "--no-auth"]));
    let mut check = vec![json!("CMD")];
    check.extend(image.healthcheck().into_iter().map(Value::from));
    assert_eq!(service["healthcheck"]["test"], Value::from(check));
    assert_eq!(service["volumes"], json!([format!("record:{}", image.one("VOLUME"))]));
    assert!(compose["volumes"].get("record").is_some());
}

#[test]
fn the_deployment_is_restricted() {
    let objects = objects();
    let deployment = &objects["Deployment"]["spec"];
    // One SQLite file belongs to one server.
    assert_eq!((&deployment["replicas"], &deployment["strategy"]["type"]), (&json!(1), &json!("Recreate")));
    let pod = &deployment["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert!(pod["terminationGracePeriodSeconds"].as_i64() > Some(10), "requests are given ten seconds");
    // The Pod Security Standards' restricted profile, which the namespace enforces.
    let level = &objects["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
    assert_eq!(level, "restricted");
    let context = &pod["securityContext"];
    assert_eq!(
        (&context["runAsNonRoot"], &context["seccompProfile"]["type"]),
        (&json!(true), &json!("RuntimeDefault"))
    );
    let user = Containerfile::read().one("USER");
    assert_eq!(format!("{}:{}", context["runAsUser"], context["runAsGroup"]), user);
    assert_eq!(context["fsGroup"], context["runAsGroup"]);
    let [container] = &pod["containers"].as_array().unwrap()[..] else { panic!("one container") };
    let restricted = json!({ "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] } });
    assert_eq!(container["securityContext"], restricted);
    assert_eq!(objects["NetworkPolicy"]["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
}

#[tokio::test]
async fn probes_ask_for_what_the_server_answers() {
    let objects = objects();
    let pod = &objects["Deployment"]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    // Below a path, too. The kubelet asks the pod's address, which only --no-auth lets in.
    let settings = HttpSettings { base_path: "/tagwarden/".into(), no_auth: true, ..HttpSettings::default() };
    assert_eq!(container["args"], json!(["serve", "--no-auth"]));
    let server = Server::with(settings).await;
    for (probe, path) in [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        assert_eq!(container[probe]["httpGet"], json!({ "path": path, "port": "http" }), "{probe}");
        let request = Request::builder().uri(path).header("host", "192.0.2.7:8080").body(Body::empty()).unwrap();
        assert_eq!(server.send(request).await.status, 200, "{path}");
    }
    assert_eq!(container["ports"], json!([{ "name": "http", "containerPort": 8080 }]));
    assert_eq!(Containerfile::read().one("EXPOSE"), "8080");
    assert_eq!(objects["Service"]["spec"]["ports"][0]["targetPort"], "http");
    assert_eq!(objects["NetworkPolicy"]["spec"]["ingress"][0]["ports"], json!([{ "port": "http" }]));
}

#[test]
fn the_network_lets_out_what_the_server_may_be_told_to_reach() {
    let ports = |text: &str| -> BTreeSet<_> {
        let policy: Value = serde_saphyr::from_str(text).unwrap();
        let rules = policy["spec"]["egress"].as_array().unwrap().iter();
        rules.flat_map(|rule| rule["ports"].as_array().unwrap()).map(|port| port["port"].as_u64().unwrap()).collect()
    };
    let text = read("kubernetes/network.yaml");
    assert_eq!(ports(&text), BTreeSet::from([53, 443, 465, 587]));
    let with_all = ports(&text.replace("# - port", "- port"));
    assert_eq!(with_all, BTreeSet::from([25, 53, 80, 443, 465, 587, 5000, 5432]));
}

#[test]
fn the_objects_find_each_other() {
    let objects = objects();
    let spec = |kind: &str| &objects[kind]["spec"];
    let labels = &spec("Deployment")["template"]["metadata"]["labels"];
    assert!(labels.is_object());
    assert_eq!(&spec("Deployment")["selector"]["matchLabels"], labels);
    assert_eq!(&spec("Service")["selector"], labels);
    assert_eq!(&spec("NetworkPolicy")["podSelector"]["matchLabels"], labels);

    let pod = &spec("Deployment")["template"]["spec"];
    let volumes = pod["volumes"].as_array().unwrap();
    let volume = |name: &str| volumes.iter().find(|volume| volume["name"] == name).unwrap();
    assert_eq!(
        volume("record")["persistentVolumeClaim"]["claimName"],
        objects["PersistentVolumeClaim"]["metadata"]["name"]
    );
    assert_eq!(volume("configuration")["configMap"]["name"], objects["ConfigMap"]["metadata"]["name"]);
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let place = |name: &str| &mounts.iter().find(|mount| mount["name"] == name).unwrap()["mountPath"];
    assert_eq!(mounts.len(), volumes.len());
    assert_eq!(place("record"), &Containerfile::read().one("VOLUME"));
    let config = json!([{ "name": "TAGWARDEN_CONFIG", "value": format!("{}/tagwarden.toml", place("configuration").as_str().unwrap()) }]);
    assert_eq!(pod["containers"][0]["env"], config);

    let images = &yaml("kubernetes/kustomization.yaml")["images"];
    assert_eq!((&images[0]["name"], &images[0]["newTag"]), (&pod["containers"][0]["image"], &json!(VERSION)));
}

#[test]
fn the_configuration_that_is_hinted_at_is_one() {
    let text = objects()["ConfigMap"]["data"]["tagwarden.toml"].as_str().unwrap().replace("# ", "");
    let (file, password) = (tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap());
    fs::write(password.path(), "hunter2").unwrap();
    let text = text.replace("/run/secrets/tagwarden/registry", &password.path().display().to_string());
    fs::write(file.path(), &text).unwrap();
    let config = Sources::of_file(file.path()).load().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((config.registries.len(), config.watches.len()), (1, 1));
}
