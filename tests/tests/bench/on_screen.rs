use std::collections::BTreeMap;

use serde_json::json;
use tagwarden::demo::registry::DemoRegistry;
use tagwarden_model::tag::MediaType;
use tagwarden_tests::browser::Browser;

use super::busy::{Busy, Times};

const REPOSITORY: &str = "team/api";
const TRIES: usize = 500;
/// Milliseconds.
const P99: f64 = 500.0;

/// Calls as a program beside the page would, and waits until the tag's name is within the window, and the frame after it has
/// begun: all by the page's own clock. The page is as it was opened, at its top.
///
/// What a person could see first counts: what is painted on the timeline, by its place on its canvas, or a text of the document,
/// by its place and unless it is hidden. The table that only assistive technology reads is within the window and seen by nobody;
/// it does not count, nor does what is below the window, such as the end of a list.
const SCRIPT: &str = "const [repository, tag, done] = arguments;
    const began = performance.now(), brush = CanvasRenderingContext2D.prototype, { fillText } = brush;
    const isWithin = (x, y) => x > 0 && x < innerWidth && y > 0 && y < innerHeight;
    const seen = how => {
        if (!observer) return;
        observer.disconnect();
        observer = null;
        brush.fillText = fillText;
        requestAnimationFrame(() => done([performance.now() - began, how]));
    };
    brush.fillText = function (text, x, y, ...more) {
        if (text.includes(tag)) {
            const box = this.canvas.getBoundingClientRect(), place = this.getTransform().transformPoint({ x, y });
            const scale = box.height / this.canvas.height;
            if (this.canvas.checkVisibility() && isWithin(box.left + place.x * scale, box.top + place.y * scale)) seen('painted');
        }
        return fillText.call(this, text, x, y, ...more);
    };
    const textsOf = node => {
        if (node.nodeType === Node.TEXT_NODE) return [node];
        const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT), found = [];
        while (walker.nextNode()) found.push(walker.currentNode);
        return found;
    };
    const isSeen = text => {
        const holder = text.parentElement;
        if (!text.data.includes(tag) || !holder?.checkVisibility() || holder.closest('.twin')) return false;
        const range = document.createRange();
        range.selectNodeContents(text);
        const box = range.getBoundingClientRect();
        return box.width > 0 && isWithin(box.left, box.top) && isWithin(box.right, box.bottom);
    };
    let observer = new MutationObserver(changes => {
        const changed = changes.flatMap(change => [...change.addedNodes, ...(change.type === 'characterData' ? [change.target] : [])]);
        const text = changed.flatMap(textsOf).find(isSeen);
        if (text) seen(`written in ${text.parentElement.closest('section, [class]').className}`);
    });
    observer.observe(document.body, { childList: true, characterData: true, subtree: true });
    fetch('api/v1/checks', { method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ repository, tags: [tag] }) });";

/// From the call that has a pushed tag checked until the tag is on the screen of who looks at its repository. What is below the
/// window, or scrolled to, is not on it.
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
    let (mut times, mut places) = (Vec::new(), BTreeMap::<String, usize>::new());
    for at in 0..TRIES {
        let tag = format!("2.{at}.0");
        registry.push(REPOSITORY, &tag, format!("{{\"at\":{at}}}"), MediaType::OciManifest);
        let took = browser.driver.execute_async(SCRIPT, vec![json!(repository), json!(tag)]).await.unwrap();
        let (took, place): (f64, String) = took.convert().unwrap();
        times.push(took);
        *places.entry(place).or_default() += 1;
    }
    assert_eq!(browser.run("return scrollY;", Vec::new()).await, 0, "it is looked at as it was opened");
    let times = Times::of(times);
    println!("  where it was seen first: {places:?}");
    println!("  a checked tag is on screen after {:.0} ms at the median, {:.0} at most", times.at(0.5), times.at(1.0));
    println!("a checked tag on screen, p99 of {TRIES}: {:.0} ms (at most {P99:.0})", times.at(0.99));
    browser.close().await;
    assert!(times.at(0.99) <= P99, "p99 {:.0} ms", times.at(0.99));
}
