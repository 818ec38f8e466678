//! Measurements, as ratios taken in one run: `make bench`.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tagwarden::clock::{SharedClock, SystemClock};
use tagwarden::registry::Registry as _;
use tagwarden::registry::client::{HttpRegistry, RegistrySettings};
use tagwarden_model::name::{RepositoryName, TagName};
use tagwarden_tests::docker_registry::DockerRegistry;
use tagwarden_tests::http_client;
use tagwarden_tests::images::Image;

/// Checks of each kind in a round, as many at once.
const CHECKS: usize = 2_000;
const AT_ONCE: usize = 4;
const ROUNDS: usize = 5;

const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A check with all its care (limits, condition, time-outs, reading the answer) against a bare HEAD over the same kind of
/// connection to the same registry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: make bench"]
async fn checks_against_bare_requests() {
    let registry = DockerRegistry::start().await;
    let bare = http_client();
    Image::single(1).put(&bare, &registry.url(), "team/api", "1.0.0").await;
    let clock: SharedClock = Arc::new(SystemClock::new(1));
    let mut settings = RegistrySettings::new(&registry.host());
    settings.limits.concurrency = AT_ONCE;
    let client = HttpRegistry::new(settings, clock.clone()).expect("a client");
    let name: RepositoryName = format!("{}/team/api", registry.host()).parse().expect("a name");
    let tag = TagName::new("1.0.0").expect("a tag");
    let url = format!("{}/v2/team/api/manifests/1.0.0", registry.url());
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let began = clock.now().mono.0;
        futures::stream::iter(0..CHECKS)
            .for_each_concurrent(AT_ONCE, |_| async {
                assert!(client.head(&name, &tag, None).await.result.is_ok());
            })
            .await;
        let middle = clock.now().mono.0;
        futures::stream::iter(0..CHECKS)
            .for_each_concurrent(AT_ONCE, |_| async {
                let answer = bare.head(&url).header("accept", ACCEPT).send().await.expect("an answer");
                assert!(answer.status().is_success());
            })
            .await;
        let end = clock.now().mono.0;
        let (ours, theirs) = (Duration::from_micros(middle - began), Duration::from_micros(end - middle));
        println!("{CHECKS} checks in {ours:?}, {CHECKS} bare requests in {theirs:?}");
        ratios.push(theirs.as_secs_f64() / ours.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    println!("checks per second as a part of bare requests per second, median of {ROUNDS}: {:.2}", ratios[ROUNDS / 2]);
}
