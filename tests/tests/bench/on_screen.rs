use serde_json::json;
use tagwarden::demo::registry::DemoRegistry;
use tagwarden_model::tag::MediaType;
use tagwarden_tests::browser::Browser;

use super::busy::{Busy, Times};

const REPOSITORY: &str = "team/api";
const TRIES: usize = 500;
/// Milliseconds.
const P99: f64 = 500.0;

/// Calls as a program beside the page would, and waits until a change of the document holds the tag's name and the frame after it
/// has begun: all by the page's own clock. The table that only assistive technology sees does not count.
const SCRIPT: &str = "const [repository, tag, done] = arguments;
    const began = performance.now();
    const observer = new MutationObserver(changes => {
        const has = node => node.textContent.includes(tag) && !(node.closest ? node : node.parentElement)?.closest('.twin');
        if (changes.some(change => [change.target, ...change.addedNodes].some(node => node !== document.body && has(node)))) {
            observer.disconnect();
            requestAnimationFrame(() => done(performance.now() - began));
        }
    });
    observer.observe(document.body, { childList: true, characterData: true, subtree: true });
    fetch('api/v1/checks', { method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ repository, tags: [tag] }) });";

/// From the call that has a pushed tag checked until the tag is on the screen of who looks at its repository.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: make bench"]
async fn a_checked_tag_is_on_screen() {
    let registry = DemoRegistry::new();
    registry.push(REPOSITORY, "1.0.0", "{}", MediaType::OciManifest);
    let serving = registry.serve().await.unwrap();
    // No pass of its own finds what is pushed.
    let busy = Busy::start(&serving.host(), &[REPOSITORY.to_owned()], 8, "1h").await;
    busy.checked(1).await;
    let repository = format!("{}/{REPOSITORY}", serving.host());
    let browser = Browser::start().await;
    browser.open(&format!("{}/repository?name={repository}", busy.tagwarden.url())).await;
    browser.shows("1.0.0").await;
    let mut times = Vec::new();
    for at in 0..TRIES {
        let tag = format!("2.{at}.0");
        registry.push(REPOSITORY, &tag, format!("{{\"at\":{at}}}"), MediaType::OciManifest);
        let took = browser.driver.execute_async(SCRIPT, vec![json!(repository), json!(tag)]).await.unwrap();
        times.push(took.json().as_f64().unwrap());
    }
    let times = Times::of(times);
    println!("  a checked tag is on screen after {:.0} ms at the median, {:.0} at most", times.at(0.5), times.at(1.0));
    println!("a checked tag on screen, p99 of {TRIES}: {:.0} ms (at most {P99:.0})", times.at(0.99));
    browser.close().await;
    assert!(times.at(0.99) <= P99, "p99 {:.0} ms", times.at(0.99));
}
