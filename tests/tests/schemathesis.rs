//! Property-based requests made from the API's own description: <https://schemathesis.readthedocs.io>.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use tagwarden::clock::SystemClock;
use tagwarden::http::serve;
use tagwarden::store::Store;
use tagwarden::store::jobs::NO_ENTRY;
use tagwarden_model::api::JobKind;
use tagwarden_model::tag::Class;
use tokio::net::TcpListener;
use tokio::process::Command;

use tagwarden_tests::api_server::Server;

/// The repository that the description's examples name.
const EXAMPLE: &str = "docker.io/library/nginx";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_that_the_description_allows_or_forbids_breaks_it() {
    let server = Server::start().await;
    let nginx = server.record.watch(EXAMPLE).await;
    server.record.tag(&nginx, "2.3.0", Class::Release, &["two three", "something else"]).await;
    server.record.tag(&nginx, "latest", Class::Rolling, &["two three"]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/openapi.json", listener.local_addr().unwrap());
    let mut state = server.state.clone();
    state.clock = Arc::new(SystemClock::new(1));
    let serving = tokio::spawn(serve(listener, state.clone()));
    let working = tokio::spawn(end_jobs(state.store.clone()));

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folders = Command::new("bash").arg("packaging/tools.sh").arg("path").current_dir(root).output().await.unwrap();
    let path = format!("{}:{}", String::from_utf8(folders.stdout).unwrap().trim(), std::env::var("PATH").unwrap());
    let run = Command::new("schemathesis")
        .args(["--config-file", "tests/schemathesis.toml", "run", "--no-color", &url])
        .current_dir(root)
        .env("PATH", path)
        .output()
        .await
        .expect("schemathesis is installed: packaging/tools.sh test");
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{text}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(passed(&text) > 500, "{text}");

    state.shutdown.cancel();
    serving.await.unwrap().unwrap();
    working.abort();
}

/// How many requests passed: the line `1179 generated, 1179 passed`.
fn passed(report: &str) -> usize {
    let line = report.lines().find(|line| line.contains(" generated, ")).unwrap_or_default();
    let word = line.split_whitespace().rev().nth(1).unwrap_or_default();
    word.parse().unwrap_or_default()
}

/// The poller's part: every job ends at once, so that no request waits for long.
async fn end_jobs(store: Store) {
    loop {
        let seen = store.newest_change().await.unwrap();
        let entries = store.registries().await.unwrap();
        for entry in entries.iter().map(|entry| entry.id).chain([NO_ENTRY]) {
            for kind in [JobKind::Check, JobKind::Proof, JobKind::Preview, JobKind::Catalogue] {
                for job in store.take_jobs(entry, kind, 100).await.unwrap() {
                    store.finish_job(job.id, None, tagwarden_tests::step_clock::START).await.unwrap();
                }
            }
        }
        store.changed(seen).await;
    }
}
