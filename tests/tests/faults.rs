//! Each scripted fault is really played, and what no rule concerns is answered truly; and all of them together make the real
//! client and poller record nothing that did not happen.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, DATE, LINK, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tagwarden::demo::registry::DemoRegistry;
use tagwarden_model::digest::Digest;
use tagwarden_tests::faults::fault::Fault;
use tagwarden_tests::faults::{FaultyRegistry, Rule};
use tagwarden_tests::http_client;
use tagwarden_tests::images::Image;
use tagwarden_tests::{skopeo, socket_run};

const REPOSITORY: &str = "team/api";
const MANIFEST: &str = "/v2/team/api/manifests/1.0.0";
const TAGS: &str = "/v2/team/api/tags/list";

struct World {
    client: Client,
    faulty: FaultyRegistry,
    image: Image,
}

impl World {
    /// A registry with one image, `1.0.0`.
    async fn new() -> Self {
        let faulty = FaultyRegistry::start(DemoRegistry::new()).await;
        let (client, image) = (http_client(), Image::single(1));
        image.put(&client, &faulty.url(), REPOSITORY, "1.0.0").await;
        Self { client, faulty, image }
    }

    async fn get(&self, path: &str) -> reqwest::Result<Response> {
        self.client.get(format!("{}{path}", self.faulty.url())).header(ACCEPT, self.image.media_type).send().await
    }

    /// The answer for `path` with only this fault.
    async fn with(&self, fault: Fault, path: &str) -> reqwest::Result<Response> {
        self.faulty.heal();
        self.faulty.add(Rule::new(fault));
        self.get(path).await
    }
}

#[tokio::test]
async fn without_rules_it_is_the_registry() {
    let world = World::new().await;
    let host = world.faulty.host();
    let pushed = skopeo::push(&Image::index(2), &host, REPOSITORY, "2.0.0").await;
    assert_eq!(skopeo::digest(&host, REPOSITORY, "2.0.0").await, Ok(pushed));
    assert_eq!(skopeo::list_tags(&host, REPOSITORY).await.unwrap(), ["1.0.0", "2.0.0"]);
    assert!(world.faulty.calls().iter().all(|(_, fault)| fault.is_none()));
}

#[tokio::test]
async fn every_shape_of_retry_after_arrives_byte_by_byte() {
    let world = World::new().await;
    for value in ["2", "0", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "880.092µs", "1m30s", "soon", ""] {
        let answer = world.with(Fault::retry_after(value.as_bytes()), TAGS).await.unwrap();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers()[RETRY_AFTER].as_bytes(), value.as_bytes());
    }
    let answer = world.with(Fault::x_retry_after(1_790_000_000), TAGS).await.unwrap();
    assert_eq!(answer.headers()["x-retry-after"], "1790000000");
    assert!(!answer.headers().contains_key(RETRY_AFTER));
    let answer = world.with(Fault::RateLimited(None), TAGS).await.unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(!answer.headers().contains_key(RETRY_AFTER));
}

#[tokio::test]
async fn other_answers() {
    let world = World::new().await;
    for status in [500, 502, 503, 504, 403] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(world.with(Fault::Status(status), MANIFEST).await.unwrap().status(), status);
    }
    let answer = world.with(Fault::Html, MANIFEST).await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()[CONTENT_TYPE]),
        (StatusCode::OK, &"text/html; charset=utf-8".parse().unwrap())
    );

    let answer = world.with(Fault::Redirect("http://127.0.0.1:1/x".to_owned()), MANIFEST).await.unwrap();
    assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(answer.headers()[LOCATION], "http://127.0.0.1:1/x");

    let answer = world.with(Fault::Unauthorized("Basic realm=\"x\"".to_owned()), MANIFEST).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer.headers()[WWW_AUTHENTICATE], "Basic realm=\"x\"");

    let body: Value = world.with(Fault::NotFound, MANIFEST).await.unwrap().json().await.unwrap();
    assert_eq!(body["errors"][0]["code"], "NAME_UNKNOWN");
    let body: Value = world.with(Fault::NullTags, TAGS).await.unwrap().json().await.unwrap();
    assert_eq!(body, json!({ "name": REPOSITORY, "tags": null }));
    let body: Value = world.with(Fault::NoTags, TAGS).await.unwrap().json().await.unwrap();
    assert_eq!(body, json!({ "name": REPOSITORY, "tags": [] }));
    let length = world.with(Fault::HugeBody(5_000_000), TAGS).await.unwrap().bytes().await.unwrap().len();
    assert_eq!(length, 5_000_001);
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let world = World::new().await;
    let error = world.with(Fault::Reset, MANIFEST).await.unwrap_err();
    let mut cause = error.source();
    let mut kinds = Vec::new();
    while let Some(error) = cause {
        kinds.extend(error.downcast_ref::<io::Error>().map(io::Error::kind));
        cause = error.source();
    }
    assert!(kinds.contains(&io::ErrorKind::ConnectionReset), "{error:?}");
    world.faulty.heal();
    assert_eq!(world.get(MANIFEST).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn spoiled_bodies() {
    let world = World::new().await;
    let whole = world.image.manifest.len();

    let answer = world.with(Fault::CutBody, MANIFEST).await.unwrap();
    assert_eq!(answer.headers()[CONTENT_LENGTH], whole.to_string().as_str());
    answer.bytes().await.unwrap_err();

    let short = Client::builder().no_proxy().read_timeout(Duration::from_millis(200)).build().unwrap();
    world.faulty.heal();
    world.faulty.add(Rule::new(Fault::SlowBody(Duration::from_secs(20))));
    let mut answer = short.get(format!("{}{TAGS}", world.faulty.url())).send().await.unwrap();
    assert!(answer.chunk().await.unwrap().is_some());
    assert!(answer.chunk().await.unwrap_err().is_timeout());
    let answer = world.with(Fault::SlowBody(Duration::from_millis(10)), MANIFEST).await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), world.image.manifest);

    let answer = world.with(Fault::OtherBody, MANIFEST).await.unwrap();
    let claim: Digest = answer.headers()["docker-content-digest"].to_str().unwrap().parse().unwrap();
    let bytes = answer.bytes().await.unwrap();
    assert_eq!((&claim, bytes.len()), (&world.image.digest, whole));
    assert!(!claim.matches(&bytes));
    serde_json::from_slice::<Value>(&bytes).unwrap();
}

#[tokio::test]
async fn spoiled_headers() {
    let world = World::new().await;
    let lie = Digest::of(b"a lie");
    let answer = world.with(Fault::lying_digest(&lie), MANIFEST).await.unwrap();
    assert_eq!(answer.headers()["docker-content-digest"], lie.to_string().as_str());
    assert_eq!(answer.bytes().await.unwrap(), world.image.manifest);
    let answer = world.with(Fault::no_digest(), MANIFEST).await.unwrap();
    assert!(!answer.headers().contains_key("docker-content-digest"));
    let answer = world.with(Fault::link("</v2/x/tags/list?last=a>; rel=\"next\""), TAGS).await.unwrap();
    assert_eq!(answer.headers()[LINK], "</v2/x/tags/list?last=a>; rel=\"next\"");
    let answer = world.with(Fault::date(Some("Thu, 01 Jan 1970 00:00:00 GMT")), TAGS).await.unwrap();
    assert_eq!(answer.headers()[DATE], "Thu, 01 Jan 1970 00:00:00 GMT");
}

#[tokio::test]
async fn a_stale_replica_alternates_with_the_truth() {
    let world = World::new().await;
    let stale = Fault::Stale(world.faulty.registry.frozen());
    let image = Image::single(2);
    image.put(&world.client, &world.faulty.url(), REPOSITORY, "1.0.0").await;
    world.faulty.add(Rule::new(stale).on_path(MANIFEST).every_second());
    let mut digests = Vec::new();
    for _ in 0..4 {
        let answer = world.get(MANIFEST).await.unwrap();
        digests.push(answer.headers()["docker-content-digest"].to_str().unwrap().to_owned());
    }
    let [old, new] = [world.image.digest.to_string(), image.digest.to_string()];
    assert_eq!(digests, [&old, &new, &old, &new].map(Clone::clone));
}

#[tokio::test]
async fn rules_say_which_requests_and_how_often() {
    let world = World::new().await;
    world.faulty.add(Rule::new(Fault::NotFound).on_repository("team/other"));
    world.faulty.add(Rule::new(Fault::Status(StatusCode::BAD_GATEWAY)).on_path("/tags/list").numbers(2..=3));
    world.faulty.add(Rule::new(Fault::Status(StatusCode::BAD_GATEWAY)).on(|call| call.query == "n=1"));
    let mut statuses = Vec::new();
    for path in [TAGS, TAGS, MANIFEST, TAGS, TAGS, "/v2/team/other/tags/list", "/v2/team/api/tags/list?n=1"] {
        statuses.push(world.get(path).await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 502, 200, 502, 200, 404, 502]);
    assert_eq!(world.faulty.calls().iter().filter(|(_, fault)| fault.is_some()).count(), 4);
}

#[tokio::test]
async fn chance_is_the_same_for_the_same_seed() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let world = World::new().await;
        world.faulty.add(Rule::new(Fault::NotFound).chance(0.5, seed));
        let mut run = Vec::new();
        for _ in 0..40 {
            run.push(world.get(TAGS).await.unwrap().status().as_u16());
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!(runs[0].contains(&200) && runs[0].contains(&404));
}

#[tokio::test]
async fn a_thousand_checks_over_sockets_with_faults_invent_nothing() {
    let report = socket_run::play(1000, 1).await;
    println!("{report:#?}");
}
