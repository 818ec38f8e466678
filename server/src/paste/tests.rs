use proptest::prelude::*;

use super::*;

/// `name tags @ places` of every repository.
fn found(text: &str) -> (PasteFormat, Vec<String>) {
    let pasted = parse(text);
    let told = |item: &PasteItem| format!("{} {} @ {}", item.name, item.tags.join(","), item.places.join("; "));
    (pasted.format, pasted.items.iter().map(told).collect())
}

fn unread(text: &str) -> Vec<String> {
    parse(text).not_understood.iter().map(|unread| format!("{}: {}", unread.place, unread.reason)).collect()
}

fn many(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect::<Vec<_>>().concat()
}

#[test]
fn names_one_a_line() {
    let text = "# ours\nnginx\nnginx:1.27 # twice\n\n- ghcr.io/acme/api:2.3.0\n'quay.io/x/y',\nFROM alpine:3.20\n\
                image: redis@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n[::1]:5000/a\n";
    let (format, items) = found(text);
    assert_eq!(format, PasteFormat::Names);
    assert_eq!(
        items,
        [
            "[::1]:5000/a  @ line 9",
            "docker.io/library/alpine 3.20 @ line 7",
            "docker.io/library/nginx 1.27 @ line 2; line 3",
            "docker.io/library/redis  @ line 8",
            "ghcr.io/acme/api 2.3.0 @ line 5",
            "quay.io/x/y  @ line 6",
        ]
    );
}

#[test]
fn what_is_no_name_is_said_with_its_line_and_reason() {
    let text = "nginx\nthese are words\nhttps://ghcr.io/acme/api\nUPPER/case\nnginx:-bad\nImages:\n";
    assert_eq!(found(text).1, ["docker.io/library/nginx  @ line 1"]);
    let unread = unread(text);
    assert_eq!(unread.len(), 5, "{unread:?}");
    assert!(unread[0].starts_with("line 2: there are several words"), "{unread:?}");
    assert!(unread[1].starts_with("line 3: a name has no scheme"), "{unread:?}");
}

#[test]
fn a_compose_file() {
    let text = r#"
version: "3.9"
x-base: &base
  restart: always
  image: ghcr.io/acme/base:1
services:
  web:
    image: "nginx:${NGINX_TAG:-1.27}"
    ports: ["80:80"]
  api:
    image: ${REGISTRY:-ghcr.io}/acme/api:${TAG}
    environment:
      - A=b
  shared:
    <<: *base
  built:
    build: .
  secret:
    image: ${IMAGE}
  wrong:
    image: 7
volumes:
  data:
"#;
    let (format, items) = found(text);
    assert_eq!(format, PasteFormat::Compose);
    assert_eq!(
        items,
        [
            "docker.io/library/nginx 1.27 @ services.web.image",
            "ghcr.io/acme/api  @ services.api.image",
            "ghcr.io/acme/base 1 @ services.shared.image",
        ]
    );
    let mut unread = unread(text);
    unread.sort();
    assert!(unread[0].starts_with("services.secret.image: the name is a variable"), "{unread:?}");
    assert_eq!(unread[1..], ["services.wrong.image: an image's name is a text"]);
}

#[test]
fn kubernetes_manifests_of_all_kinds() {
    let text = r"
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  template:
    spec:
      initContainers:
        - {name: migrate, image: ghcr.io/acme/migrate:7}
      containers:
        - name: web
          image: ghcr.io/acme/api:2.3.0
          ports:
            - containerPort: 8080
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers: [{name: job, image: 'busybox'}]
---
kind: Pod
metadata: {name: one}
spec:
  containers: [{image: registry.k8s.io/pause:3.9}]
  ephemeralContainers: [{name: debug, image: alpine}]
---
kind: List
items:
  - kind: StatefulSet
    metadata: {name: db}
    spec: {template: {spec: {containers: [{name: db, image: 'postgres:17'}]}}}
---
kind: Job
metadata: {name: empty}
---
";
    let (format, items) = found(text);
    assert_eq!(format, PasteFormat::Kubernetes);
    assert_eq!(
        items,
        [
            "docker.io/library/alpine  @ Pod/one debug",
            "docker.io/library/busybox  @ CronJob/nightly job",
            "docker.io/library/postgres 17 @ StatefulSet/db db",
            "ghcr.io/acme/api 2.3.0 @ Deployment/api web",
            "ghcr.io/acme/migrate 7 @ Deployment/api migrate",
            "registry.k8s.io/pause 3.9 @ Pod/one",
        ]
    );
    assert_eq!(unread(text), ["Job/empty: it has no pod's spec"]);
}

#[test]
fn the_pods_that_kubectl_gives() {
    let text = r#"{ "apiVersion": "v1", "kind": "List", "items": [
        { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "api-5d4" }, "spec": { "containers": [
            { "name": "api", "image": "ghcr.io/acme/api:2.3.0" }, { "name": "proxy", "image": "envoyproxy/envoy:v1.31.0" } ] },
          "status": { "containerStatuses": [ { "image": "ghcr.io/acme/api:2.3.0", "imageID": "ghcr.io/acme/api@sha256:00" } ] } } ] }"#;
    let (format, items) = found(text);
    assert_eq!(format, PasteFormat::Kubernetes);
    assert_eq!(
        items,
        ["docker.io/envoyproxy/envoy v1.31.0 @ Pod/api-5d4 proxy", "ghcr.io/acme/api 2.3.0 @ Pod/api-5d4 api"]
    );
    // A list of one kind leaves the kind of its items out.
    let list = r#"{"kind":"PodList","items":[{"spec":{"containers":[{"image":"nginx:1"}]}}]}"#;
    assert_eq!(found(list).1, ["docker.io/library/nginx 1 @ Pod/"]);
}

#[test]
fn the_lists_of_diun() {
    let text =
        "- name: docker.io/crazymax/cloudflared:latest\n  watch_repo: true\n- name: ghcr.io/acme/api\n- regopt: x\n";
    let (format, items) = found(text);
    assert_eq!(format, PasteFormat::Diun);
    assert_eq!(items, ["docker.io/crazymax/cloudflared latest @ entry 1", "ghcr.io/acme/api  @ entry 2"]);
    assert_eq!(unread(text), ["entry 3: it has no name"]);
    let configuration = "watch:\n  workers: 20\nproviders:\n  file:\n    directory: ./images\n";
    assert!(unread(configuration)[0].contains("paste these"));
    let inside = "providers:\n  file:\n    - name: alpine:3\n";
    assert_eq!(found(inside).1, ["docker.io/library/alpine 3 @ providers.file 1"]);
}

#[test]
fn one_block_may_be_shared_by_all_services() {
    let text = format!(
        "x-common: &a\n  restart: always\nservices:\n{}",
        many(900, |at| format!("  s{at}:\n    <<: *a\n    image: team/s{at}:1\n"))
    );
    assert_eq!(found(&text).1.len(), 900);
}

#[test]
fn hostile_yaml_is_refused_within_its_bounds() {
    let bomb: String = (1..10).fold("name: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
        let last = level - 1;
        format!("{text}a{level}: &a{level} [{}]\n", vec![format!("*a{last}"); 9].join(","))
    });
    let deep = format!("name: {}", "[".repeat(100_000));
    let deep_block: String =
        (0..2_000).fold("kind:\n".to_owned(), |text, level| format!("{text}{}k:\n", " ".repeat(level + 1)));
    let json = "[".repeat(500_000);
    let wide = format!("name:\n{}", "- a\n".repeat(LONGEST / 4));
    let documents = "---\nkind: Pod\n".repeat(LONGEST / 16);
    let anchors = format!("name: x\n{}", many(60_000, |n| format!("k{n}: &b{n} v\n")));
    for (what, text) in [
        ("bomb", bomb),
        ("deep", deep),
        ("deep_block", deep_block),
        ("json", json),
        ("wide", wide),
        ("documents", documents),
        ("anchors", anchors),
    ] {
        let pasted = parse(&text);
        assert_eq!((pasted.items, pasted.not_understood.len()), (vec![], 1), "{what}");
        assert!(pasted.not_understood[0].reason.len() < 500, "{what}: {}", pasted.not_understood[0].reason);
    }
}

#[test]
fn answers_are_bounded() {
    let names = many(5_000, |number| format!("team/n{number}\n"));
    let pasted = parse(&names);
    assert_eq!((pasted.items.len(), pasted.truncated), (MOST_ITEMS, true));
    let tags = many(50, |number| format!("nginx:{number}\n"));
    let pasted = parse(&tags);
    assert_eq!((pasted.items[0].tags.len(), pasted.items[0].places.len(), pasted.truncated), (10, 10, false));
    let words = format!("{} b\n", "é".repeat(1_000)).repeat(1_000);
    let pasted = parse(&words);
    assert_eq!((pasted.not_understood.len(), pasted.truncated), (MOST_UNREAD, true));
    assert_eq!(pasted.not_understood[0].text.chars().count(), SHOWN);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_read_without_a_panic(text in r"(\PC|\n|[{}\[\]:&*$!|>-]|  ){0,200}|(kind|services|- name|items)?: ?.{0,40}\n.{0,80}") {
        let pasted = parse(&text);
        for item in pasted.items {
            prop_assert_eq!(item.name.parse::<tagwarden_model::name::RepositoryName>().unwrap().to_string(), item.name);
        }
    }

    #[test]
    fn a_name_is_found_again_in_every_format(names in proptest::collection::btree_set("[a-z]{1,8}/[a-z0-9]{1,8}", 1..20)) {
        let each = |form: fn(usize, &str) -> String| names.iter().enumerate().map(|(at, name)| form(at, name)).collect::<String>();
        let expected: Vec<String> = names.iter().map(|name| format!("docker.io/{name}")).collect();
        for text in [
            each(|_, name| format!("{name}:1.0\n")),
            format!("services:\n{}", each(|at, name| format!("  s{at}:\n    image: {name}:1.0\n"))),
            each(|at, name| format!("---\nkind: Pod\nmetadata: {{name: p{at}}}\nspec: {{containers: [{{image: '{name}:1.0'}}]}}\n")),
            each(|_, name| format!("- name: {name}:1.0\n")),
        ] {
            let found: Vec<_> = parse(&text).items.into_iter().map(|item| item.name).collect();
            prop_assert_eq!(&found, &expected, "{}", text);
        }
    }
}
