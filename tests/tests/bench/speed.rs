use std::process::Command;

use futures::StreamExt as _;
use tagwarden::clock::{Clock as _, SystemClock};
use tagwarden_tests::docker_registry::DockerRegistry;
use tagwarden_tests::images::Image;
use tagwarden_tests::{http_client, skopeo};

use super::busy::{Busy, median};

const REPOSITORY: &str = "team/api";
const TAGS: usize = 1_000;
/// Requests under way at once, ours and those of `ab`: enough that no core of two waits.
const AT_ONCE: usize = 32;
/// Processes under way at once.
const SKOPEO_AT_ONCE: usize = 8;
/// Short ones, so that what else the machine does weighs on all sides alike.
const ROUNDS: usize = 10;
/// In a round; of skopeo, its part of the tags.
const CHECKS: u64 = 2_000;
const OF_AB: f64 = 0.9;
const TIMES_SKOPEO: f64 = 15.0;

const ACCEPT: &str = "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// The whole server's checks (passes with their listings and rows, the record on SQLite, every limit lifted) against the bare
/// HEAD requests of `ab`, which only counts, and against one process of skopeo for each tag: all of the same registry.
///
/// It needs a machine that is idle otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: make bench"]
async fn checks_per_second_against_ab_and_skopeo() {
    let registry = DockerRegistry::start().await;
    let (client, clock) = (http_client(), SystemClock::new(1));
    let tags: Vec<String> = (0..TAGS).map(|at| format!("1.{}.{}", at / 10, at % 10)).collect();
    for (tag, seed) in tags.iter().zip(0..) {
        Image::single(seed).put(&client, &registry.url(), REPOSITORY, tag).await;
    }
    let busy = Busy::start(&registry.host(), &[REPOSITORY.to_owned()], AT_ONCE, "1ms").await;
    let (mut of_ab, mut of_conditional, mut of_skopeo) = (Vec::new(), Vec::new(), Vec::new());
    // The first reading, and a pass after it.
    busy.checked(2 * TAGS as u64).await;
    for some in tags.chunks(TAGS / ROUNDS) {
        // What was under way when it was halted comes first, and is not counted.
        busy.checked(busy.checks().await + 10 * AT_ONCE as u64).await;
        let ours = busy.checks_per_second(CHECKS).await;
        signal("STOP", busy.tagwarden.id());
        let url = format!("{}/v2/{REPOSITORY}/manifests/{}", registry.url(), tags[0]);
        let bare = ab(&url, &[ACCEPT]);
        let etag = format!("If-None-Match: \"{}\"", Image::single(0).digest);
        let conditional = ab(&url, &[ACCEPT, &etag]);
        let began = clock.now().mono;
        futures::stream::iter(some)
            .for_each_concurrent(SKOPEO_AT_ONCE, |tag| async {
                skopeo::digest(&registry.host(), REPOSITORY, tag).await.unwrap();
            })
            .await;
        let inspected = some.len() as f64 * 1e6 / (clock.now().mono.0 - began.0) as f64;
        println!(
            "  {ours:.0} checks/s; ab {bare:.0}/s, with If-None-Match as we send it {conditional:.0}/s; skopeo {inspected:.0}/s"
        );
        of_ab.push(ours / bare);
        of_conditional.push(ours / conditional);
        of_skopeo.push(ours / inspected);
        signal("CONT", busy.tagwarden.id());
    }
    let (of_ab, of_conditional, of_skopeo) = (median(of_ab), median(of_conditional), median(of_skopeo));
    println!("checks per second, as a part of ab's requests: {of_ab:.2} (at least {OF_AB})");
    println!("  of its conditional requests, which cost the registry less: {of_conditional:.2}");
    println!("checks per second, as a multiple of skopeo's: {of_skopeo:.1} (at least {TIMES_SKOPEO})");
    assert!(of_ab >= OF_AB, "{of_ab:.2} of ab's requests per second");
    assert!(of_skopeo >= TIMES_SKOPEO, "{of_skopeo:.1} times skopeo's");
}

/// Halts a process, or lets it go on.
fn signal(name: &str, process: u32) {
    let status = Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap();
    assert!(status.success(), "SIG{name}: {status}");
}

/// Requests per second of `ab`, by HEAD on connections that are kept.
fn ab(url: &str, headers: &[&str]) -> f64 {
    let mut command = Command::new("ab");
    command.args(["-q", "-k", "-i", "-n", &CHECKS.to_string(), "-c", &AT_ONCE.to_string()]);
    command.args(headers.iter().flat_map(|header| ["-H", header])).arg(url);
    let output = command.output().unwrap_or_else(|error| panic!("ab ({error}): run packaging/tools.sh bench"));
    let text = String::from_utf8(output.stdout).unwrap();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok())
            .unwrap_or_else(|| panic!("{name}: {text}"))
    };
    assert_eq!((value("Failed requests:"), value("Keep-Alive requests:")), (0.0, CHECKS as f64), "{text}");
    value("Requests per second:")
}
